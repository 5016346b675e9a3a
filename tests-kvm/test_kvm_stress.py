#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Eight vCPUs on KVM account for all their interrupts, while their machine is
handed from one QEMU to another and back: the guest of tests-functional/, whose
environment variables are heeded.
"""

import os

from rvic_long import more

# All but one of five are by precopy.
os.environ.setdefault('RVIC_HANDOVERS', str(more(5, 125)))

# pylint: disable=wrong-import-position
import test_aarch64_rvic_stress as stress
from qemu_test import QemuSystemTest

# Exits of the guest are slow where the host is emulated.
stress.PROGRESS = more(2, 20)
stress.PATIENCE = 600

# The least that it makes, each of a hundred operations of each vCPU
ROUNDS = 5


class StressTest(stress.StressTest):
    """Each test has a guest of its own."""

    # With KVM there is no choice of threads, and each of these takes minutes.
    test_threads = test_one_thread = test_postcopy = test_snapshots = None

    def end(self, guest):
        """First let it come to do something of all that it accounts for."""
        while guest.wait_for_round() < ROUNDS:
            pass
        super().end(guest)


if __name__ == '__main__':
    QemuSystemTest.main()
