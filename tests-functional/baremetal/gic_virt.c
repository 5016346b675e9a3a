/*
 * Bare-metal guest at EL2: a GIC's interfaces, with a guest of its own at EL1
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "gic_virt.h"

/* Where QEMU's loader puts whether there is somebody to ask */
#define PARAMETERS              0x47000000

#define NAP_US                  50

#define ID_AA64PFR0_GIC(value)  ((value) >> 24 & 0xf)

const struct gic *gic;
unsigned num_cpus;
bool far_cpus;

/* volatile, as they come at any moment */
volatile unsigned irqs_at_el2, last_irq_at_el2;
void (*el2_irq)(unsigned intid);
static void (*el1_irq)(void);

/* The tests' vCPUs: how many jobs each was given, and has done */
static struct {
    /* volatile, as it comes from another one */
    void (*volatile job)(void);
    uint64_t given, done;
} cpus[FAR_CPU + FAR_CPUS];

/* Whether vCPUs without a job leave the GIC alone */
static uint64_t quiet;

static uint8_t el1_stack[STACK_SIZE] __attribute__((aligned(16)));

void gicd_enable(unsigned intid)
{
    if (intid >= SPI_FIRST) {
        uint64_t config = GICD + GICD_ICFGR + intid / 16 * 4;

        /* Edge-triggered, in the group that all are of */
        write32(config, read32(config) | 2u << intid % 16 * 2);
        if (gic->v3) {
            write32(gic->array(GICD_IGROUPR, intid),
                    read32(gic->array(GICD_IGROUPR, intid)) |
                    1u << intid % 32);
        }
        gic->route(intid, 0);
    }
    gic->set_priority(intid, 0x80);
    gicd_write_bit(GICD_ICPENDR, intid);
    gicd_write_bit(GICD_ICACTIVER, intid);
    gicd_write_bit(GICD_ISENABLER, intid);
}

void gicd_disable(unsigned intid)
{
    gicd_write_bit(GICD_ICENABLER, intid);
}

uint64_t at_el1(const char *code, uint64_t x0)
{
    uint64_t registers[31];

    registers[0] = x0;
    if (run_at_el1(code, SPSR_EL1H, registers) != ESR_HVC) {
        puts("unexpected exception of EL1: ELR_EL2 ");
        puthex(sysreg_read(elr_el2));
        puts(", ESR_EL2 ");
        puthex(sysreg_read(esr_el2));
        puts(", ESR_EL1 ");
        puthex(sysreg_read(esr_el1));
        puts(", ELR_EL1 ");
        puthex(sysreg_read(elr_el1));
        puts("\n");
        system_off();
    }
    return registers[0];
}

uint64_t taken_at_el1(uint64_t masked)
{
    uint64_t registers[31];
    uint64_t spsr = (SPSR_EL1H & ~(uint64_t)(PSTATE_I | PSTATE_F)) | masked;

    if (run_at_el1(el1_code("nop"), spsr, registers) == ESR_HVC) {
        return 0;
    }
    return sysreg_read(elr_el2) - 4 - (uint64_t)vectors_below_el2;
}

void call_at_el1(void (*function)(void), void (*irq)(void))
{
    el1_irq = irq;
    sysreg_write(vbar_el1, vectors_el1);
    sysreg_write(sp_el1, el1_stack + sizeof(el1_stack));
    at_el1(el1_code("blr x0"), (uint64_t)function);
    sysreg_write(vbar_el1, vectors_below_el2);
}

static void take_irq(struct frame *frame)
{
    uint32_t ack;

    (void)frame;
    if (current_el() == 1) {
        el1_irq();
        return;
    }
    ack = gic->phys_iar();
    last_irq_at_el2 = ack;
    irqs_at_el2++;
    (el2_irq ? el2_irq : gicd_disable)(ack);
    gic->phys_eoir(ack);
}

void reset_virtual(void)
{
    gic->set_hcr(0);
    for (unsigned n = 0; n < VTR_LISTREGS(gic->vtr()); n++) {
        gic->set_lr(n, (struct lr) { 0 });
    }
    gic->set_apr(0, 0);
    gic->set_apr(1, 0);
    gic->set_vmcr(0);
    gic->set_hcr(HCR_EN);
    gic->set_ctlr(false, false);
    gic->set_fiqen(true);
    gic->set_pmr(0xff);
    gic->enable_group(0, true);
    gic->enable_group(1, true);
}

static void set_up_cpu(void)
{
    sysreg_write(hcr_el2, HCR_EL2_RW | HCR_EL2_IMO | HCR_EL2_FMO);
    gic->init_cpu();
    reset_virtual();
}

static void do_nothing(void)
{
}

void be_quiet(bool on)
{
    atomic_store(&quiet, on);
    for (unsigned cpu = 1; cpu < num_cpus; cpu++) {
        on_cpu(cpu, do_nothing);
    }
}

/*
 * Sleeps until the timer wakes the vCPU: several that spin would be slow. IRQs
 * are masked, and the level is low again before anybody acknowledges it.
 */
static void nap(void)
{
    sysreg_write(cntv_cval_el0, sysreg_read(cntvct_el0) + ticks(NAP_US));
    sysreg_write(cntv_ctl_el0, 1);
    wfi();
    sysreg_write(cntv_ctl_el0, 0);
}

static void serve(void)
{
    unsigned self = cpu_index();

    set_up_cpu();
    gicd_enable(PPI_VIRTUAL_TIMER);
    /* Whatever is active, this comes through. */
    gic->set_priority(PPI_VIRTUAL_TIMER, 0);
    for (;;) {
        while (atomic_load(&cpus[self].given) == cpus[self].done) {
            if (atomic_load(&quiet)) {
                yield();
            } else {
                nap();
            }
        }
        barrier();
        cpus[self].job();
        atomic_store(&cpus[self].done, cpus[self].done + 1);
    }
}

void on_cpu(unsigned cpu, void (*function)(void))
{
    if (cpu == cpu_index()) {
        function();
        return;
    }
    cpus[cpu].job = function;
    atomic_add(&cpus[cpu].given, 1);
    while (atomic_load(&cpus[cpu].done) != cpus[cpu].given) {
        yield();
    }
}

static void start_cpus(void)
{
    for (num_cpus = 1; num_cpus < TEST_CPUS; num_cpus++) {
        if (cpu_on(num_cpus, serve) != 0) {
            break;
        }
    }
    far_cpus = gic->v3 && cpu_on(FAR_CPU, serve) == 0 &&
               cpu_on(FAR_CPU + 1, serve) == 0;
}

void ask_for(const char *what)
{
    if (!read32(PARAMETERS)) {
        return;
    }
    puts("ASK ");
    puts(what);
    puts("\n");
    while (!uart_has_input()) {
        yield();
    }
    uart_read(UART_DR);
}

static void run_tests(const struct test *test)
{
    for (; test->name; test++) {
        irqs_at_el2 = last_irq_at_el2 = 0;
        el2_irq = NULL;
        reset_virtual();
        test->run();
        verdict(test->name);
    }
}

void main(void)
{
    gic = ID_AA64PFR0_GIC(sysreg_read(id_aa64pfr0_el1)) ? &gicv3 : &gicv2;
    puts(gic->name);
    puts("\n");
    irq_hook = take_irq;
    gic->init();
    set_up_cpu();
    start_cpus();

    run_tests(virtual_tests);
    run_tests(guest_tests);
    run_tests(migration_tests);
    if (gic->v3) {
        run_tests(gicv3_virtual_tests);
        run_tests(gicv3_trap_tests);
        run_tests(gicv3_physical_tests);
        run_tests(gicv3_lpi_tests);
        if (far_cpus) {
            run_tests(gicv3_far_tests);
        }
    } else {
        run_tests(gicv2_tests);
    }
    puts("DONE\n");
}
