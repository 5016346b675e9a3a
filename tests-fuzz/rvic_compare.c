/*
 * Arm rVIC and rVID: an implementation and the model, side by side
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "rvic_compare.h"

static void compare_irqs(RVICCompare *c)
{
    const bool *irqs = c->impl->irqs(c->opaque, c->wrong);

    if (!irqs || !memcmp(irqs, c->model->irq, c->config.cpus)) {
        return;
    }
    for (unsigned cpu = 0; cpu < c->config.cpus; cpu++) {
        if (irqs[cpu] != c->model->irq[cpu]) {
            g_string_append_printf(c->wrong, "vCPU %u: IRQ is %s, not %s\n",
                                   cpu, irqs[cpu] ? "high" : "low",
                                   c->model->irq[cpu] ? "high" : "low");
        }
    }
}

/* The instance of @cpu is about to return @picked: who is passed over? */
static void count_passed(RVICCompare *c, unsigned cpu, uint64_t picked)
{
    const RVICModelInstance *inst = &c->model->instance[cpu];
    unsigned num = c->model->num_intids;
    uint16_t *passed = c->passed[cpu];
    uint16_t most = 0;

    if (picked >= num) {
        return;
    }
    passed[picked] = 0;
    for (unsigned intid = 0; intid < num; intid++) {
        bool waits = (inst->pending[intid] | inst->level[intid]) &
                     ~inst->masked[intid];

        passed[intid] = waits ? passed[intid] + 1 : 0;
        most = MAX(most, passed[intid]);
    }
    passed[picked] = 0;
    if (most > num) {
        g_string_append_printf(c->wrong, "vCPU %u: an INTID was passed over "
                               "%u times\n", cpu, most);
    }
}

static void forget_passed(RVICCompare *c)
{
    memset(c->passed, 0, c->config.cpus * sizeof(c->passed[0]));
}

static void call(RVICCompare *c, const RVICStep *s)
{
    uint64_t got[4] = { s->x[0], s->x[1], s->x[2], s->x[3] };
    uint64_t expected[4] = { s->x[0], s->x[1], s->x[2], s->x[3] };
    uint64_t pick = RVIC_MODEL_ANY;
    bool known = c->impl->call(c->opaque, s->cpu, got);

    if ((uint32_t)s->x[0] == RVIC_FN_ACKNOWLEDGE && got[0] == 0) {
        pick = got[1];
        count_passed(c, s->cpu, pick);
    }
    if (rvic_model_call(c->model, s->cpu, expected, pick) != known) {
        g_string_append_printf(c->wrong, "call is %s\n", known ?
                               "nobody's and taken" : "not taken");
    }
    for (int i = 0; i < 4; i++) {
        if (got[i] != expected[i]) {
            g_string_append_printf(c->wrong, "x%d is 0x%" PRIx64 ", not 0x%"
                                   PRIx64 "\n", i, got[i], expected[i]);
        }
    }
}

/* The models' instances that are in use are their last part */
static void copy_model(RVICModel *to, const RVICModel *from)
{
    memcpy(to, from, offsetof(RVICModel, instance[from->num_cpus]));
}

/* Whether a guest can reach such a state ("Migration") */
static bool may_load(const RVICConfig *c, RVICCorrupt what, uint64_t index,
                     uint64_t value)
{
    unsigned total = c->trusted + c->untrusted;

    switch (what) {
    case CORRUPT_LAST:
        /* one that does not exist is where the search begins at reset */
        return value < RVIC_MODEL_INTIDS;
    case CORRUPT_PENDING:
    case CORRUPT_UNMASKED:
        return value < total;
    case CORRUPT_ROUTE:
        return value == UINT32_MAX ||
               (value >> 16 < c->cpus && (value & 0xffff) >= c->trusted &&
                (value & 0xffff) < total);
    case CORRUPT_HIGH:
        return index < c->wired;
    default:
        g_assert_not_reached();
    }
}

/* Only what fits into the fields of the stream */
static void corrupt(RVICCompare *c, const RVICStep *s)
{
    RVICCorrupt what = s->x[0];
    bool input = what == CORRUPT_ROUTE || what == CORRUPT_HIGH;
    uint64_t index = s->x[1] % (input ? c->config.untrusted : c->config.cpus);
    uint64_t value = what == CORRUPT_ROUTE ? (uint32_t)s->x[2] :
                     what == CORRUPT_LAST ? (uint16_t)s->x[2] :
                     s->x[2] % RVIC_MODEL_INTIDS;
    bool loads = c->impl->corrupt(c->opaque, what, index, value);

    if (loads != may_load(&c->config, what, index, value)) {
        g_string_append_printf(c->wrong, "a state that %s is %s\n",
                               loads ? "cannot be" : "can be",
                               loads ? "loaded" : "refused");
    }
}

bool rvic_compare_check(RVICCompare *c)
{
    c->impl->check(c->opaque, c->model, c->wrong);
    return !c->wrong->len;
}

bool rvic_compare_step(RVICCompare *c, const RVICStep *s)
{
    const RVICImplementation *impl = c->impl;
    bool whole = true;

    switch (s->kind) {
    case STEP_CALL:
        call(c, s);
        whole = false;
        break;
    case STEP_LINE:
        impl->line(c->opaque, s->cpu, s->x[0], s->x[1]);
        rvic_model_set_line(c->model, s->cpu, s->x[0], s->x[1]);
        whole = false;
        break;
    case STEP_INPUT:
        impl->input(c->opaque, s->x[0], s->x[1]);
        rvic_model_set_input(c->model, s->x[0], s->x[1]);
        whole = false;
        break;
    case STEP_DOORBELL:
        impl->doorbell(c->opaque, s->x[0], s->x[1], s->x[2]);
        rvic_model_doorbell(c->model, s->x[0], s->x[1], s->x[2]);
        whole = false;
        break;
    case STEP_RESET:
        impl->reset(c->opaque);
        rvic_model_reset(c->model);
        forget_passed(c);
        break;
    case STEP_CPU_RESET:
        if (impl->cpu_reset) {
            impl->cpu_reset(c->opaque, s->cpu);
        }
        break;
    case STEP_MIGRATE:
        if (impl->migrate) {
            impl->migrate(c->opaque);
        }
        break;
    case STEP_SAVE:
        if (impl->save) {
            impl->save(c->opaque);
            copy_model(c->saved, c->model);
            c->has_saved = true;
        }
        break;
    case STEP_LOAD:
        if (c->has_saved) {
            impl->load(c->opaque);
            copy_model(c->model, c->saved);
            forget_passed(c);
        }
        break;
    case STEP_CORRUPT:
        if (impl->corrupt) {
            corrupt(c, s);
        }
        break;
    default:
        g_assert_not_reached();
    }
    compare_irqs(c);
    if (whole && !c->wrong->len) {
        rvic_compare_check(c);
    }
    return !c->wrong->len;
}

void rvic_compare_reset(RVICCompare *c)
{
    c->impl->reset(c->opaque);
    rvic_model_reset(c->model);
    forget_passed(c);
    c->has_saved = false;
    g_string_truncate(c->wrong, 0);
}

void rvic_compare_init(RVICCompare *c, const RVICConfig *config,
                       const RVICImplementation *impl, void *opaque)
{
    *c = (RVICCompare) {
        .config = *config,
        .impl = impl,
        .opaque = opaque,
        .model = g_new0(RVICModel, 1),
        .saved = g_new0(RVICModel, 1),
        .passed = g_malloc0(config->cpus * sizeof(c->passed[0])),
        .wrong = g_string_new(NULL),
    };
    c->model->num_cpus = config->cpus;
    c->model->num_trusted = config->trusted;
    c->model->num_untrusted = config->untrusted;
    c->model->num_wired = config->wired;
    for (unsigned cpu = 0; cpu < config->cpus; cpu++) {
        c->model->mpidr[cpu] = rvic_config_mpidr(config, cpu);
    }
    rvic_model_reset(c->model);
}

void rvic_compare_destroy(RVICCompare *c)
{
    g_free(c->model);
    g_free(c->saved);
    g_free(c->passed);
    g_string_free(c->wrong, true);
}
