/*
 * Arm GICv2: virtual interface control and virtual CPU interface
 *
 * A fresh machine for each scenario, without a running vCPU: the test is both
 * hypervisor (GICH) and guest (GICV) of vCPU 0. The rules are those of
 * IHI 0048B, chapter 5.
 *
 * The interrupts in valid list registers always have different VirtualIDs:
 * anything else is UNPREDICTABLE (IHI 0048B, GICH_LRn).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "gic-qtest.h"
#include "rvic-qtest.h"

/* An interrupt in a list register; without both it is invalid */
#define PENDING     R_GICH_LR_Pending_MASK
#define ACTIVE      R_GICH_LR_Active_MASK
/* What it may have besides */
#define EOI         R_GICH_LR_EOI_MASK
#define GROUP1      R_GICH_LR_Grp1_MASK

/* Interrupts of the guest */
#define VSGI        3
#define VINTID      40
#define OTHER       41
/* One that is in no list register */
#define ABSENT      100

/*
 * Priorities, of which the virtual interface has the upper five bits. None is
 * as low as the lowest, which the largest mask hides.
 */
#define PRIORITY    0x80
#define HIGHER      0x78
#define LOWER       0x88
#define PRIORITY_SHIFT  3
#define OPEN_MASK   0xf8

static uint32_t lr(unsigned vintid, unsigned priority, uint32_t bits)
{
    uint32_t entry = FIELD_DP32(bits, GICH_LR, VirtualID, vintid);

    return FIELD_DP32(entry, GICH_LR, Priority, priority >> PRIORITY_SHIFT);
}

static uint32_t lr_sgi(unsigned vintid, unsigned source, uint32_t bits)
{
    return FIELD_DP32(lr(vintid, PRIORITY, bits), GICH_LR, CPUID, source);
}

static uint32_t lr_hw(unsigned vintid, unsigned pintid, uint32_t bits)
{
    return FIELD_DP32(lr(vintid, PRIORITY, bits | R_GICH_LR_HW_MASK),
                      GICH_LR, PhysicalID, pintid);
}

static uint32_t lr_state(GICMachine *gic, unsigned n)
{
    return gich_read(gic, GICH_LR(n)) & (PENDING | ACTIVE);
}

static unsigned num_lrs(GICMachine *gic)
{
    return FIELD_EX32(gich_read(gic, GICH_VTR), GICH_VTR, ListRegs) + 1;
}

/* The bits of the first @n list registers, in GICH_EISRn and GICH_ELRSRn */
static uint32_t first_lrs(unsigned n)
{
    return (1ull << n) - 1;
}

/* The bit of a priority in GICH_APR, which has one for each of 32 levels */
static uint32_t apr(unsigned priority)
{
    return 1u << (priority >> PRIORITY_SHIFT);
}

static bool virq(GICMachine *gic)
{
    return gic_output(gic, 0, GIC_VIRQ);
}

static bool vfiq(GICMachine *gic)
{
    return gic_output(gic, 0, GIC_VFIQ);
}

static bool maintenance(GICMachine *gic)
{
    return gic_output(gic, 0, GICV2_MAINTENANCE);
}

static void hcr_set(GICMachine *gic, uint32_t bits)
{
    gich_write(gic, GICH_HCR, gich_read(gic, GICH_HCR) | bits);
}

static void hcr_clear(GICMachine *gic, uint32_t bits)
{
    gich_write(gic, GICH_HCR, gich_read(gic, GICH_HCR) & ~bits);
}

static unsigned eoi_count(GICMachine *gic)
{
    return FIELD_EX32(gich_read(gic, GICH_HCR), GICH_HCR, EOICount);
}

static void ctlr_set(GICMachine *gic, uint32_t bits)
{
    gicv_write(gic, GICV_CTLR, gicv_read(gic, GICV_CTLR) | bits);
}

static void ctlr_clear(GICMachine *gic, uint32_t bits)
{
    gicv_write(gic, GICV_CTLR, gicv_read(gic, GICV_CTLR) & ~bits);
}

/* Nothing that the guest could acknowledge, or would be told of */
static void expect_idle(GICMachine *gic)
{
    g_assert_false(virq(gic));
    g_assert_false(vfiq(gic));
    g_assert_cmpuint(gicv_read(gic, GICV_IAR), ==, INTID_SPURIOUS);
}

/* The guest is told of an interrupt and acknowledges it */
static void acknowledge(GICMachine *gic, unsigned vintid)
{
    g_assert_true(virq(gic));
    g_assert_cmpuint(gicv_read(gic, GICV_IAR), ==, vintid);
}

#define OPTIONS     "gic-version=2,virtualization=on"

/* The interface is on, and the guest takes interrupts of group 0 as IRQs */
static void enable(GICMachine *gic)
{
    gich_write(gic, GICH_HCR, R_GICH_HCR_En_MASK);
    gicv_write(gic, GICV_CTLR, R_GICV_CTLR_EnableGrp0_MASK);
    gicv_write(gic, GICV_PMR, OPEN_MASK);
}

static GICMachine *start(void)
{
    GICMachine *gic = gic_start(OPTIONS, 2, "");

    enable(gic);
    return gic;
}

static void test_vtr(void)
{
    GICMachine *gic = start();
    uint32_t vtr = gich_read(gic, GICH_VTR);

    g_assert_cmpuint(num_lrs(gic), >=, 1);
    g_assert_cmpuint(num_lrs(gic), <=, GICH_MAX_LRS);
    /* both less one: the 5 bits of GICH_LRn.Priority, the 32 of GICH_APR */
    g_assert_cmpuint(FIELD_EX32(vtr, GICH_VTR, PRIbits), ==, 4);
    g_assert_cmpuint(FIELD_EX32(vtr, GICH_VTR, PREbits), ==, 4);
    gich_write(gic, GICH_VTR, ~vtr);
    g_assert_cmphex(gich_read(gic, GICH_VTR), ==, vtr);
    gic_quit(gic);
}

static void test_iidr(void)
{
    GICMachine *gic = start();
    uint32_t iidr = gicv_read(gic, GICV_IIDR);

    g_assert_cmphex(FIELD_EX32(iidr, GICV_IIDR, ArchitectureVersion), ==, 2);
    g_assert_cmphex(FIELD_EX32(iidr, GICV_IIDR, Implementer), ==,
                    IMPLEMENTER_ARM);
    gicv_write(gic, GICV_IIDR, ~iidr);
    g_assert_cmphex(gicv_read(gic, GICV_IIDR), ==, iidr);
    gic_quit(gic);
}

/* List registers are taken and become free again */
static void test_lr_allocation(void)
{
    GICMachine *gic = start();
    unsigned n = num_lrs(gic);
    uint32_t all = first_lrs(n);

    g_assert_cmphex(gich_read(gic, GICH_ELRSR(0)), ==, all);
    for (unsigned i = 0; i < n; i++) {
        gich_write(gic, GICH_LR(i), lr(VINTID + i, PRIORITY + 8 * i, PENDING));
        g_assert_cmphex(gich_read(gic, GICH_ELRSR(0)), ==,
                        all & ~first_lrs(i + 1));
    }
    for (unsigned i = 0; i < n; i++) {
        acknowledge(gic, VINTID + i);
        /* not free while it is active */
        g_assert_cmphex(gich_read(gic, GICH_ELRSR(0)), ==,
                        first_lrs(i));
        gicv_write(gic, GICV_EOIR, VINTID + i);
        g_assert_cmphex(gich_read(gic, GICH_ELRSR(0)), ==,
                        first_lrs(i + 1));
        /* ... by its state, the rest of it is as it was */
        g_assert_cmphex(gich_read(gic, GICH_LR(i)), ==,
                        lr(VINTID + i, PRIORITY + 8 * i, 0));
    }
    g_assert_cmphex(gich_read(gic, GICH_EISR(0)), ==, 0);
    expect_idle(gic);
    gic_quit(gic);
}

/* Each list register keeps what it is given */
static void test_lr_fields(void)
{
    GICMachine *gic = start();
    unsigned n = num_lrs(gic);

    hcr_clear(gic, R_GICH_HCR_En_MASK);
    for (unsigned i = 0; i < n; i++) {
        gich_write(gic, GICH_LR(i), lr_sgi(i, i % 8, PENDING | EOI | GROUP1));
    }
    for (unsigned i = 0; i < n; i++) {
        g_assert_cmphex(gich_read(gic, GICH_LR(i)), ==,
                        lr_sgi(i, i % 8, PENDING | EOI | GROUP1));
    }
    for (unsigned i = 0; i < n; i++) {
        gich_write(gic, GICH_LR(i), lr_hw(1019 - i, 1019 - i, ACTIVE));
    }
    for (unsigned i = 0; i < n; i++) {
        g_assert_cmphex(gich_read(gic, GICH_LR(i)), ==,
                        lr_hw(1019 - i, 1019 - i, ACTIVE));
    }
    gic_quit(gic);
}

/* An invalid one may still have the number of an interrupt in another one */
static void test_lr_stale(void)
{
    GICMachine *gic = start();

    gich_write(gic, GICH_LR(0), lr(VINTID, LOWER, 0));
    gich_write(gic, GICH_LR(1), lr(VINTID, PRIORITY, PENDING));
    acknowledge(gic, VINTID);
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, PRIORITY);
    g_assert_cmphex(lr_state(gic, 0), ==, 0);
    g_assert_cmphex(lr_state(gic, 1), ==, ACTIVE);
    gicv_write(gic, GICV_EOIR, VINTID);
    g_assert_cmphex(lr_state(gic, 0), ==, 0);
    g_assert_cmphex(lr_state(gic, 1), ==, 0);
    gic_quit(gic);
}

/* Beyond GICH_VTR.ListRegs there is nothing (IHI 0048B, GICH_LRn) */
static void test_lr_beyond(void)
{
    GICMachine *gic = start();

    for (unsigned i = num_lrs(gic); i < GICH_MAX_LRS; i++) {
        gich_write(gic, GICH_LR(i), lr(VINTID, PRIORITY, PENDING));
        g_assert_cmphex(gich_read(gic, GICH_LR(i)), ==, 0);
        gich_write(gic, GICH_LR(i), lr(VINTID, PRIORITY, EOI));
        g_assert_cmphex(gich_read(gic, GICH_LR(i)), ==, 0);
    }
    g_assert_cmphex(gich_read(gic, GICH_ELRSR(0)), ==,
                    first_lrs(num_lrs(gic)));
    g_assert_cmphex(gich_read(gic, GICH_ELRSR(1)), ==, 0);
    g_assert_cmphex(gich_read(gic, GICH_EISR(0)), ==, 0);
    g_assert_cmphex(gich_read(gic, GICH_EISR(1)), ==, 0);
    expect_idle(gic);
    gic_quit(gic);
}

static void test_state_pending(void)
{
    GICMachine *gic = start();

    expect_idle(gic);
    gich_write(gic, GICH_LR(1), lr(VINTID, PRIORITY, PENDING));
    acknowledge(gic, VINTID);
    g_assert_cmphex(gich_read(gic, GICH_LR(1)), ==,
                    lr(VINTID, PRIORITY, ACTIVE));
    g_assert_cmphex(gich_read(gic, GICH_APR), ==, apr(PRIORITY));
    expect_idle(gic);
    gicv_write(gic, GICV_EOIR, VINTID);
    g_assert_cmphex(gich_read(gic, GICH_APR), ==, 0);
    expect_idle(gic);
    gic_quit(gic);
}

/* The hypervisor takes a pending interrupt back */
static void test_state_retired(void)
{
    GICMachine *gic = start();

    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, PENDING));
    g_assert_true(virq(gic));
    gich_write(gic, GICH_LR(0), 0);
    expect_idle(gic);
    g_assert_cmphex(gich_read(gic, GICH_APR), ==, 0);
    gic_quit(gic);
}

/* An active interrupt comes back with its priority, and is only to be ended */
static void test_state_active(void)
{
    GICMachine *gic = start();

    gich_write(gic, GICH_LR(2), lr(VINTID, PRIORITY, ACTIVE));
    gich_write(gic, GICH_APR, apr(PRIORITY));
    expect_idle(gic);
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, PRIORITY);
    gicv_write(gic, GICV_EOIR, VINTID);
    g_assert_cmphex(lr_state(gic, 2), ==, 0);
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, PRIORITY_IDLE);
    g_assert_cmpuint(eoi_count(gic), ==, 0);
    gic_quit(gic);
}

/* One that became pending while active waits for its end */
static void test_state_active_pending(void)
{
    GICMachine *gic = start();

    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, ACTIVE | PENDING));
    /* even at idle priority */
    expect_idle(gic);
    gich_write(gic, GICH_APR, apr(PRIORITY));
    expect_idle(gic);
    gicv_write(gic, GICV_EOIR, VINTID);
    g_assert_cmphex(lr_state(gic, 0), ==, PENDING);
    acknowledge(gic, VINTID);
    g_assert_cmphex(lr_state(gic, 0), ==, ACTIVE);
    gicv_write(gic, GICV_EOIR, VINTID);
    g_assert_cmphex(lr_state(gic, 0), ==, 0);
    expect_idle(gic);
    gic_quit(gic);
}

/*
 * What KVM calls piggyback: an interrupt is queued again while its list
 * register is active. It is delivered a second time after its end, and only
 * the end that leaves the list register invalid is the hypervisor's business.
 */
static void test_piggyback(void)
{
    GICMachine *gic = start();

    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, PENDING | EOI));
    acknowledge(gic, VINTID);
    gich_write(gic, GICH_LR(0), gich_read(gic, GICH_LR(0)) | PENDING);
    g_assert_cmphex(gich_read(gic, GICH_LR(0)), ==,
                    lr(VINTID, PRIORITY, ACTIVE | PENDING | EOI));
    expect_idle(gic);

    gicv_write(gic, GICV_EOIR, VINTID);
    g_assert_cmphex(lr_state(gic, 0), ==, PENDING);
    g_assert_cmphex(gich_read(gic, GICH_EISR(0)), ==, 0);
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, 0);
    g_assert_false(maintenance(gic));

    acknowledge(gic, VINTID);
    gicv_write(gic, GICV_EOIR, VINTID);
    g_assert_cmphex(lr_state(gic, 0), ==, 0);
    g_assert_cmphex(gich_read(gic, GICH_EISR(0)), ==, 1);
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, R_GICH_MISR_EOI_MASK);
    g_assert_true(maintenance(gic));
    gic_quit(gic);
}

/* ... with another interrupt nested in between */
static void test_piggyback_nested(void)
{
    GICMachine *gic = start();

    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, PENDING));
    acknowledge(gic, VINTID);
    gich_write(gic, GICH_LR(0), gich_read(gic, GICH_LR(0)) | PENDING);
    gich_write(gic, GICH_LR(1), lr(OTHER, HIGHER, PENDING));
    acknowledge(gic, OTHER);
    gicv_write(gic, GICV_EOIR, OTHER);
    g_assert_cmphex(lr_state(gic, 0), ==, ACTIVE | PENDING);
    expect_idle(gic);
    gicv_write(gic, GICV_EOIR, VINTID);
    acknowledge(gic, VINTID);
    gic_quit(gic);
}

/* Without LR.EOI, an end frees the list register and tells nobody */
static void test_eoi_silent(void)
{
    GICMachine *gic = start();
    uint32_t all = first_lrs(num_lrs(gic));

    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, PENDING));
    acknowledge(gic, VINTID);
    gicv_write(gic, GICV_EOIR, VINTID);
    g_assert_cmphex(gich_read(gic, GICH_EISR(0)), ==, 0);
    g_assert_cmphex(gich_read(gic, GICH_ELRSR(0)), ==, all);
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, 0);
    g_assert_false(maintenance(gic));
    gic_quit(gic);
}

/* With it, the list register is not free before the hypervisor has seen it */
static void test_eoi_maintenance(void)
{
    GICMachine *gic = start();
    uint32_t all = first_lrs(num_lrs(gic));

    gich_write(gic, GICH_LR(1), lr(VINTID, PRIORITY, PENDING | EOI));
    g_assert_cmphex(gich_read(gic, GICH_EISR(0)), ==, 0);
    acknowledge(gic, VINTID);
    g_assert_cmphex(gich_read(gic, GICH_EISR(0)), ==, 0);
    g_assert_false(maintenance(gic));

    gicv_write(gic, GICV_EOIR, VINTID);
    g_assert_cmphex(gich_read(gic, GICH_LR(1)), ==, lr(VINTID, PRIORITY, EOI));
    g_assert_cmphex(gich_read(gic, GICH_EISR(0)), ==, 1 << 1);
    g_assert_cmphex(gich_read(gic, GICH_ELRSR(0)), ==, all & ~(1 << 1));
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, R_GICH_MISR_EOI_MASK);
    g_assert_true(maintenance(gic));

    gich_write(gic, GICH_LR(1), lr(VINTID, PRIORITY, 0));
    g_assert_cmphex(gich_read(gic, GICH_EISR(0)), ==, 0);
    g_assert_cmphex(gich_read(gic, GICH_ELRSR(0)), ==, all);
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, 0);
    g_assert_false(maintenance(gic));
    gic_quit(gic);
}

/* The line stays high for as long as one of several is left */
static void test_eoi_several(void)
{
    GICMachine *gic = start();

    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, PENDING | EOI));
    gich_write(gic, GICH_LR(2), lr(OTHER, LOWER, PENDING | EOI));
    acknowledge(gic, VINTID);
    gicv_write(gic, GICV_EOIR, VINTID);
    g_assert_cmphex(gich_read(gic, GICH_EISR(0)), ==, 1);
    acknowledge(gic, OTHER);
    gicv_write(gic, GICV_EOIR, OTHER);
    g_assert_cmphex(gich_read(gic, GICH_EISR(0)), ==, 1 | 1 << 2);

    gich_write(gic, GICH_LR(0), 0);
    g_assert_cmphex(gich_read(gic, GICH_EISR(0)), ==, 1 << 2);
    g_assert_true(maintenance(gic));
    /* another interrupt in its place does, too */
    gich_write(gic, GICH_LR(2), lr(VINTID, PRIORITY, PENDING | EOI));
    g_assert_cmphex(gich_read(gic, GICH_EISR(0)), ==, 0);
    g_assert_false(maintenance(gic));
    gic_quit(gic);
}

/* Of a hardware interrupt, the bit belongs to PhysicalID */
static void test_eoi_hardware(void)
{
    GICMachine *gic = start();
    uint32_t entry = lr_hw(VINTID, 512 | FREE_SPI(0), 0);

    g_assert_cmphex(entry & EOI, ==, EOI);
    gich_write(gic, GICH_LR(0), entry);
    g_assert_cmphex(gich_read(gic, GICH_EISR(0)), ==, 0);
    g_assert_cmphex(gich_read(gic, GICH_ELRSR(0)), ==,
                    first_lrs(num_lrs(gic)));
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, 0);
    g_assert_false(maintenance(gic));
    gic_quit(gic);
}

/* The end of no interrupt changes nothing (IHI 0048B, GICC_EOIR) */
static void test_eoi_spurious(void)
{
    GICMachine *gic = start();

    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, PENDING));
    acknowledge(gic, VINTID);
    gicv_write(gic, GICV_EOIR, INTID_SPURIOUS);
    gicv_write(gic, GICV_EOIR, INTID_OTHER_GROUP);
    g_assert_cmphex(lr_state(gic, 0), ==, ACTIVE);
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, PRIORITY);
    g_assert_cmpuint(eoi_count(gic), ==, 0);
    gic_quit(gic);
}

/* The hypervisor wants to refill when one list register is valid at most */
static void test_underflow(void)
{
    GICMachine *gic = start();

    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, 0);
    hcr_set(gic, R_GICH_HCR_UIE_MASK);
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, R_GICH_MISR_U_MASK);
    g_assert_true(maintenance(gic));
    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, PENDING));
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, R_GICH_MISR_U_MASK);
    g_assert_true(maintenance(gic));
    gich_write(gic, GICH_LR(3), lr(OTHER, LOWER, PENDING));
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, 0);
    g_assert_false(maintenance(gic));

    /* active is valid, too */
    acknowledge(gic, VINTID);
    g_assert_false(maintenance(gic));
    gicv_write(gic, GICV_EOIR, VINTID);
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, R_GICH_MISR_U_MASK);
    g_assert_true(maintenance(gic));
    hcr_clear(gic, R_GICH_HCR_UIE_MASK);
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, 0);
    g_assert_false(maintenance(gic));
    gic_quit(gic);
}

/* A list register whose end is still to be seen is not valid */
static void test_underflow_eoi(void)
{
    GICMachine *gic = start();

    hcr_set(gic, R_GICH_HCR_UIE_MASK);
    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, ACTIVE | PENDING));
    gich_write(gic, GICH_LR(1), lr(OTHER, PRIORITY, EOI));
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==,
                    R_GICH_MISR_U_MASK | R_GICH_MISR_EOI_MASK);
    gic_quit(gic);
}

static void test_no_pending(void)
{
    GICMachine *gic = start();

    hcr_set(gic, R_GICH_HCR_NPIE_MASK);
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, R_GICH_MISR_NP_MASK);
    g_assert_true(maintenance(gic));
    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, PENDING));
    gich_write(gic, GICH_LR(1), lr(OTHER, LOWER, PENDING));
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, 0);
    g_assert_false(maintenance(gic));

    acknowledge(gic, VINTID);
    g_assert_false(maintenance(gic));
    gicv_write(gic, GICV_EOIR, VINTID);
    g_assert_false(maintenance(gic));
    /* the guest handles the last one */
    acknowledge(gic, OTHER);
    g_assert_cmphex(lr_state(gic, 1), ==, ACTIVE);
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, R_GICH_MISR_NP_MASK);
    g_assert_true(maintenance(gic));
    hcr_clear(gic, R_GICH_HCR_NPIE_MASK);
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, 0);
    g_assert_false(maintenance(gic));
    gic_quit(gic);
}

/*
 * More interrupts are active than there are list registers: the hypervisor
 * counts the ends of those that are in none.
 */
static void test_eoi_count(void)
{
    GICMachine *gic = start();

    hcr_set(gic, R_GICH_HCR_LRENPIE_MASK);
    gich_write(gic, GICH_LR(0), lr(VINTID, LOWER, ACTIVE));
    gich_write(gic, GICH_APR, apr(HIGHER) | apr(PRIORITY) | apr(LOWER));
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, 0);

    gicv_write(gic, GICV_EOIR, ABSENT);
    g_assert_cmpuint(eoi_count(gic), ==, 1);
    g_assert_cmphex(gich_read(gic, GICH_APR), ==, apr(PRIORITY) | apr(LOWER));
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, R_GICH_MISR_LRENP_MASK);
    g_assert_true(maintenance(gic));
    gicv_write(gic, GICV_EOIR, ABSENT + 1);
    g_assert_cmpuint(eoi_count(gic), ==, 2);

    /* not of one that is in a list register */
    gicv_write(gic, GICV_EOIR, VINTID);
    g_assert_cmpuint(eoi_count(gic), ==, 2);
    g_assert_cmphex(lr_state(gic, 0), ==, 0);
    /* and not of one without an active priority */
    g_assert_cmphex(gich_read(gic, GICH_APR), ==, 0);
    gicv_write(gic, GICV_EOIR, ABSENT);
    g_assert_cmpuint(eoi_count(gic), ==, 2);
    gic_quit(gic);
}

/* What a list register had before it became invalid is not in it any more */
static void test_eoi_count_stale(void)
{
    GICMachine *gic = start();

    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, PENDING));
    acknowledge(gic, VINTID);
    gicv_write(gic, GICV_EOIR, VINTID);
    g_assert_cmpuint(eoi_count(gic), ==, 0);
    gich_write(gic, GICH_APR, apr(PRIORITY));
    gicv_write(gic, GICV_EOIR, VINTID);
    g_assert_cmpuint(eoi_count(gic), ==, 1);
    g_assert_cmphex(lr_state(gic, 0), ==, 0);
    gic_quit(gic);
}

/* The hypervisor takes the count back */
static void test_eoi_count_clear(void)
{
    GICMachine *gic = start();

    gich_write(gic, GICH_APR, apr(PRIORITY));
    gicv_write(gic, GICV_EOIR, ABSENT);
    g_assert_cmpuint(eoi_count(gic), ==, 1);
    /* nobody asked */
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, 0);
    g_assert_false(maintenance(gic));
    hcr_set(gic, R_GICH_HCR_LRENPIE_MASK);
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, R_GICH_MISR_LRENP_MASK);
    g_assert_true(maintenance(gic));
    hcr_clear(gic, R_GICH_HCR_EOICount_MASK);
    g_assert_cmpuint(eoi_count(gic), ==, 0);
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, 0);
    g_assert_false(maintenance(gic));
    gic_quit(gic);
}

/* Five bits of it, which leave the others alone */
static void test_eoi_count_wraps(void)
{
    GICMachine *gic = start();
    uint32_t hcr = R_GICH_HCR_En_MASK | R_GICH_HCR_LRENPIE_MASK |
                   R_GICH_HCR_EOICount_MASK;

    gich_write(gic, GICH_HCR, hcr);
    g_assert_cmphex(gich_read(gic, GICH_HCR), ==, hcr);
    g_assert_true(maintenance(gic));
    gich_write(gic, GICH_APR, apr(PRIORITY));
    gicv_write(gic, GICV_EOIR, ABSENT);
    g_assert_cmphex(gich_read(gic, GICH_HCR), ==,
                    R_GICH_HCR_En_MASK | R_GICH_HCR_LRENPIE_MASK);
    g_assert_false(maintenance(gic));
    gic_quit(gic);
}

/* The hypervisor hears when the guest enables a group, or disables it */
static void check_group_maintenance(uint32_t enable_bit, uint32_t enabled_ie,
                                    uint32_t enabled, uint32_t disabled_ie,
                                    uint32_t disabled)
{
    GICMachine *gic = start();

    gicv_write(gic, GICV_CTLR, 0);
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, 0);
    hcr_set(gic, enabled_ie);
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, 0);
    g_assert_false(maintenance(gic));
    gicv_write(gic, GICV_CTLR, enable_bit);
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, enabled);
    g_assert_true(maintenance(gic));

    /* from the one to the other, as the handler does */
    hcr_clear(gic, enabled_ie);
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, 0);
    g_assert_false(maintenance(gic));
    hcr_set(gic, disabled_ie);
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, 0);
    g_assert_false(maintenance(gic));
    gicv_write(gic, GICV_CTLR, 0);
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, disabled);
    g_assert_true(maintenance(gic));

    /* the hypervisor's own change counts as well */
    gich_write(gic, GICH_VMCR, enable_bit);
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, 0);
    g_assert_false(maintenance(gic));
    gic_quit(gic);
}

static void test_group0_maintenance(void)
{
    check_group_maintenance(R_GICV_CTLR_EnableGrp0_MASK,
                            R_GICH_HCR_VGrp0EIE_MASK, R_GICH_MISR_VGrp0E_MASK,
                            R_GICH_HCR_VGrp0DIE_MASK, R_GICH_MISR_VGrp0D_MASK);
}

static void test_group1_maintenance(void)
{
    check_group_maintenance(R_GICV_CTLR_EnableGrp1_MASK,
                            R_GICH_HCR_VGrp1EIE_MASK, R_GICH_MISR_VGrp1E_MASK,
                            R_GICH_HCR_VGrp1DIE_MASK, R_GICH_MISR_VGrp1D_MASK);
}

/* Each cause has its bit; the line falls with the last of them */
static void test_causes(void)
{
    GICMachine *gic = start();

    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, EOI));
    gich_write(gic, GICH_HCR, R_GICH_HCR_En_MASK | R_GICH_HCR_UIE_MASK |
               R_GICH_HCR_LRENPIE_MASK | R_GICH_HCR_NPIE_MASK |
               R_GICH_HCR_VGrp0EIE_MASK | R_GICH_HCR_VGrp1DIE_MASK |
               FIELD_DP32(0, GICH_HCR, EOICount, 1));
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==,
                    R_GICH_MISR_EOI_MASK | R_GICH_MISR_U_MASK |
                    R_GICH_MISR_LRENP_MASK | R_GICH_MISR_NP_MASK |
                    R_GICH_MISR_VGrp0E_MASK | R_GICH_MISR_VGrp1D_MASK);

    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, PENDING));
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==,
                    R_GICH_MISR_U_MASK | R_GICH_MISR_LRENP_MASK |
                    R_GICH_MISR_VGrp0E_MASK | R_GICH_MISR_VGrp1D_MASK);
    hcr_clear(gic, R_GICH_HCR_EOICount_MASK | R_GICH_HCR_VGrp1DIE_MASK);
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==,
                    R_GICH_MISR_U_MASK | R_GICH_MISR_VGrp0E_MASK);
    g_assert_true(maintenance(gic));
    hcr_clear(gic, R_GICH_HCR_UIE_MASK);
    g_assert_true(maintenance(gic));
    gicv_write(gic, GICV_CTLR, 0);
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, 0);
    g_assert_false(maintenance(gic));

    /* read-only */
    gich_write(gic, GICH_MISR, R_GICH_MISR_EOI_MASK);
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, 0);
    gic_quit(gic);
}

/* To take physical interrupts, whose priority GICC_EOIR drops */
static void enable_physical(GICMachine *gic)
{
    gicd_write(gic, GICD_CTLR, R_GICD_CTLR_EnableGrp0_MASK);
    gicc_write(gic, GICC_CTLR, R_GICC_CTLR_EnableGrp0_MASK |
               R_GICC_CTLR_EOImode_MASK);
    gicc_write(gic, GICC_PMR, 0xff);
}

/* The maintenance interrupt is a PPI like others, level-sensitive */
static void test_maintenance_line(void)
{
    GICMachine *gic = start();

    enable_physical(gic);
    gicd_set_edge(gic, INTID_MAINTENANCE, false);
    gicd_set(gic, GICD_ISENABLER, INTID_MAINTENANCE);
    g_assert_false(gicd_test(gic, GICD_ISPENDR, INTID_MAINTENANCE));
    g_assert_false(gic_output(gic, 0, GIC_IRQ));

    hcr_set(gic, R_GICH_HCR_NPIE_MASK);
    g_assert_true(maintenance(gic));
    g_assert_false(gic_output(gic, 1, GICV2_MAINTENANCE));
    g_assert_true(gicd_test(gic, GICD_ISPENDR, INTID_MAINTENANCE));
    g_assert_true(gic_output(gic, 0, GIC_IRQ));
    g_assert_false(gic_output(gic, 1, GIC_IRQ));

    /* its handler gives the guest something to do, which lowers the line */
    g_assert_cmpuint(gicc_read(gic, GICC_IAR), ==, INTID_MAINTENANCE);
    g_assert_true(gicd_test(gic, GICD_ISPENDR, INTID_MAINTENANCE));
    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, PENDING));
    g_assert_false(maintenance(gic));
    g_assert_false(gicd_test(gic, GICD_ISPENDR, INTID_MAINTENANCE));
    gicc_write(gic, GICC_EOIR, INTID_MAINTENANCE);
    gicc_write(gic, GICC_DIR, INTID_MAINTENANCE);
    g_assert_false(gic_output(gic, 0, GIC_IRQ));

    /* the guest raises it */
    acknowledge(gic, VINTID);
    g_assert_true(gicd_test(gic, GICD_ISPENDR, INTID_MAINTENANCE));
    g_assert_true(gic_output(gic, 0, GIC_IRQ));

    /* the handler leaves its cause: it is to be taken again */
    g_assert_cmpuint(gicc_read(gic, GICC_IAR), ==, INTID_MAINTENANCE);
    g_assert_false(gic_output(gic, 0, GIC_IRQ));
    gicc_write(gic, GICC_EOIR, INTID_MAINTENANCE);
    g_assert_false(gic_output(gic, 0, GIC_IRQ));
    gicc_write(gic, GICC_DIR, INTID_MAINTENANCE);
    g_assert_true(gic_output(gic, 0, GIC_IRQ));
    gic_quit(gic);
}

/* Off: no interrupt for the guest and none for the hypervisor */
static void test_interface_off(void)
{
    GICMachine *gic = start();

    hcr_set(gic, R_GICH_HCR_UIE_MASK);
    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, PENDING));
    g_assert_true(virq(gic));
    g_assert_true(maintenance(gic));

    hcr_clear(gic, R_GICH_HCR_En_MASK);
    expect_idle(gic);
    g_assert_false(maintenance(gic));
    g_assert_false(gicd_test(gic, GICD_ISPENDR, INTID_MAINTENANCE));
    /* its state is kept, and the cause is to be seen */
    g_assert_cmphex(lr_state(gic, 0), ==, PENDING);
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, R_GICH_MISR_U_MASK);
    g_assert_cmphex(gicv_read(gic, GICV_PMR), ==, OPEN_MASK);

    hcr_set(gic, R_GICH_HCR_En_MASK);
    g_assert_true(maintenance(gic));
    acknowledge(gic, VINTID);
    gic_quit(gic);
}

/*
 * SGIs of the same number from different CPUs are different interrupts. They
 * go through a list register one after the other.
 */
static void test_sgi_sources(void)
{
    GICMachine *gic = start();

    for (unsigned source = 0; source < GICV2_MAX_CPUS; source++) {
        uint32_t iar = FIELD_DP32(VSGI, GICV_IAR, CPUID, source);

        gich_write(gic, GICH_LR(0), lr_sgi(VSGI, source, PENDING));
        g_assert_true(virq(gic));
        g_assert_cmphex(gicv_read(gic, GICV_IAR), ==, iar);
        g_assert_cmphex(gich_read(gic, GICH_LR(0)), ==,
                        lr_sgi(VSGI, source, ACTIVE));
        expect_idle(gic);
        /* as it was acknowledged */
        gicv_write(gic, GICV_EOIR, iar);
        g_assert_cmphex(lr_state(gic, 0), ==, 0);
        g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, PRIORITY_IDLE);
        g_assert_cmpuint(eoi_count(gic), ==, 0);
        expect_idle(gic);
    }
    gic_quit(gic);
}

/* Different SGIs from different CPUs at once: each with its own source */
static void test_sgi_several(void)
{
    GICMachine *gic = start();
    unsigned n = MIN(num_lrs(gic), GICV2_MAX_CPUS);
    uint32_t left = first_lrs(n);

    for (unsigned i = 0; i < n; i++) {
        gich_write(gic, GICH_LR(i), lr_sgi(VSGI + i, n - 1 - i, PENDING));
    }
    /* whose order is not defined, their priority is the same */
    while (left) {
        uint32_t iar = gicv_read(gic, GICV_IAR);
        unsigned i = FIELD_EX32(iar, GICV_IAR, INTID) - VSGI;

        g_assert_cmpuint(i, <, n);
        g_assert_true(left & 1u << i);
        g_assert_cmphex(iar, ==,
                        FIELD_DP32(VSGI + i, GICV_IAR, CPUID, n - 1 - i));
        gicv_write(gic, GICV_EOIR, iar);
        g_assert_cmphex(lr_state(gic, i), ==, 0);
        left &= ~(1u << i);
    }
    expect_idle(gic);
    gic_quit(gic);
}

/* The source is in HPPIR as well (IHI 0048B, GICC_HPPIR.CPUID) */
static void test_sgi_hppir(void)
{
    GICMachine *gic = start();
    uint32_t iar = FIELD_DP32(VSGI, GICV_IAR, CPUID, 5);

    gich_write(gic, GICH_LR(0), lr_sgi(VSGI, 5, PENDING));
    g_assert_cmphex(gicv_read(gic, GICV_HPPIR), ==, iar);
    g_assert_cmphex(gicv_read(gic, GICV_IAR), ==, iar);
    gic_quit(gic);
}

/* The SGI's EOI bit is one besides its source */
static void test_sgi_eoi_maintenance(void)
{
    GICMachine *gic = start();
    uint32_t iar = FIELD_DP32(VSGI, GICV_IAR, CPUID, 7);

    gich_write(gic, GICH_LR(0), lr_sgi(VSGI, 7, PENDING | EOI));
    g_assert_cmphex(gicv_read(gic, GICV_IAR), ==, iar);
    gicv_write(gic, GICV_EOIR, iar);
    g_assert_cmphex(gich_read(gic, GICH_EISR(0)), ==, 1);
    g_assert_cmphex(gich_read(gic, GICH_LR(0)), ==, lr_sgi(VSGI, 7, EOI));
    g_assert_true(maintenance(gic));
    gic_quit(gic);
}

/* By priority, whatever list register or number */
static void test_priority_order(void)
{
    GICMachine *gic = start();

    gich_write(gic, GICH_LR(0), lr(30, LOWER, PENDING));
    gich_write(gic, GICH_LR(1), lr(32, HIGHER, PENDING));
    gich_write(gic, GICH_LR(2), lr(31, PRIORITY, PENDING));
    acknowledge(gic, 32);
    gicv_write(gic, GICV_EOIR, 32);
    acknowledge(gic, 31);
    gicv_write(gic, GICV_EOIR, 31);
    acknowledge(gic, 30);
    gicv_write(gic, GICV_EOIR, 30);
    expect_idle(gic);
    gic_quit(gic);
}

/* Only what has a higher priority than the mask is signalled */
static void test_priority_mask(void)
{
    GICMachine *gic = start();

    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, PENDING));
    gicv_write(gic, GICV_PMR, PRIORITY);
    expect_idle(gic);
    gicv_write(gic, GICV_PMR, LOWER);
    g_assert_true(virq(gic));
    gicv_write(gic, GICV_PMR, 0);
    expect_idle(gic);
    g_assert_cmphex(lr_state(gic, 0), ==, PENDING);
    gicv_write(gic, GICV_PMR, OPEN_MASK);
    acknowledge(gic, VINTID);
    gic_quit(gic);
}

/* The lowest one of five bits is hidden by every mask, the highest by one */
static void test_priority_limits(void)
{
    GICMachine *gic = start();

    gicv_write(gic, GICV_PMR, 0xff);
    gich_write(gic, GICH_LR(0), lr(VINTID, OPEN_MASK, PENDING));
    expect_idle(gic);
    gich_write(gic, GICH_LR(0), lr(VINTID, 0, PENDING));
    gicv_write(gic, GICV_PMR, 0);
    expect_idle(gic);
    gicv_write(gic, GICV_PMR, 1 << PRIORITY_SHIFT);
    acknowledge(gic, VINTID);
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, 0);
    g_assert_cmphex(gich_read(gic, GICH_APR), ==, 1);
    gic_quit(gic);
}

/* Nested: each level has its bit, and returns to the one below */
static void test_preemption(void)
{
    GICMachine *gic = start();

    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, PRIORITY_IDLE);
    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, PENDING));
    acknowledge(gic, VINTID);
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, PRIORITY);

    /* not by the same priority, nor by a lower one */
    gich_write(gic, GICH_LR(1), lr(OTHER, PRIORITY, PENDING));
    expect_idle(gic);
    gich_write(gic, GICH_LR(1), lr(OTHER, LOWER, PENDING));
    expect_idle(gic);
    gich_write(gic, GICH_LR(2), lr(OTHER + 1, HIGHER, PENDING));
    acknowledge(gic, OTHER + 1);
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, HIGHER);
    g_assert_cmphex(gich_read(gic, GICH_APR), ==,
                    apr(HIGHER) | apr(PRIORITY));

    gicv_write(gic, GICV_EOIR, OTHER + 1);
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, PRIORITY);
    g_assert_cmphex(gich_read(gic, GICH_APR), ==, apr(PRIORITY));
    expect_idle(gic);
    gicv_write(gic, GICV_EOIR, VINTID);
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, PRIORITY_IDLE);
    acknowledge(gic, OTHER);
    gic_quit(gic);
}

/* All of the 32 levels */
static void test_preemption_levels(void)
{
    GICMachine *gic = start();
    uint32_t active = 0;

    gicv_write(gic, GICV_PMR, OPEN_MASK);
    for (int level = 30; level >= 0; level--) {
        unsigned priority = level << PRIORITY_SHIFT;

        /* the one below leaves the list register, as those of KVM may do */
        gich_write(gic, GICH_LR(0), lr(VINTID + level, priority, PENDING));
        acknowledge(gic, VINTID + level);
        active |= apr(priority);
        g_assert_cmphex(gich_read(gic, GICH_APR), ==, active);
        g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, priority);
    }
    gich_write(gic, GICH_LR(0), 0);
    for (int level = 0; level <= 30; level++) {
        g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, level << PRIORITY_SHIFT);
        g_assert_cmpuint(eoi_count(gic), ==, level);
        gicv_write(gic, GICV_EOIR, VINTID + level);
    }
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, PRIORITY_IDLE);
    gic_quit(gic);
}

/*
 * The binary point divides a priority: bits 7:6 are the group priority here.
 * What is left decides between pending interrupts, but does not preempt.
 */
#define BPR_7_6         5
#define GROUP_PRIORITY  0x80
#define SUB_HIGH        0x90
#define SUB_LOW         0xa8
#define GROUP_ABOVE     0x78

static void check_binary_point(GICMachine *gic, uint32_t group)
{
    gich_write(gic, GICH_LR(0), lr(VINTID, SUB_LOW, PENDING | group));
    acknowledge(gic, VINTID);
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, GROUP_PRIORITY);
    g_assert_cmphex(gich_read(gic, GICH_APR), ==, apr(GROUP_PRIORITY));
    gich_write(gic, GICH_LR(1), lr(OTHER, SUB_HIGH, PENDING | group));
    expect_idle(gic);
    gich_write(gic, GICH_LR(2), lr(OTHER + 1, GROUP_ABOVE, PENDING | group));
    acknowledge(gic, OTHER + 1);
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, 0x40);
    gicv_write(gic, GICV_EOIR, OTHER + 1);
    gicv_write(gic, GICV_EOIR, VINTID);

    gich_write(gic, GICH_LR(0), lr(VINTID, SUB_LOW, PENDING | group));
    acknowledge(gic, OTHER);
    expect_idle(gic);
    gicv_write(gic, GICV_EOIR, OTHER);
    acknowledge(gic, VINTID);
    gicv_write(gic, GICV_EOIR, VINTID);
    expect_idle(gic);
}

static void test_binary_point(void)
{
    GICMachine *gic = start();

    gicv_write(gic, GICV_BPR, BPR_7_6);
    check_binary_point(gic, 0);
    gic_quit(gic);
}

/* Group 1 has its own, which is one more for the same bits */
static void test_binary_point_group1(void)
{
    GICMachine *gic = start();

    gicv_write(gic, GICV_CTLR, R_GICV_CTLR_EnableGrp0_MASK |
               R_GICV_CTLR_EnableGrp1_MASK | R_GICV_CTLR_AckCtl_MASK);
    gicv_write(gic, GICV_ABPR, BPR_7_6 + 1);
    check_binary_point(gic, GROUP1);

    /* group 0 does not care */
    gich_write(gic, GICH_LR(0), lr(VINTID, SUB_LOW, PENDING));
    acknowledge(gic, VINTID);
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, SUB_LOW);
    gic_quit(gic);
}

/* ... unless it is told to use that of group 0 */
static void test_binary_point_common(void)
{
    GICMachine *gic = start();

    gicv_write(gic, GICV_CTLR, R_GICV_CTLR_EnableGrp0_MASK |
               R_GICV_CTLR_EnableGrp1_MASK | R_GICV_CTLR_AckCtl_MASK |
               R_GICV_CTLR_CBPR_MASK);
    gicv_write(gic, GICV_BPR, BPR_7_6);
    check_binary_point(gic, GROUP1);
    gic_quit(gic);
}

/* A binary point of 7 leaves no group priority: nothing preempts */
static void test_binary_point_none(void)
{
    GICMachine *gic = start();

    gicv_write(gic, GICV_BPR, 7);
    gich_write(gic, GICH_LR(0), lr(VINTID, LOWER, PENDING));
    acknowledge(gic, VINTID);
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, 0);
    gich_write(gic, GICH_LR(1), lr(OTHER, 0, PENDING));
    expect_idle(gic);
    gic_quit(gic);
}

/* GICH_VTR.PREbits have the least values (IHI 0048B, GICV_BPR) */
static void test_binary_point_least(void)
{
    GICMachine *gic = start();
    unsigned least = 7 - (FIELD_EX32(gich_read(gic, GICH_VTR), GICH_VTR,
                                     PREbits) + 1);

    for (unsigned i = 0; i < 8; i++) {
        gicv_write(gic, GICV_BPR, i);
        gicv_write(gic, GICV_ABPR, i);
        g_assert_cmpuint(gicv_read(gic, GICV_BPR), ==, MAX(i, least));
        g_assert_cmpuint(gicv_read(gic, GICV_ABPR), ==, MAX(i, least + 1));
    }
    gic_quit(gic);
}

/* HPPIR names the next one, even if it does not preempt, and changes nothing */
static void test_hppir(void)
{
    GICMachine *gic = start();

    g_assert_cmpuint(gicv_read(gic, GICV_HPPIR), ==, INTID_SPURIOUS);
    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, PENDING));
    gich_write(gic, GICH_LR(1), lr(OTHER, LOWER, PENDING));
    g_assert_cmpuint(gicv_read(gic, GICV_HPPIR), ==, VINTID);
    g_assert_cmpuint(gicv_read(gic, GICV_HPPIR), ==, VINTID);
    acknowledge(gic, VINTID);
    g_assert_cmpuint(gicv_read(gic, GICV_HPPIR), ==, OTHER);
    expect_idle(gic);
    gicv_write(gic, GICV_EOIR, VINTID);
    acknowledge(gic, OTHER);
    g_assert_cmpuint(gicv_read(gic, GICV_HPPIR), ==, INTID_SPURIOUS);
    gic_quit(gic);
}

/* Interrupts of a group are signalled while the guest has it enabled */
static void check_group_enable(uint32_t group, uint32_t bit)
{
    GICMachine *gic = start();

    gicv_write(gic, GICV_CTLR, 0);
    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, PENDING | group));
    expect_idle(gic);
    gicv_write(gic, GICV_CTLR, bit | R_GICV_CTLR_AckCtl_MASK);
    g_assert_true(virq(gic));
    g_assert_false(vfiq(gic));
    gicv_write(gic, GICV_CTLR, R_GICV_CTLR_AckCtl_MASK);
    expect_idle(gic);
    gicv_write(gic, GICV_CTLR, bit | R_GICV_CTLR_AckCtl_MASK);
    acknowledge(gic, VINTID);
    g_assert_cmphex(gich_read(gic, GICH_LR(0)), ==,
                    lr(VINTID, PRIORITY, ACTIVE | group));
    gicv_write(gic, GICV_EOIR, VINTID);
    expect_idle(gic);
    gic_quit(gic);
}

static void test_group0_enable(void)
{
    check_group_enable(0, R_GICV_CTLR_EnableGrp0_MASK);
}

static void test_group1_enable(void)
{
    check_group_enable(GROUP1, R_GICV_CTLR_EnableGrp1_MASK);
}

/* A group that is disabled is not acknowledged (IHI 0048B, GICC_IAR) */
static void test_group_disabled(void)
{
    GICMachine *gic = start();

    ctlr_set(gic, R_GICV_CTLR_AckCtl_MASK);
    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, PENDING | GROUP1));
    expect_idle(gic);
    g_assert_cmphex(lr_state(gic, 0), ==, PENDING);
    gicv_write(gic, GICV_CTLR, R_GICV_CTLR_EnableGrp1_MASK |
               R_GICV_CTLR_AckCtl_MASK);
    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, PENDING));
    expect_idle(gic);
    g_assert_cmphex(lr_state(gic, 0), ==, PENDING);
    gic_quit(gic);
}

/* Group 0 can be FIQs, group 1 never is */
static void test_fiq(void)
{
    GICMachine *gic = start();

    ctlr_set(gic, R_GICV_CTLR_FIQEn_MASK | R_GICV_CTLR_EnableGrp1_MASK |
             R_GICV_CTLR_AckCtl_MASK);
    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, PENDING));
    g_assert_true(vfiq(gic));
    g_assert_false(virq(gic));
    ctlr_clear(gic, R_GICV_CTLR_FIQEn_MASK);
    g_assert_false(vfiq(gic));
    g_assert_true(virq(gic));
    ctlr_set(gic, R_GICV_CTLR_FIQEn_MASK);

    /* the one with the higher priority decides */
    gich_write(gic, GICH_LR(1), lr(OTHER, HIGHER, PENDING | GROUP1));
    g_assert_false(vfiq(gic));
    acknowledge(gic, OTHER);
    g_assert_false(vfiq(gic));
    gicv_write(gic, GICV_EOIR, OTHER);
    g_assert_true(vfiq(gic));
    g_assert_false(virq(gic));
    g_assert_cmpuint(gicv_read(gic, GICV_IAR), ==, VINTID);
    expect_idle(gic);
    gic_quit(gic);
}

/* IAR shows group 1 with AckCtl only, and says that there is something */
static void test_ack_ctl(void)
{
    GICMachine *gic = start();

    ctlr_set(gic, R_GICV_CTLR_EnableGrp1_MASK);
    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, PENDING | GROUP1));
    g_assert_true(virq(gic));
    g_assert_cmpuint(gicv_read(gic, GICV_HPPIR), ==, INTID_OTHER_GROUP);
    g_assert_cmpuint(gicv_read(gic, GICV_IAR), ==, INTID_OTHER_GROUP);
    g_assert_cmphex(lr_state(gic, 0), ==, PENDING);
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, PRIORITY_IDLE);
    ctlr_set(gic, R_GICV_CTLR_AckCtl_MASK);
    g_assert_cmpuint(gicv_read(gic, GICV_HPPIR), ==, VINTID);
    acknowledge(gic, VINTID);
    gic_quit(gic);
}

/* The aliased registers are for group 1 (IHI 0048B, GICC_AIAR) */
static void test_aliased(void)
{
    GICMachine *gic = start();

    ctlr_set(gic, R_GICV_CTLR_EnableGrp1_MASK);
    g_assert_cmpuint(gicv_read(gic, GICV_AHPPIR), ==, INTID_SPURIOUS);
    g_assert_cmpuint(gicv_read(gic, GICV_AIAR), ==, INTID_SPURIOUS);
    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, PENDING | GROUP1));
    g_assert_cmpuint(gicv_read(gic, GICV_AHPPIR), ==, VINTID);
    g_assert_cmpuint(gicv_read(gic, GICV_AIAR), ==, VINTID);
    g_assert_cmphex(lr_state(gic, 0), ==, ACTIVE);
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, PRIORITY);
    gicv_write(gic, GICV_AEOIR, VINTID);
    g_assert_cmphex(lr_state(gic, 0), ==, 0);
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, PRIORITY_IDLE);

    /* of group 0 they say nothing */
    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, PENDING));
    g_assert_cmpuint(gicv_read(gic, GICV_AHPPIR), ==, INTID_SPURIOUS);
    g_assert_cmpuint(gicv_read(gic, GICV_AIAR), ==, INTID_SPURIOUS);
    g_assert_cmphex(lr_state(gic, 0), ==, PENDING);
    acknowledge(gic, VINTID);
    gic_quit(gic);
}

/* ... with the source of an SGI */
static void test_aliased_sgi(void)
{
    GICMachine *gic = start();
    uint32_t iar = FIELD_DP32(VSGI, GICV_IAR, CPUID, 6);

    ctlr_set(gic, R_GICV_CTLR_EnableGrp1_MASK);
    gich_write(gic, GICH_LR(0), lr_sgi(VSGI, 6, PENDING | GROUP1));
    g_assert_cmphex(gicv_read(gic, GICV_AHPPIR), ==, iar);
    g_assert_cmphex(gicv_read(gic, GICV_AIAR), ==, iar);
    gicv_write(gic, GICV_AEOIR, iar);
    g_assert_cmphex(lr_state(gic, 0), ==, 0);
    gic_quit(gic);
}

/* With EOImode, EOIR drops the priority and DIR deactivates */
static void test_eoi_mode(void)
{
    GICMachine *gic = start();

    ctlr_set(gic, R_GICV_CTLR_EOImode_MASK);
    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, PENDING | EOI));
    gich_write(gic, GICH_LR(1), lr(OTHER, LOWER, PENDING));
    acknowledge(gic, VINTID);
    expect_idle(gic);

    gicv_write(gic, GICV_EOIR, VINTID);
    g_assert_cmphex(lr_state(gic, 0), ==, ACTIVE);
    g_assert_cmphex(gich_read(gic, GICH_EISR(0)), ==, 0);
    g_assert_false(maintenance(gic));
    /* now lower ones are taken */
    acknowledge(gic, OTHER);
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, LOWER);

    gicv_write(gic, GICV_DIR, VINTID);
    g_assert_cmphex(lr_state(gic, 0), ==, 0);
    g_assert_cmphex(lr_state(gic, 1), ==, ACTIVE);
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, LOWER);
    g_assert_cmphex(gich_read(gic, GICH_EISR(0)), ==, 1);
    g_assert_true(maintenance(gic));

    /* in any order */
    gicv_write(gic, GICV_DIR, OTHER);
    g_assert_cmphex(lr_state(gic, 1), ==, 0);
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, LOWER);
    gicv_write(gic, GICV_EOIR, OTHER);
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, PRIORITY_IDLE);
    g_assert_cmpuint(eoi_count(gic), ==, 0);
    gic_quit(gic);
}

/* An interrupt that became pending again waits for DIR */
static void test_eoi_mode_pending(void)
{
    GICMachine *gic = start();

    ctlr_set(gic, R_GICV_CTLR_EOImode_MASK);
    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, PENDING));
    acknowledge(gic, VINTID);
    gich_write(gic, GICH_LR(0), gich_read(gic, GICH_LR(0)) | PENDING);
    gicv_write(gic, GICV_EOIR, VINTID);
    g_assert_cmphex(lr_state(gic, 0), ==, ACTIVE | PENDING);
    expect_idle(gic);
    gicv_write(gic, GICV_DIR, VINTID);
    acknowledge(gic, VINTID);
    gic_quit(gic);
}

/* Of an absent one, DIR is what counts */
static void test_eoi_mode_count(void)
{
    GICMachine *gic = start();

    ctlr_set(gic, R_GICV_CTLR_EOImode_MASK);
    hcr_set(gic, R_GICH_HCR_LRENPIE_MASK);
    gich_write(gic, GICH_APR, apr(PRIORITY));
    gicv_write(gic, GICV_EOIR, ABSENT);
    g_assert_cmphex(gich_read(gic, GICH_APR), ==, 0);
    g_assert_cmpuint(eoi_count(gic), ==, 0);
    g_assert_false(maintenance(gic));
    gicv_write(gic, GICV_DIR, ABSENT);
    g_assert_cmpuint(eoi_count(gic), ==, 1);
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, R_GICH_MISR_LRENP_MASK);
    g_assert_true(maintenance(gic));
    gic_quit(gic);
}

/* The source of an SGI is written to DIR, too */
static void test_eoi_mode_sgi(void)
{
    GICMachine *gic = start();
    uint32_t iar = FIELD_DP32(VSGI, GICV_IAR, CPUID, 3);

    ctlr_set(gic, R_GICV_CTLR_EOImode_MASK);
    gich_write(gic, GICH_LR(0), lr_sgi(VSGI, 3, PENDING));
    g_assert_cmphex(gicv_read(gic, GICV_IAR), ==, iar);
    gicv_write(gic, GICV_EOIR, iar);
    g_assert_cmphex(lr_state(gic, 0), ==, ACTIVE);
    gicv_write(gic, GICV_DIR, iar);
    g_assert_cmphex(lr_state(gic, 0), ==, 0);
    g_assert_cmpuint(eoi_count(gic), ==, 0);
    gic_quit(gic);
}

/* A physical interrupt that the hypervisor took, for the guest to deactivate */
static void take_physical(GICMachine *gic, unsigned intid)
{
    enable_physical(gic);
    gicd_set_edge(gic, intid, false);
    gicd_set(gic, GICD_ISENABLER, intid);
    if (intid < FIRST_SPI) {
        gic_ppi(gic, 0, intid, true);
    } else {
        gicd_write_byte(gic, GICD_ITARGETSR, intid, 1);
        gic_spi(gic, intid, true);
    }
    g_assert_true(gic_output(gic, 0, GIC_IRQ));
    g_assert_cmpuint(gicc_read(gic, GICC_IAR), ==, intid);
    gicc_write(gic, GICC_EOIR, intid);
    g_assert_true(gicd_test(gic, GICD_ISACTIVER, intid));
    g_assert_false(gic_output(gic, 0, GIC_IRQ));
}

/* The guest's end of the virtual interrupt deactivates the physical one */
static void check_hw_eoi(unsigned intid)
{
    GICMachine *gic = start();

    take_physical(gic, intid);
    gich_write(gic, GICH_LR(0), lr_hw(VINTID, intid, PENDING));
    acknowledge(gic, VINTID);
    g_assert_cmphex(gich_read(gic, GICH_LR(0)), ==,
                    lr_hw(VINTID, intid, ACTIVE));
    g_assert_true(gicd_test(gic, GICD_ISACTIVER, intid));
    gic_line(gic, 0, intid, false);

    gicv_write(gic, GICV_EOIR, VINTID);
    g_assert_cmphex(lr_state(gic, 0), ==, 0);
    g_assert_false(gicd_test(gic, GICD_ISACTIVER, intid));
    g_assert_cmphex(gich_read(gic, GICH_EISR(0)), ==, 0);
    g_assert_cmphex(gich_read(gic, GICH_ELRSR(0)), ==,
                    first_lrs(num_lrs(gic)));
    g_assert_false(maintenance(gic));
    g_assert_false(gic_output(gic, 0, GIC_IRQ));
    gic_quit(gic);
}

static void test_hw_eoi_spi(void)
{
    check_hw_eoi(FREE_SPI(0));
}

static void test_hw_eoi_ppi(void)
{
    check_hw_eoi(FREE_PPI);
}

static void test_hw_dir(void)
{
    GICMachine *gic = start();

    ctlr_set(gic, R_GICV_CTLR_EOImode_MASK);
    take_physical(gic, FREE_SPI(0));
    gich_write(gic, GICH_LR(0), lr_hw(VINTID, FREE_SPI(0), PENDING));
    acknowledge(gic, VINTID);
    gic_spi(gic, FREE_SPI(0), false);
    gicv_write(gic, GICV_EOIR, VINTID);
    g_assert_true(gicd_test(gic, GICD_ISACTIVER, FREE_SPI(0)));
    g_assert_cmphex(lr_state(gic, 0), ==, ACTIVE);
    gicv_write(gic, GICV_DIR, VINTID);
    g_assert_false(gicd_test(gic, GICD_ISACTIVER, FREE_SPI(0)));
    g_assert_cmphex(lr_state(gic, 0), ==, 0);
    gic_quit(gic);
}

/* A level that is still high is signalled to the hypervisor again at once */
static void check_hw_level(uint32_t eoi_mode)
{
    GICMachine *gic = start();

    ctlr_set(gic, eoi_mode);
    take_physical(gic, FREE_SPI(0));
    gich_write(gic, GICH_LR(0), lr_hw(VINTID, FREE_SPI(0), PENDING));
    acknowledge(gic, VINTID);
    g_assert_false(gic_output(gic, 0, GIC_IRQ));
    gicv_write(gic, GICV_EOIR, VINTID);
    if (eoi_mode) {
        g_assert_false(gic_output(gic, 0, GIC_IRQ));
        gicv_write(gic, GICV_DIR, VINTID);
    }
    g_assert_true(gic_output(gic, 0, GIC_IRQ));
    g_assert_cmpuint(gicc_read(gic, GICC_IAR), ==, FREE_SPI(0));
    gic_quit(gic);
}

static void test_hw_level_eoi(void)
{
    check_hw_level(0);
}

static void test_hw_level_dir(void)
{
    check_hw_level(R_GICV_CTLR_EOImode_MASK);
}

/* Only what PhysicalID names, and only with HW */
static void test_hw_others(void)
{
    GICMachine *gic = start();

    take_physical(gic, FREE_SPI(0));
    take_physical(gic, FREE_SPI(1));
    take_physical(gic, VINTID);
    /* a software interrupt with the number of a physical one */
    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, PENDING));
    acknowledge(gic, VINTID);
    gicv_write(gic, GICV_EOIR, VINTID);
    g_assert_true(gicd_test(gic, GICD_ISACTIVER, VINTID));
    /* a hardware interrupt with the number of another one */
    gich_write(gic, GICH_LR(0), lr_hw(FREE_SPI(0), FREE_SPI(1), PENDING));
    acknowledge(gic, FREE_SPI(0));
    gicv_write(gic, GICV_EOIR, FREE_SPI(0));
    g_assert_true(gicd_test(gic, GICD_ISACTIVER, FREE_SPI(0)));
    g_assert_false(gicd_test(gic, GICD_ISACTIVER, FREE_SPI(1)));
    g_assert_true(gicd_test(gic, GICD_ISACTIVER, VINTID));
    /* the hypervisor takes one back */
    gich_write(gic, GICH_LR(0), lr_hw(VINTID, VINTID, PENDING));
    gich_write(gic, GICH_LR(0), 0);
    g_assert_true(gicd_test(gic, GICD_ISACTIVER, VINTID));
    gic_quit(gic);
}

/* The hypervisor sees what the guest sets ... */
static void test_vmcr_read(void)
{
    GICMachine *gic = start();
    static const struct {
        uint32_t ctlr;
        uint32_t vmcr;
    } bits[] = {
        { R_GICV_CTLR_EnableGrp0_MASK, R_GICH_VMCR_VMGrp0En_MASK },
        { R_GICV_CTLR_EnableGrp1_MASK, R_GICH_VMCR_VMGrp1En_MASK },
        { R_GICV_CTLR_AckCtl_MASK, R_GICH_VMCR_VMAckCtl_MASK },
        { R_GICV_CTLR_FIQEn_MASK, R_GICH_VMCR_VMFIQEn_MASK },
        { R_GICV_CTLR_CBPR_MASK, R_GICH_VMCR_VMCBPR_MASK },
        { R_GICV_CTLR_EOImode_MASK, R_GICH_VMCR_VEM_MASK },
    };
    uint32_t vmcr = FIELD_DP32(0, GICH_VMCR, VMPriMask, 0x15);

    vmcr = FIELD_DP32(vmcr, GICH_VMCR, VMBP, 4);
    vmcr = FIELD_DP32(vmcr, GICH_VMCR, VMABP, 6);
    gicv_write(gic, GICV_PMR, 0x15 << PRIORITY_SHIFT);
    gicv_write(gic, GICV_BPR, 4);
    gicv_write(gic, GICV_ABPR, 6);
    for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
        gicv_write(gic, GICV_CTLR, bits[i].ctlr);
        g_assert_cmphex(gich_read(gic, GICH_VMCR), ==, vmcr | bits[i].vmcr);
        /* ... and sets what the guest sees */
        gicv_write(gic, GICV_CTLR, 0);
        gich_write(gic, GICH_VMCR, vmcr | bits[i].vmcr);
        g_assert_cmphex(gicv_read(gic, GICV_CTLR), ==, bits[i].ctlr);
    }
    gic_quit(gic);
}

static void test_vmcr_write(void)
{
    GICMachine *gic = start();

    for (unsigned i = 0; i < 32; i++) {
        gich_write(gic, GICH_VMCR, FIELD_DP32(0, GICH_VMCR, VMPriMask, i));
        g_assert_cmphex(gicv_read(gic, GICV_PMR), ==, i << PRIORITY_SHIFT);
        g_assert_cmphex(gicv_read(gic, GICV_CTLR), ==, 0);
    }
    for (unsigned i = 3; i < 8; i++) {
        uint32_t vmcr = FIELD_DP32(0, GICH_VMCR, VMBP, i);

        gich_write(gic, GICH_VMCR, FIELD_DP32(vmcr, GICH_VMCR, VMABP, 10 - i));
        g_assert_cmpuint(gicv_read(gic, GICV_BPR), ==, i);
        g_assert_cmpuint(gicv_read(gic, GICV_ABPR), ==, 10 - i);
        g_assert_cmphex(gicv_read(gic, GICV_PMR), ==, 0);
    }
    gic_quit(gic);
}

/* It acts at once, as if the guest had written */
static void test_vmcr_effect(void)
{
    GICMachine *gic = start();
    uint32_t vmcr = gich_read(gic, GICH_VMCR);

    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, PENDING));
    g_assert_true(virq(gic));
    gich_write(gic, GICH_VMCR, vmcr & ~R_GICH_VMCR_VMGrp0En_MASK);
    g_assert_false(virq(gic));
    gich_write(gic, GICH_VMCR, vmcr | R_GICH_VMCR_VMFIQEn_MASK);
    g_assert_true(vfiq(gic));
    gich_write(gic, GICH_VMCR, vmcr & ~R_GICH_VMCR_VMPriMask_MASK);
    g_assert_false(vfiq(gic));
    gich_write(gic, GICH_VMCR, vmcr);
    acknowledge(gic, VINTID);
    gic_quit(gic);
}

/* All that a hypervisor switches from guest to guest */
typedef struct Guest {
    uint32_t hcr;
    uint32_t vmcr;
    uint32_t apr;
    uint32_t lr[GICH_MAX_LRS];
} Guest;

static void save_guest(GICMachine *gic, Guest *guest)
{
    guest->hcr = gich_read(gic, GICH_HCR);
    guest->vmcr = gich_read(gic, GICH_VMCR);
    guest->apr = gich_read(gic, GICH_APR);
    for (unsigned i = 0; i < num_lrs(gic); i++) {
        guest->lr[i] = gich_read(gic, GICH_LR(i));
    }
}

static void restore_guest(GICMachine *gic, const Guest *guest)
{
    gich_write(gic, GICH_HCR, 0);
    gich_write(gic, GICH_VMCR, guest->vmcr);
    gich_write(gic, GICH_APR, guest->apr);
    for (unsigned i = 0; i < num_lrs(gic); i++) {
        gich_write(gic, GICH_LR(i), guest->lr[i]);
    }
    gich_write(gic, GICH_HCR, guest->hcr);
}

/* In the inner one of two nested handlers, with another one pending */
static void enter_handlers(GICMachine *gic)
{
    ctlr_set(gic, R_GICV_CTLR_EnableGrp1_MASK | R_GICV_CTLR_AckCtl_MASK);
    gicv_write(gic, GICV_BPR, 4);
    gicv_write(gic, GICV_ABPR, 6);
    gicv_write(gic, GICV_PMR, 0xf0);
    gich_write(gic, GICH_LR(0), lr(VINTID, 0xc0, PENDING));
    acknowledge(gic, VINTID);
    gich_write(gic, GICH_LR(1), lr_sgi(VSGI, 2, PENDING | EOI | GROUP1));
    acknowledge(gic, FIELD_DP32(VSGI, GICV_IAR, CPUID, 2));
    gich_write(gic, GICH_LR(0), gich_read(gic, GICH_LR(0)) | PENDING);
    gich_write(gic, GICH_LR(2), lr(OTHER, 0xa0, PENDING));
}

/* How these go on */
static void leave_handlers(GICMachine *gic)
{
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, PRIORITY);
    expect_idle(gic);
    gicv_write(gic, GICV_EOIR, FIELD_DP32(VSGI, GICV_IAR, CPUID, 2));
    g_assert_cmphex(gich_read(gic, GICH_EISR(0)), ==, 1 << 1);
    g_assert_true(maintenance(gic));
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, 0xc0);
    acknowledge(gic, OTHER);
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, 0xa0);
    gicv_write(gic, GICV_EOIR, OTHER);
    gicv_write(gic, GICV_EOIR, VINTID);
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, PRIORITY_IDLE);
    acknowledge(gic, VINTID);
    gicv_write(gic, GICV_EOIR, VINTID);
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, PRIORITY_IDLE);
    g_assert_cmpuint(eoi_count(gic), ==, 0);
    expect_idle(gic);
}

/* Two guests take turns in the middle of their handlers */
static void test_switch(void)
{
    GICMachine *gic = start();
    Guest empty, first, second;

    save_guest(gic, &empty);
    enter_handlers(gic);
    save_guest(gic, &first);

    restore_guest(gic, &empty);
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, PRIORITY_IDLE);
    expect_idle(gic);
    gich_write(gic, GICH_LR(3), lr(VINTID, LOWER, PENDING));
    acknowledge(gic, VINTID);
    save_guest(gic, &second);

    restore_guest(gic, &first);
    leave_handlers(gic);
    restore_guest(gic, &second);
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, LOWER);
    gicv_write(gic, GICV_EOIR, VINTID);
    g_assert_cmphex(lr_state(gic, 3), ==, 0);
    g_assert_cmpuint(eoi_count(gic), ==, 0);
    gic_quit(gic);
}

/* GICH_APR alone: without it, what had to wait preempts */
static void test_apr(void)
{
    GICMachine *gic = start();
    uint32_t saved;

    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, PENDING));
    acknowledge(gic, VINTID);
    gich_write(gic, GICH_LR(1), lr(OTHER, LOWER, PENDING));
    saved = gich_read(gic, GICH_APR);
    g_assert_cmphex(saved, ==, apr(PRIORITY));
    gich_write(gic, GICH_APR, 0);
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, PRIORITY_IDLE);
    g_assert_true(virq(gic));
    gich_write(gic, GICH_APR, saved);
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, PRIORITY);
    expect_idle(gic);

    /* the running priority is that of the highest bit */
    gich_write(gic, GICH_APR, apr(LOWER) | apr(0));
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, 0);
    gich_write(gic, GICH_APR, UINT32_MAX);
    g_assert_cmphex(gich_read(gic, GICH_APR), ==, UINT32_MAX);
    gic_quit(gic);
}

/* The guest saves and restores its own, for a suspend */
static void test_guest_apr(void)
{
    GICMachine *gic = start();
    uint32_t saved;

    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, PENDING));
    acknowledge(gic, VINTID);
    saved = gicv_read(gic, GICV_APR(0));
    g_assert_cmphex(saved, !=, 0);
    gicv_write(gic, GICV_APR(0), 0);
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, PRIORITY_IDLE);
    gicv_write(gic, GICV_APR(0), saved);
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, PRIORITY);
    /* 32 levels need one register */
    for (unsigned i = 1; i < GICC_NUM_APRS; i++) {
        gicv_write(gic, GICV_APR(i), UINT32_MAX);
        g_assert_cmphex(gicv_read(gic, GICV_APR(i)), ==, 0);
    }
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, PRIORITY);
    gic_quit(gic);
}

/* Reserved bits of GICH are read as 0, whatever was written */
static void test_reserved_hypervisor(void)
{
    GICMachine *gic = start();
    uint32_t hcr = R_GICH_HCR_En_MASK | R_GICH_HCR_UIE_MASK |
                   R_GICH_HCR_LRENPIE_MASK | R_GICH_HCR_NPIE_MASK |
                   R_GICH_HCR_VGrp0EIE_MASK | R_GICH_HCR_VGrp0DIE_MASK |
                   R_GICH_HCR_VGrp1EIE_MASK | R_GICH_HCR_VGrp1DIE_MASK |
                   R_GICH_HCR_EOICount_MASK;
    uint32_t vmcr = R_GICH_VMCR_VMGrp0En_MASK | R_GICH_VMCR_VMGrp1En_MASK |
                    R_GICH_VMCR_VMAckCtl_MASK | R_GICH_VMCR_VMFIQEn_MASK |
                    R_GICH_VMCR_VMCBPR_MASK | R_GICH_VMCR_VEM_MASK |
                    R_GICH_VMCR_VMABP_MASK | R_GICH_VMCR_VMBP_MASK |
                    R_GICH_VMCR_VMPriMask_MASK;
    uint32_t hw = R_GICH_LR_VirtualID_MASK | R_GICH_LR_PhysicalID_MASK |
                  R_GICH_LR_Priority_MASK | PENDING | ACTIVE | GROUP1 |
                  R_GICH_LR_HW_MASK;

    gich_write(gic, GICH_HCR, UINT32_MAX);
    g_assert_cmphex(gich_read(gic, GICH_HCR), ==, hcr);
    gich_write(gic, GICH_VMCR, UINT32_MAX);
    g_assert_cmphex(gich_read(gic, GICH_VMCR), ==, vmcr);
    gich_write(gic, GICH_LR(0), UINT32_MAX);
    g_assert_cmphex(gich_read(gic, GICH_LR(0)), ==, hw);
    gic_quit(gic);
}

static void check_reserved_guest(const char *options)
{
    GICMachine *gic = gic_start(options, 2, "");

    gicv_write(gic, GICV_CTLR, UINT32_MAX);
    g_assert_cmphex(gicv_read(gic, GICV_CTLR), ==,
                    R_GICV_CTLR_EnableGrp0_MASK | R_GICV_CTLR_EnableGrp1_MASK |
                    R_GICV_CTLR_AckCtl_MASK | R_GICV_CTLR_FIQEn_MASK |
                    R_GICV_CTLR_CBPR_MASK | R_GICV_CTLR_EOImode_MASK);
    gicv_write(gic, GICV_PMR, UINT32_MAX);
    g_assert_cmphex(gicv_read(gic, GICV_PMR), ==, OPEN_MASK);
    gicv_write(gic, GICV_BPR, UINT32_MAX);
    g_assert_cmphex(gicv_read(gic, GICV_BPR), ==, 7);
    gicv_write(gic, GICV_ABPR, UINT32_MAX);
    g_assert_cmphex(gicv_read(gic, GICV_ABPR), ==, 7);
    gic_quit(gic);
}

/* ... and those of GICV, which has no Security Extensions in any case */
static void test_reserved_guest(void)
{
    check_reserved_guest(OPTIONS);
}

static void test_reserved_guest_secure(void)
{
    check_reserved_guest(OPTIONS ",secure=on");
}

/*
 * Accesses that are none, to each offset of both frames and with each size,
 * which software must not make. The interface works after them.
 */
static void test_bad_accesses(void)
{
    GICMachine *gic = start();

    gic_sweep(gic, GICH_BASE, GICH_SIZE);
    gic_sweep(gic, GICV_BASE, GICV_SIZE);
    gic_reset(gic);
    enable(gic);
    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, PENDING));
    acknowledge(gic, VINTID);
    gicv_write(gic, GICV_EOIR, VINTID);
    expect_idle(gic);
    gic_quit(gic);
}

/*
 * All registers of the GIC at random, as the test's seed has it: states that
 * software must not make are among these, such as one VirtualID in several list
 * registers. Nothing may end QEMU, and a reset mends the rest.
 */
static void test_hammer(void)
{
    static const struct {
        uint64_t base;
        unsigned size;
    } frames[] = {
        { GICD_BASE, 0x1000 }, { GICC_BASE, 0x100 }, { GICH_BASE, 0x200 },
        { GICV_BASE, 0x100 }, { GICC_BASE + A_GICC_DIR, 4 },
        { GICV_BASE + A_GICV_DIR, 4 },
    };
    GICMachine *gic = start();

    for (unsigned i = 0; i < 20000; i++) {
        unsigned frame = g_test_rand_int_range(0, ARRAY_SIZE(frames));
        unsigned words = frames[frame].size / 4;
        uint64_t address = frames[frame].base +
                           4 * g_test_rand_int_range(0, words);

        if (rvic_chance(50)) {
            qtest_readl(gic->qts, address);
        } else {
            /* many of few interrupts, so that they meet */
            qtest_writel(gic->qts, address,
                         rvic_chance(50) ? g_test_rand_int() :
                                           g_test_rand_int() & ~0x3f0);
        }
        if (rvic_chance(5)) {
            gic_spi(gic, g_test_rand_int_range(FIRST_SPI, LAST_SPI + 1),
                    rvic_chance(50));
        }
    }
    gic_reset(gic);
    enable(gic);
    gich_write(gic, GICH_LR(0), lr(VINTID, PRIORITY, PENDING));
    acknowledge(gic, VINTID);
    gicv_write(gic, GICV_EOIR, VINTID);
    expect_idle(gic);
    gic_quit(gic);
}

/* In the middle of handlers: nothing is left of them */
static void test_reset(void)
{
    GICMachine *gic = start();
    Guest fresh, after;

    gic_reset(gic);
    save_guest(gic, &fresh);
    enable(gic);
    enter_handlers(gic);
    hcr_set(gic, R_GICH_HCR_UIE_MASK | R_GICH_HCR_VGrp1EIE_MASK);
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, R_GICH_MISR_VGrp1E_MASK);

    gic_reset(gic);
    save_guest(gic, &after);
    g_assert_cmphex(after.hcr, ==, 0);
    g_assert_cmphex(after.vmcr, ==, fresh.vmcr);
    g_assert_cmphex(after.apr, ==, 0);
    for (unsigned i = 0; i < num_lrs(gic); i++) {
        g_assert_cmphex(after.lr[i], ==, 0);
    }
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, 0);
    g_assert_cmphex(gicv_read(gic, GICV_CTLR), ==, 0);
    g_assert_cmphex(gicv_read(gic, GICV_PMR), ==, 0);
    g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, PRIORITY_IDLE);
    g_assert_false(gicd_test(gic, GICD_ISPENDR, INTID_MAINTENANCE));
    gic_quit(gic);
}

/* ... so that what follows is not held up by them */
static void test_reset_running_priority(void)
{
    GICMachine *gic = start();

    gich_write(gic, GICH_LR(0), lr(VINTID, HIGHER, PENDING));
    acknowledge(gic, VINTID);
    gic_reset(gic);
    enable(gic);
    for (unsigned i = 0; i < 2; i++) {
        gich_write(gic, GICH_LR(0), lr(OTHER, PRIORITY, PENDING));
        acknowledge(gic, OTHER);
        gicv_write(gic, GICV_EOIR, OTHER);
        g_assert_cmphex(gicv_read(gic, GICV_RPR), ==, PRIORITY_IDLE);
    }
    gic_quit(gic);
}

/* A migration in the middle of handlers */
static void test_migration(void)
{
    GICMachine *gic = start();
    Guest before, after;

    enter_handlers(gic);
    hcr_set(gic, R_GICH_HCR_VGrp1EIE_MASK);
    save_guest(gic, &before);
    gic = gic_migrate(gic);
    save_guest(gic, &after);
    g_assert_cmphex(after.hcr, ==, before.hcr);
    g_assert_cmphex(after.vmcr, ==, before.vmcr);
    g_assert_cmphex(after.apr, ==, before.apr);
    for (unsigned i = 0; i < num_lrs(gic); i++) {
        g_assert_cmphex(after.lr[i], ==, before.lr[i]);
    }
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==, R_GICH_MISR_VGrp1E_MASK);
    g_assert_true(gicd_test(gic, GICD_ISPENDR, INTID_MAINTENANCE));
    leave_handlers(gic);
    gic_quit(gic);
}

/* Pending, with an end to be seen and some to be counted */
static void test_migration_pending(void)
{
    GICMachine *gic = start();

    hcr_set(gic, R_GICH_HCR_LRENPIE_MASK);
    gich_write(gic, GICH_APR, apr(HIGHER));
    gicv_write(gic, GICV_EOIR, ABSENT);
    gich_write(gic, GICH_LR(3), lr(OTHER, PRIORITY, EOI));
    gich_write(gic, GICH_LR(1), lr_sgi(VSGI, 4, PENDING));
    gic = gic_migrate(gic);
    g_assert_cmpuint(eoi_count(gic), ==, 1);
    g_assert_cmphex(gich_read(gic, GICH_EISR(0)), ==, 1 << 3);
    g_assert_cmphex(gich_read(gic, GICH_MISR), ==,
                    R_GICH_MISR_EOI_MASK | R_GICH_MISR_LRENP_MASK);
    g_assert_cmpuint(FIELD_EX32(gicv_read(gic, GICV_HPPIR), GICV_IAR, INTID),
                     ==, VSGI);
    g_assert_cmphex(gicv_read(gic, GICV_IAR), ==,
                    FIELD_DP32(VSGI, GICV_IAR, CPUID, 4));
    gich_write(gic, GICH_LR(3), 0);
    hcr_clear(gic, R_GICH_HCR_EOICount_MASK);
    g_assert_false(maintenance(gic));
    g_assert_false(gicd_test(gic, GICD_ISPENDR, INTID_MAINTENANCE));
    gic_quit(gic);
}

/* A physical interrupt that the guest on the other side deactivates */
static void test_migration_hardware(void)
{
    GICMachine *gic = start();

    take_physical(gic, FREE_SPI(0));
    gich_write(gic, GICH_LR(0), lr_hw(VINTID, FREE_SPI(0), PENDING));
    acknowledge(gic, VINTID);
    gic_spi(gic, FREE_SPI(0), false);
    gic = gic_migrate(gic);
    g_assert_true(gicd_test(gic, GICD_ISACTIVER, FREE_SPI(0)));
    gicv_write(gic, GICV_EOIR, VINTID);
    g_assert_false(gicd_test(gic, GICD_ISACTIVER, FREE_SPI(0)));
    g_assert_cmphex(lr_state(gic, 0), ==, 0);
    gic_quit(gic);
}

/*
 * Other boards than virt have a frame for each CPU's virtual interface control
 * besides, through which a hypervisor reaches those of other CPUs (IHI 0048B,
 * 5.2: processor-specific base addresses).
 */
#define A15_MACHINE     "vexpress-a15"
#define A15_GICH_BASE   0x2c004000
#define A15_GICH_CPU_BASE(cpu)  (0x2c005000 + 0x200 * (cpu))
#define A15_CPUS        2

static void test_frames(void)
{
    QTestState *qts = qtest_initf("-machine " A15_MACHINE " -smp %u",
                                  A15_CPUS);

    for (unsigned cpu = 0; cpu < A15_CPUS; cpu++) {
        uint64_t base = A15_GICH_CPU_BASE(cpu);

        qtest_writel(qts, base + A_GICH_HCR,
                     FIELD_DP32(0, GICH_HCR, EOICount, cpu + 1));
        qtest_writel(qts, base + A_GICH_VMCR,
                     FIELD_DP32(0, GICH_VMCR, VMPriMask, cpu + 1));
        qtest_writel(qts, base + A_GICH_APR, apr(8 * cpu));
        qtest_writel(qts, base + A_GICH_LR(0),
                     lr(VINTID + cpu, PRIORITY, PENDING));
    }
    for (unsigned cpu = 0; cpu < A15_CPUS; cpu++) {
        uint64_t base = A15_GICH_CPU_BASE(cpu);
        uint32_t vmcr = qtest_readl(qts, base + A_GICH_VMCR);

        g_assert_cmphex(qtest_readl(qts, base + A_GICH_HCR), ==,
                        FIELD_DP32(0, GICH_HCR, EOICount, cpu + 1));
        g_assert_cmpuint(FIELD_EX32(vmcr, GICH_VMCR, VMPriMask), ==, cpu + 1);
        g_assert_cmphex(qtest_readl(qts, base + A_GICH_APR), ==, apr(8 * cpu));
        g_assert_cmphex(qtest_readl(qts, base + A_GICH_LR(0)), ==,
                        lr(VINTID + cpu, PRIORITY, PENDING));
        g_assert_cmphex(qtest_readl(qts, base + A_GICH_LR(1)), ==, 0);
    }
    /* this CPU's is in the frame that all CPUs have, too */
    g_assert_cmphex(qtest_readl(qts, A15_GICH_BASE + A_GICH_LR(0)), ==,
                    lr(VINTID, PRIORITY, PENDING));
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*test)(void);
    } tests[] = {
        { "vtr", test_vtr },
        { "iidr", test_iidr },
        { "lr/allocation", test_lr_allocation },
        { "lr/fields", test_lr_fields },
        { "lr/stale", test_lr_stale },
        { "lr/beyond", test_lr_beyond },
        { "state/pending", test_state_pending },
        { "state/retired", test_state_retired },
        { "state/active", test_state_active },
        { "state/active-pending", test_state_active_pending },
        { "piggyback/level", test_piggyback },
        { "piggyback/nested", test_piggyback_nested },
        { "eoi/silent", test_eoi_silent },
        { "eoi/maintenance", test_eoi_maintenance },
        { "eoi/several", test_eoi_several },
        { "eoi/hardware", test_eoi_hardware },
        { "eoi/spurious", test_eoi_spurious },
        { "underflow", test_underflow },
        { "underflow/eoi", test_underflow_eoi },
        { "no-pending", test_no_pending },
        { "eoi-count", test_eoi_count },
        { "eoi-count/stale", test_eoi_count_stale },
        { "eoi-count/clear", test_eoi_count_clear },
        { "eoi-count/wraps", test_eoi_count_wraps },
        { "maintenance/group0", test_group0_maintenance },
        { "maintenance/group1", test_group1_maintenance },
        { "maintenance/causes", test_causes },
        { "maintenance/line", test_maintenance_line },
        { "off", test_interface_off },
        { "sgi/sources", test_sgi_sources },
        { "sgi/several", test_sgi_several },
        { "sgi/hppir", test_sgi_hppir },
        { "sgi/eoi-maintenance", test_sgi_eoi_maintenance },
        { "priority/order", test_priority_order },
        { "priority/mask", test_priority_mask },
        { "priority/limits", test_priority_limits },
        { "preemption", test_preemption },
        { "preemption/levels", test_preemption_levels },
        { "binary-point/group0", test_binary_point },
        { "binary-point/group1", test_binary_point_group1 },
        { "binary-point/common", test_binary_point_common },
        { "binary-point/none", test_binary_point_none },
        { "binary-point/least", test_binary_point_least },
        { "hppir", test_hppir },
        { "group/enable0", test_group0_enable },
        { "group/enable1", test_group1_enable },
        { "group/disabled", test_group_disabled },
        { "group/fiq", test_fiq },
        { "group/ack-ctl", test_ack_ctl },
        { "aliased", test_aliased },
        { "aliased/sgi", test_aliased_sgi },
        { "eoi-mode", test_eoi_mode },
        { "eoi-mode/pending", test_eoi_mode_pending },
        { "eoi-mode/count", test_eoi_mode_count },
        { "eoi-mode/sgi", test_eoi_mode_sgi },
        { "hw/eoi-spi", test_hw_eoi_spi },
        { "hw/eoi-ppi", test_hw_eoi_ppi },
        { "hw/dir", test_hw_dir },
        { "hw/level-eoi", test_hw_level_eoi },
        { "hw/level-dir", test_hw_level_dir },
        { "hw/others", test_hw_others },
        { "vmcr/mirror", test_vmcr_read },
        { "vmcr/fields", test_vmcr_write },
        { "vmcr/effect", test_vmcr_effect },
        { "switch", test_switch },
        { "apr", test_apr },
        { "apr/guest", test_guest_apr },
        { "reserved/hypervisor", test_reserved_hypervisor },
        { "reserved/guest", test_reserved_guest },
        { "reserved/guest-secure", test_reserved_guest_secure },
        { "bad-accesses", test_bad_accesses },
        { "hammer", test_hammer },
        { "reset", test_reset },
        { "reset/running-priority", test_reset_running_priority },
        { "migration/handlers", test_migration },
        { "migration/pending", test_migration_pending },
        { "migration/hardware", test_migration_hardware },
    };

    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        g_autofree char *path = g_strdup_printf("/gicv2-virt/%s",
                                                tests[i].name);

        qtest_add_func(path, tests[i].test);
    }
    /* not in a QEMU that has the virt board only */
    if (qtest_has_machine(A15_MACHINE)) {
        qtest_add_func("/gicv2-virt/frames", test_frames);
    }
    return g_test_run();
}
