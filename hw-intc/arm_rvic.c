/*
 * Arm rVIC: the device model
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "hw/intc/intc.h"
#include "hw/irq.h"
#include "migration/qemu-file-types.h"
#include "migration/vmstate.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "system/hw_accel.h"
#include "system/kvm.h"
#include "target/arm/cpu.h"
#include "target/arm/multiprocessing.h"
#include "rvic/target-arm-kvm/kvm_rvic.h"
#include "arm_rvic.h"
#include "arm_rvic_hypercall.h"
#include "rvic_compat.h"
#include "rvic_internal.h"
#include "trace.h"

/* A vCPU that makes a call does not have the BQL, which its line needs */
static void arm_rvic_output(void *opaque, unsigned cpu)
{
    ARMRVICState *s = opaque;
    bool level;

    BQL_LOCK_GUARD();
    if (rvic_core_take_output(&s->core, cpu, &level)) {
        trace_rvic_output(cpu, level);
        qemu_set_irq(s->irq[cpu], level);
    }
    rvic_core_output_driven(&s->core, cpu);
}

void arm_rvic_cpu_reset(ARMCPU *cpu)
{
    const ARMRVICCPU *rvic_cpu = cpu->env.rvic;

    if (rvic_cpu) {
        rvic_core_drive_output(&rvic_cpu->rvic->core, rvic_cpu->index);
    }
}

static void arm_rvic_set_line(void *opaque, int n, int level)
{
    ARMRVICState *s = opaque;
    unsigned cpu = n / ARM_RVIC_NUM_LINES;
    unsigned intid = ARM_RVIC_FIRST_LINE + n % ARM_RVIC_NUM_LINES;

    g_assert(bql_locked());

    if (rvic_core_set_line(&s->core, cpu, intid, level)) {
        trace_rvic_set_line(cpu, intid, level);
    }
}

/* The levels of the lines come from elsewhere than from KVM */
static void arm_rvic_tell_kvm(ARMRVICState *s)
{
    if (!kvm_enabled()) {
        return;
    }
    for (unsigned i = 0; i < s->core.num_cpus; i++) {
        kvm_arm_rvic_set_lines(ARM_CPU(qemu_get_cpu(i)),
                               s->core.instances[i].level[0]);
    }
}

/* Some devices do not lower their lines at reset: no level survives it */
static void arm_rvic_reset_hold(Object *obj, ResetType type)
{
    ARMRVICState *s = ARM_RVIC(obj);

    trace_rvic_reset();
    rvic_core_reset(&s->core);
    arm_rvic_tell_kvm(s);
}

static int get_count(QEMUFile *f, void *pv, size_t size,
                     const VMStateField *field)
{
    const uint32_t *here = pv;
    uint32_t there = qemu_get_be32(f);

    if (there == *here) {
        return 0;
    }
    /* Of a stream that ends here, QEMU itself says so */
    if (!qemu_file_get_error(f)) {
        error_report("%s is %u here, but %u on the source: "
                     "start both with the same", field->err_hint, *here, there);
    }
    return -EINVAL;
}

static int put_count(QEMUFile *f, void *pv, size_t size,
                     const VMStateField *field, JSONWriter *vmdesc)
{
    const uint32_t *here = pv;

    qemu_put_be32(f, *here);
    return 0;
}

const VMStateInfo vmstate_info_rvic_count = {
    .name = "rvic count",
    .get = get_count,
    .put = put_count,
};

/* If the load fails half-way, nothing derived of the former state is left */
static int arm_rvic_pre_load(void *opaque)
{
    ARMRVICState *s = opaque;

    rvic_core_reset(&s->core);
    return 0;
}

static int arm_rvic_post_load(void *opaque, int version_id)
{
    ARMRVICState *s = opaque;

    if (!rvic_core_post_load(&s->core)) {
        error_report("arm-rvic: the saved state is damaged: "
                     "no guest can have brought it about");
        return -EINVAL;
    }
    arm_rvic_tell_kvm(s);
    return 0;
}

static const VMStateDescription vmstate_rvic_instance = {
    .name = "arm-rvic/instance",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32_ARRAY(pending, RVICInstance, RVIC_WORDS),
        VMSTATE_UINT32_ARRAY(masked, RVICInstance, RVIC_WORDS),
        VMSTATE_UINT32_ARRAY(level, RVICInstance, RVIC_WORDS),
        VMSTATE_UINT16(last, RVICInstance),
        VMSTATE_BOOL(enabled, RVICInstance),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_arm_rvic = {
    .name = TYPE_ARM_RVIC,
    .version_id = 1,
    .minimum_version_id = 1,
    /* before the rVID, which adds its levels to the loaded instances */
    .priority = MIG_PRI_GICV3,
    .pre_load = arm_rvic_pre_load,
    .post_load = arm_rvic_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_RVIC_COUNT("num_cpu", common.num_cpu, ARMRVICState,
                           "number of vCPUs (-smp)"),
        VMSTATE_RVIC_COUNT("num_trusted", common.num_trusted, ARMRVICState,
                           "arm-rvic.num-trusted"),
        VMSTATE_RVIC_COUNT("num_untrusted", common.num_untrusted, ARMRVICState,
                           "arm-rvic.num-untrusted"),
        VMSTATE_STRUCT_VARRAY_POINTER_UINT32(core.instances, ARMRVICState,
                                             common.num_cpu,
                                             vmstate_rvic_instance,
                                             RVICInstance),
        VMSTATE_END_OF_LIST()
    }
};

/* How often all vCPUs together acknowledged an INTID */
static uint64_t acknowledged_by_all(const ARMRVICState *s, unsigned intid)
{
    uint64_t sum = 0;

    for (unsigned cpu = 0; cpu < s->core.num_cpus; cpu++) {
        sum += qatomic_read_u64(&s->cpus[cpu].acknowledged[intid]);
    }
    return sum;
}

/* How often a vCPU acknowledged any INTID */
static uint64_t acknowledged_by(const ARMRVICState *s, unsigned cpu)
{
    uint64_t sum = 0;

    for (unsigned n = 0; n < rvic_core_num_intids(&s->core); n++) {
        sum += qatomic_read_u64(&s->cpus[cpu].acknowledged[n]);
    }
    return sum;
}

static bool arm_rvic_get_statistics(InterruptStatsProvider *obj,
                                    uint64_t **irq_counts,
                                    unsigned int *nb_irqs)
{
    ARMRVICState *s = ARM_RVIC(obj);

    *irq_counts = s->statistics;
    *nb_irqs = rvic_core_num_intids(&s->core);
    for (unsigned n = 0; n < *nb_irqs; n++) {
        s->statistics[n] = acknowledged_by_all(s, n);
    }
    return true;
}

static bool has_line(unsigned intid)
{
    return intid >= ARM_RVIC_FIRST_LINE &&
           intid < ARM_RVIC_FIRST_LINE + ARM_RVIC_NUM_LINES;
}

void arm_rvic_name_line(ARMRVICState *s, unsigned intid, const char *name)
{
    g_assert(has_line(intid));

    s->line_names[intid - ARM_RVIC_FIRST_LINE] = name;
}

static const char *line_name(const ARMRVICState *s, unsigned intid)
{
    return has_line(intid) ? s->line_names[intid - ARM_RVIC_FIRST_LINE] : NULL;
}

void arm_rvic_print_state(const RVICCore *c, const RVICInstance *inst,
                          unsigned intid, GString *buf)
{
    g_string_append(buf, rvic_test(inst->masked, intid) ? " masked" :
                    " unmasked");
    if (rvic_test(inst->pending, intid)) {
        g_string_append(buf, " pending");
    }
    if (rvic_test(inst->level, intid)) {
        g_string_append(buf, " high");
    }
    if (rvic_core_is_deliverable(c, inst, intid)) {
        g_string_append(buf, " deliverable");
    }
}

/* "  unmasked: 0-7 23(pmu) 27(virt-timer) 32-33", if there are any */
static void print_unmasked(const ARMRVICState *s, const RVICInstance *inst,
                           GString *buf)
{
    unsigned num_intids = rvic_core_num_intids(&s->core);
    const char *title = "  unmasked:";

    for (unsigned first = 0, last; first < num_intids; first = last + 1) {
        last = first;
        if (rvic_test(inst->masked, first)) {
            continue;
        }
        g_string_append_printf(buf, "%s %u", title, first);
        title = "";
        if (line_name(s, first)) {
            g_string_append_printf(buf, "(%s)", line_name(s, first));
            continue;
        }
        while (last + 1 < num_intids && !rvic_test(inst->masked, last + 1) &&
               !line_name(s, last + 1)) {
            last++;
        }
        if (last > first) {
            g_string_append_printf(buf, "-%u", last);
        }
    }
    if (!*title) {
        g_string_append_c(buf, '\n');
    }
}

static void print_intid(const ARMRVICState *s, const RVICInstance *inst,
                        unsigned cpu, unsigned intid, GString *buf)
{
    g_string_append_printf(buf, "  INTID %4u", intid);
    arm_rvic_print_state(&s->core, inst, intid, buf);
    g_string_append_printf(buf, ", all CPUs acknowledged %" PRIu64 ": ",
                           acknowledged_by_all(s, intid));
    if (!rvic_core_is_trusted(&s->core, intid)) {
        arm_rvid_print_inputs(s->rvid, cpu, intid, buf);
    } else if (line_name(s, intid)) {
        g_string_append(buf, line_name(s, intid));
    } else {
        g_string_append_printf(buf, "IPI %u", intid);
    }
    g_string_append_c(buf, '\n');
}

static void arm_rvic_print_info(InterruptStatsProvider *obj, GString *buf)
{
    ARMRVICState *s = ARM_RVIC(obj);
    RVICCore *c = &s->core;

    g_string_append_printf(buf, "rVIC: %u trusted, %u untrusted INTIDs\n",
                           c->num_trusted, c->num_untrusted);
    for (unsigned cpu = 0; cpu < c->num_cpus; cpu++) {
        CPUState *cs = qemu_get_cpu(cpu);
        RVICInstance inst;
        bool off;

        rvic_core_copy(c, cpu, &inst);
        cpu_synchronize_state(cs);
        off = ARM_CPU(cs)->power_state == PSCI_OFF;
        g_string_append_printf(buf, " CPU %u (MPIDR 0x%" PRIx64 "): %s, "
                               "IRQ %s, acknowledged %" PRIu64 "%s\n",
                               cpu, c->mpidrs[cpu],
                               inst.enabled ? "enabled" : "disabled",
                               inst.output ? "high" : "low",
                               acknowledged_by(s, cpu),
                               off ? ", powered off" : "");
        print_unmasked(s, &inst, buf);
        for (unsigned n = 0; n < rvic_core_num_intids(c); n++) {
            if (rvic_test(inst.pending, n) || rvic_test(inst.level, n)) {
                print_intid(s, &inst, cpu, n, buf);
            }
        }
    }
}

/* The INTIDs whose bit is @value; of most words there are none */
static QList *list_intids(const RVICCore *c, const uint32_t *bits, bool value)
{
    uint32_t flip = value ? 0 : UINT32_MAX;
    QList *list = qlist_new();

    for (unsigned word = 0; word < rvic_core_num_intids(c) / 32; word++) {
        for (uint32_t w = bits[word] ^ flip; w; w &= w - 1) {
            qlist_append_int(list, word * 32 + ctz32(w));
        }
    }
    return list;
}

/* The INTIDs that a vCPU has acknowledged and how often, and the sum */
static QList *list_counts(const ARMRVICState *s, unsigned cpu, uint64_t *sum)
{
    QList *list = qlist_new();

    *sum = 0;
    for (unsigned n = 0; n < rvic_core_num_intids(&s->core); n++) {
        uint64_t count = qatomic_read_u64(&s->cpus[cpu].acknowledged[n]);
        QDict *dict;

        if (!count) {
            continue;
        }
        *sum += count;
        dict = qdict_new();
        qdict_put_int(dict, "intid", n);
        qdict_put_int(dict, "acknowledged", count);
        qlist_append(list, dict);
    }
    return list;
}

static void arm_rvic_get_instances(Object *obj, Visitor *v, const char *name,
                                   void *opaque, Error **errp)
{
    ARMRVICState *s = ARM_RVIC(obj);
    RVICCore *c = &s->core;
    g_autoptr(QList) list = qlist_new();
    QObject *value = QOBJECT(list);

    for (unsigned cpu = 0; cpu < c->num_cpus; cpu++) {
        QDict *dict = qdict_new();
        RVICInstance inst;
        QList *counts;
        uint64_t sum;

        rvic_core_copy(c, cpu, &inst);
        counts = list_counts(s, cpu, &sum);
        qdict_put_int(dict, "cpu", cpu);
        qdict_put_int(dict, "mpidr", c->mpidrs[cpu]);
        qdict_put_bool(dict, "enabled", inst.enabled);
        qdict_put_bool(dict, "irq", inst.output);
        qdict_put_int(dict, "acknowledged", sum);
        qdict_put(dict, "unmasked", list_intids(c, inst.masked, false));
        qdict_put(dict, "pending", list_intids(c, inst.pending, true));
        qdict_put(dict, "high", list_intids(c, inst.level, true));
        qdict_put(dict, "counts", counts);
        /* KVM would have to stop the vCPU and read all of its registers */
        if (!kvm_enabled()) {
            qdict_put_bool(dict, "powered-off",
                           ARM_CPU(qemu_get_cpu(cpu))->power_state == PSCI_OFF);
        }
        qlist_append(list, dict);
    }
    visit_type_any(v, name, &value, errp);
}

static void arm_rvic_get_lines(Object *obj, Visitor *v, const char *name,
                               void *opaque, Error **errp)
{
    ARMRVICState *s = ARM_RVIC(obj);
    g_autoptr(QList) list = qlist_new();
    QObject *value = QOBJECT(list);

    for (unsigned n = 0; n < ARM_RVIC_NUM_LINES; n++) {
        QDict *dict;

        if (!s->line_names[n]) {
            continue;
        }
        dict = qdict_new();
        qdict_put_int(dict, "intid", ARM_RVIC_FIRST_LINE + n);
        qdict_put_str(dict, "name", s->line_names[n]);
        qlist_append(list, dict);
    }
    visit_type_any(v, name, &value, errp);
}

static void arm_rvic_setup(ARMRVICCommon *common, Error **errp)
{
    ARMRVICState *s = ARM_RVIC(common);
    SysBusDevice *sbd = SYS_BUS_DEVICE(common);
    unsigned num_intids = common->num_trusted + common->num_untrusted;
    g_autofree uint64_t *mpidrs = NULL;

    if (kvm_enabled() && !kvm_arm_rvic_forward_calls(errp)) {
        return;
    }

    mpidrs = g_new(uint64_t, common->num_cpu);
    s->cpus = g_new(ARMRVICCPU, common->num_cpu);
    s->irq = g_new0(qemu_irq, common->num_cpu);
    s->acknowledged = g_new0(uint64_t, (size_t)common->num_cpu * num_intids);
    s->statistics = g_new0(uint64_t, num_intids);

    for (unsigned i = 0; i < common->num_cpu; i++) {
        ARMCPU *cpu = ARM_CPU(qemu_get_cpu(i));

        mpidrs[i] = arm_cpu_mp_affinity(cpu) & RVIC_MPIDR_MASK;
        s->cpus[i] = (ARMRVICCPU) {
            .rvic = s,
            .index = i,
            .acknowledged = &s->acknowledged[(size_t)i * num_intids],
        };
        cpu->env.rvic = &s->cpus[i];
        sysbus_init_irq(sbd, &s->irq[i]);
    }
    rvic_core_init(&s->core, common->num_cpu, mpidrs, common->num_trusted,
                   common->num_untrusted, arm_rvic_output, s);

    qdev_init_gpio_in(DEVICE(s), arm_rvic_set_line,
                      common->num_cpu * ARM_RVIC_NUM_LINES);
    arm_rvic_qtest_init(s);
}

static void arm_rvic_class_init(ObjectClass *klass, RVICClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);
    InterruptStatsProviderClass *ic = INTERRUPT_STATS_PROVIDER_CLASS(klass);
    ARMRVICCommonClass *cc = ARM_RVIC_COMMON_CLASS(klass);

    dc->desc = "Arm reduced virtual interrupt controller (rVIC)";
    dc->vmsd = &vmstate_arm_rvic;
    object_class_property_add(klass, "instances", "list",
                              arm_rvic_get_instances, NULL, NULL, NULL);
    object_class_property_add(klass, "lines", "list", arm_rvic_get_lines,
                              NULL, NULL, NULL);
    cc->setup = arm_rvic_setup;
    rc->phases.hold = arm_rvic_reset_hold;
    ic->get_statistics = arm_rvic_get_statistics;
    ic->print_info = arm_rvic_print_info;
}

static const TypeInfo arm_rvic_types[] = {
    {
        .name = TYPE_ARM_RVIC,
        .parent = TYPE_ARM_RVIC_COMMON,
        .instance_size = sizeof(ARMRVICState),
        .class_init = arm_rvic_class_init,
    },
};

DEFINE_TYPES(arm_rvic_types)
