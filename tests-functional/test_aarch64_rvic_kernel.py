#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Linux with four vCPUs, as in test_aarch64_rvic.py, for other kernels than the
one that all of it is run with: each costs but two boots.

RVIC_GUEST in the environment is the guest's folder, RVIC_PAGES the page size
that its kernel should have, such as 64k.
"""

import os
import re

from qemu_test import QemuSystemTest
from rvic_guest import PAGE
from test_aarch64_rvic import FourCPUs


class OtherKernel(FourCPUs):
    """The guest with four vCPUs; and it is the one that was asked for."""

    def test_kernel(self):
        """The kernel that runs is of the guest's version, with its pages."""
        dmesg = self.boot()['dmesg']
        with open(os.path.join(self.folder, '.config'),
                  encoding='utf-8') as config:
            version = re.search(r'^# Linux/arm64 (\S+) ', config.read(),
                                re.M)[1]
        self.assertIn(f'Linux version {version} ', dmesg)
        order, size = re.search(r'Dentry cache hash table entries: \d+ '
                                r'\(order: (\d+), (\d+) bytes', dmesg).groups()
        self.assertEqual(int(size) >> int(order), PAGE)


del FourCPUs  # it is not to run by itself, too


if __name__ == '__main__':
    QemuSystemTest.main()
