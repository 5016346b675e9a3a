#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""The hostile guest of test_aarch64_rvic_hostile.py on KVM."""

from qemu_test import QemuSystemTest
from rvic_guest import CPU, MIB
from rvic_long import more
from test_aarch64_rvic_calls import CallsTest
from test_aarch64_rvic_hostile import GROWTH, Hostile


class HostileKVM(Hostile, CallsTest):
    """The guest has no EL2."""

    machine = 'virt,irqchip=rvic'
    first_line = 'EL1'
    cpu = CPU
    # Each call takes a thousand times as long where the host is emulated.
    quota = more(150, 3000)
    thin = more(64, 8)
    # A thread that QEMU happens to start in between has memory of its own.
    growth = max(GROWTH, 2 * MIB)
    # PSCI is KVM's own, and it is KVM that makes accesses out of instructions.
    checks = {group: names for group, names in Hostile.checks.items()
              if group not in ('psci', 'doorbell')}
    test_psci = None
    test_doorbell = None

    def test_quiet(self):
        """QEMU says nothing but that the host has fewer CPUs."""
        self.assertEqual([
            line for line in self.completed_run().errors.splitlines()
            if 'exceeds the recommended cpus supported by KVM' not in line], [])


if __name__ == '__main__':
    QemuSystemTest.main()
