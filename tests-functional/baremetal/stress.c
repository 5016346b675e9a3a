/*
 * Bare-metal guest: interrupts of all kinds on all vCPUs, each accounted for
 *
 * Every vCPU does random operations while it takes interrupts. After a number
 * of them, a round, all wait until nothing is under way, and compare what was
 * sent with what was received. How each kind is counted, so that the counts
 * are exact whatever vCPUs do at the same time, is said where it is sent.
 *
 * Two rules keep vCPUs from waiting for each other for ever:
 *
 * - A lock is held with IRQs masked, and its holder waits for no lock. So
 *   interrupt handlers may wait for it, and all other code gives up instead.
 * - Who waits for another vCPU does so for one hypercall or one access to a
 *   device, again with IRQs masked there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "stress.h"

/* So many exceptions without an interrupt are not chance. */
#define FEW             5

struct cpu cpus[CPUS] __attribute__((aligned(64)));
struct intid intids[INTIDS];

/*
 * The whole vCPU
 */

static void disable(struct cpu *me)
{
    unsigned self = index_of(me);
    struct irq *irq = &irqs[random(me, false, num_irqs)];

    if (me->storm) {
        return;                 /* its handlers could not signal */
    }
    atomic_store(&me->state, CHANGING);
    if (atomic_load(&me->users)) {
        atomic_store(&me->state, ENABLED);
        return;
    }
    must(RVIC_DISABLE, 0, 0, 0);
    atomic_store(&me->state, DISABLED);
    me->disables++;

    if (irq_input()) {
        fault(OUTPUT, self, DISABLED, 0);
    }
    if (call(RVIC_ACKNOWLEDGE, 0, 0).x0 != RVIC_DISABLED ||
        send(self, own_intids[0])) {
        fault(STATUS, self, RVIC_DISABLED, 0);
    }
    /* Timers that expire now: ENABLE sees their lines. */
    for (unsigned i = 0; i < TIMERS; i++) {
        if (!me->timer[i].armed && chance(me, false, 2)) {
            arm_timer(me, i, 0);
        }
    }
    /* With the lock the route stays what it is. */
    if (try_lock(&irq->lock)) {
        if (irq->cpu == self) {
            send_in_vain(irq);
        }
        unlock(&irq->lock);
    }
    dawdle(me, false);

    atomic_store(&me->state, CHANGING);
    while (atomic_load(&me->users)) {
        yield();
    }
    must(RVIC_ENABLE, 0, 0, 0);
    atomic_store(&me->state, ENABLED);
}

/* Until the next interrupt: a timer's at the latest */
static void sleep(struct cpu *me)
{
    for (unsigned i = 0; i < TIMERS; i++) {
        if (me->timer[i].parked) {
            resume_timer(me, i);
        }
        if (!me->timer[i].armed) {
            arm_timer(me, i, 300);
        }
    }
    if (!any_fault()) {
        me->sleeps++;
        wfi();
    }
}

static void (*const handlers[])(struct cpu *me, unsigned index) = {
    [KIND_ONCE] = handle_once,
    [KIND_MERGED] = handle_merged,
    [KIND_OWN] = handle_own,
    [KIND_TIMER] = handle_timer,
    [KIND_POOL] = handle_pool,
    [KIND_IRQ] = handle_private,
};

static void take(struct cpu *me, uint64_t intid)
{
    uint64_t now = me->acks + 1;

    if (intid >= INTIDS || intids[intid].kind == UNUSED) {
        fault(INVENTED, index_of(me), intid, 0);
        return;
    }
    if (me->last_ack[intid] > me->repeat) {
        me->repeat = me->last_ack[intid];
    }
    me->last_ack[intid] = now;
    atomic_store(&me->acks, now);
    handlers[intids[intid].kind](me, intids[intid].index);
}

/* Tells all along what it may be taking. */
static struct result acknowledge(struct cpu *me)
{
    struct result result;

    atomic_store(&me->taking, ANY);
    result = call(RVIC_ACKNOWLEDGE, 0, 0);
    atomic_store(&me->taking, result.x0 == RVIC_SUCCESS ? result.x1 : NONE);
    return result;
}

static void interrupt(struct frame *frame)
{
    struct cpu *me = &cpus[cpu_index()];
    struct result result = acknowledge(me);

    me->irqs++;
    if (result.x0 == RVIC_NO_INTERRUPTS) {
        /*
         * Another vCPU has masked it or taken it back, in the time between the
         * exception and the call. That is rare, not once after the other.
         */
        me->empty++;
        if (++me->empty_in_a_row > FEW) {
            fault(OUTPUT, index_of(me), 0, me->empty);
            frame->spsr |= PSTATE_I;
        }
        return;
    }
    me->empty_in_a_row = 0;
    if (result.x0 != RVIC_SUCCESS) {
        fault(STATUS, index_of(me), RVIC_ACKNOWLEDGE, result.x0);
        frame->spsr |= PSTATE_I;
        return;
    }
    take(me, result.x1);
    /* One for each exception, or as many as there are, as Linux does. */
    while (chance(me, true, 2)) {
        result = acknowledge(me);
        if (result.x0 != RVIC_SUCCESS) {
            break;
        }
        take(me, result.x1);
    }
    atomic_store(&me->taking, NONE);
}

void operate(struct cpu *me)
{
    static const struct {
        unsigned weight;
        bool irqs_masked;
        void (*operation)(struct cpu *me);
    } operations[] = {
        { 24, false, send_once_to_any },
        { 12, false, send_merged },
        { 6, false, mask_merged },
        { 12, true, use_timer },
        { 16, true, use_line },
        { 16, true, send_msi },
        { 10, true, move_irq },
        { 6, true, move_pin },
        { 2, true, unmap_irq },
        { 6, true, mask_irq },
        { 6, true, resume_pool },
        { 2, true, disable },
        { 1, true, start_storm },
        { 1, true, sleep },
    };
    unsigned total = 0, n;

    for (unsigned i = 0; i < ARRAY_SIZE(operations); i++) {
        total += operations[i].weight;
    }
    n = random(me, false, total);
    for (unsigned i = 0; ; i++) {
        if (n < operations[i].weight) {
            if (operations[i].irqs_masked) {
                irq_mask();
                operations[i].operation(me);
                irq_unmask();
            } else {
                operations[i].operation(me);
            }
            return;
        }
        n -= operations[i].weight;
    }
}

/*
 * Set-up
 */

void use_intid(unsigned intid, enum kind kind, unsigned index)
{
    intids[intid].kind = kind;
    intids[intid].index = index;
}

static void use_intids(void)
{
    for (unsigned i = 0; i < CPUS; i++) {
        use_intid(ONCE(i), KIND_ONCE, i);
    }
    for (unsigned i = 0; i < MERGED; i++) {
        use_intid(merged_intids[i], KIND_MERGED, i);
    }
    for (unsigned i = 0; i < OWN; i++) {
        use_intid(own_intids[i], KIND_OWN, i);
    }
    for (unsigned i = 0; i < TIMERS; i++) {
        use_intid(timer_intids[i], KIND_TIMER, i);
    }
    for (unsigned i = 0; i < POOL; i++) {
        use_intid(pool_intids[i], KIND_POOL, i);
    }
}

static void unmask_used(unsigned self)
{
    for (unsigned i = 0; i < INTIDS; i++) {
        if (intids[i].kind != UNUSED && intids[i].kind != KIND_IRQ) {
            unmask(self, i);
        }
    }
}

static void start_cpu(void)
{
    struct cpu *me = &cpus[cpu_index()];

    for (unsigned i = 0; i < 2; i++) {
        /* Never 0; the first numbers tell how near the seeds were. */
        me->random[i] = (PARAMETERS->seed * CPUS + index_of(me)) * 2 + i + 1;
        for (unsigned n = 0; n < 20; n++) {
            random(me, i, 1);
        }
    }
    unmask_used(index_of(me));
    must(RVIC_ENABLE, 0, 0, 0);
    irq_unmask();
    wait_for_all();
    run_rounds(me);
    irq_mask();
}

void main(void)
{
    puts("seed ");
    putdec(PARAMETERS->seed);
    puts(" rounds ");
    putdec(PARAMETERS->rounds);
    puts("\n");

    use_intids();
    add_board_lines();
    for (unsigned i = 0; i < DOORBELL_MSIS; i++) {
        add_msi(DOORBELL_MSI(i), RVID_DOORBELL, DOORBELL_MSI(i), 0);
    }
    add_pci_devices();
    for (unsigned i = 0; i < num_irqs; i++) {
        map(irqs[i].input, irqs[i].cpu, irqs[i].intid);
        unmask(irqs[i].cpu, irqs[i].intid);
    }
    for (unsigned i = 0; i < PINS; i++) {
        pins[i].cpu = i;
        pins[i].intid = pool_intids[0];
        map(INPUT_PCI + i, pins[i].cpu, pins[i].intid);
    }

    irq_hook = interrupt;
    for (unsigned i = 1; i < CPUS; i++) {
        expect(cpu_on(i, start_cpu), 0);
    }
    verdict("stress/start");
    start_cpu();

    account_ipis();
    account_timers();
    account_msis();
    account_levels();
    account_cpus();
    account_faults();
    puts("DONE\n");
}
