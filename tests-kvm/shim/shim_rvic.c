/*
 * A KVM with rVIC, for tests: the rules of the interface
 *
 * They are those of the patch series "rVIC/rVID PV interrupt controller" for
 * KVM, of September 2020. An order or a value against the rules is an error
 * that KVM returns; here it also is a mistake of QEMU, unless a test asked for
 * the error.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include "shim.h"

enum { GRP_NR_IRQS, GRP_INIT };

/* What a guest finds in its device tree */
enum { PMU_IRQ = 23, VTIMER_IRQ = 27, PTIMER_IRQ = 30 };

int shim_create_rvic(ShimVM *vm)
{
    int injected = shim_injected(vm, "create");

    if (injected) {
        return -injected;
    }
    if (vm->rvic) {
        shim_violation("a second interrupt controller");
    }
    if (vm->has_run) {
        shim_violation("an interrupt controller after a vCPU has run");
    }
    vm->rvic = true;
    return 0;
}

static int set_numbers(ShimVM *vm, const uint32_t *value)
{
    int injected = shim_injected(vm, "nr-irqs");
    unsigned trusted = *value & 0xffff, total = *value >> 16;

    shim_log("%snr-irqs %u %u", vm->scratch ? "scratch-" : "", trusted, total);
    if (injected) {
        return -injected;
    }
    if (vm->numbers) {
        shim_violation("NR_IRQS for a second time");
    }
    /* KVM itself accepts trusted == total */
    if (trusted < 32 || total < 64 || trusted % 32 || total % 32 ||
        total > 2048 || trusted >= total) {
        shim_violation("NR_IRQS of %u trusted in %u", trusted, total);
    }
    vm->numbers = *value;
    return 0;
}

static int init(ShimVM *vm)
{
    int injected = shim_injected(vm, "init");

    shim_log("init %u", vm->num_vcpus);
    if (injected) {
        return -injected;
    }
    if (!vm->numbers || vm->initialised || vm->has_run || !vm->num_vcpus) {
        shim_violation("INIT before NR_IRQS or vCPUs, or after a run or INIT");
    }
    vm->initialised = true;
    shim_engine_init(vm);
    return 0;
}

int shim_rvic_attr(ShimVM *vm, unsigned long request,
                   const struct kvm_device_attr *attr)
{
    uint32_t *value;

    if (request != KVM_HAS_DEVICE_ATTR && request != KVM_SET_DEVICE_ATTR &&
        request != KVM_GET_DEVICE_ATTR) {
        return -ENOTTY;
    }
    if (attr->group > GRP_INIT || attr->attr) {
        return -ENXIO;
    }
    value = (uint32_t *)(uintptr_t)attr->addr;
    if (request == KVM_HAS_DEVICE_ATTR) {
        return -shim_injected(vm, attr->group == GRP_INIT ? "has-init" :
                              "has-nr-irqs");
    }
    if (request == KVM_SET_DEVICE_ATTR) {
        return attr->group == GRP_INIT ? init(vm) : set_numbers(vm, value);
    }
    if (attr->group == GRP_INIT) {
        return -ENXIO;
    }
    *value = shim_asked_for("forgets") ? 0 : vm->numbers;
    return -shim_injected(vm, "get-nr-irqs");
}

static int set_timer(ShimVM *vm, unsigned timer, int irq)
{
    int injected = shim_injected(vm, "timer");

    shim_log("timer %u %d", timer, irq);
    if (injected) {
        return -injected;
    }
    if (!vm->initialised || vm->has_run ||
        irq != (timer ? PTIMER_IRQ : VTIMER_IRQ)) {
        shim_violation("interrupt %d for timer %u before INIT or after a run, "
                       "or not its own", irq, timer);
    }
    vm->timer_irq[timer] = irq;
    return 0;
}

static int set_pmu(ShimVM *vm, unsigned index, int irq)
{
    shim_log("pmu %u %d", index, irq);
    if (!vm->initialised || vm->has_run || vm->vcpu[index].pmu_irq ||
        irq != PMU_IRQ) {
        shim_violation("interrupt %d for PMU %u before INIT or after a run, "
                       "for a second time, or not its own", irq, index);
    }
    vm->vcpu[index].pmu_irq = true;
    return 0;
}

/* What KVM has only for virtual machines with an interrupt controller */
bool shim_vcpu_attr(ShimVM *vm, unsigned index, unsigned long request,
                    const struct kvm_device_attr *attr, int *ret)
{
    int *irq = (int *)(uintptr_t)attr->addr;
    bool timer = attr->group == KVM_ARM_VCPU_TIMER_CTRL &&
                 attr->attr <= KVM_ARM_VCPU_TIMER_IRQ_PTIMER;
    bool pmu = attr->group == KVM_ARM_VCPU_PMU_V3_CTRL;

    if (!vm->rvic) {
        return false;
    }
    if (pmu && attr->attr == KVM_ARM_VCPU_PMU_V3_INIT &&
        request == KVM_SET_DEVICE_ATTR && !vm->vcpu[index].pmu_irq) {
        shim_violation("PMU %u is initialised without an interrupt", index);
    }
    if (!timer && !(pmu && attr->attr == KVM_ARM_VCPU_PMU_V3_IRQ)) {
        return false;
    }
    *ret = request == KVM_HAS_DEVICE_ATTR ? 0 :
           request == KVM_GET_DEVICE_ATTR ? -ENXIO :
           timer ? set_timer(vm, attr->attr, *irq) : set_pmu(vm, index, *irq);
    return true;
}

int shim_irq_line(ShimVM *vm, const struct kvm_irq_level *line)
{
    unsigned type = line->irq >> KVM_ARM_IRQ_TYPE_SHIFT &
                    KVM_ARM_IRQ_TYPE_MASK;
    unsigned input = line->irq & KVM_ARM_IRQ_NUM_MASK;

    if (type != KVM_ARM_IRQ_TYPE_SPI) {
        shim_violation("KVM_IRQ_LINE of type %u", type);
    }
    if (!vm->initialised || input >= shim_num_inputs(vm)) {
        shim_violation("KVM_IRQ_LINE of input %u, of %u", input,
                       vm->initialised ? shim_num_inputs(vm) : 0);
    }
    /* QEMU must not count on each 1 being an edge */
    if (line->level && !vm->input[input]) {
        shim_engine_edge(input);
    }
    vm->input[input] = line->level;
    return 0;
}

void shim_check_run(ShimVM *vm)
{
    if (vm->has_run) {
        return;
    }
    if (vm->rvic && (!vm->initialised || !vm->timer_irq[0] ||
                     !vm->timer_irq[1])) {
        shim_violation("a vCPU runs before INIT, or before its timers have "
                       "interrupts");
    }
    vm->has_run = true;
}
