# SPDX-License-Identifier: GPL-2.0-or-later
"""
What irqtop shows, made from what QEMU tells: no connection, no terminal.

view() turns two samples into the object that --json prints, lines() turns that into the
text of the other views. docs/tools/rvic-irqtop.rst has the object's schema.
"""

import dataclasses
import re

# Of the object that view() returns; raised when a key changes its meaning or goes.
SCHEMA = 1

SORTS = 'rate', 'total', 'vcpu', 'intid'


@dataclasses.dataclass
class Machine:
    """What does not change while a VM runs."""
    name: str
    qemu: str
    type: str           # of /machine/rvic
    version: str
    trusted: int
    untrusted: int
    wired: int
    cpus: int
    lines: dict         # INTID -> name, of timers and PMU
    wires: dict         # wired input -> device

    @property
    def in_kernel(self):
        """Whether KVM has the rVIC, and most is out of sight."""
        return self.type != 'arm-rvic'


@dataclasses.dataclass
class Sample:
    """A moment. What it counts is since QEMU's start."""
    time: float         # seconds since the epoch, for people
    clock: float        # seconds on a clock that nobody sets, for rates
    status: str         # QEMU's run state
    running: bool
    instances: list     # /machine/rvic's property; None: in KVM
    inputs: list        # /machine/rvid's property
    pci: dict           # requester ID -> device


def parse_irq_statistics(text):
    """The counts of the rVID in "info irq", as its property "inputs" would have them."""
    section = re.search(r'^IRQ statistics for (?:kvm-)?arm-rvid:\r?\n((?: *\d+: \d+\r?\n?)*)',
                        text, re.M)
    return [{'input': int(number), 'signalled': int(count)}
            for number, count in re.findall(r'(\d+): (\d+)', section[1] if section else '')]


def parse_cpus(text):
    """
    The set of numbers that a list like "0,2-5" has; empty: None, for all.

    :raises ValueError: it is no such list
    """
    numbers = set()
    for part in filter(None, text.replace(' ', '').split(',')):
        match = re.fullmatch(r'(\d{1,5})(?:-(\d{1,5}))?', part, re.A)
        if not match or int(match[2] or match[1]) < int(match[1]):
            raise ValueError(f"'{part}' is not a vCPU or a range such as 2-5")
        numbers.update(range(int(match[1]), int(match[2] or match[1]) + 1))
    return numbers or None


# ---- Two samples make a view ------------------------------------------------

def counts_of(sample):
    """All counts of a sample, by what they count."""
    counts = {('input', entry['input']): entry['signalled'] for entry in sample.inputs}
    for instance in sample.instances or []:
        counts['cpu', instance['cpu']] = instance['acknowledged']
        for entry in instance['counts']:
            counts['intid', instance['cpu'], entry['intid']] = entry['acknowledged']
    return counts


class Rates:
    """What happened between two samples. Without a former one nothing is known."""

    def __init__(self, old, new):
        self.new = counts_of(new)
        self.old = counts_of(old) if old else None
        self.elapsed = new.clock - old.clock if old else None
        # A count that went back is another QEMU's: the VM was started anew.
        if self.old and any(self.new.get(key, 0) < count for key, count in self.old.items()):
            self.old = self.elapsed = None
        if not self.elapsed:
            self.old = self.elapsed = None

    def count(self, *key):
        return self.new.get(key, 0)

    def rate(self, *key):
        """Per second, or None."""
        if self.old is None:
            return None
        return round((self.count(*key) - self.old.get(key, 0)) / self.elapsed, 3)

    def still(self, *key):
        """Whether nothing was counted since the former sample; None: not known."""
        return None if self.old is None else self.count(*key) == self.old.get(key, 0)


def is_held(instance, intid, trusted):
    """Whether an INTID waits for a delivery that its vCPU's instance does not let through."""
    waits = intid in instance['pending'] or (intid >= trusted and intid in instance['high'])
    return waits and not (instance['enabled'] and intid in instance['unmasked'])


def is_stuck(rates, before, running, now, *key):
    """Whether what waits NOW has waited BEFORE, and nothing was delivered in between."""
    if rates.old is None:
        return None
    return bool(running and before and now and rates.still(*key))


def with_sets(instances):
    """By vCPU, with sets in place of lists: they are asked for each INTID."""
    return {instance['cpu']: {**instance, **{key: set(instance[key])
                                             for key in ('unmasked', 'pending', 'high')}}
            for instance in instances or []}


def view_inputs(machine, new, rates):
    """The inputs that QEMU told about."""
    views = []
    for entry in new.inputs:
        number = entry['input']
        wired = number < machine.wired
        views.append({
            'input': number,
            'kind': 'wired' if wired else 'msi',
            'device': machine.wires.get(number) if wired
            else new.pci.get(entry.get('requester')),
            'high': entry.get('high') if wired else None,
            'count': entry['signalled'],
            'rate': rates.rate('input', number),
            'cpu': entry.get('cpu'),
            'intid': entry.get('intid'),
        })
    return views


def source_of(machine, intid, inputs):
    """(kind, name) of an INTID that INPUTS are mapped to."""
    if intid in machine.lines:
        return 'line', machine.lines[intid]
    if intid < machine.trusted:
        return 'ipi', f'IPI {intid}'
    names = [' '.join(filter(None, ['MSI' if entry['kind'] == 'msi' else 'input',
                                    str(entry['input']), entry['device']]))
             for entry in inputs]
    return 'device', ', '.join(names) or None


def view_intid(machine, new, rates, instance, before, intid, inputs):
    """One INTID of one vCPU."""
    cpu = instance['cpu']
    masked = intid not in instance['unmasked']
    pending, high = intid in instance['pending'], intid in instance['high']
    waits = pending or (high and intid >= machine.trusted)
    kind, name = source_of(machine, intid, inputs)
    return {
        'intid': intid,
        'kind': kind,
        'name': name,
        'inputs': [entry['input'] for entry in inputs],
        'masked': masked,
        'pending': pending,
        'high': high,
        'deliverable': instance['enabled'] and not masked and waits,
        'stuck': is_stuck(rates, before and is_held(before, intid, machine.trusted),
                          new.running, is_held(instance, intid, machine.trusted),
                          'intid', cpu, intid),
        'count': rates.count('intid', cpu, intid),
        'rate': rates.rate('intid', cpu, intid),
    }


def view_cpus(machine, old, new, rates, inputs):
    """The vCPUs, each with the INTIDs of which there is something to tell."""
    former = with_sets(old.instances if old else None)
    mapped = {}
    for entry in inputs:
        if entry['intid'] is not None:
            mapped.setdefault((entry['cpu'], entry['intid']), []).append(entry)
    views = []
    for cpu, instance in with_sets(new.instances).items():
        before = former.get(cpu)
        intids = (instance['unmasked'] | instance['pending'] | instance['high']
                  | {entry['intid'] for entry in instance['counts']})
        views.append({
            'cpu': cpu,
            'mpidr': instance['mpidr'],
            'enabled': instance['enabled'],
            'irq': instance['irq'],
            'powered_off': instance.get('powered-off'),
            'stuck': is_stuck(rates, before and before['irq'], new.running, instance['irq'],
                              'cpu', cpu),
            'count': instance['acknowledged'],
            'rate': rates.rate('cpu', cpu),
            'intids': [view_intid(machine, new, rates, instance, before, intid,
                                  mapped.get((cpu, intid), []))
                       for intid in sorted(intids)],
        })
    return views


def view(machine, old, new):
    """
    What there is to see, as an object for JSON.

    :param machine: the Machine
    :param old: the former Sample, or None
    :param new: the Sample
    """
    rates = Rates(old, new)
    inputs = view_inputs(machine, new, rates)
    return {
        'schema': SCHEMA,
        'time': round(new.time, 3),
        'elapsed': None if rates.elapsed is None else round(rates.elapsed, 3),
        'vm': {'name': machine.name, 'qemu': machine.qemu, 'status': new.status,
               'running': new.running},
        'controller': {'type': machine.type, 'version': machine.version,
                       'in_kernel': machine.in_kernel, 'cpus': machine.cpus,
                       'trusted': machine.trusted, 'untrusted': machine.untrusted,
                       'wired': machine.wired},
        'cpus': None if machine.in_kernel else view_cpus(machine, old, new, rates, inputs),
        'inputs': inputs,
    }


def only_cpus(seen, cpus):
    """A view with nothing but what concerns some vCPUs; None: all."""
    if cpus is None or seen['cpus'] is None:
        return seen
    return {**seen, 'cpus': [cpu for cpu in seen['cpus'] if cpu['cpu'] in cpus],
            'inputs': [entry for entry in seen['inputs'] if entry['cpu'] in cpus]}


# ---- A view as text ---------------------------------------------------------

# What a line is, for those who can show it: a title of a section; something that
# happens; something that does not.
TITLE, PLAIN, BUSY, STUCK = 'title', 'plain', 'busy', 'stuck'

# What QEMU's run states mean, where their names do not say so.
MEANINGS = {'postmigrate': 'migrated away', 'inmigrate': 'waits for a migration',
            'prelaunch': 'not started yet', 'finish-migrate': 'migrating away',
            'io-error': 'paused by an I/O error'}


def printable(text):
    """Names are the user's; none of them moves our cursor."""
    return ''.join(char if char.isprintable() else '?' for char in text)


def number(value):
    return '-' if value is None else f'{value:.1f}'


def order(sort, entries, *keys):
    """
    Sort what has a rate and a count.

    :param keys: the numbers of an entry, most significant first, for sort orders that go
                 by number and for what is equal
    """
    def key(entry):
        numbers = [entry[name] for name in keys]
        if sort == 'rate':
            return [-(entry['rate'] or 0), -entry['count'], *numbers]
        if sort == 'total':
            return [-entry['count'], *numbers]
        return numbers

    return sorted(entries, key=key)


def is_idle(entry):
    """Whether nothing happens to an INTID or input, nor waits."""
    return not (entry['rate'] or entry.get('pending') or entry.get('high')) and not (
        # Of totals alone, what never happened is idle.
        entry['rate'] is None and entry['count'])


def style(entry):
    return STUCK if entry.get('stuck') else BUSY if entry['rate'] else PLAIN


def heading(seen):
    """Two lines that say what is looked at."""
    machine, controller, cpus = seen['vm'], seen['controller'], seen['cpus']
    meaning = MEANINGS.get(machine['status'])
    over = 'totals' if seen['elapsed'] is None else f"{seen['elapsed']:.1f} s"
    first = (f"{machine['name'] or 'VM'}: {machine['status']}"
             f"{f' ({meaning})' if meaning else ''}, {controller['cpus']} vCPU(s), {over}, "
             f"QEMU {machine['qemu']}, {controller['type']} {controller['version']}")

    def total(entries):
        rates = [entry['rate'] for entry in entries if entry['rate'] is not None]
        return number(sum(rates) if seen['elapsed'] is not None else None)

    parts = [f"inputs {total(seen['inputs'])}/s"]
    if cpus is not None:
        stuck = sum(1 for cpu in cpus for entry in [cpu, *cpu['intids']] if entry['stuck'])
        parts = [f'interrupts {total(cpus)}/s', *parts,
                 f"IRQ high {sum(cpu['irq'] for cpu in cpus)}",
                 f"disabled {sum(not cpu['enabled'] for cpu in cpus)}", f'stuck {stuck}']
    return printable(first), ', '.join(parts)


def cpu_lines(cpus, sort, idle):
    yield TITLE, 'vCPU    MPIDR         /s       total instance  IRQ'
    rest = 0
    for cpu in order('vcpu' if sort == 'intid' else sort, cpus, 'cpu'):
        if not idle and not cpu['rate'] and not cpu['irq'] and len(cpus) > 8:
            rest += 1
            continue
        words = [f"{cpu['cpu']:4} {cpu['mpidr']:#8x} {number(cpu['rate']):>10}"
                 f" {cpu['count']:11} {'enabled ' if cpu['enabled'] else 'disabled'} "
                 f" {'high' if cpu['irq'] else 'low '}"]
        words += ['powered off'] * bool(cpu['powered_off']) + ['stuck'] * bool(cpu['stuck'])
        yield style(cpu), ' '.join(words).rstrip()
    if rest:
        yield PLAIN, f'     {rest} idle'


def intid_lines(cpus, sort, idle):
    yield TITLE, 'vCPU INTID        /s      total masked pending level deliverable source'
    entries = [{**entry, 'cpu': cpu['cpu']} for cpu in cpus for entry in cpu['intids']
               if idle or not is_idle(entry)]
    keys = ('intid', 'cpu') if sort == 'intid' else ('cpu', 'intid')
    for entry in order(sort, entries, *keys):
        def mark(key, word='yes'):
            return word if entry[key] else '-'  # pylint: disable=cell-var-from-loop
        yield style(entry), (
            f"{entry['cpu']:4} {entry['intid']:5} {number(entry['rate']):>9} {entry['count']:10}"
            f" {mark('masked'):>6} {mark('pending'):>7} {mark('high', 'high'):>5}"
            f" {'stuck' if entry['stuck'] else mark('deliverable'):>11}"
            f" {printable(entry['name'] or 'no input')}")


def input_lines(inputs, sort, idle, in_kernel):
    yield TITLE, 'input              /s      total level  to'
    for entry in order(sort, inputs, 'input'):
        if not idle and is_idle(entry):
            continue
        level = {None: '-', False: 'low', True: 'high'}[entry['high']]
        target = ('' if in_kernel else 'unmapped' if entry['intid'] is None else
                  f"vCPU {entry['cpu']} INTID {entry['intid']}")
        yield style(entry), (
            f"{entry['input']:5} {'MSI' if entry['kind'] == 'msi' else 'wired':5}"
            f" {number(entry['rate']):>9} {entry['count']:10}"
            f" {level:6} {target:20} {printable(entry['device'] or '')}").rstrip()


def lines(seen, sort='rate', idle=False):
    """
    The text of a view, below its heading(): (what it is, text) of each line.

    :param seen: what view() returned
    :param sort: one of SORTS
    :param idle: show also what does not happen
    """
    if seen['cpus'] is None:
        yield PLAIN, 'The rVIC is in KVM: vCPUs, INTIDs and mappings are out of sight, and so are'
        yield PLAIN, 'interrupts that KVM signals itself. What QEMU signals:'
    else:
        yield from cpu_lines(seen['cpus'], sort, idle)
        yield PLAIN, ''
        yield from intid_lines(seen['cpus'], sort, idle)
    yield PLAIN, ''
    yield from input_lines(seen['inputs'], sort, idle, seen['cpus'] is None)
