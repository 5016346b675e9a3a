#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
What a guest with SPE finds, in device tree and ACPI tables, whichever GIC the host
has.

RVIC_GUEST in the environment is the folder with the guest's Image and
initramfs.cpio.gz.
"""

import struct

from qemu_test import QemuSystemTest
from rvic_acpi import acpi_tables, giccs
from rvic_guest import LinuxTest, LinuxVM
from rvic_spe import ABIS, INTID, MACHINE, SPETest, cpu

COMPATIBLE = 'arm,statistical-profiling-extension-v1'

# The cells of the node's interrupt: a PPI, which is a level that is high
PPI, LEVEL_HIGH = 1, 4

CPUS = 2


class TablesTest(SPETest):
    """ACPI"""

    def test_madt(self):
        """Each CPU's structure has the interrupt, only if there is SPE."""
        for abi in ABIS:
            with self.host(abi):
                for more, intid in ('', INTID), (',spe=off', 0):
                    with self.started(abi, '-smp', str(CPUS), qtest=True,
                                      more=more) as (_, qtest):
                        madt = acpi_tables(qtest)['APIC']
                        self.assertEqual([gicc[77:] for gicc in giccs(madt)],
                                         [struct.pack('<xH', intid)] * CPUS)
                        self.assertEqual({len(gicc) for gicc in giccs(madt)},
                                         {80})


class LinuxGuestTest(SPETest, LinuxTest):
    """Device tree"""

    def cells(self):
        """Return the cells of the interrupt."""
        with open('/proc/interrupts', encoding='ascii') as file:
            newer = 'GICv3' in file.read()
        # A GICv2's has the CPUs, too.
        mask = 0 if newer else (1 << CPUS) - 1
        return [PPI, INTID - 16, mask << 8 | LEVEL_HIGH]

    def check_node(self, guest):
        """The guest finds the node, and what it should."""
        folder = '/proc/device-tree/spe'
        self.assertEqual(
            guest.run(f'ls {folder}').split(),
            ['compatible', 'interrupts', 'name'])
        self.assertEqual(guest.run(f"tr '\\0' '\\n' <{folder}/compatible"),
                         f'{COMPATIBLE}\n')
        data = bytes.fromhex(guest.run(
            f"hexdump -v -e '1/1 \"%02x\"' {folder}/interrupts; echo"))
        self.assertEqual(list(struct.unpack('>3I', data)), self.cells())

    def test_guest(self):
        """
        Linux boots and reboots with it; what has to follow each reset does.
        """
        for abi in ABIS:
            with self.host(abi) as log, \
                    LinuxVM(self, f'guest-{abi}', MACHINE, CPUS, cpu=cpu(abi),
                            memory='256M') as guest:
                self.check_node(guest)
                self.assertEqual(guest.run('nproc'), f'{CPUS}\n')
                steps = self.steps(log)
                guest.console.send('reboot -f')
                guest.wait_until_ready('reboot')
                self.check_node(guest)
                self.assertEqual(
                    self.steps(log)[len(steps):],
                    ['spe-finalize'] if abi == 'v3' else [])
                self.check_messages(guest)
                self.assertEqual(guest.power_off(), 0)

    def test_without(self):
        """Without spe=on there is no node."""
        with LinuxVM(self, 'without', MACHINE, CPUS, memory='256M') as guest:
            self.assertEqual(
                guest.run('ls /proc/device-tree | grep -c spe || true'),
                '0\n')
            self.assertEqual(guest.power_off(), 0)


if __name__ == '__main__':
    QemuSystemTest.main()
