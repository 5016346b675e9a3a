# SPDX-License-Identifier: GPL-2.0-or-later
"""
What QEMU's trace events say of accesses to a GIC's virtual CPU interface, by the same names
for GICv2 and GICv3.

QEMU has to write them by its backend "log", with time and thread ("-msg timestamp=on"). The
GICs' models trace with the BQL held, so that the lines' order is that of the accesses.
"""

import collections
import re

# time: in seconds. cpu: the physical CPU. name: a register without its GICH_, ICH_, GICV_ or
# ICV_ and number, and "read" or "write", or "maintenance" for the level of that line.
# number: of the register, of APRs the group and the register. value: what is read or written.
Event = collections.namedtuple('Event', 'time cpu name number value')

# What is switched on in QEMU. With a GICv2, the CPU comes from events of the same thread.
EVENTS = {
    2: ['gic_hyp_read', 'gic_hyp_write', 'gic_cpu_read', 'gic_cpu_write',
        'gic_update_maintenance_irq'],
    3: ['gicv3_ich_*', 'gicv3_icv_*', 'gicv3_cpuif_virt_set_maint_irq'],
}

# GICH, by offset; GICH_LRn and what there is two of are from the first on
GICH = {0x00: 'HCR', 0x04: 'VTR', 0x08: 'VMCR', 0x10: 'MISR', 0x20: 'EISR', 0x30: 'ELRSR',
        0xf0: 'APR'}
GICH_LR0, GICH_LR63 = 0x100, 0x1fc

# GICV; what is not here changes nothing and depends on nothing that is looked at
GICV = {0x00: 'CTLR', 0x04: 'PMR', 0x08: 'BPR', 0x0c: 'IAR', 0x10: 'EOIR', 0x1c: 'ABPR',
        0x1000: 'DIR'}

LINE = re.compile(r'(\d+)@(\d+\.\d+):(\w+) (.*)')
# A line that has the name of an event that is read, by version of the GIC
WANTED = {version: re.compile(r'(?<!\w)(?:' + '|'.join(names).replace('*', r'\w+') + r')(?!\w)')
          for version, names in EVENTS.items()}

HYP = re.compile(r'hyp (read|write) at (0x[0-9a-f]+): (0x[0-9a-f]+)')
CPU = re.compile(r'(v?)cpu (\d+) iface (read|write) at (0x[0-9a-f]+):? (0x[0-9a-f]+)')
MAINTENANCE = re.compile(r'cpu (\d+): maintenance = ([01])')
SYSTEM = re.compile(r'GICv3 IC[HV]_([A-Z]+)(?:(\d)(?:R(\d))?)?(?:_EL2)? (read|write) '
                    r'cpu (0x[0-9a-f]+) value (0x[0-9a-f]+)')
SYSTEM_MAINTENANCE = re.compile(r'GICv3 CPU i/f (0x[0-9a-f]+) virt HPPI update: setting '
                                r'maintenance-irq ([01])')


class Unreadable(Exception):
    """A line is not what QEMU 10.0 writes."""


class GICv2:
    """Reads the lines of a GICv2's events."""

    def __init__(self):
        self.cpus = {}      # by thread
        self.levels = []    # maintenance lines, until it is known what comes before them

    def end(self):
        yield from self.levels
        self.levels = []

    def read(self, thread, time, name, text):
        if name == 'gic_update_maintenance_irq':
            cpu, level = map(int, MAINTENANCE.fullmatch(text).groups())
            self.levels.append(Event(time, cpu, 'maintenance', None, level))
        elif name.startswith('gic_hyp_'):
            yield from self.end()
            direction, offset, value = HYP.fullmatch(text).groups()
            register, number = self.hypervisor_register(int(offset, 16))
            if thread not in self.cpus:
                raise Unreadable('no access to a CPU interface tells the CPU of this thread')
            yield Event(time, self.cpus[thread], f'{register} {direction}', number,
                        int(value, 16))
        elif name.startswith('gic_cpu_'):
            virtual, cpu, direction, offset, value = CPU.fullmatch(text).groups()
            self.cpus[thread] = cpu = int(cpu)
            # Unlike all other events, that of a read comes after what the read changes.
            late = virtual and direction == 'read' and GICV.get(int(offset, 16)) == 'IAR'
            if not late:
                yield from self.end()
            register = GICV.get(int(offset, 16))
            if virtual and register:
                yield Event(time, cpu, f'{register} {direction}', None, int(value, 16))
            yield from self.end()

    @staticmethod
    def hypervisor_register(offset):
        if GICH_LR0 <= offset <= GICH_LR63:
            return 'LR', (offset - GICH_LR0) // 4
        for first in 0x20, 0x30:
            if offset == first + 4:
                return GICH[first], 1
        return GICH.get(offset, f'{offset:#x}'), 0


class GICv3:
    """Reads the lines of a GICv3's events."""

    # The accesses of AArch32 to list registers are not those of any host with KVM.
    IGNORED = 'gicv3_icv_hppir_read', 'gicv3_icv_rpr_read'

    def end(self):
        return ()

    def read(self, _thread, time, name, text):
        if name == 'gicv3_cpuif_virt_set_maint_irq':
            cpu, level = SYSTEM_MAINTENANCE.fullmatch(text).groups()
            yield Event(time, int(cpu, 16), 'maintenance', None, int(level))
        elif name.startswith(('gicv3_ich_', 'gicv3_icv_')) and name not in self.IGNORED:
            register, number, second, direction, cpu, value = SYSTEM.fullmatch(text).groups()
            number = int(number) if number else None
            if register == 'AP':
                register, number = 'APR', (number, int(second))
            if register == 'LR' and number is None:
                raise Unreadable('a list register without a number')
            yield Event(time, int(cpu, 16), f'{register} {direction}', number, int(value, 16))


READERS = {2: GICv2, 3: GICv3}


def read(lines, version):
    """
    Yield (number of the line, Event) for each of a trace.

    :param version: of the GIC
    """
    reader, number = READERS[version](), 0
    for number, line in enumerate(lines, 1):
        # The last one may be cut.
        if not line.endswith('\n'):
            continue
        match = LINE.fullmatch(line[:-1])
        if not match:
            if WANTED[version].search(line):
                raise Unreadable(f'line {number} is not as QEMU 10.0 writes it: {line.strip()}')
            # The log may have other messages of QEMU.
            continue
        thread, time, name, text = match.groups()
        try:
            for event in reader.read(int(thread), float(time), name, text):
                yield number, event
        except AttributeError as error:
            raise Unreadable(f'line {number} is not as QEMU 10.0 writes it: {line.strip()}') \
                from error
        except Unreadable as error:
            raise Unreadable(f'line {number}: {line.strip()}: {error}') from error
    for event in reader.end():
        yield number, event
