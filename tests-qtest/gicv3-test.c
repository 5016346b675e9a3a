/*
 * Arm GICv3: Distributor, Redistributors, and how interrupts get to CPUs
 *
 * Expectations are the architecture's, IHI 0069, of which sections and
 * registers are named. Where it leaves a choice, either is accepted, unless it
 * is said to be QEMU's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "gicv3-qtest.h"

#define V3              "gic-version=3"
#define CPUS            4

#define ALL_ONES        UINT32_MAX

/* To be signalled at all, a priority has to be lower than PMR */
#define PRIORITY_LOW    0xa0
#define PRIORITY_HIGH   0x40
#define PMR_ALL         0xf0

/* Machines that differ in the number or size of their Redistributors */
typedef struct Layout {
    const char *name;
    const char *options;
    unsigned cpus;
    unsigned arch_rev;
    /* the last CPU of the first region, where there are two */
    unsigned last_low;
} Layout;

static const Layout layouts[] = {
    { "one-cpu", V3, 1, 3 },
    { "v3", V3, CPUS, 3 },
    { "v3-full-region", V3, 123, 3 },
    { "v3-two-regions", V3, 130, 3, 122 },
    { "v4", "gic-version=4,virtualization=on", CPUS, 4 },
    { "v4-two-regions", "gic-version=4,virtualization=on", 64, 4, 60 },
};

static void test_layout(const void *opaque)
{
    const Layout *l = opaque;
    GICMachine *gic = gic_start(l->options, l->cpus, "");
    bool lpis = FIELD_EX32(gicd_read(gic, GICD_TYPER), GICD_TYPER, LPIS);

    g_assert_cmpuint(FIELD_EX32(gicd_read(gic, PIDR2), PIDR2, ArchRev), ==,
                     l->arch_rev);
    for (unsigned cpu = 0; cpu < l->cpus; cpu++) {
        uint64_t typer = gicr_read64(gic, cpu, GICR_TYPER);
        bool last = cpu == l->cpus - 1 ||
                    (l->last_low && cpu == l->last_low);

        g_assert_cmphex(FIELD_EX64(typer, GICR_TYPER, Affinity_Value), ==,
                        gicv3_affinity(cpu));
        g_assert_cmpuint(FIELD_EX64(typer, GICR_TYPER, Processor_Number), ==,
                         cpu);
        g_assert_cmpuint(FIELD_EX64(typer, GICR_TYPER, Last), ==, last);
        g_assert_cmpuint(FIELD_EX64(typer, GICR_TYPER, PLPIS), ==, lpis);
        g_assert_cmpuint(FIELD_EX64(typer, GICR_TYPER, VLPIS), ==,
                         l->arch_rev == 4);
        g_assert_cmphex(gicr_read(gic, cpu, GICR_TYPER), ==, (uint32_t)typer);
        g_assert_cmphex(qtest_readl(gic->qts, gicv3_rd_base(gic, cpu) +
                                    A_GICR_TYPER + 4), ==, typer >> 32);
        g_assert_cmpuint(FIELD_EX32(gicr_read(gic, cpu, PIDR2), PIDR2,
                                    ArchRev), ==, l->arch_rev);
    }
    gic_quit(gic);
}

/* Component IDs of the architecture: 12.1.2 */
static void test_identification(void)
{
    static const uint32_t cidr[] = { 0x0d, 0xf0, 0x05, 0xb1 };
    GICMachine *gic = gic_start(V3, CPUS, "");
    uint32_t typer = gicd_read(gic, GICD_TYPER);
    g_autofree char *before = gicv3_dump(gic);

    for (size_t n = 0; n < ARRAY_SIZE(cidr); n++) {
        g_assert_cmphex(gicd_read(gic, CIDR(n)), ==, cidr[n]);
        g_assert_cmphex(gicr_read(gic, 1, CIDR(n)), ==, cidr[n]);
        g_assert_cmphex(gits_read(gic, CIDR(n)), ==, cidr[n]);
    }
    g_assert_cmpuint(FIELD_EX32(gits_read(gic, PIDR2), PIDR2, ArchRev), ==, 3);
    g_assert_cmphex(FIELD_EX32(gicd_read(gic, GICD_IIDR), GICD_IIDR,
                               Implementer), ==, IMPLEMENTER_ARM);
    g_assert_cmphex(gicr_read(gic, 1, GICR_IIDR), ==,
                    gicd_read(gic, GICD_IIDR));

    g_assert_cmpuint(FIELD_EX32(typer, GICD_TYPER, ITLinesNumber), ==,
                     NUM_SPIS / 32);
    /* without legacy operation, this has no meaning and is 0 */
    g_assert_cmpuint(FIELD_EX32(typer, GICD_TYPER, CPUNumber), ==, 0);
    g_assert_cmpuint(FIELD_EX32(typer, GICD_TYPER, SecurityExtn), ==, 0);
    g_assert_cmpuint(FIELD_EX32(typer, GICD_TYPER, LPIS), ==, 1);
    g_assert_cmpuint(FIELD_EX32(typer, GICD_TYPER, DVIS), ==, 0);
    /* LPIs need 14 bits: 2.2 */
    g_assert_cmpuint(FIELD_EX32(typer, GICD_TYPER, IDbits), >=, 13);

    gicd_write(gic, GICD_TYPER, ~typer);
    gicd_write(gic, GICD_IIDR, 0);
    gicd_write(gic, PIDR2, 0);
    gicr_write(gic, 1, GICR_IIDR, 0);
    gicr_write64(gic, 1, GICR_TYPER, 0);
    g_assert_cmphex(gicd_read(gic, GICD_TYPER), ==, typer);
    g_assert_cmpuint(gicr_read64(gic, 1, GICR_TYPER), !=, 0);
    g_assert_cmphex(gicr_read(gic, 1, GICR_IIDR), ==,
                    gicd_read(gic, GICD_IIDR));
    gicv3_expect_dump(gic, before);
    gic_quit(gic);
}

/* A value in every register that holds state, other than after a reset */
static void disturb(GICMachine *gic)
{
    gicd_write(gic, GICD_CTLR, R_GICD_CTLR_EnableGrp0_MASK |
               R_GICD_CTLR_EnableGrp1_MASK);
    for (unsigned n = 1; n <= NUM_SPIS / 32; n++) {
        gicd_write(gic, GICD_IGROUPR(n), 0x0f0f3c01 * n);
        gicd_write(gic, GICD_ISENABLER(n), 0x00ff1234 + n);
        gicd_write(gic, GICD_ISPENDR(n), 0x12345678 * n);
        gicd_write(gic, GICD_ISACTIVER(n), 0x89abcdef * n);
        gicd_write(gic, GICD_INMIR(n), 0x01010101 * n);
        gicd_write(gic, GICD_ICFGR(2 * n), 0xaaaa8888);
        gicd_write(gic, GICD_ICFGR(2 * n + 1), 0x22220aa0);
    }
    for (unsigned intid = FIRST_SPI; intid <= LAST_SPI; intid++) {
        gicv3_set_priority(gic, 0, intid, intid << 3);
        gicd_write64(gic, GICD_IROUTER(intid), gicv3_affinity(intid % CPUS));
    }
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        gicr_write(gic, cpu, GICR_WAKER, 0);
        gicr_write(gic, cpu, GICR_IGROUPR0, 0x11110001 << cpu);
        gicr_write(gic, cpu, GICR_ISENABLER0, 0x01230123 << cpu);
        gicr_write(gic, cpu, GICR_ISPENDR0, 0x23450101 << cpu);
        gicr_write(gic, cpu, GICR_ISACTIVER0, 0x07010111 << cpu);
        gicr_write(gic, cpu, GICR_INMIR0, 0x01000100 << cpu);
        gicr_write(gic, cpu, GICR_ICFGR1, 0x88888888 >> 2 * cpu);
        gicr_write64(gic, cpu, GICR_PROPBASER, RAM_BASE + MiB + 15);
        gicr_write64(gic, cpu, GICR_PENDBASER, RAM_BASE + 2 * MiB +
                     cpu * 64 * KiB);
        for (unsigned intid = 0; intid < FIRST_SPI; intid++) {
            gicv3_set_priority(gic, cpu, intid, (intid + cpu) << 3);
        }
    }
}

/* 12.9 and 12.11: what is not UNKNOWN after a reset */
static void expect_reset_state(GICMachine *gic)
{
    uint32_t ctlr = gicd_read(gic, GICD_CTLR);

    g_assert_cmphex(ctlr & (R_GICD_CTLR_EnableGrp0_MASK |
                            R_GICD_CTLR_EnableGrp1_MASK |
                            R_GICD_CTLR_RWP_MASK), ==, 0);
    for (unsigned n = 1; n <= NUM_SPIS / 32; n++) {
        g_assert_cmphex(gicd_read(gic, GICD_ISENABLER(n)), ==, 0);
        g_assert_cmphex(gicd_read(gic, GICD_ISPENDR(n)), ==, 0);
        g_assert_cmphex(gicd_read(gic, GICD_ISACTIVER(n)), ==, 0);
        g_assert_cmphex(gicd_read(gic, GICD_IGROUPR(n)), ==, 0);
        g_assert_cmphex(gicd_read(gic, GICD_INMIR(n)), ==, 0);
    }
    for (unsigned cpu = 0; cpu < gic->cpus; cpu++) {
        g_assert_cmphex(gicr_read(gic, cpu, GICR_WAKER), ==,
                        R_GICR_WAKER_ProcessorSleep_MASK |
                        R_GICR_WAKER_ChildrenAsleep_MASK);
        g_assert_cmphex(gicr_read(gic, cpu, GICR_CTLR) &
                        (R_GICR_CTLR_EnableLPIs_MASK |
                         R_GICR_CTLR_RWP_MASK | R_GICR_CTLR_UWP_MASK), ==, 0);
        g_assert_cmphex(gicr_read(gic, cpu, GICR_ISENABLER0), ==, 0);
        g_assert_cmphex(gicr_read(gic, cpu, GICR_ISPENDR0), ==, 0);
        g_assert_cmphex(gicr_read(gic, cpu, GICR_ISACTIVER0), ==, 0);
        g_assert_cmphex(gicr_read(gic, cpu, GICR_IGROUPR0), ==, 0);
        g_assert_cmphex(gicr_read(gic, cpu, GICR_INMIR0), ==, 0);
        g_assert_false(gic_output(gic, cpu, GIC_IRQ));
        g_assert_false(gic_output(gic, cpu, GIC_FIQ));
    }
}

static void test_reset(void)
{
    GICMachine *gic = gic_start(V3, CPUS, "");
    g_autofree char *fresh = gicv3_dump(gic);
    g_autofree char *disturbed = NULL;

    expect_reset_state(gic);
    disturb(gic);
    disturbed = gicv3_dump(gic);
    g_assert_cmpstr(disturbed, !=, fresh);

    gic_reset(gic);
    expect_reset_state(gic);
    /*
     * Much more is UNKNOWN, as for the architecture. It is QEMU's choice that
     * a reset leaves nothing behind of what the machine did before.
     */
    gicv3_expect_dump(gic, fresh);
    gic_quit(gic);
}

/* With one Security state, GICD_CTLR has nothing but the groups' enables */
static void test_ctlr(void)
{
    const uint32_t enables = R_GICD_CTLR_EnableGrp0_MASK |
                             R_GICD_CTLR_EnableGrp1_MASK;
    const uint32_t fixed = R_GICD_CTLR_ARE_MASK | R_GICD_CTLR_DS_MASK;
    GICMachine *gic = gic_start(V3, CPUS, "");

    g_assert_cmphex(gicd_read(gic, GICD_CTLR), ==, fixed);
    gicd_write(gic, GICD_CTLR, ALL_ONES);
    g_assert_cmphex(gicd_read(gic, GICD_CTLR), ==, fixed | enables);
    gicd_write(gic, GICD_CTLR, R_GICD_CTLR_EnableGrp1_MASK);
    g_assert_cmphex(gicd_read(gic, GICD_CTLR), ==,
                    fixed | R_GICD_CTLR_EnableGrp1_MASK);
    gicd_write(gic, GICD_CTLR, 0);
    g_assert_cmphex(gicd_read(gic, GICD_CTLR), ==, fixed);
    gic_quit(gic);
}

/* A pair of registers, of which one sets bits of a state and one clears them */
typedef struct SetClear {
    const char *name;
    unsigned set;
    unsigned clear;
} SetClear;

static const SetClear set_clear[] = {
    { "enable", A_GICD_ISENABLER(0), A_GICD_ICENABLER(0) },
    { "pending", A_GICD_ISPENDR(0), A_GICD_ICPENDR(0) },
    { "active", A_GICD_ISACTIVER(0), A_GICD_ICACTIVER(0) },
};

static void expect_both(GICMachine *gic, uint64_t set, uint64_t clear,
                        uint32_t value)
{
    g_assert_cmphex(qtest_readl(gic->qts, set), ==, value);
    g_assert_cmphex(qtest_readl(gic->qts, clear), ==, value);
}

/* A word of each, and no other register changes in all of that */
static void check_set_clear(GICMachine *gic, uint64_t set, uint64_t clear)
{
    g_autofree char *before = gicv3_dump(gic);

    expect_both(gic, set, clear, 0);
    for (unsigned bit = 0; bit < 32; bit++) {
        qtest_writel(gic->qts, set, 1u << bit);
        expect_both(gic, set, clear, ALL_ONES >> (31 - bit));
    }
    qtest_writel(gic->qts, set, 0);
    qtest_writel(gic->qts, clear, 0);
    expect_both(gic, set, clear, ALL_ONES);
    qtest_writel(gic->qts, clear, 0x00ff0f35);
    expect_both(gic, set, clear, 0xff00f0ca);
    qtest_writel(gic->qts, clear, 0x00ff0f35);
    qtest_writel(gic->qts, set, 0xf0000000);
    expect_both(gic, set, clear, 0xff00f0ca);
    qtest_writel(gic->qts, clear, 0xff00f0ca);
    expect_both(gic, set, clear, 0);
    gicv3_expect_dump(gic, before);
}

static void test_set_clear(const void *opaque)
{
    const SetClear *s = opaque;
    GICMachine *gic = gic_start(V3, 2, "");

    for (unsigned n = 1; n <= NUM_SPIS / 32; n++) {
        check_set_clear(gic, GICD_BASE + s->set + 4 * n,
                        GICD_BASE + s->clear + 4 * n);
    }
    for (unsigned cpu = 0; cpu < 2; cpu++) {
        uint64_t base = gicv3_rd_base(gic, cpu) + GICR_SGI_BASE;

        check_set_clear(gic, base + s->set, base + s->clear);
    }
    gic_quit(gic);
}

/*
 * SGIs and PPIs are the Redistributor's with affinity routing, and INTIDs that
 * are not implemented are nobody's: 12.9, of each register
 */
static void test_not_distributors(void)
{
    static const unsigned one_bit[] = {
        A_GICD_IGROUPR(0), A_GICD_ISENABLER(0), A_GICD_ICENABLER(0),
        A_GICD_ISPENDR(0), A_GICD_ICPENDR(0), A_GICD_ISACTIVER(0),
        A_GICD_ICACTIVER(0), A_GICD_IGRPMODR(0), A_GICD_INMIR(0),
    };
    GICMachine *gic = gic_start(V3, 2, "");
    g_autofree char *before = NULL;

    disturb(gic);
    before = gicv3_dump(gic);
    for (unsigned intid = 0; intid < END_OF_SPIS; intid += 4) {
        if (intid >= FIRST_SPI && intid <= LAST_SPI) {
            continue;
        }
        for (size_t i = 0; i < ARRAY_SIZE(one_bit); i++) {
            uint64_t addr = GICD_BASE + one_bit[i] + intid / 32 * 4;

            qtest_writel(gic->qts, addr, ALL_ONES);
            g_assert_cmphex(qtest_readl(gic->qts, addr), ==, 0);
        }
        gicd_write(gic, GICD_ICFGR(intid / 16), ALL_ONES);
        g_assert_cmphex(gicd_read(gic, GICD_ICFGR(intid / 16)), ==, 0);
        gicd_write(gic, GICD_NSACR(intid / 16), ALL_ONES);
        g_assert_cmphex(gicd_read(gic, GICD_NSACR(intid / 16)), ==, 0);
        gicd_write(gic, GICD_IPRIORITYR(intid / 4), ALL_ONES);
        gicd_write_byte(gic, GICD_IPRIORITYR, intid + 1, 0xff);
        g_assert_cmphex(gicd_read(gic, GICD_IPRIORITYR(intid / 4)), ==, 0);
        g_assert_cmphex(gicd_read_byte(gic, GICD_IPRIORITYR, intid + 1), ==, 0);
        gicd_write64(gic, GICD_IROUTER(intid), gicv3_affinity(1));
        g_assert_cmphex(gicd_read64(gic, GICD_IROUTER(intid)), ==, 0);
    }
    gicv3_expect_dump(gic, before);
    gic_quit(gic);
}

/* Of one Security state, registers for the other one: RAZ/WI with DS */
static void test_one_security_state(void)
{
    GICMachine *gic = gic_start(V3, 2, "");

    for (unsigned n = 1; n <= NUM_SPIS / 32; n++) {
        gicd_write(gic, GICD_IGROUPR(n), ALL_ONES >> n);
        g_assert_cmphex(gicd_read(gic, GICD_IGROUPR(n)), ==, ALL_ONES >> n);
        gicd_write(gic, GICD_IGRPMODR(n), ALL_ONES);
        g_assert_cmphex(gicd_read(gic, GICD_IGRPMODR(n)), ==, 0);
        gicd_write(gic, GICD_NSACR(2 * n), ALL_ONES);
        g_assert_cmphex(gicd_read(gic, GICD_NSACR(2 * n)), ==, 0);
    }
    gicr_write(gic, 1, GICR_IGROUPR0, 0x12345678);
    g_assert_cmphex(gicr_read(gic, 1, GICR_IGROUPR0), ==, 0x12345678);
    g_assert_cmphex(gicr_read(gic, 0, GICR_IGROUPR0), ==, 0);
    gicr_write(gic, 1, GICR_IGRPMODR0, ALL_ONES);
    g_assert_cmphex(gicr_read(gic, 1, GICR_IGRPMODR0), ==, 0);
    gicr_write(gic, 1, GICR_NSACR, ALL_ONES);
    g_assert_cmphex(gicr_read(gic, 1, GICR_NSACR), ==, 0);
    gic_quit(gic);
}

static bool is_pending(GICMachine *gic, unsigned intid)
{
    bool pending = gicv3_test(gic, 1, ISPENDR, intid);

    g_assert_cmpint(gicv3_test(gic, 1, ICPENDR, intid), ==, pending);
    return pending;
}

/* 4.5: a level is pending as long as it is high, or what was set lasts */
static void check_level(GICMachine *gic, unsigned intid)
{
    gicv3_set_edge(gic, 1, intid, false);
    g_assert_false(is_pending(gic, intid));
    gic_line(gic, 1, intid, true);
    g_assert_true(is_pending(gic, intid));
    gicv3_set(gic, 1, ICPENDR, intid);
    g_assert_true(is_pending(gic, intid));
    gic_line(gic, 1, intid, false);
    g_assert_false(is_pending(gic, intid));

    gicv3_set(gic, 1, ISPENDR, intid);
    g_assert_true(is_pending(gic, intid));
    gic_line(gic, 1, intid, true);
    gic_line(gic, 1, intid, false);
    g_assert_true(is_pending(gic, intid));
    gicv3_set(gic, 1, ICPENDR, intid);
    g_assert_false(is_pending(gic, intid));
}

/* ... and an edge from when it comes until something clears it */
static void check_edge(GICMachine *gic, unsigned intid)
{
    gicv3_set_edge(gic, 1, intid, true);
    g_assert_false(is_pending(gic, intid));
    gic_line(gic, 1, intid, true);
    g_assert_true(is_pending(gic, intid));
    gicv3_set(gic, 1, ICPENDR, intid);
    g_assert_false(is_pending(gic, intid));
    gic_line(gic, 1, intid, true);
    g_assert_false(is_pending(gic, intid));
    gic_line(gic, 1, intid, false);
    g_assert_false(is_pending(gic, intid));

    gic_line(gic, 1, intid, true);
    gic_line(gic, 1, intid, false);
    g_assert_true(is_pending(gic, intid));
    gicv3_set(gic, 1, ICPENDR, intid);
    g_assert_false(is_pending(gic, intid));
    gicv3_set(gic, 1, ISPENDR, intid);
    g_assert_true(is_pending(gic, intid));
    gicv3_set(gic, 1, ICPENDR, intid);
    g_assert_false(is_pending(gic, intid));
}

static const unsigned lines[] = {
    FREE_PPI, OTHER_FREE_PPI, FIRST_SPI, FREE_SPI(0), FREE_SPI(15), LAST_SPI,
};

static void test_level_edge(void)
{
    GICMachine *gic = gic_start(V3, 2, "");
    g_autofree char *before = gicv3_dump(gic);

    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        check_level(gic, lines[i]);
        check_edge(gic, lines[i]);
        check_level(gic, lines[i]);
    }
    gicv3_expect_dump(gic, before);
    gic_quit(gic);
}

/* Every line is one interrupt's, and a PPI's is one CPU's */
static void test_lines(void)
{
    GICMachine *gic = gic_start(V3, 2, "");

    for (unsigned intid = FIRST_PPI; intid <= LAST_SPI; intid++) {
        if (intid > OTHER_FREE_PPI && intid < FIRST_SPI) {
            continue;
        }
        gic_line(gic, 1, intid, true);
        for (unsigned n = 1; n <= NUM_SPIS / 32; n++) {
            g_assert_cmphex(gicd_read(gic, GICD_ISPENDR(n)), ==,
                            n == intid / 32 ? 1u << intid % 32 : 0);
        }
        g_assert_cmphex(gicr_read(gic, 0, GICR_ISPENDR0), ==, 0);
        g_assert_cmphex(gicr_read(gic, 1, GICR_ISPENDR0), ==,
                        intid < FIRST_SPI ? 1u << intid : 0);
        gic_line(gic, 1, intid, false);
    }
    gic_quit(gic);
}

/* SGIs are edge-triggered: GICR_ICFGR0. The even bits are reserved. */
static void test_configuration(void)
{
    const uint32_t edges = 0xaaaaaaaa;
    GICMachine *gic = gic_start(V3, 2, "");

    gicr_write(gic, 1, GICR_ICFGR0, 0);
    g_assert_cmphex(gicr_read(gic, 1, GICR_ICFGR0) & edges, ==, edges);
    gicr_write(gic, 1, GICR_ICFGR1, 0x20202020);
    g_assert_cmphex(gicr_read(gic, 1, GICR_ICFGR1) & edges, ==, 0x20202020);
    g_assert_cmphex(gicr_read(gic, 0, GICR_ICFGR1) & edges, ==, 0);
    for (unsigned n = 2; n < (FIRST_SPI + NUM_SPIS) / 16; n++) {
        g_autofree char *before = gicv3_dump(gic);

        gicd_write(gic, GICD_ICFGR(n), edges);
        g_assert_cmphex(gicd_read(gic, GICD_ICFGR(n)) & edges, ==, edges);
        gicd_write(gic, GICD_ICFGR(n), 0x82208002);
        g_assert_cmphex(gicd_read(gic, GICD_ICFGR(n)) & edges, ==, 0x82208002);
        gicd_write(gic, GICD_ICFGR(n), 0);
        gicv3_expect_dump(gic, before);
    }
    gic_quit(gic);
}

/*
 * 4.8: 16 priorities at least with one Security state, in the upper bits;
 * bytes can be accessed alone
 */
static void check_priorities(GICMachine *gic, uint64_t addr)
{
    uint8_t implemented;

    qtest_writel(gic->qts, addr, ALL_ONES);
    implemented = qtest_readb(gic->qts, addr);
    g_assert_cmphex(implemented & 0xf0, ==, 0xf0);
    g_assert_cmphex(qtest_readl(gic->qts, addr), ==, implemented * 0x01010101u);

    for (unsigned i = 0; i < 4; i++) {
        qtest_writeb(gic->qts, addr + i, (i + 1) << 4);
    }
    g_assert_cmphex(qtest_readl(gic->qts, addr), ==, 0x40302010);
    qtest_writel(gic->qts, addr, 0x90a0b0c0);
    for (unsigned i = 0; i < 4; i++) {
        g_assert_cmphex(qtest_readb(gic->qts, addr + i), ==, (0xc - i) << 4);
    }
    qtest_writeb(gic->qts, addr + 2, 0);
    g_assert_cmphex(qtest_readl(gic->qts, addr), ==, 0x9000b0c0);
    qtest_writel(gic->qts, addr, 0);
}

static void test_priorities(void)
{
    GICMachine *gic = gic_start(V3, 2, "");
    g_autofree char *before = gicv3_dump(gic);

    for (unsigned intid = FIRST_SPI; intid <= LAST_SPI; intid += 4) {
        check_priorities(gic, GICD_BASE + A_GICD_IPRIORITYR(intid / 4));
    }
    for (unsigned intid = 0; intid < FIRST_SPI; intid += 4) {
        check_priorities(gic, gicv3_rd_base(gic, 1) +
                         A_GICR_IPRIORITYR(intid / 4));
    }
    gicv3_expect_dump(gic, before);
    gic_quit(gic);
}

/* GICD_IROUTERn: all fields of an affinity, in halves, too, and with IRM */
static void test_routers(void)
{
    GICMachine *gic = gic_start(V3, 2, "");
    bool a3v = FIELD_EX32(gicd_read(gic, GICD_TYPER), GICD_TYPER, A3V);
    uint64_t mask = a3v ? R_GICD_IROUTER_AFFINITY : 0xffffff;
    g_autofree char *before = gicv3_dump(gic);

    for (unsigned intid = FIRST_SPI; intid <= LAST_SPI; intid++) {
        uint64_t value = 0x1200345600ULL + intid % 256;
        uint64_t addr = GICD_BASE + A_GICD_IROUTER(intid);

        gicd_write64(gic, GICD_IROUTER(intid), value);
        g_assert_cmphex(gicd_read64(gic, GICD_IROUTER(intid)), ==,
                        value & mask);
        qtest_writel(gic->qts, addr, 0x00abcdef);
        g_assert_cmphex(qtest_readl(gic->qts, addr), ==, 0xabcdef);
        g_assert_cmphex(qtest_readl(gic->qts, addr + 4), ==,
                        (value & mask) >> 32);
        qtest_writel(gic->qts, addr + 4, 0x89);
        g_assert_cmphex(gicd_read64(gic, GICD_IROUTER(intid)), ==,
                        0x8900abcdefULL & mask);
        qtest_writel(gic->qts, addr, R_GICD_IROUTER_IRM_MASK | 0x00abcdef);
        g_assert_cmphex(gicd_read64(gic, GICD_IROUTER(intid)) & mask, ==,
                        0x8900abcdefULL & mask);
        gicd_write64(gic, GICD_IROUTER(intid), 0);
    }
    gicv3_expect_dump(gic, before);
    gic_quit(gic);
}

/* GICR_WAKER.ChildrenAsleep follows ProcessorSleep */
static void test_waker(void)
{
    const uint32_t asleep = R_GICR_WAKER_ProcessorSleep_MASK |
                            R_GICR_WAKER_ChildrenAsleep_MASK;
    GICMachine *gic = gic_start(V3, 2, "");

    gicr_write(gic, 1, GICR_WAKER, 0);
    g_assert_cmphex(gicr_read(gic, 1, GICR_WAKER) & asleep, ==, 0);
    g_assert_cmphex(gicr_read(gic, 0, GICR_WAKER) & asleep, ==, asleep);
    gicr_write(gic, 1, GICR_WAKER, R_GICR_WAKER_ChildrenAsleep_MASK);
    g_assert_cmphex(gicr_read(gic, 1, GICR_WAKER) & asleep, ==, 0);
    gicr_write(gic, 1, GICR_WAKER, R_GICR_WAKER_ProcessorSleep_MASK);
    g_assert_cmphex(gicr_read(gic, 1, GICR_WAKER) & asleep, ==, asleep);
    gic_quit(gic);
}

/* Registers of GICv2 that affinity routing replaces are RAZ/WI */
static void test_legacy(void)
{
    GICMachine *gic = gic_start(V3, 2, "");
    g_autofree char *before = NULL;

    disturb(gic);
    before = gicv3_dump(gic);
    for (unsigned intid = 0; intid < END_OF_SPIS; intid++) {
        gicd_write_byte(gic, GICD_ITARGETSR, intid, 0xff);
        g_assert_cmphex(gicd_read_byte(gic, GICD_ITARGETSR, intid), ==, 0);
        gicd_write(gic, GICD_ITARGETSR(intid / 4), ALL_ONES);
        g_assert_cmphex(gicd_read(gic, GICD_ITARGETSR(intid / 4)), ==, 0);
    }
    for (unsigned n = 0; n < NUM_SGIS / 4; n++) {
        gicd_write(gic, GICD_SPENDSGIR(n), ALL_ONES);
        g_assert_cmphex(gicd_read(gic, GICD_SPENDSGIR(n)), ==, 0);
        gicd_write_byte(gic, GICD_SPENDSGIR, 4 * n, 0xff);
        gicd_write(gic, GICD_CPENDSGIR(n), ALL_ONES);
        g_assert_cmphex(gicd_read(gic, GICD_CPENDSGIR(n)), ==, 0);
        gicd_write_byte(gic, GICD_CPENDSGIR, 4 * n, 0xff);
    }
    for (unsigned sgi = 0; sgi < NUM_SGIS; sgi++) {
        gicd_send_sgi(gic, SGI_TO_LIST, 0xff, sgi);
    }
    gicv3_expect_dump(gic, before);
    gic_quit(gic);
}

/* GICD_TYPER.MBIS says whether a write can make an SPI pending */
static void test_message_spis(void)
{
    GICMachine *gic = gic_start(V3, 2, "");
    bool mbis = FIELD_EX32(gicd_read(gic, GICD_TYPER), GICD_TYPER, MBIS);

    gicv3_set_edge(gic, 0, FREE_SPI(0), true);
    gicd_write(gic, GICD_SETSPI_NSR, FREE_SPI(0));
    g_assert_cmpint(gicd_test(gic, GICD_ISPENDR, FREE_SPI(0)), ==, mbis);
    gicd_set(gic, GICD_ISPENDR, FREE_SPI(0));
    gicd_write(gic, GICD_CLRSPI_NSR, FREE_SPI(0));
    g_assert_cmpint(gicd_test(gic, GICD_ISPENDR, FREE_SPI(0)), ==, !mbis);

    /* secure registers: RAZ/WI for others, and reserved with DS */
    gicd_set(gic, GICD_ICPENDR, FREE_SPI(0));
    gicd_write(gic, GICD_SETSPI_SR, FREE_SPI(0));
    g_assert_false(gicd_test(gic, GICD_ISPENDR, FREE_SPI(0)));
    gic_quit(gic);
}

/* A write, and a read, of each size at all multiples of it in a frame */
static void sweep_frame(GICMachine *gic, uint64_t base, uint64_t length)
{
    for (uint64_t addr = base; addr < base + length; addr += 8) {
        for (unsigned i = 0; i < 8; i++) {
            qtest_writeb(gic->qts, addr + i, 0);
            qtest_readb(gic->qts, addr + i);
        }
        for (unsigned i = 0; i < 8; i += 2) {
            qtest_writew(gic->qts, addr + i, 0);
            qtest_readw(gic->qts, addr + i);
        }
        for (unsigned i = 0; i < 8; i += 4) {
            qtest_readl(gic->qts, addr + i);
        }
        qtest_readq(gic->qts, addr);
    }
}

/* 12.1.3: accesses that are not supported are ignored, or what they seem */
static void test_access_sizes(void)
{
    GICMachine *gic = gic_start(V3, 2, "");
    uint64_t word = GICD_BASE + A_GICD_ISENABLER(1);

    gicd_write(gic, GICD_ISENABLER(1), 0x12345678);
    qtest_writeb(gic->qts, word, 0xff);
    if (gicd_read(gic, GICD_ISENABLER(1)) != 0x12345678) {
        g_assert_cmphex(gicd_read(gic, GICD_ISENABLER(1)), ==, 0x123456ff);
    }
    gicd_write(gic, GICD_ICENABLER(1), ALL_ONES);

    /* a 0 has no effect there, at whichever of the bits */
    for (unsigned n = 1; n <= NUM_SPIS / 32; n++) {
        gicd_write(gic, GICD_ISENABLER(n), 0x12345678);
    }
    sweep_frame(gic, GICD_BASE, 0x1000);
    sweep_frame(gic, GICD_BASE + A_GICD_IROUTER(0), 64);
    sweep_frame(gic, GICD_BASE + 0xff00, 0x100);
    for (unsigned i = 0; i < 2; i++) {
        sweep_frame(gic, gicv3_rd_base(gic, 1) + i * GIC_FRAME_SIZE, 0x1000);
        sweep_frame(gic, gicv3_rd_base(gic, 1) + i * GIC_FRAME_SIZE + 0xff00,
                    0x100);
    }
    for (unsigned n = 1; n <= NUM_SPIS / 32; n++) {
        g_assert_cmphex(gicd_read(gic, GICD_ISENABLER(n)), ==, 0x12345678);
    }
    gic_quit(gic);
}

/* Offsets in a frame */
typedef struct Range {
    unsigned first;
    unsigned end;
} Range;

static bool is_in(const Range *ranges, size_t count, unsigned offset)
{
    for (size_t i = 0; i < count; i++) {
        if (offset >= ranges[i].first && offset < ranges[i].end) {
            return true;
        }
    }
    return false;
}

/* Words that are not @used are reserved, which is RAZ/WI */
static void check_reserved(GICMachine *gic, uint64_t base,
                           const Range *used, size_t count)
{
    for (unsigned offset = 0; offset < GIC_FRAME_SIZE; offset += 4) {
        if (!is_in(used, count, offset)) {
            qtest_writel(gic->qts, base + offset, ALL_ONES);
            g_assert_cmphex(qtest_readl(gic->qts, base + offset), ==, 0);
        }
    }
}

static void test_reserved(void)
{
    static const Range gicd[] = {
        { A_GICD_CTLR, A_GICD_STATUSR + 4 },
        { GIC_IMPDEF, GIC_IMPDEF_END },
        { A_GICD_SETSPI_NSR, A_GICD_CLRSPI_SR + 4 },
        { A_GICD_IGROUPR(0), A_GICD_INMIR(32) },
        { A_GICD_IROUTER(0), A_GICD_IROUTER(1024) },
        { GIC_FRAME_IMPDEF, GIC_FRAME_SIZE },
    };
    static const Range rd_base[] = {
        { A_GICR_CTLR, A_GICR_WAKER + 4 },
        { GIC_IMPDEF, GIC_IMPDEF_END },
        { A_GICR_SETLPIR, A_GICR_CLRLPIR + 8 },
        { A_GICR_PROPBASER, A_GICR_PENDBASER + 8 },
        { A_GICR_INVLPIR, A_GICR_SYNCR + 4 },
        { GIC_FRAME_IMPDEF, GIC_FRAME_SIZE },
    };
    static const Range sgi_base[] = {
        { A_GICR_IGROUPR0 - GICR_SGI_BASE,
          A_GICR_INMIR0 - GICR_SGI_BASE + 4 },
        { GIC_FRAME_IMPDEF, GIC_FRAME_SIZE },
    };
    GICMachine *gic = gic_start(V3, 2, "");
    g_autofree char *before = NULL;

    disturb(gic);
    before = gicv3_dump(gic);
    check_reserved(gic, GICD_BASE, gicd, ARRAY_SIZE(gicd));
    check_reserved(gic, gicv3_rd_base(gic, 1), rd_base, ARRAY_SIZE(rd_base));
    check_reserved(gic, gicv3_rd_base(gic, 1) + GICR_SGI_BASE, sgi_base,
                   ARRAY_SIZE(sgi_base));
    gicv3_expect_dump(gic, before);
    gic_quit(gic);
}

/* Everything there is, by migration */
static void test_migration_registers(void)
{
    GICMachine *gic = gic_start(V3, CPUS, "");
    g_autofree char *before = NULL;

    disturb(gic);
    gic_line(gic, 1, FREE_PPI, true);
    gic_line(gic, 0, FREE_SPI(0), true);
    gic_line(gic, 0, FREE_SPI(1), true);
    before = gicv3_dump(gic);

    gic = gic_migrate(gic);
    gicv3_expect_dump(gic, before);
    gic_quit(gic);
}

/* The lines' levels and latches, as they tell what comes next */
static void test_migration_lines(void)
{
    GICMachine *gic = gic_start(V3, 2, "");

    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        gicv3_set_edge(gic, 1, lines[i], i % 2);
        gic_line(gic, 1, lines[i], true);
        gicv3_set(gic, 1, ICPENDR, lines[i]);
    }
    gic = gic_migrate(gic);
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        bool edge = i % 2;

        g_assert_cmpint(is_pending(gic, lines[i]), ==, !edge);
        /* no edge of a line that is high already */
        gic_line(gic, 1, lines[i], true);
        g_assert_cmpint(is_pending(gic, lines[i]), ==, !edge);
        gic_line(gic, 1, lines[i], false);
        g_assert_false(is_pending(gic, lines[i]));
        gic_line(gic, 1, lines[i], true);
        g_assert_true(is_pending(gic, lines[i]));
    }
    gic_quit(gic);
}

/* From here on, vCPUs run and say what they are signalled */

/*
 * All in group 1, SGIs and PPIs enabled, and CPU interfaces that let all of
 * them pass
 */
static GICMachine *start_signalling(const char *options, unsigned cpus)
{
    GICMachine *gic = gicv3_start(options, cpus, "");

    gicd_write(gic, GICD_CTLR, R_GICD_CTLR_EnableGrp0_MASK |
               R_GICD_CTLR_EnableGrp1_MASK);
    for (unsigned n = 1; n <= NUM_SPIS / 32; n++) {
        gicd_write(gic, GICD_IGROUPR(n), ALL_ONES);
    }
    for (unsigned intid = 0; intid <= LAST_SPI; intid++) {
        for (unsigned cpu = 0; cpu < (intid < FIRST_SPI ? cpus : 1); cpu++) {
            gicv3_set_priority(gic, cpu, intid, PRIORITY_LOW);
        }
    }
    for (unsigned cpu = 0; cpu < cpus; cpu++) {
        gicr_write(gic, cpu, GICR_WAKER, 0);
        gicr_write(gic, cpu, GICR_IGROUPR0, ALL_ONES);
        gicr_write(gic, cpu, GICR_ISENABLER0, ALL_ONES);
        gicv3_icc_write(gic, cpu, ICC_PMR_EL1, PMR_ALL);
        gicv3_icc_write(gic, cpu, ICC_IGRPEN0_EL1, 1);
        gicv3_icc_write(gic, cpu, ICC_IGRPEN1_EL1, 1);
    }
    return gic;
}

/* An edge-triggered SPI, enabled and routed to a CPU */
static void set_up_spi(GICMachine *gic, unsigned cpu, unsigned intid)
{
    gicv3_set_edge(gic, cpu, intid, true);
    gicd_write64(gic, GICD_IROUTER(intid), gicv3_affinity(cpu));
    gicd_set(gic, GICD_ISENABLER, intid);
}

/* No CPU but @cpu is signalled anything, and none at all if it is -1 */
static void expect_signalled(GICMachine *gic, int cpu)
{
    for (unsigned i = 0; i < gic->cpus; i++) {
        g_assert_cmpint(gic_output(gic, i, GIC_IRQ), ==, (int)i == cpu);
        g_assert_false(gic_output(gic, i, GIC_FIQ));
    }
}

#define expect_none(gic)    expect_signalled(gic, -1)

/* HPPIR1, too */
static void expect_highest(GICMachine *gic, unsigned cpu, unsigned intid)
{
    g_assert_cmpint(gic_output(gic, cpu, GIC_IRQ), ==,
                    intid != INTID_SPURIOUS);
    g_assert_cmpuint(gicv3_icc_read(gic, cpu, ICC_HPPIR1_EL1), ==, intid);
}

static void acknowledge(GICMachine *gic, unsigned cpu, unsigned intid)
{
    expect_highest(gic, cpu, intid);
    g_assert_false(gicv3_test(gic, cpu, ISACTIVER, intid));
    g_assert_cmpuint(gicv3_icc_read(gic, cpu, ICC_IAR1_EL1), ==, intid);
    g_assert_true(gicv3_test(gic, cpu, ISACTIVER, intid));
    g_assert_false(gic_output(gic, cpu, GIC_IRQ));
}

static void end(GICMachine *gic, unsigned cpu, unsigned intid)
{
    gicv3_icc_write(gic, cpu, ICC_EOIR1_EL1, intid);
    g_assert_false(gicv3_test(gic, cpu, ISACTIVER, intid));
}

/* The only interrupt, acknowledged and ended */
static void expect_only(GICMachine *gic, unsigned cpu, unsigned intid)
{
    acknowledge(gic, cpu, intid);
    g_assert_false(gicv3_test(gic, cpu, ISPENDR, intid));
    end(gic, cpu, intid);
    expect_highest(gic, cpu, INTID_SPURIOUS);
}

/* Affinity routing: 3.2.3 */
static void test_routing(void)
{
    GICMachine *gic = start_signalling(V3, CPUS);

    for (unsigned n = 0; n < 2 * CPUS; n++) {
        unsigned cpu = (CPUS - 1 + n) % CPUS;
        unsigned intid = n % 2 ? FREE_SPI(n) : FIRST_SPI + n;

        set_up_spi(gic, cpu, intid);
        expect_none(gic);
        gic_spi_pulse(gic, intid);
        expect_signalled(gic, cpu);
        expect_only(gic, cpu, intid);
    }
    gic_quit(gic);
}

/* An interrupt that is pending goes where the router says next */
static void test_rerouting(void)
{
    GICMachine *gic = start_signalling(V3, CPUS);

    set_up_spi(gic, 1, LAST_SPI);
    gic_spi_pulse(gic, LAST_SPI);
    for (unsigned n = 0; n < 2 * CPUS; n++) {
        unsigned cpu = 3 * n % CPUS;

        gicd_write64(gic, GICD_IROUTER(LAST_SPI), gicv3_affinity(cpu));
        expect_signalled(gic, cpu);
        expect_highest(gic, (cpu + 1) % CPUS, INTID_SPURIOUS);
    }
    gicd_write64(gic, GICD_IROUTER(LAST_SPI), gicv3_affinity(2));
    expect_only(gic, 2, LAST_SPI);
    gic_quit(gic);
}

/* ... and stays pending if that is no CPU, whichever field it differs in */
static void test_unknown_affinity(void)
{
    static const uint64_t affinities[] = {
        CPUS, 1 << 8 | 1, 1 << 16 | 1, 1ULL << 32 | 1, R_GICD_IROUTER_AFFINITY,
    };
    GICMachine *gic = start_signalling(V3, CPUS);

    for (size_t i = 0; i < ARRAY_SIZE(affinities); i++) {
        set_up_spi(gic, 0, LAST_SPI);
        gicd_write64(gic, GICD_IROUTER(LAST_SPI), affinities[i]);
        gic_spi_pulse(gic, LAST_SPI);
        expect_none(gic);
        g_assert_true(gicd_test(gic, GICD_ISPENDR, LAST_SPI));
        gicd_write64(gic, GICD_IROUTER(LAST_SPI), gicv3_affinity(1));
        expect_signalled(gic, 1);
        expect_only(gic, 1, LAST_SPI);
    }
    gic_quit(gic);
}

/*
 * GICD_IROUTERn.IRM asks for any one of the CPUs. An implementation without
 * that, GICD_TYPER.No1N, obeys the affinity whether or not it keeps the bit.
 */
static void test_any_cpu(void)
{
    GICMachine *gic = start_signalling(V3, CPUS);

    if (!FIELD_EX32(gicd_read(gic, GICD_TYPER), GICD_TYPER, No1N)) {
        g_test_skip("any CPU may be signalled");
        gic_quit(gic);
        return;
    }
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        set_up_spi(gic, cpu, LAST_SPI);
        gicd_write64(gic, GICD_IROUTER(LAST_SPI),
                     R_GICD_IROUTER_IRM_MASK | gicv3_affinity(cpu));
        gic_spi_pulse(gic, LAST_SPI);
        expect_signalled(gic, cpu);
        expect_only(gic, cpu, LAST_SPI);
    }
    gic_quit(gic);
}

/* The same SGI or PPI of two CPUs is two interrupts */
static void test_private(void)
{
    GICMachine *gic = start_signalling(V3, CPUS);

    gic_ppi(gic, 2, FREE_PPI, true);
    expect_signalled(gic, 2);
    gic_ppi(gic, 1, FREE_PPI, true);
    acknowledge(gic, 2, FREE_PPI);
    expect_signalled(gic, 1);
    gic_ppi(gic, 2, FREE_PPI, false);
    end(gic, 2, FREE_PPI);
    expect_highest(gic, 2, INTID_SPURIOUS);
    gic_ppi(gic, 1, FREE_PPI, false);
    expect_none(gic);

    gicv3_icc_write(gic, 3, ICC_SGI1R_EL1, SGI1R(5, 1 << 0 | 1 << 2));
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        g_assert_cmpint(gic_output(gic, cpu, GIC_IRQ), ==, cpu % 2 == 0);
        g_assert_cmphex(gicr_read(gic, cpu, GICR_ISPENDR0), ==,
                        cpu % 2 ? 0 : 1 << 5);
    }
    expect_only(gic, 0, 5);
    expect_signalled(gic, 2);
    expect_only(gic, 2, 5);
    gic_quit(gic);
}

/* What each of an interrupt's states does to it, SPI and PPI: 4.1.2 */
static void check_states(GICMachine *gic, unsigned intid)
{
    set_up_spi(gic, 1, FREE_SPI(7));
    if (intid >= FIRST_SPI) {
        set_up_spi(gic, 1, intid);
    }
    gicv3_set_edge(gic, 1, intid, true);

    gicv3_set(gic, 1, ISPENDR, intid);
    expect_highest(gic, 1, intid);
    gicv3_set(gic, 1, ICPENDR, intid);
    expect_highest(gic, 1, INTID_SPURIOUS);

    /* disabled, with what comes then */
    gicv3_set(gic, 1, ICENABLER, intid);
    gic_line(gic, 1, intid, true);
    expect_highest(gic, 1, INTID_SPURIOUS);
    g_assert_true(is_pending(gic, intid));
    gicv3_set(gic, 1, ISENABLER, intid);
    expect_highest(gic, 1, intid);
    gicv3_set(gic, 1, ICENABLER, intid);
    expect_highest(gic, 1, INTID_SPURIOUS);
    gicv3_set(gic, 1, ISENABLER, intid);

    /* active and pending */
    acknowledge(gic, 1, intid);
    g_assert_false(is_pending(gic, intid));
    gic_line(gic, 1, intid, false);
    gic_line(gic, 1, intid, true);
    gic_line(gic, 1, intid, false);
    g_assert_true(is_pending(gic, intid));
    g_assert_false(gic_output(gic, 1, GIC_IRQ));
    end(gic, 1, intid);
    expect_only(gic, 1, intid);

    /* active by a write, and what comes then */
    gicv3_set(gic, 1, ISACTIVER, intid);
    gicv3_set(gic, 1, ISPENDR, intid);
    expect_highest(gic, 1, INTID_SPURIOUS);
    gicv3_set(gic, 1, ICACTIVER, intid);
    expect_only(gic, 1, intid);
}

static void test_states(void)
{
    GICMachine *gic = start_signalling(V3, 2);

    check_states(gic, FREE_PPI);
    check_states(gic, FREE_SPI(1));
    check_states(gic, LAST_SPI);
    gic_quit(gic);
}

/* A level that is still high is signalled again; one that fell is not: 4.5 */
static void check_level_again(GICMachine *gic, unsigned intid)
{
    if (intid >= FIRST_SPI) {
        set_up_spi(gic, 1, intid);
    }
    gicv3_set_edge(gic, 1, intid, false);
    gic_line(gic, 1, intid, true);
    for (int i = 0; i < 3; i++) {
        acknowledge(gic, 1, intid);
        g_assert_true(is_pending(gic, intid));
        end(gic, 1, intid);
    }
    acknowledge(gic, 1, intid);
    gic_line(gic, 1, intid, false);
    g_assert_false(is_pending(gic, intid));
    end(gic, 1, intid);
    expect_highest(gic, 1, INTID_SPURIOUS);

    gic_line(gic, 1, intid, true);
    expect_highest(gic, 1, intid);
    gic_line(gic, 1, intid, false);
    expect_highest(gic, 1, INTID_SPURIOUS);
    g_assert_cmpuint(gicv3_icc_read(gic, 1, ICC_IAR1_EL1), ==, INTID_SPURIOUS);
}

static void test_level_again(void)
{
    GICMachine *gic = start_signalling(V3, 2);

    check_level_again(gic, FREE_PPI);
    check_level_again(gic, FREE_SPI(1));
    gic_quit(gic);
}

/* The highest priority comes first, of SPIs, PPIs and SGIs: 4.8 */
static void test_order(void)
{
    static const unsigned order[] = { FREE_SPI(3), 3, FREE_PPI, FREE_SPI(2) };
    GICMachine *gic = start_signalling(V3, 2);

    for (size_t i = ARRAY_SIZE(order); i-- > 0;) {
        if (order[i] >= FIRST_SPI) {
            set_up_spi(gic, 1, order[i]);
        }
        gicv3_set_edge(gic, 1, order[i], true);
        gicv3_set_priority(gic, 1, order[i], PRIORITY_HIGH + 16 * i);
        gicv3_set(gic, 1, ISPENDR, order[i]);
        expect_highest(gic, 1, order[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
        acknowledge(gic, 1, order[i]);
        end(gic, 1, order[i]);
    }
    expect_highest(gic, 1, INTID_SPURIOUS);

    /* priorities of what is pending change */
    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
        gicv3_set_priority(gic, 1, order[i], PRIORITY_LOW);
        gicv3_set(gic, 1, ISPENDR, order[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
        gicv3_set_priority(gic, 1, order[i], PRIORITY_HIGH);
        expect_highest(gic, 1, order[i]);
        gicv3_set_priority(gic, 1, order[i], PMR_ALL);
    }
    /* and those that PMR masks stay pending */
    expect_none(gic);
    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
        g_assert_true(is_pending(gic, order[i]));
    }
    gic_quit(gic);
}

/* Groups, their enables, and IRQ against FIQ: 4.6 */
static void check_groups(GICMachine *gic, unsigned intid)
{
    const uint32_t group0 = R_GICD_CTLR_EnableGrp0_MASK;
    const uint32_t group1 = R_GICD_CTLR_EnableGrp1_MASK;

    if (intid >= FIRST_SPI) {
        set_up_spi(gic, 1, intid);
    }
    gicv3_set(gic, 1, ISPENDR, intid);
    expect_highest(gic, 1, intid);
    gicd_write(gic, GICD_CTLR, group0);
    expect_highest(gic, 1, INTID_SPURIOUS);
    g_assert_true(is_pending(gic, intid));
    gicd_write(gic, GICD_CTLR, group1);
    expect_highest(gic, 1, intid);

    gicv3_set_group(gic, 1, intid, 0);
    expect_none(gic);
    gicd_write(gic, GICD_CTLR, group0);
    g_assert_false(gic_output(gic, 1, GIC_IRQ));
    g_assert_true(gic_output(gic, 1, GIC_FIQ));
    g_assert_cmpuint(gicv3_icc_read(gic, 1, ICC_HPPIR0_EL1), ==, intid);
    g_assert_cmpuint(gicv3_icc_read(gic, 1, ICC_IAR1_EL1), ==, INTID_SPURIOUS);
    g_assert_cmpuint(gicv3_icc_read(gic, 1, ICC_IAR0_EL1), ==, intid);
    g_assert_false(gic_output(gic, 1, GIC_FIQ));
    gicv3_icc_write(gic, 1, ICC_EOIR0_EL1, intid);
    g_assert_false(gicv3_test(gic, 1, ISACTIVER, intid));

    gicv3_set_group(gic, 1, intid, 1);
    gicd_write(gic, GICD_CTLR, group0 | group1);
}

static void test_groups(void)
{
    GICMachine *gic = start_signalling(V3, 2);

    check_groups(gic, 7);
    check_groups(gic, FREE_PPI);
    check_groups(gic, FREE_SPI(4));
    gic_quit(gic);
}

/* 4.9: an NMI has a priority above all others, and an input of its own */
static void test_nmi(void)
{
    GICMachine *gic = start_signalling(V3, 2);

    if (!FIELD_EX32(gicd_read(gic, GICD_TYPER), GICD_TYPER, NMI)) {
        g_test_skip("no FEAT_GICv3_NMI");
        gic_quit(gic);
        return;
    }
    set_up_spi(gic, 1, FREE_SPI(0));
    gicd_write(gic, GICD_INMIR(FREE_SPI(0) / 32), 1u << FREE_SPI(0) % 32);
    gicr_write(gic, 0, GICR_INMIR0, 1u << FREE_PPI);
    g_assert_true(gicd_test(gic, GICD_INMIR, FREE_SPI(0)));
    g_assert_cmphex(gicr_read(gic, 0, GICR_INMIR0), ==, 1u << FREE_PPI);
    g_assert_cmphex(gicr_read(gic, 1, GICR_INMIR0), ==, 0);

    gicv3_set_priority(gic, 1, FREE_PPI, PRIORITY_HIGH);
    gic_ppi(gic, 1, FREE_PPI, true);
    expect_signalled(gic, 1);
    gicd_set(gic, GICD_ISPENDR, FREE_SPI(0));
    g_assert_true(gic_output(gic, 1, GICV3_NMI));
    g_assert_false(gic_output(gic, 1, GIC_IRQ));
    gicd_write(gic, GICD_INMIR(FREE_SPI(0) / 32), 0);
    expect_highest(gic, 1, FREE_PPI);
    g_assert_false(gic_output(gic, 1, GICV3_NMI));

    gic_ppi(gic, 0, FREE_PPI, true);
    g_assert_true(gic_output(gic, 0, GICV3_NMI));
    gic_quit(gic);
}

/* GICD_INMIRn and GICR_INMIR0: reset to 0 */
static void test_nmi_reset(void)
{
    GICMachine *gic = start_signalling(V3, 2);

    if (!FIELD_EX32(gicd_read(gic, GICD_TYPER), GICD_TYPER, NMI)) {
        g_test_skip("no FEAT_GICv3_NMI");
        gic_quit(gic);
        return;
    }
    gicd_write(gic, GICD_INMIR(1), ALL_ONES);
    gicr_write(gic, 1, GICR_INMIR0, ALL_ONES);
    g_assert_cmphex(gicd_read(gic, GICD_INMIR(1)), ==, ALL_ONES);
    g_assert_cmphex(gicr_read(gic, 1, GICR_INMIR0), ==, ALL_ONES);
    gic_reset(gic);
    g_assert_cmphex(gicd_read(gic, GICD_INMIR(1)), ==, 0);
    g_assert_cmphex(gicr_read(gic, 1, GICR_INMIR0), ==, 0);
    gic_quit(gic);
}

/* CPUs of the second region, and of another Aff1, are reached as all others */
static void test_many_cpus(void)
{
    GICMachine *gic = gic_start(V3, 130, "");

    for (unsigned cpu = 0; cpu < 130; cpu++) {
        gicr_write(gic, cpu, GICR_ISENABLER0, 1 + cpu);
        gic_ppi(gic, cpu, cpu % 2 ? FREE_PPI : OTHER_FREE_PPI, true);
    }
    for (unsigned cpu = 0; cpu < 130; cpu++) {
        g_assert_cmphex(gicr_read(gic, cpu, GICR_ISENABLER0), ==, 1 + cpu);
        g_assert_cmphex(gicr_read(gic, cpu, GICR_ISPENDR0), ==,
                        1u << (cpu % 2 ? FREE_PPI : OTHER_FREE_PPI));
    }
    gic_quit(gic);
}

/* The same interrupts come to the same CPUs behind a migration */
static void test_migration_signalling(void)
{
    GICMachine *gic = start_signalling(V3, CPUS);
    g_autofree char *before = NULL;

    /* pending, for each CPU; active; active and pending; no CPU's */
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        set_up_spi(gic, cpu, FREE_SPI(cpu));
        gic_spi_pulse(gic, FREE_SPI(cpu));
    }
    acknowledge(gic, 2, FREE_SPI(2));
    acknowledge(gic, 3, FREE_SPI(3));
    gic_spi_pulse(gic, FREE_SPI(3));
    gic_ppi(gic, 0, FREE_PPI, true);
    gicv3_set_priority(gic, 0, FREE_PPI, PRIORITY_HIGH);
    set_up_spi(gic, 0, FREE_SPI(8));
    gicd_write64(gic, GICD_IROUTER(FREE_SPI(8)), gicv3_affinity(CPUS));
    gic_spi_pulse(gic, FREE_SPI(8));
    before = gicv3_dump(gic);

    gic = gic_migrate(gic);
    gicv3_resume(gic);
    gicv3_expect_dump(gic, before);

    g_assert_cmpuint(gicv3_icc_read(gic, 2, ICC_HPPIR1_EL1), ==,
                     INTID_SPURIOUS);
    g_assert_cmpuint(gicv3_icc_read(gic, 0, ICC_HPPIR1_EL1), ==, FREE_PPI);
    g_assert_cmpuint(gicv3_icc_read(gic, 1, ICC_IAR1_EL1), ==, FREE_SPI(1));
    end(gic, 1, FREE_SPI(1));
    end(gic, 2, FREE_SPI(2));
    expect_highest(gic, 2, INTID_SPURIOUS);
    end(gic, 3, FREE_SPI(3));
    expect_only(gic, 3, FREE_SPI(3));
    gic_ppi(gic, 0, FREE_PPI, false);
    expect_only(gic, 0, FREE_SPI(0));
    gicd_write64(gic, GICD_IROUTER(FREE_SPI(8)), gicv3_affinity(2));
    expect_only(gic, 2, FREE_SPI(8));
    gic_quit(gic);
}

/* An SPI that waits for CPU 1, and nothing else, is not CPU 0's afterwards */
static void test_migration_routing(void)
{
    GICMachine *gic = start_signalling(V3, 2);

    set_up_spi(gic, 1, FREE_SPI(0));
    gic_spi_pulse(gic, FREE_SPI(0));
    expect_signalled(gic, 1);

    gic = gic_migrate(gic);
    gicv3_resume(gic);
    g_assert_cmpuint(gicv3_icc_read(gic, 0, ICC_HPPIR1_EL1), ==,
                     INTID_SPURIOUS);
    g_assert_cmpuint(gicv3_icc_read(gic, 1, ICC_HPPIR1_EL1), ==, FREE_SPI(0));
    g_assert_cmpuint(gicv3_icc_read(gic, 0, ICC_IAR1_EL1), ==, INTID_SPURIOUS);
    g_assert_cmpuint(gicv3_icc_read(gic, 1, ICC_IAR1_EL1), ==, FREE_SPI(0));
    gic_quit(gic);
}

/*
 * With two Security states: the accesses of tests are Non-secure, those in EL3
 * by vCPU 0 are Secure
 */
#define SECURE          "gic-version=3,secure=on"

#define secure_gicd_read(gic, reg) \
    gicv3_secure_read(gic, GICD_BASE + A_ ## reg)
#define secure_gicd_write(gic, reg, value) \
    gicv3_secure_write(gic, GICD_BASE + A_ ## reg, value)
#define secure_gicr_read(gic, cpu, reg) \
    gicv3_secure_read(gic, gicv3_rd_base(gic, cpu) + A_ ## reg)
#define secure_gicr_write(gic, cpu, reg, value) \
    gicv3_secure_write(gic, gicv3_rd_base(gic, cpu) + A_ ## reg, value)

/* GICD_CTLR has two views */
static void test_secure_ctlr(void)
{
    const uint32_t enables = R_GICD_CTLR_EnableGrp0_MASK |
                             R_GICD_CTLR_EnableGrp1NS_MASK |
                             R_GICD_CTLR_EnableGrp1S_MASK;
    const uint32_t are = R_GICD_CTLR_ARE_S_MASK | R_GICD_CTLR_ARE_NS_MASK;
    GICMachine *gic = gicv3_start(SECURE, 1, "");

    g_assert_true(FIELD_EX32(gicd_read(gic, GICD_TYPER), GICD_TYPER,
                             SecurityExtn));
    g_assert_cmphex(secure_gicd_read(gic, GICD_CTLR), ==, are);
    g_assert_cmphex(gicd_read(gic, GICD_CTLR), ==,
                    R_GICD_CTLR_NS_ARE_NS_MASK);
    gicd_write(gic, GICD_CTLR, ALL_ONES);
    g_assert_cmphex(gicd_read(gic, GICD_CTLR), ==,
                    R_GICD_CTLR_NS_ARE_NS_MASK |
                    R_GICD_CTLR_NS_EnableGrp1A_MASK);
    g_assert_cmphex(secure_gicd_read(gic, GICD_CTLR), ==,
                    are | R_GICD_CTLR_EnableGrp1NS_MASK);
    secure_gicd_write(gic, GICD_CTLR, enables);
    g_assert_cmphex(secure_gicd_read(gic, GICD_CTLR), ==, are | enables);
    g_assert_cmphex(gicd_read(gic, GICD_CTLR), ==,
                    R_GICD_CTLR_NS_ARE_NS_MASK |
                    R_GICD_CTLR_NS_EnableGrp1A_MASK);
    gicd_write(gic, GICD_CTLR, 0);
    g_assert_cmphex(secure_gicd_read(gic, GICD_CTLR), ==,
                    are | R_GICD_CTLR_EnableGrp0_MASK |
                    R_GICD_CTLR_EnableGrp1S_MASK);

    /* DS is set once, and makes it one Security state until a reset */
    secure_gicd_write(gic, GICD_CTLR, R_GICD_CTLR_DS_MASK);
    g_assert_cmphex(gicd_read(gic, GICD_CTLR), ==,
                    R_GICD_CTLR_DS_MASK | R_GICD_CTLR_ARE_MASK);
    g_assert_false(FIELD_EX32(gicd_read(gic, GICD_TYPER), GICD_TYPER,
                              SecurityExtn));
    secure_gicd_write(gic, GICD_CTLR, 0);
    g_assert_true(FIELD_EX32(gicd_read(gic, GICD_CTLR), GICD_CTLR, DS));
    gicd_write(gic, GICD_IGROUPR(1), 0xff);
    g_assert_cmphex(gicd_read(gic, GICD_IGROUPR(1)), ==, 0xff);
    gic_quit(gic);
}

/* Each field of ICC_CTLR_EL3 that can be written is one of its own */
static void test_secure_ctlr_el3(void)
{
    static const uint64_t fields[] = {
        R_ICC_CTLR_EL3_CBPR_EL1S_MASK, R_ICC_CTLR_EL3_CBPR_EL1NS_MASK,
        R_ICC_CTLR_EL3_EOImode_EL3_MASK, R_ICC_CTLR_EL3_EOImode_EL1S_MASK,
        R_ICC_CTLR_EL3_EOImode_EL1NS_MASK,
    };
    GICMachine *gic = gicv3_start(SECURE, 1, "");
    uint64_t all = 0;

    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        all |= fields[i];
    }
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        gicv3_icc_write(gic, 0, ICC_CTLR_EL3, fields[i]);
        g_assert_cmphex(gicv3_icc_read(gic, 0, ICC_CTLR_EL3) & all, ==,
                        fields[i]);
    }
    gic_quit(gic);
}

/* 12.9, 12.11: Secure interrupts' bits are RAZ/WI to Non-secure accesses */
static void check_secure_bits(GICMachine *gic, uint64_t base, unsigned n)
{
    static const unsigned pairs[][2] = {
        { A_GICD_ISENABLER(0), A_GICD_ICENABLER(0) },
        { A_GICD_ISPENDR(0), A_GICD_ICPENDR(0) },
        { A_GICD_ISACTIVER(0), A_GICD_ICACTIVER(0) },
    };
    const uint32_t group1 = 0x0ff0f00f;
    QTestState *qts = gic->qts;

    base += 4 * n;
    gicv3_secure_write(gic, base + A_GICD_IGROUPR(0), group1);
    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        uint64_t set = base + pairs[i][0];
        uint64_t clear = base + pairs[i][1];

        qtest_writel(qts, set, ALL_ONES);
        g_assert_cmphex(qtest_readl(qts, set), ==, group1);
        g_assert_cmphex(gicv3_secure_read(gic, set), ==, group1);
        gicv3_secure_write(gic, set, ALL_ONES);
        g_assert_cmphex(qtest_readl(qts, clear), ==, group1);
        g_assert_cmphex(gicv3_secure_read(gic, set), ==, ALL_ONES);
        qtest_writel(qts, clear, ALL_ONES);
        g_assert_cmphex(qtest_readl(qts, clear), ==, 0);
        g_assert_cmphex(gicv3_secure_read(gic, clear), ==, ~group1);
        gicv3_secure_write(gic, clear, ALL_ONES);
        g_assert_cmphex(gicv3_secure_read(gic, clear), ==, 0);
    }

    qtest_writel(qts, base + A_GICD_IGROUPR(0), 0);
    g_assert_cmphex(qtest_readl(qts, base + A_GICD_IGROUPR(0)), ==, 0);
    g_assert_cmphex(gicv3_secure_read(gic, base + A_GICD_IGROUPR(0)), ==,
                    group1);
    gicv3_secure_write(gic, base + A_GICD_IGRPMODR(0), 0x1234);
    qtest_writel(qts, base + A_GICD_IGRPMODR(0), 0);
    g_assert_cmphex(qtest_readl(qts, base + A_GICD_IGRPMODR(0)), ==, 0);
    g_assert_cmphex(gicv3_secure_read(gic, base + A_GICD_IGRPMODR(0)), ==,
                    0x1234);
}

static void test_secure_bits(void)
{
    GICMachine *gic = gicv3_start(SECURE, 1, "");

    check_secure_bits(gic, GICD_BASE, 1);
    check_secure_bits(gic, GICD_BASE, NUM_SPIS / 32);
    check_secure_bits(gic, gicv3_rd_base(gic, 0) + GICR_SGI_BASE, 0);
    gic_quit(gic);
}

/* ... and so are those of GICD_INMIRn and GICR_INMIR0, which have no pair */
static void test_secure_nmi(void)
{
    const uint32_t group1 = 0x0ff0f00f;
    GICMachine *gic = gicv3_start(SECURE, 1, "");

    secure_gicd_write(gic, GICD_IGROUPR(1), group1);
    secure_gicr_write(gic, 0, GICR_IGROUPR0, group1);
    secure_gicd_write(gic, GICD_INMIR(1), ALL_ONES);
    secure_gicr_write(gic, 0, GICR_INMIR0, ALL_ONES);
    if (!secure_gicd_read(gic, GICD_INMIR(1))) {
        g_test_skip("no FEAT_GICv3_NMI");
        gic_quit(gic);
        return;
    }
    g_assert_cmphex(gicd_read(gic, GICD_INMIR(1)), ==, group1);
    g_assert_cmphex(gicr_read(gic, 0, GICR_INMIR0), ==, group1);
    gicd_write(gic, GICD_INMIR(1), 0);
    gicr_write(gic, 0, GICR_INMIR0, 0);
    g_assert_cmphex(secure_gicd_read(gic, GICD_INMIR(1)), ==, ~group1);
    g_assert_cmphex(secure_gicr_read(gic, 0, GICR_INMIR0), ==, ~group1);
    gic_quit(gic);
}

/* 4.8.1: the Non-secure view is the lower half of the priorities */
static void test_secure_priorities(void)
{
    const unsigned other = FREE_SPI(1);
    const uint64_t addr = GICD_BASE + A_GICD_IPRIORITYR(FREE_SPI(0) / 4);
    GICMachine *gic = gicv3_start(SECURE, 1, "");

    g_assert_cmpuint(FREE_SPI(0) % 4, ==, 0);
    secure_gicd_write(gic, GICD_IGROUPR(FREE_SPI(0) / 32),
                      1u << FREE_SPI(0) % 32);
    gicd_write_byte(gic, GICD_IPRIORITYR, FREE_SPI(0), 0x40);
    gicd_write_byte(gic, GICD_IPRIORITYR, other, 0x40);
    g_assert_cmphex(gicd_read_byte(gic, GICD_IPRIORITYR, FREE_SPI(0)), ==,
                    0x40);
    g_assert_cmphex(gicd_read_byte(gic, GICD_IPRIORITYR, other), ==, 0);
    g_assert_cmphex(gicv3_secure_read(gic, addr), ==, 0xa0);
    gicv3_secure_write(gic, addr, 0x80e0);
    g_assert_cmphex(qtest_readl(gic->qts, addr), ==, 0xc0);
    gic_quit(gic);
}

/* GICD_NSACRn lets Non-secure accesses do some of that, step by step */
static void test_secure_nsacr(void)
{
    const unsigned n = FREE_SPI(0) / 32;
    const uint32_t bit = 1u << FREE_SPI(0) % 32;
    GICMachine *gic = gicv3_start(SECURE, 1, "");

    for (unsigned ns_access = 0; ns_access < 4; ns_access++) {
        secure_gicd_write(gic, GICD_NSACR(FREE_SPI(0) / 16),
                          ns_access << FREE_SPI(0) % 16 * 2);
        secure_gicd_write(gic, GICD_ICPENDR(n), ALL_ONES);
        gicd_write(gic, GICD_ISPENDR(n), ALL_ONES);
        g_assert_cmphex(secure_gicd_read(gic, GICD_ISPENDR(n)), ==,
                        ns_access >= 1 ? bit : 0);
        secure_gicd_write(gic, GICD_ISPENDR(n), ALL_ONES);
        gicd_write(gic, GICD_ICPENDR(n), ALL_ONES);
        g_assert_cmphex(secure_gicd_read(gic, GICD_ISPENDR(n)), ==,
                        ns_access >= 2 ? ~bit : ALL_ONES);
        secure_gicd_write(gic, GICD_ISACTIVER(n), ALL_ONES);
        g_assert_cmphex(gicd_read(gic, GICD_ISACTIVER(n)), ==,
                        ns_access >= 2 ? bit : 0);
        gicd_write64(gic, GICD_IROUTER(FREE_SPI(0)), 1 + ns_access);
        g_assert_cmphex(secure_gicd_read(gic, GICD_IROUTER(FREE_SPI(0))), ==,
                        ns_access == 3 ? 1 + ns_access : 0);
        g_assert_cmphex(gicd_read(gic, GICD_NSACR(FREE_SPI(0) / 16)), ==, 0);
    }
    gic_quit(gic);
}

/* GICR_WAKER is Secure unless there is one Security state only */
static void test_secure_waker(void)
{
    const uint32_t asleep = R_GICR_WAKER_ProcessorSleep_MASK |
                            R_GICR_WAKER_ChildrenAsleep_MASK;
    GICMachine *gic = gicv3_start(SECURE, 1, "");

    g_assert_cmphex(secure_gicr_read(gic, 0, GICR_WAKER), ==, asleep);
    gicr_write(gic, 0, GICR_WAKER, 0);
    g_assert_cmphex(secure_gicr_read(gic, 0, GICR_WAKER), ==, asleep);
    g_assert_cmphex(gicr_read(gic, 0, GICR_WAKER), ==, 0);
    secure_gicr_write(gic, 0, GICR_WAKER, 0);
    g_assert_cmphex(secure_gicr_read(gic, 0, GICR_WAKER), ==, 0);
    gic_quit(gic);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
        g_autofree char *path = g_strdup_printf("/gicv3/redistributors/%s",
                                                layouts[i].name);

        qtest_add_data_func(path, &layouts[i], test_layout);
    }
    qtest_add_func("/gicv3/redistributors/banked", test_many_cpus);
    qtest_add_func("/gicv3/identification", test_identification);
    qtest_add_func("/gicv3/reset", test_reset);
    for (size_t i = 0; i < ARRAY_SIZE(set_clear); i++) {
        g_autofree char *path = g_strdup_printf("/gicv3/registers/%s",
                                                set_clear[i].name);

        qtest_add_data_func(path, &set_clear[i], test_set_clear);
    }
    qtest_add_func("/gicv3/registers/ctlr", test_ctlr);
    qtest_add_func("/gicv3/registers/not-distributors", test_not_distributors);
    qtest_add_func("/gicv3/registers/one-security-state",
                   test_one_security_state);
    qtest_add_func("/gicv3/registers/configuration", test_configuration);
    qtest_add_func("/gicv3/registers/priorities", test_priorities);
    qtest_add_func("/gicv3/registers/routers", test_routers);
    qtest_add_func("/gicv3/registers/waker", test_waker);
    qtest_add_func("/gicv3/registers/legacy", test_legacy);
    qtest_add_func("/gicv3/registers/message-spis", test_message_spis);
    qtest_add_func("/gicv3/registers/access-sizes", test_access_sizes);
    qtest_add_func("/gicv3/registers/reserved", test_reserved);
    qtest_add_func("/gicv3/lines/each", test_lines);
    qtest_add_func("/gicv3/lines/level-edge", test_level_edge);

    qtest_add_func("/gicv3/signalling/routing", test_routing);
    qtest_add_func("/gicv3/signalling/rerouting", test_rerouting);
    qtest_add_func("/gicv3/signalling/unknown-affinity",
                   test_unknown_affinity);
    qtest_add_func("/gicv3/signalling/any-cpu", test_any_cpu);
    qtest_add_func("/gicv3/signalling/private", test_private);
    qtest_add_func("/gicv3/signalling/states", test_states);
    qtest_add_func("/gicv3/signalling/level-again", test_level_again);
    qtest_add_func("/gicv3/signalling/order", test_order);
    qtest_add_func("/gicv3/signalling/groups", test_groups);
    qtest_add_func("/gicv3/signalling/nmi", test_nmi);
    qtest_add_func("/gicv3/signalling/nmi-reset", test_nmi_reset);

    qtest_add_func("/gicv3/security/ctlr", test_secure_ctlr);
    qtest_add_func("/gicv3/security/ctlr-el3", test_secure_ctlr_el3);
    qtest_add_func("/gicv3/security/bits", test_secure_bits);
    qtest_add_func("/gicv3/security/nmi", test_secure_nmi);
    qtest_add_func("/gicv3/security/priorities", test_secure_priorities);
    qtest_add_func("/gicv3/security/nsacr", test_secure_nsacr);
    qtest_add_func("/gicv3/security/waker", test_secure_waker);

    qtest_add_func("/gicv3/migration/registers", test_migration_registers);
    qtest_add_func("/gicv3/migration/lines", test_migration_lines);
    qtest_add_func("/gicv3/migration/signalling", test_migration_signalling);
    qtest_add_func("/gicv3/migration/routing", test_migration_routing);

    return g_test_run();
}
