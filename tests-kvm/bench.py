#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Measure interrupt controllers on a KVM host: what tests-functional/guest/bench.c
says of each.

scripts/bench-kvm starts this on the host. A round boots each guest once, one
after the other, so that what slows the machine down for a while slows all of
them down. The result is JSON: the kernel, and from controller to measurement to
the list of the rounds' values.
"""

import argparse
import collections
import json
import os
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, 'scripts'))
# pylint: disable=wrong-import-position
import bench_guest  # noqa: E402
from bench_row import Failed  # noqa: E402

# Bounds one guest, in seconds besides the measurements. It takes a few.
PATIENCE = 300

# What QEMU's -machine says besides "virt", by name of the controller
CONTROLLERS = {
    'gicv3-kernel': 'gic-version=3',
    'gicv2-kernel': 'gic-version=2',
    'gicv2-user': 'gic-version=2,kernel-irqchip=off',
    'rvic-user': 'irqchip=rvic,kernel-irqchip=off',
}

# The measurements of bench.c
RATES = 'timer', 'ipi-idle', 'ipi-busy', 'disk'

DISK_BYTES = 64 << 20


def command(args, controller):
    """QEMU's arguments."""
    return [
        args.qemu, '-accel', 'kvm', '-cpu', 'host',
        '-machine', f'virt,{CONTROLLERS[controller]}', '-smp', '2', '-m', '256M',
        *bench_guest.options(args.image, args.initrd, RATES, SECONDS=args.seconds),
        '-blockdev', f'null-co,node-name=disk,size={DISK_BYTES},read-zeroes=on',
        '-device', 'virtio-blk-pci,drive=disk']


def measure(args, controller):
    """
    Boot a guest and have it measure.

    :return: from measurement to value: of boots milliseconds, of rates events
             per second. "boot-kernel" is from the kernel's start to its first
             process, "boot" from QEMU's start.
    """
    try:
        guest = bench_guest.run(command(args, controller), RATES,
                                PATIENCE + len(RATES) * args.seconds)
    except Failed as failed:
        raise Failed(f'{controller}: {failed}') from failed
    values = {'boot': guest.boot / 1e6, 'boot-kernel': guest.kernel / 1e6}
    for name, result in guest.results.items():
        # Interrupts are what was counted; reads, what somebody wants
        count = result.events if name == 'disk' else result.interrupts
        values[name] = count * 1e9 / result.ns
    return values


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--qemu', required=True, help='qemu-system-aarch64')
    parser.add_argument('--image', required=True, help="the guest's kernel")
    parser.add_argument('--initrd', required=True, help='an initramfs with bench.c as /init')
    parser.add_argument('--rounds', type=int, required=True)
    parser.add_argument('--seconds', type=int, required=True, help='for each measurement')
    parser.add_argument('--output', required=True, help='file for the result')
    parser.add_argument('controllers', nargs='+', choices=CONTROLLERS)
    args = parser.parse_args()
    found = {controller: collections.defaultdict(list) for controller in args.controllers}
    try:
        for number in range(args.rounds):
            for controller in args.controllers:
                for name, value in measure(args, controller).items():
                    found[controller][name].append(value)
                print(f'round {number + 1} of {args.rounds}: {controller}', file=sys.stderr,
                      flush=True)
    except Failed as failed:
        print(failed, file=sys.stderr)
        return 1
    with open(args.output, 'w', encoding='utf-8') as file:
        json.dump({'kernel': os.uname().release, 'values': found}, file)
    return 0


if __name__ == '__main__':
    sys.exit(main())
