/*
 * Bare-metal guest: inputs that move as in Linux, under stress
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "stress.h"

struct irq irqs[MAX_IRQS];
unsigned num_irqs;

static void unmask_unless_busy(struct irq *irq)
{
    if (!irq->masked && !irq->in_progress) {
        unmask(irq->cpu, irq->intid);
    }
}

/* Rather one whose handler is running, if there is any */
static struct irq *random_irq(struct cpu *me)
{
    unsigned first = random(me, false, num_irqs);

    for (unsigned i = 0; i < num_irqs; i++) {
        struct irq *irq = &irqs[(first + i) % num_irqs];

        if (atomic_load(&irq->handlers)) {
            return irq;
        }
    }
    return &irqs[first];
}

/*
 * What Linux' driver does to move an interrupt, with the lock of its
 * descriptor. All the time edges come: to the old target before MAP, where
 * nobody can acknowledge them once it is masked, so they can be moved; to the
 * new one after it. What was acknowledged before is being handled, or will be
 * as soon as we give back the lock, and its end unmasks where we moved it to.
 *
 * A sender that saw the old target as enabled may be about to write. Its edge
 * comes to the new one then, which must not become disabled before.
 */
void move_irq(struct cpu *me)
{
    struct irq *irq = random_irq(me);
    unsigned cpu = random(me, false, CPUS);
    unsigned intid = PRIVATE(irq - irqs, random(me, false, 2));
    unsigned old_cpu, old_intid;

    if (!try_lock(&irq->lock)) {
        return;
    }
    old_cpu = irq->cpu;
    old_intid = irq->intid;
    if ((cpu == old_cpu && intid == old_intid) || !guard(cpu, ENABLED)) {
        unlock(&irq->lock);
        return;
    }

    mask(cpu, intid);
    clear_pending(cpu, intid);
    mask(old_cpu, old_intid);
    atomic_add(&cpus[old_cpu].masks, 1);
    dawdle(me, false);
    irq->moved_taken += is_taken(old_cpu, old_intid);
    map(irq->input, cpu, intid);
    dawdle(me, false);
    if (is_pending(old_cpu, old_intid)) {
        if (!send(cpu, intid)) {
            fault(STATUS, cpu, RVIC_SIGNAL, RVIC_DISABLED);
        }
        clear_pending(old_cpu, old_intid);
        irq->moved_pending++;
    }
    irq->moves++;
    irq->moved_busy += irq->in_progress;
    atomic_store(&irq->intid, intid);
    atomic_store(&irq->cpu, cpu);
    unmask_unless_busy(irq);

    while (atomic_load(&irq->sending)) {
        yield();
    }
    unguard(cpu);
    unlock(&irq->lock);
}

/*
 * Without the lock, so that the edge comes at any moment of a move. The vCPU
 * that is the target stays enabled: see move_irq().
 */
void send_msi(struct cpu *me)
{
    struct irq *irq = random_irq(me);
    unsigned cpu;

    if (irq->line || !atomic_swap_if(&irq->token, 0, 1)) {
        return;
    }
    atomic_store(&irq->sending, 1);
    cpu = atomic_load(&irq->cpu);
    if (guard(cpu, ENABLED)) {
        if (atomic_load(&irq->cpu) == cpu) {
            irq->sent++;
            write32(irq->kick_address, irq->kick_value);
            unguard(cpu);
            atomic_store(&irq->sending, 0);
            return;
        }
        unguard(cpu);
    }
    irq->aborted++;
    atomic_store(&irq->sending, 0);
    atomic_store(&irq->token, 0);
}

/*
 * An MSI that nobody may ever receive. With the token nobody else can send it,
 * and none is under way.
 */
void send_in_vain(struct irq *irq)
{
    if (irq->line || !atomic_swap_if(&irq->token, 0, 1)) {
        return;
    }
    write32(irq->kick_address, irq->kick_value);
    irq->dropped++;
    atomic_store(&irq->token, 0);
}

/* For a moment the input is not mapped: edges are lost, levels are not. */
void unmap_irq(struct cpu *me)
{
    struct irq *irq = &irqs[random(me, false, num_irqs)];

    if (!try_lock(&irq->lock)) {
        return;
    }
    if (irq->line) {
        must(RVID_UNMAP, irq->input, 0, 0);
        dawdle(me, false);
        map(irq->input, irq->cpu, irq->intid);
        me->unmaps++;
    } else if (atomic_swap_if(&irq->token, 0, 1)) {
        must(RVID_UNMAP, irq->input, 0, 0);
        write32(irq->kick_address, irq->kick_value);
        irq->dropped++;
        map(irq->input, irq->cpu, irq->intid);
        me->unmaps++;
        atomic_store(&irq->token, 0);
    }
    unlock(&irq->lock);
}

/* Not one that ought to be unmasked: if it is not, that shall show. */
void enable_irq(struct irq *irq)
{
    if (irq->masked) {
        irq->masked = false;
        unmask_unless_busy(irq);
    }
}

/* As Linux' disable_irq() and enable_irq() */
void mask_irq(struct cpu *me)
{
    struct irq *irq = &irqs[random(me, false, num_irqs)];

    if (!try_lock(&irq->lock)) {
        return;
    }
    if (!irq->masked && chance(me, false, 4)) {
        irq->masked = true;
        mask(irq->cpu, irq->intid);
        atomic_add(&cpus[irq->cpu].masks, 1);
    } else {
        enable_irq(irq);
    }
    unlock(&irq->lock);
}

static void serve_irq(struct cpu *me, struct irq *irq)
{
    if (irq->line) {
        bool found = lower_line(irq->line, &irq->line->served);

        irq->masked |= !count_fruit(me, found, &irq->spurious, irq->input);
        return;
    }
    if (!atomic_load(&irq->token)) {
        fault(INVENTED, index_of(me), irq->input, irq->received);
        irq->masked = true;
        return;
    }
    irq->received++;
    if (irq->calm_address) {
        write32(irq->calm_address, irq->kick_value);
    }
    /* From now on the next one may come. */
    atomic_store(&irq->token, 0);
}

/*
 * What Linux does with an interrupt: while one vCPU runs the handler, another
 * that the interrupt has moved to leaves it masked, notes that it came, and
 * has it sent again at the end.
 */
static void run_handler(struct cpu *me, struct irq *irq)
{
    static uint64_t running[MAX_IRQS];
    uint64_t *count = &running[irq - irqs];

    lock(&irq->lock);
    if (irq->in_progress) {
        irq->again = true;
        unlock(&irq->lock);
        return;
    }
    irq->in_progress = true;
    if (irq->line && leave_masked(me)) {
        /* As ONESHOT does: the line stays high until a thread looks. */
        irq->masked = true;
        irq->deferred++;
        goto end;
    }

again:
    unlock(&irq->lock);
    if (atomic_add(count, 1) != 1) {
        fault(OVERLAP, index_of(me), irq->input, 0);
    }
    dawdle(me, true);
    serve_irq(me, irq);
    dawdle(me, true);
    atomic_add(count, -1);
    lock(&irq->lock);

    if (irq->again) {
        irq->again = false;
        irq->resent++;
        /* A level comes by itself; an edge to a disabled vCPU would not. */
        if (!irq->line && !send(irq->cpu, irq->intid)) {
            goto again;
        }
    }
end:
    irq->in_progress = false;
    unmask_unless_busy(irq);
    unlock(&irq->lock);
}

void handle_private(struct cpu *me, unsigned index)
{
    struct irq *irq = &irqs[index];

    atomic_add(&irq->handlers, 1);
    dawdle(me, true);
    run_handler(me, irq);
    atomic_add(&irq->handlers, -1);
}
