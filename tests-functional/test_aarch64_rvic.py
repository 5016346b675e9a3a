#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Linux boots on the Arm virt board with rVIC/rVID and uses its devices.

RVIC_GUEST in the environment is the folder with the guest's Image and
initramfs.cpio.gz.
"""

import re

from qemu_test import QemuSystemTest
from rvic_guest import (NET_SLOT, PAGE, ROOT_SLOT, RVIC, SHARED_SLOTS, TROUBLE,
                        Boot, Interrupt, LinuxTest, growth, sha256)

# Warnings about a slow host: they come and go with its load.
SLOW_HOST = re.compile(r'hrtimer: interrupt took|hogged CPU for|'
                       r'clocksource: .* readout interval')


def warnings(dmesg):
    """Return the set of messages of level warning or worse, less numbers."""
    found = set()
    for level, text in re.findall(r'^<(\d+)>\[ *[\d.]+\] (.*)$', dmesg, re.M):
        if int(level) & 7 <= 4 and not SLOW_HOST.search(text):
            found.add(re.sub(r'0x[0-9a-f]+|\b[0-9a-f]{8,}\b|\d+', '#', text))
    return found


class RvicTest(LinuxTest):
    """Boots each guest once, when a test first looks at it."""

    boots = {}

    def booted(self, machine, cpus, iommu=False):
        """Return the Boot of that guest."""
        key = machine, cpus
        if key not in self.boots:
            self.boots[key] = Boot(machine, cpus, iommu)
            self.boots[key].go(self)
        return self.boots[key]


class Guest:
    """The tests of one configuration; its subclasses say which."""

    cpus = 4
    options = ''
    iommu = False

    def boot(self):
        """The guest under test."""
        return self.booted(RVIC + self.options, self.cpus, self.iommu)

    def gic_boot(self):
        """The same guest with a GICv3."""
        return self.booted('virt,irqchip=gic,gic-version=3' + self.options,
                           self.cpus, self.iommu)

    def growth(self, chip, name=''):
        """
        Find the interrupts of a controller and how often they came while
        the guest did its jobs: see growth() of rvic_guest.
        """
        boot = self.boot()
        return growth(Interrupt.parse(boot['interrupts-before']),
                      Interrupt.parse(boot['interrupts-after']), chip, name)

    def msix(self, slot, name=''):
        """The growth of a PCI device's MSI-X interrupts."""
        return self.growth(rf'rvid-PCI-MSIX-0000:00:{slot:02x}\.0', name)

    def wired(self, place):
        """The growth of the wired interrupt of the virtio device there."""
        devices = re.findall(rf'^.*/{place}/(virtio\d+)$',
                             self.boot()['virtio'], re.M)
        self.assertEqual(len(devices), 1, f'virtio devices at {place}')
        found = self.growth('rvid', rf'\b{devices[0]}\b.*')
        self.assertEqual(len(found), 1, f'wired interrupts of {devices[0]}')
        return found[0]

    def test_cpus(self):
        """All vCPUs are online; each has its timer's interrupts."""
        self.assertEqual(self.boot()['online'].strip(),
                         f'0-{self.cpus - 1}' if self.cpus > 1 else '0')
        timers = self.growth('rvic', 'arch_timer')
        self.assertEqual(len(timers), 1)
        irq, grown = timers[0]
        self.assertEqual(len(grown), self.cpus)
        self.assertTrue(all(grown), f'{irq.text}: {grown}')

    def test_interrupts(self):
        """The interrupts are rVIC's and rVID's, and no count goes back."""
        boot = self.boot()
        for job in 'interrupts-after', 'dmesg', 'compatible':
            self.assertNotRegex(boot[job], r'\b(GIC|gic)|\bITS\b')
        self.assertIn('arm,rvic\n', boot['compatible'])
        self.assertIn('arm,rvid\n', boot['compatible'])
        for irq, grown in self.growth('.*'):
            self.assertGreaterEqual(min(grown), 0, irq.text)
        for chip in 'rvic', 'rvid', 'rvid-PCI-MSIX-.*':
            self.assertGreater(sum(sum(grown) for _, grown
                                   in self.growth(chip)), 0, chip)
        # Interrupts that nobody knew what to do with.
        self.assertRegex(boot['interrupts-after'], r'(?m)^ *Err: +0$')

    def test_console(self):
        """The PL011, a wired level, was heard: it brought our commands."""
        lines = self.growth('rvid', 'uart-pl011')
        self.assertEqual(len(lines), 1)
        irq, grown = lines[0]
        self.assertGreater(sum(grown), 0, irq.text)

    def test_root(self):
        """The root file system is on virtio-blk-pci, with MSI-X."""
        boot = self.boot()
        self.assertRegex(boot['root'], rf'(?s)^/dev/root / ext4 .*'
                         rf'/0000:00:{ROOT_SLOT:02x}\.0/virtio\d+/block/')
        digest = sha256(boot.root_data)
        self.assertEqual(boot['root-read'].split()[0], digest)
        self.assertEqual(boot['root-write'].split(), [digest, '/copy'] * 4)
        queues = self.msix(ROOT_SLOT, r'-req\.\d+')
        # One queue for each CPU; each was read through on its own CPU.
        self.assertEqual(len(queues), self.cpus)
        for cpu, (irq, grown) in enumerate(queues):
            self.assertGreaterEqual(
                grown[cpu],
                len(boot.root_data) // max(16384, PAGE) // self.cpus,
                f'{irq.text}: {grown}')

    def test_net(self):
        """Data goes through virtio-net-pci both ways, with MSI-X."""
        boot = self.boot()
        self.assertEqual(boot['net'].split()[0], sha256(boot.net_data))
        self.assertEqual(boot.received, [sha256(boot.root_data)])
        for name in r'-input\.0', r'-output\.0':
            queues = self.msix(NET_SLOT, name)
            self.assertEqual(len(queues), 1, name)
            irq, grown = queues[0]
            self.assertGreater(sum(grown), 10, f'{irq.text}: {grown}')

    def test_mmio(self):
        """Data is read from virtio-blk over virtio-mmio, a wired level."""
        boot = self.boot()
        path, digest = boot['mmio'].split()[:2]
        self.assertRegex(path, r'\.virtio_mmio/virtio\d+/block/')
        self.assertEqual(digest, sha256(boot.wired_data))
        irq, grown = self.wired(r'[0-9a-f]+\.virtio_mmio')
        self.assertGreaterEqual(
            sum(grown), len(boot.wired_data) // max(8192, PAGE),
            f'{irq.text}: {grown}')

    def test_intx(self):
        """Two PCI disks without MSIs, busy at once, share an INTx line."""
        boot = self.boot()
        self.assertEqual(boot['intx'].split(),
                         [sha256(boot.wired_data), '-'] * 12)
        lines = [self.wired(rf'0000:00:{slot:02x}\.0')
                 for slot in SHARED_SLOTS]
        self.assertEqual(*[irq.text for irq, _ in lines])
        irq, grown = lines[0]
        self.assertGreaterEqual(
            sum(grown), len(boot.wired_data) // max(4096, PAGE),
            f'{irq.text}: {grown}')

    def test_trouble(self):
        """Linux has no trouble."""
        for job in 'dmesg', 'dmesg-again':
            text = self.boot()[job]
            self.assertIn('Linux version', text)
            self.assertIn('Run /init as init process', text)
            self.assertEqual([line for line in text.splitlines()
                              if TROUBLE.search(line)], [])

    def test_dmesg(self):
        """Linux complains of nothing but what it does with a GIC, too."""
        ours, theirs = self.boot(), self.gic_boot()
        known = set()
        for job in 'dmesg', 'dmesg-again':
            # The other guest is only a measure if it is what it should be.
            self.assertRegex(theirs[job], r'\bGICv3')
            known |= warnings(theirs[job])
        for job in 'dmesg', 'dmesg-again':
            self.assertEqual(sorted(warnings(ours[job]) - known), [])

    def test_guest_errors(self):
        """The drivers make no call or doorbell write that is refused."""
        boot = self.boot()
        boot['poweroff']
        self.check_calls(boot.qemu_log)

    def test_info_pic(self):
        """The monitor's "info pic" agrees with the guest's view."""
        unmasked = [set() for _ in range(self.cpus)]
        mapped = {}
        for text in self.boot()['info-pic']:
            self.assertIn('rVIC: 32 trusted, 992 untrusted INTIDs', text)
            self.assertIn('rVID: inputs 0-255 wired, 736 MSIs', text)
            cpus = re.findall(r'^ CPU (\d+) \(MPIDR 0x0*(\w+)\): (\w+), '
                              r'IRQ \w+, acknowledged (\d+)\r?\n'
                              r'((?:  .*\n)*)', text, re.M)
            self.assertEqual([cpu[:3] for cpu in cpus],
                             [(str(n), f'{n:x}', 'enabled')
                              for n in range(self.cpus)])
            for n, (*_, acknowledged, lines) in enumerate(cpus):
                self.assertGreater(int(acknowledged), 0)
                for first, last in re.findall(
                        r' (\d+)(?:-(\d+))?',
                        ''.join(re.findall(r'  unmasked:(.*)', lines))):
                    unmasked[n].update(range(int(first),
                                             int(last or first) + 1))
            for found in re.findall(r'^  input +(\d+) .*, signalled (\d+) '
                                    r'-> CPU (\d+) INTID (\d+) ', text, re.M):
                n, *rest = map(int, found)
                mapped[n] = rest

        # Two kinds of IPIs, and the timer.
        timers = [irq.hwirq for irq, _ in self.growth('rvic', 'arch_timer')]
        self.assertEqual(len(timers), 1)
        self.assertRegex(''.join(self.boot()['info-pic']),
                         rf'  unmasked:.* {timers[0]}\([a-z-]+-timer\)')
        for intids in unmasked:
            self.assertLessEqual({0, 1, timers[0]}, intids)
        wired = [irq.hwirq for irq, _ in self.growth('rvid')]
        msis = [n for n in mapped if n >= 256]
        self.assertGreaterEqual(len(msis),
                                len(self.growth('rvid-PCI-MSIX-.*')))
        self.assertGreater(len(wired), 0)
        for n in wired + msis:
            self.assertIn(n, mapped)
            _, cpu, intid = mapped[n]
            self.assertGreaterEqual(intid, 32)
            self.assertIn(intid, unmasked[cpu], f'input {n} on CPU {cpu}')
        for irq, grown in self.growth('rvid'):
            if sum(grown):
                self.assertGreater(mapped[irq.hwirq][0], 0, irq.text)

    def test_reboot(self):
        """The guest reboots, and all devices work again."""
        boot = self.boot()
        old, new = boot['reboot'].split()
        self.assertNotEqual(old, new)
        self.assertEqual(boot['reboot-disks'].split()[0],
                         sha256(boot.root_data))
        self.assertEqual(boot['reboot-disks'].split()[2],
                         sha256(boot.wired_data))
        came = [irq for irq in
                Interrupt.parse(boot['reboot-interrupts']).values()
                if sum(irq.counts)]
        for chip in ('rvic', 'rvid',
                     rf'rvid-PCI-MSIX-0000:00:{ROOT_SLOT:02x}\.0'):
            self.assertTrue([irq for irq in came
                             if re.fullmatch(chip, irq.chip)], chip)
        self.assertEqual([(event['event'], event['data']['reason'])
                          for event in boot.events],
                         [('RESET', 'guest-reset')])

    def test_poweroff(self):
        """Switching off ends QEMU with status 0."""
        boot = self.boot()
        boot['poweroff']
        self.assertEqual(boot.exitcode, 0)


class OneCPU(Guest, RvicTest):
    """A guest with one vCPU."""

    cpus = 1


class SeveralCPUs(Guest):
    """The tests of a guest whose vCPUs send each other interrupts."""

    def test_ipis(self):
        """Each vCPU gets interrupts from others."""
        for name in 'Rescheduling interrupts', 'Function call interrupts':
            lines = self.growth('', name)
            self.assertEqual(len(lines), 1, name)
            irq, grown = lines[0]
            self.assertEqual(len(grown), self.cpus)
            if name.startswith('Resched'):
                self.assertTrue(all(grown), f'{irq.text}: {grown}')
            self.assertTrue(all(irq.counts), f'{irq.text}: {irq.counts}')


class FourCPUs(SeveralCPUs, RvicTest):
    """A guest with four vCPUs."""


class EightCPUs(SeveralCPUs, RvicTest):
    """A guest with eight vCPUs."""

    cpus = 8


class EL2(Guest, RvicTest):
    """A guest that starts at EL2: the conduit is SMC."""

    cpus = 2
    options = ',virtualization=on'

    def test_conduit(self):
        """The guest has EL2 and calls by SMC."""
        boot = self.boot()
        self.assertEqual(boot['conduit'].strip(), 'smc')
        self.assertRegex(boot['dmesg'], r'CPU.* started at EL2')


class SMMU(Guest, RvicTest):
    """A guest whose PCI devices, and their MSIs, are behind an SMMUv3."""

    cpus = 2
    options = ',iommu=smmuv3'
    iommu = True

    def test_iommu(self):
        """The devices are behind the SMMU."""
        boot = self.boot()
        self.assertRegex(boot['dmesg'], r'arm-smmu-v3 .*\.smmuv3: ')
        for slot in NET_SLOT, ROOT_SLOT:
            self.assertIn(f'0000:00:{slot:02x}.0\n', boot['iommu'])


if __name__ == '__main__':
    QemuSystemTest.main()
