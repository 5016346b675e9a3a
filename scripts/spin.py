# SPDX-License-Identifier: GPL-2.0-or-later
"""
What spin has to say about the model in tests-spin/: scenarios, in which nothing may go wrong, and
variants of them with one mistake planted, which it has to find. The model tells what the switches
mean, and how to do one of these runs by hand.
"""

import collections
import concurrent.futures
import os
import re
import shutil
import tempfile
import time

from commands import TOP, output

MODEL = os.path.join(TOP, 'tests-spin/rvic.pml')

# MB for one run
MEMORY = 4000

MSI, LEVEL = 'KIND0=MSI MOVES', 'KIND0=LEVEL MOVES'

SCENARIOS = {
    'two-inputs': 'KIND0=LEVEL KIND1=MSI MOVES',
    'two-inputs-disabled': 'KIND0=LEVEL KIND1=MSI DISABLES',
    'two-inputs-at-rest': 'KIND0=LEVEL KIND1=MSI MOVES DISABLES EVENTS=3',
    'msi': 'KIND0=MSI MOVES DISABLES',
    'pulse': 'KIND0=PULSE MOVES DISABLES',
    'level': 'KIND0=LEVEL MOVES DISABLES',
    'untyped': 'KIND0=UNTYPED MOVES DISABLES',
    'steady': 'KIND0=LEVEL KIND1=LEVEL STEADY',
    'threaded': 'KIND0=LEVEL MOVES ONESHOT0',
    'freed': 'KIND0=LEVEL MOVES FREES',
    'timers-and-ipis': 'TIMERS=HELD IPIS',
    'hotplug': 'KIND0=MSI HOTPLUG MOVES',
    'hotplug-trusted': 'TIMERS=LATCHED IPIS HOTPLUG',
    'kexec': 'KIND0=LEVEL KIND1=LEVEL KEXEC',
    'served-level': 'KIND0=LEVEL MOVES DISABLES LIVE=0',
    'served-msi': 'KIND0=MSI MOVES LIVE=0',
    'served-first': 'KIND0=LEVEL KIND1=MSI LIVE=0',
    'served-second': 'KIND0=LEVEL KIND1=MSI LIVE=1',
}

LONG_SCENARIOS = {
    'all-of-two-inputs': 'KIND0=LEVEL KIND1=MSI MOVES DISABLES',
    'other-two-inputs': 'KIND0=UNTYPED KIND1=PULSE MOVES',
    'threaded-and-msi': 'KIND0=LEVEL KIND1=MSI MOVES ONESHOT0',
    'freed-and-msi': 'KIND0=LEVEL KIND1=MSI MOVES FREES',
    'msi-and-timers': 'KIND0=MSI MOVES TIMERS=HELD',
    'hotplug-and-timers': 'KIND0=MSI HOTPLUG MOVES TIMERS=HELD',
    'long-to-rest': 'KIND0=LEVEL KIND1=MSI MOVES DISABLES EVENTS=6',
}

# The planted mistake: in which scenario it is found, and as what
VARIANTS = {
    # Moving an interrupt, rvic_route(), and its end, rvic_untrusted_eoi()
    'BUG_NO_RESEND': (MSI, 'lost_interrupt'),
    'BUG_UNMAP_FIRST': (MSI, 'lost_interrupt'),
    'BUG_PENDING_NOT_MOVED': (MSI, 'lost_interrupt'),
    'BUG_PENDING_BEFORE_MAP': (MSI, 'lost_interrupt'),
    'BUG_OLD_NOT_MASKED': (MSI, 'storm'),
    'BUG_OLD_NOT_CLEARED BUG_NEW_NOT_CLEARED': (MSI, 'storm'),
    'BUG_UNMASKED_IN_PROGRESS': (LEVEL, 'storm'),
    'BUG_EOI_IN_PROGRESS': (LEVEL, 'storm'),
    'BUG_EOI_OWN_CPU': (MSI, 'wrong_mask'),
    'BUG_EOI_LOCKS': ('KIND0=MSI EVENTS=2', 'invalid end state'),
    'BUG_RUNS_ANYWAY': (LEVEL, 'runs_twice'),
    # free_irq(), which rvic_is_handled() makes wait
    'BUG_HANDLING_LATE': ('KIND0=LEVEL FREES', 'taken_away'),
    'BUG_HANDLING_IGNORED': ('KIND0=LEVEL FREES', 'taken_away'),
    # Trusted INTIDs
    'BUG_EOI_UNMASKS': ('TIMERS=HELD', 'storm'),
    'BUG_EOI_NO_RESAMPLE': ('TIMERS=HELD', 'lost_interrupt'),
    'BUG_UNMASK_NO_RESAMPLE': ('TIMERS=HELD', 'lost_interrupt'),
    'BUG_IPI_EARLY': ('IPIS', 'lost_interrupt'),
    # Instances that come and go
    'BUG_OFFLINE_DISABLES': ('KIND0=MSI HOTPLUG', 'lost_interrupt'),
    'BUG_STARTING_DISABLES': ('KIND0=MSI HOTPLUG', 'lost_interrupt'),
    'BUG_ENABLE_LATE': ('IPIS HOTPLUG', 'call_failed'),
    'BUG_LEFT_MAPPED': ('KIND0=LEVEL KIND1=LEVEL KEXEC', 'storm'),
    'BUG_LEFT_DISABLED': ('KIND0=LEVEL KIND1=LEVEL KEXEC', 'storm'),
    # The device
    'DEV_FALL_CLEARS_PENDING': ('KIND0=PULSE', 'lost_interrupt'),
    'DEV_MAP_KEEPS_LEVEL': (LEVEL, 'lost_interrupt'),
    'DEV_ACK_CLEARS_LEVEL': ('KIND0=LEVEL', 'lost_interrupt'),
    'DEV_ENABLE_NO_SAMPLE': ('TIMERS=LATCHED HOTPLUG', 'lost_interrupt'),
    'DEV_MASKED_SIGNAL_LOST': ('KIND0=MSI', 'lost_interrupt'),
    'DEV_MASK_IGNORED': ('KIND0=MSI KIND1=MSI DISABLES', 'masked_delivered'),
    'DEV_LOWEST_FIRST': ('KIND0=LEVEL KIND1=MSI LIVE=1', 'acceptance cycle'),
    # Its locking: what is one step, and what is done with the BQL
    'DEV_EDGE_LATER': ('KIND0=LEVEL STEADY', 'extra'),
    'DEV_MAP_UNLOCKED': (MSI, 'lost_interrupt'),
    'DEV_STALE_OUTPUT': (MSI, 'wrong_output'),
    'DEV_TAKEN_EARLY': (MSI, 'late_output'),
    'DEV_DRIVING_IGNORED': (MSI, 'late_output'),
    'DEV_NOT_REMEMBERED': ('KIND0=MSI', 'late_output'),
}

Run = collections.namedtuple('Run', 'name switches expected')
Verdict = collections.namedtuple('Verdict', 'found figures')

# Ways to search: how the program that does it is compiled, and called
Way = collections.namedtuple('Way', 'compiler arguments')
DEEP = Way('-O0 -DSAFETY -DNOFAIR', '-m4000000')            # looks at fewest states
LARGE = Way('-O2 -DSAFETY -DNOFAIR -DCOLLAPSE', '-m20000000')
# Finds the shortest way to an error; may miss deadlocks, as the model has a rendezvous
NEAR = Way('-O0 -DSAFETY -DNOFAIR -DBFS', '')
# What LIVE means, and weak fairness, which does not go with a rendezvous and spin's reduction
CYCLES = Way('-O0 -DNFAIR=3 -DNOREDUCE', '-a -f -m1000000')


def command(folder, *words):
    """The output of a command that has to succeed."""
    status, text = output(*words, cwd=folder)
    if status:
        raise RuntimeError(f"{' '.join(words)}: status {status}\n{text}")
    return text


def defines(run):
    return ['-D' + switch for switch in run.switches.split()]


def search(folder, run, way):
    """Let spin look at all states of a run, or at those up to the first error."""
    shutil.copy(MODEL, folder)
    command(folder, 'spin', '-a', *defines(run), 'rvic.pml')
    command(folder, 'cc', *way.compiler.split(), f'-DMEMLIM={MEMORY}', '-w', '-o', 'pan', 'pan.c')
    start = time.monotonic()
    text = command(folder, './pan', *way.arguments.split())
    seconds = time.monotonic() - start

    error = re.search(r'^pan:1: (?:assertion violated  ?!\((\w+)\)|(.*?)) \(at depth (\d+)\)',
                      text, re.M)
    if error:
        found = error[1] or error[2]
        return Verdict(found, f'{found} after {error[3]} steps')
    states, memory = (re.search(rf'^ *(\S+){what}', text, re.M)
                      for what in (' states, stored', '\ttotal actual memory usage'))
    if not states or not memory or re.search('errors: [^0]|max search depth|not completed', text):
        raise RuntimeError('the search is not complete\n' + text)
    return Verdict('', f'{float(states[1]):.0f} states, {float(memory[1]):.0f} MB, {seconds:.1f} s')


def check(run, way):
    """(name, what is wrong if anything)"""
    with open(MODEL, encoding='utf-8') as file:
        known = set(re.findall(r'\w+', file.read()))
    unknown = [switch for switch in run.switches.split() if switch.split('=')[0] not in known]
    if unknown:
        return run.name, f"the model has no {' '.join(unknown)}"

    with tempfile.TemporaryDirectory(prefix='rvic-spin-') as folder:
        try:
            verdict = search(folder, run, way)
            if verdict.found == run.expected:
                return f'{run.name}: {verdict.figures}', ''
            if way in (DEEP, LARGE):
                verdict = search(folder, run, NEAR)
            story = verdict.found and command(folder, 'spin', '-t', '-B', *defines(run), 'rvic.pml')
        except (RuntimeError, FileNotFoundError) as error:
            return run.name, str(error)
    return run.name, f"with {' '.join(defines(run))}: {verdict.figures}\n{story}"


def usual():
    """All variants, and the scenarios that take seconds: (name, what is wrong) of each."""
    runs = [Run(name, switches, '') for name, switches in SCENARIOS.items()]
    runs += [Run(name.replace(' ', '+'), f'{switches} {name}', expected)
             for name, (switches, expected) in VARIANTS.items()]
    ways = [CYCLES if 'LIVE=' in run.switches else NEAR if run.expected else DEEP for run in runs]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(check, runs, ways)


def long():
    """The other scenarios, one at a time, for they need memory."""
    for name, switches in LONG_SCENARIOS.items():
        yield check(Run(name, switches, ''), LARGE)
