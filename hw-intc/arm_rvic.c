/*
 * Arm rVIC: the device model
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "qapi/error.h"
#include "hw/intc/intc.h"
#include "hw/irq.h"
#include "hw/qdev-properties.h"
#include "migration/vmstate.h"
#include "target/arm/cpu.h"
#include "target/arm/multiprocessing.h"
#include "arm_rvic.h"
#include "rvic_internal.h"
#include "trace.h"

static void arm_rvic_output(void *opaque, unsigned cpu, bool level)
{
    ARMRVICState *s = opaque;

    trace_rvic_output(cpu, level);
    qemu_set_irq(s->irq[cpu], level);
}

static void arm_rvic_set_line(void *opaque, int n, int level)
{
    ARMRVICState *s = opaque;
    unsigned cpu = n / ARM_RVIC_NUM_LINES;
    unsigned intid = n % ARM_RVIC_NUM_LINES;

    g_assert(bql_locked());

    if (rvic_core_set_line(&s->core, cpu, intid, level)) {
        trace_rvic_set_line(cpu, intid, level);
    }
}

/* Some devices do not lower their lines at reset: no level survives it */
static void arm_rvic_reset_hold(Object *obj, ResetType type)
{
    ARMRVICState *s = ARM_RVIC(obj);

    trace_rvic_reset();
    rvic_core_reset(&s->core);
}

static int arm_rvic_post_load(void *opaque, int version_id)
{
    ARMRVICState *s = opaque;

    return rvic_core_post_load(&s->core) ? 0 : -EINVAL;
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
    .post_load = arm_rvic_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32_EQUAL(num_cpu, ARMRVICState,
                             "source and destination differ in vCPUs"),
        VMSTATE_UINT32_EQUAL(num_trusted, ARMRVICState,
                             "use the source's arm-rvic.num-trusted"),
        VMSTATE_UINT32_EQUAL(num_untrusted, ARMRVICState,
                             "use the source's arm-rvic.num-untrusted"),
        VMSTATE_STRUCT_VARRAY_POINTER_UINT32(core.instances, ARMRVICState,
                                             num_cpu, vmstate_rvic_instance,
                                             RVICInstance),
        VMSTATE_END_OF_LIST()
    }
};

static bool arm_rvic_get_statistics(InterruptStatsProvider *obj,
                                    uint64_t **irq_counts,
                                    unsigned int *nb_irqs)
{
    ARMRVICState *s = ARM_RVIC(obj);

    *irq_counts = s->acknowledged;
    *nb_irqs = rvic_core_num_intids(&s->core);
    return true;
}

/* "  title: 0-7 23 27", if any bit is set; @invert: if any is clear */
static void print_intids(GString *buf, const char *title, const RVICCore *c,
                         const uint32_t *bits, bool invert)
{
    unsigned num_intids = rvic_core_num_intids(c);
    bool any = false;

    for (unsigned first = 0, last; first < num_intids; first = last + 1) {
        last = first;
        if (rvic_test(bits, first) == invert) {
            continue;
        }
        while (last + 1 < num_intids && rvic_test(bits, last + 1) != invert) {
            last++;
        }
        if (!any) {
            g_string_append_printf(buf, "  %s:", title);
            any = true;
        }
        g_string_append_printf(buf, first == last ? " %u" : " %u-%u",
                               first, last);
    }
    if (any) {
        g_string_append_c(buf, '\n');
    }
}

static void arm_rvic_print_info(InterruptStatsProvider *obj, GString *buf)
{
    ARMRVICState *s = ARM_RVIC(obj);
    const RVICCore *c = &s->core;

    g_string_append_printf(buf, "rVIC: %u trusted, %u untrusted INTIDs\n",
                           c->num_trusted, c->num_untrusted);
    for (unsigned cpu = 0; cpu < c->num_cpus; cpu++) {
        const RVICInstance *inst = &c->instances[cpu];

        g_string_append_printf(buf, " CPU %u (MPIDR 0x%" PRIx64 "): %s, "
                               "IRQ %s\n", cpu, c->mpidrs[cpu],
                               inst->enabled ? "enabled" : "disabled",
                               inst->output ? "high" : "low");
        print_intids(buf, "unmasked", c, inst->masked, true);
        print_intids(buf, "pending", c, inst->pending, false);
        print_intids(buf, "high", c, inst->level, false);
    }
}

static void arm_rvic_realize(DeviceState *dev, Error **errp)
{
    ARMRVICState *s = ARM_RVIC(dev);
    SysBusDevice *sbd = SYS_BUS_DEVICE(dev);
    g_autofree uint64_t *mpidrs = NULL;
    const char *wrong;

    /* The board sees to it that there are so many vCPUs */
    g_assert(s->num_cpu >= 1 && s->num_cpu <= RVIC_MAX_CPUS);

    wrong = rvic_core_check_counts(s->num_trusted, s->num_untrusted);
    if (wrong) {
        error_setg(errp, "arm-rvic.num-trusted=%u, num-untrusted=%u: %s",
                   s->num_trusted, s->num_untrusted, wrong);
        return;
    }

    mpidrs = g_new(uint64_t, s->num_cpu);
    s->cpus = g_new(ARMRVICCPU, s->num_cpu);
    s->irq = g_new0(qemu_irq, s->num_cpu);
    s->acknowledged = g_new0(uint64_t, s->num_trusted + s->num_untrusted);

    for (unsigned i = 0; i < s->num_cpu; i++) {
        ARMCPU *cpu = ARM_CPU(qemu_get_cpu(i));

        mpidrs[i] = arm_cpu_mp_affinity(cpu) & RVIC_MPIDR_MASK;
        s->cpus[i] = (ARMRVICCPU) { .rvic = s, .index = i };
        cpu->env.rvic = &s->cpus[i];
        sysbus_init_irq(sbd, &s->irq[i]);
    }
    rvic_core_init(&s->core, s->num_cpu, mpidrs, s->num_trusted,
                   s->num_untrusted, arm_rvic_output, s);

    qdev_init_gpio_in(dev, arm_rvic_set_line, s->num_cpu * ARM_RVIC_NUM_LINES);
    arm_rvic_qtest_init(s);
}

static const Property arm_rvic_properties[] = {
    DEFINE_PROP_UINT32("num-cpu", ARMRVICState, num_cpu, 1),
    DEFINE_PROP_UINT32("num-trusted", ARMRVICState, num_trusted, 32),
    DEFINE_PROP_UINT32("num-untrusted", ARMRVICState, num_untrusted, 992),
};

static void arm_rvic_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);
    InterruptStatsProviderClass *ic = INTERRUPT_STATS_PROVIDER_CLASS(klass);

    dc->desc = "Arm reduced virtual interrupt controller (rVIC)";
    dc->realize = arm_rvic_realize;
    dc->vmsd = &vmstate_arm_rvic;
    /* the vCPUs' lines have to be wired by the board */
    dc->user_creatable = false;
    device_class_set_props(dc, arm_rvic_properties);
    rc->phases.hold = arm_rvic_reset_hold;
    ic->get_statistics = arm_rvic_get_statistics;
    ic->print_info = arm_rvic_print_info;
}

static const TypeInfo arm_rvic_types[] = {
    {
        .name = TYPE_ARM_RVIC,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(ARMRVICState),
        .class_init = arm_rvic_class_init,
        .interfaces = (InterfaceInfo[]) {
            { TYPE_INTERRUPT_STATS_PROVIDER },
            { },
        },
    },
};

DEFINE_TYPES(arm_rvic_types)
