/*
 * Bare-metal guest at EL2: the virtual CPU interface, as both GICs have it
 *
 * EL2 is the hypervisor that fills list registers. Whatever a guest does is
 * done at once, one register access after the other. Rules are those of Arm IHI
 * 0048B, chapter 5, and of IHI 0069, chapter "Virtual interrupt handling".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "gic_virt.h"

/* Virtual interrupts; nothing is known of them but what a list register says */
#define VINTID                  72
#define OTHER                   73
#define THIRD                   74
/* In no list register */
#define ABSENT                  90

/* An SPI that is wired to nothing */
#define PHYSICAL                (SPI_FIRST + 100)

/* So is this PPI, which each vCPU has for itself. */
#define PRIVATE                 (PPI_FIRST + 2)

/* Priorities, from high to low */
#define P_HIGH                  0x40
#define P_MIDDLE                0x80
#define P_LOW                   0xc0
#define P_IDLE                  0xff

static unsigned num_lrs(void)
{
    return VTR_LISTREGS(gic->vtr());
}

static uint32_t all_lrs(void)
{
    return (1u << num_lrs()) - 1;
}

/* What list registers are set to: pending, of the usual group, or otherwise */
static struct lr pending(unsigned intid)
{
    return (struct lr) {
        .intid = intid, .state = PENDING, .priority = P_MIDDLE,
        .group = gic->group,
    };
}

static struct lr at_priority(struct lr lr, unsigned priority)
{
    lr.priority = priority;
    return lr;
}

static struct lr in_state(struct lr lr, enum state state)
{
    lr.state = state;
    return lr;
}

static struct lr of_group(struct lr lr, unsigned group)
{
    lr.group = group;
    return lr;
}

static struct lr with_eoi(struct lr lr)
{
    lr.eoi = true;
    return lr;
}

static struct lr with_hw(struct lr lr, unsigned pintid)
{
    lr.hw = true;
    lr.pintid = pintid;
    return lr;
}

/* The bit of an active priorities register */
static uint32_t apr_bit(unsigned priority)
{
    return 1u << (priority >> (8 - VTR_PREBITS(gic->vtr())));
}

static void set_hcr_bits(uint32_t bits)
{
    gic->set_hcr(HCR_EN | bits);
}

/* What the guest does with interrupts of the usual group */
static uint32_t acknowledge(void)
{
    return gic->iar(gic->group);
}

static void end(uint32_t value)
{
    gic->eoir(gic->group, value);
}

static uint32_t highest_pending(void)
{
    return gic->hppir(gic->group);
}

/* VFIQ is Group 0's, VIRQ is Group 1's. */
static uint64_t line_of(unsigned group)
{
    return group ? PSTATE_I : PSTATE_F;
}

static void expect_none(void)
{
    expect(virtual_lines(), 0);
    expect(acknowledge(), INTID_NONE);
}

static void expect_acknowledge(unsigned intid)
{
    expect(virtual_lines(), line_of(gic->group));
    expect(highest_pending(), intid);
    expect(acknowledge(), intid);
}

static bool maintenance_line(void)
{
    return gicd_test(GICD_ISPENDR, PPI_MAINTENANCE);
}

/* MISR is so, and so is the line. */
static void expect_maintenance(uint32_t misr)
{
    expect(gic->misr(), misr);
    expect(maintenance_line(), misr != 0);
}

/*
 * List registers
 */

static void lr_none(void)
{
    expect(num_lrs() <= MAX_LRS, true);
    expect(gic->elrsr(), all_lrs());
    expect(gic->eisr(), 0);
    expect(highest_pending(), INTID_NONE);
    expect(gic->rpr(), P_IDLE);
    expect_none();
}

static void lr_fields(void)
{
    for (unsigned n = 0; n < num_lrs(); n++) {
        struct lr lr = with_eoi(at_priority(pending(VINTID + n), 8 * n));

        lr.state = n % 4;
        lr.group = n / 2 % 2;
        gic->set_lr(n, lr);
    }
    for (unsigned n = 0; n < num_lrs(); n++) {
        struct lr lr = gic->lr(n);

        expect(lr.intid, VINTID + n);
        expect(lr.state, n % 4);
        expect(lr.priority, 8 * n);
        expect(lr.group, n / 2 % 2);
        expect(lr.eoi, true);
        expect(lr.hw, false);
    }
    gic->set_lr(0, with_hw(pending(VINTID), PHYSICAL));
    expect(gic->lr(0).hw, true);
    expect(gic->lr(0).pintid, PHYSICAL);
}

/* ELRSR: a list register may be used if it is invalid. */
static void lr_allocation(void)
{
    uint32_t empty = all_lrs();

    for (unsigned n = 0; n < num_lrs(); n++) {
        for (enum state state = PENDING; state <= PENDING_ACTIVE; state++) {
            gic->set_lr(n, in_state(pending(VINTID + n), state));
            expect(gic->elrsr(), empty & ~(1u << n));
        }
        empty &= ~(1u << n);
    }
    for (unsigned n = 0; n < num_lrs(); n++) {
        gic->set_lr(n, in_state(pending(VINTID + n), INVALID));
        empty |= 1u << n;
        expect(gic->elrsr(), empty);
    }
}

/* ... and if its EOI maintenance interrupt is not lost with that */
static void lr_allocation_eoi(void)
{
    gic->set_lr(1, with_eoi(in_state(pending(VINTID), INVALID)));
    expect(gic->elrsr(), all_lrs() & ~2u);
    expect(gic->eisr(), 2);
    /* EOI is a bit of the physical INTID there. */
    gic->set_lr(1, with_hw(in_state(pending(VINTID), INVALID),
                           1u << 9 | PHYSICAL));
    expect(gic->elrsr(), all_lrs());
    expect(gic->eisr(), 0);
}

static void lr_freed_by_eoi(void)
{
    gic->set_lr(0, pending(VINTID));
    gic->set_lr(1, pending(OTHER));
    expect(acknowledge(), VINTID);
    expect(gic->elrsr(), all_lrs() & ~3u);
    end(VINTID);
    expect(gic->elrsr(), all_lrs() & ~2u);
    expect(gic->lr(0).state, INVALID);
    /* The rest is as it was. */
    expect(gic->lr(0).intid, VINTID);
    expect(gic->lr(1).state, PENDING);
}

/* Every list register delivers. */
static void lr_each(void)
{
    for (unsigned n = 0; n < num_lrs(); n++) {
        gic->set_lr(n, pending(VINTID));
        expect_acknowledge(VINTID);
        expect(gic->lr(n).state, ACTIVE);
        end(VINTID);
        expect(gic->lr(n).state, INVALID);
        expect_none();
    }
}

/*
 * States
 */

static void state_pending(void)
{
    gic->set_lr(0, pending(VINTID));
    expect_acknowledge(VINTID);
    expect(gic->lr(0).state, ACTIVE);
    expect_none();
    expect(highest_pending(), INTID_NONE);
    end(VINTID);
    expect(gic->lr(0).state, INVALID);
    expect_none();
}

/*
 * An interrupt that is active in the third list register: a hypervisor has
 * moved it there since it was acknowledged. So the active priorities register
 * has what belongs to it, and is not written: with another value than it was
 * read with, this would be UNPREDICTABLE.
 */
static void acknowledge_and_move(unsigned intid, enum state state)
{
    struct lr lr;

    gic->set_lr(0, pending(intid));
    expect(acknowledge(), intid);
    lr = gic->lr(0);
    gic->set_lr(0, (struct lr) { 0 });
    gic->set_lr(2, in_state(lr, state));
}

static void state_active(void)
{
    acknowledge_and_move(VINTID, ACTIVE);
    expect(gic->rpr(), P_MIDDLE);
    expect_none();
    end(VINTID);
    expect(gic->lr(2).state, INVALID);
    expect(gic->rpr(), P_IDLE);
}

static void state_pending_active(void)
{
    acknowledge_and_move(VINTID, PENDING_ACTIVE);
    expect(highest_pending(), INTID_NONE);
    expect_none();
    end(VINTID);
    expect(gic->lr(2).state, PENDING);
    expect_acknowledge(VINTID);
    end(VINTID);
    expect(gic->lr(2).state, INVALID);
}

/* A level rises again while its interrupt is active: no second list register */
static void state_piggyback(void)
{
    struct lr lr;

    gic->set_lr(0, with_eoi(pending(VINTID)));
    expect_acknowledge(VINTID);
    lr = gic->lr(0);
    expect(lr.state, ACTIVE);
    gic->set_lr(0, in_state(lr, lr.state | PENDING));
    expect_none();

    /* It is not over: no maintenance interrupt. */
    end(VINTID);
    expect(gic->lr(0).state, PENDING);
    expect(gic->eisr(), 0);
    expect_maintenance(0);

    expect_acknowledge(VINTID);
    end(VINTID);
    expect(gic->lr(0).state, INVALID);
    expect(gic->eisr(), 1);
    expect_maintenance(MISR_EOI);
}

/* EOI of another interrupt, whose list register is the third */
static void state_eoi_finds_its_lr(void)
{
    gic->set_lr(0, at_priority(pending(VINTID), P_LOW));
    expect(acknowledge(), VINTID);
    gic->set_lr(2, at_priority(pending(OTHER), P_HIGH));
    expect(acknowledge(), OTHER);
    end(OTHER);
    expect(gic->lr(0).state, ACTIVE);
    expect(gic->lr(2).state, INVALID);
    end(VINTID);
    expect(gic->lr(0).state, INVALID);
}

/*
 * Maintenance interrupts
 */

static void maintenance_eoi(void)
{
    gic->set_lr(0, with_eoi(pending(VINTID)));
    gic->set_lr(1, pending(OTHER));
    gic->set_lr(2, with_eoi(pending(THIRD)));
    expect_maintenance(0);

    expect(acknowledge(), VINTID);
    expect_maintenance(0);
    end(VINTID);
    expect(gic->eisr(), 1);
    expect(gic->elrsr(), all_lrs() & ~7u);
    expect_maintenance(MISR_EOI);

    /* Without LR.EOI it is just over. */
    expect(acknowledge(), OTHER);
    end(OTHER);
    expect(gic->eisr(), 1);
    expect(gic->elrsr(), all_lrs() & ~5u);

    expect(acknowledge(), THIRD);
    end(THIRD);
    expect(gic->eisr(), 5);

    /* Each is there until its list register is written. */
    gic->set_lr(0, (struct lr) { 0 });
    expect(gic->eisr(), 4);
    expect_maintenance(MISR_EOI);
    gic->set_lr(2, pending(THIRD));
    expect(gic->eisr(), 0);
    expect_maintenance(0);
}

/* Underflow: none or one list register is valid. */
static void maintenance_underflow(void)
{
    set_hcr_bits(HCR_UIE);
    expect_maintenance(MISR_U);
    gic->set_lr(3, pending(OTHER));
    expect_maintenance(MISR_U);
    expect(acknowledge(), OTHER);
    expect_maintenance(MISR_U);
    gic->set_lr(0, pending(VINTID));
    expect_maintenance(0);
    gic->set_lr(1, at_priority(pending(THIRD), P_HIGH));
    expect_maintenance(0);

    expect(acknowledge(), THIRD);
    expect_maintenance(0);
    end(THIRD);
    expect_maintenance(0);
    end(OTHER);
    expect_maintenance(MISR_U);
    gic->set_hcr(HCR_EN);
    expect_maintenance(0);
}

/* No list register is in the pending state. */
static void maintenance_no_pending(void)
{
    set_hcr_bits(HCR_NPIE);
    expect_maintenance(MISR_NP);
    gic->set_lr(2, pending(VINTID));
    expect_maintenance(0);
    expect(acknowledge(), VINTID);
    expect_maintenance(MISR_NP);
    gic->set_lr(0, pending(OTHER));
    expect_maintenance(0);
    gic->set_lr(0, (struct lr) { 0 });
    expect_maintenance(MISR_NP);
    gic->set_hcr(HCR_EN);
    expect_maintenance(0);
}

/* Acknowledged, then taken out of its list register by a hypervisor */
static void acknowledge_and_evict(unsigned intid)
{
    gic->set_lr(0, pending(intid));
    expect(acknowledge(), intid);
    gic->set_lr(0, (struct lr) { 0 });
}

static uint32_t eoicount(void)
{
    return gic->hcr() >> 27;
}

static void maintenance_not_present(void)
{
    set_hcr_bits(HCR_LRENPIE);
    expect_maintenance(0);
    acknowledge_and_evict(ABSENT);
    end(ABSENT);
    expect(gic->rpr(), P_IDLE);
    expect(eoicount(), 1);
    expect_maintenance(MISR_LRENP);
    acknowledge_and_evict(ABSENT);
    end(ABSENT);
    expect(eoicount(), 2);

    /* EOIs that find one do not count. */
    gic->set_lr(0, pending(VINTID));
    expect(acknowledge(), VINTID);
    end(VINTID);
    expect(eoicount(), 2);

    /* It counts without the enable bit, too. */
    gic->set_hcr(HCR_EN | HCR_EOICOUNT(2));
    expect_maintenance(0);
    acknowledge_and_evict(ABSENT);
    end(ABSENT);
    expect(eoicount(), 3);
    set_hcr_bits(HCR_LRENPIE | HCR_EOICOUNT(3));
    expect_maintenance(MISR_LRENP);
    set_hcr_bits(HCR_LRENPIE);
    expect_maintenance(0);
}

static void maintenance_eoicount_wraps(void)
{
    set_hcr_bits(HCR_LRENPIE | HCR_EOICOUNT(31));
    expect_maintenance(MISR_LRENP);
    acknowledge_and_evict(ABSENT);
    end(ABSENT);
    expect(eoicount(), 0);
    expect(gic->hcr(), HCR_EN | HCR_LRENPIE);
    expect_maintenance(0);
}

/* Spurious interrupts are not counted. */
static void maintenance_eoi_of_none(void)
{
    gic->set_lr(0, pending(VINTID));
    expect(acknowledge(), VINTID);
    end(INTID_NONE);
    expect(eoicount(), 0);
    expect(gic->lr(0).state, ACTIVE);
    expect(gic->rpr(), P_MIDDLE);
}

/*
 * With EOImode, what deactivates is DIR: only this counts (ICH_HCR_EL2,
 * EOIcount; GICH_HCR, EOICount).
 */
static void maintenance_not_present_dir(void)
{
    gic->set_ctlr(false, true);
    set_hcr_bits(HCR_LRENPIE);
    acknowledge_and_evict(ABSENT);
    end(ABSENT);
    expect(gic->rpr(), P_IDLE);
    expect(eoicount(), 0);
    expect_maintenance(0);
    gic->dir(ABSENT);
    expect(eoicount(), 1);
    expect_maintenance(MISR_LRENP);
}

/* For each group: it is enabled, it is disabled */
static void maintenance_groups(void)
{
    static const struct {
        uint32_t hcr, misr;
        unsigned group;
        bool enabled;
    } causes[] = {
        { HCR_VGRP0EIE, MISR_VGRP0E, 0, true },
        { HCR_VGRP0DIE, MISR_VGRP0D, 0, false },
        { HCR_VGRP1EIE, MISR_VGRP1E, 1, true },
        { HCR_VGRP1DIE, MISR_VGRP1D, 1, false },
    };

    for (unsigned n = 0; n < ARRAY_SIZE(causes); n++) {
        set_hcr_bits(causes[n].hcr);
        for (unsigned enabled = 0; enabled < 4; enabled++) {
            gic->enable_group(0, enabled & 1);
            gic->enable_group(1, enabled & 2);
            expect_maintenance(
                (enabled >> causes[n].group & 1) == causes[n].enabled ?
                causes[n].misr : 0);
        }
        gic->set_hcr(HCR_EN);
        expect_maintenance(0);
    }
}

/* Several at once, each for itself */
static void maintenance_together(void)
{
    gic->set_lr(0, with_eoi(in_state(pending(VINTID), INVALID)));
    set_hcr_bits(HCR_UIE | HCR_NPIE | HCR_LRENPIE | HCR_VGRP1EIE |
                 HCR_EOICOUNT(1));
    expect_maintenance(MISR_EOI | MISR_U | MISR_NP | MISR_LRENP | MISR_VGRP1E);
    gic->set_lr(1, pending(OTHER));
    expect_maintenance(MISR_EOI | MISR_U | MISR_LRENP | MISR_VGRP1E);
    gic->set_lr(0, (struct lr) { 0 });
    expect_maintenance(MISR_U | MISR_LRENP | MISR_VGRP1E);
    gic->enable_group(1, false);
    expect_maintenance(MISR_U | MISR_LRENP);
    gic->set_lr(2, pending(VINTID));
    expect_maintenance(MISR_LRENP);
    set_hcr_bits(HCR_UIE | HCR_NPIE | HCR_LRENPIE | HCR_VGRP1EIE);
    expect_maintenance(0);
}

/* The guest's EOI makes it. */
static void maintenance_taken(void)
{
    gicd_enable(PPI_MAINTENANCE);
    gic->set_lr(0, with_eoi(pending(VINTID)));
    expect(acknowledge(), VINTID);
    let_irqs_come();
    expect(irqs_at_el2, 0);
    end(VINTID);
    let_irqs_come();
    expect(irqs_at_el2, 1);
    expect(last_irq_at_el2, PPI_MAINTENANCE);

    /* It was only disabled: a level that is still there */
    expect(maintenance_line(), true);
    gicd_write_bit(GICD_ISENABLER, PPI_MAINTENANCE);
    let_irqs_come();
    expect(irqs_at_el2, 2);
    expect(last_irq_at_el2, PPI_MAINTENANCE);
    gic->set_lr(0, (struct lr) { 0 });
    expect(maintenance_line(), false);
    gicd_write_bit(GICD_ISENABLER, PPI_MAINTENANCE);
    let_irqs_come();
    expect(irqs_at_el2, 2);
    gicd_disable(PPI_MAINTENANCE);
}

/*
 * Priorities
 */

static void priority_order(void)
{
    gic->set_lr(0, at_priority(pending(VINTID), P_LOW));
    gic->set_lr(1, at_priority(pending(OTHER), P_MIDDLE));
    gic->set_lr(2, at_priority(pending(THIRD), P_HIGH));
    expect_acknowledge(THIRD);
    end(THIRD);
    expect_acknowledge(OTHER);
    end(OTHER);
    expect_acknowledge(VINTID);
    end(VINTID);
    expect_none();
}

static void priority_running(void)
{
    gic->set_lr(0, at_priority(pending(VINTID), P_LOW));
    expect(acknowledge(), VINTID);
    expect(gic->rpr(), P_LOW);
    gic->set_lr(1, at_priority(pending(OTHER), P_MIDDLE));
    expect(acknowledge(), OTHER);
    expect(gic->rpr(), P_MIDDLE);
    gic->set_lr(2, at_priority(pending(THIRD), P_HIGH));
    expect(acknowledge(), THIRD);
    expect(gic->rpr(), P_HIGH);
    end(THIRD);
    expect(gic->rpr(), P_MIDDLE);
    end(OTHER);
    expect(gic->rpr(), P_LOW);
    end(VINTID);
    expect(gic->rpr(), P_IDLE);
}

/* Of the same priority or a lower one, it is pending, but not signalled. */
static void priority_no_preemption(void)
{
    gic->set_lr(0, pending(VINTID));
    expect(acknowledge(), VINTID);
    gic->set_lr(1, pending(OTHER));
    expect(highest_pending(), OTHER);
    expect_none();
    gic->set_lr(1, at_priority(pending(OTHER), P_LOW));
    expect(highest_pending(), OTHER);
    expect_none();
    expect(gic->lr(1).state, PENDING);
    end(VINTID);
    expect_acknowledge(OTHER);
}

/* Only what is of a higher priority than the mask */
static void priority_mask(void)
{
    gic->set_lr(0, pending(VINTID));
    gic->set_pmr(P_MIDDLE);
    expect(gic->pmr(), P_MIDDLE);
    expect_none();
    gic->set_pmr(0);
    expect_none();
    expect(gic->lr(0).state, PENDING);
    gic->set_pmr(P_MIDDLE + 8);
    expect_acknowledge(VINTID);
    end(VINTID);
}

static uint32_t lowest_priority(void)
{
    return 0xff & ~0u << (8 - VTR_PRIBITS(gic->vtr()));
}

/* Bits that are not implemented are RAZ/WI. */
static void priority_mask_bits(void)
{
    gic->set_pmr(0xff);
    expect(gic->pmr(), lowest_priority());
    gic->set_lr(0, at_priority(pending(VINTID), 0xff));
    expect(gic->lr(0).priority, lowest_priority());
    expect_none();
}

static unsigned min_bpr(unsigned group)
{
    return 7 - VTR_PREBITS(gic->vtr()) + group;
}

static void priority_bpr_minimum(void)
{
    for (unsigned group = 0; group < 2; group++) {
        gic->set_bpr(group, 0);
        expect(gic->bpr(group), min_bpr(group));
        for (unsigned bpr = min_bpr(group); bpr < 8; bpr++) {
            gic->set_bpr(group, bpr);
            expect(gic->bpr(group), bpr);
        }
        gic->set_bpr(group, 0);
    }
    expect(gic->bpr(0), min_bpr(0));
    expect(gic->bpr(1), min_bpr(1));
}

/* The field has three bits; the others are reserved. */
static void priority_bpr_reserved(void)
{
    for (unsigned group = 0; group < 2; group++) {
        gic->set_bpr(group, 0xfffffff8);
        expect(gic->bpr(group), min_bpr(group));
        gic->set_bpr(group, 0xf8 | 6);
        expect(gic->bpr(group), 6);
        gic->set_bpr(group, 8);
        expect(gic->bpr(group), min_bpr(group));
    }
    gic->set_lr(0, at_priority(pending(VINTID), P_LOW));
    expect(acknowledge(), VINTID);
    gic->set_lr(1, at_priority(pending(OTHER), P_HIGH));
    expect_acknowledge(OTHER);
}

/*
 * The binary point: 5 makes the three upper bits group priority for Group 1,
 * 4 does for Group 0.
 */
static void expect_subpriority(unsigned group)
{
    struct lr running = of_group(at_priority(pending(VINTID), 0x90), group);
    struct lr next = of_group(at_priority(pending(OTHER), 0x80), group);

    gic->set_lr(0, running);
    expect(gic->iar(group), VINTID);
    expect(gic->rpr(), 0x80);
    gic->set_lr(1, next);
    expect(gic->hppir(group), OTHER);
    expect(virtual_lines(), 0);
    expect(gic->iar(group), INTID_NONE);
    next.priority = 0x78;
    gic->set_lr(1, next);
    expect(virtual_lines(), line_of(group));
    expect(gic->iar(group), OTHER);
    expect(gic->rpr(), 0x60);
    gic->eoir(group, OTHER);
    gic->eoir(group, VINTID);
    expect(gic->lr(0).state, INVALID);
    expect(gic->lr(1).state, INVALID);

    /* Of two that are pending, subpriority decides. */
    next.priority = 0x80;
    gic->set_lr(0, running);
    gic->set_lr(1, next);
    expect(gic->iar(group), OTHER);
    gic->eoir(group, OTHER);
    expect(gic->iar(group), VINTID);
    gic->eoir(group, VINTID);
}

static void expect_no_subpriority(unsigned group)
{
    gic->set_lr(0, of_group(at_priority(pending(VINTID), 0x90), group));
    expect(gic->iar(group), VINTID);
    expect(gic->rpr(), 0x90);
    gic->set_lr(1, of_group(at_priority(pending(OTHER), 0x80), group));
    expect(gic->iar(group), OTHER);
    expect(gic->rpr(), 0x80);
    gic->eoir(group, OTHER);
    gic->eoir(group, VINTID);
}

static void priority_bpr1(void)
{
    gic->set_bpr(1, 5);
    expect_subpriority(1);
    expect_no_subpriority(0);
}

static void priority_bpr0(void)
{
    gic->set_bpr(0, 4);
    expect_subpriority(0);
    expect_no_subpriority(1);
}

/* With CBPR, BPR0 is for both groups. */
static void priority_cbpr(void)
{
    gic->set_bpr(0, 4);
    gic->set_bpr(1, 3);
    gic->set_ctlr(true, false);
    expect(gic->cbpr(), true);
    expect_subpriority(1);
    expect_subpriority(0);
    gic->set_ctlr(false, false);
    expect(gic->bpr(1), 3);
    expect_no_subpriority(1);
}

/*
 * Groups
 */

static void group_lines(void)
{
    gic->set_lr(0, of_group(pending(VINTID), 0));
    expect(virtual_lines(), PSTATE_F);
    expect(gic->hppir(0), VINTID);
    expect(gic->iar(1), INTID_NONE);
    expect(gic->iar(0), VINTID);
    expect(virtual_lines(), 0);
    gic->eoir(0, VINTID);
    expect(gic->lr(0).state, INVALID);

    gic->set_lr(0, of_group(pending(VINTID), 1));
    expect(virtual_lines(), PSTATE_I);
    expect(gic->hppir(1), VINTID);
    expect(gic->iar(0), gic->v3 ? INTID_NONE : INTID_OTHER_GROUP);
    expect(gic->iar(1), VINTID);
    expect(virtual_lines(), 0);
    gic->eoir(1, VINTID);
    expect(gic->lr(0).state, INVALID);
}

static void group_enables(void)
{
    for (unsigned group = 0; group < 2; group++) {
        gic->set_lr(0, of_group(pending(VINTID), group));
        expect(gic->group_enabled(group), true);
        gic->enable_group(group, false);
        expect(gic->group_enabled(group), false);
        expect(gic->group_enabled(!group), true);
        expect(virtual_lines(), 0);
        expect(gic->iar(group), INTID_NONE);
        expect(gic->lr(0).state, PENDING);
        gic->enable_group(group, true);
        expect(virtual_lines(), line_of(group));
        expect(gic->iar(group), VINTID);
        gic->eoir(group, VINTID);
    }
}

/* Groups have their priorities in common. */
static void group_preemption(void)
{
    gic->set_lr(0, of_group(at_priority(pending(VINTID), P_LOW), 1));
    expect(gic->iar(1), VINTID);
    gic->set_lr(1, of_group(at_priority(pending(OTHER), P_MIDDLE), 0));
    expect(virtual_lines(), PSTATE_F);
    expect(gic->iar(0), OTHER);
    expect(gic->rpr(), P_MIDDLE);
    gic->set_lr(2, of_group(pending(THIRD), 1));
    expect(virtual_lines(), 0);
    expect(gic->iar(1), INTID_NONE);
    gic->set_lr(2, of_group(at_priority(pending(THIRD), P_HIGH), 1));
    expect(virtual_lines(), PSTATE_I);
    expect(gic->iar(1), THIRD);
    expect(gic->rpr(), P_HIGH);
    gic->eoir(1, THIRD);
    gic->eoir(0, OTHER);
    expect(gic->rpr(), P_LOW);
    gic->eoir(1, VINTID);
    expect(gic->rpr(), P_IDLE);
    expect(gic->elrsr(), all_lrs());
}

/*
 * EOImode: EOI drops the priority, DIR deactivates.
 */

static void eoimode_split(void)
{
    gic->set_ctlr(false, true);
    expect(gic->eoimode(), true);
    gic->set_lr(0, with_eoi(pending(VINTID)));
    gic->set_lr(1, at_priority(pending(OTHER), P_LOW));
    expect(acknowledge(), VINTID);
    end(VINTID);
    expect(gic->rpr(), P_IDLE);
    expect(gic->lr(0).state, ACTIVE);
    expect_maintenance(0);

    /* A lower priority comes through while the first is active. */
    expect_acknowledge(OTHER);
    end(OTHER);
    gic->dir(VINTID);
    expect(gic->lr(0).state, INVALID);
    expect(gic->lr(1).state, ACTIVE);
    expect(gic->eisr(), 1);
    expect_maintenance(MISR_EOI);
    gic->dir(OTHER);
    expect(gic->lr(1).state, INVALID);
}

static void eoimode_pending_active(void)
{
    gic->set_ctlr(false, true);
    gic->set_lr(0, pending(VINTID));
    expect(acknowledge(), VINTID);
    gic->set_lr(0, in_state(gic->lr(0), PENDING_ACTIVE));
    end(VINTID);
    expect(gic->lr(0).state, PENDING_ACTIVE);
    /* Active, so it does not come again. */
    expect_none();
    gic->dir(VINTID);
    expect(gic->lr(0).state, PENDING);
    expect_acknowledge(VINTID);
}

/*
 * List registers of hardware interrupts
 */

/* The physical interrupt has come to EL2, which gives it to the guest. */
static void forward(unsigned intid)
{
    gicd_enable(intid);
    gic->set_phys_eoimode(true);
    gicd_write_bit(GICD_ISPENDR, intid);
    expect(gic->phys_iar(), intid);
    gic->phys_eoir(intid);
    expect(gicd_test(GICD_ISACTIVER, intid), true);
    gic->set_lr(1, with_hw(pending(VINTID), intid));
}

static void forget(unsigned intid)
{
    gicd_disable(intid);
    gicd_write_bit(GICD_ICPENDR, intid);
    gicd_write_bit(GICD_ICACTIVER, intid);
    gic->set_phys_eoimode(false);
}

static void hw_eoi(void)
{
    forward(PHYSICAL);
    expect_acknowledge(VINTID);
    expect(gicd_test(GICD_ISACTIVER, PHYSICAL), true);
    end(VINTID);
    expect(gic->lr(1).state, INVALID);
    expect(gicd_test(GICD_ISACTIVER, PHYSICAL), false);
    expect(gic->elrsr(), all_lrs());
    expect(gic->eisr(), 0);
    expect_maintenance(0);
    forget(PHYSICAL);
}

/* It comes again while the guest handles it: that waits for the guest. */
static void hw_again(void)
{
    forward(PHYSICAL);
    expect_acknowledge(VINTID);
    gicd_write_bit(GICD_ISPENDR, PHYSICAL);
    expect(gic->phys_iar(), INTID_NONE);
    let_irqs_come();
    expect(irqs_at_el2, 0);
    end(VINTID);
    let_irqs_come();
    expect(irqs_at_el2, 1);
    expect(last_irq_at_el2, PHYSICAL);
    forget(PHYSICAL);
}

static void hw_dir(void)
{
    gic->set_ctlr(false, true);
    forward(PHYSICAL);
    expect_acknowledge(VINTID);
    end(VINTID);
    expect(gic->lr(1).state, ACTIVE);
    expect(gicd_test(GICD_ISACTIVER, PHYSICAL), true);
    gic->dir(VINTID);
    expect(gic->lr(1).state, INVALID);
    expect(gicd_test(GICD_ISACTIVER, PHYSICAL), false);
    forget(PHYSICAL);
}

/*
 * Without HW, it is nobody's but the guest's, whatever its number: EL2
 * deactivates the physical one.
 */
static void hw_not(void)
{
    forward(PHYSICAL);
    gic->set_lr(1, pending(PHYSICAL));
    expect_acknowledge(PHYSICAL);
    end(PHYSICAL);
    expect(gic->lr(1).state, INVALID);
    expect(gicd_test(GICD_ISACTIVER, PHYSICAL), true);
    gic->phys_dir(PHYSICAL);
    expect(gicd_test(GICD_ISACTIVER, PHYSICAL), false);
    forget(PHYSICAL);
}

static void forward_own(void)
{
    forward(PRIVATE);
}

static void end_own(void)
{
    expect_acknowledge(VINTID);
    expect(gicd_test(GICD_ISACTIVER, PRIVATE), true);
    end(VINTID);
    expect(gic->lr(1).state, INVALID);
}

static void own_is_active(void)
{
    expect(gic->lr(1).state, PENDING);
    expect(gicd_test(GICD_ISACTIVER, PRIVATE), true);
}

static void own_is_inactive(void)
{
    expect(gicd_test(GICD_ISACTIVER, PRIVATE), false);
}

static void forget_own(void)
{
    forget(PRIVATE);
    reset_virtual();
}

/* What a vCPU's guest ends is that vCPU's PPI: the last vCPU is the first. */
static void hw_ppi(void)
{
    for (unsigned cpu = 0; cpu < num_cpus; cpu++) {
        on_cpu(cpu, forward_own);
    }
    for (unsigned cpu = num_cpus; cpu-- > 0;) {
        on_cpu(cpu, end_own);
        for (unsigned other = 0; other < num_cpus; other++) {
            on_cpu(other, other < cpu ? own_is_active : own_is_inactive);
        }
    }
    for (unsigned cpu = 0; cpu < num_cpus; cpu++) {
        on_cpu(cpu, forget_own);
    }
}

static void give_to_guest(unsigned intid)
{
    gic->set_lr(1, with_hw(pending(VINTID), intid));
}

/*
 * A level comes again after the guest's EOI while it is high; until then, it is
 * active, and waits for the guest.
 */
static void hw_level(void)
{
    const unsigned times = 3;

    el2_irq = give_to_guest;
    gic->set_phys_eoimode(true);
    gicd_enable(PPI_VIRTUAL_TIMER);
    sysreg_write(cntv_cval_el0, 0);
    sysreg_write(cntv_ctl_el0, 1);
    for (unsigned n = 1; n <= times; n++) {
        let_irqs_come();
        expect(irqs_at_el2, n);
        expect(last_irq_at_el2, PPI_VIRTUAL_TIMER);
        expect_acknowledge(VINTID);
        let_irqs_come();
        expect(irqs_at_el2, n);
        expect(gicd_test(GICD_ISACTIVER, PPI_VIRTUAL_TIMER), true);
        expect(gicd_test(GICD_ISPENDR, PPI_VIRTUAL_TIMER), true);
        if (n == times) {
            sysreg_write(cntv_ctl_el0, 0);
        }
        end(VINTID);
    }
    let_irqs_come();
    expect(irqs_at_el2, times);
    expect(gic->lr(1).state, INVALID);
    expect(gicd_test(GICD_ISACTIVER, PPI_VIRTUAL_TIMER), false);
    expect(gicd_test(GICD_ISPENDR, PPI_VIRTUAL_TIMER), false);
    forget(PPI_VIRTUAL_TIMER);
}

/*
 * What a hypervisor saves and restores
 */

static void vmcr_from_guest(void)
{
    gic->enable_group(0, false);
    gic->set_pmr(0xa8);
    gic->set_bpr(0, 4);
    gic->set_bpr(1, 6);
    gic->set_ctlr(true, true);
    expect(gic->vmcr(), VMCR_VENG1 | VMCR_VFIQEN | VMCR_VCBPR | VMCR_VEOIM |
           VMCR_VBPR0(4) | VMCR_VBPR1(6) | VMCR_VPMR(0xa8));
    gic->enable_group(0, true);
    gic->enable_group(1, false);
    gic->set_pmr(0x58);
    gic->set_ctlr(false, false);
    gic->set_bpr(1, 5);
    expect(gic->vmcr(), VMCR_VENG0 | VMCR_VFIQEN | VMCR_VBPR0(4) |
           VMCR_VBPR1(5) | VMCR_VPMR(0x58));
}

static void vmcr_to_guest(void)
{
    gic->set_vmcr(VMCR_VENG1 | VMCR_VFIQEN | VMCR_VEOIM | VMCR_VBPR0(3) |
                  VMCR_VBPR1(7) | VMCR_VPMR(0x68));
    expect(gic->group_enabled(0), false);
    expect(gic->group_enabled(1), true);
    expect(gic->cbpr(), false);
    expect(gic->eoimode(), true);
    expect(gic->bpr(0), 3);
    expect(gic->bpr(1), 7);
    expect(gic->pmr(), 0x68);
    gic->set_vmcr(VMCR_VENG0 | VMCR_VFIQEN | VMCR_VCBPR | VMCR_VBPR0(5) |
                  VMCR_VBPR1(6) | VMCR_VPMR(0xf0));
    expect(gic->group_enabled(0), true);
    expect(gic->group_enabled(1), false);
    expect(gic->cbpr(), true);
    expect(gic->eoimode(), false);
    expect(gic->bpr(0), 5);
    expect(gic->pmr(), 0xf0);
}

/* A hypervisor's writes are in effect at once. */
static void vmcr_signals(void)
{
    uint32_t vmcr = gic->vmcr() & ~VMCR_VPMR(0xff);

    gic->set_lr(0, pending(VINTID));
    gic->set_vmcr(vmcr | VMCR_VPMR(P_MIDDLE));
    expect(virtual_lines(), 0);
    gic->set_vmcr(vmcr | VMCR_VPMR(P_LOW));
    expect(virtual_lines(), line_of(gic->group));
    gic->set_vmcr((vmcr & ~(VMCR_VENG0 | VMCR_VENG1)) | VMCR_VPMR(P_LOW));
    expect(virtual_lines(), 0);
}

/* What the register does not have, VMCR has not. */
static void vmcr_limits(void)
{
    const uint32_t enables = VMCR_VENG0 | VMCR_VENG1 | VMCR_VFIQEN;

    gic->set_vmcr(enables | VMCR_VPMR(0xff));
    expect(gic->bpr(0), min_bpr(0));
    expect(gic->bpr(1), min_bpr(1));
    expect(gic->pmr(), lowest_priority());
    expect(gic->vmcr(), enables | VMCR_VBPR0(min_bpr(0)) |
           VMCR_VBPR1(min_bpr(1)) | VMCR_VPMR(lowest_priority()));
    /* The lowest priority of all is never signalled. */
    gic->set_lr(0, at_priority(pending(VINTID), lowest_priority()));
    expect_none();
}

/* All that a vCPU has */
struct context {
    uint32_t hcr, vmcr, apr[2];
    struct lr lrs[MAX_LRS];
};

static void save(struct context *context)
{
    context->hcr = gic->hcr();
    context->vmcr = gic->vmcr();
    for (unsigned group = 0; group < 2; group++) {
        context->apr[group] = gic->apr(group);
    }
    for (unsigned n = 0; n < num_lrs(); n++) {
        context->lrs[n] = gic->lr(n);
    }
}

static void restore(const struct context *context)
{
    gic->set_vmcr(context->vmcr);
    for (unsigned group = 0; group < 2; group++) {
        gic->set_apr(group, context->apr[group]);
    }
    for (unsigned n = 0; n < num_lrs(); n++) {
        gic->set_lr(n, context->lrs[n]);
    }
    gic->set_hcr(context->hcr);
}

static void apr_bits(void)
{
    uint32_t both = apr_bit(P_LOW) | apr_bit(P_HIGH);

    gic->set_lr(0, of_group(at_priority(pending(VINTID), P_LOW), 1));
    gic->set_lr(1, of_group(at_priority(pending(OTHER), P_HIGH), 0));
    expect(gic->iar(0), OTHER);
    gic->eoir(0, OTHER);
    expect(gic->iar(1), VINTID);
    expect(gic->apr(1), apr_bit(P_LOW));
    gic->set_lr(1, of_group(at_priority(pending(OTHER), P_HIGH), 0));
    expect(gic->iar(0), OTHER);
    expect(gic->apr(0), gic->v3 ? apr_bit(P_HIGH) : both);
    expect(gic->apr(1), gic->v3 ? apr_bit(P_LOW) : both);
    gic->eoir(0, OTHER);
    gic->eoir(1, VINTID);
    expect(gic->apr(0), 0);
    expect(gic->apr(1), 0);
}

/* Within two handlers, a hypervisor runs another guest. */
static void apr_switch(void)
{
    struct context context;

    gic->set_pmr(0xf0);
    gic->set_lr(0, of_group(pending(VINTID), 1));
    expect(gic->iar(1), VINTID);
    gic->set_lr(1, of_group(at_priority(pending(OTHER), P_HIGH), 0));
    expect(gic->iar(0), OTHER);
    gic->set_lr(2, of_group(at_priority(pending(THIRD), P_HIGH), 1));
    save(&context);

    reset_virtual();
    expect(gic->rpr(), P_IDLE);
    gic->set_lr(0, at_priority(pending(ABSENT), P_LOW));
    expect_acknowledge(ABSENT);
    expect(gic->rpr(), P_LOW);

    restore(&context);
    expect(gic->pmr(), 0xf0);
    expect(gic->rpr(), P_HIGH);
    expect(virtual_lines(), 0);
    gic->eoir(0, OTHER);
    expect(gic->lr(1).state, INVALID);
    expect(gic->rpr(), P_MIDDLE);
    expect(virtual_lines(), PSTATE_I);
    expect(gic->iar(1), THIRD);
    gic->eoir(1, THIRD);
    gic->eoir(1, VINTID);
    expect(gic->rpr(), P_IDLE);
    expect(gic->elrsr(), all_lrs());
}

/* The register of a vCPU that is in such a handler, then switched out */
static uint32_t saved_apr(unsigned priority)
{
    uint32_t apr;

    gic->set_lr(0, at_priority(pending(ABSENT), priority));
    expect(acknowledge(), ABSENT);
    apr = gic->apr(gic->group);
    reset_virtual();
    return apr;
}

/* What restores the registers in another order, has signalled nothing wrong. */
static void apr_signals(void)
{
    uint32_t middle = saved_apr(P_MIDDLE);
    uint32_t low = saved_apr(P_LOW);

    gic->set_lr(0, pending(VINTID));
    expect(virtual_lines(), line_of(gic->group));
    gic->set_apr(gic->group, middle);
    expect(virtual_lines(), 0);
    gic->set_apr(gic->group, low);
    expect(virtual_lines(), line_of(gic->group));
    gic->set_apr(gic->group, 0);
    expect_acknowledge(VINTID);
}

/*
 * HCR.En
 */

static void enable_off(void)
{
    gic->set_lr(0, pending(VINTID));
    gic->set_lr(1, with_eoi(in_state(pending(OTHER), INVALID)));
    expect(virtual_lines(), line_of(gic->group));
    expect(maintenance_line(), true);
    gic->set_hcr(HCR_UIE);
    expect(maintenance_line(), false);
    expect_none();
    expect(gic->lr(0).state, PENDING);
    expect(gic->elrsr(), all_lrs() & ~3u);
    gic->set_hcr(HCR_EN);
    expect(maintenance_line(), true);
    expect_acknowledge(VINTID);
}

/*
 * Each vCPU has all of this for itself.
 */

static void own_interrupt(void)
{
    gic->set_lr(0, with_eoi(at_priority(pending(VINTID + cpu_index()),
                                        P_LOW - 8 * cpu_index())));
}

static void own_is_acknowledged(void)
{
    unsigned self = cpu_index();

    expect_acknowledge(VINTID + self);
    expect(gic->rpr(), P_LOW - 8 * self);
    expect(gic->lr(0).state, ACTIVE);
    expect_maintenance(0);
}

static void own_is_pending(void)
{
    expect(gic->lr(0).state, PENDING);
    expect(gic->lr(0).intid, VINTID + cpu_index());
    expect(gic->rpr(), P_IDLE);
    expect(virtual_lines(), line_of(gic->group));
    expect(maintenance_line(), false);
}

static void own_is_over(void)
{
    end(VINTID + cpu_index());
    expect(gic->eisr(), 1);
    expect(gic->elrsr(), all_lrs() & ~1u);
    expect_maintenance(MISR_EOI);
    reset_virtual();
    expect_maintenance(0);
}

static void own_mask(void)
{
    gic->set_pmr(8 * (cpu_index() + 1));
    expect(gic->vmcr() >> 24, 8 * (cpu_index() + 1));
    gic->set_bpr(1, 4 + cpu_index());
}

static void own_mask_is_there(void)
{
    expect(gic->pmr(), 8 * (cpu_index() + 1));
    expect(gic->bpr(1), 4 + cpu_index());
    reset_virtual();
}

static void cpus_have_their_own(void)
{
    for (unsigned cpu = 0; cpu < num_cpus; cpu++) {
        on_cpu(cpu, own_interrupt);
    }
    for (unsigned cpu = 0; cpu < num_cpus; cpu++) {
        for (unsigned other = cpu; other < num_cpus; other++) {
            on_cpu(other, own_is_pending);
        }
        on_cpu(cpu, own_is_acknowledged);
    }
    for (unsigned cpu = 0; cpu < num_cpus; cpu++) {
        on_cpu(cpu, own_is_over);
    }
    for (unsigned cpu = 0; cpu < num_cpus; cpu++) {
        on_cpu(cpu, own_mask);
    }
    for (unsigned cpu = 0; cpu < num_cpus; cpu++) {
        on_cpu(cpu, own_mask_is_there);
    }
}

const struct test virtual_tests[] = {
    { "lr/none", lr_none },
    { "lr/fields", lr_fields },
    { "lr/allocation", lr_allocation },
    { "lr/allocation-eoi", lr_allocation_eoi },
    { "lr/freed-by-eoi", lr_freed_by_eoi },
    { "lr/each", lr_each },
    { "state/pending", state_pending },
    { "state/active", state_active },
    { "state/pending-active", state_pending_active },
    { "state/piggyback", state_piggyback },
    { "state/eoi-finds-its-lr", state_eoi_finds_its_lr },
    { "maintenance/eoi", maintenance_eoi },
    { "maintenance/underflow", maintenance_underflow },
    { "maintenance/no-pending", maintenance_no_pending },
    { "maintenance/not-present", maintenance_not_present },
    { "maintenance/eoicount-wraps", maintenance_eoicount_wraps },
    { "maintenance/eoi-of-none", maintenance_eoi_of_none },
    { "maintenance/not-present-dir", maintenance_not_present_dir },
    { "maintenance/groups", maintenance_groups },
    { "maintenance/together", maintenance_together },
    { "maintenance/taken", maintenance_taken },
    { "priority/order", priority_order },
    { "priority/running", priority_running },
    { "priority/no-preemption", priority_no_preemption },
    { "priority/mask", priority_mask },
    { "priority/mask-bits", priority_mask_bits },
    { "priority/bpr-minimum", priority_bpr_minimum },
    { "priority/bpr-reserved", priority_bpr_reserved },
    { "priority/bpr0", priority_bpr0 },
    { "priority/bpr1", priority_bpr1 },
    { "priority/cbpr", priority_cbpr },
    { "group/lines", group_lines },
    { "group/enables", group_enables },
    { "group/preemption", group_preemption },
    { "eoimode/split", eoimode_split },
    { "eoimode/pending-active", eoimode_pending_active },
    { "hw/eoi", hw_eoi },
    { "hw/again", hw_again },
    { "hw/dir", hw_dir },
    { "hw/not", hw_not },
    { "hw/ppi", hw_ppi },
    { "hw/level", hw_level },
    { "vmcr/from-guest", vmcr_from_guest },
    { "vmcr/to-guest", vmcr_to_guest },
    { "vmcr/signals", vmcr_signals },
    { "vmcr/limits", vmcr_limits },
    { "apr/bits", apr_bits },
    { "apr/switch", apr_switch },
    { "apr/signals", apr_signals },
    { "enable/off", enable_off },
    { "cpus/own", cpus_have_their_own },
    NO_MORE_TESTS
};
