#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Linux' drivers make no call that an interrupt does not need: two for an edge,
three for the level of a timer, one for an IPI that is sent.

A guest is busy with interrupts of all kinds. All its calls are traced, from its
start on, and each of them is accounted for: nothing is estimated, and nothing
depends on speed.

RVIC_GUEST in the environment is the folder with the guest's Image.
"""

import collections
import re

from qemu_test import QemuSystemTest
from rvic_bench import BenchGuestTest, bench_linux

# INTIDs: IPIs; then timers and PMU, which are levels; then what comes through
# the rVID
FIRST_LEVEL, FIRST_UNTRUSTED = 16, 32

FIRST_MSI = 256     # of the rVID's inputs

# Calls that are no part of an interrupt but set up or route one
SET_UP = {'VERSION', 'INFO', 'ENABLE', 'SET_MASKED', 'CLEAR_PENDING', 'MAP'}


class Redundant(Exception):
    """A call that there is no need for."""


class Account:
    """
    What the calls have led to. CPUs are named by MPIDR, of which the first 16
    are 0 to 15.

    :ivar ending: for each CPU the calls that have to come next
    :ivar looking: CPUs whose ACKNOWLEDGE has not returned an INTID yet
    :ivar in_vain: how many calls of ACKNOWLEDGE have returned none
    :ivar unmasked: (CPU, INTID) that are not masked for sure
    :ivar signalled: (CPU, INTID) of IPIs: how many are on their way
    :ivar msis: INTIDs that MSIs are mapped to
    :ivar delivered: how often each INTID has been returned, on all CPUs
    """

    def __init__(self):
        self.ending = collections.defaultdict(list)
        self.looking = set()
        self.in_vain = 0
        self.unmasked = set()
        self.signalled = collections.Counter()
        self.msis = set()
        self.delivered = collections.Counter()

    def deliver(self, cpu, intid):
        """ACKNOWLEDGE has returned an INTID."""
        self.looking.remove(cpu)
        self.unmasked.discard((cpu, intid))
        self.delivered[intid] += 1
        if intid < FIRST_LEVEL:
            self.signalled[cpu, intid] -= 1
        elif intid < FIRST_UNTRUSTED:
            self.ending[cpu].append(('RESAMPLE', intid))
        self.ending[cpu].append(('CLEAR_MASKED', cpu, intid))

    def call(self, cpu, name, *args):
        """A call begins."""
        if cpu in self.looking:
            self.looking.remove(cpu)
            self.in_vain += 1
        if name == 'SIGNAL':
            # A handler, too, may send IPIs.
            self.signal(*args[:2])
        elif self.ending[cpu]:
            wanted = self.ending[cpu].pop(0)
            if (name, *args)[:len(wanted)] != wanted:
                raise Redundant(f'{wanted} has to come next')
        elif name == 'ACKNOWLEDGE':
            self.looking.add(cpu)
        elif name == 'RESAMPLE':
            # Only if it is to be enabled next
            self.ending[cpu].append(('CLEAR_MASKED', cpu, args[0]))
        elif name not in SET_UP | {'CLEAR_MASKED'}:
            raise Redundant('neither an interrupt nor its end')
        self.change(name, *args)

    def signal(self, cpu, intid):
        """One more is on its way. Whoever is looking may have the last one."""
        self.signalled[cpu, intid] += 1
        if self.signalled[cpu, intid] > 1 + (cpu in self.looking):
            raise Redundant('it is pending')

    def change(self, name, *args):
        """The state that a call changes."""
        if name == 'SET_MASKED':
            self.unmasked.discard(args[:2])
        elif name == 'CLEAR_MASKED':
            if args[:2] in self.unmasked:
                raise Redundant('it is not masked')
            self.unmasked.add(args[:2])
        elif name == 'MAP' and args[0] >= FIRST_MSI:
            self.msis.add(args[2])


class PathsTest(BenchGuestTest):
    """One guest."""

    def account(self, name):
        """Read a trace, which may end in the middle of a line."""
        account = Account()
        with open(name, encoding='utf-8') as file:
            lines = file.read().split('\n')[:-1]
        for number, line in enumerate(lines):
            event, cpu, rest = re.fullmatch(r'(\w+) CPU (\d+) (.*)',
                                            line).groups()
            try:
                if event == 'rvic_deliver':
                    account.deliver(int(cpu), int(rest.split()[1]))
                else:
                    _, call, *args = rest.split()
                    account.call(int(cpu), call,
                                 *(int(arg, 16) for arg in args))
            except Redundant as error:
                self.fail('\n'.join([
                    f'{name}:{number + 1}: {line}: {error}; before that',
                    *lines[max(number - 20, 0):number]]))
        return account

    def test_calls(self):
        """Edges have two calls, levels three, IPIs that are sent one."""
        trace = self.log_file('trace')
        guest = bench_linux.boot(
            self.quick_run, 'rvic', ['timer', 'pipe', 'ipi-busy', 'disk', 'net'],
            '-trace', 'rvic_call', '-trace', 'rvic_deliver', '-D', trace)
        account = self.account(trace)
        found = {name: sum(count for intid, count in account.delivered.items()
                           if intid in intids)
                 for name, intids in (
                     ('IPIs', range(FIRST_LEVEL)),
                     ('levels', range(FIRST_LEVEL, FIRST_UNTRUSTED)),
                     ('MSIs', account.msis))}
        self.log.info('%s; %s', guest.results, found)
        # It was all of what the guest has seen.
        counts = {name: result.interrupts
                  for name, result in guest.results.items()}
        self.assertGreaterEqual(found['levels'], counts['timer'])
        self.assertGreaterEqual(found['IPIs'],
                                counts['pipe'] + counts['ipi-busy'])
        self.assertGreaterEqual(found['MSIs'], counts['disk'] + counts['net'])
        # Linux asks once whether it comes from reset.
        self.assertEqual(account.in_vain, 1)


if __name__ == '__main__':
    QemuSystemTest.main()
