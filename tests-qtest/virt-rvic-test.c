/*
 * The virt machine with irqchip=rvic: options, device tree, wiring
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "qemu/units.h"
#include "qobject/qstring.h"
#include "rvic-qtest.h"
#include <libfdt.h>

/*
 * Options and device trees are looked at by runs with dumpdtb=, which end
 * QEMU, by status 0, where the options would have let the machine start.
 */
static RVICRun *run_to_dtb(const char *machine, const char *args, char **dtb)
{
    g_autofree char *file = rvic_temp(".dtb");
    RVICRun *run = rvic_run("-nodefaults -machine %s,dumpdtb=%s %s",
                            machine, file, args);
    gsize len;

    if (dtb) {
        if (run->status != 0) {
            g_test_message("%s", run->err);
        }
        g_assert_cmpint(run->status, ==, 0);
        g_assert_true(g_file_get_contents(file, dtb, &len, NULL));
        g_assert_cmpuint(len, >, 0);
        g_assert_cmpint(fdt_check_header(*dtb), ==, 0);
        g_assert_cmpuint(fdt_totalsize(*dtb), ==, len);
    }
    unlink(file);
    return run;
}

static char *dump_dtb(const char *machine, const char *args)
{
    char *dtb;
    g_autoptr(RVICRun) run = run_to_dtb(machine, args, &dtb);

    g_assert_cmpstr(run->err, ==, "");
    return dtb;
}

/* What it said, less QEMU's warning of old machine types */
static GStrv said(const RVICRun *run)
{
    g_autoptr(GRegex) old = g_regex_new(".*: Machine type '.*' is deprecated: "
                                        ".*\n", 0, 0, NULL);
    g_autofree char *err = g_regex_replace_literal(old, run->err, -1, 0, "", 0,
                                                   NULL);

    return g_strsplit(g_strchomp(err), "\n", 0);
}

/* One line that has all the @words, and status 1 */
static void check_refused(const char *machine, const char *args,
                          const char *const *words)
{
    g_autoptr(RVICRun) run = run_to_dtb(machine, args, NULL);
    g_auto(GStrv) lines = said(run);

    g_test_message("%s", run->err);
    g_assert_cmpint(run->status, ==, 1);
    g_assert_cmpuint(g_strv_length(lines), ==, 1);
    g_assert_null(strstr(lines[0], "warning"));
    for (; *words; words++) {
        g_assert_nonnull(strstr(lines[0], *words));
    }
}

#define WORDS(...) ((const char *const []) { __VA_ARGS__, NULL })

static void test_refused_options(void)
{
    check_refused("virt,irqchip=rvic,secure=on", "-cpu max",
                  WORDS("irqchip=rvic", "secure=off", "irqchip=gic"));
    check_refused("virt,irqchip=rvic,acpi=on", "-cpu max",
                  WORDS("irqchip=rvic", "acpi=off", "irqchip=gic"));
    check_refused("virt,irqchip=rvic", "-cpu cortex-a15",
                  WORDS("irqchip=rvic", "64-bit", "-cpu", "irqchip=gic"));
    /* none given: the board's default is a 32-bit one */
    check_refused("virt,irqchip=rvic", "",
                  WORDS("irqchip=rvic", "64-bit", "-cpu", "irqchip=gic"));
    check_refused("virt,irqchip=rvic", "-cpu max -smp 513",
                  WORDS("513", "512"));
    check_refused("virt,irqchip=rvic", "-cpu max -smp 1,maxcpus=513",
                  WORDS("513", "512"));
    /* still refused if there are warnings to be given, too */
    check_refused("virt,irqchip=rvic,gic-version=2,its=off,secure=on",
                  "-cpu max", WORDS("irqchip=rvic", "secure=off"));
    check_refused("virt,irqchip=rvic,acpi=on", "-cpu max -bios none",
                  WORDS("irqchip=rvic", "acpi=off"));
}

/* The last of several -machine counts, as always */
static void test_refused_merged(void)
{
    check_refused("virt,irqchip=rvic", "-machine secure=on -cpu max",
                  WORDS("irqchip=rvic", "secure=off"));
    check_refused("virt,acpi=on", "-machine irqchip=rvic -cpu max",
                  WORDS("irqchip=rvic", "acpi=off"));
    check_refused("virt,irqchip=rvic", "-machine irqchip=foo -cpu max "
                  "-machine irqchip=rvic,secure=on",
                  WORDS("irqchip=rvic", "secure=off"));
}

static void test_refused_counts(void)
{
    static const struct {
        const char *global;
        const char *reason;
    } bad[] = {
        { "num-trusted=33", "multiples of 32" },
        { "num-untrusted=991", "multiples of 32" },
        { "num-trusted=0", "at least 32" },
        { "num-untrusted=0", "at least 32" },
        { "num-untrusted=2048", "2048 together" },
        { "num-trusted=1088", "2048 together" },
        /* sums that do not fit in 32 bits */
        { "num-trusted=4294967264", "2048 together" },
        { "num-untrusted=4294967264", "2048 together" },
        /* one is too many with the default of the other */
        { "num-trusted=1792", ", num-untrusted=992: trusted and untrusted" },
        /* no numbers of 32 bits */
        { "num-trusted=many", "global" },
        { "num-untrusted=-32", "global" },
        { "num-untrusted=4294967296", "global" },
        /* the board has 256 lines */
        { "num-untrusted=224", "at least 256" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        g_autofree char *args = g_strdup_printf("-cpu max -global arm-rvic.%s",
                                                bad[i].global);

        check_refused("virt,irqchip=rvic", args,
                      WORDS("arm-rvic.num-", bad[i].global, bad[i].reason));
    }
}

static void test_refused_value(void)
{
    static const char *const bad[] = { "foo", "", "RVIC", "rvic2", "gi" };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        g_autofree char *machine = g_strdup_printf("virt,irqchip=%s", bad[i]);
        g_autoptr(RVICRun) run = run_to_dtb(machine, "-cpu max", NULL);

        g_assert_cmpint(run->status, ==, 1);
        g_assert_nonnull(strstr(run->err, "irqchip"));
        g_assert_nonnull(strstr(run->err, "gic, rvic"));
    }
}

/* The machine starts, after one warning with @word, or none if NULL */
static void check_warned(const char *machine, const char *args,
                         const char *word)
{
    g_autofree char *dtb = NULL;
    g_autoptr(RVICRun) run = run_to_dtb(machine, args, &dtb);
    g_auto(GStrv) lines = said(run);

    g_assert_cmpint(fdt_node_offset_by_compatible(dtb, -1, "arm,rvic"), >, 0);
    g_assert_cmpint(fdt_node_offset_by_compatible(dtb, -1, "arm,rvid"), >, 0);
    g_test_message("%s", run->err);
    g_assert_cmpuint(g_strv_length(lines), ==, word ? 1 : 0);
    if (!word) {
        return;
    }
    g_assert_nonnull(strstr(lines[0], "warning:"));
    g_assert_nonnull(strstr(lines[0], "irqchip=rvic"));
    g_assert_nonnull(strstr(lines[0], word));
}

/* Options for a GIC: libvirt always gives one */
static void test_warned_gic_options(void)
{
    check_warned("virt,irqchip=rvic,gic-version=2", "-cpu max", "gic-version");
    check_warned("virt,irqchip=rvic,gic-version=3", "-cpu max", "gic-version");
    check_warned("virt,irqchip=rvic,gic-version=4", "-cpu max", "gic-version");
    check_warned("virt,gic-version=max,irqchip=rvic", "-cpu max",
                 "gic-version");
    check_warned("virt,irqchip=rvic,gic-version=host", "-cpu max",
                 "gic-version");
    check_warned("virt,irqchip=rvic,its=off", "-cpu max", "its");
    check_warned("virt,its=on,irqchip=rvic", "-cpu max", "its");
    check_warned("virt,irqchip=rvic,its=off,gic-version=2", "-cpu max",
                 "gic-version and its");
    /* more vCPUs than a GIC of that version has */
    check_warned("virt,irqchip=rvic,gic-version=2", "-cpu max -smp 9",
                 "gic-version");
    /* by several -machine */
    check_warned("virt,irqchip=rvic", "-cpu max -machine its=off", "its");
    check_warned("virt,irqchip=rvic,its=on", "-cpu max -machine its=off",
                 "its");
    check_warned("virt,gic-version=3", "-cpu max -machine its=off "
                 "-machine irqchip=rvic", "gic-version and its");
}

static void test_accepted_options(void)
{
    check_warned("virt,irqchip=rvic", "-cpu max", NULL);
    check_warned("virt,irqchip=rvic", "-cpu cortex-a57 -smp 4", NULL);
    check_warned("virt,irqchip=rvic,acpi=auto", "-cpu max", NULL);
    check_warned("virt,irqchip=rvic,acpi=off", "-cpu max", NULL);
    check_warned("virt,irqchip=rvic,secure=off", "-cpu max", NULL);
    check_warned("virt,irqchip=rvic,virtualization=on", "-cpu max", NULL);
    check_warned("virt,irqchip=gic", "-cpu max -machine irqchip=rvic", NULL);
    check_warned("virt,irqchip=rvic,acpi=on", "-cpu max -machine acpi=auto",
                 NULL);
    check_warned("virt,irqchip=rvic", "-cpu max -smp 512", NULL);
    check_warned("virt,irqchip=rvic", "-cpu max -smp 1,maxcpus=512", NULL);
    check_warned("virt,irqchip=rvic",
                 "-cpu max -global arm-rvic.num-untrusted=256", NULL);
    check_warned("virt,irqchip=rvic",
                 "-cpu max -global arm-rvic.num-untrusted=2016", NULL);
    check_warned("virt,irqchip=rvic",
                 "-cpu max -global arm-rvic.num-trusted=1792 "
                 "-global arm-rvic.num-untrusted=256", NULL);
}

/* An irqchip=rvic that was overridden leaves a GIC, and all that it can */
static void test_overridden(void)
{
    g_autofree char *gic = dump_dtb("virt,dtb-randomness=off,gic-version=3",
                                    "-cpu max");
    g_autofree char *fdt = dump_dtb("virt,dtb-randomness=off,irqchip=rvic",
                                    "-cpu max -machine irqchip=gic,"
                                    "gic-version=3 "
                                    "-global arm-rvic.num-trusted=33");

    g_assert_cmpmem(fdt, fdt_totalsize(fdt), gic, fdt_totalsize(gic));
}

/* These numbers are the board's */
static void test_ignored_globals(void)
{
    QTestState *qts = rvic_start("-smp 3 -global arm-rvic.num-cpu=7 "
                                 "-global arm-rvid.num-wired=32");

    rvic_expect(qts, 2, RVIC_ENABLE, UNUSED, UNUSED, UNUSED, SUCCESS, 0);
    rvic_expect(qts, 0, RVIC_IS_PENDING, rvic_mpidr(3), 0, UNUSED,
                INVALID_CPU_0, 0);
    rvid_map(qts, NUM_WIRED - 1, 2, 40);
    rvid_line(qts, NUM_WIRED - 1, true);
    g_assert_true(rvic_is_pending(qts, 2, 40));
    qtest_quit(qts);
}

/* Invalid values of options without effect are still invalid */
static void test_refused_gic_values(void)
{
    static const char *const bad[] = { "gic-version=foo", "its=foo" };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        g_autofree char *machine = g_strdup_printf("virt,irqchip=rvic,%s",
                                                   bad[i]);
        g_autoptr(RVICRun) run = run_to_dtb(machine, "-cpu max", NULL);

        g_assert_cmpint(run->status, ==, 1);
        g_assert_nonnull(strstr(run->err, i ? "'its'" : "gic-version"));
    }
}

/* The oldest type of the machine has the same rules */
static void test_old_machine(void)
{
    g_autoptr(RVICRun) help = rvic_run("-machine help");
    unsigned oldest = UINT_MAX;
    g_autofree char *rvic = NULL, *acpi = NULL, *secure = NULL, *gic = NULL;

    for (char *at = help->out; (at = strstr(at, "\nvirt-")); at++) {
        unsigned major, minor;

        g_assert_cmpint(sscanf(at, "\nvirt-%u.%u ", &major, &minor), ==, 2);
        oldest = MIN(oldest, major << 8 | minor);
    }
    g_assert_cmpuint(oldest, !=, UINT_MAX);
    rvic = g_strdup_printf("virt-%u.%u,irqchip=rvic", oldest >> 8,
                           oldest & 0xff);
    acpi = g_strdup_printf("%s,acpi=on", rvic);
    secure = g_strdup_printf("%s,secure=on", rvic);
    gic = g_strdup_printf("%s,gic-version=2,its=off,virtualization=on", rvic);

    check_refused(acpi, "-cpu max", WORDS("irqchip=rvic", "acpi=off"));
    check_refused(secure, "-cpu max", WORDS("irqchip=rvic", "secure=off"));
    check_refused(rvic, "-cpu cortex-a15", WORDS("irqchip=rvic", "64-bit"));
    check_refused(rvic, "-cpu max -smp 513", WORDS("513", "max CPUs"));
    check_refused(rvic, "-cpu max -global arm-rvic.num-trusted=33",
                  WORDS("num-trusted=33", "multiples of 32"));
    check_warned(rvic, "-cpu max", NULL);
    check_warned(gic, "-cpu max -smp 17", "gic-version and its");
}

static void test_firmware(void)
{
    g_autofree char *file = rvic_temp(".img");
    g_autofree char *kernel = g_strdup_printf("-cpu max -kernel %s", file);
    g_autofree char *bios = g_strdup_printf("-cpu max -bios %s", file);
    g_autofree char *pflash = g_strdup_printf("-cpu max -drive if=pflash,"
                                              "format=raw,file=%s", file);
    g_autofree char *blockdev = g_strdup_printf("-cpu max -blockdev "
                                                "driver=file,node-name=flash0,"
                                                "filename=%s", file);
    g_autofree char *both = g_strdup_printf("%s -kernel %s", bios, file);
    g_autofree char *dtb = NULL;
    g_autoptr(RVICRun) gic = NULL;

    g_assert_true(g_file_set_contents(file, "no firmware", -1, NULL));
    check_warned("virt,irqchip=rvic", kernel, NULL);
    check_warned("virt,irqchip=rvic", bios, "firmware");
    check_warned("virt,irqchip=rvic", bios, "-kernel");
    check_warned("virt,irqchip=rvic", both, "firmware");
    gic = run_to_dtb("virt", bios, &dtb);
    g_assert_cmpstr(gic->err, ==, "");

    /* the board's flash has this size */
    g_assert_cmpint(truncate(file, 64 * MiB), ==, 0);
    check_warned("virt,irqchip=rvic", pflash, "firmware");
    check_warned("virt,irqchip=rvic,pflash0=flash0", blockdev, "firmware");
    unlink(file);
}

static void test_help(void)
{
    g_autoptr(RVICRun) run = rvic_run("-machine virt,help");
    const char *irqchip;

    g_assert_cmpint(run->status, ==, 0);
    irqchip = strstr(run->out, " irqchip=");
    g_assert_nonnull(irqchip);
    g_assert_nonnull(strstr(irqchip, "gic"));
    g_assert_nonnull(strstr(irqchip, "rvic"));
}

static void check_property(const char *args, const char *property,
                           const char *expected)
{
    QTestState *qts = qtest_initf("%s -m 32M -nodefaults", args);
    QString *value = qobject_to(QString,
                                rvic_qom_get(qts, "/machine", property));

    g_assert_cmpstr(qstring_get_str(value), ==, expected);
    qobject_unref(value);
    qtest_quit(qts);
}

static void test_properties(void)
{
    check_property("-machine virt -cpu max", "irqchip", "gic");
    check_property("-machine virt,irqchip=gic -cpu max", "irqchip", "gic");
    check_property("-machine virt,irqchip=rvic -cpu max", "irqchip", "rvic");
    check_property("-machine virt,irqchip=rvic -cpu max", "acpi", "off");
    check_property("-machine virt,irqchip=rvic,acpi=auto -cpu max", "acpi",
                   "off");
}

/* A 32-bit CPU still has its GIC */
static void test_gic_untouched(void)
{
    g_autofree char *implied = NULL;
    g_autofree char *given = NULL;
    g_autofree char *a15 = NULL;

    implied = dump_dtb("virt,dtb-randomness=off", "-cpu max");
    given = dump_dtb("virt,dtb-randomness=off,irqchip=gic", "-cpu max");
    g_assert_cmpmem(implied, fdt_totalsize(implied),
                    given, fdt_totalsize(given));

    a15 = dump_dtb("virt", "-cpu cortex-a15");
    g_assert_cmpint(fdt_node_offset_by_compatible(a15, -1, "arm,rvic"), <, 0);
    g_assert_cmpint(fdt_node_offset_by_compatible(a15, -1,
                                                  "arm,cortex-a15-gic"), >, 0);
}

/* Device tree: properties of cells */

static int find_node(const void *fdt, const char *compatible)
{
    int node = fdt_node_offset_by_compatible(fdt, -1, compatible);

    g_assert_cmpint(node, >, 0);
    g_assert_cmpint(fdt_node_offset_by_compatible(fdt, node, compatible), <,
                    0);
    return node;
}

static const fdt32_t *get_cells(const void *fdt, int node, const char *name,
                                unsigned *num)
{
    int len;
    const void *cells = fdt_getprop(fdt, node, name, &len);

    if (!cells) {
        *num = 0;
        return NULL;
    }
    g_assert_cmpint(len % sizeof(fdt32_t), ==, 0);
    *num = len / sizeof(fdt32_t);
    return cells;
}

static uint32_t get_cell(const void *fdt, int node, const char *name)
{
    unsigned num;
    const fdt32_t *cell = get_cells(fdt, node, name, &num);

    g_assert_cmpuint(num, ==, 1);
    return fdt32_ld(cell);
}

static void check_cells(const void *fdt, int node, const char *name,
                        const uint32_t *expected, unsigned num_expected)
{
    unsigned num;
    const fdt32_t *cells = get_cells(fdt, node, name, &num);

    g_test_message("%s: %s", fdt_get_name(fdt, node, NULL), name);
    g_assert_cmpuint(num, ==, num_expected);
    for (unsigned i = 0; i < num; i++) {
        g_assert_cmphex(fdt32_ld(&cells[i]), ==, expected[i]);
    }
}

#define CHECK_CELLS(fdt, node, name, ...) do { \
    const uint32_t expected_[] = { __VA_ARGS__ }; \
    check_cells(fdt, node, name, expected_, ARRAY_SIZE(expected_)); \
} while (0)

static void check_string(const void *fdt, int node, const char *name,
                         const char *expected)
{
    int len;
    const char *value = fdt_getprop(fdt, node, name, &len);

    g_assert_nonnull(value);
    g_assert_cmpint(len, ==, strlen(expected) + 1);
    g_assert_cmpstr(value, ==, expected);
}

static void check_empty(const void *fdt, int node, const char *name)
{
    int len;

    g_assert_nonnull(fdt_getprop(fdt, node, name, &len));
    g_assert_cmpint(len, ==, 0);
}

static void check_absent(const void *fdt, int node, const char *name)
{
    g_assert_null(fdt_getprop(fdt, node, name, NULL));
}

static unsigned count_properties(const void *fdt, int node)
{
    unsigned n = 0;
    int prop;

    fdt_for_each_property_offset(prop, fdt, node) {
        n++;
    }
    return n;
}

static uint32_t get_phandle(const void *fdt, const char *compatible)
{
    uint32_t phandle = fdt_get_phandle(fdt, find_node(fdt, compatible));

    g_assert_cmphex(phandle, !=, 0);
    return phandle;
}

/* Device tree: each interrupt specifier of it */

static int phandle_to_node(const void *fdt, uint32_t phandle)
{
    int node = fdt_node_offset_by_phandle(fdt, phandle);

    g_assert_cmpint(node, >, 0);
    return node;
}

/* Returns the number of cells, @num at most, that the specifier has */
static unsigned check_specifier(const void *fdt, uint32_t parent,
                                const fdt32_t *cells, unsigned num)
{
    int node = phandle_to_node(fdt, parent);
    uint32_t num_cells = get_cell(fdt, node, "#interrupt-cells");

    check_empty(fdt, node, "interrupt-controller");
    g_assert_cmpuint(num, >=, num_cells);
    if (fdt_node_check_compatible(fdt, node, "arm,rvid") == 0) {
        g_assert_cmpuint(num_cells, ==, 1);
        g_assert_cmpuint(fdt32_ld(&cells[0]), <, NUM_WIRED);
    } else {
        g_assert_cmpint(fdt_node_check_compatible(fdt, node, "arm,rvic"), ==,
                        0);
        g_assert_cmpuint(num_cells, ==, 2);
        /* a line of every vCPU, level high */
        g_assert_cmpuint(fdt32_ld(&cells[0]), >=, 16);
        g_assert_cmpuint(fdt32_ld(&cells[0]), <, 32);
        g_assert_cmpuint(fdt32_ld(&cells[1]), ==, 4);
    }
    return num_cells;
}

static uint32_t interrupt_parent(const void *fdt, int node)
{
    while (!fdt_getprop(fdt, node, "interrupt-parent", NULL)) {
        g_assert_cmpint(node, >, 0);
        node = fdt_parent_offset(fdt, node);
    }
    return get_cell(fdt, node, "interrupt-parent");
}

static unsigned check_interrupts(const void *fdt, int node)
{
    unsigned num, found = 0;
    const fdt32_t *cells = get_cells(fdt, node, "interrupts", &num);

    while (num) {
        unsigned n = check_specifier(fdt, interrupt_parent(fdt, node), cells,
                                     num);

        cells += n;
        num -= n;
        found++;
    }
    return found;
}

static unsigned check_interrupts_extended(const void *fdt, int node)
{
    unsigned num, found = 0;
    const fdt32_t *cells = get_cells(fdt, node, "interrupts-extended", &num);

    while (num) {
        unsigned n = 1 + check_specifier(fdt, fdt32_ld(cells), cells + 1,
                                         num - 1);

        cells += n;
        num -= n;
        found++;
    }
    return found;
}

static unsigned check_interrupt_map(const void *fdt, int node)
{
    unsigned num, found = 0;
    const fdt32_t *cells = get_cells(fdt, node, "interrupt-map", &num);

    while (num) {
        unsigned child = get_cell(fdt, node, "#address-cells") +
                         get_cell(fdt, node, "#interrupt-cells");
        uint32_t parent, n;

        g_assert_cmpuint(num, >, child);
        parent = fdt32_ld(&cells[child]);
        n = child + 1 + get_cell(fdt, phandle_to_node(fdt, parent),
                                 "#address-cells");
        g_assert_cmpuint(num, >, n);
        n += check_specifier(fdt, parent, cells + n, num - n);
        cells += n;
        num -= n;
        found++;
    }
    return found;
}

/* Properties with phandles: one at cell @at of each entry of @stride cells */
static const struct {
    const char *name;
    unsigned stride;
    unsigned at;
} phandle_properties[] = {
    { "interrupt-parent", 1, 0 },
    { "msi-parent", 1, 0 },
    { "msi-map", 4, 1 },
    { "iommu-map", 4, 1 },
    { "clocks", 1, 0 },
    { "gpios", 3, 0 },
    { "cpu", 1, 0 },
};

static void check_phandles(const void *fdt, int node)
{
    for (size_t i = 0; i < ARRAY_SIZE(phandle_properties); i++) {
        unsigned stride = phandle_properties[i].stride, num;
        const fdt32_t *cells = get_cells(fdt, node, phandle_properties[i].name,
                                         &num);

        g_assert_cmpuint(num % stride, ==, 0);
        for (unsigned at = phandle_properties[i].at; at < num; at += stride) {
            phandle_to_node(fdt, fdt32_ld(&cells[at]));
        }
    }
}

static void check_no_gic(const void *fdt, int node)
{
    for (int i = 0, len; ; i++) {
        const char *compatible = fdt_stringlist_get(fdt, node, "compatible", i,
                                                    &len);

        if (!compatible) {
            break;
        }
        g_assert_null(strstr(compatible, "gic"));
        if (strstr(compatible, "arm,rvi")) {
            check_empty(fdt, node, "interrupt-controller");
        }
    }
    g_assert_null(strstr(fdt_get_name(fdt, node, NULL), "intc"));
}

/*
 * Every specifier leads to a controller and has its cells and a number that
 * it has; every phandle leads somewhere; no two nodes have the same one.
 * Returns the number of interrupt specifiers.
 */
static unsigned check_tree(const void *fdt)
{
    g_autoptr(GHashTable) phandles = g_hash_table_new(NULL, NULL);
    unsigned found = 0;

    for (int node = 0; node >= 0; node = fdt_next_node(fdt, node, NULL)) {
        uint32_t phandle = fdt_get_phandle(fdt, node);

        if (phandle) {
            g_assert_true(g_hash_table_add(phandles,
                                           GUINT_TO_POINTER(phandle)));
        }
        found += check_interrupts(fdt, node);
        found += check_interrupts_extended(fdt, node);
        found += check_interrupt_map(fdt, node);
        check_phandles(fdt, node);
        check_no_gic(fdt, node);
    }
    return found;
}

/* UART, RTC, GPIO, 32 virtio-mmio, 4 x 4 PCIe pins, 4 timers, PMU */
#define NUM_SPECIFIERS (3 + 32 + 16 + 4 + 1)

/* The two controllers, property by property */
static void test_dt_controllers(void)
{
    g_autofree char *fdt = dump_dtb("virt,irqchip=rvic", "-cpu max -smp 4");
    uint32_t rvic = get_phandle(fdt, "arm,rvic");
    uint32_t rvid = get_phandle(fdt, "arm,rvid");
    int node;

    g_assert_cmpuint(check_tree(fdt), ==, NUM_SPECIFIERS);

    node = find_node(fdt, "arm,rvic");
    g_assert_cmpint(fdt_parent_offset(fdt, node), ==, 0);
    check_string(fdt, node, "compatible", "arm,rvic");
    check_empty(fdt, node, "interrupt-controller");
    CHECK_CELLS(fdt, node, "#interrupt-cells", 2);
    CHECK_CELLS(fdt, node, "#address-cells", 0);
    /* its own: or Linux finds no controller to begin with */
    CHECK_CELLS(fdt, node, "interrupt-parent", rvic);
    CHECK_CELLS(fdt, node, "phandle", rvic);
    check_absent(fdt, node, "reg");
    g_assert_cmpuint(count_properties(fdt, node), ==, 6);
    g_assert_null(strchr(fdt_get_name(fdt, node, NULL), '@'));

    node = find_node(fdt, "arm,rvid");
    g_assert_cmpint(fdt_parent_offset(fdt, node), ==, 0);
    check_string(fdt, node, "compatible", "arm,rvid");
    check_empty(fdt, node, "interrupt-controller");
    CHECK_CELLS(fdt, node, "#interrupt-cells", 1);
    CHECK_CELLS(fdt, node, "#address-cells", 0);
    CHECK_CELLS(fdt, node, "interrupt-parent", rvic);
    CHECK_CELLS(fdt, node, "phandle", rvid);
    CHECK_CELLS(fdt, node, "reg", 0, DOORBELL, 0, DOORBELL_SIZE);
    check_empty(fdt, node, "msi-controller");
    CHECK_CELLS(fdt, node, "msi-range", FIRST_MSI, NUM_INPUTS - NUM_WIRED);
    g_assert_cmpuint(count_properties(fdt, node), ==, 9);
    g_assert_cmpstr(strchr(fdt_get_name(fdt, node, NULL), '@'), ==,
                    "@8020000");

    CHECK_CELLS(fdt, 0, "interrupt-parent", rvid);
}

static void test_dt_devices(void)
{
    g_autofree char *fdt = dump_dtb("virt,irqchip=rvic,iommu=smmuv3",
                                    "-cpu max -smp 2 -serial null "
                                    "-serial null");
    uint32_t rvic = get_phandle(fdt, "arm,rvic");
    uint32_t rvid = get_phandle(fdt, "arm,rvid");
    unsigned num_mmio = 0;
    int node;

    /* and the second UART, and the SMMU's four */
    g_assert_cmpuint(check_tree(fdt), ==, NUM_SPECIFIERS + 1 + 4);

    node = fdt_path_offset(fdt, "/timer");
    CHECK_CELLS(fdt, node, "interrupts", 29, 4, 30, 4, 27, 4, 26, 4);
    CHECK_CELLS(fdt, node, "interrupt-parent", rvic);
    node = fdt_path_offset(fdt, "/pmu");
    CHECK_CELLS(fdt, node, "interrupts", 23, 4);
    CHECK_CELLS(fdt, node, "interrupt-parent", rvic);

    node = fdt_path_offset(fdt, "/pl011@9000000");
    CHECK_CELLS(fdt, node, "interrupts", 1);
    node = fdt_path_offset(fdt, "/pl011@9040000");
    CHECK_CELLS(fdt, node, "interrupts", 8);
    node = find_node(fdt, "arm,pl031");
    CHECK_CELLS(fdt, node, "interrupts", 2);
    node = find_node(fdt, "arm,pl061");
    CHECK_CELLS(fdt, node, "interrupts", 7);
    node = find_node(fdt, "arm,smmu-v3");
    CHECK_CELLS(fdt, node, "interrupts", 74, 75, 76, 77);
    node = find_node(fdt, "qemu,platform");
    CHECK_CELLS(fdt, node, "interrupt-parent", rvid);

    for (node = fdt_node_offset_by_compatible(fdt, -1, "virtio,mmio");
         node >= 0;
         node = fdt_node_offset_by_compatible(fdt, node, "virtio,mmio")) {
        unsigned num;
        const fdt32_t *reg = get_cells(fdt, node, "reg", &num);

        g_assert_cmpuint(num, ==, 4);
        CHECK_CELLS(fdt, node, "interrupts",
                    16 + (fdt32_ld(&reg[1]) - 0x0a000000) / 0x200);
        num_mmio++;
    }
    g_assert_cmpuint(num_mmio, ==, 32);
}

/* An entry for each of four slots and pins, which the guest swizzles */
static void test_dt_pcie(void)
{
    g_autofree char *fdt = dump_dtb("virt,irqchip=rvic", "-cpu max");
    uint32_t rvid = get_phandle(fdt, "arm,rvid");
    int node = find_node(fdt, "pci-host-ecam-generic");
    uint32_t map[4 * 4 * 6], *entry = map;

    for (unsigned slot = 0; slot < 4; slot++) {
        for (unsigned pin = 0; pin < 4; pin++, entry += 6) {
            entry[0] = slot << 11;
            entry[1] = entry[2] = 0;
            entry[3] = pin + 1;
            entry[4] = rvid;
            entry[5] = 3 + (slot + pin) % 4;
        }
    }
    check_cells(fdt, node, "interrupt-map", map, ARRAY_SIZE(map));
    CHECK_CELLS(fdt, node, "interrupt-map-mask", 3 << 11, 0, 0, 7);
    CHECK_CELLS(fdt, node, "#interrupt-cells", 1);
    CHECK_CELLS(fdt, node, "msi-map", 0, rvid, 0, 0x10000);
}

/* Other numbers of interrupts; none for MSIs */
static void test_dt_counts(void)
{
    g_autofree char *fdt = NULL;
    g_autofree char *no_msis = NULL;
    int node;

    fdt = dump_dtb("virt,irqchip=rvic",
                   "-cpu max -global arm-rvic.num-trusted=64 "
                   "-global arm-rvic.num-untrusted=1984");
    g_assert_cmpuint(check_tree(fdt), ==, NUM_SPECIFIERS);
    CHECK_CELLS(fdt, find_node(fdt, "arm,rvid"), "msi-range", 256, 1728);
    CHECK_CELLS(fdt, fdt_path_offset(fdt, "/pmu"), "interrupts", 23, 4);

    no_msis = dump_dtb("virt,irqchip=rvic",
                       "-cpu max -global arm-rvic.num-untrusted=256");
    g_assert_cmpuint(check_tree(no_msis), ==, NUM_SPECIFIERS);
    node = find_node(no_msis, "arm,rvid");
    check_absent(no_msis, node, "msi-controller");
    check_absent(no_msis, node, "msi-range");
    node = find_node(no_msis, "pci-host-ecam-generic");
    check_absent(no_msis, node, "msi-map");
    check_absent(no_msis, node, "msi-parent");
}

/* The hypervisor's conduit and timers */
static void test_dt_virtualization(void)
{
    g_autofree char *fdt = dump_dtb("virt,irqchip=rvic,virtualization=on",
                                    "-cpu max");
    g_autofree char *without = dump_dtb("virt,irqchip=rvic", "-cpu max");
    int node = fdt_path_offset(fdt, "/timer");

    g_assert_cmpuint(check_tree(fdt), ==, NUM_SPECIFIERS + 1);
    CHECK_CELLS(fdt, node, "interrupts", 29, 4, 30, 4, 27, 4, 26, 4, 28, 4);
    check_string(fdt, fdt_path_offset(fdt, "/psci"), "method", "smc");
    check_string(without, fdt_path_offset(without, "/psci"), "method", "hvc");
}

/* The vCPUs' clusters are a GICv3's, whatever GIC is asked for besides */
static void test_dt_affinity(void)
{
    static const char *const machines[] = {
        "virt,irqchip=rvic",
        "virt,irqchip=rvic,gic-version=2",
    };

    for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
        g_autofree char *fdt = NULL;
        g_autoptr(RVICRun) run = run_to_dtb(machines[i], "-cpu max -smp 18",
                                            &fdt);

        for (unsigned cpu = 0; cpu < 18; cpu++) {
            g_autofree char *path = g_strdup_printf("/cpus/cpu@%u", cpu);

            CHECK_CELLS(fdt, fdt_path_offset(fdt, path), "reg",
                        rvic_mpidr(cpu));
        }
    }
}

/* All versions of the machine; not all describe their timers alike */
static void test_dt_machines(void)
{
    g_autoptr(RVICRun) help = rvic_run("-machine help");
    g_auto(GStrv) lines = g_strsplit(help->out, "\n", 0);
    unsigned found = 0;

    for (char **line = lines; *line; line++) {
        g_autofree char *machine = NULL;
        g_autofree char *dtb = NULL;
        g_autoptr(RVICRun) run = NULL;

        if (!g_str_has_prefix(*line, "virt-")) {
            continue;
        }
        *strchr(*line, ' ') = 0;
        machine = g_strdup_printf("%s,irqchip=rvic", *line);
        run = run_to_dtb(machine, "-cpu cortex-a57", &dtb);
        /* the oldest have no PMU */
        g_assert_cmpuint(check_tree(dtb), ==, NUM_SPECIFIERS -
                         (fdt_path_offset(dtb, "/pmu") < 0));
        found++;
    }
    g_assert_cmpuint(found, >, 1);
}

/*
 * A tree given by -dtb. QEMU adds to it what it adds with a GIC, and nothing
 * of rVIC: the tree in RAM is the same for both, and has all of the user's.
 */

#define RAM         0x40000000

/* The machine's tree in RAM, where it is if there is no kernel */
static char *read_ram_dtb(const char *machine, const char *file)
{
    g_autofree char *err = rvic_temp(".err");
    g_autofree char *text = NULL;
    g_autofree char *dumped = NULL;
    g_autofree char *dump = rvic_temp(".dtb");
    g_autofree char *said = NULL;
    QTestState *qts = qtest_initf("-machine %s -cpu max -m 32M -nodefaults "
                                  "-dtb %s 2>%s", machine, file, err);
    struct fdt_header header;
    gsize len;
    char *dtb;

    qtest_memread(qts, RAM, &header, sizeof(header));
    g_assert_cmpint(fdt_check_header(&header), ==, 0);
    dtb = g_malloc(fdt_totalsize(&header));
    qtest_memread(qts, RAM, dtb, fdt_totalsize(&header));

    /* it is the one that the monitor knows, too */
    said = qtest_hmp(qts, "dumpdtb %s", dump);
    g_assert_true(g_file_get_contents(dump, &dumped, &len, NULL));
    g_assert_cmpmem(dtb, fdt_totalsize(dtb), dumped, len);

    qtest_quit(qts);
    g_assert_true(g_file_get_contents(err, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "");
    unlink(dump);
    unlink(err);
    return dtb;
}

/* QEMU replaces these nodes of a user's tree: go on behind them */
static int skip_qemus(const void *fdt, int node, char path[256])
{
    for (; node >= 0; node = fdt_next_node(fdt, node, NULL)) {
        g_assert_cmpint(fdt_get_path(fdt, node, path, 256), ==, 0);
        if (!g_str_has_prefix(path, "/memory") && strcmp(path, "/chosen") &&
            strcmp(path, "/psci")) {
            break;
        }
    }
    return node;
}

/* All other nodes are the same; returns the number of properties */
static unsigned check_kept(const void *user, const void *ram)
{
    char path[256], ram_path[256];
    int node = skip_qemus(user, 0, path);
    int ram_node = skip_qemus(ram, 0, ram_path);
    unsigned kept = 0;

    while (node >= 0 && ram_node >= 0) {
        int prop;

        g_test_message("%s", path);
        g_assert_cmpstr(ram_path, ==, path);
        g_assert_cmpuint(count_properties(ram, ram_node), ==,
                         count_properties(user, node));
        fdt_for_each_property_offset(prop, user, node) {
            const char *name;
            int len, ram_len;
            const void *value = fdt_getprop_by_offset(user, prop, &name, &len);
            const void *ram_value = fdt_getprop(ram, ram_node, name, &ram_len);

            g_assert_cmpmem(ram_value, ram_len, value, len);
            kept++;
        }
        node = skip_qemus(user, fdt_next_node(user, node, NULL), path);
        ram_node = skip_qemus(ram, fdt_next_node(ram, ram_node, NULL),
                              ram_path);
    }
    g_assert_cmpint(node, ==, ram_node);
    return kept;
}

static void check_user_dtb(const void *user, unsigned min_kept)
{
    g_autofree char *file = rvic_temp(".dtb");
    g_autofree char *rvic = NULL;
    g_autofree char *gic = NULL;

    g_assert_true(g_file_set_contents(file, user, fdt_totalsize(user), NULL));
    rvic = read_ram_dtb("virt,irqchip=rvic", file);
    gic = read_ram_dtb("virt,irqchip=gic", file);
    g_assert_cmpmem(rvic, fdt_totalsize(rvic), gic, fdt_totalsize(gic));
    g_assert_cmpuint(check_kept(user, rvic), >=, min_kept);
    unlink(file);
}

/* A whole tree, for a GIC with its three cells, and one for rVIC */
static void test_user_dtb_whole(void)
{
    g_autofree char *gic = dump_dtb("virt,dtb-randomness=off", "-cpu max");
    g_autofree char *rvic = dump_dtb("virt,irqchip=rvic,dtb-randomness=off",
                                     "-cpu max -smp 4");
    int node = fdt_path_offset(gic, "/timer");

    CHECK_CELLS(gic, node, "interrupts", 1, 13, 0x104, 1, 14, 0x104,
                1, 11, 0x104, 1, 10, 0x104);
    check_user_dtb(gic, 200);
    check_user_dtb(rvic, 200);
}

#define FDT_SIZE    4096

static void *create_tree(void)
{
    void *fdt = g_malloc(FDT_SIZE);

    g_assert_cmpint(fdt_create_empty_tree(fdt, FDT_SIZE), ==, 0);
    g_assert_cmpint(fdt_setprop_u32(fdt, 0, "#address-cells", 2), ==, 0);
    g_assert_cmpint(fdt_setprop_u32(fdt, 0, "#size-cells", 2), ==, 0);
    return fdt;
}

static void add_node(void *fdt, const char *name, const char *property,
                     const void *value, unsigned len)
{
    int node = fdt_add_subnode(fdt, 0, name);

    g_assert_cmpint(node, >, 0);
    g_assert_cmpint(fdt_setprop(fdt, node, property, value, len), ==, 0);
}

/* What would be conspicuous if anyone looked at it: not ours to judge */
static void test_user_dtb_odd(void)
{
    static const uint8_t cells[64] = { 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7 };
    g_autofree char *bare = create_tree();
    g_autofree char *odd = create_tree();

    check_user_dtb(bare, 2);

    for (unsigned len = 0; len <= 28; len++) {
        g_autofree char *interrupts = g_strdup_printf("interrupts-%u", len);
        g_autofree char *map = g_strdup_printf("map-%u", len);

        add_node(odd, interrupts, "interrupts", cells, len);
        add_node(odd, map, "interrupt-map", cells, len);
    }
    /* names that the board's own nodes have, also while it works on them */
    add_node(odd, "intc", "phandle", cells, 4);
    add_node(odd, "interrupt-controller", "phandle", cells, 4);
    add_node(odd, "interrupt-controller@8020000", "phandle", cells, 4);
    add_node(odd, "timer", "interrupts", "GIC", 4);
    add_node(odd, "pmu", "interrupt-parent", cells, 1);
    check_user_dtb(odd, 2 + 2 * 29 + 5);
}

/* A virtio-iommu has to let MSIs through */
static void check_reserved(const char *args, const char *region)
{
    QTestState *qts = rvic_start("-device virtio-iommu-pci,id=iommu0 %s",
                                 args);
    g_autoptr(QList) regions =
        qobject_to(QList, rvic_qom_get(qts, "/machine/peripheral/iommu0",
                                       "reserved-regions"));

    g_assert_cmpuint(qlist_size(regions), ==, region ? 1 : 0);
    if (region) {
        g_assert_cmpstr(qstring_get_str(qobject_to(QString,
                                                   qlist_peek(regions))), ==,
                        region);
    }
    qtest_quit(qts);
}

static void test_virtio_iommu(void)
{
    /* type 1: MSI */
    check_reserved("", "0x8020000:0x8020fff:1");
    check_reserved("-global arm-rvic.num-untrusted=256", NULL);
}

/* What each vCPU's timers and PMU are connected to, and what drives its IRQ */

static void check_wire(QTestState *qts, const char *path, const char *output,
                       const char *expected)
{
    QString *input = qobject_to(QString, rvic_qom_get(qts, path, output));

    g_test_message("%s: %s", path, output);
    g_assert_cmpstr(qstring_get_str(input), ==, expected);
    qobject_unref(input);
}

static void test_cpu_wires(void)
{
    static const struct {
        const char *output;
        unsigned intid;
    } wires[] = {
        { "unnamed-gpio-out[0]", 30 },
        { "unnamed-gpio-out[1]", 27 },
        { "unnamed-gpio-out[2]", 26 },
        { "unnamed-gpio-out[3]", 29 },
        { "unnamed-gpio-out[4]", 28 },
        { "pmu-interrupt[0]", 23 },
    };
    QTestState *qts = qtest_init("-machine virt,irqchip=rvic -cpu max -m 32M "
                                 "-nodefaults -smp 3");
    QDict *rsp = qtest_qmp(qts, "{ 'execute': 'query-cpus-fast' }");
    const QListEntry *e;
    unsigned found = 0;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(rsp, "return"), e) {
        QDict *info = qobject_to(QDict, qlist_entry_obj(e));
        const char *path = qdict_get_str(info, "qom-path");
        unsigned cpu = qdict_get_int(info, "cpu-index");
        g_autofree char *irq = g_strdup_printf("sysbus-irq[%u]", cpu);
        g_autofree char *input = g_strdup_printf("%s/unnamed-gpio-in[0]",
                                                 path);

        for (size_t i = 0; i < ARRAY_SIZE(wires); i++) {
            g_autofree char *line =
                g_strdup_printf(RVIC_PATH "/unnamed-gpio-in[%u]",
                                cpu * NUM_LINES + wires[i].intid - FIRST_LINE);

            check_wire(qts, path, wires[i].output, line);
        }
        check_wire(qts, RVIC_PATH, irq, input);
        found++;
    }
    g_assert_cmpuint(found, ==, 3);
    qobject_unref(rsp);
    qtest_quit(qts);
}

/* The board's devices, down to the vCPU */

#define UART        0x09000000
#define UART_DR     0x00
#define UART_IMSC   0x38
#define UART_ICR    0x44
#define UART_TX     (1 << 5)

#define RTC         0x09010000
#define RTC_DR      0x00
#define RTC_MR      0x04
#define RTC_IMSC    0x10
#define RTC_ICR     0x1c

#define GPIO        0x09030000
#define GPIO_IEV    0x40c
#define GPIO_IE     0x410
#define GPIO_IC     0x41c
#define GPIO_POWER  (1 << 3)

static void map_unmasked(QTestState *qts, unsigned input)
{
    rvid_map(qts, input, 0, 100 + input);
    rvic_unmask(qts, 0, 100 + input);
}

static void test_board_devices(void)
{
    QTestState *qts = rvic_start("-rtc clock=vm");

    rvic_enable(qts, 0);
    for (unsigned input = 0; input < NUM_WIRED; input++) {
        map_unmasked(qts, input);
    }
    rvic_expect_idle(qts, 0);

    qtest_writel(qts, UART + UART_IMSC, UART_TX);
    qtest_writel(qts, UART + UART_DR, '.');
    rvic_expect_only(qts, 0, 101);
    g_assert_true(rvic_is_pending(qts, 0, 101));
    qtest_writel(qts, UART + UART_ICR, UART_TX);
    g_assert_false(rvic_is_pending(qts, 0, 101));

    qtest_writel(qts, RTC + RTC_MR, qtest_readl(qts, RTC + RTC_DR) + 1);
    qtest_writel(qts, RTC + RTC_IMSC, 1);
    rvic_expect_idle(qts, 0);
    qtest_clock_step(qts, 2 * NANOSECONDS_PER_SECOND);
    rvic_expect_only(qts, 0, 102);
    g_assert_true(rvic_is_pending(qts, 0, 102));
    qtest_writel(qts, RTC + RTC_ICR, 1);
    g_assert_false(rvic_is_pending(qts, 0, 102));

    qtest_writel(qts, GPIO + GPIO_IEV, GPIO_POWER);
    qtest_writel(qts, GPIO + GPIO_IE, GPIO_POWER);
    qtest_qmp_assert_success(qts, "{ 'execute': 'system_powerdown' }");
    qtest_qmp_eventwait(qts, "POWERDOWN");
    rvic_expect_only(qts, 0, 107);
    qtest_writel(qts, GPIO + GPIO_IC, GPIO_POWER);
    rvic_unmask(qts, 0, 107);
    rvic_expect_idle(qts, 0);
    qtest_quit(qts);
}

/* With highmem=off */
#define ECAM            0x3f000000
#define PCI_MMIO        0x10000000
#define PCI_CONFIG(dev) (ECAM + ((dev) << 15))
#define PCI_COMMAND     0x04
#define PCI_BAR0        0x10
#define PCI_CAPS        0x34
#define PCI_CAP_MSI     5

#define EDU_RAISE       0x60
#define EDU_LOWER       0x64

static QTestState *start_edu(unsigned slot)
{
    QTestState *qts = rvic_start("-machine highmem=off -device edu,addr=%u",
                                 slot);

    rvic_enable(qts, 0);
    qtest_writel(qts, PCI_CONFIG(slot) + PCI_BAR0, PCI_MMIO);
    /* memory and bus master */
    qtest_writew(qts, PCI_CONFIG(slot) + PCI_COMMAND, 6);
    return qts;
}

/* INTx, as interrupt-map says */
static void test_board_intx(void)
{
    for (unsigned slot = 1; slot <= 4; slot++) {
        QTestState *qts = start_edu(slot);
        unsigned input = 3 + slot % 4;

        for (unsigned n = 0; n < NUM_WIRED; n++) {
            map_unmasked(qts, n);
        }
        qtest_writel(qts, PCI_MMIO + EDU_RAISE, 1);
        for (int i = 0; i < 3; i++) {
            rvic_expect_only(qts, 0, 100 + input);
            rvic_unmask(qts, 0, 100 + input);
        }
        qtest_writel(qts, PCI_MMIO + EDU_LOWER, 1);
        rvic_expect_idle(qts, 0);
        qtest_quit(qts);
    }
}

static void test_board_msi(void)
{
    QTestState *qts = start_edu(2);
    uint64_t config = PCI_CONFIG(2);
    uint8_t cap = qtest_readb(qts, config + PCI_CAPS);

    while (cap && qtest_readb(qts, config + cap) != PCI_CAP_MSI) {
        cap = qtest_readb(qts, config + cap + 1);
    }
    g_assert_cmphex(cap, !=, 0);
    /* a 64-bit address */
    qtest_writel(qts, config + cap + 4, DOORBELL);
    qtest_writel(qts, config + cap + 8, 0);
    qtest_writew(qts, config + cap + 12, FIRST_MSI + 44);
    qtest_writew(qts, config + cap + 2, 1);

    map_unmasked(qts, FIRST_MSI + 44);
    qtest_writel(qts, PCI_MMIO + EDU_RAISE, 1);
    rvic_expect_only(qts, 0, 100 + FIRST_MSI + 44);
    rvic_unmask(qts, 0, 100 + FIRST_MSI + 44);
    rvic_expect_idle(qts, 0);
    qtest_writel(qts, PCI_MMIO + EDU_RAISE, 1);
    rvic_expect_only(qts, 0, 100 + FIRST_MSI + 44);
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/rvic/options/refused", test_refused_options);
    qtest_add_func("/rvic/options/refused-merged", test_refused_merged);
    qtest_add_func("/rvic/options/refused-counts", test_refused_counts);
    qtest_add_func("/rvic/options/refused-gic", test_refused_gic_values);
    qtest_add_func("/rvic/options/refused-value", test_refused_value);
    qtest_add_func("/rvic/options/warned-gic", test_warned_gic_options);
    qtest_add_func("/rvic/options/accepted", test_accepted_options);
    qtest_add_func("/rvic/options/overridden", test_overridden);
    qtest_add_func("/rvic/options/ignored-globals", test_ignored_globals);
    qtest_add_func("/rvic/options/old-machine", test_old_machine);
    qtest_add_func("/rvic/options/firmware", test_firmware);
    qtest_add_func("/rvic/options/help", test_help);
    qtest_add_func("/rvic/options/properties", test_properties);
    qtest_add_func("/rvic/options/gic-untouched", test_gic_untouched);

    qtest_add_func("/rvic/dt/controllers", test_dt_controllers);
    qtest_add_func("/rvic/dt/devices", test_dt_devices);
    qtest_add_func("/rvic/dt/pcie", test_dt_pcie);
    qtest_add_func("/rvic/dt/counts", test_dt_counts);
    qtest_add_func("/rvic/dt/virtualization", test_dt_virtualization);
    qtest_add_func("/rvic/dt/affinity", test_dt_affinity);
    qtest_add_func("/rvic/dt/machines", test_dt_machines);

    qtest_add_func("/rvic/user-dtb/whole", test_user_dtb_whole);
    qtest_add_func("/rvic/user-dtb/odd", test_user_dtb_odd);

    qtest_add_func("/rvic/board/virtio-iommu", test_virtio_iommu);
    qtest_add_func("/rvic/board/cpu-wires", test_cpu_wires);
    qtest_add_func("/rvic/board/devices", test_board_devices);
    qtest_add_func("/rvic/board/intx", test_board_intx);
    qtest_add_func("/rvic/board/msi", test_board_msi);

    return g_test_run();
}
