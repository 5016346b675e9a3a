# SPDX-License-Identifier: GPL-2.0-or-later
"""Boot a small Linux guest whose interrupt controller is rVIC/rVID.

Sets up whatever is missing first. Without --exec there is a shell on the
guest's serial console: 'poweroff' or Ctrl-C ends it, Ctrl-A c leads to QEMU's
monitor and back, and Ctrl-\\ interrupts a command in the guest.

With --accel kvm on a machine that has no KVM for arm64 guests, all of this happens
in an emulated arm64 machine that has it. Files that QEMU's arguments name are
copied there; changes to them are lost.
"""

import argparse
import os
import re
import select
import shlex
import signal
import stat
import subprocess
import sys
import tempfile
import termios

import kvm_host
from kvm_host import end_with_parent, finish, read

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(TOP, 'build')

# In the environment: we are in the emulated host, which has all that is needed.
PREPARED = 'RVIC_PREPARED'

# The last line of a panic; the kernel then waits for ever.
PANIC = re.compile(rb'^\[[ \d.]+\](?:\[[^]]*\])? ---\[ end Kernel panic', re.M)


class Stopped(Exception):
    """A signal asks us to end."""


def stop(signum, _frame):
    raise Stopped(signum)


def parse(argv):
    parser = argparse.ArgumentParser(
        prog='scripts/run', description=__doc__, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage='%(prog)s [options] [-- QEMU-ARGUMENT...]')
    parser.add_argument('--irqchip', choices=['rvic', 'gic'], default='rvic',
                        help='rvic (default), or gic: GICv3 with the same kernel')
    parser.add_argument('--accel', choices=['tcg', 'kvm'], default='tcg',
                        help='tcg (default), or kvm')
    parser.add_argument('--cpus', type=int, default=4, metavar='N',
                        help='number of vCPUs, 1 to 512 (default: 4)')
    parser.add_argument('--memory', default='1G', metavar='SIZE',
                        help='guest memory, such as 512M or 2G (default: 1G)')
    parser.add_argument('--linux', metavar='SERIES',
                        help='another Linux than 6.12: see scripts/guest --help')
    parser.add_argument('--pages', choices=['4k', '16k', '64k'],
                        help="the guest's page size (default: 4k)")
    parser.add_argument('--exec', dest='command', metavar='COMMAND',
                        help='run COMMAND in the guest without a terminal, print its '
                             'output, power off, return its exit status; the boot log is '
                             'shown only if the guest fails')
    parser.add_argument('--dry-run', action='store_true',
                        help="print QEMU's command line, do nothing")
    split = argv.index('--') if '--' in argv else len(argv)
    args = parser.parse_args(argv[:split])
    args.qemu_args = argv[split + 1:]
    if not 1 <= args.cpus <= 512:
        parser.error(f'--cpus: {args.cpus} is not between 1 and 512')
    if args.command is not None and not args.command.strip():
        parser.error('--exec: there is no command')
    if args.linux is not None and not re.fullmatch(r'newest|[0-9]+\.[0-9]+', args.linux):
        parser.error(f"--linux: '{args.linux}' is not newest or a series such as 6.12")
    if not re.fullmatch(r'[1-9][0-9]*[KMGTkmgt]?', args.memory):
        parser.error(f"--memory: '{args.memory}' is not a size such as 512M or 2G")
    return args


def guest_options(args):
    """The options for scripts/guest."""
    return [f'--{name}={value}' for name, value in [('linux', args.linux), ('pages', args.pages)]
            if value]


def guest_name(args):
    """The name that scripts/guest gives to what these make."""
    return '-'.join(filter(None, ['guest', args.linux, args.pages]))


def qemu_command(args, files):
    """QEMU's arguments; FILES is the prefix of the files that it writes."""
    guest = os.path.join(BUILD, guest_name(args))
    kvm = args.accel == 'kvm'
    machine = {'rvic': 'virt,irqchip=rvic',
               'gic': 'virt,irqchip=gic,gic-version=' + ('host' if kvm else '3')}
    command = [
        os.path.join(BUILD, 'qemu-system-aarch64'),
        '-accel', args.accel,
        '-machine', machine[args.irqchip], '-cpu', 'host' if kvm else 'max',
        '-smp', str(args.cpus), '-m', args.memory,
        '-kernel', os.path.join(guest, 'Image'),
        '-initrd', os.path.join(guest, 'initramfs.cpio.gz'),
        '-append', 'console=ttyAMA0 earlycon',
        '-netdev', 'user,id=net0', '-device', 'virtio-net-pci,netdev=net0',
        '-device', 'virtio-rng-pci', '-display', 'none',
    ]
    if args.command is None:
        command += [
            '-chardev', f'stdio,id=console,mux=on,signal=on,logfile={files}console.log',
            '-serial', 'chardev:console', '-mon', 'chardev=console',
        ]
    else:
        # The command goes in through fw_cfg, its output and its status come
        # back through ports of their own: none of them is touched by a tty.
        text = args.command.replace(',', ',,')
        command += [
            '-serial', f'file:{files}console.log', '-monitor', 'none', '-no-reboot',
            '-fw_cfg', f'name=opt/rvic/exec,string={text}',
            '-device', 'virtio-serial-pci',
            '-chardev', 'file,id=output,path=/dev/stdout',
            '-device', 'virtserialport,chardev=output,name=rvic.output',
            '-chardev', f'file,id=status,path={files}status',
            '-device', 'virtserialport,chardev=status,name=rvic.status',
        ]
    return command + args.qemu_args


def printable(command):
    """The command line for a shell, one option per line."""
    lines = []
    for word in command:
        if word.startswith('-') or not lines:
            lines.append(shlex.quote(word))
        else:
            lines[-1] += ' ' + shlex.quote(word)
    return ' \\\n    '.join(lines)


def prepare(script, *arguments):
    """Run setup or guest; what it prints must not mix with a command's output."""
    process = subprocess.Popen([os.path.join(TOP, 'scripts', script), *arguments],
                               stdout=sys.stderr)
    try:
        if process.wait() != 0:
            sys.exit(1)
    finally:
        finish(process)


def panicked(console):
    return PANIC.search(read(console)) is not None


def leave_keys_to_guest(settings):
    """Of the keys that send signals leave us only the one for SIGINT."""
    characters = settings[6][:]
    for key in termios.VQUIT, termios.VSUSP:
        characters[key] = b'\0'
    termios.tcsetattr(0, termios.TCSADRAIN, settings[:6] + [characters])


def no_terminal():
    """Whether standard input is neither a terminal nor something to read."""
    try:
        return stat.S_ISCHR(os.fstat(0).st_mode) and not os.isatty(0)
    except OSError:
        return True


def boot(args, files):
    """Start QEMU, wait for its end, return our exit status."""
    console = files + 'console.log'
    pipe = subprocess.PIPE if args.command is not None else None
    process = subprocess.Popen(qemu_command(args, files), stdout=pipe,
                               stdin=None if pipe is None else subprocess.DEVNULL,
                               preexec_fn=end_with_parent)
    panic = False
    try:
        while pipe is not None and not panic:
            if select.select([process.stdout], [], [], 0.5)[0]:
                data = os.read(process.stdout.fileno(), 65536)
                if not data:
                    break
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()
            else:
                panic = panicked(console)
        while not panic:
            try:
                process.wait(0.5)
                break
            except subprocess.TimeoutExpired:
                panic = panicked(console)
    finally:
        finish(process)
    if panic:
        failure = 'the guest panicked'
    elif args.command is None:
        return 0 if process.returncode == 0 else 1
    elif process.returncode != 0:
        failure = f'QEMU failed (status {process.returncode})'
    else:
        status = read(files + 'status').strip()
        if status.isdigit():
            return int(status)
        failure = 'the guest ended before the command did'
    if args.command is not None:
        sys.stderr.write(read(console).decode(errors='replace').replace('\r', ''))
    print(f'run: error: {failure}', file=sys.stderr)
    return 1


# ---- In an emulated KVM host ------------------------------------------------

def host_options(args):
    """What kvm_host wants to know."""
    options = kvm_host.Options(shell=args.command is None)
    options.guest = os.path.join(BUILD, guest_name(args))
    options.memory = f'{megabytes(args.memory) + 2048}M'
    return options


def megabytes(size):
    number, unit = re.fullmatch('([0-9]+)(.?)', size).groups()
    return int(number) * {'': 1 << 20, 'k': 1 << 10, 'm': 1 << 20, 'g': 1 << 30,
                          't': 1 << 40}[unit.lower()] >> 20


def boot_in_host(args):
    """Have this script do the same in an emulated host."""
    files = {os.path.abspath(part) for word in args.qemu_args for part in re.split('[,=:]', word)
             if os.path.isfile(part)}
    command = shlex.join(['/usr/bin/python3', os.path.join(TOP, 'scripts/run.py'), *sys.argv[1:]])
    return kvm_host.run('exec ' + command, host_options(args), folder=os.getcwd(),
                        variables={PREPARED: 'yes'}, files=files)


def dry_run(args):
    files = os.path.join(tempfile.gettempdir(), 'rvic-')
    if args.emulated:
        print('# An emulated KVM host:')
        print(printable(kvm_host.qemu_command(files, host_options(args))))
        print('# In it:')
    print(printable(qemu_command(args, files)))


def prepare_and_boot(args, prepared, terminal):
    with tempfile.TemporaryDirectory(prefix='rvic-run-') as folder:
        files = os.path.join(folder, '')
        try:
            if not prepared:
                prepare('setup', *(['--kvm'] if args.emulated else []))
                prepare('guest', *guest_options(args))
            if args.emulated:
                prepare('kvm-host')
            if terminal and args.command is None:
                leave_keys_to_guest(terminal)
            return boot_in_host(args) if args.emulated else boot(args, files)
        except Stopped as stopped:
            if args.command is not None:
                sys.stderr.write(read(files + 'console.log').decode(errors='replace'))
            return 128 + stopped.args[0]


def main():
    args = parse(sys.argv[1:])
    prepared = PREPARED in os.environ
    args.emulated = args.accel == 'kvm' and not kvm_host.usable()
    if args.emulated and prepared:
        print('run: error: the emulated host has no usable /dev/kvm', file=sys.stderr)
        return 1
    if args.dry_run:
        dry_run(args)
        return 0
    if args.command is None and no_terminal():
        print('run: error: there is no terminal for the guest: use --exec', file=sys.stderr)
        return 1
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, stop)
    terminal = termios.tcgetattr(0) if sys.stdin and sys.stdin.isatty() else None
    return kvm_host.exit_status('run', lambda: prepare_and_boot(args, prepared, terminal), terminal)


if __name__ == '__main__':
    sys.exit(main())
