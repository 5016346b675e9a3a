# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/bench: how many instructions of the host an event costs.

By perf where the host lets it count, else by valgrind, which is slower by a factor of 50 and
counts all the same. Either sees all of QEMU; so each item is run with some events, and with
more, and only the difference counts. All vCPUs are one thread: else it would count how long they
wait for each other, which depends on the host.
"""

import functools
import os
import re
import subprocess

import bench_baremetal
from bench_row import Failed

# Of an item: how often it is run, and how much more often to compare; what is done in a few
# instructions more often, since QEMU itself does not need the same number twice.
EVENTS, MORE = 1000, 4000
CHEAP_EVENTS = 100000
CHEAP = {'loop', 'empty-helper'}

# How many vCPUs an item needs, if not one
VCPUS = {'ipi-round-trip': 2, 'ipi-round-trip-wfi': 2, 'ipi-throughput-2': 2,
         'ipi-throughput-4': 4, 'ipi-throughput-8': 8}

# Bounds each run, in seconds
PATIENCE = 1800


def with_perf(file):
    return ['perf', 'stat', '-x', ',', '-e', 'instructions:u', '-o', file, '--']


def with_valgrind(file):
    # TCG's code changes, as does what is at an address; it is in no file.
    return ['valgrind', '--tool=cachegrind', '--cache-sim=no', '--smc-check=all-non-file',
            '--cachegrind-out-file=/dev/null', f'--log-file={file}']


COUNTS = {with_perf: r'^(\d+),[^,]*,instructions', with_valgrind: r'I +refs: +([\d,]+)'}


def counted(tool, file):
    """What a tool has written to its file, or None."""
    try:
        with open(file, encoding='utf-8', errors='replace') as log:
            found = re.search(COUNTS[tool], log.read(), re.M)
    except FileNotFoundError:
        return None
    return int(found[1].replace(',', '')) if found else None


@functools.cache
def best_tool(folder):
    """perf, if it is there and counts."""
    file = os.path.join(folder, 'instructions')
    try:
        subprocess.run([*with_perf(file), 'true'], capture_output=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        return with_valgrind
    return with_perf if counted(with_perf, file) else with_valgrind


def total(run, irqchip, item, events):
    """The instructions of a run."""
    tool = best_tool(run.folder)
    file = os.path.join(run.folder, 'instructions')
    command = bench_baremetal.command(
        run, irqchip, [item], f'n={events}', f'patience={PATIENCE}000',
        vcpus=VCPUS.get(item, 1), accel='tcg,thread=single')
    bench_baremetal.boot([*tool(file), *command], irqchip, [item], PATIENCE)
    count = counted(tool, file)
    if count is None:
        raise Failed(f'{tool.__name__}: no number of instructions in {file}')
    return count


def measure(run, irqchip):
    """From row to instructions of an event."""
    items = {}
    for item in sorted(bench_baremetal.items_of(run.names)):
        scale = CHEAP_EVENTS // EVENTS if item in CHEAP else 1
        few, many = EVENTS * scale, (EVENTS + MORE) * scale
        items[item] = (total(run, irqchip, item, many) - total(run, irqchip, item, few)) / (
            many - few)
    return bench_baremetal.rows_of(items, run.names)
