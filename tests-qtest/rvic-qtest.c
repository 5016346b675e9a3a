/*
 * Arm rVIC and rVID: what the device tests share
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qobject/qjson.h"
#include "rvic-qtest.h"

/* The virt board's clusters */
#define CPUS_PER_AFF1   16

QTestState *rvic_start(const char *fmt, ...)
{
    g_autofree char *extra = NULL;
    QTestState *qts;
    va_list ap;

    va_start(ap, fmt);
    extra = g_strdup_vprintf(fmt, ap);
    va_end(ap);

    qts = qtest_initf("-machine virt,irqchip=rvic -cpu max -m 32M "
                      "-nodefaults %s", extra);
    qtest_irq_intercept_out_named(qts, RVIC_PATH, "sysbus-irq");
    return qts;
}

QTestState *rvic_start_512_cpus(const char *args)
{
    return qtest_initf("-machine virt,irqchip=rvic -cpu max -m 32M "
                       "-nodefaults -smp 512 %s", args);
}

QTestState *rvic_start_counts(const RVICCounts *c, const char *args)
{
    return rvic_start("-global arm-rvic.num-trusted=%u "
                      "-global arm-rvic.num-untrusted=%u %s",
                      c->trusted, c->untrusted, args);
}

void rvic_add_counts(const char *path, void (*test)(const void *counts))
{
    static const RVICCounts counts[] = {
        { "default", NUM_TRUSTED, NUM_UNTRUSTED },
        { "smallest", 32, 256 },
        { "most-untrusted", 32, 2016 },
        { "most-trusted", 1792, 256 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
        g_autofree char *name = g_strdup_printf("%s/%s", path, counts[i].name);

        qtest_add_data_func(name, &counts[i], test);
    }
}

uint64_t rvic_mpidr(unsigned cpu)
{
    return cpu / CPUS_PER_AFF1 << 8 | cpu % CPUS_PER_AFF1;
}

uint64_t rvic_call(QTestState *qts, unsigned cpu, uint32_t function,
                   uint64_t x1, uint64_t x2, uint64_t x3, uint64_t result[4])
{
    g_auto(GStrv) words = NULL;

    libqtest_sendf(qts, "rvic_call %u 0x%" PRIx32 " 0x%" PRIx64 " 0x%" PRIx64
                   " 0x%" PRIx64 "\n", cpu, function, x1, x2, x3);
    words = qtest_rsp_args(qts, 5);
    for (int i = 0; i < 4; i++) {
        result[i] = g_ascii_strtoull(words[1 + i], NULL, 0);
    }
    return result[0];
}

void rvic_check_call(const char *file, int line, QTestState *qts, unsigned cpu,
                     uint32_t function, uint64_t x1, uint64_t x2, uint64_t x3,
                     uint64_t status, uint64_t value)
{
    g_autofree char *message = NULL;
    uint64_t x[4];

    rvic_call(qts, cpu, function, x1, x2, x3, x);
    if (x[0] == status && x[1] == value && !x[2] && !x[3]) {
        return;
    }
    message = g_strdup_printf("vCPU %u: 0x%" PRIx32 "(0x%" PRIx64 ", 0x%" PRIx64
                              ", 0x%" PRIx64 "): got 0x%" PRIx64 ", 0x%" PRIx64
                              ", 0x%" PRIx64 ", 0x%" PRIx64 ", expected 0x%"
                              PRIx64 ", 0x%" PRIx64 ", 0, 0",
                              cpu, function, x1, x2, x3, x[0], x[1], x[2],
                              x[3], status, value);
    g_assertion_message(G_LOG_DOMAIN, file, line, "hypercall", message);
}

void rvic_enable(QTestState *qts, unsigned cpu)
{
    rvic_expect(qts, cpu, RVIC_ENABLE, UNUSED, UNUSED, UNUSED, SUCCESS, 0);
}

void rvic_disable(QTestState *qts, unsigned cpu)
{
    rvic_expect(qts, cpu, RVIC_DISABLE, UNUSED, UNUSED, UNUSED, SUCCESS, 0);
}

void rvic_mask(QTestState *qts, unsigned cpu, unsigned intid)
{
    rvic_expect(qts, 0, RVIC_SET_MASKED, rvic_mpidr(cpu), intid, UNUSED,
                SUCCESS, 0);
}

void rvic_unmask(QTestState *qts, unsigned cpu, unsigned intid)
{
    rvic_expect(qts, 0, RVIC_CLEAR_MASKED, rvic_mpidr(cpu), intid, UNUSED,
                SUCCESS, 0);
}

bool rvic_is_pending(QTestState *qts, unsigned cpu, unsigned intid)
{
    uint64_t x[4];

    rvic_call(qts, 0, RVIC_IS_PENDING, rvic_mpidr(cpu), intid, UNUSED, x);
    g_assert_cmphex(x[0], ==, SUCCESS);
    g_assert_cmphex(x[1], <=, 1);
    g_assert_cmphex(x[2], ==, 0);
    g_assert_cmphex(x[3], ==, 0);
    return x[1];
}

void rvic_signal(QTestState *qts, unsigned cpu, unsigned intid)
{
    rvic_expect(qts, 0, RVIC_SIGNAL, rvic_mpidr(cpu), intid, UNUSED,
                SUCCESS, 0);
}

void rvic_clear_pending(QTestState *qts, unsigned cpu, unsigned intid)
{
    rvic_expect(qts, 0, RVIC_CLEAR_PENDING, rvic_mpidr(cpu), intid, UNUSED,
                SUCCESS, 0);
}

unsigned rvic_acknowledge(QTestState *qts, unsigned cpu)
{
    uint64_t x[4];

    rvic_call(qts, cpu, RVIC_ACKNOWLEDGE, UNUSED, UNUSED, UNUSED, x);
    g_assert_cmphex(x[0], ==, SUCCESS);
    g_assert_cmphex(x[1], <=, UINT32_MAX);
    g_assert_cmphex(x[2], ==, 0);
    g_assert_cmphex(x[3], ==, 0);
    return x[1];
}

void rvic_resample(QTestState *qts, unsigned cpu, unsigned intid)
{
    rvic_expect(qts, cpu, RVIC_RESAMPLE, intid, UNUSED, UNUSED, SUCCESS, 0);
}

void rvid_map(QTestState *qts, unsigned input, unsigned cpu, unsigned intid)
{
    rvic_expect(qts, 0, RVID_MAP, input, rvic_mpidr(cpu), intid, SUCCESS, 0);
}

void rvid_unmap(QTestState *qts, unsigned input)
{
    rvic_expect(qts, 0, RVID_UNMAP, input, UNUSED, UNUSED, SUCCESS, 0);
}

void rvic_load(QTestState *qts)
{
    rvic_enable(qts, 0);
    rvic_enable(qts, 1);
    rvic_unmask(qts, 1, TIMER_VIRT);
    rvic_unmask(qts, 1, 40);
    rvic_unmask(qts, 1, 50);
    rvid_map(qts, 7, 1, 40);
    rvid_map(qts, 8, 0, 60);
    rvid_map(qts, FIRST_MSI, 1, 50);
    rvic_line(qts, 1, TIMER_VIRT, true);
    rvid_line(qts, 7, true);
    rvid_line(qts, 8, true);
    rvid_line(qts, 9, true);
    rvid_msi(qts, FIRST_MSI);
}

bool rvic_chance(unsigned percent)
{
    return g_test_rand_int_range(0, 100) < percent;
}

static void randomize_interrupts(QTestState *qts, const RVICCounts *c)
{
    for (unsigned cpu = 0; cpu < RVIC_RANDOM_CPUS; cpu++) {
        if (cpu < 3) {
            rvic_enable(qts, cpu);
        }
        for (unsigned intid = 0; intid < c->trusted + c->untrusted; intid++) {
            if (rvic_chance(50)) {
                rvic_unmask(qts, cpu, intid);
            }
            if (cpu < 3 && rvic_chance(25)) {
                rvic_signal(qts, cpu, intid);
            }
        }
        for (unsigned intid = FIRST_LINE; intid < FIRST_LINE + NUM_LINES;
             intid++) {
            rvic_line(qts, cpu, intid, rvic_chance(40));
            if (rvic_chance(40)) {
                rvic_clear_pending(qts, cpu, intid);
            }
        }
    }
}

static void randomize_inputs(QTestState *qts, const RVICCounts *c)
{
    for (unsigned n = 0; n < c->untrusted; n++) {
        /* one in two shares one of a few INTIDs with others */
        unsigned end = rvic_chance(50) ? c->untrusted : 4;

        if (rvic_chance(85)) {
            rvid_map(qts, n, g_test_rand_int_range(0, RVIC_RANDOM_CPUS),
                     c->trusted + g_test_rand_int_range(0, end));
        }
        if (n < NUM_WIRED) {
            rvid_line(qts, n, rvic_chance(40));
        } else if (rvic_chance(40)) {
            rvid_msi(qts, n);
        }
    }
}

void rvic_randomize(QTestState *qts, const RVICCounts *c)
{
    randomize_interrupts(qts, c);
    randomize_inputs(qts, c);
    for (unsigned cpu = 0; cpu < 3; cpu++) {
        for (int i = 0; i < 20; i++) {
            rvic_acknowledge(qts, cpu);
        }
    }
    rvic_disable(qts, 2);
    for (unsigned cpu = 0; cpu < RVIC_RANDOM_CPUS; cpu++) {
        g_assert_cmpint(rvic_irq(qts, cpu), ==, cpu < 2);
    }
}

/* Whether the migration under way, out or in, succeeds */
static bool migrated(QTestState *qts)
{
    for (;;) {
        QDict *rsp = qtest_qmp(qts, "{ 'execute': 'query-migrate' }");
        QDict *ret = qdict_get_qdict(rsp, "return");
        g_autofree char *status = g_strdup(qdict_get_try_str(ret, "status"));

        qobject_unref(rsp);
        if (!g_strcmp0(status, "completed")) {
            return true;
        }
        if (!g_strcmp0(status, "failed")) {
            return false;
        }
        g_usleep(1000);
    }
}

char *rvic_save(QTestState *qts)
{
    char *file = rvic_temp(".vmstate");
    g_autofree char *uri = g_strdup_printf("file:%s", file);

    qtest_qmp_assert_success(qts, "{ 'execute': 'migrate', 'arguments': "
                             "{ 'uri': %s } }", uri);
    g_assert_true(migrated(qts));
    return file;
}

bool rvic_restore(QTestState *qts, const char *file)
{
    g_autofree char *uri = g_strdup_printf("file:%s", file);

    qtest_qmp_assert_success(qts, "{ 'execute': 'migrate-incoming', "
                             "'arguments': { 'uri': %s, "
                             "'exit-on-error': false } }", uri);
    return migrated(qts);
}

bool rvic_irq(QTestState *qts, unsigned cpu)
{
    return qtest_get_irq(qts, cpu);
}

void rvic_line(QTestState *qts, unsigned cpu, unsigned intid, bool level)
{
    g_assert_cmpuint(intid - FIRST_LINE, <, NUM_LINES);
    qtest_set_irq_in(qts, RVIC_PATH, NULL,
                     cpu * NUM_LINES + intid - FIRST_LINE, level);
}

void rvid_line(QTestState *qts, unsigned input, bool level)
{
    qtest_set_irq_in(qts, RVID_PATH, NULL, input, level);
}

void rvid_msi(QTestState *qts, uint32_t data)
{
    uint32_t le = cpu_to_le32(data);

    qtest_memwrite(qts, DOORBELL, &le, sizeof(le));
}

QObject *rvic_qom_get(QTestState *qts, const char *path, const char *property)
{
    QDict *rsp = qtest_qmp(qts, "{ 'execute': 'qom-get', 'arguments': "
                           "{ 'path': %s, 'property': %s } }", path, property);
    QObject *value = qobject_ref(qdict_get(rsp, "return"));

    qobject_unref(rsp);
    g_assert_nonnull(value);
    return value;
}

QList *rvic_instances(QTestState *qts)
{
    return qobject_to(QList, rvic_qom_get(qts, RVIC_PATH, "instances"));
}

QList *rvid_inputs(QTestState *qts)
{
    return qobject_to(QList, rvic_qom_get(qts, RVID_PATH, "inputs"));
}

/* Without a count, which is not a state */
static void dump_entry(GString *dump, QDict *entry, const char *count)
{
    g_autoptr(GString) json = NULL;

    g_assert_true(qdict_haskey(entry, count));
    qdict_del(entry, count);
    json = qobject_to_json(QOBJECT(entry));
    g_string_append_printf(dump, "%s\n", json->str);
}

char *rvic_dump(QTestState *qts)
{
    g_autoptr(QList) instances = rvic_instances(qts);
    g_autoptr(QList) inputs = rvid_inputs(qts);
    GString *dump = g_string_new(NULL);
    const QListEntry *e;

    QLIST_FOREACH_ENTRY(instances, e) {
        QDict *instance = qobject_to(QDict, qlist_entry_obj(e));

        g_assert_true(qdict_haskey(instance, "counts"));
        qdict_del(instance, "counts");
        dump_entry(dump, instance, "acknowledged");
    }
    QLIST_FOREACH_ENTRY(inputs, e) {
        QDict *input = qobject_to(QDict, qlist_entry_obj(e));

        /* some are listed for nothing but their count */
        if (qdict_haskey(input, "intid") || qdict_get_bool(input, "high")) {
            dump_entry(dump, input, "signalled");
        }
    }
    return g_string_free(dump, false);
}

void rvic_expect_dump(QTestState *qts, const char *before)
{
    g_autofree char *after = rvic_dump(qts);

    g_assert_cmpstr(after, ==, before);
}

char *rvic_temp(const char *suffix)
{
    g_autofree char *template = g_strdup_printf("rvic-XXXXXX%s", suffix);
    g_autoptr(GError) err = NULL;
    char *name;
    int fd = g_file_open_tmp(template, &name, &err);

    g_assert_no_error(err);
    close(fd);
    return name;
}

RVICRun *rvic_run(const char *fmt, ...)
{
    RVICRun *run = g_new0(RVICRun, 1);
    const char *binary = g_getenv("QTEST_QEMU_BINARY");
    g_autoptr(GError) err = NULL;
    g_autofree char *args = NULL;
    g_autofree char *command = NULL;
    g_auto(GStrv) argv = NULL;
    va_list ap;
    int wstatus;

    g_assert_nonnull(binary);
    va_start(ap, fmt);
    args = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    command = g_strdup_printf("%s -display none %s", binary, args);
    g_test_message("running QEMU: %s", command);

    g_shell_parse_argv(command, NULL, &argv, &err);
    g_assert_no_error(err);
    g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &run->out,
                 &run->err, &wstatus, &err);
    g_assert_no_error(err);
    g_assert_true(WIFEXITED(wstatus));
    run->status = WEXITSTATUS(wstatus);
    return run;
}

void rvic_run_free(RVICRun *run)
{
    g_free(run->out);
    g_free(run->err);
    g_free(run);
}
