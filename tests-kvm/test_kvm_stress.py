#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Eight vCPUs on KVM account for all their interrupts, while their machine is
handed from one QEMU to another and back, and is saved and restored: the guest of
tests-functional/, whose environment variables are heeded.
"""

import os

# Exits of the guest are slow where the host is emulated.
os.environ.setdefault('RVIC_STRESS_ROUNDS', '1')
os.environ.setdefault('RVIC_HANDOVERS', '25')
os.environ.setdefault('RVIC_SNAPSHOTS', '1')

# pylint: disable=wrong-import-position
import test_aarch64_rvic_stress as stress
from qemu_test import QemuSystemTest

stress.PROGRESS = 20


class StressTest(stress.StressTest):
    """Each test has a guest of its own."""

    # With KVM there is no such choice.
    test_one_thread = None


if __name__ == '__main__':
    QemuSystemTest.main()
