#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
What a forwarded call costs: the ioctls by which QEMU answers it, besides the
KVM_RUN that goes on with the guest.

RVIC_GUEST in the environment is the folder with the guest's Image and
initramfs.cpio.gz.
"""

import re

from qemu_test import QemuSystemTest
from rvic_guest import RVIC, LinuxTest, LinuxVM
import rvic_shim

RVID_BASE, RVIC_BASE = 0xc5000100, 0xc5000200

# The calls that Linux makes, and how many arguments QEMU has to fetch
ARGUMENTS = {
    RVID_BASE + 0: ('VERSION', 0), RVID_BASE + 1: ('MAP', 3),
    RVIC_BASE + 0: ('VERSION', 0), RVIC_BASE + 1: ('INFO', 1),
    RVIC_BASE + 2: ('ENABLE', 0), RVIC_BASE + 3: ('DISABLE', 0),
    RVIC_BASE + 4: ('SET_MASKED', 2), RVIC_BASE + 5: ('CLEAR_MASKED', 2),
    RVIC_BASE + 6: ('IS_PENDING', 2), RVIC_BASE + 7: ('SIGNAL', 2),
    RVIC_BASE + 8: ('CLEAR_PENDING', 2), RVIC_BASE + 9: ('ACKNOWLEDGE', 0),
    RVIC_BASE + 10: ('RESAMPLE', 1),
}
RESULTS = 4
MOST = 8


class CallsTest(LinuxTest):
    """One boot."""

    def test_ioctls(self):
        """No call takes more than its registers and one interrupt line."""
        with rvic_shim.shim(self, 'calls') as log:
            with LinuxVM(self, 'guest', RVIC, 2) as guest:
                guest.run('for cpu in 0 1; do taskset -c $cpu dd if=/dev/vda'
                          ' of=/dev/null bs=16k count=64 iflag=direct'
                          ' 2>/dev/null; done;'
                          ' cd /sys/devices/system/cpu/cpu1; for i in 1 2 3;'
                          ' do echo 0 >online; echo 1 >online; done')
                self.assertEqual(guest.power_off(), 0)
            found = {}
            for line in log():
                call, ioctls, times = re.fullmatch(
                    r'call (\w+) ioctls (\d+) times (\d+)', line).groups()
                found.setdefault(int(call, 0), {})[int(ioctls)] = int(times)
        self.log.info('%s', found)
        print('XX', found, file=__import__('sys').stderr)


if __name__ == '__main__':
    QemuSystemTest.main()
