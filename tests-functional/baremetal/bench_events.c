/*
 * Bare-metal guest: what to measure that is the same for all controllers, but
 * for what their handlers do meanwhile
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "bench.h"

#define PSCI_1_1    0x10001

static void nothing(void)
{
}

/* By the same vectors as an IRQ, with a handler that has nothing to do */
void run_exceptions(uint64_t n)
{
    void (*usual)(void) = hot.sync;

    hot.sync = nothing;
    while (n--) {
        asm volatile("svc #0" : : : "memory");
    }
    hot.sync = usual;
}

/* What run_helpers() costs without the helpers */
void run_loop(uint64_t n)
{
    while (n--) {
        asm volatile("");
    }
}

/*
 * A division is a call of a function in QEMU; one by zero does nothing there.
 * Each needs the result of the one before, so that none can be left out.
 */
void run_helpers(uint64_t n)
{
    uint64_t value = n;

    while (n--) {
        asm volatile("sdiv %0, %0, xzr" : "+r" (value));
    }
}

void run_psci_version(uint64_t n)
{
    uint64_t found = PSCI_1_1;

    while (n-- && found == PSCI_1_1) {
        found = hvc(PSCI_VERSION, 0, 0).x0;
    }
    if (found != PSCI_1_1) {
        fail_with("another version of PSCI", found);
    }
}

/* Its time has come long ago. The handler sets it to never. */
void run_timer(uint64_t n)
{
    cycles(n, sysreg_write(cntv_cval_el0, 0));
}

/* A pulse, which is over before the IRQ is taken */
void run_edge(uint64_t n)
{
    cycles(n, {
        irq_mask();
        write32(hot.gpio + GPIO_IE, GPIO_LINE);
        write32(hot.gpio + GPIO_IE, 0);
        irq_unmask();
    });
}

/* The handler lowers it. */
void run_level(uint64_t n)
{
    cycles(n, write32(hot.gpio + GPIO_IE, GPIO_LINE));
}

void run_msi(uint64_t n)
{
    cycles(n, write32(hot.edu + EDU_RAISE, 1));
}

void run_round_trip(uint64_t n)
{
    run_token(2 * n, true);
}

void run_round_trip_wfi(uint64_t n)
{
    run_token(2 * n, false);
}

void run_throughput_2(uint64_t n)
{
    run_flood(n, 2);
}

void run_throughput_4(uint64_t n)
{
    run_flood(n, 4);
}

void run_throughput_8(uint64_t n)
{
    run_flood(n, 8);
}
