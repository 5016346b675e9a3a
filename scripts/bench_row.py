# SPDX-License-Identifier: GPL-2.0-or-later
"""What scripts/bench.py and the modules that measure for it have to agree about."""

import collections
import platform

# What is measured.
#
# title: for the table
# goal: bound of the ratio to GICv3, or None
# more: the row is a rate, and the ratio GICv3's value / own value, to be >= goal; else it is
#       own value / GICv3's value, to be <= goal. Values are always of one event.
# unit: of the values: 'ns' or 'bytes'
Row = collections.namedtuple('Row', 'title goal more unit', defaults=[None, False, 'ns'])

# From irqchip to what QEMU's -machine says
MACHINES = {
    'gicv2': 'virt,gic-version=2',
    'gicv3': 'virt,gic-version=3',
    'rvic': 'virt,irqchip=rvic',
}

CPU = 'max,pauth-impdef=on'

# The compiler for guests, which scripts/guest has installed
COMPILER = 'gcc' if platform.machine() == 'aarch64' else 'aarch64-linux-gnu-gcc'


class Failed(Exception):
    """A guest did not come to its end, or interrupts did not all arrive."""


def layout(lines):
    """A table of reStructuredText, of lines of words; the first line is its heading."""
    widths = [max(map(len, column)) for column in zip(*lines)]
    rule = '  '.join('=' * width for width in widths)
    text = ['  '.join(word.ljust(width) for word, width in zip(line, widths)).rstrip()
            for line in lines]
    text[0] = '..' + text[0][2:]
    return '\n'.join([rule, text[0], rule, *text[1:], rule])
