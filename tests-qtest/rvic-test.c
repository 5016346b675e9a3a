/*
 * Arm rVIC: its hypercalls and the state machine of the INTIDs
 *
 * A fresh machine for each scenario, without a running vCPU.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "rvic-qtest.h"

/* Calls 4 to 8, which have a target vCPU and an INTID */
static const uint32_t target_calls[] = {
    RVIC_SET_MASKED, RVIC_CLEAR_MASKED, RVIC_IS_PENDING, RVIC_SIGNAL,
    RVIC_CLEAR_PENDING,
};

static void test_call_version(void)
{
    QTestState *qts = rvic_start("-smp 2");

    rvic_expect(qts, 0, RVIC_VERSION, 0, 0, 0, SUCCESS, VERSION_0_3);
    rvic_expect(qts, 1, RVIC_VERSION, UNUSED, UNUSED, UNUSED, SUCCESS,
                VERSION_0_3);
    qtest_quit(qts);
}

static void check_info(QTestState *qts, unsigned trusted, unsigned untrusted)
{
    rvic_expect(qts, 0, RVIC_INFO, 0, UNUSED, UNUSED, SUCCESS, trusted);
    rvic_expect(qts, 0, RVIC_INFO, 1, UNUSED, UNUSED, SUCCESS, untrusted);
    rvic_expect(qts, 0, RVIC_SET_MASKED, 0, trusted + untrusted - 1, UNUSED,
                SUCCESS, 0);
    rvic_expect(qts, 0, RVIC_SET_MASKED, 0, trusted + untrusted, UNUSED,
                ERROR_PARAMETER_1, 0);
    rvic_expect(qts, 0, RVIC_RESAMPLE, trusted - 1, UNUSED, UNUSED,
                SUCCESS, 0);
    rvic_expect(qts, 0, RVIC_RESAMPLE, trusted, UNUSED, UNUSED,
                ERROR_PARAMETER_0, 0);
    rvic_expect(qts, 0, RVID_MAP, untrusted - 1, 0, trusted, SUCCESS, 0);
    rvic_expect(qts, 0, RVID_MAP, untrusted, 0, trusted, ERROR_PARAMETER_0, 0);
    rvic_expect(qts, 0, RVID_MAP, 0, 0, trusted - 1, ERROR_PARAMETER_2, 0);
    rvic_expect(qts, 0, RVID_MAP, 0, 0, trusted + untrusted - 1, SUCCESS, 0);
    rvic_expect(qts, 0, RVID_MAP, 0, 0, trusted + untrusted, ERROR_PARAMETER_2,
                0);
}

static void test_call_info(void)
{
    static const uint64_t bad[] = {
        2, 3, 1ULL << 32, 1ULL << 32 | 1, 1ULL << 63, UINT64_MAX,
    };
    QTestState *qts = rvic_start("-smp 1");

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        rvic_expect(qts, 0, RVIC_INFO, bad[i], 0, 0, ERROR_PARAMETER_0, 0);
    }
    qtest_quit(qts);
}

static void test_call_reserved(void)
{
    QTestState *qts = rvic_start("-smp 2");
    g_autofree char *before = rvic_dump(qts);

    for (uint32_t fn = RVIC_FIRST_RESERVED; fn <= RVIC_LAST; fn++) {
        rvic_expect(qts, fn % 2, fn, 0, 0, 0, NOT_SUPPORTED, 0);
        rvic_expect(qts, fn % 2, fn, UNUSED, UNUSED, UNUSED, NOT_SUPPORTED, 0);
    }
    for (uint32_t fn = RVID_FIRST_RESERVED; fn <= RVID_LAST; fn++) {
        rvic_expect(qts, fn % 2, fn, 0, 0, 0, NOT_SUPPORTED, 0);
        rvic_expect(qts, fn % 2, fn, UNUSED, UNUSED, UNUSED, NOT_SUPPORTED, 0);
    }
    rvic_expect_dump(qts, before);
    qtest_quit(qts);
}

/* The functions next to the two ranges are somebody else's */
static const uint32_t foreign[] = { RVID_VERSION - 1, RVIC_LAST + 1 };

static void test_call_foreign_child(const void *data)
{
    QTestState *qts = rvic_start("-smp 1");
    uint64_t x[4];

    /* libqtest aborts if the answer is not OK */
    rvic_call(qts, 0, *(const uint32_t *)data, 0, 0, 0, x);
    qtest_quit(qts);
}

static void test_call_foreign(const void *data)
{
    if (g_test_subprocess()) {
        test_call_foreign_child(data);
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("*\"FAIL\" == \"OK\"*");
}

/* Every bit of an MPIDR counts, and only affinity fields name a vCPU */
static void test_call_bad_mpidr(void)
{
    QTestState *qts = rvic_start("-smp 18");
    g_autofree char *before = NULL;

    for (unsigned cpu = 0; cpu < 18; cpu++) {
        rvic_expect(qts, cpu, RVIC_IS_PENDING, rvic_mpidr(17 - cpu), 40,
                    UNUSED, SUCCESS, 0);
    }

    rvic_enable(qts, 17);
    rvic_unmask(qts, 17, 40);
    rvic_signal(qts, 17, 41);
    before = rvic_dump(qts);

    for (size_t i = 0; i < ARRAY_SIZE(target_calls); i++) {
        uint32_t fn = target_calls[i];

        /* the last vCPU is 0.0.1.1: none has any of bits 9 up */
        for (unsigned bit = 9; bit < 64; bit++) {
            rvic_expect(qts, 0, fn, rvic_mpidr(17) | 1ULL << bit, 40, UNUSED,
                        INVALID_CPU_0, 0);
            rvic_expect(qts, 17, fn, 1ULL << bit, 41, UNUSED,
                        INVALID_CPU_0, 0);
        }
        rvic_expect(qts, 0, fn, 0x010, 40, UNUSED, INVALID_CPU_0, 0);
        rvic_expect(qts, 0, fn, 0x102, 40, UNUSED, INVALID_CPU_0, 0);
        rvic_expect(qts, 0, fn, 0x0ff, 40, UNUSED, INVALID_CPU_0, 0);
        rvic_expect(qts, 0, fn, UINT64_MAX, 40, UNUSED, INVALID_CPU_0, 0);
    }
    rvic_expect_dump(qts, before);
    qtest_quit(qts);
}

static const uint64_t bad_intids[] = {
    NUM_INTIDS, NUM_INTIDS + 1, 2047, 2048, 0xffff, 0x10000 | 40,
    1ULL << 32, 1ULL << 32 | 40, 1ULL << 63 | 40, UINT64_MAX,
};

static void test_call_bad_intid(void)
{
    QTestState *qts = rvic_start("-smp 2");
    g_autofree char *before = NULL;

    rvic_enable(qts, 1);
    rvic_unmask(qts, 1, 0);
    rvic_unmask(qts, 1, 40);
    rvic_signal(qts, 1, 41);
    before = rvic_dump(qts);

    for (size_t i = 0; i < ARRAY_SIZE(target_calls); i++) {
        uint32_t fn = target_calls[i];

        for (size_t j = 0; j < ARRAY_SIZE(bad_intids); j++) {
            rvic_expect(qts, 0, fn, rvic_mpidr(1), bad_intids[j], UNUSED,
                        ERROR_PARAMETER_1, 0);
            /* the MPIDR is looked at first */
            rvic_expect(qts, 0, fn, 2, bad_intids[j], UNUSED,
                        INVALID_CPU_0, 0);
        }
    }
    rvic_expect_dump(qts, before);

    /* the last one is good */
    for (size_t i = 0; i < ARRAY_SIZE(target_calls); i++) {
        rvic_expect(qts, 0, target_calls[i], rvic_mpidr(1), LAST_INTID, UNUSED,
                    SUCCESS, 0);
    }
    qtest_quit(qts);
}

/* SIGNAL: INVALID_CPU before ERROR_PARAMETER before DISABLED */
static void test_call_signal_disabled(void)
{
    QTestState *qts = rvic_start("-smp 2");
    g_autofree char *before = NULL;

    /* the caller's own instance does not matter */
    rvic_enable(qts, 0);
    before = rvic_dump(qts);
    rvic_expect(qts, 0, RVIC_SIGNAL, rvic_mpidr(1), 40, UNUSED, DISABLED, 0);
    rvic_expect(qts, 0, RVIC_SIGNAL, rvic_mpidr(1), 0, UNUSED, DISABLED, 0);
    rvic_expect(qts, 0, RVIC_SIGNAL, rvic_mpidr(1), NUM_INTIDS, UNUSED,
                ERROR_PARAMETER_1, 0);
    rvic_expect(qts, 0, RVIC_SIGNAL, 2, 40, UNUSED, INVALID_CPU_0, 0);
    rvic_expect(qts, 0, RVIC_SIGNAL, 2, NUM_INTIDS, UNUSED, INVALID_CPU_0, 0);
    rvic_expect_dump(qts, before);

    rvic_expect(qts, 1, RVIC_SIGNAL, rvic_mpidr(0), 40, UNUSED, SUCCESS, 0);
    g_assert_true(rvic_is_pending(qts, 0, 40));
    g_assert_false(rvic_is_pending(qts, 1, 40));

    rvic_enable(qts, 1);
    g_assert_false(rvic_is_pending(qts, 1, 0));
    g_assert_false(rvic_is_pending(qts, 1, 40));
    qtest_quit(qts);
}

static void test_call_acknowledge_errors(void)
{
    QTestState *qts = rvic_start("-smp 2");

    rvic_expect(qts, 0, RVIC_ACKNOWLEDGE, 0, 0, 0, DISABLED, 0);
    rvic_enable(qts, 0);
    rvic_expect(qts, 0, RVIC_ACKNOWLEDGE, 0, 0, 0, NO_INTERRUPTS, 0);

    /* somebody else's interrupt */
    rvic_enable(qts, 1);
    rvic_unmask(qts, 1, 40);
    rvic_signal(qts, 1, 40);
    rvic_expect(qts, 0, RVIC_ACKNOWLEDGE, rvic_mpidr(1), 40, 0,
                NO_INTERRUPTS, 0);

    /* DISABLED also if something is pending */
    rvic_disable(qts, 1);
    rvic_expect(qts, 1, RVIC_ACKNOWLEDGE, 0, 0, 0, DISABLED, 0);
    rvic_enable(qts, 1);
    rvic_expect_only(qts, 1, 40);
    qtest_quit(qts);
}

static void test_call_resample_errors(void)
{
    static const uint64_t bad[] = {
        FIRST_UNTRUSTED, LAST_INTID, NUM_INTIDS, UINT32_MAX, 1ULL << 32,
        1ULL << 32 | TIMER_VIRT, 1ULL << 63 | TIMER_VIRT, UINT64_MAX,
    };
    QTestState *qts = rvic_start("-smp 1");
    g_autofree char *before = NULL;

    rvic_line(qts, 0, TIMER_VIRT, true);
    for (int enabled = 0; enabled < 2; enabled++) {
        g_free(before);
        before = rvic_dump(qts);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
            rvic_expect(qts, 0, RVIC_RESAMPLE, bad[i], UNUSED, UNUSED,
                        ERROR_PARAMETER_0, 0);
        }
        rvic_expect_dump(qts, before);
        rvic_enable(qts, 0);
        rvic_clear_pending(qts, 0, TIMER_VIRT);
    }
    qtest_quit(qts);
}

/* Guest mistakes are logged, what happens in normal use is not */
static void test_call_log(void)
{
    g_autofree char *log = rvic_temp(".log");
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    QTestState *qts = rvic_start("-d guest_errors -D %s", log);

    rvic_expect(qts, 0, RVIC_ACKNOWLEDGE, 0, 0, 0, DISABLED, 0);
    rvic_expect(qts, 0, RVIC_SIGNAL, 0, 1, 0, DISABLED, 0);
    rvic_enable(qts, 0);
    rvic_expect(qts, 0, RVIC_ACKNOWLEDGE, 0, 0, 0, NO_INTERRUPTS, 0);
    rvic_unmask(qts, 0, 1);

    rvic_expect(qts, 0, RVIC_INFO, 2, 0, 0, ERROR_PARAMETER_0, 0);
    rvic_expect(qts, 0, RVIC_SIGNAL, 0xabc, 0, 0, INVALID_CPU_0, 0);
    rvic_expect(qts, 0, RVID_UNMAP, NUM_INPUTS, 0, 0, ERROR_PARAMETER_0, 0);
    rvic_expect(qts, 0, RVIC_LAST, 0, 0, 0, NOT_SUPPORTED, 0);
    qtest_quit(qts);

    g_assert_true(g_file_get_contents(log, &text, NULL, NULL));
    lines = g_strsplit(g_strchomp(text), "\n", 0);
    g_assert_cmpuint(g_strv_length(lines), ==, 4);
    g_assert_nonnull(strstr(lines[0], "INFO"));
    g_assert_nonnull(strstr(lines[1], "SIGNAL"));
    g_assert_nonnull(strstr(lines[1], "0xabc"));
    g_assert_nonnull(strstr(lines[2], "UNMAP"));
    g_assert_nonnull(strstr(lines[3], "0xc50002ff"));
    unlink(log);
}

/* Disabled, nothing pending, everything masked */
static void check_reset_state(QTestState *qts, unsigned cpu)
{
    g_assert_false(rvic_irq(qts, cpu));
    rvic_expect(qts, cpu, RVIC_ACKNOWLEDGE, 0, 0, 0, DISABLED, 0);
    for (unsigned intid = 0; intid < NUM_INTIDS; intid++) {
        g_assert_false(rvic_is_pending(qts, cpu, intid));
    }
    rvic_enable(qts, cpu);
    for (unsigned intid = 0; intid < NUM_INTIDS; intid++) {
        rvic_signal(qts, cpu, intid);
    }
    rvic_expect_idle(qts, cpu);
}

static void test_state_reset(void)
{
    QTestState *qts = rvic_start("-smp 2");

    for (unsigned cpu = 0; cpu < 2; cpu++) {
        check_reset_state(qts, cpu);
    }
    qtest_quit(qts);
}

/* One INTID through all its states, by its own vCPU or by another one */
static void check_life(QTestState *qts, unsigned cpu, unsigned intid)
{
    /* masked: pending, but held back */
    rvic_signal(qts, cpu, intid);
    g_assert_true(rvic_is_pending(qts, cpu, intid));
    rvic_expect_idle(qts, cpu);

    /* CLEAR_MASKED delivers; being deliverable changes nothing else */
    rvic_unmask(qts, cpu, intid);
    g_assert_true(rvic_irq(qts, cpu));
    g_assert_true(rvic_is_pending(qts, cpu, intid));

    /* ACKNOWLEDGE masks and clears pending */
    rvic_expect_only(qts, cpu, intid);
    g_assert_false(rvic_is_pending(qts, cpu, intid));
    rvic_signal(qts, cpu, intid);
    g_assert_true(rvic_is_pending(qts, cpu, intid));
    rvic_expect_idle(qts, cpu);

    /* end of interrupt: what came meanwhile is delivered, once */
    rvic_signal(qts, cpu, intid);
    rvic_unmask(qts, cpu, intid);
    rvic_expect_only(qts, cpu, intid);
    rvic_unmask(qts, cpu, intid);
    rvic_expect_idle(qts, cpu);

    /* unmasked: delivered at once */
    rvic_signal(qts, cpu, intid);
    rvic_expect_only(qts, cpu, intid);
}

static void test_state_life(void)
{
    QTestState *qts = rvic_start("-smp 3");

    rvic_enable(qts, 0);
    rvic_enable(qts, 2);
    check_life(qts, 0, 0);
    check_life(qts, 2, 0);
    check_life(qts, 2, TIMER_VIRT);
    check_life(qts, 0, NUM_TRUSTED - 1);
    check_life(qts, 2, FIRST_UNTRUSTED);
    check_life(qts, 0, LAST_INTID);
    check_life(qts, 2, LAST_INTID);
    qtest_quit(qts);
}

/* Each INTID is itself, wherever in the bitmaps it lies */
static void check_all_intids(QTestState *qts, unsigned total)
{
    rvic_enable(qts, 1);
    for (unsigned intid = 0; intid < total; intid++) {
        rvic_unmask(qts, 1, intid);
    }
    for (unsigned intid = 0; intid < total; intid++) {
        rvic_signal(qts, 1, intid);
        rvic_expect_only(qts, 1, intid);
    }
    /* downwards, so that the search has to start anew each time */
    for (unsigned intid = total; intid-- > 0; ) {
        rvic_signal(qts, 1, intid);
        rvic_unmask(qts, 1, intid);
        rvic_expect_only(qts, 1, intid);
    }
    g_assert_false(rvic_irq(qts, 0));
}

/* All INTIDs at once: each is delivered once, then the line falls */
static void check_all_at_once(QTestState *qts, unsigned total)
{
    g_autofree bool *seen = g_new0(bool, total);

    for (unsigned intid = 0; intid < total; intid++) {
        rvic_signal(qts, 1, intid);
        rvic_unmask(qts, 1, intid);
    }
    for (unsigned n = 0; n < total; n++) {
        unsigned intid;

        g_assert_true(rvic_irq(qts, 1));
        intid = rvic_acknowledge(qts, 1);
        g_assert_cmpuint(intid, <, total);
        g_assert_false(seen[intid]);
        seen[intid] = true;
    }
    rvic_expect_idle(qts, 1);
}

/* All limits follow the numbers that the user chose */
static void test_counts(const void *counts)
{
    const RVICCounts *c = counts;
    unsigned total = c->trusted + c->untrusted;
    QTestState *qts = rvic_start_counts(c, "-smp 2");

    check_info(qts, c->trusted, c->untrusted);
    check_all_intids(qts, total);
    check_all_at_once(qts, total);
    for (unsigned intid = FIRST_LINE; intid < FIRST_LINE + NUM_LINES; intid++) {
        rvic_unmask(qts, 1, intid);
        rvic_line(qts, 1, intid, true);
        rvic_expect_only(qts, 1, intid);
        rvic_resample(qts, 1, intid);
        rvic_unmask(qts, 1, intid);
        rvic_expect_only(qts, 1, intid);
    }
    /* those above have no line, which is to say a low one */
    for (unsigned intid = 32; intid < c->trusted; intid++) {
        rvic_resample(qts, 1, intid);
        g_assert_false(rvic_is_pending(qts, 1, intid));
    }
    g_assert_false(rvic_irq(qts, 0));
    qtest_quit(qts);
}

/* IRQ is high exactly while something is deliverable */
static void test_state_output(void)
{
    QTestState *qts = rvic_start("-smp 2");
    static const unsigned pair[][2] = {
        { 40, 41 }, { 40, 72 }, { 3, LAST_INTID },
    };

    rvic_enable(qts, 1);
    for (size_t i = 0; i < ARRAY_SIZE(pair); i++) {
        unsigned a = pair[i][0], b = pair[i][1];

        rvic_unmask(qts, 1, a);
        rvic_unmask(qts, 1, b);
        g_assert_false(rvic_irq(qts, 1));
        rvic_signal(qts, 1, a);
        rvic_signal(qts, 1, b);
        g_assert_true(rvic_irq(qts, 1));

        rvic_mask(qts, 1, a);
        g_assert_true(rvic_irq(qts, 1));
        rvic_mask(qts, 1, b);
        rvic_expect_idle(qts, 1);
        g_assert_true(rvic_is_pending(qts, 1, a));
        g_assert_true(rvic_is_pending(qts, 1, b));
        rvic_unmask(qts, 1, b);
        g_assert_true(rvic_irq(qts, 1));
        rvic_unmask(qts, 1, a);

        rvic_clear_pending(qts, 1, b);
        g_assert_true(rvic_irq(qts, 1));
        g_assert_false(rvic_is_pending(qts, 1, b));
        rvic_clear_pending(qts, 1, a);
        rvic_expect_idle(qts, 1);

        rvic_signal(qts, 1, b);
        g_assert_true(rvic_irq(qts, 1));
        rvic_disable(qts, 1);
        g_assert_false(rvic_irq(qts, 1));
        rvic_enable(qts, 1);
        rvic_expect_only(qts, 1, b);
        g_assert_false(rvic_irq(qts, 0));
    }
    qtest_quit(qts);
}

static void test_state_clear_pending(void)
{
    QTestState *qts = rvic_start("-smp 1");

    rvic_enable(qts, 0);

    /* masked */
    rvic_signal(qts, 0, 40);
    rvic_clear_pending(qts, 0, 40);
    g_assert_false(rvic_is_pending(qts, 0, 40));
    rvic_unmask(qts, 0, 40);
    rvic_expect_idle(qts, 0);

    /* unmasked: stays unmasked */
    rvic_signal(qts, 0, 40);
    rvic_clear_pending(qts, 0, 40);
    rvic_expect_idle(qts, 0);
    rvic_signal(qts, 0, 40);
    rvic_expect_only(qts, 0, 40);

    /* not pending, and a neighbour that is */
    rvic_signal(qts, 0, 41);
    rvic_clear_pending(qts, 0, 40);
    g_assert_true(rvic_is_pending(qts, 0, 41));
    qtest_quit(qts);
}

/* The same INTID of another vCPU is another interrupt */
static void test_state_per_cpu(void)
{
    QTestState *qts = rvic_start("-smp 4");

    for (unsigned cpu = 0; cpu < 4; cpu++) {
        rvic_enable(qts, cpu);
    }
    rvic_unmask(qts, 1, 40);
    rvic_unmask(qts, 2, 40);
    rvic_signal(qts, 2, 40);
    for (unsigned cpu = 0; cpu < 4; cpu++) {
        g_assert_cmpint(rvic_is_pending(qts, cpu, 40), ==, cpu == 2);
        g_assert_cmpint(rvic_irq(qts, cpu), ==, cpu == 2);
    }
    rvic_expect_only(qts, 2, 40);
    rvic_signal(qts, 2, 40);
    rvic_signal(qts, 1, 40);
    rvic_clear_pending(qts, 2, 40);
    rvic_expect_only(qts, 1, 40);
    rvic_unmask(qts, 1, 40);
    rvic_expect_idle(qts, 2);

    /* ENABLE and DISABLE are the caller's own */
    rvic_disable(qts, 3);
    rvic_expect(qts, 0, RVIC_SIGNAL, rvic_mpidr(3), 0, 0, DISABLED, 0);
    for (unsigned cpu = 0; cpu < 3; cpu++) {
        rvic_signal(qts, cpu, 0);
    }
    qtest_quit(qts);
}

/* MPIDRs do not depend on a gic-version that has no effect otherwise */
static void test_state_gicv2_mpidr(void)
{
    QTestState *qts = qtest_init("-machine virt,irqchip=rvic,gic-version=2 "
                                 "-cpu max -m 32M -nodefaults -smp 17 "
                                 "2>/dev/null");

    for (unsigned cpu = 0; cpu < 17; cpu++) {
        rvic_expect(qts, 0, RVIC_IS_PENDING, rvic_mpidr(cpu), 0, 0, SUCCESS,
                    0);
    }
    qtest_quit(qts);
}

/* A disabled instance drops signals, but guests may work on its states */
static void test_disabled_calls(void)
{
    QTestState *qts = rvic_start("-smp 2");

    /* CLEAR_MASKED and SET_MASKED */
    rvic_unmask(qts, 1, 40);
    rvic_unmask(qts, 1, 41);
    rvic_mask(qts, 1, 41);
    rvic_enable(qts, 1);
    rvic_signal(qts, 1, 41);
    rvic_expect_idle(qts, 1);
    rvic_signal(qts, 1, 40);
    g_assert_true(rvic_irq(qts, 1));

    /* DISABLE keeps masks and pending states, IS_PENDING reads them */
    rvic_disable(qts, 1);
    g_assert_false(rvic_irq(qts, 1));
    g_assert_true(rvic_is_pending(qts, 1, 40));
    g_assert_true(rvic_is_pending(qts, 1, 41));
    g_assert_false(rvic_is_pending(qts, 1, 42));
    rvic_expect(qts, 0, RVIC_SIGNAL, rvic_mpidr(1), 42, 0, DISABLED, 0);
    rvic_disable(qts, 1);

    rvic_enable(qts, 1);
    rvic_expect_only(qts, 1, 40);
    rvic_unmask(qts, 1, 42);
    rvic_expect_idle(qts, 1);

    /* CLEAR_PENDING, and masking what was deliverable */
    rvic_signal(qts, 1, 42);
    rvic_unmask(qts, 1, 40);
    rvic_signal(qts, 1, 40);
    rvic_disable(qts, 1);
    rvic_clear_pending(qts, 1, 42);
    rvic_clear_pending(qts, 1, 41);
    rvic_unmask(qts, 1, 41);
    rvic_mask(qts, 1, 40);
    g_assert_false(rvic_is_pending(qts, 1, 42));
    rvic_enable(qts, 1);
    rvic_expect_idle(qts, 1);
    g_assert_true(rvic_is_pending(qts, 1, 40));

    /* unmasking on a disabled instance delivers when it is enabled */
    rvic_disable(qts, 1);
    rvic_unmask(qts, 1, 40);
    g_assert_false(rvic_irq(qts, 1));
    rvic_enable(qts, 1);
    rvic_expect_only(qts, 1, 40);
    qtest_quit(qts);
}

/* A trusted line: rising edges signal, falling edges clear nothing */
static void test_line_edges(void)
{
    QTestState *qts = rvic_start("-smp 1");

    rvic_enable(qts, 0);
    rvic_line(qts, 0, TIMER_VIRT, true);
    g_assert_true(rvic_is_pending(qts, 0, TIMER_VIRT));
    rvic_expect_idle(qts, 0);
    rvic_line(qts, 0, TIMER_VIRT, false);
    g_assert_true(rvic_is_pending(qts, 0, TIMER_VIRT));
    rvic_unmask(qts, 0, TIMER_VIRT);
    rvic_expect_only(qts, 0, TIMER_VIRT);
    rvic_unmask(qts, 0, TIMER_VIRT);
    rvic_expect_idle(qts, 0);

    rvic_line(qts, 0, TIMER_VIRT, true);
    rvic_expect_only(qts, 0, TIMER_VIRT);

    /* still high: no new edge, not even if it is driven high again */
    g_assert_false(rvic_is_pending(qts, 0, TIMER_VIRT));
    rvic_unmask(qts, 0, TIMER_VIRT);
    rvic_expect_idle(qts, 0);
    rvic_line(qts, 0, TIMER_VIRT, true);
    rvic_expect_idle(qts, 0);
    g_assert_false(rvic_is_pending(qts, 0, TIMER_VIRT));

    /* falling: nothing; the next edge: again */
    rvic_line(qts, 0, TIMER_VIRT, false);
    rvic_expect_idle(qts, 0);
    rvic_line(qts, 0, TIMER_VIRT, true);
    rvic_expect_only(qts, 0, TIMER_VIRT);

    /* CLEAR_PENDING works under a high line */
    rvic_line(qts, 0, TIMER_VIRT, false);
    rvic_line(qts, 0, TIMER_VIRT, true);
    g_assert_true(rvic_is_pending(qts, 0, TIMER_VIRT));
    rvic_clear_pending(qts, 0, TIMER_VIRT);
    g_assert_false(rvic_is_pending(qts, 0, TIMER_VIRT));
    rvic_unmask(qts, 0, TIMER_VIRT);
    rvic_expect_idle(qts, 0);
    qtest_quit(qts);
}

/* Every vCPU has its own 16 lines */
static void test_line_wiring(void)
{
    enum { CPUS = 3 };
    QTestState *qts = rvic_start("-smp %d", CPUS);

    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        rvic_enable(qts, cpu);
        for (unsigned intid = 0; intid < 32; intid++) {
            rvic_unmask(qts, cpu, intid);
        }
    }
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        for (unsigned intid = FIRST_LINE; intid < FIRST_LINE + NUM_LINES;
             intid++) {
            rvic_line(qts, cpu, intid, true);
            for (unsigned other = 0; other < CPUS; other++) {
                g_assert_cmpint(rvic_irq(qts, other), ==, other == cpu);
            }
            rvic_expect_only(qts, cpu, intid);
        }
    }
    qtest_quit(qts);
}

static void test_line_resample(void)
{
    QTestState *qts = rvic_start("-smp 2");

    /* disabled: succeeds and signals nothing */
    rvic_line(qts, 0, TIMER_VIRT, true);
    rvic_resample(qts, 0, TIMER_VIRT);
    g_assert_false(rvic_is_pending(qts, 0, TIMER_VIRT));

    rvic_enable(qts, 0);
    rvic_unmask(qts, 0, TIMER_VIRT);
    for (int i = 0; i < 3; i++) {
        rvic_expect_only(qts, 0, TIMER_VIRT);
        /* as long as the line is high, interrupt after interrupt */
        rvic_resample(qts, 0, TIMER_VIRT);
        g_assert_true(rvic_is_pending(qts, 0, TIMER_VIRT));
        rvic_expect_idle(qts, 0);
        rvic_unmask(qts, 0, TIMER_VIRT);
    }

    /* a low line clears nothing */
    rvic_line(qts, 0, TIMER_VIRT, false);
    rvic_resample(qts, 0, TIMER_VIRT);
    rvic_expect_only(qts, 0, TIMER_VIRT);
    rvic_resample(qts, 0, TIMER_VIRT);
    rvic_unmask(qts, 0, TIMER_VIRT);
    rvic_expect_idle(qts, 0);

    /* only the caller's own line, and only the one named */
    rvic_enable(qts, 1);
    rvic_unmask(qts, 1, TIMER_VIRT);
    rvic_line(qts, 1, TIMER_VIRT, true);
    rvic_expect_only(qts, 1, TIMER_VIRT);
    rvic_resample(qts, 0, TIMER_VIRT);
    rvic_resample(qts, 1, TIMER_VIRT + 1);
    rvic_resample(qts, 1, TIMER_VIRT - 1);
    g_assert_false(rvic_is_pending(qts, 0, TIMER_VIRT));
    g_assert_false(rvic_is_pending(qts, 1, TIMER_VIRT));
    g_assert_false(rvic_is_pending(qts, 1, TIMER_VIRT + 1));
    g_assert_false(rvic_is_pending(qts, 1, TIMER_VIRT - 1));

    /* a disabled instance keeps the line's level */
    rvic_disable(qts, 1);
    rvic_resample(qts, 1, TIMER_VIRT);
    g_assert_false(rvic_is_pending(qts, 1, TIMER_VIRT));
    qtest_quit(qts);
}

/* ENABLE samples: a line that was high before has no edge left */
static void test_line_enable(void)
{
    QTestState *qts = rvic_start("-smp 2");

    rvic_unmask(qts, 0, TIMER_VIRT);
    rvic_line(qts, 0, TIMER_VIRT, true);
    rvic_line(qts, 0, 16, true);
    rvic_line(qts, 0, 31, true);
    rvic_line(qts, 0, 23, true);
    rvic_line(qts, 0, 23, false);
    rvic_line(qts, 1, 30, true);
    g_assert_false(rvic_is_pending(qts, 0, TIMER_VIRT));
    g_assert_false(rvic_irq(qts, 0));

    rvic_enable(qts, 0);
    g_assert_true(rvic_is_pending(qts, 0, 16));
    g_assert_true(rvic_is_pending(qts, 0, 31));
    /* an edge that came and went is lost */
    g_assert_false(rvic_is_pending(qts, 0, 23));
    /* one vCPU's ENABLE samples its own lines */
    g_assert_false(rvic_is_pending(qts, 1, 30));
    g_assert_false(rvic_is_pending(qts, 0, 30));
    rvic_expect_only(qts, 0, TIMER_VIRT);

    /* high, acknowledged, off and on: sampled again */
    rvic_disable(qts, 0);
    g_assert_false(rvic_is_pending(qts, 0, TIMER_VIRT));
    rvic_enable(qts, 0);
    g_assert_true(rvic_is_pending(qts, 0, TIMER_VIRT));
    rvic_expect_idle(qts, 0);

    /* also if the instance was enabled already */
    rvic_clear_pending(qts, 0, TIMER_VIRT);
    rvic_enable(qts, 0);
    rvic_unmask(qts, 0, TIMER_VIRT);
    rvic_expect_only(qts, 0, TIMER_VIRT);

    /* what falls while the instance is off is not there any more */
    rvic_disable(qts, 0);
    rvic_line(qts, 0, TIMER_VIRT, false);
    rvic_clear_pending(qts, 0, TIMER_VIRT);
    rvic_enable(qts, 0);
    g_assert_false(rvic_is_pending(qts, 0, TIMER_VIRT));
    qtest_quit(qts);
}

/*
 * No deliverable INTID is passed over for ever: with all of a set signalled
 * again after each ACKNOWLEDGE, each of them has its turn.
 */
static void check_fairness(QTestState *qts, const unsigned *set, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        rvic_unmask(qts, 0, set[i]);
    }
    for (unsigned round = 0; round < 4; round++) {
        uint32_t missing = MAKE_64BIT_MASK(0, n);

        for (unsigned turn = 0; turn < 2 * n; turn++) {
            unsigned intid, i = 0;

            for (unsigned j = 0; j < n; j++) {
                rvic_signal(qts, 0, set[j]);
            }
            intid = rvic_acknowledge(qts, 0);
            rvic_unmask(qts, 0, intid);
            while (i < n && set[i] != intid) {
                i++;
            }
            g_assert_cmpuint(i, <, n);
            missing &= ~(1u << i);
        }
        g_assert_cmphex(missing, ==, 0);
    }
    for (unsigned i = 0; i < n; i++) {
        rvic_mask(qts, 0, set[i]);
        rvic_clear_pending(qts, 0, set[i]);
    }
}

static void test_state_fairness(void)
{
    static const unsigned same_word[] = { 64, 65, 70, 94, 95 };
    static const unsigned two_ends[] = { 0, LAST_INTID };
    static const unsigned far[] = { 0, 1, 31, 32, 63, 500, LAST_INTID };
    static const unsigned neighbours[] = { 33, 34 };
    static const unsigned words[] = { 10, 40, 41, 72, 1000 };
    QTestState *qts = rvic_start("-smp 1");

    rvic_enable(qts, 0);
    check_fairness(qts, same_word, ARRAY_SIZE(same_word));
    check_fairness(qts, two_ends, ARRAY_SIZE(two_ends));
    check_fairness(qts, far, ARRAY_SIZE(far));
    check_fairness(qts, neighbours, ARRAY_SIZE(neighbours));
    check_fairness(qts, words, ARRAY_SIZE(words));
    qtest_quit(qts);
}

/* High levels, which need no new signal, starve nobody either */
static void test_state_fairness_level(void)
{
    QTestState *qts = rvic_start("-smp 1");
    bool seen = false;

    rvic_enable(qts, 0);
    for (unsigned n = 0; n < 3; n++) {
        rvid_map(qts, n, 0, 100 + 50 * n);
        rvic_unmask(qts, 0, 100 + 50 * n);
        rvid_line(qts, n, true);
    }
    rvic_unmask(qts, 0, 170);
    rvic_signal(qts, 0, 170);
    for (int turn = 0; turn < 8; turn++) {
        unsigned intid = rvic_acknowledge(qts, 0);

        seen |= intid == 170;
        rvic_unmask(qts, 0, intid);
    }
    g_assert_true(seen);
    qtest_quit(qts);
}

static void test_reset_clears(void)
{
    QTestState *qts = rvic_start("-smp 2");
    g_autofree char *before = rvic_dump(qts);

    rvic_load(qts);
    qtest_system_reset(qts);
    rvic_expect_dump(qts, before);
    g_assert_false(rvic_irq(qts, 1));

    /* no mapping is left */
    rvic_enable(qts, 1);
    rvid_msi(qts, FIRST_MSI);
    g_assert_false(rvic_is_pending(qts, 1, 50));
    rvid_line(qts, 7, false);
    rvid_line(qts, 7, true);
    g_assert_false(rvic_is_pending(qts, 1, 40));
    rvid_line(qts, 7, false);
    rvic_disable(qts, 1);

    check_reset_state(qts, 0);
    check_reset_state(qts, 1);
    qtest_quit(qts);
}

/* Levels are forgotten: a line that stays high gives no edge and no level */
static void test_reset_high_lines(void)
{
    QTestState *qts = rvic_start("-smp 2");

    rvic_load(qts);
    qtest_system_reset(qts);

    rvic_enable(qts, 1);
    g_assert_false(rvic_is_pending(qts, 1, TIMER_VIRT));
    rvic_resample(qts, 1, TIMER_VIRT);
    g_assert_false(rvic_is_pending(qts, 1, TIMER_VIRT));
    for (unsigned input = 7; input < 10; input++) {
        rvid_map(qts, input, 1, 40);
    }
    g_assert_false(rvic_is_pending(qts, 1, 40));

    /* they fall at last: nothing; they rise: as always */
    rvic_unmask(qts, 1, TIMER_VIRT);
    rvic_line(qts, 1, TIMER_VIRT, false);
    rvic_unmask(qts, 1, 40);
    rvid_line(qts, 7, false);
    rvid_line(qts, 8, false);
    rvid_line(qts, 9, false);
    rvic_expect_idle(qts, 1);
    rvic_line(qts, 1, TIMER_VIRT, true);
    rvic_expect_only(qts, 1, TIMER_VIRT);
    rvid_line(qts, 8, true);
    rvic_expect_only(qts, 1, 40);
    rvid_line(qts, 8, false);
    rvic_unmask(qts, 1, 40);
    rvic_expect_idle(qts, 1);
    qtest_quit(qts);
}

static void test_reset_usable(void)
{
    QTestState *qts = rvic_start("-smp 2");

    for (int i = 0; i < 3; i++) {
        rvic_load(qts);
        g_assert_true(rvic_irq(qts, 1));
        qtest_system_reset(qts);
        rvic_enable(qts, 0);
        rvic_enable(qts, 1);
        check_life(qts, 1, 40);
        check_life(qts, 0, TIMER_VIRT);
        /* for rvic_load() to have edges */
        rvic_line(qts, 1, TIMER_VIRT, false);
        rvid_line(qts, 7, false);
        rvid_line(qts, 8, false);
        rvid_line(qts, 9, false);
    }
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/rvic/call/version", test_call_version);
    qtest_add_func("/rvic/call/info", test_call_info);
    qtest_add_func("/rvic/call/reserved", test_call_reserved);
    qtest_add_data_func("/rvic/call/foreign-below", &foreign[0],
                        test_call_foreign);
    qtest_add_data_func("/rvic/call/foreign-above", &foreign[1],
                        test_call_foreign);
    qtest_add_func("/rvic/call/bad-mpidr", test_call_bad_mpidr);
    qtest_add_func("/rvic/call/bad-intid", test_call_bad_intid);
    qtest_add_func("/rvic/call/signal-disabled", test_call_signal_disabled);
    qtest_add_func("/rvic/call/acknowledge-errors",
                   test_call_acknowledge_errors);
    qtest_add_func("/rvic/call/resample-errors", test_call_resample_errors);
    qtest_add_func("/rvic/call/log", test_call_log);

    qtest_add_func("/rvic/state/reset", test_state_reset);
    qtest_add_func("/rvic/state/life", test_state_life);
    rvic_add_counts("/rvic/counts", test_counts);
    qtest_add_func("/rvic/state/output", test_state_output);
    qtest_add_func("/rvic/state/clear-pending", test_state_clear_pending);
    qtest_add_func("/rvic/state/per-cpu", test_state_per_cpu);
    qtest_add_func("/rvic/state/gicv2-mpidr", test_state_gicv2_mpidr);
    qtest_add_func("/rvic/state/fairness", test_state_fairness);
    qtest_add_func("/rvic/state/fairness-level", test_state_fairness_level);
    qtest_add_func("/rvic/disabled/calls", test_disabled_calls);

    qtest_add_func("/rvic/line/edges", test_line_edges);
    qtest_add_func("/rvic/line/wiring", test_line_wiring);
    qtest_add_func("/rvic/line/resample", test_line_resample);
    qtest_add_func("/rvic/line/enable", test_line_enable);

    qtest_add_func("/rvic/reset/clears", test_reset_clears);
    qtest_add_func("/rvic/reset/high-lines", test_reset_high_lines);
    qtest_add_func("/rvic/reset/usable", test_reset_usable);

    return g_test_run();
}
