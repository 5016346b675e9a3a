/*
 * Arm GICv2: its distributor and CPU interface
 *
 * A fresh machine for each scenario, without a running vCPU: each access is
 * vCPU 0's. What the others have for themselves, their CPU interfaces and
 * banked registers, is not reached. The rules are those of IHI 0048B.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "gic-qtest.h"
#include "rvic-qtest.h"

/* The CPU that takes the interrupts, as GICD_ITARGETSRn has it; one besides */
#define CPU0            (1 << 0)
#define CPU1            (1 << 1)

#define SPI             FREE_SPI(0)
#define OTHER           FREE_SPI(1)
#define THIRD           FREE_SPI(2)
#define SGI             5

#define PRIORITY        0x80
#define HIGHER          0x40
#define LOWER           0xc0
#define OPEN_MASK       0xff

/* The machine has two CPUs, if a scenario does not need more of them */
#define OPTIONS         "gic-version=2"

/* Group 0 is enabled everywhere */
static void enable(GICMachine *gic)
{
    gicd_write(gic, GICD_CTLR, R_GICD_CTLR_EnableGrp0_MASK);
    gicc_write(gic, GICC_CTLR, R_GICC_CTLR_EnableGrp0_MASK);
    gicc_write(gic, GICC_PMR, OPEN_MASK);
}

static GICMachine *start_cpus(unsigned cpus)
{
    GICMachine *gic = gic_start(OPTIONS, cpus, "");

    enable(gic);
    return gic;
}

static GICMachine *start(void)
{
    return start_cpus(2);
}

/* ... and so is group 1, which GICC_IAR shows */
static GICMachine *start_groups(void)
{
    GICMachine *gic = start();

    gicd_write(gic, GICD_CTLR, R_GICD_CTLR_EnableGrp0_MASK |
               R_GICD_CTLR_EnableGrp1_MASK);
    gicc_write(gic, GICC_CTLR, R_GICC_CTLR_EnableGrp0_MASK |
               R_GICC_CTLR_EnableGrp1_MASK | R_GICC_CTLR_AckCtl_MASK);
    return gic;
}

static void ctlr_set(GICMachine *gic, uint32_t bits)
{
    gicc_write(gic, GICC_CTLR, gicc_read(gic, GICC_CTLR) | bits);
}

/* An interrupt that CPU 0 gets; its target is written of SPIs only */
static void open_interrupt(GICMachine *gic, unsigned intid, unsigned priority,
                           bool edge)
{
    if (intid >= FIRST_SPI) {
        gicd_write_byte(gic, GICD_ITARGETSR, intid, CPU0);
    }
    if (intid >= FIRST_PPI) {
        gicd_set_edge(gic, intid, edge);
    }
    gicd_write_byte(gic, GICD_IPRIORITYR, intid, priority);
    gicd_set(gic, GICD_ISENABLER, intid);
}

static GICMachine *start_open(unsigned intid, bool edge)
{
    GICMachine *gic = start();

    open_interrupt(gic, intid, PRIORITY, edge);
    return gic;
}

#define start_level()   start_open(SPI, false)
#define start_edge()    start_open(SPI, true)

static bool irq(GICMachine *gic)
{
    return gic_output(gic, 0, GIC_IRQ);
}

static bool fiq(GICMachine *gic)
{
    return gic_output(gic, 0, GIC_FIQ);
}

static bool pending(GICMachine *gic, unsigned intid)
{
    bool set = gicd_test(gic, GICD_ISPENDR, intid);

    g_assert_cmpint(gicd_test(gic, GICD_ICPENDR, intid), ==, set);
    return set;
}

static bool active(GICMachine *gic, unsigned intid)
{
    bool set = gicd_test(gic, GICD_ISACTIVER, intid);

    g_assert_cmpint(gicd_test(gic, GICD_ICACTIVER, intid), ==, set);
    return set;
}

static void expect_idle(GICMachine *gic)
{
    g_assert_false(irq(gic));
    g_assert_false(fiq(gic));
    g_assert_cmpuint(gicc_read(gic, GICC_IAR), ==, INTID_SPURIOUS);
}

/* An IRQ, which is acknowledged; @iar is an INTID, with the source of an SGI */
static void acknowledge(GICMachine *gic, uint32_t iar)
{
    g_assert_true(irq(gic));
    g_assert_cmphex(gicc_read(gic, GICC_IAR), ==, iar);
}

static void test_identification(void)
{
    for (unsigned cpus = 1; cpus <= GICV2_MAX_CPUS; cpus++) {
        GICMachine *gic = start_cpus(cpus);
        uint32_t typer = gicd_read(gic, GICD_TYPER);
        uint32_t iidr = gicc_read(gic, GICC_IIDR);

        g_assert_cmpuint(FIELD_EX32(typer, GICD_TYPER, CPUNumber), ==,
                         cpus - 1);
        g_assert_cmpuint(FIELD_EX32(typer, GICD_TYPER, ITLinesNumber), ==,
                         (LAST_SPI + 1) / 32 - 1);
        g_assert_cmpuint(FIELD_EX32(typer, GICD_TYPER, SecurityExtn), ==, 0);
        g_assert_cmphex(FIELD_EX32(gicd_read(gic, GICD_IIDR), GICD_IIDR,
                                   Implementer), ==, IMPLEMENTER_ARM);
        g_assert_cmpuint(FIELD_EX32(gicd_read(gic, GICD_ICPIDR2), GICD_ICPIDR2,
                                    ArchRev), ==, 2);
        g_assert_cmphex(FIELD_EX32(iidr, GICC_IIDR, Implementer), ==,
                        IMPLEMENTER_ARM);
        g_assert_cmpuint(FIELD_EX32(iidr, GICC_IIDR, ArchitectureVersion), ==,
                         2);
        /* read-only */
        gicd_write(gic, GICD_TYPER, ~typer);
        gicc_write(gic, GICC_IIDR, ~iidr);
        g_assert_cmphex(gicd_read(gic, GICD_TYPER), ==, typer);
        g_assert_cmphex(gicc_read(gic, GICC_IIDR), ==, iidr);
        gic_quit(gic);
    }
}

/* A level is handled: it is to be lowered before the interrupt is ended */
static void check_level(unsigned intid)
{
    GICMachine *gic = start_open(intid, false);

    expect_idle(gic);
    gic_line(gic, 0, intid, true);
    g_assert_true(pending(gic, intid));
    acknowledge(gic, intid);
    g_assert_true(active(gic, intid));
    /* active and pending */
    g_assert_true(pending(gic, intid));
    expect_idle(gic);

    gic_line(gic, 0, intid, false);
    g_assert_false(pending(gic, intid));
    gicc_write(gic, GICC_EOIR, intid);
    g_assert_false(active(gic, intid));
    expect_idle(gic);

    /* otherwise it is there again */
    gic_line(gic, 0, intid, true);
    acknowledge(gic, intid);
    gicc_write(gic, GICC_EOIR, intid);
    g_assert_true(pending(gic, intid));
    acknowledge(gic, intid);
    gic_quit(gic);
}

static void test_level_spi(void)
{
    check_level(SPI);
}

static void test_level_ppi(void)
{
    check_level(FREE_PPI);
}

/* A level that goes away before is no interrupt */
static void test_level_withdrawn(void)
{
    GICMachine *gic = start_level();

    gic_spi(gic, SPI, true);
    g_assert_true(irq(gic));
    gic_spi(gic, SPI, false);
    g_assert_false(pending(gic, SPI));
    expect_idle(gic);
    gic_quit(gic);
}

/* An edge is remembered and taken once, however long the line is high */
static void check_edge(unsigned intid)
{
    GICMachine *gic = start_open(intid, true);

    gic_line(gic, 0, intid, true);
    gic_line(gic, 0, intid, false);
    g_assert_true(pending(gic, intid));
    acknowledge(gic, intid);
    g_assert_false(pending(gic, intid));
    gicc_write(gic, GICC_EOIR, intid);
    expect_idle(gic);

    gic_line(gic, 0, intid, true);
    acknowledge(gic, intid);
    gicc_write(gic, GICC_EOIR, intid);
    expect_idle(gic);
    /* no edge */
    gic_line(gic, 0, intid, true);
    expect_idle(gic);
    gic_quit(gic);
}

static void test_edge_spi(void)
{
    check_edge(SPI);
}

static void test_edge_ppi(void)
{
    check_edge(FREE_PPI);
}

/* Another one while it is handled is delivered after the end, once */
static void test_edge_active(void)
{
    GICMachine *gic = start_edge();

    gic_spi_pulse(gic, SPI);
    acknowledge(gic, SPI);
    gic_spi_pulse(gic, SPI);
    gic_spi_pulse(gic, SPI);
    g_assert_true(active(gic, SPI));
    g_assert_true(pending(gic, SPI));
    expect_idle(gic);
    gicc_write(gic, GICC_EOIR, SPI);
    acknowledge(gic, SPI);
    gicc_write(gic, GICC_EOIR, SPI);
    expect_idle(gic);
    gic_quit(gic);
}

/* GICD_ICFGRn: SGIs are edges for ever, the others as they are told */
static void test_config(void)
{
    GICMachine *gic = start();
    uint32_t sgis = gicd_read(gic, GICD_ICFGR(0));

    for (unsigned intid = 0; intid < NUM_SGIS; intid++) {
        g_assert_true(gicd_is_edge(gic, intid));
    }
    gicd_write(gic, GICD_ICFGR(0), 0);
    g_assert_cmphex(gicd_read(gic, GICD_ICFGR(0)), ==, sgis);
    for (unsigned intid = FIRST_SPI; intid <= LAST_SPI; intid++) {
        gicd_set_edge(gic, intid, intid % 3 == 0);
    }
    for (unsigned intid = FIRST_SPI; intid <= LAST_SPI; intid++) {
        g_assert_cmpint(gicd_is_edge(gic, intid), ==, intid % 3 == 0);
    }
    gic_quit(gic);
}

/* Disabled ones become pending, and are not signalled */
static void test_enable(void)
{
    GICMachine *gic = start_edge();

    g_assert_true(gicd_test(gic, GICD_ICENABLER, SPI));
    gicd_set(gic, GICD_ICENABLER, SPI);
    g_assert_false(gicd_test(gic, GICD_ISENABLER, SPI));
    g_assert_false(gicd_test(gic, GICD_ICENABLER, SPI));
    gic_spi_pulse(gic, SPI);
    g_assert_true(pending(gic, SPI));
    expect_idle(gic);
    gicd_set(gic, GICD_ISENABLER, SPI);
    g_assert_true(irq(gic));
    gicd_set(gic, GICD_ICENABLER, SPI);
    expect_idle(gic);
    gicd_set(gic, GICD_ISENABLER, SPI);
    acknowledge(gic, SPI);

    /* an active one is ended all the same */
    gicd_set(gic, GICD_ICENABLER, SPI);
    gicc_write(gic, GICC_EOIR, SPI);
    g_assert_false(active(gic, SPI));
    gic_quit(gic);
}

/* A bit that is written as 0 leaves its interrupt alone */
static void test_bits(void)
{
    GICMachine *gic = start();

    for (unsigned n = 1; n <= LAST_SPI / 32; n++) {
        gicd_write(gic, GICD_ISENABLER(n), 0x0f0f0f0f);
        gicd_write(gic, GICD_ISENABLER(n), 0x000000f0);
        gicd_write(gic, GICD_ICENABLER(n), 0x0f000000);
        g_assert_cmphex(gicd_read(gic, GICD_ISENABLER(n)), ==, 0x000f0fff);
        g_assert_cmphex(gicd_read(gic, GICD_ICENABLER(n)), ==, 0x000f0fff);
        gicd_write(gic, GICD_ISPENDR(n), 0x11111111);
        gicd_write(gic, GICD_ISPENDR(n), 0x22000000);
        gicd_write(gic, GICD_ICPENDR(n), 0x00001111);
        g_assert_cmphex(gicd_read(gic, GICD_ISPENDR(n)), ==, 0x33110000);
        g_assert_cmphex(gicd_read(gic, GICD_ICPENDR(n)), ==, 0x33110000);
        gicd_write(gic, GICD_ISACTIVER(n), 0x88888888);
        gicd_write(gic, GICD_ISACTIVER(n), 0x44000000);
        gicd_write(gic, GICD_ICACTIVER(n), 0x00008888);
        g_assert_cmphex(gicd_read(gic, GICD_ISACTIVER(n)), ==, 0xcc880000);
        g_assert_cmphex(gicd_read(gic, GICD_ICACTIVER(n)), ==, 0xcc880000);
        gicd_write(gic, GICD_IGROUPR(n), 0xa5a5a5a5);
        g_assert_cmphex(gicd_read(gic, GICD_IGROUPR(n)), ==, 0xa5a5a5a5);
    }
    /* and what belongs to it, too */
    g_assert_cmphex(gicd_read(gic, GICD_ISPENDR(0)), ==, 0);
    g_assert_cmphex(gicd_read(gic, GICD_ISACTIVER(0)), ==, 0);
    g_assert_cmphex(gicd_read(gic, GICD_IGROUPR(0)), ==, 0);
    gic_quit(gic);
}

/*
 * Whether SGIs can be disabled is IMPLEMENTATION DEFINED, and their bits have
 * to say so.
 */
static void test_enable_sgi(void)
{
    GICMachine *gic = start();

    gicd_write(gic, GICD_ICENABLER(0), UINT32_MAX);
    gicd_send_sgi(gic, SGI_TO_SELF, 0, SGI);
    g_assert_cmpuint(irq(gic), ==, gicd_test(gic, GICD_ISENABLER, SGI));
    gicd_write(gic, GICD_ISENABLER(0), UINT32_MAX);
    g_assert_true(gicd_test(gic, GICD_ISENABLER, SGI));
    acknowledge(gic, SGI);
    gic_quit(gic);
}

/* Software makes interrupts pending, and takes that back */
static void check_set_pending(unsigned intid, bool edge)
{
    GICMachine *gic = start_open(intid, edge);

    gicd_set(gic, GICD_ISPENDR, intid);
    g_assert_true(pending(gic, intid));
    g_assert_true(irq(gic));
    gicd_set(gic, GICD_ICPENDR, intid);
    g_assert_false(pending(gic, intid));
    expect_idle(gic);

    /* also a level-sensitive one is taken once */
    gicd_set(gic, GICD_ISPENDR, intid);
    acknowledge(gic, intid);
    g_assert_false(pending(gic, intid));
    gicd_set(gic, GICD_ISPENDR, intid);
    gicc_write(gic, GICC_EOIR, intid);
    acknowledge(gic, intid);
    gicc_write(gic, GICC_EOIR, intid);
    expect_idle(gic);
    gic_quit(gic);
}

static void test_set_pending_level(void)
{
    check_set_pending(SPI, false);
}

static void test_set_pending_edge(void)
{
    check_set_pending(SPI, true);
}

static void test_set_pending_ppi(void)
{
    check_set_pending(FREE_PPI, false);
}

/* A level is not removed by software, an edge is */
static void test_clear_pending(void)
{
    GICMachine *gic = start_level();

    open_interrupt(gic, OTHER, LOWER, true);
    gic_spi(gic, SPI, true);
    gic_spi(gic, OTHER, true);
    gicd_set(gic, GICD_ICPENDR, SPI);
    gicd_set(gic, GICD_ICPENDR, OTHER);
    g_assert_true(pending(gic, SPI));
    g_assert_false(pending(gic, OTHER));
    acknowledge(gic, SPI);

    /* what software has set outlives the level */
    gicd_set(gic, GICD_ISPENDR, SPI);
    gic_spi(gic, SPI, false);
    g_assert_true(pending(gic, SPI));
    gicd_set(gic, GICD_ICPENDR, SPI);
    g_assert_false(pending(gic, SPI));
    gic_quit(gic);
}

/* SGIs have other registers for that (IHI 0048B, GICD_ISPENDRn) */
static void test_set_pending_sgi(void)
{
    GICMachine *gic = start();

    gicd_write(gic, GICD_ISPENDR(0), UINT16_MAX);
    g_assert_cmphex(gicd_read(gic, GICD_ISPENDR(0)), ==, 0);
    expect_idle(gic);
    gicd_send_sgi(gic, SGI_TO_SELF, 0, SGI);
    gicd_write(gic, GICD_ICPENDR(0), UINT16_MAX);
    g_assert_cmphex(gicd_read(gic, GICD_ISPENDR(0)), ==, 1 << SGI);
    acknowledge(gic, SGI);
    g_assert_cmphex(gicd_read(gic, GICD_ISPENDR(0)), ==, 0);
    gic_quit(gic);
}

/* Software sets and clears the active state, without a priority */
static void test_set_active(void)
{
    GICMachine *gic = start_edge();

    gic_spi_pulse(gic, SPI);
    gicd_set(gic, GICD_ISACTIVER, SPI);
    g_assert_true(active(gic, SPI));
    expect_idle(gic);
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, PRIORITY_IDLE);
    gicd_set(gic, GICD_ICACTIVER, SPI);
    g_assert_false(active(gic, SPI));
    acknowledge(gic, SPI);

    /* while a handler runs: its priority stays */
    gicd_set(gic, GICD_ICACTIVER, SPI);
    g_assert_false(active(gic, SPI));
    gic_spi_pulse(gic, SPI);
    expect_idle(gic);
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, PRIORITY);
    gicc_write(gic, GICC_EOIR, SPI);
    acknowledge(gic, SPI);
    gic_quit(gic);
}

/* An SPI goes to its targets only */
static void test_targets(void)
{
    GICMachine *gic = start_level();

    gic_spi(gic, SPI, true);
    g_assert_true(irq(gic));
    gicd_write_byte(gic, GICD_ITARGETSR, SPI, CPU1);
    expect_idle(gic);
    g_assert_true(pending(gic, SPI));
    gicd_write_byte(gic, GICD_ITARGETSR, SPI, 0);
    expect_idle(gic);
    gicd_write_byte(gic, GICD_ITARGETSR, SPI, CPU0 | CPU1);
    acknowledge(gic, SPI);
    /* an active one stays active */
    gicd_write_byte(gic, GICD_ITARGETSR, SPI, CPU1);
    g_assert_true(active(gic, SPI));
    gicc_write(gic, GICC_EOIR, SPI);
    g_assert_false(active(gic, SPI));
    gic_quit(gic);
}

/* Without a target it becomes pending all the same, and stays it */
static void test_targets_none(void)
{
    GICMachine *gic = start_edge();

    gicd_write_byte(gic, GICD_ITARGETSR, SPI, 0);
    gic_spi_pulse(gic, SPI);
    g_assert_true(pending(gic, SPI));
    gicd_write_byte(gic, GICD_ITARGETSR, SPI, CPU0);
    acknowledge(gic, SPI);
    gicc_write(gic, GICC_EOIR, SPI);

    gicd_write_byte(gic, GICD_ITARGETSR, SPI, 0);
    gicd_set(gic, GICD_ISPENDR, SPI);
    g_assert_true(pending(gic, SPI));
    gicd_write_byte(gic, GICD_ITARGETSR, SPI, CPU0);
    acknowledge(gic, SPI);
    gicc_write(gic, GICC_EOIR, SPI);

    gic_spi_pulse(gic, SPI);
    gicd_write_byte(gic, GICD_ITARGETSR, SPI, 0);
    g_assert_true(pending(gic, SPI));
    expect_idle(gic);
    gicd_write_byte(gic, GICD_ITARGETSR, SPI, CPU0);
    acknowledge(gic, SPI);
    gic_quit(gic);
}

/* With several of them, one handles it (IHI 0048B, 3.2.3: 1-N model) */
static void test_targets_several(void)
{
    GICMachine *gic = start_edge();

    gicd_write_byte(gic, GICD_ITARGETSR, SPI, CPU0 | CPU1);
    gic_spi_pulse(gic, SPI);
    acknowledge(gic, SPI);
    g_assert_false(pending(gic, SPI));
    g_assert_true(active(gic, SPI));
    gicc_write(gic, GICC_EOIR, SPI);
    g_assert_false(active(gic, SPI));
    g_assert_false(pending(gic, SPI));
    expect_idle(gic);
    gic_quit(gic);
}

/* The first registers tell a CPU its number */
static void test_targets_private(void)
{
    GICMachine *gic = start();

    for (unsigned intid = 0; intid < FIRST_SPI; intid++) {
        gicd_write_byte(gic, GICD_ITARGETSR, intid, CPU1);
        g_assert_cmphex(gicd_read_byte(gic, GICD_ITARGETSR, intid), ==, CPU0);
    }
    gic_quit(gic);
}

/* A CPU that is not there is no target (IHI 0048B, GICD_ITARGETSRn) */
static void test_targets_absent(void)
{
    for (unsigned cpus = 2; cpus <= GICV2_MAX_CPUS; cpus++) {
        GICMachine *gic = start_cpus(cpus);

        for (unsigned intid = FIRST_SPI; intid <= LAST_SPI; intid++) {
            gicd_write_byte(gic, GICD_ITARGETSR, intid, UINT8_MAX);
            g_assert_cmphex(gicd_read_byte(gic, GICD_ITARGETSR, intid), ==,
                            MAKE_64BIT_MASK(0, cpus));
        }
        gic_quit(gic);
    }
}

/* With one CPU there is nothing to choose: the registers are RAZ/WI */
static void test_uniprocessor(void)
{
    GICMachine *gic = start_cpus(1);

    for (unsigned intid = 0; intid <= LAST_SPI; intid++) {
        gicd_write_byte(gic, GICD_ITARGETSR, intid, UINT8_MAX);
        g_assert_cmphex(gicd_read_byte(gic, GICD_ITARGETSR, intid), ==, 0);
        gicd_write_byte(gic, GICD_ITARGETSR, intid, CPU1);
    }
    gicd_set(gic, GICD_ISENABLER, SPI);
    gic_spi(gic, SPI, true);
    acknowledge(gic, SPI);
    gic_quit(gic);
}

/* A PPI's line of another CPU is none of this one */
static void test_ppi_banked(void)
{
    GICMachine *gic = start_open(FREE_PPI, false);

    gic_ppi(gic, 1, FREE_PPI, true);
    g_assert_false(pending(gic, FREE_PPI));
    expect_idle(gic);
    gic_ppi(gic, 0, FREE_PPI, true);
    gic_ppi(gic, 1, FREE_PPI, false);
    g_assert_true(pending(gic, FREE_PPI));
    acknowledge(gic, FREE_PPI);
    gic_quit(gic);
}

/* Who gets an SGI, as far as it is this CPU */
static void test_sgi_filters(void)
{
    GICMachine *gic = start();

    gicd_send_sgi(gic, SGI_TO_LIST, CPU0, SGI);
    acknowledge(gic, SGI);
    gicc_write(gic, GICC_EOIR, SGI);
    gicd_send_sgi(gic, SGI_TO_LIST, CPU0 | CPU1, SGI);
    acknowledge(gic, SGI);
    gicc_write(gic, GICC_EOIR, SGI);
    gicd_send_sgi(gic, SGI_TO_SELF, 0, SGI);
    acknowledge(gic, SGI);
    gicc_write(gic, GICC_EOIR, SGI);
    /* the list does not matter then */
    gicd_send_sgi(gic, SGI_TO_SELF, CPU1, SGI);
    acknowledge(gic, SGI);
    gicc_write(gic, GICC_EOIR, SGI);

    gicd_send_sgi(gic, SGI_TO_LIST, CPU1, SGI);
    expect_idle(gic);
    gicd_send_sgi(gic, SGI_TO_LIST, 0, SGI);
    expect_idle(gic);
    gicd_send_sgi(gic, SGI_TO_OTHERS, CPU0, SGI);
    expect_idle(gic);
    g_assert_cmphex(gicd_read(gic, GICD_ISPENDR(0)), ==, 0);
    g_assert_cmphex(gicd_read_byte(gic, GICD_SPENDSGIR, SGI), ==, 0);
    gic_quit(gic);
}

/* All of them; more CPUs in the list than there are */
static void test_sgi_all(void)
{
    GICMachine *gic = start();

    for (unsigned sgi = 0; sgi < NUM_SGIS; sgi++) {
        gicd_send_sgi(gic, SGI_TO_LIST, UINT8_MAX, sgi);
        g_assert_cmphex(gicd_read(gic, GICD_ISPENDR(0)), ==, 1 << sgi);
        acknowledge(gic, sgi);
        gicc_write(gic, GICC_EOIR, sgi);
        expect_idle(gic);
    }
    gic_quit(gic);
}

static uint32_t from(unsigned source, unsigned sgi)
{
    return FIELD_DP32(sgi, GICC_IAR, CPUID, source);
}

/*
 * An SGI from several CPUs is as many interrupts. They come one by one, each
 * with its source, in no defined order.
 */
static void test_sgi_sources(void)
{
    GICMachine *gic = start_cpus(GICV2_MAX_CPUS);
    uint8_t left = UINT8_MAX;

    gicd_write_byte(gic, GICD_SPENDSGIR, SGI, left);
    while (left) {
        uint32_t iar;
        unsigned source;

        g_assert_cmphex(gicd_read_byte(gic, GICD_SPENDSGIR, SGI), ==, left);
        g_assert_cmphex(gicd_read_byte(gic, GICD_CPENDSGIR, SGI), ==, left);
        g_assert_true(pending(gic, SGI));
        g_assert_true(irq(gic));
        iar = gicc_read(gic, GICC_IAR);
        source = FIELD_EX32(iar, GICC_IAR, CPUID);
        g_assert_cmphex(iar, ==, from(source, SGI));
        g_assert_true(left & 1 << source);
        left &= ~(1 << source);
        /* the same priority: not before the end of this one */
        expect_idle(gic);
        gicc_write(gic, GICC_EOIR, iar);
        g_assert_false(active(gic, SGI));
    }
    g_assert_false(pending(gic, SGI));
    expect_idle(gic);
    gic_quit(gic);
}

/* One that comes while the same of another CPU is handled is not lost */
static void test_sgi_active(void)
{
    GICMachine *gic = start_cpus(4);

    gicd_write_byte(gic, GICD_SPENDSGIR, SGI, 1 << 3);
    acknowledge(gic, from(3, SGI));
    gicd_write_byte(gic, GICD_SPENDSGIR, SGI, 1 << 2);
    g_assert_true(pending(gic, SGI));
    g_assert_true(active(gic, SGI));
    expect_idle(gic);
    gicc_write(gic, GICC_EOIR, from(3, SGI));
    acknowledge(gic, from(2, SGI));
    gicc_write(gic, GICC_EOIR, from(2, SGI));
    expect_idle(gic);
    gic_quit(gic);
}

/* Pending SGIs are taken back by source */
static void test_sgi_clear(void)
{
    GICMachine *gic = start_cpus(4);

    gicd_write_byte(gic, GICD_SPENDSGIR, SGI, 1 << 1 | 1 << 3);
    gicd_write_byte(gic, GICD_CPENDSGIR, SGI, 1 << 2 | 1 << 3);
    g_assert_cmphex(gicd_read_byte(gic, GICD_SPENDSGIR, SGI), ==, 1 << 1);
    g_assert_true(irq(gic));
    gicd_write_byte(gic, GICD_CPENDSGIR, SGI, 1 << 1);
    g_assert_cmphex(gicd_read_byte(gic, GICD_SPENDSGIR, SGI), ==, 0);
    g_assert_false(pending(gic, SGI));
    expect_idle(gic);
    gic_quit(gic);
}

/* A byte that is written as 0 makes no SGI pending: it would have no source */
static void test_sgi_no_source(void)
{
    GICMachine *gic = start_cpus(4);

    gicd_write(gic, GICD_SPENDSGIR(0), 0);
    g_assert_cmphex(gicd_read(gic, GICD_ISPENDR(0)), ==, 0);
    expect_idle(gic);
    /* a word for one of its four SGIs */
    gicd_write(gic, GICD_SPENDSGIR(SGI / 4), 1 << 2 << SGI % 4 * 8);
    g_assert_cmphex(gicd_read(gic, GICD_ISPENDR(0)), ==, 1 << SGI);
    acknowledge(gic, from(2, SGI));
    gicc_write(gic, GICC_EOIR, from(2, SGI));
    expect_idle(gic);
    gic_quit(gic);
}

/* GICC_HPPIR.CPUID */
static void test_sgi_hppir(void)
{
    GICMachine *gic = start_cpus(4);

    gicd_write_byte(gic, GICD_SPENDSGIR, SGI, 1 << 3);
    g_assert_cmphex(gicc_read(gic, GICC_HPPIR), ==, from(3, SGI));
    acknowledge(gic, from(3, SGI));
    gic_quit(gic);
}

/* By priority, not by number */
static void test_priority_order(void)
{
    GICMachine *gic = start();

    open_interrupt(gic, SPI, LOWER, true);
    open_interrupt(gic, OTHER, HIGHER, true);
    open_interrupt(gic, THIRD, PRIORITY, true);
    gicd_write_byte(gic, GICD_IPRIORITYR, SGI, PRIORITY + 1);
    gic_spi_pulse(gic, SPI);
    gic_spi_pulse(gic, OTHER);
    gic_spi_pulse(gic, THIRD);
    gicd_send_sgi(gic, SGI_TO_SELF, 0, SGI);
    acknowledge(gic, OTHER);
    gicc_write(gic, GICC_EOIR, OTHER);
    acknowledge(gic, THIRD);
    gicc_write(gic, GICC_EOIR, THIRD);
    acknowledge(gic, SGI);
    gicc_write(gic, GICC_EOIR, SGI);
    acknowledge(gic, SPI);
    gicc_write(gic, GICC_EOIR, SPI);
    expect_idle(gic);
    gic_quit(gic);
}

/* Only what is higher than the mask is signalled, 0xff is never */
static void test_priority_mask(void)
{
    GICMachine *gic = start_edge();

    gic_spi_pulse(gic, SPI);
    gicc_write(gic, GICC_PMR, PRIORITY);
    expect_idle(gic);
    gicc_write(gic, GICC_PMR, LOWER);
    g_assert_true(irq(gic));
    gicc_write(gic, GICC_PMR, 0);
    expect_idle(gic);
    gicc_write(gic, GICC_PMR, OPEN_MASK);
    gicd_write_byte(gic, GICD_IPRIORITYR, SPI, UINT8_MAX);
    expect_idle(gic);
    gicd_write_byte(gic, GICD_IPRIORITYR, SPI, 0);
    acknowledge(gic, SPI);
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, 0);
    gic_quit(gic);
}

/* Each has a priority of its own */
static void test_priority_fields(void)
{
    GICMachine *gic = start();

    for (unsigned intid = 0; intid <= LAST_SPI; intid++) {
        gicd_write_byte(gic, GICD_IPRIORITYR, intid, intid * 7);
    }
    for (unsigned intid = 0; intid <= LAST_SPI; intid++) {
        g_assert_cmphex(gicd_read_byte(gic, GICD_IPRIORITYR, intid), ==,
                        (uint8_t)(intid * 7));
    }
    gic_quit(gic);
}

/* Nested handlers return to the priority below */
static void test_preemption(void)
{
    GICMachine *gic = start_edge();

    open_interrupt(gic, OTHER, PRIORITY, true);
    open_interrupt(gic, THIRD, HIGHER, true);
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, PRIORITY_IDLE);
    gic_spi_pulse(gic, SPI);
    acknowledge(gic, SPI);
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, PRIORITY);
    gic_spi_pulse(gic, OTHER);
    expect_idle(gic);
    gic_spi_pulse(gic, THIRD);
    acknowledge(gic, THIRD);
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, HIGHER);
    gicc_write(gic, GICC_EOIR, THIRD);
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, PRIORITY);
    expect_idle(gic);
    gicc_write(gic, GICC_EOIR, SPI);
    acknowledge(gic, OTHER);
    gicc_write(gic, GICC_EOIR, OTHER);
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, PRIORITY_IDLE);
    gic_quit(gic);
}

/* All levels that seven bits of group priority have; 0xfe is no lower one */
#define NUM_LEVELS      127

static void test_preemption_levels(void)
{
    GICMachine *gic = start();

    for (int level = NUM_LEVELS - 1; level >= 0; level--) {
        open_interrupt(gic, FIRST_SPI + level, level * 2, true);
        gicd_set(gic, GICD_ISPENDR, FIRST_SPI + level);
        acknowledge(gic, FIRST_SPI + level);
        g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, level * 2);
    }
    for (int level = 0; level < NUM_LEVELS; level++) {
        g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, level * 2);
        gicc_write(gic, GICC_EOIR, FIRST_SPI + level);
        g_assert_false(active(gic, FIRST_SPI + level));
    }
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, PRIORITY_IDLE);
    gic_quit(gic);
}

/*
 * The binary point divides a priority: bits 7:4 are the group priority here.
 * What is left decides between pending interrupts, but does not preempt.
 */
#define BPR_7_4         3

static void check_binary_point(GICMachine *gic)
{
    gicd_write_byte(gic, GICD_IPRIORITYR, SPI, 0x8c);
    gicd_write_byte(gic, GICD_IPRIORITYR, OTHER, 0x81);
    gicd_write_byte(gic, GICD_IPRIORITYR, THIRD, 0x7f);
    gic_spi_pulse(gic, SPI);
    acknowledge(gic, SPI);
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, 0x80);
    gic_spi_pulse(gic, OTHER);
    expect_idle(gic);
    gic_spi_pulse(gic, THIRD);
    acknowledge(gic, THIRD);
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, 0x70);
    gicc_write(gic, GICC_EOIR, THIRD);
    gic_spi_pulse(gic, SPI);
    gicc_write(gic, GICC_EOIR, SPI);
    acknowledge(gic, OTHER);
    gicc_write(gic, GICC_EOIR, OTHER);
    acknowledge(gic, SPI);
    gicc_write(gic, GICC_EOIR, SPI);
    expect_idle(gic);
}

static void open_three(GICMachine *gic, unsigned group)
{
    for (unsigned intid = SPI; intid <= THIRD; intid++) {
        open_interrupt(gic, intid, PRIORITY, true);
        gicd_set_group(gic, intid, group);
    }
}

static void test_binary_point(void)
{
    GICMachine *gic = start();

    open_three(gic, 0);
    gicc_write(gic, GICC_BPR, BPR_7_4);
    check_binary_point(gic);
    gic_quit(gic);
}

/* Group 1 has its own, which is one more for the same bits */
static void test_binary_point_group1(void)
{
    GICMachine *gic = start_groups();

    open_three(gic, 1);
    gicc_write(gic, GICC_ABPR, BPR_7_4 + 1);
    check_binary_point(gic);

    /* group 0 does not care */
    gicd_set_group(gic, SPI, 0);
    gic_spi_pulse(gic, SPI);
    acknowledge(gic, SPI);
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, 0x8c);
    gic_quit(gic);
}

/* ... unless it is told to use that of group 0 */
static void test_binary_point_common(void)
{
    GICMachine *gic = start_groups();

    open_three(gic, 1);
    ctlr_set(gic, R_GICC_CTLR_CBPR_MASK);
    gicc_write(gic, GICC_BPR, BPR_7_4);
    check_binary_point(gic);
    gic_quit(gic);
}

/* The least value leaves one bit out; that of group 1 is one more */
static void test_binary_point_least(void)
{
    GICMachine *gic = start_edge();
    unsigned least = gicc_read(gic, GICC_BPR);

    g_assert_cmpuint(least, <=, 3);
    for (unsigned i = 0; i < 8; i++) {
        gicc_write(gic, GICC_BPR, i);
        gicc_write(gic, GICC_ABPR, i);
        g_assert_cmpuint(gicc_read(gic, GICC_BPR), ==, MAX(i, least));
        g_assert_cmpuint(gicc_read(gic, GICC_ABPR), ==, MAX(i, least + 1));
    }
    gicc_write(gic, GICC_BPR, 7);
    gic_spi_pulse(gic, SPI);
    acknowledge(gic, SPI);
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, 0);
    gic_quit(gic);
}

/* HPPIR names the next one, even if it does not preempt, and changes nothing */
static void test_hppir(void)
{
    GICMachine *gic = start_edge();

    open_interrupt(gic, OTHER, LOWER, true);
    g_assert_cmpuint(gicc_read(gic, GICC_HPPIR), ==, INTID_SPURIOUS);
    gic_spi_pulse(gic, SPI);
    gic_spi_pulse(gic, OTHER);
    g_assert_cmpuint(gicc_read(gic, GICC_HPPIR), ==, SPI);
    g_assert_cmpuint(gicc_read(gic, GICC_HPPIR), ==, SPI);
    acknowledge(gic, SPI);
    g_assert_cmpuint(gicc_read(gic, GICC_HPPIR), ==, OTHER);
    expect_idle(gic);
    gic_quit(gic);
}

/* The distributor or the CPU interface is off */
static void test_disabled(void)
{
    GICMachine *gic = start_edge();

    gicd_write(gic, GICD_CTLR, 0);
    gic_spi_pulse(gic, SPI);
    g_assert_true(pending(gic, SPI));
    expect_idle(gic);
    gicd_write(gic, GICD_CTLR, R_GICD_CTLR_EnableGrp0_MASK);
    g_assert_true(irq(gic));
    gicc_write(gic, GICC_CTLR, 0);
    expect_idle(gic);
    g_assert_true(pending(gic, SPI));
    gicc_write(gic, GICC_CTLR, R_GICC_CTLR_EnableGrp0_MASK);
    acknowledge(gic, SPI);
    gic_quit(gic);
}

/* Each group has its enables in both of them */
static void check_group_enable(unsigned group)
{
    GICMachine *gic = start_edge();
    uint32_t gicd = group ? R_GICD_CTLR_EnableGrp1_MASK :
                            R_GICD_CTLR_EnableGrp0_MASK;
    uint32_t gicc = group ? R_GICC_CTLR_EnableGrp1_MASK :
                            R_GICC_CTLR_EnableGrp0_MASK;

    gicd_set_group(gic, SPI, group);
    gic_spi_pulse(gic, SPI);
    gicd_write(gic, GICD_CTLR, gicd);
    gicc_write(gic, GICC_CTLR, gicc | R_GICC_CTLR_AckCtl_MASK);
    g_assert_true(irq(gic));
    g_assert_false(fiq(gic));
    gicd_write(gic, GICD_CTLR, gicd ^ (R_GICD_CTLR_EnableGrp0_MASK |
                                       R_GICD_CTLR_EnableGrp1_MASK));
    expect_idle(gic);
    gicd_write(gic, GICD_CTLR, R_GICD_CTLR_EnableGrp0_MASK |
               R_GICD_CTLR_EnableGrp1_MASK);
    gicc_write(gic, GICC_CTLR, R_GICC_CTLR_AckCtl_MASK |
               (gicc ^ (R_GICC_CTLR_EnableGrp0_MASK |
                        R_GICC_CTLR_EnableGrp1_MASK)));
    /* a group that is disabled is not acknowledged either */
    expect_idle(gic);
    g_assert_true(pending(gic, SPI));
    ctlr_set(gic, gicc);
    acknowledge(gic, SPI);
    gicc_write(gic, GICC_EOIR, SPI);
    g_assert_false(active(gic, SPI));
    gic_quit(gic);
}

static void test_group0_enable(void)
{
    check_group_enable(0);
}

static void test_group1_enable(void)
{
    check_group_enable(1);
}

/* Group 0 can be FIQs, group 1 never is */
static void test_group_fiq(void)
{
    GICMachine *gic = start_groups();

    open_three(gic, 0);
    gicd_set_group(gic, OTHER, 1);
    gicd_write_byte(gic, GICD_IPRIORITYR, OTHER, HIGHER);
    ctlr_set(gic, R_GICC_CTLR_FIQEn_MASK);
    gic_spi_pulse(gic, SPI);
    g_assert_true(fiq(gic));
    g_assert_false(irq(gic));
    gic_spi_pulse(gic, OTHER);
    g_assert_false(fiq(gic));
    acknowledge(gic, OTHER);
    g_assert_false(fiq(gic));
    gicc_write(gic, GICC_EOIR, OTHER);
    g_assert_true(fiq(gic));
    g_assert_false(irq(gic));
    g_assert_cmpuint(gicc_read(gic, GICC_IAR), ==, SPI);
    expect_idle(gic);
    gic_quit(gic);
}

/* IAR shows group 1 with AckCtl only, and says that there is something */
static void test_group_ack_ctl(void)
{
    GICMachine *gic = start_groups();

    open_interrupt(gic, SPI, PRIORITY, true);
    gicd_set_group(gic, SPI, 1);
    gicc_write(gic, GICC_CTLR, R_GICC_CTLR_EnableGrp1_MASK);
    gic_spi_pulse(gic, SPI);
    g_assert_true(irq(gic));
    g_assert_cmpuint(gicc_read(gic, GICC_HPPIR), ==, INTID_OTHER_GROUP);
    g_assert_cmpuint(gicc_read(gic, GICC_IAR), ==, INTID_OTHER_GROUP);
    g_assert_true(pending(gic, SPI));
    g_assert_false(active(gic, SPI));
    ctlr_set(gic, R_GICC_CTLR_AckCtl_MASK);
    g_assert_cmpuint(gicc_read(gic, GICC_HPPIR), ==, SPI);
    acknowledge(gic, SPI);
    gic_quit(gic);
}

/* The aliased registers are for group 1 (GICC_AIAR) */
static void test_aliased(void)
{
    GICMachine *gic = start_groups();

    open_interrupt(gic, SPI, PRIORITY, true);
    gicd_set_group(gic, SPI, 1);
    gicc_write(gic, GICC_CTLR, R_GICC_CTLR_EnableGrp0_MASK |
               R_GICC_CTLR_EnableGrp1_MASK);
    g_assert_cmpuint(gicc_read(gic, GICC_AHPPIR), ==, INTID_SPURIOUS);
    g_assert_cmpuint(gicc_read(gic, GICC_AIAR), ==, INTID_SPURIOUS);
    gic_spi_pulse(gic, SPI);
    g_assert_cmpuint(gicc_read(gic, GICC_AHPPIR), ==, SPI);
    g_assert_cmpuint(gicc_read(gic, GICC_AIAR), ==, SPI);
    g_assert_true(active(gic, SPI));
    gicc_write(gic, GICC_AEOIR, SPI);
    g_assert_false(active(gic, SPI));
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, PRIORITY_IDLE);

    /* of group 0 they say nothing */
    gicd_set_group(gic, SPI, 0);
    gic_spi_pulse(gic, SPI);
    g_assert_cmpuint(gicc_read(gic, GICC_AHPPIR), ==, INTID_SPURIOUS);
    g_assert_cmpuint(gicc_read(gic, GICC_AIAR), ==, INTID_SPURIOUS);
    acknowledge(gic, SPI);
    gic_quit(gic);
}

/* With EOImode, EOIR drops the priority and DIR deactivates */
static void test_eoi_mode(void)
{
    GICMachine *gic = start_level();

    open_interrupt(gic, OTHER, LOWER, true);
    ctlr_set(gic, R_GICC_CTLR_EOImode_MASK);
    gic_spi(gic, SPI, true);
    gic_spi_pulse(gic, OTHER);
    acknowledge(gic, SPI);
    expect_idle(gic);
    gicc_write(gic, GICC_EOIR, SPI);
    g_assert_true(active(gic, SPI));
    /* now lower ones are taken, but not this one again */
    acknowledge(gic, OTHER);
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, LOWER);
    gicc_write(gic, GICC_DIR, SPI);
    g_assert_false(active(gic, SPI));
    acknowledge(gic, SPI);
    gicc_write(gic, GICC_EOIR, SPI);
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, LOWER);
    gicc_write(gic, GICC_EOIR, OTHER);
    g_assert_true(active(gic, OTHER));
    gicc_write(gic, GICC_DIR, OTHER);
    g_assert_false(active(gic, OTHER));
    gic_quit(gic);
}

/* The end of no interrupt changes nothing */
static void test_spurious(void)
{
    GICMachine *gic = start_edge();

    gicc_write(gic, GICC_EOIR, INTID_SPURIOUS);
    gic_spi_pulse(gic, SPI);
    acknowledge(gic, SPI);
    gicc_write(gic, GICC_EOIR, INTID_SPURIOUS);
    gicc_write(gic, GICC_EOIR, INTID_OTHER_GROUP);
    g_assert_true(active(gic, SPI));
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, PRIORITY);
    ctlr_set(gic, R_GICC_CTLR_EOImode_MASK);
    gicc_write(gic, GICC_DIR, INTID_SPURIOUS);
    g_assert_true(active(gic, SPI));
    gic_quit(gic);
}

/* Active priorities are saved and restored, as for a suspend */
static void test_active_priorities(void)
{
    GICMachine *gic = start_groups();
    uint32_t apr[GICC_NUM_APRS], nsapr[GICC_NUM_APRS];

    open_interrupt(gic, SPI, LOWER, true);
    open_interrupt(gic, OTHER, HIGHER, true);
    gicd_set_group(gic, SPI, 1);
    gic_spi_pulse(gic, SPI);
    acknowledge(gic, SPI);
    gic_spi_pulse(gic, OTHER);
    acknowledge(gic, OTHER);
    for (unsigned i = 0; i < GICC_NUM_APRS; i++) {
        apr[i] = gicc_read(gic, GICC_APR(i));
        nsapr[i] = gicc_read(gic, GICC_NSAPR(i));
        gicc_write(gic, GICC_APR(i), 0);
        gicc_write(gic, GICC_NSAPR(i), 0);
    }
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, PRIORITY_IDLE);
    for (unsigned i = 0; i < GICC_NUM_APRS; i++) {
        gicc_write(gic, GICC_NSAPR(i), nsapr[i]);
    }
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, LOWER);
    for (unsigned i = 0; i < GICC_NUM_APRS; i++) {
        gicc_write(gic, GICC_APR(i), apr[i]);
    }
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, HIGHER);
    gicc_write(gic, GICC_EOIR, OTHER);
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, LOWER);
    gicc_write(gic, GICC_EOIR, SPI);
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, PRIORITY_IDLE);
    gic_quit(gic);
}

/* Beyond the last interrupt there is nothing (GICD_TYPER.ITLinesNumber) */
static void test_unimplemented(void)
{
    GICMachine *gic = start();

    for (unsigned n = (LAST_SPI + 1) / 32; n < 32; n++) {
        gicd_write(gic, GICD_IGROUPR(n), UINT32_MAX);
        gicd_write(gic, GICD_ISENABLER(n), UINT32_MAX);
        gicd_write(gic, GICD_ISPENDR(n), UINT32_MAX);
        gicd_write(gic, GICD_ISACTIVER(n), UINT32_MAX);
        g_assert_cmphex(gicd_read(gic, GICD_IGROUPR(n)), ==, 0);
        g_assert_cmphex(gicd_read(gic, GICD_ISENABLER(n)), ==, 0);
        g_assert_cmphex(gicd_read(gic, GICD_ICENABLER(n)), ==, 0);
        g_assert_cmphex(gicd_read(gic, GICD_ISPENDR(n)), ==, 0);
        g_assert_cmphex(gicd_read(gic, GICD_ICPENDR(n)), ==, 0);
        g_assert_cmphex(gicd_read(gic, GICD_ISACTIVER(n)), ==, 0);
        g_assert_cmphex(gicd_read(gic, GICD_ICACTIVER(n)), ==, 0);
    }
    for (unsigned n = (LAST_SPI + 1) / 4; n < 256; n++) {
        gicd_write(gic, GICD_IPRIORITYR(n), UINT32_MAX);
        gicd_write(gic, GICD_ITARGETSR(n), UINT32_MAX);
        g_assert_cmphex(gicd_read(gic, GICD_IPRIORITYR(n)), ==, 0);
        g_assert_cmphex(gicd_read(gic, GICD_ITARGETSR(n)), ==, 0);
    }
    for (unsigned n = (LAST_SPI + 1) / 16; n < 64; n++) {
        gicd_write(gic, GICD_ICFGR(n), UINT32_MAX);
        g_assert_cmphex(gicd_read(gic, GICD_ICFGR(n)), ==, 0);
    }
    expect_idle(gic);
    gic_quit(gic);
}

/* Reserved bits are read as 0, whatever was written */
static void test_reserved(void)
{
    GICMachine *gic = start();

    gicd_write(gic, GICD_CTLR, UINT32_MAX);
    g_assert_cmphex(gicd_read(gic, GICD_CTLR), ==,
                    R_GICD_CTLR_EnableGrp0_MASK | R_GICD_CTLR_EnableGrp1_MASK);
    gicc_write(gic, GICC_CTLR, UINT32_MAX);
    g_assert_cmphex(gicc_read(gic, GICC_CTLR), ==,
                    R_GICC_CTLR_EnableGrp0_MASK | R_GICC_CTLR_EnableGrp1_MASK |
                    R_GICC_CTLR_AckCtl_MASK | R_GICC_CTLR_FIQEn_MASK |
                    R_GICC_CTLR_CBPR_MASK | R_GICC_CTLR_EOImode_MASK);
    gicc_write(gic, GICC_PMR, UINT32_MAX);
    g_assert_cmphex(gicc_read(gic, GICC_PMR), ==, UINT8_MAX);
    gicc_write(gic, GICC_BPR, UINT32_MAX);
    g_assert_cmphex(gicc_read(gic, GICC_BPR), ==, 7);
    gicc_write(gic, GICC_ABPR, UINT32_MAX);
    g_assert_cmphex(gicc_read(gic, GICC_ABPR), ==, 7);
    /* NSACR is of the Security Extensions */
    for (unsigned n = 0; n < 64; n++) {
        gicd_write(gic, GICD_NSACR(n), UINT32_MAX);
        g_assert_cmphex(gicd_read(gic, GICD_NSACR(n)), ==, 0);
    }
    gic_quit(gic);
}

/*
 * Registers with a byte for each interrupt take bytes and words, the others
 * words (4.1.4); the model takes halfwords as well. All see the same.
 */
static void test_sizes(void)
{
    GICMachine *gic = start();
    uint64_t priority = GICD_BASE + A_GICD_IPRIORITYR(SPI / 4);
    uint64_t targets = GICD_BASE + A_GICD_ITARGETSR(SPI / 4);
    uint64_t sgis = GICD_BASE + A_GICD_SPENDSGIR(0);

    g_assert_cmpuint(SPI % 4, ==, 0);
    qtest_writel(gic->qts, priority, 0x44332211);
    for (unsigned i = 0; i < 4; i++) {
        g_assert_cmphex(qtest_readb(gic->qts, priority + i), ==,
                        0x11 * (i + 1));
    }
    qtest_writeb(gic->qts, priority + 1, 0xaa);
    g_assert_cmphex(qtest_readl(gic->qts, priority), ==, 0x4433aa11);

    qtest_writel(gic->qts, targets, 0x01020301);
    qtest_writeb(gic->qts, targets + 3, 2);
    g_assert_cmphex(qtest_readl(gic->qts, targets), ==, 0x02020301);

    qtest_writel(gic->qts, sgis, 0x02010302);
    g_assert_cmphex(qtest_readb(gic->qts, sgis + 1), ==, 3);
    g_assert_cmphex(qtest_readl(gic->qts, sgis), ==, 0x02010302);
    gic_quit(gic);
}

/* Accesses to each offset with each size; the GIC works after them */
static void test_bad_accesses(void)
{
    GICMachine *gic = start();

    gic_sweep(gic, GICD_BASE, GICD_SIZE);
    gic_sweep(gic, GICC_BASE, GICC_SIZE);
    gic_reset(gic);
    enable(gic);
    open_interrupt(gic, SPI, PRIORITY, true);
    gic_spi_pulse(gic, SPI);
    acknowledge(gic, SPI);
    gic_quit(gic);
}

/* Lines of devices lead where guests expect them */
#define UART_BASE       0x09000000
#define UART_CR         (UART_BASE + 0x30)
#define UART_CR_UARTEN_TXE  0x101
#define UART_IMSC       (UART_BASE + 0x38)
#define UART_IMSC_TXIM  (1 << 5)
#define UART_ICR        (UART_BASE + 0x44)

static void test_board_uart(void)
{
    GICMachine *gic = start_open(INTID_UART, false);

    qtest_writel(gic->qts, UART_CR, UART_CR_UARTEN_TXE);
    qtest_writel(gic->qts, UART_IMSC, UART_IMSC_TXIM);
    qtest_writel(gic->qts, UART_BASE, 'x');
    g_assert_true(pending(gic, INTID_UART));
    acknowledge(gic, INTID_UART);
    qtest_writel(gic->qts, UART_ICR, UART_IMSC_TXIM);
    g_assert_false(pending(gic, INTID_UART));
    gicc_write(gic, GICC_EOIR, INTID_UART);
    expect_idle(gic);
    gic_quit(gic);
}

/* ... and so do messages, which are edges of SPIs */
#define V2M_BASE        0x08020000
#define V2M_TYPER       (V2M_BASE + 0x008)
#define V2M_SETSPI      (V2M_BASE + 0x040)

static void test_board_message(void)
{
    GICMachine *gic = start();
    uint32_t typer = qtest_readl(gic->qts, V2M_TYPER);
    unsigned base = extract32(typer, 16, 10);
    unsigned last = base + extract32(typer, 0, 10) - 1;

    g_assert_cmpuint(base, >=, FIRST_SPI);
    g_assert_cmpuint(last, <=, LAST_SPI);
    for (unsigned intid = base; intid <= last; intid++) {
        open_interrupt(gic, intid, PRIORITY, true);
    }
    qtest_writel(gic->qts, V2M_SETSPI, base - 1);
    qtest_writel(gic->qts, V2M_SETSPI, last + 1);
    expect_idle(gic);
    for (unsigned intid = base; intid <= last; intid++) {
        qtest_writel(gic->qts, V2M_SETSPI, intid);
        acknowledge(gic, intid);
        gicc_write(gic, GICC_EOIR, intid);
        expect_idle(gic);
    }
    gic_quit(gic);
}

/* All that a reset or a migration deals with */
static void use_all(GICMachine *gic)
{
    open_interrupt(gic, SPI, LOWER, false);
    open_interrupt(gic, OTHER, HIGHER, true);
    open_interrupt(gic, THIRD, PRIORITY, true);
    open_interrupt(gic, FREE_PPI, 0x90, true);
    open_interrupt(gic, OTHER_FREE_PPI, PRIORITY, false);
    gicd_set_group(gic, OTHER, 1);
    gicc_write(gic, GICC_BPR, 2);
    gicc_write(gic, GICC_ABPR, 5);
    gicc_write(gic, GICC_PMR, 0xf0);
    /* active and pending, in two handlers of both groups */
    gic_spi(gic, SPI, true);
    acknowledge(gic, SPI);
    gic_spi_pulse(gic, OTHER);
    acknowledge(gic, OTHER);
    gic_spi_pulse(gic, OTHER);
    /* pending */
    gic_spi_pulse(gic, THIRD);
    gic_ppi(gic, 0, FREE_PPI, true);
    gicd_write_byte(gic, GICD_SPENDSGIR, SGI, CPU0 | CPU1);
    gicd_write_byte(gic, GICD_IPRIORITYR, SGI, 0xa0);
    gic_ppi(gic, 0, OTHER_FREE_PPI, true);
    gicd_set(gic, GICD_ICENABLER, OTHER_FREE_PPI);
    /* targets */
    gicd_write_byte(gic, GICD_ITARGETSR, FREE_SPI(3), CPU1);
}

/* What the distributor and CPU interface show, and reading does not change */
#define DUMP_WORDS      (0x1000 / 4 + 64)

static void dump(GICMachine *gic, uint32_t *words)
{
    unsigned i;

    for (i = 0; i < 0x1000 / 4; i++) {
        words[i] = qtest_readl(gic->qts, GICD_BASE + 4 * i);
    }
    words[i++] = gicc_read(gic, GICC_CTLR);
    words[i++] = gicc_read(gic, GICC_PMR);
    words[i++] = gicc_read(gic, GICC_BPR);
    words[i++] = gicc_read(gic, GICC_ABPR);
    words[i++] = gicc_read(gic, GICC_RPR);
    words[i++] = gicc_read(gic, GICC_HPPIR);
    for (unsigned n = 0; n < GICC_NUM_APRS; n++) {
        words[i++] = gicc_read(gic, GICC_APR(n));
        words[i++] = gicc_read(gic, GICC_NSAPR(n));
    }
    g_assert_cmpuint(i, <=, DUMP_WORDS);
}

static void expect_dump(GICMachine *gic, const uint32_t *words)
{
    uint32_t now[DUMP_WORDS] = { 0 };

    dump(gic, now);
    g_assert_cmpmem(now, sizeof(now), words, sizeof(now));
}

static void test_reset(void)
{
    uint32_t fresh[DUMP_WORDS] = { 0 };
    GICMachine *gic = gic_start(OPTIONS, 2, "");

    dump(gic, fresh);
    gic_quit(gic);
    gic = start_groups();
    use_all(gic);
    /* a reset does not know lines of the test's */
    gic_spi(gic, SPI, false);
    gic_ppi(gic, 0, FREE_PPI, false);
    gic_ppi(gic, 0, OTHER_FREE_PPI, false);
    gic_reset(gic);
    expect_dump(gic, fresh);
    gic_quit(gic);
}

/* In a handler: what follows is not held up by it */
static void check_reset_running_priority(unsigned group)
{
    GICMachine *gic = start_groups();

    open_interrupt(gic, SPI, HIGHER, true);
    gicd_set_group(gic, SPI, group);
    gic_spi_pulse(gic, SPI);
    acknowledge(gic, SPI);
    gic_reset(gic);
    enable(gic);
    open_interrupt(gic, OTHER, PRIORITY, true);
    for (unsigned i = 0; i < 2; i++) {
        gic_spi_pulse(gic, OTHER);
        acknowledge(gic, OTHER);
        gicc_write(gic, GICC_EOIR, OTHER);
        g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, PRIORITY_IDLE);
    }
    gic_quit(gic);
}

static void test_reset_group0(void)
{
    check_reset_running_priority(0);
}

static void test_reset_group1(void)
{
    check_reset_running_priority(1);
}

/* Interrupts in each state, in the middle of two handlers */
static void test_migration(void)
{
    uint32_t before[DUMP_WORDS] = { 0 };
    GICMachine *gic = start_groups();

    use_all(gic);
    dump(gic, before);
    gic = gic_migrate(gic);
    expect_dump(gic, before);

    /* the edge that the first handler's interrupt had; levels */
    gicc_write(gic, GICC_EOIR, OTHER);
    acknowledge(gic, OTHER);
    gicc_write(gic, GICC_EOIR, OTHER);
    acknowledge(gic, THIRD);
    gicc_write(gic, GICC_EOIR, THIRD);
    acknowledge(gic, FREE_PPI);
    gicc_write(gic, GICC_EOIR, FREE_PPI);
    for (unsigned i = 0; i < 2; i++) {
        uint32_t iar = gicc_read(gic, GICC_IAR);

        g_assert_cmpuint(FIELD_EX32(iar, GICC_IAR, INTID), ==, SGI);
        gicc_write(gic, GICC_EOIR, iar);
    }
    expect_idle(gic);
    gicd_set(gic, GICD_ISENABLER, OTHER_FREE_PPI);
    acknowledge(gic, OTHER_FREE_PPI);
    gic_ppi(gic, 0, OTHER_FREE_PPI, false);
    gicc_write(gic, GICC_EOIR, OTHER_FREE_PPI);
    gic_spi(gic, SPI, false);
    gicc_write(gic, GICC_EOIR, SPI);
    expect_idle(gic);
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, PRIORITY_IDLE);
    /* a line that was high is no edge */
    gic_ppi(gic, 0, FREE_PPI, true);
    expect_idle(gic);
    gic_quit(gic);
}

/*
 * A GIC with the Security Extensions, as Non-secure software sees it: that is
 * what accesses by qtest are. Interrupts are in group 1 if the board loads a
 * Linux kernel, which would not find firmware to put them there.
 */
static GICMachine *start_nonsecure(void)
{
    g_autofree char *file = rvic_temp(".img");
    g_autofree char *args = g_strdup_printf("-kernel %s", file);
    GICMachine *gic;

    g_assert_true(g_file_set_contents(file, "no kernel", -1, NULL));
    gic = gic_start(OPTIONS ",secure=on", 2, args);
    unlink(file);
    gicd_write(gic, GICD_CTLR, R_GICD_CTLR_NS_EnableGrp1_MASK);
    gicc_write(gic, GICC_CTLR, R_GICC_CTLR_NS_EnableGrp1_MASK);
    gicc_write(gic, GICC_PMR, 0xfe);
    return gic;
}

/* Group 1 is all there is: CTLR has its enable, and the groups are hidden */
static void test_nonsecure(void)
{
    GICMachine *gic = start_nonsecure();

    g_assert_cmpuint(FIELD_EX32(gicd_read(gic, GICD_TYPER), GICD_TYPER,
                                SecurityExtn), ==, 1);
    gicd_write(gic, GICD_CTLR, UINT32_MAX);
    g_assert_cmphex(gicd_read(gic, GICD_CTLR), ==, 1);
    gicc_write(gic, GICC_CTLR, UINT32_MAX);
    g_assert_cmphex(gicc_read(gic, GICC_CTLR), ==,
                    R_GICC_CTLR_NS_EnableGrp1_MASK |
                    R_GICC_CTLR_NS_EOImode_MASK);
    for (unsigned n = 0; n <= LAST_SPI / 32; n++) {
        gicd_write(gic, GICD_IGROUPR(n), UINT32_MAX);
        g_assert_cmphex(gicd_read(gic, GICD_IGROUPR(n)), ==, 0);
    }
    for (unsigned i = 0; i < 8; i++) {
        gicc_write(gic, GICC_BPR, i);
        g_assert_cmpuint(gicc_read(gic, GICC_BPR), ==, MAX(i, 1));
    }
    /* Secure software's registers */
    gicc_write(gic, GICC_ABPR, 5);
    g_assert_cmphex(gicc_read(gic, GICC_ABPR), ==, 0);
    g_assert_cmphex(gicc_read(gic, GICC_AIAR), ==, 0);
    g_assert_cmphex(gicc_read(gic, GICC_AHPPIR), ==, 0);
    for (unsigned i = 0; i < GICC_NUM_APRS; i++) {
        gicc_write(gic, GICC_NSAPR(i), UINT32_MAX);
        g_assert_cmphex(gicc_read(gic, GICC_NSAPR(i)), ==, 0);
    }
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, PRIORITY_IDLE);
    gic_quit(gic);
}

/* An interrupt is handled; its priority is the lower half of all */
static void test_nonsecure_handle(void)
{
    GICMachine *gic = start_nonsecure();

    for (unsigned i = 0; i < 256; i += 17) {
        gicd_write_byte(gic, GICD_IPRIORITYR, SPI, i);
        g_assert_cmphex(gicd_read_byte(gic, GICD_IPRIORITYR, SPI), ==,
                        i & ~1u);
        gicc_write(gic, GICC_PMR, i);
        g_assert_cmphex(gicc_read(gic, GICC_PMR), ==, i & ~1u);
    }
    gicc_write(gic, GICC_PMR, 0xfe);
    open_interrupt(gic, SPI, PRIORITY, false);
    open_interrupt(gic, OTHER, HIGHER, true);
    gic_spi(gic, SPI, true);
    g_assert_false(fiq(gic));
    acknowledge(gic, SPI);
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, PRIORITY);
    g_assert_true(active(gic, SPI));
    gic_spi_pulse(gic, OTHER);
    acknowledge(gic, OTHER);
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, HIGHER);
    gicc_write(gic, GICC_EOIR, OTHER);
    gic_spi(gic, SPI, false);
    ctlr_set(gic, R_GICC_CTLR_NS_EOImode_MASK);
    gicc_write(gic, GICC_EOIR, SPI);
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, PRIORITY_IDLE);
    g_assert_true(active(gic, SPI));
    gicc_write(gic, GICC_DIR, SPI);
    g_assert_false(active(gic, SPI));
    expect_idle(gic);
    gic_quit(gic);
}

/* A binary point is of the priority as this software sees it: bits 7:6 */
static void test_nonsecure_binary_point(void)
{
    GICMachine *gic = start_nonsecure();

    gicc_write(gic, GICC_BPR, 5);
    open_interrupt(gic, SPI, 0x9e, true);
    open_interrupt(gic, OTHER, 0x82, true);
    open_interrupt(gic, THIRD, 0x7e, true);
    gic_spi_pulse(gic, SPI);
    acknowledge(gic, SPI);
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, 0x80);
    gic_spi_pulse(gic, OTHER);
    expect_idle(gic);
    gic_spi_pulse(gic, THIRD);
    acknowledge(gic, THIRD);
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, 0x40);
    gic_quit(gic);
}

/* Active priorities are saved and restored */
static void test_nonsecure_active_priorities(void)
{
    GICMachine *gic = start_nonsecure();
    uint32_t apr[GICC_NUM_APRS];

    open_interrupt(gic, SPI, PRIORITY, true);
    gic_spi_pulse(gic, SPI);
    acknowledge(gic, SPI);
    for (unsigned i = 0; i < GICC_NUM_APRS; i++) {
        apr[i] = gicc_read(gic, GICC_APR(i));
        gicc_write(gic, GICC_APR(i), 0);
    }
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, PRIORITY_IDLE);
    for (unsigned i = 0; i < GICC_NUM_APRS; i++) {
        gicc_write(gic, GICC_APR(i), apr[i]);
    }
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, PRIORITY);
    gicc_write(gic, GICC_EOIR, SPI);
    g_assert_cmphex(gicc_read(gic, GICC_RPR), ==, PRIORITY_IDLE);
    gic_quit(gic);
}

/* SGIs of group 1 */
static void test_nonsecure_sgi(void)
{
    GICMachine *gic = start_nonsecure();

    gicd_send_sgi(gic, SGI_TO_SELF, 0, SGI);
    acknowledge(gic, SGI);
    gicc_write(gic, GICC_EOIR, SGI);
    gicd_write_byte(gic, GICD_SPENDSGIR, SGI, CPU1);
    acknowledge(gic, from(1, SGI));
    gic_quit(gic);
}

/* Interrupts of group 0 are Secure software's: RAZ/WI */
static GICMachine *start_secure(void)
{
    GICMachine *gic = gic_start(OPTIONS ",secure=on", 2, "");

    gicd_write(gic, GICD_CTLR, R_GICD_CTLR_NS_EnableGrp1_MASK);
    gicc_write(gic, GICC_CTLR, R_GICC_CTLR_NS_EnableGrp1_MASK);
    return gic;
}

static void test_secure_hidden(void)
{
    GICMachine *gic = start_secure();

    gic_spi(gic, SPI, true);
    for (unsigned n = 0; n <= LAST_SPI / 32; n++) {
        gicd_write(gic, GICD_ISENABLER(n), UINT32_MAX);
        gicd_write(gic, GICD_ISPENDR(n), UINT32_MAX);
        gicd_write(gic, GICD_ISACTIVER(n), UINT32_MAX);
        g_assert_cmphex(gicd_read(gic, GICD_ISENABLER(n)), ==, 0);
        g_assert_cmphex(gicd_read(gic, GICD_ISPENDR(n)), ==, 0);
        g_assert_cmphex(gicd_read(gic, GICD_ISACTIVER(n)), ==, 0);
    }
    gicd_write_byte(gic, GICD_IPRIORITYR, SPI, PRIORITY);
    g_assert_cmphex(gicd_read_byte(gic, GICD_IPRIORITYR, SPI), ==, 0);
    gicd_write_byte(gic, GICD_ITARGETSR, SPI, CPU1);
    g_assert_cmphex(gicd_read_byte(gic, GICD_ITARGETSR, SPI), ==, 0);
    gicd_write_byte(gic, GICD_SPENDSGIR, SGI, CPU0);
    g_assert_cmphex(gicd_read_byte(gic, GICD_SPENDSGIR, SGI), ==, 0);
    gicd_set_edge(gic, SPI, true);
    g_assert_false(gicd_is_edge(gic, SPI));
    /* the mask is in Secure software's half */
    gicc_write(gic, GICC_PMR, OPEN_MASK);
    g_assert_cmphex(gicc_read(gic, GICC_PMR), ==, 0);
    expect_idle(gic);
    gic_quit(gic);
}

/*
 * A register as Secure software sees it: the monitor reads as vCPU 0 does,
 * which is in EL3 after reset and has its MMU off.
 */
static uint32_t secure_read(GICMachine *gic, uint64_t address)
{
    g_autofree char *text = qtest_hmp(gic->qts, "x /1wx 0x%" PRIx64, address);
    const char *value = strchr(text, ':');

    g_assert_nonnull(value);
    return g_ascii_strtoull(value + 1, NULL, 16);
}

#define gicd_secure_read(gic, reg)  secure_read(gic, GICD_BASE + A_ ## reg)

/* Nothing of that was to be seen because it was hidden */
static void test_secure_unchanged(void)
{
    GICMachine *gic = start_secure();

    for (unsigned n = 1; n <= LAST_SPI / 32; n++) {
        gicd_write(gic, GICD_ISENABLER(n), UINT32_MAX);
        gicd_write(gic, GICD_ISPENDR(n), UINT32_MAX);
        gicd_write(gic, GICD_ISACTIVER(n), UINT32_MAX);
        g_assert_cmphex(gicd_secure_read(gic, GICD_ISENABLER(n)), ==, 0);
        g_assert_cmphex(gicd_secure_read(gic, GICD_ISPENDR(n)), ==, 0);
        g_assert_cmphex(gicd_secure_read(gic, GICD_ISACTIVER(n)), ==, 0);
    }
    gicd_write(gic, GICD_SPENDSGIR(0), UINT32_MAX);
    g_assert_cmphex(gicd_secure_read(gic, GICD_SPENDSGIR(0)), ==, 0);
    gicd_write(gic, GICD_ITARGETSR(SPI / 4), UINT32_MAX);
    g_assert_cmphex(gicd_secure_read(gic, GICD_ITARGETSR(SPI / 4)), ==, 0);
    /* the reads do see what there is */
    gic_spi(gic, SPI, true);
    g_assert_cmphex(gicd_secure_read(gic, GICD_ISPENDR(SPI / 32)), ==,
                    1u << SPI % 32);
    g_assert_cmphex(gicd_secure_read(gic, GICD_CTLR), ==,
                    R_GICD_CTLR_EnableGrp1_MASK);
    gic_quit(gic);
}

/* Non-secure software cannot send an SGI of group 0 (GICD_SGIR.NSATT) */
static void test_secure_sgi(void)
{
    GICMachine *gic = start_secure();

    gicd_send_sgi(gic, SGI_TO_SELF, 0, SGI);
    gicd_write(gic, GICD_SGIR, R_GICD_SGIR_NSATT_MASK | SGI |
               FIELD_DP32(0, GICD_SGIR, TargetListFilter, SGI_TO_SELF));
    g_assert_cmphex(gicd_secure_read(gic, GICD_ISPENDR(0)), ==, 0);
    gic_quit(gic);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*test)(void);
    } tests[] = {
        { "identification", test_identification },
        { "level/spi", test_level_spi },
        { "level/ppi", test_level_ppi },
        { "level/withdrawn", test_level_withdrawn },
        { "edge/spi", test_edge_spi },
        { "edge/ppi", test_edge_ppi },
        { "edge/active", test_edge_active },
        { "config", test_config },
        { "enable", test_enable },
        { "enable/sgi", test_enable_sgi },
        { "bits", test_bits },
        { "set-pending/level", test_set_pending_level },
        { "set-pending/edge", test_set_pending_edge },
        { "set-pending/ppi", test_set_pending_ppi },
        { "set-pending/sgi", test_set_pending_sgi },
        { "clear-pending", test_clear_pending },
        { "set-active", test_set_active },
        { "targets", test_targets },
        { "targets/none", test_targets_none },
        { "targets/several", test_targets_several },
        { "targets/private", test_targets_private },
        { "targets/absent", test_targets_absent },
        { "targets/uniprocessor", test_uniprocessor },
        { "ppi-banked", test_ppi_banked },
        { "sgi/filters", test_sgi_filters },
        { "sgi/all", test_sgi_all },
        { "sgi/sources", test_sgi_sources },
        { "sgi/active", test_sgi_active },
        { "sgi/clear", test_sgi_clear },
        { "sgi/no-source", test_sgi_no_source },
        { "sgi/hppir", test_sgi_hppir },
        { "priority/order", test_priority_order },
        { "priority/mask", test_priority_mask },
        { "priority/fields", test_priority_fields },
        { "preemption", test_preemption },
        { "preemption/levels", test_preemption_levels },
        { "binary-point/group0", test_binary_point },
        { "binary-point/group1", test_binary_point_group1 },
        { "binary-point/common", test_binary_point_common },
        { "binary-point/least", test_binary_point_least },
        { "hppir", test_hppir },
        { "disabled", test_disabled },
        { "group/enable0", test_group0_enable },
        { "group/enable1", test_group1_enable },
        { "group/fiq", test_group_fiq },
        { "group/ack-ctl", test_group_ack_ctl },
        { "aliased", test_aliased },
        { "eoi-mode", test_eoi_mode },
        { "spurious", test_spurious },
        { "active-priorities", test_active_priorities },
        { "unimplemented", test_unimplemented },
        { "reserved", test_reserved },
        { "sizes", test_sizes },
        { "bad-accesses", test_bad_accesses },
        { "board/uart", test_board_uart },
        { "board/message", test_board_message },
        { "reset", test_reset },
        { "reset/group0", test_reset_group0 },
        { "reset/group1", test_reset_group1 },
        { "migration", test_migration },
        { "non-secure/registers", test_nonsecure },
        { "non-secure/handle", test_nonsecure_handle },
        { "non-secure/binary-point", test_nonsecure_binary_point },
        { "non-secure/active-priorities", test_nonsecure_active_priorities },
        { "non-secure/sgi", test_nonsecure_sgi },
        { "secure/hidden", test_secure_hidden },
        { "secure/unchanged", test_secure_unchanged },
        { "secure/sgi", test_secure_sgi },
    };

    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        g_autofree char *path = g_strdup_printf("/gicv2/%s", tests[i].name);

        qtest_add_func(path, tests[i].test);
    }
    return g_test_run();
}
