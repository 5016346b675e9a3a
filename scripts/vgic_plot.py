# SPDX-License-Identifier: GPL-2.0-or-later
"""Draw the list registers that are in use over time, and rVIC's lines, with gnuplot."""

import bisect
import collections

from commands import draw

# Nothing is left out of the time that is shown; it is as long, in milliseconds, as all curves
# together have not more steps than that.
MOST_STEPS = 500
LENGTHS = 200, 100, 50, 40, 30, 20, 10, 5, 2, 1

HEIGHT, MARGIN = 105, 70

HEAD = '''
set terminal svg size 900,{height} dynamic noenhanced font "sans-serif,12" background "#ffffff"
set multiplot layout {rows},1 margins 0.12,0.98,0.09,0.95 spacing 0,0.045
set xrange [0:{length}]
set xtics {tics} nomirror scale 0
set grid xtics
unset key
'''

# The last one has the axis.
ROW = '''
set title "{title}" offset 0,-0.8
set yrange [0:{most}]
set ytics ({tics}) nomirror
set ylabel "{label}"
{axis}
plot {curves}
'''


class Series:
    """Curves of whole numbers that change over time, from what they are of."""

    def __init__(self):
        self.times = collections.defaultdict(list)
        self.values = collections.defaultdict(list)

    def add(self, time, name, value):
        """At that time, in seconds, it became that."""
        if not self.values[name] or self.values[name][-1] != value:
            self.times[name].append(time)
            self.values[name].append(value)

    def busiest(self, seconds):
        """The start of the interval, of that length, in which values rise most."""
        start = min((times[0] for times in self.times.values()), default=0)
        rises = collections.Counter()
        for name, times in self.times.items():
            values = self.values[name]
            for time, before, value in zip(times[1:], values, values[1:]):
                rises[int((time - start) / seconds)] += max(0, value - before)
        return start + max(rises, key=rises.get, default=0) * seconds

    def between(self, name, start, end):
        """Its points (time since START, value), from the value that it has then on."""
        times, values = self.times[name], self.values[name]
        first, last = bisect.bisect_right(times, start), bisect.bisect_left(times, end)
        points = [(0, values[first - 1] if first else 0)]
        points += [(times[place] - start, values[place]) for place in range(first, last)]
        return [*points, (end - start, points[-1][1])]


def cut(series):
    """(length in ms, for each of the series its start) with few enough steps."""
    for length in LENGTHS:
        starts = [one.busiest(length / 1e3) for one in series]
        if sum(len(one.between(name, start, start + length / 1e3))
               for one, start in zip(series, starts) for name in one.times) <= MOST_STEPS:
            break
    return length, starts


def data(name, points):
    """Both corners of each step, so that all is one path."""
    corners = points[:1]
    for time, value in points[1:]:
        corners += [(time, corners[-1][1]), (time, value)]
    lines = [f'{time * 1e3:.4f} {value:g}' for time, value in corners]
    return f'${name} << end\n' + '\n'.join(lines) + '\nend\n'


def list_register_rows(title, series, start, length, registers):
    """One for each physical CPU: (data, the row's fields)."""
    for cpu in sorted(series.times):
        block = f'{title}_{cpu}'.replace(' ', '_')
        yield data(block, series.between(cpu, start, start + length / 1e3)), {
            'title': f"{title}: valid list registers of the host's CPU {cpu}",
            'most': registers + 0.3, 'label': '',
            'tics': ', '.join(str(tic) for tic in range(0, registers + 1, 2)),
            'curves': f'${block} using 1:2 with lines linecolor "#4878a8"'}


def line_row(series, start, length):
    """One for all vCPUs: each has a line of its own."""
    blocks, curves, tics = '', [], []
    for vcpu in sorted(series.times):
        floor = vcpu * 1.25
        blocks += data(f'vcpu{vcpu}', [(time, floor + value) for time, value in
                                       series.between(vcpu, start, start + length / 1e3)])
        curves.append(f'$vcpu{vcpu} using 1:2 with lines linecolor "#c03020"')
        tics.append(f'"vCPU {vcpu}" {floor + 0.5}')
    return blocks, {'title': 'rVIC: the IRQ lines', 'most': len(tics) * 1.25, 'label': '',
                    'tics': ', '.join(tics), 'curves': ', '.join(curves)}


def plot(path, gics, lines):
    """
    :param gics: list of (title, Series by physical CPU, number of list registers)
    :param lines: Series of rVIC's lines by vCPU, or None
    """
    series = [one for _, one, _ in gics] + ([lines] if lines else [])
    length, starts = cut(series)
    rows = [row for (title, one, registers), start in zip(gics, starts)
            for row in list_register_rows(title, one, start, length, registers)]
    if lines:
        rows.append(line_row(lines, starts[-1], length))
    script = HEAD.format(height=MARGIN + HEIGHT * len(rows), rows=len(rows), length=length,
                         tics=length / 4)
    for number, (block, fields) in enumerate(rows, 1):
        axis = 'set xlabel "ms"' if number == len(rows) else 'set format x ""'
        if number == len(rows):
            axis += '\nset format x "%g"'
        script += block + ROW.format(axis=axis, **fields)
    draw(script + 'unset multiplot\n', path)
