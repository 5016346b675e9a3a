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

RVID, RVIC_BASE = 0xc5000100, 0xc5000200

# For each call of Linux, the arguments that QEMU has to fetch
ARGUMENTS = {
    RVID + 0: 0,        # VERSION
    RVID + 1: 3,        # MAP
    RVID + 2: 1,        # UNMAP
    RVIC_BASE + 0: 0,   # VERSION
    RVIC_BASE + 1: 1,   # INFO
    RVIC_BASE + 2: 0,   # ENABLE
    RVIC_BASE + 4: 2,   # SET_MASKED
    RVIC_BASE + 5: 2,   # CLEAR_MASKED
    RVIC_BASE + 7: 2,   # SIGNAL
    RVIC_BASE + 8: 2,   # CLEAR_PENDING
    RVIC_BASE + 9: 0,   # ACKNOWLEDGE
    RVIC_BASE + 10: 1,  # RESAMPLE
}
RESULTS = 4

# The IRQ of one vCPU may change because of a call. MAP can take a level away from
# the caller and give it to another.
LINES = 1
LINES_OF_MAP = 2
MAP = RVID + 1

UNMAP = RVID + 2

# The caller's may also change because of a timer's or PMU's line, which KVM tells
# of at the same exit.
LINES_OF_TIMERS = 1

# All but MAP may need so many for themselves.
MOST = 8


class IoctlsTest(LinuxTest):
    """One boot."""

    def test_ioctls(self):
        """No call takes more than its registers and one interrupt line."""
        with rvic_shim.shim(self, 'calls') as log:
            with LinuxVM(self, 'guest', RVIC, 2) as guest:
                guest.run('for cpu in 0 1; do taskset -c $cpu dd if=/dev/vda'
                          ' of=/dev/null bs=16k count=64 iflag=direct'
                          ' 2>/dev/null; done;'
                          ' cd /sys/devices/system/cpu/cpu1; for i in 1 2 3;'
                          ' do echo 0 >online; echo 1 >online; done;'
                          ' cd /sys/bus/amba/drivers/rtc-pl031;'
                          ' echo 9010000.pl031 >unbind')
                self.assertEqual(guest.power_off(), 0)
            found = {}
            for line in log():
                call, ioctls, times = re.fullmatch(
                    r'call (\w+) ioctls (\d+) times (\d+)', line).groups()
                found.setdefault(int(call, 0), {})[int(ioctls)] = int(times)

        self.assertEqual(set(found), set(ARGUMENTS))
        # The RTC's input, and some in the end; a kernel that starts after a
        # reset unmaps none.
        self.assertLess(sum(found[UNMAP].values()), 32)
        for call, counts in found.items():
            registers = ARGUMENTS[call] + RESULTS
            lines = LINES_OF_MAP if call == MAP else LINES
            with self.subTest(f'{call:#x}', counts=counts):
                self.assertEqual(min(counts), registers)
                self.assertLessEqual(max(counts), registers + lines + LINES_OF_TIMERS)
                # Timers seldom get in between.
                usual = max(counts, key=counts.get)
                self.assertLessEqual(usual, MOST)


if __name__ == '__main__':
    QemuSystemTest.main()
