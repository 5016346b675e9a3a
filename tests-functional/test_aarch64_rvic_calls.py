#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Hypercalls of rVIC/rVID by HVC and SMC, and interrupts that a vCPU takes.

The guests are the programs in baremetal/, built here. They do the checks and
print a line for each; the tests here look whether all are there and good.
"""

import os
import re
import subprocess

from qemu_test import QemuSystemTest
from rvic_baremetal import build, verdicts
from rvic_guest import ACCEL, CPU, PATIENCE, compiler


class Run:
    """
    What one run of a program printed.

    :cvar parts: sources that the program has besides
    :cvar patience: bounds it, in seconds
    :ivar checks: from a check's name to what is wrong: '' if it is good
    :ivar problem: why the program did not come to its end, or None
    """

    parts = ()
    patience = PATIENCE

    def __init__(self, machine, program):
        self.machine = machine
        self.program = program
        self.name = re.sub(r'\W+', '-', machine)
        self.text = ''
        self.checks = {}
        self.problem = None
        self.exitcode = None

    def go(self, test):
        """Build the program and run it until it switches the machine off."""
        log = test.log_file(f'{self.name}.console')
        try:
            elf = build(test, self.program, *self.parts)
            # No monitor: the machine is off before one would be connected.
            command = [
                test.qemu_bin, '-machine', self.machine, '-m', '128M',
                '-nic', 'none', '-display', 'none', '-monitor', 'none',
                '-serial', 'stdio', '-kernel', elf, *self.options(test)]
            with open(log, 'wb') as console:
                self.exitcode = self.execute(command, console)
        except Exception as error:  # pylint: disable=broad-except
            # Each test that needs what is now missing fails with this.
            self.problem = f'{type(error).__name__}: {error} (see {log})'
        if os.path.exists(log):
            with open(log, encoding='utf-8', errors='replace') as console:
                self.text = console.read().replace('\r', '')
        self.checks = verdicts(self.text)

    def options(self, _test):
        """Return QEMU's options that depend on the program."""
        return ['-accel', ACCEL, '-cpu', CPU, '-smp', '2']

    def execute(self, command, console):
        """Run QEMU, have what it prints in a file, return its status."""
        return subprocess.run(command, stdin=subprocess.DEVNULL,
                              stdout=console, timeout=self.patience,
                              check=False).returncode


class CallsTest(QemuSystemTest):
    """Runs each program once, when a test first looks at it."""

    runs = {}

    def setUp(self):
        if ACCEL == 'tcg':
            compiler(self)
        super().setUp()
        self.require_accelerator(ACCEL)

    def completed(self, machine, program):
        """Return the Run of that program."""
        key = machine, program
        if key not in self.runs:
            self.runs[key] = Run(machine, program)
            self.runs[key].go(self)
        return self.runs[key]


class Program:
    """The tests of one program on one machine; its subclasses say which."""

    machine = 'virt'
    program = 'calls'
    first_line = None
    # All checks, by the tests below that look at them
    checks = {}

    def completed_run(self):
        """What the program said."""
        return self.completed(self.machine, self.program)

    def look(self, group):
        """Fail for each check of a group that is missing or not good."""
        run = self.completed_run()
        wrong = [run.checks.get(f'{group}/{name}',
                                f'{group}/{name}: missing: {run.problem}')
                 for name in self.checks[group]]
        self.assertGreater(len(wrong), 0)
        self.assertEqual([text for text in wrong if text], [])

    def test_complete(self):
        """The program came to its end; no check is unknown here."""
        run = self.completed_run()
        self.assertIsNone(run.problem)
        self.assertEqual(run.exitcode, 0)
        lines = run.text.splitlines()
        if self.first_line:
            self.assertEqual(lines[0], self.first_line)
        self.assertEqual(lines[-1], 'DONE')
        self.assertEqual(
            sorted(run.checks),
            sorted(f'{group}/{name}' for group, names in self.checks.items()
                   for name in names))


class Rvic(Program):
    """What does not depend on the conduit."""

    checks = {
        'discovery': [
            'psci-features-smccc-version', 'smccc-version',
            'smccc-arch-features', 'smccc-arch-features-other',
            'psci-features-other', 'psci-version', 'upper-halves',
            'registers'],
        'convention': [
            'registers', 'upper-half-of-x0', 'all-64-bits-of-arguments',
            'reserved-rvic', 'reserved-rvid', 'outside-the-ranges',
            'other-conduit'],
        'irq': [
            'disabled', 'enabled-without-signal', 'signal',
            'masked-by-acknowledge', 'clear-masked-redelivers',
            'signal-untrusted', 'pending-in-isr', 'line-follows-masks',
            'taken-when-unmasked', 'two-at-once'],
        'timer': ['fires', 'resample-high', 'resample-low', 'fires-again'],
        'level': ['while-high', 'falls'],
        'msi': ['unmapped', 'doorbell', 'while-masked', 'last', 'ignored'],
        'reset': ['first-start', 'signal-while-off', 'line-is-driven',
                  'irq-is-taken', 'msi-while-off', 'level-while-off'],
        'wfi': ['signal', 'irq-masked', 'timer'],
    }

    def test_discovery(self):
        """The conduit says that it speaks SMCCC 1.1."""
        self.look('discovery')

    def test_convention(self):
        """Registers before and after a call, reserved function IDs."""
        self.look('convention')

    def test_irq(self):
        """A vCPU takes the IRQs that it signals to itself."""
        self.look('irq')

    def test_timer(self):
        """The virtual timer, and RESAMPLE of its line."""
        self.look('timer')

    def test_level(self):
        """The UART's level is delivered for as long as it is high."""
        self.look('level')

    def test_msi(self):
        """A vCPU writes to the doorbell."""
        self.look('msi')

    def test_cpu_reset(self):
        """What a vCPU missed while it was off is there when it comes up."""
        self.look('reset')

    def test_wfi(self):
        """A vCPU that waits for interrupts is woken."""
        self.look('wfi')


class EL1(Rvic, CallsTest):
    """The guest has no EL2: the conduit is HVC."""

    machine = 'virt,irqchip=rvic'
    first_line = 'EL1'


class EL2(Rvic, CallsTest):
    """The guest is at EL2: the conduit is SMC, and EL1's too."""

    machine = 'virt,irqchip=rvic,virtualization=on'
    first_line = 'EL2'
    checks = {
        **Rvic.checks,
        'el1': ['smc', 'smccc-version', 'smc-trapped', 'hvc'],
        'aarch32': ['rvic', 'rvid', 'smccc'],
    }

    def test_el1(self):
        """An SMC from EL1 arrives unless EL2 traps it."""
        self.look('el1')

    def test_aarch32(self):
        """An AArch32 caller is refused, but finds SMCCC 1.1."""
        self.look('aarch32')


class GIC(Program, CallsTest):
    """The machine has a GIC, and its conduit nothing of rVIC."""

    machine = 'virt,irqchip=gic,gic-version=3'
    program = 'calls_gic'
    checks = {'gic': ['psci', 'smccc', 'rvic']}

    def test_gic(self):
        """The calls are as unknown as they always were."""
        self.look('gic')


if __name__ == '__main__':
    QemuSystemTest.main()
