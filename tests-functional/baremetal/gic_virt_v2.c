/*
 * Bare-metal guest at EL2: GICv2, by its memory-mapped frames
 *
 * GICV is at the same address for EL2 and EL1. What a frame shows is the
 * accessing vCPU's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "gic_virt.h"

/* GICH_LR<n> */
#define LR_ID_SHIFT             10      /* PhysicalID, or CPUID */
#define LR_EOI                  (1u << 19)
#define LR_PRIORITY_SHIFT       23      /* its five upper bits */
#define LR_STATE_SHIFT          28
#define LR_GROUP_SHIFT          30
#define LR_HW                   (1u << 31)

static uint32_t hcr(void)
{
    return read32(GICH + GICH_HCR);
}

static void set_hcr(uint32_t value)
{
    write32(GICH + GICH_HCR, value);
}

static uint32_t vtr(void)
{
    return read32(GICH + GICH_VTR);
}

static uint32_t vmcr(void)
{
    return read32(GICH + GICH_VMCR);
}

static void set_vmcr(uint32_t value)
{
    write32(GICH + GICH_VMCR, value);
}

static uint32_t misr(void)
{
    return read32(GICH + GICH_MISR);
}

static uint32_t eisr(void)
{
    return read32(GICH + GICH_EISR0);
}

static uint32_t elrsr(void)
{
    return read32(GICH + GICH_ELRSR0);
}

static struct lr lr(unsigned n)
{
    uint32_t value = read32(GICH + GICH_LR(n));
    bool hw = value & LR_HW;

    return (struct lr) {
        .intid = value & 0x3ff,
        .state = value >> LR_STATE_SHIFT & 3,
        .priority = (value >> LR_PRIORITY_SHIFT & 0x1f) << 3,
        .group = value >> LR_GROUP_SHIFT & 1,
        .eoi = !hw && value & LR_EOI,
        .hw = hw,
        .pintid = hw ? value >> LR_ID_SHIFT & 0x3ff : 0,
        .source = hw ? 0 : value >> LR_ID_SHIFT & 7,
    };
}

static void set_lr(unsigned n, struct lr lr)
{
    write32(GICH + GICH_LR(n), lr.intid | lr.state << LR_STATE_SHIFT |
            lr.priority >> 3 << LR_PRIORITY_SHIFT |
            lr.group << LR_GROUP_SHIFT |
            (lr.hw ? LR_HW | lr.pintid << LR_ID_SHIFT :
             (lr.eoi ? LR_EOI : 0) | lr.source << LR_ID_SHIFT));
}

static uint32_t apr(unsigned group)
{
    (void)group;
    return read32(GICH + GICH_APR);
}

static void set_apr(unsigned group, uint32_t value)
{
    (void)group;
    write32(GICH + GICH_APR, value);
}

static uint32_t iar(unsigned group)
{
    return read32(GICV + (group ? GICC_AIAR : GICC_IAR));
}

static void eoir(unsigned group, uint32_t value)
{
    write32(GICV + (group ? GICC_AEOIR : GICC_EOIR), value);
}

static void dir(uint32_t value)
{
    write32(GICV + GICC_DIR, value);
}

static uint32_t hppir(unsigned group)
{
    return read32(GICV + (group ? GICC_AHPPIR : GICC_HPPIR));
}

static uint32_t rpr(void)
{
    return read32(GICV + GICC_RPR);
}

static uint32_t pmr(void)
{
    return read32(GICV + GICC_PMR);
}

static void set_pmr(uint32_t value)
{
    write32(GICV + GICC_PMR, value);
}

static uint32_t bpr(unsigned group)
{
    return read32(GICV + (group ? GICC_ABPR : GICC_BPR));
}

static void set_bpr(unsigned group, uint32_t value)
{
    write32(GICV + (group ? GICC_ABPR : GICC_BPR), value);
}

static bool group_enabled(unsigned group)
{
    return read32(GICV + GICC_CTLR) &
           (group ? GICC_CTLR_GRP1 : GICC_CTLR_GRP0);
}

static void enable_group(unsigned group, bool enable)
{
    uint32_t bit = group ? GICC_CTLR_GRP1 : GICC_CTLR_GRP0;
    uint32_t ctlr = read32(GICV + GICC_CTLR);

    write32(GICV + GICC_CTLR, enable ? ctlr | bit : ctlr & ~bit);
}

static bool cbpr(void)
{
    return read32(GICV + GICC_CTLR) & GICC_CTLR_CBPR;
}

static bool eoimode(void)
{
    return read32(GICV + GICC_CTLR) & GICC_CTLR_EOIMODE;
}

static void set_ctlr(bool cbpr, bool eoimode)
{
    uint32_t ctlr = read32(GICV + GICC_CTLR) &
                    ~(GICC_CTLR_CBPR | GICC_CTLR_EOIMODE);

    write32(GICV + GICC_CTLR, ctlr | (cbpr ? GICC_CTLR_CBPR : 0) |
            (eoimode ? GICC_CTLR_EOIMODE : 0));
}

static void set_fiqen(bool fiqen)
{
    uint32_t ctlr = read32(GICV + GICC_CTLR) & ~GICC_CTLR_FIQEN;

    write32(GICV + GICC_CTLR, ctlr | (fiqen ? GICC_CTLR_FIQEN : 0));
}

static uint32_t phys_iar(void)
{
    return read32(GICC + GICC_IAR);
}

static void phys_eoir(uint32_t value)
{
    write32(GICC + GICC_EOIR, value);
}

static void phys_dir(uint32_t value)
{
    write32(GICC + GICC_DIR, value);
}

static void set_phys_eoimode(bool eoimode)
{
    write32(GICC + GICC_CTLR,
            GICC_CTLR_GRP0 | (eoimode ? GICC_CTLR_EOIMODE : 0));
}

static uint64_t array(unsigned offset, unsigned intid)
{
    return GICD + offset + intid / 32 * 4;
}

static void set_priority(unsigned intid, uint8_t priority)
{
    write8(GICD + GICD_IPRIORITYR + intid, priority);
}

static void route(unsigned intid, unsigned cpu)
{
    write8(GICD + GICD_ITARGETSR + intid, 1 << cpu);
}

static void init(void)
{
    write32(GICD + GICD_CTLR, GICD_CTLR_GRP0);
}

/* Without the Security Extensions all are of Group 0 at reset, as IRQs. */
static void init_cpu(void)
{
    write32(GICC + GICC_PMR, 0xff);
    write32(GICC + GICC_CTLR, GICC_CTLR_GRP0);
}

const struct gic gicv2 = {
    .name = "gicv2",
    .init = init,
    .init_cpu = init_cpu,
    .hcr = hcr,
    .set_hcr = set_hcr,
    .vtr = vtr,
    .vmcr = vmcr,
    .set_vmcr = set_vmcr,
    .misr = misr,
    .eisr = eisr,
    .elrsr = elrsr,
    .lr = lr,
    .set_lr = set_lr,
    .apr = apr,
    .set_apr = set_apr,
    .iar = iar,
    .eoir = eoir,
    .dir = dir,
    .hppir = hppir,
    .rpr = rpr,
    .pmr = pmr,
    .set_pmr = set_pmr,
    .bpr = bpr,
    .set_bpr = set_bpr,
    .group_enabled = group_enabled,
    .enable_group = enable_group,
    .cbpr = cbpr,
    .eoimode = eoimode,
    .set_ctlr = set_ctlr,
    .set_fiqen = set_fiqen,
    .phys_iar = phys_iar,
    .phys_eoir = phys_eoir,
    .phys_dir = phys_dir,
    .set_phys_eoimode = set_phys_eoimode,
    .array = array,
    .set_priority = set_priority,
    .route = route,
};
