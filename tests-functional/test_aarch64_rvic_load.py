#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
A Linux guest with rVIC/rVID whose disks and network are busy while its
interrupts move, its CPUs and kernels come and go, and it is saved and
restored.

RVIC_GUEST in the environment is the folder with the guest's Image and
initramfs.cpio.gz. The programs in guest/ are put on the guest's root disk.
"""

import os
import random
import re

from qemu_test import QemuSystemTest
from rvic_guest import (ACCEL, NET_CARD, PROGRAMS, RVIC, SHARED_SLOTS,
                        LinuxTest, LinuxVM, Peer, contents, sha256,
                        wait_for_status)

CPUS = 4
MOVES = 10000
REBOOTS = 20
MIGRATIONS = 3
SAMPLES = 100

# Of the guest
CPU_FOLDER = '/sys/devices/system/cpu'

# What is written to disks and sent: alternately, so that no old content and
# no answer that is late looks right. In an emulated host, where interrupts are
# slow, the ticks of CPUs that are always busy would be nearly all that it does.
SIZE, PAUSE = (1 << 18, 0) if ACCEL == 'tcg' else (1 << 15, 2)
EVEN, ODD, ANSWER = map(random.Random(3).randbytes, [SIZE] * 3)

# Disks besides the root disk, by their serial numbers: how they interrupt.
# A virtio-blk with an MSI for each queue cannot be moved: Linux manages those.
DISKS = {
    'msi': 'virtio-blk-pci,vectors=2',
    **{f'intx{slot}': f'virtio-blk-pci,vectors=0,addr={slot:x}'
       for slot in SHARED_SLOTS},
    'mmio': 'virtio-blk-device',
}


def words(numbers):
    """Return the numbers as the shell wants them."""
    return ' '.join(map(str, numbers))


def moving(irqs, cpu):
    """
    Return shell code that moves interrupts.

    :param irqs: their numbers
    :param cpu: where to; may be a shell expression with $irq
    """
    return (f'for irq in {words(irqs)}; do'
            f' echo {cpu} >/proc/irq/$irq/smp_affinity_list || exit 1; done')


class LoadTest(LinuxTest):
    """
    Each test has a guest of its own.

    :ivar peer: the server for the guest's network load
    :ivar breaks: how many of its connections have been broken at all
    """

    def setUp(self):
        super().setUp()
        self.breaks = 0
        self.peer = Peer(ANSWER)
        self.addCleanup(self.peer.close)

    def guest(self, *args, cpus=None, files=None, **options):
        """
        Return the LinuxVM; for the parameters, see there.

        :param args: more options of QEMU
        :param files: more files for the root disk
        """
        files = {'even': EVEN, 'odd': ODD, **(files or {}),
                 'load': contents(os.path.join(PROGRAMS, 'load'))}
        args = [*NET_CARD,
                '-global', 'virtio-mmio.force-legacy=false', *args]
        for serial, device in DISKS.items():
            image = self.scratch_file(serial + '.img')
            with open(image, 'wb') as file:
                file.truncate(len(EVEN))
            args += ['-drive', f'if=none,id={serial},format=raw,file={image}',
                     '-device', f'{device},drive={serial},serial={serial}']
        return LinuxVM(self, 'guest', RVIC, cpus or CPUS, *args, files=files,
                       **options)

    def start_load(self, guest):
        """Make disks and network busy, and see each of them work."""
        guest.run(f'/load {self.peer.port} {PAUSE}')
        self.wait_for_load(guest, 1)

    @staticmethod
    def wait_for_load(guest, more=2):
        """
        Wait for more checksums from each device. Of the first of them some
        of the data may have come before.
        """
        guest.run('cd /tmp/load; wc -l * >../old; while read -r n name; do'
                  ' until [ $name = total ] || '
                  f'[ $(wc -l <$name) -ge $((n + {more})) ]; do sleep 0.1;'
                  ' done; echo $name; done <../old', 'progress of the load')

    def finish_load(self, guest, breaks=0):
        """Stop the load; see check_load()."""
        guest.run('touch /tmp/stop; for name in /tmp/load/*; do'
                  ' until grep -qx done $name; do sleep 0.1; done;'
                  ' echo $name; done', 'the end of the load')
        self.check_load(guest, breaks)

    def check_load(self, guest, breaks=0):
        """
        Check that all data was right so far.

        :param breaks: how many network connections have been broken since
                       it began
        """
        sums = {name: [] for name in ('root', *DISKS, 'net')}
        for name, digest in re.findall(r'(\w+) (\w+)  -', guest.run(
                'cd /tmp/load; for name in *; do sed "s/^/$name /" $name;'
                ' done')):
            sums[name].append(digest)
        good = [sha256(EVEN), sha256(ODD)]
        for name, found in sums.items():
            self.assertGreater(len(found), 0, name)
            if name != 'net':
                self.assertEqual(found, (good * len(found))[:len(found)],
                                 name)
        bad = [digest for digest in sums['net'] if digest != sha256(ANSWER)]
        self.assertLess(len(bad), len(sums['net']), 'net')
        self.assertLessEqual(len(bad), breaks, 'net')
        bad = [digest for digest in self.peer.received if digest not in good]
        self.assertLessEqual(len(bad), self.breaks, 'net')

    def check(self, guest):
        """Neither the guest nor QEMU complains."""
        self.check_messages(guest, 'set affinity failed')

    @staticmethod
    def movable(guest):
        """
        Find the rVID's interrupts.

        :return: (those that may be moved, those that the kernel manages):
                 from numbers to Interrupts
        """
        irqs = {int(label): irq for label, irq in guest.interrupts().items()
                if irq.chip.startswith('rvid')}
        managed = set(map(int, guest.run(
            f'for irq in {words(irqs)}; do echo 0 2>/dev/null'
            ' >/proc/irq/$irq/smp_affinity_list || echo $irq; done').split()))
        return ({n: irq for n, irq in irqs.items() if n not in managed},
                {n: irq for n, irq in irqs.items() if n in managed})

    @staticmethod
    def move(guest, irqs, turns):
        """
        Move each interrupt to the next CPU with each turn.

        :param irqs: the numbers of the interrupts
        :param turns: a range of numbers
        """
        guest.run(f'turn={turns.start}; while [ $turn -lt {turns.stop} ]; do '
                  + moving(irqs, f'$(((turn + irq) % {CPUS}))')
                  + '; turn=$((turn + 1)); done', 'moves of interrupts')

    def test_affinity(self):
        """
        Interrupts move all the time while their devices are busy: nothing
        stalls, nothing storms, and what the controller and Linux count fits.
        """
        with self.guest() as guest:
            free, managed = self.movable(guest)
            self.assertEqual(len(managed), CPUS)
            for irq in managed.values():
                self.assertRegex(irq.name, r'^virtio\d+-req\.\d+$')
            self.start_load(guest)
            turns = -(-MOVES // len(free))
            for first in range(0, turns, 50):
                self.move(guest, free, range(first, min(first + 50, turns)))
            self.finish_load(guest)
            self.assertEqual(
                guest.run(f'for irq in {words(free)}; do'
                          ' cat /proc/irq/$irq/effective_affinity_list; done')
                .split(), [str((turns - 1 + n) % CPUS) for n in free])
            self.count(guest, free, turns)
            self.check(guest)

    def count(self, guest, irqs, moves):
        """
        Compare the counts of the device model, the drivers and the disks.

        :param guest: the guest, with no load
        :param irqs: numbers of interrupts
        :param moves: how often each has been moved
        """
        routes = {}
        for n, hwirq in re.findall(
                r'irqs/(\d+): *hwirq: +(0x\w+)', guest.run(
                    'mount -t debugfs debugfs /sys/kernel/debug;'
                    ' grep -H hwirq: /sys/kernel/debug/irq/irqs/*')):
            routes.setdefault(int(n), []).append(int(hwirq, 16))
        # Completed reads, writes and flushes, by the devices' names.
        requests = {
            name: sum(map(int, numbers.split()))
            for name, numbers in re.findall(r'(virtio\d+) (.*)', guest.run(
                'for disk in /sys/block/vd*; do echo $(basename $(readlink -f'
                " $disk/device)) $(awk '{ print $1, $5, $16 }' $disk/stat);"
                ' done'))}
        inputs, intids = map(self.statistics(guest).get,
                             ('arm-rvid', 'arm-rvic'))
        busy = self.busy(irqs)
        for n, irq in guest.interrupts().items():
            devices = re.findall(r'virtio\d+', irq.name)
            # Not the console, which counts on while we look.
            if not n.isdigit() or int(n) not in irqs or not devices:
                continue
            source, intid = routes[int(n)][-2:]
            signalled, taken = inputs.get(source, 0), intids.get(intid, 0)
            handled = sum(irq.counts)
            what = (f'{irq.text}: {signalled} signalled, {taken} taken,'
                    f' {irq.counts} handled')
            self.log.info('%s', what)
            # Linux does not count one that meets its own handler, having
            # moved while that runs on another CPU.
            self.assertLessEqual(handled, taken, what)
            self.assertLessEqual(taken, handled + moves, what)
            if irq.chip != 'rvid':
                self.assertLessEqual(handled, signalled, what)
            if int(n) in busy:
                self.assertTrue(all(irq.counts), what)
            if handled and set(devices) <= set(requests):
                # Each disk has one request at a time, and one interrupt for
                # it, unless two disks share one or somebody was faster.
                done = [requests[name] for name in devices]
                self.assertGreaterEqual(handled, max(done) / 2, what)
                self.assertLessEqual(handled, sum(done) + moves, what)

    def busy(self, irqs):
        """Return the numbers of those interrupts that the load causes."""
        busy = [n for n, irq in irqs.items() if re.search(
            r'^virtio\d+($|, virtio|-virtqueues|-input)', irq.name)]
        # Three for the disks, one for the network.
        self.assertEqual(len(busy), len(DISKS) - 1 + 1)
        return busy

    @staticmethod
    def statistics(guest):
        """Return "info irq": from devices to numbers to counts."""
        return {device: {int(n): int(count) for n, count in re.findall(
                    r'(\d+): +(\d+)', counts)}
                for device, counts in re.findall(
                    r'statistics for (\S+):((?:\s+\d+: +\d+)*)',
                    guest.vm.cmd('human-monitor-command',
                                 command_line='info irq'))}

    def leave_and_return(self, guest, free, cpus):
        """CPUs go, one after the other, with interrupts on them, and come."""
        for cpu in cpus:
            online = f'{CPU_FOLDER}/cpu{cpu}/online'
            self.assertEqual(guest.run(
                f'{moving(free, cpu)}; echo 0 >{online} && cat {online} &&'
                f' echo 1 >{online} && cat {online}',
                f'CPU {cpu} off and on').split(), ['0', '1'])

    def check_online(self, guest):
        """All CPUs are there."""
        self.assertEqual(guest.run(f'cat {CPU_FOLDER}/online').strip(),
                         f'0-{CPUS - 1}')

    def test_hotplug(self):
        """
        CPUs, the one that booted among them, leave while they handle the
        interrupts of busy devices, and come back to handle them again.
        """
        with self.guest() as guest:
            free, managed = self.movable(guest)
            self.start_load(guest)
            self.leave_and_return(guest, free, [1, 2, 3, 0] * 5)
            for cpu in range(CPUS):
                others = [f'{CPU_FOLDER}/cpu{n}/online' for n in range(CPUS)
                          if n != cpu]
                guest.run(' && '.join(f'echo 0 >{name}' for name in others),
                          f'all off but CPU {cpu}')
                before = guest.interrupts()
                self.wait_for_load(guest)
                after = guest.interrupts()
                guest.run(' && '.join(f'echo 1 >{name}' for name in others),
                          'all on')
                for label in self.busy(free) + [sorted(managed)[cpu]]:
                    old, new = (irqs[str(label)].counts
                                for irqs in (before, after))
                    self.assertEqual(len(new), 1)
                    self.assertGreater(new[0], old[0], after[str(label)].text)
            self.finish_load(guest)
            self.check_online(guest)
            self.check(guest)

    def kexec_files(self):
        """What is needed on the root disk to start another kernel."""
        return {'kexec': self.compiled('kexec'),
                'Image': contents(os.path.join(self.folder, 'Image'))}

    def test_kexec(self):
        """
        A kernel starts a second one while interrupts come to all CPUs; there,
        all works.
        """
        with self.guest(files=self.kexec_files()) as guest:
            self.start_load(guest)
            free, _ = self.movable(guest)
            self.move(guest, free, range(CPUS))
            # Not the disks: requests that Linux has cut off keep CPUs from
            # going offline, and kexec waits for that for ever. Nor may the
            # file system have anything left to write.
            self.finish_load(guest)
            guest.run('sync; mount -o remount,ro /')
            guest.run(f'while :; do nc 10.0.2.2 {self.peer.port} </even'
                      ' >/dev/null; done &')
            self.check(guest)
            guest.console.send('/kexec /Image "$(cat /proc/cmdline) second"')
            guest.wait_until_ready('the second kernel')
            self.breaks += 1
            self.assertRegex(guest.run('cat /proc/cmdline'), r' second$')
            self.check_online(guest)
            self.start_load(guest)
            free, _ = self.movable(guest)
            self.move(guest, free, range(50))
            self.finish_load(guest)
            self.check(guest)
            self.assertEqual(self.resets(guest), [])

    def test_crash(self):
        """
        A kernel panics on the last CPU while all CPUs handle interrupts. The
        crash kernel finds the memory of the dead one, and its own devices
        work.
        """
        with self.guest(files=self.kexec_files(),
                        append='crashkernel=128M') as guest:
            guest.run("/kexec -p /Image \"$(sed 's/crashkernel=[^ ]*//'"
                      ' /proc/cmdline) maxcpus=1"')
            self.start_load(guest)
            free, _ = self.movable(guest)
            self.move(guest, free, range(CPUS))
            self.check(guest)
            guest.console.send(
                f'taskset -c {CPUS - 1} sh -c "echo c >/proc/sysrq-trigger"')
            guest.wait_until_ready('the crash kernel')
            self.breaks += 1
            # An ELF core file for AArch64; one with the dead kernel's name.
            header = guest.run('head -c 20 /proc/vmcore | xxd -p').strip()
            self.assertRegex(header, r'^7f454c460201.{20}0400b700$')
            self.assertIn(
                'OSRELEASE=' + guest.run('uname -r').strip(),
                guest.run('head -c 64k /proc/vmcore | strings').split())
            self.assertIn(f'physical CPU 0x{CPUS - 1:010x}',
                          guest.run('dmesg'))
            self.start_load(guest)
            self.finish_load(guest)
            # No input is left that leads to a CPU which is gone.
            self.assertEqual(set(re.findall(
                r'input +\d+.* -> CPU (\d+)', guest.vm.cmd(
                    'human-monitor-command', command_line='info pic'))),
                {str(CPUS - 1)})
            self.check(guest)
            self.assertEqual(guest.power_off(), 0)

    def sample(self, guest, cpu, event, period, wanted):
        """
        Sample where a program is, on one CPU; see sample.c.

        :param wanted: number of samples
        """
        before = guest.interrupts()
        samples, inside, kernel, count = map(int, guest.run(
            'echo 0 >/proc/sys/kernel/perf_cpu_time_max_percent;'
            f' taskset -c {cpu} /sample {event} {period} {wanted}').split())
        after = guest.interrupts()
        grown = [[new - old for old, new in zip(before[label].counts,
                                                irq.counts)]
                 for label, irq in after.items() if irq.name == 'arm-pmu']
        self.assertEqual(len(grown), 1)
        self.assertGreaterEqual(samples, wanted)
        # The loop is nearly all that it does.
        self.assertGreaterEqual(inside, samples * 0.9)
        # Each sample has its interrupt and its period.
        self.assertGreaterEqual(grown[0].pop(cpu), samples + kernel)
        self.assertEqual(grown[0], [0] * len(grown[0]))
        self.assertGreaterEqual(count, (samples + kernel) * period)

    def test_sampling(self):
        """The PMU's overflow interrupts find, on each CPU, what it does."""
        with self.guest(files={'sample': self.compiled('sample')}) as guest:
            for cpu in range(CPUS):
                self.sample(guest, cpu, 'cycles', 1000000, SAMPLES)
            self.check(guest)

    def test_sampling_instructions(self):
        """With -icount the PMU counts instructions, and they interrupt."""
        with self.guest('-icount', 'shift=3', cpus=2, files={
                'sample': self.compiled('sample')}) as guest:
            for cpu in range(2):
                self.sample(guest, cpu, 'instructions', 100000, SAMPLES)
            self.check(guest)

    def test_suspend(self):
        """Under load, the guest sleeps until the RTC wakes it."""
        rounds = 3
        with self.guest() as guest:
            self.start_load(guest)
            for _ in range(rounds):
                edges = self.statistics(guest)['arm-rvid'].get(2, 0)
                # If the alarm comes before the guest sleeps, it does not, and
                # tries again.
                tries, before, alarms, after, more = guest.run(
                    'cd /sys/class/rtc/rtc0; now() {'
                    ' cut -d " " -f 1 /proc/uptime;'
                    " awk '/rtc-pl031/ { print $2 + $3 + $4 + $5 }'"
                    ' /proc/interrupts; }; tries=0;'
                    ' until tries=$((tries + 1)); echo 0 >wakealarm;'
                    ' before=$(now); count=$(cat /sys/power/wakeup_count);'
                    ' echo +2 >wakealarm;'
                    ' echo $count >/sys/power/wakeup_count &&'
                    ' echo freeze >/sys/power/state; do sleep 0.1; done;'
                    ' echo $tries $before; now', 'suspend').split()
                # The alarm is at a full second.
                self.assertGreaterEqual(float(after) - float(before), 1)
                # Linux resends at the end of sleep what came during it, while
                # another CPU may be handling the level already.
                self.assertIn(int(more) - int(alarms), (1, 2))
                # The RTC's line, input 2, rose once for each alarm.
                edges = self.statistics(guest)['arm-rvid'][2] - edges
                self.assertIn(edges, range(1, int(tries) + 1))
                self.wait_for_load(guest)
            self.assertEqual(
                guest.run('cat /sys/power/suspend_stats/success').strip(),
                str(rounds))
            self.finish_load(guest)
            self.check(guest)

    def test_reboots(self):
        """The guest reboots under load, many times; each time all works."""
        with self.guest() as guest:
            for n in range(REBOOTS):
                self.start_load(guest)
                self.check_load(guest)
                self.check(guest)
                guest.console.send('reboot -f')
                guest.wait_until_ready(f'reboot {n + 1}')
                self.breaks += 1
            self.start_load(guest)
            self.finish_load(guest)
            self.check(guest)
            self.assertEqual(self.resets(guest), ['guest-reset'] * REBOOTS)

    @staticmethod
    def resets(guest):
        """Return the reasons for QEMU's resets."""
        guest.vm.cmd('query-status')    # fetches the events that came before
        return [event['data']['reason'] for event in guest.vm.get_qmp_events()
                if event['event'] == 'RESET']

    def break_connections(self, guest):
        """
        Have the guest close those that QEMU's user network has forgotten:
        unless it sends something, it does not hear of that.
        """
        guest.run('killall nc; true')
        # Another one, if it knew already.
        self.breaks += 2

    def test_snapshots(self):
        """Under load, the guest is saved and goes back to that, repeatedly."""
        rounds = 5

        def monitor(command):
            self.assertEqual(guest.vm.cmd('human-monitor-command',
                                          command_line=command), '')

        # All disks with temporary images, which can have snapshots.
        with self.guest('-snapshot', memory='256M') as guest:
            self.start_load(guest)
            for n in range(rounds):
                guest.run(f'echo {n} >/tmp/round')
                monitor('savevm rvic')
                guest.run('echo later >/tmp/round')
                self.wait_for_load(guest)
                monitor('loadvm rvic')
                self.assertEqual(guest.run('cat /tmp/round').strip(), str(n))
                self.break_connections(guest)
                self.wait_for_load(guest)
            self.finish_load(guest, self.breaks)
            self.check(guest)

    def test_migration(self):
        """Under load, the guest goes on in another QEMU, by way of a file."""
        state = self.scratch_file('state')
        with self.guest(memory='256M') as guest:
            self.start_load(guest)
            for _ in range(MIGRATIONS):
                self.check(guest)
                guest.vm.cmd('migrate', uri=f'file:{state}')
                wait_for_status(self, guest.vm, 'query-migrate', 'completed')
                guest.relaunch('-incoming', f'file:{state}')
                wait_for_status(self, guest.vm, 'query-status', 'running')
                self.break_connections(guest)
                self.wait_for_load(guest)
            self.finish_load(guest, self.breaks)
            self.check(guest)


if __name__ == '__main__':
    QemuSystemTest.main()
