# SPDX-License-Identifier: GPL-2.0-or-later
"""
Have gdb run QEMU and tell what it has taken when it comes to certain functions: see bench_start.

Started by gdb, whose Python has the module "gdb". For each function one line: "@STOP", its name,
the CPU time of the main thread and that of all threads in nanoseconds, and the anonymous memory
in kB. QEMU is ended at the last of them.
"""

import os

import gdb  # pylint: disable=import-error

# In this order: the interrupt controller is created, is there, and the first vCPU runs
STOPS = 'create_gic', 'fdt_add_pmu_nodes', 'cpu_exec'

SETTINGS = '''
set confirm off
set pagination off
set startup-with-shell off
set debuginfod enabled off
handle SIGUSR1 SIGUSR2 nostop noprint pass
'''


def cpu_time(folder):
    """Of a thread, in nanoseconds."""
    with open(os.path.join(folder, 'schedstat'), encoding='ascii') as file:
        return int(file.read().split()[0])


def taken(pid):
    """What a process has taken so far."""
    folder = f'/proc/{pid}'
    tasks = os.path.join(folder, 'task')
    with open(os.path.join(folder, 'smaps_rollup'), encoding='ascii') as file:
        memory = next(line.split()[1] for line in file if line.startswith('Anonymous:'))
    return (cpu_time(folder),
            sum(cpu_time(os.path.join(tasks, task)) for task in os.listdir(tasks)), memory)


for setting in SETTINGS.strip().splitlines():
    gdb.execute(setting)
for stop in STOPS:
    gdb.Breakpoint(stop, temporary=True)
for number, stop in enumerate(STOPS):
    gdb.execute('continue' if number else 'run')
    # A function that was inlined is a frame nevertheless.
    print('@STOP', gdb.selected_frame().name(), *taken(gdb.selected_inferior().pid))
gdb.execute('kill')
