/*
 * A KVM with rVIC, for tests: the choice of a PMU, and what it leads to
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include "shim.h"

/* In Linux since 6.16 */
#define SET_NR_COUNTERS     4

#define ID_AA64DFR0         ARM64_SYS_REG(3, 0, 0, 5, 0)
#define PMUVER_SHIFT        8
#define PMCR                ARM64_SYS_REG(3, 3, 9, 12, 0)
#define PMCR_N              (31u << 11)

static bool pmu_attr(ShimVM *vm, unsigned long request,
                     const struct kvm_device_attr *attr, int *ret)
{
    bool has = request == KVM_HAS_DEVICE_ATTR;

    if (attr->group != KVM_ARM_VCPU_PMU_V3_CTRL) {
        return false;
    }
    switch (attr->attr) {
    case KVM_ARM_VCPU_PMU_V3_SET_PMU:
        *ret = -shim_injected(vm, has ? "has-set-pmu" : "set-pmu");
        break;
    case SET_NR_COUNTERS:
        *ret = -shim_injected(vm, has ? "has-nr-counters" : "nr-counters");
        break;
    default:
        *ret = 0;
    }
    if (!*ret && !has && attr->attr == KVM_ARM_VCPU_PMU_V3_SET_PMU) {
        shim_log("%sset-pmu %d", vm->scratch ? "scratch-" : "",
                 *(int *)(uintptr_t)attr->addr);
        vm->pmu_set = true;
    }
    return *ret;
}

/* What a vCPU's register is if KVM is another: see shim.c */
static bool get_register(ShimVCPU *vcpu, const struct kvm_one_reg *reg,
                         int *ret)
{
    uint64_t version, *value = (uint64_t *)(uintptr_t)reg->addr;

    if (reg->id != ID_AA64DFR0 || !shim_number("pmuver=", &version)) {
        return false;
    }
    *ret = shim_ioctl(vcpu->fd, KVM_GET_ONE_REG, (void *)reg);
    *value = (*value & ~(15ull << PMUVER_SHIFT)) | version << PMUVER_SHIFT;
    return true;
}

static bool set_register(ShimVCPU *vcpu, const struct kvm_one_reg *reg,
                         int *ret)
{
    uint64_t value = *(uint64_t *)(uintptr_t)reg->addr, old = 0;
    struct kvm_one_reg changed = { reg->id, (uintptr_t)&value };
    struct kvm_one_reg before = { reg->id, (uintptr_t)&old };

    if (reg->id != PMCR || !shim_asked_for("keeps-counters")) {
        return false;
    }
    shim_ioctl(vcpu->fd, KVM_GET_ONE_REG, &before);
    value = (value & ~(uint64_t)PMCR_N) | (old & PMCR_N);
    *ret = shim_ioctl(vcpu->fd, KVM_SET_ONE_REG, &changed);
    return true;
}

bool shim_pmu_ioctl(ShimVM *vm, unsigned index, unsigned long request,
                    void *arg, int *ret)
{
    const struct kvm_vcpu_init *init = arg;

    switch (request) {
    case KVM_HAS_DEVICE_ATTR:
    case KVM_SET_DEVICE_ATTR:
        return pmu_attr(vm, request, arg, ret);
    case KVM_ARM_VCPU_INIT:
        vm->pmu_feature = init->features[0] & 1 << KVM_ARM_VCPU_PMU_V3;
        break;
    case KVM_GET_ONE_REG:
    case KVM_GET_REG_LIST:
        /* QEMU knows a vCPU by its list; of a scratch one it only asks */
        if ((vm->scratch || request == KVM_GET_REG_LIST) && vm->pmu_feature &&
            !vm->pmu_set && shim_asked_for("pmu")) {
            shim_violation("registers are read before SET_PMU");
        }
        return request == KVM_GET_ONE_REG &&
               get_register(&vm->vcpu[index], arg, ret);
    case KVM_SET_ONE_REG:
        return set_register(&vm->vcpu[index], arg, ret);
    }
    return false;
}

bool shim_fail_entry(struct kvm_run *run)
{
    static bool done;
    uint64_t reason;

    if (!shim_number("fail-entry=", &reason) ||
        __atomic_exchange_n(&done, true, __ATOMIC_RELAXED)) {
        return false;
    }
    run->exit_reason = KVM_EXIT_FAIL_ENTRY;
    run->fail_entry.hardware_entry_failure_reason = reason;
    run->fail_entry.cpu = sched_getcpu();
    return true;
}

/* What sandboxes deny */
int pthread_setaffinity_np(pthread_t thread, size_t size,
                           const cpu_set_t *cpus)
{
    static int (*real)(pthread_t thread, size_t size, const cpu_set_t *cpus);

    if (!real) {
        *(void **)&real = dlsym(RTLD_NEXT, "pthread_setaffinity_np");
    }
    /* Not negative: it is not the kernel's interface */
    return shim_asked_for("no-affinity") ? EPERM : real(thread, size, cpus);
}
