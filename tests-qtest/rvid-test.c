/*
 * Arm rVID: its hypercalls, wired inputs and their levels, MSIs
 *
 * A fresh machine for each scenario, without a running vCPU.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "rvic-qtest.h"

/* Two vCPUs that are enabled; what the scenarios map inputs to */
#define CPU     1
#define OTHER   2
#define INTID   40

static QTestState *start(void)
{
    QTestState *qts = rvic_start("-smp 3");

    rvic_enable(qts, CPU);
    rvic_enable(qts, OTHER);
    return qts;
}

/* ... with input 5 mapped to an unmasked INTID */
#define INPUT   5

static QTestState *start_mapped(void)
{
    QTestState *qts = start();

    rvid_map(qts, INPUT, CPU, INTID);
    rvic_unmask(qts, CPU, INTID);
    return qts;
}

static void test_call_version(void)
{
    QTestState *qts = start();

    rvic_expect(qts, 0, RVID_VERSION, 0, 0, 0, SUCCESS, VERSION_0_3);
    rvic_expect(qts, 1, RVID_VERSION, UNUSED, UNUSED, UNUSED, SUCCESS,
                VERSION_0_3);
    qtest_quit(qts);
}

static const uint64_t bad_inputs[] = {
    NUM_INPUTS, NUM_INPUTS + 1, NUM_INTIDS, 0x10000 | INPUT, UINT32_MAX,
    1ULL << 32 | INPUT, 1ULL << 63 | INPUT, UINT64_MAX,
};

static const uint64_t bad_mpidrs[] = {
    3, 0x101, 1u << 24 | CPU, 1u << 31 | CPU, 1ULL << 32 | CPU,
    1ULL << 40 | CPU, 1ULL << 63 | CPU, UINT64_MAX,
};

static const uint64_t bad_intids[] = {
    0, TIMER_VIRT, NUM_TRUSTED - 1, NUM_INTIDS, 2048, 0x10000 | INTID,
    1ULL << 32, 1ULL << 32 | INTID, 1ULL << 63 | INTID, UINT64_MAX,
};

/* A refused call leaves the older mapping as it was */
static void test_call_errors(void)
{
    QTestState *qts = start_mapped();
    g_autofree char *before = rvic_dump(qts);

    for (size_t i = 0; i < ARRAY_SIZE(bad_inputs); i++) {
        rvic_expect(qts, 0, RVID_MAP, bad_inputs[i], CPU, INTID,
                    ERROR_PARAMETER_0, 0);
        rvic_expect(qts, 0, RVID_UNMAP, bad_inputs[i], 0, 0,
                    ERROR_PARAMETER_0, 0);
        for (size_t j = 0; j < ARRAY_SIZE(bad_mpidrs); j++) {
            /* in the order of the arguments */
            rvic_expect(qts, 0, RVID_MAP, bad_inputs[i], bad_mpidrs[j], INTID,
                        ERROR_PARAMETER_0, 0);
            rvic_expect(qts, 0, RVID_MAP, bad_inputs[i], bad_mpidrs[j],
                        TIMER_VIRT, ERROR_PARAMETER_0, 0);
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad_mpidrs); i++) {
        rvic_expect(qts, 0, RVID_MAP, INPUT, bad_mpidrs[i], INTID,
                    ERROR_PARAMETER_1, 0);
        for (size_t j = 0; j < ARRAY_SIZE(bad_intids); j++) {
            rvic_expect(qts, 0, RVID_MAP, INPUT, bad_mpidrs[i], bad_intids[j],
                        ERROR_PARAMETER_1, 0);
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad_intids); i++) {
        rvic_expect(qts, 0, RVID_MAP, INPUT, CPU, bad_intids[i],
                    ERROR_PARAMETER_2, 0);
        rvic_expect(qts, 0, RVID_MAP, NUM_INPUTS, CPU, bad_intids[i],
                    ERROR_PARAMETER_0, 0);
    }
    rvic_expect_dump(qts, before);

    rvid_line(qts, INPUT, true);
    rvic_expect_only(qts, CPU, INTID);
    qtest_quit(qts);
}

/* The first and the last of everything; whoever calls */
static void test_call_limits(void)
{
    QTestState *qts = start();

    rvic_expect(qts, 2, RVID_MAP, 0, CPU, FIRST_UNTRUSTED, SUCCESS, 0);
    rvic_expect(qts, 1, RVID_MAP, LAST_INPUT, OTHER, LAST_INTID, SUCCESS, 0);
    rvic_unmask(qts, CPU, FIRST_UNTRUSTED);
    rvic_unmask(qts, OTHER, LAST_INTID);
    rvid_line(qts, 0, true);
    rvic_expect_idle(qts, OTHER);
    rvic_expect_only(qts, CPU, FIRST_UNTRUSTED);
    rvid_msi(qts, LAST_INPUT);
    rvic_expect_idle(qts, CPU);
    rvic_expect_only(qts, OTHER, LAST_INTID);

    rvic_expect(qts, 2, RVID_UNMAP, LAST_INPUT, UNUSED, UNUSED, SUCCESS, 0);
    rvic_expect(qts, 2, RVID_UNMAP, LAST_INPUT, UNUSED, UNUSED, SUCCESS, 0);
    rvic_unmask(qts, OTHER, LAST_INTID);
    rvid_msi(qts, LAST_INPUT);
    rvic_expect_idle(qts, OTHER);
    qtest_quit(qts);
}

/* Each input leads where it was mapped to, and nowhere else */
static void test_all_inputs(const void *counts)
{
    const RVICCounts *c = counts;
    unsigned last = c->trusted + c->untrusted - 1;
    QTestState *qts = rvic_start_counts(c, "-smp 3");

    rvic_enable(qts, CPU);
    rvic_enable(qts, OTHER);
    for (unsigned n = 0; n < c->untrusted; n++) {
        unsigned cpu = n % 2 ? CPU : OTHER;

        rvid_map(qts, n, cpu, last - n);
        rvic_unmask(qts, cpu, last - n);
    }
    /* the doorbell takes MSIs only, and no more than there are */
    rvid_msi(qts, 0);
    rvid_msi(qts, NUM_WIRED - 1);
    rvid_msi(qts, c->untrusted);
    rvid_msi(qts, last + 1);
    rvic_expect_idle(qts, CPU);
    rvic_expect_idle(qts, OTHER);
    for (unsigned n = 0; n < c->untrusted; n++) {
        unsigned cpu = n % 2 ? CPU : OTHER;

        if (n < NUM_WIRED) {
            rvid_line(qts, n, true);
        } else {
            rvid_msi(qts, n);
        }
        rvic_expect_only(qts, cpu, last - n);
        rvic_expect_idle(qts, CPU + OTHER - cpu);
    }
    qtest_quit(qts);
}

/* An unmapped input signals nobody: its edge is lost, its level is not */
static void test_unmapped(void)
{
    QTestState *qts = start();
    g_autofree char *before = rvic_dump(qts);

    /* a pulse leaves nothing behind */
    rvid_line(qts, INPUT, true);
    rvid_line(qts, INPUT, false);
    rvid_msi(qts, FIRST_MSI);
    rvic_expect_dump(qts, before);
    rvic_unmask(qts, CPU, INTID);
    rvid_map(qts, INPUT, CPU, INTID);
    rvid_map(qts, FIRST_MSI, CPU, INTID);
    rvic_expect_idle(qts, CPU);
    g_assert_false(rvic_is_pending(qts, CPU, INTID));
    rvid_unmap(qts, INPUT);

    /* a level is there when the input gets mapped, and is all there is */
    rvid_line(qts, INPUT, true);
    g_assert_false(rvic_is_pending(qts, CPU, INTID));
    rvid_map(qts, INPUT, CPU, INTID);
    g_assert_true(rvic_irq(qts, CPU));
    g_assert_true(rvic_is_pending(qts, CPU, INTID));
    rvid_line(qts, INPUT, false);
    g_assert_false(rvic_is_pending(qts, CPU, INTID));
    rvic_expect_idle(qts, CPU);
    qtest_quit(qts);
}

/* A high line interrupts again after each end of interrupt */
static void test_level_redelivery(void)
{
    QTestState *qts = start_mapped();

    rvid_line(qts, INPUT, true);
    for (int i = 0; i < 4; i++) {
        g_assert_true(rvic_is_pending(qts, CPU, INTID));
        rvic_expect_only(qts, CPU, INTID);
        /* ACKNOWLEDGE does not clear the level */
        g_assert_true(rvic_is_pending(qts, CPU, INTID));
        rvic_unmask(qts, CPU, INTID);
    }
    rvic_expect_only(qts, CPU, INTID);

    /* the driver serves the device, which lowers its line */
    rvid_line(qts, INPUT, false);
    g_assert_false(rvic_is_pending(qts, CPU, INTID));
    rvic_unmask(qts, CPU, INTID);
    rvic_expect_idle(qts, CPU);

    /* and once more */
    rvid_line(qts, INPUT, true);
    rvic_expect_only(qts, CPU, INTID);
    g_assert_false(rvic_irq(qts, 0));
    qtest_quit(qts);
}

/* A line that is driven high twice has risen once */
static void test_level_repeated(void)
{
    QTestState *qts = start_mapped();

    rvid_line(qts, INPUT, true);
    rvic_clear_pending(qts, CPU, INTID);
    rvid_line(qts, INPUT, true);
    rvid_line(qts, INPUT, false);
    g_assert_false(rvic_is_pending(qts, CPU, INTID));
    rvid_line(qts, INPUT, false);
    rvic_expect_idle(qts, CPU);
    qtest_quit(qts);
}

/* A pulse is delivered after the line fell, once */
static void test_level_pulse(void)
{
    QTestState *qts = start_mapped();

    rvid_line(qts, INPUT, true);
    rvid_line(qts, INPUT, false);
    g_assert_true(rvic_is_pending(qts, CPU, INTID));
    rvic_expect_only(qts, CPU, INTID);
    rvic_unmask(qts, CPU, INTID);
    rvic_expect_idle(qts, CPU);

    /* while masked, as between ACKNOWLEDGE and end of interrupt */
    rvic_mask(qts, CPU, INTID);
    rvid_line(qts, INPUT, true);
    rvid_line(qts, INPUT, false);
    rvic_expect_idle(qts, CPU);
    rvic_unmask(qts, CPU, INTID);
    rvic_expect_only(qts, CPU, INTID);
    qtest_quit(qts);
}

/* CLEAR_PENDING clears the edge and not the level */
static void test_level_clear_pending(void)
{
    QTestState *qts = start_mapped();

    rvid_line(qts, INPUT, true);
    rvic_clear_pending(qts, CPU, INTID);
    g_assert_true(rvic_is_pending(qts, CPU, INTID));
    g_assert_true(rvic_irq(qts, CPU));
    rvid_line(qts, INPUT, false);
    g_assert_false(rvic_is_pending(qts, CPU, INTID));
    rvic_expect_idle(qts, CPU);

    /* the other way round: the edge outlives the level */
    rvid_line(qts, INPUT, true);
    rvid_line(qts, INPUT, false);
    rvic_clear_pending(qts, CPU, INTID);
    rvic_expect_idle(qts, CPU);
    qtest_quit(qts);
}

static void test_level_masked(void)
{
    QTestState *qts = start_mapped();

    rvic_mask(qts, CPU, INTID);
    rvid_line(qts, INPUT, true);
    rvic_clear_pending(qts, CPU, INTID);
    g_assert_true(rvic_is_pending(qts, CPU, INTID));
    rvic_expect_idle(qts, CPU);
    rvic_unmask(qts, CPU, INTID);
    g_assert_true(rvic_irq(qts, CPU));
    rvic_mask(qts, CPU, INTID);
    rvic_expect_idle(qts, CPU);
    rvid_line(qts, INPUT, false);
    rvic_unmask(qts, CPU, INTID);
    rvic_expect_idle(qts, CPU);
    qtest_quit(qts);
}

/* A disabled instance loses edges and keeps levels */
static void test_level_disabled(void)
{
    QTestState *qts = start_mapped();

    rvic_disable(qts, CPU);
    rvid_line(qts, INPUT, true);
    rvid_line(qts, INPUT, false);
    g_assert_false(rvic_is_pending(qts, CPU, INTID));
    rvic_enable(qts, CPU);
    rvic_expect_idle(qts, CPU);

    /* risen while disabled: level without edge */
    rvic_disable(qts, CPU);
    rvid_line(qts, INPUT, true);
    g_assert_true(rvic_is_pending(qts, CPU, INTID));
    g_assert_false(rvic_irq(qts, CPU));
    rvic_enable(qts, CPU);
    g_assert_true(rvic_irq(qts, CPU));
    rvid_line(qts, INPUT, false);
    rvic_expect_idle(qts, CPU);

    /* risen before: both */
    rvid_line(qts, INPUT, true);
    rvic_disable(qts, CPU);
    g_assert_true(rvic_is_pending(qts, CPU, INTID));
    g_assert_false(rvic_irq(qts, CPU));
    rvid_line(qts, INPUT, false);
    g_assert_true(rvic_is_pending(qts, CPU, INTID));
    rvic_enable(qts, CPU);
    rvic_expect_only(qts, CPU, INTID);

    /* ENABLE makes no edge of a level that is not trusted */
    rvid_line(qts, INPUT, true);
    rvic_clear_pending(qts, CPU, INTID);
    rvic_disable(qts, CPU);
    rvic_enable(qts, CPU);
    rvid_line(qts, INPUT, false);
    g_assert_false(rvic_is_pending(qts, CPU, INTID));

    /* fallen while disabled */
    rvic_unmask(qts, CPU, INTID);
    rvid_line(qts, INPUT, true);
    rvic_clear_pending(qts, CPU, INTID);
    rvic_disable(qts, CPU);
    rvid_line(qts, INPUT, false);
    rvic_enable(qts, CPU);
    rvic_expect_idle(qts, CPU);
    qtest_quit(qts);
}

/* MAP over an older mapping: the level moves, pending states stay */
static void test_map_moves_level(void)
{
    QTestState *qts = start_mapped();

    rvic_unmask(qts, OTHER, INTID + 1);
    rvid_line(qts, INPUT, true);
    rvid_map(qts, INPUT, OTHER, INTID + 1);

    g_assert_true(rvic_is_pending(qts, CPU, INTID));
    g_assert_true(rvic_irq(qts, CPU));
    rvic_clear_pending(qts, CPU, INTID);
    g_assert_false(rvic_is_pending(qts, CPU, INTID));
    rvic_expect_idle(qts, CPU);

    g_assert_true(rvic_is_pending(qts, OTHER, INTID + 1));
    rvic_expect_only(qts, OTHER, INTID + 1);
    rvic_unmask(qts, OTHER, INTID + 1);
    g_assert_true(rvic_irq(qts, OTHER));

    /* the new mapping replaced the old one */
    rvid_line(qts, INPUT, false);
    rvic_expect_idle(qts, OTHER);
    rvid_line(qts, INPUT, true);
    rvic_expect_only(qts, OTHER, INTID + 1);
    rvic_expect_idle(qts, CPU);
    g_assert_false(rvic_is_pending(qts, CPU, INTID));

    /* back again: mapping gives no edge, only the level */
    rvid_map(qts, INPUT, CPU, INTID);
    g_assert_false(rvic_is_pending(qts, OTHER, INTID + 1));
    g_assert_true(rvic_irq(qts, CPU));
    rvid_line(qts, INPUT, false);
    g_assert_false(rvic_is_pending(qts, CPU, INTID));
    rvic_expect_idle(qts, CPU);
    qtest_quit(qts);
}

/* The target may be disabled: it has the level once it is enabled */
static void test_map_disabled_target(void)
{
    QTestState *qts = start_mapped();

    rvic_unmask(qts, 0, INTID);
    rvid_line(qts, INPUT, true);
    rvid_map(qts, INPUT, 0, INTID);
    g_assert_true(rvic_is_pending(qts, 0, INTID));
    g_assert_false(rvic_irq(qts, 0));
    rvic_enable(qts, 0);
    rvic_expect_only(qts, 0, INTID);
    rvic_disable(qts, 0);
    rvid_unmap(qts, INPUT);
    g_assert_false(rvic_is_pending(qts, 0, INTID));
    rvic_enable(qts, 0);
    rvic_unmask(qts, 0, INTID);
    rvic_expect_idle(qts, 0);
    qtest_quit(qts);
}

/* MAP and UNMAP touch no mask and no pending state */
static void test_map_touches_nothing(void)
{
    QTestState *qts = start();

    /* masked and pending; unmasked */
    rvic_signal(qts, CPU, INTID);
    rvic_unmask(qts, OTHER, INTID);
    rvid_map(qts, INPUT, CPU, INTID);
    rvic_expect_idle(qts, CPU);
    g_assert_true(rvic_is_pending(qts, CPU, INTID));
    rvid_map(qts, INPUT, OTHER, INTID);
    g_assert_true(rvic_is_pending(qts, CPU, INTID));
    rvic_expect_idle(qts, OTHER);
    rvid_unmap(qts, INPUT);
    g_assert_true(rvic_is_pending(qts, CPU, INTID));
    rvic_signal(qts, OTHER, INTID);
    rvic_expect_only(qts, OTHER, INTID);
    rvic_unmask(qts, CPU, INTID);
    rvic_expect_only(qts, CPU, INTID);
    qtest_quit(qts);
}

/* Mapped to where it leads already */
static void test_map_same(void)
{
    QTestState *qts = start_mapped();

    rvid_line(qts, INPUT, true);
    rvic_clear_pending(qts, CPU, INTID);
    rvid_map(qts, INPUT, CPU, INTID);
    g_assert_true(rvic_irq(qts, CPU));
    g_assert_true(rvic_is_pending(qts, CPU, INTID));
    rvid_line(qts, INPUT, false);
    g_assert_false(rvic_is_pending(qts, CPU, INTID));
    rvic_expect_idle(qts, CPU);
    rvid_line(qts, INPUT, true);
    rvic_expect_only(qts, CPU, INTID);
    qtest_quit(qts);
}

static void test_unmap(void)
{
    QTestState *qts = start_mapped();

    /* the level goes, the edge stays */
    rvid_line(qts, INPUT, true);
    rvid_unmap(qts, INPUT);
    g_assert_true(rvic_is_pending(qts, CPU, INTID));
    rvic_expect_only(qts, CPU, INTID);
    g_assert_false(rvic_is_pending(qts, CPU, INTID));
    rvic_unmask(qts, CPU, INTID);
    rvic_expect_idle(qts, CPU);

    /* twice is fine, and a high line is not forgotten */
    rvid_unmap(qts, INPUT);
    rvid_map(qts, INPUT, CPU, INTID);
    g_assert_true(rvic_irq(qts, CPU));
    rvid_unmap(qts, INPUT);
    rvic_expect_idle(qts, CPU);

    /* neither is that it fell */
    rvid_line(qts, INPUT, false);
    rvid_map(qts, INPUT, CPU, INTID);
    rvic_expect_idle(qts, CPU);
    rvid_unmap(qts, INPUT);
    rvid_line(qts, INPUT, true);
    rvid_line(qts, INPUT, false);
    g_assert_false(rvic_is_pending(qts, CPU, INTID));
    qtest_quit(qts);
}

/* Inputs on one INTID: it is high until the last of them falls */
static void check_shared(QTestState *qts, const unsigned *order, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        rvid_line(qts, i, true);
        /* each rising edge signals, also under a high level */
        rvic_expect_only(qts, CPU, INTID);
        rvic_unmask(qts, CPU, INTID);
    }
    rvic_expect_only(qts, CPU, INTID);
    rvic_unmask(qts, CPU, INTID);
    for (unsigned i = 0; i < n; i++) {
        g_assert_true(rvic_is_pending(qts, CPU, INTID));
        g_assert_true(rvic_irq(qts, CPU));
        rvid_line(qts, order[i], false);
    }
    g_assert_false(rvic_is_pending(qts, CPU, INTID));
    rvic_expect_idle(qts, CPU);
}

static void test_shared_orders(void)
{
    static const unsigned two[][2] = { { 0, 1 }, { 1, 0 } };
    static const unsigned three[][3] = {
        { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
        { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
    };
    QTestState *qts = start();

    rvic_unmask(qts, CPU, INTID);
    rvid_map(qts, 0, CPU, INTID);
    rvid_map(qts, 1, CPU, INTID);
    for (size_t i = 0; i < ARRAY_SIZE(two); i++) {
        check_shared(qts, two[i], 2);
    }
    rvid_map(qts, 2, CPU, INTID);
    for (size_t i = 0; i < ARRAY_SIZE(three); i++) {
        check_shared(qts, three[i], 3);
    }
    qtest_quit(qts);
}

/* The second input's rise is an edge of its own, though the level is high */
static void test_shared_edge(void)
{
    QTestState *qts = start_mapped();

    rvid_map(qts, INPUT + 1, CPU, INTID);
    rvid_line(qts, INPUT, true);
    rvic_expect_only(qts, CPU, INTID);
    rvid_line(qts, INPUT + 1, true);
    rvid_line(qts, INPUT + 1, false);
    rvid_line(qts, INPUT, false);
    g_assert_true(rvic_is_pending(qts, CPU, INTID));
    rvic_unmask(qts, CPU, INTID);
    rvic_expect_only(qts, CPU, INTID);
    g_assert_false(rvic_is_pending(qts, CPU, INTID));
    qtest_quit(qts);
}

/* Inputs that come to and leave a shared INTID, low and high */
static void test_shared_map_unmap(void)
{
    QTestState *qts = start_mapped();

    rvid_map(qts, 6, CPU, INTID);
    rvid_map(qts, 7, CPU, INTID);
    rvic_mask(qts, CPU, INTID);
    rvic_unmask(qts, OTHER, INTID);
    rvid_line(qts, INPUT, true);
    rvid_line(qts, 6, true);
    rvic_clear_pending(qts, CPU, INTID);

    /* a low one leaves, then a high one: one is left */
    rvid_unmap(qts, 7);
    g_assert_true(rvic_is_pending(qts, CPU, INTID));
    rvid_unmap(qts, 6);
    g_assert_true(rvic_is_pending(qts, CPU, INTID));
    rvid_line(qts, 6, false);
    g_assert_true(rvic_is_pending(qts, CPU, INTID));
    rvid_line(qts, 6, true);

    /* the last high one moves, with a low one and then another left behind */
    rvid_map(qts, 7, CPU, INTID);
    rvid_map(qts, INPUT, OTHER, INTID);
    g_assert_false(rvic_is_pending(qts, CPU, INTID));
    g_assert_true(rvic_irq(qts, OTHER));
    rvid_map(qts, 6, CPU, INTID);
    g_assert_true(rvic_is_pending(qts, CPU, INTID));
    rvid_line(qts, 6, false);
    g_assert_false(rvic_is_pending(qts, CPU, INTID));

    /* both on the other one, in turn unmapped */
    rvid_line(qts, 7, true);
    rvic_clear_pending(qts, CPU, INTID);
    rvid_map(qts, 7, OTHER, INTID);
    g_assert_false(rvic_is_pending(qts, CPU, INTID));
    rvid_unmap(qts, INPUT);
    g_assert_true(rvic_irq(qts, OTHER));
    rvid_unmap(qts, 7);
    rvic_expect_idle(qts, OTHER);

    /* the group is gone: it starts anew, with the lines that are high */
    rvid_map(qts, 6, OTHER, INTID);
    rvic_expect_idle(qts, OTHER);
    rvid_map(qts, 7, OTHER, INTID);
    rvic_expect_only(qts, OTHER, INTID);
    rvid_line(qts, 7, false);
    g_assert_false(rvic_is_pending(qts, OTHER, INTID));
    qtest_quit(qts);
}

/* A line and an MSI may share an INTID: the MSI has no level */
static void test_shared_with_msi(void)
{
    QTestState *qts = start_mapped();

    rvid_map(qts, FIRST_MSI, CPU, INTID);
    rvid_msi(qts, FIRST_MSI);
    rvic_expect_only(qts, CPU, INTID);
    rvid_line(qts, INPUT, true);
    rvid_msi(qts, FIRST_MSI);
    rvic_clear_pending(qts, CPU, INTID);
    g_assert_true(rvic_is_pending(qts, CPU, INTID));
    rvid_line(qts, INPUT, false);
    g_assert_false(rvic_is_pending(qts, CPU, INTID));
    qtest_quit(qts);
}

/* As a driver moves an interrupt, which must lose nothing */
static void test_move(void)
{
    QTestState *qts = start_mapped();

    for (int pulse = 0; pulse < 2; pulse++) {
        rvic_mask(qts, CPU, INTID);
        rvid_line(qts, INPUT, true);
        if (pulse) {
            rvid_line(qts, INPUT, false);
        }
        rvid_map(qts, INPUT, OTHER, INTID);
        g_assert_true(rvic_is_pending(qts, CPU, INTID));
        rvic_clear_pending(qts, CPU, INTID);
        rvic_signal(qts, OTHER, INTID);
        rvic_unmask(qts, OTHER, INTID);
        rvic_expect_only(qts, OTHER, INTID);
        rvid_line(qts, INPUT, false);
        rvic_unmask(qts, OTHER, INTID);
        rvic_expect_idle(qts, OTHER);
        rvic_unmask(qts, CPU, INTID);
        rvic_expect_idle(qts, CPU);
        rvid_map(qts, INPUT, CPU, INTID);
    }
    qtest_quit(qts);
}

/* MSIs are edges */
static void test_msi(void)
{
    static const unsigned msis[] = { FIRST_MSI, 500, LAST_INPUT };
    QTestState *qts = start();

    for (size_t i = 0; i < ARRAY_SIZE(msis); i++) {
        unsigned intid = 100 + i;

        rvid_map(qts, msis[i], CPU, intid);
        rvid_msi(qts, msis[i]);
        g_assert_true(rvic_is_pending(qts, CPU, intid));
        rvic_expect_idle(qts, CPU);
        rvic_unmask(qts, CPU, intid);
        rvic_expect_only(qts, CPU, intid);
        rvic_unmask(qts, CPU, intid);
        rvic_expect_idle(qts, CPU);

        /* two before ACKNOWLEDGE are one, one after it is another */
        rvid_msi(qts, msis[i]);
        rvid_msi(qts, msis[i]);
        rvic_expect_only(qts, CPU, intid);
        rvid_msi(qts, msis[i]);
        rvic_unmask(qts, CPU, intid);
        rvic_expect_only(qts, CPU, intid);
        rvic_unmask(qts, CPU, intid);

        /* to a disabled instance: lost */
        rvic_disable(qts, CPU);
        rvid_msi(qts, msis[i]);
        g_assert_false(rvic_is_pending(qts, CPU, intid));
        rvic_enable(qts, CPU);
        rvic_expect_idle(qts, CPU);

        /* moved, unmapped */
        rvid_msi(qts, msis[i]);
        rvid_map(qts, msis[i], OTHER, intid);
        rvic_expect_only(qts, CPU, intid);
        rvid_msi(qts, msis[i]);
        g_assert_true(rvic_is_pending(qts, OTHER, intid));
        rvic_clear_pending(qts, OTHER, intid);
        rvid_unmap(qts, msis[i]);
        rvid_msi(qts, msis[i]);
        g_assert_false(rvic_is_pending(qts, CPU, intid));
        g_assert_false(rvic_is_pending(qts, OTHER, intid));
    }
    qtest_quit(qts);
}

/* What is not a 32-bit write of an MSI's number to offset 0 */
static const struct {
    unsigned size;
    unsigned offset;
    uint64_t data;
} bad_writes[] = {
    { 4, 4, FIRST_MSI },
    { 4, 8, FIRST_MSI },
    { 4, 0x40, FIRST_MSI },
    { 4, DOORBELL_SIZE - 4, FIRST_MSI },
    { 4, 1, FIRST_MSI },
    { 4, 2, FIRST_MSI },
    { 4, 3, FIRST_MSI },
    { 1, 0, 0 },
    { 1, 1, FIRST_MSI >> 8 },
    { 2, 0, FIRST_MSI },
    { 2, 2, FIRST_MSI },
    { 8, 0, FIRST_MSI },
    { 8, 0, FIRST_MSI | (uint64_t)FIRST_MSI << 32 },
    { 8, 8, FIRST_MSI },
    { 4, 0, 0 },
    { 4, 0, INPUT },
    { 4, 0, NUM_WIRED - 1 },
    { 4, 0, NUM_INPUTS },
    { 4, 0, NUM_INPUTS + 1 },
    { 4, 0, NUM_INTIDS },
    { 4, 0, 0x10000 | FIRST_MSI },
    { 4, 0, 1u << 31 | FIRST_MSI },
    { 4, 0, UINT32_MAX },
    /* big-endian */
    { 4, 0, 0x00010000 },
};

static void test_doorbell_bad_writes(void)
{
    g_autofree char *log = rvic_temp(".log");
    g_autofree char *text = NULL;
    g_autofree char *before = NULL;
    g_auto(GStrv) lines = NULL;
    QTestState *qts = rvic_start("-d guest_errors -D %s", log);

    rvic_enable(qts, 0);
    for (unsigned n = 0; n < NUM_INPUTS; n++) {
        rvid_map(qts, n, 0, FIRST_UNTRUSTED + n);
    }
    before = rvic_dump(qts);
    for (size_t i = 0; i < ARRAY_SIZE(bad_writes); i++) {
        uint64_t addr = DOORBELL + bad_writes[i].offset;
        uint64_t data = bad_writes[i].data;

        switch (bad_writes[i].size) {
        case 1:
            qtest_writeb(qts, addr, data);
            break;
        case 2:
            qtest_writew(qts, addr, data);
            break;
        case 4:
            qtest_writel(qts, addr, data);
            break;
        case 8:
            qtest_writeq(qts, addr, data);
            break;
        default:
            g_assert_not_reached();
        }
    }
    rvic_expect_dump(qts, before);

    /* and a good one, which is not logged */
    qtest_writel(qts, DOORBELL, FIRST_MSI);
    g_assert_true(rvic_is_pending(qts, 0, FIRST_UNTRUSTED + FIRST_MSI));
    qtest_quit(qts);

    g_assert_true(g_file_get_contents(log, &text, NULL, NULL));
    lines = g_strsplit(g_strchomp(text), "\n", 0);
    g_assert_cmpuint(g_strv_length(lines), ==, ARRAY_SIZE(bad_writes));
    for (size_t i = 0; i < ARRAY_SIZE(bad_writes); i++) {
        g_autofree char *offset = g_strdup_printf("offset 0x%x",
                                                  bad_writes[i].offset);
        g_autofree char *data = g_strdup_printf("0x%" PRIx64,
                                                bad_writes[i].data);

        g_assert_nonnull(strstr(lines[i], "doorbell"));
        g_assert_nonnull(strstr(lines[i], offset));
        g_assert_nonnull(strstr(lines[i], data));
    }
    unlink(log);
}

static void test_doorbell_reads(void)
{
    QTestState *qts = start();

    rvid_msi(qts, FIRST_MSI);
    for (unsigned i = 0; i < DOORBELL_SIZE; i += 8) {
        g_assert_cmphex(qtest_readq(qts, DOORBELL + i), ==, 0);
    }
    g_assert_cmphex(qtest_readb(qts, DOORBELL + 1), ==, 0);
    g_assert_cmphex(qtest_readw(qts, DOORBELL), ==, 0);
    g_assert_cmphex(qtest_readl(qts, DOORBELL), ==, 0);
    g_assert_cmphex(qtest_readl(qts, DOORBELL + 2), ==, 0);
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/rvid/call/version", test_call_version);
    qtest_add_func("/rvid/call/errors", test_call_errors);
    qtest_add_func("/rvid/call/limits", test_call_limits);

    rvic_add_counts("/rvid/input/all", test_all_inputs);
    qtest_add_func("/rvid/input/unmapped", test_unmapped);

    qtest_add_func("/rvid/level/redelivery", test_level_redelivery);
    qtest_add_func("/rvid/level/repeated", test_level_repeated);
    qtest_add_func("/rvid/level/pulse", test_level_pulse);
    qtest_add_func("/rvid/level/clear-pending", test_level_clear_pending);
    qtest_add_func("/rvid/level/masked", test_level_masked);
    qtest_add_func("/rvid/level/disabled", test_level_disabled);

    qtest_add_func("/rvid/map/moves-level", test_map_moves_level);
    qtest_add_func("/rvid/map/touches-nothing", test_map_touches_nothing);
    qtest_add_func("/rvid/map/disabled-target", test_map_disabled_target);
    qtest_add_func("/rvid/map/same", test_map_same);
    qtest_add_func("/rvid/map/unmap", test_unmap);
    qtest_add_func("/rvid/map/move", test_move);

    qtest_add_func("/rvid/shared/orders", test_shared_orders);
    qtest_add_func("/rvid/shared/edge", test_shared_edge);
    qtest_add_func("/rvid/shared/map-unmap", test_shared_map_unmap);
    qtest_add_func("/rvid/shared/with-msi", test_shared_with_msi);

    qtest_add_func("/rvid/msi", test_msi);
    qtest_add_func("/rvid/doorbell/bad-writes", test_doorbell_bad_writes);
    qtest_add_func("/rvid/doorbell/reads", test_doorbell_reads);

    return g_test_run();
}
