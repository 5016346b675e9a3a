#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
The PMU of a virtual machine, on a host with several: the choice, the vCPUs'
host CPUs, what happens if one is elsewhere, migration.
"""

import contextlib
import os
import subprocess

from qemu_test import QemuSystemTest
from rvic_guest import LinuxTest, LinuxVM
from rvic_pmu import (MACHINES, Guest, PMUTest, contents, host_pmus,
                      started_on)
import rvic_shim

MIDR = '/sys/devices/system/cpu/cpu{}/regs/identification/midr_el1'

# MIDR's fields of implementer and part
MODEL = 0xff00fff0


class ChoiceTest(PMUTest):
    """The options, and what follows from them."""

    def setUp(self):
        super().setUp()
        self.all = ', '.join(f'{pmu.name} (type {pmu.type}, host CPUs'
                             f' {pmu.list})' for pmu in self.pmus)

    def test_each(self):
        """
        Each PMU by name and by type, with each interrupt controller.

        All vCPUs count, are on its CPUs, and nothing else of QEMU is.
        """
        for index, machine in enumerate(MACHINES):
            for pmu in self.pmus:
                name = pmu.type if index % 2 else pmu.name
                with Guest(self, f',pmu={name}', machine=machine) as guest:
                    guest.wait_until_ready()
                    self.check_counting(guest)
                    self.check_event(guest)
                    mine = guest.threads()
                    for thread in os.listdir(f'/proc/{guest.vm.get_pid()}'
                                             '/task'):
                        self.assertEqual(
                            os.sched_getaffinity(int(thread)), pmu.cpus
                            if int(thread) in mine else
                            os.sched_getaffinity(0))
                    self.assertEqual(guest.pmu('name'), pmu.name)
                    self.assertEqual(guest.pmu('perf-type'), pmu.type)
                    self.assertEqual(guest.pmu('cpus'), pmu.list)
                    self.assertEqual(guest.pmu('counters'), guest.counters())
                    self.assertGreater(guest.counters(), 0)
                self.assertEqual(guest.messages(), [])

    def test_unknown(self):
        """Of a PMU that is not there, all those that are there are named."""
        for name in ('armv8_cortex_a99', '99', '-1', '', '1'):
            self.check_refused(f'pmu={name}: this host has no such PMU, but'
                               f' {self.all}', f',pmu={name}')
        self.check_refused(f'need pmu=NAME, one of {self.all}',
                           ',pmu-counters=1')
        self.check_refused(f'need pmu=NAME, one of {self.all}',
                           ',pmu-affinity=off')

    def test_no_pmu(self):
        """vCPUs without a PMU"""
        self.check_refused(
            "the vCPUs have no PMU: leave out pmu=off of '-cpu'",
            f',pmu={self.pmus[0].name}', '-cpu', 'host,pmu=off')

    def test_old_kernels(self):
        """What a kernel does not have"""
        name = self.pmus[0].name
        with rvic_shim.shim(self, 'has-set-pmu:ENXIO'):
            self.check_refused('cannot choose the PMU of a virtual machine,'
                               ' pmu=NAME: use Linux 5.19 or newer',
                               f',pmu={name}')
        with rvic_shim.shim(self, 'has-nr-counters:ENXIO'):
            self.check_refused("cannot choose the number of a PMU's counters,"
                               ' pmu-counters=N: use Linux 6.16 or newer',
                               f',pmu={name},pmu-counters=1')
        for error, text in (('ENXIO', 'it has no such PMU for virtual'
                             ' machines'), ('EBUSY', 'it is too late')):
            with rvic_shim.shim(self, f'set-pmu:{error}'):
                self.check_refused(f'pmu={name}: KVM refuses: {text}',
                                   f',pmu={name}')

    def test_order(self):
        """The scratch vCPU has the PMU, too; no register is read before."""
        pmu = self.pmus[1]
        with rvic_shim.shim(self, 'pmu') as lines, \
                Guest(self, f',pmu={pmu.name}') as guest:
            guest.wait_until_ready()
            self.assertEqual(lines(), [f'scratch-set-pmu {pmu.type}',
                                       f'set-pmu {pmu.type}'])

    def test_default(self):
        """
        Without a choice: one warning, and counters stop elsewhere.

        That is what QEMU does without us. KVM chooses the PMU of the CPU that
        the first vCPU is initialised on.
        """
        for mine, other in (self.pmus, self.pmus[::-1]):
            # It is initialised before it can be moved.
            with Guest(self, '', cpus=1, host_cpus={mine.one}) as guest:
                guest.wait_until_ready()
                thread, = guest.threads()
                self.check_counting(guest)
                os.sched_setaffinity(thread, {other.one})
                self.assertEqual(guest.counts(), [0])
                os.sched_setaffinity(thread, {mine.one})
                self.check_counting(guest)
                self.check_no_choice(guest)
            # Whoever starts it there has made a choice.
            self.assertEqual(guest.messages(), [])

    def test_warning(self):
        """One warning says which PMU it is, and how to choose."""
        with Guest(self, '', cpus=1) as guest:
            guest.wait_until_ready()
            thread, = guest.threads()
            counting = []
            for pmu in self.pmus:
                os.sched_setaffinity(thread, pmu.cpus)
                if guest.counts() != [0]:
                    counting.append(pmu)
        self.assertEqual(len(counting), 1)
        message, = guest.messages()
        self.assertRegex(
            message, f'^warning: KVM takes the PMU {counting[0].name} by'
            ' chance, that of host CPU [0-3], and counters stop while a vCPU'
            " runs elsewhere: choose with '-accel kvm,pmu=NAME' one of ")
        self.assertTrue(message.endswith(f' one of {self.all}'))

    def test_second_accel(self):
        """The first option is libvirt's, whose XML has no words for this."""
        pmu = self.pmus[1]
        with Guest(self, '', args=['-accel', f'kvm,pmu={pmu.name}']) as guest:
            guest.wait_until_ready()
            self.check_counting(guest)
            self.assertEqual(guest.pmu('name'), pmu.name)
        self.check_refused(f'pmu=none: this host has no such PMU, but'
                           f' {self.all}', '', '-accel', 'kvm,pmu=none')
        self.check_refused("Parameter 'pmu-counters' expects", '', '-accel',
                           'kvm,pmu-counters=few')

    def test_two_guests(self):
        """Guests with different PMUs side by side"""
        with Guest(self, f',pmu={self.pmus[0].name}', 'one') as one, \
                Guest(self, f',pmu={self.pmus[1].name}', 'two') as two:
            for guest in (one, two):
                guest.wait_until_ready()
            for _ in range(3):
                for guest in (one, two):
                    self.check_counting(guest)


class AffinityTest(PMUTest):
    """Where vCPUs are, where they must not be, and back."""

    def setUp(self):
        super().setUp()
        self.mine, self.other = self.pmus
        self.accel = f',pmu={self.mine.name}'

    def thread_cpus(self, guest):
        """Return the CPUs of each vCPU's thread."""
        return [os.sched_getaffinity(thread) for thread in guest.threads()]

    def check_paused(self, guest, cpu, host_cpu):
        """KVM refused to run a vCPU there: an event, and a message."""
        event = guest.vm.event_wait('KVM_FAIL_ENTRY', 60.0)
        self.assertIsNotNone(event)
        thread = guest.threads()[cpu]
        self.assertEqual(event['data'], {
            'cpu-index': cpu, 'thread-id': thread, 'host-cpu': host_cpu,
            'reason': 1, 'cpus': self.mine.list, 'pmu': self.mine.name})
        self.assertIsNotNone(guest.vm.event_wait('STOP', 60.0))
        self.assertEqual(guest.vm.cmd('query-status')['status'], 'paused')
        return (f'KVM cannot run vCPU {cpu} on host CPU {host_cpu}: the PMU'
                f' {self.mine.name} has host CPUs {self.mine.list}: the'
                f' virtual machine is paused: pin thread {thread} to host CPUs'
                f" {self.mine.list}, for example with 'taskset -pc"
                f" {self.mine.list} {thread}', then 'cont'")

    def go_on(self, guest):
        """The user has it run again, and sees that it does."""
        guest.vm.cmd('cont')
        self.assertIsNotNone(guest.vm.event_wait('RESUME', 60.0))
        self.check_counting(guest)
        self.assertEqual(guest.vm.cmd('query-status')['status'], 'running')

    def test_elsewhere(self):
        """A vCPU on a CPU without the PMU: paused, and back with "cont"."""
        for index, machine in enumerate(MACHINES):
            self.mine, self.other = self.pmus[::(1, -1)[index % 2]]
            with Guest(self, f',pmu={self.mine.name}',
                       machine=machine) as guest:
                guest.wait_until_ready()
                thread = guest.threads()[1]
                os.sched_setaffinity(thread, {self.other.one})
                said = [self.check_paused(guest, 1, self.other.one)]
                # Nothing has changed.
                guest.vm.cmd('cont')
                said.append(self.check_paused(guest, 1, self.other.one))
                os.sched_setaffinity(thread, {self.mine.one})
                self.go_on(guest)
            self.assertEqual(guest.messages(), said)

    def test_all_elsewhere(self):
        """All at once: one message; the next one is about another vCPU."""
        with Guest(self, self.accel, cpus=3) as guest:
            guest.wait_until_ready()
            guest.vm.cmd('stop')
            threads = guest.threads()
            for thread in threads:
                os.sched_setaffinity(thread, self.other.cpus)
            guest.vm.cmd('cont')
            named = set()
            for _ in threads:
                event = guest.vm.event_wait('KVM_FAIL_ENTRY', 60.0)
                self.assertIsNotNone(event)
                named.add(event['data']['thread-id'])
                self.assertEqual(guest.vm.cmd('query-status')['status'],
                                 'paused')
                os.sched_setaffinity(event['data']['thread-id'],
                                     self.mine.cpus)
                guest.vm.cmd('cont')
            self.assertEqual(named, set(threads))
            self.check_counting(guest)
        self.assertEqual(len(guest.messages()), 3)

    def test_at_once(self):
        """Whoever answers the event at once finds the machine stopped."""
        with Guest(self, self.accel) as guest:
            guest.wait_until_ready()
            thread = guest.threads()[1]
            for _ in range(10):
                os.sched_setaffinity(thread, {self.other.one})
                self.assertIsNotNone(
                    guest.vm.event_wait('KVM_FAIL_ENTRY', 60.0))
                os.sched_setaffinity(thread, {self.mine.one})
                guest.vm.cmd('cont')
                self.check_counting(guest)
                guest.vm.get_qmp_events()

    def test_pinned_afterwards(self):
        """As libvirt does: each vCPU on one CPU, before it runs."""
        with Guest(self, self.accel, args=['-S']) as guest:
            for thread, cpu in zip(guest.threads(), self.mine.cpus):
                os.sched_setaffinity(thread, {cpu})
            guest.vm.cmd('cont')
            guest.wait_until_ready()
            self.check_counting(guest)
            self.assertEqual(self.thread_cpus(guest),
                             [{cpu} for cpu in self.mine.cpus])

    def test_taskset(self):
        """Only what QEMU was started on, too; an error if that is nothing."""
        both = {max(self.mine.cpus), self.other.one}
        with Guest(self, self.accel, host_cpus=both) as guest:
            guest.wait_until_ready()
            self.check_counting(guest)
            self.assertEqual(self.thread_cpus(guest),
                             2 * [{max(self.mine.cpus)}])
        with started_on(self.other.cpus):
            said = self.refusal(self.accel)
        self.assertEqual(
            said,
            'qemu-system-aarch64: vCPU 0 cannot run anywhere: its thread has'
            f' host CPUs {self.other.list}, but the PMU {self.mine.name} has'
            f' host CPUs {self.mine.list}: start QEMU with others, for'
            ' example with taskset')

    def test_off(self):
        """pmu-affinity=off leaves threads alone; it is for the user to do."""
        with Guest(self, self.accel + ',pmu-affinity=off', cpus=1,
                   host_cpus={self.other.one}, args=['-S']) as guest:
            guest.vm.cmd('cont')
            self.check_paused(guest, 0, self.other.one)
            thread, = guest.threads()
            self.assertEqual(os.sched_getaffinity(thread), {self.other.one})
            os.sched_setaffinity(thread, self.mine.cpus)
            guest.vm.cmd('cont')
            guest.wait_until_ready()
            self.check_counting(guest)

    def test_pinned_later(self):
        """pmu-affinity=off, and pinned before it runs"""
        with Guest(self, self.accel + ',pmu-affinity=off', args=['-S'],
                   host_cpus=self.other.cpus) as guest:
            for thread in guest.threads():
                os.sched_setaffinity(thread, self.mine.cpus)
            guest.vm.cmd('cont')
            guest.wait_until_ready()
            self.check_counting(guest)
        self.assertEqual(guest.messages(), [])

    def test_denied(self):
        """A sandbox denies it: a warning, unless it is right already."""
        with rvic_shim.shim(self, 'no-affinity'):
            with Guest(self, self.accel, args=['-S']) as guest:
                self.assertEqual(self.thread_cpus(guest),
                                 2 * [os.sched_getaffinity(0)])
            self.assertEqual(guest.messages(), [
                'warning: cannot keep vCPUs on some host CPUs: the PMU'
                f' {self.mine.name} has host CPUs {self.mine.list}: Operation'
                " not permitted: pin their threads, for example with libvirt's"
                ' <vcpupin>'])
            with Guest(self, self.accel, host_cpus=self.mine.cpus) as guest:
                guest.wait_until_ready()
                self.check_counting(guest)
            self.assertEqual(guest.messages(), [])

    def test_other_reason(self):
        """What QEMU does not know is told as it is."""
        for machine in MACHINES:
            with rvic_shim.shim(self, 'fail-entry=4'), \
                    Guest(self, '', cpus=1, machine=machine, args=['-S'],
                          host_cpus={self.mine.one}) as guest:
                guest.vm.cmd('cont')
                data = guest.vm.event_wait('KVM_FAIL_ENTRY', 60.0)['data']
                self.assertEqual(data['reason'], 4)
                self.assertFalse({'cpus', 'pmu'} & set(data))
                self.assertIsNotNone(guest.vm.event_wait('STOP', 60.0))
                guest.vm.cmd('cont')
                guest.wait_until_ready()
                self.check_counting(guest)
            self.assertIn(
                f"KVM cannot run vCPU 0 on host CPU {data['host-cpu']}:"
                ' hardware entry failure 0x4: the virtual machine is paused:'
                " 'cont' tries again", guest.messages())


class MigrationTest(PMUTest):
    """To another PMU of the same host, which differs in its CPUs only"""

    def setUp(self):
        super().setUp()
        self.mine, self.other = self.pmus

    def check_refused_there(self, accel, wanted, *words):
        """
        Another QEMU does not take it; it goes on where it was.

        :param accel: what follows there in the option "-accel kvm"
        :param wanted: what that QEMU says
        :param words: for the shim
        """
        with Guest(self, f',pmu={self.mine.name}') as guest:
            guest.wait_until_ready()
            enabled = guest.enabled()
            with rvic_shim.shim(self, *words) if words else \
                    contextlib.nullcontext():
                there = self.migrate(guest, accel, 'failed')
            self.assertIn(wanted, '\n'.join(there.messages()))
            self.check_counting(guest)
            self.check_event(guest)
            self.assertEqual(guest.enabled(), enabled)

    def unlike(self, why):
        """Return what is said of the other PMU."""
        return (f'the PMU {self.other.name} is not like that of the virtual'
                f" machine: {why}: choose another with '-accel kvm,pmu=NAME',"
                ' or another host')

    def test_other(self):
        """The counters count on in a QEMU with another PMU."""
        if contents(MIDR.format(self.mine.one)) != \
                contents(MIDR.format(self.other.one)):
            self.skipTest('the CPUs of this host are really different')
        with Guest(self, f',pmu={self.mine.name}') as guest:
            guest.wait_until_ready()
            counters, enabled = guest.counters(), guest.enabled()
            there = self.migrate(guest, f',pmu={self.other.name}', 'completed')
            self.check_counting(there)
            self.check_event(there)
            self.assertEqual(there.counters(), counters)
            self.assertEqual(there.enabled(), enabled)
            self.assertEqual(there.pmu('name'), self.other.name)

    def test_looked_at(self):
        """The counters count on when somebody has read all registers."""
        with Guest(self, f',pmu={self.mine.name}') as guest:
            guest.wait_until_ready()
            enabled = guest.enabled()
            guest.vm.cmd('human-monitor-command',
                         command_line='info registers -a')
            self.check_counting(guest)
            self.check_event(guest)
            self.assertEqual(guest.enabled(), enabled)

    def test_other_cpus(self):
        """Refused if the other PMU's CPUs are not of that model."""
        mine = int(contents(MIDR.format(self.mine.one)), 16)
        other = mine ^ 0x010 | 0x41 << 24
        path = MIDR.format(self.other.one)
        file = self.scratch_file('midr')
        with open(file, 'w', encoding='ascii') as midr:
            print(f'0x{other:016x}', file=midr)
        if os.geteuid() != 0:
            self.skipTest('only root can put another MIDR there')
        subprocess.run(['mount', '--bind', file, path], check=True)
        try:
            self.check_refused_there(f',pmu={self.other.name}', self.unlike(
                f'it belongs to CPUs of MIDR 0x{other & MODEL:08x}, not'
                f' 0x{mine & MODEL:08x}, which count other events'))
        finally:
            subprocess.run(['umount', path], check=True)

    def test_other_version(self):
        """Refused if the other PMU is of an older version."""
        with Guest(self, f',pmu={self.mine.name}') as guest:
            guest.wait_until_ready()
            version = guest.ask(b'i')[1] >> 8 & 15
        self.check_refused_there(
            f',pmu={self.other.name}',
            self.unlike(f'it is of version 1, not {version}'), 'pmuver=1')

    def test_no_choice_there(self):
        """Refused by a QEMU without a choice."""
        self.check_refused_there(
            '', "Unknown savevm section or instance 'kvm-arm-pmu' 0")

    def test_no_choice_here(self):
        """A machine without a choice gets one; nothing is compared."""
        with Guest(self, '', host_cpus=self.mine.cpus) as guest:
            guest.wait_until_ready()
            there = self.migrate(guest, f',pmu={self.other.name}', 'completed')
            self.assertEqual(len(there.counts()), 2)
            self.assertEqual(there.pmu('name'), self.other.name)


class LinuxPMUTest(LinuxTest):
    """Linux as a guest"""

    def test_perf(self):
        """Its profiler gets the samples that it wants, on each CPU."""
        pmu = host_pmus()[1]
        with LinuxVM(self, 'guest', 'virt,irqchip=rvic', 2,
                     accel=f'kvm,pmu={pmu.name}',
                     files={'sample': self.compiled('sample')}) as guest:
            for cpu in range(2):
                samples, inside, *_ = map(int, guest.run(
                    f'taskset -c {cpu} /sample cycles 1000000 20').split())
                self.assertGreaterEqual(samples, 20)
                self.assertGreaterEqual(inside, samples * 0.9)
            self.check_messages(guest)
            self.assertEqual(guest.power_off(), 0)


if __name__ == '__main__':
    QemuSystemTest.main()
