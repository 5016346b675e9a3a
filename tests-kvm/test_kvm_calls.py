#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Hypercalls on KVM: those of rVIC and rVID are answered by QEMU as without KVM,
and of all others QEMU sees none.
"""

import os
import re

from qemu_test import QemuSystemTest
from rvic_long import more
from test_aarch64_rvic_calls import CallsTest, Program, Run, Rvic

# What KVM gives the hypercalls that it forwards as the reason for the exit
EXIT_HYPERCALL = 3

# Where race.c looks for its number of IPIs. If lines were raised only once by
# other threads, one in some thousands would be lost.
PARAMETERS = 0x47000000
IPIS = more(10000, 20000)

# The arguments of the calls between which outside.c makes its groups of calls
MARK = 0x6d61726b00000000


class Inside(Rvic, CallsTest):
    """The same guest as without KVM."""

    machine = 'virt,irqchip=rvic'
    first_line = 'EL1'


class RaceRun(Run):
    """One run of race.c."""

    patience = 900

    def __init__(self, test):
        super().__init__(test.machine, test.program)
        self.name = test.program

    def options(self, test):
        return [*super().options(test), '-device',
                f'loader,addr={PARAMETERS},data={IPIS},data-len=8']


class Race(Program, CallsTest):
    """Interrupts that come while their vCPU is in QEMU."""

    machine = 'virt,irqchip=rvic'
    program = 'race'
    checks = {'race': ['none-lost']}
    runs_of_race = []

    def completed_run(self):
        if not self.runs_of_race:
            self.runs_of_race.append(RaceRun(self))
            self.runs_of_race[0].go(self)
        return self.runs_of_race[0]

    def test_race(self):
        """None is lost."""
        self.look('race')


class TracedRun(Run):
    """
    One run of a program, with a trace of what QEMU sees.

    :ivar trace: name of the file
    """

    def __init__(self, test):
        super().__init__(test.machine, test.program)
        self.name = test.program
        self.trace = test.log_file(f'{self.name}.trace')

    def options(self, test):
        return [*super().options(test), '-D', self.trace,
                '-trace', 'kvm_run_exit', '-trace', 'rvic_call']


class Outside(Program, CallsTest):
    """What KVM has its own answers for, and what nobody knows."""

    machine = 'virt,irqchip=rvic'
    program = 'outside'
    services = ['psci', 'smccc', 'trng', 'stolen_time', 'vendor',
                'neighbours', 'twins', 'random']
    checks = {**{name: ['hvc', 'smc'] for name in services},
              'immediate': ['smc'], 'inside': ['both']}
    traced = []

    def completed_run(self):
        if not self.traced:
            self.traced.append(TracedRun(self))
            self.traced[0].go(self)
        return self.traced[0]

    def forwarded(self):
        """
        Find what came to QEMU of each group of calls.

        :return: the groups' lists of lines of the trace; the last is of what
                 came behind them
        """
        groups, outside, inside = [], None, []
        path = self.completed_run().trace
        self.assertTrue(os.path.exists(path), self.completed_run().problem)
        with open(path, encoding='utf-8') as trace:
            for line in trace:
                mark = re.match(r'rvic_call CPU 0 rVIC INFO (0x\w+)', line)
                if mark and int(mark[1], 16) >= MARK:
                    number = int(mark[1], 16) - MARK
                    if number % 2 == 0:
                        outside = []
                    else:
                        # The last exit is that of this call itself.
                        groups.append(outside[:-1])
                        outside = None
                    self.assertEqual(number // 2 + number % 2, len(groups))
                    inside = []
                elif line.startswith('rvic_call') or line.endswith(
                        f'reason {EXIT_HYPERCALL}\n'):
                    (inside if outside is None else outside).append(line)
        return groups, inside

    def test_answers(self):
        """KVM's answers are there."""
        for group in self.checks:
            self.look(group)

    def test_none_forwarded(self):
        """QEMU sees no call outside the two ranges."""
        groups, _ = self.forwarded()
        self.assertEqual(groups, [[]] * (2 * len(self.services) + 1))

    def test_trace(self):
        """What it does see is traced: six calls, two of them SMCs."""
        _, inside = self.forwarded()
        calls = [line for line in inside if line.startswith('rvic_call')]
        self.assertEqual(len(inside) - len(calls), 6)
        self.assertEqual(len(calls), 4)


if __name__ == '__main__':
    QemuSystemTest.main()
