/*
 * Arm GIC: what the tests of the virt board's GICv2 and GICv3 share
 *
 * The registers of the distributor and of GICv2's CPU interface, virtual
 * interface control and virtual CPU interface, by their names. The numbers
 * are written down from the architecture (IHI 0048B, chapters 4 and 5) and
 * not taken from the device models' headers, so that a wrong one there is
 * noticed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef GIC_QTEST_H
#define GIC_QTEST_H

#include "hw/registerfields.h"
#include "tests/qtest/libqtest.h"

/* The virt board's frames */
#define GICD_BASE       0x08000000
#define GICC_BASE       0x08010000
#define GICH_BASE       0x08030000
#define GICV_BASE       0x08040000

/* How much of them GICv2 uses */
#define GICD_SIZE       0x1000
#define GICC_SIZE       0x2000
#define GICH_SIZE       0x1000
#define GICV_SIZE       0x2000

/* Kinds of INTIDs */
#define NUM_SGIS                16
#define FIRST_PPI               16
#define FIRST_SPI               32
/* The virt board's number of SPIs, and its last INTID with a line */
#define NUM_SPIS                256
#define LAST_SPI                (FIRST_SPI + NUM_SPIS - 1)
/* What acknowledging returns if there is nothing for the one who asks */
#define INTID_OTHER_GROUP       1022
#define INTID_SPURIOUS          1023

/* The virt board's lines that guests know by number */
#define INTID_MAINTENANCE       25
#define INTID_TIMER_VIRT        27
#define INTID_UART              33

/* PPIs and SPIs to which the virt board connects nothing */
#define FREE_PPI                16
#define OTHER_FREE_PPI          17
#define FREE_SPI(n)             (208 + (n))

/* GICv2 has so many CPU interfaces at most */
#define GICV2_MAX_CPUS          8

/*
 * Distributor. Of an array of registers, n is the number of the register, not
 * of the interrupt.
 */
REG32(GICD_CTLR, 0x000)
    FIELD(GICD_CTLR, EnableGrp0, 0, 1)
    FIELD(GICD_CTLR, EnableGrp1, 1, 1)
/* ... and as a Non-secure access to a GIC with Security Extensions sees it */
    FIELD(GICD_CTLR, NS_EnableGrp1, 0, 1)
REG32(GICD_TYPER, 0x004)
    FIELD(GICD_TYPER, ITLinesNumber, 0, 5)
    FIELD(GICD_TYPER, CPUNumber, 5, 3)
    FIELD(GICD_TYPER, SecurityExtn, 10, 1)
    FIELD(GICD_TYPER, LSPI, 11, 5)
REG32(GICD_IIDR, 0x008)
    FIELD(GICD_IIDR, Implementer, 0, 12)
    FIELD(GICD_IIDR, Revision, 12, 4)
    FIELD(GICD_IIDR, Variant, 16, 4)
    FIELD(GICD_IIDR, ProductID, 24, 8)
/* A bit for each INTID */
#define A_GICD_IGROUPR(n)       (0x080 + 4 * (n))
#define A_GICD_ISENABLER(n)     (0x100 + 4 * (n))
#define A_GICD_ICENABLER(n)     (0x180 + 4 * (n))
#define A_GICD_ISPENDR(n)       (0x200 + 4 * (n))
#define A_GICD_ICPENDR(n)       (0x280 + 4 * (n))
#define A_GICD_ISACTIVER(n)     (0x300 + 4 * (n))
#define A_GICD_ICACTIVER(n)     (0x380 + 4 * (n))
/* A byte for each INTID */
#define A_GICD_IPRIORITYR(n)    (0x400 + 4 * (n))
#define A_GICD_ITARGETSR(n)     (0x800 + 4 * (n))
/* Two bits for each INTID, the upper one of which is set for an edge */
#define A_GICD_ICFGR(n)         (0xc00 + 4 * (n))
#define A_GICD_NSACR(n)         (0xe00 + 4 * (n))
REG32(GICD_SGIR, 0xf00)
    FIELD(GICD_SGIR, SGIINTID, 0, 4)
    FIELD(GICD_SGIR, NSATT, 15, 1)
    FIELD(GICD_SGIR, CPUTargetList, 16, 8)
    FIELD(GICD_SGIR, TargetListFilter, 24, 2)
#define SGI_TO_LIST             0
#define SGI_TO_OTHERS           1
#define SGI_TO_SELF             2
/* A byte for each SGI: a bit for each source CPU */
#define A_GICD_CPENDSGIR(n)     (0xf10 + 4 * (n))
#define A_GICD_SPENDSGIR(n)     (0xf20 + 4 * (n))
REG32(GICD_ICPIDR2, 0xfe8)
    FIELD(GICD_ICPIDR2, ArchRev, 4, 4)

/* CPU interface. The bits of CTLR are those without Security Extensions. */
REG32(GICC_CTLR, 0x0000)
    FIELD(GICC_CTLR, EnableGrp0, 0, 1)
    FIELD(GICC_CTLR, EnableGrp1, 1, 1)
    FIELD(GICC_CTLR, AckCtl, 2, 1)
    FIELD(GICC_CTLR, FIQEn, 3, 1)
    FIELD(GICC_CTLR, CBPR, 4, 1)
    FIELD(GICC_CTLR, EOImode, 9, 1)
/* ... and those of a Non-secure access to a GIC with them */
    FIELD(GICC_CTLR, NS_EnableGrp1, 0, 1)
    FIELD(GICC_CTLR, NS_EOImode, 9, 1)
REG32(GICC_PMR, 0x0004)
REG32(GICC_BPR, 0x0008)
REG32(GICC_IAR, 0x000c)
    FIELD(GICC_IAR, INTID, 0, 10)
    FIELD(GICC_IAR, CPUID, 10, 3)
REG32(GICC_EOIR, 0x0010)
REG32(GICC_RPR, 0x0014)
REG32(GICC_HPPIR, 0x0018)
REG32(GICC_ABPR, 0x001c)
REG32(GICC_AIAR, 0x0020)
REG32(GICC_AEOIR, 0x0024)
REG32(GICC_AHPPIR, 0x0028)
#define A_GICC_APR(n)           (0x00d0 + 4 * (n))
#define A_GICC_NSAPR(n)         (0x00e0 + 4 * (n))
#define GICC_NUM_APRS           4
REG32(GICC_IIDR, 0x00fc)
    FIELD(GICC_IIDR, Implementer, 0, 12)
    FIELD(GICC_IIDR, Revision, 12, 4)
    FIELD(GICC_IIDR, ArchitectureVersion, 16, 4)
    FIELD(GICC_IIDR, ProductID, 20, 12)
REG32(GICC_DIR, 0x1000)

/* Virtual interface control */
REG32(GICH_HCR, 0x000)
    FIELD(GICH_HCR, En, 0, 1)
    FIELD(GICH_HCR, UIE, 1, 1)
    FIELD(GICH_HCR, LRENPIE, 2, 1)
    FIELD(GICH_HCR, NPIE, 3, 1)
    FIELD(GICH_HCR, VGrp0EIE, 4, 1)
    FIELD(GICH_HCR, VGrp0DIE, 5, 1)
    FIELD(GICH_HCR, VGrp1EIE, 6, 1)
    FIELD(GICH_HCR, VGrp1DIE, 7, 1)
    FIELD(GICH_HCR, EOICount, 27, 5)
REG32(GICH_VTR, 0x004)
    FIELD(GICH_VTR, ListRegs, 0, 6)
    FIELD(GICH_VTR, PREbits, 26, 3)
    FIELD(GICH_VTR, PRIbits, 29, 3)
REG32(GICH_VMCR, 0x008)
    FIELD(GICH_VMCR, VMGrp0En, 0, 1)
    FIELD(GICH_VMCR, VMGrp1En, 1, 1)
    FIELD(GICH_VMCR, VMAckCtl, 2, 1)
    FIELD(GICH_VMCR, VMFIQEn, 3, 1)
    FIELD(GICH_VMCR, VMCBPR, 4, 1)
    FIELD(GICH_VMCR, VEM, 9, 1)
    FIELD(GICH_VMCR, VMABP, 18, 3)
    FIELD(GICH_VMCR, VMBP, 21, 3)
    FIELD(GICH_VMCR, VMPriMask, 27, 5)
REG32(GICH_MISR, 0x010)
    FIELD(GICH_MISR, EOI, 0, 1)
    FIELD(GICH_MISR, U, 1, 1)
    FIELD(GICH_MISR, LRENP, 2, 1)
    FIELD(GICH_MISR, NP, 3, 1)
    FIELD(GICH_MISR, VGrp0E, 4, 1)
    FIELD(GICH_MISR, VGrp0D, 5, 1)
    FIELD(GICH_MISR, VGrp1E, 6, 1)
    FIELD(GICH_MISR, VGrp1D, 7, 1)
/* A bit for each list register */
#define A_GICH_EISR(n)          (0x020 + 4 * (n))
#define A_GICH_ELRSR(n)         (0x030 + 4 * (n))
REG32(GICH_APR, 0x0f0)
#define A_GICH_LR(n)            (0x100 + 4 * (n))
    FIELD(GICH_LR, VirtualID, 0, 10)
    /* with HW set ... */
    FIELD(GICH_LR, PhysicalID, 10, 10)
    /* ... and clear */
    FIELD(GICH_LR, CPUID, 10, 3)
    FIELD(GICH_LR, EOI, 19, 1)
    FIELD(GICH_LR, Priority, 23, 5)
    FIELD(GICH_LR, Pending, 28, 1)
    FIELD(GICH_LR, Active, 29, 1)
    FIELD(GICH_LR, Grp1, 30, 1)
    FIELD(GICH_LR, HW, 31, 1)
/* The frame has space for so many */
#define GICH_MAX_LRS            64

/* Virtual CPU interface */
REG32(GICV_CTLR, 0x0000)
    FIELD(GICV_CTLR, EnableGrp0, 0, 1)
    FIELD(GICV_CTLR, EnableGrp1, 1, 1)
    FIELD(GICV_CTLR, AckCtl, 2, 1)
    FIELD(GICV_CTLR, FIQEn, 3, 1)
    FIELD(GICV_CTLR, CBPR, 4, 1)
    FIELD(GICV_CTLR, EOImode, 9, 1)
REG32(GICV_PMR, 0x0004)
REG32(GICV_BPR, 0x0008)
REG32(GICV_IAR, 0x000c)
    FIELD(GICV_IAR, INTID, 0, 10)
    FIELD(GICV_IAR, CPUID, 10, 3)
REG32(GICV_EOIR, 0x0010)
REG32(GICV_RPR, 0x0014)
REG32(GICV_HPPIR, 0x0018)
REG32(GICV_ABPR, 0x001c)
REG32(GICV_AIAR, 0x0020)
REG32(GICV_AEOIR, 0x0024)
REG32(GICV_AHPPIR, 0x0028)
#define A_GICV_APR(n)           (0x00d0 + 4 * (n))
REG32(GICV_IIDR, 0x00fc)
    FIELD(GICV_IIDR, Implementer, 0, 12)
    FIELD(GICV_IIDR, Revision, 12, 4)
    FIELD(GICV_IIDR, ArchitectureVersion, 16, 4)
    FIELD(GICV_IIDR, ProductID, 20, 12)
REG32(GICV_DIR, 0x1000)

/* JEP106 code of Arm, as identification registers have it */
#define IMPLEMENTER_ARM         0x43b

/* RPR with nothing active */
#define PRIORITY_IDLE           0xff

/* A machine, where nothing runs but what the test does for vCPU 0 */
typedef struct GICMachine {
    QTestState *qts;
    char *options;
    char *args;
    unsigned cpus;
    /* the GIC's, in the QOM tree */
    char *path;
    /* what gicv3-qtest.c knows once it has asked for it */
    char **cpu_paths;
    uint64_t redistributor_size;
} GICMachine;

/**
 * gic_start: start a virt machine with a GIC and watch the GIC's outputs
 * @options: of the machine: "gic-version=2,virtualization=on"
 * @cpus: how many; outputs of more than 42 cannot be watched
 * @args: further arguments for QEMU
 */
GICMachine *gic_start(const char *options, unsigned cpus, const char *args);

/** gic_quit: end a machine */
void gic_quit(GICMachine *gic);

/** gic_reset: reset a machine */
void gic_reset(GICMachine *gic);

/**
 * gic_migrate: go on in another machine
 * @gic: which is ended
 *
 * The outputs are part of the CPUs' state, and are seen here only when
 * something happens to the GIC: gic_output() may be wrong before.
 *
 * Returns: a machine of the same kind that has the state of @gic
 */
GICMachine *gic_migrate(GICMachine *gic);

/* Outputs, each of them for each CPU, in the order of the models */
typedef enum GICOutput {
    GIC_IRQ,
    GIC_FIQ,
    GIC_VIRQ,
    GIC_VFIQ,
    /* the last one of GICv2's */
    GICV2_MAINTENANCE,
    GICV3_NMI = GICV2_MAINTENANCE,
    GICV3_VINMI,
} GICOutput;

/** gic_output: level of an output */
bool gic_output(GICMachine *gic, unsigned cpu, GICOutput output);

/** gic_ppi: set a PPI's line to one CPU */
void gic_ppi(GICMachine *gic, unsigned cpu, unsigned intid, bool level);

/** gic_spi: set an SPI's line */
void gic_spi(GICMachine *gic, unsigned intid, bool level);

/** gic_line: set the line of an SPI, or of a PPI to @cpu */
void gic_line(GICMachine *gic, unsigned cpu, unsigned intid, bool level);

/** gic_spi_pulse: raise an SPI's line and lower it again */
void gic_spi_pulse(GICMachine *gic, unsigned intid);

/*
 * Accesses to registers by name: gicd_read(gic, GICD_ISENABLER(1)). Those to
 * banked registers are vCPU 0's.
 */
#define gicd_read(gic, reg) \
    qtest_readl((gic)->qts, GICD_BASE + A_ ## reg)
#define gicd_write(gic, reg, value) \
    qtest_writel((gic)->qts, GICD_BASE + A_ ## reg, value)
#define gicc_read(gic, reg) \
    qtest_readl((gic)->qts, GICC_BASE + A_ ## reg)
#define gicc_write(gic, reg, value) \
    qtest_writel((gic)->qts, GICC_BASE + A_ ## reg, value)
#define gich_read(gic, reg) \
    qtest_readl((gic)->qts, GICH_BASE + A_ ## reg)
#define gich_write(gic, reg, value) \
    qtest_writel((gic)->qts, GICH_BASE + A_ ## reg, value)
#define gicv_read(gic, reg) \
    qtest_readl((gic)->qts, GICV_BASE + A_ ## reg)
#define gicv_write(gic, reg, value) \
    qtest_writel((gic)->qts, GICV_BASE + A_ ## reg, value)

/*
 * An interrupt's bit in an array of the distributor's registers:
 * gicd_test(gic, GICD_ISPENDR, intid). gicd_set() writes this bit as 1 and
 * the others as 0, which sets or clears one interrupt's state.
 */
#define gicd_test(gic, reg, intid) \
    (gicd_read(gic, reg((intid) / 32)) >> (intid) % 32 & 1)
#define gicd_set(gic, reg, intid) \
    gicd_write(gic, reg((intid) / 32), 1u << (intid) % 32)

/*
 * An interrupt's byte: gicd_write_byte(gic, GICD_IPRIORITYR, intid, priority).
 * These registers can be accessed by bytes (IHI 0048B, 4.1.4).
 */
#define gicd_read_byte(gic, reg, intid) \
    qtest_readb((gic)->qts, GICD_BASE + A_ ## reg(0) + (intid))
#define gicd_write_byte(gic, reg, intid, value) \
    qtest_writeb((gic)->qts, GICD_BASE + A_ ## reg(0) + (intid), value)

/**
 * gic_set_edge_at, gic_set_group_at: gicd_set_edge() and gicd_set_group() in
 *                                    a frame that has the Distributor's
 *                                    registers at the same offsets
 */
void gic_set_edge_at(GICMachine *gic, uint64_t frame, unsigned intid,
                     bool edge);
void gic_set_group_at(GICMachine *gic, uint64_t frame, unsigned intid,
                      unsigned group);

/** gicd_set_edge: make an interrupt edge-triggered, or level-sensitive */
void gicd_set_edge(GICMachine *gic, unsigned intid, bool edge);

/** gicd_is_edge: whether an interrupt is edge-triggered */
bool gicd_is_edge(GICMachine *gic, unsigned intid);

/** gicd_set_group: put an interrupt in group 0 or 1 */
void gicd_set_group(GICMachine *gic, unsigned intid, unsigned group);

/**
 * gic_sweep: make accesses of each size to each word of a frame, which
 *            software must not make; the GIC is to be reset then
 */
void gic_sweep(GICMachine *gic, uint64_t base, unsigned size);

/** gicd_send_sgi: write GICD_SGIR; the source is vCPU 0 */
void gicd_send_sgi(GICMachine *gic, unsigned filter, uint8_t targets,
                   unsigned intid);

#endif
