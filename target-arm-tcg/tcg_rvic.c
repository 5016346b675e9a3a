/*
 * Arm rVIC and rVID with TCG
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "qom/object.h"
#include "cpu.h"
#include "exec/helper-proto.h"
#include "hw/irq.h"
#include "hw/qdev-core.h"
#include "rvic/hw-intc/arm_rvic_hypercall.h"
#include "tcg_rvic.h"

/* qemu-system-arm, whose CPUs have no calls, has the board all the same */
#ifdef TARGET_AARCH64
uint32_t HELPER(rvic_call)(CPUARMState *env)
{
    return arm_rvic_handle_call(env_archcpu(env));
}
#endif

/*
 * The IRQ input of a vCPU, in arm_cpu_set_irq()'s place. What raises that from
 * another thread kicks the vCPU, which has it leave cpu_exec() after it has
 * taken the interrupt, wait for the BQL, find nothing to do, and begin anew. A
 * vCPU with a thread of its own does not have to: it sees the request when it
 * wakes, or when it looks at icount_decr next.
 */
typedef struct RVICIRQ {
    ARMCPU *cpu;
    qemu_irq input;
} RVICIRQ;

static void set_irq(void *opaque, int n, int level)
{
    const RVICIRQ *irq = opaque;
    CPUState *cs = CPU(irq->cpu);

    g_assert(bql_locked());

    if (!level || qemu_cpu_is_self(cs)) {
        qemu_set_irq(irq->input, level);
        return;
    }
    irq->cpu->env.irq_line_state |= CPU_INTERRUPT_HARD;
    qatomic_or(&cs->interrupt_request, CPU_INTERRUPT_HARD);
    /* Pairs with the barrier in cpu_handle_interrupt(), as in cpu_exit() */
    smp_wmb();
    qatomic_set(&cs->neg.icount_decr.u16.high, -1);
    qemu_cond_broadcast(cs->halt_cond);
}

qemu_irq tcg_arm_rvic_irq(ARMCPU *cpu)
{
    qemu_irq input = qdev_get_gpio_in(DEVICE(cpu), ARM_CPU_IRQ), output;
    RVICIRQ *irq;

    if (!qemu_tcg_mttcg_enabled()) {
        return input;
    }
    irq = g_new(RVICIRQ, 1);
    *irq = (RVICIRQ) { .cpu = cpu, .input = input };
    output = qemu_allocate_irq(set_irq, irq, 0);
    object_property_add_child(OBJECT(cpu), "rvic-irq", OBJECT(output));
    object_unref(OBJECT(output));
    return output;
}
