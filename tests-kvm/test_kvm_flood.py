#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
A guest floods QEMU with hypercalls: neither the main loop nor the guest's other
vCPUs starve.

The guest is baremetal/flood.c. What was measured is in the tests' log, and in
docs/system/arm/virt-rvic-kvm.rst how that compares.
"""

import statistics
import time

from qemu_test import QemuSystemTest
from rvic_guest import Console
from rvic_long import more, only_long

# Where the guest looks for controller, work and number of flooding vCPUs
PARAMETERS = 0x47000000

CONTROLLERS = {'virt,irqchip=rvic': 0,
               'virt,gic-version=2,kernel-irqchip=off': 1}
IDLE, SPIN, FLOOD = range(3)

# How often QEMU and guest are asked for something, seconds in between
SAMPLES = more(20, 60)
PAUSE = 0.05

# What no answer may take, in seconds, and half of them not: more than ten times
# what was measured, for hosts that are busy. A waiter that starves waits for ever.
BOUND = 30
USUAL = 0.5


def summary(seconds):
    """Say in milliseconds what is typical, what one in a hundred exceeds, and the worst."""
    ordered = sorted(seconds)
    return 'median {:.1f}, p99 {:.1f}, max {:.1f} ms'.format(
        *(value * 1e3 for value in (
            statistics.median(ordered), ordered[-1 - len(ordered) // 100], ordered[-1])))


class FloodTest(QemuSystemTest):
    """Each test is one guest: a vCPU that works, and some that flood."""

    def setUp(self):
        super().setUp()
        self.require_accelerator('kvm')
        self.elf = self.build_file('rvic', 'tests-kvm', 'flood.elf')

    def launch(self, machine, work, flooders):
        """Start QEMU."""
        vm = self.get_vm()
        vm.set_console()
        vm.set_machine(machine)
        vm.add_args('-accel', 'kvm', '-cpu', 'host', '-m', '128M', '-nic', 'none',
                    '-smp', str(1 + flooders), '-kernel', self.elf)
        for index, value in enumerate((CONTROLLERS[machine], work, flooders)):
            vm.add_args('-device', f'loader,addr={PARAMETERS + 8 * index},'
                        f'data={value},data-len=8')
        vm.launch()
        return vm

    def ask(self, console, byte):
        """Have the working vCPU take a byte from the UART; its numbers then."""
        console.send_bytes(byte)
        _, match = console.wait_for('@ (.*)', 'echo')
        return [int(word) for word in match[1].split()]

    def check(self, machine, work, flooders):
        """
        Run a guest, look at latencies and progress.

        :param machine: QEMU's -machine option
        :param work: what the other vCPUs do
        :param flooders: how many there are
        """
        with self.launch(machine, work, flooders) as vm, \
             open(self.log_file('console'), 'w', encoding='utf-8') as text:
            console = FloodConsole(vm, self.log, text, BOUND)
            console.wait_for('READY', 'start')
            qmp, echo = [], []
            before = self.ask(console, b'.')
            for _ in range(SAMPLES):
                time.sleep(PAUSE)
                start = time.monotonic()
                self.assertEqual(vm.cmd('query-status')['status'], 'running')
                qmp.append(time.monotonic() - start)
                start = time.monotonic()
                self.ask(console, b'.')
                echo.append(time.monotonic() - start)
            taken, due, *done = self.ask(console, b'q')
            vm.wait(BOUND)
        with open(self.log_file('measured'), 'w', encoding='utf-8') as file:
            print(f'{machine}, work {work} of {flooders} vCPUs:', file=file)
            print(f'QMP: {summary(qmp)}', file=file)
            print(f'echo: {summary(echo)}', file=file)
            print(f'ticks: {taken} of {due}; rounds: {done}', file=file)
        self.assertLess(max(qmp + echo), BOUND)
        self.assertLess(statistics.median(qmp), USUAL)
        self.assertLess(statistics.median(echo), USUAL)
        # A tick between any two samples, on average; 5 were due, or more
        self.assertGreater(taken - before[0], SAMPLES)
        self.assertEqual(len(done), flooders)
        # Nor do they starve each other.
        for rounds in done:
            self.assertGreater(rounds, 10)

    @only_long
    def test_idle(self):
        """Nobody floods."""
        self.check('virt,irqchip=rvic', IDLE, 0)

    @only_long
    def test_spin(self):
        """All others are busy without any call."""
        self.check('virt,irqchip=rvic', SPIN, 4)

    @only_long
    def test_flood_1(self):
        """One vCPU floods."""
        self.check('virt,irqchip=rvic', FLOOD, 1)

    @only_long
    def test_flood_2(self):
        """Two flood, and interrupt each other."""
        self.check('virt,irqchip=rvic', FLOOD, 2)

    def test_flood_4(self):
        """Four flood."""
        self.check('virt,irqchip=rvic', FLOOD, 4)

    @only_long
    def test_gicv2_flood_4(self):
        """Four flood a GICv2 in QEMU: what is usual."""
        self.check('virt,gic-version=2,kernel-irqchip=off', FLOOD, 4)


class FloodConsole(Console):
    """Lines are answers, bytes are questions."""

    def send_bytes(self, data):
        """Send without a newline."""
        self.socket.settimeout(self.patience)
        self.socket.sendall(data)


if __name__ == '__main__':
    QemuSystemTest.main()
