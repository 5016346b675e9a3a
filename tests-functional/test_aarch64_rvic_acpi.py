#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Without what the overlay adds, a machine's ACPI tables are those of QEMU without
it, of which QEMU's source has copies; virt-gic-dtb-test compares device trees.
"""

import os

import qemu_test
from qemu_test import QemuSystemTest
from rvic_acpi import QTest, acpi_tables, giccs, without_checksum

TABLES = os.path.join(os.path.dirname(qemu_test.__file__),
                      '../../data/acpi/aarch64/virt')

# The copies were made with these options. A table's name without a suffix:
CPU = ('-cpu', 'cortex-a57')
SAME = ['APIC', 'DBG2', 'DSDT', 'FACP', 'GTDT', 'MCFG', 'PPTT', 'SPCR']
# and with one, of those that differ
TOPOLOGY = ('-smp', 'sockets=1,clusters=2,cores=2,threads=2')

# The copies are without what the firmware fills in: addresses of other tables
ADDRESSES = {'FACP': ((36, 44), (132, 148))}


class ACPITest(QemuSystemTest):
    """Nothing runs."""

    def tables(self, *args, machine='virt'):
        """Return the ACPI tables of a machine."""
        vm, qtest = self.get_vm(), QTest(self)
        # Some devices are there only with a firmware.
        firmware = self.scratch_file('firmware')
        with open(firmware, 'wb') as file:
            file.write(bytes(4))
        vm.set_machine(machine)
        vm.add_args('-accel', 'tcg', '-nodefaults', '-S', '-bios', firmware,
                    *args, *qtest.args())
        vm.launch()
        try:
            qtest.accept()
            return acpi_tables(qtest)
        finally:
            qtest.close()
            vm.shutdown(hard=True)

    def check(self, tables, name, suffix=''):
        """A table is the one that QEMU's source has a copy of."""
        with open(os.path.join(TABLES, name + suffix), 'rb') as file:
            wanted = without_checksum(file.read())
        ours = tables[name]
        for start, end in ADDRESSES.get(name, ()):
            nothing = bytes(end - start)
            ours = ours[:start] + nothing + ours[end:]
            wanted = wanted[:start] + nothing + wanted[end:]
        self.assertEqual(ours.hex(), wanted.hex(), name + suffix)

    def test_same(self):
        """Byte for byte"""
        tables = self.tables(*CPU)
        self.assertEqual(sorted(tables.keys() & set(SAME)), SAME)
        for name in SAME:
            self.check(tables, name)
        self.check(self.tables(*CPU, *TOPOLOGY), 'APIC', '.topology')

    def test_no_spe(self):
        """No CPU has SPE, whatever it is and whichever GIC."""
        for gic in 2, 3:
            # TCG hides the SPE of this one.
            madt = self.tables('-cpu', 'neoverse-n1', '-smp', '3',
                               machine=f'virt,gic-version={gic}')['APIC']
            self.assertEqual([gicc[77:] for gicc in giccs(madt)],
                             [bytes(3)] * 3)


if __name__ == '__main__':
    QemuSystemTest.main()
