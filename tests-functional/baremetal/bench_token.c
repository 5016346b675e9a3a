/*
 * Bare-metal guest: an IPI that goes to and fro between two vCPUs
 *
 * Whoever handles it sends it back, until it has been sent as often as is
 * wanted. It is at one place at a time, so it never merges: each that was sent
 * has to be received once, where it was sent to.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "bench.h"

/* The caller has the token, and its handler sends it to the other vCPU. */
static unsigned pass_on(struct cpu *me)
{
    unsigned other = !me->index;

    hot.token.left--;
    hot.token.at = other;
    /* The receiver has to see that. */
    asm volatile("dsb ishst" : : : "memory");
    return other;
}

unsigned token_received(struct cpu *me)
{
    if (hot.token.at != me->index) {
        fail_with("an IPI that was not sent has come to vCPU", me->index);
    }
    me->received++;
    if (hot.token.left) {
        return pass_on(me);
    }
    hot.token.finished = true;
    barrier();
    if (!hot.token.busy) {
        wake_cpus(2);
    }
    return NO_CPU;
}

static void play(void)
{
    struct cpu *me = this_cpu();

    /* The first one is lost if that is wanted. */
    if (me->index == 0 && !hot.lose) {
        irq_mask();
        irqchip->send(pass_on(me), INTID_TOKEN);
        irq_unmask();
    }
    if (!hot.token.busy) {
        sleep_until(hot.token.finished);
    }
    while (!hot.token.finished) {
        yield();
    }
}

void run_token(uint64_t hops, bool busy)
{
    hot.token.busy = busy;
    hot.token.left = hops;
    hot.token.finished = false;
    on_cpus(2, play);
    if (hot.cpus[0].received + hot.cpus[1].received != hops) {
        fail("IPIs were lost");
    }
}
