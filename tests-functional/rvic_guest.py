# SPDX-License-Identifier: GPL-2.0-or-later
"""A small Linux guest for the boot tests: its disks, console and interrupts.

LinuxVM is a guest that obeys. Boot is one that does a list of jobs and is
switched off; what it said is kept, so that many tests can look at one boot.
"""

import base64
import gzip
import hashlib
import os
import platform
import random
import re
import shutil
import socketserver
import struct
import subprocess
import threading
import time

from qemu_test import QemuSystemTest

MIB = 1 << 20

# The size of the guest's pages. Of less than one its dd reads through caches.
PAGE = int(os.environ.get('RVIC_PAGES', '4k').removesuffix('k')) << 10
DISK_SIGNATURE = 0x72564943
ROOT = f'PARTUUID={DISK_SIGNATURE:08x}-01'

PROGRAMS = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'guest')

RVIC = 'virt,irqchip=rvic'

# What runs the guests, and their vCPUs
ACCEL = os.environ.get('RVIC_ACCEL', 'tcg')
CPU = 'host' if ACCEL == 'kvm' else 'max'

# Bounds the boot and each job, in seconds. Both take a few on an idle machine.
PATIENCE = 60 if ACCEL == 'tcg' else 240

# Which of the kernel's messages are looked at: all, or, where each character
# costs exits that take long, what is more than information
SEVERE = '' if ACCEL == 'tcg' else "-r | grep -E '^<[0-5]>|Linux version'"

# Each character on the console costs exits from the guest, which emulated hosts
# are slow with; all that the kernel has to say is in dmesg.
QUIET = ' quiet' if ACCEL == 'kvm' else ''

# What Boot reads from the root disk or sends, and what it reads from others, in
# bytes. Interrupts cost exits, too.
TRANSFER, WIRED = ((2 * MIB, 2 * MIB) if ACCEL == 'tcg' else
                   (MIB // 2, MIB // 16))
# How often one CPU wakes the next
WAKES = 256 if ACCEL == 'tcg' else 32

# PCI slots of the devices. Two disks share an INTx line, as slots do that are
# four apart.
NET_SLOT, ROOT_SLOT, SHARED_SLOTS = 4, 5, (6, 10)

# QEMU's options for a network card, and shell code that makes use of it
NET_CARD = ('-netdev', 'user,id=net',
            '-device', f'virtio-net-pci,netdev=net,addr={NET_SLOT:x}')
NETWORK = ('ip link set lo up; ip link set eth0 up;'
           ' ip address add 10.0.2.15/24 dev eth0')

# What Linux says when something went wrong, whatever the message's level; not
# what it says of an option by which a test has it suppress warnings.
TROUBLE = re.compile(r'WARNING:|\bBUG\b|\bOops\b|Call trace|nobody cared|'
                     r'Unable to handle|\bstall(?! warnings supp)|lockup|'
                     r'blocked for more than|Unexpected interrupt|spurious|'
                     r'NETDEV WATCHDOG', re.I)

# The guest's first process: obeys one line after the other. The kernel's
# messages stay in dmesg from here on, so that they do not mix with answers;
# a panic is shown nevertheless.
INIT = '''#!/bin/sh
export PATH=/bin HOME=/
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /tmp
dmesg -n 1
stty -echo -opost
echo @READY
while read -r line; do
    timeout -s KILL {job_patience} sh -c "$line"
    echo "@END $?"
done
'''


def compiler(test):
    """Return the name of a C compiler for AArch64; without it, skip a test."""
    names = ['aarch64-linux-gnu-gcc']
    if platform.machine() == 'aarch64':
        names.append('gcc')
    found = next(filter(shutil.which, names), None)
    if found is None:
        test.skipTest(f'there is no {names[0]}: install gcc-aarch64-linux-gnu')
    return found


def contents(path):
    """Return what is in a file."""
    with open(path, 'rb') as file:
        return file.read()


def sha256(data):
    """Return the checksum as sha256sum prints it."""
    return hashlib.sha256(data).hexdigest()


def wait_for_status(test, vm, command, wanted):
    """Wait until a command of QMP returns that status, but not forever."""
    for _ in range(PATIENCE * 10):
        reply = vm.cmd(command)
        # There is none before a migration begins.
        if reply.get('status') in (wanted, 'failed'):
            break
        time.sleep(0.1)
    test.assertEqual(reply.get('status'), wanted, f'{command}: {reply}')


class GuestError(Exception):
    """The guest cannot be used any more."""


class JobError(Exception):
    """The guest could not do a job."""


def file_of_initramfs(path, wanted):
    """
    Get one file out of an initramfs.

    :param path: the initramfs: a gzipped cpio archive of format "newc"
    :param wanted: the name of the file, without a leading slash
    """
    with gzip.open(path) as archive:
        while True:
            fields = archive.read(110)
            if fields[:5] != b'07070':
                raise GuestError(f'{path}: not a newc archive')
            size, name_size = int(fields[54:62], 16), int(fields[94:102], 16)
            # Header and name together, and the content, fill words of 4 bytes.
            name = archive.read(name_size + (-(110 + name_size)) % 4)
            name = name[:name_size - 1].decode().lstrip('/')
            if name == 'TRAILER!!!':
                raise GuestError(f'{path}: has no {wanted}')
            content = archive.read(size + (-size) % 4)[:size]
            if name == wanted:
                return content


def make_root_disk(path, scratch, busybox, files, job_patience):
    """
    Make a disk with one partition, an ext4 file system to boot from.

    The partition makes the disk's name independent of the order in which
    the kernel finds disks.

    :param path: the disk's image
    :param scratch: folder for temporary files
    :param busybox: content of a static busybox
    :param files: from the names of further files, which are executable and
                  have no leading slash, to their content
    :param job_patience: bounds each job, in seconds
    """
    tree = os.path.join(scratch, 'root')
    for folder in ('bin', 'dev', 'proc', 'sys', 'tmp'):
        os.makedirs(os.path.join(tree, folder))
    init = INIT.format(job_patience=job_patience).encode()
    for name, content in {'bin/busybox': busybox, 'init': init,
                          **files}.items():
        with open(os.path.join(tree, name), 'wb') as file:
            file.write(content)
        os.chmod(file.name, 0o755)
    os.symlink('busybox', os.path.join(tree, 'bin/sh'))

    size = 32 * MIB
    mke2fs = shutil.which('mke2fs', path=os.environ['PATH']
                          + ':/usr/sbin:/sbin')
    if mke2fs is None:
        raise GuestError('there is no mke2fs: install e2fsprogs')
    partition = os.path.join(scratch, 'partition')
    subprocess.run([mke2fs, '-q', '-F', '-t', 'ext4', '-d', tree, partition,
                    f'{size // 1024}k'], check=True, capture_output=True)
    start = 2048
    entry = struct.pack('<B3xB3xII', 0, 0x83, start, size // 512)
    with open(path, 'wb') as disk, open(partition, 'rb') as file:
        disk.write(struct.pack('<440xIH16s48xH', DISK_SIGNATURE, 0, entry,
                               0xaa55))
        disk.seek(start * 512)
        shutil.copyfileobj(file, disk)


def disk(serial):
    """Return shell code that prints the folder in /sys of a disk."""
    return f"dirname $(grep -lx '{serial}' /sys/block/vd*/serial)"


def read(folder, block):
    """
    Return shell code that prints the checksum of a disk.

    It is read past all caches, so that each block costs an interrupt.

    :param folder: the disk's folder in /sys
    :param block: size of a block, which becomes a page if that is larger
    """
    return (f'dd if=/dev/${{{folder[1:]}##*/}} bs={max(block, PAGE)}'
            ' iflag=direct'
            ' 2>/dev/null | sha256sum')


class Peer:
    """
    A TCP server on the host: sends one block of data, receives another of
    the same size at the same time, and keeps checksums of what it received.
    """

    def __init__(self, data, address='127.0.0.1'):
        """
        :param data: what it sends
        :param address: where it listens
        """
        peer = self
        self.received = []

        class Handler(socketserver.BaseRequestHandler):
            """One connection."""

            def handle(self):
                self.request.settimeout(PATIENCE)
                sender = threading.Thread(target=self.send)
                sender.start()
                digest, left = hashlib.sha256(), len(data)
                try:
                    while left:
                        block = self.request.recv(min(left, 65536))
                        if not block:
                            break
                        digest.update(block)
                        left -= len(block)
                finally:
                    sender.join()
                peer.received.append(digest.hexdigest())

            def send(self):
                """Ends early if the guest does; its checksum shows that."""
                try:
                    self.request.sendall(data)
                except OSError:
                    pass

        class Server(socketserver.ThreadingTCPServer):
            """Does not let a lost guest keep the test alive."""
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request, client_address):
                """A guest that breaks off fails its test, not the server."""

        self.server = Server((address, 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def close(self):
        """Stop serving."""
        self.server.shutdown()
        self.server.server_close()


class Console:
    """The guest's serial console, with INIT at the other end."""

    def __init__(self, vm, log, transcript, patience=PATIENCE):
        """
        :param vm: the QEMUMachine
        :param log: logger for the commands
        :param transcript: file for all that the guest prints
        :param patience: how long to wait for something, in seconds
        """
        self.socket = vm.console_socket
        self.log = log
        self.transcript = transcript
        self.patience = patience
        self.text = ''

    def wait_for(self, pattern, what):
        """
        Wait until a line of the console matches.

        :param pattern: regular expression for a whole line
        :param what: what is being waited for, for the error message
        :return: (what was printed before that line, the match)
        :raises GuestError: it panicked, is gone or takes too long
        """
        self.log.info('%s: waiting for %s', what, pattern)
        deadline = time.monotonic() + self.patience
        regex = re.compile(f'^{pattern}\r?\n', re.MULTILINE)
        while True:
            match = regex.search(self.text)
            if match:
                before = self.text[:match.start()]
                self.text = self.text[match.end():]
                return before.replace('\r', ''), match
            if '---[ end Kernel panic' in self.text:
                raise GuestError(f'{what}: the guest panicked')
            left = deadline - time.monotonic()
            if left <= 0:
                raise GuestError(f'{what}: nothing after {self.patience} s')
            if not self.receive(left):
                raise GuestError(f'{what}: QEMU is gone')

    def wait_for_end(self, what):
        """Wait until QEMU ends; see wait_for()."""
        deadline = time.monotonic() + self.patience
        while self.receive(max(deadline - time.monotonic(), 0.01)):
            if time.monotonic() > deadline:
                raise GuestError(f'{what}: not after {self.patience} s')

    def receive(self, seconds):
        """Wait so long for more text; return False if QEMU ended."""
        self.socket.settimeout(seconds)
        try:
            data = self.socket.recv(65536)
        except TimeoutError:
            return True
        text = data.decode(errors='replace')
        self.transcript.write(text)
        self.transcript.flush()
        self.text += text
        return bool(data)

    def send(self, line):
        """Have a line executed without waiting for its end."""
        self.log.info('guest: %s', line)
        self.socket.settimeout(self.patience)
        self.socket.sendall(line.encode() + b'\n')

    def run(self, line, what):
        """
        Have a line executed and return what it printed.

        :raises JobError: it failed, or was killed since it took too long
        :raises GuestError: see wait_for()
        """
        self.send(line)
        output, match = self.wait_for(r'@END (\d+)', what)
        if match[1] != '0':
            raise JobError(f'{what}: exit status {match[1]}: {output}')
        return output


class Interrupt:
    """
    A line of /proc/interrupts: counts per CPU, the controller's name, the
    number there (or None) and the action's name.
    """

    def __init__(self, counts, rest):
        self.counts = counts
        self.text = rest
        match = re.match(r'(\S+)\s+(\d+)\s+(?:Edge|Level)\s+(.*)$', rest)
        self.chip, self.hwirq, self.name = (
            (match[1], int(match[2]), match[3]) if match else ('', None, rest))

    @staticmethod
    def parse(text):
        """Make a dictionary from label to Interrupt of /proc/interrupts."""
        lines = text.splitlines()
        cpus = len(lines[0].split())
        found = {}
        for line in lines[1:]:
            label, _, rest = line.partition(':')
            words = rest.split(None, cpus)
            # Lines that count for the whole machine have a single number.
            if len(words) > cpus:
                found[label.strip()] = Interrupt(
                    [int(word) for word in words[:cpus]], words[cpus])
        return found


def growth(before, after, chip='.*', name=''):
    """
    Find the interrupts of a controller, and how often they came.

    :param before: what Interrupt.parse() made of /proc/interrupts
    :param after: the same, of a later time
    :param chip: regular expression for the controller's name
    :param name: regular expression for the end of the action's name
    :return: list of (Interrupt, list of the CPUs' numbers)
    """
    return [(irq, [new - old for old, new in
                   zip(before[label].counts, irq.counts)])
            for label, irq in after.items()
            if label in before
            and re.fullmatch(chip, irq.chip)
            and re.search(f'(?:{name})$', irq.name)]


class LinuxTest(QemuSystemTest):
    """
    A test that boots the guest which RVIC_GUEST in the environment names.

    :ivar folder: where its Image and initramfs.cpio.gz are
    """

    def setUp(self):
        self.folder = os.environ.get('RVIC_GUEST')
        if not self.folder:
            self.skipTest('RVIC_GUEST does not name a guest: '
                          'scripts/test boot builds one and runs this')
        super().setUp()
        self.require_accelerator(ACCEL)

    def compiled(self, program):
        """Compile a program of guest/ and return it."""
        # On arm64 the build has done it, for there may be no compiler.
        built = self.build_file('rvic', 'tests-kvm', program)
        if os.path.exists(built):
            return contents(built)
        output = self.scratch_file(program)
        done = subprocess.run(
            [compiler(self), '-static', '-O2', '-D_GNU_SOURCE',
             '-Wall', '-Wextra', '-Werror',
             os.path.join(PROGRAMS, program + '.c'), '-o', output],
            capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0,
                         f'{done.stderr}(is libc6-dev-arm64-cross installed?)')
        return contents(output)

    def transfer(self, guest, data, here='127.0.0.1', there='10.0.2.2'):
        """
        Have a guest send data to the host, and receive the same.

        :param guest: the LinuxVM, whose network is up
        :param data: what is in its file /data
        :param here: the host's address
        :param there: what the guest has for it
        """
        peer = Peer(data, here)
        try:
            self.assertEqual(guest.run(
                f'nc {there} {peer.port} </data | sha256sum',
                'network').split(), [sha256(data), '-'])
        finally:
            peer.close()
        self.assertEqual(peer.received, [sha256(data)])

    def check_calls(self, qemu_log):
        """The drivers make no call or doorbell write that is refused."""
        with open(qemu_log, encoding='utf-8') as log:
            self.assertEqual([line for line in log if re.search(
                'rvi[cd]|psci|smc', line, re.I)], [])

    def check_messages(self, guest, also='(?!)'):
        """
        Neither a guest nor QEMU complains.

        :param also: regular expression for more of the guest's messages
        """
        dmesg = guest.dmesg(SEVERE)
        self.log.info('%s', dmesg)
        self.assertIn('Linux version', dmesg)
        self.assertEqual([line for line in dmesg.splitlines()
                          if TROUBLE.search(line)
                          or re.search(also, line, re.I)], [])
        self.check_calls(guest.qemu_log)


class LinuxVM:
    """
    A running guest: ``with LinuxVM(...) as guest: guest.run(...)``. What it
    and QEMU say is kept in the test's log directory.

    :ivar vm: the QEMUMachine
    :ivar console: the guest's Console
    :ivar root: the root disk's image
    :ivar qemu_log: name of QEMU's log, with errors of the guest
    """

    def __init__(self, test, name, machine, cpus, *args, cpu=CPU,
                 accel=ACCEL, memory='512M', append='', files=None,
                 root_options='', patience=PATIENCE):
        """
        Make the root disk, do not start QEMU yet.

        :param test: the LinuxTest
        :param name: different for each guest of a test program
        :param machine: QEMU's -machine option
        :param cpus: number of vCPUs, and more of QEMU's -smp option
        :param args: more options of QEMU
        :param cpu: QEMU's -cpu option
        :param accel: QEMU's -accel option
        :param memory: QEMU's -m option
        :param append: more of the kernel's command line
        :param files: files for the root disk, see make_root_disk()
        :param root_options: more properties of the root disk's device
        :param patience: bounds the boot and each job, in seconds
        """
        self.patience = patience
        self.test = test
        self.name = name
        self.transcript_name = test.log_file(f'{name}.console')
        self.transcript = None
        self.console = None
        self.qemu_log = test.log_file(f'{name}.qemu')
        self.scratch = test.scratch_file(name)
        # A test that was killed leaves its files behind.
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.root = os.path.join(self.scratch, 'root.img')
        busybox = file_of_initramfs(
            os.path.join(test.folder, 'initramfs.cpio.gz'), 'bin/busybox')
        # The guest gives up a job before we give up the guest.
        make_root_disk(self.root, self.scratch, busybox, files or {},
                       patience * 2 // 3)

        self.args = (
            '-machine', machine, '-accel', accel, '-cpu', cpu,
            '-smp', str(cpus), '-m', memory,
            '-d', 'guest_errors', '-D', self.qemu_log,
            '-kernel', os.path.join(test.folder, 'Image'),
            '-append', f'console=ttyAMA0 root={ROOT} rw rootwait init=/init'
            + QUIET + (append and ' ' + append),
            '-drive', f'if=none,id=root,format=raw,file={self.root}',
            # An IOMMU has to come before the devices behind it.
            *args,
            '-device',
            f'virtio-blk-pci,drive=root,addr={ROOT_SLOT:x}{root_options}')
        self.vm = self.new_vm(name)
        self.handovers = 0

    def new_vm(self, name):
        """Return a QEMUMachine with our options."""
        vm = self.test.get_vm(name=name)
        vm.set_console()
        vm.add_args(*self.args)
        return vm

    def __enter__(self):
        self.transcript = open(self.transcript_name, 'w', encoding='utf-8')
        try:
            self.vm.launch()
            self.console = Console(self.vm, self.test.log, self.transcript,
                                   self.patience)
            self.wait_until_ready('boot')
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(self, kind, error, traceback):
        if self.vm.is_running():
            self.vm.shutdown(hard=True)
        self.transcript.close()

    def wait_until_ready(self, what):
        """Wait until the guest, having booted, obeys; see Console."""
        self.console.wait_for('@READY', what)

    def relaunch(self, *args):
        """Start QEMU anew with more options; the guest need not boot."""
        self.vm.shutdown()
        self.vm.add_args(*args)
        self.vm.launch()
        self.console = Console(self.vm, self.test.log, self.transcript,
                               self.patience)

    def hand_over(self):
        """Have the guest, while it runs, go on in another QEMU."""
        # The next QEMU begins a new log.
        self.test.check_calls(self.qemu_log)
        address = 'unix:' + os.path.join(self.test.socket_dir().name,
                                         'migration')
        self.handovers += 1
        source, self.vm = self.vm, self.new_vm(f'{self.name}-{self.handovers}')
        self.vm.add_args('-incoming', address)
        self.vm.launch()
        source.cmd('migrate', uri=address)
        for vm, command, wanted in ((source, 'query-migrate', 'completed'),
                                    (self.vm, 'query-status', 'running')):
            wait_for_status(self.test, vm, command, wanted)
        source.shutdown()
        self.console = Console(self.vm, self.test.log, self.transcript,
                               self.patience)

    def run(self, line, what=None):
        """
        Have a line of shell executed and return what it printed.

        :param what: what it is for, in error messages
        :raises JobError: it failed, or was killed since it took too long
        :raises GuestError: see Console.wait_for()
        """
        return self.console.run(line, what or line)

    def dmesg(self, arguments=''):
        """
        Return what dmesg prints; few characters come over the console.

        :param arguments: its options, or more of a pipeline
        """
        return gzip.decompress(base64.b64decode(self.run(
            f'dmesg {arguments} | gzip | base64', 'dmesg'))).decode(
                errors='replace')

    def interrupts(self):
        """Return /proc/interrupts, parsed."""
        return Interrupt.parse(self.run('cat /proc/interrupts'))

    def power_off(self):
        """Switch off, wait for QEMU's end, return its exit status."""
        self.console.send('poweroff -f')
        self.console.wait_for_end('poweroff')
        self.vm.wait(self.patience)
        return self.vm.exitcode()


class Boot:
    """
    What one boot gave. ``boot['job']`` is the output of that job; if the
    guest did not get so far, it is an AssertionError that says why.
    """

    def __init__(self, machine, cpus, iommu=False):
        """
        :param machine: QEMU's -machine option
        :param cpus: number of vCPUs
        :param iommu: have the machine's IOMMU translate what the root disk
                      reads and writes. MSIs always go through it. virtio-net
                      stays out: with a GIC as well, QEMU 10.0 then loses its
                      ring now and then ("Guest moved used index").
        """
        self.machine = machine
        self.cpus = cpus
        self.iommu = iommu
        self.name = re.sub(r'\W+', '-', f'{machine}-{cpus}')
        self.qemu_log = None
        self.output = {}
        self.problem = None
        self.job_problems = {}
        self.events = []
        self.exitcode = None
        self.received = []
        rand = random.Random(2)
        self.root_data, self.wired_data, self.net_data = (
            map(rand.randbytes, (TRANSFER, WIRED, TRANSFER)))

    def __getitem__(self, job):
        if job not in self.output:
            problem = self.job_problems.get(job, self.problem)
            raise AssertionError(f'{self}: {problem}')
        return self.output[job]

    def __str__(self):
        return f'{self.machine} with {self.cpus} vCPU(s)'

    def go(self, test):
        """
        Boot, do all jobs, switch off.

        :param test: the LinuxTest
        """
        peer = Peer(self.net_data)
        try:
            with self.guest(test) as guest:
                self.do_jobs(guest, peer)
        except Exception as error:  # pylint: disable=broad-except
            # Each test that needs what is now missing fails with this.
            self.problem = (f'{type(error).__name__}: {error}'
                            f' (see {test.log_file(self.name)}.console)')
        finally:
            peer.close()
            self.received = peer.received

    def guest(self, test):
        """Return the LinuxVM that goes with us."""
        wired = test.scratch_file(f'{self.name}.wired')
        with open(wired, 'wb') as file:
            file.write(self.wired_data)
        args = [
            *NET_CARD,
            '-drive', f'if=none,id=mmio,format=raw,file={wired}',
            '-global', 'virtio-mmio.force-legacy=false',
            '-device', 'virtio-blk-device,drive=mmio,serial=mmio']
        for slot in SHARED_SLOTS:
            args += [
                '-drive', f'if=none,id=intx{slot},format=raw,read-only=on,'
                f'file.locking=off,file={wired}',
                # Without vectors it uses INTx.
                '-device', f'virtio-blk-pci,drive=intx{slot},vectors=0,'
                f'serial=intx{slot},addr={slot:x}']
        guest = LinuxVM(
            test, self.name, self.machine, self.cpus, *args,
            files={'data': self.root_data},
            root_options=',disable-legacy=on,iommu_platform=on'
            if self.iommu else '')
        self.qemu_log = guest.qemu_log
        return guest

    def do_jobs(self, guest, peer):
        """Everything that the tests want to know."""
        for job, line in self.jobs(peer.port):
            try:
                self.output[job] = guest.run(line, job)
            except JobError as error:
                self.job_problems[job] = error
        self.output['dmesg'] = guest.dmesg('-r')
        # An interrupt is masked while it is handled, so one look may miss it.
        self.output['info-pic'] = [
            guest.vm.cmd('human-monitor-command', command_line='info pic')
            for _ in range(5)]
        self.reboot(guest)
        self.output['dmesg-again'] = guest.dmesg('-r')
        self.exitcode = guest.power_off()
        self.output['poweroff'] = ''

    def jobs(self, port):
        """
        What the guest does, in this order: name and one line of shell each.
        """
        each = ' '.join(str(cpu) for cpu in range(self.cpus))
        block = max(16384, PAGE)
        blocks = len(self.root_data) // block // self.cpus
        return [
            ('interrupts-before', 'cat /proc/interrupts'),
            ('online', 'cat /sys/devices/system/cpu/online'),
            ('compatible', 'cat /proc/device-tree/compatible'
             r" /proc/device-tree/*/compatible | tr '\0' '\n'"),
            ('conduit', r"tr '\0' '\n' </proc/device-tree/psci/method"),
            # The device that holds the file system on /.
            ('root', "grep ' / ' /proc/mounts; readlink -f /sys/dev/block/"
             "$(awk '$5 == \"/\" { print $3 }' /proc/self/mountinfo)"),
            ('iommu', 'ls /sys/kernel/iommu_groups/*/devices; true'),
            ('root-read', f'for cpu in {each}; do taskset -c $cpu dd if=/data'
             f' bs={block} count={blocks} skip=$((cpu * {blocks}))'
             ' iflag=direct'
             ' 2>/dev/null; done | sha256sum'),
            ('root-write', 'for i in 1 2 3 4; do cp /data /copy && sync &&'
             ' echo 3 >/proc/sys/vm/drop_caches && sha256sum /copy || break;'
             ' done'),
            ('mmio', f'disk=$({disk("mmio")}); readlink -f $disk;'
             f' {read("$disk", 8192)}'),
            # Whoever is slow to lower its line must not hide the other.
            ('intx', '; '.join(f'disk{slot}=$({disk(f"intx{slot}")})'
                               for slot in SHARED_SLOTS) + '; '
             + ' & '.join(['for i in 1 2 3; do '
                           f'{read(f"$disk{slot}", 4096)}; done'
                           for slot in SHARED_SLOTS] * 2) + ' & wait'),
            ('net', f'{NETWORK}; nc 10.0.2.2 {port} </data | sha256sum'),
            ('virtio', 'for i in /sys/bus/virtio/devices/*;'
             ' do readlink -f $i; done'),
            # Each CPU wakes its neighbour, which sends it an interrupt.
            ('wake', f'for cpu in {each}; do taskset -c $cpu dd if=/dev/zero'
             f' bs=4k count={WAKES} 2>/dev/null | taskset -c'
             f' $(((cpu + 1) % {self.cpus})) cat >/dev/null; done'),
            ('interrupts-after', 'cat /proc/interrupts'),
        ]

    def reboot(self, guest):
        """Reboot while interrupts fly, and see whether all works again."""
        guest.run('cat /proc/sys/kernel/random/boot_id >/old', 'reboot')
        guest.run('sync; for disk in /dev/vd?; do while :; do dd if=$disk'
                  ' of=/dev/null bs=4k iflag=direct 2>/dev/null; done &'
                  ' done', 'reboot')
        guest.console.send('reboot -f')
        guest.wait_until_ready('reboot')
        guest.vm.cmd('query-status')  # fetches the events that came before
        self.events = [event for event in guest.vm.get_qmp_events()
                       if event['event'] in ('RESET', 'SHUTDOWN')]
        self.output['reboot'] = guest.run(
            'cat /old /proc/sys/kernel/random/boot_id', 'reboot')
        self.output['reboot-disks'] = guest.run(
            f'sha256sum /copy; disk=$({disk("mmio")}); {read("$disk", 65536)}',
            'reboot-disks')
        self.output['reboot-interrupts'] = guest.run(
            'cat /proc/interrupts', 'reboot-interrupts')
