#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
The guest that scripts/bench measures Linux with comes to its end, and fails if
interrupts are missing. How fast anything is does not matter here.

RVIC_GUEST in the environment is the folder with the guest's Image.
"""

import os
import sys
import types

from qemu_test import QemuSystemTest
from rvic_guest import LinuxTest, compiler

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, 'scripts'))
# pylint: disable=wrong-import-position
import bench_linux  # noqa: E402
from bench_row import Failed  # noqa: E402


class BenchTest(LinuxTest):
    """Short rounds."""

    def setUp(self):
        super().setUp()
        compiler(self)
        folder = self.scratch_file('bench')
        os.makedirs(folder)
        self.run_of_bench = types.SimpleNamespace(
            qemu=self.qemu_bin, folder=folder, quick=True)
        bench_linux.prepare(self.run_of_bench,
                            os.path.join(self.folder, 'Image'))

    def measure(self, irqchip, *more, **variables):
        """See bench_linux."""
        return bench_linux.measure(self.run_of_bench, irqchip, *more,
                                   **variables)

    def test_rows(self):
        """All rows are there with each controller, and plausible."""
        for irqchip in 'gicv2', 'gicv3', 'rvic':
            values = self.measure(irqchip)
            self.log.info('%s: %s', irqchip, values)
            self.assertEqual(list(values), list(bench_linux.ROWS), irqchip)
            self.assertGreater(min(values.values()), 100, irqchip)
            self.assertGreater(values['linux-boot'],
                               values['linux-boot-kernel'], irqchip)

    def test_missing_interrupts(self):
        """Fewer interrupts than there should be are a failure."""
        for irqchip in 'gicv3', 'rvic':
            with self.assertRaisesRegex(Failed, r'@FAIL timer: \d+ interrupts, '
                                        r'not \d+'):
                self.measure(irqchip, EXTRA=1)

    def test_no_msix(self):
        """So are interrupts of other kinds."""
        for device, name in ('blk', 'virtio0-req'), ('net', 'virtio1-input'):
            with self.assertRaisesRegex(Failed, '@FAIL /proc/interrupts has no'
                                        f' -MSIX- {name}'):
                self.measure('rvic', '-global',
                             f'virtio-{device}-pci.vectors=0')


if __name__ == '__main__':
    QemuSystemTest.main()
