#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
The KVM host that the other tests run on: guests with other interrupt
controllers work there, in the kernel and in QEMU.

RVIC_GUEST in the environment is the folder with the guest's Image and
initramfs.cpio.gz.
"""

import re

from qemu_test import QemuSystemTest
from rvic_guest import LinuxTest, LinuxVM
from rvic_long import only_long


class RigTest(LinuxTest):
    """Each test has a guest of its own."""

    def check(self, machine, *chips):
        """
        A guest boots with KVM, and the controller's interrupts arrive.

        :param machine: QEMU's -machine option
        :param chips: the controller's possible names in the guest
        """
        with LinuxVM(self, 'guest', machine, 2) as guest:
            self.assertEqual(guest.vm.cmd('query-kvm'),
                             {'enabled': True, 'present': True})
            before = guest.interrupts()
            guest.run('for cpu in 0 1; do taskset -c $cpu dd if=/dev/vda'
                      ' of=/dev/null bs=64k count=16 iflag=direct'
                      ' 2>/dev/null; done; sleep 0.5')
            after = guest.interrupts()
            timers = [label for label, irq in after.items()
                      if irq.chip in chips and irq.name == 'arch_timer']
            self.assertEqual(len(timers), 1)
            for old, new in zip(before[timers[0]].counts,
                                after[timers[0]].counts):
                self.assertGreater(new, old)
            self.assertIn('KVM: hypervisor services', guest.run('dmesg'))
            disks = [sum(irq.counts) for irq in after.values()
                     if re.search(r'virtio\d+-req', irq.name)]
            self.assertGreater(sum(disks), 16)
            self.assertEqual(guest.power_off(), 0)

    @only_long
    def test_kernel(self):
        """A GIC in the kernel"""
        self.check('virt,gic-version=host', 'GICv3', 'GIC-0')

    @only_long
    def test_gicv2_user_space(self):
        """A GICv2 in QEMU"""
        self.check('virt,gic-version=2,kernel-irqchip=off', 'GIC-0')


if __name__ == '__main__':
    QemuSystemTest.main()
