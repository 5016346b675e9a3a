/*
 * Bare-metal guest: vCPUs that do all that a guest must not do
 *
 * The first HOSTILE vCPUs make every call with extreme arguments, from each
 * exception level and execution state, and access the doorbell page in every
 * way. They switch TOGGLED, which does the same, on and off. Two more vCPUs
 * only exchange IPIs and run timers, which has to go on undisturbed. All that
 * the calls return is compared with docs/specs/arm-rvic.rst.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "hostile.h"

/* Where QEMU's loader puts the numbers that main() reads */
#define PARAMETERS      0x47000000

#define INTID_IPI       5
#define INTID_UART      (RVIC_TRUSTED + INPUT_UART)

/*
 * The others have to make so many steps, an IPI there and back or a tick of
 * the timer, for every so many things that one hostile vCPU does.
 */
#define WORK_PER_STEP   10000
#define TICK_US         500

#define UART_FR_RXFE    0x10

#define SPSR_MODE       0xf

Cpu cpus[CPUS];
bool el2;
bool kvm;
uint64_t thin;

/* How much each hostile vCPU does in a flood */
static uint64_t quota;

/* volatile like what each vCPU has */
static volatile bool stop;

uint64_t random64(Cpu *me)
{
    uint64_t x = me->random;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    me->random = x;
    return x * 0x2545f4914f6cdd1d;
}

uint64_t random_below(Cpu *me, uint64_t limit)
{
    return (random64(me) >> 32) % limit;
}

void complain(Cpu *me, const uint64_t in[4], const uint64_t out[4])
{
    if (!me->wrong++) {
        for (unsigned i = 0; i < 4; i++) {
            me->wrong_in[i] = in[i];
            me->wrong_out[i] = out[i];
        }
    }
}

/*
 * Exceptions, and what each vCPU does with them
 */

static void on_exception(struct frame *frame)
{
    Cpu *me = &cpus[cpu_index()];

    if (!el2 && (frame->spsr & SPSR_MODE) == 0) {
        /* EL0: count what does not exist there; SVC is the way back. */
        if (frame->esr == ESR_UNDEFINED) {
            me->esr++;
            frame->elr += 4;
            return;
        }
        if (ESR_CLASS(frame->esr) == CLASS_SVC ||
            ESR_CLASS(frame->esr) == CLASS_SVC_A32) {
            frame->spsr = SPSR_EL1;
            return;
        }
        handle_unexpected(frame);
    }

    if (!me->esr) {
        me->esr = frame->esr;
    }
    if (me->fetching) {
        frame->elr = frame->x[30];
        return;
    }
    switch (ESR_CLASS(frame->esr)) {
    case CLASS_DATA:
    case CLASS_UNKNOWN:
    case CLASS_MEMOPS:
        frame->elr += 4;
        break;
    default:
        handle_unexpected(frame);
    }
}

static void on_irq(struct frame *frame)
{
    Cpu *me = &cpus[cpu_index()];

    (void)frame;
    me->irq(me);
}

/* Whatever it was is masked now, and somebody's call may unmask it. */
void acknowledge_only(Cpu *me)
{
    uint64_t in[4] = { RVIC_ACKNOWLEDGE };
    struct result result = hypercall(RVIC_ACKNOWLEDGE, 0, 0, 0);
    uint64_t out[4] = { result.x0, result.x1, result.x2, result.x3 };

    if (!result_is_good(me, in, out)) {
        complain(me, in, out);
    }
}

/* To a vCPU that only wants to work, the other one is this. */
static unsigned peer(unsigned index)
{
    return index == FIRST_VICTIM ? FIRST_VICTIM + 1 : FIRST_VICTIM;
}

/* The first sends an IPI, the second answers, and so on. */
static void send_if_due(Cpu *me)
{
    unsigned index = cpu_index();

    if (me->sent < me->taken[INTID_IPI] + (index == FIRST_VICTIM)) {
        me->sent++;
        me->unasked += status(RVIC_SIGNAL, cpu_mpidr(peer(index)),
                              INTID_IPI) != RVIC_SUCCESS;
    }
}

/* Count it, serve what it is from, end it. */
static void take(Cpu *me)
{
    struct result result = hypercall(RVIC_ACKNOWLEDGE, 0, 0, 0);

    if (result.x0 != RVIC_SUCCESS || result.x1 >= INTIDS) {
        me->unasked++;
        return;
    }
    me->taken[result.x1]++;
    switch (result.x1) {
    case INTID_IPI:
        /* The answer to this may come before the end of this interrupt. */
        if (me->ready) {
            send_if_due(me);
        }
        break;
    case INTID_VIRTUAL_TIMER:
        sysreg_write(cntv_ctl_el0, 0);
        break;
    case INTID_UART:
        uart_write(UART_IMSC, 0);
        break;
    }
    status(RVIC_CLEAR_MASKED, cpu_mpidr(cpu_index()), result.x1);
}

/*
 * The vCPUs that only want to work
 */

void start_timer(Cpu *me)
{
    me->armed++;
    sysreg_write(cntv_cval_el0, sysreg_read(cntvct_el0) + ticks(TICK_US));
    sysreg_write(cntv_ctl_el0, 1);
}

void begin_work(Cpu *me)
{
    uint64_t self = cpu_mpidr(cpu_index());

    me->irq = take;
    me->enabled = true;
    me->unasked = status(RVIC_CLEAR_MASKED, self, INTID_IPI) |
                  status(RVIC_CLEAR_MASKED, self, INTID_VIRTUAL_TIMER) |
                  status(RVIC_ENABLE, 0, 0);
}

/* Exchanges IPIs with its peer, and has a timer that ticks. */
static void victim(void)
{
    unsigned index = cpu_index();
    Cpu *me = &cpus[index], *other = &cpus[peer(index)];

    begin_work(me);
    me->ready = true;
    while (!other->ready) {
        /* wait */
    }
    while (!stop) {
        send_if_due(me);
        if (me->armed == me->taken[INTID_VIRTUAL_TIMER]) {
            start_timer(me);
        }
        /* An IRQ wakes it, masked or not. */
        wfi();
        irq_unmask();
        irq_mask();
    }

    /* What is under way still comes; nothing is sent once both are here. */
    me->ready = false;
    irq_unmask();
    wait_until(!other->ready);
    wait_until(me->armed == me->taken[INTID_VIRTUAL_TIMER]);
    wait_until(me->taken[INTID_IPI] == other->sent &&
               other->taken[INTID_IPI] == me->sent);
    irq_mask();
    me->finished = true;
}

/* Steps that one of them has made: the smaller of its two counts */
static uint64_t steps(unsigned index)
{
    uint64_t ipis = cpus[index].taken[INTID_IPI];
    uint64_t timers = cpus[index].taken[INTID_VIRTUAL_TIMER];

    return ipis < timers ? ipis : timers;
}

static uint64_t all_taken(unsigned index)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < INTIDS; i++) {
        sum += cpus[index].taken[i];
    }
    return sum;
}

/*
 * The flood
 */

static void flood_phase(Cpu *me)
{
    for (uint64_t i = 0; i < quota; i++) {
        const struct mode *mode = &own_level;

        switch (random_below(me, 64)) {
        case 0:
            /* IRQs that the calls have led to */
            irq_unmask();
            random_call(me, mode);
            irq_mask();
            break;
        case 1:
            /* Its IRQ is mapped to somewhere by somebody. */
            if (me == &cpus[0]) {
                uart_write(UART_IMSC, i & UART_TXI);
                uart_write(UART_DR, '\n');
            }
            break;
        case 2:
            call(me, mode, PSCI_CPU_ON, TOGGLED, 0, 0);
            break;
        case 3:
        case 4:
        case 5:
        case 6:
        case 7:
            random_access(me);
            break;
        case 8:
        case 9:
        case 10:
        case 11:
            if (el2) {
                mode = &below_el2[random_below(me, MODES_BELOW_EL2)];
            }
            /* fall through */
        default:
            random_call(me, mode);
        }
    }
    if (me == &cpus[0]) {
        uart_write(UART_IMSC, 0);
    }
}

/* Comes and goes, whenever another vCPU switches it on */
void toggled(void)
{
    Cpu *me = &cpus[TOGGLED];

    me->phases++;
    for (unsigned i = 0; i < 50; i++) {
        random_call(me, &own_level);
    }
}

/*
 * All together
 */

static void report(const char *what, uint64_t sum)
{
    puts("# ");
    puts(what);
    puts(" ");
    puthex(sum);
    puts("\n");
}

static const struct mode *swept_mode;

static void sweep_phase(Cpu *me)
{
    sweep(me, swept_mode);
}

/* What all hostile vCPUs do next. volatile, as they wait for it */
static void (*volatile phase)(Cpu *me);

/* How many phases there were. volatile, like that */
static volatile unsigned phases;

static void hostile(void)
{
    Cpu *me = &cpus[cpu_index()];

    me->irq = acknowledge_only;
    while (!stop) {
        if (me->phases != phases) {
            barrier();
            phase(me);
            barrier();
            me->phases++;
        }
    }
}

static void expect_good(unsigned index)
{
    Cpu *cpu = &cpus[index];

    expect(cpu->wrong, 0);
    if (cpu->wrong) {
        puts("# CPU ");
        puthex(index);
        for (unsigned i = 0; i < 8; i++) {
            puts(i == 4 ? " led to " : " ");
            puthex(i < 4 ? cpu->wrong_in[i] : cpu->wrong_out[i - 4]);
        }
        puts("\n");
    }
    cpu->wrong = 0;
}

/* Have a function run on all hostile vCPUs at once. */
static void run(const char *name, void (*function)(Cpu *me))
{
    uint64_t before[HOSTILE];

    for (unsigned i = 0; i < HOSTILE; i++) {
        before[i] = cpus[i].work;
    }
    phase = function;
    barrier();
    phases++;
    function(&cpus[0]);
    for (unsigned i = 1; i < HOSTILE; i++) {
        while (cpus[i].phases != phases) {
            /* wait */
        }
    }
    barrier();
    if (name) {
        for (unsigned i = 0; i < HOSTILE; i++) {
            expect(cpus[i].work > before[i], true);
            expect_good(i);
        }
        verdict(name);
    }
}

static void run_sweep(const struct mode *mode)
{
    swept_mode = mode;
    run(mode->name, sweep_phase);
}

static void start(unsigned index, void (*function)(void))
{
    expect(cpu_on(index, function), 0);
}

/* The host looks at QEMU's memory now; it writes something when it is done. */
static void let_host_look(void)
{
    puts("LOOK\n");
    while (uart_read(UART_FR) & UART_FR_RXFE) {
        /* wait */
    }
    uart_read(UART_DR);
}

static void flood(const char *name, const char *others)
{
    uint64_t before[2] = { steps(FIRST_VICTIM), steps(FIRST_VICTIM + 1) };

    run(name, flood_phase);
    for (unsigned i = 0; i < 2; i++) {
        uint64_t made = steps(FIRST_VICTIM + i) - before[i];

        report("steps", made);
        expect(made >= quota / WORK_PER_STEP, true);
    }
    verdict(others);
}

/* Nobody but the two has sent them anything, and nothing is lost. */
static void check_victims(void)
{
    for (unsigned i = FIRST_VICTIM; i < CPUS; i++) {
        Cpu *cpu = &cpus[i];
        Cpu *other = &cpus[peer(i)];

        expect(cpu->finished, true);
        expect(cpu->taken[INTID_IPI], other->sent);
        expect(cpu->taken[INTID_VIRTUAL_TIMER], cpu->armed);
    }
    verdict("others/nothing-lost");

    for (unsigned i = FIRST_VICTIM; i < CPUS; i++) {
        expect(cpus[i].unasked, 0);
        expect(all_taken(i), cpus[i].taken[INTID_IPI] +
                             cpus[i].taken[INTID_VIRTUAL_TIMER]);
        for (unsigned n = 0; n < INTIDS; n++) {
            expect(hypercall(RVIC_IS_PENDING, cpu_mpidr(i), n, 0).x1, 0);
        }
    }
    verdict("others/nothing-else");
}

/*
 * Afterwards: a guest that cleans up has an interrupt controller that works.
 */

static void clean_up(void)
{
    status(RVIC_DISABLE, 0, 0);
    for (unsigned n = 0; n < RVIC_UNTRUSTED; n++) {
        expect(status(RVID_UNMAP, n, 0), RVIC_SUCCESS);
    }
    for (unsigned i = 0; i < CPUS; i++) {
        for (unsigned n = 0; n < INTIDS; n++) {
            expect(status(RVIC_SET_MASKED, cpu_mpidr(i), n), RVIC_SUCCESS);
            expect(status(RVIC_CLEAR_PENDING, cpu_mpidr(i), n), RVIC_SUCCESS);
        }
    }
    for (unsigned n = 0; n < INTIDS; n++) {
        cpus[0].taken[n] = 0;
    }
    begin_work(&cpus[0]);
    irq_unmask();
    delay(500);
    expect(all_taken(0), 0);
    verdict("after/clean");
}

/* This came once, and nothing else since the last. */
static void expect_taken(uint64_t intid, unsigned all)
{
    wait_until(cpus[0].taken[intid]);
    delay(500);
    expect(cpus[0].taken[intid], 1);
    expect(all_taken(0), all);
    expect(cpus[0].unasked, 0);
}

static void work_again(void)
{
    uint64_t self = cpu_mpidr(0);

    expect(status(RVIC_SET_MASKED, self, INTID_IPI), RVIC_SUCCESS);
    expect(status(RVIC_SIGNAL, self, INTID_IPI), RVIC_SUCCESS);
    delay(500);
    expect(all_taken(0), 0);
    expect(status(RVIC_CLEAR_MASKED, self, INTID_IPI), RVIC_SUCCESS);
    expect_taken(INTID_IPI, 1);
    verdict("after/ipi");

    start_timer(&cpus[0]);
    expect_taken(INTID_VIRTUAL_TIMER, 2);
    verdict("after/timer");

    expect(hypercall(RVID_MAP, RVID_FIRST_MSI, self, INTID_MSI).x0,
           RVIC_SUCCESS);
    expect(status(RVIC_CLEAR_MASKED, self, INTID_MSI), RVIC_SUCCESS);
    write32(RVID_DOORBELL, RVID_FIRST_MSI);
    expect_taken(INTID_MSI, 3);
    verdict("after/msi");

    expect(hypercall(RVID_MAP, INPUT_UART, self, INTID_UART).x0, RVIC_SUCCESS);
    expect(status(RVIC_CLEAR_MASKED, self, INTID_UART), RVIC_SUCCESS);
    uart_write(UART_IMSC, UART_TXI);
    expect_taken(INTID_UART, 4);
    irq_mask();
    verdict("after/level");
}

void main(void)
{
    const uint64_t *parameters = (const uint64_t *)PARAMETERS;
    uint64_t seed = parameters[0], work = 0, refused = 0, written = 0;

    el2 = current_el() == 2;
    kvm = hypercall(VENDOR_UID, 0, 0, 0).x0 == VENDOR_UID_KVM;
    quota = parameters[1];
    thin = parameters[2];
    irq_hook = on_irq;
    sync_hook = on_exception;
    for (unsigned i = 0; i < CPUS; i++) {
        cpus[i].random = 0x9e3779b97f4a7c15 * (seed * CPUS + i + 1);
    }
    make_translation();

    puts(el2 ? "EL2\n" : "EL1\n");
    report("seed", seed);
    cpus[0].irq = acknowledge_only;
    for (unsigned i = 1; i < HOSTILE; i++) {
        start(i, hostile);
    }
    start(FIRST_VICTIM + 1, victim);
    start(FIRST_VICTIM, victim);
    verdict("start/all");

    if (!kvm) {
        run("psci/discovery", discovery_phase);
        run("psci/power", power_phase);
    }

    run_sweep(&own_level);
    if (!el2) {
        run("calls/el0", el0_phase);
    }
    for (size_t i = 0; el2 && i < MODES_BELOW_EL2; i++) {
        run_sweep(&below_el2[i]);
    }

    run(NULL, set_up_accesses);
    /* Which of these become one access, several or none is KVM's affair. */
    if (!kvm) {
        run("doorbell/plain", plain_phase);
        run("doorbell/special", special_phase);
        run("doorbell/fetch", fetch_phase);
        run("doorbell/dma", dma_phase);
    }

    flood("flood/first", "others/first");
    let_host_look();
    flood("flood/second", "others/second");
    let_host_look();

    stop = true;
    for (unsigned i = 1; i < CPUS; i++) {
        wait_at_most(20000000, cpu_is_off(i));
        expect(cpu_is_off(i), true);
    }
    verdict("stop/all");
    check_victims();
    expect(cpus[TOGGLED].phases > 0, true);
    expect_good(TOGGLED);
    verdict("flood/toggled");
    clean_up();
    work_again();

    for (unsigned i = 0; i < CPUS; i++) {
        work += cpus[i].work;
        /* TOGGLED may be switched on again before it has counted one. */
        refused += i == TOGGLED ? 0 : cpus[i].refused;
        written += cpus[i].written;
    }
    report("work", work);
    report("refused", refused);
    report("written", written);
    report("toggled", cpus[TOGGLED].phases);
    puts("DONE\n");
}
