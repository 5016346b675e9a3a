/*
 * Arm rVIC and rVID: hypercalls
 *
 * One dispatcher for all the ways in: TCG's helper and built-in PSCI below, KVM
 * in target-arm-kvm/kvm_rvic.c, qtest in arm_rvic_qtest.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "qemu/main-loop.h"
#include "target/arm/cpu.h"
#include "target/arm/kvm-consts.h"
#include "arm_rvic.h"
#include "arm_rvic_hypercall.h"
#include "trace.h"

/* Arm's SMC Calling Convention, DEN 0028: functions every 1.1 conduit has */
#define SMCCC_VERSION_FN            0x80000000u
#define SMCCC_ARCH_FEATURES_FN      0x80000001u
#define SMCCC_VERSION_1_1           0x10001

static bool function_in_range(uint32_t function, uint32_t base)
{
    return function - base < RVIC_FN_RANGE;
}

static bool function_is_ours(uint32_t function)
{
    return function_in_range(function, RVIC_FN_BASE) ||
           function_in_range(function, RVID_FN_BASE);
}

static const char *component_name(uint32_t function)
{
    return function_in_range(function, RVIC_FN_BASE) ? "rVIC" : "rVID";
}

static const char *call_name(uint32_t function)
{
    unsigned call = function % RVIC_FN_RANGE;

    return function_in_range(function, RVIC_FN_BASE) ? rvic_call_name(call) :
           rvid_call_name(call);
}

unsigned arm_rvic_hypercall_num_args(uint32_t function)
{
    unsigned call = function % RVIC_FN_RANGE;

    return !function_is_ours(function) ? 0 :
           function_in_range(function, RVIC_FN_BASE) ?
           rvic_call_num_args(call) : rvid_call_num_args(call);
}

static bool status_is_guest_error(uint64_t status)
{
    switch (RVIC_STATUS_REASON(status)) {
    case RVIC_SUCCESS:
    case RVIC_DISABLED:
    case RVIC_NO_INTERRUPTS:
        return false;
    default:
        return true;
    }
}

bool arm_rvic_hypercall(ARMRVICState *s, unsigned cpu, uint32_t function,
                        const uint64_t arg[3], uint64_t result[4])
{
    bool is_rvic = function_in_range(function, RVIC_FN_BASE);
    unsigned call = function % RVIC_FN_RANGE;
    uint64_t status, value;

    if (!function_is_ours(function)) {
        return false;
    }

    /* Calls are frequent: names are looked up for those who want them */
    if (trace_event_get_state_backends(TRACE_RVIC_CALL)) {
        trace_rvic_call(cpu, component_name(function), call_name(function),
                        arg[0], arg[1], arg[2]);
    }
    if (is_rvic) {
        status = rvic_core_call(&s->core, cpu, call, arg, &value);
    } else {
        BQL_LOCK_GUARD();
        status = rvid_core_call(&s->rvid->core, call, arg, &value);
    }

    if (is_rvic && call == RVIC_ACKNOWLEDGE && status == RVIC_SUCCESS) {
        uint64_t *count = &s->cpus[cpu].acknowledged[value];

        trace_rvic_deliver(cpu, value);
        /* Only this vCPU writes it, but others may read it */
        qatomic_set_u64(count, *count + 1);
    }
    if (trace_event_get_state_backends(TRACE_RVIC_RETURN)) {
        trace_rvic_return(cpu, component_name(function), call_name(function),
                          status, value);
    }
    if (status_is_guest_error(status)) {
        qemu_log_mask(LOG_GUEST_ERROR, "%s: CPU %u: %s (0x%" PRIx32 ") "
                      "0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64 ": status "
                      "0x%" PRIx64 "\n", component_name(function), cpu,
                      call_name(function), function, arg[0], arg[1], arg[2],
                      status);
    }

    result[0] = status;
    result[1] = value;
    result[2] = 0;
    result[3] = 0;
    return true;
}

static bool arm_rvic_handle_aarch32(CPUARMState *env, uint32_t function)
{
    if (!function_is_ours(function)) {
        return false;
    }
    /* SMC64 calls are for AArch64 callers ("Calling convention") */
    qemu_log_mask(LOG_GUEST_ERROR, "rVIC: call 0x%" PRIx32 " from AArch32\n",
                  function);
    env->regs[0] = QEMU_PSCI_RET_NOT_SUPPORTED;
    env->regs[1] = env->regs[2] = env->regs[3] = 0;
    return true;
}

/*
 * A guest asks PSCI_FEATURES for SMCCC_VERSION, SMCCC_VERSION for 1.1, and
 * may then ask SMCCC_ARCH_FEATURES for itself. These are SMC32 calls, from
 * either state: 32-bit arguments and result.
 */
static bool smccc_discovery(uint32_t function, uint32_t arg, int32_t *result)
{
    switch (function) {
    case QEMU_PSCI_1_0_FN_PSCI_FEATURES:
        *result = QEMU_PSCI_RET_SUCCESS;
        return arg == SMCCC_VERSION_FN;
    case SMCCC_VERSION_FN:
        *result = SMCCC_VERSION_1_1;
        return true;
    case SMCCC_ARCH_FEATURES_FN:
        *result = arg == SMCCC_VERSION_FN || arg == SMCCC_ARCH_FEATURES_FN ?
                  QEMU_PSCI_RET_SUCCESS : QEMU_PSCI_RET_NOT_SUPPORTED;
        return true;
    default:
        return false;
    }
}

bool arm_rvic_handle_call(ARMCPU *cpu)
{
    CPUARMState *env = &cpu->env;
    const ARMRVICCPU *rvic_cpu = env->rvic;

    return arm_rvic_hypercall(rvic_cpu->rvic, rvic_cpu->index, env->xregs[0],
                              &env->xregs[1], &env->xregs[0]);
}

bool arm_rvic_handle_psci_call(ARMCPU *cpu)
{
    CPUARMState *env = &cpu->env;
    bool aarch64 = is_a64(env);
    uint32_t function, arg;
    int32_t result;

    if (!env->rvic) {
        return false;
    }

    function = aarch64 ? env->xregs[0] : env->regs[0];
    arg = aarch64 ? env->xregs[1] : env->regs[1];
    if (!smccc_discovery(function, arg, &result)) {
        return aarch64 ? arm_rvic_handle_call(cpu) :
               arm_rvic_handle_aarch32(env, function);
    }

    if (aarch64) {
        env->xregs[0] = result;
    } else {
        env->regs[0] = result;
    }
    return true;
}
