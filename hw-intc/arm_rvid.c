/*
 * Arm rVID: the device model
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qapi/visitor.h"
#include "hw/intc/intc.h"
#include "migration/vmstate.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "arm_rvic.h"
#include "rvic_compat.h"
#include "rvic_internal.h"
#include "trace.h"

static bool arm_rvid_set_line(ARMRVIDCommon *common, unsigned input,
                              bool level)
{
    return rvid_core_set_line(&ARM_RVID(common)->core, input, level);
}

static bool arm_rvid_msi(ARMRVIDCommon *common, uint64_t input)
{
    return rvid_core_msi(&ARM_RVID(common)->core, input);
}

/* Some devices do not lower their lines at reset: no level survives it */
static void arm_rvid_reset_hold(Object *obj, ResetType type)
{
    ARMRVIDState *s = ARM_RVID(obj);

    trace_rvid_reset();
    rvid_core_reset(&s->core);
}

/* If the load fails half-way, nothing derived of the former state is left */
static int arm_rvid_pre_load(void *opaque)
{
    ARMRVIDState *s = opaque;

    rvid_core_reset(&s->core);
    return 0;
}

static int arm_rvid_post_load(void *opaque, int version_id)
{
    ARMRVIDState *s = opaque;

    if (!rvid_core_post_load(&s->core)) {
        error_report("arm-rvid: the saved state is damaged: "
                     "no guest can have brought it about");
        return -EINVAL;
    }
    return 0;
}

static const VMStateDescription vmstate_rvid_input = {
    .name = "arm-rvid/input",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(route, RVIDInput),
        VMSTATE_BOOL(level, RVIDInput),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_arm_rvid = {
    .name = TYPE_ARM_RVID,
    .version_id = 1,
    .minimum_version_id = 1,
    /* right behind the rVIC, before a device moves a line while it loads */
    .priority = MIG_PRI_GICV3_ITS,
    .pre_load = arm_rvid_pre_load,
    .post_load = arm_rvid_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_RVIC_COUNT("num_wired", common.num_wired, ARMRVIDState,
                           "arm-rvid.num-wired"),
        VMSTATE_RVIC_COUNT("core.num_inputs", core.num_inputs, ARMRVIDState,
                           "number of inputs of arm-rvid"),
        VMSTATE_STRUCT_VARRAY_POINTER_UINT32(core.inputs, ARMRVIDState,
                                             core.num_inputs,
                                             vmstate_rvid_input, RVIDInput),
        VMSTATE_END_OF_LIST()
    }
};

static bool is_wired(const ARMRVIDState *s, unsigned input)
{
    return input < s->common.num_wired;
}

void arm_rvid_print_inputs(const ARMRVIDState *s, unsigned cpu, unsigned intid,
                           GString *buf)
{
    const RVIDTarget *target = rvid_core_find_target(&s->core, cpu, intid);
    const char *comma = "";

    if (!target) {
        g_string_append(buf, "no input");
        return;
    }
    for (unsigned n = 0; n < s->core.num_inputs; n++) {
        if (s->core.inputs[n].target == target) {
            g_string_append_printf(buf, "%s%s %u", comma,
                                   is_wired(s, n) ? "input" : "MSI", n);
            comma = ", ";
        }
    }
}

/* Inputs that nobody maps or signals are nothing to look at */
static bool is_used(const ARMRVIDState *s, unsigned input)
{
    const RVIDInput *in = &s->core.inputs[input];

    return in->target || in->level || s->common.signalled[input];
}

static void arm_rvid_print_info(InterruptStatsProvider *obj, GString *buf)
{
    ARMRVIDState *s = ARM_RVID(obj);
    const RVIDCore *d = &s->core;

    g_string_append_printf(buf, "rVID: inputs 0-%u wired, %u MSIs\n",
                           d->num_wired - 1, d->num_inputs - d->num_wired);
    for (unsigned n = 0; n < d->num_inputs; n++) {
        const RVIDInput *in = &d->inputs[n];

        if (!is_used(s, n)) {
            continue;
        }
        g_string_append_printf(buf, "  input %4u %s, signalled %" PRIu64, n,
                               !is_wired(s, n) ? "MSI" :
                               in->level ? "wired high" : "wired low",
                               s->common.signalled[n]);
        if (in->target) {
            unsigned cpu = in->target->cpu, intid = in->target->intid;
            RVICInstance inst;

            rvic_core_copy(d->rvic, cpu, &inst);
            g_string_append_printf(buf, " -> CPU %u INTID %u", cpu, intid);
            arm_rvic_print_state(d->rvic, &inst, intid, buf);
        } else {
            g_string_append(buf, ", unmapped");
        }
        g_string_append_c(buf, '\n');
    }
}

static void arm_rvid_get_inputs(Object *obj, Visitor *v, const char *name,
                                void *opaque, Error **errp)
{
    ARMRVIDState *s = ARM_RVID(obj);
    g_autoptr(QList) list = qlist_new();
    QObject *value = QOBJECT(list);

    for (unsigned n = 0; n < s->core.num_inputs; n++) {
        const RVIDInput *in = &s->core.inputs[n];
        QDict *dict;

        if (!is_used(s, n)) {
            continue;
        }
        dict = qdict_new();
        qdict_put_int(dict, "input", n);
        qdict_put_bool(dict, "wired", is_wired(s, n));
        qdict_put_bool(dict, "high", in->level);
        qdict_put_int(dict, "signalled", s->common.signalled[n]);
        if (in->target) {
            qdict_put_int(dict, "cpu", in->target->cpu);
            qdict_put_int(dict, "intid", in->target->intid);
        }
        if (s->common.requesters[n]) {
            qdict_put_int(dict, "requester", s->common.requesters[n]);
        }
        qlist_append(list, dict);
    }
    visit_type_any(v, name, &value, errp);
}

static void arm_rvid_setup(ARMRVIDCommon *common)
{
    ARMRVIDState *s = ARM_RVID(common);
    ARMRVICState *rvic = ARM_RVIC(common->rvic);

    /* The board's wiring */
    g_assert(!rvic->rvid);

    rvid_core_init(&s->core, &rvic->core, common->num_wired);
    rvic->rvid = s;
}

static void arm_rvid_class_init(ObjectClass *klass, RVICClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);
    InterruptStatsProviderClass *ic = INTERRUPT_STATS_PROVIDER_CLASS(klass);
    ARMRVIDCommonClass *cc = ARM_RVID_COMMON_CLASS(klass);

    dc->desc = "Arm reduced virtual interrupt distributor (rVID)";
    dc->vmsd = &vmstate_arm_rvid;
    object_class_property_add(klass, "inputs", "list", arm_rvid_get_inputs,
                              NULL, NULL, NULL);
    cc->setup = arm_rvid_setup;
    cc->set_line = arm_rvid_set_line;
    cc->msi = arm_rvid_msi;
    rc->phases.hold = arm_rvid_reset_hold;
    ic->print_info = arm_rvid_print_info;
}

static const TypeInfo arm_rvid_types[] = {
    {
        .name = TYPE_ARM_RVID,
        .parent = TYPE_ARM_RVID_COMMON,
        .instance_size = sizeof(ARMRVIDState),
        .class_init = arm_rvid_class_init,
    },
};

DEFINE_TYPES(arm_rvid_types)
