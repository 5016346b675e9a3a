#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
A KVM host with a GICv2, which has no more than 8 vCPUs for a machine, whatever
controller that has.

RVIC_GUEST in the environment is the folder with the guest's Image and
initramfs.cpio.gz.
"""

import test_kvm_machine
from qemu_test import QemuSystemTest
from rvic_guest import RVIC, LinuxVM
from rvic_long import only_long


class GICv2Test(test_kvm_machine.MachineTest):
    """Each test has a guest of its own."""

    test_kernel_irqchip = test_vhost_net = None
    test_snapshots = test_live_migration = None

    def test_refused(self):
        """A ninth vCPU"""
        self.check_refused(r'\b9\b.*\b8\b.*', '-machine', RVIC, '-smp', '9')

    @only_long
    def test_eight_cpus(self):
        """As many as there may be"""
        with LinuxVM(self, 'guest', RVIC, 8) as guest:
            self.assertEqual(
                guest.run('cat /sys/devices/system/cpu/online').strip(), '0-7')
            self.assertEqual([(irq.chip, all(irq.counts))
                              for irq in guest.interrupts().values()
                              if irq.name == 'arch_timer'], [('rvic', True)])
            self.check_messages(guest)
            self.assertEqual(guest.power_off(), 0)


if __name__ == '__main__':
    QemuSystemTest.main()
