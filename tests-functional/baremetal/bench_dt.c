/*
 * Bare-metal guest: the device tree, read with libfdt
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <libfdt.h>
#include "bench.h"

/* Where QEMU puts it, for a program that leaves room there: baremetal.lds */
#define DT      ((const void *)0x40000000)

int dt_find(const char *compatible, int after)
{
    int node = fdt_node_offset_by_compatible(DT, after, compatible);

    if (node < 0 && node != -FDT_ERR_NOTFOUND) {
        fail_with("the device tree is damaged: libfdt's error", -node);
    }
    return node < 0 ? -1 : node;
}

unsigned dt_count(const char *device_type)
{
    unsigned count = 0;
    int node = -1;

    while ((node = fdt_node_offset_by_prop_value(
                DT, node, "device_type", device_type,
                strlen(device_type) + 1)) >= 0) {
        count++;
    }
    return count;
}

uint32_t dt_cell(int node, const char *property, unsigned index)
{
    int length;
    const fdt32_t *cells = fdt_getprop(DT, node, property, &length);

    if (!cells || length < (int)((index + 1) * sizeof(*cells))) {
        fail("the device tree lacks a property");
    }
    return fdt32_ld(&cells[index]);
}

uint64_t dt_reg(int node, unsigned index)
{
    int parent = fdt_parent_offset(DT, node);

    /* As everywhere on the virt board */
    if (dt_cell(parent, "#address-cells", 0) != 2 ||
        dt_cell(parent, "#size-cells", 0) != 2) {
        fail("the device tree has addresses of an unknown size");
    }
    return (uint64_t)dt_cell(node, "reg", 4 * index) << 32 |
           dt_cell(node, "reg", 4 * index + 1);
}

const char *dt_bootargs(void)
{
    const char *text = fdt_getprop(DT, fdt_path_offset(DT, "/chosen"),
                                   "bootargs", NULL);

    return text ? text : "";
}
