/*
 * Arm rVIC and rVID with TCG
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TARGET_ARM_TCG_RVIC_H
#define TARGET_ARM_TCG_RVIC_H

#include "target/arm/cpu-qom.h"

#ifdef CONFIG_TCG

/**
 * tcg_arm_rvic_irq: the IRQ input of a vCPU, for an instance to drive
 * @cpu: the vCPU
 *
 * Where vCPUs have threads of their own (MTTCG), this wakes or interrupts one
 * at a lower price than the input itself.
 *
 * Returns: the input, to be driven with the BQL held
 */
qemu_irq tcg_arm_rvic_irq(ARMCPU *cpu);

#else

static inline qemu_irq tcg_arm_rvic_irq(ARMCPU *cpu)
{
    g_assert_not_reached();
}

#endif

#endif
