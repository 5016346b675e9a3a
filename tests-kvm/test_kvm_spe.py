#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
SPE for guests: what a host has to have, what is refused, the order and the values
of KVM's interfaces, their errors, guest memory, host CPUs.
"""

import ctypes
import os
import re
import resource
import subprocess

from qemu_test import QemuSystemTest
from rvic_spe import ABIS, INTID, SPETest, cpu, online
import rvic_shim

PATCHES = 'use a kernel with those patches, or spe=off'
CAPABILITY = {'v3': 191, 'v5': 208}

# Signs that are not there, and what they are called
SIGNS = {
    'no-spe-cap': 'capability {cap}',
    'scratch-vcpu-init:EINVAL': 'vCPUs with feature 7',
    'scratch-has-spe-irq:ENXIO': 'attribute 0 in group 3 of vCPUs',
    'scratch-has-spe-init:ENXIO': 'attribute 1 in group 3 of vCPUs',
    'no-pmsver': 'PMSVer in ID_AA64DFR0_EL1',
}

# What of RVIC_SHIM makes QEMU say what
IRQ = 'set the interrupt of SPE of vCPU 0'
INIT = 'initialise SPE of vCPU 0'
FINALIZE, LOCK = "finalise the guest's memory", "lock the guest's memory"
ERRORS = {
    'spe-irq:EBUSY': (IRQ, 'it is set already'),
    'spe-irq:EINVAL': (IRQ, 'it is no PPI, or not that of the other vCPUs'),
    'spe-irq:EFAULT': (IRQ, 'KVM cannot read it'),
    'spe-irq:ENXIO': (IRQ, 'KVM has no SPE, or this vCPU has none'),
    'spe-irq:EPERM': (IRQ, 'Operation not permitted'),
    'spe-init:EBUSY': (INIT, 'it is initialised already'),
}
ERRORS_OF = {
    'v3': {
        'spe-init:ENODEV': (INIT, 'the GIC is not initialised'),
        'spe-init:ENXIO': (INIT, 'its interrupt is not set'),
        'spe-finalize:EAGAIN': (FINALIZE, 'not all of it is locked'),
        'spe-finalize:EBUSY': (FINALIZE, 'a vCPU has run, or it is finalised'
                               ' already'),
        'spe-finalize:ENODEV': (FINALIZE, "a vCPU's SPE is not initialised"),
        'spe-finalize:ENOMEM': (FINALIZE, 'KVM has no memory for that'),
        'spe-finalize:ENXIO': (FINALIZE, 'not all vCPUs have SPE'),
        'spe-finalize:EINVAL': (FINALIZE, 'Invalid argument'),
    },
    'v5': {
        'spe-init:ENODEV': (INIT, 'No such device'),
        'spe-init:ENXIO': (INIT, 'the GIC is not initialised, or its interrupt'
                           ' is not set'),
        'spe-lock:EBUSY': (LOCK, 'it is locked already, or a vCPU runs'),
        'spe-lock:EFAULT': (LOCK, 'it is not there'),
        'spe-lock:EINVAL': (LOCK, 'KVM does not take this range of it'),
        'spe-lock:ENXIO': (LOCK, 'No such device or address'),
    },
}

# Of capabilities(7) and prctl(2)
CAP_IPC_LOCK, PR_CAPBSET_DROP = 14, 24

MIB = 1 << 20

# How long to wait for an event, in seconds, as a float
PATIENCE = float(rvic_shim.PATIENCE)

# The guest's memory; the page that steal time is in; the board's flash, which v3
# locks, too
RAM, STEAL_TIME, FLASH = 128 * MIB, 4096, 128 * MIB
LIMIT = 8 * MIB

# A PCI device whose first BAR is memory, and where the test puts that
CONFIG, BAR = 0x4010000000 + (3 << 15), 0x10000000
DISPLAY = '-device', 'bochs-display,addr=3,vgamem=4M,romfile='


def unlimited():
    """Have no limit that could be the reason."""
    resource.setrlimit(resource.RLIMIT_MEMLOCK,
                       (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def with_limit():
    """Have no privilege to lock more memory than the limit."""
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (LIMIT, LIMIT))
    ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK, 0, 0, 0)


class ChoiceTest(SPETest):
    """The options, and what a host has to have."""

    def test_released(self):
        """No released kernel has it: this host's has not."""
        with self.devices(online()):
            for abi in ABIS:
                self.check_refused(
                    f'spe=on: KVM of this host has no SPE with the interface'
                    f' {abi}: it lacks capability {CAPABILITY[abi]}:'
                    f' {PATCHES}', cpu(abi))

    def test_no_abi(self):
        """Which interface it is has to be said, and to be known."""
        self.check_refused(
            'spe=on: no released kernel has SPE for virtual machines, and'
            " patches differ: say with x-spe-abi which interface this host's"
            ' KVM has, v3 or v5, or use spe=off', 'host,spe=on')
        self.check_refused(
            re.compile('x-spe-abi=v7: there is no such interface: use v3 or'
                       ' v5'), cpu('v7'))

    def test_signs(self):
        """If one sign is missing, all others are not believed."""
        for abi in ABIS:
            signs = {**SIGNS}
            if abi == 'v3':
                signs['scratch-has-spe-finalize:ENXIO'] = (
                    'attribute 0 in group 0 of virtual machines')
            if abi == 'v5':
                signs['no-lock-cap'] = 'capability 207'
            for word, what in signs.items():
                with self.host(abi, word) as log:
                    self.check_refused(
                        'spe=on: KVM of this host has no SPE with the'
                        f' interface {abi}: it lacks'
                        f' {what.format(cap=CAPABILITY[abi])}: {PATCHES}',
                        cpu(abi))
                    self.assertEqual(self.steps(log), [])
        # The other interface
        for abi in ABIS:
            with self.host(*(other for other in ABIS if other != abi)):
                self.check_refused(re.compile('it lacks capability'), cpu(abi))

    def test_refused(self):
        """What SPE does not go with"""
        gic = 'use irqchip=gic and kernel-irqchip=on, or spe=off'
        for abi in ABIS:
            with self.host(abi, 'device=11') as log:
                self.check_refused(
                    'spe=on: SPE needs a 64-bit EL1: use aarch64=on or'
                    ' spe=off', cpu(abi, ',aarch64=off'))
                for machine in ('virt,gic-version=2,kernel-irqchip=off',
                                'virt,irqchip=rvic,kernel-irqchip=off',
                                'virt,irqchip=rvic'):
                    # The last one is KVM's rVIC: there is a device for it.
                    self.check_refused(f"spe=on: SPE needs KVM's GIC: {gic}",
                                       cpu(abi), machine=machine)
                self.check_refused(re.compile('Virtualization extensions'),
                                   cpu(abi),
                                   machine='virt,virtualization=on')
                self.check_refused(
                    'spe=on: memory is locked at the start, so none can be'
                    ' plugged later: leave out maxmem, or use spe=off',
                    cpu(abi), '-m', '128M,slots=1,maxmem=1G')
                self.check_refused(
                    'spe=on: no machine can be migrated to this one: leave out'
                    ' -incoming, or use spe=off', cpu(abi),
                    '-incoming', 'defer')
                self.assertEqual(self.steps(log), [])
            # There is no device: QEMU's rVIC
            with self.host(abi):
                self.check_refused(f"spe=on: SPE needs KVM's GIC: {gic}",
                                   cpu(abi), machine='virt,irqchip=rvic')

    def test_same(self):
        """The order of the options and the name of the CPU do not matter."""
        for option in 'host,x-spe-abi=v5,spe=on', 'max,spe=on,x-spe-abi=v5':
            with self.host('v5') as log, \
                    self.started('v5', '-cpu', option):
                self.assertIn(f'spe-irq 0 {INTID}', self.steps(log))

    def test_introspection(self):
        """The monitor tells what a vCPU has."""
        path = '/machine/unattached/device[0]'
        for abi in ABIS:
            with self.host(abi):
                with self.started(abi) as vm:
                    for name, value in ('spe', True), ('x-spe-abi', abi):
                        self.assertEqual(
                            vm.cmd('qom-get', path=path, property=name), value)
                        reply = vm.qmp('qom-set', path=path, property=name,
                                       value=value)
                        self.assertIn('cannot be changed',
                                      reply['error']['desc'])
        # The last option counts; what is not used does no harm.
        for more in ',spe=off', ',spe=off,x-spe-abi=v5':
            with self.started('v3', more=more) as vm:
                self.assertEqual(
                    vm.cmd('qom-get', path=path, property='spe'), False)

    def test_migration(self):
        """The reason for not migrating is given."""
        reason = ('spe=on: a guest whose profiling buffers are locked in'
                  ' memory cannot be migrated: use spe=off')
        for abi in ABIS:
            with self.host(abi):
                with self.started(abi) as vm:
                    reply = vm.qmp('migrate', uri='exec:cat >/dev/null')
                    self.assertIn(reason, reply['error']['desc'])
                    self.assertIn(reason, vm.cmd(
                        'human-monitor-command', command_line='savevm now'))
                self.check_refused(re.compile(re.escape(reason)), cpu(abi),
                                   '-only-migratable')
                with self.started(abi, more=',spe=off') as vm:
                    self.assertNotIn(
                        'error', vm.qmp('migrate', uri='exec:cat >/dev/null'))


class OrderTest(SPETest):
    """Order, values, errors."""

    def test_order(self):
        """Step by step, on each vCPU; again after each reset, as it has to."""
        for abi in ABIS:
            last = {'v3': ['spe-finalize'],
                    'v5': [f'spe-lock 0x40000000 {RAM:#x}',
                           f'spe-lock 0x90a0000 {STEAL_TIME:#x}']}[abi]
            with self.host(abi) as log:
                with self.started(abi, '-smp', '3') as vm:
                    steps = [step for index in range(3) for step in
                             (f'spe-irq {index} {INTID}', f'spe-init {index}')]
                    self.assertEqual(self.steps(log), steps + last)
                    # The first time it does not run yet.
                    for command in None, 'cont', None, 'stop', 'cont':
                        if command:
                            vm.cmd(command)
                        vm.cmd('system_reset')
                        vm.event_wait('RESET', PATIENCE)
                    self.assertEqual(vm.cmd('query-status')['status'],
                                     'running')
                resets = 5 if abi == 'v3' else 0
                self.assertEqual(self.steps(log), steps + last * (1 + resets))

    def test_errors(self):
        """Each error of KVM has a message of its own."""
        for abi in ABIS:
            for word, (what, why) in {**ERRORS, **ERRORS_OF[abi]}.items():
                with self.host(abi, word):
                    self.check_refused(
                        f"spe=on: cannot {what} with KVM's interface {abi}:"
                        f' {why}: use spe=off', cpu(abi))


class MemoryTest(SPETest):
    """Guest memory is locked."""

    def locked(self, vm):
        """Return how much memory QEMU has locked, in bytes."""
        with open(f'/proc/{vm.get_pid()}/status', encoding='ascii') as file:
            return int(re.search(r'VmLck:\s*(\d+) kB', file.read())[1]) << 10

    def test_limit(self):
        """Too small a limit: the message says what it has to be."""
        for abi in ABIS:
            needed = RAM + STEAL_TIME + (FLASH if abi == 'v3' else 0)
            with self.host(abi):
                done = subprocess.run(
                    [self.qemu_bin, '-accel', 'kvm', '-cpu', cpu(abi),
                     '-machine', 'virt,gic-version=host', '-nodefaults',
                     '-display', 'none', '-S'], preexec_fn=with_limit,
                    capture_output=True, text=True, check=False,
                    timeout=rvic_shim.PATIENCE)
                self.assertEqual(done.returncode, 1)
                self.assertRegex(
                    done.stderr, "^qemu-system-aarch64: spe=on: cannot lock the"
                    f" guest's memory: [A-Z][a-z ]+: it takes {needed} bytes,"
                    f' and RLIMIT_MEMLOCK is {LIMIT}: raise that, for example'
                    " with 'ulimit -l' or libvirt's <hard_limit>, or use"
                    ' spe=off\n$')

    def test_kvm_refuses(self):
        """It is not the limit that is too small."""
        for error, text in (('ENOMEM', 'Cannot allocate memory'),
                            ('EPERM', 'Operation not permitted'),
                            ('EAGAIN', 'Resource temporarily unavailable')):
            with self.host('v5', f'spe-lock:{error}'):
                self.check_refused(
                    "spe=on: cannot lock the guest's memory of"
                    f' {RAM + STEAL_TIME} bytes: {text}: use less, or spe=off',
                    cpu('v5'), preexec_fn=unlimited)

    def test_late(self):
        """Memory that the guest maps later is locked then."""
        for abi in ABIS:
            with self.host(abi) as log, \
                    self.started(abi, '-smp', '2', *DISPLAY,
                                 qtest=True) as (vm, qtest):
                before = self.locked(vm)
                self.assertGreaterEqual(before, RAM)
                steps = self.steps(log)
                qtest.cmd(f'writel {CONFIG + 0x10} {BAR}')
                qtest.cmd(f'writew {CONFIG + 4} 2')
                self.assertEqual(self.locked(vm), before + 4 * MIB)
                self.assertEqual(
                    self.steps(log)[len(steps):],
                    [f'spe-lock {BAR:#x} 0x400000'] if abi == 'v5' else [])
                # No vCPU may run while it is locked, and they do now.
                vm.cmd('cont')
                steps = self.steps(log)
                for address in BAR + 64 * MIB, BAR:
                    qtest.cmd(f'writel {CONFIG + 0x10} {address}')
                    self.assertEqual(self.locked(vm), before + 4 * MIB)
                if abi == 'v5':
                    self.assertEqual(
                        self.steps(log)[len(steps):],
                        [f'spe-lock {address:#x} 0x400000' for address in
                         (BAR + 64 * MIB, BAR)])
                vm.cmd('system_reset')
                vm.event_wait('RESET', PATIENCE)
                self.assertEqual(vm.cmd('query-status')['status'], 'running')


class HostCPUsTest(SPETest):
    """Hosts on which not all CPUs have SPE; QEMU may use two."""

    def setUp(self):
        super().setUp()
        if (os.cpu_count() or 1) < 2:
            self.skipTest('the host has one CPU')

    def affinities(self, vm):
        """Return the sets of host CPUs of the vCPUs' threads."""
        return [os.sched_getaffinity(info['thread-id'])
                for info in vm.cmd('query-cpus-fast')]

    def test_none(self):
        """KVM offers it, but Linux has found none."""
        for abi in ABIS:
            for cpus in (), ('',):
                with self.devices(*cpus), \
                        rvic_shim.shim(self, f'spe={abi}') as log:
                    self.check_refused(
                        'spe=on: Linux on this host has no SPE on any CPU'
                        ' (/sys/bus/event_source/devices/arm_spe_*): use'
                        ' spe=off', cpu(abi))
                    self.assertEqual(self.steps(log), [])

    def test_some(self):
        """v3 refuses, v5 has its vCPUs on these."""
        for one in 0, 1:
            with self.devices(one), rvic_shim.shim(self, 'spe=v3'):
                self.check_refused(
                    f'spe=on: only host CPUs {one} of {online()} have SPE, and'
                    " KVM's interface v3 needs it on all: take the others"
                    ' offline, or use spe=off', cpu('v3'))
            with self.devices(one), \
                    rvic_shim.shim(self, 'spe=v5', f'spe-cpu={one}'):
                with self.started('v5', '-smp', '2') as vm:
                    self.assertEqual(self.affinities(vm), [{one}] * 2)
                    self.assertEqual(os.sched_getaffinity(vm.get_pid()),
                                     os.sched_getaffinity(0))

    def test_several_devices(self):
        """CPUs of different devices go together, in any order."""
        everywhere = os.sched_getaffinity(0)
        listed = sorted(everywhere)
        for cpus in (listed, listed[::-1]):
            for abi in ABIS:
                with self.devices(*cpus), rvic_shim.shim(self, f'spe={abi}'), \
                        self.started(abi) as vm:
                    self.assertEqual(self.affinities(vm), [everywhere])

    def test_nowhere(self):
        """QEMU itself is where there is no SPE."""
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {1})
        try:
            with self.devices(0), rvic_shim.shim(self, 'spe=v5'):
                self.check_refused(
                    'vCPU 0 cannot run anywhere: its thread has host CPUs 1,'
                    ' but SPE has host CPUs 0: start QEMU with others, for'
                    ' example with taskset', cpu('v5'))
        finally:
            os.sched_setaffinity(0, before)

    def test_fail_entry(self):
        """
        A vCPU on another CPU: the machine is paused, with a message; pinned
        right, it goes on.
        """
        with self.devices(0), rvic_shim.shim(self, 'spe=v5', 'spe-cpu=0'), \
                self.started('v5') as vm:
            thread = vm.cmd('query-cpus-fast')[0]['thread-id']
            vm.cmd('cont')
            os.sched_setaffinity(thread, {1})
            # It may wait for an interrupt: have it leave KVM.
            vm.cmd('human-monitor-command', command_line='info registers')
            data = vm.event_wait('KVM_FAIL_ENTRY', PATIENCE)['data']
            self.assertEqual(data, {
                'cpu-index': 0, 'thread-id': thread, 'host-cpu': 1,
                'reason': 1, 'cpus': '0'})
            self.assertIsNotNone(vm.event_wait('STOP', PATIENCE))
            self.assertEqual(vm.cmd('query-status')['status'], 'paused')
            # Still there: once again
            vm.cmd('cont')
            self.assertIsNotNone(vm.event_wait('STOP', PATIENCE))
            os.sched_setaffinity(thread, {0})
            vm.get_qmp_events()
            vm.cmd('cont')
            with self.assertRaises(TimeoutError):
                vm.event_wait('STOP', 2.0)
            self.assertEqual(vm.cmd('query-status')['status'], 'running')
            vm.shutdown(hard=True)
            said = vm.get_log()
        self.assertRegex(said, r'vCPU 0 on host CPU 1: SPE has host CPUs 0')


if __name__ == '__main__':
    QemuSystemTest.main()
