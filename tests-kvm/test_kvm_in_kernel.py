#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
What QEMU does until a guest runs: finds KVM's rVIC or does not, makes it ready in
the order and with the values of its interface, and says what is wrong if there is
an error.
"""

import contextlib
import glob
import os
import re

from qemu_test import QemuSystemTest
import rvic_shim

NOT_FOUND = ("irqchip=rvic: this host's KVM has no rVIC: use kernel-irqchip=off"
             " for QEMU's own, or irqchip=gic")
ELSE = ": use kernel-irqchip=off for QEMU's own, or irqchip=gic"
NUMBERS = ("cannot set the numbers (32 trusted and 992 untrusted interrupts)"
           " of KVM's rVIC")

# What of RVIC_SHIM makes QEMU say what. Not on virtual machines thrown away.
REFUSED = {
    'create:EEXIST': "cannot create KVM's rVIC: the virtual machine has"
                     ' another interrupt controller' + ELSE,
    'create:EBUSY': "cannot create KVM's rVIC: a vCPU has run already" + ELSE,
    'create:ENODEV': "cannot create KVM's rVIC: it is gone" + ELSE,
    'create:EPERM': "cannot create KVM's rVIC: Operation not permitted" + ELSE,
    'nr-irqs:EBUSY': f'{NUMBERS}: they are set already{ELSE}',
    'nr-irqs:EFAULT': f'{NUMBERS}: it cannot read them{ELSE}',
    'nr-irqs:EINVAL': f'{NUMBERS}: it does not take these{ELSE}',
    'nr-irqs:ENXIO': f'{NUMBERS}: No such device or address{ELSE}',
    'init:ENXIO': "cannot initialise KVM's rVIC: its numbers of interrupts are"
                  ' not set' + ELSE,
    'init:EBUSY': "cannot initialise KVM's rVIC: it is initialised already, or"
                  ' a vCPU has run' + ELSE,
    'init:EINVAL': "cannot initialise KVM's rVIC: Invalid argument" + ELSE,
    'timer:EINVAL': 'KVM does not take interrupt 27 for the virtual timer:'
                    ' Invalid argument: use kernel-irqchip=off for QEMU\'s own'
                    ' rVIC, or irqchip=gic',
}

# What on a virtual machine thrown away makes a device another than an rVIC
OTHERS = ['scratch-create:EINVAL', 'scratch-has-nr-irqs:ENXIO',
          'scratch-has-init:ENXIO', 'scratch-nr-irqs:EINVAL',
          'scratch-get-nr-irqs:EFAULT', 'forgets']


class InKernelTest(QemuSystemTest):
    """Each test starts QEMUs of its own."""

    def setUp(self):
        super().setUp()
        self.require_accelerator('kvm')

    @contextlib.contextmanager
    def machine(self, options='', *args):
        """Start a machine that does not run; return its QEMUMachine."""
        vm = self.get_vm(name='machine')
        vm.set_machine(rvic_shim.MACHINE + options)
        vm.add_args('-accel', 'kvm', '-cpu', 'host', '-S', *args)
        vm.launch()
        try:
            yield vm
        finally:
            vm.shutdown(hard=True)

    def check(self, vm, which):
        """A machine has this rVIC, and no file is left of looking for it."""
        for device in 'rvic', 'rvid':
            self.assertEqual(
                vm.cmd('qom-get', path=f'/machine/{device}', property='type'),
                which + device)
        files = [os.readlink(name) for name in
                 glob.glob(f'/proc/{vm.get_pid()}/fd/*')]
        self.assertEqual(files.count('anon_inode:kvm-vm'), 1, files)
        self.assertEqual(files.count('/dev/kvm'), 1, files)

    def check_refused(self, message, *args, machine=rvic_shim.MACHINE):
        """QEMU ends with this one line."""
        status, said = rvic_shim.start(self, *args, machine=machine)
        self.assertEqual(said, f'qemu-system-aarch64: {message}\n')
        self.assertEqual(status, 1)

    def test_none(self):
        """The kernel of the host has no rVIC: QEMU's is taken."""
        with self.machine() as vm:
            self.check(vm, 'arm-')
        self.check_refused(NOT_FOUND,
                           machine=f'{rvic_shim.MACHINE},kernel-irqchip=on')

    def test_found(self):
        """An rVIC is found whatever its number is."""
        for number in 11, 14, 63:
            with rvic_shim.shim(self, f'device={number}', 'decoy=12') as log:
                with self.machine() as vm:
                    self.check(vm, 'kvm-arm-')
                self.assertEqual(
                    [line for line in log() if re.search('create|close', line)],
                    (['scratch-create 12', 'scratch-close'] if number > 12
                     else []) + [f'scratch-create {number}', 'scratch-close',
                                 f'create {number}'])

    def test_too_far(self):
        """The search has an end."""
        with rvic_shim.shim(self, 'device=64') as log:
            with self.machine() as vm:
                self.check(vm, 'arm-')
            self.assertEqual(log(), [])

    def test_others(self):
        """A device of that number that is no rVIC is left alone."""
        for word in OTHERS:
            with self.subTest(word), \
                    rvic_shim.shim(self, 'device=11', word) as log:
                with self.machine() as vm:
                    self.check(vm, 'arm-')
                self.assertIn('scratch-create 11', log())
                self.assertNotIn('create 11', log())
                self.check_refused(
                    NOT_FOUND,
                    machine=f'{rvic_shim.MACHINE},kernel-irqchip=on')

    def test_choice(self):
        """kernel-irqchip=off takes QEMU's, and does not even look."""
        with rvic_shim.shim(self, 'device=11') as log:
            with self.machine(',kernel-irqchip=off') as vm:
                self.check(vm, 'arm-')
            self.assertEqual(log(), [])
            with self.machine(',kernel-irqchip=on') as vm:
                self.check(vm, 'kvm-arm-')

    def test_order(self):
        """The device is made ready step by step, with the right values."""
        with rvic_shim.shim(self, 'device=11') as log:
            with self.machine('', '-smp', '4', '-global',
                              'arm-rvic-common.num-trusted=64', '-global',
                              'kvm-arm-rvic.num-untrusted=1024') as vm:
                for name, value in ('num-trusted', 64), ('num-untrusted', 1024):
                    self.assertEqual(vm.cmd('qom-get', path='/machine/rvic',
                                            property=name), value)
                self.assertEqual(vm.cmd('qom-get', path='/machine/rvid',
                                        property='num-inputs'), 1024)
            self.assertEqual(log(), [
                'scratch-create 11', 'scratch-nr-irqs 64 160', 'scratch-close',
                'create 11', 'nr-irqs 64 1088', 'init 4', 'timer 0 27', 'timer 1 30',
                'pmu 0 23', 'pmu 1 23', 'pmu 2 23', 'pmu 3 23'])

    def test_errors(self):
        """Each error of KVM has a message of its own."""
        for word, message in REFUSED.items():
            with self.subTest(word), rvic_shim.shim(self, 'device=11', word):
                self.check_refused(f'irqchip=rvic: {message}')

    def test_numbers(self):
        """Numbers that KVM would take wrongly never get there."""
        with rvic_shim.shim(self, 'device=11') as log:
            for prefix in 'kvm-arm-rvic', 'arm-rvic-common':
                self.check_refused(
                    'kvm-arm-rvic.num-trusted=32, num-untrusted=0: at least 32'
                    ' trusted and 32 untrusted interrupts are needed',
                    '-global', f'{prefix}.num-untrusted=0')
            self.check_refused(
                'kvm-arm-rvic.num-untrusted=128: has to be at least 256, the'
                ' number of wired inputs',
                '-global', 'kvm-arm-rvic.num-untrusted=128')
            # The last one is the board's demand, not KVM's.
            self.assertEqual([line for line in log()
                              if line.startswith('nr-irqs')],
                             ['nr-irqs 32 160'])

    def test_migration(self):
        """What cannot be saved is not, and the reason is given."""
        reason = ("irqchip=rvic: the state of KVM's rVIC cannot be saved:"
                  ' use kernel-irqchip=off')
        with rvic_shim.shim(self, 'device=11'):
            with self.machine() as vm:
                reply = vm.qmp('migrate', uri='exec:cat >/dev/null')
                self.assertIn(reason, reply['error']['desc'])
                self.assertIn(reason, vm.cmd(
                    'human-monitor-command', command_line='savevm now'))
            status, said = rvic_shim.start(self, '-only-migratable')
            self.assertEqual(status, 1)
            self.assertEqual(said.count('\n'), 1, said)
            self.assertIn(reason, said)
        # QEMU's own is no such obstacle
        with self.machine() as vm:
            reply = vm.qmp('migrate', uri='exec:cat >/dev/null')
            self.assertNotIn('error', reply)

    def test_monitor(self):
        """The monitor says where the state is."""
        with rvic_shim.shim(self, 'device=11'), self.machine() as vm:
            said = vm.cmd('human-monitor-command', command_line='info pic')
            self.assertIn('rVIC: 32 trusted, 992 untrusted INTIDs for each'
                          ' of 1 vCPU(s), in KVM, out of sight', said)
            self.assertIn('rVID: inputs 0-255 wired, 736 MSIs; mappings are in'
                          ' KVM, out of sight', said)

    def test_old_kernels(self):
        """QEMU's rVIC says what a kernel lacks for it."""
        system = os.uname()
        for word in 'has-filter:ENXIO', 'has-filter:ENOTTY':
            with rvic_shim.shim(self, word):
                self.check_refused(
                    f"irqchip=rvic: KVM of this host's {system.sysname}"
                    f' {system.release} cannot forward hypercalls'
                    ' (KVM_ARM_VM_SMCCC_FILTER): use Linux 6.4 or newer,'
                    " '-accel tcg', or irqchip=gic")
        with rvic_shim.shim(self, 'no-user-irq'):
            self.check_refused(
                'irqchip=rvic: KVM of this host does not report the timers to'
                " QEMU (KVM_CAP_ARM_USER_IRQ): use '-accel tcg' or irqchip=gic")
        with rvic_shim.shim(self, 'filter:EEXIST'):
            self.check_refused(
                'irqchip=rvic: KVM does not forward the hypercalls 0xc5000200'
                " to 0xc50002ff: File exists: use '-accel tcg' or irqchip=gic")


if __name__ == '__main__':
    QemuSystemTest.main()
