/*
 * Bare-metal guest: what do interrupts cost, with whatever controller there is?
 *
 * Prints, besides what is only to look at,
 *
 *      CONTROLLER NAME CPUS FREQUENCY
 *      RESULT ITEM EVENTS TICKS
 *      ...
 *      DONE
 *
 * with the frequency of the ticks in Hz, or ends after
 *
 *      FAIL ITEM: WHY
 *
 * if an interrupt was lost or invented. Then nothing is worth being measured.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <string.h>
#include "bench.h"

/* The fewest events. Others are multiples of it, which vCPUs can share. */
#define SOME                8
#define MAX_ITEMS           32
#define TURNS               4
/* To look if one interrupt more comes than was made */
#define SETTLE_US           50

static const struct irqchip *const irqchips[] = { &gicv2, &gicv3, &rvic };

const struct irqchip *irqchip;
struct arguments arguments = { .ms = 80, .patience = 20000 };

struct hot hot;

_Static_assert(offsetof(struct hot, irq) == HOT_IRQ, "vectors disagree");
_Static_assert(offsetof(struct hot, sync) == HOT_SYNC, "vectors disagree");

static const struct item *current;
static uint64_t failing;
/* Interrupts that had come when the watchdog looked */
static uint64_t progress;

static uint64_t interrupts(void)
{
    uint64_t sum = hot.seen;

    for (unsigned i = 0; i < num_cpus; i++) {
        sum += hot.cpus[i].received;
    }
    return sum;
}

static void begin_failure(const char *reason)
{
    /* Another vCPU may have found the same. */
    lock(&failing);
    puts("FAIL ");
    puts(current ? current->name : "start");
    puts(": ");
    puts(reason);
}

static void __attribute__((noreturn)) end_failure(void)
{
    puts(" after ");
    putdec(interrupts());
    puts(" interrupts\n");
    system_off();
}

void fail(const char *reason)
{
    begin_failure(reason);
    end_failure();
}

void fail_with(const char *reason, uint64_t value)
{
    begin_failure(reason);
    puts(" ");
    putdec(value);
    end_failure();
}

static void unexpected_exception(void)
{
    begin_failure("an exception, ESR ");
    puthex(sysreg_read(esr_el1));
    puts(", ELR ");
    puthex(sysreg_read(elr_el1));
    end_failure();
}

/*
 * An IRQ that comes if no other does. A timer that is far from its end has
 * another effect, for all controllers alike: the other timer is never QEMU's
 * next one, so that changing it does not wake QEMU's main loop each time.
 */
static void restart_watchdog(void)
{
    sysreg_write(cntp_cval_el0,
                 sysreg_read(cntpct_el0) + ticks(1000) * arguments.patience);
    sysreg_write(cntp_ctl_el0, 1);
}

/*
 * Twice, for a host that was asleep itself lets the watchdog end as well. Items
 * without interrupts may take as long as they like.
 */
void look_for_progress(void)
{
    uint64_t now = interrupts();

    if (now == progress && (current->set_up || current->cpus > 1)) {
        fail("time-out: an interrupt was lost");
    }
    progress = now;
    restart_watchdog();
}

/* The ticks that it takes */
static uint64_t timed(const struct item *item, uint64_t n)
{
    uint64_t start, time;

    hot.seen = 0;
    for (unsigned i = 0; i < num_cpus; i++) {
        hot.cpus[i].received = 0;
    }
    progress = UINT64_MAX;
    restart_watchdog();
    start = sysreg_read(cntvct_el0);
    item->run(n);
    time = sysreg_read(cntvct_el0) - start;
    if (item->set_up) {
        delay(SETTLE_US);
        if (hot.seen != n) {
            fail("more interrupts than were made");
        }
    }
    sysreg_write(cntp_ctl_el0, 0);
    return time;
}

static uint64_t calibrate(const struct item *item)
{
    uint64_t target = ticks(1000) * arguments.ms / TURNS, n = SOME, time;

    /* Until the host has let all of them run once, that is what is measured */
    target *= item->cpus > 2 ? 4 * item->cpus : 1;
    while ((time = timed(item, n)) < target / 2) {
        n *= time < target / 64 ? 8 : 2;
    }
    return (n * target / time / SOME + 1) * SOME;
}

/* An item's turn is next. */
static void change_to(const struct item *item)
{
    current = item;
    if (item->cpus > num_cpus) {
        fail_with("more vCPUs are needed:", item->cpus);
    }
    hot.irq = item->irq;
    hot.intid = item->set_up ? item->set_up() : INTID_NONE;
}

/*
 * Each item's events are made in some turns, all items once in each: what slows
 * the host down for a while does so to all of them.
 */
static void measure(const struct item *const *wanted, unsigned number)
{
    uint64_t n[MAX_ITEMS], time[MAX_ITEMS] = {};
    unsigned turns = arguments.n ? 1 : TURNS;

    for (unsigned i = 0; i < number; i++) {
        change_to(wanted[i]);
        n[i] = arguments.n ? arguments.n : calibrate(wanted[i]);
    }
    for (unsigned turn = 0; turn < turns; turn++) {
        for (unsigned i = 0; i < number; i++) {
            change_to(wanted[i]);
            time[i] += timed(wanted[i], n[i]);
        }
    }
    for (unsigned i = 0; i < number; i++) {
        puts("RESULT ");
        puts(wanted[i]->name);
        puts(" ");
        putdec(n[i] * turns);
        puts(" ");
        putdec(time[i]);
        puts("\n");
    }
}

/*
 * The command line: words, and numbers in some of them
 */

static const char *after(const char *line, const char *start)
{
    size_t length = strlen(start);

    while (*line) {
        if (!memcmp(line, start, length)) {
            return line + length;
        }
        while (*line && *line++ != ' ') {
            /* next word */
        }
    }
    return NULL;
}

static void read_number(const char *line, const char *start, uint64_t *number)
{
    const char *p = after(line, start);

    if (p) {
        for (*number = 0; *p >= '0' && *p <= '9'; p++) {
            *number = *number * 10 + *p - '0';
        }
    }
}

static void read_arguments(void)
{
    const char *line = dt_bootargs();

    arguments.items = after(line, "items=");
    read_number(line, "ms=", &arguments.ms);
    read_number(line, "n=", &arguments.n);
    read_number(line, "patience=", &arguments.patience);
    read_number(line, "lose=", &hot.lose);
}

static bool is_wanted(const char *name)
{
    const char *p = arguments.items;
    size_t length = strlen(name);

    if (!p) {
        return true;
    }
    while (*p && *p != ' ') {
        if (strnlen(p, length) == length && !memcmp(p, name, length) &&
            (!p[length] || p[length] == ',' || p[length] == ' ')) {
            return true;
        }
        while (*p && *p != ' ' && *p++ != ',') {
            /* next name */
        }
    }
    return false;
}

static void find_irqchip(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(irqchips); i++) {
        int node = dt_find(irqchips[i]->compatible, -1);

        if (node >= 0) {
            irqchip = irqchips[i];
            irqchip->init(node);
            return;
        }
    }
    fail("the device tree has no interrupt controller that is known");
}

static void measure_all(void)
{
    const struct item *wanted[MAX_ITEMS];
    unsigned number = 0;

    puts("CONTROLLER ");
    puts(irqchip->name);
    puts(" ");
    putdec(num_cpus);
    puts(" ");
    putdec(sysreg_read(cntfrq_el0));
    puts("\n");
    irq_unmask();
    if (irqchip->num_items > MAX_ITEMS) {
        fail_with("more items than", MAX_ITEMS);
    }
    for (unsigned i = 0; i < irqchip->num_items; i++) {
        if (is_wanted(irqchip->items[i].name)) {
            wanted[number++] = &irqchip->items[i];
        }
    }
    measure(wanted, number);
    puts("DONE\n");
    system_off();
}

void main(void)
{
    hot.sync = unexpected_exception;
    read_arguments();
    find_irqchip();
    start_cpus(measure_all);
}
