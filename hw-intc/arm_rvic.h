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
 * What the rVIC in QEMU and the one in KVM have in common. QEMU interface:
 *  + QOM property "num-cpu": number of vCPUs, which have to exist already
 *  + QOM properties "num-trusted", "num-untrusted": INTIDs of each vCPU
 *  + QOM property, read-only: "version" of the ABI
 */
#define TYPE_ARM_RVIC_COMMON "arm-rvic-common"
OBJECT_DECLARE_TYPE(ARMRVICCommon, ARMRVICCommonClass, ARM_RVIC_COMMON)

/*
 * The rVIC in QEMU. QEMU interface, besides:
 *  + QOM property, read-only: "instances", a list of what each of them has
 *    pending, unmasked and high, and has acknowledged
 *  + QOM property, read-only: "lines", the names of the INTIDs that have one
 *  + unnamed GPIO input arm_rvic_line(i, n): line of the trusted INTID n of
 *    vCPU i
 *  + sysbus IRQ i: the IRQ input of vCPU i
 */
#define TYPE_ARM_RVIC "arm-rvic"
OBJECT_DECLARE_SIMPLE_TYPE(ARMRVICState, ARM_RVIC)

/*
 * Trusted INTIDs with a line: those that a GIC has as PPIs, because guests know
 * the interrupts of timer and PMU by these numbers.
 */
#define ARM_RVIC_FIRST_LINE 16
#define ARM_RVIC_NUM_LINES  16

static inline unsigned arm_rvic_line(unsigned cpu, unsigned intid)
{
    return ARM_RVIC_NUM_LINES * cpu + intid - ARM_RVIC_FIRST_LINE;
}

/*
 * The rVIC in KVM, which has the vCPUs, their timers and PMUs for itself: no
 * lines go in or come out. It cannot be saved and blocks migration.
 */
#define TYPE_KVM_ARM_RVIC "kvm-arm-rvic"

/*
 * What the rVID in QEMU and the one in KVM have in common. QEMU interface:
 *  + QOM link property "rvic": the rVIC that it signals
 *  + QOM property "num-wired": inputs that are lines; the rVIC's other
 *    untrusted INTIDs are matched by MSIs
 *  + QOM property, read-only: "num-inputs"
 *  + unnamed GPIO inputs: the wired inputs, level-sensitive
 *  + sysbus MMIO region 0: MSI doorbell, a page
 */
#define TYPE_ARM_RVID_COMMON "arm-rvid-common"
OBJECT_DECLARE_TYPE(ARMRVIDCommon, ARMRVIDCommonClass, ARM_RVID_COMMON)

/*
 * The rVID in QEMU. QEMU interface, besides:
 *  + QOM property, read-only: "inputs", a list of the level, the mapping and
 *    the count of each that is in use
 */
#define TYPE_ARM_RVID "arm-rvid"
OBJECT_DECLARE_SIMPLE_TYPE(ARMRVIDState, ARM_RVID)

/* The rVID in KVM */
#define TYPE_KVM_ARM_RVID "kvm-arm-rvid"

#define ARM_RVID_DOORBELL_SIZE 0x1000

/* The way from a vCPU to its instance: what CPUARMState.rvic points to */
typedef struct ARMRVICCPU {
    ARMRVICState *rvic;
    unsigned index;
    /* how often it acknowledged each INTID, since the start */
    uint64_t *acknowledged;
} ARMRVICCPU;

struct ARMRVICCommon {
    SysBusDevice parent_obj;

    uint32_t num_cpu;
    uint32_t num_trusted;
    uint32_t num_untrusted;
};

struct ARMRVICCommonClass {
    SysBusDeviceClass parent_class;

    /* Realize; the properties are good */
    void (*setup)(ARMRVICCommon *s, Error **errp);
};

struct ARMRVICState {
    ARMRVICCommon common;

    RVICCore core;
    ARMRVICCPU *cpus;
    qemu_irq *irq;
    /* what cpus[].acknowledged lead to: each vCPU writes its own part */
    uint64_t *acknowledged;
    /* their sums, for whoever asked last */
    uint64_t *statistics;
    /* what the board calls the lines, NULL where it has none */
    const char *line_names[ARM_RVIC_NUM_LINES];
    /* only the hypercall dispatcher and the monitor look at it */
    ARMRVIDState *rvid;
};

struct ARMRVIDCommon {
    SysBusDevice parent_obj;

    uint32_t num_wired;
    ARMRVICCommon *rvic;

    /* rising edges or MSIs of each input that QEMU saw, since the start */
    uint64_t *signalled;
    /* PCI requester IDs that came with the last MSI of each; 0: none did */
    uint16_t *requesters;
    MemoryRegion doorbell;
};

struct ARMRVIDCommonClass {
    SysBusDeviceClass parent_class;

    /* Realize; the properties are good */
    void (*setup)(ARMRVIDCommon *s);
    /* The line of a wired input is driven. Returns whether its level changed */
    bool (*set_line)(ARMRVIDCommon *s, unsigned input, bool level);
    /* Any number is written to the doorbell. Returns whether it is an MSI */
    bool (*msi)(ARMRVIDCommon *s, uint64_t input);
};

struct ARMRVIDState {
    ARMRVIDCommon common;

    RVIDCore core;
};

/**
 * arm_rvic_name_line: say what the board has connected to a line of each vCPU
 * @s: the rVIC
 * @intid: one with a line
 * @name: one word, for people to read; not copied
 */
void arm_rvic_name_line(ARMRVICState *s, unsigned intid, const char *name);

#endif
