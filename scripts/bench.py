# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure what interrupts cost with a GICv2, a GICv3 and rVIC, emulated (TCG), and compare.

Sets up whatever is missing first. In each round each irqchip is measured once, one after the
other, by the same QEMU. Let nothing else run meanwhile. A guest that misses an interrupt ends
the benchmark; a goal that is not met does not.
"""

import argparse
import collections
import fnmatch
import json
import os
import random
import signal
import statistics
import sys
import tempfile
import types

import bench_baremetal
import bench_linux
import bench_start
import bench_instructions
from bench_row import MACHINES, Failed, layout
from commands import BUILD, NoFigure, draw, prepare

# What measures: each has ROWS and measure(run, irqchip), and may have prepare(run), and
# REPEAT, how many rounds of it are one.
MODULES = [bench_baremetal, bench_linux, bench_start]

# What the others are compared with, and who has goals
USUAL, OURS = 'gicv3', 'rvic'

TITLES = {'gicv2': 'GICv2', 'gicv3': 'GICv3', 'rvic': 'rVIC'}

# In tables, from the unit of a row to larger ones
UNITS = {'ns': {'ns': 1, 'us': 1e3, 'ms': 1e6}, 'bytes': {'bytes': 1, 'kB': 1e3, 'MB': 1e6}}


def name_of(module):
    return module.__name__.removeprefix('bench_')


def rows():
    """From the names of all rows to what they are."""
    return {name: row for module in MODULES for name, row in module.ROWS.items()}


def chosen(patterns):
    """From module to the names of its rows that patterns name, by its own name or by theirs."""
    found = {module: [name for name in module.ROWS for pattern in patterns
                      if fnmatch.fnmatchcase(name, pattern) or
                      fnmatch.fnmatchcase(name_of(module), pattern)] for module in MODULES}
    return {module: list(dict.fromkeys(names)) for module, names in found.items() if names}


def parse():
    parser = argparse.ArgumentParser(
        prog='scripts/bench', description=__doc__, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='rows:\n' + '\n'.join(f'  {name_of(module)}: ' + ' '.join(module.ROWS)
                                     for module in MODULES))
    parser.add_argument('--rounds', type=int, metavar='N',
                        help='how often each irqchip is measured (default: 5)')
    parser.add_argument('--quick', action='store_true',
                        help='one round of few events, to try the benchmark itself')
    parser.add_argument('--only', action='append', metavar='PATTERN',
                        help="rows to measure, or groups of rows: see below; '*' for anything")
    parser.add_argument('--json', action='store_true', help='print JSON instead of a table; of memory, "ns" are bytes')
    parser.add_argument('--plot', metavar='FILE.svg', help='draw the ratios, too')
    parser.add_argument('--instructions', action='store_true',
                        help='count what an event costs in instructions of the host, too: '
                             'takes ten minutes or more without perf')
    parser.add_argument('--qemu', metavar='FILE',
                        help="qemu-system-aarch64 to measure (default: the build's)")
    parser.add_argument('--check', action='store_true', help='exit status 1 if a goal is not met')
    args = parser.parse_args()
    if args.quick and args.rounds:
        parser.error('--rounds: --quick is one round')
    if args.rounds is None:
        args.rounds = 1 if args.quick else 5
    if not 1 <= args.rounds <= 1000:
        parser.error(f'--rounds: {args.rounds} is not between 1 and 1000')
    args.names = chosen(args.only or ['*'])
    for pattern in args.only or []:
        if not chosen([pattern]):
            parser.error(f"--only: '{pattern}' names no row: --help shows all")
    if args.instructions and bench_baremetal not in args.names:
        parser.error('--instructions: only of the rows of baremetal')
    if args.qemu and not os.access(args.qemu, os.X_OK):
        parser.error(f'--qemu: {args.qemu} is not a program: give a qemu-system-aarch64')
    if args.plot and not os.path.isdir(os.path.dirname(os.path.abspath(args.plot))):
        parser.error(f'--plot: there is no folder for {args.plot}')
    return args


def progress(text):
    print(text, file=sys.stderr, flush=True)


def measure(args, run):
    """All rounds: from (row, irqchip) to the list of values."""
    values = collections.defaultdict(list)
    # None always runs after the same other one.
    order, irqchips = random.Random(0), list(MACHINES)
    for module in args.names:
        if hasattr(module, 'prepare'):
            run.names = args.names[module]
            module.prepare(run)
    for module, names in args.names.items():
        run.names = names
        rounds = args.rounds * (1 if args.quick else getattr(module, 'REPEAT', 1))
        for number in range(rounds):
            progress(f'{name_of(module)}: round {number + 1} of {rounds}')
            order.shuffle(irqchips)
            for irqchip in irqchips:
                for name, value in module.measure(run, irqchip).items():
                    if name in names:
                        values[name, irqchip].append(value)
    return values


def count(args, run):
    """From (row, irqchip) to instructions, if that is wanted."""
    counts = {}
    run.names = args.names.get(bench_baremetal)
    if args.instructions and run.names:
        for irqchip in MACHINES:
            for name, number in bench_instructions.measure(run, irqchip).items():
                counts[name, irqchip] = round(number)
            progress(f'instructions: {TITLES[irqchip]}')
    return counts


def compare(row, own, usual):
    """
    The ratio to GICv3 that goals are about: the median of the rounds', for what slows the host
    down for some seconds slows all of a round down. None if there is none, or for differences
    that are nothing but noise.
    """
    if not usual or min(map(statistics.median, (own, usual))) <= 0:
        return None
    ratios = [one / other for one, other in zip(own, usual) if other]
    ratio = statistics.median(ratios) if ratios else 0
    if ratio <= 0:
        return None
    return 1 / ratio if row.more else ratio


def result(name, irqchip, values, counts):
    """What is found out about a row and an irqchip."""
    row, own, usual = rows()[name], values[name, irqchip], values.get((name, USUAL))
    median = statistics.median(own)
    ratio = compare(row, own, usual)
    goal = row.goal if irqchip == OURS else None
    met = None
    if goal is not None and ratio is not None:
        met = ratio >= goal if row.more else ratio <= goal
    return {'name': name, 'irqchip': irqchip, 'ns_median': median, 'ns_min': min(own),
            'ns_max': max(own), 'unit': row.unit, 'ratio_to_gicv3': ratio,
            'goal': None if goal is None else f"{'>=' if row.more else '<='} {goal}",
            'met': met, 'instructions': counts.get((name, irqchip))}


def scale(found):
    """The unit in which a row's values are easy to read, and how many of its own that is."""
    least = min(one['ns_median'] for one in found.values())
    units = UNITS[next(iter(found.values()))['unit']]
    return max(((size, unit) for unit, size in units.items() if least >= size),
               default=(1, next(iter(units))))


def number(value):
    return f'{value:,.{2 if abs(value) < 10 else 1 if abs(value) < 100 else 0}f}'


def cells(found):
    """A row's lines of the table: values, and instructions if there are any."""
    ours, (size, _) = found.get(OURS, {}), scale(found)
    values = ['{} ({}-{})'.format(*(number(one['ns_' + what] / size)
                                    for what in ('median', 'min', 'max')))
              if one else '' for one in map(found.get, TITLES)]
    yield values + ['' if ours.get('ratio_to_gicv3') is None else f"{ours['ratio_to_gicv3']:.2f}",
                    ours.get('goal') or '',
                    {True: 'yes', False: 'no', None: ''}[ours.get('met')]]
    counts = [found.get(irqchip, {}).get('instructions') for irqchip in TITLES]
    if any(one is not None for one in counts):
        usual, own = (found.get(irqchip, {}).get('instructions') for irqchip in (USUAL, OURS))
        yield [f'{one:,}' if one is not None else '' for one in counts] + [
            f'{own / usual:.2f}' if own and usual else '', '', '']


def table(results):
    """A table of reStructuredText."""
    found = collections.defaultdict(dict)
    for one in results:
        found[one['name']][one['irqchip']] = one
    lines = [['', *TITLES.values(), 'ratio', 'goal', 'met']]
    for name, row in rows().items():
        if name in found:
            for title, line in zip((f'{row.title}, {scale(found[name])[1]}', '- instructions'),
                                   cells(found[name])):
                lines.append([title, *line])
    return layout(lines)


# Bars from 0 to the ratio, a line for the spread, another for the goal. In all rows it is the
# ratio of times or of memory, so that they can be read alike.
PLOT = '''
set terminal svg size 900,{height} dynamic noenhanced font "sans-serif,13" background "#ffffff"
set title "Ratio to GICv3; less is better"
set xrange [0:{most}]
set yrange [{rows}:-1]
set ytics ({titles}) scale 0
set xtics 0.25
set grid xtics
set key below horizontal samplen 2
set style fill solid 0.8 noborder
set arrow from 1,graph 0 to 1,graph 1 nohead linewidth 2 linecolor "#404040" front
plot $bars using (0):1:(0):2:($1-0.32):($1+0.32) with boxxyerrorbars \\
        linecolor "#4878a8" title "median", \\
     $bars using 3:1:($4-$3):(0) with vectors nohead linewidth 2 linecolor "#202020" \\
        title "spread", \\
     $goals using 2:($1-0.42):(0):(0.84) with vectors nohead linewidth 4 linecolor "#c03020" \\
        title "goal"
'''


def plot(results, path):
    """Draw the ratios with gnuplot."""
    usual = {one['name']: one['ns_median'] for one in results if one['irqchip'] == USUAL}
    ours = [one for one in results
            if one['irqchip'] == OURS and one['ratio_to_gicv3'] is not None]
    bars, goals, titles, most = [], [], [], 1.25
    for place, one in enumerate(ours):
        row, unit = rows()[one['name']], usual[one['name']]
        median, least, longest = (one[f'ns_{what}'] / unit for what in ('median', 'min', 'max'))
        bars.append(f'{place} {median} {least} {longest}')
        titles.append(f'"{row.title}" {place}')
        if row.goal is not None:
            goals.append(f'{place} {1 / row.goal if row.more else row.goal}')
        most = max(most, median * 1.1)
    script = PLOT.format(height=120 + 26 * len(bars), rows=len(bars), most=most,
                         titles=', '.join(titles))
    data = ''.join(f'${name} << end\n' + '\n'.join(lines or ['NaN NaN NaN NaN']) + '\nend\n'
                   for name, lines in (('bars', bars), ('goals', goals)))
    draw(data + script, path)


def main():
    args = parse()
    prepare('setup', '--tests')
    prepare('guest')
    with tempfile.TemporaryDirectory(prefix='rvic-bench-') as folder:
        run = types.SimpleNamespace(qemu=args.qemu or os.path.join(BUILD, 'qemu-system-aarch64'),
                                    folder=folder, quick=args.quick, names=None)
        values = measure(args, run)
        counts = count(args, run)
    results = [result(name, irqchip, values, counts) for name in rows() for irqchip in MACHINES
               if (name, irqchip) in values]
    if args.plot:
        plot(results, args.plot)
    if args.json:
        print(json.dumps({'rows': results}, indent=1))
    else:
        print(f'Median of {args.rounds} rounds (least-most); ratio of rVIC to GICv3:\n\n'
              f'{table(results)}')
    return 1 if args.check and any(one['goal'] and not one['met'] for one in results) else 0


def interrupted(signum, _frame):
    sys.exit(128 + signum)


if __name__ == '__main__':
    signal.signal(signal.SIGTERM, interrupted)
    try:
        sys.exit(main())
    except (Failed, NoFigure, OSError) as failed:
        sys.exit(f'bench: {failed}')
    except KeyboardInterrupt:
        sys.exit(130)
