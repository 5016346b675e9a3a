/*
 * A KVM with rVIC, for tests: the reference model does KVM's part
 *
 * The real KVM forwards the hypercalls and the lines of timers and PMUs to
 * user space, which is the shim here, and not QEMU, which never hears of it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include "../../tests-fuzz/rvic_model.h"
#include "shim.h"

static ShimVM *machine;
static RVICModel model;

static const uint64_t mpidr_el1 = KVM_REG_ARM64 | KVM_REG_SIZE_U64 |
    KVM_REG_ARM64_SYSREG | 3 << KVM_REG_ARM64_SYSREG_OP0_SHIFT | 5;

static void access_reg(const ShimVCPU *vcpu, unsigned long request,
                       uint64_t id, uint64_t *value)
{
    struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)value };

    if (shim_ioctl(vcpu->fd, request, &reg) < 0) {
        shim_violation("register 0x%llx: %s", (unsigned long long)id,
                       strerror(errno));
    }
}

/* x0 to x3 */
static void access_arguments(const ShimVCPU *vcpu, unsigned long request,
                             uint64_t x[4])
{
    for (unsigned n = 0; n < 4; n++) {
        access_reg(vcpu, request, KVM_REG_ARM64 | KVM_REG_SIZE_U64 |
                   KVM_REG_ARM_CORE | KVM_REG_ARM_CORE_REG(regs.regs[n]),
                   &x[n]);
    }
}

static void drive(unsigned index)
{
    ShimVCPU *vcpu = &machine->vcpu[index];
    struct kvm_irq_level line = {
        .irq = KVM_ARM_IRQ_TYPE_CPU << KVM_ARM_IRQ_TYPE_SHIFT |
               (index & 0xff) << KVM_ARM_IRQ_VCPU_SHIFT |
               index >> 8 << KVM_ARM_IRQ_VCPU2_SHIFT | KVM_ARM_IRQ_CPU_IRQ,
        .level = model.irq[index],
    };

    if (vcpu->irq != model.irq[index]) {
        vcpu->irq = model.irq[index];
        if (shim_ioctl(machine->fd, KVM_IRQ_LINE, &line) < 0) {
            shim_violation("KVM_IRQ_LINE: %s", strerror(errno));
        }
    }
}

static void drive_all(void)
{
    for (unsigned n = 0; n < machine->num_vcpus; n++) {
        drive(n);
    }
}

static void start_poller(void);

void shim_engine_init(ShimVM *vm)
{
    struct kvm_smccc_filter filter = {
        .base = 0xc5000100,
        .nr_functions = 0x200,
        .action = KVM_SMCCC_FILTER_FWD_TO_USER,
    };
    struct kvm_device_attr attr = {
        .group = KVM_ARM_VM_SMCCC_CTRL,
        .attr = KVM_ARM_VM_SMCCC_FILTER,
        .addr = (uintptr_t)&filter,
    };

    if (shim_ioctl(vm->fd, KVM_SET_DEVICE_ATTR, &attr) < 0) {
        shim_violation("KVM_ARM_VM_SMCCC_FILTER: %s", strerror(errno));
    }
    machine = vm;
    model.num_cpus = vm->num_vcpus;
    model.num_trusted = vm->numbers & 0xffff;
    model.num_untrusted = shim_num_inputs(vm);
    /* All inputs are edges there */
    model.num_wired = 0;
    for (unsigned n = 0; n < vm->num_vcpus; n++) {
        access_reg(&vm->vcpu[n], KVM_GET_ONE_REG, mpidr_el1, &model.mpidr[n]);
        model.mpidr[n] &= 0xff00ffffff;
    }
    rvic_model_reset(&model);
    start_poller();
}

void shim_engine_edge(unsigned input)
{
    rvic_model_doorbell(&model, 0, 4, input);
    drive_all();
}

void shim_engine_vcpu_init(unsigned index)
{
    machine->vcpu[index].irq = false;
    drive(index);
}

static void set_lines(unsigned index, uint64_t levels)
{
    rvic_model_set_line(&model, index, 27, levels & KVM_ARM_DEV_EL1_VTIMER);
    rvic_model_set_line(&model, index, 30, levels & KVM_ARM_DEV_EL1_PTIMER);
    rvic_model_set_line(&model, index, 23, levels & KVM_ARM_DEV_PMU);
}

/* Returns whether the hypercall is one of rVIC and rVID, and done */
static bool hypercall(const ShimVCPU *vcpu, unsigned index)
{
    uint64_t x[4];

    access_arguments(vcpu, KVM_GET_ONE_REG, x);
    x[0] = vcpu->run->hypercall.nr;
    if (!rvic_model_call(&model, index, x, RVIC_MODEL_ANY)) {
        return false;
    }
    access_arguments(vcpu, KVM_SET_ONE_REG, x);
    return true;
}

int shim_engine_run(ShimVM *vm, unsigned index)
{
    ShimVCPU *vcpu = &vm->vcpu[index];
    bool done;
    int ret, error;

    do {
        ret = shim_ioctl(vcpu->fd, KVM_RUN, NULL);
        error = errno;

        shim_lock();
        set_lines(index, vcpu->run->s.regs.device_irq_level);
        done = ret == 0 && vcpu->run->exit_reason == KVM_EXIT_HYPERCALL &&
               hypercall(vcpu, index);
        drive_all();
        shim_unlock();
    } while (done);

    errno = error;
    return ret;
}

/* ---- irqfds ---- */

/* Devices may share a GSI, but not a file */
enum { IRQFDS = 1024 };
static struct {
    /* QEMU's file, and ours of the same; 0 if there is none */
    int fd, own;
    unsigned gsi;
} irqfds[IRQFDS];

static int poller = -1;

/*
 * KVM loses an IRQ that another thread raises while the vCPU is being loaded,
 * once in some thousands: so a high one is raised again and again.
 */
enum { AGAIN_MS = 20 };

static void raise_again(void)
{
    for (unsigned n = 0; n < machine->num_vcpus; n++) {
        if (machine->vcpu[n].irq) {
            machine->vcpu[n].irq = false;
            drive(n);
        }
    }
}

static void *poll_irqfds(void *unused)
{
    struct epoll_event event;
    uint64_t count;
    int ready;

    for (;;) {
        ready = epoll_wait(poller, &event, 1, AGAIN_MS);
        shim_lock();
        if (ready == 0) {
            raise_again();
        } else if (ready == 1 && irqfds[event.data.u32].own &&
                   read(irqfds[event.data.u32].own, &count,
                        sizeof(count)) > 0) {
            shim_engine_edge(irqfds[event.data.u32].gsi);
        }
        shim_unlock();
    }
    return NULL;
}

static void start_poller(void)
{
    pthread_t thread;

    poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0 || pthread_create(&thread, NULL, poll_irqfds, NULL)) {
        shim_violation("no thread for irqfds");
    }
    pthread_detach(thread);
}

/* Returns the index of a file's irqfd, or of a free one */
static unsigned find_irqfd(int fd)
{
    unsigned unused = IRQFDS;

    for (unsigned n = 0; n < IRQFDS; n++) {
        if (irqfds[n].own && irqfds[n].fd == fd) {
            return n;
        }
        if (!irqfds[n].own && unused == IRQFDS) {
            unused = n;
        }
    }
    if (unused == IRQFDS) {
        shim_violation("%u irqfds are too many", IRQFDS);
    }
    return unused;
}

int shim_engine_irqfd(const struct kvm_irqfd *irqfd)
{
    bool assign = !(irqfd->flags & KVM_IRQFD_FLAG_DEASSIGN);
    unsigned n = find_irqfd(irqfd->fd);
    struct epoll_event event = { .events = EPOLLIN, .data.u32 = n };

    shim_log("irqfd %s %u", assign ? "assign" : "deassign", irqfd->gsi);
    /* What leads nowhere stands for data that is no MSI's */
    if ((irqfd->gsi >= model.num_untrusted && irqfd->gsi != SHIM_MAX_INPUTS) ||
        irqfd->flags & ~KVM_IRQFD_FLAG_DEASSIGN) {
        shim_violation("KVM_IRQFD for GSI %u of %u, flags 0x%x", irqfd->gsi,
                       model.num_untrusted, irqfd->flags);
    }
    if (assign == !!irqfds[n].own ||
        (!assign && irqfds[n].gsi != irqfd->gsi)) {
        shim_violation("KVM_IRQFD: file %d is assigned twice or not at all",
                       irqfd->fd);
    }
    if (assign) {
        irqfds[n].fd = irqfd->fd;
        irqfds[n].own = dup(irqfd->fd);
        irqfds[n].gsi = irqfd->gsi;
        epoll_ctl(poller, EPOLL_CTL_ADD, irqfds[n].own, &event);
    } else {
        epoll_ctl(poller, EPOLL_CTL_DEL, irqfds[n].own, NULL);
        close(irqfds[n].own);
        irqfds[n].own = 0;
    }
    return 0;
}
