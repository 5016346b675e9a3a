/*
 * Bare-metal guest: whether the counters of its PMU count
 *
 * For each byte from the UART it prints a line: for '.' what the cycle counter
 * of each vCPU has counted meanwhile, for 'e' what the last event counter of
 * the first vCPU has, which counts cycles, too, for 'i' the PMU's
 * identification, for 'r' what of it is enabled. QEMU's loader puts into RAM
 * how many vCPUs there are. No interrupt controller is needed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "runtime.h"

#define PARAMETERS      0x47000000

/* How long a vCPU counts when it is asked */
#define COUNT_US        2000

#define PMCR_ENABLE     1
#define CYCLES          (1u << 31)
#define EVENT_CYCLES    0x11

/* volatile, since nothing here writes it */
static const volatile uint64_t *num_cpus = (const void *)PARAMETERS;

static struct {
    uint64_t asked, answered;
    uint64_t counted;
} cpus[MAX_CPUS];

static unsigned event_counters(void)
{
    return sysreg_read(pmcr_el0) >> 11 & 31;
}

static void start_counters(void)
{
    uint64_t last = event_counters() ? 1 << (event_counters() - 1) : 0;

    sysreg_write(pmccfiltr_el0, 0);
    if (last) {
        sysreg_write(pmselr_el0, event_counters() - 1);
        sysreg_write(pmxevtyper_el0, EVENT_CYCLES);
    }
    sysreg_write(pmcntenset_el0, CYCLES | last);
    sysreg_write(pmintenset_el1, CYCLES);
    sysreg_write(pmcr_el0, PMCR_ENABLE);
}

static uint64_t count(void)
{
    uint64_t before = sysreg_read(pmccntr_el0);

    delay(COUNT_US);
    return sysreg_read(pmccntr_el0) - before;
}

static uint64_t count_event(void)
{
    uint64_t before = sysreg_read(pmxevcntr_el0);

    delay(COUNT_US);
    return sysreg_read(pmxevcntr_el0) - before;
}

/* Another vCPU's function: it is always busy, so that KVM has to run it. */
static void work(void)
{
    unsigned me = cpu_index();

    start_counters();
    for (;;) {
        while (atomic_load(&cpus[me].asked) == cpus[me].answered) {
            delay(100);
        }
        cpus[me].counted = count();
        atomic_add(&cpus[me].answered, (uint64_t)1);
    }
}

static uint64_t count_on(unsigned cpu)
{
    uint64_t asked;

    if (cpu == 0) {
        return count();
    }
    asked = atomic_add(&cpus[cpu].asked, (uint64_t)1);
    while (atomic_load(&cpus[cpu].answered) != asked) {
        delay(100);
    }
    return cpus[cpu].counted;
}

static void print(uint64_t value)
{
    puts(" ");
    puthex(value);
}

static void answer(char byte)
{
    puts("@");
    switch (byte) {
    case '.':
        for (unsigned cpu = 0; cpu < *num_cpus; cpu++) {
            print(count_on(cpu));
        }
        break;
    case 'e':
        print(count_event());
        break;
    case 'i':
        print(event_counters());
        print(sysreg_read(id_aa64dfr0_el1));
        print(sysreg_read(pmceid0_el0));
        break;
    case 'r':
        print(sysreg_read(pmcntenset_el0));
        print(sysreg_read(pmintenset_el1));
        break;
    }
    puts("\n");
}

void main(void)
{
    uart_write(UART_CR, UART_CR_ENABLE);
    start_counters();
    for (unsigned cpu = 1; cpu < *num_cpus; cpu++) {
        if (cpu_on(cpu, work)) {
            puts("CPU_ON failed\n");
            system_off();
        }
    }
    puts("READY\n");
    for (;;) {
        if (uart_has_input()) {
            answer(uart_read(UART_DR));
        }
    }
}
