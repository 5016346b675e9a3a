/*
 * The Statistical Profiling Extension of vCPUs with KVM
 *
 * Patches for it were posted again and again since 2019, with interfaces that
 * differ, and were never merged. What their numbers were means other things to
 * released kernels. So the user says which interface it is, and that KVM has
 * it is believed only if all signs agree.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include "qemu/error-report.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "hw/intc/arm_gic_common.h"
#include "hw/resettable.h"
#include "migration/blocker.h"
#include "system/accel-blocker.h"
#include "system/kvm.h"
#include "system/kvm_int.h"
#include "system/reset.h"
#include "system/runstate.h"
#include "target/arm/cpu.h"
#include "target/arm/kvm_arm.h"
#include "rvic/hw-intc/rvic_compat.h"
#include "kvm_host_cpus.h"
#include "kvm_reasons.h"
#include "kvm_rvic.h"
#include "kvm_spe.h"

#define TYPE_KVM_ARM_SPE "kvm-arm-spe"
OBJECT_DECLARE_SIMPLE_TYPE(KVMArmSPE, KVM_ARM_SPE)

#define SPE_DEVICE      "arm_spe_"
#define ONLINE_CPUS     "/sys/devices/system/cpu/online"

/* ---- The interfaces ---- */

typedef struct SPEProfile SPEProfile;

/**
 * An attribute of vCPUs, to be set once
 *
 * @attr: its number in the group
 * @takes_intid: it points to the interrupt's number, else to nothing
 * @what: to be put behind "cannot"
 * @reasons: why not
 */
typedef struct SPEAttr {
    uint32_t attr;
    bool takes_intid;
    const char *what;
    const KVMReason *reasons;
} SPEAttr;

#define SPE_MAX_ATTRS 4

/**
 * An interface: what depends on the series of patches, and all of it
 *
 * @name: what the user calls it
 * @cap: KVM's capability
 * @memory_cap: another one that it needs, or 0
 * @feature: bit of KVM_ARM_VCPU_INIT's features
 * @group: of the vCPUs' attributes
 * @attrs: these, in the order in which each vCPU needs them
 * @num_attrs: their number
 * @all_host_cpus: all host CPUs need SPE, else vCPUs may run on those that do
 * @lock_read_only: guest memory that guests cannot write to is locked, too
 * @lock_slot: has guest memory stay where it is; 0, or a negative errno of
 *             mlock(2) or the ioctl
 * @lock_reasons: why not
 * @finalize: has to follow that, and each reset of the vCPUs; or NULL
 */
struct SPEProfile {
    const char *name;
    unsigned cap;
    unsigned memory_cap;
    unsigned feature;
    uint32_t group;
    SPEAttr attrs[SPE_MAX_ATTRS];
    unsigned num_attrs;
    bool all_host_cpus;
    bool lock_read_only;
    int (*lock_slot)(const SPEProfile *profile, const KVMSlot *slot);
    const KVMReason *lock_reasons;
    bool (*finalize)(const SPEProfile *profile, Error **errp);
};

static int lock_slot_of_process(const SPEProfile *profile,
                                const KVMSlot *slot);
static int lock_slot_of_kvm(const SPEProfile *profile, const KVMSlot *slot);
static bool finalize_vm(const SPEProfile *profile, Error **errp);

static const KVMReason irq_reasons[] = {
    { EBUSY, "it is set already" },
    { EINVAL, "it is no PPI, or not that of the other vCPUs" },
    { EFAULT, "KVM cannot read it" },
    { ENXIO, "KVM has no SPE, or this vCPU has none" },
    {}
};

static const KVMReason v3_init_reasons[] = {
    { EBUSY, "it is initialised already" },
    { ENODEV, "the GIC is not initialised" },
    { ENXIO, "its interrupt is not set" },
    {}
};

static const KVMReason v5_init_reasons[] = {
    { EBUSY, "it is initialised already" },
    { ENXIO, "the GIC is not initialised, or its interrupt is not set" },
    {}
};

static const KVMReason v3_lock_reasons[] = {
    { EINVAL, "it does not consist of whole pages" },
    {}
};

static const KVMReason v5_lock_reasons[] = {
    { EBUSY, "it is locked already, or a vCPU runs" },
    { EFAULT, "it is not there" },
    { EINVAL, "KVM does not take this range of it" },
    {}
};

static const SPEProfile profiles[] = {
    {
        /* October 2020 */
        .name = "v3",
        .cap = 191,
        .feature = 7,
        .group = 3,
        .attrs = {
            { 0, true, "set the interrupt of", irq_reasons },
            { 1, false, "initialise", v3_init_reasons },
        },
        .num_attrs = 2,
        .all_host_cpus = true,
        .lock_read_only = true,
        .lock_slot = lock_slot_of_process,
        .lock_reasons = v3_lock_reasons,
        .finalize = finalize_vm,
    },
    {
        /* November 2021. STOP, attribute 2, is for migration. */
        .name = "v5",
        .cap = 208,
        .memory_cap = 207,
        .feature = 7,
        .group = 3,
        .attrs = {
            { 0, true, "set the interrupt of", irq_reasons },
            { 1, false, "initialise", v5_init_reasons },
        },
        .num_attrs = 2,
        .lock_slot = lock_slot_of_kvm,
        .lock_reasons = v5_lock_reasons,
    },
};

#define SPE_PROFILE_NAMES "v3 or v5"

/* Of v3. The group of the virtual machine is that of SMCCC's filter today. */
#define SPE_VM_GROUP            0
#define SPE_VM_FINALIZE         0

/* Of v5, flags and second argument of memory_cap; the first one is the slot */
#define SPE_LOCK_FLAG           BIT(0)
#define SPE_LOCK_READ           BIT(0)
#define SPE_LOCK_WRITE          BIT(1)

static void refuse(Error **errp, const SPEProfile *profile, const char *what,
                   int err, const KVMReason *reasons)
{
    error_setg(errp, "spe=on: cannot %s with KVM's interface %s: %s: use "
               "spe=off", what, profile->name, kvm_arm_reason(err, reasons));
}

/* ---- What a vCPU has ---- */

static unsigned get_version(const ARMCPU *cpu)
{
    return FIELD_EX64(RVIC_ID_AA64DFR0(&cpu->isar), ID_AA64DFR0, PMSVER);
}

static void set_version(ARMCPU *cpu, unsigned version)
{
    RVIC_ID_AA64DFR0(&cpu->isar) =
        FIELD_DP64(RVIC_ID_AA64DFR0(&cpu->isar), ID_AA64DFR0, PMSVER, version);
}

static bool can_set(Object *obj, Error **errp)
{
    if (DEVICE(obj)->realized) {
        error_setg(errp, "SPE of a vCPU that exists cannot be changed");
        return false;
    }
    return true;
}

static bool get_spe(Object *obj, Error **errp)
{
    return get_version(ARM_CPU(obj)) != 0;
}

/* Any version will do until KVM has said which it is */
static void set_spe(Object *obj, bool value, Error **errp)
{
    if (can_set(obj, errp)) {
        set_version(ARM_CPU(obj), value);
    }
}

static void get_abi(Object *obj, Visitor *v, const char *name, void *opaque,
                    Error **errp)
{
    const SPEProfile **profile = opaque;
    char *value = (char *)(*profile ? (*profile)->name : "");

    visit_type_str(v, name, &value, errp);
}

static void set_abi(Object *obj, Visitor *v, const char *name, void *opaque,
                    Error **errp)
{
    const SPEProfile **profile = opaque;
    g_autofree char *value = NULL;

    if (!can_set(obj, errp) || !visit_type_str(v, name, &value, errp)) {
        return;
    }
    for (unsigned n = 0; n < ARRAY_SIZE(profiles); n++) {
        if (!strcmp(value, profiles[n].name)) {
            *profile = &profiles[n];
            return;
        }
    }
    error_setg(errp, "x-spe-abi=%s: there is no such interface: use "
               SPE_PROFILE_NAMES, value);
}

static void release_abi(Object *obj, const char *name, void *opaque)
{
    g_free(opaque);
}

static const SPEProfile *get_profile(ARMCPU *cpu)
{
    const SPEProfile **profile =
        object_property_find(OBJECT(cpu), "x-spe-abi")->opaque;

    return *profile;
}

void kvm_arm_spe_add_properties(ARMCPU *cpu)
{
    Object *obj = OBJECT(cpu);

    set_version(cpu, 0);
    object_property_add_bool(obj, "spe", get_spe, set_spe);
    object_property_set_description(obj, "spe",
                                    "Set on for the Statistical Profiling "
                                    "Extension. Experimental.");
    object_property_add(obj, "x-spe-abi", "str", get_abi, set_abi, release_abi,
                        g_new0(const SPEProfile *, 1));
    object_property_set_description(obj, "x-spe-abi",
                                    "Interface of KVM's SPE: "
                                    SPE_PROFILE_NAMES);
}

/* ---- What the host has ---- */

/*
 * Returns: the vCPUs' PMSVer, or 0 with @lacking being what of the interface
 * is not there
 */
static unsigned find_version(const SPEProfile *profile, char **lacking)
{
    struct kvm_vcpu_init init = {
        .target = -1,
        .features[0] = 1u << profile->feature,
    };
    uint64_t dfr0 = 0;
    struct kvm_one_reg reg = {
        .id = KVM_REG_ID_AA64DFR0,
        .addr = (uintptr_t)&dfr0,
    };
    unsigned caps[] = { profile->cap, profile->memory_cap };
    unsigned version = 0;
    int fds[3];

    for (unsigned n = 0; n < ARRAY_SIZE(caps); n++) {
        if (caps[n] && kvm_check_extension(kvm_state, caps[n]) <= 0) {
            *lacking = g_strdup_printf("capability %u", caps[n]);
            return 0;
        }
    }
    if (!kvm_arm_create_scratch_host_vcpu(NULL, fds, &init)) {
        *lacking = g_strdup_printf("vCPUs with feature %u", profile->feature);
        return 0;
    }
    for (unsigned n = 0; n < profile->num_attrs && !*lacking; n++) {
        uint32_t attr = profile->attrs[n].attr;

        if (!kvm_device_check_attr(fds[2], profile->group, attr)) {
            *lacking = g_strdup_printf("attribute %u in group %u of vCPUs",
                                       attr, profile->group);
        }
    }
    if (!*lacking && profile->finalize &&
        !kvm_device_check_attr(fds[1], SPE_VM_GROUP, SPE_VM_FINALIZE)) {
        *lacking = g_strdup_printf("attribute %d in group %d of virtual "
                                   "machines", SPE_VM_FINALIZE, SPE_VM_GROUP);
    }
    if (!*lacking) {
        if (ioctl(fds[2], KVM_GET_ONE_REG, &reg) == 0) {
            version = FIELD_EX64(dfr0, ID_AA64DFR0, PMSVER);
        }
        if (!version) {
            *lacking = g_strdup("PMSVer in ID_AA64DFR0_EL1");
        }
    }
    kvm_arm_destroy_scratch_host_vcpu(fds);
    return version;
}

/* Host CPUs that Linux uses SPE of; a heterogeneous host has more devices */
static bool read_spe_cpus(KVMHostCPUs *cpus, Error **errp)
{
    g_autoptr(GDir) dir = g_dir_open(HOST_PMU_FOLDER, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(HOST_PMU_FOLDER, name,
                                                 "cpumask", NULL);

        if (g_str_has_prefix(name, SPE_DEVICE) &&
            !kvm_host_cpus_read(cpus, path, errp)) {
            return false;
        }
    }
    if (!cpus->nbits) {
        error_setg(errp, "spe=on: Linux on this host has no SPE on any CPU "
                   "(" HOST_PMU_FOLDER "/" SPE_DEVICE "*): use spe=off");
        return false;
    }
    return true;
}

static bool check_all_online(const SPEProfile *profile,
                             const KVMHostCPUs *cpus, Error **errp)
{
    g_auto(KVMHostCPUs) online = {};

    if (!kvm_host_cpus_read(&online, ONLINE_CPUS, errp)) {
        return false;
    }
    if (!kvm_host_cpus_within(&online, cpus)) {
        g_autofree char *with = kvm_host_cpus_list(cpus);
        g_autofree char *all = kvm_host_cpus_list(&online);

        error_setg(errp, "spe=on: only host CPUs %s of %s have SPE, and KVM's "
                   "interface %s needs it on all: take the others offline, or "
                   "use spe=off", with, all, profile->name);
        return false;
    }
    return true;
}

/* Returns: the vCPUs' PMSVer, or 0 with an error */
static unsigned find_spe(const SPEProfile *profile, Error **errp)
{
    g_auto(KVMHostCPUs) cpus = {};
    g_autofree char *lacking = NULL;
    unsigned version = find_version(profile, &lacking);

    if (!version) {
        error_setg(errp, "spe=on: KVM of this host has no SPE with the "
                   "interface %s: it lacks %s: use a kernel with those "
                   "patches, or spe=off", profile->name, lacking);
        return 0;
    }
    if (!read_spe_cpus(&cpus, errp)) {
        return 0;
    }
    if (profile->all_host_cpus) {
        return check_all_online(profile, &cpus, errp) ? version : 0;
    }
    kvm_arm_host_cpus_require("SPE", &cpus, true);
    return version;
}

bool kvm_arm_spe_finalize(ARMCPU *cpu, Error **errp)
{
    /* What was found for the first vCPU goes for all */
    static unsigned version;
    const SPEProfile *profile = get_profile(cpu);

    if (!get_version(cpu)) {
        return true;
    }
    if (!arm_feature(&cpu->env, ARM_FEATURE_AARCH64)) {
        error_setg(errp, "spe=on: SPE needs a 64-bit EL1: use aarch64=on or "
                   "spe=off");
        return false;
    }
    /* Boards of QEMU 10.0 refuse that before; its feature is SPE's bit, too */
    if (arm_feature(&cpu->env, ARM_FEATURE_EL2) && cpu->has_el2) {
        error_setg(errp, "spe=on: a guest with SPE has no EL2 with KVM: use "
                   "virtualization=off or spe=off");
        return false;
    }
    if (!kvm_irqchip_in_kernel() || kvm_arm_rvic_in_kernel()) {
        error_setg(errp, "spe=on: SPE needs KVM's GIC: use irqchip=gic and "
                   "kernel-irqchip=on, or spe=off");
        return false;
    }
    if (!profile) {
        error_setg(errp, "spe=on: no released kernel has SPE for virtual "
                   "machines, and patches differ: say with x-spe-abi which "
                   "interface this host's KVM has, " SPE_PROFILE_NAMES ", or "
                   "use spe=off");
        return false;
    }
    if (!version) {
        version = find_spe(profile, errp);
    }
    if (!version) {
        return false;
    }
    set_version(cpu, version);
    return true;
}

void kvm_arm_spe_set_feature(ARMCPU *cpu)
{
    if (get_version(cpu)) {
        cpu->kvm_init_features[0] |= 1u << get_profile(cpu)->feature;
    }
}

bool kvm_arm_spe_enabled(ARMCPU *cpu)
{
    /* With TCG, some CPUs have it until they are realized */
    return kvm_enabled() && get_version(cpu);
}

/* ---- Guest memory ---- */

/* What a memory slot was when it was locked; its size is 0 if it is not */
typedef struct LockedSlot {
    hwaddr start;
    ram_addr_t size;
    void *ram;
} LockedSlot;

/**
 * SPE of a virtual machine
 *
 * @profile: KVM's interface
 * @locked: memory slots, by their numbers
 * @num_slots: of these
 * @started: it has been ready to run
 */
struct KVMArmSPE {
    Object parent_obj;

    ResettableState reset_state;
    MemoryListener listener;
    Error *migration_blocker;
    const SPEProfile *profile;
    LockedSlot *locked;
    unsigned num_slots;
    bool started;
};

/*
 * The buffer of SPE must never be missing: there is no fault from which a
 * guest's profiling could go on.
 */
static int lock_slot_of_process(const SPEProfile *profile,
                                const KVMSlot *slot)
{
    return mlock(slot->ram, slot->memory_size) < 0 ? -errno : 0;
}

static int lock_slot_of_kvm(const SPEProfile *profile, const KVMSlot *slot)
{
    return kvm_vm_enable_cap(kvm_state, profile->memory_cap, SPE_LOCK_FLAG,
                             slot->slot, SPE_LOCK_READ | SPE_LOCK_WRITE);
}

static bool finalize_vm(const SPEProfile *profile, Error **errp)
{
    static const KVMReason reasons[] = {
        { EAGAIN, "not all of it is locked" },
        { EBUSY, "a vCPU has run, or it is finalised already" },
        { ENODEV, "a vCPU's SPE is not initialised" },
        { ENOMEM, "KVM has no memory for that" },
        { ENXIO, "not all vCPUs have SPE" },
        {}
    };
    struct kvm_device_attr attr = {
        .group = SPE_VM_GROUP,
        .attr = SPE_VM_FINALIZE,
    };
    int ret = kvm_vm_ioctl(kvm_state, KVM_SET_DEVICE_ATTR, &attr);

    if (ret < 0) {
        refuse(errp, profile, "finalise the guest's memory", -ret, reasons);
        return false;
    }
    return true;
}

static bool needs_lock(const SPEProfile *profile, const KVMSlot *slot)
{
    return slot->memory_size &&
           (profile->lock_read_only || !(slot->flags & KVM_MEM_READONLY));
}

static void refuse_limit(Error **errp, const SPEProfile *profile, int err)
{
    const KVMMemoryListener *kml = &kvm_state->memory_listener;
    struct rlimit limit;
    uint64_t needed = 0;

    for (unsigned n = 0; n < kml->nr_slots_allocated; n++) {
        if (needs_lock(profile, &kml->slots[n])) {
            needed += kml->slots[n].memory_size;
        }
    }
    if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0 || limit.rlim_cur >= needed) {
        error_setg(errp, "spe=on: cannot lock the guest's memory of %" PRIu64
                   " bytes: %s: use less, or spe=off", needed, strerror(err));
        return;
    }
    error_setg(errp, "spe=on: cannot lock the guest's memory: %s: it takes %"
               PRIu64 " bytes, and RLIMIT_MEMLOCK is %" PRIu64 ": raise that, "
               "for example with 'ulimit -l' or libvirt's <hard_limit>, or use "
               "spe=off", strerror(err), needed, (uint64_t)limit.rlim_cur);
}

static bool is_locked(const LockedSlot *locked, const KVMSlot *slot)
{
    return locked->start == slot->start_addr &&
           locked->size == slot->memory_size && locked->ram == slot->ram;
}

/* Lock what is not locked yet */
static bool lock_memory(KVMArmSPE *spe, Error **errp)
{
    const KVMMemoryListener *kml = &kvm_state->memory_listener;

    if (kml->nr_slots_allocated > spe->num_slots) {
        spe->locked = g_renew(LockedSlot, spe->locked,
                              kml->nr_slots_allocated);
        memset(&spe->locked[spe->num_slots], 0, sizeof(LockedSlot) *
               (kml->nr_slots_allocated - spe->num_slots));
        spe->num_slots = kml->nr_slots_allocated;
    }
    for (unsigned n = 0; n < kml->nr_slots_allocated; n++) {
        const KVMSlot *slot = &kml->slots[n];
        int ret;

        if (!needs_lock(spe->profile, slot)) {
            spe->locked[n] = (LockedSlot) {};
            continue;
        }
        if (is_locked(&spe->locked[n], slot)) {
            continue;
        }
        ret = spe->profile->lock_slot(spe->profile, slot);
        if (ret == -ENOMEM || ret == -EPERM || ret == -EAGAIN) {
            refuse_limit(errp, spe->profile, -ret);
            return false;
        } else if (ret < 0) {
            refuse(errp, spe->profile, "lock the guest's memory", -ret,
                   spe->profile->lock_reasons);
            return false;
        }
        spe->locked[n] = (LockedSlot) {
            slot->start_addr, slot->memory_size, slot->ram,
        };
    }
    return true;
}

/* Memory that appears later, such as a BAR that the guest maps */
static void spe_commit(MemoryListener *listener)
{
    KVMArmSPE *spe = container_of(listener, KVMArmSPE, listener);
    Error *err = NULL;

    if (!spe->started) {
        return;
    }
    /* KVM locks nothing while a vCPU runs */
    accel_ioctl_inhibit_begin();
    lock_memory(spe, &err);
    accel_ioctl_inhibit_end();
    if (err) {
        error_report_err(err);
        vm_stop(RUN_STATE_INTERNAL_ERROR);
    }
}

/*
 * All vCPUs have been initialised, at first or again, and none has run since.
 * Guest memory is what it will be when they do.
 */
static void spe_reset_exit(Object *obj, ResetType type)
{
    KVMArmSPE *spe = KVM_ARM_SPE(obj);
    const SPEProfile *profile = spe->profile;
    Error *err = NULL;

    if (!lock_memory(spe, &err) ||
        (profile->finalize && !profile->finalize(profile, &err))) {
        error_report_err(err);
        if (!spe->started) {
            exit(1);
        }
        vm_stop(RUN_STATE_INTERNAL_ERROR);
        return;
    }
    spe->started = true;
}

static ResettableState *spe_get_reset_state(Object *obj)
{
    return &KVM_ARM_SPE(obj)->reset_state;
}

static void spe_class_init(ObjectClass *klass, RVICClassData *data)
{
    ResettableClass *rc = RESETTABLE_CLASS(klass);

    rc->get_state = spe_get_reset_state;
    rc->phases.exit = spe_reset_exit;
}

static const TypeInfo spe_types[] = {
    {
        .name = TYPE_KVM_ARM_SPE,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(KVMArmSPE),
        .class_init = spe_class_init,
        .interfaces = (InterfaceInfo[]) {
            { TYPE_RESETTABLE_INTERFACE },
            {}
        },
    },
};

DEFINE_TYPES(spe_types)

/* ---- The virtual machine ---- */

static bool init_vcpu(const SPEProfile *profile, CPUState *cs, int intid,
                      Error **errp)
{
    for (unsigned n = 0; n < profile->num_attrs; n++) {
        const SPEAttr *step = &profile->attrs[n];
        struct kvm_device_attr attr = {
            .group = profile->group,
            .attr = step->attr,
            .addr = step->takes_intid ? (uintptr_t)&intid : 0,
        };
        int ret = kvm_vcpu_ioctl(cs, KVM_SET_DEVICE_ATTR, &attr);

        if (ret < 0) {
            g_autofree char *what = g_strdup_printf("%s SPE of vCPU %d",
                                                    step->what, cs->cpu_index);

            refuse(errp, profile, what, -ret, step->reasons);
            return false;
        }
    }
    return true;
}

bool kvm_arm_spe_init(MachineState *ms, int intid, Error **errp)
{
    KVMArmSPE *spe;
    CPUState *cs;
    int ret;

    if (intid < GIC_NR_SGIS || intid >= GIC_INTERNAL) {
        error_setg(errp, "spe=on: interrupt %d is no PPI: it has to be %d to "
                   "%d", intid, GIC_NR_SGIS, GIC_INTERNAL - 1);
        return false;
    }
    if (ms->maxram_size > ms->ram_size) {
        error_setg(errp, "spe=on: memory is locked at the start, so none can "
                   "be plugged later: leave out maxmem, or use spe=off");
        return false;
    }
    if (runstate_check(RUN_STATE_INMIGRATE)) {
        error_setg(errp, "spe=on: no machine can be migrated to this one: "
                   "leave out -incoming, or use spe=off");
        return false;
    }
    /* There are no devices yet that could object; balloons will do nothing */
    ret = ram_block_discard_disable(true);
    g_assert(ret == 0);

    spe = KVM_ARM_SPE(object_new(TYPE_KVM_ARM_SPE));
    object_property_add_child(OBJECT(ms), "kvm-spe", OBJECT(spe));
    object_unref(OBJECT(spe));
    spe->profile = get_profile(ARM_CPU(first_cpu));

    error_setg(&spe->migration_blocker, "spe=on: a guest whose profiling "
               "buffers are locked in memory cannot be migrated: use spe=off");
    if (migrate_add_blocker(&spe->migration_blocker, errp) < 0) {
        return false;
    }
    CPU_FOREACH(cs) {
        if (!init_vcpu(spe->profile, cs, intid, errp)) {
            return false;
        }
    }

    qemu_register_resettable(OBJECT(spe));
    spe->listener = (MemoryListener) {
        .name = "kvm-spe",
        .commit = spe_commit,
        /* KVM's own, which makes the slots, comes first */
        .priority = MEMORY_LISTENER_PRIORITY_ACCEL + 1,
    };
    memory_listener_register(&spe->listener,
                             kvm_state->memory_listener.listener.address_space);
    return true;
}
