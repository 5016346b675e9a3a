#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
What a user can choose with KVM and rVIC/rVID: kernel-irqchip, vhost; what is
refused; snapshots and live migration.

RVIC_GUEST in the environment is the folder with the guest's Image and
initramfs.cpio.gz.
"""

import glob
import os
import random
import subprocess
import unittest

from qemu_test import QemuSystemTest
from rvic_guest import (MIB, NET_SLOT, RVIC, LinuxTest, LinuxVM, contents,
                        growth, sha256)
from rvic_long import more

DATA = random.Random(8).randbytes(more(MIB // 2, 4 * MIB))

# How often a guest goes back to its snapshot
SNAPSHOTS = more(1, 3)

# How often one goes to another QEMU
HANDOVERS = 20

# How often it is stopped at most until its timer is as wanted
STOPS = 1000

# The INTID
VIRTUAL_TIMER = 27

# Of the network between the host and a guest
HOST, GUEST = '10.9.0.1', '10.9.0.2'


class MachineTest(LinuxTest):
    """Each test has a guest of its own."""

    def check_refused(self, wanted, *args):
        """
        QEMU does not start: one line says why.

        :param wanted: regular expression for that line
        :param args: options of QEMU
        """
        done = subprocess.run(
            [self.qemu_bin, '-accel', 'kvm', '-cpu', 'host', '-display', 'none',
             '-nic', 'none', '-S', *args],
            capture_output=True, text=True, timeout=300, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        lines = [line for line in done.stderr.splitlines()
                 if 'warning: ' not in line]
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertRegex(lines[0], wanted)

    def test_kernel_irqchip(self):
        """Without an in-kernel irqchip, asked for or not, it is QEMU's."""
        with LinuxVM(self, 'off', RVIC + ',kernel-irqchip=off', 2) as guest:
            self.assertIn('rVIC: 32 trusted', guest.vm.cmd(
                'human-monitor-command', command_line='info pic'))
            self.assertEqual([irq.chip for irq in guest.interrupts().values()
                              if irq.name == 'arch_timer'], ['rvic'])
            self.check_messages(guest)
            self.assertEqual(guest.power_off(), 0)
        self.check_refused('kernel-irqchip=off',
                           '-machine', RVIC + ',kernel-irqchip=on')
        # libvirt's own options, and those that it passes on
        self.check_refused('kernel-irqchip=off',
                           '-machine', 'virt,gic-version=3,kernel-irqchip=off',
                           '-machine', 'irqchip=rvic,kernel-irqchip=on')

    def stop(self, guest, high):
        """Stop while the line of CPU 0's timer is high, or is not."""
        for _ in range(STOPS):
            guest.vm.cmd('stop')
            instance = guest.vm.cmd('qom-get', path='/machine/rvic',
                                    property='instances')[0]
            if (VIRTUAL_TIMER in instance['high']) == high:
                return
            guest.vm.cmd('cont')
        self.fail(f'never stopped with high: {high}')

    def test_snapshots(self):
        """
        A guest with busy timers goes back to where it was; they go on.

        What KVM reported last, a high line, is not what the snapshot has.
        """
        with LinuxVM(self, 'snapshots', RVIC, 2, '-snapshot',
                     memory='256M') as guest:
            guest.run('for cpu in 0 1; do taskset -c $cpu sh -c'
                      ' "while :; do :; done" </dev/null >/dev/null 2>&1 &'
                      ' done')
            for command in ['savevm busy'] + ['loadvm busy'] * SNAPSHOTS:
                self.stop(guest, command.startswith('loadvm'))
                self.assertEqual(guest.vm.cmd('human-monitor-command',
                                              command_line=command), '')
                guest.vm.cmd('cont')
                before = guest.interrupts()
                guest.run('sleep 1')
                ((_, ticks),) = growth(before, guest.interrupts(), 'rvic',
                                       'arch_timer')
                self.assertGreater(min(ticks), 0, command)
            self.assertEqual(guest.power_off(), 0)

    def test_live_migration(self):
        """
        A guest with busy CPUs goes from one QEMU to the next, again and again:
        its timers go on, and what it reads is right.
        """
        with LinuxVM(self, 'live', RVIC, 2, memory='128M',
                     files={'data': DATA}) as guest:
            guest.run('for cpu in 0 1; do taskset -c $cpu sh -c'
                      ' "until [ -e /tmp/stop ]; do dd if=/data bs=64k'
                      ' iflag=direct 2>/dev/null | sha256sum; done"'
                      ' </dev/null >/tmp/sums$cpu 2>&1 & done')
            for _ in range(HANDOVERS):
                guest.hand_over()
                # Few characters: each costs exits.
                before, after = guest.run(
                    "ticks() { awk '/arch_timer/ { print $2, $3 }'"
                    ' /proc/interrupts; }; lines() { wc -l </tmp/sums$1; };'
                    ' zero=$(lines 0); one=$(lines 1); ticks;'
                    ' until [ $(lines 0) -gt $zero ] && [ $(lines 1) -gt $one ];'
                    ' do sleep 0.1; done; ticks').splitlines()
                for old, new in zip(before.split(), after.split()):
                    self.assertGreater(int(new), int(old))
            self.assertEqual(guest.run('touch /tmp/stop; sort -u /tmp/sums*'),
                             f'{sha256(DATA)}  -\n')
            self.check_messages(guest)
            self.assertEqual(guest.power_off(), 0)

    def test_refused(self):
        """What cannot be with KVM"""
        self.check_refused('virtualization=off',
                           '-machine', RVIC + ',virtualization=on')
        self.check_refused(r'\b513\b.*\b512\b',
                           '-machine', RVIC, '-smp', '513')

    def vhost_time(self, guest):
        """Return for how long QEMU's vhost threads have run, in ns."""
        threads = [os.path.dirname(name) for name in glob.glob(
                       f'/proc/{guest.vm.get_pid()}/task/*/comm')
                   if contents(name).startswith(b'vhost-')]
        self.assertGreater(len(threads), 0)
        return sum(int(contents(f'{name}/schedstat').split()[0])
                   for name in threads)

    @unittest.skipIf(os.geteuid(), 'only root may make network devices')
    def test_vhost_net(self):
        """The host's kernel serves a network card, whose MSIs arrive."""
        script = self.scratch_file('ifup')
        with open(script, 'w', encoding='utf-8') as file:
            file.write(f'#!/bin/sh\nip address add {HOST}/24 dev $1 &&'
                       ' ip link set $1 up\n')
        os.chmod(script, 0o755)
        with LinuxVM(self, 'guest', RVIC, 2,
                     '-netdev', 'tap,id=net,vhost=on,ifname=rvic0,'
                     f'script={script},downscript=no',
                     '-device', f'virtio-net-pci,netdev=net,addr={NET_SLOT:x}',
                     files={'data': DATA}) as guest:
            guest.run('ip link set lo up; ip link set eth0 up;'
                      f' ip address add {GUEST}/24 dev eth0')
            before, busy = guest.interrupts(), self.vhost_time(guest)
            self.assertRegex(guest.run(f'ping -c 3 -i 0.2 {HOST}'),
                             '3 packets received')
            self.transfer(guest, DATA, HOST, HOST)
            # More than it takes to be started
            self.assertGreater(self.vhost_time(guest) - busy, 1000000)
            for name in r'-input\.0', r'-output\.0':
                lines = growth(before, guest.interrupts(),
                               rf'rvid-PCI-MSIX-0000:00:{NET_SLOT:02x}\.0',
                               name)
                self.assertEqual(len(lines), 1, name)
            self.assertGreater(sum(growth(
                before, guest.interrupts(),
                rf'rvid-PCI-MSIX-0000:00:{NET_SLOT:02x}\.0',
                r'-input\.0')[0][1]), 10)
            self.check_messages(guest)
            self.assertEqual(guest.power_off(), 0)


if __name__ == '__main__':
    QemuSystemTest.main()
