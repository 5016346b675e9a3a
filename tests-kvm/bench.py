#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Measure interrupt controllers on a KVM host: what guest/bench.c says of each.

scripts/bench-kvm starts this on the host. A round boots each guest once, one
after the other, so that what slows the machine down for a while slows all of
them down. The result is JSON: the kernel, and from controller to measurement to
the list of the rounds' values.
"""

import argparse
import collections
import json
import os
import re
import subprocess
import sys
import threading
import time

# Bounds one guest, in seconds besides the measurements. It takes a few.
PATIENCE = 300

# What QEMU's -machine says besides "virt", by name of the controller
CONTROLLERS = {
    'gicv3-kernel': 'gic-version=3',
    'gicv2-kernel': 'gic-version=2',
    'gicv2-user': 'gic-version=2,kernel-irqchip=off',
    'rvic-user': 'irqchip=rvic,kernel-irqchip=off',
}

# The measurements of guest/bench.c
RATES = 'timer', 'ipi-idle', 'ipi-busy', 'disk'

DISK_BYTES = 64 << 20


class Failed(Exception):
    """A guest did not come to its end."""


def command(args, controller):
    """QEMU's arguments."""
    return [
        args.qemu, '-accel', 'kvm', '-cpu', 'host',
        '-machine', f'virt,{CONTROLLERS[controller]}', '-smp', '2', '-m', '256M',
        '-kernel', args.image, '-initrd', args.initrd,
        '-append', f'console=ttyAMA0 quiet SECONDS={args.seconds}',
        '-nic', 'none', '-display', 'none', '-monitor', 'none', '-serial', 'stdio', '-no-reboot',
        '-blockdev', f'null-co,node-name=disk,size={DISK_BYTES},read-zeroes=on',
        '-device', 'virtio-blk-pci,drive=disk']


def measure(args, controller):
    """
    Boot a guest and have it measure.

    :return: from measurement to value: of boots milliseconds, of rates events
             per second. "boot-kernel" is from the kernel's start to its first
             process, "boot" from QEMU's start.
    """
    values = {}
    said = []
    start = time.monotonic()
    with subprocess.Popen(command(args, controller), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors='replace') as qemu:
        patience = threading.Timer(PATIENCE + len(RATES) * args.seconds, qemu.kill)
        patience.start()
        try:
            for line in qemu.stdout:
                now = time.monotonic()
                said.append(line)
                init = re.match(r'@INIT (\d+)', line)
                result = re.match(r'@RESULT (\S+) (\d+) (\d+) (\d+)', line)
                if init:
                    values['boot'] = (now - start) * 1e3
                    values['boot-kernel'] = int(init[1]) / 1e6
                elif result:
                    # Interrupts are what was counted; reads, what somebody wants
                    count = int(result[2] if result[1] == 'disk' else result[3])
                    values[result[1]] = count * 1e9 / int(result[4])
        finally:
            patience.cancel()
            qemu.kill()
    if '@DONE\n' not in [line.replace('\r', '') for line in said] or \
            set(values) != {'boot', 'boot-kernel', *RATES}:
        raise Failed(f'{controller}: QEMU ended with {qemu.returncode}:\n{"".join(said[-20:])}')
    return values


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--qemu', required=True, help='qemu-system-aarch64')
    parser.add_argument('--image', required=True, help="the guest's kernel")
    parser.add_argument('--initrd', required=True, help='an initramfs with guest/bench.c as /init')
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
