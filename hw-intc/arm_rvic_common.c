/*
 * Arm rVIC and rVID: what the models in QEMU and those in KVM have in common
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "qemu/main-loop.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "hw/intc/intc.h"
#include "hw/pci/msi.h"
#include "hw/qdev-properties.h"
#include "arm_rvic.h"
#include "rvic_compat.h"
#include "trace.h"

static char *arm_rvic_get_version(Object *obj, Error **errp)
{
    return g_strdup_printf("%u.%u", RVIC_VERSION_0_3 >> 16,
                           RVIC_VERSION_0_3 & 0xffff);
}

static void arm_rvic_common_realize(DeviceState *dev, Error **errp)
{
    ARMRVICCommon *s = ARM_RVIC_COMMON(dev);
    const char *wrong;

    /* The board sees to it that there are so many vCPUs */
    g_assert(s->num_cpu >= 1 && s->num_cpu <= RVIC_MAX_CPUS);

    wrong = rvic_core_check_counts(s->num_trusted, s->num_untrusted);
    if (wrong) {
        error_setg(errp, "%s.num-trusted=%u, num-untrusted=%u: %s",
                   object_get_typename(OBJECT(s)), s->num_trusted,
                   s->num_untrusted, wrong);
        return;
    }
    ARM_RVIC_COMMON_GET_CLASS(s)->setup(s, errp);
}

static const Property arm_rvic_common_properties[] = {
    DEFINE_PROP_UINT32("num-cpu", ARMRVICCommon, num_cpu, 1),
    DEFINE_PROP_UINT32("num-trusted", ARMRVICCommon, num_trusted, 32),
    DEFINE_PROP_UINT32("num-untrusted", ARMRVICCommon, num_untrusted, 992),
};

static void arm_rvic_common_class_init(ObjectClass *klass, RVICClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = arm_rvic_common_realize;
    /* the vCPUs' lines have to be wired by the board */
    dc->user_creatable = false;
    device_class_set_props(dc, arm_rvic_common_properties);
    object_class_property_add_str(klass, "version", arm_rvic_get_version,
                                  NULL);
}

static void arm_rvid_common_set_line(void *opaque, int n, int level)
{
    ARMRVIDCommon *s = opaque;

    g_assert(bql_locked());

    if (ARM_RVID_COMMON_GET_CLASS(s)->set_line(s, n, level)) {
        trace_rvid_set_line(n, level);
        s->signalled[n] += !!level;
    }
}

static uint64_t arm_rvid_doorbell_read(void *opaque, hwaddr addr,
                                       unsigned size)
{
    return 0;
}

static MemTxResult arm_rvid_doorbell_write(void *opaque, hwaddr addr,
                                           uint64_t data, unsigned size,
                                           MemTxAttrs attrs)
{
    ARMRVIDCommon *s = opaque;

    trace_rvid_doorbell(addr, data, size);
    if (addr == 0 && size == 4 && ARM_RVID_COMMON_GET_CLASS(s)->msi(s, data)) {
        s->signalled[data]++;
        /* 0 is the host bridge, which sends none, or a write of a vCPU */
        s->requesters[data] = attrs.requester_id;
    } else {
        qemu_log_mask(LOG_GUEST_ERROR, "rVID: MSI doorbell: ignored %u-byte "
                      "write of 0x%" PRIx64 " to offset 0x%" HWADDR_PRIx "\n",
                      size, data, addr);
    }
    return MEMTX_OK;
}

/* Every access comes through as it was made, so that odd ones can be logged */
static const MemoryRegionOps arm_rvid_doorbell_ops = {
    .read = arm_rvid_doorbell_read,
    .write_with_attrs = arm_rvid_doorbell_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};

static bool arm_rvid_common_get_statistics(InterruptStatsProvider *obj,
                                           uint64_t **irq_counts,
                                           unsigned int *nb_irqs)
{
    ARMRVIDCommon *s = ARM_RVID_COMMON(obj);

    *irq_counts = s->signalled;
    *nb_irqs = s->rvic->num_untrusted;
    return true;
}

static void arm_rvid_get_num_inputs(Object *obj, Visitor *v, const char *name,
                                    void *opaque, Error **errp)
{
    ARMRVIDCommon *s = ARM_RVID_COMMON(obj);
    uint32_t num_inputs = s->rvic ? s->rvic->num_untrusted : 0;

    visit_type_uint32(v, name, &num_inputs, errp);
}

static void arm_rvid_common_realize(DeviceState *dev, Error **errp)
{
    ARMRVIDCommon *s = ARM_RVID_COMMON(dev);

    /* The board's wiring */
    g_assert(s->rvic && DEVICE(s->rvic)->realized);
    g_assert(s->num_wired >= 1);

    if (s->num_wired > s->rvic->num_untrusted) {
        error_setg(errp, "%s.num-untrusted=%u: has to be at least %u, "
                   "the number of wired inputs",
                   object_get_typename(OBJECT(s->rvic)),
                   s->rvic->num_untrusted, s->num_wired);
        return;
    }
    ARM_RVID_COMMON_GET_CLASS(s)->setup(s);

    s->signalled = g_new0(uint64_t, s->rvic->num_untrusted);
    s->requesters = g_new0(uint16_t, s->rvic->num_untrusted);
    qdev_init_gpio_in(dev, arm_rvid_common_set_line, s->num_wired);
    memory_region_init_io(&s->doorbell, OBJECT(s), &arm_rvid_doorbell_ops, s,
                          "arm-rvid-doorbell", ARM_RVID_DOORBELL_SIZE);
    sysbus_init_mmio(SYS_BUS_DEVICE(dev), &s->doorbell);

    msi_nonbroken = true;
}

static const Property arm_rvid_common_properties[] = {
    DEFINE_PROP_LINK("rvic", ARMRVIDCommon, rvic, TYPE_ARM_RVIC_COMMON,
                     ARMRVICCommon *),
    DEFINE_PROP_UINT32("num-wired", ARMRVIDCommon, num_wired, 256),
};

static void arm_rvid_common_class_init(ObjectClass *klass, RVICClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    InterruptStatsProviderClass *ic = INTERRUPT_STATS_PROVIDER_CLASS(klass);

    dc->realize = arm_rvid_common_realize;
    /* the inputs have to be wired by the board */
    dc->user_creatable = false;
    device_class_set_props(dc, arm_rvid_common_properties);
    object_class_property_add(klass, "num-inputs", "uint32",
                              arm_rvid_get_num_inputs, NULL, NULL, NULL);
    ic->get_statistics = arm_rvid_common_get_statistics;
}

static const TypeInfo arm_rvic_common_types[] = {
    {
        .name = TYPE_ARM_RVIC_COMMON,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(ARMRVICCommon),
        .class_size = sizeof(ARMRVICCommonClass),
        .class_init = arm_rvic_common_class_init,
        .abstract = true,
        .interfaces = (InterfaceInfo[]) {
            { TYPE_INTERRUPT_STATS_PROVIDER },
            { },
        },
    },
    {
        .name = TYPE_ARM_RVID_COMMON,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(ARMRVIDCommon),
        .class_size = sizeof(ARMRVIDCommonClass),
        .class_init = arm_rvid_common_class_init,
        .abstract = true,
        .interfaces = (InterfaceInfo[]) {
            { TYPE_INTERRUPT_STATS_PROVIDER },
            { },
        },
    },
};

DEFINE_TYPES(arm_rvic_common_types)
