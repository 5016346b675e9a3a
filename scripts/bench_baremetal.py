# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/bench: what interrupts cost, said by the bare-metal guest bench.c.

All of the rows come out of one boot: of cycles on one vCPU, of IPIs between two or more, and
of some calls and exceptions to compare these with.
"""

import os
import re
import subprocess
import sys
import time

from bench_row import COMPILER, CPU, MACHINES, Failed, Row
from commands import BUILD, TOP, contents

sys.path.insert(0, os.path.join(TOP, 'tests-functional'))
import rvic_baremetal  # noqa: E402 pylint: disable=wrong-import-position

ROWS = {
    'empty-helper': Row('an empty helper call'),
    'empty-exception': Row('an empty exception (SVC, ERET)'),
    'psci-version': Row('PSCI_VERSION, by HVC'),
    'version': Row('VERSION; with a GIC: PSCI_VERSION', 0.5),
    'mask-unmask': Row('mask and unmask a private interrupt', 0.5),
    'start-instance': Row("disable and enable a CPU's interface"),
    'local-cycle': Row('local cycle: signal, acknowledge, end', 0.65),
    'local-work': Row('local cycle less an empty exception', 0.3),
    'timer-cycle': Row('timer cycle: a level, disarmed', 0.75),
    'timer-work': Row('timer cycle less an empty exception', 0.45),
    'wired-edge': Row('wired interrupt, an edge'),
    'wired-level': Row('wired interrupt, a level'),
    'msi': Row('MSI of a PCIe device', 0.8),
    'ipi-round-trip': Row('IPI there and back, busy vCPUs', 0.8),
    'ipi-round-trip-wfi': Row('IPI there and back, sleeping vCPUs', 0.8),
    'ipi-throughput-2': Row('IPI of 2 vCPUs at random', None, True),
    'ipi-throughput-4': Row('IPI of 4 vCPUs at random', None, True),
    'ipi-throughput-8': Row('IPI of 8 vCPUs at random', 1.5, True),
}

# From row to the guest's two items of which it is the difference
DIFFERENCES = {
    'empty-helper': ('empty-helper', 'loop'),
    'local-work': ('local-cycle', 'empty-exception'),
    'timer-work': ('timer-cycle', 'empty-exception'),
}

VCPUS = 8

# For how long the guest measures each item, in ms: usually, and to try the benchmark itself.
# Short rounds, but more of them: those of different irqchips follow each other soon.
USUAL_MS, QUICK_MS = 20, 2
REPEAT = 5

# Bounds a boot, and until QEMU has its threads, in seconds, on a host that has other things to do
PATIENCE, START_PATIENCE = 300, 10


def image(run):
    return os.path.join(run.folder, 'bench.elf')


def prepare(run):
    """Compile the guest."""
    done = subprocess.run(
        rvic_baremetal.bench_command([COMPILER], image(run), os.path.join(BUILD, 'linux')),
        capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f'the guest was not compiled:\n{done.stderr}')


def items_of(names):
    """The guest's items that rows need."""
    return {item for name in names for item in DIFFERENCES.get(name, [name])}


def rows_of(items, names):
    """From the items' values to those of rows."""
    return {name: items[DIFFERENCES[name][0]] - items[DIFFERENCES[name][1]]
            if name in DIFFERENCES else items[name] for name in names}


def command(run, irqchip, items, *words, vcpus=VCPUS, accel='tcg'):
    """
    QEMU's command.

    :param items: what the guest has to measure
    :param words: more of its command line: see bench.h
    """
    return [run.qemu, '-machine', MACHINES[irqchip], '-accel', accel, '-cpu', CPU,
            '-smp', str(vcpus), '-name', 'bench,debug-threads=on', '-m', '256M', '-nic', 'none',
            '-device', 'edu',
            '-display', 'none', '-monitor', 'none', '-serial', 'stdio', '-kernel', image(run),
            '-append', ' '.join([f"items={','.join(sorted(items))}", *words])]


def results(text, irqchip, items):
    """
    What the guest has printed.

    :return: from item to (number of events, ns of all)
    """
    found = re.search(rf'^CONTROLLER {irqchip} \d+ (\d+)$', text, re.M)
    values = {name: (int(events), int(ticks) * 1e9 / int(found[1]))
              for name, events, ticks in re.findall(r'^RESULT (\S+) (\d+) (\d+)$', text, re.M)
              } if found else {}
    if not re.search('^DONE$', text, re.M) or set(values) != set(items):
        raise Failed(f'{irqchip}: the guest did not come to its end:\n{text[-2000:]}')
    return values


def spread(qemu):
    """
    Put the vCPUs' threads onto the host's CPUs in turn.

    The scheduler may leave two that are busy on one CPU for seconds, while another is idle.
    Then nothing but its time slices is measured when they wait for each other.
    """
    cpus = sorted(os.sched_getaffinity(0))
    end = time.monotonic() + START_PATIENCE
    threads = []
    while len(threads) < VCPUS and qemu.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
        try:
            names = [(thread, contents(f'/proc/{qemu.pid}/task/{thread}/comm'))
                     for thread in os.listdir(f'/proc/{qemu.pid}/task')]
            threads = [(int(thread), int(found[1])) for thread, name in names
                       if (found := re.match(r'CPU (\d+)/', name))]
        except FileNotFoundError:
            pass  # a thread that has ended, or QEMU
    try:
        for thread, vcpu in threads:
            os.sched_setaffinity(thread, [cpus[vcpu % len(cpus)]])
    except ProcessLookupError:
        pass  # boot() tells why


def boot(arguments, irqchip, items, patience=PATIENCE, prepared=lambda qemu: None):
    """
    Run a command until the guest has switched its machine off.

    :param prepared: called with the process
    :return: what the guest has said: see results()
    """
    with subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors='replace') as qemu:
        try:
            prepared(qemu)
            text = qemu.communicate(timeout=patience)[0]
        except BaseException as error:
            qemu.kill()
            if isinstance(error, subprocess.TimeoutExpired):
                raise Failed(f'{irqchip}: the guest was still running after {patience} s:\n'
                             f'{qemu.communicate()[0][-2000:]}') from None
            raise
    if qemu.returncode:
        raise Failed(f'{irqchip}: QEMU ended with {qemu.returncode}:\n{text[-2000:]}')
    return results(text.replace('\r', ''), irqchip, items)


def measure(run, irqchip):
    """One round: from row to ns of an event."""
    items = items_of(run.names)
    words = [f'ms={QUICK_MS if run.quick else USUAL_MS}']
    values = boot(command(run, irqchip, items, *words), irqchip, items, prepared=spread)
    return rows_of({name: ns / events for name, (events, ns) in values.items()}, run.names)
