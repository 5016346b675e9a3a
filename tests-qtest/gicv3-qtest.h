/*
 * Arm GICv3 and its ITS: registers by name, and what their tests share
 *
 * What GICv3 has and GICv2 has not, written down from the architecture (IHI
 * 0069, chapter 12) and not taken from the device models' headers, so that a
 * wrong number there is noticed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef GICV3_QTEST_H
#define GICV3_QTEST_H

#include "qemu/units.h"
#include "gic-qtest.h"

/* The virt board's frames; those of Redistributors in two regions */
#define GITS_BASE               0x08080000ULL
#define GICR_BASE               0x080a0000ULL
#define GICR_REGION_SIZE        0x00f60000ULL
#define GICR_HIGH_BASE          0x4000000000ULL

#define RAM_BASE                0x40000000ULL

#define GIC_FRAME_SIZE          (64 * KiB)

/* IHI 0069, 2.2: those from here on are special, or reserved */
#define END_OF_SPIS             1020
#define FIRST_LPI               8192

/* Distributor. Its registers that GICv2 has, too, have further fields. */
    FIELD(GICD_CTLR, EnableGrp1NS, 1, 1)
    FIELD(GICD_CTLR, EnableGrp1S, 2, 1)
    FIELD(GICD_CTLR, ARE_S, 4, 1)
    FIELD(GICD_CTLR, ARE_NS, 5, 1)
    FIELD(GICD_CTLR, DS, 6, 1)
    FIELD(GICD_CTLR, RWP, 31, 1)
/* ... with one Security state */
    FIELD(GICD_CTLR, ARE, 4, 1)
/* ... and those of a Non-secure access with two */
    FIELD(GICD_CTLR, NS_EnableGrp1A, 1, 1)
    FIELD(GICD_CTLR, NS_ARE_NS, 4, 1)
    FIELD(GICD_TYPER, ESPI, 8, 1)
    FIELD(GICD_TYPER, NMI, 9, 1)
    FIELD(GICD_TYPER, num_LPIs, 11, 5)
    FIELD(GICD_TYPER, MBIS, 16, 1)
    FIELD(GICD_TYPER, LPIS, 17, 1)
    FIELD(GICD_TYPER, DVIS, 18, 1)
    FIELD(GICD_TYPER, IDbits, 19, 5)
    FIELD(GICD_TYPER, A3V, 24, 1)
    FIELD(GICD_TYPER, No1N, 25, 1)
REG32(GICD_STATUSR, 0x0010)
REG32(GICD_SETSPI_NSR, 0x0040)
REG32(GICD_CLRSPI_NSR, 0x0048)
REG32(GICD_SETSPI_SR, 0x0050)
REG32(GICD_CLRSPI_SR, 0x0058)
#define A_GICD_IGRPMODR(n)      (0x0d00 + 4 * (n))
#define A_GICD_INMIR(n)         (0x0f80 + 4 * (n))
/* 64 bits, n is the INTID */
#define A_GICD_IROUTER(n)       (0x6000 + 8 * (n))
#define R_GICD_IROUTER_AFFINITY 0xff00ffffffULL
    FIELD(GICD_IROUTER, IRM, 31, 1)

/* IMPLEMENTATION DEFINED registers: eight words here, and a frame's end */
#define GIC_IMPDEF              0x0020
#define GIC_IMPDEF_END          0x0040
#define GIC_FRAME_IMPDEF        0xc000

/* Identification registers, at the end of the first frame of each component */
REG32(PIDR2, 0xffe8)
    FIELD(PIDR2, ArchRev, 4, 4)
#define A_CIDR(n)               (0xfff0 + 4 * (n))

/* Redistributor, frame RD_base */
REG32(GICR_CTLR, 0x0000)
    FIELD(GICR_CTLR, EnableLPIs, 0, 1)
    FIELD(GICR_CTLR, CES, 1, 1)
    FIELD(GICR_CTLR, IR, 2, 1)
    FIELD(GICR_CTLR, RWP, 3, 1)
    FIELD(GICR_CTLR, UWP, 31, 1)
REG32(GICR_IIDR, 0x0004)
REG64(GICR_TYPER, 0x0008)
    FIELD(GICR_TYPER, PLPIS, 0, 1)
    FIELD(GICR_TYPER, VLPIS, 1, 1)
    FIELD(GICR_TYPER, DirectLPI, 3, 1)
    FIELD(GICR_TYPER, Last, 4, 1)
    FIELD(GICR_TYPER, DPGS, 5, 1)
    FIELD(GICR_TYPER, Processor_Number, 8, 16)
    FIELD(GICR_TYPER, CommonLPIAff, 24, 2)
    FIELD(GICR_TYPER, Affinity_Value, 32, 32)
REG32(GICR_STATUSR, 0x0010)
REG32(GICR_WAKER, 0x0014)
    FIELD(GICR_WAKER, ProcessorSleep, 1, 1)
    FIELD(GICR_WAKER, ChildrenAsleep, 2, 1)
REG64(GICR_SETLPIR, 0x0040)
REG64(GICR_CLRLPIR, 0x0048)
REG64(GICR_PROPBASER, 0x0070)
    FIELD(GICR_PROPBASER, IDbits, 0, 5)
    FIELD(GICR_PROPBASER, Physical_Address, 12, 40)
REG64(GICR_PENDBASER, 0x0078)
    FIELD(GICR_PENDBASER, Physical_Address, 16, 36)
    FIELD(GICR_PENDBASER, PTZ, 62, 1)
REG64(GICR_INVLPIR, 0x00a0)
REG64(GICR_INVALLR, 0x00b0)
REG32(GICR_SYNCR, 0x00c0)

/*
 * Redistributor, frame SGI_base: what the Distributor's registers with the
 * same names are for SPIs
 */
#define GICR_SGI_BASE           GIC_FRAME_SIZE
REG32(GICR_IGROUPR0, 0x10080)
REG32(GICR_ISENABLER0, 0x10100)
REG32(GICR_ICENABLER0, 0x10180)
REG32(GICR_ISPENDR0, 0x10200)
REG32(GICR_ICPENDR0, 0x10280)
REG32(GICR_ISACTIVER0, 0x10300)
REG32(GICR_ICACTIVER0, 0x10380)
#define A_GICR_IPRIORITYR(n)    (0x10400 + 4 * (n))
REG32(GICR_ICFGR0, 0x10c00)
REG32(GICR_ICFGR1, 0x10c04)
REG32(GICR_IGRPMODR0, 0x10d00)
REG32(GICR_NSACR, 0x10e00)
REG32(GICR_INMIR0, 0x10f80)

/* Redistributor, frame VLPI_base, of GICv4 */
REG64(GICR_VPROPBASER, 0x20070)
REG64(GICR_VPENDBASER, 0x20078)
    FIELD(GICR_VPENDBASER, Dirty, 60, 1)
    FIELD(GICR_VPENDBASER, PendingLast, 61, 1)
    FIELD(GICR_VPENDBASER, IDAI, 62, 1)
    FIELD(GICR_VPENDBASER, Valid, 63, 1)

/* ITS */
REG32(GITS_CTLR, 0x0000)
    FIELD(GITS_CTLR, Enabled, 0, 1)
    FIELD(GITS_CTLR, Quiescent, 31, 1)
REG32(GITS_IIDR, 0x0004)
REG64(GITS_TYPER, 0x0008)
    FIELD(GITS_TYPER, Physical, 0, 1)
    FIELD(GITS_TYPER, Virtual, 1, 1)
    FIELD(GITS_TYPER, ITT_entry_size, 4, 4)
    FIELD(GITS_TYPER, ID_bits, 8, 5)
    FIELD(GITS_TYPER, Devbits, 13, 5)
    FIELD(GITS_TYPER, PTA, 19, 1)
    FIELD(GITS_TYPER, HCC, 24, 8)
    FIELD(GITS_TYPER, CIDbits, 32, 4)
    FIELD(GITS_TYPER, CIL, 36, 1)
REG64(GITS_CBASER, 0x0080)
    FIELD(GITS_CBASER, Size, 0, 8)
    FIELD(GITS_CBASER, Physical_Address, 12, 40)
    FIELD(GITS_CBASER, Valid, 63, 1)
REG64(GITS_CWRITER, 0x0088)
    FIELD(GITS_CWRITER, Retry, 0, 1)
    FIELD(GITS_CWRITER, Offset, 5, 15)
REG64(GITS_CREADR, 0x0090)
    FIELD(GITS_CREADR, Stalled, 0, 1)
    FIELD(GITS_CREADR, Offset, 5, 15)
#define A_GITS_BASER(n)         (0x0100 + 8 * (n))
#define GITS_NUM_BASERS         8
    FIELD(GITS_BASER, Size, 0, 8)
    FIELD(GITS_BASER, Page_Size, 8, 2)
    FIELD(GITS_BASER, Physical_Address, 12, 36)
    FIELD(GITS_BASER, Entry_Size, 48, 5)
    FIELD(GITS_BASER, Type, 56, 3)
    FIELD(GITS_BASER, Indirect, 62, 1)
    FIELD(GITS_BASER, Valid, 63, 1)
#define GITS_BASER_UNIMPLEMENTED    0
#define GITS_BASER_DEVICES          1
#define GITS_BASER_VPES             2
#define GITS_BASER_COLLECTIONS      4
REG32(GITS_TRANSLATER, 0x10040)

/* CPU interface: op0, op1, CRn, CRm and op2 as MRS and MSR have them */
#define SYSREG(op0, op1, crn, crm, op2) \
    ((op0) << 19 | (op1) << 16 | (crn) << 12 | (crm) << 8 | (op2) << 5)
#define ICC_PMR_EL1             SYSREG(3, 0, 4, 6, 0)
#define ICC_IAR0_EL1            SYSREG(3, 0, 12, 8, 0)
#define ICC_EOIR0_EL1           SYSREG(3, 0, 12, 8, 1)
#define ICC_HPPIR0_EL1          SYSREG(3, 0, 12, 8, 2)
#define ICC_SGI1R_EL1           SYSREG(3, 0, 12, 11, 5)
#define ICC_IAR1_EL1            SYSREG(3, 0, 12, 12, 0)
#define ICC_EOIR1_EL1           SYSREG(3, 0, 12, 12, 1)
#define ICC_HPPIR1_EL1          SYSREG(3, 0, 12, 12, 2)
#define ICC_IGRPEN0_EL1         SYSREG(3, 0, 12, 12, 6)
#define ICC_IGRPEN1_EL1         SYSREG(3, 0, 12, 12, 7)
#define ICC_CTLR_EL3            SYSREG(3, 6, 12, 12, 4)
    FIELD(ICC_CTLR_EL3, CBPR_EL1S, 0, 1)
    FIELD(ICC_CTLR_EL3, CBPR_EL1NS, 1, 1)
    FIELD(ICC_CTLR_EL3, EOImode_EL3, 2, 1)
    FIELD(ICC_CTLR_EL3, EOImode_EL1S, 3, 1)
    FIELD(ICC_CTLR_EL3, EOImode_EL1NS, 4, 1)
/* ICC_SGI1R_EL1, with an affinity of nothing but Aff0 */
#define SGI1R(intid, targets)   ((uint64_t)(intid) << 24 | (targets))

/**
 * gicv3_wait_until: wait for what a vCPU or the GIC does in its own time
 * @condition: to become true, in a minute at most
 * @...: what it is, for printf(), if it does not
 */
#define gicv3_wait_until(condition, ...) \
    do { \
        int64_t deadline_ = g_get_monotonic_time() + 60 * G_USEC_PER_SEC; \
        \
        while (!(condition)) { \
            if (g_get_monotonic_time() > deadline_) { \
                g_autofree char *what_ = g_strdup_printf(__VA_ARGS__); \
                \
                g_error("waited for %s in vain", what_); \
            } \
            g_thread_yield(); \
        } \
    } while (0)

/**
 * gicv3_start: start a virt machine whose vCPUs run
 * @options: of the machine: "gic-version=3"
 * @cpus: how many
 * @args: further arguments for QEMU
 *
 * The GIC is the same as after gic_start(). The CPU interface is system
 * registers, which only a vCPU can access: each of them does nothing but wait
 * for what gicv3_icc_read() and the like ask it to execute.
 *
 * The last machine of gic_migrate() is to be resumed by gicv3_resume().
 */
GICMachine *gicv3_start(const char *options, unsigned cpus, const char *args);
void gicv3_resume(GICMachine *gic);

/* A system register of @cpu's, by name */
uint64_t gicv3_icc_read(GICMachine *gic, unsigned cpu, uint32_t sysreg);
void gicv3_icc_write(GICMachine *gic, unsigned cpu, uint32_t sysreg,
                     uint64_t value);

/**
 * gicv3_secure_read, gicv3_secure_write: accesses to memory in EL3
 *
 * Of a machine with secure=on; all others' are Non-secure.
 */
uint32_t gicv3_secure_read(GICMachine *gic, uint64_t addr);
void gicv3_secure_write(GICMachine *gic, uint64_t addr, uint32_t value);

/**
 * gicv3_affinity: affinity fields of a vCPU of the virt board, as
 *                 GICR_TYPER.Affinity_Value and, without Aff3, GICD_IROUTERn
 *                 and MPIDR_EL1 have them
 */
uint32_t gicv3_affinity(unsigned cpu);

/** gicv3_rd_base: address of a vCPU's Redistributor */
uint64_t gicv3_rd_base(GICMachine *gic, unsigned cpu);

/* Accesses to registers by name: gicr_read(gic, cpu, GICR_ISENABLER0) */
#define gicr_read(gic, cpu, reg) \
    qtest_readl((gic)->qts, gicv3_rd_base(gic, cpu) + A_ ## reg)
#define gicr_write(gic, cpu, reg, value) \
    qtest_writel((gic)->qts, gicv3_rd_base(gic, cpu) + A_ ## reg, value)
#define gicr_read64(gic, cpu, reg) \
    qtest_readq((gic)->qts, gicv3_rd_base(gic, cpu) + A_ ## reg)
#define gicr_write64(gic, cpu, reg, value) \
    qtest_writeq((gic)->qts, gicv3_rd_base(gic, cpu) + A_ ## reg, value)
#define gicd_read64(gic, reg) \
    qtest_readq((gic)->qts, GICD_BASE + A_ ## reg)
#define gicd_write64(gic, reg, value) \
    qtest_writeq((gic)->qts, GICD_BASE + A_ ## reg, value)
#define gits_read(gic, reg) \
    qtest_readl((gic)->qts, GITS_BASE + A_ ## reg)
#define gits_write(gic, reg, value) \
    qtest_writel((gic)->qts, GITS_BASE + A_ ## reg, value)
#define gits_read64(gic, reg) \
    qtest_readq((gic)->qts, GITS_BASE + A_ ## reg)
#define gits_write64(gic, reg, value) \
    qtest_writeq((gic)->qts, GITS_BASE + A_ ## reg, value)

/*
 * Registers that are an SGI's or PPI's in @cpu's Redistributor and an SPI's
 * in the Distributor: gicv3_test(gic, cpu, ISPENDR, intid). gicv3_set() writes
 * this bit as 1 and the others as 0.
 */
#define gicv3_addr(gic, cpu, reg, intid) \
    ((intid) < FIRST_SPI ? gicv3_rd_base(gic, cpu) + A_GICR_ ## reg ## 0 \
                         : GICD_BASE + A_GICD_ ## reg((intid) / 32))
#define gicv3_test(gic, cpu, reg, intid) \
    (qtest_readl((gic)->qts, gicv3_addr(gic, cpu, reg, intid)) >> \
     (intid) % 32 & 1)
#define gicv3_set(gic, cpu, reg, intid) \
    qtest_writel((gic)->qts, gicv3_addr(gic, cpu, reg, intid), \
                 1u << (intid) % 32)

/** gicv3_set_edge: make an SPI or @cpu's PPI edge-triggered, or else level */
void gicv3_set_edge(GICMachine *gic, unsigned cpu, unsigned intid, bool edge);

/** gicv3_set_priority: of an SPI, or of @cpu's SGI or PPI */
void gicv3_set_priority(GICMachine *gic, unsigned cpu, unsigned intid,
                        uint8_t priority);

/** gicv3_set_group: put an SPI, or @cpu's SGI or PPI, in group 0 or 1 */
void gicv3_set_group(GICMachine *gic, unsigned cpu, unsigned intid,
                     unsigned group);

/**
 * gicv3_dump: all registers of the Distributor, the Redistributors and the ITS
 *             that hold state, as text to compare
 */
char *gicv3_dump(GICMachine *gic);

/** gicv3_expect_dump: it is what gicv3_dump() returned @before */
void gicv3_expect_dump(GICMachine *gic, const char *before);

#endif
