/*
 * Bare-metal guest: calls from all levels and states, with all arguments
 *
 * All that they return is compared with docs/specs/arm-rvic.rst.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "hostile.h"

#define PSCI_CPU_SUSPEND    0x84000001
#define PSCI_MIGRATE_INFO   0x84000006
#define PSCI_SYSTEM_RESET   0x84000009
#define PSCI_0_1_SUSPEND    0x95c1ba5e
#define PSCI_0_1_OFF        0x95c1ba5f
#define PSCI_0_1_ON         0x95c1ba60
#define PSCI_0_1_MIGRATE    0x95c1ba61
#define PSCI_64BIT          (1u << 30)

#define PSCI_INVALID_PARAMETERS ((uint64_t)-2)
#define PSCI_ALREADY_ON         ((uint64_t)-4)

#define HCR_IMO         (1ull << 4)     /* IRQs go to EL2 */
#define HCR_TSC         (1ull << 19)    /* SMC at EL1 traps to EL2 */
#define HCR_RW          (1ull << 31)    /* EL1 is AArch64 */

#define SPSR_A32        0x1d3           /* AArch32 Supervisor, all masked */
#define SPSR_T32        0x1f3           /* the same, Thumb */
#define SPSR_A32_USER   0x1d0           /* AArch32 User */

#define ESR_HVC_A32     0x4a000000
#define ESR_HVC         0x5a000000
#define ESR_HVC_1       0x5a000001      /* an exception that EL1 got */
#define ESR_SMC         0x5e000000

#define REGISTERS       31

/*
 * Levels and states from which calls are made
 */

static const uint16_t smc_then_hvc_t32[] __attribute__((aligned(4))) = {
    0xf7f0, 0x8000, 0xf7e0, 0x8000,
};

const struct mode own_level = { "calls/own", CALL, NULL, 0, 0, 0, 0 };

const struct mode below_el2[MODES_BELOW_EL2] = {
    { "calls/el1", CALL, smc_then_hvc, SPSR_EL1, 0, 0, ESR_HVC },
    { "calls/el1-hvc", NO_CALL, smc_then_hvc + 4, SPSR_EL1, 0, 0, ESR_HVC },
    { "calls/el1-trapped", NO_CALL, smc_then_hvc, SPSR_EL1, HCR_TSC, 0,
      ESR_SMC },
    { "calls/el1-a32", CALL_A32, smc_then_hvc_a32, SPSR_A32, 0, HCR_RW,
      ESR_HVC_A32 },
    { "calls/el1-t32", CALL_A32, smc_then_hvc_t32, SPSR_T32, 0, HCR_RW,
      ESR_HVC_A32 },
    { "calls/el0", NO_CALL, smc_then_hvc, SPSR_EL0, 0, 0, ESR_HVC_1 },
    { "calls/el0-hvc", NO_CALL, smc_then_hvc + 4, SPSR_EL0, 0, 0, ESR_HVC_1 },
    { "calls/el0-a32", NO_CALL, smc_then_hvc_a32, SPSR_A32_USER, 0, 0,
      ESR_HVC_1 },
};
/* Returns whether control came back as it has to. */
static bool make_call(const struct mode *mode, uint64_t registers[32])
{
    uint64_t hcr, esr;

    if (!mode->code) {
        hypercall_registers(registers, el2);
        return registers[REGISTERS] == 0;
    }

    /* Below, IRQs stay masked only if they are not EL2's. */
    hcr = sysreg_read(hcr_el2);
    sysreg_write(hcr_el2, ((hcr | mode->hcr_set) & ~mode->hcr_clear &
                           ~HCR_IMO));
    esr = run_at_el1(mode->code, mode->spsr, registers);
    sysreg_write(hcr_el2, hcr);
    return esr == mode->esr;
}

/*
 * What the specification allows
 */

static bool in_range(uint32_t function)
{
    return function - RVIC_BASE < 0x100 || function - RVID_BASE < 0x100;
}

/* PSCI's or SMCCC's own */
static bool is_psci(uint32_t function)
{
    uint32_t smc32 = function & ~PSCI_64BIT;

    return smc32 - PSCI_VERSION < 0x20 || function == SMCCC_VERSION ||
           function == SMCCC_ARCH_FEATURES ||
           (function >= PSCI_0_1_SUSPEND && function <= PSCI_0_1_MIGRATE);
}

static bool names_cpu(uint64_t mpidr)
{
    return mpidr < CPUS;
}

static bool is_refused(uint64_t status)
{
    return status != RVIC_SUCCESS && status != RVIC_DISABLED &&
           status != RVIC_NO_INTERRUPTS;
}

/* The status of a call on a target, if it is not left to the target's state */
static uint64_t target_status(const uint64_t in[4])
{
    return !names_cpu(in[1]) ? RVIC_INVALID_CPU(0) :
           in[2] >= INTIDS ? RVIC_ERROR_PARAMETER(1) : RVIC_SUCCESS;
}

static uint64_t map_status(const uint64_t in[4])
{
    return in[1] >= RVIC_UNTRUSTED ? RVIC_ERROR_PARAMETER(0) :
           !names_cpu(in[2]) ? RVIC_ERROR_PARAMETER(1) :
           in[3] < RVIC_TRUSTED || in[3] >= INTIDS ? RVIC_ERROR_PARAMETER(2) :
           RVIC_SUCCESS;
}

bool result_is_good(Cpu *me, const uint64_t in[4], const uint64_t out[4])
{
    uint64_t status = out[0], value = out[1], wanted;

    if (out[2] || out[3]) {
        return false;
    }
    switch ((uint32_t)in[0]) {
    case RVIC_VERSION:
    case RVID_VERSION:
        return status == RVIC_SUCCESS && value == 3;
    case RVIC_INFO:
        return in[1] > 1 ? status == RVIC_ERROR_PARAMETER(0) && value == 0 :
               status == RVIC_SUCCESS &&
               value == (in[1] ? RVIC_UNTRUSTED : RVIC_TRUSTED);
    case RVIC_ACKNOWLEDGE:
        if (me != &cpus[TOGGLED] &&
            me->enabled == (status == RVIC_DISABLED)) {
            return false;
        }
        return status == RVIC_SUCCESS ? value < INTIDS : value == 0 &&
               (status == RVIC_DISABLED || status == RVIC_NO_INTERRUPTS);
    case RVIC_IS_PENDING:
        wanted = target_status(in);
        return status == wanted && value <= (wanted == RVIC_SUCCESS);
    case RVIC_SIGNAL:
        wanted = target_status(in);
        return value == 0 && (status == wanted || (wanted == RVIC_SUCCESS &&
                                                   status == RVIC_DISABLED));
    case RVIC_SET_MASKED:
    case RVIC_CLEAR_MASKED:
    case RVIC_CLEAR_PENDING:
        wanted = target_status(in);
        break;
    case RVIC_ENABLE:
    case RVIC_DISABLE:
        wanted = RVIC_SUCCESS;
        break;
    case RVIC_RESAMPLE:
        wanted = in[1] < RVIC_TRUSTED ? RVIC_SUCCESS : RVIC_ERROR_PARAMETER(0);
        break;
    case RVID_MAP:
        wanted = map_status(in);
        break;
    case RVID_UNMAP:
        wanted = in[1] < RVIC_UNTRUSTED ? RVIC_SUCCESS :
                 RVIC_ERROR_PARAMETER(0);
        break;
    default:
        wanted = NOT_SUPPORTED;
        break;
    }
    return status == wanted && value == 0;
}

/* PSCI's statuses from NOT_PRESENT to SUCCESS, AFFINITY_INFO's, versions */
static bool is_psci_status(uint64_t status)
{
    return status + 9 <= 9 + 2 || status == 0x10001;
}

static bool is_preserved(const uint64_t *out, const uint64_t *in,
                         unsigned first, unsigned end, uint64_t mask)
{
    for (unsigned i = first; i < end; i++) {
        if ((out[i] ^ in[i]) & mask) {
            return false;
        }
    }
    return true;
}

/* Whether these may be x0-x30 after a call that was made with others */
static bool registers_are_good(Cpu *me, const struct mode *mode,
                               const uint64_t *in, const uint64_t *out)
{
    const uint32_t refused = UINT32_MAX;

    switch (mode->conduit) {
    case CALL:
        if (!is_preserved(out, in, 4, REGISTERS, -1)) {
            return false;
        }
        return in_range(in[0]) ? result_is_good(me, in, out) :
               kvm ? true :
               is_psci(in[0]) ? is_psci_status(out[0]) :
               out[0] == NOT_SUPPORTED && is_preserved(out, in, 1, 4, -1);
    case CALL_A32:
        if (!is_preserved(out, in, 4, 13, UINT32_MAX)) {
            return false;
        }
        return in_range(in[0]) ? (uint32_t)out[0] == refused &&
               !(uint32_t)(out[1] | out[2] | out[3]) :
               is_psci(in[0]) ? is_psci_status((int32_t)out[0]) :
               (uint32_t)out[0] == refused &&
               is_preserved(out, in, 1, 4, UINT32_MAX);
    default:
        return is_preserved(out, in, 0, mode->spsr == SPSR_A32_USER ? 13 :
                            REGISTERS, mode->spsr == SPSR_A32_USER ?
                            UINT32_MAX : UINT64_MAX);
    }
}

/*
 * Calls
 */

/* Turn aside what would end the guest, or what its victims would notice. */
static void tame(uint64_t in[4])
{
    uint32_t function = in[0];
    uint64_t *mpidr = function == RVID_MAP ? &in[2] : &in[1];

    /* What KVM's PSCI makes of its arguments is not tried. */
    if (kvm && (function & ~PSCI_64BIT) - PSCI_VERSION < 0x20 &&
        (function | PSCI_64BIT) != PSCI_CPU_ON) {
        in[0] = function ^ 0x100;
        return;
    }
    switch (function) {
    case PSCI_CPU_OFF:
    case PSCI_SYSTEM_OFF:
    case PSCI_SYSTEM_RESET:
    case PSCI_0_1_OFF:
    case PSCI_0_1_ON:
        in[0] = function ^ 0x100;
        break;
    case PSCI_0_1_SUSPEND:
    case PSCI_CPU_SUSPEND:
    case PSCI_CPU_SUSPEND | PSCI_64BIT:
        in[1] |= 1u << 31;      /* a reserved bit */
        break;
    case PSCI_CPU_ON:
    case PSCI_CPU_ON & ~PSCI_64BIT:
        in[2] = (uint64_t)secondary_start;
        in[3] = (uint64_t)toggled;
        break;
    case RVID_MAP:
    case RVIC_SET_MASKED:
    case RVIC_CLEAR_MASKED:
    case RVIC_SIGNAL:
    case RVIC_CLEAR_PENDING:
        if (*mpidr >= FIRST_VICTIM && *mpidr < CPUS) {
            *mpidr -= FIRST_VICTIM;
        }
        break;
    }
}

void call(Cpu *me, const struct mode *mode, uint64_t function, uint64_t arg1,
          uint64_t arg2, uint64_t arg3)
{
    uint64_t mask = mode->conduit == CALL_A32 ? UINT32_MAX : UINT64_MAX;
    uint64_t in[REGISTERS], registers[32];

    in[0] = function & mask;
    in[1] = arg1 & mask;
    in[2] = arg2 & mask;
    in[3] = arg3 & mask;
    tame(in);
    for (unsigned i = 4; i < REGISTERS; i++) {
        in[i] = 0x9e3779b97f4a7c15 * i ^ in[0];
    }
    for (unsigned i = 0; i < REGISTERS; i++) {
        registers[i] = in[i];
    }

    /* An IRQ may come before it returns. */
    if (mode->conduit == CALL && (uint32_t)in[0] == RVIC_ENABLE) {
        me->enabled = true;
    }
    me->work++;
    if (!make_call(mode, registers) ||
        !registers_are_good(me, mode, in, registers)) {
        complain(me, in, registers);
    }
    if (mode->conduit == CALL && (uint32_t)in[0] == RVIC_DISABLE) {
        me->enabled = false;
    }
    if (in_range(in[0]) &&
        (mode->conduit == CALL_A32 ||
         (mode->conduit == CALL && is_refused(registers[0])))) {
        me->refused++;
    }
}

static const uint64_t extremes[] = {
    0, 1, 2, TOGGLED, RVIC_TRUSTED - 1, RVIC_TRUSTED, RVID_FIRST_MSI - 1,
    RVID_FIRST_MSI, RVIC_UNTRUSTED - 1, RVIC_UNTRUSTED, INTIDS - 1, INTIDS,
    2047, 2048, 0x100, 0x10000, 1ull << 24, 1ull << 30,
    (1ull << 31) - 1, 1ull << 31, (1ull << 31) + 1, (1ull << 32) - 1,
    1ull << 32, (1ull << 32) + 1, (1ull << 32) + RVIC_TRUSTED, 1ull << 40,
    (1ull << 40) + 1, (1ull << 63) - 1, 1ull << 63, (1ull << 63) + 1,
    (1ull << 63) + RVIC_TRUSTED, (uint64_t)INT32_MIN, UINT64_MAX,
};

static uint64_t extreme(uint64_t n)
{
    return extremes[n % ARRAY_SIZE(extremes)];
}

void sweep(Cpu *me, const struct mode *mode)
{
    for (uint32_t id = RVID_BASE - 0x100; id < RVIC_BASE + 0x200; id++) {
        bool known = id - RVID_BASE < 0x10 || id - RVIC_BASE < 0x10;
        unsigned vectors = mode->conduit != CALL ? 1 :
                           known ? ARRAY_SIZE(extremes) : 3;

        if (!known && random_below(me, thin)) {
            continue;
        }
        for (unsigned i = 0; i < vectors; i++) {
            uint64_t n = i + me->random;

            call(me, mode, id, extreme(i), extreme(n * 5), extreme(n * 7));
            call(me, mode, id, extreme(n * 5), extreme(i), extreme(n * 7));
            call(me, mode, id, extreme(n * 5), extreme(n * 7), extreme(i));
        }
        for (unsigned bit = 0; bit < 64 && mode->conduit != NO_CALL; bit++) {
            call(me, mode, id ^ 1ull << bit, extreme(bit + id),
                 extreme(bit * 5), extreme(bit * 7));
        }
        call(me, mode, 0xffffffff00000000 | id, 1, RVIC_TRUSTED, INTIDS - 1);
        random64(me);
    }
}

/*
 * EL0 under EL1, in either state: neither instruction exists there, and SVC
 * leads back. The MMU has to be off.
 */
static void call_at_el0(Cpu *me, uint32_t function, bool a32)
{
    uint64_t in[4] = { function, 1, RVIC_TRUSTED, 3 }, out[4];
    register uint64_t x0 asm("x0") = in[0];
    register uint64_t x1 asm("x1") = in[1];
    register uint64_t x2 asm("x2") = in[2];
    register uint64_t x3 asm("x3") = in[3];

    me->work++;
    me->esr = 0;
    asm volatile("adr x9, 1f\n\t"
                 "adr x10, 2f\n\t"
                 "cmp %4, %5\n\t"
                 "csel x9, x9, x10, eq\n\t"
                 "msr elr_el1, x9\n\t"
                 "msr spsr_el1, %4\n\t"
                 "eret\n"
                 "1:\n\t"
                 "hvc #0\n\t"
                 "smc #0\n\t"
                 "svc #0\n\t"
                 "b 3f\n"
                 "2:\n\t"
                 ".inst 0xe1400070\n\t"         /* hvc #0 */
                 ".inst 0xe1600070\n\t"         /* smc #0 */
                 ".inst 0xef000000\n"           /* svc #0 */
                 "3:"
                 : "+r" (x0), "+r" (x1), "+r" (x2), "+r" (x3)
                 : "r" ((uint64_t)(a32 ? SPSR_A32_USER : SPSR_EL0)),
                   "r" ((uint64_t)SPSR_EL0)
                 : "x9", "x10", "cc", "memory");
    out[0] = x0;
    out[1] = x1;
    out[2] = x2;
    out[3] = x3;
    if (me->esr != 2 || !is_preserved(out, in, 0, 4, UINT32_MAX)) {
        complain(me, in, out);
    }
}

void el0_phase(Cpu *me)
{
    for (uint32_t id = RVID_BASE - 0x100; id < RVIC_BASE + 0x200; id++) {
        call_at_el0(me, id, false);
        call_at_el0(me, id, true);
    }
}

uint64_t random_argument(Cpu *me)
{
    switch (random_below(me, 8)) {
    case 0:
    case 1:
        return extreme(random64(me) >> 32);
    case 2:
    case 3:
        return random_below(me, INTIDS);
    case 4:
    case 5:
        return cpu_mpidr(random_below(me, CPUS));
    case 6:
        return random_below(me, CPUS) | 1ull << random_below(me, 64);
    default:
        return random64(me);
    }
}

static uint64_t random_function(Cpu *me)
{
    static const uint32_t psci[] = {
        PSCI_VERSION, PSCI_AFFINITY_INFO, PSCI_CPU_ON, PSCI_FEATURES,
        SMCCC_VERSION, SMCCC_ARCH_FEATURES, PSCI_AFFINITY_INFO & ~PSCI_64BIT,
        PSCI_CPU_ON & ~PSCI_64BIT, PSCI_MIGRATE_INFO, PSCI_MIGRATE_INFO - 1,
    };

    switch (random_below(me, 16)) {
    case 0:
        return random64(me);
    case 1:
        return psci[random_below(me, ARRAY_SIZE(psci))];
    case 2:
        return (RVID_BASE - 0x100 + random_below(me, 0x400)) ^
               1ull << random_below(me, 64);
    case 3:
        return random64(me) << 32 | (RVIC_BASE + random_below(me, 11));
    case 4:
    case 5:
    case 6:
        return RVID_BASE + random_below(me, 3);
    case 7:
        return RVID_BASE - 0x100 + random_below(me, 0x400);
    default:
        return RVIC_BASE + random_below(me, 11);
    }
}

void random_call(Cpu *me, const struct mode *mode)
{
    uint64_t function = random_function(me), arg1 = random_argument(me);
    uint64_t arg2 = random_argument(me), arg3 = random_argument(me);

    /* What takes memory has to succeed often. */
    if (function == RVID_MAP && random_below(me, 2)) {
        arg1 = random_below(me, RVIC_UNTRUSTED);
        arg2 = cpu_mpidr(random_below(me, CPUS));
        arg3 = RVIC_TRUSTED + random_below(me, RVIC_UNTRUSTED);
    }
    call(me, mode, function, arg1, arg2, arg3);
}

/*
 * PSCI: the calls beside ours on the conduit
 */

static bool psci_has(uint32_t function)
{
    switch (function) {
    case PSCI_VERSION:
    case PSCI_CPU_SUSPEND:
    case PSCI_CPU_SUSPEND | PSCI_64BIT:
    case PSCI_CPU_OFF:
    case PSCI_CPU_ON:
    case PSCI_CPU_ON & ~PSCI_64BIT:
    case PSCI_AFFINITY_INFO:
    case PSCI_AFFINITY_INFO & ~PSCI_64BIT:
    case PSCI_MIGRATE_INFO:
    case PSCI_SYSTEM_OFF:
    case PSCI_SYSTEM_RESET:
    case PSCI_FEATURES:
    case SMCCC_VERSION:
    case PSCI_0_1_SUSPEND:
    case PSCI_0_1_OFF:
    case PSCI_0_1_ON:
        return true;
    default:
        return false;
    }
}

static void expect_status(Cpu *me, uint64_t function, uint64_t arg1,
                          uint64_t arg2, uint64_t arg3, uint64_t wanted)
{
    struct result result = hypercall(function, arg1, arg2, arg3);

    me->work++;
    if (result.x0 != wanted) {
        complain(me, (uint64_t[]) { function, arg1, arg2, arg3 },
                 (uint64_t[]) { result.x0, result.x1, wanted, 0 });
    }
}

void discovery_phase(Cpu *me)
{
    static const uint32_t bases[] = {
        0x80000000, 0x84000000, 0xc0000000, 0xc4000000, 0x95c1ba00,
        RVID_BASE - 0x100, RVID_BASE, RVIC_BASE, RVIC_BASE + 0x100,
        0x04000000, 0xfffffff0,
    };

    for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
        for (unsigned n = 0; n < 0x100; n++) {
            uint32_t id = bases[i] + n;
            uint64_t upper = random64(me) << 32;
            bool smccc = id == SMCCC_VERSION || id == SMCCC_ARCH_FEATURES;

            expect_status(me, PSCI_FEATURES, id, upper, upper,
                          psci_has(id) ? 0 : NOT_SUPPORTED);
            expect_status(me, SMCCC_ARCH_FEATURES, upper | id, n, upper,
                          smccc ? 0 : NOT_SUPPORTED);
            expect_status(me, upper | SMCCC_VERSION, upper, id, n, 0x10001);
        }
    }
}

/* What does not exist or is on already cannot be switched on. */
void power_phase(Cpu *me)
{
    for (size_t i = 0; i < ARRAY_SIZE(extremes); i++) {
        uint64_t n = extremes[i];
        bool exists = names_cpu(n);

        if (n != TOGGLED) {
            expect_status(me, PSCI_CPU_ON, n, 0, 0,
                          exists ? PSCI_ALREADY_ON : PSCI_INVALID_PARAMETERS);
            expect_status(me, PSCI_CPU_ON, n, n << 2, n,
                          exists ? PSCI_ALREADY_ON : PSCI_INVALID_PARAMETERS);
            expect_status(me, PSCI_AFFINITY_INFO, n, 0, n,
                          exists ? 0 : PSCI_INVALID_PARAMETERS);
        }
        /* An address that is no instruction's */
        expect_status(me, PSCI_CPU_ON, TOGGLED, n | 1, n,
                      PSCI_INVALID_PARAMETERS);
        expect_status(me, PSCI_AFFINITY_INFO, TOGGLED, 0, n,
                      PSCI_AFFINITY_OFF);
        expect_status(me, PSCI_CPU_SUSPEND, n | 1u << 31, n, n,
                      PSCI_INVALID_PARAMETERS);
    }

    /* Only an interrupt ends it; nobody takes that. */
    begin_work(me);
    start_timer(me);
    expect_status(me, PSCI_CPU_SUSPEND, 0, 0, 0, 0);
    me->irq = acknowledge_only;
    irq_unmask();
    irq_mask();
    sysreg_write(cntv_ctl_el0, 0);
}
