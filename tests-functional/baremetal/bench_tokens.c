/*
 * Bare-metal guest: IPIs between vCPUs
 *
 * A token is an IPI that travels: the handler sends it on, to another vCPU at
 * random. Its INTID is the token's own, and it is at one place at a time, so
 * IPIs never merge: each that was sent has to be received once, where it was
 * sent to, and all that is sent is known beforehand.
 *
 * As many tokens as vCPUs are what senders make that each wait until the last
 * of theirs was handled. Those cannot wait busily: the vCPU that they wait for
 * may be one that the host has stopped in favour of them. To sleep they need
 * an IPI that wakes them; that is the token. So vCPUs that have nothing to do
 * sleep, as in other guests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "bench.h"

/* The caller is where the token is. */
static unsigned send_on(struct cpu *me, unsigned token)
{
    unsigned next = random_other(me, hot.game.vcpus);

    hot.game.left[token]--;
    hot.game.at[token] = next;
    /* The receiver has to see that. */
    asm volatile("dsb ishst" : : : "memory");
    return next;
}

unsigned next_hop(struct cpu *me, unsigned token)
{
    if (hot.game.at[token] != me->index) {
        fail_with("an IPI that was not sent has come to vCPU", me->index);
    }
    me->received++;
    if (hot.game.left[token]) {
        return send_on(me, token);
    }
    if (atomic_add(&hot.game.home, 1) == hot.game.tokens) {
        hot.game.finished = true;
        barrier();
        if (!hot.game.busy) {
            wake_cpus(hot.game.vcpus);
        }
    }
    return INTID_NONE;
}

static void play(void)
{
    struct cpu *me = this_cpu();

    /* It begins where its number says. One is lost if that is wanted. */
    if (me->index < hot.game.tokens && hot.game.left[me->index] &&
        !(hot.lose && !me->index)) {
        irq_mask();
        irqchip->send(send_on(me, me->index), me->index);
        irq_unmask();
    }
    if (!hot.game.busy) {
        sleep_until(hot.game.finished);
    }
    while (!hot.game.finished) {
        yield();
    }
}

void run_tokens(uint64_t hops, unsigned vcpus, unsigned tokens, bool busy)
{
    uint64_t received = 0;

    hot.game.vcpus = vcpus;
    hot.game.busy = busy;
    hot.game.home = 0;
    hot.game.finished = false;
    for (unsigned i = 0; i < tokens; i++) {
        hot.game.left[i] = hops / tokens + (i < hops % tokens);
        hot.game.home += !hot.game.left[i];
    }
    hot.game.tokens = tokens;
    on_cpus(vcpus, play);
    for (unsigned i = 0; i < vcpus; i++) {
        received += hot.cpus[i].received;
    }
    if (received != hops) {
        fail("IPIs were lost");
    }
}
