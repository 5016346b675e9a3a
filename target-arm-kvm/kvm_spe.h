/*
 * The Statistical Profiling Extension of vCPUs with KVM
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TARGET_ARM_KVM_SPE_H
#define TARGET_ARM_KVM_SPE_H

#include "target/arm/cpu-qom.h"
#include "hw/boards.h"

#ifdef CONFIG_KVM

/**
 * kvm_arm_spe_add_properties: the properties "spe" and "x-spe-abi" of a vCPU
 * @cpu: a vCPU that has its features from the host already
 */
void kvm_arm_spe_add_properties(ARMCPU *cpu);

/**
 * kvm_arm_spe_finalize: settle whether a vCPU has SPE
 * @cpu: a vCPU whose properties are all set, and which is not realized
 * @errp: why it cannot have it
 *
 * ID_AA64DFR0_EL1.PMSVer says it afterwards, as KVM gives it.
 *
 * Returns: whether the host can do what was asked for
 */
bool kvm_arm_spe_finalize(ARMCPU *cpu, Error **errp);

/**
 * kvm_arm_spe_set_feature: ask for SPE in what KVM_ARM_VCPU_INIT gets
 * @cpu: the vCPU; nothing happens if it has no SPE
 */
void kvm_arm_spe_set_feature(ARMCPU *cpu);

/**
 * kvm_arm_spe_enabled: whether a vCPU has SPE
 * @cpu: a vCPU that is realized
 */
bool kvm_arm_spe_enabled(ARMCPU *cpu);

/**
 * kvm_arm_spe_init: make SPE of all vCPUs ready
 * @ms: the machine, whose vCPUs and GIC are initialised
 * @intid: SPE's interrupt, a PPI
 * @errp: what KVM or this function says against it
 *
 * To be called once, when all vCPUs exist and none has run. What has to happen
 * later, with guest memory, follows by itself before the machine runs.
 *
 * Returns: whether it worked
 */
bool kvm_arm_spe_init(MachineState *ms, int intid, Error **errp);

#else

static inline bool kvm_arm_spe_enabled(ARMCPU *cpu)
{
    return false;
}

static inline bool kvm_arm_spe_init(MachineState *ms, int intid, Error **errp)
{
    g_assert_not_reached();
}

#endif

#endif
