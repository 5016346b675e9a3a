/*
 * Bare-metal guest: what the parts of bench.c share
 *
 * All of the program is compiled with flags by which C functions may change no
 * other registers than x0 to x7, x16, x17 and x30: so few have vectors to save.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef BAREMETAL_BENCH_H
#define BAREMETAL_BENCH_H

#include "runtime.h"
#include "rvic.h"
#include "bench_layout.h"

/* As many as GICv2 has. MPIDR_EL1's affinity fields are the number then. */
#define MAX_BENCH_CPUS      8

/*
 * INTIDs. Of a flood, the first are the senders' numbers: see bench_flood.c.
 */
#define INTID_SELF          0
#define INTID_TOKEN         0
#define INTID_WAKE          15
#define INTID_WATCHDOG      INTID_PHYSICAL_TIMER
#define INTID_NONE          UINT32_MAX
#define NO_CPU              UINT32_MAX

/*
 * An interrupt controller: what prepares, and what is measured. The latter is
 * compiled for each anew (bench_items.h), with its accesses inlined: a call of
 * a function through a pointer costs as much as some of what is measured.
 */
struct irqchip {
    const char *name;
    const char *compatible;
    /* Finds its registers, from its device tree node; enables what all share */
    void (*init)(int node);
    /* Enables the caller's part, and all INTIDs above */
    void (*init_cpu)(void);
    /*
     * Leads to the first vCPU what the device at a node makes: its wired
     * interrupt, or MSIs of a PCI function. Both return the INTID.
     */
    unsigned (*connect_wired)(int node, bool edge);
    unsigned (*connect_msi)(unsigned requester, uint64_t *address,
                            uint32_t *data);
    void (*send)(unsigned cpu, unsigned intid);
    void (*unmask)(unsigned intid);
    const struct item *items;
    unsigned num_items;
};

extern const struct irqchip gicv2, gicv3, rvic;
/* The one that this machine has */
extern const struct irqchip *irqchip;

/* Something to measure */
struct item {
    const char *name;
    unsigned cpus;
    /* Handles all IRQs meanwhile */
    void (*irq)(void);
    /* Prepares, and returns the INTID of cycles; NULL if it has none */
    unsigned (*set_up)(void);
    /* Makes n events. This alone is timed. */
    void (*run)(uint64_t n);
};

/* A vCPU, with its stack */
struct cpu {
    unsigned index;
    uint32_t random;
    /* volatile, as it comes from another vCPU */
    void (*volatile job)(void);
    uint64_t received;
    uint8_t stack[PAGE - 32] __attribute__((aligned(16)));
};

/* An IPI that goes to and fro: see bench_token.c */
struct token {
    bool busy;
    uint64_t left;          /* how often it is yet to be sent */
    unsigned at;            /* the vCPU that it was sent to */
    /* volatile, as vCPUs wait for it */
    volatile bool finished;
};

/* IPIs of which each vCPU sends so many: see bench_flood.c */
struct flood {
    uint64_t quota, through;
    unsigned vcpus;
    /* volatile, as vCPUs tell each other: sent to a vCPU, by a vCPU */
    volatile bool sent[MAX_BENCH_CPUS][64];
};

/*
 * All that is used while something is measured. QEMU finds a page by the low
 * bits of its number, of which there are six at least, and pages that agree in
 * these push each other out. So that it is all the same how large the program
 * is, each of these has a place of its own, and none is one of the devices',
 * which are at multiples of 64 KiB.
 */
struct hot {
    uint8_t unused[PAGE];
    /* Called for any exception of their kind */
    void (*irq)(void);
    void (*sync)(void);
    /*
     * The interrupt of cycles: how often it has come (volatile, as handlers
     * count), and which it is. A cycle ends when it has come.
     */
    volatile uint64_t seen;
    uint32_t intid;
    /* Cycles without their interrupt: see the arguments */
    uint64_t lose;
    /* Registers of whatever there is */
    uint64_t gicd, gicc, gicr, gpio, edu;
    struct token token;
    struct flood flood;
    struct cpu cpus[MAX_BENCH_CPUS] __attribute__((aligned(PAGE)));
} __attribute__((aligned(16 * PAGE)));

extern struct hot hot;

_Static_assert(sizeof(struct cpu) == PAGE, "a vCPU has one page");
_Static_assert(offsetof(struct hot, cpus) == 2 * PAGE, "what is hot has one");

/* bench_vectors.S */
extern const char bench_vectors[];
void on_stack(void (*function)(void), void *end) __attribute__((noreturn));

/*
 * What the guest's command line says, by a word each: "items=A,B" instead of
 * all; "ms=N": each for about so many ms, or "n=N": so many events;
 * "patience=N": ms in which something has to happen; "lose=1": not to make the
 * first interrupt of each item
 */
struct arguments {
    const char *items;
    uint64_t ms, n, patience;
};

extern struct arguments arguments;

/* Ends the guest, with the reason */
void fail(const char *reason) __attribute__((noreturn));
void fail_with(const char *reason, uint64_t value) __attribute__((noreturn));
/* Ends it if nothing has happened for long */
void look_for_progress(void);

/*
 * vCPUs
 */
extern unsigned num_cpus;

static inline struct cpu *this_cpu(void)
{
    struct cpu *cpu;

    /* Always the same, unlike what sysreg_read() is for: may be cached */
    asm("mrs %0, tpidr_el1" : "=r" (cpu));
    return cpu;
}

/* Starts all. Each has its stack then; the first goes on with a function. */
void start_cpus(void (*function)(void)) __attribute__((noreturn));
/* Has the first vCPUs, of which the caller is one, run a function each */
void on_cpus(unsigned number, void (*function)(void));

/* What was waited for is there: have vCPUs look that sleep until then. */
void wake_cpus(unsigned number);

/*
 * Sleeps until the condition is true, with IRQs closed between looking and
 * sleeping; wfi ends for one that is pending nevertheless.
 */
#define sleep_until(condition) do {     \
    irq_mask();                         \
    while (!(condition)) {              \
        wfi();                          \
        irq_unmask();                   \
        irq_mask();                     \
    }                                   \
    irq_unmask();                       \
} while (0)

/* One of the first vCPUs, but not the caller */
static inline unsigned random_other(struct cpu *me, unsigned vcpus)
{
    unsigned next;

    /* xorshift */
    me->random ^= me->random << 13;
    me->random ^= me->random >> 17;
    me->random ^= me->random << 5;
    next = me->index + 1 + ((uint64_t)me->random * (vcpus - 1) >> 32);
    return next < vcpus ? next : next - vcpus;
}

void run_flood(uint64_t n, unsigned vcpus);
/* For the receiver's handler */
void flood_received(struct cpu *me, unsigned sender);

void run_token(uint64_t hops, bool busy);
/* For the receiver's handler: where the token goes next, or NO_CPU */
unsigned token_received(struct cpu *me);

/*
 * Cycles, one after the other: make the interrupt come, wait until it has come
 * and is over. If one is to be lost, the first is not made, but waited for.
 */
#define cycles(n, make) do {                                            \
    for (uint64_t sent_ = hot.lose; sent_ < (n); ) {              \
        make;                                                           \
        sent_++;                                                        \
        while (hot.seen != sent_) {                                 \
            /* wait */                                                  \
        }                                                               \
    }                                                                   \
} while (0)

/* bench_events.c: what to measure that is the same for all controllers */
void run_exceptions(uint64_t n);
void run_loop(uint64_t n);
void run_helpers(uint64_t n);
void run_psci_version(uint64_t n);
void run_timer(uint64_t n);
void run_edge(uint64_t n);
void run_level(uint64_t n);
void run_msi(uint64_t n);
void run_round_trip(uint64_t n);
void run_round_trip_wfi(uint64_t n);
void run_throughput_2(uint64_t n);
void run_throughput_4(uint64_t n);
void run_throughput_8(uint64_t n);

/*
 * Devices
 */
unsigned set_up_timer(void);
unsigned set_up_edge(void);
unsigned set_up_level(void);
unsigned set_up_msi(void);

#define GPIO_IE             0x410
#define GPIO_LINE           1
#define EDU_RAISE           0x60
#define EDU_LOWER           0x64

/*
 * The device tree
 */
/* The first node after another, or -1: after the root; -1 if there is none */
int dt_find(const char *compatible, int after);
unsigned dt_count(const char *device_type);
/* A word of a property; fails if there is none */
uint32_t dt_cell(int node, const char *property, unsigned index);
/* An address of a property "reg" */
uint64_t dt_reg(int node, unsigned index);
const char *dt_bootargs(void);

/* A hypercall without hypercall()'s choice of conduits: there is no EL2. */
static inline struct result hvc(uint64_t function, uint64_t arg1,
                                uint64_t arg2)
{
    register uint64_t x0 asm("x0") = function;
    register uint64_t x1 asm("x1") = arg1;
    register uint64_t x2 asm("x2") = arg2;
    register uint64_t x3 asm("x3");

    asm volatile("hvc #0" : "+r" (x0), "+r" (x1), "+r" (x2), "=r" (x3)
                 : : "memory");
    return (struct result) { x0, x1, x2, 0 };
}

#endif
