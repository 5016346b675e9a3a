# SPDX-License-Identifier: GPL-2.0-or-later
"""
Checks of KVM's vGIC on QEMU's virtual CPU interface for scripts/test: a guest on a host with a
GICv2 and with a GICv3, whose interrupts crowd, breaks no rule of the architecture; the model
that tells so finds each fault that is planted in the same traces.
"""

import collections
import copy
import itertools
import os
import re
import tempfile
import xml.etree.ElementTree

import vgic
import vgic_host
import vgic_model
import vgic_plot
import vgic_trace
from commands import TOP, output

# Short, but all list registers are in use now and then, and more are needed. How much interrupts
# crowd depends on the machine: where it is too little, all is done once more, MORE times.
READS, WAKES, MORE = 60, 20, 4

# A fault is planted in the first part of the trace that has what is needed. Parts are so many
# events each, after so many times that there were more interrupts than list registers.
PART, OVERFLOWS = 20000, 10

# What is looked for after an event is among so many
NEAR = 1000

# What kind of interrupt each kind of disk has, by version of the GIC
DISK_KINDS = {
    'virtio-blk-device': {2: 'SPI, edge', 3: 'SPI, edge'},
    'virtio-blk-pci,vectors=0': {2: 'SPI, level', 3: 'SPI, level'},
    'virtio-blk-pci': {2: 'SPI, edge', 3: 'LPI'},
}

VGIC = os.path.join(TOP, 'scripts/vgic')

# In a list register, by version of the GIC: bits of its state, the HW and EOI bits, and where
# its priority begins
PENDING, ACTIVE = {2: 1 << 28, 3: 1 << 62}, {2: 1 << 29, 3: 1 << 63}
HW, EOI, PRIORITY = {2: 1 << 31, 3: 1 << 61}, {2: 1 << 19, 3: 1 << 41}, {2: 23, 3: 48}
VINTID = {2: 0x3ff, 3: 0xffffffff}

# Priorities in the width that a list register has: higher than all that Linux uses, and lower
HIGHEST, LOWEST = {2: 2, 3: 0x10}, {2: 0x1f, 3: 0xf8}
PRIORITIES = {2: 0x1f, 3: 0xff}

# Where no interrupt is
NOT_USED = 700


class Problem(Exception):
    """What is wrong."""


class Missing(Problem):
    """This part of the trace has nothing to plant a fault in."""


def expect(condition, *said):
    if not condition:
        raise Problem('\n'.join(map(str, said)))


# ---- A guest on KVM ----------------------------------------------------------

def check_rules(_version, model, _ran):
    expect(not model.broken, dict(model.broken), *model.faults)


def check_crowd(_version, model, _ran):
    """Without these, the rules had nothing to be checked against."""
    counts = model.counts
    expect(max(counts.used) == model.list_registers,
           f'{model.list_registers} list registers, used: {dict(counts.used)}')
    expect(counts.overflows, 'there were never more interrupts than list registers')
    expect(counts.causes['EOI'], f'maintenance interrupts: {dict(counts.causes)}')


def check_interrupts(version, model, ran):
    """Each that the guest has counted came through a list register."""
    acknowledged = model.counts.acknowledged
    kinds = [kind for kind in vgic.KINDS if version == 3 or kind != 'LPI']
    expect(all(acknowledged[kind] for kind in kinds), dict(acknowledged))
    counted = collections.Counter()
    disks = [disk for disk, number in vgic_host.DISKS.items() for _ in range(number)]
    for number, disk in enumerate(disks):
        counted[DISK_KINDS[disk][version]] += ran['interrupts'][f'virtio{number}']
    # The model takes a list register for that of a level if software asks to be told of its end.
    # The guest counts until the load ends, and the trace goes on.
    expect(all(acknowledged[kind] >= number > 0 for kind, number in counted.items()),
           f'acknowledged: {dict(acknowledged)}; counted by the guest: {dict(counted)}')


def check_eoi(_version, model, _ran):
    """The end of each level is told by a maintenance interrupt."""
    counts = model.counts
    expect(counts.eoi_maintenance['SPI, level'] == counts.ended['SPI, level'] and
           counts.causes['EOI'] <= sum(counts.eoi_maintenance.values()),
           f'ended: {dict(counts.ended)}', f'told: {dict(counts.eoi_maintenance)}',
           f'maintenance interrupts: {dict(counts.causes)}')


def check_sources(version, model, ran):
    """All vCPUs send SGIs; with GICv2 the list registers tell who."""
    vcpus = {f'vCPU {number}' for number in range(4)}
    expect(vcpus <= ran['sgis'].keys(), f"SGIs were sent by: {ran['sgis']}")
    sources = vgic.summary(model)['sgi_sources']
    expect(sources.keys() == (vcpus if version == 2 else set()),
           f'sources in list registers: {sources}')


# ---- Planted faults ----------------------------------------------------------

def replay_parts(version, path):
    """Replay a trace: (the model at its end, its Parts)."""
    model, parts = vgic_model.Model(version), []
    with open(path, encoding='utf-8', errors='replace') as file:
        for number, event in vgic_trace.read(file, version):
            if parts or model.counts.overflows >= OVERFLOWS:
                if not parts or len(parts[-1].events) == PART:
                    parts.append(Part(copy.deepcopy(model)))
                parts[-1].events.append(event)
            model.feed(number, event)
    return model.finish(), parts


class Part:
    """Events of a trace, and the model before them."""

    def __init__(self, before):
        self.version, self.before, self.events = before.version, before, []

    def replay(self, events):
        """The rules that these break."""
        model = copy.deepcopy(self.before)
        for number, event in enumerate(events, 1):
            model.feed(number, event)
        return set(model.finish().broken)

    def find(self, name, condition=lambda event: True, start=0):
        """The place of the first such event."""
        for place in range(start, len(self.events)):
            if self.events[place].name == name and condition(self.events[place]):
                return place
        raise Missing(f'there is no {name} as is wanted')

    def change(self, place, value=None, **fields):
        """The events with one that is different."""
        if value is not None:
            fields['value'] = value
        return [*self.events[:place], self.events[place]._replace(**fields),
                *self.events[place + 1:]]

    def without(self, place):
        return self.events[:place] + self.events[place + 1:]

    def register(self, event):
        return vgic_model.ListRegister(event.value, self.version)

    def find_write(self, condition, start=0):
        """A list register that becomes valid."""
        return self.find('LR write', lambda event: self.register(event).state
                         and condition(self.register(event)), start)

    def acknowledge(self):
        return self.find('IAR read', lambda event: event.value & 0x3ff < 1020)

    def pair(self):
        """
        Two list registers that become pending one after the other, of which the guest then
        acknowledges the first: the places of the writes.
        """
        wanted = 'LR write', 'LR read', 'ELRSR read', 'IAR read'
        by_cpu = collections.defaultdict(list)
        for place, event in enumerate(self.events):
            if event.name in wanted:
                by_cpu[event.cpu].append(place)
        for places in by_cpu.values():
            for first, second, *later in zip(places, *(places[n:] for n in range(1, 5))):
                # The other list registers may be written, too.
                later = [place for place in later if self.events[place].name != 'LR write']
                if later and self.is_pair(*(self.events[place]
                                            for place in (first, second, later[0]))):
                    return first, second
        raise Missing('there are no two list registers of which the first is acknowledged')

    def is_told(self, place):
        """
        Whether a list register becomes valid there with an SPI that is then ended, which
        raises the maintenance interrupt.
        """
        event = self.events[place]
        if event.name != 'LR write':
            return False
        register = self.register(event)
        if not register.state or not register.eoi or not is_spi(register):
            return False
        then = (other for other in self.events[place + 1:place + 1 + NEAR]
                if other.cpu == event.cpu)
        for other in then:
            if other.name == 'LR write' and other.number == event.number:
                return False
            if other.name == 'EOIR write' and other.value & VINTID[self.version] == register.vintid:
                told = next(then, None)
                return told is not None and told.name == 'maintenance' and told.value == 1
        return False

    def is_pair(self, first, second, then):
        if (first.name, second.name, then.name) != ('LR write', 'LR write', 'IAR read'):
            return False
        registers = self.register(first), self.register(second)
        return all(register.state == vgic_model.PENDING for register in registers) and \
            then.value & (0x3ff if self.version == 2 else ~0) == registers[0].vintid


def is_spi(register):
    return 32 <= register.vintid < 1020


def plant_index(trace):
    place = trace.find_write(lambda _register: True)
    return trace.change(place, number=trace.before.list_registers), 'index'


def plant_same_vintid(trace):
    first, second = trace.pair()
    mask = VINTID[trace.version]
    value = trace.events[second].value & ~mask | trace.events[first].value & mask
    return trace.change(second, value), 'unique'


def plant_hw(trace):
    place = trace.find_write(is_spi)
    return trace.change(place, trace.events[place].value | HW[trace.version]), 'hw'


def plant_reserved(trace):
    place = trace.find_write(lambda register: register.hw)
    return trace.change(place, trace.events[place].value | PENDING[trace.version]
                        | ACTIVE[trace.version]), 'reserved'


def plant_unread(trace):
    """A list register that the guest has changed, and that is still valid, is lost."""
    written = {}
    for place, event in enumerate(trace.events):
        register = event.cpu, event.number
        if event.name == 'LR write':
            written[register] = event.value
        elif event.name == 'LR read' and trace.register(event).state and \
                event.value != written.get(register, event.value):
            return trace.without(place), 'unread'
    raise Missing('no list register is active that was pending')


def plant_active(trace):
    place = trace.find_write(lambda register: register.state == vgic_model.PENDING)
    value = trace.events[place].value ^ PENDING[trace.version] ^ ACTIVE[trace.version]
    return trace.change(place, value), 'active'


def plant_unbalanced(trace):
    """The same makes the sums wrong."""
    return plant_active(trace)[0], 'conservation'


def plant_read(name, bit):
    """A register reads wrong."""
    def plant(trace):
        place = trace.find(name)
        return trace.change(place, trace.events[place].value ^ bit), 'value'
    plant.__name__ = f"plant_{name.replace(' ', '_')}"
    return plant


def plant_lost_write(trace):
    """A list register is not written."""
    place = trace.acknowledge()
    cpu, vintid = trace.events[place].cpu, trace.events[place].value & 0x3ff
    writes = [other for other in range(place) if trace.events[other].name == 'LR write' and
              trace.events[other].cpu == cpu and
              trace.register(trace.events[other]).state and
              trace.register(trace.events[other]).vintid & 0x3ff == vintid]
    if not writes:
        raise Missing('what is acknowledged first was put into a list register before')
    return trace.without(writes[-1]), 'acknowledge'


def plant_acknowledge(trace):
    return trace.change(trace.acknowledge(), NOT_USED), 'acknowledge'


def plant_spurious(trace):
    return trace.change(trace.acknowledge(), 1023), 'spurious'


def with_priority(trace, place, priority):
    shift, mask = PRIORITY[trace.version], PRIORITIES[trace.version]
    value = trace.events[place].value & ~(mask << shift) | priority[trace.version] << shift
    return trace.change(place, value)


def plant_higher_priority(trace):
    """Another interrupt should have been acknowledged."""
    return with_priority(trace, trace.pair()[1], HIGHEST), 'priority'


def plant_masked_priority(trace):
    """What is acknowledged should have been masked by PMR."""
    return with_priority(trace, trace.pair()[0], LOWEST), 'priority'


def plant_eoi(trace):
    return trace.change(trace.find('EOIR write'), NOT_USED), 'eoi'


def plant_lost_eoi(trace):
    """The priority is still running, and the interrupt active."""
    return trace.without(trace.find('EOIR write')), 'value', 'priority', 'spurious'


def plant_second_eoi(trace):
    place = trace.find('EOIR write')
    return [*trace.events[:place], trace.events[place], *trace.events[place:]], 'running'


def plant_line_high(trace):
    place = trace.find('maintenance', lambda event: not event.value)
    return trace.change(place, 1), 'maintenance'


def plant_line_low(trace):
    place = trace.find('maintenance', lambda event: event.value)
    return trace.change(place, 0), 'maintenance'


def plant_no_eoi_bit(trace):
    """A list register whose end is told did not ask for that."""
    if not any(trace.is_told(place) for place in range(len(trace.events))):
        raise Missing('there is no level whose end is told')
    return [event._replace(value=event.value & ~EOI[trace.version])
            if event.name == 'LR write' and not trace.register(event).hw else event
            for event in trace.events], 'maintenance'


def plant_underflow(trace):
    """UIE is set where there is one valid list register, without a maintenance interrupt."""
    place = trace.find('HCR write', lambda event: event.value & vgic_model.EN
                       and not event.value & vgic_model.UIE)
    return trace.change(place, trace.events[place].value | vgic_model.UIE), 'maintenance'


PLANTS = [
    plant_index, plant_same_vintid, plant_hw, plant_reserved, plant_unread, plant_active,
    plant_unbalanced, plant_read('LR read', 1), plant_read('ELRSR read', 1),
    plant_read('VMCR read', vgic_model.VENG0 | vgic_model.VENG1), plant_read('APR read', 1 << 4),
    plant_lost_write, plant_acknowledge, plant_spurious, plant_higher_priority,
    plant_masked_priority, plant_eoi, plant_lost_eoi, plant_second_eoi, plant_line_high,
    plant_line_low, plant_no_eoi_bit, plant_underflow]


def check_part(trace):
    """The part of the trace in which faults are planted has none itself."""
    broken = trace.replay(trace.events)
    expect(not broken, f'rules broken: {broken}')


def planted(parts, plant):
    """The first part that has what is needed: (the part, the rules, its events and the next's)."""
    for part, after in itertools.zip_longest(parts, parts[1:]):
        try:
            events, *rules = plant(part)
        except Missing as missing:
            problem = missing
        else:
            return part, rules, events + (after.events if after else [])
    raise problem


def check_planted(parts, plant):
    """One of the rules, which depends on what follows, is broken."""
    part, rules, events = planted(parts, plant)
    broken = part.replay(events)
    expect(broken & set(rules), f"none of {rules} is broken, but {broken or 'none'}")


def check_material(parts):
    """There is something to plant each fault in."""
    expect(parts, 'the crowd was too small to plant faults in')
    for plant in PLANTS:
        planted(parts, plant)


# ---- What no trace of KVM has ------------------------------------------------

def scenario(version, *accesses):
    """The model after accesses of CPU 0: (name, number, value)."""
    model = vgic_model.Model(version)
    # 4 list registers, 5 bits of priority and preemption; both groups, no mask
    setup = [('VTR read', None, 4 << 29 | 4 << 26 | 3), ('VMCR write', None, 0xf8 << 24 | 3)]
    for number, (name, place, value) in enumerate([*setup, *accesses], 1):
        model.feed(number, vgic_trace.Event(number, 0, name, place, value))
    return model.finish()


def active(version, vintid):
    """A list register with an active interrupt."""
    return ACTIVE[version] | LOWEST[version] << PRIORITY[version] | vintid


def pending(version, vintid, priority):
    return PENDING[version] | priority << PRIORITY[version] | vintid


def unlisted(version, number):
    """So many interrupts are acknowledged, taken out of the list register, and ended."""
    accesses = [('HCR write', None, vgic_model.EN)]
    priorities = {2: 0x10, 3: 0x80}
    for vintid in range(40, 40 + number):
        lr = pending(version, vintid, priorities[version])
        accesses += [('LR write', 0, lr), ('IAR read', None, vintid),
                     ('LR read', 0, lr ^ PENDING[version] ^ ACTIVE[version]),
                     ('LR write', 0, 0), ('EOIR write', 1, vintid)]
    return accesses


def check_eoicount(version):
    """It counts what is ended without a list register; LRENPIE tells, and 5 bits overflow."""
    shift = vgic_model.EOICOUNT_SHIFT
    model = scenario(version, *unlisted(version, 3), ('HCR read', None, 3 << shift | 1))
    expect(not model.broken and model.counts.unlisted_eois == 3, *model.faults)
    model = scenario(version, *unlisted(version, 3), ('HCR read', None, 2 << shift | 1))
    expect(set(model.broken) == {'value'}, *model.faults)
    lrenpie = 3 << shift | 1 << 2 | vgic_model.EN
    model = scenario(version, *unlisted(version, 3), ('HCR write', None, lrenpie),
                     ('maintenance', None, 1), ('MISR read', None, 1 << 2))
    expect(not model.broken, *model.faults)
    model = scenario(version, *unlisted(version, vgic_model.EOICOUNT_MAX + 1))
    expect(set(model.broken) == {'eoicount'}, *model.faults)


def check_eoi_mode(version):
    """With EOImode, EOIR drops the priority and DIR deactivates."""
    lr = pending(version, 40, {2: 0x10, 3: 0x80}[version])
    before = [('VMCR write', None, 0xf8 << 24 | 3 | vgic_model.VEOIM),
              ('HCR write', None, vgic_model.EN), ('LR write', 0, lr), ('IAR read', None, 40),
              ('EOIR write', 1, 40)]
    is_active = lr ^ PENDING[version] ^ ACTIVE[version]
    model = scenario(version, *before, ('LR read', 0, is_active), ('DIR write', None, 40),
                     ('LR read', 0, is_active ^ ACTIVE[version]))
    expect(not model.broken, *model.faults)
    model = scenario(version, *before, ('LR read', 0, is_active ^ ACTIVE[version]))
    expect(set(model.broken) == {'value'}, *model.faults)


def check_preemption(version):
    """A higher priority preempts; an equal one does not."""
    low, high = ({2: priority >> 3, 3: priority}[version] for priority in (0xa0, 0x40))
    first, second = pending(version, 40, low), pending(version, 41, high)
    before = [('HCR write', None, vgic_model.EN), ('LR write', 0, first), ('IAR read', None, 40)]
    model = scenario(version, *before, ('LR write', 1, second), ('IAR read', None, 41),
                     ('EOIR write', 1, 41), ('EOIR write', 1, 40), ('ELRSR read', 0, 0xf))
    expect(not model.broken, *model.faults)
    second = pending(version, 41, low)
    model = scenario(version, *before, ('LR write', 1, second), ('IAR read', None, 1023))
    expect(not model.broken and model.counts.spurious == 1, *model.faults)
    model = scenario(version, *before, ('LR write', 1, second), ('IAR read', None, 41))
    expect(set(model.broken) == {'priority'}, *model.faults)


def check_causes(version):
    """Each bit of MISR has its enable and its condition."""
    waits = pending(version, 40, {2: 0x10, 3: 0x80}[version])
    for enable, cause, writes in [
            (1 << 1, 1 << 1, []), (1 << 3, 1 << 3, []), (1 << 4, 1 << 4, []),
            (1 << 6, 1 << 6, []), (1 << 1 | 1 << 3, 1 << 1, [('LR write', 0, waits)]),
            (1 << 5, 1 << 5, [('VMCR write', None, 0xf8 << 24 | 2)]),
            (1 << 7, 1 << 7, [('VMCR write', None, 0xf8 << 24 | 1)]),
            (1 << 5 | 1 << 7, 0, []),
            (0, 1, [('LR write', 0, EOI[version] | 40)])]:
        model = scenario(version, *writes, ('HCR write', None, enable | vgic_model.EN),
                         ('MISR read', None, cause), ('maintenance', None, int(cause != 0)),
                         ('HCR write', None, enable), ('maintenance', None, 0))
        expect(not model.broken, f'HCR {enable:#x}:', *model.faults)


# ---- The program -------------------------------------------------------------

def check_plot(folder, traces):
    """The figure is complete, and small enough for the documentation."""
    path = os.path.join(folder, 'plot.svg')
    gics, lines = [], vgic_plot.Series()
    for version, (_, trace) in traces.items():
        series = vgic_plot.Series()
        model = copy.deepcopy(trace.before)
        model.watch = series.add
        for number, event in enumerate(trace.events):
            model.feed(number, event)
        gics.append((f'GICv{version}', series, model.list_registers))
    for tick in range(100):
        lines.add(tick / 1e4, tick % 4, tick // 4 % 2)
    vgic_plot.plot(path, gics, lines)
    text = ' '.join(xml.etree.ElementTree.parse(path).getroot().itertext())
    wanted = ['GICv2', 'GICv3', 'rVIC', 'CPU 0', 'CPU 1', 'vCPU 3']
    expect(all(word in text for word in wanted), f'not all of {wanted} is in the figure')
    expect(os.path.getsize(path) < 60000, f'{os.path.getsize(path)} bytes')


def check_replay(folder, traces):
    """scripts/vgic --replay tells the same of a trace, and its exit status what is broken."""
    del folder
    for version, (path, _) in traces.items():
        status, text = output(VGIC, '--gic', str(version), '--replay', path)
        expect(status == 0 and re.search(r'^Checked against .*, 0 faults$', text, re.M), text)


def check_arguments(folder):
    missing = os.path.join(folder, 'not-there/file')
    empty = os.path.join(folder, 'empty')
    with open(empty, 'w', encoding='ascii'):
        pass
    for arguments, pattern in [
            (['--gic', '4'], 'invalid choice'), (['--replay', empty], '--gic has to tell'),
            (['--seconds', '0'], 'not between'), (['--plot', missing], 'there is no folder'),
            (['--keep', missing], 'there is no folder'),
            (['--plot', folder], 'not the name of a file'),
            (['--quick', '--seconds', '1'], '--seconds means nothing'),
            (['--gic', '2', '--replay', empty, '--quick'], '--quick is for running'),
            (['--gic', '2', '--replay', empty, '--seconds', '1'], '--seconds is for running'),
            (['--gic', '2', '--replay', empty, '--keep', folder], '--keep is for running'),
            (['--gic', '2', '--replay', missing], 'No such file'),
            (['--gic', '3', '--replay', empty], 'no list register that was used')]:
        status, text = output(VGIC, *arguments)
        expect(status and re.search(pattern, text) and 'Traceback' not in text,
               f"{' '.join(arguments)}: status {status}, expected '{pattern}':", text)


def check_unreadable(version):
    """A line that is not as in QEMU 10.0 is not passed over."""
    name = {2: 'gic_hyp_write', 3: 'gicv3_ich_hcr_write'}[version]
    other = 'qemu-system-aarch64: something else\n'
    # The second one is without time and thread.
    for line in f'1@1.000000:{name} something else\n', f'{name} something else\n':
        try:
            list(vgic_trace.read([other, line], version))
        except vgic_trace.Unreadable as error:
            expect('line 2 is not as' in str(error), error)
        else:
            raise Problem(f'it was passed over: {line}')
    # A last line may be cut.
    expect(not list(vgic_trace.read([other, f'1@1.000000:{name} some'], version)), 'it was read')


# ---- All ---------------------------------------------------------------------

def outcome(name, check, *arguments):
    """(name, problem)"""
    try:
        check(*arguments)
        return name, ''
    except Exception as error:  # pylint: disable=broad-except
        return name, str(error) if isinstance(error, Problem) else \
            f'{type(error).__name__}: {error}'


def short(function):
    return re.sub('^(check|plant)_', '', function.__name__).replace('_', '-').lower()


def crowd(version, folder, path):
    """
    Trace a crowd, and another one if too little happened in it.

    :return: (what the guest has counted, the model at the end, the trace's Parts)
    """
    for times in 1, MORE:
        ran = vgic.crowd(version, folder, times * READS, times * WAKES,
                         path)['crowd'][f'gicv{version}']
        model, parts = replay_parts(version, path)
        missing = [problem for _, problem in (
            outcome('crowd', check_crowd, version, model, ran),
            outcome('sources', check_sources, version, model, ran),
            outcome('material', check_material, parts)) if problem]
        # Another crowd must not hide what is wrong in this one.
        if model.broken or not missing:
            break
    expect(parts, 'the crowd was too small to plant faults in', *model.faults)
    return ran, model, parts


def host_checks(version, folder, traces):
    """Of one run on a host."""
    path = os.path.join(folder, f'gicv{version}.trace')
    ran, model, parts = crowd(version, folder, path)
    for check in check_rules, check_crowd, check_interrupts, check_eoi, check_sources:
        yield outcome(f'gicv{version}-{short(check)}', check, version, model, ran)
    yield outcome(f'gicv{version}-{short(check_part)}', check_part, parts[0])
    for plant in PLANTS:
        yield outcome(f'gicv{version}-planted-{short(plant)}', check_planted, parts, plant)
    # The other parts take memory.
    traces[version] = path, parts[0]


def checks():
    """Yield (name, problem) of each check."""
    with tempfile.TemporaryDirectory(prefix='rvic-test-') as folder:
        yield outcome('arguments', check_arguments, folder)
        for version in 2, 3:
            for check in (check_eoicount, check_eoi_mode, check_preemption, check_causes,
                          check_unreadable):
                yield outcome(f'gicv{version}-{short(check)}', check, version)
        traces = {}
        for version in 2, 3:
            try:
                yield from host_checks(version, folder, traces)
            except Exception as error:  # pylint: disable=broad-except
                yield f'gicv{version}-host', f'{type(error).__name__}: {error}'
        if len(traces) == 2:
            for check in check_plot, check_replay:
                yield outcome(short(check), check, folder, traces)
