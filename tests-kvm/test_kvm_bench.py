#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
The programs that scripts/bench-kvm measures with: they run to their end, and
count right. How fast anything is does not matter here.
"""

import json
import os
import subprocess
import sys

from qemu_test import QemuSystemTest
from rvic_guest import LinuxTest
from rvic_long import only_long

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, 'scripts'))
import bench_guest  # noqa: E402 pylint: disable=wrong-import-position

# bench.c ends with an error if interrupts are missing.
PATIENCE = 900


class BenchTest(LinuxTest):
    """One short round."""

    def bench(self, *controllers):
        """
        Run bench.py.

        :return: its status, what it said and what it found
        """
        initrd, output = (self.scratch_file(name)
                          for name in ('initrd', 'result'))
        bench_guest.pack(initrd, self.build_file('rvic', 'tests-kvm', 'bench'))
        done = subprocess.run(
            [sys.executable, os.path.join(TOP, 'tests-kvm', 'bench.py'),
             '--qemu', self.qemu_bin, '--initrd', initrd, '--output', output,
             '--image', os.path.join(self.folder, 'Image'),
             '--rounds', '1', '--seconds', '1', *controllers],
            capture_output=True, text=True, check=False, timeout=PATIENCE)
        if done.returncode:
            return done.returncode, done.stderr, None
        with open(output, encoding='utf-8') as file:
            return done.returncode, done.stderr, json.load(file)

    @only_long
    def test_rvic(self):
        """All that is measured is there, and plausible."""
        status, errors, result = self.bench('rvic-user')
        self.assertEqual(status, 0, errors)
        values = result['values']['rvic-user']
        self.assertEqual(sorted(values), [
            'boot', 'boot-kernel', 'disk', 'ipi-busy', 'ipi-idle', 'timer'])
        for name, rounds in values.items():
            self.assertEqual(len(rounds), 1, name)
            self.assertGreater(rounds[0], 1, name)
        self.assertGreater(values['boot'][0], values['boot-kernel'][0])


if __name__ == '__main__':
    QemuSystemTest.main()
