/*
 * Arm rVIC and rVID: for Arm targets without them
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "arm_rvic_hypercall.h"

bool arm_rvic_handle_psci_call(ARMCPU *cpu)
{
    return false;
}

void arm_rvic_cpu_reset(ARMCPU *cpu)
{
}
