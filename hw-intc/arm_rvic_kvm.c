/*
 * Arm rVIC and rVID in KVM: the devices
 *
 * KVM handles the hypercalls, the timers and the PMUs by itself. What is left
 * for QEMU is to create it all, and to signal inputs for devices that KVM
 * does not know. docs/system/arm/virt-rvic-kvm.rst, "The kernel's rVIC", tells
 * what users see of it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitmap.h"
#include "qemu/timer.h"
#include "qapi/error.h"
#include "hw/intc/intc.h"
#include "migration/blocker.h"
#include "system/kvm.h"
#include "rvic/target-arm-kvm/kvm_rvic.h"
#include "arm_rvic.h"
#include "rvic_compat.h"
#include "trace.h"

typedef struct KVMARMRVICState {
    ARMRVICCommon common;

    Error *migration_blocker;
} KVMARMRVICState;

DECLARE_INSTANCE_CHECKER(KVMARMRVICState, KVM_ARM_RVIC, TYPE_KVM_ARM_RVIC)

typedef struct KVMARMRVIDState {
    ARMRVIDCommon common;

    /* wired inputs whose line is high */
    unsigned long *high;
    QEMUTimer resend_timer;
    int64_t resend_ns;
} KVMARMRVIDState;

DECLARE_INSTANCE_CHECKER(KVMARMRVIDState, KVM_ARM_RVID, TYPE_KVM_ARM_RVID)

/*
 * KVM's rVID knows edges only, and does not tell QEMU when a guest has handled
 * an interrupt. So an input whose line stays high is signalled again from
 * time to time: soon after something has happened, less often if nothing does.
 */
#define RESEND_MIN_NS (1 * SCALE_MS)
#define RESEND_MAX_NS (16 * SCALE_MS)

static void kvm_arm_rvic_setup(ARMRVICCommon *common, Error **errp)
{
    KVMARMRVICState *s = KVM_ARM_RVIC(common);

    error_setg(&s->migration_blocker, "irqchip=rvic: the state of KVM's rVIC "
               "cannot be saved: use kernel-irqchip=off");
    if (migrate_add_blocker(&s->migration_blocker, errp) < 0) {
        return;
    }
    kvm_arm_rvic_init(common->num_trusted, common->num_untrusted, errp);
}

static void kvm_arm_rvic_print_info(InterruptStatsProvider *obj, GString *buf)
{
    ARMRVICCommon *s = ARM_RVIC_COMMON(obj);

    g_string_append_printf(buf, "rVIC: %u trusted, %u untrusted INTIDs for "
                           "each of %u vCPU(s), in KVM, out of sight\n",
                           s->num_trusted, s->num_untrusted, s->num_cpu);
}

static void kvm_arm_rvic_class_init(ObjectClass *klass, RVICClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    InterruptStatsProviderClass *ic = INTERRUPT_STATS_PROVIDER_CLASS(klass);
    ARMRVICCommonClass *cc = ARM_RVIC_COMMON_CLASS(klass);

    dc->desc = "Arm reduced virtual interrupt controller (rVIC) in KVM";
    cc->setup = kvm_arm_rvic_setup;
    ic->print_info = kvm_arm_rvic_print_info;
}

static void kvm_arm_rvid_signal(unsigned input)
{
    trace_rvid_kvm_signal(input);
    kvm_arm_rvic_signal(input);
}

static void kvm_arm_rvid_start_timer(KVMARMRVIDState *s, int64_t ns)
{
    s->resend_ns = ns;
    /* Never later than before: a busy input must not keep others waiting */
    timer_mod_anticipate_ns(&s->resend_timer,
                            qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + ns);
}

static void kvm_arm_rvid_resend(void *opaque)
{
    KVMARMRVIDState *s = opaque;
    unsigned num_wired = s->common.num_wired;
    unsigned count = 0;

    for (unsigned n = find_first_bit(s->high, num_wired); n < num_wired;
         n = find_next_bit(s->high, num_wired, n + 1)) {
        kvm_arm_rvid_signal(n);
        count++;
    }
    trace_rvid_kvm_resend(count, s->resend_ns);
    kvm_arm_rvid_start_timer(s, MIN(2 * s->resend_ns, RESEND_MAX_NS));
}

/*
 * A device that makes a high line high once more has met the guest in its
 * interrupt handler, and still has something to say: do not wait with that.
 */
static bool kvm_arm_rvid_set_line(ARMRVIDCommon *common, unsigned input,
                                  bool level)
{
    KVMARMRVIDState *s = KVM_ARM_RVID(common);
    bool changed = test_bit(input, s->high) != level;

    if (level) {
        set_bit(input, s->high);
        kvm_arm_rvid_signal(input);
    } else {
        clear_bit(input, s->high);
    }

    if (bitmap_empty(s->high, common->num_wired)) {
        timer_del(&s->resend_timer);
    } else if (level || changed) {
        kvm_arm_rvid_start_timer(s, RESEND_MIN_NS);
    }
    return changed;
}

static bool kvm_arm_rvid_msi(ARMRVIDCommon *common, uint64_t input)
{
    if (input < common->num_wired || input >= common->rvic->num_untrusted) {
        return false;
    }
    kvm_arm_rvid_signal(input);
    return true;
}

/*
 * Some devices do not lower their lines at reset: no level survives it. KVM
 * has no reset for its part: what is masked, pending and mapped stays, and it
 * is the guest's drivers that begin anew.
 */
static void kvm_arm_rvid_reset_hold(Object *obj, ResetType type)
{
    KVMARMRVIDState *s = KVM_ARM_RVID(obj);

    trace_rvid_reset();
    bitmap_zero(s->high, s->common.num_wired);
    timer_del(&s->resend_timer);
}

static void kvm_arm_rvid_print_info(InterruptStatsProvider *obj, GString *buf)
{
    KVMARMRVIDState *s = KVM_ARM_RVID(obj);
    const ARMRVIDCommon *common = &s->common;
    unsigned num_inputs = common->rvic->num_untrusted;

    g_string_append_printf(buf, "rVID: inputs 0-%u wired, %u MSIs; mappings "
                           "are in KVM, out of sight, and so are irqfds\n",
                           common->num_wired - 1,
                           num_inputs - common->num_wired);
    for (unsigned n = 0; n < num_inputs; n++) {
        bool wired = n < common->num_wired;
        bool high = wired && test_bit(n, s->high);

        if (high || common->signalled[n]) {
            g_string_append_printf(buf, "  input %4u %s, signalled %" PRIu64
                                   "\n", n, !wired ? "MSI" :
                                   high ? "wired high" : "wired low",
                                   common->signalled[n]);
        }
    }
}

static void kvm_arm_rvid_setup(ARMRVIDCommon *common)
{
    KVMARMRVIDState *s = KVM_ARM_RVID(common);

    s->high = bitmap_new(common->num_wired);
    timer_init_ns(&s->resend_timer, QEMU_CLOCK_VIRTUAL, kvm_arm_rvid_resend, s);
    kvm_arm_rvic_enable_msis(common->num_wired, common->rvic->num_untrusted);
}

static void kvm_arm_rvid_class_init(ObjectClass *klass, RVICClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);
    InterruptStatsProviderClass *ic = INTERRUPT_STATS_PROVIDER_CLASS(klass);
    ARMRVIDCommonClass *cc = ARM_RVID_COMMON_CLASS(klass);

    dc->desc = "Arm reduced virtual interrupt distributor (rVID) in KVM";
    cc->setup = kvm_arm_rvid_setup;
    cc->set_line = kvm_arm_rvid_set_line;
    cc->msi = kvm_arm_rvid_msi;
    rc->phases.hold = kvm_arm_rvid_reset_hold;
    ic->print_info = kvm_arm_rvid_print_info;
}

static const TypeInfo arm_rvic_kvm_types[] = {
    {
        .name = TYPE_KVM_ARM_RVIC,
        .parent = TYPE_ARM_RVIC_COMMON,
        .instance_size = sizeof(KVMARMRVICState),
        .class_init = kvm_arm_rvic_class_init,
    },
    {
        .name = TYPE_KVM_ARM_RVID,
        .parent = TYPE_ARM_RVID_COMMON,
        .instance_size = sizeof(KVMARMRVIDState),
        .class_init = kvm_arm_rvid_class_init,
    },
};

DEFINE_TYPES(arm_rvic_kvm_types)
