/*
 * Bare-metal guest: vCPUs that sleep until they are told to do something
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "bench.h"

unsigned num_cpus;

/* vCPUs besides the first that have nothing to do */
static uint64_t idle;

static void __attribute__((noreturn)) set_up_cpu(void (*function)(void))
{
    struct cpu *me = &hot.cpus[cpu_index()];

    me->index = me - hot.cpus;
    me->random = me->index + 1;
    sysreg_write(tpidr_el1, me);
    sysreg_write(vbar_el1, bench_vectors);
    irqchip->init_cpu();
    on_stack(function, me + 1);
}

static void obey(void)
{
    struct cpu *me = this_cpu();

    for (;;) {
        atomic_add(&idle, 1);
        sleep_until(me->job);
        me->job();
        me->job = NULL;
    }
}

static void other_cpu(void)
{
    set_up_cpu(obey);
}

void start_cpus(void (*function)(void))
{
    num_cpus = dt_count("cpu");
    if (num_cpus > MAX_BENCH_CPUS) {
        fail_with("more vCPUs than", MAX_BENCH_CPUS);
    }
    for (unsigned i = 1; i < num_cpus; i++) {
        if (cpu_on(i, other_cpu)) {
            fail_with("PSCI does not start vCPU", i);
        }
    }
    /* Or it would wait for as long as a single thread has for each vCPU. */
    wait_until((yield(), atomic_load(&idle) == num_cpus - 1));
    if (atomic_load(&idle) != num_cpus - 1) {
        fail_with("vCPUs that have started are only", atomic_load(&idle) + 1);
    }
    set_up_cpu(function);
}

void on_cpus(unsigned number, void (*function)(void))
{
    atomic_add(&idle, -(uint64_t)(number - 1));
    for (unsigned i = 1; i < number; i++) {
        hot.cpus[i].job = function;
        barrier();
        irqchip->send(i, INTID_WAKE);
    }
    function();
    while (atomic_load(&idle) != num_cpus - 1) {
        yield();
    }
}

void wake_cpus(unsigned number)
{
    struct cpu *me = this_cpu();

    for (unsigned i = 0; i < number; i++) {
        if (i != me->index) {
            irqchip->send(i, INTID_WAKE);
        }
    }
}
