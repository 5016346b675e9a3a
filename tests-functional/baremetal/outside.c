/*
 * Bare-metal guest under KVM: calls outside the ranges of rVIC and rVID
 *
 * KVM answers them, so QEMU must never see one. Before and after each group of
 * calls, the guest makes one that QEMU does see and traces, with a number for
 * argument: what it sees in between is the group's.
 *
 * What it expects is in Linux's documentation of KVM: the services of PSCI,
 * SMCCC, TRNG, stolen time and its own, and that it treats HVC and SMC alike.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "runtime.h"
#include "rvic.h"

#define PSCI_MIGRATE_INFO_TYPE  0x84000006

#define PSCI_AFFINITY_ON        0
#define PSCI_NO_MIGRATION       2

#define TRNG_VERSION            0x84000050
#define TRNG_FEATURES           0x84000051
#define TRNG_GET_UUID           0x84000052
#define TRNG_RND32              0x84000053
#define TRNG_RND64              0xc4000053

#define TRNG_VERSION_1_0        0x10000

#define PV_TIME_FEATURES        0xc5000020
#define PV_TIME_ST              0xc5000021

#define VENDOR_FEATURES         0x86000000
#define VENDOR_PTP              0x86000001

/* The first of the numbers */
#define MARK                    0x6d61726b00000000

#define RANGE                   0x100
#define RANDOM_CALLS            20000

static uint64_t marks;

/* The call's x0 to x3; everything behind them has to survive. */
static struct result call(bool smc, uint64_t function, uint64_t arg1,
                          uint64_t arg2, uint64_t arg3)
{
    uint64_t registers[32];

    registers[0] = function;
    registers[1] = arg1;
    registers[2] = arg2;
    registers[3] = arg3;
    for (unsigned n = 4; n < 31; n++) {
        registers[n] = 0xa5c3000096870000 + n;
    }
    hypercall_registers(registers, smc);
    for (unsigned n = 4; n < 31; n++) {
        expect(registers[n], 0xa5c3000096870000 + n);
    }
    return (struct result) {
        registers[0], registers[1], registers[2], registers[3]
    };
}

static uint64_t status(bool smc, uint64_t function, uint64_t arg)
{
    return call(smc, function, arg, 0, 0).x0;
}

static void mark(void)
{
    expect(hypercall(RVIC_INFO, MARK + marks, 0, 0).x0,
           RVIC_ERROR_PARAMETER(0));
    marks++;
}

static void psci(bool smc)
{
    /* 1.0 or newer */
    expect(status(smc, PSCI_VERSION, 0) >> 16, 1);
    expect(status(smc, PSCI_FEATURES, PSCI_VERSION), 0);
    expect(status(smc, PSCI_FEATURES, SMCCC_VERSION), 0);
    expect(status(smc, PSCI_FEATURES, RVIC_VERSION), NOT_SUPPORTED);
    expect(status(smc, PSCI_AFFINITY_INFO, cpu_mpidr(0)), PSCI_AFFINITY_ON);
    expect(status(smc, PSCI_MIGRATE_INFO_TYPE, 0), PSCI_NO_MIGRATION);
}

static void smccc(bool smc)
{
    expect(status(smc, SMCCC_VERSION, 0), 0x10001);
    expect(status(smc, SMCCC_ARCH_FEATURES, PV_TIME_FEATURES), 0);
    expect(status(smc, SMCCC_ARCH_FEATURES, RVIC_VERSION), NOT_SUPPORTED);
}

static void trng(bool smc)
{
    struct result uuid = call(smc, TRNG_GET_UUID, 0, 0, 0);

    expect(status(smc, TRNG_VERSION, 0), TRNG_VERSION_1_0);
    expect(status(smc, TRNG_FEATURES, TRNG_RND64), 0);
    expect(uuid.x0 != NOT_SUPPORTED && uuid.x1 && uuid.x2 && uuid.x3, true);
    expect(status(smc, TRNG_RND32, 32), 0);
    expect(status(smc, TRNG_RND64, 64), 0);
}

static void stolen_time(bool smc)
{
    uint64_t address = status(smc, PV_TIME_ST, 0);

    expect(status(smc, PV_TIME_FEATURES, PV_TIME_ST), 0);
    expect(status(smc, PV_TIME_FEATURES, RVIC_VERSION), NOT_SUPPORTED);
    /* A page that QEMU has told KVM about */
    expect(address != 0 && address != NOT_SUPPORTED, true);
}

static void vendor(bool smc)
{
    struct result uid = call(smc, VENDOR_UID, 0, 0, 0);
    struct result time = call(smc, VENDOR_PTP, 0, 0, 0);

    expect(uid.x0, VENDOR_UID_KVM);
    expect(uid.x1, 0xe911c52e);
    expect(uid.x2, 0x564bcaa9);
    expect(uid.x3, 0x743a004d);
    expect(status(smc, VENDOR_FEATURES, 0) & 3, 3);
    expect(time.x0 != NOT_SUPPORTED && time.x1 && time.x3, true);
}

/* One function ID and those around it, which KVM knows nothing of either */
static void neighbours(bool smc)
{
    const uint64_t unknown[] = {
        RVID_BASE - 1, RVID_BASE - RANGE + 0x22, RVIC_BASE + RANGE,
        RVIC_BASE + 2 * RANGE - 1, RVIC_BASE + 0x10000,
    };

    for (size_t n = 0; n < ARRAY_SIZE(unknown); n++) {
        expect(status(smc, unknown[n], 0), NOT_SUPPORTED);
    }
}

/*
 * The ranges' numbers with other upper bits: SMC32, yielding, other owners, and
 * those that are not the owner's
 */
static void twins(bool smc)
{
    static const uint32_t upper[] = {
        0x85000000, 0x45000000, 0x05000000,
        0xc0000000, 0xc1000000, 0xc2000000, 0xc3000000, 0xc4000000,
        0xc6000000, 0x84000000, 0x86000000, 0xc5010000, 0xc5800000,
    };

    for (size_t n = 0; n < ARRAY_SIZE(upper); n++) {
        for (uint32_t low = 0x100; low < 0x100 + 2 * RANGE; low++) {
            expect(status(smc, upper[n] | low, 0), NOT_SUPPORTED);
        }
    }
}

/* QEMU's; PSCI's calls, which may end the guest; what KVM may answer */
static bool may_be_known(uint32_t function)
{
    uint32_t owner = function >> 24 & 0x3f, number = function & 0xffff;

    switch (owner) {
    case 0:
        return number < 0x10 || number > 0x7fff;
    case 4:
        return number < 0x100;
    case 5:
        return number < 0x100 || function - RVID_BASE < 2 * RANGE;
    default:
        return owner == 6;
    }
}

static void random(bool smc)
{
    uint64_t state = smc;

    for (unsigned n = 0; n < RANDOM_CALLS; n++) {
        uint32_t function;

        do {
            state = state * 6364136223846793005 + 1442695040888963407;
            function = state >> 32;
            /* Every second one is near the ranges. */
            if (n % 2) {
                function = RVID_BASE ^ (function & 0xc101ffff);
            }
        } while (may_be_known(function));
        expect(call(smc, function, state, state, state).x0, NOT_SUPPORTED);
    }
}

/* An SMC with another immediate than 0 is none of SMCCC's. */
static void immediate(bool smc)
{
    register uint64_t x0 asm("x0") = RVIC_VERSION;

    asm volatile("smc #1" : "+r" (x0) : : "x1", "x2", "x3", "memory");
    expect(x0, smc ? NOT_SUPPORTED : 0);
}

/* What QEMU does see */
static void inside(void)
{
    expect(status(false, RVIC_VERSION, 0), RVIC_SUCCESS);
    expect(status(false, RVID_VERSION, 0), RVIC_SUCCESS);
    expect(status(false, RVIC_BASE + RANGE - 1, 0), NOT_SUPPORTED);
    expect(status(false, RVID_BASE + RANGE - 1, 0), NOT_SUPPORTED);
    /* The conduit is HVC. */
    expect(status(true, RVIC_VERSION, 0), NOT_SUPPORTED);
    expect(status(true, RVID_VERSION, 0), NOT_SUPPORTED);
}

void main(void)
{
    static const struct {
        const char *names[2];           /* by HVC, by SMC */
        void (*run)(bool smc);
    } groups[] = {
        { { "psci/hvc", "psci/smc" }, psci },
        { { "smccc/hvc", "smccc/smc" }, smccc },
        { { "trng/hvc", "trng/smc" }, trng },
        { { "stolen_time/hvc", "stolen_time/smc" }, stolen_time },
        { { "vendor/hvc", "vendor/smc" }, vendor },
        { { "neighbours/hvc", "neighbours/smc" }, neighbours },
        { { "twins/hvc", "twins/smc" }, twins },
        { { "random/hvc", "random/smc" }, random },
        { { NULL, "immediate/smc" }, immediate },
    };

    for (size_t n = 0; n < ARRAY_SIZE(groups); n++) {
        for (unsigned smc = 0; smc < 2; smc++) {
            if (groups[n].names[smc]) {
                mark();
                groups[n].run(smc);
                mark();
                verdict(groups[n].names[smc]);
            }
        }
    }
    inside();
    verdict("inside/both");
    puts("DONE\n");
}
