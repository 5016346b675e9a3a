# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest that says whether its PMU's counters count: baremetal/pmu.c."""

import contextlib
import glob
import itertools
import os
import re

from qemu_test import QemuSystemTest
from rvic_guest import PATIENCE, Console
import rvic_shim

# Where the guest looks for the number of its vCPUs
PARAMETERS = 0x47000000

MACHINES = ('virt,gic-version=3', 'virt,irqchip=rvic',
            'virt,gic-version=2,kernel-irqchip=off')


def contents(path):
    """Return what a file of sysfs has."""
    with open(path, encoding='ascii') as file:
        return file.read().strip()


def cpu_list(text):
    """Return the set of CPUs of a list like "0-1,4"."""
    cpus = set()
    for part in text.split(','):
        first, _, last = part.partition('-')
        cpus.update(range(int(first), int(last or first) + 1))
    return cpus


class HostPMU:
    """One of the host's PMUs."""

    def __init__(self, folder):
        self.name = os.path.basename(folder)
        self.type = int(contents(os.path.join(folder, 'type')))
        self.list = contents(os.path.join(folder, 'cpus'))
        self.cpus = cpu_list(self.list)
        self.one = min(self.cpus)


def host_pmus():
    """Return the PMUs of the host's CPUs, by type."""
    return sorted((HostPMU(os.path.dirname(path)) for path in glob.glob(
        '/sys/bus/event_source/devices/*/cpus')), key=lambda pmu: pmu.type)


@contextlib.contextmanager
def started_on(cpus):
    """Have processes that are started meanwhile have these host CPUs."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Guest:
    """One QEMU with that guest: ``with Guest(...) as guest``."""

    numbers = itertools.count()

    def __init__(self, test, accel, name='guest', machine=MACHINES[0], cpus=2,
                 host_cpus=None, args=()):
        """
        :param test: the QemuSystemTest
        :param accel: what follows in the option "-accel kvm"
        :param cpus: how many vCPUs
        :param host_cpus: what QEMU is started on
        """
        self.test = test
        self.host_cpus = host_cpus or os.sched_getaffinity(0)
        self.transcript_name = test.log_file(f'{name}.console')
        # One that has been given arguments keeps them.
        self.vm = test.get_vm(name=f'{name}-{next(self.numbers)}')
        self.vm.set_console()
        self.vm.set_machine(machine)
        self.vm.add_args(
            '-accel', f'kvm{accel}', '-cpu', 'host', '-m', '128M',
            '-nic', 'none', '-smp', str(cpus), '-kernel',
            test.build_file('rvic', 'tests-kvm', 'pmu.elf'), '-device',
            f'loader,addr={PARAMETERS},data={cpus},data-len=8', *args)

    def __enter__(self):
        # pylint: disable=consider-using-with
        self.transcript = open(self.transcript_name, 'w', encoding='utf-8')
        with started_on(self.host_cpus):
            self.vm.launch()
        self.console = Console(self.vm, self.test.log, self.transcript,
                               PATIENCE)
        return self

    def __exit__(self, kind, error, traceback):
        self.vm.shutdown(hard=True)
        self.transcript.close()

    def wait_until_ready(self):
        """Wait until all vCPUs run."""
        self.console.wait_for('READY', 'start')

    def ask(self, byte):
        """Return the numbers that the guest answers with."""
        self.console.socket.sendall(byte)
        _, match = self.console.wait_for('@(.*)', f'answer to {byte}')
        return [int(word, 16) for word in match[1].split()]

    def counts(self):
        """Return how many cycles each vCPU has counted in some time."""
        return self.ask(b'.')

    def counters(self):
        """Return how many event counters the guest sees."""
        return self.ask(b'i')[0]

    def enabled(self):
        """Return which counters, and interrupts of them, are enabled."""
        return self.ask(b'r')

    def threads(self):
        """Return the vCPUs' threads."""
        return [cpu['thread-id'] for cpu in self.vm.cmd('query-cpus-fast')]

    def pmu(self, what):
        """Return a property of the PMU that was chosen."""
        return self.vm.cmd('qom-get', path='/machine/kvm-pmu', property=what)

    def messages(self):
        """Return what QEMU has said, line by line. It must have ended."""
        return [re.sub('^.*?qemu-system-aarch64: ', '', line)
                for line in self.vm.get_log().splitlines()
                if 'recommended cpus supported by KVM' not in line]


class OnePMUTest(QemuSystemTest):
    """What tests with that guest have in common."""

    # How many PMUs the host has
    kinds = 1

    def setUp(self):
        super().setUp()
        self.require_accelerator('kvm')
        self.pmus = host_pmus()
        if len(self.pmus) != self.kinds:
            self.skipTest(f'kinds of CPUs of this host: {len(self.pmus)}, not'
                          f' {self.kinds}')

    def check_counting(self, guest):
        """The counters of all vCPUs count."""
        for cycles in guest.counts():
            self.assertGreater(cycles, 1000)

    def check_no_choice(self, guest):
        """Nothing says that there was one."""
        reply = guest.vm.qmp('qom-get', path='/machine/kvm-pmu',
                             property='name')
        self.assertEqual(reply['error']['class'], 'DeviceNotFound')

    def check_event(self, guest):
        """So does an event counter."""
        self.assertGreater(guest.ask(b'e')[0], 1000)

    def refusal(self, accel, *args):
        """
        QEMU does not start; return the one line that says why.

        :param accel: what follows in the option "-accel kvm"
        """
        status, said = rvic_shim.start(self, '-nic', 'none', *args,
                                       accel=f'kvm{accel}', machine='virt')
        self.assertEqual(status, 1, said)
        self.assertEqual(len(said.splitlines()), 1, said)
        return said.rstrip('\n')

    def check_refused(self, wanted, accel, *args):
        """That line has this in it."""
        self.assertIn(wanted, self.refusal(accel, *args))

    def migrate(self, guest, accel, wanted):
        """
        Have it go on in another QEMU.

        :param accel: what follows there in the option "-accel kvm"
        :param wanted: the migration's status
        """
        address = 'unix:' + os.path.join(self.socket_dir().name, 'migration')
        there = Guest(self, accel, 'there', args=['-incoming', address])
        stack = contextlib.ExitStack()
        stack.enter_context(there)
        self.addCleanup(stack.close)
        guest.vm.cmd('migrate', uri=address)
        event = guest.vm.event_wait('STOP', 60.0)
        self.assertIsNotNone(event)
        if wanted == 'failed':
            there.vm.wait(60)
            guest.vm.cmd('cont')
        else:
            self.assertIsNotNone(there.vm.event_wait('RESUME', 60.0))
        return there


class PMUTest(OnePMUTest):
    """The same on a host with two."""

    kinds = 2
