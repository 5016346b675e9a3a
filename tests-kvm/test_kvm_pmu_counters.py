#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""How many counters a virtual machine's PMU has: needs Linux 6.16."""

from qemu_test import QemuSystemTest
import rvic_shim
from rvic_pmu import MACHINES, Guest, PMUTest


class CountersTest(PMUTest):
    """All guests see what they were given, here and after a migration."""

    def setUp(self):
        super().setUp()
        self.mine, self.other = self.pmus
        with Guest(self, f',pmu={self.mine.name}', args=['-S']) as guest:
            self.most = guest.pmu('counters')
        self.assertGreater(self.most, 2)

    def accel(self, counters, pmu=None):
        """Return what follows in the option "-accel kvm"."""
        return f',pmu={(pmu or self.mine).name},pmu-counters={counters}'

    def test_each(self):
        """From none to all"""
        for counters in range(self.most + 1):
            machine = MACHINES[counters % len(MACHINES)]
            with Guest(self, self.accel(counters), machine=machine) as guest:
                guest.wait_until_ready()
                self.assertEqual(guest.counters(), counters)
                self.assertEqual(guest.pmu('counters'), counters)
                # That of cycles is not one of these.
                self.check_counting(guest)
                if counters:
                    self.check_event(guest)
            self.assertEqual(guest.messages(), [])

    def test_too_many(self):
        """More than there are: the message says how many."""
        for counters in self.most + 1, 31, 2 ** 32 - 1:
            self.check_refused(
                f'pmu-counters={counters}: the PMU {self.mine.name} has'
                f' {self.most} counters', self.accel(counters))
        self.check_refused("Parameter 'pmu-counters' expects uint32",
                           self.accel(2 ** 32))

    def test_migration(self):
        """To fewer: refused. To more: the guest keeps what it has."""
        with Guest(self, self.accel(self.most - 1)) as guest:
            guest.wait_until_ready()
            there = self.migrate(guest, self.accel(self.most - 2, self.other),
                                 'failed')
            self.assertIn(
                f'the PMU {self.other.name} is not like that of the virtual'
                f' machine: it has {self.most - 2} counters, not'
                f" {self.most - 1}: choose another with '-accel kvm,pmu=NAME',"
                ' or another host', there.messages())
            self.check_counting(guest)
            with rvic_shim.shim(self, 'keeps-counters'):
                there = self.migrate(
                    guest, self.accel(self.most, self.other), 'failed')
            self.assertIn(
                f'it has {self.most} counters, not {self.most - 1}, and this'
                " host's KVM cannot hide some", '\n'.join(there.messages()))
            there = self.migrate(guest, self.accel(self.most, self.other),
                                 'completed')
            self.check_event(there)
            self.check_counting(there)
            self.assertEqual(there.counters(), self.most - 1)
            self.assertEqual(there.pmu('counters'), self.most - 1)


if __name__ == '__main__':
    QemuSystemTest.main()
