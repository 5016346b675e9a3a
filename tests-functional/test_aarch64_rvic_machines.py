#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Linux on the Arm virt board with rVIC/rVID, whatever vCPUs, machine options
and way of emulation a user chooses.

RVIC_GUEST in the environment is the folder with the guest's Image and
initramfs.cpio.gz.
"""

import os
import random
import re
import shutil
import socket
import struct
import time

from qemu_test import QemuSystemTest
from rvic_guest import (MIB, NET_CARD, NET_SLOT, NETWORK, PATIENCE, ROOT_SLOT,
                        RVIC, GuestError, Interrupt, LinuxTest, LinuxVM,
                        growth, sha256)

# Four reads of 16 KiB on each of 64 vCPUs; as large as what Peer sends
DATA = random.Random(9).randbytes(4 * MIB)

# docs/specs/arm-rvic.rst: written down once more, so that the test does not
# agree with a mistake in the device models' header
RVIC_VERSION = 0xc5000200
RVIC_ENABLE, RVIC_CLEAR_MASKED = 0xc5000202, 0xc5000205
RVIC_IS_PENDING, RVIC_SIGNAL = 0xc5000206, 0xc5000207
RVIC_ACKNOWLEDGE = 0xc5000209
RVIC_RESERVED = 0xc50002ff
RVIC_SUCCESS, RVIC_NO_INTERRUPTS = 0, 4
NOT_SUPPORTED = (1 << 64) - 1
PSCI_VERSION = 0x84000000


class Debugger:
    """Speaks the remote protocol of GDB with QEMU; has what a test needs."""

    # Registers' numbers; the protocol has them in the guest's byte order.
    PC = 32

    def __init__(self, path):
        """
        :param path: the socket of QEMU's option -gdb
        """
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(path)
        self.file = self.socket.makefile('rb')

    def close(self):
        """Let the guest alone."""
        self.file.close()
        self.socket.close()

    def send(self, packet):
        """Send a packet."""
        data = packet.encode()
        self.socket.sendall(b'$%s#%02x' % (data, sum(data) % 256))

    def answer(self, packet):
        """Return the answer to a packet."""
        answer = b''
        while not re.search(rb'\$[^#]*#..$', answer):
            byte = self.file.read(1)
            if not byte:
                raise GuestError(f'{packet}: QEMU is gone')
            answer += byte
        self.socket.sendall(b'+')
        return answer[answer.index(b'$') + 1:-3].decode()

    def ask(self, packet):
        """Send a packet; return the answer."""
        self.send(packet)
        return self.answer(packet)

    def order(self, packet):
        """Send a packet that has to be answered by OK."""
        answer = self.ask(packet)
        if answer != 'OK':
            raise GuestError(f'{packet}: {answer}')

    def read(self, register):
        """Return a register's value."""
        return int.from_bytes(bytes.fromhex(self.ask(f'p{register:x}')),
                              'little')

    def write(self, register, value):
        """Change a register of 64 bits."""
        self.order(f'P{register:x}={value.to_bytes(8, "little").hex()}')

    def store(self, address, *words):
        """Write words of 32 bits to memory."""
        data = struct.pack(f'<{len(words)}I', *words).hex()
        self.order(f'M{address:x},{4 * len(words):x}:{data}')

    def step(self):
        """Execute an instruction; return where the guest is then."""
        return self.run('s')

    def run(self, packet='c'):
        """Execute until the guest stops; return where it is then."""
        answer = self.ask(packet)
        if not re.match('[ST]05', answer):
            raise GuestError(f'{packet}: {answer}')
        return self.read(self.PC)

    def run_for(self, seconds):
        """Let the guest run for a time."""
        self.send('c')
        time.sleep(seconds)
        self.socket.sendall(b'\x03')
        answer = self.answer('c')
        if not re.match('[ST]02', answer):
            raise GuestError(f'c: {answer}')


class DebuggerTest(QemuSystemTest):
    """A guest that only a debugger feeds."""

    # Somewhere in RAM
    CODE, VECTORS = 0x40000000, 0x40010000
    # An IRQ from this EL with its own SP
    IRQ = VECTORS + 0x280
    # hvc #0; msr daifclr, #2; nop; b .
    HVC, UNMASK, NOP, STAY = 0xd4000002, 0xd50342ff, 0xd503201f, 0x14000000
    # msr vbar_el1, x0
    SET_VECTORS = 0xd518c000
    # mov x0, x5; mov x1, x6; hvc #0; add x4, x4, #1; b to the first
    LOOP = 0xaa0503e0, 0xaa0603e1, HVC, 0x91000484, 0x17fffffc
    # This vCPU's affinity is 0.
    INTID = 9

    def setUp(self):
        super().setUp()
        self.require_accelerator('tcg')
        path = os.path.join(self.socket_dir().name, 'gdb')
        self.vm.set_machine(RVIC)
        self.vm.add_args('-accel', 'tcg', '-cpu', 'max', '-nic', 'none', '-S',
                         '-gdb', f'unix:path={path},server=on,wait=off')
        self.vm.launch()
        self.debugger = Debugger(path)
        self.addCleanup(self.debugger.close)

    def call(self, function, *args):
        """
        Step over a hypercall: it takes one step, and keeps x4.

        :return: x0 and x1
        """
        debugger = self.debugger
        for register, value in enumerate([function, *args]):
            debugger.write(register, value)
        debugger.write(4, function + 1)
        debugger.write(Debugger.PC, self.CODE)
        self.assertEqual(debugger.step(), self.CODE + 4)
        self.assertEqual(debugger.read(4), function + 1)
        return debugger.read(0), debugger.read(1)

    def test_step(self):
        """
        A debugger steps over hypercalls; a pending interrupt waits until
        the guest runs or stepping lets interrupts in, and is not lost.
        """
        debugger = self.debugger
        debugger.store(self.CODE, self.SET_VECTORS)
        debugger.write(0, self.VECTORS)
        debugger.write(Debugger.PC, self.CODE)
        self.assertEqual(debugger.step(), self.CODE + 4)
        debugger.store(self.CODE, self.HVC, self.UNMASK, self.NOP, self.STAY)
        debugger.store(self.IRQ, self.STAY)

        self.assertEqual(self.call(RVIC_RESERVED)[0], NOT_SUPPORTED)
        self.assertEqual(self.call(RVIC_ENABLE), (RVIC_SUCCESS, 0))
        self.assertEqual(self.call(RVIC_CLEAR_MASKED, 0, self.INTID),
                         (RVIC_SUCCESS, 0))
        for packet in 'c', 's':
            self.assertEqual(self.call(RVIC_IS_PENDING, 0, self.INTID),
                             (RVIC_SUCCESS, 0))
            self.assertEqual(self.call(RVIC_SIGNAL, 0, self.INTID),
                             (RVIC_SUCCESS, 0))
            self.assertEqual(self.call(RVIC_IS_PENDING, 0, self.INTID),
                             (RVIC_SUCCESS, 1))
            # Stepping keeps interrupts away, as GDB wants it.
            debugger.write(Debugger.PC, self.CODE + 4)
            self.assertEqual(debugger.step(), self.CODE + 8)
            self.assertEqual(debugger.step(), self.CODE + 12)
            if packet == 'c':
                debugger.order(f'Z1,{self.IRQ:x},4')
                self.assertEqual(debugger.run(), self.IRQ)
                debugger.order(f'z1,{self.IRQ:x},4')
            else:
                # Single steps with interrupts and timers
                debugger.order('Qqemu.sstep=1')
                self.assertEqual(debugger.step() & ~4, self.IRQ)
            self.assertEqual(self.call(RVIC_ACKNOWLEDGE),
                             (RVIC_SUCCESS, self.INTID))
            self.assertEqual(self.call(RVIC_ACKNOWLEDGE)[0],
                             RVIC_NO_INTERRUPTS)
            self.assertEqual(self.call(RVIC_CLEAR_MASKED, 0, self.INTID)[0],
                             RVIC_SUCCESS)

    def test_breakpoint(self):
        """
        Breakpoints at a call and behind it, in a loop that ran without
        them, and steps through it: for calls of rVIC, and for PSCI's, which
        the same instruction makes.
        """
        debugger, code = self.debugger, self.CODE
        call, behind = code + 8, code + 12
        debugger.store(code, *self.LOOP)
        results = {
            RVIC_VERSION: (RVIC_SUCCESS, 3),
            PSCI_VERSION: (0x10001, 1),
        }
        for function, result in results.items():
            debugger.write(5, function)
            debugger.write(6, 1)
            for kind in 'Z0', 'Z1':
                for address in call, behind:
                    where = f'{kind[1]},{address:x},4'
                    debugger.write(Debugger.PC, code)
                    debugger.run_for(0.05)
                    debugger.order('Z' + where)
                    self.assertEqual(debugger.run(), address)
                    count = debugger.read(4)
                    if address == call:
                        self.assertEqual(debugger.read(0), function)
                        self.assertEqual(debugger.read(1), 1)
                        self.assertEqual(debugger.step(), behind)
                    for _ in range(3):
                        self.assertEqual((debugger.read(0), debugger.read(1)),
                                         result)
                        self.assertEqual(debugger.read(4), count)
                        self.assertEqual(debugger.step(), behind + 4)
                        self.assertEqual(debugger.step(), code)
                        self.assertEqual(debugger.step(), code + 4)
                        self.assertEqual(debugger.step(), call)
                        self.assertEqual(debugger.step(), behind)
                        count += 1
                    # Once round; who is at a breakpoint would stay there
                    self.assertEqual(debugger.step(), behind + 4)
                    self.assertEqual(debugger.run(), address)
                    self.assertEqual(debugger.read(4), count + 1)
                    debugger.order('z' + where)


class MachinesTest(LinuxTest):
    """Each test has guests of its own."""

    def guest(self, *args, machine=RVIC, cpus=2, name='guest', **options):
        """Return the LinuxVM; see there."""
        files = {'data': DATA, **options.pop('files', {})}
        return LinuxVM(self, name, machine, cpus, *NET_CARD, *args,
                       files=files, **options)

    def check(self, guest, cpus=2):
        """
        All vCPUs get interrupts from their timers, each other and their
        queues of the disk, the data is right, and Linux is content.

        :param guest: the LinuxVM
        :param cpus: number of vCPUs
        """
        self.assertEqual(
            guest.run('cat /sys/devices/system/cpu/online').strip(),
            f'0-{cpus - 1}')
        before = guest.interrupts()
        each = f'$(seq 0 {cpus - 1})'
        reads = len(DATA) // 16384 // cpus
        self.assertEqual(
            guest.run(f'for cpu in {each}; do taskset -c $cpu dd if=/data'
                      f' bs=16k count={reads} skip=$((cpu * {reads}))'
                      ' iflag=direct 2>/dev/null; done | sha256sum',
                      'disk').split(), [sha256(DATA), '-'])
        guest.run(NETWORK)
        self.transfer(guest, DATA)
        # Each CPU wakes its neighbour, which sends it an interrupt.
        guest.run(f'for cpu in {each}; do taskset -c $cpu dd if=/dev/zero'
                  ' bs=4k count=32 2>/dev/null | taskset -c $(((cpu + 1) %'
                  f' {cpus})) cat >/dev/null; done', 'wake')
        after = guest.interrupts()

        for chip, name in (('rvic', 'arch_timer'),
                           ('', 'Rescheduling interrupts')):
            lines = growth(before, after, chip, name)
            self.assertEqual(len(lines), 1, name)
            irq, grown = lines[0]
            self.assertEqual(len(grown), cpus)
            self.assertTrue(all(grown), f'{irq.text}: {grown}')
        queues = growth(before, after,
                        rf'rvid-PCI-MSIX-0000:00:{ROOT_SLOT:02x}\.0',
                        r'-req\.\d+')
        self.assertEqual(len(queues), cpus)
        # NUMA nodes change their order.
        for cpu, grown in enumerate(zip(*(grown for _, grown in queues))):
            self.assertGreaterEqual(max(grown), reads, f'CPU {cpu}: {grown}')
        for name in r'-input\.0', r'-output\.0':
            lines = growth(before, after,
                           rf'rvid-PCI-MSIX-0000:00:{NET_SLOT:02x}\.0', name)
            self.assertEqual(len(lines), 1, name)
            self.assertGreater(sum(lines[0][1]), 10, lines[0][0].text)
        self.assertGreater(sum(growth(before, after, 'rvid', 'uart-pl011')
                               [0][1]), 0)

        self.check_messages(guest)

    def test_64_cpus(self):
        """A guest with 64 vCPUs."""
        # Linux must not take it amiss that the host has far fewer.
        with self.guest(cpus=64, memory='1G', patience=300,
                        append='nowatchdog'
                        ' rcupdate.rcu_cpu_stall_suppress=1'
                        ' sysctl.kernel.hung_task_timeout_secs=0') as guest:
            self.check(guest, 64)
            self.assertEqual(guest.power_off(), 0)

    def test_cpu_models(self):
        """Other CPUs than the newest, and the interrupts of their PMUs."""
        files = {'sample': self.compiled('sample')}
        for cpu, part in ('cortex-a53', 0xd03), ('neoverse-n1', 0xd0c):
            with self.subTest(cpu), self.guest(cpu=cpu, name=cpu,
                                               files=files) as guest:
                info = guest.run('cat /proc/cpuinfo')
                self.assertEqual(re.findall(r'CPU part\s*: (\w+)', info),
                                 [f'{part:#x}'] * 2)
                self.check(guest)
                before = guest.interrupts()
                for n in 0, 1:
                    guest.run(f'taskset -c {n} /sample cycles 1000000 10')
                pmu = growth(before, guest.interrupts(), 'rvic', 'arm-pmu')
                self.assertEqual(len(pmu), 1)
                self.assertGreaterEqual(min(pmu[0][1]), 10)

    def test_old_machine(self):
        """
        A machine type that cannot have some of today's features, with its
        devices and RAM where a 32-bit guest sees them, and room for vCPUs
        that do not come.
        """
        with self.guest(machine='virt-5.0,irqchip=rvic,highmem=off',
                        cpus='2,maxcpus=4', memory='2G',
                        root_options=',num-queues=2,vectors=3') as guest:
            self.assertNotRegex(guest.run('cat /proc/iomem'),
                                r'(?m)^ *[1-9a-f]\w{8}')
            self.check(guest)

    def test_new_machine(self):
        """NUMA nodes, RAM and PCI above 4 GiB, memory tagging."""
        args = []
        for node in 0, 1:
            args += ['-object', f'memory-backend-ram,id=ram{node},size=3G',
                     '-numa', f'node,nodeid={node},memdev=ram{node},'
                     f'cpus={2 * node}-{2 * node + 1}']
        with self.guest(*args, machine=RVIC + ',mte=on', cpus=4,
                        memory='6G') as guest:
            self.assertEqual(guest.run('cd /sys/devices/system/node; cat'
                                       ' online node?/cpulist').split(),
                             ['0-1', '0-1', '2-3'])
            self.assertRegex(guest.run('cat /proc/cpuinfo'),
                             r'Features\s*:.* mte\b')
            iomem = guest.run('cat /proc/iomem')
            self.assertRegex(iomem, r'(?m)^[1-9a-f]\w{8}-\w+ : System RAM')
            self.assertRegex(iomem, r'(?m)^[1-9a-f]\w{9}-\w+ : PCI ECAM')
            self.check(guest, 4)

    def threads(self, guest):
        """Return the number of QEMU's threads that execute vCPUs."""
        return len({cpu['thread-id']
                    for cpu in guest.vm.cmd('query-cpus-fast')})

    def test_one_thread(self):
        """All vCPUs take turns in one thread."""
        with self.guest(cpus=4, accel='tcg,thread=single') as guest:
            self.assertEqual(self.threads(guest), 1)
            self.check(guest, 4)
        # That number means something.
        with self.guest(cpus=4, name='threads') as guest:
            self.assertEqual(self.threads(guest), 4)

    def test_icount(self):
        """The guest's time goes by its instructions."""
        with self.guest('-icount', 'shift=auto') as guest:
            self.assertEqual(self.threads(guest), 1)
            self.check(guest)

    def test_one_instruction(self):
        """Each instruction, and so each call, is a block of its own."""
        with self.guest(accel='tcg,one-insn-per-tb=on',
                        patience=180) as guest:
            self.check(guest)

    def rr_guest(self, mode, jobs):
        """
        Return the LinuxVM whose execution is recorded or replayed. It stays
        there when the guest is off.

        What is typed would be recorded, but QEMU 10.0 then forgets how much
        the UART has room for, whatever the interrupt controller.

        :param mode: "record" or "replay"
        :param jobs: what the guest does, one line of shell each
        """
        files = {'jobs': '\n'.join(jobs).encode() + b'\n',
                 'obey': b'#!/bin/sh\nexec /init </jobs\n', 'data': DATA}
        return LinuxVM(
            self, mode, RVIC, 1,
            '-icount', f'shift=auto,rr={mode},'
            f'rrfile={self.scratch_file("recording")}',
            '-action', 'shutdown=pause',
            *NET_CARD, '-object', 'filter-replay,id=filter,netdev=net',
            '-drive', 'if=none,id=rr,driver=blkreplay,image=root',
            append='init=/obey', files=files, root_options=',drive=rr')

    def wait_for_shutdown(self, guest):
        """Wait until the guest is off; return how much it executed."""
        # Without a fraction it would be no limit.
        self.assertIsNotNone(guest.vm.event_wait(
            'SHUTDOWN', timeout=float(guest.patience)))
        return guest.vm.cmd('query-replay')['icount']

    def test_replay(self):
        """What was recorded happens again, to the same instruction."""
        jobs = ['cat /proc/interrupts',
                'dd if=/data bs=16k iflag=direct 2>/dev/null | sha256sum',
                f'{NETWORK}; ping -c 3 -i 0.1 10.0.2.2',
                'cd /sys/class/rtc/rtc0; echo +1 >wakealarm; until'
                ' [ -z $(cat wakealarm) ]; do sleep 0.1; done; date +%T',
                'cat /proc/interrupts', 'poweroff -f']
        record, replay = (self.rr_guest(mode, jobs)
                          for mode in ('record', 'replay'))
        # Not even the time when the disk was made may differ.
        shutil.copyfile(record.root, replay.root)
        with record as guest:
            outputs = [guest.console.wait_for('@END 0', job)[0]
                       for job in jobs[:-1]]
            end = self.wait_for_shutdown(guest)
            # The recording is complete only now.
            guest.vm.shutdown()
        self.assertIn(sha256(DATA), outputs[1])
        self.assertIn(' 0% packet loss', outputs[2])
        found = growth(*[Interrupt.parse(outputs[job]) for job in (0, -1)])
        for chip in ('rvic', 'rvid', rf'rvid-.*:{ROOT_SLOT:02x}\.0',
                     rf'rvid-.*:{NET_SLOT:02x}\.0'):
            self.assertGreater(sum(
                sum(grown) for irq, grown in found
                if re.fullmatch(chip, irq.chip)), 0, chip)

        with replay as guest:
            for job, output in zip(jobs, outputs):
                self.assertEqual(guest.console.wait_for('@END 0', job)[0],
                                 output)
            self.assertEqual(self.wait_for_shutdown(guest), end)


if __name__ == '__main__':
    QemuSystemTest.main()
