#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Calls of rVIC/rVID within QEMU's blocks of translated code, by all the ways in
which QEMU translates and executes them.

The guests are programs in baremetal/: they do the checks and print a line for
each. QEMU's log tells whether a call left the block by an exception.
"""

import fcntl
import os
import re
import subprocess
import threading
import time

from qemu_test import QemuSystemTest
from rvic_baremetal import build, verdicts
from rvic_guest import PATIENCE, compiler, contents

# From EL1 by HVC, and from EL2 by SMC
MACHINES = ('virt,irqchip=rvic', 'virt,irqchip=rvic,virtualization=on')

# Ways to execute code
WAYS = {
    'threads': ('-accel', 'tcg,thread=multi', '-smp', '2'),
    'one-thread': ('-accel', 'tcg,thread=single'),
    'one-insn': ('-accel', 'tcg,one-insn-per-tb=on'),
    'no-chain': ('-d', 'nochain'),
    'icount': ('-icount', 'shift=0'),
    'icount-no-sleep': ('-icount', 'shift=3,sleep=off'),
    'icount-auto': ('-icount', 'shift=auto'),
    'icount-no-chain': ('-icount', 'shift=0', '-d', 'nochain'),
    'icount-one-insn': ('-icount', 'shift=0',
                        '-accel', 'tcg,one-insn-per-tb=on'),
}

# Linux', since Python 3.10 also fcntl's
F_SETPIPE_SZ = 1031

# Where crowd.c looks for the numbers of its rounds and tries
PARAMETERS = 0x47000000

PLACES = ('middle', 'first', 'last', 'mmu-middle', 'mmu-first', 'mmu-last')
RAISING = ('signal', 'signal-untrusted', 'clear-masked', 'enable',
           'enable-line', 'resample', 'map')
CHECKS = {
    'blocks': [f'{place}/{how}' for place in PLACES for how in RAISING] +
              [f'calls/{name}' for name in
               ('mixed', 'back-to-back', 'loop', 'patched', 'landing-pads')],
    'steps': [f'step/{name}' for name in
              ('calls', 'again', 'interrupt', 'interrupt-taken')],
    'crowd': [f'crowd/{name}' for name in
              ('bits', 'map', 'duel', 'start', 'line-at-rest', 'exact',
               'line-behind-call', 'own')],
}
CHECKS_BELOW_EL2 = {'steps': ['step/el1', 'step/el1-trapped']}


def read_slowly(fifo):
    """Have whoever writes to a pipe wait at each 4 KiB."""
    with open(fifo, 'rb', buffering=0) as pipe:
        fcntl.fcntl(pipe, F_SETPIPE_SZ, 4096)
        while pipe.read(4096):
            time.sleep(0.001)


class BlocksTest(QemuSystemTest):
    """Each test runs a program in several ways."""

    def setUp(self):
        super().setUp()
        self.require_accelerator('tcg')
        compiler(self)
        self.programs = {}

    def complete(self, machine, program, *args):
        """
        Run a program; fail unless it comes to its end and all is well.

        :return: what it printed
        """
        if program not in self.programs:
            self.programs[program] = build(self, program)
        done = subprocess.run(
            [self.qemu_bin, '-machine', machine, '-m', '128M', '-cpu', 'max',
             '-nic', 'none', '-display', 'none', '-monitor', 'none',
             '-serial', 'stdio', '-kernel', self.programs[program], *args],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=PATIENCE, check=False)
        text = done.stdout.decode(errors='replace').replace('\r', '')
        checks = verdicts(text)
        how = f'{machine} {" ".join(args)}'
        self.assertEqual([wrong for wrong in checks.values() if wrong], [],
                         how)
        self.assertEqual((done.returncode, text.splitlines()[-1:]),
                         (0, ['DONE']), f'{how}\n{text}{done.stderr}')
        expected = CHECKS[program]
        if machine == MACHINES[1]:
            expected = expected + CHECKS_BELOW_EL2.get(program, [])
        self.assertEqual(sorted(checks), sorted(expected), how)
        return text

    def logged(self, name, machine, program, items, *args):
        """Return what QEMU's log has of these items, and the output."""
        log = self.scratch_file(name)
        text = self.complete(machine, program, '-d', items, '-D', log, *args)
        return contents(log).decode(errors='replace'), text

    def test_positions(self):
        """
        Calls are executed once wherever they are in the code, and what they
        raise is taken right behind them.
        """
        for machine in MACHINES:
            for args in WAYS.values():
                self.complete(machine, 'blocks', *args)

    def test_steps(self):
        """A guest single-steps itself, or EL1, over calls."""
        for machine in MACHINES:
            for name in 'threads', 'one-insn', 'icount', 'icount-no-chain':
                self.complete(machine, 'steps', *WAYS[name])

    def calls_by(self, log):
        """
        Count the calls in a log of items "int" and "trace:rvic_call".

        :return: those by an exception, those without
        """
        calls = re.findall(
            r'(Taking exception \d+ \[(?:Hypervisor|Secure Monitor) Call\].*\n'
            r'(?:\.\.\.(?!handled).*\n)*)?rvic_call ', log)
        return sum(map(bool, calls)), sum(not call for call in calls)

    def test_no_exception(self):
        """
        Calls do not leave the block, unless the guest steps itself. Without
        this, the other tests would say little.
        """
        for machine in MACHINES:
            for program in 'blocks', 'steps':
                log, _ = self.logged('calls', machine, program,
                                     'int,trace:rvic_call')
                slow, fast = self.calls_by(log)
                self.assertGreater(fast, 0)
                self.assertEqual(slow > 0, program == 'steps')

    def test_logs(self):
        """What QEMU logs of such a block: the call and the jump behind it."""
        for machine in MACHINES:
            log, _ = self.logged('ops', machine, 'steps', 'in_asm,op,exec')
            self.assertRegex(log, r'(?m)^\s*call rvic_call\b')

    def test_replay(self):
        """
        What is recorded happens again in the same order, and its calls did not
        leave the block either.
        """
        recording = self.scratch_file('recording')
        for machine in MACHINES:
            runs = [self.logged(mode, machine, 'blocks',
                                'int,trace:rvi*', '-icount',
                                f'shift=0,rr={mode},rrfile={recording}')
                    for mode in ('record', 'replay')]
            slow, fast = self.calls_by(runs[0][0])
            self.assertEqual(slow, 0)
            self.assertGreater(fast, 0)
            # For an IRQ, the syndrome is that of any access before.
            self.assertEqual(*((re.sub(r'\.\.\.with ESR .*\n', '', log), text)
                               for log, text in runs))

    def crowd(self, rounds, tries, *args):
        """Run that program; see there."""
        for index, value in enumerate((rounds, tries)):
            args += ('-device', f'loader,addr={PARAMETERS + 8 * index},'
                     f'data={value},data-len=8')
        self.complete(MACHINES[0], 'crowd', '-smp', '8', *args)

    def test_crowd(self):
        """All vCPUs use one instance, each in a thread of its own."""
        self.crowd(3, 200, '-accel', 'tcg,thread=multi')

    def test_crowd_one_thread(self):
        """All vCPUs use one instance, in one thread."""
        self.crowd(10, 500, '-accel', 'tcg,thread=single')

    def test_crowd_slow_line(self):
        """
        Now and then driving an IRQ takes a millisecond, while other vCPUs go
        on: QEMU logs it into a pipe that is mostly full.
        """
        fifo = self.scratch_file('log')
        os.mkfifo(fifo)
        reader = threading.Thread(target=read_slowly, args=(fifo,))
        reader.start()
        try:
            self.crowd(1, 500, '-accel', 'tcg,thread=multi',
                       '-d', 'trace:rvic_output', '-D', fifo)
        finally:
            # If QEMU has not opened it, the reader still waits.
            os.close(os.open(fifo, os.O_RDWR))
            reader.join()


if __name__ == '__main__':
    QemuSystemTest.main()
