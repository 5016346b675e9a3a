#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Run guests on a KVM host, and count what KVM does meanwhile, by its own trace events.

scripts/vgic starts this on the host. There are two kinds of guests: one whose interrupts
crowd (tests-functional/guest/crowd), and one after the other those whose interrupts are all
alike (tests-functional/guest/bench.c). The result is JSON.
"""

import argparse
import collections
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, 'scripts'))
# pylint: disable=wrong-import-position
import bench_guest  # noqa: E402
import cpio         # noqa: E402

TRACING = '/sys/kernel/tracing'
BUSYBOX = '/usr/bin/busybox'

# Bounds one guest, in seconds
PATIENCE = 300

# What QEMU's -machine says besides "virt"
MACHINES = {'gicv2': 'gic-version=2', 'gicv3': 'gic-version=3',
            'rvic': 'irqchip=rvic,kernel-irqchip=off'}

# The guest whose interrupts crowd: its CPUs, and how many disks have which interrupts: edges
# (virtio-mmio), levels (INTx), MSIs
CPUS = 4
DISKS = {'virtio-blk-device': 4, 'virtio-blk-pci,vectors=0': 2, 'virtio-blk-pci': 2}
DISK_BYTES = 64 << 20

# Measurements of bench.c, and the device that it needs
MEASUREMENTS = {'timer': None, 'ipi-idle': None, 'ipi-busy': None,
                'disk': 'virtio-blk-pci', 'intx': 'virtio-blk-pci,vectors=0'}

# Of the board "virt": the GICv2's register that sends SGIs, and the console
GICD_SGIR = 0x08000f00
CONSOLE = 0x09000000

# What is counted in the kernel: from a name to KVM's event and the keys of its histogram
HISTOGRAMS = {
    'exits': ('kvm_exit', 'hist:keys=ret,esr_ec'),
    'registers': ('kvm_handle_sys_reg', 'hist:keys=common_pid,hsr:size=8192'),
    'writes': ('kvm_mmio', f'hist:keys=common_pid if type == 2 && gpa == {GICD_SGIR}'),
    # A read that has left KVM is there twice, the second time with type 1
    'console': ('kvm_mmio', f'hist:keys=type if type != 1 && gpa >= {CONSOLE} && '
                            f'gpa < {CONSOLE + 0x1000}'),
    'calls': ('kvm_hvc_arm64', 'hist:keys=r0'),
}

# kvm_exit's "ret" of an interrupt of the host; exception classes of ESR_EL2.EC
EXIT_IRQ = 0
CLASSES = {0x01: 'WFI', 0x16: 'HVC', 0x18: 'system register', 0x24: 'MMIO'}

# Hypercalls that are told apart: rVID's and rVIC's (ARM DEN 0103), from their VERSION on
CALLS = {
    **dict(enumerate(('VERSION', 'MAP', 'UNMAP'), 0xc5000100)),
    **dict(enumerate(('VERSION', 'INFO', 'ENABLE', 'DISABLE', 'SET_MASKED', 'CLEAR_MASKED',
                      'IS_PENDING', 'SIGNAL', 'CLEAR_PENDING', 'ACKNOWLEDGE', 'RESAMPLE'),
                     0xc5000200)),
}

# In ESR_EL2, which system register is accessed, for writing; and of ICC_SGI1R_EL1 (Op0 3, Op1
# 0, CRn 12, CRm 11, Op2 5)
REGISTER = 0x3ffc1f
SGI1R = 3 << 20 | 5 << 17 | 0 << 14 | 12 << 10 | 11 << 1


class Failed(Exception):
    """A guest or the host's kernel did not do what is needed."""


# ---- The host's kernel -------------------------------------------------------

def write(name, text, mode='w'):
    with open(os.path.join(TRACING, name), mode, encoding='ascii') as file:
        file.write(text)


def read(name):
    with open(os.path.join(TRACING, name), encoding='ascii', errors='replace') as file:
        return file.read()


def prepare():
    """Have the host's kernel count and trace."""
    if not os.path.exists(os.path.join(TRACING, 'trace')):
        subprocess.run(['mount', '-t', 'tracefs', 'tracefs', TRACING], check=True)
    write('trace_clock', 'mono')
    write('buffer_size_kb', '32768')
    for event, trigger in HISTOGRAMS.values():
        # To truncate this file is to remove all triggers.
        write(f'events/kvm/{event}/trigger', trigger, 'a')


def histogram(name):
    """From the keys' values to the number of hits."""
    event, trigger = HISTOGRAMS[name]
    keys = trigger.partition(' ')[0].removesuffix(':size=8192')
    # An event may have several.
    text = next((part for part in read(f'events/kvm/{event}/hist').split('# event histogram')
                 if f'trigger info: {keys}:' in part), None)
    if text is None:
        raise Failed(f'the kernel has no histogram of {name}: {event} with {keys}')
    if not re.search(r'^    Dropped: 0$', text, re.M):
        raise Failed(f'the kernel has dropped events of {name}')
    return {tuple(int(value) for value in re.findall(r'\w+: +(\d+)', found)): int(hits)
            for found, hits in re.findall(r'^\{ (.*?) \} hitcount: +(\d+)', text, re.M)}


def snapshot():
    """All histograms. From one to the next, the difference counts."""
    return {name: collections.Counter(histogram(name)) for name in HISTOGRAMS}


def counts(before, threads):
    """
    What KVM has counted.

    :param before: the snapshot() since which it is
    :param threads: from thread to name; SGIs are counted by it
    """
    since = {name: now - before[name] for name, now in snapshot().items()}
    exits, sgis = collections.Counter(), collections.Counter()
    for (ret, ec), hits in since['exits'].items():
        exits['IRQ' if ret == EXIT_IRQ else CLASSES.get(ec, 'other')] += hits
    for (function,), hits in since['calls'].items():
        if function in CALLS:
            exits['HVC'] -= hits
            exits[f'HVC, {CALLS[function]}'] += hits
    # It is only the console that tells what there is to count.
    exits['MMIO'] -= sum(since['console'].values())
    for (pid, esr), hits in since['registers'].items():
        if esr & REGISTER == SGI1R:
            sgis[threads.get(pid, 'another')] += hits
    for (pid,), hits in since['writes'].items():
        sgis[threads.get(pid, 'another')] += hits
    return {'exits': {name: hits for name, hits in exits.items() if hits}, 'sgis': sgis}


def irq_lines():
    """Times at which QEMU set a vCPU's IRQ line: (seconds, vCPU, level)."""
    text = read('trace')
    entries = re.search(r'entries-in-buffer/entries-written: (\d+)/(\d+)', text)
    if not entries or entries[1] != entries[2]:
        raise Failed("the kernel's trace buffer is too small")
    return [(float(time), int(cpu), int(level)) for time, cpu, level in re.findall(
        r' (\d+\.\d+): kvm_irq_line: Inject CPU interrupt \(0\), vcpu->idx: (\d+), num: 0, '
        r'level: ([01])', text)]


# ---- Guests ------------------------------------------------------------------

def vcpu_threads(pid):
    """From thread to "vCPU n", as "debug-threads" names them."""
    threads = {}
    for thread in os.listdir(f'/proc/{pid}/task'):
        with contextlib.suppress(OSError), \
                open(f'/proc/{pid}/task/{thread}/comm', encoding='ascii') as file:
            match = re.match(r'CPU (\d+)/KVM', file.read())
            if match:
                threads[int(thread)] = f'vCPU {match[1]}'
    return threads


@contextlib.contextmanager
def stopped(qemu):
    """Nothing happens while counters are read one after the other."""
    qemu.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        qemu.send_signal(signal.SIGCONT)


def run(command, begin, end):
    """
    Start QEMU, and count from a line that begins with BEGIN to one with END.

    :return: (what the guest printed, counts())
    """
    said, before, result, threads = [], None, None, {}
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors='replace') as qemu:
        guard = threading.Timer(PATIENCE, qemu.kill)
        guard.start()
        try:
            for line in qemu.stdout:
                said.append(line)
                if line.startswith(begin):
                    threads = vcpu_threads(qemu.pid)
                    with stopped(qemu):
                        write('trace', '')
                        before = snapshot()
                elif line.startswith(end) and before:
                    with stopped(qemu):
                        result = counts(before, threads)
            status = qemu.wait()
        finally:
            guard.cancel()
            qemu.kill()
    if status or not result or not any(line.startswith('@DONE') for line in said):
        raise Failed(f"the guest did not do its work (QEMU: status {status}):\n{''.join(said)}")
    return ''.join(said), result


def disk_options(devices):
    options = []
    for number, device in enumerate(devices):
        options += ['-blockdev',
                    f'null-co,node-name=disk{number},size={DISK_BYTES},read-zeroes=on',
                    '-device', f'{device},drive=disk{number}']
    return options


def qemu_command(args, chip, cpus):
    return [args.qemu, '-accel', 'kvm', '-cpu', 'host', '-machine', f'virt,{MACHINES[chip]}',
            '-smp', str(cpus), '-m', '256M', '-name', 'vgic,debug-threads=on',
            '-global', 'virtio-mmio.force-legacy=false']


def crowd(args, chip, folder):
    """The guest whose interrupts crowd."""
    initrd = os.path.join(folder, 'crowd')
    with open(initrd, 'wb') as file:
        archive = cpio.Archive(file)
        archive.console()
        archive.copy('bin/busybox', BUSYBOX)
        archive.link('bin/sh', 'busybox')
        archive.copy('init', os.path.join(TOP, 'tests-functional/guest/crowd'))
        archive.end()
    devices = [device for device, number in DISKS.items() for _ in range(number)]
    write('events/kvm/kvm_irq_line/enable', '1' if chip == 'rvic' else '0')
    text, result = run([*qemu_command(args, chip, CPUS), *disk_options(devices),
                        *bench_guest.options(args.image, initrd, (), READS=args.reads,
                                             WAKES=args.wakes)], '@START', '@TIME')
    if chip == 'rvic':
        result['lines'] = irq_lines()
    result['seconds'] = seconds(text)
    result['interrupts'] = dict(devices_interrupts(text))
    for wanted, device in enumerate(devices):
        if result['interrupts'].get(f'virtio{wanted}', 0) < args.reads:
            raise Failed(f'disk {wanted} ({device}) has had less than {args.reads} interrupts:\n'
                         f'{text}')
    return result


def told(pattern, text):
    """The groups of the pattern in a line that the guest has printed."""
    match = re.search(pattern, text, re.M)
    if not match:
        raise Failed(f'the guest has printed no line {pattern}:\n{text}')
    return match.groups()


def seconds(text):
    before, _, after, _ = told(r'^@TIME (\d+\.\d+) (\S+) (\d+\.\d+) (\S+)', text)
    return float(after) - float(before)


def devices_interrupts(text):
    """From virtio device to the sum of its lines of /proc/interrupts."""
    found = collections.Counter()
    for numbers, name in re.findall(r'^ *\d+:((?: +\d+)+) .* (virtio\d+)\S*$', text, re.M):
        found[name] += sum(map(int, numbers.split()))
    return found


def measure(args, chip, name):
    """
    A guest whose interrupts are all alike, but for the ticks; the result has the numbers of
    both.
    """
    device = MEASUREMENTS[name]
    text, result = run([*qemu_command(args, chip, 2), *disk_options([device] if device else []),
                        *bench_guest.options(args.image, args.initrd, [name],
                                             SECONDS=args.seconds)], '@START', '@TICKS')
    ticks, = told(r'^@TICKS (\d+)$', text)
    _, interrupts, _ = told(r'^@RESULT \S+ (\d+) (\d+) (\d+)$', text)
    return {**result, 'interrupts': int(interrupts), 'ticks': int(ticks)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--qemu', required=True, help='qemu-system-aarch64')
    parser.add_argument('--image', required=True, help="the guest's kernel")
    parser.add_argument('--initrd', help='an initramfs with bench.c as /init')
    parser.add_argument('--output', required=True, help='file for the result')
    parser.add_argument('--reads', type=int, default=0, help='of each disk of the crowd')
    parser.add_argument('--wakes', type=int, default=0, help='of each CPU of the crowd')
    parser.add_argument('--seconds', type=int, default=1, help='for each measurement')
    parser.add_argument('--crowd', nargs='*', choices=MACHINES, default=[])
    parser.add_argument('--measure', nargs='*', choices=MACHINES, default=[])
    args = parser.parse_args()
    result = {'kernel': os.uname().release, 'crowd': {}, 'measurements': {}}
    try:
        prepare()
        for chip in args.crowd:
            result['crowd'][chip] = crowd(args, chip, '/tmp')
        for chip in args.measure:
            result['measurements'][chip] = {name: measure(args, chip, name)
                                            for name in MEASUREMENTS}
        with open(args.output, 'w', encoding='utf-8') as file:
            json.dump(result, file)
    except (Failed, OSError, subprocess.CalledProcessError) as failed:
        print(failed, file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
