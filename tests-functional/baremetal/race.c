/*
 * Bare-metal guest: interrupts that come at any moment of a call
 *
 * One vCPU signals the other, which does nothing but make calls, and waits for
 * each IPI to be taken. A line that is raised while the hypervisor is about to
 * go on with that vCPU must not be forgotten.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "runtime.h"
#include "rvic.h"

/* Where QEMU's loader puts the number of IPIs */
#define PARAMETERS      0x47000000

#define IPI             5
/* Nobody is so slow. */
#define PATIENCE_US     20000000

static uint64_t taken, ready;

static void take(struct frame *frame)
{
    struct result irq = hypercall(RVIC_ACKNOWLEDGE, 0, 0, 0);

    (void)frame;
    if (irq.x0 == RVIC_SUCCESS) {
        hypercall(RVIC_CLEAR_MASKED, cpu_mpidr(1), irq.x1, 0);
        atomic_add(&taken, 1);
    }
}

static void make_calls(void)
{
    hypercall(RVIC_CLEAR_MASKED, cpu_mpidr(1), IPI, 0);
    hypercall(RVIC_ENABLE, 0, 0, 0);
    irq_unmask();
    atomic_store(&ready, 1);
    for (;;) {
        hypercall(RVIC_VERSION, 0, 0, 0);
    }
}

void main(void)
{
    const uint64_t *parameters = (const uint64_t *)PARAMETERS;
    uint64_t rounds = parameters[0], round;

    irq_hook = take;
    expect(cpu_on(1, make_calls), 0);
    wait_at_most(PATIENCE_US, atomic_load(&ready));
    for (round = 1; round <= rounds; round++) {
        hypercall(RVIC_SIGNAL, cpu_mpidr(1), IPI, 0);
        wait_at_most(PATIENCE_US, atomic_load(&taken) == round);
        if (atomic_load(&taken) != round) {
            break;
        }
    }
    expect(atomic_load(&taken), rounds);
    verdict("race/none-lost");
    puts("DONE\n");
}
