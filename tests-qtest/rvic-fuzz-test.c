/*
 * Arm rVIC and rVID: random sequences, the devices against the model
 *
 * A failing sequence is minimised and written to a file, which scripts/fuzz
 * --qemu FILE repeats: by RVIC_FUZZ_REPLAY=FILE in the environment.
 * RVIC_FUZZ_STEPS=N sets how many steps are made in all.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qobject/qjson.h"
#include "qobject/qnum.h"
#include "rvic/tests-fuzz/rvic_compare.h"
#include "rvic-qtest.h"

#define DEFAULT_STEPS   200000
#define SEQUENCE_STEPS  10000

/* libqtest can watch so many IRQ inputs */
#define WATCHED_CPUS    256

/* With more vCPUs, they are looked at with all else, each time after so many */
#define UNWATCHED_STEPS 500

typedef struct Device {
    RVICConfig config;
    QTestState *qts;
    /* for snapshots, or NULL */
    char *image;
    bool irq[RVIC_MODEL_CPUS];
    RVICImplementation impl;
    RVICCompare compare;
    /* being made, and how many of them */
    const RVICStep *steps;
    unsigned made;
} Device;

static QTestState *start(const Device *d)
{
    const RVICCounts counts = {
        .trusted = d->config.trusted,
        .untrusted = d->config.untrusted,
    };
    g_autofree char *drive = d->image ?
        g_strdup_printf("-drive if=none,format=qcow2,file=%s", d->image) :
        g_strdup("");
    g_autofree char *args = g_strdup_printf("-smp %u %s", d->config.cpus,
                                            drive);

    return d->config.cpus > WATCHED_CPUS ? rvic_start_512_cpus(drive) :
           rvic_start_counts(&counts, args);
}

static bool device_call(void *opaque, unsigned cpu, uint64_t x[4])
{
    Device *d = opaque;
    uint32_t function = x[0], range = function & ~0xffu;

    /* libqtest would stop the test: the command fails */
    if (range != RVID_FN && range != RVIC_FN) {
        return false;
    }
    rvic_call(d->qts, cpu, function, x[1], x[2], x[3], x);
    return true;
}

static void device_line(void *opaque, unsigned cpu, unsigned intid, bool level)
{
    Device *d = opaque;

    rvic_line(d->qts, cpu, intid, level);
}

static void device_input(void *opaque, unsigned input, bool level)
{
    Device *d = opaque;

    rvid_line(d->qts, input, level);
}

static void device_doorbell(void *opaque, uint64_t offset, unsigned width,
                            uint64_t value)
{
    Device *d = opaque;
    uint64_t le = cpu_to_le64(value);

    qtest_memwrite(d->qts, DOORBELL + offset, &le, width);
}

static void device_reset(void *opaque)
{
    Device *d = opaque;

    qtest_system_reset(d->qts);
}

static void monitor(Device *d, const char *command)
{
    g_autofree char *said = qtest_hmp(d->qts, "%s", command);

    g_assert_cmpstr(said, ==, "");
}

static void device_save(void *opaque)
{
    monitor(opaque, "savevm saved");
}

static void device_load(void *opaque)
{
    monitor(opaque, "loadvm saved");
}

/* The new machine runs before it loads, so that its IRQ inputs are watched */
static void device_migrate(void *opaque)
{
    Device *d = opaque;

    monitor(d, "savevm moved");
    qtest_quit(d->qts);
    d->qts = start(d);
    monitor(d, "loadvm moved");
}

static const bool *device_irqs(void *opaque, GString *wrong)
{
    Device *d = opaque;

    if (d->config.cpus > WATCHED_CPUS) {
        return NULL;
    }
    for (unsigned cpu = 0; cpu < d->config.cpus; cpu++) {
        d->irq[cpu] = rvic_irq(d->qts, cpu);
    }
    return d->irq;
}

/* Whether INTIDs @first to @last - 1 that are @value are those of a list */
static bool same_list(QDict *dict, const char *name, const uint8_t *values,
                      uint8_t value, unsigned first, unsigned last)
{
    const QListEntry *e = qlist_first(qdict_get_qlist(dict, name));

    while (e && qnum_get_int(qobject_to(QNum, e->value)) < first) {
        e = qlist_next(e);
    }
    for (unsigned intid = first; intid < last; intid++) {
        bool listed = e && qnum_get_int(qobject_to(QNum, e->value)) == intid;

        if (listed != (values[intid] == value)) {
            return false;
        }
        e = listed ? qlist_next(e) : e;
    }
    return true;
}

static void check_instance(QDict *dict, const RVICModel *m, unsigned cpu,
                           GString *wrong)
{
    const RVICModelInstance *inst = &m->instance[cpu];

    if (qdict_get_bool(dict, "enabled") != inst->enabled ||
        qdict_get_bool(dict, "irq") != m->irq[cpu] ||
        !same_list(dict, "unmasked", inst->masked, 0, 0, m->num_intids) ||
        !same_list(dict, "pending", inst->pending, 1, 0, m->num_intids) ||
        !same_list(dict, "high", inst->line, 1, 0, m->num_trusted) ||
        !same_list(dict, "high", inst->level, 1, m->num_trusted,
                   m->num_intids)) {
        g_autoptr(GString) json = qobject_to_json(QOBJECT(dict));

        g_string_append_printf(wrong, "wrong instance: %s\n", json->str);
    }
}

/* Unmapped inputs that are low need not be listed */
static void check_inputs(QList *list, const RVICModel *m, GString *wrong)
{
    const QListEntry *e = qlist_first(list);

    for (unsigned n = 0; n < m->num_untrusted; n++) {
        QDict *dict = e ? qobject_to(QDict, qlist_entry_obj(e)) : NULL;
        bool listed = dict && qdict_get_int(dict, "input") == n;
        bool mapped = listed && qdict_haskey(dict, "intid");

        if ((listed && qdict_get_bool(dict, "high")) != m->input[n].high ||
            mapped != m->input[n].mapped ||
            (mapped && (qdict_get_int(dict, "cpu") != m->input[n].cpu ||
                        qdict_get_int(dict, "intid") != m->input[n].intid))) {
            g_string_append_printf(wrong, "input %u is wrong\n", n);
        }
        e = listed ? qlist_next(e) : e;
    }
}

static void device_check(void *opaque, const RVICModel *m, GString *wrong)
{
    Device *d = opaque;
    g_autoptr(QList) instances = rvic_instances(d->qts);
    g_autoptr(QList) inputs = rvid_inputs(d->qts);
    const QListEntry *e;
    unsigned cpu = 0;

    QLIST_FOREACH_ENTRY(instances, e) {
        check_instance(qobject_to(QDict, qlist_entry_obj(e)), m, cpu++, wrong);
    }
    g_assert_cmpuint(cpu, ==, m->num_cpus);
    check_inputs(inputs, m, wrong);
}

static void write_sequence(const Device *d, const GArray *steps,
                           const char *why)
{
    g_autofree char *file = rvic_temp("-fuzz.txt");
    g_autofree char *comment = g_strdup_printf(
        "scripts/fuzz --qemu FILE\nAfter the last step:\n%s", why);

    if (rvic_sequence_write(file, comment, &d->config, steps)) {
        g_test_message("minimised to %u steps: scripts/fuzz --qemu %s",
                       steps->len, file);
    }
}

/* QEMU is gone: all that can be told is what it was told */
static void write_aborted(void *opaque)
{
    Device *d = opaque;
    g_autoptr(GArray) steps = g_array_new(false, false, sizeof(RVICStep));

    if (!d->made) {
        /* told already: libqtest finds that QEMU is gone at its end, too */
        return;
    }
    g_array_append_vals(steps, d->steps, d->made);
    write_sequence(d, steps, "QEMU ended, or its answer was not understood");
    d->made = 0;
    if (d->image) {
        unlink(d->image);
    }
}

static long sequence_fails(const RVICStep *steps, unsigned num, void *opaque)
{
    Device *d = opaque;
    RVICCompare *c = &d->compare;
    bool watched = d->config.cpus <= WATCHED_CPUS;

    d->steps = steps;
    d->made = 0;
    rvic_compare_reset(c);
    while (d->made < num) {
        const RVICStep *step = &steps[d->made++];

        if (!rvic_compare_step(c, step) ||
            (!watched && d->made % UNWATCHED_STEPS == 0 &&
             !rvic_compare_check(c))) {
            return d->made - 1;
        }
    }
    return num && !rvic_compare_check(c) ? (long)num - 1 : -1;
}

static void device_init(Device *d, const RVICConfig *config)
{
    *d = (Device) {
        .config = *config,
        .impl = {
            .call = device_call,
            .line = device_line,
            .input = device_input,
            .doorbell = device_doorbell,
            .reset = device_reset,
            .irqs = device_irqs,
            .check = device_check,
        },
    };
    if (have_qemu_img()) {
        d->image = rvic_temp(".qcow2");
        g_assert_true(mkimg(d->image, "qcow2", 64));
        d->impl.migrate = device_migrate;
        d->impl.save = device_save;
        d->impl.load = device_load;
    }
    d->qts = start(d);
    rvic_compare_init(&d->compare, config, &d->impl, d);
    qtest_add_abrt_handler(write_aborted, d);
}

static void device_destroy(Device *d)
{
    qtest_remove_abrt_handler(d);
    qtest_quit(d->qts);
    rvic_compare_destroy(&d->compare);
    if (d->image) {
        unlink(d->image);
        g_free(d->image);
    }
}

static void run_sequence(Device *d, GArray *steps)
{
    RVICStep *data = (RVICStep *)steps->data;
    long failed = sequence_fails(data, steps->len, d);

    if (failed < 0) {
        return;
    }
    g_test_message("step %ld: %s", failed + 1, d->compare.wrong->str);
    g_array_set_size(steps, failed + 1);
    rvic_sequence_minimise(steps, sequence_fails, d);
    sequence_fails((RVICStep *)steps->data, steps->len, d);
    write_sequence(d, steps, d->compare.wrong->str);
    g_test_fail();
}

/* The virt board, with its numbers of interrupts and their limits */
static const struct Scenario {
    const char *name;
    unsigned percent;               /* of all steps */
    unsigned rare;
    RVICConfig config;
} scenarios[] = {
    { "1-cpu", 30, 1000, { 1, 32, 256, 256, NUM_LINES } },
    { "2-cpus", 30, 1000, { 2, 32, 992, 256, NUM_LINES } },
    { "8-cpus", 15, 1000, { 8, 32, 2016, 256, NUM_LINES } },
    { "8-cpus-most-trusted", 15, 1000, { 8, 1792, 256, 256, NUM_LINES } },
    { "512-cpus", 10, 0, { 512, 32, 992, 256, NUM_LINES } },
};

static void test_scenario(const void *opaque)
{
    const struct Scenario *scenario = opaque;
    const char *env = g_getenv("RVIC_FUZZ_STEPS");
    long steps = env ? g_ascii_strtoll(env, NULL, 10) : DEFAULT_STEPS;
    g_autofree Device *d = g_new(Device, 1);

    g_assert_cmpint(steps, >, 0);
    steps = MAX(1, steps * scenario->percent / 100);
    device_init(d, &scenario->config);
    while (steps > 0 && !g_test_failed()) {
        g_autoptr(GArray) sequence = rvic_generate_sequence(
            &scenario->config, g_test_rand_int(), scenario->rare,
            MIN(steps, SEQUENCE_STEPS));

        steps -= sequence->len;
        run_sequence(d, sequence);
    }
    device_destroy(d);
}

typedef struct Replay {
    RVICConfig config;
    GArray *steps;
} Replay;

static void test_replay(const void *opaque)
{
    const Replay *replay = opaque;
    g_autofree Device *d = g_new(Device, 1);
    long failed;

    device_init(d, &replay->config);
    failed = sequence_fails((RVICStep *)replay->steps->data,
                            replay->steps->len, d);
    if (failed >= 0) {
        g_test_message("step %ld: %s", failed + 1, d->compare.wrong->str);
        g_test_fail();
    }
    device_destroy(d);
}

static int replay_file(const char *file, int argc, char **argv)
{
    Replay replay;
    int status;

    replay.steps = rvic_sequence_read(file, &replay.config);
    if (!replay.steps) {
        return 1;
    }
    if (replay.config.wired != NUM_WIRED || replay.config.lines > NUM_LINES ||
        replay.config.mpidrs != RVIC_MPIDR_BOARD) {
        fprintf(stderr, "%s: the virt board cannot be configured so\n", file);
        return 1;
    }
    g_test_init(&argc, &argv, NULL);
    qtest_add_data_func("/rvic/fuzz/replay", &replay, test_replay);
    status = g_test_run();
    g_array_unref(replay.steps);
    return status;
}

int main(int argc, char **argv)
{
    const char *file = g_getenv("RVIC_FUZZ_REPLAY");

    if (file) {
        return replay_file(file, argc, argv);
    }
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++) {
        g_autofree char *path = g_strdup_printf("/rvic/fuzz/%s",
                                                scenarios[i].name);

        qtest_add_data_func(path, &scenarios[i], test_scenario);
    }
    return g_test_run();
}
