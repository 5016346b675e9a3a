/*
 * Arm rVIC and rVID: the ways in from a vCPU
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_INTC_ARM_RVIC_HYPERCALL_H
#define HW_INTC_ARM_RVIC_HYPERCALL_H

#include "target/arm/cpu-qom.h"

typedef struct ARMRVICState ARMRVICState;

/**
 * arm_rvic_hypercall: execute a call of rVIC or rVID
 * @s: the rVIC
 * @cpu: index of the calling vCPU
 * @function: SMCCC function ID
 * @arg: x1..x3; those that the call does not look at are only traced
 * @result: for x0..x3; only written if the call is ours
 *
 * The one dispatcher for all ways in, with or without the BQL: an rVIC call
 * takes it only to drive a line that changes, an rVID call always.
 *
 * Returns: false if @function is in neither of the two ranges
 */
bool arm_rvic_hypercall(ARMRVICState *s, unsigned cpu, uint32_t function,
                        const uint64_t arg[3], uint64_t result[4]);

/**
 * arm_rvic_hypercall_num_args: how many arguments a call looks at
 * @function: SMCCC function ID, of any call
 *
 * For ways in on which each argument has a price.
 *
 * Returns: 0 to 3, for none to x1..x3
 */
unsigned arm_rvic_hypercall_num_args(uint32_t function);

/**
 * arm_rvic_handle_call: TCG executes the conduit's instruction
 * @cpu: the vCPU, which has an rVIC and is in AArch64 state
 *
 * Results are in the vCPU's registers afterwards.
 *
 * Returns: false, having done nothing, if x0 is no call of rVIC or rVID
 */
bool arm_rvic_handle_call(ARMCPU *cpu);

/**
 * arm_rvic_handle_psci_call: TCG's built-in PSCI asks for a call it got
 * @cpu: the vCPU that executed the conduit's instruction
 *
 * Handles the calls of rVIC and rVID, and those by which a guest finds out
 * that the conduit speaks SMCCC 1.1 (docs/specs/arm-rvic.rst, "Calling
 * convention"). Results are in the vCPU's registers afterwards.
 *
 * Returns: false, having done nothing, for any other call and for a vCPU
 * without rVIC
 */
bool arm_rvic_handle_psci_call(ARMCPU *cpu);

/**
 * arm_rvic_cpu_reset: a vCPU was reset, and has forgotten its inputs
 * @cpu: the vCPU, which may have no rVIC
 */
#ifdef CONFIG_USER_ONLY
static inline void arm_rvic_cpu_reset(ARMCPU *cpu)
{
}
#else
void arm_rvic_cpu_reset(ARMCPU *cpu);
#endif

#endif
