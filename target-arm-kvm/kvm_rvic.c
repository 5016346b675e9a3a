/*
 * Arm rVIC and rVID with KVM
 *
 * KVM keeps the hypercalls that it knows and forwards those of rVIC and rVID,
 * whose devices are QEMU's then. Any kernel can do so since Linux 6.4.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include <sys/utsname.h>
#include "qemu/log.h"
#include "qemu/main-loop.h"
#include "qapi/error.h"
#include "hw/arm/bsa.h"
#include "hw/irq.h"
#include "system/kvm.h"
#include "system/kvm_int.h"
#include "target/arm/cpu.h"
#include "rvic/hw-intc/arm_rvic.h"
#include "rvic/hw-intc/arm_rvic_hypercall.h"
#include "kvm_rvic.h"

/* The instruction of a call: KVM's guests have HVC for conduit */
#define HYPERCALL_IS_HVC(run) \
    (!((run)->hypercall.flags & KVM_HYPERCALL_EXIT_SMC))

#define KVM_REG_X(n) \
    (KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | \
     (KVM_REG_ARM_CORE_REG(regs.regs[0]) + (n) * 2))

bool kvm_arm_rvic_finalize_irqchip(Error **errp)
{
    if (kvm_kernel_irqchip_required()) {
        error_setg(errp, "irqchip=rvic: this host's KVM has no rVIC: use "
                   "kernel-irqchip=off for QEMU's own, or irqchip=gic");
        return false;
    }

    /*
     * QEMU takes it for granted that a KVM that can create devices will have
     * the interrupt controller among them.
     */
    kvm_kernel_irqchip = false;
    return true;
}

static bool forward_calls(uint32_t base, uint32_t count, Error **errp)
{
    struct kvm_smccc_filter filter = {
        .base = base,
        .nr_functions = count,
        .action = KVM_SMCCC_FILTER_FWD_TO_USER,
    };
    struct kvm_device_attr attr = {
        .group = KVM_ARM_VM_SMCCC_CTRL,
        .attr = KVM_ARM_VM_SMCCC_FILTER,
        .addr = (uintptr_t)&filter,
    };
    int ret = kvm_vm_ioctl(kvm_state, KVM_SET_DEVICE_ATTR, &attr);

    if (ret < 0) {
        error_setg_errno(errp, -ret, "irqchip=rvic: KVM does not forward the "
                         "hypercalls 0x%" PRIx32 " to 0x%" PRIx32,
                         base, base + count - 1);
        return false;
    }
    return true;
}

bool kvm_arm_rvic_forward_calls(Error **errp)
{
    struct kvm_device_attr attr = {
        .group = KVM_ARM_VM_SMCCC_CTRL,
        .attr = KVM_ARM_VM_SMCCC_FILTER,
    };
    struct utsname host;

    if (kvm_vm_ioctl(kvm_state, KVM_HAS_DEVICE_ATTR, &attr) < 0) {
        uname(&host);
        error_setg(errp, "irqchip=rvic: KVM of this host's %s %s cannot "
                   "forward hypercalls (KVM_ARM_VM_SMCCC_FILTER): use "
                   "Linux 6.4 or newer, '-accel tcg', or irqchip=gic",
                   host.sysname, host.release);
        return false;
    }
    if (!kvm_arm_supports_user_irq()) {
        error_setg(errp, "irqchip=rvic: KVM of this host does not report the "
                   "timers to QEMU (KVM_CAP_ARM_USER_IRQ): use "
                   "'-accel tcg' or irqchip=gic");
        return false;
    }
    return forward_calls(RVIC_FN_BASE, RVIC_FN_RANGE, errp) &&
           forward_calls(RVID_FN_BASE, RVIC_FN_RANGE, errp);
}

/*
 * Each register costs a system call. Synchronizing all of them, as QEMU does
 * for other exits, costs hundreds.
 */
static int get_args(CPUState *cs, unsigned count, uint64_t arg[3])
{
    int ret = 0;

    for (unsigned n = 0; n < count && ret >= 0; n++) {
        ret = kvm_get_one_reg(cs, KVM_REG_X(1 + n), &arg[n]);
    }
    return ret;
}

static int set_results(CPUState *cs, unsigned count, uint64_t result[4])
{
    int ret = 0;

    for (unsigned n = 0; n < count && ret >= 0; n++) {
        ret = kvm_set_one_reg(cs, KVM_REG_X(n), &result[n]);
    }
    return ret;
}

int kvm_arm_rvic_handle_hypercall(ARMCPU *cpu, const struct kvm_run *run)
{
    CPUState *cs = CPU(cpu);
    const ARMRVICCPU *rvic_cpu = cpu->env.rvic;
    uint32_t function = run->hypercall.nr;
    uint64_t arg[3] = {}, result[4] = { RVIC_NOT_SUPPORTED };
    bool done = false;
    int ret;

    if (rvic_cpu && HYPERCALL_IS_HVC(run)) {
        ret = get_args(cs, arm_rvic_hypercall_num_args(function), arg);
        if (ret < 0) {
            return ret;
        }
        bql_lock();
        done = arm_rvic_hypercall(rvic_cpu->rvic, rvic_cpu->index, function,
                                  arg, result);
        bql_unlock();
    }
    if (!done) {
        qemu_log_mask(LOG_GUEST_ERROR, "CPU %d: %s call 0x%" PRIx32 ": not "
                      "supported\n", cs->cpu_index,
                      HYPERCALL_IS_HVC(run) ? "HVC" : "SMC", function);
    }
    /* Calls that are not ours may have anything in x1 to x3 */
    return set_results(cs, done ? 4 : 1, result);
}

void kvm_arm_rvic_set_lines(ARMCPU *cpu, uint32_t lines)
{
    static const struct {
        unsigned intid;
        uint8_t reported;
    } map[] = {
        { ARCH_TIMER_VIRT_IRQ, KVM_ARM_DEV_EL1_VTIMER },
        { ARCH_TIMER_NS_EL1_IRQ, KVM_ARM_DEV_EL1_PTIMER },
        { VIRTUAL_PMU_IRQ, KVM_ARM_DEV_PMU },
    };

    struct kvm_run *run = CPU(cpu)->kvm_run;

    cpu->device_irq_level = 0;
    for (unsigned n = 0; n < ARRAY_SIZE(map); n++) {
        if (lines & BIT(map[n].intid)) {
            cpu->device_irq_level |= map[n].reported;
        }
    }
    /*
     * KVM compares with this, and a vCPU that was kicked before it runs comes
     * back with this: else a line seems to fall, and its rise is an edge more.
     */
    if (run) {
        run->s.regs.device_irq_level = cpu->device_irq_level;
    }
}

/* The IRQ input of a vCPU */
typedef struct RVICIRQ {
    CPUState *cs;
    bool level;
    bool queued;        /* the vCPU's thread is going to look at the level */
} RVICIRQ;

static void drive_irq(const RVICIRQ *irq)
{
    qemu_set_irq(qdev_get_gpio_in(DEVICE(irq->cs), ARM_CPU_IRQ), irq->level);
}

static void drive_queued_irq(CPUState *cs, run_on_cpu_data data)
{
    RVICIRQ *irq = data.host_ptr;

    irq->queued = false;
    drive_irq(irq);
}

static void set_irq(void *opaque, int n, int level)
{
    RVICIRQ *irq = opaque;

    g_assert(bql_locked());

    irq->level = level;
    if (qemu_cpu_is_self(irq->cs)) {
        drive_irq(irq);
    } else if (!irq->queued) {
        irq->queued = true;
        async_run_on_cpu(irq->cs, drive_queued_irq, RUN_ON_CPU_HOST_PTR(irq));
    }
}

qemu_irq kvm_arm_rvic_irq(ARMCPU *cpu)
{
    RVICIRQ *irq = g_new0(RVICIRQ, 1);

    irq->cs = CPU(cpu);
    return qemu_allocate_irq(set_irq, irq, 0);
}
