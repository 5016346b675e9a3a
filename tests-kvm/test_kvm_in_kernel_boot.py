#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Linux boots with an rVIC in KVM and uses its devices. The reference model is that
rVIC: see shim/shim.c.

RVIC_GUEST in the environment is the folder with the guest's Image and
initramfs.cpio.gz.
"""

import re
import time

from qemu_test import QemuSystemTest
from rvic_guest import (RVIC, SHARED_SLOTS, TROUBLE, Interrupt, LinuxTest,
                        LinuxVM, disk, growth, read)
import rvic_shim
import test_aarch64_rvic as boot


class InKernel(boot.Guest):
    """What is different from QEMU's rVIC."""

    options = ',kernel-irqchip=on'

    def setUp(self):
        super().setUp()
        context = rvic_shim.shim(self, 'device=11')
        self.shim_log = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)

    def booted(self, machine, cpus, iommu=False):
        """Keep the shim's log of the boot, which is the first test's."""
        found = super().booted(machine, cpus, iommu)
        if not hasattr(found, 'shim'):
            found.shim = self.shim_log()
        return found

    def test_dmesg(self):
        """Linux has no trouble."""
        for job in 'dmesg', 'dmesg-again':
            text = self.boot()[job]
            self.assertIn('Linux version', text)
            self.assertIn('rvid: 992 inputs, MSIs are 256 to 991', text)
            self.assertEqual([line for line in text.splitlines()
                              if TROUBLE.search(line)], [])

    def test_info_pic(self):
        """The monitor counts what went through QEMU."""
        for text in self.boot()['info-pic']:
            counts = dict(re.findall(r'^  input +(\d+) \w+ ?\w*, signalled'
                                     r' (\d+)\r?$', text, re.M))
            for irq, grown in self.growth('rvid'):
                if sum(grown):
                    self.assertGreater(int(counts[str(irq.hwirq)]), 0)

    def test_irqfds(self):
        """The disk's and the network's MSIs do not go through QEMU."""
        came = Interrupt.parse(self.boot()['interrupts-after'])
        log = self.boot().shim
        for label, irq in came.items():
            if re.search(r'(req|input|output)\.\d+$', irq.name):
                # Linux numbers a device's vectors, and the rVID inputs.
                self.assertRegex(irq.chip, 'rvid-PCI-MSIX-.*', label)
        assigned = {line.split()[2] for line in log
                    if line.startswith('irqfd assign')}
        self.assertGreaterEqual(len(assigned), self.cpus + 2)
        self.assertTrue(all(int(gsi) >= 256 for gsi in assigned), assigned)
        text = self.boot()['info-pic'][0]
        for gsi in assigned:
            self.assertNotRegex(text, rf'(?m)^  input +{gsi} MSI, signalled'
                                r' [1-9]\d\d')


class OneCPU(InKernel, boot.RvicTest):
    """A guest with one vCPU."""

    cpus = 1


class FourCPUs(InKernel, boot.FourCPUs):
    """A guest with four vCPUs."""


if __name__ == '__main__':
    QemuSystemTest.main()
