#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Linux on the Arm virt board with rVIC/rVID uses one kind of device after the
other, and the right interrupts bring the right data.

RVIC_GUEST in the environment is the folder with the guest's Image and
initramfs.cpio.gz.
"""

import os
import random
import socket
import struct
import subprocess
import time

from qemu_test import QemuSystemTest
from rvic_guest import (MIB, NET_CARD, NET_SLOT, NETWORK, PATIENCE, ROOT_SLOT,
                        RVIC, LinuxTest, LinuxVM, Peer, contents, disk, growth,
                        read, sha256)

NO_MSIS = ('-global', 'arm-rvic.num-untrusted=256')

# As large as what Peer sends, so that it can be sent back
DATA = random.Random(7).randbytes(MIB)

# linux/input-event-codes.h
EV_SYN, EV_KEY = 0, 1
KEY_A, KEY_POWER = 30, 116

# VIRTIO_F_ACCESS_PLATFORM
FEATURE_PLATFORM = 33


def total(found):
    """How often the interrupts that growth() found came on all CPUs."""
    return sum(sum(grown) for _, grown in found)


def events(text):
    """
    Parse what od -v -An -t x1 printed of a file in /dev/input.

    :return: list of (type, code, value), without EV_SYN
    """
    found = struct.iter_unpack('<16xHHi', bytes.fromhex(text))
    return [event for event in found if event[0] != EV_SYN]


def until(condition):
    """Return shell code that waits until a command succeeds."""
    return f'until {condition}; do sleep 0.1; done'


class DevicesTest(LinuxTest):
    """Each test has a guest of its own."""

    def image(self, name, data=DATA):
        """Make a disk's image; return its name."""
        path = self.scratch_file(f'{name}.img')
        with open(path, 'wb') as file:
            file.write(data)
        return path

    def drive(self, name):
        """Return the options for a disk without its device."""
        return ['-drive', f'if=none,id={name},format=raw,'
                f'file={self.image(name)}']

    def guest(self, *args, cpus=2, **options):
        """Return the LinuxVM; see there."""
        return LinuxVM(self, 'guest', RVIC, cpus, *args,
                       files={'data': DATA}, **options)

    @staticmethod
    def disk_at(guest, slot):
        """Wait for the disk behind a PCI slot; return its name."""
        find = f'ls -l /sys/block | grep 00:{slot}.0'
        return guest.run(f"{until(find)} >/dev/null; {find} | sed 's,.*/,,'",
                         f'disk in slot {slot}').strip()

    def check(self, guest):
        """Nobody complains; no interrupt had to be polled for."""
        self.check_messages(guest,
                            r'\btimeout,|timed out|completion polled')

    def test_console_input(self):
        """What is typed arrives complete while disks are busy."""
        # Linux keeps so much, even if nobody reads for a while.
        chunk, chunks = 8192, 4
        typed = random.Random(8).randbytes(chunk * chunks)
        with self.guest(*self.drive('msi'), '-device',
                        'virtio-blk-pci,drive=msi,serial=msi') as guest:
            guest.run('for disk in /dev/vd?; do while [ ! -e /tmp/stop ]; do'
                      ' dd if=$disk of=/dev/null bs=4k iflag=direct'
                      ' 2>/dev/null; done & done')
            before = guest.interrupts()
            console = guest.console
            console.send('saved=$(stty -g); stty raw; echo @RAW;'
                         f' for i in $(seq {chunks}); do head -c {chunk}'
                         ' | sha256sum; done; stty $saved')
            console.wait_for('@RAW', 'raw console')
            for start in range(0, len(typed), chunk):
                part = typed[start:start + chunk]
                console.socket.sendall(part)
                _, match = console.wait_for(r'([0-9a-f]{64})  -', 'typing')
                self.assertEqual(match[1], sha256(part))
            console.wait_for('@END 0', 'end of raw console')
            after = guest.interrupts()
            uart = growth(before, after, 'rvid', 'uart-pl011')
            self.assertGreaterEqual(total(uart), chunks)
            disks = growth(before, after, 'rvid-PCI-MSIX-.*', r'-req\.\d+')
            self.assertEqual(len(disks), 2 * 2)
            self.assertGreater(total(disks), chunks)

    def test_rtc_alarm(self):
        """The PL031's alarm fires once each time it is set, not early."""
        with self.guest() as guest:
            for _ in range(2):
                before = guest.interrupts()
                start, end = map(int, guest.run(
                    'cd /sys/class/rtc/rtc0; cat since_epoch;'
                    f' echo +2 >wakealarm; {until("[ -z $(cat wakealarm) ]")};'
                    ' cat since_epoch', 'alarm').split())
                self.assertGreaterEqual(end, start + 2)
                guest.run('sleep 1')
                alarm = growth(before, guest.interrupts(), 'rvid',
                               'rtc-pl031')
                self.assertEqual([sum(grown) for _, grown in alarm], [1])
            self.check(guest)

    def test_power_key(self):
        """system_powerdown presses the key that is behind the PL061."""
        with self.guest() as guest:
            before = guest.interrupts()
            # Press and release, each with an EV_SYN
            listen = ('exec </dev/input/event0; echo @LISTENING;'
                      ' dd bs=24 count=4 2>/dev/null')
            for _ in range(2):
                guest.console.send(f'{listen} | od -v -An -t x1')
                guest.console.wait_for('@LISTENING', 'input device')
                guest.vm.cmd('system_powerdown')
                text, _ = guest.console.wait_for('@END 0', 'power key')
                self.assertEqual(events(text), [(EV_KEY, KEY_POWER, 1),
                                                (EV_KEY, KEY_POWER, 0)])
            key = growth(before, guest.interrupts(), name='GPIO Key Poweroff')
            self.assertEqual([sum(grown) for _, grown in key], [4])

            guest.console.send(f'{listen} >/tmp/event && poweroff -f')
            guest.console.wait_for('@LISTENING', 'input device')
            guest.vm.cmd('system_powerdown')
            guest.console.wait_for_end('poweroff')
            guest.vm.wait(PATIENCE)
            self.assertEqual(guest.vm.exitcode(), 0)

    def test_shared_intx(self):
        """Five kinds of PCI devices, busy at once, share an INTx line."""
        peer = Peer(DATA)
        self.addCleanup(peer.close)
        # Without MSIs each device has to use INTx. These slots share a line.
        guest = self.guest(
            *NO_MSIS,
            *self.drive('virtio'),
            '-device', 'virtio-blk-pci,drive=virtio,addr=8',
            *self.drive('nvme'),
            '-device', 'nvme,drive=nvme,serial=nvme,addr=c',
            *self.drive('stick'), '-device', 'qemu-xhci,id=usb,addr=10',
            '-device', 'usb-storage,drive=stick,bus=usb.0',
            '-netdev', 'user,id=net',
            '-device', 'e1000,netdev=net,romfile=,addr=14',
            *self.drive('sata'), '-device', 'ahci,id=sata,addr=18',
            '-device', 'ide-hd,drive=sata,bus=sata.0')
        with guest:
            guest.run(NETWORK)
            disks = [self.disk_at(guest, slot)
                     for slot in ('08', '0c', '10', '18')]
            before = guest.interrupts()
            guest.run(' & '.join(
                [f'for i in 1 2; do dd if=/dev/{name} bs=16k iflag=direct'
                 f' 2>/dev/null | sha256sum; done >/tmp/{name}'
                 for name in disks]
                + [f'nc 10.0.2.2 {peer.port} </data | sha256sum >/tmp/net'])
                + ' & wait', 'all at once')
            after = guest.interrupts()
            for name in disks:
                self.assertEqual(guest.run(f'cat /tmp/{name}').split(),
                                 [sha256(DATA), '-'] * 2, name)
            self.assertEqual(guest.run('cat /tmp/net').split(),
                             [sha256(DATA), '-'])
            self.assertEqual(peer.received, [sha256(DATA)])
            for irq in after.values():
                self.assertNotRegex(irq.chip, 'MSI')
            virtio = guest.run('ls /sys/bus/pci/devices/0000:00:08.0'
                               ' | grep ^virtio').strip()
            lines = growth(before, after, 'rvid', rf'\b{virtio}\b.*')
            self.assertEqual(len(lines), 1)
            irq, grown = lines[0]
            for name in 'nvme0q0', 'xhci-hcd:usb1', 'eth0', 'ahci':
                self.assertRegex(irq.name, rf'\b{name}\b')
            self.assertGreaterEqual(sum(grown), 2 * len(DATA) // 16384)
            self.check(guest)

    def plug(self, guest):
        """
        Plug in a disk and a network card and use them.

        :return: (interrupts before use, after it, names of the virtio
                 devices of disk and network)
        """
        guest.vm.cmd('device_add', driver='virtio-blk-pci', id='hotdisk',
                     bus='port1', drive='hot', serial='hot')
        guest.vm.cmd('device_add', driver='virtio-net-pci', id='hotnet',
                     bus='port2', netdev='net', romfile='')
        guest.run(f'{until("grep -qx hot /sys/block/vd*/serial")} 2>/dev/null;'
                  f'{until("[ -e /sys/class/net/eth0 ]")}', 'plug')
        before = guest.interrupts()
        path, digest = guest.run(
            f'disk=$({disk("hot")}); readlink -f $disk;'
            f' {read("$disk", 16384)}', 'disk').split()[:2]
        self.assertEqual(digest, sha256(DATA))
        self.assertRegex(path, '/0000:00:08.0/0000:01:00.0/virtio')
        guest.run(NETWORK)
        self.transfer(guest, DATA)
        self.assertIn('/0000:00:09.0/0000:02:00.0/', guest.run(
            'readlink -f /sys/class/net/eth0/device'))
        after = guest.interrupts()
        names = guest.run('for bus in 01 02; do cd /sys/bus/pci/devices/0000:'
                          '$bus:00.0; ls -d virtio*; done').split()
        return before, after, names

    def unplug(self, guest):
        """Pull out both; the guest is asked first."""
        for name in 'hotdisk', 'hotnet':
            guest.vm.cmd('device_del', id=name)
        left = {'hotdisk', 'hotnet'}
        while left:
            # Without a fraction it would be no limit.
            event = guest.vm.event_wait('DEVICE_DELETED',
                                        timeout=float(PATIENCE))
            self.assertIsNotNone(event, f'no end of {left}')
            left.discard(event['data'].get('device'))
        guest.run(f'{until("[ ! -e /sys/bus/pci/devices/0000:01:00.0 ]")};'
                  f'{until("[ ! -e /sys/bus/pci/devices/0000:02:00.0 ]")}',
                  'unplug')

    def hotplug_guest(self, *args):
        """Return a LinuxVM with root ports and what is needed for plug()."""
        return self.guest(
            *args,
            '-device', 'pcie-root-port,id=port1,chassis=1,addr=8',
            '-device', 'pcie-root-port,id=port2,chassis=2,addr=9',
            '-blockdev', 'driver=file,node-name=file,filename='
            + self.image('hot'),
            '-blockdev', 'driver=raw,node-name=hot,file=file',
            '-netdev', 'user,id=net')

    def test_hotplug_msi(self):
        """Devices behind root ports come and go, with MSI-X."""
        with self.hotplug_guest() as guest:
            first = guest.interrupts()
            uses = []
            for _ in range(2):
                uses.append(self.plug(guest))
                self.unplug(guest)
            last = guest.interrupts()
            self.check(guest)
        for before, after, _ in uses:
            disks = growth(before, after, 'rvid-PCI-MSIX-0000:01:00.0',
                           r'-req\.\d+')
            self.assertEqual(len(disks), 2)
            self.assertGreaterEqual(total(disks), len(DATA) // 16384)
            for name in r'-input\.0', r'-output\.0':
                self.assertGreater(total(growth(
                    before, after, 'rvid-PCI-MSIX-0000:02:00.0', name)), 0)
        # Each port said that a device comes, and the operator that it goes.
        for slot in '08', '09':
            port = growth(first, last, rf'rvid-PCI-MSIX?-0000:00:{slot}\.0',
                          'pciehp')
            self.assertEqual(len(port), 1)
            self.assertGreaterEqual(total(port), 4)
        self.assertEqual([irq.text for irq in last.values()
                          if '0000:01:00.0' in irq.chip
                          or '0000:02:00.0' in irq.chip], [])

    def test_hotplug_intx(self):
        """
        Devices are plugged in behind root ports of a machine without MSIs.

        They stay there: they share their interrupt with the port, and Linux
        removes them in the thread of the port's handler, where it then waits
        for all handlers of that interrupt, and so for itself.
        """
        with self.hotplug_guest(*NO_MSIS) as guest:
            first = guest.interrupts()
            before, after, names = self.plug(guest)
            self.check(guest)
        for name in names:
            lines = growth(before, after, 'rvid', rf'\b{name}\b.*')
            self.assertEqual(len(lines), 1, name)
            self.assertGreater(total(lines), 10)
            self.assertRegex(lines[0][0].name, r'\bpciehp\b')
        ports = growth(first, before, 'rvid', r'\bpciehp\b.*')
        self.assertEqual(len(ports), 2)
        for port in ports:
            self.assertGreater(total([port]), 0)

    def test_many(self):
        """All kinds of PCI devices that the guest can use interrupt it."""
        folder = self.scratch_file('share')
        os.mkdir(folder)
        with open(os.path.join(folder, 'file'), 'wb') as file:
            file.write(DATA)
        out = self.scratch_file('out')
        guest = self.guest(
            '-device', 'virtio-rng-pci,addr=6',
            '-device', 'virtio-balloon-pci,addr=7,id=balloon',
            '-chardev', f'file,id=port,path={out}',
            '-device', 'virtio-serial-pci,addr=8',
            '-device', 'virtserialport,chardev=port,name=port',
            *self.drive('scsi'), '-device', 'virtio-scsi-pci,addr=9',
            '-device', 'scsi-hd,drive=scsi',
            '-fsdev', f'local,id=share,path={folder},security_model=none',
            '-device', 'virtio-9p-pci,fsdev=share,mount_tag=share,addr=a',
            *self.drive('nvme'),
            '-device', 'nvme,drive=nvme,serial=nvme,addr=b',
            *self.drive('sata'), '-device', 'ahci,id=sata,addr=c',
            '-device', 'ide-hd,drive=sata,bus=sata.0',
            *self.drive('stick'), '-device', 'qemu-xhci,id=usb,addr=d',
            '-device', 'usb-storage,drive=stick,bus=usb.0',
            '-netdev', 'user,id=net',
            '-device', 'e1000e,netdev=net,romfile=,addr=e',
            '-device', 'virtio-keyboard-pci,addr=f')
        with guest:
            guest.run(NETWORK)
            before = guest.interrupts()
            self.assertEqual(guest.run('dd if=/dev/hwrng bs=512 count=4'
                                       ' iflag=fullblock 2>/dev/null | wc -c',
                                       'rng').split(), ['2048'])
            guest.vm.cmd('balloon', value=400 * MIB)
            deadline = time.monotonic() + PATIENCE
            while guest.vm.cmd('query-balloon')['actual'] != 400 * MIB:
                self.assertLess(time.monotonic(), deadline, 'balloon')
                time.sleep(0.1)
            guest.run('cat /data >$(echo /dev/vport*p1)', 'serial')
            self.assertEqual(guest.run(
                'mkdir /tmp/9p && mount -t 9p -o trans=virtio share /tmp/9p &&'
                ' sha256sum </tmp/9p/file', '9p').split(), [sha256(DATA), '-'])
            for slot in '09', '0b', '0c', '0d':
                self.assertEqual(guest.run(
                    f'dd if=/dev/{self.disk_at(guest, slot)} bs=16k'
                    ' iflag=direct 2>/dev/null | sha256sum', slot).split(),
                    [sha256(DATA), '-'])
            self.transfer(guest, DATA)
            guest.console.send(
                'device=$(dirname $(grep -l "QEMU Virtio Keyboard"'
                ' /sys/class/input/event*/device/name)); exec <$(ls -d'
                ' $device/event* | sed s,.*/,/dev/input/,); echo @LISTENING;'
                ' dd bs=24 count=4 2>/dev/null | od -v -An -t x1')
            guest.console.wait_for('@LISTENING', 'keyboard')
            for down in True, False:
                guest.vm.cmd('input-send-event', events=[{
                    'type': 'key', 'data': {
                        'down': down,
                        'key': {'type': 'qcode', 'data': 'a'}}}])
            text, _ = guest.console.wait_for('@END 0', 'keyboard')
            self.assertEqual(events(text), [(EV_KEY, KEY_A, 1),
                                            (EV_KEY, KEY_A, 0)])
            after = guest.interrupts()
            self.check(guest)
        self.assertEqual(sha256(contents(out)), sha256(DATA))
        for slot in range(6, 16):
            # AHCI has MSI, the others MSI-X.
            kind = 'MSI' if slot == 0xc else 'MSIX'
            self.assertGreater(total(growth(
                before, after, rf'rvid-PCI-{kind}-0000:00:{slot:02x}\.0',
                '.*')), 0, f'slot {slot:x}')

    def test_virtio_iommu(self):
        """
        A virtio-iommu translates what the root disk reads and writes, and
        all MSIs.

        The network card's own data stays out: with a GIC as well, the guest
        then hangs now and then in QEMU 10.0.
        """
        guest = self.guest(
            '-device', 'virtio-iommu-pci,addr=1', *NET_CARD,
            root_options=',disable-legacy=on,iommu_platform=on')
        with guest:
            guest.run(NETWORK)
            before = guest.interrupts()
            for _ in range(2):
                guest.run('cp /data /copy && sync &&'
                          ' echo 3 >/proc/sys/vm/drop_caches')
                self.assertEqual(guest.run(
                    'dd if=/copy bs=16k iflag=direct 2>/dev/null | sha256sum')
                    .split(), [sha256(DATA), '-'])
            self.transfer(guest, DATA)
            after = guest.interrupts()
            for slot, name, platform in (
                    (ROOT_SLOT, r'-req\.\d+', '1'),
                    (NET_SLOT, r'-input\.0', '0'),
                    (NET_SLOT, r'-output\.0', '0')):
                device = f'/sys/bus/pci/devices/0000:00:{slot:02x}.0'
                features, group = guest.run(
                    f'cat {device}/virtio*/features {device}/iommu_group/type'
                ).split()
                self.assertEqual(features[FEATURE_PLATFORM], platform)
                self.assertRegex(group, '^DMA')
                self.assertGreater(total(growth(
                    before, after, rf'rvid-PCI-MSIX-0000:00:{slot:02x}\.0',
                    name)), 0)
            self.check(guest)

    def test_vhost_user(self):
        """Another process serves disks; its interrupts are eventfds."""
        folder = self.socket_dir().name
        args, images = [], []
        for name, options in ('msix', 'addr=8'), ('intx', 'vectors=0,addr=9'):
            images.append(self.image(name))
            path = os.path.join(folder, name)
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(path)
                listener.listen()
                server = subprocess.Popen(
                    [os.environ['RVIC_DISK_SERVER'], '-b', images[-1],
                     '-f', str(listener.fileno())],
                    pass_fds=[listener.fileno()], stdout=subprocess.DEVNULL)
            # It ends with QEMU, but not if that does not connect.
            self.addCleanup(server.wait)
            self.addCleanup(server.kill)
            args += ['-chardev', f'socket,id={name},path={path}',
                     '-device', f'vhost-user-blk-pci,chardev={name},{options}']
        with LinuxVM(self, 'guest', RVIC + ',memory-backend=ram', 2,
                     '-object',
                     'memory-backend-memfd,id=ram,size=512M,share=on',
                     *args, files={'data': DATA[::-1]}) as guest:
            self.use_vhost_user(guest)
        for image in images:
            self.assertEqual(sha256(contents(image)), sha256(DATA[::-1]),
                             image)

    def use_vhost_user(self, guest):
        """Read both disks, move the MSI, set it up anew, write both disks."""
        def use():
            """Read the disks; return the disks' names, each CPU's MSIs."""
            disks = [guest.run(f'cd /sys/bus/pci/devices/0000:00:{slot}.0;'
                               ' ls -d virtio*; ls virtio*/block').split()
                     for slot in ('08', '09')]
            before = guest.interrupts()
            for _, name in disks:
                self.assertEqual(guest.run(
                    f'dd if=/dev/{name} bs=16k iflag=direct 2>/dev/null'
                    ' | sha256sum').split(), [sha256(DATA), '-'])
            after = guest.interrupts()
            wired = growth(before, after, 'rvid', disks[1][0])
            msis = growth(before, after, r'rvid-PCI-MSIX-0000:00:08\.0',
                          r'-req\.0')
            for found in wired, msis:
                self.assertEqual(len(found), 1)
                self.assertGreaterEqual(total(found), len(DATA) // 16384)
            return disks, msis[0][1]

        disks, grown = use()
        cpu = int(grown[1] > grown[0])
        self.assertEqual(grown[1 - cpu], 0)
        online = f'/sys/devices/system/cpu/cpu{cpu}/online'
        guest.run(f'echo 0 >{online}')
        self.assertEqual(len(use()[1]), 1)
        guest.run(f'echo 1 >{online}')
        for device, _ in disks:
            guest.run('cd /sys/bus/virtio/drivers/virtio_blk;'
                      f' echo {device} >unbind; echo {device} >bind')
        disks, _ = use()
        for _, name in disks:
            guest.run(f'dd if=/data of=/dev/{name} bs=16k oflag=direct'
                      ' conv=fsync 2>/dev/null')
        self.check(guest)


if __name__ == '__main__':
    QemuSystemTest.main()
