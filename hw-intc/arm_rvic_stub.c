/*
 * Arm rVIC and rVID: for Arm targets without them
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "arm_rvic_hypercall.h"

bool arm_rvic_hypercall(ARMRVICState *s, unsigned cpu, uint32_t function,
                        const uint64_t arg[3], uint64_t result[4])
{
    return false;
}

unsigned arm_rvic_hypercall_num_args(uint32_t function)
{
    return 0;
}

bool arm_rvic_handle_call(ARMCPU *cpu)
{
    g_assert_not_reached();
}

bool arm_rvic_handle_psci_call(ARMCPU *cpu)
{
    return false;
}

void arm_rvic_cpu_reset(ARMCPU *cpu)
{
}
