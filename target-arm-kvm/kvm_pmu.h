/*
 * The PMU of a virtual machine with KVM
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TARGET_ARM_KVM_PMU_H
#define TARGET_ARM_KVM_PMU_H

#include "target/arm/cpu-qom.h"
#include "hw/boards.h"

/**
 * kvm_arm_pmu_add_properties: the accelerator's properties "pmu",
 *                             "pmu-counters" and "pmu-affinity"
 * @oc: the accelerator's class
 */
void kvm_arm_pmu_add_properties(ObjectClass *oc);

/**
 * kvm_arm_pmu_resolve: find the PMU that the user has named
 * @ms: the machine, which gets a child "kvm-pmu" if there is one
 *
 * To be called when KVM is open, before there are vCPUs. If the host has no
 * such PMU, QEMU ends with a message.
 */
void kvm_arm_pmu_resolve(MachineState *ms);

/**
 * kvm_arm_pmu_select_scratch: choose the PMU of a virtual machine that is
 *                             thrown away
 * @vcpu_fd: the file of its vCPU
 *
 * The rules are those of kvm_arm_pmu_select().
 */
void kvm_arm_pmu_select_scratch(int vcpu_fd);

/**
 * kvm_arm_pmu_select: choose the PMU of the virtual machine
 * @cpu: a vCPU after KVM_ARM_VCPU_INIT, in its own thread
 *
 * To be called for each vCPU before any of its registers is read, since they
 * depend on it. If KVM refuses, QEMU ends with a message. Without a choice
 * nothing happens, but a warning where KVM will make one by chance. The rules
 * are in Linux's documentation of vCPU attributes, KVM_ARM_VCPU_PMU_V3_CTRL.
 */
void kvm_arm_pmu_select(ARMCPU *cpu);

/**
 * kvm_arm_pmu_keep_registers: remember registers that QEMU would lose
 * @cpu: the vCPU, whose registers are about to be written
 */
void kvm_arm_pmu_keep_registers(ARMCPU *cpu);

/**
 * kvm_arm_pmu_restore_registers: write those that were remembered
 * @cpu: the vCPU, whose registers have just been written
 */
void kvm_arm_pmu_restore_registers(ARMCPU *cpu);

/**
 * kvm_arm_pmu_name: the name of the PMU that the user has chosen
 *
 * Returns: the name, or NULL without a choice
 */
const char *kvm_arm_pmu_name(void);

#endif
