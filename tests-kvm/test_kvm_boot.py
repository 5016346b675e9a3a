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
from rvic_long import only_long


@only_long
class BootTest(test_aarch64_rvic.FourCPUs):
    """One guest, which boots twice."""

    def test_kvm(self):
        """KVM runs it."""
        self.assertIn('KVM: hypervisor services', self.boot()['dmesg'])


if __name__ == '__main__':
    QemuSystemTest.main()
