# SPDX-License-Identifier: GPL-2.0-or-later
"""
The start of a machine with many vCPUs: what share of it is the interrupt controller's.

It is created in one go, between two functions of the board, where gdb reads what QEMU has taken
so far: bench_start_gdb.py. What either controller's own reset takes besides, and the rVIC's part
of the device tree, is below one millisecond.
"""

import ctypes
import os
import re
import subprocess

from bench_row import CPU, MACHINES, Failed, Row

CPUS = 512

ROWS = {
    'start-time': Row(f'creation of the irqchip of {CPUS} vCPUs', 0.5),
    'start-memory': Row(f'memory of the irqchip of {CPUS} vCPUs', 0.5, False, 'bytes'),
    'start-total-time': Row(f'start of QEMU with {CPUS} vCPUs'),
    'start-total-memory': Row(f'memory of QEMU with {CPUS} vCPUs', None, False, 'bytes'),
}

# Bounds a start, in seconds. It takes three.
PATIENCE = 180

# Of prctl(): pages that are larger than what was asked for would be counted as a whole.
PR_SET_THP_DISABLE = 41


def without_huge_pages():
    """For this process, and those that it starts."""
    ctypes.CDLL(None).prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)


def measure(run, irqchip):
    """One start, in nanoseconds of CPU time and in bytes. A GICv2 has 8 vCPUs at most."""
    if irqchip == 'gicv2':
        return {}
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'bench_start_gdb.py')
    try:
        done = subprocess.run(
            ['gdb', '-nx', '-batch', '-x', script, '--args', run.qemu,
             '-machine', MACHINES[irqchip], '-cpu', CPU, '-smp', str(CPUS), '-m', '256M',
             '-nodefaults', '-display', 'none'],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False, timeout=PATIENCE, preexec_fn=without_huge_pages)
    except subprocess.TimeoutExpired as expired:
        raise Failed(f'{irqchip}: {expired}') from expired
    stops = {name: list(map(int, numbers.split())) for name, numbers in re.findall(
        r'^@STOP (\S+) (\d+ \d+ \d+)$', done.stdout, re.M)}
    try:
        before, after, end = (stops[name] for name in (
            'create_gic', 'fdt_add_pmu_nodes', 'cpu_exec'))
    except KeyError as error:
        raise Failed(f'{irqchip}: the start did not come to {error}:\n{done.stdout}') from error
    return {'start-time': after[0] - before[0], 'start-memory': (after[2] - before[2]) << 10,
            'start-total-time': end[1], 'start-total-memory': end[2] << 10}
