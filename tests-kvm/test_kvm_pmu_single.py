#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""The PMU of a virtual machine, on a host whose CPUs are all of one kind"""

from qemu_test import QemuSystemTest
from rvic_pmu import Guest, OnePMUTest


class SingleTest(OnePMUTest):
    """There is nothing to choose, and it can be chosen."""

    def test_default(self):
        """No warning, no object"""
        with Guest(self, '') as guest:
            guest.wait_until_ready()
            self.check_counting(guest)
            self.check_no_choice(guest)
        self.assertEqual(guest.messages(), [])

    def test_chosen(self):
        """By name, or by an option that needs a choice"""
        pmu, = self.pmus
        for accel in f',pmu={pmu.name}', ',pmu-affinity=off':
            with Guest(self, accel) as guest:
                guest.wait_until_ready()
                self.check_counting(guest)
                self.check_event(guest)
                self.assertEqual(guest.pmu('name'), pmu.name)
                self.assertEqual(guest.pmu('cpus'), pmu.list)
            self.assertEqual(guest.messages(), [])

    def test_reset(self):
        """After a reset it is what it was."""
        with Guest(self, f',pmu={self.pmus[0].type}') as guest:
            for _ in range(2):
                guest.wait_until_ready()
                self.check_counting(guest)
                self.check_event(guest)
                guest.vm.cmd('system_reset')
        self.assertEqual(guest.messages(), [])

    def test_unknown(self):
        """The message names the one that there is."""
        pmu, = self.pmus
        self.check_refused(
            f'pmu=cortex: this host has no such PMU, but {pmu.name} (type'
            f' {pmu.type}, host CPUs {pmu.list})', ',pmu=cortex')


if __name__ == '__main__':
    QemuSystemTest.main()
