/*
 * Arm rVIC and rVID: the largest machine, of 512 vCPUs
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "rvic-qtest.h"

/*
 * Callers and targets are paired by permutations, so that nearly all calls are
 * to another cluster.
 */
#define CPUS            512
#define WATCHED         256     /* libqtest's limit */

static unsigned target_of(unsigned caller)
{
    return (caller * 165 + 77) % CPUS;
}

static unsigned intid_for(unsigned cpu)
{
    return (cpu * 7 + 3) % NUM_INTIDS;
}

static void call_target(QTestState *qts, unsigned caller, uint32_t function,
                        unsigned cpu, uint64_t status, uint64_t value)
{
    rvic_expect(qts, caller, function, rvic_mpidr(cpu), intid_for(cpu), UNUSED,
                status, value);
}

/* By each vCPU to each vCPU; @shift makes other pairs */
static void call_all(QTestState *qts, unsigned shift, uint32_t function,
                     uint64_t status, uint64_t value)
{
    for (unsigned caller = 0; caller < CPUS; caller++) {
        call_target(qts, caller, function, target_of(caller + shift), status,
                    value);
    }
}

static void expect_nothing(QTestState *qts, unsigned cpu)
{
    rvic_expect(qts, cpu, RVIC_ACKNOWLEDGE, UNUSED, UNUSED, UNUSED,
                NO_INTERRUPTS, 0);
}

static void expect_nothing_anywhere(QTestState *qts)
{
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        expect_nothing(qts, cpu);
    }
}

/* Each vCPU has its own INTID and no other */
static void acknowledge_all(QTestState *qts)
{
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        g_assert_cmpuint(rvic_acknowledge(qts, cpu), ==, intid_for(cpu));
        expect_nothing(qts, cpu);
    }
}

static void test_512_calls(void)
{
    QTestState *qts = rvic_start_512_cpus("");

    call_all(qts, 1, RVIC_SIGNAL, DISABLED, 0);
    call_all(qts, 2, RVIC_CLEAR_MASKED, SUCCESS, 0);
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        rvic_enable(qts, cpu);
    }
    call_all(qts, 3, RVIC_IS_PENDING, SUCCESS, 0);
    call_all(qts, 5, RVIC_SIGNAL, SUCCESS, 0);
    call_all(qts, 8, RVIC_IS_PENDING, SUCCESS, 1);
    acknowledge_all(qts);

    /* masked by that: held back until somebody unmasks */
    call_all(qts, 13, RVIC_SIGNAL, SUCCESS, 0);
    expect_nothing_anywhere(qts);
    call_all(qts, 21, RVIC_CLEAR_MASKED, SUCCESS, 0);
    acknowledge_all(qts);

    call_all(qts, 34, RVIC_CLEAR_MASKED, SUCCESS, 0);
    call_all(qts, 55, RVIC_SIGNAL, SUCCESS, 0);
    call_all(qts, 89, RVIC_SET_MASKED, SUCCESS, 0);
    expect_nothing_anywhere(qts);
    call_all(qts, 144, RVIC_CLEAR_PENDING, SUCCESS, 0);
    call_all(qts, 233, RVIC_IS_PENDING, SUCCESS, 0);
    call_all(qts, 377, RVIC_CLEAR_MASKED, SUCCESS, 0);
    expect_nothing_anywhere(qts);

    /* the last vCPU, and the first ones that do not exist */
    rvic_expect(qts, 0, RVIC_IS_PENDING, 0x1f0f, 0, 0, SUCCESS, 0);
    rvic_expect(qts, 0, RVIC_IS_PENDING, 0x1f10, 0, 0, INVALID_CPU_0, 0);
    rvic_expect(qts, 511, RVIC_IS_PENDING, 0x2000, 0, 0, INVALID_CPU_0, 0);
    rvic_expect(qts, 511, RVIC_IS_PENDING, 0x10000, 0, 0, INVALID_CPU_0, 0);
    qtest_quit(qts);
}

/* Each vCPU maps an input to another one: lines and MSIs */
static void test_512_inputs(void)
{
    QTestState *qts = rvic_start_512_cpus("");

    for (unsigned caller = 0; caller < CPUS; caller++) {
        unsigned cpu = target_of(caller);

        rvic_enable(qts, caller);
        rvic_expect(qts, caller, RVID_MAP, cpu, rvic_mpidr(cpu),
                    FIRST_UNTRUSTED + cpu, SUCCESS, 0);
        rvic_expect(qts, caller, RVIC_CLEAR_MASKED, rvic_mpidr(cpu),
                    FIRST_UNTRUSTED + cpu, UNUSED, SUCCESS, 0);
    }
    expect_nothing_anywhere(qts);
    for (unsigned input = 0; input < CPUS; input++) {
        if (input < NUM_WIRED) {
            rvid_line(qts, input, true);
        } else {
            rvid_msi(qts, input);
        }
    }
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        g_assert_cmpuint(rvic_acknowledge(qts, cpu), ==,
                         FIRST_UNTRUSTED + cpu);
        expect_nothing(qts, cpu);
    }
    qtest_quit(qts);
}

/* The upper half calls the lower one, whose outputs can be watched */
static void test_512_outputs(void)
{
    QTestState *qts = rvic_start("-smp %d", CPUS);

    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        rvic_enable(qts, cpu);
    }
    for (unsigned i = 0; i < WATCHED; i++) {
        unsigned cpu = target_of(i) % WATCHED;
        unsigned next = target_of(i + 1) % WATCHED;

        call_target(qts, WATCHED + i, RVIC_CLEAR_MASKED, cpu, SUCCESS, 0);
        g_assert_false(rvic_irq(qts, cpu));
        call_target(qts, CPUS - 1 - i, RVIC_SIGNAL, cpu, SUCCESS, 0);
        g_assert_true(rvic_irq(qts, cpu));
        /* in the end it is the first one again */
        g_assert_cmpint(rvic_irq(qts, next), ==, i + 1 == WATCHED);
    }
    for (unsigned i = 0; i < WATCHED; i++) {
        unsigned cpu = target_of(i) % WATCHED;

        call_target(qts, CPUS - 1 - i, RVIC_SET_MASKED, cpu, SUCCESS, 0);
        g_assert_false(rvic_irq(qts, cpu));
        call_target(qts, WATCHED + i, RVIC_CLEAR_MASKED, cpu, SUCCESS, 0);
        g_assert_true(rvic_irq(qts, cpu));
    }
    for (unsigned i = 0; i < WATCHED; i++) {
        unsigned cpu = target_of(i) % WATCHED;

        g_assert_true(rvic_irq(qts, cpu));
        call_target(qts, CPUS - 1 - i, RVIC_CLEAR_PENDING, cpu, SUCCESS, 0);
        g_assert_false(rvic_irq(qts, cpu));
    }
    qtest_quit(qts);
}

static char *cpu_path(QTestState *qts, unsigned cpu)
{
    QDict *rsp = qtest_qmp(qts, "{ 'execute': 'query-cpus-fast' }");
    QList *cpus = qdict_get_qlist(rsp, "return");
    char *path = NULL;
    const QListEntry *e;

    g_assert_cmpuint(qlist_size(cpus), ==, CPUS);
    QLIST_FOREACH_ENTRY(cpus, e) {
        QDict *info = qobject_to(QDict, qlist_entry_obj(e));

        if (qdict_get_int(info, "cpu-index") == cpu) {
            path = g_strdup(qdict_get_str(info, "qom-path"));
        }
    }
    qobject_unref(rsp);
    g_assert_nonnull(path);
    return path;
}

/* An output of the upper half, watched at the vCPU's end of the wire */
static void check_wire(unsigned cpu)
{
    QTestState *qts = rvic_start_512_cpus("");
    g_autofree char *path = cpu_path(qts, cpu);

    /* its input 0 is IRQ */
    qtest_irq_intercept_in(qts, path);
    rvic_enable(qts, cpu);
    for (unsigned other = 0; other < CPUS; other++) {
        rvic_unmask(qts, other, intid_for(other));
        if (other != cpu) {
            rvic_enable(qts, other);
            call_target(qts, cpu, RVIC_SIGNAL, other, SUCCESS, 0);
        }
    }
    g_assert_false(qtest_get_irq(qts, 0));
    call_target(qts, 0, RVIC_SIGNAL, cpu, SUCCESS, 0);
    g_assert_true(qtest_get_irq(qts, 0));
    call_target(qts, CPUS - 2, RVIC_SET_MASKED, cpu, SUCCESS, 0);
    g_assert_false(qtest_get_irq(qts, 0));
    call_target(qts, 200, RVIC_CLEAR_MASKED, cpu, SUCCESS, 0);
    g_assert_true(qtest_get_irq(qts, 0));
    g_assert_cmpuint(rvic_acknowledge(qts, cpu), ==, intid_for(cpu));
    g_assert_false(qtest_get_irq(qts, 0));
    qtest_quit(qts);
}

static void test_512_wires(void)
{
    check_wire(WATCHED);
    check_wire(CPUS - 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/rvic/many-cpus/512-calls", test_512_calls);
    qtest_add_func("/rvic/many-cpus/512-inputs", test_512_inputs);
    qtest_add_func("/rvic/many-cpus/512-outputs", test_512_outputs);
    qtest_add_func("/rvic/many-cpus/512-wires", test_512_wires);

    return g_test_run();
}
