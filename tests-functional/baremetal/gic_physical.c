/*
 * Bare-metal guest at EL2: GICv3's physical CPU interface
 *
 * Arm IHI 0069: ICC_* registers, "Physical interrupt handling and
 * prioritization", and SGIs between vCPUs. EL2 masks IRQs and polls.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "gic_virt.h"

#define SGI                     3
#define OTHER_SGI               4
#define PPI                     (PPI_FIRST + 2)
/* SPIs that are wired to nothing */
#define SPI                     (SPI_FIRST + 100)
#define OTHER_SPI               (SPI_FIRST + 101)

#define P_HIGH                  0x40
#define P_MIDDLE                0x80
#define P_LOW                   0xc0
#define P_IDLE                  0xff

static unsigned pribits(void)
{
    return ICC_CTLR_PRIBITS(icc_read(ICC_CTLR_EL1));
}

static uint32_t lowest_priority(void)
{
    return 0xff & ~0u << (8 - pribits());
}

/* With 8 bits of priority, only 7 are of preemption. */
static unsigned min_bpr(unsigned group)
{
    return (pribits() == 8 ? 0 : 7 - pribits()) + group;
}

static uint64_t lines(void)
{
    return sysreg_read(isr_el1) & (PSTATE_I | PSTATE_F);
}

static uint32_t acknowledge(void)
{
    return icc_read(ICC_IAR1_EL1);
}

static void end(uint32_t intid)
{
    icc_write(ICC_EOIR1_EL1, intid);
}

static uint32_t rpr(void)
{
    return icc_read(ICC_RPR_EL1);
}

static void expect_none(void)
{
    expect(lines(), 0);
    expect(acknowledge(), INTID_NONE);
}

static void expect_acknowledge(unsigned intid)
{
    expect(lines(), PSTATE_I);
    expect(icc_read(ICC_HPPIR1_EL1), intid);
    expect(acknowledge(), intid);
}

static void make_pending(unsigned intid, uint8_t priority)
{
    gicd_enable(intid);
    gic->set_priority(intid, priority);
    gicd_write_bit(GICD_ISPENDR, intid);
}

static void set_group(unsigned intid, unsigned group)
{
    uint64_t groups = gic->array(GICD_IGROUPR, intid);
    uint32_t bit = 1u << intid % 32;

    write32(groups, group ? read32(groups) | bit : read32(groups) & ~bit);
}

static void disable_all(void)
{
    gicd_disable(SGI);
    gicd_disable(OTHER_SGI);
    gicd_disable(PPI);
    gicd_disable(SPI);
    gicd_disable(OTHER_SPI);
}

/* Of each kind: pending, active, neither */
static void cycle(void)
{
    static const unsigned intids[] = { SGI, PPI, SPI };

    expect_none();
    expect(rpr(), P_IDLE);
    for (unsigned n = 0; n < ARRAY_SIZE(intids); n++) {
        unsigned intid = intids[n];

        make_pending(intid, P_MIDDLE);
        expect(gicd_test(GICD_ISPENDR, intid), true);
        expect(gicd_test(GICD_ISACTIVER, intid), false);
        expect_acknowledge(intid);
        expect(gicd_test(GICD_ISPENDR, intid), false);
        expect(gicd_test(GICD_ISACTIVER, intid), true);
        expect(rpr(), P_MIDDLE);
        expect_none();
        end(intid);
        expect(gicd_test(GICD_ISACTIVER, intid), false);
        expect(rpr(), P_IDLE);
        expect_none();
    }
    disable_all();
}

static void order(void)
{
    make_pending(SGI, P_LOW);
    make_pending(SPI, P_HIGH);
    make_pending(PPI, P_MIDDLE);
    expect_acknowledge(SPI);
    end(SPI);
    expect_acknowledge(PPI);
    end(PPI);
    expect_acknowledge(SGI);
    end(SGI);
    expect_none();
    disable_all();
}

/* Each kind by each other; of the same priority or a lower one, none */
static void preemption(void)
{
    static const unsigned orders[][3] = {
        { SGI, PPI, SPI }, { PPI, SPI, SGI }, { SPI, SGI, PPI },
        { PPI, SGI, SPI }, { SGI, SPI, PPI }, { SPI, PPI, SGI },
    };

    for (unsigned n = 0; n < ARRAY_SIZE(orders); n++) {
        const unsigned *intid = orders[n];

        make_pending(intid[0], P_LOW);
        expect_acknowledge(intid[0]);
        make_pending(intid[1], P_LOW);
        expect_none();
        expect(icc_read(ICC_HPPIR1_EL1), intid[1]);
        gic->set_priority(intid[1], P_MIDDLE);
        expect_acknowledge(intid[1]);
        expect(rpr(), P_MIDDLE);
        make_pending(intid[2], P_HIGH);
        expect_acknowledge(intid[2]);
        expect(rpr(), P_HIGH);
        end(intid[2]);
        expect(rpr(), P_MIDDLE);
        expect_none();
        end(intid[1]);
        expect(rpr(), P_LOW);
        end(intid[0]);
        expect(rpr(), P_IDLE);
    }
    disable_all();
}

static void mask(void)
{
    make_pending(SPI, P_MIDDLE);
    icc_write(ICC_PMR_EL1, P_MIDDLE);
    expect_none();
    expect(icc_read(ICC_HPPIR1_EL1), SPI);
    icc_write(ICC_PMR_EL1, P_MIDDLE + 8);
    expect(lines(), PSTATE_I);
    icc_write(ICC_PMR_EL1, 0);
    expect_none();
    icc_write(ICC_PMR_EL1, 0xff);
    expect(icc_read(ICC_PMR_EL1), lowest_priority());
    gic->set_priority(SPI, lowest_priority());
    expect_none();
    gic->set_priority(SPI, lowest_priority() - 8);
    expect_acknowledge(SPI);
    end(SPI);
    disable_all();
}

static void bpr_minimum(void)
{
    icc_write(ICC_BPR0_EL1, 0);
    expect(icc_read(ICC_BPR0_EL1), min_bpr(0));
    icc_write(ICC_BPR1_EL1, 0);
    expect(icc_read(ICC_BPR1_EL1), min_bpr(1));
    for (unsigned bpr = min_bpr(1); bpr < 8; bpr++) {
        icc_write(ICC_BPR1_EL1, bpr);
        expect(icc_read(ICC_BPR1_EL1), bpr);
        expect(icc_read(ICC_BPR0_EL1), min_bpr(0));
    }
    icc_write(ICC_BPR1_EL1, 0);
}

/* The field has three bits; the others are reserved. */
static void bpr_reserved(void)
{
    icc_write(ICC_BPR0_EL1, 8);
    expect(icc_read(ICC_BPR0_EL1), min_bpr(0));
    icc_write(ICC_BPR1_EL1, 0xf8 | 6);
    expect(icc_read(ICC_BPR1_EL1), 6);
    icc_write(ICC_BPR1_EL1, 8);
    expect(icc_read(ICC_BPR1_EL1), min_bpr(1));
    make_pending(SPI, P_LOW);
    expect_acknowledge(SPI);
    make_pending(SGI, P_HIGH);
    expect_acknowledge(SGI);
    end(SGI);
    end(SPI);
    disable_all();
}

/* The three upper bits are group priority: only these preempt, and run. */
static void expect_subpriority(void)
{
    make_pending(SPI, 0x90);
    expect_acknowledge(SPI);
    expect(rpr(), 0x80);
    make_pending(SGI, 0x80);
    expect_none();
    gic->set_priority(SGI, 0x78);
    expect_acknowledge(SGI);
    expect(rpr(), 0x60);
    end(SGI);
    end(SPI);
    /* Of two that are pending, subpriority decides. */
    make_pending(SPI, 0x90);
    make_pending(SGI, 0x80);
    expect_acknowledge(SGI);
    end(SGI);
    expect_acknowledge(SPI);
    end(SPI);
    disable_all();
}

static void bpr(void)
{
    icc_write(ICC_BPR1_EL1, 5);
    expect_subpriority();
    icc_write(ICC_BPR1_EL1, 0);
    make_pending(SPI, 0x90);
    expect_acknowledge(SPI);
    expect(rpr(), 0x90);
    make_pending(SGI, 0x80);
    expect_acknowledge(SGI);
    end(SGI);
    end(SPI);
    disable_all();
}

/* With CBPR, BPR0 is for both groups; BPR1 reads as one more. */
static void cbpr(void)
{
    icc_write(ICC_BPR0_EL1, 4);
    icc_write(ICC_CTLR_EL1, ICC_CTLR_CBPR);
    expect(icc_read(ICC_BPR1_EL1), 5);
    icc_write(ICC_BPR1_EL1, 7);
    expect(icc_read(ICC_BPR0_EL1), 4);
    expect_subpriority();
    icc_write(ICC_BPR0_EL1, 7);
    expect(icc_read(ICC_BPR1_EL1), 7);
    icc_write(ICC_CTLR_EL1, 0);
    expect(icc_read(ICC_BPR1_EL1), min_bpr(1));
    icc_write(ICC_BPR0_EL1, 0);
}

static void groups(void)
{
    icc_write(ICC_IGRPEN0_EL1, 1);
    expect(icc_read(ICC_IGRPEN0_EL1), 1);
    set_group(SGI, 0);
    make_pending(SGI, P_MIDDLE);
    expect(lines(), PSTATE_F);
    expect(acknowledge(), INTID_NONE);
    expect(icc_read(ICC_HPPIR1_EL1), INTID_NONE);
    expect(icc_read(ICC_HPPIR0_EL1), SGI);
    expect(icc_read(ICC_IAR0_EL1), SGI);
    expect(icc_read(ICC_AP0R0_EL1) != 0, true);
    expect(icc_read(ICC_AP1R0_EL1), 0);

    make_pending(SPI, P_HIGH);
    expect(lines(), PSTATE_I);
    expect(icc_read(ICC_IAR0_EL1), INTID_NONE);
    expect(acknowledge(), SPI);
    expect(icc_read(ICC_AP1R0_EL1) != 0, true);
    end(SPI);
    icc_write(ICC_EOIR0_EL1, SGI);
    expect(rpr(), P_IDLE);
    expect(gicd_test(GICD_ISACTIVER, SGI), false);

    icc_write(ICC_IGRPEN0_EL1, 0);
    gicd_write_bit(GICD_ISPENDR, SGI);
    expect(lines(), 0);
    expect(icc_read(ICC_IAR0_EL1), INTID_NONE);
    gicd_write_bit(GICD_ICPENDR, SGI);
    set_group(SGI, 1);

    icc_write(ICC_IGRPEN1_EL1, 0);
    gicd_write_bit(GICD_ISPENDR, SPI);
    expect_none();
    icc_write(ICC_IGRPEN1_EL1, 1);
    expect_acknowledge(SPI);
    end(SPI);
    disable_all();
}

/* EOI drops the priority, DIR deactivates, in any order. */
static void eoimode(void)
{
    icc_write(ICC_CTLR_EL1, ICC_CTLR_EOIMODE);
    expect(icc_read(ICC_CTLR_EL1) & ICC_CTLR_EOIMODE, ICC_CTLR_EOIMODE);
    make_pending(SPI, P_MIDDLE);
    expect_acknowledge(SPI);
    end(SPI);
    expect(rpr(), P_IDLE);
    expect(gicd_test(GICD_ISACTIVER, SPI), true);

    /* Active, it does not come again; a lower priority does. */
    gicd_write_bit(GICD_ISPENDR, SPI);
    expect_none();
    make_pending(SGI, P_LOW);
    expect_acknowledge(SGI);
    end(SGI);
    icc_write(ICC_DIR_EL1, SPI);
    expect(gicd_test(GICD_ISACTIVER, SPI), false);
    expect(gicd_test(GICD_ISACTIVER, SGI), true);
    expect_acknowledge(SPI);
    end(SPI);
    icc_write(ICC_DIR_EL1, SGI);
    icc_write(ICC_DIR_EL1, SPI);
    expect(gicd_test(GICD_ISACTIVER, SGI), false);
    expect(gicd_test(GICD_ISACTIVER, SPI), false);
    icc_write(ICC_CTLR_EL1, 0);
    disable_all();
}

/* An edge while it is active: once more, when it is not */
static void edge(void)
{
    make_pending(SPI, P_MIDDLE);
    expect_acknowledge(SPI);
    gicd_write_bit(GICD_ISPENDR, SPI);
    gicd_write_bit(GICD_ISPENDR, SPI);
    expect_none();
    end(SPI);
    expect_acknowledge(SPI);
    end(SPI);
    expect_none();
    disable_all();
}

/* A level, which is the maintenance interrupt's: as long as it is high */
static void level(void)
{
    gicd_enable(PPI_MAINTENANCE);
    gic->set_hcr(HCR_EN | HCR_UIE);
    expect_acknowledge(PPI_MAINTENANCE);
    expect(gicd_test(GICD_ISPENDR, PPI_MAINTENANCE), true);
    expect_none();
    end(PPI_MAINTENANCE);
    expect_acknowledge(PPI_MAINTENANCE);
    gic->set_hcr(HCR_EN);
    expect(gicd_test(GICD_ISPENDR, PPI_MAINTENANCE), false);
    end(PPI_MAINTENANCE);
    expect_none();

    /* It was not acknowledged in time. */
    gic->set_hcr(HCR_EN | HCR_UIE);
    expect(lines(), PSTATE_I);
    gic->set_hcr(HCR_EN);
    expect_none();
    gicd_disable(PPI_MAINTENANCE);
}

/* Saved and restored in a handler */
static void active_priorities(void)
{
    uint64_t apr;

    make_pending(SPI, P_MIDDLE);
    expect_acknowledge(SPI);
    apr = icc_read(ICC_AP1R0_EL1);
    expect(apr, 1u << (P_MIDDLE >> (8 - pribits())));
    icc_write(ICC_AP1R0_EL1, 0);
    expect(rpr(), P_IDLE);
    make_pending(SGI, P_LOW);
    expect_acknowledge(SGI);
    end(SGI);
    make_pending(SGI, P_LOW);
    icc_write(ICC_AP1R0_EL1, apr);
    expect(rpr(), P_MIDDLE);
    expect_none();
    end(SPI);
    expect_acknowledge(SGI);
    end(SGI);
    disable_all();
}

/*
 * Of several vCPUs
 */

static unsigned taken[FAR_CPU + FAR_CPUS];
static uint64_t sgir;
static enum { SGI0R, SGI1R, ASGI1R } sgi_register;

static void enable_own(void)
{
    gicd_enable(SGI);
}

static void send(void)
{
    switch (sgi_register) {
    case SGI0R:
        icc_write(ICC_SGI0R_EL1, sgir);
        break;
    case SGI1R:
        icc_write(ICC_SGI1R_EL1, sgir);
        break;
    case ASGI1R:
        icc_write(ICC_ASGI1R_EL1, sgir);
        break;
    }
}

static void acknowledge_own(void)
{
    taken[cpu_index()] = acknowledge();
}

static void end_own(void)
{
    end(taken[cpu_index()]);
}

static unsigned taken_by(unsigned cpu)
{
    on_cpu(cpu, acknowledge_own);
    if (taken[cpu] != INTID_NONE) {
        on_cpu(cpu, end_own);
    }
    return taken[cpu];
}

/* Sends it, and looks who has got it. */
static void expect_targets(unsigned from, uint64_t value, unsigned targets)
{
    sgir = value | SGIR_INTID(SGI);
    on_cpu(from, send);
    for (unsigned cpu = 0; cpu < num_cpus; cpu++) {
        expect(taken_by(cpu), targets & 1 << cpu ? SGI : INTID_NONE);
    }
    for (unsigned cpu = FAR_CPU; far_cpus && cpu < FAR_CPU + FAR_CPUS; cpu++) {
        expect(taken_by(cpu), targets & 1 << cpu ? SGI : INTID_NONE);
    }
}

static unsigned all_targets(void)
{
    return ((1 << num_cpus) - 1) |
           (far_cpus ? ((1 << FAR_CPUS) - 1) << FAR_CPU : 0);
}

static void enable_all(void)
{
    sgi_register = SGI1R;
    for (unsigned cpu = 0; cpu < FAR_CPU + FAR_CPUS; cpu++) {
        if (all_targets() & 1 << cpu) {
            on_cpu(cpu, enable_own);
        }
    }
}

static void sgi_lists(void)
{
    enable_all();
    for (unsigned from = 0; from < num_cpus; from++) {
        for (unsigned list = 0; list < 1u << num_cpus; list++) {
            expect_targets(from, SGIR_LIST(list), list);
        }
    }
    /* Nobody who is on has these numbers. */
    expect_targets(0, SGIR_LIST(0xf000), 0);
}

/* All but the sender, whatever the other fields are */
static void sgi_irm(void)
{
    enable_all();
    for (unsigned from = 0; from < num_cpus; from++) {
        expect_targets(from, SGIR_IRM, all_targets() & ~(1u << from));
        expect_targets(from, SGIR_IRM | SGIR_LIST(0xffff) | SGIR_AFF1(5),
                       all_targets() & ~(1u << from));
    }
}

/* With all bits of the list, but of clusters that are not there */
static void sgi_affinities(void)
{
    enable_all();
    expect_targets(0, SGIR_AFF1(7) | SGIR_LIST(0xffff), 0);
    expect_targets(0, SGIR_AFF2(1) | SGIR_LIST(0xffff), 0);
    expect_targets(0, SGIR_AFF3(1) | SGIR_LIST(0xffff), 0);
    expect_targets(1, SGIR_AFF1(255) | SGIR_AFF2(255) | SGIR_AFF3(255) |
                   SGIR_LIST(0xffff), 0);
    /* Whether there are range selectors, for Aff0 above 15: both say so. */
    expect(!!(icc_read(ICC_CTLR_EL1) & ICC_CTLR_RSS),
           !!(read32(GICD + GICD_TYPER) & GICD_TYPER_RSS));
}

/* The registers' groups: an SGI that is of another one does not come. */
static void sgi_groups(void)
{
    gicd_enable(SGI);
    sgi_register = SGI1R;
    expect_targets(1, SGIR_LIST(1), 1);
    sgi_register = SGI0R;
    expect_targets(1, SGIR_LIST(1), 0);
    expect(gicd_test(GICD_ISPENDR, SGI), false);

    set_group(SGI, 0);
    icc_write(ICC_IGRPEN0_EL1, 1);
    sgir = SGIR_INTID(SGI) | SGIR_LIST(1);
    on_cpu(1, send);
    expect(lines(), PSTATE_F);
    expect(icc_read(ICC_IAR0_EL1), SGI);
    icc_write(ICC_EOIR0_EL1, SGI);
    sgi_register = SGI1R;
    on_cpu(1, send);
    expect(lines(), 0);
    expect(icc_read(ICC_IAR0_EL1), INTID_NONE);
    icc_write(ICC_IGRPEN0_EL1, 0);
    set_group(SGI, 1);
    disable_all();
}

/* It is pending once, however often and by whomever it is sent. */
static void sgi_merged(void)
{
    enable_all();
    sgir = SGIR_INTID(SGI) | SGIR_LIST(1);
    for (unsigned cpu = 0; cpu < num_cpus; cpu++) {
        on_cpu(cpu, send);
    }
    expect_acknowledge(SGI);
    /* While it is active, it becomes pending again. */
    on_cpu(1, send);
    expect_none();
    end(SGI);
    expect_acknowledge(SGI);
    end(SGI);
    expect_none();
}

static void spi_routes(void)
{
    for (unsigned cpu = 0; cpu < num_cpus; cpu++) {
        gicd_enable(SPI);
        gic->route(SPI, cpu);
        gicd_write_bit(GICD_ISPENDR, SPI);
        for (unsigned other = 0; other < num_cpus; other++) {
            if (other != cpu) {
                expect(taken_by(other), INTID_NONE);
            }
        }
        expect(taken_by(cpu), SPI);
        expect(taken_by(cpu), INTID_NONE);
    }

    /* It goes with its route while it is pending. */
    gic->route(SPI, 1);
    gicd_write_bit(GICD_ISPENDR, SPI);
    gic->route(SPI, 0);
    expect(taken_by(1), INTID_NONE);
    expect(taken_by(0), SPI);

    /* Nobody has this affinity. */
    write64(GICD + GICD_IROUTER + SPI * 8, 0x0707);
    gicd_write_bit(GICD_ISPENDR, SPI);
    for (unsigned cpu = 0; cpu < num_cpus; cpu++) {
        expect(taken_by(cpu), INTID_NONE);
    }
    gic->route(SPI, num_cpus - 1);
    expect(taken_by(num_cpus - 1), SPI);
    disable_all();
}

/* vCPUs whose Aff1 is 1 */
static void far_sgis(void)
{
    enable_all();
    expect_targets(0, SGIR_AFF1(1) | SGIR_LIST(1), 1 << FAR_CPU);
    expect_targets(0, SGIR_AFF1(1) | SGIR_LIST(2), 2 << FAR_CPU);
    expect_targets(0, SGIR_AFF1(1) | SGIR_LIST(0xffff), 3 << FAR_CPU);
    expect_targets(0, SGIR_LIST(0xf), 0xf);
    expect_targets(FAR_CPU, SGIR_LIST(0xf), 0xf);
    expect_targets(FAR_CPU, SGIR_AFF1(1) | SGIR_LIST(0xffff), 3 << FAR_CPU);
    expect_targets(FAR_CPU + 1, SGIR_IRM,
                   all_targets() & ~(2u << FAR_CPU));
}

static void far_spis(void)
{
    gicd_enable(SPI);
    gic->route(SPI, FAR_CPU + 1);
    gicd_write_bit(GICD_ISPENDR, SPI);
    expect(taken_by(0), INTID_NONE);
    expect(taken_by(1), INTID_NONE);
    expect(taken_by(FAR_CPU), INTID_NONE);
    expect(taken_by(FAR_CPU + 1), SPI);
    disable_all();
}

const struct test gicv3_physical_tests[] = {
    { "physical/cycle", cycle },
    { "physical/order", order },
    { "physical/preemption", preemption },
    { "physical/mask", mask },
    { "physical/bpr-minimum", bpr_minimum },
    { "physical/bpr-reserved", bpr_reserved },
    { "physical/bpr", bpr },
    { "physical/cbpr", cbpr },
    { "physical/groups", groups },
    { "physical/eoimode", eoimode },
    { "physical/edge", edge },
    { "physical/level", level },
    { "physical/active-priorities", active_priorities },
    { "physical/spi-routes", spi_routes },
    { "sgi/lists", sgi_lists },
    { "sgi/irm", sgi_irm },
    { "sgi/affinities", sgi_affinities },
    { "sgi/groups", sgi_groups },
    { "sgi/merged", sgi_merged },
    NO_MORE_TESTS
};

const struct test gicv3_far_tests[] = {
    { "far/sgis", far_sgis },
    { "far/spis", far_spis },
    NO_MORE_TESTS
};
