/*
 * Bare-metal guests for the Arm virt board: what they share
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "runtime.h"

#define UART            0x09000000
#define UART_FR_RXFE    0x10
#define UART_FR_TXFF    0x20

#define CLUSTER         (1 << CLUSTER_SHIFT)

void (*irq_hook)(struct frame *frame);
void (*sync_hook)(struct frame *frame);

static struct {
    unsigned values;
    unsigned wrong;             /* the first wrong one, counted from 1 */
    uint64_t got, expected;
} so_far;

unsigned cpu_index(void)
{
    uint64_t mpidr = sysreg_read(mpidr_el1);

    return (mpidr & 0xff) + CLUSTER * ((mpidr >> 8) & 0xff);
}

uint64_t cpu_mpidr(unsigned index)
{
    return index % CLUSTER | index / CLUSTER << 8;
}

uint64_t cpu_on(unsigned index, void (*function)(void))
{
    barrier();
    return hypercall(PSCI_CPU_ON, cpu_mpidr(index), (uint64_t)secondary_start,
                     (uint64_t)function).x0;
}

bool cpu_is_off(unsigned index)
{
    return hypercall(PSCI_AFFINITY_INFO, cpu_mpidr(index), 0, 0).x0 ==
           PSCI_AFFINITY_OFF;
}

void cpu_off(void)
{
    barrier();
    hypercall(PSCI_CPU_OFF, 0, 0, 0);
    for (;;) {
        wfi();
    }
}

void system_off(void)
{
    hypercall(PSCI_SYSTEM_OFF, 0, 0, 0);
    for (;;) {
        wfi();
    }
}

uint64_t ticks(unsigned us)
{
    return sysreg_read(cntfrq_el0) * us / 1000000;
}

void delay(unsigned us)
{
    uint64_t start = sysreg_read(cntvct_el0);

    while (sysreg_read(cntvct_el0) - start < ticks(us)) {
        /* wait */
    }
}

void uart_write(unsigned offset, uint32_t value)
{
    write32(UART + offset, value);
}

uint32_t uart_read(unsigned offset)
{
    return read32(UART + offset);
}

bool uart_has_input(void)
{
    return !(uart_read(UART_FR) & UART_FR_RXFE);
}

static void putchar(char c)
{
    while (uart_read(UART_FR) & UART_FR_TXFF) {
        /* wait */
    }
    uart_write(UART_DR, c);
}

void puts(const char *text)
{
    uart_write(UART_CR, UART_CR_ENABLE);
    while (*text) {
        putchar(*text++);
    }
}

static void putnumber(uint64_t value, unsigned base, const char *prefix)
{
    char text[21], *p = text + sizeof(text) - 1;

    *p = 0;
    do {
        *--p = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    puts(prefix);
    puts(p);
}

void puthex(uint64_t value)
{
    putnumber(value, 16, "0x");
}

void putdec(uint64_t value)
{
    putnumber(value, 10, "");
}

void expect(uint64_t got, uint64_t expected)
{
    so_far.values++;
    if (got != expected && !so_far.wrong) {
        so_far.wrong = so_far.values;
        so_far.got = got;
        so_far.expected = expected;
    }
}

void verdict(const char *name)
{
    /* A check without values has checked nothing. */
    bool ok = so_far.values && !so_far.wrong;

    puts(ok ? "ok " : "not ok ");
    puts(name);
    if (!ok) {
        puts(": got ");
        puthex(so_far.got);
        puts(", expected ");
        puthex(so_far.expected);
        puts(", value ");
        puthex(so_far.wrong);
        puts(" of ");
        puthex(so_far.values);
    }
    puts("\n");
    so_far.values = so_far.wrong = 0;
    so_far.got = so_far.expected = 0;
}

void handle_unexpected(struct frame *frame)
{
    puts("unexpected exception: CPU ");
    puthex(cpu_index());
    puts(", ESR ");
    puthex(frame->esr);
    puts(", ELR ");
    puthex(frame->elr);
    puts("\n");
    system_off();
}

void handle_irq(struct frame *frame)
{
    (irq_hook ? irq_hook : handle_unexpected)(frame);
}

void handle_sync(struct frame *frame)
{
    (sync_hook ? sync_hook : handle_unexpected)(frame);
}
