# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure a guest's boot, timer interrupts, IPIs and disk reads on KVM, with a GIC in the
kernel, a GICv2 in QEMU, and rVIC in QEMU.

Sets up whatever is missing first. Where there is no arm64 machine with KVM, two are
emulated, one with a GICv3 and one with a GICv2; only what one of them says of different
controllers can be compared. Let nothing else run meanwhile.
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile

import bench_guest
import kvm_host
from bench_row import layout
from commands import BUILD, TOP, prepare

# The host's GIC, and what can be measured on that
HOSTS = {3: ['gicv3-kernel', 'gicv2-user', 'rvic-user'],
         2: ['gicv2-kernel', 'gicv2-user', 'rvic-user']}

# What the others are compared with
USUAL = 'gicv2-user'

TITLES = {'gicv3-kernel': 'GICv3 in the kernel', 'gicv2-kernel': 'GICv2 in the kernel',
          'gicv2-user': 'GICv2 in QEMU', 'rvic-user': 'rVIC in QEMU'}

# From measurement to what it is, and whether less is better
ROWS = {
    'boot': ("boot, from QEMU's start, ms", True),
    'boot-kernel': ("boot, from the kernel's start, ms", True),
    'timer': ('timer interrupts per second', False),
    'ipi-idle': ('IPIs per second to an idle vCPU', False),
    'ipi-busy': ('IPIs per second to a busy vCPU', False),
    'disk': ('4 KiB reads per second, virtio-blk', False),
}


def parse():
    parser = argparse.ArgumentParser(
        prog='scripts/bench-kvm', description=__doc__, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rounds', type=int, default=5, metavar='N',
                        help='how often each guest is booted (default: 5)')
    parser.add_argument('--seconds', type=int, default=2, metavar='N',
                        help='how long each measurement takes (default: 2)')
    parser.add_argument('--icount', action='store_true',
                        help='have an emulated host that executes an instruction each '
                             'nanosecond: whatever else this machine does changes nothing')
    parser.add_argument('--json', action='store_true',
                        help='print all values instead of tables')
    args = parser.parse_args()
    for name in 'rounds', 'seconds':
        if not 1 <= getattr(args, name) <= 1000:
            parser.error(f'--{name}: {getattr(args, name)} is not between 1 and 1000')
    if args.icount and kvm_host.usable():
        parser.error('--icount: this machine has KVM itself, and emulates no host')
    return args


def program():
    """The program that measures in the guest, which the build has made."""
    tree = os.path.dirname(os.path.realpath(BUILD))
    return os.path.join(tree, 'build' if kvm_host.usable() else 'build-kvm',
                        'rvic/tests-kvm/bench')


def measure(args, controllers, gic, folder):
    """Run tests-kvm/bench.py on a host with that GIC and return its result."""
    initrd, output = os.path.join(folder, 'initrd'), os.path.join(folder, 'result')
    guest = kvm_host.Options().guest
    bench_guest.pack(initrd, program())
    command = ['/usr/bin/python3', os.path.join(TOP, 'tests-kvm/bench.py'),
               '--qemu', os.path.join(BUILD, 'qemu-system-aarch64'),
               '--image', os.path.join(guest, 'Image'), '--initrd', initrd,
               '--output', output, '--rounds', str(args.rounds), '--seconds', str(args.seconds),
               *controllers]
    if kvm_host.usable():
        status = subprocess.run(command, check=False).returncode
    else:
        options = kvm_host.Options(gic=gic, icount=args.icount)
        status = kvm_host.run(shlex.join(command), options, TOP, {}, files=[initrd],
                              kept=[folder])
    if status:
        sys.exit(status)
    with open(output, encoding='utf-8') as file:
        return json.load(file)


def cell(values, usual, less):
    """The median, the spread, and how it compares."""
    median = statistics.median(values)
    ratio = statistics.median(usual) / median if less else median / statistics.median(usual)
    return f'{median:,.0f} ({min(values):,.0f}-{max(values):,.0f}), {ratio:.2f}'


def table(result):
    """A host's result as a table of reStructuredText."""
    values = result['values']
    lines = [['', *(TITLES[controller] for controller in values)]]
    for name, (title, less) in ROWS.items():
        lines.append([title, *(cell(rows[name], values[USUAL][name], less)
                               for rows in values.values())])
    return layout(lines)


def main():
    args = parse()
    prepare('setup', '--tests', '--kvm')
    prepare('guest')
    hosts = HOSTS
    if kvm_host.usable():
        hosts = {kvm_host.own_gic(): HOSTS[kvm_host.own_gic()]}
    else:
        prepare('kvm-host')
    results = {}
    for gic, controllers in hosts.items():
        with tempfile.TemporaryDirectory(prefix='rvic-bench-') as folder:
            result = results[gic] = measure(args, controllers, gic, folder)
        if not args.json:
            print(f"\nHost with a GICv{gic}, Linux {result['kernel']}. Median of {args.rounds} "
                  f'rounds (least-most), times as good as {TITLES[USUAL]}:\n\n{table(result)}',
                  flush=True)
    if args.json:
        print(json.dumps(results))
    return 0


if __name__ == '__main__':
    try:
        sys.exit(kvm_host.exit_status('bench-kvm', main))
    except KeyboardInterrupt:
        sys.exit(130)
