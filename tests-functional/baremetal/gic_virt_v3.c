/*
 * Bare-metal guest at EL2: GICv3, by its system registers
 *
 * With HCR_EL2.IMO and FMO set, ICC_* at EL1 are ICV_* (Arm IHI 0069,
 * "System register access to the virtual CPU interface").
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "gic_virt.h"

/* ICH_LR<n>_EL2 */
#define LR_PINTID_SHIFT         32
#define LR_EOI                  (1ull << 41)
#define LR_PRIORITY_SHIFT       48
#define LR_GROUP_SHIFT          60
#define LR_HW                   (1ull << 61)
#define LR_STATE_SHIFT          62

static uint32_t hcr(void)
{
    return icc_read(ICH_HCR_EL2);
}

static void set_hcr(uint32_t value)
{
    icc_write(ICH_HCR_EL2, value);
}

static uint32_t vtr(void)
{
    return icc_read(ICH_VTR_EL2);
}

static uint32_t vmcr(void)
{
    return icc_read(ICH_VMCR_EL2);
}

static void set_vmcr(uint32_t value)
{
    icc_write(ICH_VMCR_EL2, value);
}

static uint32_t misr(void)
{
    return icc_read(ICH_MISR_EL2);
}

static uint32_t eisr(void)
{
    return icc_read(ICH_EISR_EL2);
}

static uint32_t elrsr(void)
{
    return icc_read(ICH_ELRSR_EL2);
}

/* All implementations of QEMU have four. */
static uint64_t read_lr(unsigned n)
{
    switch (n) {
    case 0:
        return icc_read(ICH_LR0_EL2);
    case 1:
        return icc_read(ICH_LR1_EL2);
    case 2:
        return icc_read(ICH_LR2_EL2);
    default:
        return icc_read(ICH_LR3_EL2);
    }
}

static void write_lr(unsigned n, uint64_t value)
{
    switch (n) {
    case 0:
        icc_write(ICH_LR0_EL2, value);
        break;
    case 1:
        icc_write(ICH_LR1_EL2, value);
        break;
    case 2:
        icc_write(ICH_LR2_EL2, value);
        break;
    default:
        icc_write(ICH_LR3_EL2, value);
        break;
    }
}

static struct lr lr(unsigned n)
{
    uint64_t value = read_lr(n);
    bool hw = value & LR_HW;

    return (struct lr) {
        .intid = (uint32_t)value,
        .state = value >> LR_STATE_SHIFT,
        .priority = value >> LR_PRIORITY_SHIFT & 0xff,
        .group = value >> LR_GROUP_SHIFT & 1,
        .eoi = !hw && value & LR_EOI,
        .hw = hw,
        .pintid = hw ? value >> LR_PINTID_SHIFT & 0x1fff : 0,
    };
}

static void set_lr(unsigned n, struct lr lr)
{
    write_lr(n, lr.intid | (uint64_t)lr.state << LR_STATE_SHIFT |
             (uint64_t)lr.priority << LR_PRIORITY_SHIFT |
             (uint64_t)lr.group << LR_GROUP_SHIFT |
             (lr.hw ? LR_HW | (uint64_t)lr.pintid << LR_PINTID_SHIFT :
              lr.eoi ? LR_EOI : 0));
}

static uint32_t apr(unsigned group)
{
    return group ? icc_read(ICH_AP1R0_EL2) : icc_read(ICH_AP0R0_EL2);
}

static void set_apr(unsigned group, uint32_t value)
{
    if (group) {
        icc_write(ICH_AP1R0_EL2, value);
    } else {
        icc_write(ICH_AP0R0_EL2, value);
    }
}

static uint32_t iar(unsigned group)
{
    return group ? el1_read(ICC_IAR1_EL1) : el1_read(ICC_IAR0_EL1);
}

static void eoir(unsigned group, uint32_t value)
{
    if (group) {
        el1_write(ICC_EOIR1_EL1, value);
    } else {
        el1_write(ICC_EOIR0_EL1, value);
    }
}

static void dir(uint32_t value)
{
    el1_write(ICC_DIR_EL1, value);
}

static uint32_t hppir(unsigned group)
{
    return group ? el1_read(ICC_HPPIR1_EL1) : el1_read(ICC_HPPIR0_EL1);
}

static uint32_t rpr(void)
{
    return el1_read(ICC_RPR_EL1);
}

static uint32_t pmr(void)
{
    return el1_read(ICC_PMR_EL1);
}

static void set_pmr(uint32_t value)
{
    el1_write(ICC_PMR_EL1, value);
}

static uint32_t bpr(unsigned group)
{
    return group ? el1_read(ICC_BPR1_EL1) : el1_read(ICC_BPR0_EL1);
}

static void set_bpr(unsigned group, uint32_t value)
{
    if (group) {
        el1_write(ICC_BPR1_EL1, value);
    } else {
        el1_write(ICC_BPR0_EL1, value);
    }
}

static bool group_enabled(unsigned group)
{
    return group ? el1_read(ICC_IGRPEN1_EL1) : el1_read(ICC_IGRPEN0_EL1);
}

static void enable_group(unsigned group, bool enable)
{
    if (group) {
        el1_write(ICC_IGRPEN1_EL1, enable);
    } else {
        el1_write(ICC_IGRPEN0_EL1, enable);
    }
}

static bool cbpr(void)
{
    return el1_read(ICC_CTLR_EL1) & ICC_CTLR_CBPR;
}

static bool eoimode(void)
{
    return el1_read(ICC_CTLR_EL1) & ICC_CTLR_EOIMODE;
}

static void set_ctlr(bool cbpr, bool eoimode)
{
    el1_write(ICC_CTLR_EL1, (cbpr ? ICC_CTLR_CBPR : 0) |
              (eoimode ? ICC_CTLR_EOIMODE : 0));
}

static void set_fiqen(bool fiqen)
{
    (void)fiqen;
}

static uint32_t phys_iar(void)
{
    return icc_read(ICC_IAR1_EL1);
}

static void phys_eoir(uint32_t value)
{
    icc_write(ICC_EOIR1_EL1, value);
}

static void phys_dir(uint32_t value)
{
    icc_write(ICC_DIR_EL1, value);
}

static void set_phys_eoimode(bool eoimode)
{
    icc_write(ICC_CTLR_EL1, eoimode ? ICC_CTLR_EOIMODE : 0);
}

/* With virtual LPIs there are two frames more. */
static uint64_t own_gicr(void)
{
    bool vlpis = read64(GICR + GICR_TYPER) & GICR_TYPER_VLPIS;

    return GICR + cpu_index() * GICR_SIZE * (vlpis ? 2 : 1);
}

static uint64_t array(unsigned offset, unsigned intid)
{
    return intid < SPI_FIRST ? own_gicr() + GICR_SGI + offset :
                               GICD + offset + intid / 32 * 4;
}

static void set_priority(unsigned intid, uint8_t priority)
{
    write8((intid < SPI_FIRST ? own_gicr() + GICR_SGI : GICD) +
           GICD_IPRIORITYR + intid, priority);
}

static void route(unsigned intid, unsigned cpu)
{
    write64(GICD + GICD_IROUTER + intid * 8, cpu_mpidr(cpu));
}

static void wait_for_gicd(void)
{
    wait_until(!(read32(GICD + GICD_CTLR) & GICD_CTLR_RWP));
}

static void init(void)
{
    write32(GICD + GICD_CTLR, GICD_CTLR_ARE);
    wait_for_gicd();
    write32(GICD + GICD_CTLR, GICD_CTLR_ARE | GICD_CTLR_GRP0 |
            GICD_CTLR_GRP1);
    wait_for_gicd();
}

static void init_cpu(void)
{
    uint64_t waker = own_gicr() + GICR_WAKER;

    write32(waker, read32(waker) & ~GICR_WAKER_SLEEP);
    wait_until(!(read32(waker) & GICR_WAKER_ASLEEP));
    /* All are of Group 1. */
    write32(own_gicr() + GICR_SGI + GICD_IGROUPR, UINT32_MAX);
    icc_write(ICC_SRE_EL2, ICC_SRE_SRE | ICC_SRE_ENABLE);
    icc_write(ICC_PMR_EL1, 0xff);
    icc_write(ICC_IGRPEN1_EL1, 1);
}

const struct gic gicv3 = {
    .name = "gicv3",
    .v3 = true,
    .group = 1,
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
