# SPDX-License-Identifier: GPL-2.0-or-later
"""
The device tree of a heterogeneous ("big.LITTLE") machine, made from that of QEMU's virt.

It has two PMUs. To the kernel, CPUs are of another kind if they have another PMU.
"""

import struct

import libfdt

# The PMUs, and which CPUs have them. What is added last comes first.
PMUS = {'cortex-a72': (2, 3), 'cortex-a53': (0, 1)}

PPI, NUMBER, LEVEL = 1, 7, 4

# The cells of each interrupt: in "interrupt-map", where four of PCI, the phandle of the
# GIC and two of its #address-cells come first, too.
CELLS = {'interrupts': 3, 'interrupt-map': 10}


def cells(*values):
    return struct.pack(f'>{len(values)}I', *values)


def widen(fdt):
    """Add a cell to all interrupts: it names the CPUs that share a PPI, 0 are all."""
    node, depth = 0, 0
    while depth >= 0:
        for name, count in CELLS.items():
            value = fdt.getprop(node, name, libfdt.QUIET_NOTFOUND)
            if not isinstance(value, int):
                size = 4 * count
                fdt.setprop(node, name, b''.join(value[start:start + size] + cells(0)
                                                 for start in range(0, len(value), size)))
        node, depth = fdt.next_node(node, depth)


def two_pmus(tree):
    """Return what a machine's device tree is with them."""
    fdt = libfdt.Fdt(tree)
    fdt.resize(2 * len(tree))
    widen(fdt)
    gic = fdt.node_offset_by_phandle(fdt.getprop(0, 'interrupt-parent').as_uint32())
    fdt.setprop_u32(gic, '#interrupt-cells', 4)
    partitions = fdt.add_subnode(gic, 'ppi-partitions')
    # QEMU's own phandles are from 0x8000 on.
    for phandle, (core, numbers) in enumerate(PMUS.items(), 1):
        cpus = [fdt.get_phandle(fdt.path_offset(f'/cpus/cpu@{number}')) for number in numbers]
        partition = fdt.add_subnode(partitions, core)
        fdt.setprop_u32(partition, 'phandle', phandle)
        fdt.setprop(partition, 'affinity', cells(*cpus))
    fdt.del_node(fdt.path_offset('/pmu'))
    for phandle, core in enumerate(PMUS, 1):
        pmu = fdt.add_subnode(0, f'pmu-{core}')
        fdt.setprop_str(pmu, 'compatible', f'arm,{core}-pmu')
        fdt.setprop(pmu, 'interrupts', cells(PPI, NUMBER, LEVEL, phandle))
    fdt.pack()
    return bytes(fdt.as_bytearray())
