#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
scripts/bench's bare-metal guest measures with all interrupt controllers, and
notices an interrupt that is lost. How long something takes is not looked at.

RVIC_GUEST in the environment is the folder with the guest's Image; beside it
is "linux", the kernel's tree, which has the sources of libfdt.
"""

import os
import subprocess
import sys
import tempfile
import types

from qemu_test import QemuSystemTest
from rvic_baremetal import bench_command
from rvic_guest import compiler

TOP = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))

sys.path.insert(0, os.path.join(TOP, 'scripts'))
import bench_baremetal  # noqa: E402 pylint: disable=wrong-import-position
from bench_row import Failed  # noqa: E402 pylint: disable=wrong-import-position

# How long the guest waits for one that was lost, twice, in ms
LOST_PATIENCE = 150

# What the guest has to measure for all rows
ITEMS = {'loop'}.union(bench_baremetal.ROWS) - {'local-work', 'timer-work'}

# The items whose events are interrupts: on one vCPU, and on several
CYCLES = ['local-cycle', 'timer-cycle', 'wired-edge', 'wired-level', 'msi']
IPIS = ['ipi-round-trip', 'ipi-round-trip-wfi', 'ipi-throughput-2',
        'ipi-throughput-4', 'ipi-throughput-8']


class BenchTest(QemuSystemTest):
    """
    Each test boots the guest once or a few times.

    :cvar folder: where the first one has compiled it
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # pylint: disable-next=consider-using-with
        folder = tempfile.TemporaryDirectory(prefix='rvic-bench-')
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name

    def setUp(self):
        guest = os.environ.get('RVIC_GUEST', '')
        linux = os.path.join(os.path.dirname(guest), 'linux')
        if not guest or not os.path.isdir(os.path.join(linux, 'scripts/dtc')):
            self.skipTest('there is no kernel tree beside what RVIC_GUEST '
                          'names: run scripts/guest')
        command = [compiler(self)]
        super().setUp()
        self.require_accelerator('tcg')
        self.bench = types.SimpleNamespace(
            qemu=self.qemu_bin, folder=self.folder, quick=True,
            names=list(bench_baremetal.ROWS))
        elf = bench_baremetal.image(self.bench)
        if not os.path.exists(elf):
            subprocess.run(bench_command(command, elf, linux), check=True)

    def look(self, irqchip):
        """All items are measured, and rows are made of them."""
        self.assertEqual(bench_baremetal.items_of(self.bench.names), ITEMS)
        values = bench_baremetal.measure(self.bench, irqchip)
        self.assertEqual(set(values), set(bench_baremetal.ROWS))
        for name, value in values.items():
            # Differences of such a short run may be noise.
            if name not in bench_baremetal.DIFFERENCES:
                self.assertGreater(value, 0, name)

    def lose(self, irqchip, items):
        """The guest notices, of each item, that an interrupt has not come."""
        for item in items:
            command = bench_baremetal.command(
                self.bench, irqchip, [item], 'n=8', 'lose=1',
                f'patience={LOST_PATIENCE}')
            with self.assertRaisesRegex(Failed, f'FAIL {item}: time-out'):
                bench_baremetal.boot(command, irqchip, [item])

    def test_gicv2(self):
        """GICv2 with GICv2m."""
        self.look('gicv2')

    def test_gicv3(self):
        """GICv3 with ITS."""
        self.look('gicv3')

    def test_rvic(self):
        """rVIC and rVID."""
        self.look('rvic')

    def test_lost_gicv2(self):
        """One lost by a GICv2."""
        self.lose('gicv2', ['local-cycle', 'ipi-throughput-2'])

    def test_lost_gicv3(self):
        """One lost by a GICv3."""
        self.lose('gicv3', ['local-cycle', 'ipi-throughput-2'])

    def test_lost_rvic(self):
        """One lost by rVIC, of all kinds."""
        self.lose('rvic', CYCLES + IPIS)


if __name__ == '__main__':
    QemuSystemTest.main()
