/*
 * Arm rVIC and rVID: a machine saved with interrupts under way, and restored
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "rvic-qtest.h"

#define ARGS "-smp 4 "

static QTestState *save_and_load(QTestState *qts)
{
    g_autofree char *file = rvic_save(qts);

    qtest_quit(qts);
    qts = rvic_start(ARGS "-incoming defer");
    g_assert_true(rvic_restore(qts, file));
    unlink(file);
    return qts;
}

/* A machine just started, saved and restored */
static void test_reset_state(void)
{
    QTestState *qts = save_and_load(rvic_start(ARGS));

    for (unsigned cpu = 0; cpu < 4; cpu++) {
        g_assert_false(rvic_irq(qts, cpu));
        rvic_expect(qts, cpu, RVIC_ACKNOWLEDGE, 0, 0, 0, DISABLED, 0);
        rvic_enable(qts, cpu);
        rvic_signal(qts, cpu, 40);
        rvic_expect_idle(qts, cpu);
        rvic_unmask(qts, cpu, 40);
        rvic_expect_only(qts, cpu, 40);
    }
    qtest_quit(qts);
}

/* masked, pending, enabled, on all vCPUs; and the vCPUs' outputs */
static void test_instances(void)
{
    QTestState *qts = rvic_start(ARGS);
    g_autofree char *before = NULL;

    /* 0: unmasked and pending; 1: masked and pending; 2: disabled with both */
    for (unsigned cpu = 0; cpu < 3; cpu++) {
        rvic_enable(qts, cpu);
        rvic_signal(qts, cpu, 40);
        rvic_signal(qts, cpu, LAST_INTID);
    }
    rvic_unmask(qts, 0, 40);
    rvic_unmask(qts, 1, 41);
    rvic_unmask(qts, 2, 40);
    rvic_disable(qts, 2);
    before = rvic_dump(qts);

    qts = save_and_load(qts);

    rvic_expect_dump(qts, before);
    g_assert_true(rvic_irq(qts, 0));
    for (unsigned cpu = 1; cpu < 4; cpu++) {
        g_assert_false(rvic_irq(qts, cpu));
    }

    rvic_expect_only(qts, 0, 40);
    g_assert_true(rvic_is_pending(qts, 0, LAST_INTID));
    rvic_unmask(qts, 0, LAST_INTID);
    rvic_expect_only(qts, 0, LAST_INTID);

    rvic_expect_idle(qts, 1);
    rvic_signal(qts, 1, 41);
    rvic_expect_only(qts, 1, 41);
    rvic_unmask(qts, 1, 40);
    rvic_expect_only(qts, 1, 40);

    rvic_expect(qts, 2, RVIC_ACKNOWLEDGE, 0, 0, 0, DISABLED, 0);
    rvic_enable(qts, 2);
    rvic_expect_only(qts, 2, 40);
    rvic_expect(qts, 3, RVIC_ACKNOWLEDGE, 0, 0, 0, DISABLED, 0);
    qtest_quit(qts);
}

/* The levels of trusted lines: edges and RESAMPLE go on where they were */
static void test_trusted_lines(void)
{
    QTestState *qts = rvic_start(ARGS);

    for (unsigned cpu = 0; cpu < 2; cpu++) {
        rvic_enable(qts, cpu);
        rvic_unmask(qts, cpu, TIMER_VIRT);
        rvic_line(qts, cpu, TIMER_VIRT, true);
        rvic_expect_only(qts, cpu, TIMER_VIRT);
    }
    rvic_line(qts, 1, TIMER_VIRT, false);
    /* high on an instance that is not enabled yet */
    rvic_line(qts, 3, 30, true);

    qts = save_and_load(qts);

    for (unsigned cpu = 0; cpu < 2; cpu++) {
        g_assert_false(rvic_is_pending(qts, cpu, TIMER_VIRT));
    }
    /* no edge of a line that is high already */
    rvic_line(qts, 0, TIMER_VIRT, true);
    g_assert_false(rvic_is_pending(qts, 0, TIMER_VIRT));
    rvic_resample(qts, 0, TIMER_VIRT);
    rvic_unmask(qts, 0, TIMER_VIRT);
    rvic_expect_only(qts, 0, TIMER_VIRT);

    rvic_resample(qts, 1, TIMER_VIRT);
    rvic_unmask(qts, 1, TIMER_VIRT);
    rvic_expect_idle(qts, 1);
    rvic_line(qts, 1, TIMER_VIRT, true);
    rvic_expect_only(qts, 1, TIMER_VIRT);

    rvic_enable(qts, 3);
    g_assert_true(rvic_is_pending(qts, 3, 30));
    qtest_quit(qts);
}

/* ACKNOWLEDGE goes on behind the INTID it returned last */
static void test_last_acknowledged(void)
{
    QTestState *qts = rvic_start(ARGS);
    unsigned first, second;

    rvic_enable(qts, 1);
    rvic_unmask(qts, 1, 40);
    rvic_unmask(qts, 1, 500);
    rvic_signal(qts, 1, 40);
    rvic_signal(qts, 1, 500);
    first = rvic_acknowledge(qts, 1);
    rvic_unmask(qts, 1, first);
    rvic_signal(qts, 1, first);

    qts = save_and_load(qts);

    /* each machine of a migration to and fro must not favour the same one */
    second = rvic_acknowledge(qts, 1);
    g_assert_cmpuint(second, ==, 540 - first);
    rvic_unmask(qts, 1, second);
    rvic_signal(qts, 1, second);

    qts = save_and_load(qts);
    g_assert_cmpuint(rvic_acknowledge(qts, 1), ==, first);
    qtest_quit(qts);
}

/* Mappings, levels of inputs and the groups that share an INTID */
static void test_inputs(void)
{
    QTestState *qts = rvic_start(ARGS);
    g_autofree char *before = NULL;

    for (unsigned cpu = 0; cpu < 4; cpu++) {
        rvic_enable(qts, cpu);
        rvic_unmask(qts, cpu, 40);
    }
    /* shared: two high, one low; nothing but the level makes it pending */
    rvid_map(qts, 0, 1, 40);
    rvid_map(qts, 1, 1, 40);
    rvid_map(qts, 2, 1, 40);
    rvid_line(qts, 0, true);
    rvid_line(qts, 1, true);
    rvic_clear_pending(qts, 1, 40);
    /* a level that was acknowledged */
    rvid_map(qts, 3, 2, 40);
    rvid_line(qts, 3, true);
    rvic_expect_only(qts, 2, 40);
    /* a pulse that was not */
    rvid_map(qts, 4, 3, 40);
    rvid_line(qts, 4, true);
    rvid_line(qts, 4, false);
    /* unmapped and high; an MSI; one that was mapped elsewhere before */
    rvid_line(qts, 255, true);
    rvid_map(qts, FIRST_MSI, 0, 40);
    rvid_map(qts, LAST_INPUT, 1, 100);
    rvid_map(qts, LAST_INPUT, 2, LAST_INTID);
    rvid_map(qts, FIRST_MSI + 1, 3, 40);
    rvid_unmap(qts, FIRST_MSI + 1);
    before = rvic_dump(qts);

    qts = save_and_load(qts);

    rvic_expect_dump(qts, before);
    g_assert_false(rvic_irq(qts, 0));
    g_assert_true(rvic_irq(qts, 1));
    g_assert_false(rvic_irq(qts, 2));
    g_assert_true(rvic_irq(qts, 3));

    /* the group falls one by one */
    rvid_line(qts, 2, true);
    rvic_clear_pending(qts, 1, 40);
    rvid_line(qts, 0, false);
    g_assert_true(rvic_irq(qts, 1));
    rvid_unmap(qts, 1);
    g_assert_true(rvic_irq(qts, 1));
    rvid_line(qts, 2, false);
    rvic_expect_idle(qts, 1);
    rvid_map(qts, 1, 1, 40);
    g_assert_true(rvic_irq(qts, 1));

    g_assert_true(rvic_is_pending(qts, 2, 40));
    rvic_unmask(qts, 2, 40);
    rvic_expect_only(qts, 2, 40);
    rvid_line(qts, 3, false);
    rvic_unmask(qts, 2, 40);
    rvic_expect_idle(qts, 2);

    rvic_expect_only(qts, 3, 40);
    rvic_unmask(qts, 3, 40);
    rvic_expect_idle(qts, 3);
    rvid_msi(qts, FIRST_MSI + 1);
    rvic_expect_idle(qts, 3);

    rvid_msi(qts, FIRST_MSI);
    rvic_expect_only(qts, 0, 40);
    rvid_map(qts, 255, 0, 60);
    g_assert_true(rvic_is_pending(qts, 0, 60));
    rvid_msi(qts, LAST_INPUT);
    g_assert_true(rvic_is_pending(qts, 2, LAST_INTID));
    g_assert_false(rvic_is_pending(qts, 1, 100));
    qtest_quit(qts);
}

/*
 * Everything at once: a machine in a random state of all its interrupts, and
 * the one restored from it, tell the same by all their calls and outputs. A
 * failing run is repeated by the --seed that it prints.
 */
/* Acknowledge all there is, in the order in which it comes */
static void tell_deliverable(QTestState *qts, GString *log, unsigned cpu,
                             GArray *acknowledged)
{
    uint64_t x[4];

    g_string_append_printf(log, "CPU %u IRQ %d:", cpu, rvic_irq(qts, cpu));
    while (rvic_call(qts, cpu, RVIC_ACKNOWLEDGE, UNUSED, UNUSED, UNUSED, x) ==
           SUCCESS) {
        uint32_t key = cpu << 16 | x[1];

        g_string_append_printf(log, " %" PRIu64, x[1]);
        g_array_append_val(acknowledged, key);
    }
    g_string_append_printf(log, " status %" PRIu64 " IRQ %d\n", x[0],
                           rvic_irq(qts, cpu));
}

static void tell_all_deliverable(QTestState *qts, GString *log,
                                 GArray *acknowledged)
{
    for (unsigned cpu = 0; cpu < RVIC_RANDOM_CPUS; cpu++) {
        if (rvic_irq(qts, cpu)) {
            tell_deliverable(qts, log, cpu, acknowledged);
        }
    }
}

static void tell_pending(QTestState *qts, GString *log, const RVICCounts *c)
{
    for (unsigned cpu = 0; cpu < RVIC_RANDOM_CPUS; cpu++) {
        g_string_append_printf(log, "CPU %u pending:", cpu);
        for (unsigned intid = 0; intid < c->trusted + c->untrusted; intid++) {
            if (rvic_is_pending(qts, cpu, intid)) {
                g_string_append_printf(log, " %u", intid);
            }
        }
        g_string_append_c(log, '\n');
    }
}

/* What the end of interrupt of all acknowledged ones brings */
static void tell_redelivered(QTestState *qts, GString *log,
                             GArray *acknowledged)
{
    g_autoptr(GArray) again = g_array_copy(acknowledged);

    g_array_set_size(acknowledged, 0);
    for (unsigned i = 0; i < again->len; i++) {
        uint32_t key = g_array_index(again, uint32_t, i);

        rvic_unmask(qts, key >> 16, key & 0xffff);
    }
    tell_all_deliverable(qts, log, acknowledged);
}

/*
 * Asks for each state by a call that depends on it, and changes it thereby:
 * enabled and the last acknowledged INTID by ACKNOWLEDGE, then pending, then
 * what is unmasked by signals to all, what is masked by unmasking the rest,
 * then the trusted lines by RESAMPLE. Rising and falling edges of each input,
 * with an end of interrupt each, find mappings, levels, and who shares.
 */
static char *tell(QTestState *qts, const RVICCounts *c)
{
    g_autoptr(GArray) acknowledged = g_array_new(false, false, 4);
    GString *log = g_string_new(NULL);
    unsigned total = c->trusted + c->untrusted;

    for (unsigned cpu = 0; cpu < RVIC_RANDOM_CPUS; cpu++) {
        tell_deliverable(qts, log, cpu, acknowledged);
    }
    tell_pending(qts, log, c);
    for (unsigned cpu = 0; cpu < RVIC_RANDOM_CPUS; cpu++) {
        rvic_enable(qts, cpu);
    }
    tell_pending(qts, log, c);
    for (unsigned cpu = 0; cpu < RVIC_RANDOM_CPUS; cpu++) {
        for (unsigned intid = 0; intid < total; intid++) {
            rvic_signal(qts, cpu, intid);
        }
        tell_deliverable(qts, log, cpu, acknowledged);
        for (unsigned intid = 0; intid < total; intid++) {
            rvic_unmask(qts, cpu, intid);
        }
        tell_deliverable(qts, log, cpu, acknowledged);
        for (unsigned intid = 0; intid < 32; intid++) {
            rvic_resample(qts, cpu, intid);
        }
    }
    tell_pending(qts, log, c);

    tell_redelivered(qts, log, acknowledged);
    for (unsigned n = 0; n < c->untrusted; n++) {
        g_string_append_printf(log, "input %u\n", n);
        if (n < NUM_WIRED) {
            rvid_line(qts, n, true);
            tell_all_deliverable(qts, log, acknowledged);
            rvid_line(qts, n, false);
        } else {
            rvid_msi(qts, n);
        }
        tell_redelivered(qts, log, acknowledged);
    }
    return g_string_free(log, false);
}

static void check_same(const char *got, const char *expected)
{
    g_auto(GStrv) a = g_strsplit(got, "\n", 0);
    g_auto(GStrv) b = g_strsplit(expected, "\n", 0);

    g_assert_cmpuint(g_strv_length(b), >, RVIC_RANDOM_CPUS);
    for (int i = 0; b[i]; i++) {
        g_assert_cmpstr(a[i], ==, b[i]);
    }
    g_assert_cmpuint(g_strv_length(a), ==, g_strv_length(b));
}

static void test_loaded(const void *opaque)
{
    const RVICCounts *c = opaque;
    QTestState *src = rvic_start_counts(c, "-smp 4");
    QTestState *dst = rvic_start_counts(c, "-smp 4 -incoming defer");
    g_autofree char *file = NULL;
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;
    g_autofree char *expected = NULL;
    g_autofree char *got = NULL;

    rvic_randomize(src, c);
    before = rvic_dump(src);
    file = rvic_save(src);
    g_assert_true(rvic_restore(dst, file));
    unlink(file);
    after = rvic_dump(dst);
    check_same(after, before);

    expected = tell(src, c);
    got = tell(dst, c);
    check_same(got, expected);
    qtest_quit(src);
    qtest_quit(dst);
}

static void test_512_cpus(void)
{
    bool is_wired[512];
    QTestState *src = rvic_start_512_cpus("");
    QTestState *dst = rvic_start_512_cpus("-incoming defer");
    g_autofree char *file = NULL;
    g_autofree char *before = NULL;

    /* lines and MSIs go to all places */
    for (unsigned input = 0; input < 512; input++) {
        unsigned cpu = (input * 165 + 77) % 512;

        is_wired[cpu] = input < NUM_WIRED;
        rvic_enable(src, cpu);
        rvic_unmask(src, cpu, 100 + cpu);
        rvid_map(src, input, cpu, 100 + cpu);
        if (is_wired[cpu]) {
            rvid_line(src, input, true);
        } else {
            rvid_msi(src, input);
        }
    }
    before = rvic_dump(src);
    file = rvic_save(src);
    qtest_quit(src);
    g_assert_true(rvic_restore(dst, file));
    unlink(file);
    rvic_expect_dump(dst, before);
    for (unsigned cpu = 0; cpu < 512; cpu++) {
        g_assert_cmpuint(rvic_acknowledge(dst, cpu), ==, 100 + cpu);
        rvic_expect(dst, cpu, RVIC_ACKNOWLEDGE, UNUSED, UNUSED, UNUSED,
                    NO_INTERRUPTS, 0);
        /* only levels last */
        g_assert_cmpint(rvic_is_pending(dst, cpu, 100 + cpu), ==,
                        is_wired[cpu]);
    }
    qtest_quit(dst);
}

/*
 * A destination that is another machine refuses, and says what differs. That
 * does it no harm, should it live on.
 */
typedef struct Refused {
    const char *name;
    const char *source;
    const char *destination;
    const char *message;
} Refused;

#define RVIC_BOARD  "-machine virt,irqchip=rvic "
#define GIC_BOARD   "-machine virt,irqchip=gic,acpi=off "
#define GIC_ACPI    "-machine virt,irqchip=gic "

static const Refused refused[] = {
    { "more-cpus", RVIC_BOARD "-smp 2", RVIC_BOARD "-smp 4",
      "number of vCPUs (-smp) is 4 here, but 2 on the source" },
    { "fewer-cpus", RVIC_BOARD "-smp 4", RVIC_BOARD "-smp 2",
      "number of vCPUs (-smp) is 2 here, but 4 on the source" },
    { "fewer-untrusted", RVIC_BOARD,
      RVIC_BOARD "-global arm-rvic.num-untrusted=512",
      "arm-rvic.num-untrusted is 512 here, but 992 on the source" },
    { "more-untrusted", RVIC_BOARD,
      RVIC_BOARD "-global arm-rvic.num-untrusted=1024",
      "arm-rvic.num-untrusted is 1024 here, but 992 on the source" },
    { "fewer-trusted", RVIC_BOARD "-global arm-rvic.num-trusted=64",
      RVIC_BOARD,
      "arm-rvic.num-trusted is 32 here, but 64 on the source" },
    { "more-trusted", RVIC_BOARD, RVIC_BOARD "-global arm-rvic.num-trusted=64",
      "arm-rvic.num-trusted is 64 here, but 32 on the source" },
    /* the same number of INTIDs */
    { "other-split", RVIC_BOARD,
      RVIC_BOARD "-global arm-rvic.num-trusted=64 "
      "-global arm-rvic.num-untrusted=960",
      "arm-rvic.num-trusted is 64 here, but 32 on the source" },
    /* QEMU's own messages, before a device is asked */
    { "rvic-to-gic", RVIC_BOARD, GIC_BOARD,
      "Unknown savevm section or instance 'arm-rvic'" },
    { "gic-to-rvic", GIC_BOARD, RVIC_BOARD,
      "Unknown savevm section or instance 'arm_gic'" },
    { "gic-with-acpi-to-rvic", GIC_ACPI, RVIC_BOARD,
      "Unknown ramblock \"/rom@etc/acpi/tables\"" },
};

static void test_refused(const void *opaque)
{
    const Refused *r = opaque;
    const char *common = "-cpu max -m 32M -nodefaults";
    QTestState *src = qtest_initf("%s %s", r->source, common);
    g_autofree char *file = rvic_save(src);
    g_autofree char *err = rvic_temp(".err");
    g_autofree char *text = NULL;
    g_autoptr(RVICRun) run = NULL;
    const char *found;
    QTestState *dst;

    qtest_quit(src);
    dst = qtest_initf("%s %s -incoming defer 2>%s", r->destination, common,
                      err);
    g_assert_false(rvic_restore(dst, file));
    qtest_system_reset(dst);
    if (g_str_has_prefix(r->destination, RVIC_BOARD)) {
        rvic_enable(dst, 0);
        rvic_signal(dst, 0, 40);
        rvic_unmask(dst, 0, 40);
        g_assert_cmpuint(rvic_acknowledge(dst, 0), ==, 40);
    }
    qtest_quit(dst);
    g_assert_true(g_file_get_contents(err, &text, NULL, NULL));
    g_assert_nonnull(strstr(text, r->message));
    unlink(err);

    /* as a user starts it: status 1, and the message is there once */
    run = rvic_run("%s %s -accel qtest -incoming file:%s", r->destination,
                   common, file);
    g_assert_cmpint(run->status, ==, 1);
    found = strstr(run->err, r->message);
    g_assert_nonnull(found);
    g_assert_null(strstr(found + 1, r->message));
    unlink(file);
}

/*
 * A snapshot, taken from a machine that goes on and changes everything before
 * the snapshot is loaded into it.
 */
static void test_snapshot(void)
{
    g_autofree char *image = rvic_temp(".qcow2");
    g_autofree char *before = NULL;
    g_autofree char *saved = NULL;
    g_autofree char *loaded = NULL;
    QTestState *qts;

    if (!have_qemu_img()) {
        g_test_skip("QTEST_QEMU_IMG is not set or not found");
        return;
    }
    g_assert_true(mkimg(image, "qcow2", 64));
    qts = rvic_start(ARGS "-drive if=none,format=qcow2,file=%s", image);

    rvic_enable(qts, 1);
    rvid_map(qts, 0, 1, 40);
    rvid_map(qts, 1, 1, 40);
    rvid_line(qts, 0, true);
    rvic_unmask(qts, 1, 40);
    rvic_clear_pending(qts, 1, 40);
    before = rvic_dump(qts);
    saved = qtest_hmp(qts, "savevm s");
    g_assert_cmpstr(saved, ==, "");

    rvid_line(qts, 0, false);
    rvid_map(qts, 0, 2, 50);
    rvid_line(qts, 1, true);
    rvid_unmap(qts, 1);
    rvic_disable(qts, 1);
    rvic_enable(qts, 2);
    rvic_unmask(qts, 2, 51);
    rvic_signal(qts, 2, 51);
    g_assert_false(rvic_irq(qts, 1));
    g_assert_true(rvic_irq(qts, 2));

    loaded = qtest_hmp(qts, "loadvm s");
    g_assert_cmpstr(loaded, ==, "");
    rvic_expect_dump(qts, before);
    g_assert_true(rvic_irq(qts, 1));
    g_assert_false(rvic_irq(qts, 2));

    rvid_line(qts, 1, true);
    rvic_clear_pending(qts, 1, 40);
    rvid_line(qts, 0, false);
    g_assert_true(rvic_irq(qts, 1));
    rvid_line(qts, 1, false);
    rvic_expect_idle(qts, 1);
    qtest_quit(qts);
    unlink(image);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/rvic/migration/reset-state", test_reset_state);
    qtest_add_func("/rvic/migration/instances", test_instances);
    qtest_add_func("/rvic/migration/trusted-lines", test_trusted_lines);
    qtest_add_func("/rvic/migration/last-acknowledged",
                   test_last_acknowledged);
    qtest_add_func("/rvic/migration/inputs", test_inputs);
    rvic_add_counts("/rvic/migration/loaded", test_loaded);
    qtest_add_func("/rvic/migration/512-cpus", test_512_cpus);
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        g_autofree char *path = g_strdup_printf("/rvic/migration/refused/%s",
                                                refused[i].name);

        qtest_add_data_func(path, &refused[i], test_refused);
    }
    qtest_add_func("/rvic/migration/snapshot", test_snapshot);

    return g_test_run();
}
