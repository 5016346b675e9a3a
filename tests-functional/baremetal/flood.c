/*
 * Bare-metal guest: one vCPU works while the others flood QEMU
 *
 * The first vCPU counts the ticks of its timer and answers the UART. For each
 * byte it prints how many ticks it has taken, and how many were due; for a 'q'
 * also what the others have done, and the guest ends. QEMU's loader puts into
 * RAM which interrupt controller there is, and how many other vCPUs do what.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "runtime.h"
#include "rvic.h"

#define PARAMETERS      0x47000000

#define MAX_FLOODERS    4

#define TICK_US         10000

#define UART_RXI        0x10
#define UART_RTI        0x40

#define GICD            0x08000000
#define GICD_CTLR       (GICD + 0x000)
#define GICD_ISENABLER  (GICD + 0x100)
#define GICD_ICENABLER  (GICD + 0x180)
#define GICD_ISPENDR    (GICD + 0x200)
#define GICD_ICPENDR    (GICD + 0x280)
#define GICD_ITARGETSR  (GICD + 0x800)
#define GICD_SGIR       (GICD + 0xf00)
#define GICC            0x08010000
#define GICC_CTLR       (GICC + 0x00)
#define GICC_PMR        (GICC + 0x04)
#define GICC_IAR        (GICC + 0x0c)
#define GICC_EOIR       (GICC + 0x10)
#define GICC_HPPIR      (GICC + 0x18)

/* The same number with both controllers */
#define INTID_UART      (32 + INPUT_UART)

/* What the others make a mess of: nobody waits for these. */
#define IPI             5
#define SPARE           100
#define SPARE_INPUT     300

enum { RVIC, GICV2 };
enum { IDLE, SPIN, FLOOD };

/* volatile, since nothing here writes it */
static const volatile struct {
    uint64_t controller, work, flooders;
} *parameters = (const void *)PARAMETERS;

static uint64_t done[MAX_FLOODERS + 1];
static uint64_t taken, start;

static bool rvic(void)
{
    return parameters->controller == RVIC;
}

static void flood_calls(uint64_t self, uint64_t peer)
{
    const uint64_t junk = 0xdeadbeefcafef00d;

    hypercall(RVIC_VERSION, 0, 0, 0);
    hypercall(RVIC_INFO, 0, 0, 0);
    hypercall(RVIC_ENABLE, 0, 0, 0);
    hypercall(RVIC_CLEAR_MASKED, peer, IPI, 0);
    hypercall(RVIC_SIGNAL, peer, IPI, 0);
    hypercall(RVIC_SIGNAL, self, IPI, 0);
    hypercall(RVIC_IS_PENDING, peer, IPI, 0);
    hypercall(RVIC_ACKNOWLEDGE, 0, 0, 0);
    hypercall(RVIC_CLEAR_PENDING, peer, IPI, 0);
    hypercall(RVIC_SET_MASKED, self, IPI, 0);
    hypercall(RVIC_RESAMPLE, INTID_VIRTUAL_TIMER, 0, 0);
    hypercall(RVID_MAP, SPARE_INPUT, peer, SPARE);
    write32(RVID_DOORBELL, SPARE_INPUT);
    hypercall(RVIC_CLEAR_MASKED, peer, SPARE, 0);
    hypercall(RVID_UNMAP, SPARE_INPUT, 0, 0);
    hypercall(RVIC_DISABLE, 0, 0, 0);
    /* Refused ones */
    hypercall(RVIC_BASE + 0xff, junk, junk, junk);
    hypercall(RVID_BASE + 0xff, junk, junk, junk);
    hypercall(RVIC_SIGNAL, junk, junk, junk);
    hypercall(RVID_MAP, junk, junk, junk);
}

static void flood_registers(uint32_t self, uint32_t peer)
{
    read32(GICD_CTLR);
    read32(GICC_HPPIR);
    write32(GICD_ISENABLER, 1 << IPI);
    write32(GICD_SGIR, 1 << (16 + peer) | IPI);
    write32(GICD_SGIR, 1 << (16 + self) | IPI);
    read32(GICD_ISPENDR);
    write32(GICC_EOIR, read32(GICC_IAR));
    write32(GICD_ISENABLER + SPARE / 8, 1 << SPARE % 32);
    write32(GICD_ITARGETSR + SPARE, 1 << peer);
    write32(GICD_ISPENDR + SPARE / 32 * 4, 1 << SPARE % 32);
    write32(GICD_ICPENDR + SPARE / 32 * 4, 1 << SPARE % 32);
    write32(GICD_ICENABLER + SPARE / 32 * 4, 1 << SPARE % 32);
    /* Reserved ones */
    write32(GICD + 0xffc, 0);
    read32(GICC + 0xffc);
}

/* Another vCPU's function: it never ends. Its IRQs are masked. */
static void flood(void)
{
    unsigned cpu = cpu_index(), peer = cpu % parameters->flooders + 1;

    if (!rvic()) {
        write32(GICC_PMR, 0xff);
        write32(GICC_CTLR, 1);
    }
    for (;;) {
        if (parameters->work == FLOOD && rvic()) {
            flood_calls(cpu_mpidr(cpu), cpu_mpidr(peer));
        } else if (parameters->work == FLOOD) {
            flood_registers(cpu, peer);
        }
        atomic_store(&done[cpu], done[cpu] + 1);
    }
}

static uint64_t ticks_due(void)
{
    return (sysreg_read(cntvct_el0) - start) / ticks(TICK_US);
}

static void answer(void)
{
    while (uart_has_input()) {
        char c = uart_read(UART_DR);

        puts("@ ");
        putdec(taken);
        puts(" ");
        putdec(ticks_due());
        for (unsigned cpu = 1; c == 'q' && cpu <= parameters->flooders; cpu++) {
            puts(" ");
            putdec(atomic_load(&done[cpu]));
        }
        puts("\n");
        if (c == 'q') {
            system_off();
        }
    }
}

/* Whatever is late is taken one tick after the other. */
static void handle(uint64_t intid)
{
    if (intid == INTID_VIRTUAL_TIMER) {
        taken++;
        sysreg_write(cntv_cval_el0,
                     start + (taken + 1) * ticks(TICK_US));
    } else if (intid == INTID_UART) {
        answer();
    }
}

static void take_irq(struct frame *frame)
{
    uint64_t self = cpu_mpidr(0);

    (void)frame;
    if (rvic()) {
        struct result irq = hypercall(RVIC_ACKNOWLEDGE, 0, 0, 0);

        if (irq.x0 != RVIC_SUCCESS) {
            return;
        }
        handle(irq.x1);
        if (irq.x1 < RVIC_TRUSTED) {
            hypercall(RVIC_RESAMPLE, irq.x1, 0, 0);
        }
        hypercall(RVIC_CLEAR_MASKED, self, irq.x1, 0);
    } else {
        uint32_t irq = read32(GICC_IAR);

        handle(irq & 0x3ff);
        write32(GICC_EOIR, irq);
    }
}

static void set_up(void)
{
    uint64_t self = cpu_mpidr(0);

    if (rvic()) {
        hypercall(RVID_MAP, INPUT_UART, self, INTID_UART);
        hypercall(RVIC_CLEAR_MASKED, self, INTID_UART, 0);
        hypercall(RVIC_CLEAR_MASKED, self, INTID_VIRTUAL_TIMER, 0);
        hypercall(RVIC_ENABLE, 0, 0, 0);
    } else {
        write32(GICD_CTLR, 1);
        write32(GICD_ITARGETSR + INTID_UART / 4 * 4,
                1 << INTID_UART % 4 * 8);
        write32(GICD_ISENABLER, 1 << INTID_VIRTUAL_TIMER);
        write32(GICD_ISENABLER + INTID_UART / 32 * 4, 1 << INTID_UART % 32);
        write32(GICC_PMR, 0xff);
        write32(GICC_CTLR, 1);
    }
    uart_write(UART_CR, UART_CR_ENABLE);
    uart_write(UART_IMSC, UART_RXI | UART_RTI);
    start = sysreg_read(cntvct_el0);
    sysreg_write(cntv_cval_el0, start + ticks(TICK_US));
    sysreg_write(cntv_ctl_el0, 1);
}

void main(void)
{
    irq_hook = take_irq;
    set_up();
    for (unsigned cpu = 1; cpu <= parameters->flooders; cpu++) {
        if (cpu_on(cpu, flood)) {
            puts("CPU_ON failed\n");
            system_off();
        }
    }
    puts("READY\n");
    irq_unmask();
    for (;;) {
        wfi();
    }
}
