/*
 * Bare-metal guest at EL2: which accesses to GICv3's registers go to EL2
 *
 * Arm IHI 0069: the accessibility of each register, and ICH_HCR_EL2's TC,
 * TALL0, TALL1 and TDIR. The syndrome is that of a trapped MSR or MRS (Arm DDI
 * 0487, ESR_EL2, EC 0x18).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "gic_virt.h"

#define HCR_EL2_BITS            (HCR_EL2_RW | HCR_EL2_IMO | HCR_EL2_FMO)

/* Where an undefined instruction goes, in EL1's vector table */
#define VECTOR_SYNC             0x200
#define VECTOR_SYNC_EL0         0x400

/* Behind UNDEFINED, in ESR_ELx */
#define ESR_IL                  (1u << 25)

/* Each register: what traps it, and code that reads and writes it */
static struct access {
    const char *encoding;       /* S<op0>_<op1>_C<n>_C<m>_<op2> */
    uint32_t trap;              /* ICH_HCR_EL2's bits */
    const char *read, *write;   /* or NULL */
} accesses[32];

static unsigned num_accesses;

/* A name as it is after its #define */
#define ENCODING(name)  STRINGIFY(name)

#define add(name, traps, read_code, write_code) do {                    \
    accesses[num_accesses++] = (struct access) {                        \
        ENCODING(name), traps, read_code, write_code                    \
    };                                                                  \
} while (0)

#define add_rw(name, traps)                                             \
    add(name, traps, el1_code("mrs x5, " STRINGIFY(name)),              \
        el1_code("msr " STRINGIFY(name) ", x5"))
#define add_ro(name, traps)                                             \
    add(name, traps, el1_code("mrs x5, " STRINGIFY(name)), NULL)
#define add_wo(name, traps)                                             \
    add(name, traps, NULL, el1_code("msr " STRINGIFY(name) ", x5"))

static void list_registers(void)
{
    num_accesses = 0;
    add_ro(ICC_IAR0_EL1, HCR_TALL0);
    add_wo(ICC_EOIR0_EL1, HCR_TALL0);
    add_ro(ICC_HPPIR0_EL1, HCR_TALL0);
    add_rw(ICC_BPR0_EL1, HCR_TALL0);
    add_rw(ICC_AP0R0_EL1, HCR_TALL0);
    add_rw(ICC_IGRPEN0_EL1, HCR_TALL0);
    add_ro(ICC_IAR1_EL1, HCR_TALL1);
    add_wo(ICC_EOIR1_EL1, HCR_TALL1);
    add_ro(ICC_HPPIR1_EL1, HCR_TALL1);
    add_rw(ICC_BPR1_EL1, HCR_TALL1);
    add_rw(ICC_AP1R0_EL1, HCR_TALL1);
    add_rw(ICC_IGRPEN1_EL1, HCR_TALL1);
    add_rw(ICC_PMR_EL1, HCR_TC);
    add_rw(ICC_CTLR_EL1, HCR_TC);
    add_ro(ICC_RPR_EL1, HCR_TC);
    add_wo(ICC_DIR_EL1, HCR_TC | HCR_TDIR);
    add_ro(ICC_SRE_EL1, 0);
}

/* The next number in a register's encoding */
static uint32_t next_number(const char **text)
{
    uint32_t value = 0;

    while (**text < '0' || **text > '9') {
        ++*text;
    }
    while (**text >= '0' && **text <= '9') {
        value = 10 * value + *(*text)++ - '0';
    }
    return value;
}

/* Of an access with x5 */
static uint32_t syndrome(const char *encoding, bool read)
{
    uint32_t op0 = next_number(&encoding);
    uint32_t op1 = next_number(&encoding);
    uint32_t crn = next_number(&encoding);
    uint32_t crm = next_number(&encoding);
    uint32_t op2 = next_number(&encoding);

    return (uint32_t)CLASS_SYSREG << 26 | ESR_IL | op0 << 20 | op2 << 17 |
           op1 << 14 | crn << 10 | 5 << 5 | crm << 1 | read;
}

static uint64_t registers[31];

static uint64_t run(const char *code, uint64_t spsr)
{
    registers[5] = 0;
    return run_at_el1(code, spsr, registers);
}

static void expect_trap(const char *code, const char *encoding, bool read)
{
    expect(run(code, SPSR_EL1H), syndrome(encoding, read));
    expect(sysreg_read(elr_el2), (uint64_t)code);
}

static void expect_access(const char *code, const char *encoding, bool read,
                          bool trapped)
{
    if (!code) {
        return;
    }
    if (trapped) {
        expect_trap(code, encoding, read);
    } else {
        expect(run(code, SPSR_EL1H), ESR_HVC);
    }
    reset_virtual();
}

/* Each register traps if the bit is its, and else does not. */
static void expect_traps(uint32_t bit)
{
    list_registers();
    for (unsigned n = 0; n < num_accesses; n++) {
        const struct access *access = &accesses[n];

        gic->set_hcr(HCR_EN | bit);
        expect_access(access->read, access->encoding, true,
                      access->trap & bit);
        gic->set_hcr(HCR_EN | bit);
        expect_access(access->write, access->encoding, false,
                      access->trap & bit);
    }
}

static void none(void)
{
    expect_traps(0);
}

static void tc(void)
{
    expect_traps(HCR_TC);
}

static void tall0(void)
{
    expect_traps(HCR_TALL0);
}

static void tall1(void)
{
    expect_traps(HCR_TALL1);
}

static void tdir(void)
{
    expect_traps(HCR_TDIR);
}

/* The traps are EL1's only, and there without HCR.En, IMO and FMO as well. */
static void independent(void)
{
    gic->set_hcr(HCR_TALL1 | HCR_TC);
    expect(icc_read(ICC_IAR1_EL1), INTID_NONE);
    expect_trap(el1_code("mrs x5, " STRINGIFY(ICC_IAR1_EL1)),
                ENCODING(ICC_IAR1_EL1), true);
    sysreg_write(hcr_el2, HCR_EL2_RW);
    expect_trap(el1_code("mrs x5, " STRINGIFY(ICC_IAR1_EL1)),
                ENCODING(ICC_IAR1_EL1), true);
    expect_trap(el1_code("msr " STRINGIFY(ICC_PMR_EL1) ", x5"),
                ENCODING(ICC_PMR_EL1), false);
    sysreg_write(hcr_el2, HCR_EL2_BITS);
}

/* A trapped access has done nothing. */
static void without_effect(void)
{
    gic->set_lr(0, (struct lr) {
        .intid = 72, .state = PENDING, .priority = 0x40, .group = 1,
    });
    gic->set_hcr(HCR_EN | HCR_TALL1);
    registers[0] = 0x5a;
    run(el1_code("mrs x0, " STRINGIFY(ICC_IAR1_EL1)), SPSR_EL1H);
    expect(registers[0], 0x5a);
    expect(gic->lr(0).state, PENDING);
    expect(icc_read(ICH_AP1R0_EL2), 0);
}

/*
 * SGIs have no virtual counterpart: with IMO or FMO they always trap, else
 * they do with TC.
 */
static void sgi(void)
{
    static const uint64_t virtual[] = {
        HCR_EL2_IMO, HCR_EL2_FMO, HCR_EL2_IMO | HCR_EL2_FMO, 0,
    };

    num_accesses = 0;
    add_wo(ICC_SGI0R_EL1, HCR_TC);
    add_wo(ICC_SGI1R_EL1, HCR_TC);
    add_wo(ICC_ASGI1R_EL1, HCR_TC);
    for (unsigned n = 0; n < num_accesses; n++) {
        for (unsigned i = 0; i < ARRAY_SIZE(virtual); i++) {
            for (unsigned tc = 0; tc < 2; tc++) {
                gic->set_hcr(HCR_EN | (tc ? HCR_TC : 0));
                sysreg_write(hcr_el2, HCR_EL2_RW | virtual[i]);
                if (virtual[i] || tc) {
                    expect_trap(accesses[n].write, accesses[n].encoding,
                                false);
                } else {
                    expect(run(accesses[n].write, SPSR_EL1H), ESR_HVC);
                }
            }
        }
    }
    sysreg_write(hcr_el2, HCR_EL2_BITS);
}

/* Undefined at EL1, or at EL0: goes to EL1 */
static void expect_undefined(const char *code, uint64_t spsr)
{
    expect(run(code, spsr), ESR_VECTOR);
    expect(sysreg_read(elr_el2) - 4 - (uint64_t)vectors_below_el2,
           spsr == SPSR_EL0T ? VECTOR_SYNC_EL0 : VECTOR_SYNC);
    expect(sysreg_read(elr_el1), (uint64_t)code);
    expect(sysreg_read(esr_el1), (uint32_t)CLASS_UNKNOWN << 26 | ESR_IL);
}

static void el0(void)
{
    const uint32_t all_traps = HCR_TC | HCR_TALL0 | HCR_TALL1 | HCR_TDIR;

    list_registers();
    /* Which comes before any trap */
    for (unsigned traps = 0; traps < 2; traps++) {
        gic->set_hcr(HCR_EN | (traps ? all_traps : 0));
        for (unsigned n = 0; n < num_accesses; n++) {
            if (accesses[n].read) {
                expect_undefined(accesses[n].read, SPSR_EL0T);
            }
            if (accesses[n].write) {
                expect_undefined(accesses[n].write, SPSR_EL0T);
            }
        }
    }
}

static void hypervisors(void)
{
    expect_undefined(el1_code("mrs x5, " STRINGIFY(ICH_HCR_EL2)), SPSR_EL1H);
    expect_undefined(el1_code("msr " STRINGIFY(ICH_HCR_EL2) ", x5"), SPSR_EL1H);
    expect_undefined(el1_code("mrs x5, " STRINGIFY(ICH_VTR_EL2)), SPSR_EL1H);
    expect_undefined(el1_code("mrs x5, " STRINGIFY(ICH_LR0_EL2)), SPSR_EL1H);
    expect_undefined(el1_code("msr " STRINGIFY(ICH_LR3_EL2) ", x5"), SPSR_EL1H);
    expect_undefined(el1_code("mrs x5, " STRINGIFY(ICC_SRE_EL2)), SPSR_EL1H);
    /* Whoever may write only, must not read; and the other way round */
    expect_undefined(el1_code("mrs x5, " STRINGIFY(ICC_EOIR1_EL1)), SPSR_EL1H);
    expect_undefined(el1_code("mrs x5, " STRINGIFY(ICC_DIR_EL1)), SPSR_EL1H);
    expect_undefined(el1_code("msr " STRINGIFY(ICC_IAR1_EL1) ", x5"),
                     SPSR_EL1H);
    expect_undefined(el1_code("msr " STRINGIFY(ICC_RPR_EL1) ", x5"),
                     SPSR_EL1H);
}

/* No other interface than by system registers: SRE is RAO/WI. */
static void sre(void)
{
    expect(icc_read(ICC_SRE_EL2) & (ICC_SRE_SRE | ICC_SRE_ENABLE),
           ICC_SRE_SRE | ICC_SRE_ENABLE);
    icc_write(ICC_SRE_EL2, 0);
    expect(icc_read(ICC_SRE_EL2) & ICC_SRE_SRE, ICC_SRE_SRE);
    expect(el1_read(ICC_SRE_EL1) & ICC_SRE_SRE, ICC_SRE_SRE);
    el1_write(ICC_SRE_EL1, 0);
    expect(el1_read(ICC_SRE_EL1) & ICC_SRE_SRE, ICC_SRE_SRE);
}

const struct test gicv3_trap_tests[] = {
    { "trap/none", none },
    { "trap/tc", tc },
    { "trap/tall0", tall0 },
    { "trap/tall1", tall1 },
    { "trap/tdir", tdir },
    { "trap/independent", independent },
    { "trap/without-effect", without_effect },
    { "trap/sgi", sgi },
    { "trap/el0", el0 },
    { "trap/undefined", hypervisors },
    { "trap/sre", sre },
    NO_MORE_TESTS
};
