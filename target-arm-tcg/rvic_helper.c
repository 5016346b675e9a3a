/*
 * Arm rVIC and rVID: hypercalls from within a translation block
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "cpu.h"
#include "exec/helper-proto.h"
#include "rvic/hw-intc/arm_rvic_hypercall.h"

uint32_t HELPER(rvic_call)(CPUARMState *env)
{
    return arm_rvic_handle_call(env_archcpu(env));
}
