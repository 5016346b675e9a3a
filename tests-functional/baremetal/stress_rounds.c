/*
 * Bare-metal guest: rounds of the stress
 *
 * In between nothing is under way, and that is checked.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "stress.h"

/* Operations of a vCPU in a round; they are slow in an emulated host, on KVM */
#define OPERATIONS      (PARAMETERS->sampled ? 100u : 1000u)

/* Longer than any interrupt takes on a busy host, in microseconds */
#define PATIENCE        30000000

static uint64_t arrived[2], generation;
static uint64_t stop;
uint64_t draining;

void wait_for_all(void)
{
    uint64_t now = atomic_load(&generation);

    if (atomic_add(&arrived[now % 2], 1) == CPUS) {
        atomic_store(&arrived[now % 2], 0);
        atomic_store(&generation, now + 1);
    }
    while (atomic_load(&generation) == now) {
        yield();
    }
}

/* Nobody masks anything any more: let through what may still come. */
static void unmask_all(struct cpu *me)
{
    unsigned self = index_of(me);

    irq_mask();
    resume_pool(me);
    for (unsigned i = 0; i < MERGED; i++) {
        unmask(self, merged_intids[i]);
    }
    for (unsigned i = 0; i < TIMERS; i++) {
        if (me->timer[i].parked) {
            resume_timer(me, i);
        }
    }
    for (unsigned i = self; i < num_irqs; i += CPUS) {
        lock(&irqs[i].lock);
        enable_irq(&irqs[i]);
        unlock(&irqs[i].lock);
    }
    irq_unmask();
}

/*
 * Whether something is under way that concerns a vCPU: its INTID, or the number
 * of the input
 */
static bool under_way(struct cpu *me, uint64_t *what)
{
    for (unsigned i = 0; i < CPUS; i++) {
        if (atomic_load(&me->once[i].token)) {
            *what = ONCE(i);
            return true;
        }
    }
    for (unsigned i = 0; i < MERGED; i++) {
        if (atomic_load(&me->merged[i].seen) < me->merged[i].accepted) {
            *what = merged_intids[i];
            return true;
        }
    }
    for (unsigned i = 0; i < OWN; i++) {
        if (atomic_load(&me->own[i].under_way)) {
            *what = own_intids[i];
            return true;
        }
    }
    for (unsigned i = 0; i < TIMERS; i++) {
        if (atomic_load(&me->timer[i].armed)) {
            *what = timer_intids[i];
            return true;
        }
    }
    for (unsigned i = index_of(me); i < num_irqs; i += CPUS) {
        if (atomic_load(&irqs[i].token)) {
            *what = irqs[i].input;
            return true;
        }
    }
    for (unsigned i = index_of(me); i < num_sources; i += CPUS) {
        if (atomic_load(&sources[i].state) != IDLE) {
            *what = sources[i].input;
            return true;
        }
    }
    return false;
}

/*
 * Wait until nothing is under way, and the IRQ input is low: what is left then
 * and may be taken is levels that fell, or signals that another has told of.
 */
static void drain(struct cpu *me)
{
    uint64_t start = sysreg_read(cntvct_el0), what = 0;
    uint64_t most = ticks(PATIENCE) / (any_fault() ? 20 : 1);

    while (under_way(me, &what) || irq_input()) {
        yield();
        if (sysreg_read(cntvct_el0) - start > most) {
            fault(LOST, index_of(me), what, call(RVIC_ACKNOWLEDGE, 0, 0).x1);
            return;
        }
    }
}

static void expect_input(struct cpu *me, bool high, uint64_t function)
{
    if (irq_input() != high) {
        fault(OUTPUT, index_of(me), function, high);
    }
}

/* The IRQ input follows each call, if nothing else drives it. */
static void check_output(struct cpu *me)
{
    unsigned self = index_of(me);
    unsigned intid = own_intids[random(me, false, OWN)];

    expect_input(me, false, 0);
    send(self, intid);
    expect_input(me, true, RVIC_SIGNAL);
    mask(self, intid);
    expect_input(me, false, RVIC_SET_MASKED);
    unmask(self, intid);
    expect_input(me, true, RVIC_CLEAR_MASKED);
    must(RVIC_DISABLE, 0, 0, 0);
    expect_input(me, false, RVIC_DISABLE);
    must(RVIC_ENABLE, 0, 0, 0);
    expect_input(me, true, RVIC_ENABLE);
    clear_pending(self, intid);
    expect_input(me, false, RVIC_CLEAR_PENDING);
}

/* An edge is remembered, a level not, wherever the line has got to. */
static void check_line(struct cpu *me, struct irq *irq)
{
    static const struct {
        bool high, clear, pending;
    } steps[] = {
        { true, false, true },
        { true, true, true },
        { false, false, false },
        { true, false, true },
        { false, false, true },
        { false, true, false },
    };
    const struct source *s = irq->line;

    mask(irq->cpu, irq->intid);
    for (unsigned i = 0; i < ARRAY_SIZE(steps); i++) {
        bool high = steps[i].high;

        write32(high ? s->high_address : s->low_address,
                high ? s->high_value : s->low_value);
        if (steps[i].clear) {
            clear_pending(irq->cpu, irq->intid);
        }
        if (is_pending(irq->cpu, irq->intid) != steps[i].pending) {
            fault(LEFT, index_of(me), irq->input, i);
        }
    }
    unmask(irq->cpu, irq->intid);
}

/*
 * Now IRQ input, ACKNOWLEDGE and all INTIDs have to say the same. The states
 * that the vCPU and the lines have got to are as good as any others.
 */
static void check_idle(struct cpu *me)
{
    unsigned self = index_of(me);
    struct result result;

    irq_mask();
    expect_input(me, false, RVIC_ACKNOWLEDGE);
    result = call(RVIC_ACKNOWLEDGE, 0, 0);
    if (result.x0 != RVIC_NO_INTERRUPTS) {
        fault(OUTPUT, self, result.x1, result.x0);
    }
    for (unsigned i = 0; i < INTIDS; i++) {
        if (intids[i].kind != UNUSED && is_pending(self, i)) {
            fault(LEFT, self, i, 1);
        }
    }
    wait_for_all();
    check_output(me);
    wait_for_all();
    for (unsigned i = self; i < num_irqs; i += CPUS) {
        if (irqs[i].line) {
            check_line(me, &irqs[i]);
        }
    }
    irq_unmask();
}

void run_rounds(struct cpu *me)
{
    for (me->round = 0; !atomic_load(&stop); me->round++) {
        for (unsigned i = 0; i < OPERATIONS; i++) {
            if (i % 16 == 0 && any_fault()) {
                break;
            }
            operate(me);
        }
        wait_for_all();
        atomic_store(&draining, true);
        wait_for_all();
        /* Handlers that did not know that end before their vCPU gets here. */
        wait_for_all();
        unmask_all(me);
        drain(me);
        wait_for_all();
        /*
         * What others have handled since may have left something here. And
         * nothing but what is sent now drives the IRQ inputs.
         */
        for (unsigned i = 0; i < CPUS; i++) {
            send_once(me, i);
        }
        drain(me);
        wait_for_all();
        drain(me);
        wait_for_all();
        check_idle(me);
        wait_for_all();
        if (index_of(me) == 0) {
            uint64_t rounds = PARAMETERS->rounds;

            puts("round ");
            putdec(me->round + 1);
            puts("\n");
            atomic_store(&draining, false);
            atomic_store(&stop, any_fault() ||
                         (rounds ? me->round + 1 >= rounds : uart_has_input()));
        }
        wait_for_all();
    }
}
