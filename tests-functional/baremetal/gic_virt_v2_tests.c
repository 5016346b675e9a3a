/*
 * Bare-metal guest at EL2: what only GICv2 has: SGIs with their source
 *
 * Arm IHI 0048B, "Software-generated interrupts", GICC_IAR, GICH_LR<n>. What is
 * banked for each vCPU, only they can reach.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "gic_virt.h"

#define SGI                     5
/* An SPI that is wired to nothing */
#define PHYSICAL                (SPI_FIRST + 100)
#define PPI                     (PPI_FIRST + 2)

#define SGI_FROM(source)        (SGI | (uint32_t)(source) << 10)

static uint32_t acknowledge(void)
{
    return gic->iar(0);
}

static void end(uint32_t value)
{
    gic->eoir(0, value);
}

static struct lr sgi_from(unsigned source)
{
    return (struct lr) {
        .intid = SGI, .state = PENDING, .priority = 0x80, .source = source,
    };
}

/*
 * The virtual interface: SGIs from different sources are different interrupts,
 * but have one VirtualID, of which there may be only one in list registers:
 * they come one after the other.
 */

static void one_by_one(void)
{
    for (unsigned source = 0; source < 8; source++) {
        unsigned n = source % 4;

        gic->set_lr(n, sgi_from(source));
        expect(gic->hppir(0), SGI_FROM(source));
        expect(acknowledge(), SGI_FROM(source));
        expect(gic->lr(n).state, ACTIVE);
        expect(gic->lr(n).source, source);
        expect(acknowledge(), INTID_NONE);
        end(SGI_FROM(source));
        expect(gic->lr(n).state, INVALID);
        expect(gic->hcr(), HCR_EN);
    }
    expect(acknowledge(), INTID_NONE);
    expect(gic->rpr(), 0xff);
}

/* With an SGI of another number, and with EOImode */
static void two_numbers(void)
{
    struct lr high = sgi_from(2);

    high.intid = SGI + 1;
    high.priority = 0x40;
    gic->set_ctlr(false, true);
    gic->set_lr(0, sgi_from(1));
    expect(acknowledge(), SGI_FROM(1));
    gic->set_lr(1, high);
    expect(acknowledge(), SGI_FROM(2) + 1);
    expect(gic->rpr(), 0x40);
    end(SGI_FROM(2) + 1);
    end(SGI_FROM(1));
    expect(gic->lr(0).state, ACTIVE);
    expect(gic->lr(1).state, ACTIVE);
    gic->dir(SGI_FROM(2) + 1);
    expect(gic->lr(0).state, ACTIVE);
    expect(gic->lr(1).state, INVALID);
    gic->dir(SGI_FROM(1));
    expect(gic->lr(0).state, INVALID);
}

/* What clears no bit of GICH_APR is not counted (GICH_HCR.EOICount). */
static void eoi_of_idle(void)
{
    end(72);
    end(SGI_FROM(1));
    expect(gic->hcr(), HCR_EN);
}

/*
 * Groups, the way that guests have them that know nothing of the aliased
 * registers
 */

static void ack_ctl(void)
{
    uint32_t ctlr = read32(GICV + GICC_CTLR);
    struct lr group1 = { .intid = 72, .state = PENDING, .group = 1 };

    gic->set_lr(0, group1);
    expect(acknowledge(), INTID_OTHER_GROUP);
    expect(gic->hppir(0), INTID_OTHER_GROUP);
    expect(gic->lr(0).state, PENDING);
    write32(GICV + GICC_CTLR, ctlr | GICC_CTLR_ACKCTL);
    expect(gic->hppir(0), 72);
    expect(acknowledge(), 72);
    expect(gic->lr(0).state, ACTIVE);
    end(72);
    expect(gic->lr(0).state, INVALID);
    write32(GICV + GICC_CTLR, ctlr);
}

static void fiqen(void)
{
    gic->set_lr(0, sgi_from(0));
    expect(virtual_lines(), PSTATE_F);
    gic->set_fiqen(false);
    expect(virtual_lines(), PSTATE_I);
}

/*
 * Physical SGIs
 */

static uint32_t sgir;

static void write_sgir(void)
{
    write32(GICD + GICD_SGIR, sgir);
}

static void send_from(unsigned cpu, uint32_t value)
{
    sgir = value;
    on_cpu(cpu, write_sgir);
}

/* From which vCPUs the SGI is pending for the caller */
static uint8_t sources(void)
{
    return read8(GICD + GICD_SPENDSGIR + SGI);
}

static void physical_sources(void)
{
    unsigned seen = 0;

    gicd_enable(SGI);
    for (unsigned cpu = 0; cpu < num_cpus; cpu++) {
        send_from(cpu, GICD_SGIR_LIST(1) | SGI);
        /* The second is the same interrupt: merged */
        send_from(cpu, GICD_SGIR_LIST(1) | SGI);
    }
    expect(sources(), (1 << num_cpus) - 1);
    for (unsigned n = 0; n < num_cpus; n++) {
        uint32_t ack = gic->phys_iar();

        expect(GICC_IAR_INTID(ack), SGI);
        seen |= 1 << GICC_IAR_SOURCE(ack);
        expect(sources(), ((1 << num_cpus) - 1) & ~seen);
        expect(gicd_test(GICD_ISACTIVER, SGI), true);
        gic->phys_eoir(ack);
    }
    expect(seen, (1 << num_cpus) - 1);
    expect(gic->phys_iar(), INTID_NONE);
}

static void physical_clear(void)
{
    gicd_enable(SGI);
    send_from(1, GICD_SGIR_LIST(1) | SGI);
    send_from(2, GICD_SGIR_LIST(1) | SGI);
    write8(GICD + GICD_CPENDSGIR + SGI, 1 << 1);
    expect(sources(), 1 << 2);
    expect(gic->phys_iar(), SGI_FROM(2));
    gic->phys_eoir(SGI_FROM(2));
    write8(GICD + GICD_SPENDSGIR + SGI, 1 << 3);
    expect(gic->phys_iar(), SGI_FROM(3));
    gic->phys_eoir(SGI_FROM(3));
    expect(gic->phys_iar(), INTID_NONE);
}

static uint32_t taken[TEST_CPUS];

static void take(void)
{
    gic->set_priority(SGI, 0x80);
    gicd_write_bit(GICD_ISENABLER, SGI);
    taken[cpu_index()] = gic->phys_iar();
    gic->phys_eoir(taken[cpu_index()]);
}

/* Sends it, and looks who has got it. */
static void expect_targets(unsigned from, uint32_t value, unsigned targets)
{
    send_from(from, value);
    for (unsigned cpu = 0; cpu < num_cpus; cpu++) {
        on_cpu(cpu, take);
        expect(taken[cpu],
               targets & 1 << cpu ? SGI_FROM(from) : INTID_NONE);
    }
}

static void physical_targets(void)
{
    for (unsigned from = 0; from < num_cpus; from++) {
        for (unsigned targets = 0; targets < 1u << num_cpus; targets++) {
            expect_targets(from, GICD_SGIR_LIST(targets) | SGI, targets);
        }
        /* These filters ignore the list. */
        expect_targets(from, GICD_SGIR_OTHERS | GICD_SGIR_LIST(0xff) | SGI,
                       ((1 << num_cpus) - 1) & ~(1 << from));
        expect_targets(from, GICD_SGIR_SELF | GICD_SGIR_LIST(0xff) | SGI,
                       1 << from);
    }
}

/*
 * What a hypervisor does with them: one list register, whose EOI maintenance
 * interrupt says that the next may come
 */
static void forwarded(void)
{
    unsigned seen = 0, waiting = 0;
    uint32_t ack;

    gicd_enable(SGI);
    for (unsigned cpu = 1; cpu < num_cpus; cpu++) {
        send_from(cpu, GICD_SGIR_LIST(1) | SGI);
    }
    while ((ack = gic->phys_iar()) != INTID_NONE) {
        waiting |= 1 << GICC_IAR_SOURCE(ack);
        gic->phys_eoir(ack);
    }
    expect(waiting, ((1 << num_cpus) - 1) & ~1);
    for (unsigned cpu = 1; cpu < num_cpus; cpu++) {
        struct lr lr = sgi_from(cpu);

        lr.eoi = true;
        gic->set_lr(0, lr);
        expect(gic->eisr(), 0);
        ack = acknowledge();
        expect(GICC_IAR_INTID(ack), SGI);
        seen |= 1 << GICC_IAR_SOURCE(ack);
        end(ack);
        expect(gic->eisr(), 1);
        expect(gicd_test(GICD_ISPENDR, PPI_MAINTENANCE), true);
    }
    expect(seen, waiting);
}

/*
 * The distributor's banked registers
 */

static void set_own(void)
{
    unsigned self = cpu_index();

    gic->set_priority(PPI, 8 * (self + 1));
    if (self % 2) {
        gicd_write_bit(GICD_ISENABLER, PPI);
    } else {
        gicd_write_bit(GICD_ICENABLER, PPI);
    }
}

static void expect_own(void)
{
    unsigned self = cpu_index();

    expect(read8(GICD + GICD_IPRIORITYR + PPI), 8 * (self + 1));
    expect(gicd_test(GICD_ISENABLER, PPI), self % 2);
    /* Whose they are */
    expect(read8(GICD + GICD_ITARGETSR + PPI), 1 << self);
    gicd_write_bit(GICD_ICENABLER, PPI);
}

static void make_own_pending(void)
{
    gicd_write_bit(GICD_ISPENDR, PPI);
}

static void clear_own_pending(void)
{
    expect(gicd_test(GICD_ISPENDR, PPI), true);
    gicd_write_bit(GICD_ICPENDR, PPI);
    expect(gicd_test(GICD_ISPENDR, PPI), false);
}

static void banked(void)
{
    for (unsigned cpu = 0; cpu < num_cpus; cpu++) {
        on_cpu(cpu, set_own);
    }
    for (unsigned cpu = 0; cpu < num_cpus; cpu++) {
        on_cpu(cpu, expect_own);
    }
    for (unsigned cpu = 0; cpu < num_cpus; cpu++) {
        on_cpu(cpu, make_own_pending);
    }
    for (unsigned cpu = 0; cpu < num_cpus; cpu++) {
        on_cpu(cpu, clear_own_pending);
    }
}

static void acknowledge_only(void)
{
    taken[cpu_index()] = gic->phys_iar();
}

static void end_taken(void)
{
    gic->phys_eoir(taken[cpu_index()]);
}

static void spi_targets(void)
{
    gicd_enable(PHYSICAL);
    for (unsigned cpu = 0; cpu < num_cpus; cpu++) {
        gic->route(PHYSICAL, cpu);
        gicd_write_bit(GICD_ISPENDR, PHYSICAL);
        for (unsigned other = 0; other < num_cpus; other++) {
            if (other != cpu) {
                on_cpu(other, acknowledge_only);
                expect(taken[other], INTID_NONE);
            }
        }
        on_cpu(cpu, acknowledge_only);
        expect(taken[cpu], PHYSICAL);
        on_cpu(cpu, end_taken);
        expect(gicd_test(GICD_ISACTIVER, PHYSICAL), false);
    }

    /* 1-N: the first that acknowledges has it. */
    write8(GICD + GICD_ITARGETSR + PHYSICAL, (1 << num_cpus) - 1);
    gicd_write_bit(GICD_ISPENDR, PHYSICAL);
    on_cpu(num_cpus - 1, acknowledge_only);
    expect(taken[num_cpus - 1], PHYSICAL);
    for (unsigned cpu = 0; cpu < num_cpus - 1; cpu++) {
        on_cpu(cpu, acknowledge_only);
        expect(taken[cpu], INTID_NONE);
    }
    on_cpu(num_cpus - 1, end_taken);
    gicd_disable(PHYSICAL);
}

const struct test gicv2_tests[] = {
    { "source/one-by-one", one_by_one },
    { "source/two-numbers", two_numbers },
    { "source/physical", physical_sources },
    { "source/physical-clear", physical_clear },
    { "source/forwarded", forwarded },
    { "v2/eoi-of-idle", eoi_of_idle },
    { "v2/ack-ctl", ack_ctl },
    { "v2/fiqen", fiqen },
    { "v2/sgi-targets", physical_targets },
    { "v2/banked", banked },
    { "v2/spi-targets", spi_targets },
    NO_MORE_TESTS
};
