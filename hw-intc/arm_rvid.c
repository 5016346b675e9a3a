/*
 * Arm rVID: the device model
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/log.h"
#include "qemu/main-loop.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "hw/intc/intc.h"
#include "hw/pci/msi.h"
#include "hw/qdev-properties.h"
#include "migration/vmstate.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "arm_rvic.h"
#include "rvic_compat.h"
#include "rvic_internal.h"
#include "trace.h"

static void arm_rvid_set_line(void *opaque, int n, int level)
{
    ARMRVIDState *s = opaque;

    g_assert(bql_locked());

    if (rvid_core_set_line(&s->core, n, level)) {
        trace_rvid_set_line(n, level);
        s->signalled[n] += !!level;
    }
}

static uint64_t arm_rvid_doorbell_read(void *opaque, hwaddr addr,
                                       unsigned size)
{
    return 0;
}

static void arm_rvid_doorbell_write(void *opaque, hwaddr addr, uint64_t data,
                                    unsigned size)
{
    ARMRVIDState *s = opaque;

    trace_rvid_doorbell(addr, data, size);
    if (addr == 0 && size == 4 && rvid_core_msi(&s->core, data)) {
        s->signalled[data]++;
    } else {
        qemu_log_mask(LOG_GUEST_ERROR, "rVID: MSI doorbell: ignored %u-byte "
                      "write of 0x%" PRIx64 " to offset 0x%" HWADDR_PRIx "\n",
                      size, data, addr);
    }
}

/* Every access comes through as it was made, so that odd ones can be logged */
static const MemoryRegionOps arm_rvid_doorbell_ops = {
    .read = arm_rvid_doorbell_read,
    .write = arm_rvid_doorbell_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};

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
        VMSTATE_RVIC_COUNT(num_wired, ARMRVIDState, "arm-rvid.num-wired"),
        VMSTATE_RVIC_COUNT(core.num_inputs, ARMRVIDState,
                           "number of inputs of arm-rvid"),
        VMSTATE_STRUCT_VARRAY_POINTER_UINT32(core.inputs, ARMRVIDState,
                                             core.num_inputs,
                                             vmstate_rvid_input, RVIDInput),
        VMSTATE_END_OF_LIST()
    }
};

static bool arm_rvid_get_statistics(InterruptStatsProvider *obj,
                                    uint64_t **irq_counts,
                                    unsigned int *nb_irqs)
{
    ARMRVIDState *s = ARM_RVID(obj);

    *irq_counts = s->signalled;
    *nb_irqs = s->core.num_inputs;
    return true;
}

static bool is_wired(const ARMRVIDState *s, unsigned input)
{
    return input < s->num_wired;
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

    return in->target || in->level || s->signalled[input];
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
                               s->signalled[n]);
        if (in->target) {
            unsigned cpu = in->target->cpu, intid = in->target->intid;

            g_string_append_printf(buf, " -> CPU %u INTID %u", cpu, intid);
            arm_rvic_print_state(d->rvic, cpu, intid, buf);
        } else {
            g_string_append(buf, ", unmapped");
        }
        g_string_append_c(buf, '\n');
    }
}

static void arm_rvid_get_num_inputs(Object *obj, Visitor *v, const char *name,
                                    void *opaque, Error **errp)
{
    visit_type_uint32(v, name, &ARM_RVID(obj)->core.num_inputs, errp);
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
        qdict_put_int(dict, "signalled", s->signalled[n]);
        if (in->target) {
            qdict_put_int(dict, "cpu", in->target->cpu);
            qdict_put_int(dict, "intid", in->target->intid);
        }
        qlist_append(list, dict);
    }
    visit_type_any(v, name, &value, errp);
}

static void arm_rvid_realize(DeviceState *dev, Error **errp)
{
    ARMRVIDState *s = ARM_RVID(dev);

    /* The board's wiring */
    g_assert(s->rvic && DEVICE(s->rvic)->realized && !s->rvic->rvid);
    g_assert(s->num_wired >= 1);

    if (s->num_wired > s->rvic->num_untrusted) {
        error_setg(errp, "arm-rvic.num-untrusted=%u: has to be at least %u, "
                   "the number of wired inputs",
                   s->rvic->num_untrusted, s->num_wired);
        return;
    }

    rvid_core_init(&s->core, &s->rvic->core, s->num_wired);
    s->rvic->rvid = s;
    s->signalled = g_new0(uint64_t, s->core.num_inputs);

    qdev_init_gpio_in(dev, arm_rvid_set_line, s->num_wired);
    memory_region_init_io(&s->doorbell, OBJECT(s), &arm_rvid_doorbell_ops, s,
                          "arm-rvid-doorbell", ARM_RVID_DOORBELL_SIZE);
    sysbus_init_mmio(SYS_BUS_DEVICE(dev), &s->doorbell);

    msi_nonbroken = true;
}

static const Property arm_rvid_properties[] = {
    DEFINE_PROP_LINK("rvic", ARMRVIDState, rvic, TYPE_ARM_RVIC,
                     ARMRVICState *),
    DEFINE_PROP_UINT32("num-wired", ARMRVIDState, num_wired, 256),
};

static void arm_rvid_class_init(ObjectClass *klass, RVICClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);
    InterruptStatsProviderClass *ic = INTERRUPT_STATS_PROVIDER_CLASS(klass);

    dc->desc = "Arm reduced virtual interrupt distributor (rVID)";
    dc->realize = arm_rvid_realize;
    dc->vmsd = &vmstate_arm_rvid;
    /* the inputs have to be wired by the board */
    dc->user_creatable = false;
    device_class_set_props(dc, arm_rvid_properties);
    object_class_property_add(klass, "num-inputs", "uint32",
                              arm_rvid_get_num_inputs, NULL, NULL, NULL);
    object_class_property_add(klass, "inputs", "list", arm_rvid_get_inputs,
                              NULL, NULL, NULL);
    rc->phases.hold = arm_rvid_reset_hold;
    ic->get_statistics = arm_rvid_get_statistics;
    ic->print_info = arm_rvid_print_info;
}

static const TypeInfo arm_rvid_types[] = {
    {
        .name = TYPE_ARM_RVID,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(ARMRVIDState),
        .class_init = arm_rvid_class_init,
        .interfaces = (InterfaceInfo[]) {
            { TYPE_INTERRUPT_STATS_PROVIDER },
            { },
        },
    },
};

DEFINE_TYPES(arm_rvid_types)
