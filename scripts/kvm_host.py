# SPDX-License-Identifier: GPL-2.0-or-later
"""
An emulated arm64 machine with KVM, in which a command runs as on a real one.

It has no file system in common with this machine. What a checkout with its build
has on an arm64 machine is packed at the same paths: QEMU is the one of build-kvm/.
"""

import argparse
import compileall
import ctypes
import glob
import importlib.util
import os
import platform
import py_compile
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import threading

import cpio
import commands

# Also where the checkout's name is that of a link in QEMU's tree
TOP = os.path.realpath(commands.TOP)
BUILD = os.path.join(TOP, 'build')

# Of the packages for arm64, what nothing that runs in the host needs
NOT_NEEDED = re.compile(
    r'/(include|share|pkgconfig|gconv|__pycache__/.*opt-.*|lib/bfd-plugins|var|dpkg|krb5)$'
    r'|\.(a|o|la)$|/pkg-config$|libsqlite3|libdb-5|/python3/dist-packages$'
    r'|/python3\.\d+/(config-.*|distutils|ensurepip|idlelib|lib2to3|pydoc_data|test|tkinter'
    r'|turtledemo|unittest/test)$')

# What says how much tests do: they have it in the host, too
SETTINGS = ('RVIC_LONG', 'RVIC_SEED', 'RVIC_STRESS_ROUNDS', 'RVIC_STRESS_SEED', 'RVIC_HANDOVERS',
            'RVIC_SNAPSHOTS')

# What takes long if it is emulated, and nothing here is about
CPU = 'max,pauth=off,sve=off,sme=off,lpa2=off'
APPEND = 'console=ttyAMA0 loglevel=5 panic=-1 mitigations=off nokaslr audit=0'

# How much of the host's console is shown if it ends too early
CONSOLE_LINES = 40

# What the host's kernel says only if something is wrong with it
COMPLAINT = re.compile(r'WARNING: (?:CPU|.* at )|BUG: (?!soft lockup)|Oops|Unable to handle kernel')


class HostError(Exception):
    """The emulated host did not do what it was started for."""


def usable():
    """Whether this machine itself has KVM for arm64 guests, which we may use."""
    return platform.machine() == 'aarch64' and os.access('/dev/kvm', os.R_OK | os.W_OK)


def own_gic():
    """The version of the GIC of this machine, whose KVM is usable."""
    with open('/proc/interrupts', encoding='ascii') as file:
        return 3 if 'GICv3' in file.read() else 2


def own_pmus():
    """How many kinds of PMUs the CPUs of this machine have."""
    # Those of other parts of it have "cpumask" instead.
    return len(glob.glob('/sys/bus/event_source/devices/*/cpus'))


# ---- What is in it ---------------------------------------------------------

def pack(path, sysroot, busybox, init, more):
    """Write base.cpio: all that does not depend on the checkout."""
    version = 'python%d.%d' % sys.version_info[:2]
    library = os.path.join(sysroot, 'usr/lib', version)
    if os.path.isdir(library):
        # Emulated, Python would take seconds for that at each start.
        compileall.compile_dir(library, quiet=2, stripdir=sysroot, prependdir='/', workers=0,
                               invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    with open(path, 'wb') as file:
        archive = cpio.Archive(file)
        archive.console()
        for folder in 'dev', 'proc', 'root', 'sys', 'tmp':
            archive.folder(folder)
        archive.tree('', sysroot, lambda name: not NOT_NEEDED.search(name))
        archive.copy('usr/bin/busybox', busybox)
        archive.link('usr/bin/sh', 'busybox')
        archive.copy('init', init)
        archive.tree('', more, lambda name: not os.path.islink(name))
        archive.end()


def pack_checkout(archive, options):
    """Add what an arm64 machine would have in a checkout, its QEMU tree and build."""
    build, guest = options.build, options.guest
    tree = os.path.dirname(build)
    kvm = os.path.join(tree, 'build-kvm')
    archive.link(os.path.join(TOP, 'build'), build)
    archive.link(os.path.join(tree, 'rvic'), TOP)
    for name in 'qemu-system-aarch64', 'qemu-img':
        archive.copy(os.path.join(build, name), os.path.join(kvm, name))
    roms = 'qemu-bundle/usr/lib/ipxe/qemu'
    for name in glob.glob(os.path.join(build, roms, 'efi-*.rom')):
        archive.copy(name, name)
    programs = os.path.join(kvm, 'rvic/tests-kvm')
    if os.path.isdir(programs):
        archive.tree(os.path.join(build, 'rvic/tests-kvm'), programs,
                     lambda name: not name.endswith('.p'))
    for folder in (os.path.join(tree, 'python/qemu'),
                   os.path.join(tree, 'tests/functional/qemu_test'),
                   os.path.join(TOP, 'scripts'), os.path.join(TOP, 'tests-functional'),
                   os.path.join(TOP, 'tests-kvm')):
        if os.path.isdir(folder):
            archive.tree(folder, folder, lambda name: not name.endswith('__pycache__'))
    pycotap = importlib.util.find_spec('pycotap')
    if pycotap is None:
        raise HostError(f'{sys.executable} has no pycotap: start scripts/kvm-host instead')
    archive.tree('usr/lib/python3/dist-packages/pycotap', os.path.dirname(pycotap.origin),
                 lambda name: not name.endswith('__pycache__'))
    # In the host nothing must be behind a link but what the link leads to.
    real = os.path.join(os.path.realpath(os.path.dirname(guest)), os.path.basename(guest))
    for name in 'Image', 'initramfs.cpio.gz', '.config':
        archive.copy(os.path.join(real, name), os.path.join(real, name))


def shell(command, folder, variables):
    """Shell code that runs a command elsewhere as it would run here."""
    lines = [f'export {name}={shlex.quote(value)}' for name, value in variables.items()]
    return '\n'.join([*lines, f'mkdir -p {shlex.quote(folder)}', f'cd {shlex.quote(folder)}',
                      command, ''])


# ---- Running it ------------------------------------------------------------

def qemu_command(files, options):
    """QEMU's arguments; FILES is the prefix of the files that it writes and reads."""
    command = [
        os.path.join(BUILD, 'qemu-system-aarch64'),
        '-machine', f'virt,virtualization=on,gic-version={options.gic or 3}',
        *(['-accel', 'tcg,thread=single', '-icount', 'shift=0,sleep=off']
          if options.icount else ['-accel', 'tcg,thread=multi']), '-cpu', CPU,
        '-smp', str(options.cpus), '-m', options.memory,
        '-kernel', os.path.join(options.host, 'vmlinuz'), '-initrd', f'{files}initrd',
        '-append', APPEND, '-no-reboot',
        '-display', 'none', '-monitor', 'none', '-nic', 'none',
        '-serial', f'file:{files}console', '-device', 'virtio-serial-pci',
    ]
    if options.shell:
        command += ['-chardev', 'stdio,id=session,signal=off',
                    '-device', 'virtconsole,chardev=session']
    for name, path in (('output', '/dev/stdout'), ('errors', '/dev/stderr'),
                       ('status', f'{files}status'), ('files', f'{files}tar')):
        if name in ('output', 'errors') and options.shell:
            continue
        command += ['-chardev', f'file,id={name},path={path}',
                    '-device', f'virtserialport,chardev={name},name=rvic.{name}']
    return [*command, *options.arguments]


def heterogeneous(files, options):
    """The same for a machine with two PMUs."""
    if options.gic == 2:
        raise HostError('--hetero and --gic 2 exclude each other: it takes a GICv3')
    try:
        # Only scripts/kvm-host sees to it that there is libfdt.
        import hetero  # pylint: disable=import-outside-toplevel
    except ImportError as error:
        raise HostError(f'{sys.executable}: {error}: start scripts/kvm-host instead') from error
    command = qemu_command(files, options)
    tree = f'{files}dtb'
    done = subprocess.run([*command, '-machine', f'dumpdtb={tree}'], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode or not os.path.exists(tree):
        raise HostError(f'QEMU writes no device tree: {done.stdout.decode().strip()}')
    with open(tree, 'rb') as file:
        data = hetero.two_pmus(file.read())
    with open(tree, 'wb') as file:
        file.write(data)
    return [*command, '-dtb', tree]


def end_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


class Forward(threading.Thread):
    """Copies what comes from a pipe of a process at once, until its end or ours."""

    def __init__(self, process, source, target):
        super().__init__(daemon=True)
        self.process, self.source, self.target = process, source, target
        self.broken = False
        self.start()

    def run(self):
        while data := os.read(self.source.fileno(), 65536):
            try:
                self.target.buffer.write(data)
                self.target.buffer.flush()
            except OSError:
                # Nobody reads it any more.
                self.broken = True
                self.process.terminate()
                return


def finish(process):
    """End a process that may have ended already."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def read(path):
    try:
        with open(path, 'rb') as file:
            return file.read()
    except FileNotFoundError:
        return b''


def boot(command, session):
    """Run QEMU until it ends."""
    pipe = None if session else subprocess.PIPE
    process = subprocess.Popen(command, stdin=None if session else subprocess.DEVNULL,
                               stdout=pipe, stderr=pipe, preexec_fn=end_with_parent)
    try:
        threads = [] if session else [Forward(process, process.stdout, sys.stdout),
                                      Forward(process, process.stderr, sys.stderr)]
        for thread in threads:
            thread.join()
        process.wait()
    finally:
        finish(process)
    if any(thread.broken for thread in threads):
        raise BrokenPipeError
    return process.returncode


class Options:
    """
    What kind of host it is to be.

    gic: version of its interrupt controller, 2 or 3, if that matters
    cpus, memory: for QEMU's options -smp and -m
    host: the folder with vmlinuz and base.cpio that scripts/kvm-host has made
    build: the build directory of the QEMU tree
    guest: the folder of the guest for it that scripts/guest has made
    shell: whether the command has our terminal
    icount: whether a nanosecond is an instruction there; its CPUs take turns then
    newest: whether it is what scripts/kvm-host --kernel newest has made
    hetero: whether CPUs 0 and 1 have another PMU than 2 and 3; it has a GICv3 then
    arguments: what QEMU that emulates it gets besides, such as its trace events
    """

    # pylint: disable-next=too-many-arguments,too-many-positional-arguments
    def __init__(self, shell=False, gic=None, icount=False, hetero=False, newest=False,
                 arguments=()):
        self.shell = shell
        self.gic = gic
        self.icount = icount
        self.hetero = hetero
        self.arguments = arguments
        self.cpus = 4 if hetero else max(2, min(os.cpu_count() or 1, 4))
        self.memory = '3G'
        self.newest = newest
        self.host = os.path.join(BUILD, 'kvm-host-newest' if newest else
                                 os.environ.get('RVIC_KVM_HOST', 'kvm-host'))
        self.build = os.path.realpath(os.environ.get('QEMU_BUILD_ROOT', BUILD))
        self.guest = os.environ.get('RVIC_GUEST', os.path.join(BUILD, 'guest'))


def run(command, options, folder, variables, files=(), kept=()):
    """
    Boot the host, have it run a command of shell, and return its exit status.

    Its output and errors come out of ours; with options.shell it has our
    terminal instead. FOLDER is where it runs, VARIABLES are its environment's,
    FILES are copied to it. Folders that are KEPT come back to where they were,
    without those below them that are called "scratch".
    """
    if os.path.exists('/dev/kvm') and platform.machine() == 'aarch64' and not usable():
        print('you may not use /dev/kvm (are you in the group kvm?): emulating a host instead',
              file=sys.stderr, flush=True)
    for path in (os.path.join(options.host, 'base.cpio'),
                 os.path.join(os.path.dirname(options.build), 'build-kvm/qemu-system-aarch64')):
        if not os.path.exists(path):
            raise HostError(f'there is no {path}: run scripts/setup --kvm and scripts/kvm-host')
    with tempfile.TemporaryDirectory(prefix='rvic-kvm-host-') as scratch:
        prefix = os.path.join(scratch, '')
        with open(prefix + 'initrd', 'wb') as initrd:
            with open(os.path.join(options.host, 'base.cpio'), 'rb') as base:
                shutil.copyfileobj(base, initrd, 1 << 20)
            archive = cpio.Archive(initrd)
            pack_checkout(archive, options)
            for name in files:
                archive.copy(name, name)
            archive.data('rvic/command', shell(command, folder, variables).encode())
            archive.data('rvic/kept', ''.join(f"{name.lstrip('/')}\n" for name in kept).encode())
            if options.shell:
                archive.data('rvic/session', b'')
            archive.end()
        qemu = (heterogeneous if options.hetero else qemu_command)(prefix, options)
        status = b''
        try:
            returncode = boot(qemu, options.shell)
            status = read(prefix + 'status').strip()
        except BrokenPipeError:
            status = b'nobody wants it'
            raise
        finally:
            said = read(prefix + 'console').decode(errors='replace').replace('\r', '').splitlines()
            if not status:
                print('\n'.join(['the console of the emulated host ends with:',
                                 *said[-CONSOLE_LINES:]]), file=sys.stderr, flush=True)
        if kept and status:
            subprocess.run(['tar', '-C', '/', '--no-same-owner', '--no-overwrite-dir',
                            '-xf', prefix + 'tar', *(name.lstrip('/') for name in kept)],
                           check=False)
        complaints = [line for line in said if COMPLAINT.search(line)]
        if kept and complaints:
            raise HostError(f'the kernel of the emulated host complains: {complaints[0]}')
        if not status.isdigit():
            raise HostError('the emulated host ended before the command did'
                            + (f' (QEMU: status {returncode})' if returncode else ''))
        return int(status)


def exit_status(name, function, terminal=None):
    """
    Call a function for the exit status of the script NAME; say what goes wrong.

    TERMINAL are settings that it has afterwards.
    """
    try:
        return function()
    except BrokenPipeError:
        # Nobody reads the output any more; keep Python's exit from trying.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except (HostError, OSError) as error:
        print(f'{name}: error: {error}', file=sys.stderr)
        return 1
    finally:
        if terminal:
            termios.tcsetattr(0, termios.TCSADRAIN, terminal)


def environment(options):
    """The variables that tests want."""
    tree = os.path.dirname(options.build)
    return {
        **{name: os.environ[name] for name in SETTINGS if name in os.environ},
        'RVIC_ACCEL': 'kvm', 'RVIC_GUEST': options.guest,
        'QEMU_BUILD_ROOT': options.build,
        'QEMU_TEST_QEMU_BINARY': os.path.join(options.build, 'qemu-system-aarch64'),
        'PYTHONDONTWRITEBYTECODE': '1',
        'PYTHONPATH': ':'.join([os.path.join(tree, 'python'),
                                os.path.join(tree, 'tests/functional'),
                                os.path.join(TOP, 'tests-functional'),
                                os.path.join(TOP, 'tests-kvm')]),
    }


def run_tests(names, options):
    """Run test programs, or tests of them, here if that is possible, else in the host."""
    command = [os.path.join(TOP, 'tests-kvm/together.py'),
               *(os.path.basename(name).removesuffix('.py') for name in names)]
    variables = environment(options)
    if usable():
        if options.gic not in (None, own_gic()):
            print(f'1..0 # SKIP this host has no GICv{options.gic}')
            return 0
        if options.hetero and own_pmus() < 2:
            print('1..0 # SKIP all CPUs of this host have the same PMU')
            return 0
        if options.newest:
            print('1..0 # SKIP this host has its own kernel')
            return 0
        os.chdir(options.build)
        os.execve(sys.executable, [sys.executable, *command], {**os.environ, **variables})
    return run('exec ' + shlex.join(['/usr/bin/python3', *command]), options, options.build,
               variables, kept=[os.path.join(options.build, 'tests/functional')])


def parse():
    parser = argparse.ArgumentParser(prog='scripts/kvm-host', allow_abbrev=False)
    parser.add_argument('--pack', nargs=5)
    parser.add_argument('--test', action='append')
    parser.add_argument('--exec', dest='command')
    parser.add_argument('--shell', action='store_true')
    parser.add_argument('--gic', type=int)
    parser.add_argument('--hetero', action='store_true')
    parser.add_argument('--newest', action='store_true')
    return parser.parse_args()


def stop(signum, _frame):
    sys.exit(128 + signum)


def main():
    args = parse()
    if args.pack:
        pack(*args.pack)
        return 0
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, stop)
    if args.test:
        # meson does not always end its tests, nor would anybody end their hosts.
        end_with_parent()
    options = Options(args.shell, args.gic, hetero=args.hetero, newest=args.newest)
    terminal = termios.tcgetattr(0) if args.shell and sys.stdin.isatty() else None

    def run_it():
        if args.test:
            return run_tests(args.test, options)
        return run(args.command or 'exec sh -l', options, TOP, environment(options))

    return exit_status('kvm-host', run_it, terminal)


if __name__ == '__main__':
    sys.exit(main())
