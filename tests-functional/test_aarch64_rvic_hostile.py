#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
A hostile guest: QEMU survives it, stays small and quiet, and its other vCPUs
go on working.

The guest is baremetal/hostile.c. RVIC_SEED in the environment is the seed of
its random numbers; without it, every run has another. It is in the second line
of what the guest prints.
"""

import collections
import os
import random
import re
import subprocess
import tempfile
import threading

from qemu_test import QemuSystemTest
from rvic_guest import ACCEL, MIB
from test_aarch64_rvic_calls import CallsTest, Program, Run

# Bounds a run, in seconds, of which it takes a few on an idle machine
PATIENCE = 240

# Whether this QEMU was built with ASan or UBSan: meson says so, and sets their
# options for every QEMU
SANITIZERS = 'RVIC_SANITIZERS' in os.environ

# What QEMU may grow during one flood, in bytes: less than one for each thing
# that the hostile vCPUs do then. ASan's own memory comes and goes.
GROWTH = 4 * MIB if SANITIZERS else MIB // 8

# Where the program looks for the seed, the quota and how much to leave out
PARAMETERS = 0x47000000

# The cache of translated code belongs to QEMU's memory, too: keep it small.
CODE_MIB = 32

# For SVE accesses to devices QEMU subtracts from a null pointer. It never uses
# what comes out, but UBSan ends it for that.
NO_SVE = ',sve=off' if SANITIZERS else ''

# What that vCPU's lines in QEMU's log begin with whose calls are not counted:
# it is switched on again at any moment
TOGGLED = ('rVIC: CPU 4:', 'rVID: CPU 4:')

# The longest line in QEMU's log, in bytes
LINE = 200


class Flood(Run):
    """
    One run of the program.

    :ivar memory: QEMU's anonymous memory at each look at it, in bytes
    :ivar errors: what QEMU wrote to stderr, or its beginning
    :ivar log: name of QEMU's log of guest errors, or None
    :ivar logged: how many lines of which kind are in that log
    :ivar longest: its longest line's length
    """

    parts = ('hostile_calls.c', 'hostile_doorbell.c')

    def __init__(self, test):
        super().__init__(test.machine, test.program)
        self.name = re.sub(r'\W+', '-', f'{test.machine}-{test.cpu}')
        self.cpu = test.cpu
        self.quota = test.quota
        self.thin = test.thin
        self.memory = []
        self.errors = None
        self.log = test.scratch_file(f'{self.name}.qemu') \
            if test.logs else None
        self.logged = collections.Counter()
        self.longest = 0

    def go(self, test):
        super().go(test)
        if self.log and os.path.exists(self.log):
            with open(self.log, encoding='utf-8') as log:
                for line in log:
                    self.logged[kind_of(line)] += 1
                    self.longest = max(self.longest, len(line))

    def options(self, test):
        seed = int(os.environ.get('RVIC_SEED', random.getrandbits(32)))
        test.log.info('%s: RVIC_SEED=%d', self.name, seed)
        accel = (f'tcg,thread=multi,tb-size={CODE_MIB}' if ACCEL == 'tcg'
                 else ACCEL)
        options = ['-accel', accel, '-cpu', self.cpu, '-smp', '7']
        for index, value in enumerate((seed, self.quota, self.thin)):
            options += ['-device', f'loader,addr={PARAMETERS + 8 * index},'
                        f'data={value},data-len=8']
        if self.log:
            options += ['-d', 'guest_errors', '-D', self.log]
        return options

    def execute(self, command, console):
        # What was freed counts as used while ASan keeps it.
        sanitizer = os.environ.get('ASAN_OPTIONS', '')
        env = {**os.environ, 'ASAN_OPTIONS': sanitizer +
               ':quarantine_size_mb=1:thread_local_quarantine_size_kb=64'}
        with tempfile.TemporaryFile() as errors, \
             subprocess.Popen(command, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=errors,
                              env=env) as qemu:
            patience = threading.Timer(PATIENCE, qemu.kill)
            patience.start()
            try:
                for line in qemu.stdout:
                    console.write(line)
                    console.flush()
                    if line.strip() == b'LOOK':
                        self.memory.append(anonymous_memory(qemu.pid))
                        qemu.stdin.write(b'.')
                        qemu.stdin.flush()
                qemu.wait()
            finally:
                patience.cancel()
                qemu.kill()
            errors.seek(0)
            self.errors = errors.read(1000).decode(errors='replace')
        return qemu.returncode

    def counted(self, what):
        """All numbers that the program gave for this, or fail."""
        found = [int(number, 16) for number in re.findall(
            rf'^# {what} (0x\w+)$', self.text, re.M)]
        if not found:
            raise AssertionError(f'the guest did not count {what}: '
                                 f'{self.problem}')
        return found


def kind_of(line):
    """What a line of QEMU's log is about."""
    return ('toggled' if line.startswith(TOGGLED) else
            'call' if re.match(r'rVI[CD]: (CPU|call)', line) else
            'doorbell' if line.startswith('rVID: MSI doorbell') else 'other')


def anonymous_memory(pid):
    """The memory of a process that no file backs, in bytes."""
    with open(f'/proc/{pid}/status', encoding='ascii') as status:
        return int(re.search(r'^RssAnon:\s+(\d+) kB$', status.read(),
                             re.M)[1]) << 10


class Hostile(Program):
    """What holds for all machines."""

    program = 'hostile'
    cpu = 'max' + NO_SVE
    # Calls and accesses of each hostile vCPU in one flood
    quota = 100000
    growth = GROWTH
    # Of what is much alike, one in so many is tried.
    thin = 1
    logs = False
    floods = {}
    checks = {
        'start': ['all'],
        'stop': ['all'],
        'psci': ['discovery', 'power'],
        'calls': ['own', 'el0'],
        'doorbell': ['plain', 'special', 'fetch', 'dma'],
        'flood': ['first', 'second', 'toggled'],
        'others': ['first', 'second', 'nothing-lost', 'nothing-else'],
        'after': ['clean', 'ipi', 'timer', 'msi', 'level'],
    }

    def completed_run(self):
        if type(self) not in self.floods:
            self.floods[type(self)] = Flood(self)
            self.floods[type(self)].go(self)
        return self.floods[type(self)]

    def test_psci(self):
        """PSCI's and SMCCC's calls with extreme arguments."""
        self.look('psci')

    def test_calls(self):
        """All function IDs, extreme arguments, all exception levels."""
        self.look('calls')

    def test_doorbell(self):
        """Every access at every offset of the doorbell page and around."""
        self.look('doorbell')

    def test_flood(self):
        """Random calls and accesses by vCPUs that come and go."""
        for group in ('start', 'flood', 'stop'):
            self.look(group)
        run = self.completed_run()
        # It did what it is for.
        self.assertGreater(run.counted('work')[0], 8 * self.quota)
        self.assertGreater(run.counted('refused')[0], self.quota)
        self.assertGreater(run.counted('written')[0], self.quota)

    def test_others(self):
        """The other vCPUs' interrupts come as if they were alone."""
        self.look('others')

    def test_after(self):
        """A guest that cleans up finds everything in order."""
        self.look('after')

    def test_memory(self):
        """One more flood costs no memory."""
        run = self.completed_run()
        self.assertEqual(len(run.memory), 2, run.problem)
        first, second = run.memory
        self.log.info('%s: memory %d KiB, then %d KiB more', run.name,
                      first >> 10, (second - first) >> 10)
        self.assertLess(second - first, self.growth)

    def test_quiet(self):
        """Nothing is said to the user who did not ask."""
        self.assertEqual(self.completed_run().errors, '')


class EL1(Hostile, CallsTest):
    """The guest has no EL2."""

    machine = 'virt,irqchip=rvic'
    first_line = 'EL1'


class BelowEL2(Hostile):
    """The guest has EL2, and levels below, in both execution states."""

    machine = 'virt,irqchip=rvic,virtualization=on'
    first_line = 'EL2'
    checks = {
        **Hostile.checks,
        'calls': ['own', 'el1', 'el1-hvc', 'el1-trapped', 'el1-a32',
                  'el1-t32', 'el0', 'el0-hvc', 'el0-a32'],
    }


class CortexA57(BelowEL2, CallsTest):
    """A CPU of the first generation, without later ones' instructions."""

    cpu = 'cortex-a57'


class EL2(BelowEL2, CallsTest):
    """QEMU logs the guest's errors: hundreds of megabytes, if all is done."""

    logs = True
    quota = 20000
    thin = 32

    def test_log(self):
        """Each refused call is one line, each refused access at most one."""
        run = self.completed_run()
        refused, work, written = (run.counted(what)[0] for what in
                                  ('refused', 'work', 'written'))
        self.log.info('%s: %s, %s', run.name, run.logged, run.longest)
        self.assertEqual(run.logged['call'], refused)
        self.assertGreater(run.logged['doorbell'], 0)
        self.assertLessEqual(run.logged['doorbell'], written)
        self.assertLessEqual(run.logged['other'], work + written)
        self.assertLess(run.longest, LINE)


if __name__ == '__main__':
    QemuSystemTest.main()
