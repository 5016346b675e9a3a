/*
 * Host CPUs that can run the vCPUs of a virtual machine
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TARGET_ARM_KVM_HOST_CPUS_H
#define TARGET_ARM_KVM_HOST_CPUS_H

#include "target/arm/cpu-qom.h"

struct kvm_run;

/* Linux's PMUs. Those of CPUs have a file "cpus", others, as SPE, "cpumask". */
#define HOST_PMU_FOLDER     "/sys/bus/event_source/devices"

/* What KVM_GET_ONE_REG calls the register with the versions of PMU and SPE */
#define KVM_REG_ID_AA64DFR0 ARM64_SYS_REG(3, 0, 0, 5, 0)

/** A set of host CPUs, by their numbers in Linux */
typedef struct KVMHostCPUs {
    unsigned long *map;
    unsigned long nbits;
} KVMHostCPUs;

/**
 * kvm_host_cpus_clear: free what a set consists of, and make it empty
 * @cpus: the set
 */
void kvm_host_cpus_clear(KVMHostCPUs *cpus);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(KVMHostCPUs, kvm_host_cpus_clear)

/**
 * kvm_host_cpus_read: read a file of sysfs that lists CPUs, as "0-3,8"
 * @cpus: a set, to which those of the file are added
 * @path: the name of the file
 * @errp: why it cannot be read
 *
 * Returns: whether it worked; a file may list no CPUs
 */
bool kvm_host_cpus_read(KVMHostCPUs *cpus, const char *path, Error **errp);

/**
 * kvm_host_cpus_contain: whether a set has a CPU
 * @cpus: the set
 * @cpu: any number
 */
bool kvm_host_cpus_contain(const KVMHostCPUs *cpus, unsigned long cpu);

/**
 * kvm_host_cpus_within: whether all CPUs of a set are in another
 * @cpus: the set
 * @others: the other one
 */
bool kvm_host_cpus_within(const KVMHostCPUs *cpus, const KVMHostCPUs *others);

/**
 * kvm_host_cpus_list: a set in words
 * @cpus: the set
 *
 * Returns: a new string like "0-3,8", or "none"
 */
char *kvm_host_cpus_list(const KVMHostCPUs *cpus);

/**
 * kvm_arm_host_cpus_require: say that vCPUs can run on some host CPUs only
 * @what: what it is that has them, as "the PMU armv8_cortex_a53"
 * @cpus: the CPUs, at least one, which are copied
 * @confine: whether QEMU keeps the vCPUs' threads there
 *
 * To be called before there are vCPUs. All that is required goes together.
 */
void kvm_arm_host_cpus_require(const char *what, const KVMHostCPUs *cpus,
                               bool confine);

/**
 * kvm_arm_host_cpus_confine: keep a vCPU's thread where KVM can run the vCPU
 * @cpu: the vCPU, in its own thread, which has not run yet
 *
 * Of the CPUs that the thread may use already, it keeps those which are
 * required, too. If there is none, QEMU ends with a message; a sandbox that
 * denies it is worth a warning. Whoever sets the thread's CPUs afterwards, as
 * libvirt does, has the last word.
 */
void kvm_arm_host_cpus_confine(ARMCPU *cpu);

/**
 * kvm_arm_handle_fail_entry: KVM refused to run a vCPU
 * @cpu: the vCPU, in its own thread, without the BQL
 * @run: KVM's account of it
 *
 * The virtual machine is paused; then the user is told why and what to do. It
 * goes on with "cont". The rule is in Linux's documentation of KVM,
 * KVM_EXIT_FAIL_ENTRY.
 *
 * Returns: EXCP_INTERRUPT
 */
int kvm_arm_handle_fail_entry(ARMCPU *cpu, const struct kvm_run *run);

#endif
