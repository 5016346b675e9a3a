/*
 * Bare-metal guest at EL2: a GIC that goes on in another QEMU
 *
 * Whoever runs us migrates us where we ask for it; else these check that
 * nothing changes while nothing happens.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "gic_virt.h"

#define VINTID                  72
/* SPIs that are wired to nothing */
#define PHYSICAL                (SPI_FIRST + 100)
#define OTHER_SPI               (SPI_FIRST + 101)

#define VALUES                  32

/* All that the calling vCPU's interfaces show without being changed by it */
static unsigned look(uint64_t values[VALUES])
{
    unsigned used = 0;

    values[used++] = gic->hcr();
    values[used++] = gic->vmcr();
    values[used++] = gic->misr();
    values[used++] = gic->eisr();
    values[used++] = gic->elrsr();
    for (unsigned group = 0; group < 2; group++) {
        values[used++] = gic->apr(group);
        values[used++] = gic->bpr(group);
        values[used++] = gic->hppir(group);
        values[used++] = gic->group_enabled(group);
    }
    values[used++] = gic->pmr();
    values[used++] = gic->rpr();
    values[used++] = virtual_lines();
    values[used++] = gicd_test(GICD_ISPENDR, PPI_MAINTENANCE);
    values[used++] = gicd_test(GICD_ISACTIVER, PHYSICAL);
    for (unsigned n = 0; n < VTR_LISTREGS(gic->vtr()); n++) {
        struct lr lr = gic->lr(n);

        values[used++] = lr.intid | (uint64_t)lr.pintid << 16 |
                         (uint64_t)lr.priority << 32 |
                         (uint64_t)lr.state << 40 | (uint64_t)lr.group << 44 |
                         (uint64_t)lr.eoi << 48 | (uint64_t)lr.hw << 49;
    }
    return used;
}

static struct lr in_state(unsigned intid, enum state state, unsigned priority)
{
    return (struct lr) {
        .intid = intid, .state = state, .priority = priority,
        .group = gic->group,
    };
}

/* In an interrupt's handler, with something in each list register */
static void registers(void)
{
    static uint64_t before[VALUES], after[VALUES];
    struct lr lr;
    unsigned used;

    gicd_enable(PHYSICAL);
    gic->set_phys_eoimode(true);
    gicd_write_bit(GICD_ISPENDR, PHYSICAL);
    expect(gic->phys_iar(), PHYSICAL);
    gic->phys_eoir(PHYSICAL);

    gic->set_pmr(0xe8);
    gic->set_bpr(0, 4);
    gic->set_bpr(1, 5);
    lr = in_state(VINTID, PENDING, 0xa0);
    lr.hw = true;
    lr.pintid = PHYSICAL;
    gic->set_lr(2, lr);
    expect(gic->iar(gic->group), VINTID);
    gic->set_lr(0, in_state(VINTID + 1, PENDING, 0x40));
    gic->set_lr(1, in_state(VINTID + 2, PENDING_ACTIVE, 0xe0));
    lr = in_state(VINTID + 3, INVALID, 0);
    lr.eoi = true;
    gic->set_lr(3, lr);
    gic->set_hcr(HCR_EN | HCR_LRENPIE | HCR_EOICOUNT(5));
    gic->enable_group(!gic->group, false);

    used = look(before);
    ask_for("migration");
    look(after);
    for (unsigned n = 0; n < used; n++) {
        expect(after[n], before[n]);
    }
    expect(gic->misr(), MISR_EOI | MISR_LRENP);

    /* It goes on. */
    expect(gic->iar(gic->group), VINTID + 1);
    gic->eoir(gic->group, VINTID + 1);
    expect(gicd_test(GICD_ISACTIVER, PHYSICAL), true);
    gic->eoir(gic->group, VINTID);
    expect(gicd_test(GICD_ISACTIVER, PHYSICAL), false);
    expect(gic->rpr(), 0xff);
    gic->set_phys_eoimode(false);
    gicd_disable(PHYSICAL);
}

static void prepare_own(void)
{
    unsigned self = cpu_index();

    gic->set_lr(self, in_state(VINTID + self, PENDING, 8 * self));
    if (self % 2) {
        expect(gic->iar(gic->group), VINTID + self);
    }
    gic->set_bpr(1, 4 + self);
}

static void expect_own(void)
{
    unsigned self = cpu_index();

    expect(gic->bpr(1), 4 + self);
    if (self % 2 == 0) {
        expect(gic->iar(gic->group), VINTID + self);
    }
    expect(gic->lr(self).state, ACTIVE);
    expect(gic->lr(self).intid, VINTID + self);
    gic->eoir(gic->group, VINTID + self);
    expect(gic->rpr(), 0xff);
    reset_virtual();
}

/* Each vCPU's own */
static void cpus(void)
{
    for (unsigned cpu = 0; cpu < num_cpus; cpu++) {
        on_cpu(cpu, prepare_own);
    }
    ask_for("migration");
    for (unsigned cpu = 0; cpu < num_cpus; cpu++) {
        on_cpu(cpu, expect_own);
    }
}

static uint32_t taken;

static void acknowledge(void)
{
    taken = gic->phys_iar();
}

static void end(void)
{
    gic->phys_eoir(taken);
}

/* Physical interrupts: one active, one pending, of another vCPU */
static void physical(void)
{
    gicd_enable(PHYSICAL);
    gicd_enable(OTHER_SPI);
    gic->set_priority(OTHER_SPI, 0x40);
    gic->route(PHYSICAL, 1);
    gic->route(OTHER_SPI, 1);
    gicd_write_bit(GICD_ISPENDR, PHYSICAL);
    on_cpu(1, acknowledge);
    expect(taken, PHYSICAL);
    gicd_write_bit(GICD_ISPENDR, OTHER_SPI);

    be_quiet(true);
    ask_for("migration");
    acknowledge();
    expect(taken, INTID_NONE);
    on_cpu(1, acknowledge);
    expect(taken, OTHER_SPI);
    be_quiet(false);
    on_cpu(1, end);
    expect(gicd_test(GICD_ISACTIVER, PHYSICAL), true);
    taken = PHYSICAL;
    on_cpu(1, end);
    expect(gicd_test(GICD_ISACTIVER, PHYSICAL), false);
    gicd_disable(PHYSICAL);
    gicd_disable(OTHER_SPI);
}

/*
 * A level that nobody handles. While the vCPU's timer is loaded the GIC's state
 * may not yet be there, and nothing happens afterwards that leads to it.
 */
static void line(void)
{
    be_quiet(true);
    gicd_enable(PPI_VIRTUAL_TIMER);
    sysreg_write(cntv_cval_el0, 0);
    sysreg_write(cntv_ctl_el0, 1);
    expect(sysreg_read(isr_el1) & PSTATE_I, PSTATE_I);
    ask_for("migration");
    expect(sysreg_read(isr_el1) & PSTATE_I, PSTATE_I);
    expect(gic->phys_iar(), PPI_VIRTUAL_TIMER);
    sysreg_write(cntv_ctl_el0, 0);
    gic->phys_eoir(PPI_VIRTUAL_TIMER);
    expect(sysreg_read(isr_el1) & PSTATE_I, 0);
    gicd_disable(PPI_VIRTUAL_TIMER);
    be_quiet(false);
}

const struct test migration_tests[] = {
    { "migration/registers", registers },
    { "migration/cpus", cpus },
    { "migration/physical", physical },
    { "migration/line", line },
    NO_MORE_TESTS
};
