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

#include "runtime.h"
#include "rvic.h"

/* What QEMU's device "loader" puts in front of the program */
#define PARAMETERS      ((const volatile struct parameters *)0x401ff000)

struct parameters {
    uint64_t seed;
    uint64_t rounds;            /* 0: until a character comes from the UART */
};

#define CPUS            8
#define OPERATIONS      1000    /* of a vCPU in a round */

/* So many in a row that find nothing to do will not stop. */
#define MANY            10000

/* So many exceptions without an interrupt are not chance. */
#define FEW             5

/* Longer than any interrupt takes on a busy host, in microseconds */
#define PATIENCE        30000000

/*
 * INTIDs: all vCPUs use the same.
 */

/* IPIs that come once: one for each sender */
#define ONCE(sender)    (sender)

/* IPIs that merge: from any sender */
static const uint16_t merged_intids[] = { 8, 9, 10, 11, 96, 97, 98, 99 };

/* What a vCPU signals to itself */
static const uint16_t own_intids[] = {
    12, 13, 16, 17, 18, 31, 500, 700, 1000, 1023
};

static const uint16_t timer_intids[] = {
    INTID_VIRTUAL_TIMER, INTID_PHYSICAL_TIMER
};

/* What PCI's four lines share */
static const uint16_t pool_intids[] = { 40, 72, 950 };

/* What the other inputs have for themselves, two for each */
#define PRIVATE(irq, which) (130 + 61 * (irq) + 30 * (which))

#define INTIDS          (RVIC_TRUSTED + RVIC_UNTRUSTED)
#define MERGED          ARRAY_SIZE(merged_intids)
#define OWN             ARRAY_SIZE(own_intids)
#define TIMERS          ARRAY_SIZE(timer_intids)
#define POOL            ARRAY_SIZE(pool_intids)
#define PINS            4

/* Inputs with private INTIDs: three lines, MSIs of vCPUs, MSIs of devices */
#define LINES           3
#define DOORBELL_MSIS   8
#define DEVICE_MSIS     2
#define MAX_IRQS        (LINES + DOORBELL_MSIS + DEVICE_MSIS)
#define DOORBELL_MSI(n) (RVID_FIRST_MSI + 97 * (n))
#define DEVICE_MSI(n)   (RVID_FIRST_MSI + 733 + (n))

#define MAX_SOURCES     (LINES + 16)

/* Which INTID is what, and which of its kind */
enum kind { UNUSED, KIND_ONCE, KIND_MERGED, KIND_OWN, KIND_TIMER, KIND_POOL,
            KIND_IRQ };
static struct { uint8_t kind, index; } intids[INTIDS];

/*
 * Devices. The PCI devices are optional: QEMU cannot migrate edu.
 */

#define UART1           0x09040000
#define INPUT_UART1     8
#define RTC             0x09010000
#define INPUT_RTC       2
#define RTC_DR          0x00
#define RTC_MR          0x04
#define RTC_IMSC        0x10
#define RTC_RIS         0x14
#define GPIO            0x09030000
#define INPUT_GPIO      7
#define GPIO_IS         0x404
#define GPIO_IEV        0x40c
#define GPIO_IE         0x410
#define GPIO_LINE       0x01

#define PCI_CONFIG      0x3f000000  /* with highmem-ecam=off */
#define PCI_MEMORY      0x10000000
#define PCI_SLOTS       32
#define PCI_COMMAND     0x04
#define PCI_BAR         0x10
#define PCI_CAPABILITY  0x34
#define PCI_MSI         0x05
#define PCI_MSI_ENABLE  (1 << 16)
#define PCI_ON          0x06        /* memory, bus master */
#define INPUT_PCI       3

#define EDU             0x11e81234
#define EDU_MSI_SLOT    16          /* from here on they use MSIs */
#define EDU_STATUS      0x24
#define EDU_RAISE       0x60
#define EDU_LOWER       0x64
#define E1000           0x100e8086
#define E1000_ICR       0xc0
#define E1000_ICS       0xc8
#define E1000_IMS       0xd0
/* A cause that QEMU's e1000 never raises by itself, unlike its link's */
#define E1000_GPI       0x0800

/*
 * A condition of a device that makes its line high, until somebody lowers it.
 *
 *      IDLE --> RAISING --> HIGH --> LOWERING --> IDLE
 *
 * Whoever changes IDLE or HIGH may then access the device, and nobody else.
 * So each time it is raised it is lowered once, by a handler (it was served)
 * or by any vCPU (it was withdrawn). Lost is one that nobody ever serves.
 *
 * A handler may find nothing to serve: its interrupt became pending by an edge
 * and the level was served or withdrawn before; or the line was high when it
 * was acknowledged and fell since, by withdrawal, or because it was moved and
 * another vCPU served it. How often that may be, account_levels() says.
 */
struct source {
    uint64_t state;
    uint64_t input;
    uint64_t high_address, low_address;
    uint32_t high_value, low_value;
    uint64_t raised, served, withdrawn;
};

enum { IDLE, RAISING, HIGH, LOWERING };

static struct source sources[MAX_SOURCES];
static unsigned num_sources;

/* One of PCI's lines; the lock protects the route. */
static struct pin {
    uint64_t lock;
    unsigned cpu, intid;
    uint64_t moves, moved_taken;
} pins[PINS];

/*
 * An input that moves as in Linux, with the state of Linux' descriptors: the
 * lock protects it.
 *
 * An MSI comes once: the sender takes the token, which the handler gives back.
 */
static struct irq {
    uint64_t lock;
    uint64_t input;
    unsigned cpu, intid;
    bool in_progress;
    bool masked;
    bool again;
    struct source *line;        /* or NULL: it is an MSI */
    uint64_t kick_address, calm_address;
    uint32_t kick_value;
    uint64_t token;
    uint64_t sending;           /* the token's owner may yet write */
    uint64_t handlers;          /* on how many vCPUs, even before the lock */
    uint64_t sent, received, dropped, aborted;
    uint64_t moves, moved_pending, moved_busy, moved_taken;
    uint64_t resent, deferred, spurious;
} irqs[MAX_IRQS];
static unsigned num_irqs;

/*
 * IPIs that come once, from one sender to one target. The token is the number
 * of the signal that is under way. The sender takes it, the handler gives it
 * back, so there is never more than one.
 */
struct once {
    uint64_t token;
    uint64_t ended;             /* number of the last whose handler is done */
    uint64_t stamp_token, stamp;
    uint64_t sent, refused, retracted, received;
    uint64_t good, good_before; /* the last two that succeeded */
};

/*
 * IPIs that merge: a sender announces a number, then signals. Whoever handles
 * it sees at least the numbers of all signals before.
 */
struct merged {
    uint64_t announced, accepted, signals, refused;
    uint64_t seen, received;
};

/* What a vCPU signals to itself: comes once, and nobody masks it. */
struct own {
    bool under_way;
    uint64_t stamp;
    uint64_t sent, received;
};

/*
 * A timer: armed, it fires once, or is cancelled. The handler may leave its
 * line high, and has to be called again then.
 */
struct timer {
    bool armed;
    bool parked;                /* masked by a handler, the line is high */
    bool fresh;                 /* then armed anew: an edge will come */
    uint64_t arms, fires, cancels, kept, spurious;
};

enum { ENABLED, CHANGING, DISABLED };

/* What a vCPU is taking: any while it is acknowledging, or none */
enum { ANY = INTIDS, NONE };

static struct cpu {
    uint64_t random[2];         /* states: outside and inside of handlers */
    uint64_t taking;            /* an INTID, ANY or NONE */
    uint64_t acks;              /* INTIDs that this vCPU has acknowledged */
    uint64_t last_ack[INTIDS];  /* from INTID to number of its last */
    uint64_t repeat;            /* see waited() */
    uint64_t max_bypass;
    uint64_t state;
    uint64_t users;             /* vCPUs that rely on our state */
    struct once once[CPUS];     /* by sender */
    struct merged merged[MERGED];
    struct own own[OWN];
    struct timer timer[TIMERS];
    unsigned storm;             /* signals that handlers have yet to send */
    bool deferred[POOL];        /* pool INTIDs that are left masked */
    uint64_t pool_fruitful, pool_spurious, pool_deferred;
    uint64_t fruitless;         /* interrupts of levels in a row */
    uint64_t irqs, empty, empty_in_a_row;
    uint64_t disables, sleeps, masks, unmaps;
    uint64_t round;
} cpus[CPUS] __attribute__((aligned(64)));

static uint64_t arrived[2], generation;
static uint64_t stop;

/* Handlers leave nothing for later: no vCPU does anything else. */
static uint64_t draining;

/*
 * What is wrong: how often, and about the first time. A count is 0 if all is
 * well.
 */
enum fault { STATUS, INVENTED, MASKED, LOST, UNFAIR, OUTPUT, STORM, LEFT,
             OVERLAP, NUM_FAULTS };
static const char *const fault_texts[] = {
    [STATUS] = "status",        /* a call returns what it must not */
    [INVENTED] = "invented",    /* nobody sent what came; is left masked */
    [MASKED] = "masked",        /* it came though it was masked */
    [LOST] = "lost",            /* what was sent does not come */
    [UNFAIR] = "unfair",        /* an INTID came twice while one waited */
    [OUTPUT] = "output",        /* IRQ input disagrees with ACKNOWLEDGE */
    [STORM] = "storm",          /* interrupts without end */
    [LEFT] = "left",            /* pending though nothing is under way */
    [OVERLAP] = "overlap",      /* one handler on two vCPUs */
};
static struct { uint64_t count, cpu, what, value; } faults[NUM_FAULTS];

static void fault(enum fault kind, uint64_t cpu, uint64_t what, uint64_t value)
{
    if (atomic_add(&faults[kind].count, 1) == 1) {
        faults[kind].cpu = cpu;
        faults[kind].what = what;
        faults[kind].value = value;
    }
}

static bool any_fault(void)
{
    for (unsigned i = 0; i < NUM_FAULTS; i++) {
        if (atomic_load(&faults[i].count)) {
            return true;
        }
    }
    return false;
}

static unsigned index_of(const struct cpu *cpu)
{
    return cpu - cpus;
}

/* xorshift64: a number from 0 to below - 1 */
static unsigned random(struct cpu *me, bool in_handler, unsigned below)
{
    uint64_t *x = &me->random[in_handler];

    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return (*x >> 32) % below;
}

static bool chance(struct cpu *me, bool in_handler, unsigned one_of)
{
    return random(me, in_handler, one_of) == 0;
}

/* Whether a handler leaves its interrupt masked and the rest for later */
static bool leave_masked(struct cpu *me)
{
    return chance(me, true, 8) && !atomic_load(&draining);
}

/* Some time for others to come between: mostly little */
static void dawdle(struct cpu *me, bool in_handler)
{
    unsigned most = chance(me, in_handler, 8) ? 20000 : 64;

    for (unsigned n = random(me, in_handler, most); n; n--) {
        asm volatile("");
    }
    if (chance(me, in_handler, 4)) {
        yield();
    }
}

/*
 * Calls that have to succeed
 */

static struct result call(uint64_t function, uint64_t arg1, uint64_t arg2)
{
    return hypercall(function, arg1, arg2, 0);
}

static void must(uint64_t function, uint64_t arg1, uint64_t arg2,
                 uint64_t arg3)
{
    struct result result = hypercall(function, arg1, arg2, arg3);

    if (result.x0 != RVIC_SUCCESS) {
        fault(STATUS, cpu_index(), function, result.x0);
    }
}

static void mask(unsigned cpu, unsigned intid)
{
    must(RVIC_SET_MASKED, cpu_mpidr(cpu), intid, 0);
}

static void unmask(unsigned cpu, unsigned intid)
{
    must(RVIC_CLEAR_MASKED, cpu_mpidr(cpu), intid, 0);
}

static bool is_pending(unsigned cpu, unsigned intid)
{
    struct result result = call(RVIC_IS_PENDING, cpu_mpidr(cpu), intid);

    if (result.x0 != RVIC_SUCCESS) {
        fault(STATUS, cpu, RVIC_IS_PENDING, result.x0);
    }
    return result.x1;
}

static void clear_pending(unsigned cpu, unsigned intid)
{
    must(RVIC_CLEAR_PENDING, cpu_mpidr(cpu), intid, 0);
}

/* False: the target's instance is disabled. */
static bool send(unsigned cpu, unsigned intid)
{
    uint64_t status = call(RVIC_SIGNAL, cpu_mpidr(cpu), intid).x0;

    if (status != RVIC_SUCCESS && status != RVIC_DISABLED) {
        fault(STATUS, cpu, RVIC_SIGNAL, status);
    }
    return status == RVIC_SUCCESS;
}

static void map(uint64_t input, unsigned cpu, unsigned intid)
{
    must(RVID_MAP, input, cpu_mpidr(cpu), intid);
}

static bool irq_input(void)
{
    return sysreg_read(isr_el1) & PSTATE_I;
}

/*
 * Fairness: the device promises that no INTID is taken twice while another is
 * deliverable. An INTID that has been deliverable since @since INTIDs had been
 * acknowledged is taken now. Had another been taken twice since, then the last
 * acknowledgement but one of that one would be behind @since: me->repeat is
 * the highest such number of any INTID.
 */
static void waited(struct cpu *me, unsigned intid, uint64_t since)
{
    uint64_t bypass = me->acks - 1 - since;

    if (me->acks - 1 < since) {
        return;
    }
    if (bypass > me->max_bypass) {
        me->max_bypass = bypass;
    }
    if (me->repeat > since) {
        fault(UNFAIR, index_of(me), intid, bypass);
    }
}

/*
 * Guards: an edge that comes by the rVID to a disabled instance is lost, and
 * nobody is told. A vCPU changes its own state while nobody guards it, and
 * shows that before: either it sees the guard, or the guard sees it. Who holds
 * one has IRQs masked.
 */

static bool guard(unsigned cpu, uint64_t state)
{
    atomic_add(&cpus[cpu].users, 1);
    if (atomic_load(&cpus[cpu].state) == state) {
        return true;
    }
    atomic_add(&cpus[cpu].users, -1);
    return false;
}

static void unguard(unsigned cpu)
{
    atomic_add(&cpus[cpu].users, -1);
}

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

static void send_once(struct cpu *me, unsigned target)
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

static void send_once_to_any(struct cpu *me)
{
    send_once(me, random(me, false, CPUS));
}

static void handle_once(struct cpu *me, unsigned sender)
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

static void send_merged(struct cpu *me)
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

static void handle_merged(struct cpu *me, unsigned index)
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
static void mask_merged(struct cpu *me)
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

static void start_storm(struct cpu *me)
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

static void handle_own(struct cpu *me, unsigned index)
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

/*
 * Timers, each by its own vCPU only
 */

#define TIMER_ENABLE    1
#define TIMER_STATUS    4       /* the condition is met */

static uint64_t timer_control(unsigned index)
{
    return index ? sysreg_read(cntp_ctl_el0) : sysreg_read(cntv_ctl_el0);
}

static void timer_set_control(unsigned index, uint64_t value)
{
    if (index) {
        sysreg_write(cntp_ctl_el0, value);
    } else {
        sysreg_write(cntv_ctl_el0, value);
    }
}

static void timer_set_time(unsigned index, uint64_t in_ticks)
{
    if (index) {
        sysreg_write(cntp_cval_el0, sysreg_read(cntpct_el0) + in_ticks);
    } else {
        sysreg_write(cntv_cval_el0, sysreg_read(cntvct_el0) + in_ticks);
    }
}

static void arm_timer(struct cpu *me, unsigned index, unsigned most_us)
{
    struct timer *t = &me->timer[index];

    t->armed = true;
    t->arms++;
    timer_set_time(index, ticks(random(me, false, most_us + 1)));
    timer_set_control(index, TIMER_ENABLE);
}

static void resume_timer(struct cpu *me, unsigned index)
{
    struct timer *t = &me->timer[index];

    /* An edge that came while it was masked has to do without RESAMPLE. */
    if (!t->fresh) {
        must(RVIC_RESAMPLE, timer_intids[index], 0, 0);
    }
    t->parked = t->fresh = false;
    unmask(index_of(me), timer_intids[index]);
}

/*
 * The line falls. The INTID may be pending already, and then comes for nothing:
 * once for each time that this is done, since without an edge or RESAMPLE
 * while the line is high it does not become pending again.
 */
static void cancel_timer(struct timer *t, unsigned index)
{
    timer_set_control(index, 0);
    t->armed = false;
    t->cancels++;
}

static void use_timer(struct cpu *me)
{
    unsigned index = random(me, false, TIMERS);
    struct timer *t = &me->timer[index];

    if (t->parked) {
        if (chance(me, false, 4)) {
            resume_timer(me, index);
        } else if (chance(me, false, 4)) {
            cancel_timer(t, index);
            arm_timer(me, index, 50);
            t->fresh = true;
        }
    } else if (!t->armed) {
        arm_timer(me, index, 300);
    } else if (chance(me, false, 4)) {
        cancel_timer(t, index);
    }
}

static void handle_timer(struct cpu *me, unsigned index)
{
    struct timer *t = &me->timer[index];

    if (t->parked) {
        fault(MASKED, index_of(me), timer_intids[index], 0);
        mask(index_of(me), timer_intids[index]);
        return;
    }
    if (!t->armed || !(timer_control(index) & TIMER_STATUS)) {
        if (++t->spurious > t->cancels) {
            fault(INVENTED, index_of(me), timer_intids[index], t->spurious);
            return;
        }
    } else if (chance(me, true, 8)) {
        t->kept++;
    } else if (leave_masked(me)) {
        /* As KVM does: the line stays high */
        t->kept++;
        t->parked = true;
        return;
    } else {
        timer_set_control(index, 0);
        t->armed = false;
        t->fires++;
    }
    resume_timer(me, index);
}

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

/* False: the line has fallen, and not only is about to. */
static bool lower_line(struct source *s, uint64_t *counter)
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

static void use_line(struct cpu *me)
{
    struct source *s = &sources[random(me, false, num_sources)];

    if (atomic_load(&s->state) == IDLE) {
        raise_line(s);
    } else if (chance(me, false, 16)) {
        lower_line(s, &s->withdrawn);
    }
}

/*
 * Whether a handler of a level may unmask it again, and not leave it for ever
 */
static bool count_fruit(struct cpu *me, bool found, uint64_t *spurious,
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
 * Whether a vCPU has taken an interrupt and may not be through with it. Then
 * the one that it moves to may take it, too, if it is a level.
 */
static bool is_taken(unsigned cpu, unsigned intid)
{
    uint64_t taking = atomic_load(&cpus[cpu].taking);

    return taking == ANY || taking == intid;
}

/*
 * PCI's lines: several devices share a line, several lines an INTID. Only
 * levels count: where they are delivered follows from MAP alone.
 */

static void move_pin(struct cpu *me)
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

static void handle_pool(struct cpu *me, unsigned index)
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

static void resume_pool(struct cpu *me)
{
    for (unsigned i = 0; i < POOL; i++) {
        if (me->deferred[i]) {
            me->deferred[i] = false;
            unmask(index_of(me), pool_intids[i]);
        }
    }
}

/*
 * Inputs that move as in Linux
 */

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
static void move_irq(struct cpu *me)
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
static void send_msi(struct cpu *me)
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
static void send_in_vain(struct irq *irq)
{
    if (irq->line || !atomic_swap_if(&irq->token, 0, 1)) {
        return;
    }
    write32(irq->kick_address, irq->kick_value);
    irq->dropped++;
    atomic_store(&irq->token, 0);
}

/* For a moment the input is not mapped: edges are lost, levels are not. */
static void unmap_irq(struct cpu *me)
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
static void enable_irq(struct irq *irq)
{
    if (irq->masked) {
        irq->masked = false;
        unmask_unless_busy(irq);
    }
}

/* As Linux' disable_irq() and enable_irq() */
static void mask_irq(struct cpu *me)
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

static void handle_private(struct cpu *me, unsigned index)
{
    struct irq *irq = &irqs[index];

    atomic_add(&irq->handlers, 1);
    dawdle(me, true);
    run_handler(me, irq);
    atomic_add(&irq->handlers, -1);
}

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

static void operate(struct cpu *me)
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
 * Rounds
 */

/* Interrupts are taken meanwhile. */
static void wait_for_all(void)
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

static void run_rounds(struct cpu *me)
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

/*
 * Set-up
 */

static void use_intid(unsigned intid, enum kind kind, unsigned index)
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

static struct source *add_source(unsigned input, uint64_t high_address,
                                 uint32_t high_value, uint64_t low_address,
                                 uint32_t low_value)
{
    struct source *s = &sources[num_sources++];

    *s = (struct source) {
        .input = input,
        .high_address = high_address,
        .high_value = high_value,
        .low_address = low_address,
        .low_value = low_value,
    };
    return s;
}

static struct irq *add_irq(unsigned input)
{
    unsigned index = num_irqs++;
    struct irq *irq = &irqs[index];

    irq->input = input;
    irq->cpu = index % CPUS;
    irq->intid = PRIVATE(index, 0);
    use_intid(PRIVATE(index, 0), KIND_IRQ, index);
    use_intid(PRIVATE(index, 1), KIND_IRQ, index);
    return irq;
}

static void add_msi(unsigned input, uint64_t kick_address, uint32_t kick_value,
                    uint64_t calm_address)
{
    struct irq *irq = add_irq(input);

    irq->kick_address = kick_address;
    irq->kick_value = kick_value;
    irq->calm_address = calm_address;
}

static void add_board_lines(void)
{
    /* Sending a character makes its condition true. The host drops it. */
    write32(UART1 + UART_CR, UART_CR_ENABLE);
    write32(UART1 + UART_IMSC, UART_TXI);
    add_irq(INPUT_UART1)->line = add_source(
        INPUT_UART1, UART1 + UART_DR, ' ', UART1 + UART_ICR, UART_TXI);

    /* It was time for an alarm, and stays so: the mask makes the line. */
    do {
        write32(RTC + RTC_MR, read32(RTC + RTC_DR));
    } while (!read32(RTC + RTC_RIS));
    add_irq(INPUT_RTC)->line = add_source(
        INPUT_RTC, RTC + RTC_IMSC, 1, RTC + RTC_IMSC, 0);

    /* The same for a pin that is low, and makes an interrupt if low */
    write32(GPIO + GPIO_IEV, 0);
    write32(GPIO + GPIO_IS, GPIO_LINE);
    add_irq(INPUT_GPIO)->line = add_source(
        INPUT_GPIO, GPIO + GPIO_IE, GPIO_LINE, GPIO + GPIO_IE, 0);
}

/* edu's MSI capability has 64-bit addresses. */
static void enable_msi(uint64_t config, unsigned input)
{
    uint64_t msi = config + (read32(config + PCI_CAPABILITY) & 0xff);

    while ((read32(msi) & 0xff) != PCI_MSI) {
        msi = config + (read32(msi) >> 8 & 0xff);
    }
    write32(msi + 4, RVID_DOORBELL);
    write32(msi + 8, 0);
    write32(msi + 12, input);
    write32(msi, read32(msi) | PCI_MSI_ENABLE);
}

static void add_pci_devices(void)
{
    unsigned msis = 0;

    for (unsigned slot = 1; slot < PCI_SLOTS; slot++) {
        uint64_t config = PCI_CONFIG + (slot << 15);
        uint64_t bar = PCI_MEMORY + (slot << 20);
        unsigned input = INPUT_PCI + slot % PINS;
        uint32_t id = read32(config);

        if ((id != EDU && id != E1000) || num_sources == MAX_SOURCES) {
            continue;
        }
        write32(config + PCI_BAR, bar);
        write32(config + PCI_COMMAND, PCI_ON);
        if (id == E1000) {
            write32(bar + E1000_IMS, E1000_GPI);
            add_source(input, bar + E1000_ICS, E1000_GPI,
                       bar + E1000_ICR, E1000_GPI);
        } else if (slot < EDU_MSI_SLOT) {
            add_source(input, bar + EDU_RAISE, 1, bar + EDU_LOWER, 1);
        } else if (msis < DEVICE_MSIS) {
            enable_msi(config, DEVICE_MSI(msis));
            add_msi(DEVICE_MSI(msis), bar + EDU_RAISE, 1, bar + EDU_LOWER);
            msis++;
        }
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

/*
 * The accounts
 */

static void figure(const char *name, uint64_t value)
{
    puts(" ");
    puts(name);
    puts(" ");
    putdec(value);
}

#define SUM(array, count, field) ({                     \
    uint64_t sum_ = 0;                                  \
    for (unsigned i_ = 0; i_ < (count); i_++) {         \
        sum_ += (array)[i_].field;                      \
    }                                                   \
    sum_;                                               \
})

#define SUM_CPUS(array, count, field) ({                \
    uint64_t all_ = 0;                                  \
    for (unsigned c_ = 0; c_ < CPUS; c_++) {            \
        all_ += SUM(cpus[c_].array, count, field);      \
    }                                                   \
    all_;                                               \
})

static void account_ipis(void)
{
    puts("once:");
    figure("sent", SUM_CPUS(once, CPUS, sent));
    figure("received", SUM_CPUS(once, CPUS, received));
    figure("refused", SUM_CPUS(once, CPUS, refused));
    figure("retracted", SUM_CPUS(once, CPUS, retracted));
    puts("\nmerged:");
    figure("sent", SUM_CPUS(merged, MERGED, signals));
    figure("received", SUM_CPUS(merged, MERGED, received));
    figure("refused", SUM_CPUS(merged, MERGED, refused));
    puts("\nown:");
    figure("sent", SUM_CPUS(own, OWN, sent));
    figure("received", SUM_CPUS(own, OWN, received));
    puts("\n");

    for (unsigned c = 0; c < CPUS; c++) {
        for (unsigned i = 0; i < CPUS; i++) {
            const struct once *o = &cpus[c].once[i];

            expect(o->received + o->refused + o->retracted, o->sent);
        }
    }
    verdict("stress/once");

    for (unsigned c = 0; c < CPUS; c++) {
        for (unsigned i = 0; i < MERGED; i++) {
            const struct merged *m = &cpus[c].merged[i];

            expect(m->signals + m->refused, m->announced);
            expect(m->seen >= m->accepted, true);
            expect(m->received <= m->signals, true);
        }
    }
    verdict("stress/merged");

    for (unsigned c = 0; c < CPUS; c++) {
        for (unsigned i = 0; i < OWN; i++) {
            expect(cpus[c].own[i].received, cpus[c].own[i].sent);
        }
    }
    verdict("stress/own");
}

static void account_timers(void)
{
    puts("timers:");
    figure("armed", SUM_CPUS(timer, TIMERS, arms));
    figure("fired", SUM_CPUS(timer, TIMERS, fires));
    figure("cancelled", SUM_CPUS(timer, TIMERS, cancels));
    figure("resampled", SUM_CPUS(timer, TIMERS, kept));
    figure("spurious", SUM_CPUS(timer, TIMERS, spurious));
    puts("\n");

    for (unsigned c = 0; c < CPUS; c++) {
        for (unsigned i = 0; i < TIMERS; i++) {
            const struct timer *t = &cpus[c].timer[i];

            expect(t->fires + t->cancels, t->arms);
            expect(t->spurious <= t->cancels, true);
        }
    }
    verdict("stress/timers");
}

static void account_msis(void)
{
    puts("msis:");
    figure("sent", SUM(irqs, num_irqs, sent));
    figure("received", SUM(irqs, num_irqs, received));
    figure("dropped", SUM(irqs, num_irqs, dropped));
    puts("\nmoves:");
    figure("private", SUM(irqs, num_irqs, moves));
    figure("pending", SUM(irqs, num_irqs, moved_pending));
    figure("in-handler", SUM(irqs, num_irqs, moved_busy));
    figure("resent", SUM(irqs, num_irqs, resent));
    figure("shared", SUM(pins, PINS, moves));
    figure("taken", SUM(irqs, num_irqs, moved_taken) +
                    SUM(pins, PINS, moved_taken));
    figure("unmapped", SUM(cpus, CPUS, unmaps));
    puts("\n");

    for (unsigned i = 0; i < num_irqs; i++) {
        expect(irqs[i].received, irqs[i].sent);
    }
    verdict("stress/msis");
}

/*
 * See struct source. Each time that a level is raised it is acknowledged once:
 * the edge is used up by that, and the level falls before a handler unmasks it,
 * or the handler leaves it high and is not counted. A level that moves comes to
 * the new target as well, if the old one has taken it, or it is pending and
 * stays so. More is invented. A line of its own counts for itself, what shares
 * counts together.
 */
static void account_levels(void)
{
    uint64_t pool_raised = 0;

    puts("levels:");
    figure("raised", SUM(sources, num_sources, raised));
    figure("served", SUM(sources, num_sources, served));
    figure("withdrawn", SUM(sources, num_sources, withdrawn));
    figure("deferred", SUM(irqs, num_irqs, deferred) +
                       SUM(cpus, CPUS, pool_deferred));
    figure("spurious", SUM(irqs, num_irqs, spurious) +
                       SUM(cpus, CPUS, pool_spurious));
    puts("\n");

    for (unsigned i = 0; i < num_sources; i++) {
        const struct source *s = &sources[i];

        expect(s->served + s->withdrawn, s->raised);
        if (s->input >= INPUT_PCI && s->input < INPUT_PCI + PINS) {
            pool_raised += s->raised;
        }
    }
    verdict("stress/levels");

    for (unsigned i = 0; i < num_irqs; i++) {
        const struct source *s = irqs[i].line;

        if (s) {
            expect(s->served + irqs[i].spurious <=
                   s->raised + irqs[i].moved_taken, true);
        }
    }
    expect(SUM(cpus, CPUS, pool_fruitful) + SUM(cpus, CPUS, pool_spurious) <=
           pool_raised + SUM(pins, PINS, moved_taken), true);
    verdict("stress/spurious");
}

static void account_cpus(void)
{
    uint64_t bypass = 0;

    for (unsigned c = 0; c < CPUS; c++) {
        if (cpus[c].max_bypass > bypass) {
            bypass = cpus[c].max_bypass;
        }
    }
    puts("cpus:");
    figure("rounds", cpus[0].round);
    figure("acknowledged", SUM(cpus, CPUS, acks));
    figure("exceptions", SUM(cpus, CPUS, irqs));
    figure("empty", SUM(cpus, CPUS, empty));
    figure("masks", SUM(cpus, CPUS, masks));
    figure("disables", SUM(cpus, CPUS, disables));
    figure("sleeps", SUM(cpus, CPUS, sleeps));
    figure("max-bypass", bypass);
    puts("\n");
}

static void account_faults(void)
{
    for (unsigned i = 0; i < NUM_FAULTS; i++) {
        if (faults[i].count) {
            puts("fault ");
            puts(fault_texts[i]);
            figure("times", faults[i].count);
            figure("cpu", faults[i].cpu);
            figure("what", faults[i].what);
            figure("value", faults[i].value);
            puts("\n");
        }
        expect(faults[i].count, 0);
    }
    verdict("stress/faults");
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
