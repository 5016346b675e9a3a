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
static GArray *required;

void kvm_arm_host_cpus_require(const char *what, const KVMHostCPUs *cpus,
                               bool confine)
{
    Requirement requirement = {
        .what = g_strdup(what),
        .cpus.nbits = cpus->nbits,
        .confine = confine,
    };

    requirement.cpus.map = bitmap_new(cpus->nbits);
    bitmap_copy(requirement.cpus.map, cpus->map, cpus->nbits);
    if (!required) {
        required = g_array_new(false, false, sizeof(Requirement));
    }
    g_array_append_val(required, requirement);
}

static const Requirement *next_requirement(const Requirement *previous)
{
    const Requirement *first, *next;

    if (!required) {
        return NULL;
    }
    first = &g_array_index(required, Requirement, 0);
    next = previous ? previous + 1 : first;
    return next - first < required->len ? next : NULL;
}

/*
 * The requirements that a CPU does not meet, or all without one, in words; and
 * the CPUs that meet them all. Returns: NULL if there are no such requirements.
 */
static char *describe_required(long without, KVMHostCPUs *common)
{
    g_autoptr(GString) text = g_string_new(NULL);
    bool first = true;

    for (const Requirement *r = NULL; (r = next_requirement(r)); ) {
        g_autofree char *list = kvm_host_cpus_list(&r->cpus);

        for (unsigned long cpu = 0; first && cpu < r->cpus.nbits; cpu++) {
            if (kvm_host_cpus_contain(&r->cpus, cpu)) {
                add_cpu(common, cpu);
            }
        }
        for (unsigned long cpu = 0; cpu < common->nbits; cpu++) {
            if (!kvm_host_cpus_contain(&r->cpus, cpu)) {
                clear_bit(cpu, common->map);
            }
        }
        first = false;
        if (without < 0 || !kvm_host_cpus_contain(&r->cpus, without)) {
            g_string_append_printf(text, "%s%s has host CPUs %s",
                                   text->len ? ", " : "", r->what, list);
        }
    }
    return text->len ? g_string_free(g_steal_pointer(&text), false) : NULL;
}

/* Returns: whether anything was to be taken out */
static bool reduce_to_required(KVMHostCPUs *cpus)
{
    bool reduced = false;

    for (const Requirement *r = NULL; (r = next_requirement(r)); ) {
        if (!r->confine) {
            continue;
        }
        for (unsigned long cpu = 0; cpu < cpus->nbits; cpu++) {
            if (kvm_host_cpus_contain(cpus, cpu) &&
                !kvm_host_cpus_contain(&r->cpus, cpu)) {
                clear_bit(cpu, cpus->map);
                reduced = true;
            }
        }
    }
    return reduced;
}

static void warn_not_confined(int err, const char *why)
{
    static bool warned;

    if (!warned) {
        warn_report("cannot keep vCPUs on some host CPUs: %s: %s: pin their "
                    "threads, for example with libvirt's <vcpupin>", why,
                    strerror(err));
        warned = true;
    }
}

void kvm_arm_host_cpus_confine(ARMCPU *cpu)
{
    g_auto(KVMHostCPUs) own = {}, common = {};
    g_autofree char *before = NULL;
    g_autofree char *why = describe_required(-1, &common);
    QemuThread *thread = CPU(cpu)->thread;
    int err;

    if (!why) {
        return;
    }
    err = qemu_thread_get_affinity(thread, &own.map, &own.nbits);
    if (err) {
        warn_not_confined(err, why);
        return;
    }
    before = kvm_host_cpus_list(&own);
    /* It may be right already, where a sandbox denies to change anything */
    if (!reduce_to_required(&own)) {
        return;
    }
    if (is_empty(&own)) {
        error_report("vCPU %d cannot run anywhere: its thread has host CPUs "
                     "%s, but %s: start QEMU with others, for example with "
                     "taskset, or choose something else",
                     CPU(cpu)->cpu_index, before, why);
        exit(1);
    }
    err = qemu_thread_set_affinity(thread, own.map, own.nbits);
    if (err) {
        warn_not_confined(err, why);
    }
}

/* ---- What KVM does if a vCPU is elsewhere ---- */

/* Whether the user has been told why the machine is pausing */
static bool fail_entry_told;

static void on_vm_state_change(void *opaque, bool running, RunState state)
{
    if (running) {
        fail_entry_told = false;
    }
}

static void tell_fail_entry(CPUState *cs, uint64_t reason, uint32_t host_cpu)
{
    g_auto(KVMHostCPUs) common = {};
    g_autofree char *cpus = NULL, *why = NULL;

    if (reason & KVM_EXIT_FAIL_ENTRY_CPU_UNSUPPORTED) {
        why = describe_required(host_cpu, &common);
    }
    if (why) {
        cpus = kvm_host_cpus_list(&common);
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

int kvm_arm_handle_fail_entry(ARMCPU *cpu, const struct kvm_run *run)
{
    static bool watching;
    uint64_t reason = run->fail_entry.hardware_entry_failure_reason;
    uint32_t host_cpu = run->fail_entry.cpu;

    bql_lock();
    if (!watching) {
        qemu_add_vm_change_state_handler(on_vm_state_change, NULL);
        watching = true;
    }
    /* If one vCPU is out of place, others may be, too; they are tried again */
    if (!fail_entry_told) {
        fail_entry_told = true;
        tell_fail_entry(CPU(cpu), reason, host_cpu);
    }
    vm_stop(RUN_STATE_PAUSED);
    bql_unlock();
    return EXCP_INTERRUPT;
}
