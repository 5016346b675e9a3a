/*
 * Arm rVIC and rVID: whatever a guest can do, guided by coverage
 *
 * A target of QEMU's fuzzer (docs/devel/testing/fuzzing.rst). Its input is read
 * as a sequence of hypercalls, accesses to the MSI doorbell, changes of lines
 * and resets, which a virt machine with irqchip=rvic is given. After each step,
 * what the rules say about any state and about this step has to hold.
 *
 * The sections named below are those of docs/specs/arm-rvic.rst.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "exec/cpu-common.h"
#include "hw/core/cpu.h"
#include "hw/irq.h"
#include "hw/qdev-core.h"
#include "target/arm/cpu.h"
#include "tests/qtest/fuzz/fuzz.h"
#include "rvic/hw-intc/arm_rvic.h"
#include "rvic/hw-intc/arm_rvic_hypercall.h"
#include "rvic/hw-intc/rvic_compat.h"

/* So few that a vCPU's MPIDR is its index */
#define NUM_CPUS        4
/* Trusted INTIDs with a line and without, wired inputs and MSIs */
#define NUM_TRUSTED     64
#define NUM_WIRED       256
#define NUM_INPUTS      288
#define NUM_INTIDS      (NUM_TRUSTED + NUM_INPUTS)

/* "MSIs": the page's address on the virt board */
#define DOORBELL        0x08020000

/* Variants of a step: of a call, and of a reset */
#define AARCH32_STATE   7
#define RESET_DEVICES   7

/* Everything of both devices that a guest can find out, and what follows */
typedef struct State {
    RVICInstance instances[NUM_CPUS];
    uint32_t routes[NUM_INPUTS];
    bool levels[NUM_INPUTS];
} State;

static ARMRVICState *rvic;
static ARMRVIDState *rvid;

/* As they are after a reset, and as they were before the step */
static State pristine, before;

/* What the fuzzer has driven the lines to */
static bool lines[NUM_CPUS][NUM_TRUSTED];
static bool inputs[NUM_WIRED];

/* What is left of the fuzzer's bytes */
typedef struct Bytes {
    const uint8_t *next;
    size_t left;
} Bytes;

static uint8_t take_byte(Bytes *b)
{
    if (!b->left) {
        return 0;
    }
    b->left--;
    return *b->next++;
}

/*
 * A number: small ones as they are, in two bytes behind a tag all INTIDs and
 * inputs, the largest ones as tags, in eight bytes behind a tag any. So that
 * the fuzzer can put in what it sees numbers compared with, they are stored
 * as a host has them.
 */
static uint64_t take_number(Bytes *b)
{
    uint8_t first = take_byte(b);
    uint64_t number = 0;
    unsigned bytes = first < 0xc0 ? 2 : 8;

    if (first < 0x80) {
        return first;
    } else if (first >= 0xc0 && first < 0xe0) {
        return UINT64_MAX - (first & 0x1f);
    }
    for (unsigned i = 0; i < bytes; i++) {
        number |= (uint64_t)take_byte(b) << i * 8;
    }
    return number;
}

static void save_state(State *state)
{
    memcpy(state->instances, rvic->core.instances, sizeof(state->instances));
    for (unsigned n = 0; n < NUM_INPUTS; n++) {
        state->routes[n] = rvid->core.inputs[n].route;
        state->levels[n] = rvid->core.inputs[n].level;
    }
}

static bool instance_changed(unsigned cpu)
{
    return memcmp(&before.instances[cpu], &rvic->core.instances[cpu],
                  sizeof(before.instances[cpu])) != 0;
}

static void check_unchanged(const State *wanted)
{
    State now;

    save_state(&now);
    g_assert(memcmp(now.instances, wanted->instances,
                    sizeof(now.instances)) == 0);
    g_assert(memcmp(now.routes, wanted->routes, sizeof(now.routes)) == 0);
    g_assert(memcmp(now.levels, wanted->levels, sizeof(now.levels)) == 0);
}

/* "State of an INTID": what counts as pending, in one word of a bitmap */
static uint32_t active(const RVICInstance *inst, unsigned word)
{
    return inst->pending[word] |
           (word >= NUM_TRUSTED / 32 ? inst->level[word] : 0);
}

static uint32_t deliverable(const RVICInstance *inst, unsigned word)
{
    return inst->enabled ? active(inst, word) & ~inst->masked[word] : 0;
}

/* What holds in any state */
static void check_state(void)
{
    static uint32_t high[NUM_CPUS][RVIC_WORDS];

    /* "Level-triggered inputs": a level is that of what is mapped to it */
    memset(high, 0, sizeof(high));
    for (unsigned n = 0; n < NUM_INPUTS; n++) {
        const RVIDInput *in = &rvid->core.inputs[n];
        unsigned cpu = in->route >> 16, intid = in->route & 0xffff;

        g_assert(in->level == (n < NUM_WIRED && inputs[n]));
        if (in->route == RVID_UNMAPPED) {
            g_assert(!in->target);
            continue;
        }
        g_assert(cpu < NUM_CPUS);
        g_assert(intid >= NUM_TRUSTED && intid < NUM_INTIDS);
        g_assert(in->target == rvid_core_find_target(&rvid->core, cpu, intid));
        if (in->level) {
            high[cpu][intid / 32] |= 1u << intid % 32;
        }
    }

    for (unsigned cpu = 0; cpu < NUM_CPUS; cpu++) {
        const RVICInstance *inst = &rvic->core.instances[cpu];
        const CPUState *cs = qemu_get_cpu(cpu);
        bool output = false;

        for (unsigned intid = 0; intid < NUM_TRUSTED; intid++) {
            high[cpu][0] |= (uint32_t)lines[cpu][intid] << intid;
        }
        g_assert(memcmp(inst->level, high[cpu], sizeof(inst->level)) == 0);

        for (unsigned word = 0; word < NUM_INTIDS / 32; word++) {
            output = output || deliverable(inst, word);
        }
        for (unsigned word = NUM_INTIDS / 32; word < RVIC_WORDS; word++) {
            g_assert(!inst->pending[word] && !~inst->masked[word]);
        }
        /* "Delivery": this is what makes the vCPU take an interrupt */
        g_assert(!!(cs->interrupt_request & CPU_INTERRUPT_HARD) == output);
        g_assert(inst->output == output);
    }
}

/* What a successful call of the rVIC has to have done */
static void check_rvic_call(unsigned cpu, unsigned call, const uint64_t *arg,
                            uint64_t value)
{
    bool has_target = call >= RVIC_SET_MASKED && call <= RVIC_CLEAR_PENDING;
    bool has_value = call == RVIC_VERSION || call == RVIC_INFO ||
                     call == RVIC_IS_PENDING || call == RVIC_ACKNOWLEDGE;
    uint64_t affected = has_target ? arg[0] : cpu;
    unsigned intid = has_target ? arg[1] :
                     call == RVIC_ACKNOWLEDGE ? value : arg[0];
    const RVICInstance *old, *inst;

    g_assert(affected < NUM_CPUS && (!has_target || arg[1] < NUM_INTIDS));
    g_assert(has_value || value == 0);

    old = &before.instances[affected];
    inst = &rvic->core.instances[affected];
    for (unsigned other = 0; other < NUM_CPUS; other++) {
        g_assert(other == affected || !instance_changed(other));
    }

    switch (call) {
    case RVIC_VERSION:
        g_assert(value == RVIC_VERSION_0_3);
        break;
    case RVIC_INFO:
        g_assert(arg[0] <= 1 && value == (arg[0] ? NUM_INPUTS : NUM_TRUSTED));
        break;
    case RVIC_ENABLE:
        g_assert(inst->enabled);
        for (unsigned word = 0; word < NUM_TRUSTED / 32; word++) {
            g_assert(!(inst->level[word] & ~inst->pending[word]));
        }
        break;
    case RVIC_DISABLE:
        g_assert(!inst->enabled);
        break;
    case RVIC_SET_MASKED:
        g_assert(rvic_test(inst->masked, intid));
        break;
    case RVIC_CLEAR_MASKED:
        g_assert(!rvic_test(inst->masked, intid));
        break;
    case RVIC_IS_PENDING:
        g_assert(value == (active(old, intid / 32) >> intid % 32 & 1));
        break;
    case RVIC_SIGNAL:
        g_assert(old->enabled && rvic_test(inst->pending, intid));
        break;
    case RVIC_CLEAR_PENDING:
        g_assert(!rvic_test(inst->pending, intid));
        break;
    case RVIC_ACKNOWLEDGE:
        g_assert(value < NUM_INTIDS);
        g_assert(deliverable(old, intid / 32) >> intid % 32 & 1);
        g_assert(rvic_test(inst->masked, intid));
        g_assert(!rvic_test(inst->pending, intid));
        break;
    case RVIC_RESAMPLE:
        g_assert(arg[0] < NUM_TRUSTED);
        g_assert(rvic_test(inst->pending, intid) == (
                 rvic_test(old->pending, intid) ||
                 (old->enabled && rvic_test(old->level, intid))));
        break;
    default:
        g_assert_not_reached();
    }

    if (call == RVIC_VERSION || call == RVIC_INFO || call == RVIC_IS_PENDING) {
        check_unchanged(&before);
    }
}

/* The same for the rVID: pending and masked states are not its business */
static void check_rvid_call(unsigned call, const uint64_t *arg, uint64_t value)
{
    uint64_t route = RVID_UNMAPPED;

    if (call == RVID_VERSION) {
        g_assert(value == RVIC_VERSION_0_3);
        check_unchanged(&before);
        return;
    }

    g_assert(value == 0 && arg[0] < NUM_INPUTS);
    if (call == RVID_MAP) {
        route = arg[1] << 16 | arg[2];
    } else {
        g_assert(call == RVID_UNMAP);
    }
    g_assert(rvid->core.inputs[arg[0]].route == route);
    for (unsigned cpu = 0; cpu < NUM_CPUS; cpu++) {
        const RVICInstance *old = &before.instances[cpu];
        const RVICInstance *inst = &rvic->core.instances[cpu];

        g_assert(memcmp(old->pending, inst->pending,
                        sizeof(old->pending)) == 0);
        g_assert(memcmp(old->masked, inst->masked, sizeof(old->masked)) == 0);
        g_assert(old->enabled == inst->enabled);
    }
}

/* "Status": what a call that changed nothing may say, and why */
static void check_refusal(unsigned cpu, bool is_rvic, unsigned call,
                          const uint64_t *arg, uint64_t status)
{
    const RVICInstance *own = &before.instances[cpu];

    check_unchanged(&before);
    switch (status) {
    case RVIC_NOT_SUPPORTED:
        g_assert(call >= (is_rvic ? RVIC_NUM_CALLS : RVID_NUM_CALLS));
        break;
    case RVIC_STATUS(RVIC_ERROR_PARAMETER, 0):
        g_assert(arg[0] >= (!is_rvic ? NUM_INPUTS :
                            call == RVIC_INFO ? 2 : NUM_TRUSTED));
        break;
    case RVIC_STATUS(RVIC_ERROR_PARAMETER, 1):
        g_assert(arg[1] >= (is_rvic ? NUM_INTIDS : NUM_CPUS));
        break;
    case RVIC_STATUS(RVIC_ERROR_PARAMETER, 2):
        g_assert(!is_rvic && arg[1] < NUM_CPUS);
        g_assert(arg[2] < NUM_TRUSTED || arg[2] >= NUM_INTIDS);
        break;
    case RVIC_STATUS(RVIC_INVALID_CPU, 0):
        g_assert(is_rvic && arg[0] >= NUM_CPUS);
        break;
    case RVIC_STATUS(RVIC_DISABLED, 0):
        g_assert(is_rvic);
        if (call == RVIC_ACKNOWLEDGE) {
            g_assert(!own->enabled);
        } else {
            g_assert(call == RVIC_SIGNAL && arg[0] < NUM_CPUS);
            g_assert(!before.instances[arg[0]].enabled);
        }
        break;
    case RVIC_STATUS(RVIC_NO_INTERRUPTS, 0):
        g_assert(is_rvic && call == RVIC_ACKNOWLEDGE);
        g_assert(own->enabled && !own->output);
        break;
    default:
        g_assert_not_reached();
    }
}

static bool is_ours(uint32_t function)
{
    return (function & ~0xffu) == RVIC_FN_BASE ||
           (function & ~0xffu) == RVID_FN_BASE;
}

/* A vCPU in AArch64 state executes the conduit's instruction */
static void do_call(unsigned cpu, uint64_t function, Bytes *b)
{
    CPUARMState *env = cpu_env(qemu_get_cpu(cpu));
    bool is_rvic = (function & RVIC_FN_BASE) == RVIC_FN_BASE;
    unsigned call = function % RVIC_FN_RANGE;
    uint64_t arg[3], old[32], *x = env->xregs;
    bool handled;

    x[0] = function;
    for (unsigned i = 0; i < 3; i++) {
        arg[i] = x[1 + i] = take_number(b);
    }
    memcpy(old, x, sizeof(old));

    handled = arm_rvic_handle_psci_call(ARM_CPU(qemu_get_cpu(cpu)));

    g_assert(memcmp(x + 4, old + 4, sizeof(old) - 4 * sizeof(old[0])) == 0);
    if (!is_ours(function)) {
        /* Of SMCCC's own calls, some are answered: all in x0 */
        g_assert(memcmp(x + !!handled, old + !!handled,
                        sizeof(old) - !!handled * sizeof(old[0])) == 0);
        check_unchanged(&before);
        return;
    }
    g_assert(handled && x[2] == 0 && x[3] == 0);
    if (x[0] != RVIC_SUCCESS) {
        g_assert(x[1] == 0);
        check_refusal(cpu, is_rvic, call, arg, x[0]);
    } else if (is_rvic) {
        check_rvic_call(cpu, call, arg, x[1]);
    } else {
        check_rvid_call(call, arg, x[1]);
    }
}

/* "Calling convention": from AArch32 state, all of our calls are refused */
static void do_aarch32_call(unsigned cpu, uint32_t function, Bytes *b)
{
    CPUARMState *env = cpu_env(qemu_get_cpu(cpu));
    uint32_t old[16];
    unsigned written;

    env->aarch64 = false;
    env->regs[0] = function;
    for (unsigned i = 1; i < 4; i++) {
        env->regs[i] = take_number(b);
    }
    memcpy(old, env->regs, sizeof(old));

    written = arm_rvic_handle_psci_call(ARM_CPU(qemu_get_cpu(cpu)));
    env->aarch64 = true;

    if (is_ours(function)) {
        g_assert(written && env->regs[0] == UINT32_MAX);
        g_assert(!env->regs[1] && !env->regs[2] && !env->regs[3]);
        written = 4;
    }
    g_assert(memcmp(env->regs + written, old + written,
                    sizeof(old) - written * sizeof(old[0])) == 0);
    check_unchanged(&before);
}

/* "MSIs": only a 32-bit write of the number of an MSI to offset 0 has effect */
static void do_doorbell(unsigned size, Bytes *b)
{
    hwaddr offset = take_number(b) % ARM_RVID_DOORBELL_SIZE;
    uint64_t data = cpu_to_le64(take_number(b));
    uint64_t zero = 0;
    const RVIDInput *in;

    cpu_physical_memory_write(DOORBELL + offset, &data, size);
    data = (uint32_t)le64_to_cpu(data);
    if (offset == 0 && size == 4 && data >= NUM_WIRED && data < NUM_INPUTS) {
        in = &rvid->core.inputs[data];
        if (in->target && before.instances[in->target->cpu].enabled) {
            g_assert(rvic_test(rvic->core.instances[in->target->cpu].pending,
                               in->target->intid));
        } else {
            check_unchanged(&before);
        }
    } else {
        check_unchanged(&before);
    }

    save_state(&before);
    cpu_physical_memory_read(DOORBELL + offset, &data, size);
    g_assert(memcmp(&data, &zero, size) == 0);
    check_unchanged(&before);
}

/*
 * All that a step can change is in the two devices, but for what each step sets
 * anew (a vCPU's registers) and for statistics: so this is enough between two
 * inputs, too. The outputs go low with it, and with them the vCPUs' requests.
 */
static void reset_devices(void)
{
    device_cold_reset(DEVICE(rvic));
    device_cold_reset(DEVICE(rvid));
    memset(lines, 0, sizeof(lines));
    memset(inputs, 0, sizeof(inputs));
}

/* A line that rises signals what it leads to, if that is enabled */
static void check_edge(bool rose, unsigned cpu, unsigned intid)
{
    if (rose && rvic->core.instances[cpu].enabled) {
        g_assert(rvic_test(rvic->core.instances[cpu].pending, intid));
    }
}

static void step(Bytes *b)
{
    uint8_t op = take_byte(b);
    unsigned cpu = op >> 3 & 3, variant = op >> 5, number;
    bool level = variant & 1;
    uint64_t function;
    const RVIDTarget *target;

    save_state(&before);
    switch (op & 7) {
    case 0:
    case 1:
    case 2:
    case 3:
        number = take_byte(b);
        /* Mostly calls that there are */
        function = ((op & 3) == 2 ? RVID_FN_BASE : RVIC_FN_BASE) +
                   (number < 0xf0 ? number & 0xf : number);
        function = (op & 3) == 3 ? take_number(b) : function;
        if (variant == AARCH32_STATE) {
            do_aarch32_call(cpu, function, b);
        } else {
            do_call(cpu, function, b);
        }
        break;
    case 4:
        number = ARM_RVIC_FIRST_LINE + take_byte(b) % ARM_RVIC_NUM_LINES;
        qemu_set_irq(qdev_get_gpio_in(DEVICE(rvic),
                                      arm_rvic_line(cpu, number)), level);
        check_edge(level && !lines[cpu][number], cpu, number);
        lines[cpu][number] = level;
        break;
    case 5:
        number = take_byte(b);
        qemu_set_irq(qdev_get_gpio_in(DEVICE(rvid), number), level);
        target = rvid->core.inputs[number].target;
        if (target) {
            check_edge(level && !inputs[number], target->cpu, target->intid);
        }
        inputs[number] = level;
        break;
    case 6:
        do_doorbell(1 << (variant & 3), b);
        break;
    case 7:
        if (variant == RESET_DEVICES) {
            reset_devices();
            check_unchanged(&pristine);
        } else {
            /* as by PSCI's CPU_ON */
            cpu_reset(qemu_get_cpu(cpu));
            check_unchanged(&before);
        }
        break;
    }
    check_state();
}

static void rvic_guest_fuzz(QTestState *s, const unsigned char *data,
                            size_t size)
{
    Bytes bytes = { data, size };

    reset_devices();
    check_unchanged(&pristine);
    while (bytes.left) {
        step(&bytes);
    }
}

static void rvic_guest_pre_fuzz(QTestState *s)
{
    rvic = ARM_RVIC(object_resolve_path_type("", TYPE_ARM_RVIC, NULL));
    rvid = ARM_RVID(object_resolve_path_type("", TYPE_ARM_RVID, NULL));
    g_assert(rvic->num_cpu == NUM_CPUS && rvic->num_trusted == NUM_TRUSTED);
    g_assert(rvid->num_wired == NUM_WIRED);
    g_assert(rvid->core.num_inputs == NUM_INPUTS);

    reset_devices();
    save_state(&pristine);
}

static GString *rvic_guest_command_line(FuzzTarget *t)
{
    GString *line = g_string_new(TARGET_NAME);

    /* vCPUs that TCG would run, but that never start */
    g_string_append_printf(line, " -machine virt,irqchip=rvic -accel tcg -S"
                           " -cpu cortex-a57 -smp %u -m 16M"
                           " -nodefaults -display none"
                           " -global arm-rvic.num-trusted=%u"
                           " -global arm-rvic.num-untrusted=%u",
                           NUM_CPUS, NUM_TRUSTED, NUM_INPUTS);
    /* What is logged for a guest's errors is formatted in any case */
    g_string_append(line, getenv("QTEST_LOG") ?
                    " -d guest_errors -trace 'rvi*'" :
                    " -d guest_errors -D /dev/null");
    return line;
}

static void rvic_guest_register(void)
{
    fuzz_add_target(&(FuzzTarget) {
        .name = "rvic-guest",
        .description = "Whatever a guest can do to rVIC and rVID",
        .get_init_cmdline = rvic_guest_command_line,
        .pre_fuzz = rvic_guest_pre_fuzz,
        .fuzz = rvic_guest_fuzz,
    });
}

fuzz_target_init(rvic_guest_register);
