/*
 * Bare-metal guest: what is measured, for one interrupt controller
 *
 * Included by the file of each, after it has defined
 *
 *      send(), acknowledge(), ack_intid(), end(), end_level(), mask(),
 *      unmask(), start(), stop(), version() and VERSION
 *
 * so that all of that is inlined. No controller's accesses have barriers but
 * those that a driver of rVIC needs as well: host CPUs take their time for
 * some, and then a GIC would look worse than it is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

/*
 * Handlers
 */

static void other(uint32_t ack)
{
    switch (ack_intid(ack)) {
    case INTID_WATCHDOG:
        look_for_progress();
        end_level(ack);
        break;
    case INTID_WAKE:
        /* A vCPU may see what it is woken for before this. */
        end(ack);
        break;
    default:
        fail_with("an interrupt that nobody has made: INTID", ack_intid(ack));
    }
}

/* What comes without a device that has to be told: an edge */
static void handle_edge(void)
{
    uint32_t ack = acknowledge();

    if (ack_intid(ack) != hot.intid) {
        other(ack);
        return;
    }
    end(ack);
    hot.seen++;
}

static void handle_timer(void)
{
    uint32_t ack = acknowledge();

    if (ack_intid(ack) != hot.intid) {
        other(ack);
        return;
    }
    sysreg_write(cntv_cval_el0, UINT64_MAX);
    end_level(ack);
    hot.seen++;
}

static void handle_wired_level(void)
{
    uint32_t ack = acknowledge();

    if (ack_intid(ack) != hot.intid) {
        other(ack);
        return;
    }
    write32(hot.gpio + GPIO_IE, 0);
    end(ack);
    hot.seen++;
}

static void handle_msi(void)
{
    uint32_t ack = acknowledge();

    if (ack_intid(ack) != hot.intid) {
        other(ack);
        return;
    }
    write32(hot.edu + EDU_LOWER, 1);
    end(ack);
    hot.seen++;
}

static void handle_token(void)
{
    uint32_t ack = acknowledge();
    unsigned next;

    if (ack_intid(ack) != INTID_TOKEN) {
        other(ack);
        return;
    }
    end(ack);
    next = token_received(this_cpu());
    if (next != NO_CPU) {
        send(next, INTID_TOKEN);
    }
}

static void handle_flood(void)
{
    uint32_t ack = acknowledge();
    unsigned sender = ack_intid(ack);

    if (sender >= MAX_BENCH_CPUS) {
        other(ack);
        return;
    }
    end(ack);
    flood_received(this_cpu(), sender);
}

/*
 * Events
 */

static unsigned set_up_self(void)
{
    return INTID_SELF;
}

static void run_local(uint64_t n)
{
    cycles(n, send(0, INTID_SELF));
}

/* The timer's, which is quiet */
static void run_mask(uint64_t n)
{
    while (n--) {
        mask(INTID_VIRTUAL_TIMER);
        unmask(INTID_VIRTUAL_TIMER);
    }
}

static void run_start(uint64_t n)
{
    while (n--) {
        stop();
        start();
    }
}

static void run_version(uint64_t n)
{
    uint64_t found = VERSION;

    while (n-- && found == VERSION) {
        found = version();
    }
    if (found != VERSION) {
        fail_with("another version", found);
    }
}

/* An item without interrupts has a handler nevertheless, which wants none. */
static const struct item items[] = {
    { "empty-exception", 1, handle_edge, NULL, run_exceptions },
    { "loop", 1, handle_edge, NULL, run_loop },
    { "empty-helper", 1, handle_edge, NULL, run_helpers },
    { "psci-version", 1, handle_edge, NULL, run_psci_version },
    { "version", 1, handle_edge, NULL, run_version },
    { "mask-unmask", 1, handle_edge, NULL, run_mask },
    { "start-instance", 1, handle_edge, NULL, run_start },
    { "local-cycle", 1, handle_edge, set_up_self, run_local },
    { "timer-cycle", 1, handle_timer, set_up_timer, run_timer },
    { "wired-edge", 1, handle_edge, set_up_edge, run_edge },
    { "wired-level", 1, handle_wired_level, set_up_level, run_level },
    { "msi", 1, handle_msi, set_up_msi, run_msi },
    { "ipi-round-trip", 2, handle_token, NULL, run_round_trip },
    { "ipi-round-trip-wfi", 2, handle_token, NULL, run_round_trip_wfi },
    { "ipi-throughput-2", 2, handle_flood, NULL, run_throughput_2 },
    { "ipi-throughput-4", 4, handle_flood, NULL, run_throughput_4 },
    { "ipi-throughput-8", 8, handle_flood, NULL, run_throughput_8 },
};
