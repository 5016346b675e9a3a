#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
The guest that scripts/bench measures Linux with comes to its end, and fails if
interrupts are missing. How fast anything is does not matter here.

RVIC_GUEST in the environment is the folder with the guest's Image.
"""

from qemu_test import QemuSystemTest
from rvic_bench import BenchGuestTest, bench_linux


class BenchTest(BenchGuestTest):
    """Short rounds."""

    def test_rows(self):
        """All rows are there with each controller, and plausible."""
        for irqchip in 'gicv2', 'gicv3', 'rvic':
            values = bench_linux.measure(self.quick_run, irqchip)
            self.log.info('%s: %s', irqchip, values)
            self.assertEqual(list(values), list(bench_linux.ROWS), irqchip)
            self.assertGreater(min(values.values()), 100, irqchip)
            self.assertGreater(values['linux-boot'],
                               values['linux-boot-kernel'], irqchip)

    def failure(self, wanted, irqchip, *args, **variables):
        """A boot() of bench_linux fails with a message."""
        with self.assertRaisesRegex(bench_linux.Failed, f'@FAIL {wanted}'):
            bench_linux.boot(self.quick_run, irqchip, *args, **variables)

    def test_missing_interrupts(self):
        """Fewer interrupts than there should be are a failure."""
        for irqchip in 'gicv3', 'rvic':
            for name in 'timer', 'disk':
                self.failure(rf'{name}: \d+ interrupts, not \d+',
                             irqchip, [name], EXTRA=1)

    def test_no_msix(self):
        """So are interrupts of other kinds."""
        for device, name, line in (('blk', 'disk', 'virtio0-req'),
                                   ('net', 'net', 'virtio1')):
            self.failure(f'/proc/interrupts has no -MSIX- {line}',
                         'rvic', [name],
                         '-global', f'virtio-{device}-pci.vectors=0')


if __name__ == '__main__':
    QemuSystemTest.main()
