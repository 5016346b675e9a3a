/*
 * Bare-metal guest: GICv2 with GICv2m, to be measured
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "bench.h"

/* The distributor's registers */
#define GICD_CTLR               0x000
#define GICD_ISENABLER          0x100
#define GICD_ICENABLER          0x180
#define GICD_ICPENDR            0x280
#define GICD_ITARGETSR          0x800
#define GICD_ICFGR              0xc00
#define GICD_SGIR               0xf00
#define GICD_SGIR_TARGET(cpu)   (0x10000u << (cpu))

/* The CPU interface's */
#define GICC_CTLR               0x00
#define GICC_PMR                0x04
#define GICC_IAR                0x0c
#define GICC_EOIR               0x10

/* GICv2m's */
#define V2M_MSI_TYPER           0x08
#define V2M_MSI_SETSPI          0x40

#define INTID_MASK              0x3ff
#define FIRST_SPI               32
#define VERSION                 0x10001

static uint64_t v2m;

static inline void send(unsigned cpu, unsigned intid)
{
    write32(hot.gicd + GICD_SGIR, GICD_SGIR_TARGET(cpu) | intid);
}

static inline uint32_t acknowledge(void)
{
    return read32(hot.gicc + GICC_IAR);
}

/* Of SGIs there is the sender in it, too, which end() has to tell. */
static inline unsigned ack_intid(uint32_t ack)
{
    return ack & INTID_MASK;
}

static inline void end(uint32_t ack)
{
    write32(hot.gicc + GICC_EOIR, ack);
}

static inline void end_level(uint32_t ack)
{
    end(ack);
}

static inline uint32_t intid_bit(unsigned intid)
{
    return 1u << intid % 32;
}

static inline void mask(unsigned intid)
{
    write32(hot.gicd + GICD_ICENABLER + intid / 32 * 4, intid_bit(intid));
}

static inline void unmask(unsigned intid)
{
    write32(hot.gicd + GICD_ISENABLER + intid / 32 * 4, intid_bit(intid));
}

static inline void start(void)
{
    write32(hot.gicc + GICC_PMR, 0xf0);
    write32(hot.gicc + GICC_CTLR, 1);
}

static inline void stop(void)
{
    write32(hot.gicc + GICC_CTLR, 0);
}

/* GICs have no such call: the cheapest one that goes the usual way */
static inline uint64_t version(void)
{
    return hvc(PSCI_VERSION, 0, 0).x0;
}

#include "bench_items.h"

static void init(int node)
{
    hot.gicd = dt_reg(node, 0);
    hot.gicc = dt_reg(node, 1);
    v2m = dt_reg(dt_find("arm,gic-v2m-frame", -1), 0);
    write32(hot.gicd + GICD_CTLR, 1);
}

static void init_cpu(void)
{
    write32(hot.gicd + GICD_ISENABLER, 0xffff);
    unmask(INTID_WATCHDOG);
    start();
}

static unsigned connect(unsigned intid, bool edge)
{
    uint64_t config = hot.gicd + GICD_ICFGR + intid / 16 * 4;
    uint32_t bit = 2u << intid % 16 * 2;
    uint64_t target = hot.gicd + GICD_ITARGETSR + intid / 4 * 4;
    unsigned shift = intid % 4 * 8;

    mask(intid);
    write32(config, edge ? read32(config) | bit : read32(config) & ~bit);
    write32(target, (read32(target) & ~(0xffu << shift)) | 1u << shift);
    write32(hot.gicd + GICD_ICPENDR + intid / 32 * 4, intid_bit(intid));
    unmask(intid);
    return intid;
}

static unsigned connect_wired(int node, bool edge)
{
    return connect(FIRST_SPI + dt_cell(node, "interrupts", 1), edge);
}

static unsigned connect_msi(unsigned requester, uint64_t *address,
                            uint32_t *data)
{
    (void)requester;
    *address = v2m + V2M_MSI_SETSPI;
    *data = read32(v2m + V2M_MSI_TYPER) >> 16 & INTID_MASK;
    return connect(*data, true);
}

const struct irqchip gicv2 = {
    "gicv2", "arm,cortex-a15-gic", init, init_cpu, connect_wired, connect_msi,
    send, unmask, items, ARRAY_SIZE(items)
};
