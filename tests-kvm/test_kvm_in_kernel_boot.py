#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Linux boots with an rVIC in KVM and uses its devices. The reference model is that
rVIC: see shim/shim.c.

RVIC_GUEST in the environment is the folder with the guest's Image and
initramfs.cpio.gz.
"""

import os
import re

from qemu.machine.qtest import QEMUQtestProtocol
from qemu_test import QemuSystemTest
from rvic_guest import RVIC, LinuxTest, LinuxVM, growth
from rvic_long import more, only_long
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

    def get_vm(self, *args, **kwargs):
        """Without an IOThread no PCI disk makes use of its irqfds."""
        vm = super().get_vm(*args, **kwargs)
        vm.add_args('-object', 'iothread,id=disks',
                    '-global', 'virtio-blk-pci.iothread=disks')
        return vm

    def booted(self, machine, cpus, iommu=False):
        """Keep the shim's log of the boot, which is the first test's."""
        found = super().booted(machine, cpus, iommu)
        if not hasattr(found, 'shim'):
            found.shim = self.shim_log()
        return found

    def test_dmesg(self):
        """Linux finds what there is."""
        for job in 'dmesg', 'dmesg-again':
            self.assertIn('rvid: 992 inputs, MSIs are 256 to 991',
                          self.boot()[job])

    def test_info_pic(self):
        """The monitor counts what went through QEMU."""
        for text in self.boot()['info-pic']:
            counts = dict(re.findall(r'^  input +(\d+) \w+ ?\w*, signalled'
                                     r' (\d+)\r?$', text, re.M))
            for irq, grown in self.growth('rvid'):
                if sum(grown):
                    self.assertGreater(int(counts[str(irq.hwirq)]), 0)

    def test_irqfds(self):
        """The root disk's MSIs go from its queues to KVM, not through QEMU."""
        queues = self.msix(boot.ROOT_SLOT, r'-req\.\d+')
        self.assertEqual(len(queues), self.cpus)
        log = self.boot().shim
        # What comes behind this belongs to the reboot.
        end = next(n for n, line in enumerate(log) if 'deassign' in line)
        assigned = [int(line.split()[2]) for line in log[:end]
                    if line.startswith('irqfd assign')]
        # One for changes of the configuration, too
        self.assertEqual(len(assigned), self.cpus + 1)
        self.assertEqual(len(set(assigned)), self.cpus + 1)
        self.assertGreaterEqual(min(assigned), 256)
        self.assertLess(max(assigned), 992)
        counts = dict(re.findall(r'^  input +(\d+) MSI, signalled (\d+)',
                                 self.boot()['info-pic'][0], re.M))
        # Those of the network are not among them.
        self.assertEqual(len(counts), 2)
        self.assertEqual(set(map(int, counts)) & set(assigned), set())


@only_long
class OneCPU(InKernel, boot.RvicTest):
    """A guest with one vCPU."""

    cpus = 1


class SeveralCPUs(InKernel, boot.SeveralCPUs, boot.RvicTest):
    """A guest whose vCPUs send each other interrupts."""

    cpus = more(2, 4)


class Levels(LinuxTest):
    """Level-triggered inputs, of which KVM's rVID has none."""

    # The RTC's, whose handler in the guest just finds nothing
    INPUT = 2

    # What has to come while the line is high, of some 250: a slow host is late.
    LEAST = 20

    def count(self, guest):
        """Return how often the interrupt comes within four seconds."""
        before = guest.interrupts()
        guest.run('sleep 4')
        return sum(sum(grown) for irq, grown
                   in growth(before, guest.interrupts(), 'rvid')
                   if irq.hwirq == self.INPUT)

    @only_long
    def test_high(self):
        """An input is signalled again while its line is high, no longer."""
        address = os.path.join(self.socket_dir().name, 'qtest')
        qtest = QEMUQtestProtocol(address, server=True)

        def drive(level):
            self.assertEqual(
                qtest.cmd(f'set_irq_in /machine/rvid unnamed-gpio-in'
                          f' {self.INPUT} {level}').strip(), 'OK')

        with rvic_shim.shim(self, 'device=11'), \
                LinuxVM(self, 'levels', RVIC, 1, '-qtest',
                        f'unix:{address}', '-qtest-log',
                        'none') as guest:
            qtest.accept()
            self.assertEqual(self.count(guest), 0)
            drive(1)
            self.assertGreaterEqual(self.count(guest), self.LEAST)
            # All the time, not only at first
            self.assertGreaterEqual(self.count(guest), self.LEAST)
            drive(0)
            guest.interrupts()  # the last one may be under way
            self.assertEqual(self.count(guest), 0)
            self.assertEqual(guest.power_off(), 0)
        qtest.close()


if __name__ == '__main__':
    QemuSystemTest.main()
