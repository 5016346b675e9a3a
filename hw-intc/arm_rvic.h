/*
 * Arm rVIC and rVID: a paravirtual interrupt controller
 *
 * The rVIC holds one instance per vCPU and drives the vCPUs' IRQ inputs. The
 * rVID takes the board's interrupt lines and MSIs and signals rVIC INTIDs.
 * Guests drive both by SMCCC hypercalls; docs/specs/arm-rvic.rst has the ABI.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_INTC_ARM_RVIC_H
#define HW_INTC_ARM_RVIC_H

#include "hw/sysbus.h"
#include "rvic_core.h"

/*
 * QEMU interface:
 *  + QOM property "num-cpu": number of vCPUs, which have to exist already
 *  + QOM properties "num-trusted", "num-untrusted": INTIDs of each vCPU
 *  + QOM properties, read-only: "version" of the ABI; "instances", a list of
 *    what each of them has pending, unmasked and high
 *  + unnamed GPIO input ARM_RVIC_NUM_LINES * i + n: line of the trusted INTID
 *    n of vCPU i
 *  + sysbus IRQ i: the IRQ input of vCPU i
 */
#define TYPE_ARM_RVIC "arm-rvic"
OBJECT_DECLARE_SIMPLE_TYPE(ARMRVICState, ARM_RVIC)

/*
 * Trusted INTIDs with a line: those that a GIC has as SGIs and PPIs, because
 * guests know the interrupts of timer and PMU by these numbers.
 */
#define ARM_RVIC_NUM_LINES 32

/*
 * QEMU interface:
 *  + QOM link property "rvic": the rVIC that it signals
 *  + QOM property "num-wired": inputs that are lines; the rVIC's other
 *    untrusted INTIDs are matched by MSIs
 *  + QOM properties, read-only: "num-inputs"; "inputs", a list of the level,
 *    the mapping and the count of each that is in use
 *  + unnamed GPIO inputs: the wired inputs, level-sensitive
 *  + sysbus MMIO region 0: MSI doorbell, a page
 */
#define TYPE_ARM_RVID "arm-rvid"
OBJECT_DECLARE_SIMPLE_TYPE(ARMRVIDState, ARM_RVID)

#define ARM_RVID_DOORBELL_SIZE 0x1000

/* The way from a vCPU to its instance: what CPUARMState.rvic points to */
typedef struct ARMRVICCPU {
    ARMRVICState *rvic;
    unsigned index;
    /* how often it acknowledged an INTID, since the start */
    uint64_t acknowledged;
} ARMRVICCPU;

struct ARMRVICState {
    SysBusDevice parent_obj;

    uint32_t num_cpu;
    uint32_t num_trusted;
    uint32_t num_untrusted;

    RVICCore core;
    ARMRVICCPU *cpus;
    qemu_irq *irq;
    /* how often all vCPUs together acknowledged each INTID, since the start */
    uint64_t *acknowledged;
    /* what the board calls the lines, NULL where it has none */
    const char *line_names[ARM_RVIC_NUM_LINES];
    /* only the hypercall dispatcher and the monitor look at it */
    ARMRVIDState *rvid;
};

struct ARMRVIDState {
    SysBusDevice parent_obj;

    uint32_t num_wired;
    ARMRVICState *rvic;

    RVIDCore core;
    /* rising edges or MSIs of each input, since the start */
    uint64_t *signalled;
    MemoryRegion doorbell;
};

/**
 * arm_rvic_name_line: say what the board has connected to a line of each vCPU
 * @s: the rVIC
 * @intid: 0 to ARM_RVIC_NUM_LINES - 1
 * @name: one word, for people to read; not copied
 */
void arm_rvic_name_line(ARMRVICState *s, unsigned intid, const char *name);

#endif
