# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests with the guest that scripts/bench measures Linux with."""

import os
import sys
import types

from rvic_guest import LinuxTest, compiler

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, 'scripts'))
import bench_linux  # noqa: E402 pylint: disable=wrong-import-position


class BenchGuestTest(LinuxTest):
    """
    :ivar quick_run: what bench_linux wants to have, for short measurements
    """

    def setUp(self):
        super().setUp()
        compiler(self)
        folder = self.scratch_file('bench')
        os.makedirs(folder)
        self.quick_run = types.SimpleNamespace(
            qemu=self.qemu_bin, folder=folder, quick=True)
        bench_linux.prepare(self.quick_run,
                            os.path.join(self.folder, 'Image'))
