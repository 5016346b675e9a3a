/*
 * Bare-metal guest: rVIC and rVID, to be measured
 *
 * Calls as linux/irq-rvic.c makes them: an edge takes two, a level three, an
 * IPI one to send.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "bench.h"

/* Untrusted INTIDs: nobody else chooses any. */
#define INTID_WIRED     40
#define INTID_MSI       41

#define VERSION         3

static uint64_t doorbell;
static uint32_t first_msi;

/* A vCPU's number is what its MPIDR says. */
static inline unsigned self(void)
{
    return this_cpu()->index;
}

static inline void send(unsigned cpu, unsigned intid)
{
    hvc(RVIC_SIGNAL, cpu, intid);
}

static inline uint32_t acknowledge(void)
{
    struct result result = hvc(RVIC_ACKNOWLEDGE, 0, 0);

    return result.x0 == RVIC_SUCCESS ? result.x1 : INTID_NONE;
}

static inline unsigned ack_intid(uint32_t ack)
{
    return ack;
}

static inline void mask(unsigned intid)
{
    hvc(RVIC_SET_MASKED, self(), intid);
}

static inline void unmask(unsigned intid)
{
    hvc(RVIC_CLEAR_MASKED, self(), intid);
}

static inline void end(uint32_t ack)
{
    unmask(ack);
}

static inline void end_level(uint32_t ack)
{
    hvc(RVIC_RESAMPLE, ack, 0);
    unmask(ack);
}

static inline void start(void)
{
    hvc(RVIC_ENABLE, 0, 0);
}

static inline void stop(void)
{
    hvc(RVIC_DISABLE, 0, 0);
}

static inline uint64_t version(void)
{
    return hvc(RVIC_VERSION, 0, 0).x1;
}

#include "bench_items.h"

static void must(uint32_t function, uint64_t arg1, uint64_t arg2, uint64_t arg3)
{
    if (hypercall(function, arg1, arg2, arg3).x0 != RVIC_SUCCESS) {
        fail_with("rVIC refuses call", function);
    }
}

static void init(int node)
{
    int rvid = dt_find("arm,rvid", -1);

    (void)node;
    doorbell = dt_reg(rvid, 0);
    first_msi = dt_cell(rvid, "msi-range", 0);
}

static void init_cpu(void)
{
    must(RVIC_ENABLE, 0, 0, 0);
    for (unsigned intid = 0; intid <= INTID_WAKE; intid++) {
        must(RVIC_CLEAR_MASKED, self(), intid, 0);
    }
    must(RVIC_CLEAR_MASKED, self(), INTID_WATCHDOG, 0);
}

static unsigned connect(unsigned input, unsigned intid)
{
    must(RVID_MAP, input, 0, intid);
    must(RVIC_CLEAR_MASKED, 0, intid, 0);
    return intid;
}

/* Inputs are edges and levels alike. */
static unsigned connect_wired(int node, bool edge)
{
    (void)edge;
    return connect(dt_cell(node, "interrupts", 0), INTID_WIRED);
}

static unsigned connect_msi(unsigned requester, uint64_t *address,
                            uint32_t *data)
{
    (void)requester;
    *address = doorbell;
    *data = first_msi;
    return connect(first_msi, INTID_MSI);
}

const struct irqchip rvic = {
    "rvic", "arm,rvic", init, init_cpu, connect_wired, connect_msi,
    send, unmask, items, ARRAY_SIZE(items)
};
