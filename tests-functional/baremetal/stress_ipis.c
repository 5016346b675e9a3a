/*
 * Bare-metal guest: IPIs under stress
 *
 * Those that come once, those that merge, and what a vCPU signals to itself.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "stress.h"

/*
 * IPIs that come once
 */

/*
 * The sender takes back what has not come yet. With the INTID masked nobody
 * can acknowledge it any more: pending now means that it never comes, unless
 * somebody unmasks it, which is only the end of an earlier handler. So that
 * has to be over. If it is not pending, the handler runs or has run, and
 * nothing else signals the INTID until the handler gives back the token to
 * the very vCPU that is here: that it is unmasked early does no harm.
 */
static void retract(unsigned sender, unsigned target)
{
    struct once *o = &cpus[target].once[sender];
    uint64_t token = atomic_load(&o->token);

    if (!token || atomic_load(&o->ended) != o->good_before) {
        return;
    }
    mask(target, ONCE(sender));
    atomic_add(&cpus[target].masks, 1);
    if (is_pending(target, ONCE(sender))) {
        clear_pending(target, ONCE(sender));
        if (is_pending(target, ONCE(sender))) {
            fault(LEFT, target, ONCE(sender), 0);
        }
        o->retracted++;
        o->good = o->good_before;
        if (!atomic_swap_if(&o->token, token, 0)) {
            fault(INVENTED, target, ONCE(sender), token);
        }
    }
    unmask(target, ONCE(sender));
}

void send_once(struct cpu *me, unsigned target)
{
    unsigned sender = index_of(me);
    struct once *o = &cpus[target].once[sender];
    uint64_t token;

    if (atomic_load(&o->token)) {
        if (chance(me, false, 4)) {
            irq_mask();
            retract(sender, target);
            irq_unmask();
        }
        return;
    }

    token = ++o->sent;
    atomic_store(&o->token, token);
    /* Before SIGNAL, as the handler may be called before that returns */
    if (send(target, ONCE(sender))) {
        o->good_before = o->good;
        o->good = token;
        /* Later than it became pending, unless it was taken already */
        o->stamp = atomic_load(&cpus[target].acks);
        atomic_store(&o->stamp_token, token);
    } else {
        o->refused++;
        if (!atomic_swap_if(&o->token, token, 0)) {
            fault(INVENTED, target, ONCE(sender), token);
        }
    }
}

void send_once_to_any(struct cpu *me)
{
    send_once(me, random(me, false, CPUS));
}

void handle_once(struct cpu *me, unsigned sender)
{
    struct once *o = &me->once[sender];
    uint64_t token = atomic_load(&o->token);
    bool early = chance(me, true, 2);

    if (!token) {
        fault(INVENTED, index_of(me), ONCE(sender), o->received);
        return;
    }
    o->received++;
    if (atomic_load(&o->stamp_token) == token) {
        /* + 1: one that was not counted yet when the sender looked */
        waited(me, ONCE(sender), o->stamp + 1);
    }
    if (early) {
        /* The next may come while this one is still masked. */
        atomic_store(&o->token, 0);
    }
    dawdle(me, true);
    unmask(index_of(me), ONCE(sender));
    atomic_store(&o->ended, token);
    if (!early) {
        atomic_store(&o->token, 0);
    }
}

/*
 * IPIs that merge
 */

void send_merged(struct cpu *me)
{
    unsigned target = random(me, false, CPUS);
    unsigned index = random(me, false, MERGED);
    struct merged *m = &cpus[target].merged[index];
    uint64_t number = atomic_add(&m->announced, 1);

    if (send(target, merged_intids[index])) {
        uint64_t old = atomic_load(&m->accepted);

        atomic_add(&m->signals, 1);
        while (old < number &&
               !atomic_swap_if(&m->accepted, old, number)) {
            old = atomic_load(&m->accepted);
        }
    } else {
        atomic_add(&m->refused, 1);
    }
}

void handle_merged(struct cpu *me, unsigned index)
{
    struct merged *m = &me->merged[index];

    m->seen = atomic_load(&m->announced);
    m->received++;
    /* Each was announced before. That there were as many is checked later. */
    if (m->received > m->seen) {
        fault(INVENTED, index_of(me), merged_intids[index], m->received);
        return;
    }
    /* Else left masked: whoever comes by unmasks it. */
    if (!leave_masked(me)) {
        unmask(index_of(me), merged_intids[index]);
    }
}

/* No handler of these minds when it is called, so anybody may. */
void mask_merged(struct cpu *me)
{
    unsigned target = random(me, false, CPUS);
    unsigned intid = merged_intids[random(me, false, MERGED)];

    if (chance(me, false, 3)) {
        mask(target, intid);
        atomic_add(&cpus[target].masks, 1);
    } else {
        unmask(target, intid);
    }
}

/*
 * What a vCPU signals to itself: always some at once, which signal themselves
 * again and again. So something waits all the time while others come.
 */

static void send_own(struct cpu *me, unsigned index)
{
    struct own *o = &me->own[index];

    /* The handler may be called before SIGNAL returns, not before this. */
    o->stamp = me->acks;
    o->under_way = true;
    o->sent++;
    if (!send(index_of(me), own_intids[index])) {
        fault(STATUS, index_of(me), RVIC_SIGNAL, RVIC_DISABLED);
    }
}

void start_storm(struct cpu *me)
{
    unsigned busy = 2 + random(me, false, OWN - 1);

    me->storm = 50 + random(me, false, 100);
    for (unsigned i = 0; i < busy; i++) {
        unsigned index = random(me, false, OWN);

        if (!me->own[index].under_way) {
            send_own(me, index);
        }
    }
}

void handle_own(struct cpu *me, unsigned index)
{
    struct own *o = &me->own[index];

    if (!o->under_way) {
        fault(INVENTED, index_of(me), own_intids[index], o->received);
        return;
    }
    waited(me, own_intids[index], o->stamp);
    o->received++;
    o->under_way = false;
    if (me->storm) {
        me->storm--;
        send_own(me, index);
    }
    unmask(index_of(me), own_intids[index]);
}
