/*
 * Arm rVID: inputs, levels and mappings, in plain C
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "rvic_core.h"

/*
 * A high input came to or went from @t: only the first and last one count.
 * Returns whether the level has changed, and what it is.
 */
static bool rvid_target_count(RVIDTarget *t, int delta, RVICLevel *level)
{
    bool high = t->high;

    t->high += delta;
    *level = (RVICLevel) { t->cpu, t->intid, t->high };
    return high != !!t->high;
}

static gpointer rvid_target_key(unsigned cpu, unsigned intid)
{
    return GUINT_TO_POINTER(cpu << 16 | intid);
}

const RVIDTarget *rvid_core_find_target(const RVIDCore *d, unsigned cpu,
                                        unsigned intid)
{
    return g_hash_table_lookup(d->targets, rvid_target_key(cpu, intid));
}

static void rvid_set_level(RVIDCore *d, bool changed, const RVICLevel *level)
{
    if (changed) {
        rvic_core_set_level(d->rvic, level->cpu, level->intid, level->level,
                            false);
    }
}

/* Both return whether a level has changed, which is still to be set */

static bool rvid_attach(RVIDCore *d, RVIDInput *in, unsigned cpu,
                        unsigned intid, RVICLevel *level)
{
    gpointer key = rvid_target_key(cpu, intid);
    RVIDTarget *t = g_hash_table_lookup(d->targets, key);

    if (!t) {
        t = g_new0(RVIDTarget, 1);
        t->cpu = cpu;
        t->intid = intid;
        g_hash_table_insert(d->targets, key, t);
    }

    in->route = cpu << 16 | intid;
    in->target = t;
    t->inputs++;
    return in->level && rvid_target_count(t, 1, level);
}

static bool rvid_detach(RVIDCore *d, RVIDInput *in, RVICLevel *level)
{
    RVIDTarget *t = in->target;
    bool changed;

    if (!t) {
        return false;
    }
    changed = in->level && rvid_target_count(t, -1, level);
    if (--t->inputs == 0) {
        g_hash_table_remove(d->targets, rvid_target_key(t->cpu, t->intid));
    }
    in->route = RVID_UNMAPPED;
    in->target = NULL;
    return changed;
}

static void rvid_unmap(RVIDCore *d, RVIDInput *in)
{
    RVICLevel level;

    rvid_set_level(d, rvid_detach(d, in, &level), &level);
}

bool rvid_core_set_line(RVIDCore *d, unsigned input, bool level)
{
    RVIDInput *in = &d->inputs[input];
    RVICLevel of_all;

    g_assert(input < d->num_wired);

    if (in->level == level) {
        return false;
    }
    in->level = level;
    if (in->target &&
        (rvid_target_count(in->target, level ? 1 : -1, &of_all) || level)) {
        /* an edge, so that a pulse counts even if the line falls before */
        rvic_core_set_level(d->rvic, of_all.cpu, of_all.intid, of_all.level,
                            level);
    }
    return true;
}

bool rvid_core_msi(RVIDCore *d, uint32_t input)
{
    const RVIDTarget *t;

    if (input < d->num_wired || input >= d->num_inputs) {
        return false;
    }
    t = d->inputs[input].target;
    if (t) {
        rvic_core_signal(d->rvic, t->cpu, t->intid);
    }
    return true;
}

/*
 * VERSION
 *   value: version of the ABI
 */
static uint64_t rvid_call_version(RVIDCore *d, const uint64_t *arg,
                                  uint64_t *value)
{
    *value = RVIC_VERSION_0_3;
    return RVIC_SUCCESS;
}

/*
 * MAP (input, MPIDR, INTID)
 *   From now on, the input drives the INTID, and no longer what it was mapped
 *   to before. The level moves along; pending and masked states do not.
 *   ERROR_PARAMETER, 0: the input does not exist
 *   ERROR_PARAMETER, 1: the MPIDR names no vCPU
 *   ERROR_PARAMETER, 2: the INTID is not untrusted
 */
static uint64_t rvid_call_map(RVIDCore *d, const uint64_t *arg,
                              uint64_t *value)
{
    uint64_t input = arg[0], intid = arg[2];
    RVICLevel from, to;
    bool fell, rose;
    int cpu = rvic_core_find_cpu(d->rvic, arg[1]);

    if (input >= d->num_inputs) {
        return RVIC_STATUS(RVIC_ERROR_PARAMETER, 0);
    }
    if (cpu < 0) {
        return RVIC_STATUS(RVIC_ERROR_PARAMETER, 1);
    }
    if (intid >= rvic_core_num_intids(d->rvic) ||
        rvic_core_is_trusted(d->rvic, intid)) {
        return RVIC_STATUS(RVIC_ERROR_PARAMETER, 2);
    }

    fell = rvid_detach(d, &d->inputs[input], &from);
    rose = rvid_attach(d, &d->inputs[input], cpu, intid, &to);
    if (fell && rose) {
        rvic_core_move_level(d->rvic, &from, &to);
    } else {
        rvid_set_level(d, fell, &from);
        rvid_set_level(d, rose, &to);
    }
    return RVIC_SUCCESS;
}

/*
 * UNMAP (input)
 *   The input drives nothing; unmapped already is fine.
 *   ERROR_PARAMETER, 0: the input does not exist
 */
static uint64_t rvid_call_unmap(RVIDCore *d, const uint64_t *arg,
                                uint64_t *value)
{
    uint64_t input = arg[0];

    if (input >= d->num_inputs) {
        return RVIC_STATUS(RVIC_ERROR_PARAMETER, 0);
    }
    rvid_unmap(d, &d->inputs[input]);
    return RVIC_SUCCESS;
}

static const struct {
    const char *name;
    unsigned num_args;
    uint64_t (*handler)(RVIDCore *d, const uint64_t *arg, uint64_t *value);
} rvid_calls[RVID_NUM_CALLS] = {
    [RVID_VERSION] = { "VERSION", 0, rvid_call_version },
    [RVID_MAP] = { "MAP", 3, rvid_call_map },
    [RVID_UNMAP] = { "UNMAP", 1, rvid_call_unmap },
};

const char *rvid_call_name(unsigned call)
{
    return call < RVID_NUM_CALLS ? rvid_calls[call].name : "reserved";
}

unsigned rvid_call_num_args(unsigned call)
{
    return call < RVID_NUM_CALLS ? rvid_calls[call].num_args : 0;
}

uint64_t rvid_core_call(RVIDCore *d, unsigned call, const uint64_t arg[3],
                        uint64_t *value)
{
    *value = 0;
    if (call >= RVID_NUM_CALLS) {
        return RVIC_NOT_SUPPORTED;
    }
    return rvid_calls[call].handler(d, arg, value);
}

void rvid_core_reset(RVIDCore *d)
{
    for (unsigned n = 0; n < d->num_inputs; n++) {
        rvid_unmap(d, &d->inputs[n]);
        d->inputs[n].level = false;
    }
}

static bool rvid_route_valid(const RVIDCore *d, uint32_t route)
{
    unsigned intid = route & 0xffff;

    return route >> 16 < d->rvic->num_cpus &&
           intid < rvic_core_num_intids(d->rvic) &&
           !rvic_core_is_trusted(d->rvic, intid);
}

bool rvid_core_post_load(RVIDCore *d)
{
    RVICLevel level;

    /* Targets of a state that was there before the load */
    g_hash_table_remove_all(d->targets);

    for (unsigned n = 0; n < d->num_inputs; n++) {
        d->inputs[n].target = NULL;
    }
    for (unsigned n = 0; n < d->num_inputs; n++) {
        RVIDInput *in = &d->inputs[n];

        if (in->level && n >= d->num_wired) {
            return false;
        }
        if (in->route == RVID_UNMAPPED) {
            continue;
        }
        if (!rvid_route_valid(d, in->route)) {
            return false;
        }
        rvid_set_level(d, rvid_attach(d, in, in->route >> 16,
                                      in->route & 0xffff, &level), &level);
    }
    return true;
}

void rvid_core_init(RVIDCore *d, RVICCore *rvic, unsigned num_wired)
{
    g_assert(num_wired <= rvic->num_untrusted);

    *d = (RVIDCore) {
        .rvic = rvic,
        .num_inputs = rvic->num_untrusted,
        .num_wired = num_wired,
        .inputs = g_new0(RVIDInput, rvic->num_untrusted),
        .targets = g_hash_table_new_full(NULL, NULL, NULL, g_free),
    };
    for (unsigned n = 0; n < d->num_inputs; n++) {
        d->inputs[n].route = RVID_UNMAPPED;
    }
}

void rvid_core_destroy(RVIDCore *d)
{
    g_hash_table_destroy(d->targets);
    g_free(d->inputs);
}
