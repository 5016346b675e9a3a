/*
 * Bare-metal guest: where in the code a call may be
 *
 * QEMU executes a call within the block of translated code that it ends. So
 * calls are tried at all positions in a page, in chains of blocks, in code that
 * changes, with and without the MMU, and beside calls that leave the block. An
 * interrupt that a call raises has to be taken right behind it.
 *
 * Nothing here depends on time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "runtime.h"
#include "rvic.h"

#define INSN_NOP        0xd503201f
#define INSN_HVC        0xd4000002
#define INSN_SMC        0xd4000003
/* What write_code() replaces by HVC or SMC, the conduit's */
#define INSN_CALL       0
#define INSN_RET        0xd65f03c0
#define INSN_BTI_C      0xd503245f
#define INSN_ADD_X4(n)  (0x91000084 | (n) << 10)        /* add x4, x4, #n */
#define INSN_MOV(d, m)  (0xaa0003e0 | (m) << 16 | (d))  /* mov xd, xm */
#define INSN_SUBS_X7    0xf10004e7                      /* subs x7, x7, #1 */
/* b.ne, so many instructions back */
#define INSN_BNE(back)  (0x54000001 | (-(back) & 0x7ffff) << 5)

#define PAGE            4096
#define WORDS           (PAGE / 4)
#define GIB             (1ull << 30)

#define SPSR_BTYPE      (3 << 10)
#define ESR_CLASS(esr)  ((esr) >> 26)
#define CLASS_BTI       0x0d

/* INTIDs without a line of their own */
#define IPI             5
#define UNTRUSTED       40
#define LEVEL           (RVIC_TRUSTED + INPUT_UART)

/* More than once: a block is chained to the next only when both are known */
#define ROUNDS          6
#define LOOPS           500

/* Two pages, written at run time */
static uint32_t code[2 * WORDS] __attribute__((aligned(PAGE)));

/*
 * With the MMU on, RAM is at three addresses: its own, another, and a third
 * where a branch has to lead to a landing pad.
 */
static uint64_t translation[512] __attribute__((aligned(PAGE)));
#define ALIAS           GIB
#define GUARDED         (2 * GIB)

static uint64_t self;
static uint32_t conduit;

/* What the IRQ handler saw; volatile, as it comes at any moment */
static volatile struct {
    uint64_t count, elr, spsr, x0, x1, status, intid;
} irq;

/* And what the handler of other exceptions saw, volatile likewise */
static volatile struct {
    uint64_t count, elr, esr;
} sync;

/*
 * Branches to code with x0 to x7 from the array, puts there what they are then.
 * BR makes PSTATE.BTYPE 1.
 */
static void __attribute__((noinline)) run(const uint32_t *start,
                                          uint64_t registers[8])
{
    register uint64_t x0 asm("x0") = registers[0];
    register uint64_t x1 asm("x1") = registers[1];
    register uint64_t x2 asm("x2") = registers[2];
    register uint64_t x3 asm("x3") = registers[3];
    register uint64_t x4 asm("x4") = registers[4];
    register uint64_t x5 asm("x5") = registers[5];
    register uint64_t x6 asm("x6") = registers[6];
    register uint64_t x7 asm("x7") = registers[7];
    register const uint32_t *x16 asm("x16") = start;

    asm volatile("adr x30, 1f\n\tbr x16\n1:"
                 : "+r" (x0), "+r" (x1), "+r" (x2), "+r" (x3),
                   "+r" (x4), "+r" (x5), "+r" (x6), "+r" (x7), "+r" (x16)
                 : : "x17", "x30", "cc", "memory");
    registers[0] = x0;
    registers[1] = x1;
    registers[2] = x2;
    registers[3] = x3;
    registers[4] = x4;
    registers[5] = x5;
    registers[6] = x6;
    registers[7] = x7;
}

static uint64_t status(uint64_t function, uint64_t arg1, uint64_t arg2)
{
    return hypercall(function, arg1, arg2, 0).x0;
}

/* Names a check by two words. */
static void verdict_of(const char *group, const char *name)
{
    char text[64], *p = text;

    while (*group) {
        *p++ = *group++;
    }
    *p++ = '/';
    do {
        *p++ = *name;
    } while (*name++);
    verdict(text);
}

static void take(struct frame *frame)
{
    struct result result = hypercall(RVIC_ACKNOWLEDGE, 0, 0, 0);

    irq.count++;
    irq.elr = frame->elr;
    irq.spsr = frame->spsr;
    irq.x0 = frame->x[0];
    irq.x1 = frame->x[1];
    irq.status = result.x0;
    irq.intid = result.x1;
}

/* Leaves the code that was run, like its RET */
static void refuse(struct frame *frame)
{
    sync.count++;
    sync.elr = frame->elr;
    sync.esr = frame->esr;
    frame->elr = frame->x[30];
    frame->spsr &= ~(uint64_t)SPSR_BTYPE;
}

/* Other instructions, as other vCPUs and QEMU see them */
static void write_code(uint32_t *where, const uint32_t *insns, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        write32((uint64_t)&where[i], insns[i] ?: conduit);
        asm volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0\n\tdsb ish"
                     : : "r" (&where[i]) : "memory");
    }
    asm volatile("isb" : : : "memory");
}

static uint32_t *at(uint32_t *where, uint64_t offset)
{
    return (uint32_t *)((uint64_t)where + offset);
}

/*
 * Interrupts that a call raises
 */

static void unmasked(uint64_t intid)
{
    expect(status(RVIC_CLEAR_MASKED, self, intid), RVIC_SUCCESS);
}

static void masked_and_pending(uint64_t intid)
{
    expect(status(RVIC_SET_MASKED, self, intid), RVIC_SUCCESS);
    expect(status(RVIC_SIGNAL, self, intid), RVIC_SUCCESS);
}

static void disabled(uint64_t intid)
{
    masked_and_pending(intid);
    expect(status(RVIC_DISABLE, 0, 0), RVIC_SUCCESS);
    unmasked(intid);
}

/* The line is high, and nothing is pending. */
static void taken_line(uint64_t intid)
{
    expect(status(RVIC_SET_MASKED, self, intid), RVIC_SUCCESS);
    sysreg_write(cntv_cval_el0, 0);
    sysreg_write(cntv_ctl_el0, 1);
    expect(status(RVIC_CLEAR_PENDING, self, intid), RVIC_SUCCESS);
    unmasked(intid);
}

static void disabled_line(uint64_t intid)
{
    expect(status(RVIC_DISABLE, 0, 0), RVIC_SUCCESS);
    taken_line(intid);
}

/* Whatever was printed left the UART's transmit interrupt asserted. */
static void high_input(uint64_t intid)
{
    uart_write(UART_IMSC, UART_TXI);
    unmasked(intid);
}

static const struct way {
    const char *name;
    void (*prepare)(uint64_t intid);
    uint64_t function, args, intid;
} ways[] = {
    { "signal", unmasked, RVIC_SIGNAL, 2, IPI },
    { "signal-untrusted", unmasked, RVIC_SIGNAL, 2, UNTRUSTED },
    { "clear-masked", masked_and_pending, RVIC_CLEAR_MASKED, 2, IPI },
    { "enable", disabled, RVIC_ENABLE, 0, IPI },
    { "enable-line", disabled_line, RVIC_ENABLE, 0, INTID_VIRTUAL_TIMER },
    { "resample", taken_line, RVIC_RESAMPLE, 1, INTID_VIRTUAL_TIMER },
    { "map", high_input, RVID_MAP, 3, LEVEL },
};

static void try_way(const struct way *way, const uint32_t *start,
                    const uint32_t *behind)
{
    uint64_t registers[8] = { way->function };

    switch (way->args) {
    case 1:
        registers[1] = way->intid;
        break;
    case 2:
        registers[1] = self;
        registers[2] = way->intid;
        break;
    case 3:
        registers[1] = INPUT_UART;
        registers[2] = self;
        registers[3] = way->intid;
        break;
    }

    way->prepare(way->intid);
    expect(sysreg_read(isr_el1) & PSTATE_I, 0);
    irq.count = 0;
    irq_unmask();
    run(start, registers);
    irq_mask();

    expect(irq.count, 1);
    expect(irq.elr, (uint64_t)behind);
    expect(irq.spsr & SPSR_BTYPE, 0);
    expect(irq.x0, RVIC_SUCCESS);
    expect(irq.x1, 0);
    expect(irq.status, RVIC_SUCCESS);
    expect(irq.intid, way->intid);
    for (unsigned i = 0; i < 4; i++) {
        expect(registers[i], 0);
    }
    /* Each instruction behind the call once */
    expect(registers[4], 3);

    sysreg_write(cntv_ctl_el0, 0);
    uart_write(UART_IMSC, 0);
    expect(status(RVID_UNMAP, INPUT_UART, 0), RVIC_SUCCESS);
}

/*
 * All ways, at a place: so many instructions before the call are in the same
 * page.
 */
static void raise(const char *place, unsigned offset, unsigned before,
                  uint64_t alias)
{
    static const uint32_t insns[] = {
        INSN_NOP, INSN_NOP, INSN_CALL, INSN_ADD_X4(1), INSN_ADD_X4(2), INSN_RET,
    };
    uint32_t *start = code + offset - 2;

    write_code(start, insns, ARRAY_SIZE(insns));
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        for (unsigned round = 0; round < ROUNDS; round++) {
            /* In turn, as the same code may be translated for both */
            uint64_t base = round % 2 ? alias : 0;

            try_way(&ways[i], at(start + 2 - before, base),
                    at(start + 3, base));
        }
        verdict_of(place, ways[i].name);
    }
}

/*
 * Calls that raise nothing
 */

/* Runs code with x0 and x1 and 0 in the others but x5 to x7. */
static void expect_run(const uint32_t *start, uint64_t x0, uint64_t x1,
                       uint64_t out0, uint64_t out1, uint64_t out4)
{
    uint64_t registers[8] = { x0, x1, 0, 0, 0, 0, 0, 0 };

    run(start, registers);
    expect(registers[0], out0);
    expect(registers[1], out1);
    expect(registers[4], out4);
}

/* The same instruction makes calls of rVIC and of others, in either order. */
static void mixed(void)
{
    static const uint32_t insns[] = {
        INSN_NOP, INSN_CALL, INSN_ADD_X4(1), INSN_RET,
    };
    static const unsigned offsets[] = { 16, WORDS - 2 };

    for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
        uint32_t *start = code + offsets[i];

        for (unsigned first = 0; first < 2; first++) {
            /* Translated anew */
            write_code(start, insns, ARRAY_SIZE(insns));
            for (unsigned round = first; round < ROUNDS; round++) {
                if (round % 2) {
                    expect_run(start, PSCI_VERSION, 7, 0x10001, 7, 1);
                    expect_run(start, SMCCC_VERSION, 7, 0x10001, 7, 1);
                    expect_run(start, RVIC_BASE + 0x100, 7, NOT_SUPPORTED, 7,
                               1);
                } else {
                    expect_run(start, RVIC_VERSION, 7, RVIC_SUCCESS, 3, 1);
                    expect_run(start, RVID_VERSION, 7, RVIC_SUCCESS, 3, 1);
                    expect_run(start, RVIC_INFO, 1, RVIC_SUCCESS,
                               RVIC_UNTRUSTED, 1);
                }
            }
        }
    }
    verdict("calls/mixed");
}

/* A status is no call, nor is what comes of that. */
static void back_to_back(void)
{
    static const uint32_t insns[] = {
        INSN_CALL, INSN_CALL, INSN_ADD_X4(1), INSN_CALL,
        INSN_MOV(0, 5), INSN_CALL, INSN_MOV(0, 5), INSN_CALL,
        INSN_ADD_X4(2), INSN_RET,
    };

    write_code(code, insns, ARRAY_SIZE(insns));
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t registers[8] = { 0 };

        registers[0] = registers[5] = RVIC_INFO;
        run(code, registers);
        /* The first one's value is a wrong key, for which the value is 0. */
        expect(registers[0], RVIC_SUCCESS);
        expect(registers[1], RVIC_TRUSTED);
        expect(registers[4], 3);
        expect_run(code + 1, RVIC_VERSION, 7, NOT_SUPPORTED, 3, 3);
    }
    verdict("calls/back-to-back");
}

/* A loop over one call; which starts in one page and goes on in the next */
static void loop(void)
{
    static const uint32_t insns[] = {
        INSN_MOV(0, 5), INSN_MOV(1, 6), INSN_CALL, INSN_ADD_X4(1), INSN_SUBS_X7,
        INSN_BNE(5), INSN_RET,
    };

    for (unsigned offset = WORDS - ARRAY_SIZE(insns); offset <= WORDS;
         offset++) {
        uint64_t registers[8] = { 0 };

        registers[5] = RVIC_INFO;
        registers[6] = 1;
        registers[7] = LOOPS;
        write_code(code + offset, insns, ARRAY_SIZE(insns));
        run(code + offset, registers);
        expect(registers[0], RVIC_SUCCESS);
        expect(registers[1], RVIC_UNTRUSTED);
        expect(registers[4], LOOPS);
        expect(registers[7], 0);
    }
    verdict("calls/loop");
}

/* The call becomes another instruction and back, and so does the next one. */
static void patched(void)
{
    static const uint32_t insns[] = {
        INSN_NOP, INSN_CALL, INSN_ADD_X4(1), INSN_RET,
    };
    static const unsigned offsets[] = { 16, WORDS - 3, WORDS - 2 };
    static const uint32_t nop = INSN_NOP, two = INSN_ADD_X4(2);

    for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
        uint32_t *start = code + offsets[i];

        write_code(start, insns, ARRAY_SIZE(insns));
        for (unsigned round = 0; round < ROUNDS; round++) {
            expect_run(start, RVIC_VERSION, 7, RVIC_SUCCESS, 3, 1);
            expect_run(start, RVIC_VERSION, 7, RVIC_SUCCESS, 3, 1);
            write_code(start + 2, &two, 1);
            expect_run(start, RVIC_VERSION, 7, RVIC_SUCCESS, 3, 2);
            write_code(start + 1, &nop, 1);
            expect_run(start, RVIC_VERSION, 7, RVIC_VERSION, 7, 2);
            write_code(start + 1, &insns[1], 2);
        }
    }
    verdict("calls/patched");
}

/*
 * With the MMU on
 */

/* 4 KiB granule, blocks of 1 GiB, 39 bits of addresses; caches on */
static void mmu_on(bool el2)
{
    const uint64_t block = 1, shared = 3 << 8, accessed = 1 << 10;
    const uint64_t normal = 1 << 2, guarded = 1ull << 50;
    /* Without EL0, bit 6 is reserved and 1. */
    const uint64_t all = block | shared | accessed | el2 << 6;

    translation[0] = all;
    translation[1] = translation[2] = GIB | normal | all;
    translation[3] = GIB | normal | guarded | all;
    if (el2) {
        asm volatile("tlbi alle2\n\tdsb sy\n\tisb" : : : "memory");
        use_translation(el2, translation, 1ull << 31 | 1ull << 23);
    } else {
        asm volatile("tlbi vmalle1\n\tdsb sy\n\tisb" : : : "memory");
        use_translation(el1, translation, 1ull << 23);
    }
}

/* A branch to the call itself is no good there: no call is made. */
static void landing_pads(void)
{
    static const uint32_t insns[] = {
        INSN_BTI_C, INSN_CALL, INSN_ADD_X4(1), INSN_RET,
    };
    uint32_t *start = at(code, GUARDED);

    expect(status(RVIC_SET_MASKED, self, IPI), RVIC_SUCCESS);
    expect(status(RVIC_CLEAR_PENDING, self, IPI), RVIC_SUCCESS);
    write_code(code, insns, ARRAY_SIZE(insns));
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t registers[8] = { RVIC_SIGNAL, self, IPI };

        sync.count = 0;
        run(start + 1, registers);
        expect(sync.count, 1);
        expect(sync.elr, (uint64_t)(start + 1));
        expect(ESR_CLASS(sync.esr), CLASS_BTI);
        expect(registers[0], RVIC_SIGNAL);
        expect(hypercall(RVIC_IS_PENDING, self, IPI, 0).x1, 0);

        sync.count = 0;
        expect_run(start, RVIC_VERSION, 7, RVIC_SUCCESS, 3, 1);
        expect(sync.count, 0);
    }
    verdict("calls/landing-pads");
}

void main(void)
{
    bool el2 = current_el() == 2;

    irq_hook = take;
    sync_hook = refuse;
    self = cpu_mpidr(cpu_index());
    conduit = el2 ? INSN_SMC : INSN_HVC;

    puts(el2 ? "EL2\n" : "EL1\n");
    expect(status(RVIC_ENABLE, 0, 0), RVIC_SUCCESS);
    raise("middle", 100, 2, 0);
    raise("first", WORDS, 0, 0);
    raise("last", WORDS - 1, 2, 0);
    mixed();
    back_to_back();
    loop();
    patched();
    expect(sync.count, 0);
    mmu_on(el2);
    raise("mmu-middle", 100, 2, ALIAS);
    raise("mmu-first", WORDS, 0, ALIAS);
    raise("mmu-last", WORDS - 1, 2, ALIAS);
    landing_pads();
    puts("DONE\n");
}
