/*
 * A KVM with rVIC, for tests: what the shim's files share
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef RVIC_SHIM_H
#define RVIC_SHIM_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/kvm.h>

enum { SHIM_VCPUS = 512, SHIM_MAX_INPUTS = 2048, SHIM_SLOTS = 512 };

typedef struct ShimVCPU {
    int fd;
    struct kvm_run *run;
    bool pmu_irq;
    /* what KVM was told of the vCPU's IRQ */
    bool irq;
    /* SPE: KVM_ARM_VCPU_INIT asked for it; its attributes, 0 before */
    bool spe;
    int spe_irq;
    bool spe_init;
    /* it has run since then */
    bool spe_ran;
    /* its thread is in KVM_RUN */
    bool in_run;
} ShimVCPU;

typedef struct ShimSlot {
    struct kvm_userspace_memory_region region;
    bool locked;
} ShimSlot;

typedef struct ShimVM {
    int fd;
    /* not the process's first: such are thrown away */
    bool scratch;
    bool has_run;
    /* the PMU: vCPUs have one; it is chosen */
    bool pmu_feature, pmu_set;
    /* the rVIC: it exists; NR_IRQS, 0 before; INIT is done */
    bool rvic;
    uint32_t numbers;
    bool initialised;
    int timer_irq[2];
    /* SPE: the GIC's INIT is done; FINALIZE is done; memory */
    bool gic_init;
    bool spe_final;
    ShimSlot slot[SHIM_SLOTS];
    unsigned num_vcpus;
    ShimVCPU vcpu[SHIM_VCPUS];
    /* levels that KVM_IRQ_LINE has set */
    bool input[SHIM_MAX_INPUTS];
} ShimVM;

/* ioctl() of libc */
int shim_ioctl(int fd, unsigned long request, void *arg);

/* A line for the test that started this */
void shim_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* QEMU did what it must not: say so and abort */
void shim_violation(const char *format, ...)
    __attribute__((format(printf, 1, 2), noreturn));

/* The errno that the test wants for a step, or 0 */
int shim_injected(const ShimVM *vm, const char *step);

/* A whole word of the environment's RVIC_SHIM */
bool shim_asked_for(const char *word);

/* Returns what is behind @start in the word of RVIC_SHIM that begins so */
const char *shim_find_word(const char *start);

/* The number behind the word of RVIC_SHIM that begins so */
bool shim_number(const char *word, uint64_t *number);

unsigned shim_num_inputs(const ShimVM *vm);

/*
 * What follows is called with the lock held, unless it says otherwise. Those
 * that stand for an ioctl return 0 or a negative errno.
 */
void shim_lock(void);
void shim_unlock(void);

/* shim_rvic.c: the rules of the interface */
int shim_create_rvic(ShimVM *vm);
int shim_rvic_attr(ShimVM *vm, unsigned long request,
                   const struct kvm_device_attr *attr);
/* Returns whether it was the shim's to answer, which is in @ret then */
bool shim_vcpu_attr(ShimVM *vm, unsigned index, unsigned long request,
                    const struct kvm_device_attr *attr, int *ret);
int shim_irq_line(ShimVM *vm, const struct kvm_irq_level *line);
/* A vCPU is about to run */
void shim_check_run(ShimVM *vm);

/*
 * shim_pmu.c: whether a vCPU's ioctl was the shim's to answer, which is in @ret
 * then; whether KVM_RUN fails, without the lock
 */
bool shim_pmu_ioctl(ShimVM *vm, unsigned index, unsigned long request,
                    void *arg, int *ret);
bool shim_fail_entry(struct kvm_run *run);

/*
 * shim_spe.c: SPE. Those that return a bool return whether it was the shim's to
 * answer, which is in @ret then.
 */
bool shim_spe_capability(unsigned cap, int *ret);
bool shim_spe_vcpu_init(ShimVM *vm, unsigned index,
                        const struct kvm_vcpu_init *init, int *ret);
bool shim_spe_vcpu_attr(ShimVM *vm, unsigned index, unsigned long request,
                        const struct kvm_device_attr *attr, int *ret);
bool shim_spe_vm_ioctl(ShimVM *vm, unsigned long request, void *arg, int *ret);
bool shim_spe_set_reg(ShimVM *vm, unsigned index,
                      const struct kvm_one_reg *reg, int *ret);
/* KVM has given a register to QEMU */
void shim_spe_got_reg(const ShimVM *vm, unsigned index,
                      const struct kvm_one_reg *reg);
/* KVM has made, changed or taken away a memory slot */
void shim_spe_set_slot(ShimVM *vm,
                       const struct kvm_userspace_memory_region *region);
/* Before the vCPU is there */
void shim_spe_check_create(const ShimVM *vm);
/* A vCPU is about to run. Returns whether KVM refuses, as @run has it. */
bool shim_spe_check_run(ShimVM *vm, unsigned index);

/* shim_engine.c: the reference model as KVM's rVIC, for one machine */
void shim_engine_init(ShimVM *vm);
void shim_engine_edge(unsigned input);
int shim_engine_irqfd(const struct kvm_irqfd *irqfd);
/* KVM has forgotten the vCPU's IRQ */
void shim_engine_vcpu_init(unsigned index);
/* KVM_RUN, as ioctl() returns and with errno; without the lock */
int shim_engine_run(ShimVM *vm, unsigned index);

#endif
