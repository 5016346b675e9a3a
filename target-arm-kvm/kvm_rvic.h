/*
 * Arm rVIC and rVID with KVM
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TARGET_ARM_KVM_RVIC_H
#define TARGET_ARM_KVM_RVIC_H

#include "target/arm/cpu-qom.h"

struct kvm_run;

#ifdef CONFIG_KVM

/**
 * kvm_arm_rvic_finalize_irqchip: settle whether rVIC and rVID are KVM's or
 *                                QEMU's
 * @errp: what the user asked for and this host cannot
 *
 * To be called before there are vCPUs. kvm_irqchip_in_kernel() is the answer
 * afterwards; if they are KVM's, the virtual machine has the device, which
 * kvm_arm_rvic_init() makes ready.
 *
 * Returns: whether the host can do what was asked for
 */
bool kvm_arm_rvic_finalize_irqchip(Error **errp);

/**
 * kvm_arm_rvic_init: make KVM's rVIC and rVID ready
 * @num_trusted: trusted INTIDs of each vCPU
 * @num_untrusted: untrusted INTIDs of each vCPU and inputs of the rVID; the
 *                 two go by the rules of docs/specs/arm-rvic.rst, "INTIDs",
 *                 which the caller has checked: KVM takes 0 here
 * @errp: what KVM says against it
 *
 * To be called once, when all vCPUs exist and none has run. Sets the timers'
 * interrupts too; the board sets the PMU's, as for a GIC in KVM. The rules are
 * those of the patch series "rVIC/rVID PV interrupt controller" for KVM, of
 * September 2020.
 *
 * Returns: whether it worked
 */
bool kvm_arm_rvic_init(uint32_t num_trusted, uint32_t num_untrusted,
                       Error **errp);

/**
 * kvm_arm_rvic_enable_msis: let devices send MSIs to KVM's rVID by themselves
 * @first: the first input that is an MSI; those before are wired
 * @end: the number of all inputs
 */
void kvm_arm_rvic_enable_msis(uint32_t first, uint32_t end);

/**
 * kvm_arm_rvic_signal: an edge on an input of KVM's rVID
 * @input: less than the number of inputs
 */
void kvm_arm_rvic_signal(uint32_t input);

/** kvm_arm_rvic_in_kernel: whether rVIC and rVID are KVM's */
bool kvm_arm_rvic_in_kernel(void);

/**
 * kvm_arm_rvic_msi_data_to_gsi: what an irqfd takes for an MSI
 * @data: any data that a guest wrote to a device
 *
 * KVM's default routing leads GSI n to rVID input n, which is also the data of
 * its MSI. No device may signal a wired input so. An error is of no use: not
 * all devices look at it before they make an irqfd.
 *
 * Returns: the GSI, which leads nowhere if this is not the data of an MSI
 */
int kvm_arm_rvic_msi_data_to_gsi(uint32_t data);

/**
 * kvm_arm_rvic_forward_calls: have KVM forward the calls of rVIC and rVID, and
 *                             none besides, to QEMU
 * @errp: what the host's KVM lacks
 *
 * To be called once, before a vCPU runs. The rule is in Linux's documentation
 * of KVM, KVM_ARM_VM_SMCCC_FILTER.
 *
 * Returns: whether it does
 */
bool kvm_arm_rvic_forward_calls(Error **errp);

/**
 * kvm_arm_rvic_handle_hypercall: a vCPU left KVM with KVM_EXIT_HYPERCALL
 * @cpu: the vCPU, in its own thread, without the BQL
 * @run: KVM's account of it
 *
 * The results of the call are in the vCPU's registers afterwards. A call
 * that nobody here knows gets SMCCC's NOT_SUPPORTED.
 *
 * Returns: 0, or a negative errno of KVM
 */
int kvm_arm_rvic_handle_hypercall(ARMCPU *cpu, const struct kvm_run *run);

/**
 * kvm_arm_rvic_set_lines: what the instance of a vCPU takes the lines of its
 *                         timers and PMU to be
 * @cpu: the vCPU, not running
 * @lines: levels of the trusted INTIDs 0 to 31, one bit each
 *
 * KVM reports these lines as levels with each exit, and QEMU passes on what
 * differs from the last report. That report is not part of the vCPU's state:
 * whenever the instance gets its levels from elsewhere, by a reset or a load,
 * it has to say so here, or an edge is lost.
 */
void kvm_arm_rvic_set_lines(ARMCPU *cpu, uint32_t lines);

/**
 * kvm_arm_rvic_irq: the IRQ input of a vCPU, for an instance to drive
 * @cpu: the vCPU
 *
 * It works around a race in KVM that loses interrupts, see kvm_rvic.c.
 *
 * Returns: the input, to be driven with the BQL held
 */
qemu_irq kvm_arm_rvic_irq(ARMCPU *cpu);

#else

static inline qemu_irq kvm_arm_rvic_irq(ARMCPU *cpu)
{
    g_assert_not_reached();
}

static inline bool kvm_arm_rvic_finalize_irqchip(Error **errp)
{
    g_assert_not_reached();
}

static inline bool kvm_arm_rvic_forward_calls(Error **errp)
{
    g_assert_not_reached();
}

static inline void kvm_arm_rvic_set_lines(ARMCPU *cpu, uint32_t lines)
{
    g_assert_not_reached();
}

#endif

#endif
