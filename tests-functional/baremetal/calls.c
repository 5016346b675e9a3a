/*
 * Bare-metal guest: hypercalls and interrupts of rVIC and rVID
 *
 * What it expects is in docs/specs/arm-rvic.rst. At EL2 it runs some checks
 * at EL1 as well, in both execution states. Where KVM answers for QEMU, what is
 * expected of calls that are not rVIC's is KVM's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "runtime.h"
#include "rvic.h"

#define HCR_TSC         (1ull << 19)    /* SMC at EL1 traps to EL2 */
#define HCR_RW          (1ull << 31)    /* EL1 is AArch64 */

#define SPSR_EL1        0x3c5           /* AArch64 EL1h, all masked */
#define SPSR_A32        0x1d3           /* AArch32 Supervisor, all masked */

/* ESR_ELx of instructions that are 32 bits wide and have the immediate 0 */
#define ESR_UNDEFINED   0x02000000
#define ESR_HVC_A32     0x4a000000
#define ESR_HVC         0x5a000000
#define ESR_SMC         0x5e000000

/* INTIDs without a line of their own */
#define IPI             5
#define UNTRUSTED       40

/* An interrupt that comes so often will not stop. */
#define STORM           100

#define REGISTERS       31

/* What a vCPU's IRQ handler saw. volatile, as it comes at any moment. */
static volatile struct seen {
    unsigned count;
    uint64_t status, intid;
} seen[2];

static uint64_t self;
static bool kvm;

static struct result call(uint64_t function, uint64_t arg1, uint64_t arg2)
{
    return hypercall(function, arg1, arg2, 0);
}

static uint64_t status(uint64_t function, uint64_t arg1, uint64_t arg2)
{
    return call(function, arg1, arg2).x0;
}

static void expect_result(struct result result, uint64_t x0, uint64_t x1)
{
    expect(result.x0, x0);
    expect(result.x1, x1);
    expect(result.x2, 0);
    expect(result.x3, 0);
}

static void expect_pending(uint64_t mpidr, uint64_t intid, bool pending)
{
    struct result result = call(RVIC_IS_PENDING, mpidr, intid);

    expect(result.x0, RVIC_SUCCESS);
    expect(result.x1, pending);
}

/*
 * Interrupts
 */

/* Acknowledges once only: the IRQ input has to fall by that alone. */
static void acknowledge(struct frame *frame)
{
    /* volatile like the array */
    volatile struct seen *mine = &seen[cpu_index()];
    struct result result = call(RVIC_ACKNOWLEDGE, 0, 0);

    mine->status = result.x0;
    mine->intid = result.x1;
    barrier();
    mine->count++;
    if (mine->count >= STORM) {
        frame->spsr |= PSTATE_I;
    }
}

static void forget(unsigned cpu)
{
    seen[cpu].count = 0;
    seen[cpu].status = seen[cpu].intid = -1;
    barrier();
}

/* There was one IRQ, of this INTID, and no other follows. */
static void expect_one(unsigned cpu, uint64_t intid)
{
    wait_until(seen[cpu].count);
    delay(500);
    expect(seen[cpu].count, 1);
    expect(seen[cpu].status, RVIC_SUCCESS);
    expect(seen[cpu].intid, intid);
}

static void expect_none(unsigned cpu)
{
    delay(500);
    expect(seen[cpu].count, 0);
}

static bool irq_is_pending(void)
{
    return sysreg_read(isr_el1) & PSTATE_I;
}

/*
 * Registers
 */

/* Registers before a call: all their bits have to survive. */
static void fill(uint64_t *registers, uint64_t function, uint64_t arg1,
                 uint64_t arg2, uint64_t arg3)
{
    registers[0] = function;
    registers[1] = arg1;
    registers[2] = arg2;
    registers[3] = arg3;
    for (unsigned i = 4; i < REGISTERS; i++) {
        registers[i] = 0xa5c3000096870000 + i * 0x100000001;
    }
}

static void expect_registers(const uint64_t *registers, uint64_t x0,
                             uint64_t x1, uint64_t x2, uint64_t x3)
{
    uint64_t filled[REGISTERS];

    fill(filled, x0, x1, x2, x3);
    for (unsigned i = 0; i < REGISTERS; i++) {
        expect(registers[i], filled[i]);
    }
}

/*
 * Discovery
 */

static void discovery(void)
{
    uint64_t registers[REGISTERS + 1];

    expect(status(PSCI_FEATURES, SMCCC_VERSION, 0), 0);
    verdict("discovery/psci-features-smccc-version");

    expect(status(SMCCC_VERSION, 0, 0), 0x10001);
    verdict("discovery/smccc-version");

    /* KVM answers only for what is optional. */
    expect(status(SMCCC_ARCH_FEATURES, SMCCC_VERSION, 0),
           kvm ? NOT_SUPPORTED : 0);
    expect(status(SMCCC_ARCH_FEATURES, SMCCC_ARCH_FEATURES, 0),
           kvm ? NOT_SUPPORTED : 0);
    verdict("discovery/smccc-arch-features");

    /* One that does not exist here, and ones that are not SMCCC's */
    if (!kvm) {
        expect(status(SMCCC_ARCH_FEATURES, 0x80008000, 0), NOT_SUPPORTED);
    }
    expect(status(SMCCC_ARCH_FEATURES, PSCI_VERSION, 0), NOT_SUPPORTED);
    expect(status(SMCCC_ARCH_FEATURES, RVIC_VERSION, 0), NOT_SUPPORTED);
    verdict("discovery/smccc-arch-features-other");

    expect(status(PSCI_FEATURES, PSCI_VERSION, 0), 0);
    expect(status(PSCI_FEATURES, PSCI_CPU_ON, 0), 0);
    expect(status(PSCI_FEATURES, PSCI_FEATURES, 0), 0);
    expect(status(PSCI_FEATURES, SMCCC_ARCH_FEATURES, 0), NOT_SUPPORTED);
    expect(status(PSCI_FEATURES, 0x84000005, 0), NOT_SUPPORTED);
    expect(status(PSCI_FEATURES, RVIC_VERSION, 0), NOT_SUPPORTED);
    verdict("discovery/psci-features-other");

    if (kvm) {
        /* Each kernel has its own 1.x. */
        expect(status(PSCI_VERSION, 0, 0) >> 16, 1);
    } else {
        expect(status(PSCI_VERSION, 0, 0), 0x10001);
    }
    verdict("discovery/psci-version");

    /* Arguments and results of these calls have 32 bits. */
    expect(status(0x1234567800000000 | SMCCC_VERSION, 0, 0), 0x10001);
    expect(status(PSCI_FEATURES, 0x1234567800000000 | SMCCC_VERSION, 0), 0);
    expect(status(SMCCC_ARCH_FEATURES, 0x1234567800000000 | SMCCC_VERSION, 0),
           kvm ? NOT_SUPPORTED : 0);
    verdict("discovery/upper-halves");

    /* What x1 to x3 are then is not specified. */
    fill(registers, SMCCC_VERSION, 1, 2, 3);
    hypercall_registers(registers, current_el() == 2);
    expect(registers[REGISTERS], 0);
    expect_registers(registers, 0x10001, registers[1], registers[2],
                     registers[3]);
    verdict("discovery/registers");
}

/*
 * Calling convention
 */

static uint64_t other_esr, other_count;

/* The instruction that is not the conduit: go on behind it. */
static void other_conduit(struct frame *frame)
{
    other_count++;
    other_esr = frame->esr;
    if (frame->esr == ESR_UNDEFINED) {
        frame->elr += 4;
    }
}

static void convention(void)
{
    const uint64_t junk = 0xdeadbeefcafef00d;
    const struct {
        uint64_t in[4];
        uint64_t x0, x1;
    } calls[] = {
        { { RVIC_VERSION, junk, junk, junk }, RVIC_SUCCESS, 3 },
        { { RVID_VERSION, junk, junk, junk }, RVIC_SUCCESS, 3 },
        { { RVIC_INFO, 0, junk, junk }, RVIC_SUCCESS, RVIC_TRUSTED },
        { { RVIC_INFO, 1, junk, junk }, RVIC_SUCCESS, RVIC_UNTRUSTED },
        { { RVIC_INFO, 2, junk, junk }, RVIC_ERROR_PARAMETER(0), 0 },
        { { RVIC_DISABLE, junk, junk, junk }, RVIC_SUCCESS, 0 },
        { { RVIC_SET_MASKED, self, IPI, junk }, RVIC_SUCCESS, 0 },
        { { RVIC_IS_PENDING, self, IPI, junk }, RVIC_SUCCESS, 0 },
        { { RVIC_CLEAR_PENDING, self, IPI, junk }, RVIC_SUCCESS, 0 },
        { { RVIC_SIGNAL, self, IPI, junk }, RVIC_DISABLED, 0 },
        { { RVIC_SIGNAL, junk, IPI, junk }, RVIC_INVALID_CPU(0), 0 },
        { { RVIC_SIGNAL, self, junk, junk }, RVIC_ERROR_PARAMETER(1), 0 },
        { { RVIC_ACKNOWLEDGE, junk, junk, junk }, RVIC_DISABLED, 0 },
        { { RVIC_RESAMPLE, IPI, junk, junk }, RVIC_SUCCESS, 0 },
        { { RVID_MAP, 0, self, UNTRUSTED }, RVIC_SUCCESS, 0 },
        { { RVID_MAP, 0, self, IPI }, RVIC_ERROR_PARAMETER(2), 0 },
        { { RVID_UNMAP, 0, junk, junk }, RVIC_SUCCESS, 0 },
    };
    const uint64_t bit32 = 1ull << 32, bit63 = 1ull << 63;
    uint64_t registers[REGISTERS + 1];
    bool smc = current_el() == 2;

    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        const uint64_t *in = calls[i].in;

        fill(registers, in[0], in[1], in[2], in[3]);
        hypercall_registers(registers, smc);
        expect_registers(registers, calls[i].x0, calls[i].x1, 0, 0);
        expect(registers[REGISTERS], 0);
    }
    verdict("convention/registers");

    expect_result(call(0x1234567800000000 | RVIC_VERSION, 0, 0), 0, 3);
    expect_result(call(0xffffffff00000000 | RVID_VERSION, 0, 0), 0, 3);
    expect_result(call(0xffffffff00000000 | RVIC_INFO, 0, 0), 0, RVIC_TRUSTED);
    verdict("convention/upper-half-of-x0");

    expect_result(call(RVIC_INFO, bit32, 0), RVIC_ERROR_PARAMETER(0), 0);
    expect_result(call(RVIC_INFO, bit63 | 1, 0), RVIC_ERROR_PARAMETER(0), 0);
    expect_result(call(RVIC_SET_MASKED, self, bit32), RVIC_ERROR_PARAMETER(1),
                  0);
    expect_result(call(RVIC_CLEAR_MASKED, self, bit63 | UNTRUSTED),
                  RVIC_ERROR_PARAMETER(1), 0);
    expect_result(call(RVIC_IS_PENDING, bit63 | self, 0),
                  RVIC_INVALID_CPU(0), 0);
    expect_result(call(RVIC_IS_PENDING, bit32 | self, 0),
                  RVIC_INVALID_CPU(0), 0);
    expect_result(call(RVIC_IS_PENDING, sysreg_read(mpidr_el1), 0),
                  RVIC_INVALID_CPU(0), 0);
    expect_result(call(RVIC_RESAMPLE, bit32, 0), RVIC_ERROR_PARAMETER(0), 0);
    expect_result(hypercall(RVID_MAP, bit32, self, UNTRUSTED),
                  RVIC_ERROR_PARAMETER(0), 0);
    expect_result(hypercall(RVID_MAP, 0, bit63 | self, UNTRUSTED),
                  RVIC_ERROR_PARAMETER(1), 0);
    expect_result(hypercall(RVID_MAP, 0, self, bit32 | UNTRUSTED),
                  RVIC_ERROR_PARAMETER(2), 0);
    expect_result(call(RVID_UNMAP, bit32, 0), RVIC_ERROR_PARAMETER(0), 0);
    verdict("convention/all-64-bits-of-arguments");

    for (uint64_t n = RVIC_RESAMPLE - RVIC_BASE + 1; n <= 0xff; n++) {
        expect_result(call(RVIC_BASE + n, self, IPI), NOT_SUPPORTED, 0);
    }
    verdict("convention/reserved-rvic");

    for (uint64_t n = RVID_UNMAP - RVID_BASE + 1; n <= 0xff; n++) {
        expect_result(call(RVID_BASE + n, self, IPI), NOT_SUPPORTED, 0);
    }
    verdict("convention/reserved-rvid");

    /* These are not rVIC's: QEMU changes x0 only, KVM clears x1 to x3. */
    for (unsigned i = 0; i < 2; i++) {
        uint64_t function = i ? RVIC_BASE + 0x100 : RVID_BASE - 1;

        fill(registers, function, junk, junk, junk);
        hypercall_registers(registers, smc);
        if (kvm) {
            expect_registers(registers, NOT_SUPPORTED, 0, 0, 0);
        } else {
            expect_registers(registers, NOT_SUPPORTED, junk, junk, junk);
        }
    }
    verdict("convention/outside-the-ranges");

    /*
     * SMC is undefined at EL1 without EL2, or a call that KVM knows; HVC at EL2
     * is an exception.
     */
    sync_hook = other_conduit;
    fill(registers, RVIC_VERSION, junk, junk, junk);
    hypercall_registers(registers, !smc);
    sync_hook = NULL;
    expect(other_count, !kvm);
    expect(other_esr, kvm ? 0 : smc ? ESR_HVC : ESR_UNDEFINED);
    expect_registers(registers, kvm ? NOT_SUPPORTED : RVIC_VERSION,
                     junk, junk, junk);
    verdict("convention/other-conduit");
}

/*
 * Interrupts of the own vCPU
 */

static void interrupts(void)
{
    forget(0);
    irq_unmask();

    expect(status(RVIC_CLEAR_MASKED, self, IPI), RVIC_SUCCESS);
    expect(status(RVIC_SIGNAL, self, IPI), RVIC_DISABLED);
    expect_none(0);
    verdict("irq/disabled");

    expect(status(RVIC_ENABLE, 0, 0), RVIC_SUCCESS);
    expect_none(0);
    expect(irq_is_pending(), 0);
    expect_result(call(RVIC_ACKNOWLEDGE, 0, 0), RVIC_NO_INTERRUPTS, 0);
    verdict("irq/enabled-without-signal");

    expect(status(RVIC_SIGNAL, self, IPI), RVIC_SUCCESS);
    expect_one(0, IPI);
    expect(irq_is_pending(), 0);
    expect_pending(self, IPI, false);
    verdict("irq/signal");

    /* ACKNOWLEDGE has masked it. */
    forget(0);
    expect(status(RVIC_SIGNAL, self, IPI), RVIC_SUCCESS);
    expect_none(0);
    expect_pending(self, IPI, true);
    expect(irq_is_pending(), 0);
    verdict("irq/masked-by-acknowledge");

    expect(status(RVIC_CLEAR_MASKED, self, IPI), RVIC_SUCCESS);
    expect_one(0, IPI);
    verdict("irq/clear-masked-redelivers");

    forget(0);
    expect(status(RVIC_CLEAR_MASKED, self, IPI), RVIC_SUCCESS);
    expect(status(RVIC_CLEAR_MASKED, self, UNTRUSTED), RVIC_SUCCESS);
    expect(status(RVIC_SIGNAL, self, UNTRUSTED), RVIC_SUCCESS);
    expect_one(0, UNTRUSTED);
    verdict("irq/signal-untrusted");

    irq_mask();
    forget(0);
    expect(status(RVIC_SIGNAL, self, IPI), RVIC_SUCCESS);
    expect_none(0);
    expect(irq_is_pending(), 1);
    expect_pending(self, IPI, true);
    verdict("irq/pending-in-isr");

    expect(status(RVIC_SET_MASKED, self, IPI), RVIC_SUCCESS);
    expect(irq_is_pending(), 0);
    expect(status(RVIC_CLEAR_MASKED, self, IPI), RVIC_SUCCESS);
    expect(irq_is_pending(), 1);
    expect(status(RVIC_DISABLE, 0, 0), RVIC_SUCCESS);
    expect(irq_is_pending(), 0);
    expect(status(RVIC_ENABLE, 0, 0), RVIC_SUCCESS);
    expect(irq_is_pending(), 1);
    verdict("irq/line-follows-masks");

    irq_unmask();
    expect_one(0, IPI);
    verdict("irq/taken-when-unmasked");

    /* Neither is passed over, and one is delivered after the other. */
    irq_mask();
    forget(0);
    expect(status(RVIC_CLEAR_MASKED, self, IPI), RVIC_SUCCESS);
    expect(status(RVIC_CLEAR_MASKED, self, UNTRUSTED), RVIC_SUCCESS);
    expect(status(RVIC_SIGNAL, self, IPI), RVIC_SUCCESS);
    expect(status(RVIC_SIGNAL, self, UNTRUSTED), RVIC_SUCCESS);
    irq_unmask();
    wait_until(seen[0].count >= 2);
    delay(500);
    expect(seen[0].count, 2);
    expect_pending(self, IPI, false);
    expect_pending(self, UNTRUSTED, false);
    expect(irq_is_pending(), 0);
    verdict("irq/two-at-once");
}

static void set_timer(unsigned us)
{
    sysreg_write(cntv_cval_el0, sysreg_read(cntvct_el0) + ticks(us));
    sysreg_write(cntv_ctl_el0, 1);
}

static void timer(void)
{
    const uint64_t intid = INTID_VIRTUAL_TIMER;

    forget(0);
    expect(status(RVIC_CLEAR_MASKED, self, intid), RVIC_SUCCESS);
    set_timer(1000);
    expect_one(0, intid);
    verdict("timer/fires");

    expect_pending(self, intid, false);
    expect(status(RVIC_RESAMPLE, intid, 0), RVIC_SUCCESS);
    expect_pending(self, intid, true);
    forget(0);
    expect(status(RVIC_CLEAR_MASKED, self, intid), RVIC_SUCCESS);
    expect_one(0, intid);
    verdict("timer/resample-high");

    sysreg_write(cntv_ctl_el0, 0);
    expect(status(RVIC_RESAMPLE, intid, 0), RVIC_SUCCESS);
    expect_pending(self, intid, false);
    forget(0);
    expect(status(RVIC_CLEAR_MASKED, self, intid), RVIC_SUCCESS);
    expect_none(0);
    verdict("timer/resample-low");

    set_timer(1000);
    expect_one(0, intid);
    sysreg_write(cntv_ctl_el0, 0);
    verdict("timer/fires-again");
}

static void level(void)
{
    const uint64_t intid = RVIC_TRUSTED + INPUT_UART;

    /* Whatever was printed left the UART's transmit interrupt asserted. */
    forget(0);
    expect(hypercall(RVID_MAP, INPUT_UART, self, intid).x0, RVIC_SUCCESS);
    expect(status(RVIC_CLEAR_MASKED, self, intid), RVIC_SUCCESS);
    expect_none(0);
    uart_write(UART_IMSC, UART_TXI);
    expect_one(0, intid);
    expect_pending(self, intid, true);
    forget(0);
    expect(status(RVIC_CLEAR_MASKED, self, intid), RVIC_SUCCESS);
    expect_one(0, intid);
    expect_pending(self, intid, true);
    uart_write(UART_ICR, UART_TXI);
    expect_pending(self, intid, false);
    forget(0);
    expect(status(RVIC_CLEAR_MASKED, self, intid), RVIC_SUCCESS);
    expect_none(0);
    uart_write(UART_IMSC, 0);
    verdict("level/while-high");

    /* Nobody acknowledges: the level comes and goes, as IRQ does. */
    irq_mask();
    forget(0);
    uart_write(UART_IMSC, UART_TXI);
    expect(irq_is_pending(), 1);
    expect(status(RVIC_CLEAR_PENDING, self, intid), RVIC_SUCCESS);
    expect(irq_is_pending(), 1);
    uart_write(UART_IMSC, 0);
    expect(irq_is_pending(), 0);
    expect(call(RVID_UNMAP, INPUT_UART, 0).x0, RVIC_SUCCESS);
    uart_write(UART_IMSC, UART_TXI);
    expect(irq_is_pending(), 0);
    uart_write(UART_IMSC, 0);
    irq_unmask();
    expect_none(0);
    verdict("level/falls");
}

static void msi(void)
{
    const uint64_t intid = 50, last = RVIC_UNTRUSTED - 1;

    forget(0);
    expect(status(RVIC_CLEAR_MASKED, self, intid), RVIC_SUCCESS);
    write32(RVID_DOORBELL, RVID_FIRST_MSI);
    expect_none(0);
    expect(hypercall(RVID_MAP, RVID_FIRST_MSI, self, intid).x0, RVIC_SUCCESS);
    expect_none(0);
    verdict("msi/unmapped");

    write32(RVID_DOORBELL, RVID_FIRST_MSI);
    expect_one(0, intid);
    expect_pending(self, intid, false);
    verdict("msi/doorbell");

    write32(RVID_DOORBELL, RVID_FIRST_MSI);
    expect_pending(self, intid, true);
    forget(0);
    expect(status(RVIC_CLEAR_MASKED, self, intid), RVIC_SUCCESS);
    expect_one(0, intid);
    verdict("msi/while-masked");

    forget(0);
    expect(status(RVIC_CLEAR_MASKED, self, intid), RVIC_SUCCESS);
    expect(hypercall(RVID_MAP, last, self, intid).x0, RVIC_SUCCESS);
    write32(RVID_DOORBELL, last);
    expect_one(0, intid);
    verdict("msi/last");

    /* Another offset, another width, a wired input, no input, unmapped */
    forget(0);
    expect(status(RVIC_CLEAR_MASKED, self, intid), RVIC_SUCCESS);
    expect(hypercall(RVID_MAP, 0, self, intid).x0, RVIC_SUCCESS);
    write32(RVID_DOORBELL + 4, RVID_FIRST_MSI);
    asm volatile("strh %w0, [%1]" : : "r" (RVID_FIRST_MSI),
                 "r" ((uint64_t)RVID_DOORBELL) : "memory");
    write32(RVID_DOORBELL, 0);
    write32(RVID_DOORBELL, RVIC_UNTRUSTED);
    expect(hypercall(RVID_UNMAP, last, 0, 0).x0, RVIC_SUCCESS);
    write32(RVID_DOORBELL, last);
    expect_none(0);
    expect_pending(self, intid, false);
    expect(read32(RVID_DOORBELL), 0);
    verdict("msi/ignored");
}

/*
 * The second vCPU: functions that it is switched on with, and what the first
 * vCPU does meanwhile
 */

/* volatile, since each vCPU waits for what the other writes */
static volatile struct {
    unsigned step;              /* how far it is */
    bool isr_at_start, isr;
    uint64_t pending, status;
} second;

static void reach(unsigned step)
{
    barrier();
    second.step = step;
}

/* Only the first vCPU gives up: it ends the guest for both. */
static void await(unsigned step)
{
    while (second.step != step) {
        /* wait */
    }
    barrier();
}

static void expect_step(unsigned step)
{
    wait_until(second.step >= step);
    expect(second.step, step);
}

static void expect_off(void)
{
    wait_until(cpu_is_off(1));
    expect(cpu_is_off(1), 1);
}

static void look_and_go(void)
{
    second.isr_at_start = irq_is_pending();
    second.pending = call(RVIC_IS_PENDING, cpu_mpidr(1), IPI).x1;
    reach(1);
}

static void prepare_and_go(void)
{
    second.status = status(RVIC_ENABLE, 0, 0);
    second.status |= status(RVIC_CLEAR_MASKED, cpu_mpidr(1), IPI);
    reach(2);
}

/* Makes no call before the IRQ: that might drive the line once more. */
static void take_and_wait(void)
{
    second.isr_at_start = irq_is_pending();
    irq_unmask();
    wait_at_most(1000000, seen[1].count);
    delay(500);
    irq_mask();
    reach(3);

    /* Woken by another vCPU, and the IRQ is taken */
    await(4);
    second.status = status(RVIC_CLEAR_MASKED, cpu_mpidr(1), IPI);
    irq_unmask();
    reach(5);
    wfi();
    reach(6);

    /* Woken with the IRQ masked */
    await(7);
    irq_mask();
    second.status = status(RVIC_CLEAR_MASKED, cpu_mpidr(1), IPI);
    reach(8);
    wfi();
    second.isr = irq_is_pending();
    reach(9);

    /* Woken by the own timer; an IRQ taken before WFI would not wake it. */
    await(10);
    second.status = status(RVIC_CLEAR_MASKED, cpu_mpidr(1),
                           INTID_VIRTUAL_TIMER);
    set_timer(10000);
    wfi();
    irq_unmask();
    wait_at_most(1000000, seen[1].count);
    sysreg_write(cntv_ctl_el0, 0);
    irq_mask();
    reach(11);
}

/* What is deliverable when it starts */
static void take_and_go(void)
{
    second.isr_at_start = irq_is_pending();
    irq_unmask();
    wait_at_most(1000000, seen[1].count);
    delay(500);
    irq_mask();
    reach(12);
}

static void start_to_take(uint64_t intid)
{
    reach(11);
    delay(1000);
    expect(cpu_is_off(1), 1);
    expect_pending(cpu_mpidr(1), intid, true);
    expect(cpu_on(1, take_and_go), 0);
    expect_step(12);
    expect(second.isr_at_start, 1);
    expect_one(1, intid);
    expect_off();
}

/* Interrupts of devices that come while the second vCPU is off */
static void input_while_off(void)
{
    const uint64_t other = cpu_mpidr(1);
    const uint64_t edge = 50, line = RVIC_TRUSTED + INPUT_UART;

    forget(1);
    expect(hypercall(RVID_MAP, RVID_FIRST_MSI, other, edge).x0, RVIC_SUCCESS);
    expect(status(RVIC_CLEAR_MASKED, other, edge), RVIC_SUCCESS);
    write32(RVID_DOORBELL, RVID_FIRST_MSI);
    start_to_take(edge);
    verdict("reset/msi-while-off");

    /* Whatever was printed left the UART's transmit interrupt asserted. */
    forget(1);
    expect(hypercall(RVID_MAP, INPUT_UART, other, line).x0, RVIC_SUCCESS);
    expect(status(RVIC_CLEAR_MASKED, other, line), RVIC_SUCCESS);
    uart_write(UART_IMSC, UART_TXI);
    start_to_take(line);
    uart_write(UART_IMSC, 0);
    expect(call(RVID_UNMAP, INPUT_UART, 0).x0, RVIC_SUCCESS);
    verdict("reset/level-while-off");
}

static void other_cpu(void)
{
    const uint64_t other = cpu_mpidr(1);
    unsigned signals = 0;

    /* Its instance is disabled, so a signal before it runs is lost. */
    forget(1);
    expect(status(RVIC_CLEAR_MASKED, other, IPI), RVIC_SUCCESS);
    expect(status(RVIC_SIGNAL, other, IPI), RVIC_DISABLED);
    expect(cpu_is_off(1), 1);
    expect(cpu_on(1, look_and_go), 0);
    expect_step(1);
    expect(second.isr_at_start, 0);
    expect(second.pending, 0);
    expect_off();
    verdict("reset/first-start");

    /* Enabled, it takes a signal while its vCPU is off. */
    expect(cpu_on(1, prepare_and_go), 0);
    expect_step(2);
    expect(second.status, RVIC_SUCCESS);
    expect_off();
    expect(status(RVIC_SIGNAL, other, IPI), RVIC_SUCCESS);
    delay(1000);
    expect(cpu_is_off(1), 1);
    expect_pending(other, IPI, true);
    verdict("reset/signal-while-off");

    expect(cpu_on(1, take_and_wait), 0);
    expect_step(3);
    expect(second.isr_at_start, 1);
    verdict("reset/line-is-driven");

    expect(seen[1].count, 1);
    expect(seen[1].status, RVIC_SUCCESS);
    expect(seen[1].intid, IPI);
    verdict("reset/irq-is-taken");

    forget(1);
    reach(4);
    expect_step(5);
    delay(5000);
    expect(second.step, 5);
    /* On a busy host an IRQ may come just before WFI: the next one wakes. */
    do {
        expect(status(RVIC_CLEAR_MASKED, other, IPI), RVIC_SUCCESS);
        expect(status(RVIC_SIGNAL, other, IPI), RVIC_SUCCESS);
        signals++;
        wait_at_most(1000000, second.step == 6 && seen[1].count == signals);
    } while (second.step == 5 && signals < 4);
    expect(second.step, 6);
    expect(second.status, RVIC_SUCCESS);
    expect(seen[1].count, signals);
    expect(seen[1].status, RVIC_SUCCESS);
    expect(seen[1].intid, IPI);
    verdict("wfi/signal");

    forget(1);
    reach(7);
    expect_step(8);
    delay(5000);
    expect(second.step, 8);
    expect(status(RVIC_SIGNAL, other, IPI), RVIC_SUCCESS);
    expect_step(9);
    expect(second.isr, 1);
    expect(second.status, RVIC_SUCCESS);
    expect_none(1);
    /* The IRQ that is left is the first vCPU's to take back. */
    expect(status(RVIC_CLEAR_PENDING, other, IPI), RVIC_SUCCESS);
    verdict("wfi/irq-masked");

    forget(1);
    reach(10);
    expect_step(11);
    expect_one(1, INTID_VIRTUAL_TIMER);
    expect(second.status, RVIC_SUCCESS);
    expect_off();
    verdict("wfi/timer");
}

/*
 * EL1 under our EL2
 */

static void below_el2(void)
{
    const uint64_t junk = 0xdeadbeefcafef00d;
    const uint64_t hcr = sysreg_read(hcr_el2);
    uint64_t registers[REGISTERS];

    fill(registers, RVIC_INFO, 1, junk, junk);
    expect(run_at_el1(smc_then_hvc, SPSR_EL1, registers), ESR_HVC);
    expect_registers(registers, RVIC_SUCCESS, RVIC_UNTRUSTED, 0, 0);
    fill(registers, RVID_VERSION, junk, junk, junk);
    expect(run_at_el1(smc_then_hvc, SPSR_EL1, registers), ESR_HVC);
    expect_registers(registers, RVIC_SUCCESS, 3, 0, 0);
    fill(registers, RVIC_BASE + 0xff, junk, junk, junk);
    expect(run_at_el1(smc_then_hvc, SPSR_EL1, registers), ESR_HVC);
    expect_registers(registers, NOT_SUPPORTED, 0, 0, 0);
    verdict("el1/smc");

    fill(registers, PSCI_FEATURES, SMCCC_VERSION, 0, 0);
    expect(run_at_el1(smc_then_hvc, SPSR_EL1, registers), ESR_HVC);
    expect(registers[0], 0);
    fill(registers, SMCCC_VERSION, 0, 0, 0);
    expect(run_at_el1(smc_then_hvc, SPSR_EL1, registers), ESR_HVC);
    expect(registers[0], 0x10001);
    verdict("el1/smccc-version");

    sysreg_write(hcr_el2, hcr | HCR_TSC);
    fill(registers, RVIC_VERSION, junk, junk, junk);
    expect(run_at_el1(smc_then_hvc, SPSR_EL1, registers), ESR_SMC);
    expect_registers(registers, RVIC_VERSION, junk, junk, junk);
    sysreg_write(hcr_el2, hcr);
    verdict("el1/smc-trapped");

    /* Only the conduit makes calls: an HVC is EL2's. */
    fill(registers, RVIC_VERSION, junk, junk, junk);
    expect(run_at_el1(smc_then_hvc + 4, SPSR_EL1, registers), ESR_HVC);
    expect_registers(registers, RVIC_VERSION, junk, junk, junk);
    verdict("el1/hvc");
}

/* A call from AArch32 state; only r0 to r3 are of interest. */
static void expect_a32(uint32_t function, uint32_t arg1, uint32_t arg2,
                       uint32_t r0, bool ours)
{
    uint64_t registers[REGISTERS];

    fill(registers, function, arg1, arg2, 0x33333333);
    expect(run_at_el1(smc_then_hvc_a32, SPSR_A32, registers), ESR_HVC_A32);
    expect((uint32_t)registers[0], r0);
    if (ours) {
        expect((uint32_t)registers[1], 0);
        expect((uint32_t)registers[2], 0);
        expect((uint32_t)registers[3], 0);
    }
    for (unsigned i = 4; i <= 12; i++) {
        expect((uint32_t)registers[i], 0x96870000 + i);
    }
}

static void aarch32(void)
{
    const uint32_t refused = (uint32_t)NOT_SUPPORTED;
    const uint64_t hcr = sysreg_read(hcr_el2);

    expect(status(RVIC_SET_MASKED, self, IPI), RVIC_SUCCESS);
    expect(status(RVIC_CLEAR_PENDING, self, IPI), RVIC_SUCCESS);
    sysreg_write(hcr_el2, hcr & ~HCR_RW);

    expect_a32(RVIC_VERSION, 1, 2, refused, true);
    expect_a32(RVIC_INFO, 1, 2, refused, true);
    expect_a32(RVIC_BASE + 0xff, 1, 2, refused, true);
    expect_a32(RVIC_SIGNAL, self, IPI, refused, true);
    expect_pending(self, IPI, false);
    verdict("aarch32/rvic");

    expect_a32(RVID_VERSION, 1, 2, refused, true);
    expect_a32(RVID_UNMAP, 1, 2, refused, true);
    expect_a32(RVID_BASE + 0xff, 1, 2, refused, true);
    verdict("aarch32/rvid");

    expect_a32(PSCI_FEATURES, SMCCC_VERSION, 2, 0, false);
    expect_a32(SMCCC_VERSION, 1, 2, 0x10001, false);
    expect_a32(SMCCC_ARCH_FEATURES, SMCCC_VERSION, 2, 0, false);
    expect_a32(SMCCC_ARCH_FEATURES, RVIC_VERSION, 2, refused, false);
    expect_a32(PSCI_VERSION, 1, 2, 0x10001, false);
    verdict("aarch32/smccc");

    sysreg_write(hcr_el2, hcr);
}

void main(void)
{
    irq_hook = acknowledge;
    self = cpu_mpidr(cpu_index());
    kvm = status(VENDOR_UID, 0, 0) == VENDOR_UID_KVM;

    puts(current_el() == 2 ? "EL2\n" : "EL1\n");
    discovery();
    convention();
    interrupts();
    timer();
    level();
    msi();
    other_cpu();
    input_while_off();
    irq_mask();
    if (current_el() == 2) {
        below_el2();
        aarch32();
    }
    puts("DONE\n");
}
