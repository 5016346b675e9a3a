#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
The GIC's virtual CPU interface, its system registers and its SGIs: what only
vCPUs that run can reach.

The guest is a hypervisor with a guest of its own, baremetal/gic_virt.c. It does
the checks and prints a line for each; the tests here look whether all are there
and good. While it is in an interrupt's handler, it goes on in another QEMU.
"""

import os
import re

from qemu_test import QemuSystemTest
from rvic_baremetal import build, verdicts
from rvic_guest import ACCEL, PATIENCE, Console, wait_for_status
from test_aarch64_rvic_calls import CallsTest, Program, Run

# What the program has besides gic_virt.c
PARTS = ['gic_virt_tests.c', 'gic_virt_guest.c', 'gic_virt_v2.c',
         'gic_virt_v2_tests.c', 'gic_virt_v3.c', 'gic_virt_v3_tests.c',
         'gic_virt_traps.c', 'gic_migration.c', 'gic_physical.c', 'gic_lpi.c',
         'its.c']

# Where the program looks whether it may ask for something
PARAMETERS = 0x47000000

# What both GICs have
BOTH = {
    'lr': ['none', 'fields', 'allocation', 'allocation-eoi', 'freed-by-eoi',
           'each'],
    'state': ['pending', 'active', 'pending-active', 'piggyback',
              'eoi-finds-its-lr'],
    'maintenance': ['eoi', 'underflow', 'no-pending', 'not-present',
                    'not-present-dir', 'eoicount-wraps', 'eoi-of-none',
                    'groups', 'together', 'taken'],
    'priority': ['order', 'running', 'no-preemption', 'mask', 'mask-bits',
                 'bpr-minimum', 'bpr-reserved', 'bpr0', 'bpr1', 'cbpr'],
    'group': ['lines', 'enables', 'preemption'],
    'eoimode': ['split', 'pending-active'],
    'hw': ['eoi', 'again', 'dir', 'not', 'ppi', 'level'],
    'vmcr': ['from-guest', 'to-guest', 'signals', 'limits'],
    'apr': ['bits', 'switch', 'signals'],
    'enable': ['off'],
    'cpus': ['own'],
    'guest': ['exceptions', 'in-order', 'preemption', 'overflow', 'level'],
    'migration': ['handler', 'registers', 'cpus', 'physical', 'line'],
}

GICV2 = {
    **BOTH,
    'source': ['one-by-one', 'two-numbers', 'physical', 'physical-clear',
               'forwarded'],
    'v2': ['eoi-of-idle', 'ack-ctl', 'fiqen', 'sgi-targets', 'banked',
           'spi-targets'],
}

GICV3 = {
    **BOTH,
    'v3': ['vtr', 'vmcr-fixed', 'active-priorities', 'cbpr-reads',
           'hppir-masked', 'hppir-disabled', 'eoir-group', 'lpi', 'imo-fmo'],
    'trap': ['none', 'tc', 'tall0', 'tall1', 'tdir', 'independent',
             'without-effect', 'sgi', 'el0', 'undefined', 'sre'],
    'physical': ['cycle', 'order', 'preemption', 'mask', 'bpr-minimum',
                 'bpr-reserved', 'bpr', 'cbpr', 'groups', 'eoimode', 'edge',
                 'level', 'active-priorities', 'spi-routes'],
    'sgi': ['lists', 'irm', 'affinities', 'groups', 'merged'],
    'lpi': ['cycle', 'again', 'preemption', 'forwarded', 'spis-unchanged'],
}


class GICRun(Run):
    """One run of the program."""

    parts = PARTS

    def __init__(self, test):
        super().__init__(test.machine, test.program)
        self.name = type(test).__name__

    def options(self, test):
        return ['-accel', test.accel, '-cpu', test.cpu, '-smp', str(test.cpus)]


class GICProgram(Program):
    """
    All checks of the program on one machine.

    :cvar version: QEMU's gic-version
    :cvar migrations: how often it has to ask for one
    """

    program = 'gic_virt'
    version = 3
    accel = 'tcg,thread=multi'
    cpu = 'max'
    cpus = 4
    checks = GICV3

    def setUp(self):
        if ACCEL != 'tcg':
            self.skipTest('EL2 is emulated only')
        super().setUp()

    @property
    def machine(self):
        """QEMU's -machine option"""
        return f'virt,virtualization=on,gic-version={self.version}'

    @property
    def first_line(self):
        """What the program calls the GIC"""
        return f'gicv{min(self.version, 3)}'

    def completed_run(self):
        if type(self) not in self.runs:
            self.runs[type(self)] = self.run_of_program()
            self.runs[type(self)].go(self)
        return self.runs[type(self)]

    def run_of_program(self):
        """Return a Run that has not yet been made."""
        return GICRun(self)

    def test_checks(self):
        """All checks of all groups are there and good."""
        run = self.completed_run()
        wrong = [run.checks.get(f'{group}/{name}',
                                f'{group}/{name}: missing: {run.problem}')
                 for group, names in self.checks.items() for name in names]
        self.assertEqual([text for text in wrong if text], [])


class GICv2(GICProgram, CallsTest):
    """By memory-mapped frames, banked for each vCPU."""

    version = 2
    checks = GICV2


class GICv2OneThread(GICv2):
    """... with one thread for all vCPUs"""

    accel = 'tcg,thread=single'


class GICv2CortexA57(GICv2):
    """... of a CPU that has no system registers for it, nor VHE"""

    cpu = 'cortex-a57'


class GICv3(GICProgram, CallsTest):
    """By system registers."""


class GICv3OneThread(GICv3):
    """... with one thread for all vCPUs"""

    accel = 'tcg,thread=single'


class GICv3CortexA57(GICv3):
    """... of a CPU without VHE"""

    cpu = 'cortex-a57'


class GICv3NeoverseN1(GICv3):
    """... of a CPU with VHE that is none of QEMU's own"""

    cpu = 'neoverse-n1'


class GICv3Clusters(GICv3):
    """... with affinities that differ in Aff1"""

    cpus = 18
    checks = {**GICV3, 'far': ['sgis', 'spis']}


class GICv4(GICv3):
    """With virtual LPIs, for which redistributors have more frames."""

    version = 4


class MigratingRun(GICRun):
    """
    One run of the program, in one QEMU after the other.

    :ivar migrations: how often it has gone on in another QEMU
    """

    migrations = 0

    def go(self, test):
        log = test.log_file(f'{self.name}.console')
        try:
            elf = build(test, self.program, *self.parts)
            with open(log, 'w', encoding='utf-8') as transcript:
                self.execute_in_turn(test, elf, transcript)
        except Exception as error:  # pylint: disable=broad-except
            self.problem = f'{type(error).__name__}: {error} (see {log})'
        if os.path.exists(log):
            with open(log, encoding='utf-8') as console:
                self.text = console.read().replace('\r', '')
        self.checks = verdicts(self.text)

    def launch(self, test, elf, transcript, *args):
        """Start the next QEMU, return it and the guest's Console."""
        vm = test.get_vm(name=f'{self.name}-{self.migrations}')
        vm.set_machine(self.machine)
        vm.set_console()
        vm.add_args('-m', '128M', '-nic', 'none', '-no-shutdown',
                    '-kernel', elf, *self.options(test), '-device',
                    f'loader,addr={PARAMETERS:#x},data=1,data-len=8', *args)
        vm.launch()
        return vm, Console(vm, test.log, transcript, PATIENCE)

    def execute_in_turn(self, test, elf, transcript):
        """Run QEMUs until the program has come to its end."""
        state = test.scratch_file(f'{self.name}.state')
        vm, console = self.launch(test, elf, transcript)
        while True:
            _, match = console.wait_for(r'(ASK migration|DONE)', 'the program')
            if match[1] == 'DONE':
                break
            vm.cmd('stop')
            vm.cmd('migrate', uri=f'file:{state}')
            wait_for_status(test, vm, 'query-migrate', 'completed')
            vm.shutdown()
            self.migrations += 1
            vm, console = self.launch(test, elf, transcript,
                                      '-incoming', f'file:{state}')
            wait_for_status(test, vm, 'query-status', 'paused')
            vm.cmd('cont')
            console.send('')
        vm.event_wait('SHUTDOWN', PATIENCE)
        vm.shutdown()
        self.exitcode = vm.exitcode()


class Migrating:
    """Goes on in another QEMU wherever it asks for that."""

    def run_of_program(self):
        """Return a Run that has not yet been made."""
        return MigratingRun(self)

    def test_migrations(self):
        """The program has asked for one in each check of that group."""
        self.assertEqual(self.completed_run().migrations,
                         len(self.checks['migration']))
        # Nothing else is between the lines of the checks.
        self.assertEqual(
            len(re.findall(r'^ASK migration$', self.completed_run().text,
                           re.M)), len(self.checks['migration']))


class GICv2Migration(Migrating, GICv2):
    """GICv2"""


class GICv3Migration(Migrating, GICv3):
    """GICv3"""


if __name__ == '__main__':
    QemuSystemTest.main()
