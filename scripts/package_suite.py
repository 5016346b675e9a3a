# SPDX-License-Identifier: GPL-2.0-or-later
"""
Checks of what scripts/package makes, for scripts/test: the packages, in roots of Debian of
their own (debootstrap's, one beside Debian's QEMU), and the drivers in a tree of Linux 6.12.
"""

import glob
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time

import run
from commands import BUILD, TOP, complaint, output

PRODUCTS = os.path.join(BUILD, 'package')
PROGRAM = 'qemu-system-aarch64-rvic'
# Debian's packages that somebody who has ours may have
DEBIANS = ['qemu-system-arm', 'qemu-utils', 'qemu-block-extra']
# A root needs what only root can do.
ROOT = [] if os.geteuid() == 0 else ['sudo', '-n']
# A base system is made anew after so many days.
BASE_DAYS = 30


class Failure(Exception):
    """What is wrong."""


def must(*command, **options):
    """The output of a command that has to succeed."""
    status, text = output(*command, **options)
    if status:
        raise Failure(f'{shlex.join(command)}: status {status}:\n' +
                      '\n'.join(text.splitlines()[-40:]))
    return text


def lib(script, *arguments):
    """What a script prints that has the functions of scripts/lib.sh."""
    return must('bash', '-c', f'. {shlex.quote(TOP)}/scripts/lib.sh; {script}', 'test',
                *arguments)


def product(pattern):
    found = glob.glob(os.path.join(glob.escape(PRODUCTS), pattern))
    if len(found) != 1:
        raise Failure(f'not one {pattern} in {PRODUCTS}: {found}')
    return found[0]


def unpack(pattern, folder):
    """The one folder that is in an archive."""
    os.makedirs(folder, exist_ok=True)
    must('tar', '-C', folder, '-xf', product(pattern))
    names = os.listdir(folder)
    if len(names) != 1:
        raise Failure(f'{pattern} has several folders: {names}')
    return os.path.join(folder, names[0])


def read(*names):
    with open(os.path.join(*names), 'rb') as file:
        return file.read()


# ---- What was built --------------------------------------------------------

def check_again(_folder):
    """A second call builds nothing."""
    before = {name: os.stat(name).st_mtime_ns for name in glob.glob(PRODUCTS + '/*')}
    text = must(os.path.join(TOP, 'scripts/package'))
    after = {name: os.stat(name).st_mtime_ns for name in glob.glob(PRODUCTS + '/*')}
    return text if 'building' in text or before != after else ''


def check_lintian(_folder):
    status, text = output('lintian', *([] if ROOT else ['--allow-root']), '--fail-on', 'error',
                          product('qemu-rvic_*.changes'))
    for line in text.splitlines():
        print(f'     | {line}')
    return text or f'status {status}' if status else ''


def check_source(folder):
    """Only our own files, and the record of QEMU's."""
    tree = unpack('qemu-rvic_*.tar.xz', folder)
    names = must('git', 'ls-files', '-z', '-co', '--exclude-standard').split('\0')
    # dpkg-source leaves out what is only for git.
    ours = {name for name in names if os.path.isfile(os.path.join(TOP, name))
            and os.path.basename(name) not in ('.gitignore', '.gitattributes')}
    packed = {os.path.relpath(os.path.join(root, name), tree)
              for root, _, files in os.walk(tree) for name in files}
    made = {name for name in packed - ours
            if name == 'debian/qemu-source' or name.startswith('debian/linux-series/')}
    problem = ''.join(f'{name}: only in the package\n' for name in sorted(packed - ours - made))
    problem += ''.join(f'{name}: not in the package\n' for name in sorted(ours - packed))
    problem += ''.join(f'{name}: not as in the checkout\n' for name in sorted(packed & ours)
                       if not read(tree, name).endswith(read(TOP, name))
                       or name != 'debian/changelog' and read(tree, name) != read(TOP, name))
    # The record is that of the files that were used, and one cannot do without it.
    record = read(tree, 'debian/qemu-source').decode()
    files = re.findall(r'^([0-9a-f]{64})  (\S+)$', record, re.M)
    downloads = lib('echo "$cache/dl"').strip()
    if not re.search(r'^# version 1:10\.0\.\d+\S*$', record, re.M) or len(files) < 3:
        problem += f'debian/qemu-source is no record: {record}'
    for digest, name in files:
        if hashlib.sha256(read(downloads, name)).hexdigest() != digest:
            problem += f'debian/qemu-source: {name} has another checksum\n'
    used = must('dpkg-deb', '-f', product('qemu-rvic_*.deb'), 'Built-Using').strip()
    version = re.search('^# version (.*)', record, re.M)[1]
    return problem or ('' if used == f'qemu (= {version})' else f'Built-Using: {used}')


def check_input(folder):
    """Another QEMU than that which was recorded, or none, is refused by one line."""
    tree = unpack('qemu-rvic_*.tar.xz', folder)
    downloads = lib('echo "$cache/dl"').strip()
    inputs = os.path.join(folder, 'inputs')
    os.mkdir(inputs)
    names = re.findall(r'^[0-9a-f]{64}  (\S+)$', read(tree, 'debian/qemu-source').decode(), re.M)
    for name in names:
        shutil.copy(os.path.join(downloads, name), inputs)
    with open(os.path.join(inputs, names[1]), 'ab') as file:
        file.write(b' ')
    for where, wanted in (inputs, f'{names[1]}: FAILED'), (tree, f'{names[0]}: No such file'):
        status, text = output('debian/qemu', cwd=tree, env={**os.environ, 'QEMU_SOURCE': where})
        if status != 1 or wanted not in text or 'fetch it with apt-get source' not in text \
                or len(text.splitlines()) != 1:
            return f'QEMU_SOURCE={where}: status {status}: {text}'
    return ''


def check_version(folder):
    """Commits behind the changelog's entry and changed files are seen in the version."""
    clone = os.path.join(folder, 'clone')
    script = (r'. scripts/lib.sh; eval "$(sed -n "/^choose_version() {/,/^}/p" scripts/package)";'
              ' choose_version; echo "$version"')
    must('git', 'clone', '-q', '--no-hardlinks', TOP, clone)
    identity = ['git', '-c', 'user.name=test', '-c', 'user.email=test', '-C', clone]
    with open(os.path.join(clone, 'debian/changelog'), 'r+', encoding='utf-8') as file:
        text = re.sub(r'\(.*?\)', '(7.0)', file.read(), count=1)
        file.seek(0)
        file.write(text)
    found = []
    for step in [['commit', '-qam', 'release'], ['commit', '-q', '--allow-empty', '-m', 'more']]:
        must(*identity, *step)
        found.append(must('bash', '-c', script, cwd=clone).strip())
    with open(os.path.join(clone, 'README.rst'), 'a', encoding='utf-8') as file:
        file.write('\n')
    found.append(must('bash', '-c', script, cwd=clone).strip())
    last = must('git', '-C', clone, 'rev-parse', '--short=8', 'HEAD').strip()
    if found != ['7.0', f'7.0+1.g{last}', f'7.0+1.g{last}+dirty']:
        return str(found)
    return ''.join(complaint('dpkg', '--compare-versions', older, 'lt', newer)
                   for older, newer in zip(found, found[1:]))


# ---- In a Debian of its own ------------------------------------------------

class Root:
    """A root of Debian in a folder; what it runs sees nothing else."""

    ENTER = '''
        mount -t proc proc "$1/proc"
        mount -t devpts devpts "$1/dev/pts" 2>/dev/null || true
        exec chroot "$1" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \\
            LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$proxy" sh -eu -c "$2"'''

    def __init__(self, base, archives, folder):
        self.path = os.path.join(folder, 'root')
        self.archives = archives
        os.mkdir(self.path)
        must(*ROOT, 'tar', '-C', self.path, '--numeric-owner', '-xpf', base)

    def run(self, script, **options):
        """(exit status, output) of a shell script; the mounts go when it ends."""
        proxy = 'http_proxy=' + os.environ.get('http_proxy', '')
        return output(*ROOT, 'unshare', '--mount', '--pid', '--fork', '--kill-child',
                      'sh', '-ec', f'proxy={shlex.quote(proxy)}{self.ENTER}', 'sh', self.path,
                      script, **options)

    def must(self, script):
        status, text = self.run(script)
        if status:
            raise Failure(f'in the root: status {status}:\n' + '\n'.join(text.splitlines()[-60:]))
        return text

    def copy(self, source, target):
        must(*ROOT, 'cp', '-rL', source, self.path + target)

    def install(self, *packages):
        """By APT, which keeps what it downloads for the next time."""
        there = self.path + '/var/cache/apt/archives'
        os.makedirs(self.archives, exist_ok=True)
        must(*ROOT, 'sh', '-c', 'find "$1" -name "*.deb" -exec ln -f {} "$2" \\;', 'sh',
             self.archives, there)
        text = self.must('apt-get -q -y --no-install-recommends '
                         '-o APT::Keep-Downloaded-Packages=true ' + shlex.join(packages))
        must(*ROOT, 'sh', '-c', 'find "$1" -maxdepth 1 -name "*.deb" -exec ln -f {} "$2" \\;',
             'sh', there, self.archives)
        return text

    def files(self):
        """All but the books of APT, dpkg and the like."""
        return set(self.must(
            'find / -xdev \\( -path /proc -o -path /dev -o -path /tmp -o -path /run '
            '-o -path /var/lib/dpkg -o -path /var/lib/apt -o -path /var/cache -o -path /var/log '
            '-o -name ld.so.cache \\) -prune -o -print').splitlines())

    def remove(self):
        must(*ROOT, 'rm', '-rf', '--one-file-system', self.path)


def base_system():
    """The archive with a minimal Debian of this system's release, made if need be."""
    suite = lib('. /etc/os-release; echo "$VERSION_CODENAME"').strip()
    cache = lib('echo "$cache"').strip()
    base = os.path.join(cache, f'debootstrap-{suite}.tar')
    if not os.path.exists(base) or time.time() - os.path.getmtime(base) > BASE_DAYS * 86400:
        temporary = os.path.join(cache, 'tmp')
        with tempfile.TemporaryDirectory(prefix='package.', dir=temporary) as folder:
            root = os.path.join(folder, 'root')
            keyring, mirror = lib('debian_mirror; echo "$keyring"').split()[::-1]
            try:
                must(*ROOT, 'debootstrap', '--variant=minbase', '--include=ca-certificates',
                     f'--keyring={keyring}', suite, root, mirror)
                # No package is to start anything.
                must(*ROOT, 'sh', '-ec', '''cd "$1"
                    printf '#!/bin/sh\\nexit 101\\n' >usr/sbin/policy-rc.d
                    chmod 755 usr/sbin/policy-rc.d
                    rm -f var/cache/apt/archives/*.deb
                    tar --numeric-owner -cf ../base.tar .''', 'sh', root)
                must(*ROOT, 'chmod', '644', os.path.join(folder, 'base.tar'))
                os.replace(os.path.join(folder, 'base.tar'), base)
            finally:
                must(*ROOT, 'rm', '-rf', '--one-file-system', root)
    return base, os.path.join(cache, f'debootstrap-{suite}-archives')


def new_root(folder):
    root = Root(*base_system(), folder)
    for name in '/etc/resolv.conf', '/etc/hosts':
        root.copy(name, name)
    root.must('apt-get -q update')
    root.copy(product('qemu-rvic_*.deb'), '/srv/qemu-rvic.deb')
    return root


def check_boot(root):
    """The installed QEMU boots Linux to its user space."""
    exec_text = 'grep -c rvic /proc/interrupts; exit 7'
    command = run.qemu_command(run.parse(['--cpus', '2', '--exec', exec_text]), '/tmp/')
    root.copy(os.path.join(BUILD, 'guest'), '/srv/guest')
    command = [word.replace(os.path.join(BUILD, 'guest'), '/srv/guest') for word in command]
    command[0] = PROGRAM
    status, text = root.run(f'timeout 120 {shlex.join(command)} </dev/null\ncat /tmp/status')
    lines = text.splitlines()
    if status or len(lines) != 2 or not int(lines[0]) or lines[1] != '7':
        return f'status {status}: {text}\n{root.run("cat /tmp/console.log")[1]}'
    return ''


def check_smoke(root):
    root.copy(os.path.join(TOP, 'debian/tests/smoke'), '/srv/smoke')
    status, text = root.run('exec timeout 120 /srv/smoke')
    return f'status {status}: {text}' if status or 'version 10.0.' not in text else ''


def check_manual(root):
    """Each program tells what it can do, and has a page in the manual without errors."""
    problem = ''
    names = root.must('cd /usr/bin; echo *rvic*').split()
    if sorted(names) != ['qemu-system-aarch64-rvic', 'rvic-irqtop', 'rvic-libvirt-xml']:
        return f'programs: {names}'
    for name in names:
        status, text = root.run(f'{name} --help')
        if status or len(text.splitlines()) < 5:
            problem += f'{name} --help: status {status}: {text}\n'
        page = f'{root.path}/usr/share/man/man1/{name}.1.gz'
        if not os.path.exists(page):
            problem += f'{name} has no page in the manual\n'
            continue
        text = must('man', '--warnings', '-E', 'UTF-8', '-l', '-Tutf8', '-Z', page,
                    env={**os.environ, 'LC_ALL': 'C.UTF-8', 'MANROFFSEQ': '', 'MANWIDTH': '80'})
        problem += ''.join(line for line in text.splitlines(True) if 'warning' in line)
    return problem


def alone(folder):
    """Installed in a minimal Debian, where nothing is there by chance."""
    root = new_root(folder)
    try:
        root.install('install', '/srv/qemu-rvic.deb')
        yield 'installs', ''
        for check in check_smoke, check_manual, check_boot:
            yield check.__name__.removeprefix('check_'), check(root)
    finally:
        root.remove()


def check_apparmor(root):
    """libvirt's profiles of virtual machines come to allow our program."""
    suite, mirror = lib('. /etc/os-release; echo "$VERSION_CODENAME"; debian_mirror').split()
    option = ''
    if suite == 'bookworm':
        # Its own libvirt is too old for this QEMU.
        option = f'-t {suite}-backports'
        root.must(f'echo deb {mirror} {suite}-backports main >>/etc/apt/sources.list; '
                  'apt-get -q update')
    for package in 'libvirt-daemon-driver-qemu', 'libvirt-daemon-common', 'libvirt-daemon-system':
        root.run(f'cd /srv && apt-get -q {option} download {package} && '
                 f'dpkg-deb -x {package}_*.deb libvirt')
    name = 'abstractions/libvirt-qemu'
    if not os.path.exists(f'{root.path}/srv/libvirt/etc/apparmor.d/{name}'):
        return f"none of Debian's packages has /etc/apparmor.d/{name}"
    text = root.must(f'''
        cp -r /etc/apparmor.d /srv/libvirt/etc/
        cd /srv/libvirt/etc/apparmor.d
        mkdir -p local/abstractions
        touch local/{name} # as libvirt's postinst does
        printf '%s\\n' '#include <tunables/global>' 'profile guest {{' \\
            '  #include <{name}>' '}}' >guest
        apparmor_parser --base . --skip-kernel-load --skip-cache --preprocess guest
        apparmor_parser --base . --skip-kernel-load --skip-cache guest''')
    return '' if f'/usr/bin/{PROGRAM} rmix,' in text else text


def beside(folder):
    """Beside Debian's QEMU: nothing is in the way, and nothing stays."""
    root = new_root(folder)
    try:
        needed = must('dpkg-deb', '-f', product('qemu-rvic_*.deb'), 'Depends').strip()
        root.install('install', 'apparmor', *DEBIANS)
        root.install('satisfy', needed)
        before = root.files()
        root.install('install', '/srv/qemu-rvic.deb')
        text = root.must(f'{PROGRAM} --version; qemu-system-aarch64 --version; '
                         f'dpkg --verify qemu-rvic {shlex.join(DEBIANS)}')
        yield 'beside-debians', '' if text.count('QEMU emulator version') == 2 else text
        yield 'apparmor', check_apparmor(root)
        root.must('rm -rf /srv/libvirt*; sed -i /backports/d /etc/apt/sources.list; '
                  'apt-get -q -y purge qemu-rvic')
        after = root.files()
        yield 'purge', ''.join(f'left behind: {name}\n' for name in sorted(after - before)) + \
            ''.join(f'taken away: {name}\n' for name in sorted(before - after))
    finally:
        root.remove()


# ---- The drivers in Linux --------------------------------------------------

def linux_tree(folder):
    """A tree of Linux 6.12 as it was before scripts/guest put the drivers into it."""
    used = os.path.realpath(os.path.join(BUILD, 'linux'))
    tree = os.path.join(folder, 'linux')
    must('cp', '-al', used, tree)
    pristine = os.path.join(tree, '.rvic-pristine')
    must('cp', '-a', '--remove-destination', pristine + '/.', tree)
    must('rm', '-rf', pristine, *glob.glob(glob.escape(tree) + '/drivers/irqchip/irq-rvi[cd]*'))
    return tree


def shell_block(text, word):
    """The block of shell commands of a page that has this word."""
    for block in re.findall(r'^\.\. code-block:: shell\n\n((?:    .*\n|\n)+)', text, re.M):
        if word in block:
            return block
    raise Failure(f'no block of shell commands has {word}')


def compile_drivers(tree, script):
    """Run a script for a tree; it has to leave objects of the drivers."""
    # The compilers by way of ccache, as in scripts/guest
    env = {**os.environ, 'CCACHE_DIR': lib('echo "$CCACHE_DIR"').strip(),
           'PATH': '/usr/lib/ccache:' + os.environ['PATH']}
    must('bash', '-euc', script, cwd=tree, env=env)
    return ''.join(f'{name} was not built\n' for name in ('irq-rvic.o', 'irq-rvid.o')
                   if not os.path.exists(os.path.join(tree, 'drivers/irqchip', name)))


# Without the rest of the kernel, which scripts/guest builds
MAKE = 'make ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- -j2 drivers/irqchip/'


def check_linux_series(folder):
    """The patches apply with git am to Linux 6.12, and the drivers compile."""
    series = unpack('rvic-linux-6.12-series-*.tar.xz', folder)
    patches = sorted(glob.glob(glob.escape(series) + '/*.patch'))
    tree = linux_tree(folder)
    changed = {line.split('\t')[2] for line in
               must('git', 'apply', '--numstat', *patches[1:]).splitlines()}
    # git needs to know only those that are changed; the whole tree takes it a minute.
    known = [name for name in changed if os.path.exists(os.path.join(tree, name))]
    git = ['git', '-C', tree]
    must(*git, 'init', '-q')
    must(*git, 'config', 'user.name', 'test')
    must(*git, 'config', 'user.email', 'test')
    must(*git, 'add', '-f', *known)
    must(*git, 'commit', '-qm', 'Linux 6.12')
    readme = read(TOP, 'linux/README.rst').decode()
    must('bash', '-euc', f'SERIES={shlex.quote(series)}\n' + shell_block(readme, 'git am'),
         cwd=tree)
    config = os.path.join(TOP, 'linux/guest.config')
    return compile_drivers(tree, f'''
        make ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- \\
            KCONFIG_ALLCONFIG={shlex.quote(config)} allnoconfig
        {MAKE}''')


def check_linux_files(folder):
    """The instructions that come with the files lead to drivers, too."""
    files = unpack('rvic-linux-files-*.tar.xz', os.path.join(folder, 'files'))
    block = shell_block(read(files, 'linux/README.rst').decode(), 'allnoconfig')
    script = re.sub(r'^    (make .*) -j2 Image$', f'    {MAKE}', block, flags=re.M)
    if script == block:
        return f'the last command is not the one that was expected:\n{block}'
    return compile_drivers(linux_tree(folder), f'RVIC={shlex.quote(files)}\n{script}')


# ---- All -------------------------------------------------------------------

def checks():
    """(name, what is wrong) of each test."""
    try:
        lib('lock; packages "$@"', 'debootstrap', 'lintian', 'man-db', 'groff-base')
    except Failure as failure:
        yield 'needs', str(failure)
        return
    if subprocess.run([os.path.join(TOP, 'scripts/package')], check=False,
                      stdout=subprocess.DEVNULL).returncode:
        yield 'build', 'scripts/package failed: see above'
        return
    yield 'build', ''
    temporary = os.path.join(lib('echo "$cache"').strip(), 'tmp')
    for check in (check_again, check_lintian, check_source, check_input, check_version,
                  check_linux_series, check_linux_files, alone, beside):
        name = check.__name__.removeprefix('check_').replace('_', '-')
        # On the cache's file system, so that trees can share files
        with tempfile.TemporaryDirectory(prefix='package.', dir=temporary) as folder:
            try:
                if check in (alone, beside):
                    yield from check(folder)
                else:
                    yield name, check(folder)
            except Failure as failure:
                yield name, str(failure)
