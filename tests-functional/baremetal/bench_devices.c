/*
 * Bare-metal guest: devices that interrupt when they are told to
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "bench.h"

/* The PL061's registers */
#define GPIO_IS         0x404
#define GPIO_IEV        0x40c

#define PCI_SLOTS       32
#define PCI_COMMAND     0x04
#define PCI_ON          0x06        /* memory, bus master */
#define PCI_BAR         0x10
#define PCI_CAPABILITY  0x34
#define PCI_MSI         0x05
#define PCI_MSI_ENABLE  (1 << 16)
#define EDU             0x11e81234

/* A property "ranges": three words of PCI's address, two, and two of a size */
#define RANGE_CELLS     7
#define RANGE_SPACE(w)  ((w) >> 24 & 3)
#define SPACE_MEMORY    2

/* As the handler leaves it: on, but never */
unsigned set_up_timer(void)
{
    sysreg_write(cntv_cval_el0, UINT64_MAX);
    sysreg_write(cntv_ctl_el0, 1);
    irqchip->unmask(INTID_VIRTUAL_TIMER);
    return INTID_VIRTUAL_TIMER;
}

/* A pin that is low, and interrupts while it is: the mask makes the line. */
static unsigned set_up_wired(bool edge)
{
    int node = dt_find("arm,pl061", -1);

    hot.gpio = dt_reg(node, 0);
    write32(hot.gpio + GPIO_IE, 0);
    write32(hot.gpio + GPIO_IEV, 0);
    write32(hot.gpio + GPIO_IS, GPIO_LINE);
    return irqchip->connect_wired(node, edge);
}

unsigned set_up_edge(void)
{
    return set_up_wired(true);
}

unsigned set_up_level(void)
{
    return set_up_wired(false);
}

static uint64_t find_edu(uint64_t ecam)
{
    for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
        if (read32(ecam + (slot << 15)) == EDU) {
            return ecam + (slot << 15);
        }
    }
    fail("there is no PCI device edu");
}

/* The first 32-bit window; nothing else is in it. */
static void place_edu(int host, uint64_t config)
{
    unsigned at = 0;

    while (RANGE_SPACE(dt_cell(host, "ranges", at)) != SPACE_MEMORY) {
        at += RANGE_CELLS;
    }
    hot.edu = (uint64_t)dt_cell(host, "ranges", at + 3) << 32 |
          dt_cell(host, "ranges", at + 4);
    write32(config + PCI_BAR, dt_cell(host, "ranges", at + 2));
    write32(config + PCI_COMMAND, PCI_ON);
}

/* edu's MSI capability has 64-bit addresses. */
static void enable_msi(uint64_t config, uint64_t address, uint32_t data)
{
    uint64_t msi = config + (read32(config + PCI_CAPABILITY) & 0xff);

    while ((read32(msi) & 0xff) != PCI_MSI) {
        msi = config + (read32(msi) >> 8 & 0xff);
    }
    write32(msi + 4, address);
    write32(msi + 8, address >> 32);
    write32(msi + 12, data);
    write32(msi, read32(msi) | PCI_MSI_ENABLE);
}

unsigned set_up_msi(void)
{
    int host = dt_find("pci-host-ecam-generic", -1);
    uint64_t ecam = dt_reg(host, 0), config = find_edu(ecam), address;
    unsigned intid;
    uint32_t data;

    place_edu(host, config);
    /* The bus is number 0, so its functions are what they are in ECAM. */
    intid = irqchip->connect_msi((config - ecam) >> 12, &address, &data);
    enable_msi(config, address, data);
    return intid;
}
