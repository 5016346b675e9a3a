# SPDX-License-Identifier: GPL-2.0-or-later
"""
A GIC's virtual CPU interface as the architecture has it (Arm IHI 0048B for GICv2, IHI 0069
for GICv3): replays what a trace says of the accesses, checks what they return and what
software does with it, and counts.

It has the state of each physical CPU's interface, and of the interrupts that the hypervisor
took out of list registers while they were active. What the registers of the two versions
have in common is said once: MISR, HCR's low byte and EOIcount, VMCR and VTR are alike.
"""

import collections

# HCR
EN = 1 << 0
UIE = 1 << 1
EOICOUNT_SHIFT, EOICOUNT_MAX = 27, 31

# VTR.ListRegs, by version of the GIC
LISTREGS = {2: 0x3f, 3: 0x1f}

# VMCR
VENG0, VENG1, VCBPR, VEOIM = 1 << 0, 1 << 1, 1 << 4, 1 << 9
VBPR1_SHIFT, VBPR0_SHIFT, VPMR_SHIFT = 18, 21, 24

# MISR: the bits' names, from bit 0 on; but for EOI, the bit of HCR one above enables each.
CAUSES = 'EOI', 'U', 'LRENP', 'NP', 'VGrp0E', 'VGrp0D', 'VGrp1E', 'VGrp1D'

# Interrupt IDs
SPURIOUS, FIRST_LPI = 1020, 8192
SGIS, PRIVATE = range(16), range(32)

# What KVM maps to the host's interrupts: a guest's virtual and physical timers
TIMERS = 27, 30

PENDING, ACTIVE = 1, 2

# The priority if nothing runs: lower than any
IDLE = 0x100

# Faults that are told in full
TOLD = 20

# From the rule that is broken to what it says, and where it comes from
RULES = {
    'index': 'there are as many list registers as VTR.ListRegs says (GICH_VTR, ICH_VTR_EL2)',
    'unique': 'no two valid list registers have the same vINTID, not even for SGIs of several '
              'sources (GICH_LRn.VirtualID, ICH_LR<n>_EL2.vINTID)',
    'hw': "only the timers' PPIs are mapped to interrupts of the host (KVM)",
    'unread': 'software reads a valid list register before it overwrites it (KVM)',
    'reserved': 'pending and active are not both set if HW is (GICH_LRn.HW, ICH_LR<n>_EL2.HW)',
    'active': 'an interrupt becomes active only by being acknowledged; of SGIs and PPIs, of all '
              'vCPUs together',
    'value': 'a register reads as what accesses have made of it',
    'acknowledge': 'what is acknowledged is pending in a list register (GICV_IAR, ICC_IAR1_EL1)',
    'priority': 'what is acknowledged has the highest priority, is not masked, and preempts '
                'what runs (GICV_IAR, ICC_IAR1_EL1)',
    'spurious': 'an acknowledge does not return 1023 if an interrupt is signalled',
    'eoi': 'what is ended is active; of SGIs and PPIs that are in no list register, of all vCPUs '
           'together (GICV_EOIR, ICC_EOIR1_EL1)',
    'running': 'an EOI drops a priority that is running (GICV_EOIR, ICC_EOIR1_EL1)',
    'eoicount': 'HCR.EOIcount does not overflow (GICH_HCR, ICH_HCR_EL2)',
    'maintenance': 'the maintenance interrupt is high as long as HCR.En is set and MISR is not '
                   '0, whose bits have their enables and causes (GICH_MISR, ICH_MISR_EL2)',
    'conservation': 'each acknowledged interrupt has been ended, or is active',
}


class ListRegister:
    """What a list register has; "read" is whether software knows that."""

    # pylint: disable=too-many-instance-attributes
    __slots__ = ('value', 'state', 'vintid', 'source', 'hw', 'eoi', 'priority', 'group', 'read')

    def __init__(self, value, version):
        self.value = value
        self.read = True
        if version == 2:
            self.state = value >> 28 & 3
            self.vintid = value & 0x3ff
            self.hw = value >> 31
            self.eoi = 0 if self.hw else value >> 19 & 1
            self.source = value >> 10 & 7 if self.vintid in SGIS and not self.hw else None
            self.priority = (value >> 23 & 0x1f) << 3
            self.group = value >> 30 & 1
        else:
            self.state = value >> 62
            self.vintid = value & 0xffffffff
            self.hw = value >> 61 & 1
            self.eoi = 0 if self.hw else value >> 41 & 1
            self.source = None
            self.priority = value >> 48 & 0xff
            self.group = value >> 60 & 1

    @property
    def key(self):
        return self.vintid, self.source

    def change(self, state, version):
        """As an access to the CPU interface does."""
        shift = 28 if version == 2 else 62
        self.state = state
        self.value = self.value & ~(3 << shift) | state << shift
        self.read = False

    def ended(self):
        """Whether its bit of EISR is set."""
        return not self.state and not self.hw and self.eoi

    def __str__(self):
        source = '' if self.source is None else f' from CPU {self.source}'
        state = ('free', 'pending', 'active', 'pending and active')[self.state]
        return f'{state} vINTID {self.vintid}{source}'


def kind(register):
    """What kind of interrupt is in it; software asks to be told of the end of SPIs' levels."""
    if register.vintid in SGIS:
        return 'SGI'
    if register.vintid in PRIVATE:
        return 'PPI'
    if register.vintid >= FIRST_LPI:
        return 'LPI'
    return 'SPI, level' if register.eoi else 'SPI, edge'


class Interface:
    """A physical CPU's virtual interface."""

    # pylint: disable=too-many-instance-attributes

    def __init__(self, version):
        self.version = version
        self.registers = []
        self.hcr = self.vmcr = 0
        # Until the first is known
        self.priority_bits = self.preemption_bits = 5
        self.aprs = {0: 0, 1: 0}
        self.line = 0       # of the maintenance interrupt
        self.taken = False  # whether its causes have been counted
        self.most = 0       # list registers used at once since HCR.En is set
        self.eoicount = 0

    def valid(self):
        return [register for register in self.registers if register.state]

    def misr(self):
        """MISR, from the list registers, VMCR and HCR."""
        enabled = self.hcr >> 1
        valid = self.valid()
        conditions = (
            any(register.ended() for register in self.registers),
            enabled & 1 and len(valid) <= 1,
            enabled & 2 and self.eoicount,
            enabled & 4 and not any(register.state == PENDING for register in valid),
            enabled & 8 and self.vmcr & VENG0, enabled & 16 and not self.vmcr & VENG0,
            enabled & 32 and self.vmcr & VENG1, enabled & 64 and not self.vmcr & VENG1)
        return sum(1 << bit for bit, condition in enumerate(conditions) if condition)

    def mask(self, group):
        """Which bits of a priority preempt."""
        if group and not self.vmcr & VCBPR:
            point = max(self.vmcr >> VBPR1_SHIFT & 7, 8 - self.preemption_bits) - 1
        else:
            point = max(self.vmcr >> VBPR0_SHIFT & 7, 7 - self.preemption_bits)
        return 0xff << (point + 1) & 0xff

    def apr_bit(self, register):
        return 1 << ((register.priority & self.mask(register.group)) >> 8 - self.preemption_bits)

    def apr_of(self, register):
        """GICv2 has one for both groups."""
        return register.group if self.version == 3 else 0

    def running(self):
        aprs = self.aprs[0] | self.aprs[1]
        return ((aprs & -aprs).bit_length() - 1 << 8 - self.preemption_bits) if aprs else IDLE

    def drop(self):
        """Drop the running priority; whether there was one."""
        low = [apr & -apr for apr in (self.aprs[0], self.aprs[1])]
        if not any(low):
            return False
        group = 0 if low[0] and (not low[1] or low[0] <= low[1]) else 1
        self.aprs[group] &= ~low[group]
        return True

    def enabled(self, register):
        return self.hcr & EN and self.vmcr & (VENG1 if register.group else VENG0)

    def signalled(self, register):
        """Whether it is pending, and interrupts."""
        return (register.state == PENDING and self.enabled(register)
                and register.priority < (self.vmcr >> VPMR_SHIFT & 0xff)
                and register.priority & self.mask(register.group) < self.running())

    def best(self):
        """The highest priority of what is pending and enabled."""
        return min((register.priority for register in self.registers
                    if register.state == PENDING and self.enabled(register)), default=IDLE)

    def find(self, vintid, state):
        """The first list register that has it in one of these states."""
        return next((register for register in self.registers
                     if register.state & state and register.vintid == vintid), None)


class Counts:
    """What has been counted."""

    # pylint: disable=too-many-instance-attributes

    def __init__(self):
        self.events = 0
        # From the number of list registers used at once to how often HCR.En was set for them
        self.used = collections.Counter()
        # How often it was set with UIE, since there were more interrupts than list registers
        self.overflows = 0
        # Maintenance interrupts while the guest ran, by cause; and how often the line was high
        # only while the hypervisor was writing its registers
        self.causes = collections.Counter()
        self.transients = 0
        # By kind of interrupt
        self.acknowledged = collections.Counter()
        self.ended = collections.Counter()
        self.eoi_maintenance = collections.Counter()
        # GICv2's: from (vINTID, source) to how many were acknowledged
        self.sgis = collections.Counter()
        self.spurious = 0
        self.unlisted_eois = 0


class Model:
    """Replays a trace: feed() it with each event, then finish()."""

    # pylint: disable=too-many-instance-attributes

    def __init__(self, version, watch=None):
        """
        :param version: of the GIC
        :param watch: called with the time, the CPU and the number of valid list registers,
                      each time that changes
        """
        self.version = version
        self.watch = watch
        self.interfaces = collections.defaultdict(lambda: Interface(version))
        # Active, and in no list register: by (vINTID, source). No register tells the vCPU.
        self.parked = collections.Counter()
        self.counts = Counts()
        self.list_registers = None
        self.line = 0
        self.faults = []
        self.broken = collections.Counter()     # by rule
        self.handlers = {name: getattr(self, self.method(name)) for name in self.names()}

    @staticmethod
    def method(name):
        return name.lower().replace(' ', '_')

    def names(self):
        """The events that there are methods for."""
        return ['maintenance', *(f'{register} {direction}' for register, direction in (
            ('HCR', 'write'), ('HCR', 'read'), ('VTR', 'read'), ('VMCR', 'write'),
            ('VMCR', 'read'), ('MISR', 'read'), ('EISR', 'read'), ('ELRSR', 'read'),
            ('APR', 'write'), ('APR', 'read'), ('LR', 'write'), ('LR', 'read'),
            ('IAR', 'read'), ('EOIR', 'write'), ('DIR', 'write'), ('CTLR', 'write'),
            ('PMR', 'write'), ('BPR', 'write'), ('ABPR', 'write'), ('IGRPEN', 'write')))]

    def feed(self, line, event):
        """
        :param line: its number, for messages
        :param event: an Event of vgic_trace
        """
        self.line = line
        self.counts.events += 1
        handler = self.handlers.get(event.name)
        if handler:
            handler(self.interfaces[event.cpu], event)

    def finish(self):
        """The trace has ended."""
        for interface in self.interfaces.values():
            for register in interface.registers:
                if register.state & ACTIVE:
                    self.parked[register.key] += 1
        counts = self.counts
        acknowledged, ended = map(lambda counter: sum(counter.values()),
                                  (counts.acknowledged, counts.ended))
        active = sum(self.parked.values())
        if acknowledged != ended + active:
            self.fault('conservation', f'{acknowledged} acknowledged, {ended} ended, '
                                       f'{active} active at the end')
        return self

    def fault(self, rule, text):
        assert rule in RULES
        self.broken[rule] += 1
        if len(self.faults) < TOLD:
            self.faults.append(f'line {self.line}: {text} [{rule}]')

    def expect(self, event, wanted, mask=~0):
        if (event.value ^ wanted) & mask:
            number = '' if event.number in (None, 0) else f' {event.number}'
            self.fault('value', f'{event.name}{number}: {event.value:#x}, not {wanted:#x}')

    def used(self, interface, event):
        """The number of valid list registers may have changed."""
        number = len(interface.valid())
        interface.most = max(interface.most, number)
        if self.watch:
            self.watch(event.time, event.cpu, number)

    # ---- Accesses of the hypervisor ----------------------------------------

    def vtr_read(self, interface, event):
        interface.priority_bits = (event.value >> 29 & 7) + 1
        interface.preemption_bits = (event.value >> 26 & 7) + 1
        self.list_registers = (event.value & LISTREGS[self.version]) + 1

    def hcr_write(self, interface, event):
        counts = self.counts
        if event.value & EN and not interface.hcr & EN:
            interface.most = 0
            counts.overflows += bool(event.value & UIE)
        elif interface.hcr & EN and not event.value & EN:
            counts.used[interface.most] += 1
        interface.hcr = event.value
        interface.eoicount = event.value >> EOICOUNT_SHIFT & EOICOUNT_MAX
        self.used(interface, event)

    def hcr_read(self, interface, event):
        self.expect(event, interface.eoicount << EOICOUNT_SHIFT,
                    EOICOUNT_MAX << EOICOUNT_SHIFT)

    def vmcr_write(self, interface, event):
        interface.vmcr = event.value

    def vmcr_read(self, interface, event):
        bits = 0xff << 8 - interface.priority_bits & 0xff
        self.expect(event, interface.vmcr, VENG0 | VENG1 | VCBPR | VEOIM | bits << VPMR_SHIFT)

    def misr_read(self, interface, event):
        self.expect(event, interface.misr())

    def bits(self, interface, event, condition):
        first = (event.number or 0) * 32
        self.expect(event, sum(1 << bit for bit, register in enumerate(
            interface.registers[first:first + 32]) if condition(register)))

    def eisr_read(self, interface, event):
        self.bits(interface, event, ListRegister.ended)

    def elrsr_read(self, interface, event):
        """KVM's first look after the guest has run."""
        self.pad(interface)
        self.guest_runs(interface)
        self.bits(interface, event,
                  lambda register: not register.state and not register.ended())
        # What it says of a list register need not be read there.
        for register in interface.registers:
            register.read = register.read or not register.state

    def apr_write(self, interface, event):
        group, shift = self.apr_place(event)
        interface.aprs[group] = interface.aprs[group] & ~(0xffffffff << shift) | \
            (event.value & 0xffffffff) << shift

    def apr_read(self, interface, event):
        group, shift = self.apr_place(event)
        self.expect(event, interface.aprs[group] >> shift & 0xffffffff)

    def apr_place(self, event):
        return (event.number[0], event.number[1] * 32) if self.version == 3 else (0, 0)

    def pad(self, interface):
        """As long as it is not known how many there are, there are all that are used."""
        while len(interface.registers) < (self.list_registers or 0):
            interface.registers.append(ListRegister(0, self.version))

    def lr_read(self, interface, event):
        self.pad(interface)
        if not self.is_there(event):
            return
        register = interface.registers[event.number]
        self.expect(event, register.value)
        register.read = True

    def is_there(self, event):
        if self.list_registers is None or event.number >= self.list_registers:
            self.fault('index', f'{event.name} {event.number}: there are '
                                f'{self.list_registers or "an unknown number"}')
            return False
        return True

    def lr_write(self, interface, event):
        self.pad(interface)
        if not self.is_there(event):
            return
        old, new = interface.registers[event.number], ListRegister(event.value, self.version)
        if not old.read:
            self.fault('unread', f'LR{event.number} is overwritten: {old}')
        if old.state & ACTIVE:
            self.parked[old.key] += 1
        interface.registers[event.number] = new
        if new.state:
            self.check_valid(interface, event.number, new)
        if new.state & ACTIVE:
            self.parked[new.key] -= 1
            if self.parked[new.key] < 0:
                self.fault('active', f'LR{event.number}: {new} was not acknowledged')
                self.parked[new.key] = 0
        self.used(interface, event)

    def check_valid(self, interface, number, new):
        """What holds for all that software makes valid."""
        for other, register in enumerate(interface.registers):
            if other != number and register.state and register.vintid == new.vintid:
                self.fault('unique', f'LR{number} and LR{other}: {new}')
        if new.hw and new.vintid not in TIMERS:
            self.fault('hw', f'LR{number}: {new}')
        if new.hw and new.state == PENDING | ACTIVE:
            self.fault('reserved', f'LR{number}: {new}')

    # ---- Accesses of the guest ---------------------------------------------

    def iar_read(self, interface, event):
        self.guest_runs(interface)
        vintid = event.value & (0x3ff if self.version == 2 else 0xffffff)
        signalled = [register for register in interface.registers
                     if interface.signalled(register)]
        if vintid in range(SPURIOUS, SPURIOUS + 4):
            self.counts.spurious += 1
            # 1022 is for interrupts of the other group.
            if signalled and vintid == SPURIOUS + 3:
                self.fault('spurious', f'{vintid} is acknowledged: {signalled[0]}')
            return
        register = interface.find(vintid, PENDING)
        if not register:
            self.fault('acknowledge', f'vINTID {vintid} is acknowledged, and not pending')
            return
        if register not in signalled or register.priority > interface.best():
            self.fault('priority', f'acknowledged: {register} with priority '
                                   f'{register.priority:#x}')
        if register.source is not None:
            self.expect(event, vintid | register.source << 10)
            self.counts.sgis[register.key] += 1
        interface.aprs[interface.apr_of(register)] |= interface.apr_bit(register)
        register.change(ACTIVE, self.version)
        self.counts.acknowledged[kind(register)] += 1
        self.used(interface, event)

    def eoir_write(self, interface, event):
        self.guest_runs(interface)
        vintid = event.value & (0x3ff if self.version == 2 else 0xffffff)
        if vintid in range(SPURIOUS, SPURIOUS + 4):
            return
        if not interface.drop():
            self.fault('running', f'vINTID {vintid} is ended, and no priority is running')
        if not interface.vmcr & VEOIM:
            self.deactivate(interface, event, vintid)

    def dir_write(self, interface, event):
        self.guest_runs(interface)
        if interface.vmcr & VEOIM:
            self.deactivate(interface, event,
                            event.value & (0x3ff if self.version == 2 else 0xffffff))

    def deactivate(self, interface, event, vintid):
        register = interface.find(vintid, ACTIVE)
        if register:
            if register.source is not None and event.value >> 10 & 7 != register.source:
                self.fault('eoi', f'ended as one from CPU {event.value >> 10 & 7}: {register}')
            register.change(register.state & ~ACTIVE, self.version)
            self.counts.ended[kind(register)] += 1
            if register.ended():
                self.counts.eoi_maintenance[kind(register)] += 1
            self.used(interface, event)
            return
        key = next((key for key, number in self.parked.items()
                    if number and key[0] == vintid), None)
        if key is None:
            self.fault('eoi', f'vINTID {vintid} is ended, and not active')
            return
        # The hypervisor keeps it somewhere, and hears of it by EOIcount.
        self.parked[key] -= 1
        self.counts.ended['not in a list register'] += 1
        self.counts.unlisted_eois += 1
        if vintid < FIRST_LPI:
            interface.eoicount += 1
            if interface.eoicount > EOICOUNT_MAX:
                self.fault('eoicount', 'EOIcount overflows')

    def ctlr_write(self, interface, event):
        self.guest_runs(interface)
        if self.version == 2:
            interface.vmcr = interface.vmcr & ~0x3ff | event.value & 0x3ff
        else:
            self.set_vmcr(interface, VCBPR, event.value & 1)
            self.set_vmcr(interface, VEOIM, event.value & 2)

    def igrpen_write(self, interface, event):
        self.guest_runs(interface)
        self.set_vmcr(interface, VENG1 if event.number else VENG0, event.value & 1)

    @staticmethod
    def set_vmcr(interface, bit, value):
        interface.vmcr = interface.vmcr | bit if value else interface.vmcr & ~bit

    @staticmethod
    def pmr_write(interface, event):
        interface.vmcr = interface.vmcr & ~(0xff << VPMR_SHIFT) | (event.value & 0xff) << VPMR_SHIFT

    @staticmethod
    def bpr_write(interface, event):
        shift = VBPR1_SHIFT if event.number else VBPR0_SHIFT
        interface.vmcr = interface.vmcr & ~(7 << shift) | (event.value & 7) << shift

    @staticmethod
    def abpr_write(interface, event):
        interface.vmcr = interface.vmcr & ~(7 << VBPR1_SHIFT) | (event.value & 7) << VBPR1_SHIFT

    # ---- The maintenance interrupt -----------------------------------------

    def guest_runs(self, interface):
        """Count the causes once for each time that the line is high while the guest runs."""
        if interface.line and not interface.taken:
            interface.taken = True
            misr = interface.misr()
            for bit, cause in enumerate(CAUSES):
                self.counts.causes[cause] += misr >> bit & 1

    def maintenance(self, interface, event):
        misr = interface.misr()
        if event.value != bool(interface.hcr & EN and misr):
            causes = '+'.join(cause for bit, cause in enumerate(CAUSES) if misr >> bit & 1)
            self.fault('maintenance', f'the maintenance interrupt of CPU {event.cpu} is '
                                      f'{event.value}; MISR: {causes or 0}, HCR '
                                      f'{interface.hcr:#x}')
        if event.value and not interface.line:
            interface.line, interface.taken = 1, False
        elif interface.line and not event.value:
            self.counts.transients += not interface.taken
            interface.line = 0
