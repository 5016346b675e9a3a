#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Eight vCPUs that send each other interrupts, take those of devices and move
them, as fast as they can, and account for each: baremetal/stress.c. The same
while the guest goes from one QEMU to the other and back, and is saved and
restored.

RVIC_STRESS_ROUNDS, RVIC_HANDOVERS, RVIC_SNAPSHOTS and RVIC_STRESS_SEED in the
environment make it more, or something else: numbers.
"""

import os
import random
import re
import time

from qemu_test import QemuSystemTest
from rvic_baremetal import build, verdicts
from rvic_guest import ACCEL, CPU, MIB, RVIC, Console

# What runs without a pause bounds this, in seconds. On an idle machine a few.
PATIENCE = 300

# What is fastest with several threads
THREADS = 'tcg,thread=multi' if ACCEL == 'tcg' else ACCEL

# Between two looks at the guest, in seconds: in an emulated host they are slow.
PAUSE = 0 if ACCEL == 'tcg' else 0.5

CPUS = 8


def setting(name, default):
    """Return the number that an environment variable has."""
    return int(os.environ.get('RVIC_' + name, default))


ROUNDS = setting('STRESS_ROUNDS', 20)
# One of five is by postcopy.
HANDOVERS = setting('HANDOVERS', 50)
SNAPSHOTS = setting('SNAPSHOTS', 5)
SEED = setting('STRESS_SEED', random.SystemRandom().randrange(1 << 32))

# Interrupts that each vCPU has to take before the guest moves again
PROGRESS = 100

# Where the program looks for its parameters
PARAMETERS = 0x401ff000

# What the program has besides stress.c
PARTS = [f'stress_{name}.c' for name in
         ('accounts', 'common', 'devices', 'ipis', 'irqs', 'lines', 'rounds',
          'timers')]

# Accounts of the program
CHECKS = ['once', 'merged', 'own', 'timers', 'msis', 'levels', 'spurious',
          'faults']


def edus():
    """
    Return QEMU's options for devices: with lines, two or three of which share
    one, and, from slot 16 on, with MSIs.
    """
    return [word for slot in (1, 2, 3, 4, 5, 6, 9, 16, 17)
            for word in ('-device', f'edu,addr={slot:x}')]


def network_cards():
    """
    Return QEMU's options for devices with lines, for a guest that moves: QEMU
    does not migrate edu's state.
    """
    return [word for slot in (1, 2, 3, 4, 5, 6)
            for word in ('-netdev', f'hubport,id=hub{slot},hubid=0',
                         '-device', 'e1000,romfile=,'
                         f'netdev=hub{slot},addr={slot:x}')]


class StressVM:
    """
    A QEMU that runs the guest, or waits for it.

    :ivar vm: the QEMUMachine
    :ivar console: the Console, while QEMU runs
    """

    def __init__(self, test, name, *args, accel=THREADS, rounds=0):
        """
        :param test: the StressTest
        :param name: different for each of a test
        :param args: more options of QEMU
        :param accel: QEMU's -accel option
        :param rounds: after so many the guest ends; 0: when it is told to
        """
        self.test = test
        self.console = None
        self.vm = test.get_vm(name=name)
        self.vm.set_machine(RVIC + ',highmem-ecam=off')
        self.vm.set_console()
        self.vm.add_args(
            '-accel', accel, '-cpu', CPU, '-smp', str(CPUS), '-m', '64M',
            # What it says last shall not go down with QEMU.
            '-no-shutdown',
            # The second is a device for the guest to use.
            '-serial', 'null', '-nic', 'none', '-kernel', test.elf, *args)
        for n, value in enumerate((SEED, rounds, accel == 'kvm')):
            self.vm.add_args('-device', f'loader,addr={PARAMETERS + 8 * n:#x},'
                             f'data={int(value)},data-len=8')

    def launch(self, text=''):
        """
        Start QEMU.

        :param text: what the guest has printed before, and nobody has read
        """
        self.vm.launch()
        self.console = Console(self.vm, self.test.log, self.test.transcript,
                               PATIENCE)
        self.console.text = text

    def boot(self):
        """Start QEMU with the guest, wait until all vCPUs run."""
        self.launch()
        self.console.wait_for('ok stress/start', 'start')

    def unread(self):
        """Return what the guest, which is stopped, has printed."""
        size = -1
        while len(self.console.text) > size:
            size = len(self.console.text)
            self.console.receive(0.01)
        return self.console.text

    def acknowledged(self):
        """Return how many interrupts each vCPU has taken in this QEMU."""
        return [instance['acknowledged'] for instance in self.vm.cmd(
            'qom-get', path='/machine/rvic', property='instances')]

    def wait_for_progress(self):
        """Wait until each vCPU has taken interrupts."""
        wanted = [count + PROGRESS for count in self.acknowledged()]
        deadline = time.monotonic() + PATIENCE
        while any(count < want for count, want in
                  zip(self.acknowledged(), wanted)):
            self.test.assertLess(time.monotonic(), deadline,
                                 f'vCPUs stand still: {self.acknowledged()}')
            self.check_going_on()
            time.sleep(PAUSE)

    def check_going_on(self):
        """The guest has not found that something is wrong."""
        if re.search(r'^DONE$', self.unread(), re.M):
            self.finish()
            self.test.fail('the guest has ended')

    def wait_until_running(self):
        """Wait until the guest has come here."""
        while True:
            status = self.vm.cmd('query-status')['status']
            if status == 'running':
                break
            self.test.assertIn(status, ('inmigrate', 'shutdown'))
            self.check_going_on()

    def wait_for_round(self):
        """Return the number of the round that the guest ends next."""
        return int(self.console.wait_for(r'round (\d+)', 'a round')[1][1])

    def wait_for_migration(self, wanted):
        """
        Wait until the migration has a status.

        :return: all that it had since the last call
        """
        seen = []
        while wanted not in seen:
            event = self.vm.event_wait('MIGRATION', PATIENCE)
            seen.append(event['data']['status'])
            self.test.assertNotIn(seen[-1], ('failed', 'cancelled'),
                                  self.vm.cmd('query-migrate'))
        return seen

    def finish(self):
        """Wait until the guest has switched off, check its accounts."""
        try:
            text, _ = self.console.wait_for('DONE', 'accounts')
        except Exception:
            if self.vm.is_running():
                self.test.log.error('%s', self.vm.cmd(
                    'human-monitor-command', command_line='info pic'))
            raise
        self.vm.event_wait('SHUTDOWN', PATIENCE)
        self.vm.shutdown()
        self.test.assertEqual(self.vm.exitcode(), 0)
        self.test.check_accounts(text)


class StressTest(QemuSystemTest):
    """
    Each test has a guest of its own.

    :ivar elf: the program
    :ivar transcript: file for all that the guest prints
    """

    def setUp(self):
        super().setUp()
        self.require_accelerator(ACCEL)
        self.elf = build(self, 'stress', *PARTS)
        self.transcript = open(  # pylint: disable=consider-using-with
            self.log_file('guest.console'), 'w', encoding='utf-8')
        self.addCleanup(self.transcript.close)

    def check_accounts(self, text):
        """What was sent was received, and there was something of each."""
        results = verdicts(text)
        self.assertEqual([text for text in results.values() if text], [], text)
        self.assertEqual(sorted(results),
                         sorted(f'stress/{name}' for name in CHECKS))
        for name, figures in re.findall(r'^(\w+):((?: [\w-]+ \d+)+)$', text,
                                        re.M):
            self.log.info('%s:%s', name, figures)
            for figure, count in re.findall(r' (\S+) (\d+)', figures):
                # These are rare, or better not there at all.
                if figure not in ('resent', 'empty', 'spurious', 'refused'):
                    self.assertGreater(int(count), 0, f'{name}: {figure}')

    def run_to_end(self, accel, rounds):
        """The guest alone"""
        guest = StressVM(self, 'guest', *edus(), accel=accel, rounds=rounds)
        guest.boot()
        guest.finish()

    def test_threads(self):
        """A thread for each vCPU."""
        self.run_to_end(THREADS, ROUNDS)

    def test_one_thread(self):
        """One thread for all vCPUs: that is faster."""
        self.run_to_end('tcg,thread=single', 5 * ROUNDS)

    def start(self, *args):
        """Return two StressVMs: the guest runs in one and may move."""
        guests = [StressVM(self, name, *network_cards(), *args)
                  for name in ('here', 'there')]
        guests[0].boot()
        guests[0].wait_for_progress()
        for guest in guests:
            guest.vm.add_args('-incoming', 'defer')
        return guests

    def end(self, guest):
        """Have the guest end, check its accounts."""
        guest.wait_for_progress()
        guest.console.send('end')
        guest.finish()

    def hand_over(self, source, destination, postcopy):
        """
        Have a running guest go on in another QEMU.

        :param postcopy: its memory follows
        :return: how many pages it had to ask for
        """
        capabilities = [{'capability': name, 'state': state} for name, state in
                        (('events', True), ('postcopy-ram', postcopy))]
        address = 'unix:' + os.path.join(self.socket_dir().name, 'migration')
        destination.launch()
        for guest in (destination, source):
            guest.vm.cmd('migrate-set-capabilities', capabilities=capabilities)
        destination.vm.cmd('migrate-incoming', uri=address)
        if postcopy:
            # Slow enough that precopy does not end before it is told to, and
            # that not all is there before it is asked for
            source.vm.cmd('migrate-set-parameters', max_bandwidth=MIB // 16,
                          max_postcopy_bandwidth=MIB // 2)
        source.vm.cmd('migrate', uri=address)
        if postcopy:
            source.wait_for_migration('active')
            source.vm.cmd('migrate-start-postcopy')
        seen = source.wait_for_migration('completed')
        self.assertEqual('postcopy-active' in seen, postcopy)
        destination.wait_for_migration('completed')
        requests = source.vm.cmd('query-migrate')['ram']['postcopy-requests']
        destination.console.text = source.unread()
        source.vm.shutdown()
        destination.wait_until_running()
        return requests

    def migrate(self, handovers, postcopy):
        """
        Hand a guest over again and again, then end it.

        :return: how many pages it had to ask for in all
        """
        guests = self.start()
        requests = 0
        for _ in range(handovers):
            requests += self.hand_over(*guests, postcopy)
            guests.reverse()
            guests[0].wait_for_progress()
        self.end(guests[0])
        return requests

    def test_precopy(self):
        """The guest goes back and forth between two QEMUs."""
        self.assertEqual(self.migrate(HANDOVERS - HANDOVERS // 5, False), 0)

    def test_postcopy(self):
        """The same, and its memory follows when it is asked for."""
        reply = self.try_postcopy()
        if 'error' in reply:
            self.skipTest(f'no postcopy here: {reply["error"]["desc"]}')
        requests = self.migrate(HANDOVERS // 5, True)
        self.log.info('%d pages asked for', requests)
        self.assertGreater(requests, 0)

    def try_postcopy(self):
        """Ask a QEMU whether the host lets it handle page faults."""
        vm = self.get_vm(name='empty')
        vm.add_args('-machine', 'none', '-incoming', 'defer')
        vm.launch()
        reply = vm.qmp('migrate-set-capabilities', capabilities=[
            {'capability': 'postcopy-ram', 'state': True}])
        vm.shutdown()
        return reply

    def test_snapshots(self):
        """
        The guest is saved, goes on, and goes back to that. It counts its
        rounds as if it had not gone on.
        """
        image = self.scratch_file('state.img')
        with open(image, 'wb') as file:
            file.truncate(1 << 20)
        # With a temporary image for what is written, which has snapshots
        guest = self.start('-snapshot', '-drive',
                           f'if=none,id=state,format=raw,file={image}')[0]
        for _ in range(SNAPSHOTS):
            first = guest.wait_for_round()
            guest.vm.cmd('stop')
            text = guest.unread()
            printed = re.findall(r'^round (\d+)$', text, re.M)
            self.monitor(guest, 'savevm stress')
            guest.vm.cmd('cont')
            while guest.wait_for_round() < first + len(printed) + 2:
                pass
            guest.vm.cmd('stop')
            guest.unread()
            self.monitor(guest, 'loadvm stress')
            guest.console.text = text
            guest.vm.cmd('cont')
            for n in range(first + 1, first + len(printed) + 3):
                self.assertEqual(guest.wait_for_round(), n)
        self.end(guest)

    def monitor(self, guest, command):
        """Have the human monitor execute what prints nothing."""
        self.assertEqual(guest.vm.cmd('human-monitor-command',
                                      command_line=command), '')


if __name__ == '__main__':
    QemuSystemTest.main()
