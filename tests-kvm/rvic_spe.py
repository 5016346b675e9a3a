# SPDX-License-Identifier: GPL-2.0-or-later
"""A KVM with SPE, as tests see it: shim/shim_spe.c answers for it."""

import contextlib
import ctypes
import os
import re
import shutil

from qemu_test import QemuSystemTest
from rvic_acpi import QTest
import rvic_shim

DEVICES = '/sys/bus/event_source/devices'
ONLINE = '/sys/devices/system/cpu/online'

# Of KVM's interfaces, what the user calls them
ABIS = 'v3', 'v5'

# The INTID that the board gives to SPE
INTID = 21

MACHINE = 'virt,gic-version=host'

# Of unshare(2) and mount(2)
CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 0x1000, 0x4000, 0x40000

LIBC = ctypes.CDLL(None, use_errno=True)


def online():
    """Return the host's CPUs as Linux lists them."""
    with open(ONLINE, encoding='ascii') as file:
        return file.read().strip()


def cpu(abi, more=''):
    """Return QEMU's -cpu option."""
    return f'host,spe=on,x-spe-abi={abi}{more}'


def check(failed):
    """Raise an OSError if a function of libc failed."""
    if failed:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


class SPETest(QemuSystemTest):
    """
    A test whose QEMUs find devices in sysfs that the host has not, by mounts
    that nobody else sees.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if os.geteuid() == 0:
            check(LIBC.unshare(CLONE_NEWNS))
            check(LIBC.mount(b'none', b'/', None, MS_REC | MS_PRIVATE, None))

    def setUp(self):
        super().setUp()
        self.require_accelerator('kvm')
        if os.geteuid():
            self.skipTest('only root may mount devices')

    @contextlib.contextmanager
    def devices(self, *cpus):
        """
        Have the host have SPE devices.

        :param cpus: for each device, the list of its host CPUs
        """
        folder = self.scratch_file('devices')
        shutil.rmtree(folder, ignore_errors=True)
        os.mkdir(folder)
        for name in os.listdir(DEVICES):
            os.symlink(os.path.realpath(os.path.join(DEVICES, name)),
                       os.path.join(folder, name))
        for number, cpumask in enumerate(cpus):
            device = os.path.join(folder, f'arm_spe_{number}')
            os.mkdir(device)
            with open(os.path.join(device, 'cpumask'), 'w',
                      encoding='ascii') as file:
                file.write(f'{cpumask}\n')
        check(LIBC.mount(folder.encode(), DEVICES.encode(), None, MS_BIND,
                         None))
        try:
            yield
        finally:
            check(LIBC.umount2(DEVICES.encode(), 0))

    @contextlib.contextmanager
    def host(self, abi, *words):
        """
        Have a KVM with SPE on a host whose CPUs all have it.

        :param words: more of RVIC_SHIM
        :return: as rvic_shim.shim()
        """
        with self.devices(online()), \
                rvic_shim.shim(self, f'spe={abi}', *words) as log:
            yield log

    @contextlib.contextmanager
    def started(self, abi, *args, qtest=False, machine=MACHINE, more=''):
        """
        Start a machine that does not run yet; return its QEMUMachine.

        :param qtest: return the QTest, too
        :param more: more of QEMU's -cpu option
        """
        vm = self.get_vm()
        vm.set_machine(machine)
        vm.add_args('-accel', 'kvm', '-cpu', cpu(abi, more), '-S',
                    '-nodefaults', *args)
        other = QTest(self) if qtest else None
        if qtest:
            vm.add_args(*other.args())
        vm.launch()
        if qtest:
            other.accept()
        try:
            yield (vm, other) if qtest else vm
        finally:
            if qtest:
                other.close()
            vm.shutdown(hard=True)

    def check_refused(self, message, option, *args, machine=MACHINE,
                      preexec_fn=None):
        """
        QEMU ends with one line.

        :param message: what it says, or a regular expression
        :param option: QEMU's -cpu option
        :param preexec_fn: as subprocess.run() has it
        """
        status, said = rvic_shim.start(self, '-cpu', option, *args,
                                       machine=machine, preexec_fn=preexec_fn)
        self.assertEqual(status, 1, said)
        if isinstance(message, re.Pattern):
            self.assertRegex(said, message)
            self.assertEqual(said.count('\n'), 1, said)
        else:
            self.assertEqual(said, f'qemu-system-aarch64: {message}\n')

    def steps(self, log):
        """Return what the shim's log has of SPE."""
        return [line for line in log() if line.startswith('spe-')]
