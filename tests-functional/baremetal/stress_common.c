/*
 * Bare-metal guest: what all parts of the stress use
 *
 * Notes of what is wrong, chance, calls that have to succeed, and rules for all
 * kinds of interrupts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "stress.h"

struct faults faults[NUM_FAULTS];

void fault(enum fault kind, uint64_t cpu, uint64_t what, uint64_t value)
{
    if (atomic_add(&faults[kind].count, 1) == 1) {
        faults[kind].cpu = cpu;
        faults[kind].what = what;
        faults[kind].value = value;
    }
}

bool any_fault(void)
{
    for (unsigned i = 0; i < NUM_FAULTS; i++) {
        if (atomic_load(&faults[i].count)) {
            return true;
        }
    }
    return false;
}

/* xorshift64: a number from 0 to below - 1 */
unsigned random(struct cpu *me, bool in_handler, unsigned below)
{
    uint64_t *x = &me->random[in_handler];

    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return (*x >> 32) % below;
}

bool chance(struct cpu *me, bool in_handler, unsigned one_of)
{
    return random(me, in_handler, one_of) == 0;
}

bool leave_masked(struct cpu *me)
{
    return chance(me, true, 8) && !atomic_load(&draining);
}

void dawdle(struct cpu *me, bool in_handler)
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

struct result call(uint64_t function, uint64_t arg1, uint64_t arg2)
{
    return hypercall(function, arg1, arg2, 0);
}

void must(uint64_t function, uint64_t arg1, uint64_t arg2,
          uint64_t arg3)
{
    struct result result = hypercall(function, arg1, arg2, arg3);

    if (result.x0 != RVIC_SUCCESS) {
        fault(STATUS, cpu_index(), function, result.x0);
    }
}

void mask(unsigned cpu, unsigned intid)
{
    must(RVIC_SET_MASKED, cpu_mpidr(cpu), intid, 0);
}

void unmask(unsigned cpu, unsigned intid)
{
    must(RVIC_CLEAR_MASKED, cpu_mpidr(cpu), intid, 0);
}

bool is_pending(unsigned cpu, unsigned intid)
{
    struct result result = call(RVIC_IS_PENDING, cpu_mpidr(cpu), intid);

    if (result.x0 != RVIC_SUCCESS) {
        fault(STATUS, cpu, RVIC_IS_PENDING, result.x0);
    }
    return result.x1;
}

void clear_pending(unsigned cpu, unsigned intid)
{
    must(RVIC_CLEAR_PENDING, cpu_mpidr(cpu), intid, 0);
}

bool send(unsigned cpu, unsigned intid)
{
    uint64_t status = call(RVIC_SIGNAL, cpu_mpidr(cpu), intid).x0;

    if (status != RVIC_SUCCESS && status != RVIC_DISABLED) {
        fault(STATUS, cpu, RVIC_SIGNAL, status);
    }
    return status == RVIC_SUCCESS;
}

void map(uint64_t input, unsigned cpu, unsigned intid)
{
    must(RVID_MAP, input, cpu_mpidr(cpu), intid);
}

bool irq_input(void)
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
void waited(struct cpu *me, unsigned intid, uint64_t since)
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
 * Whether a vCPU has taken an interrupt and may not be through with it. Then
 * the one that it moves to may take it, too, if it is a level.
 */
bool is_taken(unsigned cpu, unsigned intid)
{
    uint64_t taking = atomic_load(&cpus[cpu].taking);

    return taking == ANY || taking == intid;
}

/*
 * Guards: an edge that comes by the rVID to a disabled instance is lost, and
 * nobody is told. A vCPU changes its own state while nobody guards it, and
 * shows that before: either it sees the guard, or the guard sees it. Who holds
 * one has IRQs masked.
 */

bool guard(unsigned cpu, uint64_t state)
{
    atomic_add(&cpus[cpu].users, 1);
    if (atomic_load(&cpus[cpu].state) == state) {
        return true;
    }
    atomic_add(&cpus[cpu].users, -1);
    return false;
}

void unguard(unsigned cpu)
{
    atomic_add(&cpus[cpu].users, -1);
}
