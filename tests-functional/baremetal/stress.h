/*
 * Bare-metal guest: what the parts of stress.c share
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef BAREMETAL_STRESS_H
#define BAREMETAL_STRESS_H

#include "runtime.h"
#include "rvic.h"

/* What QEMU's device "loader" puts in front of the program */
#define PARAMETERS      ((const volatile struct parameters *)0x401ff000)

struct parameters {
    uint64_t seed;
    uint64_t rounds;            /* 0: until a character comes from the UART */
    uint64_t sampled;           /* KVM looks at timers' lines with each call */
};

#define CPUS            8

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

struct intid {
    uint8_t kind, index;
};

extern struct intid intids[INTIDS];

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

extern struct source sources[MAX_SOURCES];
extern unsigned num_sources;

/* The first of PCI's lines */
#define INPUT_PCI       3

/* One of PCI's lines; the lock protects the route. */
struct pin {
    uint64_t lock;
    unsigned cpu, intid;
    uint64_t moves, moved_taken;
};

extern struct pin pins[PINS];

/*
 * An input that moves as in Linux, with the state of Linux' descriptors: the
 * lock protects it.
 *
 * An MSI comes once: the sender takes the token, which the handler gives back.
 */
struct irq {
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
};

extern struct irq irqs[MAX_IRQS];
extern unsigned num_irqs;

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

struct cpu {
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
};

extern struct cpu cpus[CPUS];

/* Handlers leave nothing for later: no vCPU does anything else. */
extern uint64_t draining;

/*
 * What is wrong: how often, and about the first time. A count is 0 if all is
 * well.
 */
enum fault {
    STATUS,                     /* a call returns what it must not */
    INVENTED,                   /* nobody sent what came; is left masked */
    MASKED,                     /* it came though it was masked */
    LOST,                       /* what was sent does not come */
    UNFAIR,                     /* an INTID came twice while one waited */
    OUTPUT,                     /* IRQ input disagrees with ACKNOWLEDGE */
    STORM,                      /* interrupts without end */
    LEFT,                       /* pending though nothing is under way */
    OVERLAP,                    /* one handler on two vCPUs */
    NUM_FAULTS
};

struct faults {
    uint64_t count, cpu, what, value;
};

extern struct faults faults[NUM_FAULTS];

static inline unsigned index_of(const struct cpu *cpu)
{
    return cpu - cpus;
}

/*
 * stress_common.c
 */

/* Something is wrong: with which vCPU, what it is about, and a value */
void fault(enum fault kind, uint64_t cpu, uint64_t what, uint64_t value);
bool any_fault(void);

/* Random numbers less than below; true in one of so many cases */
unsigned random(struct cpu *me, bool in_handler, unsigned below);
bool chance(struct cpu *me, bool in_handler, unsigned one_of);

/* Whether a handler leaves its interrupt masked and the rest for later */
bool leave_masked(struct cpu *me);

/* Some time for others to come between: mostly little */
void dawdle(struct cpu *me, bool in_handler);

/* Calls, and those that have to succeed */
struct result call(uint64_t function, uint64_t arg1, uint64_t arg2);
void must(uint64_t function, uint64_t arg1, uint64_t arg2, uint64_t arg3);
void mask(unsigned cpu, unsigned intid);
void unmask(unsigned cpu, unsigned intid);
bool is_pending(unsigned cpu, unsigned intid);
void clear_pending(unsigned cpu, unsigned intid);
void map(uint64_t input, unsigned cpu, unsigned intid);

/* False: the target's instance is disabled. */
bool send(unsigned cpu, unsigned intid);

/* Whether the own IRQ input is high */
bool irq_input(void);

/* Rules for INTIDs that are taken, and for vCPUs' states */
void waited(struct cpu *me, unsigned intid, uint64_t since);
bool is_taken(unsigned cpu, unsigned intid);
bool guard(unsigned cpu, uint64_t state);
void unguard(unsigned cpu);

/*
 * stress_ipis.c: operations, and handlers, by the number among their kind
 */

void send_once(struct cpu *me, unsigned target);
void send_once_to_any(struct cpu *me);
void handle_once(struct cpu *me, unsigned sender);
void send_merged(struct cpu *me);
void handle_merged(struct cpu *me, unsigned index);
void mask_merged(struct cpu *me);
void start_storm(struct cpu *me);
void handle_own(struct cpu *me, unsigned index);

/*
 * stress_timers.c
 */

/* It fires after most_us microseconds at the latest. */
void arm_timer(struct cpu *me, unsigned index, unsigned most_us);

/* Unmask it as a handler does at its end. */
void resume_timer(struct cpu *me, unsigned index);

void use_timer(struct cpu *me);
void handle_timer(struct cpu *me, unsigned index);

/*
 * stress_lines.c
 */

/* False: the line has fallen, and not only is about to. */
bool lower_line(struct source *s, uint64_t *counter);
void use_line(struct cpu *me);

/*
 * Whether a handler of a level may unmask it again, and not leave it for ever
 */
bool count_fruit(struct cpu *me, bool found, uint64_t *spurious,
                 unsigned input);

void move_pin(struct cpu *me);
void handle_pool(struct cpu *me, unsigned index);

/* Unmask what handlers have left masked. */
void resume_pool(struct cpu *me);

/*
 * stress_irqs.c
 */

void move_irq(struct cpu *me);
void send_msi(struct cpu *me);
void unmap_irq(struct cpu *me);
void mask_irq(struct cpu *me);
void handle_private(struct cpu *me, unsigned index);

/* These two are for who holds the lock. */
void send_in_vain(struct irq *irq);
void enable_irq(struct irq *irq);

/*
 * stress_devices.c: sets up sources and irqs, before other vCPUs are on
 */

/* An MSI is sent by a write; if calm_address is not 0, another ends it. */
void add_msi(unsigned input, uint64_t kick_address, uint32_t kick_value,
             uint64_t calm_address);
void add_board_lines(void);
void add_pci_devices(void);

/*
 * stress_rounds.c
 */

/* Interrupts are taken meanwhile. */
void wait_for_all(void);

/* Until the guest is to stop */
void run_rounds(struct cpu *me);

/*
 * stress_accounts.c: prints figures, and verdicts, after the last round
 */

void account_ipis(void);
void account_timers(void);
void account_msis(void);
void account_levels(void);
void account_cpus(void);
void account_faults(void);

/*
 * stress.c
 */

/* Let an INTID have a handler. */
void use_intid(unsigned intid, enum kind kind, unsigned index);

/* One random operation */
void operate(struct cpu *me);

#endif
