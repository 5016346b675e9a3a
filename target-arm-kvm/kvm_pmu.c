/*
 * The PMU of a virtual machine with KVM
 *
 * On a host with several kinds of CPUs, each kind has a PMU, and a virtual
 * machine has one of them: its vCPUs' counters count on the CPUs of that PMU.
 * KVM takes whichever it comes across unless it is told.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include "qemu/cutils.h"
#include "qemu/config-file.h"
#include "qemu/error-report.h"
#include "qemu/option.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "migration/vmstate.h"
#include "system/kvm.h"
#include "system/runstate.h"
#include "target/arm/cpu.h"
#include "target/arm/kvm_arm.h"
#include "rvic/hw-intc/rvic_compat.h"
#include "kvm_host_cpus.h"
#include "kvm_pmu.h"
#include "kvm_reasons.h"

#define TYPE_KVM_ARM_PMU "kvm-arm-pmu"
OBJECT_DECLARE_SIMPLE_TYPE(KVMArmPMU, KVM_ARM_PMU)

#define MIDR_FORMAT "/sys/devices/system/cpu/cpu%lu/regs/identification" \
                    "/midr_el1"

/* Linux 6.16; QEMU's copy of Linux's headers is older */
#define PMU_V3_SET_NR_COUNTERS  4

#define REG_PMCR    ARM64_SYS_REG(3, 3, 9, 12, 0)

#define PMCR_N_SHIFT    11
#define PMCR_N_LENGTH   5

/* MIDR's fields that say which CPU it is, without its revision */
#define MIDR_MODEL_MASK \
    (R_MIDR_EL1_IMPLEMENTER_MASK | R_MIDR_EL1_PARTNUM_MASK)

/* PMUVer of a PMU that is not the architecture's */
#define PMUVER_IMP_DEF  0xf

/* A PMU of the host's CPUs */
typedef struct HostPMU {
    char *name;
    int type;               /* what perf_event_open(2) calls it */
    KVMHostCPUs cpus;
} HostPMU;

/* What the user asked for */
static struct {
    char *pmu;
    uint32_t counters;
    bool counters_given;
    bool no_affinity;
} asked;

/* The host's PMUs, by type */
static GPtrArray *host_pmus;

/**
 * The PMU that was chosen
 *
 * @host: which it is
 * @selected: whether KVM has been told
 * @loaded: whether its state and that of vCPUs was loaded, and has not run yet
 * @counters: of events, besides that of cycles
 * @version: ID_AA64DFR0_EL1.PMUVer
 * @model: MIDR_MODEL_MASK of the MIDR of the host's CPUs that have it, or 0
 */
struct KVMArmPMU {
    Object parent_obj;

    const HostPMU *host;
    bool selected;
    bool loaded;

    /* The guest sees these, so they have to be the same after migration */
    uint8_t counters;
    uint8_t version;
    uint32_t model;
};

static KVMArmPMU *chosen;

const char *kvm_arm_pmu_name(void)
{
    return chosen ? chosen->host->name : NULL;
}

/* ---- The host's PMUs ---- */

static void free_host_pmu(void *opaque)
{
    HostPMU *pmu = opaque;

    g_free(pmu->name);
    kvm_host_cpus_clear(&pmu->cpus);
    g_free(pmu);
}

static int compare_types(gconstpointer a, gconstpointer b)
{
    const HostPMU *first = *(HostPMU *const *)a;
    const HostPMU *second = *(HostPMU *const *)b;

    return first->type - second->type;
}

/* Returns: NULL if it is not a PMU of CPUs */
static HostPMU *read_host_pmu(const char *name)
{
    g_autofree char *cpus = g_build_filename(HOST_PMU_FOLDER, name, "cpus",
                                             NULL);
    g_autofree char *type = g_build_filename(HOST_PMU_FOLDER, name, "type",
                                             NULL);
    g_autofree char *number = NULL;
    HostPMU *pmu = g_new0(HostPMU, 1);

    pmu->name = g_strdup(name);
    if (!kvm_host_cpus_read(&pmu->cpus, cpus, NULL) || !pmu->cpus.nbits ||
        !g_file_get_contents(type, &number, NULL, NULL) ||
        qemu_strtoi(g_strstrip(number), NULL, 10, &pmu->type) < 0) {
        free_host_pmu(pmu);
        return NULL;
    }
    return pmu;
}

static GPtrArray *read_host_pmus(void)
{
    GPtrArray *pmus = g_ptr_array_new_with_free_func(free_host_pmu);
    g_autoptr(GDir) folder = g_dir_open(HOST_PMU_FOLDER, 0, NULL);
    const char *name;

    while (folder && (name = g_dir_read_name(folder))) {
        HostPMU *pmu = read_host_pmu(name);

        if (pmu) {
            g_ptr_array_add(pmus, pmu);
        }
    }
    g_ptr_array_sort(pmus, compare_types);
    return pmus;
}

static char *describe_host_pmus(void)
{
    GString *text = g_string_new(NULL);

    for (guint n = 0; n < host_pmus->len; n++) {
        const HostPMU *pmu = g_ptr_array_index(host_pmus, n);
        g_autofree char *cpus = kvm_host_cpus_list(&pmu->cpus);

        g_string_append_printf(text, "%s%s (type %d, host CPUs %s)",
                               n ? ", " : "", pmu->name, pmu->type, cpus);
    }
    return g_string_free(text, false);
}

static const HostPMU *find_host_pmu(const char *name)
{
    int type;

    if (qemu_strtoi(name, NULL, 10, &type) < 0) {
        type = -1;
    }
    for (guint n = 0; n < host_pmus->len; n++) {
        const HostPMU *pmu = g_ptr_array_index(host_pmus, n);

        if (pmu->type == type || !strcmp(pmu->name, name)) {
            return pmu;
        }
    }
    return NULL;
}

static const HostPMU *host_pmu_of_cpu(unsigned long cpu)
{
    for (guint n = 0; n < host_pmus->len; n++) {
        const HostPMU *pmu = g_ptr_array_index(host_pmus, n);

        if (kvm_host_cpus_contain(&pmu->cpus, cpu)) {
            return pmu;
        }
    }
    return NULL;
}

/* Returns: 0 if the host does not say; it does only for CPUs that are online */
static uint32_t host_pmu_model(const HostPMU *pmu)
{
    for (unsigned long cpu = 0; cpu < pmu->cpus.nbits; cpu++) {
        g_autofree char *path = g_strdup_printf(MIDR_FORMAT, cpu);
        g_autofree char *text = NULL;
        uint64_t midr;

        if (kvm_host_cpus_contain(&pmu->cpus, cpu) &&
            g_file_get_contents(path, &text, NULL, NULL) &&
            qemu_strtou64(g_strstrip(text), NULL, 16, &midr) == 0) {
            return midr & MIDR_MODEL_MASK;
        }
    }
    return 0;
}

/* ---- Migration ---- */

static unsigned num_counters(uint64_t pmcr)
{
    return extract64(pmcr, PMCR_N_SHIFT, PMCR_N_LENGTH);
}

/* Registers of the first vCPU stand for those of all */
static uint64_t read_register(uint64_t id)
{
    uint64_t value = 0;

    kvm_get_one_reg(first_cpu, id, &value);
    return value;
}

static void read_identification(KVMArmPMU *pmu)
{
    pmu->counters = num_counters(read_register(REG_PMCR));
    pmu->version = FIELD_EX64(read_register(KVM_REG_ID_AA64DFR0),
                              ID_AA64DFR0, PMUVER);
    pmu->model = host_pmu_model(pmu->host);
}

static int pmu_pre_save(void *opaque)
{
    read_identification(opaque);
    return 0;
}

/* Returns: whether the guest's number of counters can be that number here */
static bool limit_counters(uint8_t counters)
{
    uint64_t pmcr = read_register(REG_PMCR);

    pmcr = deposit64(pmcr, PMCR_N_SHIFT, PMCR_N_LENGTH, counters);
    kvm_set_one_reg(first_cpu, REG_PMCR, &pmcr);
    return num_counters(read_register(REG_PMCR)) == counters;
}

static int refuse_pmu(const char *format, ...) G_GNUC_PRINTF(1, 2);

static int refuse_pmu(const char *format, ...)
{
    g_autofree char *why = NULL;
    va_list args;

    va_start(args, format);
    why = g_strdup_vprintf(format, args);
    va_end(args);
    error_report("the PMU %s is not like that of the virtual machine: %s: "
                 "choose another with '-accel kvm,pmu=NAME', or another host",
                 chosen->host->name, why);
    return -EINVAL;
}

/* It is loaded before vCPUs are: KVM ignores some of what it cannot have */
static int pmu_post_load(void *opaque, int version_id)
{
    KVMArmPMU *pmu = opaque, here = { .host = pmu->host };

    pmu->loaded = true;
    read_identification(&here);
    if (pmu->model && here.model && pmu->model != here.model) {
        return refuse_pmu("it belongs to CPUs of MIDR 0x%08" PRIx32 ", not "
                          "0x%08" PRIx32 ", which count other events",
                          here.model, pmu->model);
    }
    if (pmu->version > here.version ||
        (here.version == PMUVER_IMP_DEF && pmu->version != here.version)) {
        return refuse_pmu("it is of version %u, not %u", here.version,
                          pmu->version);
    }
    if (pmu->counters > here.counters) {
        return refuse_pmu("it has %u counters, not %u", here.counters,
                          pmu->counters);
    }
    if (pmu->counters < here.counters && !limit_counters(pmu->counters)) {
        return refuse_pmu("it has %u counters, not %u, and this host's KVM "
                          "cannot hide some", here.counters, pmu->counters);
    }
    return 0;
}

static const VMStateDescription vmstate_pmu = {
    .name = TYPE_KVM_ARM_PMU,
    .version_id = 1,
    .minimum_version_id = 1,
    .priority = MIG_PRI_GICV3,
    .pre_save = pmu_pre_save,
    .post_load = pmu_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8(counters, KVMArmPMU),
        VMSTATE_UINT8(version, KVMArmPMU),
        VMSTATE_UINT32(model, KVMArmPMU),
        VMSTATE_END_OF_LIST()
    },
};

/* ---- Registers that QEMU would lose ---- */

/*
 * Of a pair like PMCNTENSET_EL0 and PMCNTENCLR_EL0, both read as what is set.
 * QEMU restores both, and clears its own copy with the latter; so do some KVMs,
 * that of Linux 6.12 is one. Whenever QEMU has written registers, counters and
 * their interrupts would be disabled. So what KVM had before is put back.
 */
static const uint64_t lost_registers[] = {
    ARM64_SYS_REG(3, 3, 9, 12, 1),      /* PMCNTENSET_EL0 */
    ARM64_SYS_REG(3, 0, 9, 14, 1),      /* PMINTENSET_EL1 */
    ARM64_SYS_REG(3, 3, 9, 14, 3),      /* PMOVSSET_EL0 */
};

/* Of the vCPU that this thread is writing; it does not always have the BQL */
static __thread uint64_t kept_registers[ARRAY_SIZE(lost_registers)];

/* Returns: whether the migration stream has that register */
static bool loaded_register(const ARMCPU *cpu, uint64_t id, uint64_t *value)
{
    for (int n = 0; n < cpu->cpreg_vmstate_array_len; n++) {
        if (cpu->cpreg_vmstate_indexes[n] == id) {
            *value = cpu->cpreg_vmstate_values[n];
            return true;
        }
    }
    return false;
}

void kvm_arm_pmu_keep_registers(ARMCPU *cpu)
{
    for (size_t n = 0; chosen && n < ARRAY_SIZE(lost_registers); n++) {
        uint64_t id = lost_registers[n], *value = &kept_registers[n];

        *value = 0;
        if (!chosen->loaded || !loaded_register(cpu, id, value)) {
            kvm_get_one_reg(CPU(cpu), id, value);
        }
    }
}

void kvm_arm_pmu_restore_registers(ARMCPU *cpu)
{
    for (size_t n = 0; chosen && n < ARRAY_SIZE(lost_registers); n++) {
        kvm_set_one_reg(CPU(cpu), lost_registers[n], &kept_registers[n]);
    }
}

static void pmu_vm_state_change(void *opaque, bool running, RunState state)
{
    KVMArmPMU *pmu = opaque;

    /* From now on, KVM knows better than what was loaded */
    pmu->loaded &= !running;
}

/* ---- The choice ---- */

/* All that can go wrong is between the user and KVM, before anything runs */
static void refuse(const char *format, ...) G_GNUC_PRINTF(1, 2) G_NORETURN;

static void refuse(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    error_vreport(format, args);
    va_end(args);
    exit(1);
}

static const HostPMU *resolve(void)
{
    g_autofree char *all = describe_host_pmus();
    const HostPMU *pmu;

    if (!kvm_arm_pmu_supported()) {
        refuse("pmu=NAME, pmu-counters=N: this host's KVM has no PMU for "
               "virtual machines: leave them out");
    }
    if (!host_pmus->len) {
        refuse("pmu=NAME, pmu-counters=N: there is no PMU of CPUs below "
               HOST_PMU_FOLDER ": leave them out");
    }
    if (!asked.pmu) {
        if (host_pmus->len > 1) {
            refuse("pmu-counters=N and pmu-affinity=off need pmu=NAME, one "
                   "of %s", all);
        }
        return g_ptr_array_index(host_pmus, 0);
    }
    pmu = find_host_pmu(asked.pmu);
    if (!pmu) {
        refuse("pmu=%s: this host has no such PMU, but %s", asked.pmu, all);
    }
    return pmu;
}

/* Take our options from one more "-accel kvm" */
static int merge_accel(void *opaque, QemuOpts *opts, Error **errp)
{
    static const char *const names[] = {
        "pmu", "pmu-counters", "pmu-affinity",
    };
    Object *accel = opaque;
    const char *accelerator = qemu_opt_get(opts, "accel");

    for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
        const char *value = qemu_opt_get(opts, names[n]);

        if (value && !g_strcmp0(accelerator, "kvm") &&
            !object_property_parse(accel, names[n], value, errp)) {
            return -1;
        }
    }
    return 0;
}

void kvm_arm_pmu_resolve(MachineState *ms)
{
    g_autofree char *what = NULL;

    /*
     * The first "-accel kvm" is libvirt's. Another of a user who cannot change
     * that one would never count: KVM does not need a second try.
     */
    qemu_opts_foreach(qemu_find_opts("accel"), merge_accel, ms->accelerator,
                      &error_fatal);
    host_pmus = read_host_pmus();
    if (!asked.pmu && !asked.counters_given && !asked.no_affinity) {
        return;
    }
    chosen = KVM_ARM_PMU(object_new(TYPE_KVM_ARM_PMU));
    chosen->host = resolve();
    object_property_add_child(OBJECT(ms), "kvm-pmu", OBJECT(chosen));
    object_unref(OBJECT(chosen));

    what = g_strdup_printf("the PMU %s", chosen->host->name);
    kvm_arm_host_cpus_require(what, &chosen->host->cpus, !asked.no_affinity);
}

static void refuse_old_kernel(const char *what, const char *since)
{
    struct utsname host;

    uname(&host);
    refuse("this host's %s %s cannot choose %s: use Linux %s or newer",
           host.sysname, host.release, what, since);
}

static void set_counters(int vcpu_fd)
{
    struct kvm_one_reg reg = { .id = REG_PMCR };
    uint64_t pmcr = 0;
    int ret;

    if (!kvm_device_check_attr(vcpu_fd, KVM_ARM_VCPU_PMU_V3_CTRL,
                               PMU_V3_SET_NR_COUNTERS)) {
        refuse_old_kernel("the number of a PMU's counters, pmu-counters=N",
                          "6.16");
    }
    ret = kvm_device_access(vcpu_fd, KVM_ARM_VCPU_PMU_V3_CTRL,
                            PMU_V3_SET_NR_COUNTERS, &asked.counters, true,
                            NULL);
    if (ret == -EINVAL) {
        /* Up to now it is the PMU's */
        reg.addr = (uintptr_t)&pmcr;
        ioctl(vcpu_fd, KVM_GET_ONE_REG, &reg);
        refuse("pmu-counters=%" PRIu32 ": the PMU %s has %u counters",
               asked.counters, chosen->host->name,
               num_counters(pmcr));
    } else if (ret < 0) {
        refuse("pmu-counters=%" PRIu32 ": KVM refuses: %s", asked.counters,
               strerror(-ret));
    }
}

static void set_pmu(int vcpu_fd)
{
    static const KVMReason reasons[] = {
        { ENXIO, "it has no such PMU for virtual machines" },
        { EBUSY, "it is too late" },
        {}
    };
    int type = chosen->host->type;
    int ret;

    if (!kvm_device_check_attr(vcpu_fd, KVM_ARM_VCPU_PMU_V3_CTRL,
                               KVM_ARM_VCPU_PMU_V3_SET_PMU)) {
        refuse_old_kernel("the PMU of a virtual machine, pmu=NAME", "5.19");
    }
    ret = kvm_device_access(vcpu_fd, KVM_ARM_VCPU_PMU_V3_CTRL,
                            KVM_ARM_VCPU_PMU_V3_SET_PMU, &type, true, NULL);
    if (ret < 0) {
        refuse("pmu=%s: KVM refuses: %s", chosen->host->name,
               kvm_arm_reason(-ret, reasons));
    }
    if (asked.counters_given) {
        set_counters(vcpu_fd);
    }
}

/*
 * KVM's choice is the PMU of the CPU that initialises the first vCPU. Whoever
 * has put all threads on CPUs of one PMU knows that.
 */
static void warn_of_chance(ARMCPU *vcpu)
{
    static bool looked;
    g_auto(KVMHostCPUs) own = {};
    g_autofree char *all = NULL;
    const HostPMU *pmu;
    int cpu = sched_getcpu();

    if (looked || host_pmus->len < 2 || cpu < 0 ||
        qemu_thread_get_affinity(CPU(vcpu)->thread, &own.map, &own.nbits)) {
        return;
    }
    looked = true;
    pmu = host_pmu_of_cpu(cpu);
    if (pmu && kvm_host_cpus_within(&own, &pmu->cpus)) {
        return;
    }
    all = describe_host_pmus();
    warn_report("KVM takes the PMU %s by chance, that of host CPU %d, and "
                "counters stop while a vCPU runs elsewhere: choose with "
                "'-accel kvm,pmu=NAME' one of %s", pmu ? pmu->name : "?", cpu,
                all);
}

void kvm_arm_pmu_select_scratch(int vcpu_fd)
{
    if (chosen) {
        set_pmu(vcpu_fd);
    }
}

void kvm_arm_pmu_select(ARMCPU *cpu)
{
    if (!chosen) {
        if (cpu->has_pmu) {
            warn_of_chance(cpu);
        }
        return;
    }
    if (!cpu->has_pmu) {
        refuse("pmu=%s: the vCPUs have no PMU: leave out pmu=off of '-cpu'",
               chosen->host->name);
    }
    /* It is the virtual machine's, whichever vCPU is told */
    if (chosen->selected) {
        return;
    }
    set_pmu(CPU(cpu)->kvm_fd);
    read_identification(chosen);
    chosen->selected = true;
    vmstate_register(NULL, 0, &vmstate_pmu, chosen);
    qemu_add_vm_change_state_handler(pmu_vm_state_change, chosen);
}

/* ---- Properties ---- */

static bool can_set(Error **errp)
{
    if (host_pmus) {
        error_setg(errp, "Cannot set properties after the accelerator has "
                   "been initialized");
        return false;
    }
    return true;
}

static char *get_pmu(Object *obj, Error **errp)
{
    return g_strdup(asked.pmu);
}

static void set_pmu_property(Object *obj, const char *value, Error **errp)
{
    if (can_set(errp)) {
        g_free(asked.pmu);
        asked.pmu = g_strdup(value);
    }
}

static void get_counters(Object *obj, Visitor *v, const char *name,
                         void *opaque, Error **errp)
{
    visit_type_uint32(v, name, &asked.counters, errp);
}

static void set_counters_property(Object *obj, Visitor *v, const char *name,
                                  void *opaque, Error **errp)
{
    if (can_set(errp) &&
        visit_type_uint32(v, name, &asked.counters, errp)) {
        asked.counters_given = true;
    }
}

static bool get_affinity(Object *obj, Error **errp)
{
    return !asked.no_affinity;
}

static void set_affinity(Object *obj, bool value, Error **errp)
{
    if (can_set(errp)) {
        asked.no_affinity = !value;
    }
}

void kvm_arm_pmu_add_properties(ObjectClass *oc)
{
    object_class_property_add_str(oc, "pmu", get_pmu, set_pmu_property);
    object_class_property_set_description(
        oc, "pmu", "The host's PMU that the virtual machine gets: a name below "
        HOST_PMU_FOLDER ", or its type");
    object_class_property_add(oc, "pmu-counters", "uint32", get_counters,
                              set_counters_property, NULL, NULL);
    object_class_property_set_description(
        oc, "pmu-counters",
        "Event counters of the virtual machine's PMU (default: all)");
    object_class_property_add_bool(oc, "pmu-affinity", get_affinity,
                                   set_affinity);
    object_class_property_set_description(
        oc, "pmu-affinity",
        "Set off to leave vCPU threads where they are");
}

static char *get_name(Object *obj, Error **errp)
{
    return g_strdup(KVM_ARM_PMU(obj)->host->name);
}

static char *get_cpus(Object *obj, Error **errp)
{
    return kvm_host_cpus_list(&KVM_ARM_PMU(obj)->host->cpus);
}

static void get_perf_type(Object *obj, Visitor *v, const char *name,
                          void *opaque, Error **errp)
{
    int32_t type = KVM_ARM_PMU(obj)->host->type;

    visit_type_int32(v, name, &type, errp);
}

static void get_pmu_counters(Object *obj, Visitor *v, const char *name,
                             void *opaque, Error **errp)
{
    visit_type_uint8(v, name, &KVM_ARM_PMU(obj)->counters, errp);
}

static void kvm_arm_pmu_class_init(ObjectClass *oc, RVICClassData *data)
{
    object_class_property_add_str(oc, "name", get_name, NULL);
    object_class_property_add(oc, "perf-type", "int32", get_perf_type, NULL,
                              NULL, NULL);
    object_class_property_add_str(oc, "cpus", get_cpus, NULL);
    object_class_property_add(oc, "counters", "uint8", get_pmu_counters, NULL,
                              NULL, NULL);
}

static const TypeInfo kvm_arm_pmu_types[] = {
    {
        .name = TYPE_KVM_ARM_PMU,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(KVMArmPMU),
        .class_init = kvm_arm_pmu_class_init,
    },
};

DEFINE_TYPES(kvm_arm_pmu_types)
