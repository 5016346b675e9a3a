/*
 * Arm rVIC and rVID with KVM
 *
 * Two ways. A KVM with rVIC and rVID of its own does all by itself; such
 * kernels were posted to the mailing lists in 2020 and never released. Any
 * other since Linux 6.4 keeps the hypercalls that it knows and forwards those
 * of rVIC and rVID, whose devices are QEMU's then.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include "qemu/log.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "qapi/error.h"
#include "hw/arm/bsa.h"
#include "hw/irq.h"
#include "system/kvm.h"
#include "system/kvm_int.h"
#include "target/arm/cpu.h"
#include "target/arm/kvm_arm.h"
#include "rvic/hw-intc/arm_rvic.h"
#include "rvic/hw-intc/arm_rvic_hypercall.h"
#include "kvm_reasons.h"
#include "kvm_rvic.h"

#define KVM_REG_X(n) \
    (KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | \
     (KVM_REG_ARM_CORE_REG(regs.regs[0]) + (n) * 2))

/* ---- rVIC and rVID in KVM ---- */

/*
 * The type of the device was to be the next free number of its kernel, which
 * means other devices in released ones. So the number says nothing.
 */
#define RVIC_FIRST_TYPE     11
#define RVIC_LAST_TYPE      63

/* The device's attribute groups; each has the one attribute 0 */
#define RVIC_GRP_NR_IRQS    0
#define RVIC_GRP_INIT       1

/* NR_IRQS: trusted INTIDs in the lower half, all in the upper half */
#define RVIC_NR_IRQS(trusted, untrusted) \
    (((uint32_t)(trusted) + (untrusted)) << 16 | (trusted))

/* The virtual machine's device, once it is created */
static int rvic_fd = -1;

/* Inputs that are MSIs: first, and first that is none any more */
static uint32_t rvic_msi_first, rvic_msi_end;

static void refuse(Error **errp, const char *what, int err,
                   const KVMReason *reasons)
{
    error_setg(errp, "irqchip=rvic: %s KVM's rVIC: %s: use kernel-irqchip=off "
               "for QEMU's own, or irqchip=gic", what,
               kvm_arm_reason(err, reasons));
}

/* Errors are those of KVM_CREATE_VM. The caller closes the returned file. */
static int create_scratch_vm(void)
{
    int ipa_bits = kvm_check_extension(kvm_state, KVM_CAP_ARM_VM_IPA_SIZE);
    int vm;

    do {
        vm = kvm_ioctl(kvm_state, KVM_CREATE_VM, MAX(ipa_bits, 0));
    } while (vm == -EINTR);
    return vm;
}

/*
 * Whether devices of a type behave like KVM's rVIC. A device cannot be taken
 * out of a virtual machine again, so each gets one that is thrown away.
 */
static bool type_is_rvic(uint32_t type)
{
    struct kvm_create_device device = { .type = type };
    uint32_t numbers = RVIC_NR_IRQS(64, 96), read_back = 0;
    bool found = false;
    int vm = create_scratch_vm();

    if (vm < 0) {
        return false;
    }
    if (ioctl(vm, KVM_CREATE_DEVICE, &device) >= 0) {
        found = kvm_device_check_attr(device.fd, RVIC_GRP_NR_IRQS, 0) &&
                kvm_device_check_attr(device.fd, RVIC_GRP_INIT, 0) &&
                kvm_device_access(device.fd, RVIC_GRP_NR_IRQS, 0, &numbers,
                                  true, NULL) >= 0 &&
                kvm_device_access(device.fd, RVIC_GRP_NR_IRQS, 0, &read_back,
                                  false, NULL) >= 0 &&
                read_back == numbers;
        close(device.fd);
    }
    close(vm);
    return found;
}

/* Returns: the type of KVM's rVIC, or 0 if it has none */
static uint32_t find_rvic_type(void)
{
    for (uint32_t type = RVIC_FIRST_TYPE; type <= RVIC_LAST_TYPE; type++) {
        if (kvm_create_device(kvm_state, type, true) >= 0 &&
            type_is_rvic(type)) {
            return type;
        }
    }
    return 0;
}

static bool create_rvic(uint32_t type, Error **errp)
{
    static const KVMReason reasons[] = {
        { EEXIST, "the virtual machine has another interrupt controller" },
        { EBUSY, "a vCPU has run already" },
        { ENODEV, "it is gone" },
        {}
    };
    int fd = kvm_create_device(kvm_state, type, false);

    if (fd < 0) {
        refuse(errp, "cannot create", -fd, reasons);
        return false;
    }
    rvic_fd = fd;
    return true;
}

bool kvm_arm_rvic_finalize_irqchip(Error **errp)
{
    uint32_t type = kvm_irqchip_in_kernel() ? find_rvic_type() : 0;

    if (type) {
        return create_rvic(type, errp);
    }
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

static bool set_num_irqs(uint32_t trusted, uint32_t untrusted, Error **errp)
{
    static const KVMReason reasons[] = {
        { EBUSY, "they are set already" },
        { EFAULT, "it cannot read them" },
        { EINVAL, "it does not take these" },
        {}
    };
    uint32_t numbers = RVIC_NR_IRQS(trusted, untrusted);
    int ret = kvm_device_access(rvic_fd, RVIC_GRP_NR_IRQS, 0, &numbers, true,
                                NULL);

    if (ret < 0) {
        g_autofree char *what =
            g_strdup_printf("cannot set the numbers (%u trusted and %u "
                            "untrusted interrupts) of", trusted, untrusted);

        refuse(errp, what, -ret, reasons);
        return false;
    }
    return true;
}

/*
 * These are KVM's defaults, but said aloud. One vCPU stands for all. A KVM
 * without the attribute has no other interrupts for its timers.
 */
static bool set_timer_irqs(Error **errp)
{
    static const struct {
        uint32_t attr;
        int intid;
        const char *name;
    } timers[] = {
        { KVM_ARM_VCPU_TIMER_IRQ_VTIMER, ARCH_TIMER_VIRT_IRQ, "virtual" },
        { KVM_ARM_VCPU_TIMER_IRQ_PTIMER, ARCH_TIMER_NS_EL1_IRQ, "physical" },
    };

    for (unsigned n = 0; n < ARRAY_SIZE(timers); n++) {
        int intid = timers[n].intid;
        struct kvm_device_attr attr = {
            .group = KVM_ARM_VCPU_TIMER_CTRL,
            .attr = timers[n].attr,
            .addr = (uintptr_t)&intid,
        };
        int ret;

        if (kvm_vcpu_ioctl(first_cpu, KVM_HAS_DEVICE_ATTR, &attr) < 0) {
            continue;
        }
        ret = kvm_vcpu_ioctl(first_cpu, KVM_SET_DEVICE_ATTR, &attr);
        if (ret < 0) {
            error_setg(errp, "irqchip=rvic: KVM does not take interrupt %d "
                       "for the %s timer: %s: use kernel-irqchip=off for "
                       "QEMU's own rVIC, or irqchip=gic", intid,
                       timers[n].name, strerror(-ret));
            return false;
        }
    }
    return true;
}

bool kvm_arm_rvic_init(uint32_t num_trusted, uint32_t num_untrusted,
                       Error **errp)
{
    static const KVMReason reasons[] = {
        { ENXIO, "its numbers of interrupts are not set" },
        { EBUSY, "it is initialised already, or a vCPU has run" },
        {}
    };
    int ret;

    if (!set_num_irqs(num_trusted, num_untrusted, errp)) {
        return false;
    }
    ret = kvm_device_access(rvic_fd, RVIC_GRP_INIT, 0, NULL, true, NULL);
    if (ret < 0) {
        refuse(errp, "cannot initialise", -ret, reasons);
        return false;
    }
    return set_timer_irqs(errp);
}

void kvm_arm_rvic_enable_msis(uint32_t first, uint32_t end)
{
    rvic_msi_first = first;
    rvic_msi_end = end;

    kvm_gsi_direct_mapping = true;
    kvm_msi_via_irqfd_allowed = kvm_irqfds_enabled();
    /* There is no end of interrupt that KVM could tell anyone of */
    kvm_resamplefds_allowed = false;
}

bool kvm_arm_rvic_in_kernel(void)
{
    return rvic_fd >= 0;
}

int kvm_arm_rvic_msi_data_to_gsi(uint32_t data)
{
    return data >= rvic_msi_first && data < rvic_msi_end ? data :
           RVIC_MAX_INTIDS;
}

static void set_input(uint32_t input, bool level)
{
    struct kvm_irq_level line = {
        .irq = KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT | input,
        .level = level,
    };

    /* It is the guest who maps inputs */
    if (kvm_vm_ioctl(kvm_state, KVM_IRQ_LINE, &line) < 0) {
        qemu_log_mask(LOG_GUEST_ERROR, "rVID: KVM does not take a signal of "
                      "input %" PRIu32 "\n", input);
    }
}

void kvm_arm_rvic_signal(uint32_t input)
{
    /* As KVM's irqfds do it: whether a 1 or a rise counts, this is one edge */
    set_input(input, true);
    set_input(input, false);
}

/* ---- rVIC and rVID in QEMU ---- */

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
        error_setg(errp, "irqchip=rvic: KVM does not forward the hypercalls "
                   "0x%" PRIx32 " to 0x%" PRIx32 ": %s: use '-accel tcg' or "
                   "irqchip=gic", base, base + count - 1, strerror(-ret));
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
    /* KVM's guests have HVC for conduit */
    bool hvc = !(run->hypercall.flags & KVM_HYPERCALL_EXIT_SMC);
    bool done = false;
    int ret;

    if (rvic_cpu && hvc) {
        ret = get_args(cs, arm_rvic_hypercall_num_args(function), arg);
        if (ret < 0) {
            return ret;
        }
        done = arm_rvic_hypercall(rvic_cpu->rvic, rvic_cpu->index, function,
                                  arg, result);
    }
    if (!done) {
        qemu_log_mask(LOG_GUEST_ERROR, "CPU %d: %s call 0x%" PRIx32 ": not "
                      "supported\n", cs->cpu_index, hvc ? "HVC" : "SMC",
                      function);
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
    run->s.regs.device_irq_level = cpu->device_irq_level;
}

/*
 * The IRQ input of a vCPU. KVM has its state, the bit of KVM_IRQ_LINE, in a
 * word that it also changes, and not atomically, whenever it loads the vCPU: to
 * run it, to access a register, when its thread is scheduled. What another
 * thread does to the bit at that moment is undone. So the vCPU's thread lowers
 * the input, which is seldom another's business. Others raise it at once,
 * since most interrupts come from there, and again after a while, as long as
 * it is high, since the first time may have been undone.
 */
typedef struct RVICIRQ {
    CPUState *cs;
    qemu_irq input;
    bool level;
    bool queued;        /* the vCPU's thread is going to look at the level */
    QEMUTimer again;
    int64_t again_ms;
} RVICIRQ;

/*
 * Once in some thousands of interrupts, this is how late one is. A line that
 * stays high, such as that of a vCPU that is off, must cost little.
 */
#define AGAIN_MIN_MS 5
#define AGAIN_MAX_MS 1000

static void drive_irq(const RVICIRQ *irq)
{
    qemu_set_irq(irq->input, irq->level);
}

static void drive_irq_in_thread(CPUState *cs, run_on_cpu_data data)
{
    RVICIRQ *irq = data.host_ptr;

    irq->queued = false;
    drive_irq(irq);
}

static void drive_irq_after(RVICIRQ *irq, int64_t ms)
{
    irq->again_ms = ms;
    timer_mod(&irq->again, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + ms);
}

static void drive_irq_again(void *opaque)
{
    RVICIRQ *irq = opaque;

    if (irq->level) {
        drive_irq(irq);
        drive_irq_after(irq, MIN(2 * irq->again_ms, AGAIN_MAX_MS));
    }
}

static void set_irq(void *opaque, int n, int level)
{
    RVICIRQ *irq = opaque;

    g_assert(bql_locked());

    irq->level = level;
    if (qemu_cpu_is_self(irq->cs)) {
        drive_irq(irq);
    } else if (level) {
        drive_irq(irq);
        if (!timer_pending(&irq->again) || irq->again_ms > AGAIN_MIN_MS) {
            drive_irq_after(irq, AGAIN_MIN_MS);
        }
    } else if (!irq->queued) {
        irq->queued = true;
        async_run_on_cpu(irq->cs, drive_irq_in_thread,
                         RUN_ON_CPU_HOST_PTR(irq));
    }
}

qemu_irq kvm_arm_rvic_irq(ARMCPU *cpu)
{
    RVICIRQ *irq = g_new0(RVICIRQ, 1);
    qemu_irq output = qemu_allocate_irq(set_irq, irq, 0);

    irq->cs = CPU(cpu);
    irq->input = qdev_get_gpio_in(DEVICE(cpu), ARM_CPU_IRQ);
    timer_init_ms(&irq->again, QEMU_CLOCK_REALTIME, drive_irq_again, irq);
    object_property_add_child(OBJECT(cpu), "rvic-irq", OBJECT(output));
    object_unref(OBJECT(output));
    return output;
}
