/*
 * Arm rVIC and rVID: migration streams that are cut, damaged or made up
 *
 * Each of them ends in an error or in a machine that works, and leaves a QEMU
 * that survives whatever is done next, reset or not. Memory errors that go
 * unnoticed here are found by scripts/test sanitizers.
 *
 * A failing run is repeated by the --seed that it prints, a single test by -p
 * and its path besides.
 *
 * What is damaged lies in the sections of the two devices, and a stream may be
 * cut anywhere. Other damage would test other devices, and nothing here.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "rvic-qtest.h"

/*
 * A section of a stream: type, section ID, name, instance, version; then what
 * the device has written; then a footer with the section ID. All numbers are
 * big-endian. The device's part is, as the stored state of its fields in
 * order:
 *
 *   arm-rvic   u32 vCPUs, trusted, untrusted; for each vCPU u32 pending[64],
 *              masked[64], level[64], u16 last acknowledged, u8 enabled
 *   arm-rvid   u32 wired inputs, inputs; for each input u32 route, u8 level;
 *              route: vCPU in bits 31:16, INTID in bits 15:0, or all ones
 */
#define SECTION_START       0x01
#define SECTION_FULL        0x04
#define SECTION_FOOTER      0x7e
#define FOOTER_SIZE         (1 + 4)

#define WORDS               64
#define PENDING             0
#define MASKED              (4 * WORDS)
#define LEVEL               (8 * WORDS)
#define LAST                (12 * WORDS)
#define ENABLED             (12 * WORDS + 2)
#define INSTANCE_SIZE       (12 * WORDS + 3)
#define INSTANCE(cpu)       (12 + (cpu) * INSTANCE_SIZE)

#define INPUT(n)            (8 + (n) * 5)
#define INPUT_LEVEL(n)      (INPUT(n) + 4)
#define ROUTE(cpu, intid)   ((uint32_t)(cpu) << 16 | (intid))

#define UNMAPPED            UINT32_MAX

/* From where to where in the stream: the whole, and what the device wrote */
typedef struct Section {
    const char *name;
    size_t start, payload, footer, end;
} Section;

typedef struct Stream {
    GByteArray *bytes;
    Section rvic, rvid;
} Stream;

/*
 * Leave out the RAM, which is empty: nine in ten bytes, and most of the time
 * that a load takes. Its first section has the header of any other one, its
 * last one ends in a u64 flag before the footer.
 */
static void remove_ram(GByteArray *bytes)
{
    static const uint8_t name[] = { 3, 'r', 'a', 'm' };
    static const uint8_t flag[] = { 0, 0, 0, 0, 0, 0, 0, 0x10, SECTION_FOOTER };
    size_t start = 0, end = 0;

    for (size_t at = 0; at + 32 < bytes->len; at++) {
        const uint8_t *p = bytes->data + at;

        if (!start && p[0] == SECTION_START &&
            !memcmp(p + 5, name, sizeof(name))) {
            start = at;
        } else if (start && !memcmp(p, flag, sizeof(flag)) &&
                   !memcmp(p + sizeof(flag), bytes->data + start + 1, 4)) {
            end = at + sizeof(flag) + 4;
        }
    }
    g_assert_cmphex(bytes->data[end], ==, SECTION_FULL);
    g_byte_array_remove_range(bytes, start, end - start);
}

static void find_section(const GByteArray *bytes, const char *name,
                         size_t payload_size, Section *section)
{
    size_t len = strlen(name);
    size_t header = 1 + 4 + 1 + len + 4 + 4;

    for (size_t at = 0; at + header + payload_size + FOOTER_SIZE <= bytes->len;
         at++) {
        const uint8_t *p = bytes->data + at;

        if (p[0] == SECTION_FULL && p[5] == len && !memcmp(p + 6, name, len)) {
            const uint8_t *footer = p + header + payload_size;

            *section = (Section) {
                .name = name,
                .start = at,
                .payload = at + header,
                .footer = at + header + payload_size,
                .end = at + header + payload_size + FOOTER_SIZE,
            };
            /* else the layout is not the one above */
            g_assert_cmphex(footer[0], ==, SECTION_FOOTER);
            g_assert_cmphex(ldl_be_p(footer + 1), ==, ldl_be_p(p + 1));
            return;
        }
    }
    g_assert_not_reached();
}

static QTestState *start(const RVICCounts *c, const char *args)
{
    g_autofree char *all = g_strdup_printf("-m 16M -smp %u %s",
                                           RVIC_RANDOM_CPUS, args);

    return rvic_start_counts(c, all);
}

/* The stream of a machine, whose QEMU ends */
static Stream take_stream(QTestState *qts, const RVICCounts *c)
{
    g_autofree char *file = rvic_save(qts);
    Stream s;
    gchar *data;
    gsize size;

    g_assert_true(g_file_get_contents(file, &data, &size, NULL));
    unlink(file);
    s.bytes = g_byte_array_new_take((guint8 *)data, size);
    remove_ram(s.bytes);
    find_section(s.bytes, "arm-rvic", INSTANCE(RVIC_RANDOM_CPUS), &s.rvic);
    find_section(s.bytes, "arm-rvid", INPUT(c->untrusted), &s.rvid);
    qtest_quit(qts);
    return s;
}

static GByteArray *copy_stream(const Stream *s)
{
    GByteArray *copy = g_byte_array_sized_new(s->bytes->len);

    return g_byte_array_append(copy, s->bytes->data, s->bytes->len);
}

static bool load_bytes(QTestState *qts, const GByteArray *bytes)
{
    g_autofree char *file = rvic_temp(".vmstate");
    bool accepted;

    g_assert_true(g_file_set_contents(file, (const gchar *)bytes->data,
                                      bytes->len, NULL));
    accepted = rvic_restore(qts, file);
    unlink(file);
    return accepted;
}

/* ---- What is done with a machine after the load ------------------------ */

static unsigned below(unsigned end)
{
    return g_test_rand_int_range(0, end);
}

/*
 * Any call that a guest makes, with arguments that exist. In a machine that
 * was not put together by a load that failed half-way (@sound), a vCPU's IRQ
 * tells whether there is an INTID to acknowledge.
 */
static void do_call(QTestState *qts, const RVICCounts *c, bool sound)
{
    static const uint32_t targeted[] = {
        RVIC_SET_MASKED, RVIC_CLEAR_MASKED, RVIC_CLEAR_MASKED,
        RVIC_IS_PENDING, RVIC_SIGNAL, RVIC_SIGNAL, RVIC_CLEAR_PENDING,
    };
    unsigned total = c->trusted + c->untrusted;
    unsigned cpu = below(RVIC_RANDOM_CPUS);
    unsigned target = below(RVIC_RANDOM_CPUS);
    unsigned n;
    uint64_t x[4];
    bool irq;

    switch (below(8)) {
    case 0:
    case 1:
        irq = rvic_irq(qts, cpu);
        rvic_call(qts, cpu, RVIC_ACKNOWLEDGE, UNUSED, UNUSED, UNUSED, x);
        if (x[0] == SUCCESS) {
            g_assert_cmpuint(x[1], <, total);
        } else {
            g_assert_cmpuint(x[0], <=, NO_INTERRUPTS);
        }
        g_assert_true(!sound || irq == (x[0] == SUCCESS));
        return;
    case 2:
        if (rvic_chance(80)) {
            rvic_enable(qts, cpu);
        } else {
            rvic_disable(qts, cpu);
        }
        return;
    case 3:
        rvid_map(qts, below(c->untrusted), target,
                 c->trusted + below(c->untrusted));
        return;
    case 4:
        rvid_unmap(qts, below(c->untrusted));
        return;
    case 5:
        n = below(c->untrusted);
        if (n < NUM_WIRED) {
            rvid_line(qts, n, rvic_chance(50));
        } else {
            rvid_msi(qts, n);
        }
        return;
    case 6:
        n = FIRST_LINE + below(NUM_LINES);
        rvic_line(qts, cpu, n, rvic_chance(50));
        rvic_resample(qts, cpu, n);
        return;
    default:
        rvic_call(qts, cpu, targeted[below(ARRAY_SIZE(targeted))],
                  rvic_mpidr(target), below(total), UNUSED, x);
        g_assert_true(x[0] == SUCCESS || x[0] == DISABLED);
        return;
    }
}

/* All that can be seen of the state, and whether mappings lead anywhere */
static void look(QTestState *qts, const RVICCounts *c)
{
    g_autofree char *pic = qtest_hmp(qts, "info pic");
    g_autoptr(QList) instances = rvic_instances(qts);
    g_autoptr(QList) inputs = rvid_inputs(qts);
    const QListEntry *e;

    g_assert_nonnull(strstr(pic, "rVID:"));
    g_assert_cmpuint(qlist_size(instances), ==, RVIC_RANDOM_CPUS);
    QLIST_FOREACH_ENTRY(inputs, e) {
        QDict *input = qobject_to(QDict, qlist_entry_obj(e));

        if (qdict_haskey(input, "intid")) {
            int64_t intid = qdict_get_int(input, "intid");

            g_assert_cmpint(qdict_get_int(input, "cpu"), <, RVIC_RANDOM_CPUS);
            g_assert_cmpint(intid, >=, c->trusted);
            g_assert_cmpint(intid, <, c->trusted + c->untrusted);
        }
    }
}

static void use(QTestState *qts, const RVICCounts *c, bool sound)
{
    unsigned cpu = below(RVIC_RANDOM_CPUS);

    /* not always: libqtest is slow to read so much */
    if (rvic_chance(10)) {
        look(qts, c);
    }
    /* so that ACKNOWLEDGE has something to look for */
    rvic_enable(qts, cpu);
    rvic_unmask(qts, cpu, c->trusted);
    rvic_signal(qts, cpu, c->trusted);
    for (int i = 0; i < 30; i++) {
        do_call(qts, c, sound);
    }
}

/* Also reset gives back a machine that works, whatever there was before */
static void use_and_reset(QTestState *qts, const RVICCounts *c, bool accepted)
{
    use(qts, c, accepted);
    qtest_system_reset(qts);
    for (unsigned cpu = 0; cpu < RVIC_RANDOM_CPUS; cpu++) {
        g_assert_false(rvic_irq(qts, cpu));
        rvic_enable(qts, cpu);
        rvid_map(qts, cpu, cpu, c->trusted);
        rvid_line(qts, cpu, true);
        rvic_unmask(qts, cpu, c->trusted);
        rvic_expect_only(qts, cpu, c->trusted);
    }
}

/* ---- Damage at random -------------------------------------------------- */

/* Numbers at, and right beside, the limits of what a field may hold */
static uint32_t boundary(const RVICCounts *c)
{
    const uint32_t limits[] = {
        0, 1, 31, 32, 64, 255, 256, 512, 992, 1024, 2016, 2047, 2048, 4095,
        0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, UINT32_MAX,
        c->trusted, c->untrusted, c->trusted + c->untrusted,
        /* routes: of the last vCPU and one behind it */
        ROUTE(RVIC_RANDOM_CPUS - 1, c->trusted),
        ROUTE(RVIC_RANDOM_CPUS - 1, c->trusted + c->untrusted),
        ROUTE(RVIC_RANDOM_CPUS, c->trusted), ROUTE(0xffff, c->trusted),
    };

    return rvic_chance(20) ? (uint32_t)g_test_rand_int() :
           limits[below(ARRAY_SIZE(limits))] + below(3) - 1;
}

/* Overwrite a whole field, mostly one that is a number and not a bitmap */
static void damage_field(GByteArray *bytes, const Stream *s,
                         const RVICCounts *c, GString *what)
{
    uint32_t value = boundary(c);
    unsigned cpu = below(RVIC_RANDOM_CPUS);
    unsigned input = below(c->untrusted);
    size_t rvic = s->rvic.payload, rvid = s->rvid.payload;
    size_t at, size = 4;

    switch (below(9)) {
    case 0:
        at = rvic + 4 * below(3);
        break;
    case 1:
        at = rvid + 4 * below(2);
        break;
    case 2:
    case 3:
        at = rvic + INSTANCE(cpu) + LAST;
        size = 2;
        break;
    case 4:
        at = rvic + INSTANCE(cpu) + ENABLED;
        size = 1;
        break;
    case 5:
        at = rvic + INSTANCE(cpu) + 4 * below(3 * WORDS);
        break;
    case 6:
    case 7:
        at = rvid + INPUT(input);
        break;
    default:
        at = rvid + INPUT_LEVEL(input);
        size = 1;
        break;
    }
    stn_be_p(bytes->data + at, size, value);
    g_string_append_printf(what, " %zu-byte field at %zu = 0x%x;", size, at,
                           value);
}

/* From the name to the footer's end */
static size_t anywhere_in(const Section *section)
{
    return section->start + 5 + below(section->end - section->start - 5);
}

static void damage_bytes(GByteArray *bytes, const Section *section,
                         GString *what)
{
    size_t at = anywhere_in(section);
    size_t size = MIN(1 + below(rvic_chance(50) ? 1 : 64), section->end - at);

    switch (below(4)) {
    case 0:
        bytes->data[at] ^= 1 << below(8);
        size = 1;
        break;
    case 1:
        memset(bytes->data + at, 0, size);
        break;
    case 2:
        memset(bytes->data + at, 0xff, size);
        break;
    default:
        for (size_t i = 0; i < size; i++) {
            bytes->data[at + i] = g_test_rand_int();
        }
        break;
    }
    g_string_append_printf(what, " %zu bytes at %zu;", size, at);
}

/* Put @size bytes in */
static void insert(GByteArray *bytes, size_t at, const uint8_t *data,
                   size_t size)
{
    size_t behind = bytes->len - at;

    g_byte_array_set_size(bytes, bytes->len + size);
    memmove(bytes->data + at + size, bytes->data + at, behind);
    memcpy(bytes->data + at, data, size);
}

/* Changes the length, so that it has to be the last damage but a cut */
static void damage_order(GByteArray *bytes, const Stream *s, GString *what)
{
    const Section *section = rvic_chance(50) ? &s->rvic : &s->rvid;
    const Section *other = rvic_chance(50) ? &s->rvic : &s->rvid;
    size_t at = anywhere_in(section);

    switch (below(4)) {
    case 0:
        insert(bytes, at, s->bytes->data + below(s->bytes->len - 8),
               1 + below(8));
        g_string_append_printf(what, " bytes put in at %zu;", at);
        break;
    case 1:
        g_byte_array_remove_range(bytes, at, MIN(1 + below(8),
                                                 section->end - at));
        g_string_append_printf(what, " bytes left out at %zu;", at);
        break;
    case 2:
        g_byte_array_remove_range(bytes, section->start,
                                  section->end - section->start);
        g_string_append_printf(what, " no %s;", section->name);
        break;
    default:
        /* a good one behind or before a damaged one */
        insert(bytes, rvic_chance(50) ? section->start : section->end,
               s->bytes->data + other->start, other->end - other->start);
        g_string_append_printf(what, " %s again at %s;", other->name,
                               section->name);
        break;
    }
}

static void damage(GByteArray *bytes, const Stream *s, const RVICCounts *c,
                   GString *what)
{
    bool cut = rvic_chance(20);
    unsigned times = cut ? below(3) : 1 + below(3);

    for (unsigned i = 0; i < times; i++) {
        if (rvic_chance(60)) {
            damage_field(bytes, s, c, what);
        } else {
            damage_bytes(bytes, rvic_chance(50) ? &s->rvic : &s->rvid, what);
        }
    }
    if (!cut || rvic_chance(20)) {
        if (rvic_chance(15)) {
            damage_order(bytes, s, what);
        }
    }
    if (cut) {
        size_t size = rvic_chance(50) ? below(bytes->len) :
                      anywhere_in(rvic_chance(50) ? &s->rvic : &s->rvid);

        g_byte_array_set_size(bytes, MIN(size, bytes->len));
        g_string_append_printf(what, " cut to %u bytes;", bytes->len);
    }
}

#define STREAMS 250

/*
 * Have a QEMU end while the next one starts: qtest_quit() looks only ten times
 * a second whether it has. Returns the one that ends, @last being over.
 */
static QTestState *quit_behind(QTestState *last, QTestState *qts)
{
    if (last) {
        qtest_quit(last);
    }
    if (qts) {
        qtest_qmp_assert_success(qts, "{ 'execute': 'quit' }");
    }
    return qts;
}

static void test_random(const void *opaque)
{
    const RVICCounts *c = opaque;
    QTestState *src = start(c, ""), *last = NULL;
    unsigned accepted = 0;
    Stream s;

    rvic_randomize(src, c);
    s = take_stream(src, c);

    for (unsigned i = 0; i < STREAMS; i++) {
        g_autoptr(GString) what = g_string_new(NULL);
        GByteArray *bytes = copy_stream(&s);
        QTestState *dst = start(c, "-incoming defer 2>/dev/null");
        bool taken;

        damage(bytes, &s, c, what);
        /* The last one, if QEMU dies of it; the seed makes it again */
        g_test_message("%u:%s", i, what->str);
        taken = load_bytes(dst, bytes);
        accepted += taken;
        use_and_reset(dst, c, taken);
        last = quit_behind(last, dst);
        g_byte_array_unref(bytes);
    }
    quit_behind(last, NULL);
    g_byte_array_unref(s.bytes);

    /* Both ways are taken: bits of bitmaps may have any value */
    g_test_message("%u of %u streams accepted", accepted, STREAMS);
    g_assert_cmpuint(accepted, >, 0);
    g_assert_cmpuint(accepted, <, STREAMS / 2);
}

/* ---- Single values, at their limits ------------------------------------ */

static const RVICCounts counts = { "default", NUM_TRUSTED, NUM_UNTRUSTED };

/* The first word without INTIDs */
#define END_WORD            (NUM_INTIDS / 32)

#define RVIC_DAMAGED        "arm-rvic: the saved state is damaged"
#define RVID_DAMAGED        "arm-rvid: the saved state is damaged"

typedef struct Value {
    const char *name;
    bool rvid;
    size_t at;
    unsigned size;
    uint32_t value;
    /* of the error, or NULL: it is accepted */
    const char *message;
    /* accepted without effect */
    bool ignored;
} Value;

#define RVIC(_name, _at, _size, _value, ...) \
    { .name = "rvic/" _name, .at = _at, .size = _size, .value = _value, \
      __VA_ARGS__ }
#define RVID(_name, _at, _size, _value, ...) \
    { .name = "rvid/" _name, .rvid = true, .at = _at, .size = _size, \
      .value = _value, __VA_ARGS__ }

static const Value values[] = {
    RVIC("cpus", 0, 4, RVIC_RANDOM_CPUS + 1,
         .message = "number of vCPUs (-smp) is 4 here, but 5 on the source"),
    RVIC("no-cpus", 0, 4, 0,
         .message = "number of vCPUs (-smp) is 4 here, but 0 on the source"),
    RVIC("trusted", 4, 4, UINT32_MAX,
         .message = "arm-rvic.num-trusted is 32 here, but 4294967295 on the"),
    RVIC("untrusted", 8, 4, 991,
         .message = "arm-rvic.num-untrusted is 992 here, but 991 on the"),
    RVIC("last-highest", INSTANCE(2) + LAST, 2, 2047),
    RVIC("last-too-high", INSTANCE(2) + LAST, 2, 2048,
         .message = RVIC_DAMAGED),
    RVIC("last-extreme", INSTANCE(3) + LAST, 2, 0xffff,
         .message = RVIC_DAMAGED),
    RVIC("enabled", INSTANCE(3) + ENABLED, 1, 0xff),
    RVIC("pending-highest", INSTANCE(0) + PENDING + 4 * (END_WORD - 1), 4,
         UINT32_MAX),
    RVIC("pending-too-high", INSTANCE(0) + PENDING + 4 * END_WORD, 4, 1,
         .message = RVIC_DAMAGED),
    RVIC("pending-extreme", INSTANCE(3) + PENDING + 4 * (WORDS - 1), 4,
         0x80000000, .message = RVIC_DAMAGED),
    RVIC("unmasked-highest", INSTANCE(0) + MASKED + 4 * (END_WORD - 1), 4, 0),
    RVIC("unmasked-too-high", INSTANCE(0) + MASKED + 4 * END_WORD, 4,
         UINT32_MAX - 1, .message = RVIC_DAMAGED),
    RVIC("unmasked-extreme", INSTANCE(3) + MASKED + 4 * (WORDS - 1), 4,
         INT32_MAX, .message = RVIC_DAMAGED),
    RVIC("lines", INSTANCE(0) + LEVEL, 4, UINT32_MAX),
    /* levels of untrusted INTIDs follow from the rVID's inputs */
    RVIC("levels", INSTANCE(1) + LEVEL + 4, 4, UINT32_MAX, .ignored = true),
    RVIC("no-levels", INSTANCE(1) + LEVEL + 4, 4, 0, .ignored = true),
    RVIC("levels-too-high", INSTANCE(1) + LEVEL + 4 * END_WORD, 4, UINT32_MAX,
         .ignored = true),
    RVID("wired", 0, 4, 255,
         .message = "arm-rvid.num-wired is 256 here, but 255 on the source"),
    RVID("inputs", 4, 4, 993,
         .message = "number of inputs of arm-rvid is 992 here, but 993 on"),
    RVID("unmapped", INPUT(0), 4, UNMAPPED),
    RVID("lowest", INPUT(LAST_INPUT), 4, ROUTE(0, FIRST_UNTRUSTED)),
    RVID("highest", INPUT(0), 4, ROUTE(RVIC_RANDOM_CPUS - 1, LAST_INTID)),
    RVID("trusted", INPUT(0), 4, ROUTE(0, FIRST_UNTRUSTED - 1),
         .message = RVID_DAMAGED),
    RVID("intid-too-high", INPUT(LAST_INPUT), 4, ROUTE(0, LAST_INTID + 1),
         .message = RVID_DAMAGED),
    RVID("intid-extreme", INPUT(1), 4, ROUTE(0, 0xffff),
         .message = RVID_DAMAGED),
    RVID("cpu-too-high", INPUT(1), 4, ROUTE(RVIC_RANDOM_CPUS, FIRST_UNTRUSTED),
         .message = RVID_DAMAGED),
    RVID("cpu-extreme", INPUT(LAST_INPUT), 4, ROUTE(0xffff, FIRST_UNTRUSTED),
         .message = RVID_DAMAGED),
    RVID("route-extreme", INPUT(1), 4, UNMAPPED - 1, .message = RVID_DAMAGED),
    RVID("level", INPUT_LEVEL(FIRST_MSI - 1), 1, 0x80),
    RVID("msi-level", INPUT_LEVEL(FIRST_MSI), 1, 1, .message = RVID_DAMAGED),
    RVID("last-msi-level", INPUT_LEVEL(LAST_INPUT), 1, 0xff,
         .message = RVID_DAMAGED),
};

/* What QEMU has to say while a machine loads @bytes and is used after that */
static char *load_and_use(const GByteArray *bytes, bool accepted,
                          const char *dump)
{
    g_autofree char *err = rvic_temp(".err");
    g_autofree char *args = g_strdup_printf("-incoming defer 2>%s", err);
    QTestState *qts = start(&counts, args);
    char *text;

    g_assert_cmpint(load_bytes(qts, bytes), ==, accepted);
    if (dump) {
        rvic_expect_dump(qts, dump);
    }
    use_and_reset(qts, &counts, accepted);
    qtest_quit(qts);
    g_assert_true(g_file_get_contents(err, &text, NULL, NULL));
    unlink(err);
    return text;
}

static void test_value(const void *opaque)
{
    const Value *v = opaque;
    QTestState *src = start(&counts, "");
    g_autofree char *dump = NULL;
    g_autofree char *text = NULL;
    Stream s;

    rvic_load(src);
    dump = rvic_dump(src);
    s = take_stream(src, &counts);

    stn_be_p(s.bytes->data + v->at + (v->rvid ? s.rvid : s.rvic).payload,
             v->size, v->value);
    text = load_and_use(s.bytes, !v->message, v->ignored ? dump : NULL);
    if (v->message) {
        g_assert_nonnull(strstr(text, v->message));
    } else {
        g_assert_cmpstr(text, ==, "");
    }
    g_byte_array_unref(s.bytes);
}

/* A stream that ends between any two fields, or in one */
static void test_cut(void)
{
    QTestState *src = start(&counts, "");
    Stream s;

    rvic_load(src);
    s = take_stream(src, &counts);

    const size_t sizes[] = {
        0, 4, 8, s.rvic.start, s.rvic.start + 5, s.rvic.start + 10,
        s.rvic.payload, s.rvic.payload + 3, s.rvic.payload + 4,
        s.rvic.payload + 11, s.rvic.payload + INSTANCE(0),
        s.rvic.payload + INSTANCE(1) + LAST,
        s.rvic.payload + INSTANCE(1) + LAST + 1,
        s.rvic.payload + INSTANCE(3) + ENABLED, s.rvic.footer,
        s.rvic.footer + 1, s.rvic.end, s.rvid.payload, s.rvid.payload + 7,
        s.rvid.payload + INPUT(0), s.rvid.payload + INPUT(1) + 2,
        s.rvid.payload + INPUT_LEVEL(LAST_INPUT), s.rvid.footer,
        s.rvid.end - 1, s.rvid.end,
    };

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        g_autoptr(GByteArray) bytes = copy_stream(&s);
        g_autofree char *text = NULL;

        g_assert_cmpuint(sizes[i], <, bytes->len);
        g_byte_array_set_size(bytes, sizes[i]);
        text = load_and_use(bytes, false, NULL);
        /* nothing made up of what is not there */
        g_assert_null(strstr(text, "on the source"));
        g_assert_null(strstr(text, "is damaged"));
    }
    g_byte_array_unref(s.bytes);
}

/*
 * After a load that failed half-way a guest may be told to go on, by loadvm
 * and cont. Here the whole state comes, then a second one without interrupts,
 * which is cut: nothing may be left of the first one that contradicts it.
 */
static void test_again_and_cut(void)
{
    QTestState *src = start(&counts, "");
    QTestState *dst = start(&counts, "-incoming defer 2>/dev/null");
    g_autoptr(GByteArray) bytes = NULL;
    uint8_t *second;
    Stream s;

    rvic_load(src);
    s = take_stream(src, &counts);

    bytes = copy_stream(&s);
    g_byte_array_set_size(bytes, s.rvic.end);
    g_byte_array_append(bytes, s.bytes->data + s.rvic.start,
                        s.rvic.footer - 1 - s.rvic.start);
    second = bytes->data + s.rvic.end + s.rvic.payload - s.rvic.start;
    memset(second + INSTANCE(1) + PENDING, 0, 4 * WORDS);
    memset(second + INSTANCE(1) + LEVEL, 0, 4 * WORDS);

    g_assert_false(load_bytes(dst, bytes));
    rvic_expect_idle(dst, 1);
    use_and_reset(dst, &counts, false);
    qtest_quit(dst);
    g_byte_array_unref(s.bytes);
}

/*
 * A refused state may hold INTIDs that do not exist, pending, unmasked and the
 * next ones to look at. If the guest goes on nevertheless, it gets none of
 * them.
 */
static void test_refused_intids(void)
{
    QTestState *src = start(&counts, "");
    QTestState *dst = start(&counts, "-incoming defer 2>/dev/null");
    uint8_t *instance;
    Stream s;

    s = take_stream(src, &counts);
    instance = s.bytes->data + s.rvic.payload + INSTANCE(0);
    memset(instance + PENDING + 4 * END_WORD, 0xff, 4 * (WORDS - END_WORD));
    memset(instance + MASKED + 4 * END_WORD, 0, 4 * (WORDS - END_WORD));
    stw_be_p(instance + LAST, NUM_INTIDS);

    g_assert_false(load_bytes(dst, s.bytes));
    rvic_enable(dst, 0);
    rvic_unmask(dst, 0, FIRST_UNTRUSTED);
    rvic_signal(dst, 0, FIRST_UNTRUSTED);
    rvic_expect_only(dst, 0, FIRST_UNTRUSTED);
    qtest_quit(dst);
    g_byte_array_unref(s.bytes);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        g_autofree char *path = g_strdup_printf("/rvic/stream/value/%s",
                                                values[i].name);

        qtest_add_data_func(path, &values[i], test_value);
    }
    qtest_add_func("/rvic/stream/cut", test_cut);
    qtest_add_func("/rvic/stream/again-and-cut", test_again_and_cut);
    qtest_add_func("/rvic/stream/refused-intids", test_refused_intids);
    rvic_add_counts("/rvic/stream/random", test_random);

    return g_test_run();
}
