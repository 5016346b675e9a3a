# SPDX-License-Identifier: GPL-2.0-or-later
"""The ACPI tables that a virt machine offers firmware, without any firmware."""

import contextlib
import os
import struct

from qemu.machine.qtest import QEMUQtestProtocol

# The machine's fw_cfg device, and some of its memory
FW_CFG_DMA, MEMORY = 0x09020010, 0x40000000

# Of fw_cfg: the directory of files; commands
FILE_DIR = 0x19
READ, SELECT = 2, 8

# The offset and the type of a structure of the MADT
MADT_FIRST, GICC = 44, 11

TABLES = 'etc/acpi/tables'


class QTest:
    """
    A QEMU's other door, through which a test does what a guest might.

    It works with any accelerator, as long as the machine does not run.
    """

    def __init__(self, test):
        self.address = os.path.join(test.socket_dir().name, 'qtest')
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.address)
        self.protocol = QEMUQtestProtocol(self.address, server=True)

    def args(self):
        """Return options for QEMU."""
        return '-qtest', f'unix:{self.address}', '-qtest-log', 'none'

    def accept(self):
        """Wait for QEMU, which has been started."""
        self.protocol.accept()

    def close(self):
        """Without it, QEMU does not end."""
        self.protocol.close()

    def cmd(self, line):
        """Send a command; return what follows "OK" in the answer."""
        answer = self.protocol.cmd(line).split()
        if answer[0] != 'OK':
            raise AssertionError(f'{line}: {answer}')
        return answer[1] if len(answer) > 1 else ''

    def fw_cfg(self, key, size):
        """Return the first bytes of an item of fw_cfg."""
        command = struct.pack('>IIQ', key << 16 | SELECT | READ, size,
                              MEMORY + 16)
        self.cmd(f'write {MEMORY} {len(command)} 0x{command.hex()}')
        # The device is big-endian, the command goes by the CPU.
        address = int.from_bytes(struct.pack('<Q', MEMORY), 'big')
        self.cmd(f'writeq {FW_CFG_DMA} {address}')
        status = self.cmd(f'read {MEMORY} 4')
        if int(status, 16):
            raise AssertionError(f'fw_cfg: {key}: {status}')
        return bytes.fromhex(self.cmd(f'read {MEMORY + 16} {size}')[2:])

    def file(self, wanted):
        """Return the content of a file in fw_cfg."""
        count, = struct.unpack('>I', self.fw_cfg(FILE_DIR, 4))
        files = self.fw_cfg(FILE_DIR, 4 + 64 * count)[4:]
        for size, key, name in struct.iter_unpack('>IH2x56s', files):
            if name.rstrip(b'\0').decode() == wanted:
                return self.fw_cfg(key, size)
        raise AssertionError(f'fw_cfg: no {wanted}')


def acpi_tables(qtest):
    """Return the ACPI tables by signature, without the firmware's checksums."""
    data, tables = qtest.file(TABLES), {}
    while data[:4].isalnum():
        size, = struct.unpack_from('<I', data, 4)
        tables[data[:4].decode()] = without_checksum(data[:size])
        data = data[size:]
    return tables


def without_checksum(table):
    """Return a table whose checksum is 0."""
    return table[:9] + b'\0' + table[10:]


def giccs(madt):
    """Return the GICC structures of a MADT: one for each CPU."""
    found, at = [], MADT_FIRST
    while at < len(madt):
        kind, size = madt[at:at + 2]
        if kind == GICC:
            found.append(madt[at:at + size])
        at += size
    return found
