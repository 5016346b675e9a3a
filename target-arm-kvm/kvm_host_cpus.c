/*
 * Host CPUs that can run the vCPUs of a virtual machine
 *
 * On hosts with several kinds of CPUs, what a virtual machine has may exist on
 * some of them only: KVM leaves it to user space to keep vCPUs there, and
 * refuses to run one elsewhere.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitmap.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qapi/error.h"
#include "qapi/qapi-builtin-visit.h"
#include "qapi/qapi-events-kvm-arm.h"
#include "qapi/string-input-visitor.h"
#include "qapi/string-output-visitor.h"
#include "exec/cpu-common.h"
#include "system/kvm.h"
#include "system/runstate.h"
#include "target/arm/cpu.h"
#include "kvm_host_cpus.h"
#include "kvm_pmu.h"

/* ---- Sets of host CPUs ---- */

void kvm_host_cpus_clear(KVMHostCPUs *cpus)
{
    g_clear_pointer(&cpus->map, g_free);
    cpus->nbits = 0;
}

static void add_cpu(KVMHostCPUs *cpus, unsigned long cpu)
{
    if (cpu >= cpus->nbits) {
        cpus->map = bitmap_zero_extend(cpus->map, cpus->nbits, cpu + 1);
        cpus->nbits = cpu + 1;
    }
    set_bit(cpu, cpus->map);
}

/* @to is empty, or not initialised */
static void copy(KVMHostCPUs *to, const KVMHostCPUs *from)
{
    to->nbits = from->nbits;
    to->map = bitmap_new(from->nbits);
    bitmap_copy(to->map, from->map, from->nbits);
}

bool kvm_host_cpus_read(KVMHostCPUs *cpus, const char *path, Error **errp)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    uint16List *list = NULL;
    Visitor *v;
    bool ok;

    if (!g_file_get_contents(path, &text, NULL, &error)) {
        error_setg(errp, "%s", error->message);
        return false;
    }
    v = string_input_visitor_new(g_strstrip(text));
    ok = visit_type_uint16List(v, path, &list, errp);
    visit_free(v);
    for (const uint16List *item = list; item; item = item->next) {
        add_cpu(cpus, item->value);
    }
    qapi_free_uint16List(list);
    return ok;
}

bool kvm_host_cpus_contain(const KVMHostCPUs *cpus, unsigned long cpu)
{
    return cpu < cpus->nbits && test_bit(cpu, cpus->map);
}

bool kvm_host_cpus_within(const KVMHostCPUs *cpus, const KVMHostCPUs *others)
{
    for (unsigned long cpu = 0; cpu < cpus->nbits; cpu++) {
        if (kvm_host_cpus_contain(cpus, cpu) &&
            !kvm_host_cpus_contain(others, cpu)) {
            return false;
        }
    }
    return true;
}

static bool is_empty(const KVMHostCPUs *cpus)
{
    return find_first_bit(cpus->map, cpus->nbits) >= cpus->nbits;
}

char *kvm_host_cpus_list(const KVMHostCPUs *cpus)
{
    uint16List *list = NULL, **tail = &list;
    char *text = NULL;
    Visitor *v;

    if (is_empty(cpus)) {
        return g_strdup("none");
    }
    for (unsigned long cpu = 0; cpu < cpus->nbits; cpu++) {
        if (kvm_host_cpus_contain(cpus, cpu)) {
            QAPI_LIST_APPEND(tail, cpu);
        }
    }
    v = string_output_visitor_new(false, &text);
    visit_type_uint16List(v, NULL, &list, &error_abort);
    visit_complete(v, &text);
    visit_free(v);
    qapi_free_uint16List(list);
    return text;
}

/* ---- What the virtual machine requires ---- */

typedef struct Requirement {
    char *what;
    KVMHostCPUs cpus;
    bool confine;
} Requirement;

/* All requirements; they last as long as the virtual machine */
static Requirement required[4];
static unsigned num_required;

void kvm_arm_host_cpus_require(const char *what, const KVMHostCPUs *cpus,
                               bool confine)
{
    Requirement *requirement = &required[num_required];

    g_assert(num_required < ARRAY_SIZE(required) && !is_empty(cpus));
    requirement->what = g_strdup(what);
    requirement->confine = confine;
    copy(&requirement->cpus, cpus);
    num_required++;
}

/* Take out of a set what is not in another */
static void restrict_to(KVMHostCPUs *cpus, const KVMHostCPUs *others)
{
    for (unsigned long cpu = 0; cpu < cpus->nbits; cpu++) {
        if (!kvm_host_cpus_contain(others, cpu)) {
            clear_bit(cpu, cpus->map);
        }
    }
}

/* Returns: the CPUs that meet all requirements, in words */
static char *list_required(void)
{
    g_auto(KVMHostCPUs) common = {};

    copy(&common, &required[0].cpus);
    for (unsigned n = 1; n < num_required; n++) {
        restrict_to(&common, &required[n].cpus);
    }
    return kvm_host_cpus_list(&common);
}

/* Returns: the requirements that some of these CPUs do not meet, in words */
static char *describe_required(const KVMHostCPUs *cpus)
{
    GString *text = g_string_new(NULL);

    for (unsigned n = 0; n < num_required; n++) {
        if (!kvm_host_cpus_within(cpus, &required[n].cpus)) {
            g_autofree char *list = kvm_host_cpus_list(&required[n].cpus);

            g_string_append_printf(text, "%s%s has host CPUs %s",
                                   text->len ? ", " : "", required[n].what,
                                   list);
        }
    }
    return g_string_free(text, false);
}

static void warn_not_confined(int err, const char *why)
{
    static bool warned;

    if (!warned) {
        warn_report("cannot keep vCPUs on some host CPUs: %s: %s: pin their "
                    "threads, for example with libvirt's <vcpupin>", why,
                    strerror(abs(err)));
        warned = true;
    }
}

void kvm_arm_host_cpus_confine(ARMCPU *cpu)
{
    g_auto(KVMHostCPUs) own = {};
    g_autofree char *why = NULL, *before = NULL;
    QemuThread *thread = CPU(cpu)->thread;
    int err;

    if (!num_required) {
        return;
    }
    err = qemu_thread_get_affinity(thread, &own.map, &own.nbits);
    if (err) {
        warn_not_confined(err, "which they may use is unknown");
        return;
    }
    before = kvm_host_cpus_list(&own);
    why = describe_required(&own);
    for (unsigned n = 0; n < num_required; n++) {
        if (required[n].confine) {
            restrict_to(&own, &required[n].cpus);
        }
    }
    if (is_empty(&own)) {
        error_report("vCPU %d cannot run anywhere: its thread has host CPUs "
                     "%s, but %s: start QEMU with others, for example with "
                     "taskset", CPU(cpu)->cpu_index, before, why);
        exit(1);
    }
    /* It may be right already, where a sandbox denies to change anything */
    if (*why) {
        err = qemu_thread_set_affinity(thread, own.map, own.nbits);
        if (err) {
            warn_not_confined(err, why);
        }
    }
}

/* ---- What KVM does if a vCPU is elsewhere ---- */

/* Why the machine is pausing; there may be more vCPUs, but one is enough */
static struct {
    CPUState *cs;       /* NULL: it is not */
    uint64_t reason;
    uint32_t host_cpu;
} refused;

static void tell_fail_entry(CPUState *cs, uint64_t reason, uint32_t host_cpu)
{
    g_auto(KVMHostCPUs) here = {};
    g_autofree char *cpus = NULL, *why = NULL;

    if (reason & KVM_EXIT_FAIL_ENTRY_CPU_UNSUPPORTED &&
        host_cpu <= UINT16_MAX) {
        add_cpu(&here, host_cpu);
        why = describe_required(&here);
    }
    if (why && *why) {
        cpus = list_required();
        error_report("KVM cannot run vCPU %d on host CPU %" PRIu32 ": %s: the "
                     "virtual machine is paused: pin thread %d to host CPUs "
                     "%s, for example with 'taskset -pc %s %d', then 'cont'",
                     cs->cpu_index, host_cpu, why, cs->thread_id, cpus, cpus,
                     cs->thread_id);
    } else if (reason & KVM_EXIT_FAIL_ENTRY_CPU_UNSUPPORTED) {
        error_report("KVM cannot run vCPU %d on host CPU %" PRIu32 ": the "
                     "virtual machine is paused: pin thread %d to other host "
                     "CPUs, then 'cont'", cs->cpu_index, host_cpu,
                     cs->thread_id);
    } else {
        error_report("KVM cannot run vCPU %d on host CPU %" PRIu32 ": "
                     "hardware entry failure 0x%" PRIx64 ": the virtual "
                     "machine is paused: 'cont' tries again", cs->cpu_index,
                     host_cpu, reason);
    }
    qapi_event_send_kvm_fail_entry(cs->cpu_index, cs->thread_id, host_cpu,
                                   reason, cpus, kvm_arm_pmu_name());
}

/*
 * Whoever waits for the event may answer with "cont" at once, which has to find
 * all vCPUs stopped.
 */
static void on_vm_state_change(void *opaque, bool running, RunState state)
{
    CPUState *cs = refused.cs;

    refused.cs = NULL;
    if (cs && !running) {
        tell_fail_entry(cs, refused.reason, refused.host_cpu);
    }
}

int kvm_arm_handle_fail_entry(ARMCPU *cpu, const struct kvm_run *run)
{
    static bool watching;

    bql_lock();
    if (!watching) {
        qemu_add_vm_change_state_handler(on_vm_state_change, NULL);
        watching = true;
    }
    if (!refused.cs) {
        refused.cs = CPU(cpu);
        refused.reason = run->fail_entry.hardware_entry_failure_reason;
        refused.host_cpu = run->fail_entry.cpu;
    }
    vm_stop(RUN_STATE_PAUSED);
    bql_unlock();
    return EXCP_INTERRUPT;
}
