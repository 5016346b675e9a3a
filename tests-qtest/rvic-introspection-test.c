/*
 * Arm rVIC and rVID: what monitor, QMP and QOM tell of their interrupts
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qobject/qjson.h"
#include "rvic-qtest.h"

/* A machine with an example of everything; vCPU 2 is disabled again */
static QTestState *start_examples(void)
{
    QTestState *qts = rvic_start("-smp 3");

    rvic_load(qts);
    /* IPIs, one of them unmasked as its neighbour is */
    rvic_unmask(qts, 1, 0);
    rvic_unmask(qts, 1, 1);
    rvic_signal(qts, 1, 3);
    /* an INTID with two inputs, and an MSI that nobody takes */
    rvid_map(qts, 10, 1, 70);
    rvid_map(qts, 300, 1, 70);
    rvid_msi(qts, 300);
    rvid_msi(qts, 301);
    /* a line that the board has not connected, its edge gone */
    rvic_line(qts, 1, 16, true);
    rvic_clear_pending(qts, 1, 16);
    /* one acknowledged and not unmasked again, one without an input */
    rvic_enable(qts, 2);
    rvic_unmask(qts, 2, 23);
    rvic_signal(qts, 2, 23);
    rvic_acknowledge(qts, 2);
    rvic_signal(qts, 2, 23);
    rvic_unmask(qts, 2, 45);
    rvic_signal(qts, 2, 45);
    rvic_disable(qts, 2);
    return qts;
}

static void expect_text(const char *text, const char *expected)
{
    if (!strstr(text, expected)) {
        g_test_message("expected: %s", expected);
        g_test_message("got: %s", text);
        g_assert_not_reached();
    }
}

static char *info_pic(QTestState *qts)
{
    g_auto(GStrv) lines = NULL;
    g_autofree char *text = qtest_hmp(qts, "info pic");

    lines = g_strsplit(text, "\r\n", 0);
    return g_strjoinv("\n", lines);
}

static void test_monitor_pic(void)
{
    QTestState *qts = start_examples();
    g_autofree char *pic = info_pic(qts);
    g_autofree char *after = NULL;

    expect_text(pic,
        "rVIC: 32 trusted, 992 untrusted INTIDs\n"
        " CPU 0 (MPIDR 0x0): enabled, IRQ low, acknowledged 0\n"
        "  INTID   60 masked pending high, all CPUs acknowledged 0: input 8\n"
        " CPU 1 (MPIDR 0x1): enabled, IRQ high, acknowledged 0, powered off\n"
        "  unmasked: 0-1 27(virt-timer) 40 50\n"
        "  INTID    3 masked pending, all CPUs acknowledged 0: IPI 3\n"
        "  INTID   16 masked high, all CPUs acknowledged 0: IPI 16\n"
        "  INTID   27 unmasked pending high deliverable, "
        "all CPUs acknowledged 0: virt-timer\n"
        "  INTID   40 unmasked pending high deliverable, "
        "all CPUs acknowledged 0: input 7\n"
        "  INTID   50 unmasked pending deliverable, "
        "all CPUs acknowledged 0: MSI 256\n"
        "  INTID   70 masked pending, "
        "all CPUs acknowledged 0: input 10, MSI 300\n"
        " CPU 2 (MPIDR 0x2): disabled, IRQ low, acknowledged 1, powered off\n"
        "  unmasked: 45\n"
        "  INTID   23 masked pending, all CPUs acknowledged 1: pmu\n"
        "  INTID   45 unmasked pending, all CPUs acknowledged 0: no input\n");
    expect_text(pic,
        "rVID: inputs 0-255 wired, 736 MSIs\n"
        "  input    7 wired high, signalled 1 -> CPU 1 INTID 40 "
        "unmasked pending high deliverable\n"
        "  input    8 wired high, signalled 1 -> CPU 0 INTID 60 "
        "masked pending high\n"
        "  input    9 wired high, signalled 1, unmapped\n"
        "  input   10 wired low, signalled 0 -> CPU 1 INTID 70 "
        "masked pending\n"
        "  input  256 MSI, signalled 1 -> CPU 1 INTID 50 "
        "unmasked pending deliverable\n"
        "  input  300 MSI, signalled 1 -> CPU 1 INTID 70 masked pending\n"
        "  input  301 MSI, signalled 1, unmapped\n");

    /* a level alone, deliverable again as soon as it is unmasked */
    rvic_acknowledge(qts, 1);
    rvic_acknowledge(qts, 1);
    rvic_unmask(qts, 1, 40);
    rvid_line(qts, 9, false);
    after = info_pic(qts);
    expect_text(after, "IRQ high, acknowledged 2, powered off\n"
        "  unmasked: 0-1 40 50\n");
    expect_text(after, "  INTID   27 masked high, all CPUs acknowledged 1: "
                "virt-timer\n"
                "  INTID   40 unmasked high deliverable, "
                "all CPUs acknowledged 1: input 7\n");
    expect_text(after, "  input    9 wired low, signalled 1, unmapped\n");
    qtest_quit(qts);
}

/* The names of all lines that the board has connected */
static void test_monitor_lines(void)
{
    QTestState *qts = rvic_start("-smp 2");
    g_autofree char *pic = NULL;

    rvic_enable(qts, 1);
    for (unsigned intid = 0; intid < 34; intid++) {
        rvic_unmask(qts, 1, intid);
    }
    pic = info_pic(qts);
    expect_text(pic, "  unmasked: 0-22 23(pmu) 24-25 26(hyp-timer) "
                "27(virt-timer) 28(hyp-virt-timer) 29(sec-phys-timer) "
                "30(phys-timer) 31-33\n");
    qtest_quit(qts);
}

/* After reset there is nothing but a line for each vCPU */
static void test_monitor_reset(void)
{
    QTestState *qts = rvic_start("-smp 2");
    g_autofree char *pic = info_pic(qts);

    expect_text(pic,
        "rVIC: 32 trusted, 992 untrusted INTIDs\n"
        " CPU 0 (MPIDR 0x0): disabled, IRQ low, acknowledged 0\n"
        " CPU 1 (MPIDR 0x1): disabled, IRQ low, acknowledged 0, "
        "powered off\n");
    expect_text(pic, "rVID: inputs 0-255 wired, 736 MSIs\n");
    g_assert_null(strstr(pic, "INTID "));
    g_assert_null(strstr(pic, "unmasked"));
    g_assert_null(strstr(pic, "  input"));
    qtest_quit(qts);
}

/* QMP has the same text */
static void test_monitor_qmp(void)
{
    QTestState *qts = start_examples();
    g_autofree char *pic = info_pic(qts);
    QDict *rsp = qtest_qmp(qts, "{ 'execute': "
                           "'x-query-interrupt-controllers' }");
    QDict *ret = qdict_get_qdict(rsp, "return");

    g_assert_nonnull(ret);
    expect_text(pic, "virt-timer");
    g_assert_cmpstr(qdict_get_str(ret, "human-readable-text"), ==, pic);
    qobject_unref(rsp);
    qtest_quit(qts);
}

static void test_monitor_irq(void)
{
    QTestState *qts = start_examples();
    g_autofree char *irq = NULL;
    const char *rvic, *rvid;

    /* acknowledged interrupts are counted, on all vCPUs together */
    for (int i = 0; i < 3; i++) {
        rvic_acknowledge(qts, 1);
    }
    rvic_unmask(qts, 0, 50);
    rvic_signal(qts, 0, 50);
    rvic_expect_only(qts, 0, 50);
    rvid_line(qts, 7, false);
    rvid_msi(qts, FIRST_MSI);
    irq = qtest_hmp(qts, "info irq");
    rvic = strstr(irq, "arm-rvic");
    rvid = strstr(irq, "arm-rvid");
    g_assert_true(rvic && rvid);
    g_assert_nonnull(strstr(rvic, "\n27: 1\r\n"));
    g_assert_nonnull(strstr(rvic, "\n40: 1\r\n"));
    g_assert_nonnull(strstr(rvic, "\n50: 2\r\n"));
    /* rising edges and MSIs are, mapped or not, for each input */
    g_assert_nonnull(strstr(rvid, "\n 7: 1\r\n 8: 1\r\n 9: 1\r\n256: 2\r\n"
                            "300: 1\r\n301: 1\r\n"));
    qtest_quit(qts);
}

static void expect_json(QObject *value, const char *expected)
{
    g_autoptr(GString) got = qobject_to_json(value);
    QObject *parsed = qobject_from_json(expected, &error_abort);

    g_test_message("got %s, expected %s", got->str, expected);
    g_assert_true(qobject_is_equal(value, parsed));
    qobject_unref(parsed);
    qobject_unref(value);
}

static void test_qom_numbers(void)
{
    QTestState *qts = rvic_start("-smp 3 -global arm-rvic.num-trusted=64 "
                                 "-global arm-rvic.num-untrusted=320");

    expect_json(rvic_qom_get(qts, RVIC_PATH, "num-cpu"), "3");
    expect_json(rvic_qom_get(qts, RVIC_PATH, "num-trusted"), "64");
    expect_json(rvic_qom_get(qts, RVIC_PATH, "num-untrusted"), "320");
    expect_json(rvic_qom_get(qts, RVIC_PATH, "version"), "\"0.3\"");
    expect_json(rvic_qom_get(qts, RVID_PATH, "num-wired"), "256");
    expect_json(rvic_qom_get(qts, RVID_PATH, "num-inputs"), "320");
    expect_json(rvic_qom_get(qts, RVID_PATH, "rvic"), "\"" RVIC_PATH "\"");
    /* the doorbell is a memory region like any other */
    expect_json(rvic_qom_get(qts, RVID_PATH "/arm-rvid-doorbell[0]", "addr"),
                "134348800");
    expect_json(rvic_qom_get(qts, RVID_PATH "/arm-rvid-doorbell[0]", "size"),
                "4096");
    qtest_quit(qts);
}

static void test_qom_state(void)
{
    QTestState *qts = start_examples();

    expect_json(QOBJECT(rvic_instances(qts)),
        "[ { 'cpu': 0, 'mpidr': 0, 'enabled': true, 'irq': false, "
        "    'acknowledged': 0, 'unmasked': [], 'pending': [ 60 ], "
        "    'high': [ 60 ], 'counts': [], 'powered-off': false }, "
        "  { 'cpu': 1, 'mpidr': 1, 'enabled': true, 'irq': true, "
        "    'acknowledged': 0, 'unmasked': [ 0, 1, 27, 40, 50 ], "
        "    'pending': [ 3, 27, 40, 50, 70 ], 'high': [ 16, 27, 40 ], "
        "    'counts': [], 'powered-off': true }, "
        "  { 'cpu': 2, 'mpidr': 2, 'enabled': false, 'irq': false, "
        "    'acknowledged': 1, 'unmasked': [ 45 ], 'pending': [ 23, 45 ], "
        "    'high': [], 'counts': [ { 'intid': 23, 'acknowledged': 1 } ], "
        "    'powered-off': true } ]");
    expect_json(QOBJECT(rvid_inputs(qts)),
        "[ { 'input': 7, 'wired': true, 'high': true, 'signalled': 1, "
        "    'cpu': 1, 'intid': 40 }, "
        "  { 'input': 8, 'wired': true, 'high': true, 'signalled': 1, "
        "    'cpu': 0, 'intid': 60 }, "
        "  { 'input': 9, 'wired': true, 'high': true, 'signalled': 1 }, "
        "  { 'input': 10, 'wired': true, 'high': false, 'signalled': 0, "
        "    'cpu': 1, 'intid': 70 }, "
        "  { 'input': 256, 'wired': false, 'high': false, 'signalled': 1, "
        "    'cpu': 1, 'intid': 50 }, "
        "  { 'input': 300, 'wired': false, 'high': false, 'signalled': 1, "
        "    'cpu': 1, 'intid': 70 }, "
        "  { 'input': 301, 'wired': false, 'high': false, "
        "    'signalled': 1 } ]");
    qtest_quit(qts);
}

/* The names that "info pic" has, too */
static void test_qom_lines(void)
{
    QTestState *qts = rvic_start("-smp 1");

    expect_json(rvic_qom_get(qts, RVIC_PATH, "lines"),
        "[ { 'intid': 23, 'name': 'pmu' }, "
        "  { 'intid': 26, 'name': 'hyp-timer' }, "
        "  { 'intid': 27, 'name': 'virt-timer' }, "
        "  { 'intid': 28, 'name': 'hyp-virt-timer' }, "
        "  { 'intid': 29, 'name': 'sec-phys-timer' }, "
        "  { 'intid': 30, 'name': 'phys-timer' } ]");
    qtest_quit(qts);
}

static void expect_counts(QTestState *qts, unsigned cpu, const char *expected)
{
    QList *instances = rvic_instances(qts);
    const QListEntry *e;

    QLIST_FOREACH_ENTRY(instances, e) {
        QDict *info = qobject_to(QDict, qlist_entry_obj(e));

        if (qdict_get_int(info, "cpu") == cpu) {
            expect_json(qobject_ref(qdict_get(info, "counts")), expected);
        }
    }
    qobject_unref(instances);
}

/* Each vCPU has its own, of each of its INTIDs; reset leaves them */
static void test_qom_counts(void)
{
    static const char *const expected[] = {
        "[]",
        "[ { 'intid': 27, 'acknowledged': 1 } ]",
        "[ { 'intid': 0, 'acknowledged': 1 }, "
        "  { 'intid': 27, 'acknowledged': 2 }, "
        "  { 'intid': 1023, 'acknowledged': 1 } ]",
    };
    static const struct {
        unsigned cpu;
        unsigned intid;
    } deliveries[] = { { 1, 27 }, { 2, 1023 }, { 2, 27 }, { 2, 0 }, { 2, 27 } };
    QTestState *qts = rvic_start("-smp 3");

    rvic_enable(qts, 1);
    rvic_enable(qts, 2);
    for (unsigned i = 0; i < ARRAY_SIZE(deliveries); i++) {
        rvic_unmask(qts, deliveries[i].cpu, deliveries[i].intid);
        rvic_signal(qts, deliveries[i].cpu, deliveries[i].intid);
        rvic_expect_only(qts, deliveries[i].cpu, deliveries[i].intid);
    }
    for (unsigned cpu = 0; cpu < ARRAY_SIZE(expected); cpu++) {
        expect_counts(qts, cpu, expected[cpu]);
    }
    qtest_system_reset(qts);
    for (unsigned cpu = 0; cpu < ARRAY_SIZE(expected); cpu++) {
        expect_counts(qts, cpu, expected[cpu]);
    }
    qtest_quit(qts);
}

/* None of the properties can be set, and qom-list has them all */
static void test_qom_read_only(void)
{
    static const struct {
        const char *path;
        const char *property;
        const char *value;
    } cases[] = {
        { "/machine", "irqchip", "'gic'" },
        { RVIC_PATH, "num-cpu", "1" },
        { RVIC_PATH, "num-trusted", "64" },
        { RVIC_PATH, "num-untrusted", "512" },
        { RVIC_PATH, "version", "'0.4'" },
        { RVIC_PATH, "instances", "[]" },
        { RVIC_PATH, "lines", "[]" },
        { RVID_PATH, "num-wired", "32" },
        { RVID_PATH, "num-inputs", "32" },
        { RVID_PATH, "inputs", "[]" },
        { RVID_PATH, "rvic", "''" },
    };
    QTestState *qts = start_examples();

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        QObject *before = rvic_qom_get(qts, cases[i].path, cases[i].property);
        QObject *after;
        QDict *rsp;
        g_autofree char *listed = qtest_hmp(qts, "qom-list %s",
                                            cases[i].path);
        g_autofree char *name = g_strdup_printf("\n%s (", cases[i].property);
        QObject *value = qobject_from_json(cases[i].value, &error_abort);

        g_assert_nonnull(strstr(listed, name));
        rsp = qtest_qmp(qts, "{ 'execute': 'qom-set', 'arguments': "
                        "{ 'path': %s, 'property': %s, 'value': %p } }",
                        cases[i].path, cases[i].property, value);
        g_test_message("%s", cases[i].property);
        g_assert_true(qdict_haskey(rsp, "error"));
        qobject_unref(rsp);
        after = rvic_qom_get(qts, cases[i].path, cases[i].property);
        g_assert_true(qobject_is_equal(before, after));
        qobject_unref(before);
        qobject_unref(after);
    }
    qtest_quit(qts);
}

/* One line for each vCPU in "info pic", one entry in "instances" */
static void test_512_cpus(void)
{
    QTestState *qts = rvic_start_512_cpus("");
    g_autofree char *pic = NULL;
    g_auto(GStrv) lines = NULL;
    QList *instances;
    const QListEntry *e;
    unsigned cpu = 0;

    rvic_enable(qts, 300);
    rvic_unmask(qts, 300, 40);
    rvic_signal(qts, 300, 40);

    pic = info_pic(qts);
    lines = g_strsplit(g_strchomp(pic), "\n", 0);
    /* two titles, and two lines more for the vCPU with an interrupt */
    g_assert_cmpuint(g_strv_length(lines), ==, 512 + 2 + 2);
    expect_text(pic, "\n CPU 300 (MPIDR 0x120c): enabled, IRQ high, ");
    expect_text(pic, "\n CPU 511 (MPIDR 0x1f0f): disabled, IRQ low, ");

    instances = rvic_instances(qts);
    QLIST_FOREACH_ENTRY(instances, e) {
        QDict *info = qobject_to(QDict, qlist_entry_obj(e));

        g_assert_cmpint(qdict_get_int(info, "cpu"), ==, cpu);
        g_assert_cmphex(qdict_get_int(info, "mpidr"), ==, rvic_mpidr(cpu));
        g_assert_cmpint(qdict_get_bool(info, "irq"), ==, cpu == 300);
        cpu++;
    }
    g_assert_cmpuint(cpu, ==, 512);
    qobject_unref(instances);
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/rvic/monitor/pic", test_monitor_pic);
    qtest_add_func("/rvic/monitor/lines", test_monitor_lines);
    qtest_add_func("/rvic/monitor/reset", test_monitor_reset);
    qtest_add_func("/rvic/monitor/qmp", test_monitor_qmp);
    qtest_add_func("/rvic/monitor/irq", test_monitor_irq);
    qtest_add_func("/rvic/qom/numbers", test_qom_numbers);
    qtest_add_func("/rvic/qom/state", test_qom_state);
    qtest_add_func("/rvic/qom/lines", test_qom_lines);
    qtest_add_func("/rvic/qom/counts", test_qom_counts);
    qtest_add_func("/rvic/qom/read-only", test_qom_read_only);
    qtest_add_func("/rvic/monitor/512-cpus", test_512_cpus);

    return g_test_run();
}
