/*
 * Bare-metal guest: vCPUs that signal each other at random, as fast as they can
 *
 * The INTID of an IPI is the number of the vCPU that sends it. Until the
 * receiver has handled it, the sender sends it nothing else and goes on with
 * another one: IPIs never merge, and each that is sent has to be received. So
 * those that run keep each other busy, while the host has stopped the rest, as
 * it does if there are more of them than it has CPUs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "bench.h"

void flood_received(struct cpu *me, unsigned sender)
{
    if (!hot.flood.sent[me->index][sender]) {
        fail_with("an IPI that was not sent has come to vCPU", me->index);
    }
    me->received++;
    hot.flood.sent[me->index][sender] = false;
}

/* Whether the vCPU has nothing of the sender's yet; then it will have */
static bool take_slot(unsigned cpu, unsigned sender)
{
    if (hot.flood.sent[cpu][sender]) {
        return false;
    }
    hot.flood.sent[cpu][sender] = true;
    /* The receiver has to see that. */
    asm volatile("dsb ishst" : : : "memory");
    return true;
}

static bool all_received(unsigned sender)
{
    for (unsigned i = 0; i < hot.flood.vcpus; i++) {
        if (hot.flood.sent[i][sender]) {
            return false;
        }
    }
    return true;
}

static void flood(void)
{
    struct cpu *me = this_cpu();
    uint64_t left = hot.flood.quota;

    /* The first one is lost if that is wanted: what was to come does not. */
    if (hot.lose && !me->index) {
        left -= take_slot(1, me->index);
    }
    while (left) {
        unsigned next = random_other(me, hot.flood.vcpus);

        if (take_slot(next, me->index)) {
            irqchip->send(next, me->index);
            left--;
        } else {
            yield();
        }
    }
    while (!all_received(me->index)) {
        yield();
    }
    if (atomic_add(&hot.flood.through, 1) == hot.flood.vcpus) {
        wake_cpus(hot.flood.vcpus);
    }
    sleep_until(hot.flood.through == hot.flood.vcpus);
}

void run_flood(uint64_t n, unsigned vcpus)
{
    uint64_t received = 0;

    hot.flood.vcpus = vcpus;
    hot.flood.quota = n / vcpus;
    hot.flood.through = 0;
    for (unsigned i = 0; i < vcpus; i++) {
        hot.cpus[i].received = 0;
    }
    on_cpus(vcpus, flood);
    for (unsigned i = 0; i < vcpus; i++) {
        received += hot.cpus[i].received;
    }
    if (received != hot.flood.quota * vcpus) {
        fail("IPIs were lost");
    }
}
