/*
 * Arm rVIC and rVID: random steps
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "rvic_sequence.h"

typedef enum Action {
    /* calls, numbered from the rVIC's third on */
    ENABLE,
    DISABLE,
    SET_MASKED,
    CLEAR_MASKED,
    IS_PENDING,
    SIGNAL,
    CLEAR_PENDING,
    ACKNOWLEDGE,
    RESAMPLE,
    MAP,
    UNMAP,
    ODD_CALL,
    LINE,
    INPUT,
    DOORBELL,
    NUM_ACTIONS
} Action;

#define FIRST_ACTION_FN (RVIC_FN + 2)

/*
 * The weights change from time to time: each mood leads to states that the
 * others soon destroy again.
 */
static const uint8_t moods[][NUM_ACTIONS] = {
    /* everything */
    {
        [ENABLE] = 5, [DISABLE] = 2, [SET_MASKED] = 6, [CLEAR_MASKED] = 14,
        [IS_PENDING] = 8, [SIGNAL] = 9, [CLEAR_PENDING] = 5,
        [ACKNOWLEDGE] = 14, [RESAMPLE] = 5, [MAP] = 8, [UNMAP] = 3,
        [ODD_CALL] = 2, [LINE] = 6, [INPUT] = 9, [DOORBELL] = 4,
    },
    /* more interrupts than are acknowledged */
    {
        [ENABLE] = 1, [CLEAR_MASKED] = 48, [SIGNAL] = 36, [ACKNOWLEDGE] = 12,
        [RESAMPLE] = 1, [LINE] = 1, [INPUT] = 1,
    },
    /* levels that come, go and move, while few INTIDs change otherwise */
    {
        [ENABLE] = 1, [CLEAR_MASKED] = 6, [IS_PENDING] = 10,
        [CLEAR_PENDING] = 10, [ACKNOWLEDGE] = 8, [MAP] = 25, [UNMAP] = 8,
        [INPUT] = 32,
    },
    /* one at a time, so that an output hangs on a single INTID */
    {
        [ENABLE] = 6, [DISABLE] = 6, [SET_MASKED] = 22, [CLEAR_MASKED] = 12,
        [IS_PENDING] = 5, [SIGNAL] = 8, [CLEAR_PENDING] = 12,
        [ACKNOWLEDGE] = 14, [RESAMPLE] = 4, [MAP] = 2, [UNMAP] = 2,
        [LINE] = 3, [INPUT] = 3, [DOORBELL] = 1,
    },
};

/* 0 to @n - 1 */
static unsigned below(RVICGenerator *g, unsigned n)
{
    return (uint64_t)g_rand_int(g->rand) * n >> 32;
}

static bool chance(RVICGenerator *g, unsigned percent)
{
    return below(g, 100) < percent;
}

static uint64_t random64(RVICGenerator *g)
{
    uint64_t high = g_rand_int(g->rand);

    return high << 32 | g_rand_int(g->rand);
}

/* One of @num hot ones */
static unsigned pick_hot(RVICGenerator *g, const unsigned *hot, unsigned num)
{
    return hot[g->focus ? 0 : below(g, num)];
}

static unsigned pick_cpu(RVICGenerator *g)
{
    return chance(g, 85) ? pick_hot(g, g->cpus, HOT_CPUS) :
           below(g, g->config.cpus);
}

/* Something that no number in use is, or only just: @limit numbers are used */
static uint64_t odd_number(RVICGenerator *g, unsigned limit, unsigned middle,
                           uint64_t good)
{
    const uint64_t values[] = {
        0, middle - 1, middle, limit - 1, limit, limit + 1, limit + 31, 2047,
        2048, 0xffff, 0x10000 + good, (1ULL << 32) + good,
        (1ULL << 63) + good, UINT32_MAX, UINT64_MAX, random64(g),
    };

    return values[below(g, ARRAY_SIZE(values))];
}

static uint64_t pick_mpidr(RVICGenerator *g)
{
    uint64_t good = rvic_config_mpidr(&g->config, pick_cpu(g));

    if (!chance(g, 3)) {
        return good;
    }
    switch (below(g, 5)) {
    case 0:
        /* what MPIDR_EL1 itself holds */
        return good | 1u << 31;
    case 1:
        return good ^ 1ULL << below(g, 64);
    case 2:
        return rvic_config_mpidr(&g->config, g->config.cpus);
    case 3:
        return UINT64_MAX;
    default:
        return random64(g);
    }
}

static uint64_t pick_intid(RVICGenerator *g, unsigned first_hot)
{
    unsigned total = g->config.trusted + g->config.untrusted;
    uint64_t hot = pick_hot(g, g->intids + first_hot, HOT_INTIDS - first_hot);

    if (chance(g, 93)) {
        return hot;
    }
    return chance(g, 50) ? below(g, total) :
           odd_number(g, total, g->config.trusted, hot);
}

static uint64_t pick_input(RVICGenerator *g)
{
    const RVICConfig *c = &g->config;
    uint64_t hot = pick_hot(g, g->inputs, HOT_INPUTS);

    if (chance(g, 92)) {
        return hot;
    }
    return chance(g, 50) ? below(g, c->untrusted) :
           odd_number(g, c->untrusted, c->wired, hot);
}

/* Mostly what a call does not have, and must not care about */
static void fill_arguments(RVICGenerator *g, RVICStep *s)
{
    if (chance(g, 10)) {
        for (int i = 1; i < 4; i++) {
            s->x[i] = chance(g, 50) ? random64(g) : pick_intid(g, 0);
        }
    }
}

/* VERSION, INFO, reserved function IDs, and some of nobody's */
static void odd_call(RVICGenerator *g, RVICStep *s)
{
    static const uint32_t functions[] = {
        RVID_FN, RVIC_FN, RVIC_FN + 1, RVIC_FN + 1, RVIC_FN + 1,
        RVID_FN + 3, RVID_FN + 4, RVID_FN + 9, RVID_FN + 0xff,
        RVIC_FN + 11, RVIC_FN + 12, RVIC_FN + 32, RVIC_FN + 0xff,
        RVID_FN - 1, RVIC_FN + 0x100, RVIC_FN & ~0x40000000, RVIC_FN & 0xffff,
        0x84000000, 0,
    };

    s->x[0] = functions[below(g, ARRAY_SIZE(functions))];
    if (chance(g, 20)) {
        s->x[0] = RVID_FN + below(g, 0x200);
    }
    if (s->x[0] == RVIC_FN + 1) {
        s->x[1] = chance(g, 70) ? below(g, 3) : odd_number(g, 2, 1, 1);
    }
}

static void generate_call(RVICGenerator *g, RVICStep *s, Action action)
{
    s->kind = STEP_CALL;
    s->cpu = pick_cpu(g);
    fill_arguments(g, s);

    switch (action) {
    case SET_MASKED:
    case CLEAR_MASKED:
    case IS_PENDING:
    case SIGNAL:
    case CLEAR_PENDING:
        s->x[0] = FIRST_ACTION_FN + action;
        s->x[1] = pick_mpidr(g);
        s->x[2] = pick_intid(g, 0);
        break;
    case RESAMPLE:
        s->x[0] = FIRST_ACTION_FN + action;
        s->x[1] = chance(g, 90) ? pick_hot(g, g->intids, HOT_TRUSTED) :
                  pick_intid(g, 0);
        break;
    case MAP:
        s->x[0] = RVID_FN + 1;
        s->x[1] = pick_input(g);
        s->x[2] = pick_mpidr(g);
        s->x[3] = pick_intid(g, HOT_TRUSTED);
        break;
    case UNMAP:
        s->x[0] = RVID_FN + 2;
        s->x[1] = pick_input(g);
        break;
    case ODD_CALL:
        odd_call(g, s);
        break;
    default:
        s->x[0] = FIRST_ACTION_FN + action;
        break;
    }
    if (chance(g, 2)) {
        /* the upper half of x0 is ignored */
        s->x[0] |= (uint64_t)g_rand_int(g->rand) << 32;
    }
}

static void generate_line(RVICGenerator *g, RVICStep *s)
{
    unsigned hot = pick_hot(g, g->intids, HOT_TRUSTED);

    s->kind = STEP_LINE;
    s->cpu = pick_cpu(g);
    s->x[0] = chance(g, 90) && hot >= RVIC_FIRST_LINE &&
              hot - RVIC_FIRST_LINE < g->config.lines ? hot :
              RVIC_FIRST_LINE + below(g, g->config.lines);
    s->x[1] = below(g, 2);
}

static void generate_doorbell(RVICGenerator *g, RVICStep *s)
{
    s->kind = STEP_DOORBELL;
    s->x[0] = 0;
    s->x[1] = 4;
    s->x[2] = pick_input(g);
    if (chance(g, 40)) {
        s->x[1] = 1 << below(g, 4);
        s->x[0] = chance(g, 60) ? 0 : chance(g, 50) ? below(g, 9) :
                  below(g, 0x1000 - 8 + 1);
    }
    /* so much of it as a write of this width has */
    s->x[2] &= UINT64_MAX >> (64 - 8 * s->x[1]);
}

static void generate_wired(RVICGenerator *g, RVICStep *s)
{
    unsigned hot = pick_hot(g, g->inputs, HOT_INPUTS);

    if (!g->config.wired) {
        generate_doorbell(g, s);
        return;
    }
    s->kind = STEP_INPUT;
    s->x[0] = chance(g, 90) && hot < g->config.wired ? hot :
              below(g, g->config.wired);
    s->x[1] = below(g, 2);
}

/* One interrupt comes as often as it is acknowledged: do others get a turn? */
static void generate_storm(RVICGenerator *g, RVICStep *s)
{
    static const Action turn[] = { CLEAR_MASKED, SIGNAL, ACKNOWLEDGE };
    unsigned n = g->storm_steps++;
    Action action = turn[n % ARRAY_SIZE(turn)];
    unsigned intid = g->storm_intid;

    if (n == 0) {
        action = ENABLE;
    } else if (n <= HOT_INTIDS) {
        /* the others: one in two is made deliverable */
        action = n % 2 ? SIGNAL : CLEAR_MASKED;
        intid = g->intids[(n - 1) | 1];
    }
    s->kind = STEP_CALL;
    s->cpu = g->cpus[0];
    s->x[0] = FIRST_ACTION_FN + action;
    s->x[1] = rvic_config_mpidr(&g->config, g->cpus[0]);
    s->x[2] = intid;
}

static uint64_t pick_limit(RVICGenerator *g)
{
    const RVICConfig *c = &g->config;
    const unsigned limits[] = { c->trusted, c->trusted + c->untrusted, 2048 };

    return limits[below(g, ARRAY_SIZE(limits))] - below(g, 2);
}

static void generate_corrupt(RVICGenerator *g, RVICStep *s)
{
    const RVICConfig *c = &g->config;
    uint64_t intid = chance(g, 50) ? pick_limit(g) : pick_intid(g, 0);

    s->x[0] = below(g, CORRUPT_NUM);
    s->x[1] = s->x[0] < CORRUPT_ROUTE ? pick_cpu(g) :
              chance(g, 50) ? pick_input(g) : c->wired - below(g, 2);
    s->x[2] = s->x[0] == CORRUPT_ROUTE ?
              below(g, c->cpus + 1) << 16 | (intid & 0xffff) : intid;
}

static void generate_rare(RVICGenerator *g, RVICStep *s)
{
    s->kind = STEP_RESET + below(g, STEP_NUM_KINDS - STEP_RESET);
    switch (s->kind) {
    case STEP_CPU_RESET:
        s->cpu = pick_cpu(g);
        break;
    case STEP_CORRUPT:
        generate_corrupt(g, s);
        break;
    }
}

void rvic_generate(RVICGenerator *g, RVICStep *s)
{
    unsigned at, action = 0;

    *s = (RVICStep) { };
    if (g->rare && below(g, g->rare) == 0) {
        generate_rare(g, s);
        return;
    }
    if (!g->mood_left) {
        g->mood = moods[below(g, ARRAY_SIZE(moods))];
        g->mood_left = 64 << below(g, 6);
        g->focus = chance(g, 25);
        g->storm = chance(g, 15);
        g->storm_intid = g->intids[below(g, HOT_INTIDS)];
        g->storm_steps = 0;
    }
    g->mood_left--;
    if (g->storm && !chance(g, 2)) {
        generate_storm(g, s);
        return;
    }

    /* all weights are 100 together */
    for (at = below(g, 100); at >= g->mood[action]; action++) {
        at -= g->mood[action];
    }
    switch (action) {
    case LINE:
        generate_line(g, s);
        break;
    case INPUT:
        generate_wired(g, s);
        break;
    case DOORBELL:
        generate_doorbell(g, s);
        break;
    default:
        generate_call(g, s, action);
        break;
    }
}

/* Half of them are at an edge of their range, or next to the one before */
static void choose_hot(RVICGenerator *g, unsigned *hot, unsigned num,
                       unsigned first, unsigned count)
{
    for (unsigned i = 0; i < num; i++) {
        hot[i] = first + below(g, count);
        switch (below(g, 6)) {
        case 0:
            hot[i] = first;
            break;
        case 1:
            hot[i] = first + count - 1;
            break;
        case 2:
            hot[i] = i ? MIN(hot[i - 1] + 1, first + count - 1) : first;
            break;
        }
    }
}

void rvic_generator_init(RVICGenerator *g, const RVICConfig *c, uint32_t seed,
                         unsigned rare)
{
    *g = (RVICGenerator) {
        .config = *c,
        .rand = g_rand_new_with_seed(seed),
        .rare = rare,
    };
    choose_hot(g, g->cpus, HOT_CPUS, 0, c->cpus);
    choose_hot(g, g->intids, HOT_TRUSTED, 0, c->trusted);
    choose_hot(g, g->intids, HOT_TRUSTED - 1, RVIC_FIRST_LINE, c->lines);
    choose_hot(g, g->intids + HOT_TRUSTED, HOT_INTIDS - HOT_TRUSTED,
               c->trusted, c->untrusted);
    choose_hot(g, g->inputs, HOT_INPUTS, 0, c->untrusted);
    if (c->wired) {
        choose_hot(g, g->inputs, HOT_INPUTS / 2, 0, c->wired);
    }
}

void rvic_generator_destroy(RVICGenerator *g)
{
    g_rand_free(g->rand);
}

GArray *rvic_generate_sequence(const RVICConfig *c, uint32_t seed,
                               unsigned rare, unsigned num)
{
    GArray *steps = g_array_sized_new(false, false, sizeof(RVICStep), num);
    RVICGenerator g;

    rvic_generator_init(&g, c, seed, rare);
    for (unsigned n = 0; n < num; n++) {
        RVICStep step;

        rvic_generate(&g, &step);
        g_array_append_val(steps, step);
    }
    rvic_generator_destroy(&g);
    return steps;
}
