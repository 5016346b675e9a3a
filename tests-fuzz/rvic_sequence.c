/*
 * Arm rVIC and rVID: sequences of steps as text
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "qemu/host-utils.h"
#include "rvic_sequence.h"

/* Names of the calls, by number */
static const char *const rvid_names[] = { "rVID.VERSION", "MAP", "UNMAP" };
static const char *const rvic_names[] = {
    "rVIC.VERSION", "INFO", "ENABLE", "DISABLE", "SET_MASKED", "CLEAR_MASKED",
    "IS_PENDING", "SIGNAL", "CLEAR_PENDING", "ACKNOWLEDGE", "RESAMPLE",
};

static const char *const corrupt_names[] = {
    [CORRUPT_LAST] = "last",
    [CORRUPT_PENDING] = "pending",
    [CORRUPT_UNMASKED] = "unmasked",
    [CORRUPT_ROUTE] = "route",
    [CORRUPT_HIGH] = "high",
};

static const struct {
    const char *name;
    bool has_cpu;
    unsigned num;               /* how many of RVICStep.x are used */
} kinds[] = {
    [STEP_CALL] = { "call", true, 4 },
    [STEP_LINE] = { "line", true, 2 },
    [STEP_INPUT] = { "input", false, 2 },
    [STEP_DOORBELL] = { "doorbell", false, 3 },
    [STEP_RESET] = { "reset" },
    [STEP_CPU_RESET] = { "cpu-reset", true },
    [STEP_MIGRATE] = { "migrate" },
    [STEP_SAVE] = { "save" },
    [STEP_LOAD] = { "load" },
    [STEP_CORRUPT] = { "corrupt", false, 3 },
};

uint64_t rvic_config_mpidr(const RVICConfig *c, unsigned cpu)
{
    if (c->mpidrs == RVIC_MPIDR_BOARD) {
        return cpu / 16 << 8 | cpu % 16;
    }
    return (uint64_t)(cpu / 60) << 32 | cpu / 12 % 5 << 16 |
           cpu / 3 % 4 << 8 | cpu % 3 * 100;
}

static bool counts_right(unsigned trusted, unsigned untrusted)
{
    return trusted % 32 == 0 && untrusted % 32 == 0 &&
           trusted >= 32 && untrusted >= 32 &&
           trusted <= 2048 && untrusted <= 2048 - trusted;
}

const char *rvic_config_check(const RVICConfig *c)
{
    if (c->cpus < 1 || c->cpus > 512) {
        return "1 to 512 vCPUs are possible";
    }
    if (!counts_right(c->trusted, c->untrusted)) {
        return "trusted and untrusted interrupts are multiples of 32, at "
               "least 32 each and at most 2048 together";
    }
    if (c->wired > c->untrusted) {
        return "there are as many inputs as untrusted interrupts, no more "
               "can be wired";
    }
    if (c->lines < 1 || c->lines > c->trusted - RVIC_FIRST_LINE) {
        return "only trusted interrupts from 16 on have lines";
    }
    return NULL;
}

const char *rvic_step_check(const RVICConfig *c, const RVICStep *s)
{
    if (s->cpu >= c->cpus) {
        return "there is no such vCPU";
    }
    switch (s->kind) {
    case STEP_LINE:
        return s->x[0] < RVIC_FIRST_LINE ||
               s->x[0] - RVIC_FIRST_LINE >= c->lines ? "there is no such line" :
               s->x[1] > 1 ? "a level is 0 or 1" : NULL;
    case STEP_INPUT:
        return s->x[0] >= c->wired ? "there is no such wired input" :
               s->x[1] > 1 ? "a level is 0 or 1" : NULL;
    case STEP_DOORBELL:
        return s->x[1] > 8 || !is_power_of_2(s->x[1]) ||
               s->x[0] > 0x1000 - s->x[1] ?
               "a write is of 1, 2, 4 or 8 bytes to a page of 4096" : NULL;
    case STEP_CORRUPT:
        return s->x[0] >= CORRUPT_NUM ? "there is no such state" : NULL;
    default:
        return NULL;
    }
}

static const char *function_name(uint64_t x0)
{
    uint64_t rvid = x0 - RVID_FN, rvic = x0 - RVIC_FN;

    return rvid < ARRAY_SIZE(rvid_names) ? rvid_names[rvid] :
           rvic < ARRAY_SIZE(rvic_names) ? rvic_names[rvic] : NULL;
}

void rvic_step_print(const RVICStep *s, GString *text)
{
    const char *name = s->kind == STEP_CALL ? function_name(s->x[0]) :
                       s->kind == STEP_CORRUPT ? corrupt_names[s->x[0]] : NULL;

    g_string_append(text, kinds[s->kind].name);
    if (kinds[s->kind].has_cpu) {
        g_string_append_printf(text, " %u", s->cpu);
    }
    for (unsigned i = 0; i < kinds[s->kind].num; i++) {
        if (i == 0 && name) {
            g_string_append_printf(text, " %s", name);
        } else if (s->x[i] < 10000) {
            g_string_append_printf(text, " %" PRIu64, s->x[i]);
        } else {
            g_string_append_printf(text, " 0x%" PRIx64, s->x[i]);
        }
    }
}

bool rvic_sequence_write(const char *file, const char *comment,
                         const RVICConfig *c, const GArray *steps)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) err = NULL;
    g_auto(GStrv) lines = g_strsplit(comment, "\n", 0);

    for (int i = 0; lines[i]; i++) {
        g_string_append_printf(text, "# %s\n", lines[i]);
    }
    g_string_append_printf(text, "config %u %u %u %u %u %u\n", c->cpus,
                           c->trusted, c->untrusted, c->wired, c->lines,
                           c->mpidrs);
    for (unsigned i = 0; i < steps->len; i++) {
        rvic_step_print(&g_array_index(steps, RVICStep, i), text);
        g_string_append_c(text, '\n');
    }
    if (!g_file_set_contents(file, text->str, text->len, &err)) {
        fprintf(stderr, "%s\n", err->message);
        return false;
    }
    return true;
}

/* A number, or its place in a list of names */
static bool parse_word(const char *word, const char *const *names,
                       unsigned num_names, uint64_t base, uint64_t *x)
{
    for (unsigned i = 0; i < num_names; i++) {
        if (!strcmp(word, names[i])) {
            *x = base + i;
            return true;
        }
    }
    return qemu_strtou64(word, NULL, 0, x) == 0;
}

/* The first word behind the vCPU may be a name */
static bool parse_first(RVICStepKind kind, const char *word, uint64_t *x)
{
    switch (kind) {
    case STEP_CALL:
        return parse_word(word, rvid_names, ARRAY_SIZE(rvid_names), RVID_FN,
                          x) ||
               parse_word(word, rvic_names, ARRAY_SIZE(rvic_names), RVIC_FN,
                          x);
    case STEP_CORRUPT:
        return parse_word(word, corrupt_names, CORRUPT_NUM, 0, x);
    default:
        return parse_word(word, NULL, 0, 0, x);
    }
}

static bool parse_step(char **words, RVICStep *s)
{
    unsigned num = g_strv_length(words), at = 1, kind = 0;
    uint64_t cpu = 0;

    while (kind < STEP_NUM_KINDS && strcmp(words[0], kinds[kind].name)) {
        kind++;
    }
    if (kind == STEP_NUM_KINDS ||
        num != 1 + kinds[kind].has_cpu + kinds[kind].num) {
        return false;
    }
    *s = (RVICStep) { .kind = kind };
    if (kinds[kind].has_cpu) {
        if (!parse_word(words[at++], NULL, 0, 0, &cpu) || cpu > UINT32_MAX) {
            return false;
        }
        s->cpu = cpu;
    }
    for (unsigned i = 0; i < kinds[kind].num; i++, at++) {
        if (!(i == 0 ? parse_first(kind, words[at], &s->x[i]) :
              parse_word(words[at], NULL, 0, 0, &s->x[i]))) {
            return false;
        }
    }
    return true;
}

static bool parse_config(char **words, RVICConfig *c)
{
    unsigned *const fields[] = { &c->cpus, &c->trusted, &c->untrusted,
                                 &c->wired, &c->lines, &c->mpidrs };

    if (strcmp(words[0], "config") ||
        g_strv_length(words) != 1 + ARRAY_SIZE(fields)) {
        return false;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(fields); i++) {
        if (qemu_strtoui(words[1 + i], NULL, 0, fields[i]) != 0) {
            return false;
        }
    }
    return c->mpidrs <= RVIC_MPIDR_SPREAD;
}

GArray *rvic_sequence_read(const char *file, RVICConfig *c)
{
    g_autoptr(GArray) steps = g_array_new(false, false, sizeof(RVICStep));
    g_autofree char *text = NULL;
    g_autoptr(GError) err = NULL;
    g_auto(GStrv) lines = NULL;
    bool has_config = false;

    if (!g_file_get_contents(file, &text, NULL, &err)) {
        fprintf(stderr, "%s\n", err->message);
        return NULL;
    }
    lines = g_strsplit(text, "\n", 0);
    for (int i = 0; lines[i]; i++) {
        const char *wrong = NULL;
        g_auto(GStrv) words = NULL;
        RVICStep step;

        if (lines[i][0] == '#' || lines[i][0] == '\0') {
            continue;
        }
        words = g_strsplit(lines[i], " ", 0);
        if (!has_config) {
            has_config = parse_config(words, c);
            wrong = has_config ? rvic_config_check(c) : "not a configuration";
        } else if (!parse_step(words, &step)) {
            wrong = "not a step";
        } else {
            wrong = rvic_step_check(c, &step);
            g_array_append_val(steps, step);
        }
        if (wrong) {
            fprintf(stderr, "%s:%d: %s: %s\n", file, i + 1, lines[i], wrong);
            return NULL;
        }
    }
    if (!has_config) {
        fprintf(stderr, "%s: there is no configuration\n", file);
        return NULL;
    }
    return g_steal_pointer(&steps);
}
