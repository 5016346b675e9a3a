#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
A Linux guest on KVM with rVIC/rVID whose disks and network are busy while its
CPUs come and go, and it is reset, saved and restored; and the PMU's interrupts.

RVIC_GUEST in the environment is the folder with the guest's Image and
initramfs.cpio.gz.
"""

import test_aarch64_rvic_load as load
from qemu_test import QemuSystemTest
from rvic_long import more, only_long

# How often the guest is reset from outside
RESETS = more(1, 5)

# Each busy vCPU has a tick, which takes much of an emulated host.
load.CPUS = more(2, 4)
load.MIGRATIONS = 5
load.SAMPLES = more(30, 100)

# How often each CPU leaves
TURNS = more(1, 3)


class LoadTest(load.LoadTest):
    """Each test has a guest of its own."""

    # These are about the guest's kernel, or take too long.
    test_affinity = test_kexec = test_crash = test_reboots = None
    test_suspend = test_snapshots = None
    # By way of a file; from QEMU to QEMU, and by snapshots: test_kvm_machine.py
    test_migration = only_long(load.LoadTest.test_migration)
    # There is no -icount with KVM.
    test_sampling_instructions = None

    def test_hotplug(self):
        """
        CPUs leave while they handle interrupts of busy devices, and return;
        then the machine is reset, and all works again.
        """
        with self.guest() as guest:
            for n in range(RESETS):
                free, _ = self.movable(guest)
                self.start_load(guest)
                self.leave_and_return(guest, free,
                                      [*range(1, load.CPUS), 0] * TURNS)
                self.wait_for_load(guest)
                self.check_load(guest)
                self.check_online(guest)
                self.check(guest)
                guest.vm.cmd('system_reset')
                guest.wait_until_ready(f'reset {n + 1}')
                self.breaks += 1
            self.start_load(guest)
            self.finish_load(guest)
            self.check(guest)
            self.assertEqual(self.resets(guest), ['host-qmp-system-reset'] * RESETS)


if __name__ == '__main__':
    QemuSystemTest.main()
