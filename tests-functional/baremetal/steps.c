/*
 * Bare-metal guest: calls of a guest that single-steps itself or what is below
 *
 * A debug exception has to come behind each instruction, also if that is a
 * call, and with what the call returned. What the syndrome says of a call is
 * that it was not the vCPU alone that executed it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "runtime.h"
#include "rvic.h"
#include "steps.h"

#define HCR_TSC         (1ull << 19)    /* SMC at EL1 traps to EL2 */
#define MDCR_TDE        (1ull << 8)     /* debug exceptions go to EL2 */
#define MDSCR_SS        (1ull << 0)     /* single-step */
#define MDSCR_KDE       (1ull << 13)    /* also where the exceptions go */

#define SPSR_SS         (1ull << 21)
#define SPSR_D          (1ull << 9)
#define SPSR_EL1        0x3c5           /* AArch64 EL1h, all masked */

#define ESR_HVC         0x5a000000
#define ESR_SMC         0x5e000000
/* Software step from a lower EL, with and without valid syndrome */
#define ESR_STEP        0xcb000022
#define ESR_STEP_CALL   0xca000022
/* Added if it is the same EL */
#define SAME_EL         (1ull << 26)
#define ESR_BRK(n)      (0xf2000000 | (n))

#define IPI             5
#define STEPS           12
#define REGISTERS       31

asm("       .text\n"
    "       .macro  calls conduit\n"
    "       mov     x0, x4\n"           /* 0 */
    "       mov     x1, x5\n"
    "       \\conduit #0\n"             /* 2: rVIC's */
    "       mov     x0, x6\n"
    "       \\conduit #0\n"             /* 4: PSCI's */
    "       mov     x0, x4\n"
    "       mov     x1, xzr\n"
    "       \\conduit #0\n"             /* 7: rVIC's */
    "       \\conduit #0\n"             /* 8: nobody's, right behind it */
    "       mov     x0, x7\n"
    "       \\conduit #0\n"             /* 10: rVIC's */
    "       nop\n"                      /* 11 */
    "       .endm\n"
    "       .macro  walk conduit\n"
    "       .global walk_\\conduit\n"
    "walk_\\conduit:\n"
    "       str     x0, [sp, #-16]!\n"
    "       ldp     x4, x5, [x0, #32]\n"
    "       ldp     x6, x7, [x0, #48]\n"
    "       brk     #0\n"
    "walk_\\conduit\\()_calls:\n"
    "       calls   \\conduit\n"
    "       brk     #1\n"
    "       mov     x8, x0\n"
    "       ldr     x0, [sp], #16\n"
    "       stp     x8, x1, [x0]\n"
    "       stp     x2, x3, [x0, #16]\n"
    "       stp     x4, x5, [x0, #32]\n"
    "       stp     x6, x7, [x0, #48]\n"
    "       ret\n"
    "       .endm\n"
    "       walk    hvc\n"
    "       walk    smc\n"
    "walk_below:\n"
    "       calls   smc\n"
    "       hvc     #0\n");

static uint64_t self;

/* What is known of each debug exception */
static struct step {
    uint64_t elr, esr, x0, x1;
} steps[STEPS + 1];
static unsigned count;

/* What the IRQ handler saw; volatile, as it comes at any moment */
static volatile struct {
    unsigned count;
    uint64_t elr, intid;
} irq;

static void remember(uint64_t elr, uint64_t esr, uint64_t x0, uint64_t x1)
{
    if (count < STEPS) {
        steps[count] = (struct step) { elr, esr, x0, x1 };
    }
    count++;
}

/* The first call asks for a number, PSCI for its version. */
static void expect_steps(const char *calls, uint64_t same_el, uint64_t last)
{
    static const struct {
        bool call;
        uint64_t x0, x1;
    } expected[STEPS] = {
        { false, RVIC_INFO, 0 },
        { false, RVIC_INFO, 1 },
        { true, RVIC_SUCCESS, RVIC_UNTRUSTED },
        { false, PSCI_VERSION, RVIC_UNTRUSTED },
        { true, 0x10001, RVIC_UNTRUSTED },
        { false, RVIC_INFO, RVIC_UNTRUSTED },
        { false, RVIC_INFO, 0 },
        { true, RVIC_SUCCESS, RVIC_TRUSTED },
        { true, NOT_SUPPORTED, RVIC_TRUSTED },
        { false, 0, RVIC_TRUSTED },
        { true, RVIC_SUCCESS, 0 },
        { false, RVIC_SUCCESS, 0 },
    };

    expect(count, STEPS);
    for (unsigned i = 0; i < STEPS; i++) {
        const struct step *step = &steps[i];

        expect(step->elr, (uint64_t)calls + 4 * (i + 1));
        expect(step->esr,
               (expected[i].call ? ESR_STEP_CALL : ESR_STEP) | same_el);
        expect(step->x0, i == 9 ? last : expected[i].x0);
        if (i > 0) {
            expect(step->x1, i < 10 ? expected[i].x1 :
                   last == RVIC_VERSION ? 3 : 0);
        }
    }
}

static void debug(struct frame *frame)
{
    switch (frame->esr) {
    case ESR_BRK(0):
        sysreg_write(mdscr_el1, MDSCR_SS | MDSCR_KDE);
        frame->spsr = (frame->spsr & ~SPSR_D) | SPSR_SS;
        frame->elr += 4;
        break;
    case ESR_BRK(1):
        sysreg_write(mdscr_el1, 0);
        frame->spsr |= SPSR_D;
        frame->elr += 4;
        break;
    case ESR_STEP | SAME_EL:
    case ESR_STEP_CALL | SAME_EL:
        remember(frame->elr, frame->esr, frame->x[0], frame->x[1]);
        frame->spsr |= SPSR_SS;
        break;
    default:
        handle_unexpected(frame);
    }
}

static void take(struct frame *frame)
{
    irq.count++;
    irq.elr = frame->elr;
    irq.intid = hypercall(RVIC_ACKNOWLEDGE, 0, 0, 0).x1;
}

/* The vCPU steps itself; the last call has no arguments. */
static void own_level(const char *name, uint64_t last)
{
    bool el2 = current_el() == 2;
    struct walk walk;

    walk.x[4] = RVIC_INFO;
    walk.x[5] = 1;
    walk.x[6] = PSCI_VERSION;
    walk.x[7] = last;
    count = 0;
    (el2 ? walk_smc : walk_hvc)(&walk);
    expect_steps(el2 ? walk_smc_calls : walk_hvc_calls, SAME_EL, last);
    expect(walk.x[0], RVIC_SUCCESS);
    expect(walk.x[4], RVIC_INFO);
    expect(walk.x[7], last);
    verdict(name);
}

/* The last call has an interrupt delivered: before or behind its step */
static void own_level_irq(void)
{
    const char *calls = current_el() == 2 ? walk_smc_calls : walk_hvc_calls;

    expect(hypercall(RVIC_ENABLE, 0, 0, 0).x0, RVIC_SUCCESS);
    expect(hypercall(RVIC_CLEAR_MASKED, self, IPI, 0).x0, RVIC_SUCCESS);
    expect(hypercall(RVIC_SIGNAL, self, IPI, 0).x0, RVIC_SUCCESS);
    expect(hypercall(RVIC_DISABLE, 0, 0, 0).x0, RVIC_SUCCESS);
    irq_unmask();
    own_level("step/interrupt", RVIC_ENABLE);
    irq_mask();
    expect(irq.count, 1);
    expect(irq.elr, (uint64_t)calls + 4 * 11);
    expect(irq.intid, IPI);
    verdict("step/interrupt-taken");
}

/* EL2 steps EL1. */
static void below(void)
{
    const uint64_t hcr = sysreg_read(hcr_el2);
    static uint64_t registers[REGISTERS];
    const char *code = walk_below;
    uint64_t spsr = SPSR_EL1, esr;

    sysreg_write(mdcr_el2, sysreg_read(mdcr_el2) | MDCR_TDE);
    sysreg_write(mdscr_el1, MDSCR_SS);
    registers[4] = RVIC_INFO;
    registers[5] = 1;
    registers[6] = PSCI_VERSION;
    registers[7] = RVIC_VERSION;
    count = 0;
    do {
        esr = run_at_el1(code, spsr | SPSR_SS, registers);
        code = (const char *)sysreg_read(elr_el2);
        spsr = sysreg_read(spsr_el2);
        if (esr != ESR_HVC) {
            remember((uint64_t)code, esr, registers[0], registers[1]);
        }
    } while (esr != ESR_HVC && count <= STEPS);
    expect_steps(walk_below, 0, RVIC_VERSION);
    expect((uint64_t)code, (uint64_t)walk_below + 4 * (STEPS + 1));
    verdict("step/el1");

    /* A trap comes instead of the instruction: the step is still to come. */
    sysreg_write(hcr_el2, hcr | HCR_TSC);
    registers[0] = RVIC_INFO;
    registers[1] = 1;
    expect(run_at_el1(walk_below + 4 * 2, SPSR_EL1 | SPSR_SS, registers),
           ESR_SMC);
    expect(sysreg_read(elr_el2), (uint64_t)walk_below + 4 * 2);
    expect(sysreg_read(spsr_el2), SPSR_EL1 | SPSR_SS);
    expect(registers[0], RVIC_INFO);
    expect(registers[1], 1);
    sysreg_write(hcr_el2, hcr);
    verdict("step/el1-trapped");

    sysreg_write(mdscr_el1, 0);
}

void main(void)
{
    irq_hook = take;
    sync_hook = debug;
    self = cpu_mpidr(cpu_index());

    puts(current_el() == 2 ? "EL2\n" : "EL1\n");
    /* No debug exceptions while the OS lock is set, as it is at reset */
    sysreg_write(oslar_el1, 0);
    if (current_el() == 2) {
        below();
    }
    own_level("step/calls", RVIC_VERSION);
    own_level("step/again", RVIC_VERSION);
    own_level_irq();
    puts("DONE\n");
}
