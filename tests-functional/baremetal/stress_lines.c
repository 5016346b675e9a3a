/*
 * Bare-metal guest: levels under stress, and the lines that PCI devices share
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "stress.h"

/* So many in a row that find nothing to do will not stop. */
#define MANY            10000

struct source sources[MAX_SOURCES];
unsigned num_sources;
struct pin pins[PINS];

/*
 * Levels
 */

static void raise_line(struct source *s)
{
    if (atomic_swap_if(&s->state, IDLE, RAISING)) {
        s->raised++;
        write32(s->high_address, s->high_value);
        atomic_store(&s->state, HIGH);
    }
}

bool lower_line(struct source *s, uint64_t *counter)
{
    while (!atomic_swap_if(&s->state, HIGH, LOWERING)) {
        if (atomic_load(&s->state) == IDLE) {
            return false;
        }
        yield();
    }
    (*counter)++;
    write32(s->low_address, s->low_value);
    atomic_store(&s->state, IDLE);
    return true;
}

void use_line(struct cpu *me)
{
    struct source *s = &sources[random(me, false, num_sources)];

    if (atomic_load(&s->state) == IDLE) {
        raise_line(s);
    } else if (chance(me, false, 16)) {
        lower_line(s, &s->withdrawn);
    }
}

bool count_fruit(struct cpu *me, bool found, uint64_t *spurious,
                 unsigned input)
{
    *spurious += !found;
    me->fruitless = found ? 0 : me->fruitless + 1;
    if (me->fruitless < MANY) {
        return true;
    }
    fault(STORM, index_of(me), input, me->fruitless);
    return false;
}

/*
 * PCI's lines: several devices share a line, several lines an INTID. Only
 * levels count: where they are delivered follows from MAP alone.
 */

void move_pin(struct cpu *me)
{
    struct pin *pin = &pins[random(me, false, PINS)];
    unsigned input = INPUT_PCI + (pin - pins);
    unsigned cpu, intid;
    bool taken;

    if (!try_lock(&pin->lock)) {
        return;
    }
    if (chance(me, false, 8)) {
        must(RVID_UNMAP, input, 0, 0);
        me->unmaps++;
        dawdle(me, false);
    }
    cpu = pin->cpu;
    intid = pin->intid;
    pin->cpu = random(me, false, CPUS);
    pin->intid = pool_intids[random(me, false, POOL)];
    pin->moves++;
    /* A handler that begins between this and MAP waits for the lock. */
    taken = is_taken(cpu, intid);
    map(input, pin->cpu, pin->intid);
    pin->moved_taken += taken || is_pending(cpu, intid) || is_taken(cpu, intid);
    unlock(&pin->lock);
}

static bool serve_pin(unsigned pin)
{
    bool found = false;

    for (unsigned i = 0; i < num_sources; i++) {
        if (sources[i].input == INPUT_PCI + pin) {
            found |= lower_line(&sources[i], &sources[i].served);
        }
    }
    return found;
}

void handle_pool(struct cpu *me, unsigned index)
{
    unsigned self = index_of(me), intid = pool_intids[index];
    bool found = false;

    /* Nobody else unmasks these. */
    if (me->deferred[index]) {
        fault(MASKED, self, intid, 0);
        mask(self, intid);
        return;
    }
    if (leave_masked(me)) {
        /* With the line high if nobody else calms it */
        me->deferred[index] = true;
        me->pool_deferred++;
        return;
    }
    for (unsigned i = 0; i < PINS; i++) {
        bool ours;

        /* Between MAP and what we have noted of it we would find nothing. */
        lock(&pins[i].lock);
        ours = pins[i].cpu == self && pins[i].intid == intid;
        unlock(&pins[i].lock);
        if (ours) {
            found |= serve_pin(i);
        }
    }
    me->pool_fruitful += found;
    if (count_fruit(me, found, &me->pool_spurious, INPUT_PCI)) {
        unmask(self, intid);
    }
}

void resume_pool(struct cpu *me)
{
    for (unsigned i = 0; i < POOL; i++) {
        if (me->deferred[i]) {
            me->deferred[i] = false;
            unmask(index_of(me), pool_intids[i]);
        }
    }
}
