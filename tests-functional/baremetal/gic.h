/*
 * Bare-metal guests: registers of GICv2 and GICv3, by name
 *
 * Names and fields are those of Arm IHI 0048B (GICv2) and IHI 0069 (GICv3 and
 * GICv4).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef BAREMETAL_GIC_H
#define BAREMETAL_GIC_H

#include "runtime.h"

/* Where the virt board has them */
#define GICD                    0x08000000ull
#define GICC                    0x08010000ull
#define GICH                    0x08030000ull
#define GICV                    0x08040000ull
#define GITS                    0x08080000ull
#define GICR                    0x080a0000ull

/* INTIDs */
#define PPI_MAINTENANCE         25
#define PPI_VIRTUAL_TIMER       27
#define PPI_FIRST               16
#define SPI_FIRST               32
/* GICv2: the interrupt is there, but of Group 1 */
#define INTID_OTHER_GROUP       1022
#define INTID_NONE              1023

/* The distributor's; all but CTLR are arrays, by INTID. */
#define GICD_CTLR               0x0000
#define GICD_CTLR_GRP0          (1u << 0)
#define GICD_CTLR_GRP1          (1u << 1)
#define GICD_CTLR_ARE           (1u << 4)       /* GICv3 */
#define GICD_CTLR_RWP           (1u << 31)      /* GICv3 */
#define GICD_TYPER              0x0004
#define GICD_TYPER_RSS          (1u << 26)      /* GICv3 */
#define GICD_IGROUPR            0x0080
#define GICD_ISENABLER          0x0100
#define GICD_ICENABLER          0x0180
#define GICD_ISPENDR            0x0200
#define GICD_ICPENDR            0x0280
#define GICD_ISACTIVER          0x0300
#define GICD_ICACTIVER          0x0380
#define GICD_IPRIORITYR         0x0400
#define GICD_ITARGETSR          0x0800          /* GICv2 */
#define GICD_ICFGR              0x0c00
#define GICD_SGIR               0x0f00          /* GICv2 */
#define GICD_SGIR_LIST(cpus)    ((cpus) << 16)
#define GICD_SGIR_OTHERS        (1u << 24)
#define GICD_SGIR_SELF          (2u << 24)
#define GICD_CPENDSGIR          0x0f10          /* GICv2 */
#define GICD_SPENDSGIR          0x0f20          /* GICv2 */
#define GICD_IROUTER            0x6000          /* GICv3 */

/* A redistributor's: SGIs and PPIs are in its second frame. */
#define GICR_SIZE               0x20000ull
#define GICR_SGI                0x10000
#define GICR_TYPER              0x0008
#define GICR_TYPER_VLPIS        (1u << 1)
#define GICR_WAKER              0x0014
#define GICR_WAKER_SLEEP        (1u << 1)
#define GICR_WAKER_ASLEEP       (1u << 2)

/* GICv2's CPU interface */
#define GICC_CTLR               0x0000
#define GICC_PMR                0x0004
#define GICC_BPR                0x0008
#define GICC_IAR                0x000c
#define GICC_EOIR               0x0010
#define GICC_RPR                0x0014
#define GICC_HPPIR              0x0018
#define GICC_ABPR               0x001c
#define GICC_AIAR               0x0020
#define GICC_AEOIR              0x0024
#define GICC_AHPPIR             0x0028
#define GICC_DIR                0x1000
#define GICC_CTLR_GRP0          (1u << 0)
#define GICC_CTLR_GRP1          (1u << 1)
#define GICC_CTLR_ACKCTL        (1u << 2)
#define GICC_CTLR_FIQEN         (1u << 3)
#define GICC_CTLR_CBPR          (1u << 4)
#define GICC_CTLR_EOIMODE       (1u << 9)
#define GICC_IAR_SOURCE(value)  ((value) >> 10 & 7)
#define GICC_IAR_INTID(value)   ((value) & 0x3ff)

/* GICv2's virtual CPU interface has the CPU interface's: GICV + GICC_... */

/* GICv2's virtual interface control */
#define GICH_HCR                0x0000
#define GICH_VTR                0x0004
#define GICH_VMCR               0x0008
#define GICH_MISR               0x0010
#define GICH_EISR0              0x0020
#define GICH_ELRSR0             0x0030
#define GICH_APR                0x00f0
#define GICH_LR(n)              (0x0100 + 4 * (n))

/* GICH_HCR and ICH_HCR_EL2 */
#define HCR_EN                  (1u << 0)
#define HCR_UIE                 (1u << 1)
#define HCR_LRENPIE             (1u << 2)
#define HCR_NPIE                (1u << 3)
#define HCR_VGRP0EIE            (1u << 4)
#define HCR_VGRP0DIE            (1u << 5)
#define HCR_VGRP1EIE            (1u << 6)
#define HCR_VGRP1DIE            (1u << 7)
#define HCR_EOICOUNT(n)         ((uint32_t)(n) << 27)
/* ICH_HCR_EL2's alone */
#define HCR_TC                  (1u << 10)
#define HCR_TALL0               (1u << 11)
#define HCR_TALL1               (1u << 12)
#define HCR_TDIR                (1u << 14)

/* GICH_MISR and ICH_MISR_EL2 */
#define MISR_EOI                (1u << 0)
#define MISR_U                  (1u << 1)
#define MISR_LRENP              (1u << 2)
#define MISR_NP                 (1u << 3)
#define MISR_VGRP0E             (1u << 4)
#define MISR_VGRP0D             (1u << 5)
#define MISR_VGRP1E             (1u << 6)
#define MISR_VGRP1D             (1u << 7)

/* GICH_VMCR and ICH_VMCR_EL2; GICv2 has no priority bits below VPMR's fifth. */
#define VMCR_VENG0              (1u << 0)
#define VMCR_VENG1              (1u << 1)
#define VMCR_VFIQEN             (1u << 3)
#define VMCR_VCBPR              (1u << 4)
#define VMCR_VEOIM              (1u << 9)
#define VMCR_VBPR1(n)           ((n) << 18)
#define VMCR_VBPR0(n)           ((n) << 21)
#define VMCR_VPMR(priority)     ((uint32_t)(priority) << 24)

/*
 * GICH_VTR and ICH_VTR_EL2. ListRegs has six bits in the former and five in the
 * latter, which are enough for MAX_LRS.
 */
#define VTR_LISTREGS(value)     (((value) & 0x1f) + 1)
#define VTR_PREBITS(value)      (((value) >> 26 & 7) + 1)
#define VTR_PRIBITS(value)      (((value) >> 29 & 7) + 1)
/* ICH_VTR_EL2's alone */
#define VTR_TDS                 (1u << 19)
#define VTR_NV4                 (1u << 20)
#define VTR_A3V                 (1u << 21)
#define VTR_IDBITS(value)       ((value) >> 23 & 7)

/* System registers, by their encodings: assemblers may lack names. */
#define ICC_PMR_EL1             S3_0_C4_C6_0
#define ICC_IAR0_EL1            S3_0_C12_C8_0
#define ICC_EOIR0_EL1           S3_0_C12_C8_1
#define ICC_HPPIR0_EL1          S3_0_C12_C8_2
#define ICC_BPR0_EL1            S3_0_C12_C8_3
#define ICC_AP0R0_EL1           S3_0_C12_C8_4
#define ICC_AP1R0_EL1           S3_0_C12_C9_0
#define ICC_DIR_EL1             S3_0_C12_C11_1
#define ICC_RPR_EL1             S3_0_C12_C11_3
#define ICC_SGI1R_EL1           S3_0_C12_C11_5
#define ICC_ASGI1R_EL1          S3_0_C12_C11_6
#define ICC_SGI0R_EL1           S3_0_C12_C11_7
#define ICC_IAR1_EL1            S3_0_C12_C12_0
#define ICC_EOIR1_EL1           S3_0_C12_C12_1
#define ICC_HPPIR1_EL1          S3_0_C12_C12_2
#define ICC_BPR1_EL1            S3_0_C12_C12_3
#define ICC_CTLR_EL1            S3_0_C12_C12_4
#define ICC_SRE_EL1             S3_0_C12_C12_5
#define ICC_IGRPEN0_EL1         S3_0_C12_C12_6
#define ICC_IGRPEN1_EL1         S3_0_C12_C12_7
#define ICC_SRE_EL2             S3_4_C12_C9_5
#define ICH_AP0R0_EL2           S3_4_C12_C8_0
#define ICH_AP1R0_EL2           S3_4_C12_C9_0
#define ICH_HCR_EL2             S3_4_C12_C11_0
#define ICH_VTR_EL2             S3_4_C12_C11_1
#define ICH_MISR_EL2            S3_4_C12_C11_2
#define ICH_EISR_EL2            S3_4_C12_C11_3
#define ICH_ELRSR_EL2           S3_4_C12_C11_5
#define ICH_VMCR_EL2            S3_4_C12_C11_7
#define ICH_LR0_EL2             S3_4_C12_C12_0
#define ICH_LR1_EL2             S3_4_C12_C12_1
#define ICH_LR2_EL2             S3_4_C12_C12_2
#define ICH_LR3_EL2             S3_4_C12_C12_3

/* ICC_CTLR_EL1, and ICV_CTLR_EL1 */
#define ICC_CTLR_CBPR           (1u << 0)
#define ICC_CTLR_EOIMODE        (1u << 1)
#define ICC_CTLR_PRIBITS(value) (((value) >> 8 & 7) + 1)
#define ICC_CTLR_IDBITS(value)  ((value) >> 11 & 7)
#define ICC_CTLR_A3V            (1u << 15)
#define ICC_CTLR_RSS            (1u << 18)

#define ICC_SRE_SRE             (1u << 0)
#define ICC_SRE_ENABLE          (1u << 3)

/* ICC_SGI*R_EL1 */
#define SGIR_LIST(cpus)         ((uint64_t)(cpus))
#define SGIR_AFF1(aff1)         ((uint64_t)(aff1) << 16)
#define SGIR_INTID(intid)       ((uint64_t)(intid) << 24)
#define SGIR_AFF2(aff2)         ((uint64_t)(aff2) << 32)
#define SGIR_IRM                (1ull << 40)
#define SGIR_AFF3(aff3)         ((uint64_t)(aff3) << 48)

#define STRINGIFY_(x)           #x
#define STRINGIFY(x)            STRINGIFY_(x)

#define icc_read(name) ({                                               \
    uint64_t value_;                                                    \
    asm volatile("mrs %0, " STRINGIFY(name) : "=r" (value_) : : "memory"); \
    value_;                                                             \
})

#define icc_write(name, value)                                          \
    asm volatile("msr " STRINGIFY(name) ", %0\n\tisb"                   \
                 : : "r" ((uint64_t)(value)) : "memory")

/* HCR_EL2 */
#define HCR_EL2_FMO             (1ull << 3)
#define HCR_EL2_IMO             (1ull << 4)
#define HCR_EL2_RW              (1ull << 31)

static inline void write8(uint64_t address, uint8_t value)
{
    asm volatile("strb %w0, [%1]" : : "r" (value), "r" (address) : "memory");
}

static inline uint8_t read8(uint64_t address)
{
    uint8_t value;

    asm volatile("ldrb %w0, [%1]" : "=r" (value) : "r" (address) : "memory");
    return value;
}

#endif
