# SPDX-License-Identifier: GPL-2.0-or-later
"""The Linux level of scripts/bench: boot, and interrupts as a Linux guest sees them."""

import os

import bench_guest
from bench_row import COMPILER, CPU, MACHINES, Failed, Row
from commands import BUILD, TOP, complaint

ROWS = {
    'linux-boot': Row("Linux boot, from QEMU's start to the first process", 1.0),
    'linux-boot-kernel': Row("Linux boot, from the kernel's start"),
    'linux-timer': Row('Linux timer'),
    'linux-pipe': Row('Linux pipe ping-pong between two CPUs'),
    'linux-blk': Row('virtio-blk 4 KiB read, MSI-X', 1.0, True),
    'linux-net': Row('virtio-net request and answer, MSI-X', 1.0, True),
}

# From rows to what bench.c calls them
MEASUREMENTS = {'linux-timer': 'timer', 'linux-pipe': 'pipe', 'linux-blk': 'disk',
                'linux-net': 'net'}

DISK_BYTES = 64 << 20

# How long each measurement takes, in seconds, also if the benchmark itself is tried
SECONDS, QUICK_SECONDS = 2, 0.2

# Bounds one guest, in seconds besides the measurements. It takes one; but hosts that are virtual
# machines themselves may stand still for a while.
PATIENCE = 180


def image_and_initrd(run):
    """Where prepare() puts what guests boot."""
    return [os.path.join(run.folder, name) for name in ('linux-image', 'linux-initrd')]


def prepare(run, kernel=os.path.join(BUILD, 'guest/Image')):
    """Make what all guests have in common."""
    image, initrd = image_and_initrd(run)
    os.symlink(kernel, image)
    program = os.path.join(run.folder, 'linux-init')
    problem = complaint(COMPILER, '-O2', '-static', '-D_GNU_SOURCE', '-o', program,
                        os.path.join(TOP, 'tests-functional/guest/bench.c'))
    if problem:
        raise Failed(f'the guest could not be compiled:\n{problem}')
    bench_guest.pack(initrd, program)


def command(qemu, irqchip, guest):
    """
    QEMU's arguments.

    Two CPUs are what pipe and disk need. Emulated CPUs are threads: more of them than the host
    has CPUs would wait for the host's scheduler, and the others' interrupts with them.

    Neither disk nor network has anything behind it that is not QEMU's main loop: reads are of
    zeroes, and QEMU's user network answers ICMP's echo itself. Another process that answered
    would add its own wake-ups, which take longer than all that is measured here.

    :param guest: what bench_guest.options() returns
    """
    return [qemu, '-machine', MACHINES[irqchip], '-cpu', CPU, '-smp', '2', '-m', '256M', *guest,
            '-blockdev', f'null-co,node-name=disk,size={DISK_BYTES},read-zeroes=on',
            '-device', 'virtio-blk-pci,drive=disk',
            '-netdev', 'user,id=net,restrict=on', '-device', 'virtio-net-pci,netdev=net']


def boot(run, irqchip, names, *more, **variables):
    """
    Have a guest make these measurements: see bench_guest.

    :param more: more of QEMU's options
    :param variables: for bench.c
    """
    seconds = QUICK_SECONDS if run.quick else SECONDS
    guest = bench_guest.options(*image_and_initrd(run), names, SECONDS=seconds, **variables)
    try:
        return bench_guest.run([*command(run.qemu, irqchip, guest), *more], names,
                               PATIENCE + seconds * len(names))
    except Failed as failed:
        raise Failed(f'{irqchip}: {failed}') from failed


def measure(run, irqchip):
    """One guest measures all rows, in nanoseconds for each event."""
    guest = boot(run, irqchip, MEASUREMENTS.values())
    return {'linux-boot': guest.boot, 'linux-boot-kernel': guest.kernel,
            **{row: guest.results[name].ns / guest.results[name].events
               for row, name in MEASUREMENTS.items()}}
