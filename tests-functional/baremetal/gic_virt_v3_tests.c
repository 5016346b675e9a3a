/*
 * Bare-metal guest at EL2: the virtual interface, as only GICv3 has it
 *
 * Arm IHI 0069: ICH_* and ICV_* registers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "gic_virt.h"

#define VINTID                  72
#define OTHER                   73
#define VLPI                    (8192 + 5)
#define SGI                     6

#define HCR_EL2_BITS            (HCR_EL2_RW | HCR_EL2_IMO | HCR_EL2_FMO)

static struct lr pending(unsigned intid, unsigned group, unsigned priority)
{
    return (struct lr) {
        .intid = intid, .state = PENDING, .priority = priority, .group = group,
    };
}

/* All of QEMU's CPUs have the same. */
static void vtr(void)
{
    uint32_t vtr = gic->vtr();
    uint32_t icv_ctlr = el1_read(ICC_CTLR_EL1);

    expect(VTR_LISTREGS(vtr), 4);
    expect(VTR_PRIBITS(vtr) >= 5, true);
    expect(VTR_PREBITS(vtr) >= 5, true);
    expect(VTR_PREBITS(vtr) <= VTR_PRIBITS(vtr), true);
    expect(vtr & VTR_TDS, VTR_TDS);
    /* No direct injection of virtual LPIs: as the redistributors say */
    expect(!(vtr & VTR_NV4),
           !!(read64(GICR + GICR_TYPER) & GICR_TYPER_VLPIS));
    /* The guest is told the same. */
    expect(ICC_CTLR_PRIBITS(icv_ctlr), VTR_PRIBITS(vtr));
    expect(ICC_CTLR_IDBITS(icv_ctlr), VTR_IDBITS(vtr));
    expect(!!(icv_ctlr & ICC_CTLR_A3V), !!(vtr & VTR_A3V));
}

/* Reserved fields, and those that only implementations of options have */
static void vmcr_fixed(void)
{
    gic->set_vmcr(0);
    /* Without FIQ bypass, VFIQEn is RES1 and VAckCtl is RES0. */
    expect(gic->vmcr() & 0xf, VMCR_VFIQEN);
    gic->set_vmcr(UINT32_MAX);
    expect(gic->vmcr() & 0xf, VMCR_VENG0 | VMCR_VENG1 | VMCR_VFIQEN);
}

/* At EL1, the active priorities are the virtual ones. */
static void active_priorities(void)
{
    uint64_t apr;

    gic->set_lr(0, pending(VINTID, 1, 0x80));
    expect(gic->iar(1), VINTID);
    gic->set_lr(1, pending(OTHER, 0, 0x40));
    expect(gic->iar(0), OTHER);
    expect(el1_read(ICC_AP1R0_EL1), icc_read(ICH_AP1R0_EL2));
    expect(el1_read(ICC_AP0R0_EL1), icc_read(ICH_AP0R0_EL2));
    expect(icc_read(ICH_AP1R0_EL2) != 0, true);
    expect(icc_read(ICH_AP0R0_EL2) != 0, true);
    expect(icc_read(ICC_AP1R0_EL1), 0);

    /* As who saves and restores them, EL1 writes but what it has read. */
    apr = el1_read(ICC_AP0R0_EL1);
    gic->eoir(0, OTHER);
    expect(gic->rpr(), 0x80);
    el1_write(ICC_AP0R0_EL1, apr);
    expect(icc_read(ICH_AP0R0_EL2), apr);
    expect(gic->rpr(), 0x40);
}

/* With CBPR, BPR1 reads as BPR0 + 1 and ignores writes. */
static void cbpr_reads(void)
{
    gic->set_bpr(1, 7);
    gic->set_ctlr(true, false);
    for (unsigned bpr = 2; bpr < 8; bpr++) {
        gic->set_bpr(0, bpr);
        expect(gic->bpr(1), bpr < 7 ? bpr + 1 : 7);
        gic->set_bpr(1, 5);
        expect(gic->bpr(0), bpr);
    }
    gic->set_ctlr(false, false);
    expect(gic->bpr(1), 7);
}

/* Masked, it is not signalled, but still the one that would be. */
static void hppir_masked(void)
{
    gic->set_lr(0, pending(VINTID, 1, 0x80));
    gic->set_pmr(0x80);
    expect(gic->hppir(1), VINTID);
    expect(gic->hppir(0), INTID_NONE);
    expect(gic->iar(1), INTID_NONE);
}

/* A list register of a disabled group does not hide the others. */
static void hppir_disabled(void)
{
    gic->set_lr(0, pending(VINTID, 0, 0x40));
    gic->set_lr(1, pending(OTHER, 1, 0x80));
    expect(gic->hppir(0), VINTID);
    expect(gic->hppir(1), INTID_NONE);
    expect(virtual_lines(), PSTATE_F);
    gic->enable_group(0, false);
    expect(gic->hppir(0), INTID_NONE);
    expect(gic->hppir(1), OTHER);
    expect(virtual_lines(), PSTATE_I);
    expect(gic->iar(1), OTHER);
}

/*
 * EOIR of the other group than IAR is UNPREDICTABLE: it may deactivate, but
 * does no harm to what comes later.
 */
static void eoir_group(void)
{
    enum state state;

    gic->set_lr(0, pending(VINTID, 1, 0x80));
    gic->set_lr(1, pending(OTHER, 1, 0xc0));
    expect(gic->iar(1), VINTID);
    gic->eoir(0, VINTID);
    state = gic->lr(0).state;
    expect(state == ACTIVE || state == INVALID, true);
    expect(gic->lr(1).state, PENDING);

    reset_virtual();
    gic->set_lr(0, pending(VINTID, 1, 0x80));
    expect(virtual_lines(), PSTATE_I);
    expect(gic->iar(1), VINTID);
    gic->eoir(1, VINTID);
    expect(gic->lr(0).state, INVALID);
    expect(gic->rpr(), 0xff);
}

/* An LPI's EOI deactivates even with EOImode, and is not counted. */
static void lpi(void)
{
    gic->set_ctlr(false, true);
    gic->set_lr(0, pending(VLPI, 1, 0x80));
    expect(gic->iar(1), VLPI);
    gic->eoir(1, VLPI);
    expect(gic->lr(0).state, INVALID);

    gic->set_ctlr(false, false);
    gic->set_lr(0, pending(VLPI, 1, 0x80));
    expect(gic->iar(1), VLPI);
    gic->set_lr(0, (struct lr) { 0 });
    gic->eoir(1, VLPI);
    expect(gic->rpr(), 0xff);
    expect(gic->hcr(), HCR_EN);
}

/*
 * HCR_EL2.IMO makes Group 1's registers virtual, FMO makes Group 0's, and
 * either those that both have. Else EL1 sees the physical ones.
 */
static void imo_fmo(void)
{
    icc_write(ICC_PMR_EL1, 0xf0);
    icc_write(ICC_BPR0_EL1, 6);
    gic->set_pmr(0xa0);
    gic->set_bpr(0, 3);
    gic->set_lr(1, pending(OTHER, 0, 0x60));
    expect(gic->iar(0), OTHER);
    gic->set_lr(0, pending(VINTID, 1, 0x40));

    sysreg_write(hcr_el2, HCR_EL2_RW | HCR_EL2_IMO);
    expect(el1_read(ICC_HPPIR1_EL1), VINTID);
    expect(el1_read(ICC_BPR0_EL1), 6);
    expect(el1_read(ICC_PMR_EL1), 0xa0);
    expect(el1_read(ICC_RPR_EL1), 0x60);

    /* Physical IRQs are EL1's now, which masks them. */
    sysreg_write(hcr_el2, HCR_EL2_RW | HCR_EL2_FMO);
    gicd_enable(SGI);
    icc_write(ICC_SGI1R_EL1, SGIR_INTID(SGI) | SGIR_LIST(1));
    expect(el1_read(ICC_HPPIR1_EL1), SGI);
    expect(el1_read(ICC_BPR0_EL1), 3);
    expect(el1_read(ICC_PMR_EL1), 0xa0);
    expect(el1_read(ICC_RPR_EL1), 0x60);

    sysreg_write(hcr_el2, HCR_EL2_RW);
    expect(el1_read(ICC_HPPIR1_EL1), SGI);
    expect(el1_read(ICC_PMR_EL1), 0xf0);
    expect(virtual_lines(), PSTATE_I);
    expect(taken_at_el1(0), VECTOR_IRQ);
    /* EL1 handles the physical interrupt. */
    expect(el1_read(ICC_IAR1_EL1), SGI);
    expect(el1_read(ICC_RPR_EL1), 0x80);
    expect(gicd_test(GICD_ISACTIVER, SGI), true);
    el1_write(ICC_EOIR1_EL1, SGI);
    expect(gicd_test(GICD_ISACTIVER, SGI), false);
    expect(el1_read(ICC_IAR1_EL1), INTID_NONE);
    gicd_disable(SGI);

    sysreg_write(hcr_el2, HCR_EL2_BITS);
    expect(gic->lr(0).state, PENDING);
    expect(gic->pmr(), 0xa0);
    icc_write(ICC_PMR_EL1, 0xff);
    icc_write(ICC_BPR0_EL1, 0);
}

const struct test gicv3_virtual_tests[] = {
    { "v3/vtr", vtr },
    { "v3/vmcr-fixed", vmcr_fixed },
    { "v3/active-priorities", active_priorities },
    { "v3/cbpr-reads", cbpr_reads },
    { "v3/hppir-masked", hppir_masked },
    { "v3/hppir-disabled", hppir_disabled },
    { "v3/eoir-group", eoir_group },
    { "v3/lpi", lpi },
    { "v3/imo-fmo", imo_fmo },
    NO_MORE_TESTS
};
