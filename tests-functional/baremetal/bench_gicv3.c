/*
 * Bare-metal guest: GICv3, to be measured; its MSIs are in its.c
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "bench.h"
#include "its.h"

/* The distributor's registers */
#define GICD_CTLR               0x0000
#define GICD_CTLR_GROUP1        (1u << 1)
#define GICD_CTLR_ROUTING       (1u << 4)
#define GICD_CTLR_RWP           (1u << 31)
#define GICD_IGROUPR            0x0080
#define GICD_ISENABLER          0x0100
#define GICD_ICENABLER          0x0180
#define GICD_ICPENDR            0x0280
#define GICD_ICFGR              0x0c00
#define GICD_IROUTER            0x6000

/* A redistributor's */
#define GICR_SIZE               0x20000
#define GICR_CTLR               0x00000
#define GICR_CTLR_RWP           (1u << 3)
#define GICR_TYPER              0x00008
#define GICR_WAKER              0x00014
#define GICR_WAKER_SLEEP        (1u << 1)
#define GICR_WAKER_ASLEEP       (1u << 2)
#define GICR_IGROUPR0           0x10080
#define GICR_ISENABLER0         0x10100
#define GICR_ICENABLER0         0x10180

/* The CPU interface's, by their encodings: assemblers may lack names. */
#define ICC_PMR_EL1             S3_0_C4_C6_0
#define ICC_SGI1R_EL1           S3_0_C12_C11_5
#define ICC_IAR1_EL1            S3_0_C12_C12_0
#define ICC_EOIR1_EL1           S3_0_C12_C12_1
#define ICC_SRE_EL1             S3_0_C12_C12_5
#define ICC_IGRPEN1_EL1         S3_0_C12_C12_7

#define STRINGIFY_(x)           #x
#define STRINGIFY(x)            STRINGIFY_(x)

#define icc_read(name) ({                                               \
    uint64_t value_;                                                    \
    asm volatile("mrs %0, " STRINGIFY(name) : "=r" (value_) : : "memory"); \
    value_;                                                             \
})

#define icc_write(name, value)                                          \
    asm volatile("msr " STRINGIFY(name) ", %0" : : "r" ((uint64_t)(value)) \
                 : "memory")

#define FIRST_SPI               32
#define MSIS                    32
#define VERSION                 0x10001

static inline uint64_t own_gicr(void)
{
    return hot.gicr + this_cpu()->index * GICR_SIZE;
}

static inline void send(unsigned cpu, unsigned intid)
{
    icc_write(ICC_SGI1R_EL1, (uint64_t)intid << 24 | 1u << cpu);
}

static inline uint32_t acknowledge(void)
{
    return icc_read(ICC_IAR1_EL1);
}

static inline unsigned ack_intid(uint32_t ack)
{
    return ack;
}

static inline void end(uint32_t ack)
{
    icc_write(ICC_EOIR1_EL1, ack);
}

static inline void end_level(uint32_t ack)
{
    end(ack);
}

/* Takes effect some time later, for which drivers wait: it is part of it. */
static inline void mask(unsigned intid)
{
    write32(own_gicr() + GICR_ICENABLER0, 1u << intid);
    while (read32(own_gicr() + GICR_CTLR) & GICR_CTLR_RWP) {
        /* wait */
    }
}

static inline void unmask(unsigned intid)
{
    write32(own_gicr() + GICR_ISENABLER0, 1u << intid);
}

static inline void start(void)
{
    icc_write(ICC_PMR_EL1, 0xf0);
    icc_write(ICC_IGRPEN1_EL1, 1);
}

static inline void stop(void)
{
    icc_write(ICC_IGRPEN1_EL1, 0);
}

/* GICs have no such call: the cheapest one that goes the usual way */
static inline uint64_t version(void)
{
    return hvc(PSCI_VERSION, 0, 0).x0;
}

#include "bench_items.h"

static void wait_for_gicd(void)
{
    while (read32(hot.gicd + GICD_CTLR) & GICD_CTLR_RWP) {
        /* wait */
    }
}

static void init(int node)
{
    hot.gicd = dt_reg(node, 0);
    hot.gicr = dt_reg(node, 1);
    write32(hot.gicd + GICD_CTLR, GICD_CTLR_ROUTING | GICD_CTLR_GROUP1);
    wait_for_gicd();
}

static void init_cpu(void)
{
    uint64_t own = own_gicr();

    if (read64(own + GICR_TYPER) >> 32 != this_cpu()->index) {
        fail("the redistributors are not one behind the other");
    }
    write32(own + GICR_WAKER, read32(own + GICR_WAKER) & ~GICR_WAKER_SLEEP);
    while (read32(own + GICR_WAKER) & GICR_WAKER_ASLEEP) {
        /* wait */
    }
    write32(own + GICR_IGROUPR0, UINT32_MAX);
    write32(own + GICR_ISENABLER0, 0xffff | 1u << INTID_WATCHDOG);
    icc_write(ICC_SRE_EL1, 1);
    asm volatile("isb");
    start();
}

static unsigned connect_wired(int node, bool edge)
{
    unsigned intid = FIRST_SPI + dt_cell(node, "interrupts", 1);
    uint32_t offset = intid / 32 * 4, bit = 1u << intid % 32;
    uint64_t config = hot.gicd + GICD_ICFGR + intid / 16 * 4;
    uint32_t edge_bit = 2u << intid % 16 * 2;

    write32(hot.gicd + GICD_ICENABLER + offset, bit);
    wait_for_gicd();
    write32(config, edge ? read32(config) | edge_bit :
            read32(config) & ~edge_bit);
    write32(hot.gicd + GICD_IGROUPR + offset,
            read32(hot.gicd + GICD_IGROUPR + offset) | bit);
    write64(hot.gicd + GICD_IROUTER + intid * 8, 0);
    write32(hot.gicd + GICD_ICPENDR + offset, bit);
    write32(hot.gicd + GICD_ISENABLER + offset, bit);
    return intid;
}

static unsigned connect_msi(unsigned requester, uint64_t *address,
                            uint32_t *data)
{
    *data = 0;
    if (!its_enable(dt_reg(dt_find("arm,gic-v3-its", -1), 0), hot.gicr) ||
        !its_add_device(requester, MSIS) ||
        !its_map(requester, *data, FIRST_LPI)) {
        fail("the ITS refuses a command");
    }
    *address = its_doorbell();
    return FIRST_LPI;
}

const struct irqchip gicv3 = {
    "gicv3", "arm,gic-v3", init, init_cpu, connect_wired, connect_msi,
    send, unmask, items, ARRAY_SIZE(items)
};
