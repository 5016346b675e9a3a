/*
 * A KVM with SPE, for tests: the rules of its interfaces
 *
 * They are those of the patch series "KVM: arm64: Add Statistical Profiling
 * Extension (SPE) support", version 3 of October 2020 and version 5 of November
 * 2021. An order or a value against the rules is an error that KVM returns;
 * here it is a mistake of QEMU, unless a test asked for the error.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "shim.h"

enum { FEATURE = 7, GRP_SPE = 3, SPE_IRQ = 0, SPE_INIT = 1, SPE_STOP = 2 };

/* Of v3: the virtual machine's FINALIZE */
enum { VM_GRP_SPE = 0, SPE_FINALIZE = 0 };

/* Of v5: flags, and what accesses the memory is locked for */
enum { CAP_V3 = 191, CAP_LOCK = 207, CAP_V5 = 208, LOCK = 1, READ_WRITE = 3 };

#define ID_AA64DFR0 ARM64_SYS_REG(3, 0, 0, 5, 0)
#define PMSVER_SHIFT 32
#define PMSVER_MASK (UINT64_C(0xf) << PMSVER_SHIFT)

/* Not what QEMU could think of by itself */
#define PMSVER UINT64_C(2)

/* 3, 5, or 0 if there is no SPE */
static unsigned interface(void)
{
    const char *word = shim_find_word("spe=v");

    return word ? atoi(word) : 0;
}

bool shim_spe_capability(unsigned cap, int *ret)
{
    bool v3 = interface() == 3, v5 = interface() == 5;

    if ((v3 && cap == CAP_V3) || (v5 && cap == CAP_V5)) {
        *ret = !shim_asked_for("no-spe-cap");
        return true;
    }
    if (v5 && cap == CAP_LOCK) {
        *ret = !shim_asked_for("no-lock-cap");
        return true;
    }
    return false;
}

void shim_spe_check_create(const ShimVM *vm)
{
    if (vm->num_vcpus && vm->vcpu[0].spe_irq) {
        shim_violation("a vCPU after SPE of another has an interrupt");
    }
}

bool shim_spe_vcpu_init(ShimVM *vm, unsigned index,
                        const struct kvm_vcpu_init *init, int *ret)
{
    struct kvm_vcpu_init without = *init;
    ShimVCPU *vcpu = &vm->vcpu[index];

    if (!interface()) {
        return false;
    }
    vcpu->spe = init->features[0] & 1u << FEATURE;
    if (vcpu->spe) {
        *ret = -shim_injected(vm, "vcpu-init");
        if (*ret) {
            return true;
        }
    }
    /* What FINALIZE has done is undone by each reset */
    vm->spe_final = false;
    vcpu->spe_ran = false;
    without.features[0] &= ~(1u << FEATURE);
    *ret = shim_ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &without) < 0 ? -errno : 0;
    return true;
}

static bool all_have_spe(const ShimVM *vm)
{
    for (unsigned n = 0; n < vm->num_vcpus; n++) {
        if (!vm->vcpu[n].spe) {
            return false;
        }
    }
    return true;
}

static int set_irq(ShimVM *vm, unsigned index, const int *irq)
{
    int injected = shim_injected(vm, "spe-irq");
    ShimVCPU *vcpu = &vm->vcpu[index];

    shim_log("spe-irq %u %d", index, *irq);
    if (injected) {
        return -injected;
    }
    if (vcpu->spe_irq || vm->has_run || !all_have_spe(vm)) {
        shim_violation("SPE's interrupt of vCPU %u for a second time, after a "
                       "run, or while another has no SPE", index);
    }
    if (*irq < 16 || *irq > 31) {
        shim_violation("SPE's interrupt of vCPU %u is %d", index, *irq);
    }
    for (unsigned n = 0; n < vm->num_vcpus; n++) {
        if (vm->vcpu[n].spe_irq && vm->vcpu[n].spe_irq != *irq) {
            shim_violation("SPE's interrupt of vCPU %u is %d, that of %u is "
                           "%d", index, *irq, n, vm->vcpu[n].spe_irq);
        }
    }
    vcpu->spe_irq = *irq;
    return 0;
}

static int init(ShimVM *vm, unsigned index)
{
    int injected = shim_injected(vm, "spe-init");
    ShimVCPU *vcpu = &vm->vcpu[index];

    shim_log("spe-init %u", index);
    if (injected) {
        return -injected;
    }
    if (vcpu->spe_init || vm->has_run || !vcpu->spe_irq || !vm->gic_init) {
        shim_violation("SPE's INIT of vCPU %u for a second time, after a run, "
                       "or before its interrupt or the GIC's INIT", index);
    }
    vcpu->spe_init = true;
    return 0;
}

bool shim_spe_vcpu_attr(ShimVM *vm, unsigned index, unsigned long request,
                        const struct kvm_device_attr *attr, int *ret)
{
    unsigned last = interface() == 3 ? SPE_INIT : SPE_STOP;

    if (!interface() || attr->group != GRP_SPE) {
        return false;
    }
    if (!vm->vcpu[index].spe || attr->attr > last) {
        *ret = -ENXIO;
    } else if (request == KVM_HAS_DEVICE_ATTR) {
        *ret = attr->attr == SPE_IRQ ? -shim_injected(vm, "has-spe-irq") :
               attr->attr == SPE_INIT ? -shim_injected(vm, "has-spe-init") : 0;
    } else if (request == KVM_GET_DEVICE_ATTR || attr->attr == SPE_STOP) {
        shim_violation("attribute %u of SPE is got or stopped",
                       (unsigned)attr->attr);
    } else {
        *ret = attr->attr == SPE_IRQ ?
               set_irq(vm, index, (const int *)(uintptr_t)attr->addr) :
               init(vm, index);
    }
    return true;
}

/* ---- Memory ---- */

void shim_spe_set_slot(ShimVM *vm,
                       const struct kvm_userspace_memory_region *region)
{
    ShimSlot *slot;
    bool same;

    /* The upper half of the number is an address space */
    if (region->slot >= SHIM_SLOTS) {
        shim_violation("memory slot %u", region->slot);
    }
    slot = &vm->slot[region->slot];
    same = slot->region.memory_size == region->memory_size &&
           slot->region.guest_phys_addr == region->guest_phys_addr &&
           slot->region.userspace_addr == region->userspace_addr;
    slot->region = *region;
    slot->locked &= same;
}

/* Whether each mapping of the process in that range is locked */
static bool is_mlocked(uint64_t start, uint64_t end)
{
    FILE *file = fopen("/proc/self/smaps", "re");
    uint64_t first, last, size = 0;
    bool inside = false;
    char line[512];

    while (fgets(line, sizeof(line), file)) {
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &first, &last) == 2) {
            inside = first < end && last > start;
        } else if (inside && !strncmp(line, "VmFlags:", 8) &&
                   strstr(line, " lo")) {
            size += (last < end ? last : end) - (first > start ? first : start);
        }
    }
    fclose(file);
    return size == end - start;
}

static int finalize(ShimVM *vm)
{
    int injected = shim_injected(vm, "spe-finalize");

    shim_log("spe-finalize");
    if (injected) {
        return -injected;
    }
    if (vm->spe_final) {
        shim_violation("FINALIZE for a second time");
    }
    for (unsigned n = 0; n < vm->num_vcpus; n++) {
        if (!vm->vcpu[n].spe_init) {
            shim_violation("FINALIZE before SPE of vCPU %u is initialised", n);
        }
    }
    for (unsigned n = 0; n < SHIM_SLOTS; n++) {
        const struct kvm_userspace_memory_region *region = &vm->slot[n].region;
        uint64_t start = region->userspace_addr;

        if (region->memory_size &&
            !is_mlocked(start, start + region->memory_size)) {
            shim_violation("FINALIZE before memory slot %u is locked", n);
        }
    }
    vm->spe_final = true;
    return 0;
}

static int lock(ShimVM *vm, const struct kvm_enable_cap *cap)
{
    int injected = shim_injected(vm, "spe-lock");
    const struct kvm_userspace_memory_region *region;

    if (cap->flags != LOCK || cap->args[0] >= SHIM_SLOTS ||
        cap->args[1] != READ_WRITE || cap->args[2] || cap->args[3]) {
        shim_violation("locking of slot %" PRIu64 " with flags %u, %" PRIu64,
                       (uint64_t)cap->args[0], cap->flags,
                       (uint64_t)cap->args[1]);
    }
    for (unsigned n = 0; n < vm->num_vcpus; n++) {
        if (vm->vcpu[n].in_run) {
            shim_violation("memory is locked while vCPU %u runs", n);
        }
    }
    region = &vm->slot[cap->args[0]].region;
    shim_log("spe-lock 0x%" PRIx64 " 0x%" PRIx64,
             (uint64_t)region->guest_phys_addr, (uint64_t)region->memory_size);
    if (injected) {
        return -injected;
    }
    if (!region->memory_size || region->flags & KVM_MEM_READONLY ||
        vm->slot[cap->args[0]].locked) {
        shim_violation("slot %" PRIu64 " is locked, or cannot be",
                       (uint64_t)cap->args[0]);
    }
    /* KVM goes by the same limit */
    if (mlock((void *)(uintptr_t)region->userspace_addr,
              region->memory_size) < 0) {
        return -errno;
    }
    vm->slot[cap->args[0]].locked = true;
    return 0;
}

bool shim_spe_vm_ioctl(ShimVM *vm, unsigned long request, void *arg, int *ret)
{
    const struct kvm_device_attr *attr = arg;
    const struct kvm_enable_cap *cap = arg;

    if (request == KVM_CHECK_EXTENSION) {
        return shim_spe_capability((uintptr_t)arg, ret);
    }
    if (interface() == 3 && request == KVM_SET_DEVICE_ATTR &&
        attr->group == VM_GRP_SPE && attr->attr == SPE_FINALIZE) {
        *ret = finalize(vm);
        return true;
    }
    if (interface() == 3 && request == KVM_HAS_DEVICE_ATTR &&
        attr->group == VM_GRP_SPE && attr->attr == SPE_FINALIZE) {
        *ret = -shim_injected(vm, "has-spe-finalize");
        return true;
    }
    if (interface() == 5 && request == KVM_ENABLE_CAP && cap->cap == CAP_LOCK) {
        *ret = lock(vm, cap);
        return true;
    }
    return false;
}

/* ---- The ID register, in which a KVM without SPE has none ---- */

static bool is_dfr0(const ShimVM *vm, unsigned index,
                    const struct kvm_one_reg *reg)
{
    return interface() && reg->id == ID_AA64DFR0 && vm->vcpu[index].spe &&
           !shim_asked_for("no-pmsver");
}

void shim_spe_got_reg(const ShimVM *vm, unsigned index,
                      const struct kvm_one_reg *reg)
{
    uint64_t *value = (uint64_t *)(uintptr_t)reg->addr;

    if (is_dfr0(vm, index, reg)) {
        *value = (*value & ~PMSVER_MASK) | PMSVER << PMSVER_SHIFT;
    }
}

bool shim_spe_set_reg(ShimVM *vm, unsigned index,
                      const struct kvm_one_reg *reg, int *ret)
{
    struct kvm_one_reg without = *reg;
    uint64_t value;

    if (!is_dfr0(vm, index, reg)) {
        return false;
    }
    value = *(uint64_t *)(uintptr_t)reg->addr;
    if ((value & PMSVER_MASK) != PMSVER << PMSVER_SHIFT) {
        shim_violation("ID_AA64DFR0_EL1 is to be 0x%" PRIx64, value);
    }
    value &= ~PMSVER_MASK;
    without.addr = (uintptr_t)&value;
    *ret = shim_ioctl(vm->vcpu[index].fd, KVM_SET_ONE_REG, &without) < 0 ?
           -errno : 0;
    return true;
}

/* ---- Running ---- */

bool shim_spe_check_run(ShimVM *vm, unsigned index)
{
    const char *only = shim_find_word("spe-cpu=");
    struct kvm_run *run = vm->vcpu[index].run;

    if (!vm->vcpu[index].spe) {
        return false;
    }
    for (unsigned n = 0; n < vm->num_vcpus; n++) {
        if (!vm->vcpu[n].spe || !vm->vcpu[n].spe_init) {
            shim_violation("vCPU %u runs before SPE of %u is initialised",
                           index, n);
        }
    }
    if (interface() == 3) {
        if (!vm->spe_final) {
            shim_violation("vCPU %u runs before FINALIZE", index);
        }
        return false;
    }
    /* What appears while it runs is locked a moment later */
    for (unsigned n = 0; n < SHIM_SLOTS && !vm->vcpu[index].spe_ran; n++) {
        const ShimSlot *slot = &vm->slot[n];

        if (slot->region.memory_size && !slot->locked &&
            !(slot->region.flags & KVM_MEM_READONLY)) {
            shim_violation("vCPU %u runs before memory slot %u is locked",
                           index, n);
        }
    }
    vm->vcpu[index].spe_ran = true;
    if (only && sched_getcpu() != atoi(only)) {
        run->exit_reason = KVM_EXIT_FAIL_ENTRY;
        run->fail_entry.hardware_entry_failure_reason =
            KVM_EXIT_FAIL_ENTRY_CPU_UNSUPPORTED;
        run->fail_entry.cpu = sched_getcpu();
        return true;
    }
    return false;
}
