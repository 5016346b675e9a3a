#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Linux boots on KVM with rVIC/rVID, which are QEMU's, and uses its devices: what
tests-functional/ asks of it with TCG.

RVIC_GUEST in the environment is the folder with the guest's Image and
initramfs.cpio.gz.
"""

import test_aarch64_rvic
from qemu_test import QemuSystemTest
from rvic_long import more, only_long


@only_long
class BootTest(test_aarch64_rvic.SeveralCPUs, test_aarch64_rvic.RvicTest):
    """One guest, which boots twice."""

    cpus = more(2, 4)

    # This boots another guest.
    test_dmesg = only_long(test_aarch64_rvic.Guest.test_dmesg)

    def test_kvm(self):
        """KVM runs it."""
        self.assertIn('KVM: hypervisor services', self.boot()['dmesg'])


if __name__ == '__main__':
    QemuSystemTest.main()
