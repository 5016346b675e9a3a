/*
 * A KVM with rVIC, or with SPE, for tests
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

/*
 * No kernel with an rVIC can be had, nor one with SPE for guests. This library,
 * preloaded into QEMU, stands between it and a real KVM, passes on what that
 * knows, and answers for the rest itself. It holds QEMU to the rules of these
 * interfaces: what QEMU must not do ends it with a line that begins
 * "rvic-shim: ".
 *
 * In the environment:
 *
 *   RVIC_SHIM      words with commas between them
 *     device=N       there is an rVIC, its device type is N
 *     decoy=N        there is another device, of type N, which has no
 *                    attributes
 *     STEP:ERRNO     a step fails: "create", "has-nr-irqs", "nr-irqs",
 *                    "get-nr-irqs", "has-init", "init", "timer",
 *                    "has-filter", "filter"; "scratch-" in front: on virtual
 *                    machines that are thrown away, otherwise on the others
 *     forgets        it does not keep its numbers of interrupts
 *     no-user-irq    KVM does not report timers to user space
 *     has-set-pmu, set-pmu, has-nr-counters, nr-counters
 *                    with ":ERRNO", further steps that fail
 *     pmu            QEMU has to choose a PMU before it reads registers
 *     pmuver=N       the PMU of vCPUs is of that version
 *     keeps-counters and has all its counters
 *     no-affinity    no thread's CPUs can be set
 *     fail-entry=N   KVM refuses to run a vCPU once, and gives N as the reason
 *     spe=v3, spe=v5 there is SPE, with that interface. Its steps, to fail:
 *                    "vcpu-init", "has-spe-irq", "has-spe-init", "spe-irq",
 *                    "spe-init", "has-spe-finalize", "spe-finalize",
 *                    "spe-lock"
 *     no-spe-cap, no-lock-cap, no-pmsver
 *                    but not this sign of it
 *     spe-cpu=N      only host CPU N has SPE, and vCPUs run only there
 *     calls          report each call that KVM forwards, and the ioctls by
 *                    which QEMU answers it
 *   RVIC_SHIM_LOG  name of a file for what the test looks at
 */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "shim.h"

/* What files are, by their numbers */
typedef struct File {
    enum { NOT_OURS, VM, VCPU, RVIC, DECOY, GIC } kind;
    ShimVM *vm;
    unsigned vcpu;
} File;

static File files[65536];
static unsigned num_vms;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

void shim_lock(void)
{
    pthread_mutex_lock(&mutex);
}

void shim_unlock(void)
{
    pthread_mutex_unlock(&mutex);
}

int shim_ioctl(int fd, unsigned long request, void *arg)
{
    static int (*real)(int fd, unsigned long request, ...);

    if (!real) {
        *(void **)&real = dlsym(RTLD_NEXT, "ioctl");
    }
    return real(fd, request, arg);
}

void shim_log(const char *format, ...)
{
    static int log = -1;
    const char *name = getenv("RVIC_SHIM_LOG");
    va_list args;

    if (log < 0 && name) {
        log = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    }
    if (log >= 0) {
        va_start(args, format);
        vdprintf(log, format, args);
        va_end(args);
        dprintf(log, "\n");
    }
}

void shim_violation(const char *format, ...)
{
    va_list args;

    fprintf(stderr, "rvic-shim: ");
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n");
    abort();
}

const char *shim_find_word(const char *start)
{
    const char *word = getenv("RVIC_SHIM");

    while (word) {
        if (!strncmp(word, start, strlen(start))) {
            return word + strlen(start);
        }
        word = strchr(word, ',');
        word += !!word;
    }
    return NULL;
}

bool shim_asked_for(const char *word)
{
    const char *end = shim_find_word(word);

    return end && (!*end || *end == ',');
}

bool shim_number(const char *word, uint64_t *number)
{
    const char *text = shim_find_word(word);

    return text && sscanf(text, "%" SCNu64, number) == 1;
}

int shim_injected(const ShimVM *vm, const char *step)
{
    static const struct {
        const char *name;
        int number;
    } known[] = {
        { "EAGAIN", EAGAIN }, { "EBUSY", EBUSY }, { "EEXIST", EEXIST },
        { "EFAULT", EFAULT }, { "EINVAL", EINVAL }, { "ENODEV", ENODEV },
        { "ENOMEM", ENOMEM }, { "ENOTTY", ENOTTY }, { "ENXIO", ENXIO },
        { "EPERM", EPERM },
    };
    char word[32];

    for (unsigned n = 0; n < sizeof(known) / sizeof(known[0]); n++) {
        snprintf(word, sizeof(word), "%s%s:%s", vm->scratch ? "scratch-" : "",
                 step, known[n].name);
        if (shim_asked_for(word)) {
            return known[n].number;
        }
    }
    return 0;
}

unsigned shim_num_inputs(const ShimVM *vm)
{
    return (vm->numbers >> 16) - (vm->numbers & 0xffff);
}

/* ---- Files ---- */

static void remember(int fd, int kind, ShimVM *vm, unsigned vcpu)
{
    if (fd >= (int)(sizeof(files) / sizeof(files[0]))) {
        shim_violation("%d files are too many", fd);
    }
    files[fd] = (File) { kind, vm, vcpu };
}

static void add_vm(int fd)
{
    ShimVM *vm = calloc(1, sizeof(*vm));

    vm->fd = fd;
    vm->scratch = num_vms++ > 0;
    remember(fd, VM, vm, 0);
}

static void add_vcpu(ShimVM *vm, unsigned index, int fd)
{
    shim_spe_check_create(vm);
    if (index >= SHIM_VCPUS || index != vm->num_vcpus) {
        shim_violation("vCPU %u after %u others", index, vm->num_vcpus);
    }
    vm->vcpu[vm->num_vcpus++].fd = fd;
    remember(fd, VCPU, vm, index);
}

int close(int fd)
{
    static int (*real)(int fd);

    if (!real) {
        *(void **)&real = dlsym(RTLD_NEXT, "close");
    }
    if (fd >= 0 && fd < (int)(sizeof(files) / sizeof(files[0]))) {
        if (files[fd].kind == RVIC || files[fd].kind == DECOY) {
            shim_log("%sclose", files[fd].vm->scratch ? "scratch-" : "");
        }
        /* A ShimVM stays: vCPUs that are closed later point to it */
        files[fd].kind = NOT_OURS;
    }
    return real(fd);
}

/* ---- The virtual machine's ioctls ---- */

/* Whether a device type is that of "device=" or "decoy=" */
static bool is_type(const char *what, uint32_t type)
{
    uint64_t number;

    return shim_number(what, &number) && number == type;
}

static int create_device(ShimVM *vm, struct kvm_create_device *device,
                         bool rvic)
{
    int ret;

    if (device->flags & KVM_CREATE_DEVICE_TEST) {
        return 0;
    }
    shim_log("%screate %u", vm->scratch ? "scratch-" : "", device->type);
    ret = rvic ? shim_create_rvic(vm) : 0;
    if (ret == 0) {
        /* Nothing is done with it, but it is there to be closed */
        device->fd = eventfd(0, EFD_CLOEXEC);
        remember(device->fd, rvic ? RVIC : DECOY, vm, 0);
    }
    return ret;
}

static bool is_filter(const struct kvm_device_attr *attr)
{
    return attr->group == KVM_ARM_VM_SMCCC_CTRL &&
           attr->attr == KVM_ARM_VM_SMCCC_FILTER;
}

/* Returns whether it was the shim's to answer, which is in @ret then */
static bool vm_ioctl(ShimVM *vm, unsigned long request, void *arg, int *ret)
{
    struct kvm_create_device *device = arg;
    const struct kvm_irq_level *line = arg;

    if (shim_spe_vm_ioctl(vm, request, arg, ret)) {
        return true;
    }
    switch (request) {
    case KVM_CREATE_DEVICE:
        if (is_type("device=", device->type)) {
            *ret = create_device(vm, device, true);
            return true;
        }
        if (is_type("decoy=", device->type)) {
            *ret = create_device(vm, device, false);
            return true;
        }
        return false;
    case KVM_CHECK_EXTENSION:
        *ret = 0;
        return (uintptr_t)arg == KVM_CAP_ARM_USER_IRQ &&
               shim_asked_for("no-user-irq");
    case KVM_HAS_DEVICE_ATTR:
        *ret = -shim_injected(vm, "has-filter");
        return is_filter(arg) && *ret;
    case KVM_SET_DEVICE_ATTR:
        if (vm->rvic && is_filter(arg)) {
            shim_violation("a filter takes the calls away from KVM's rVIC");
        }
        *ret = -shim_injected(vm, "filter");
        return is_filter(arg) && *ret;
    case KVM_IRQ_LINE:
        if (!vm->rvic) {
            return false;
        }
        *ret = shim_irq_line(vm, line);
        return true;
    case KVM_IRQFD:
        if (!vm->rvic) {
            return false;
        }
        if (!vm->initialised) {
            shim_violation("KVM_IRQFD before INIT");
        }
        *ret = shim_engine_irqfd(arg);
        return true;
    case KVM_SET_GSI_ROUTING:
    case KVM_SIGNAL_MSI:
        if (vm->rvic) {
            shim_violation("ioctl 0x%lx is not for KVM's rVIC", request);
        }
        return false;
    default:
        return false;
    }
}

/* ---- Calls that KVM forwards ---- */

/* Number of ioctls that answered a call, and how often that was so */
enum { COUNTED = 256, MOST = 64 };
static unsigned answered[2][COUNTED][MOST];

/* The call that this thread is answering, or -1 */
static __thread int call = -1;
static __thread unsigned ioctls;

static void call_done(void)
{
    if (call >= 0) {
        unsigned n = ioctls < MOST ? ioctls : MOST - 1;

        __atomic_fetch_add(&answered[call / COUNTED][call % COUNTED][n], 1,
                           __ATOMIC_RELAXED);
    }
    call = -1;
}

static void call_begins(const struct kvm_run *run)
{
    uint64_t offset = run->hypercall.nr - 0xc5000100;

    if (run->exit_reason == KVM_EXIT_HYPERCALL && offset < 2 * COUNTED) {
        call = offset;
        ioctls = 0;
    }
}

static void __attribute__((destructor)) report_calls(void)
{
    for (unsigned n = 0; n < 2 * COUNTED; n++) {
        for (unsigned i = 0; i < MOST; i++) {
            unsigned times = answered[n / COUNTED][n % COUNTED][i];

            if (times) {
                shim_log("call 0x%x ioctls %u times %u", 0xc5000100 + n, i,
                         times);
            }
        }
    }
}

/* ---- The vCPUs' ioctls ---- */

static void map_run(ShimVCPU *vcpu)
{
    static int size;

    if (!size) {
        int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

        size = shim_ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, NULL);
        close(kvm);
    }
    vcpu->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd,
                     0);
    if (vcpu->run == MAP_FAILED) {
        shim_violation("mmap: %s", strerror(errno));
    }
}

/* As ioctl() returns, and with errno */
static int vcpu_run(ShimVM *vm, unsigned index)
{
    ShimVCPU *vcpu = &vm->vcpu[index];
    int ret, error;
    bool refused;

    shim_lock();
    if (!vcpu->run) {
        map_run(vcpu);
    }
    shim_check_run(vm);
    refused = shim_spe_check_run(vm, index);
    vcpu->in_run = !refused;
    shim_unlock();
    if (refused) {
        return 0;
    }

    if (vm->rvic) {
        return shim_engine_run(vm, index);
    }
    if (shim_fail_entry(vcpu->run)) {
        return 0;
    }
    call_done();
    ret = shim_ioctl(vcpu->fd, KVM_RUN, NULL);
    error = errno;
    vcpu->in_run = false;
    if (ret == 0 && shim_asked_for("calls")) {
        call_begins(vcpu->run);
    }
    errno = error;
    return ret;
}

/* Returns whether it was the shim's to answer, which is in @ret then */
static bool vcpu_ioctl(ShimVM *vm, unsigned index, unsigned long request,
                       void *arg, int *ret)
{
    switch (request) {
    case KVM_HAS_DEVICE_ATTR:
    case KVM_SET_DEVICE_ATTR:
    case KVM_GET_DEVICE_ATTR:
        return shim_spe_vcpu_attr(vm, index, request, arg, ret) ||
               shim_vcpu_attr(vm, index, request, arg, ret);
    case KVM_ARM_VCPU_INIT:
        return shim_spe_vcpu_init(vm, index, arg, ret);
    case KVM_SET_ONE_REG:
        return shim_spe_set_reg(vm, index, arg, ret);
    default:
        return false;
    }
}

/* ---- The way in ---- */

static int answer(int ret)
{
    if (ret < 0) {
        errno = -ret;
        return -1;
    }
    return ret;
}

/* KVM_SET_USER_MEMORY_REGION2, which begins as the other; since Linux 6.8 */
#define SET_USER_MEMORY_REGION2 _IOC(_IOC_WRITE, KVMIO, 0x49, 160)

/* What KVM did concerns us, too */
static void look_at(const File *file, unsigned long request, void *arg,
                    int ret)
{
    const struct kvm_create_device *device = arg;
    const struct kvm_device_attr *attr = arg;

    if (request == KVM_CREATE_VM) {
        add_vm(ret);
    } else if (file->kind == VM && request == KVM_CREATE_VCPU) {
        add_vcpu(file->vm, (uintptr_t)arg, ret);
    } else if (file->kind == VM && request == KVM_CREATE_DEVICE) {
        if (!(device->flags & KVM_CREATE_DEVICE_TEST) &&
            (device->type == KVM_DEV_TYPE_ARM_VGIC_V2 ||
             device->type == KVM_DEV_TYPE_ARM_VGIC_V3)) {
            remember(device->fd, GIC, file->vm, 0);
        }
    } else if (file->kind == GIC && request == KVM_SET_DEVICE_ATTR) {
        file->vm->gic_init |= attr->group == KVM_DEV_ARM_VGIC_GRP_CTRL &&
                              attr->attr == KVM_DEV_ARM_VGIC_CTRL_INIT;
    } else if (file->kind == VM && (request == KVM_SET_USER_MEMORY_REGION ||
                                    request == SET_USER_MEMORY_REGION2)) {
        shim_spe_set_slot(file->vm, arg);
    } else if (file->kind == VCPU && request == KVM_GET_ONE_REG) {
        shim_spe_got_reg(file->vm, file->vcpu, arg);
    } else if (file->kind == VCPU && request == KVM_ARM_VCPU_INIT &&
               file->vm->initialised) {
        shim_engine_vcpu_init(file->vcpu);
    }
}

int ioctl(int fd, unsigned long request, ...)
{
    File file = { NOT_OURS };
    bool ours = false;
    va_list args;
    void *arg;
    int ret = 0, error;

    va_start(args, request);
    arg = va_arg(args, void *);
    va_end(args);

    if (_IOC_TYPE(request) != KVMIO) {
        return shim_ioctl(fd, request, arg);
    }
    if (fd >= 0 && fd < (int)(sizeof(files) / sizeof(files[0]))) {
        file = files[fd];
    }
    if (file.kind == VCPU && request == KVM_RUN) {
        return vcpu_run(file.vm, file.vcpu);
    }
    ioctls++;

    shim_lock();
    switch (file.kind) {
    case VM:
        ours = vm_ioctl(file.vm, request, arg, &ret);
        break;
    case VCPU:
        ours = shim_pmu_ioctl(file.vm, file.vcpu, request, arg, &ret) ||
               vcpu_ioctl(file.vm, file.vcpu, request, arg, &ret);
        break;
    case RVIC:
        ours = true;
        ret = shim_rvic_attr(file.vm, request, arg);
        break;
    case DECOY:
        ours = true;
        ret = -ENXIO;
        break;
    case NOT_OURS:
        /* /dev/kvm is asked for capabilities as virtual machines are */
        ours = request == KVM_CHECK_EXTENSION &&
               (shim_spe_capability((uintptr_t)arg, &ret) ||
                ((uintptr_t)arg == KVM_CAP_ARM_USER_IRQ &&
                 shim_asked_for("no-user-irq")));
        break;
    case GIC:
        break;
    }
    shim_unlock();
    if (ours) {
        return answer(ret);
    }

    ret = shim_ioctl(fd, request, arg);
    error = errno;
    if (ret >= 0) {
        shim_lock();
        look_at(&file, request, arg, ret);
        shim_unlock();
    }
    errno = error;
    return ret;
}
