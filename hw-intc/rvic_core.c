/*
 * Arm rVIC: the state machine of the INTIDs, in plain C
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "rvic_core.h"

const char *rvic_core_check_counts(unsigned num_trusted,
                                   unsigned num_untrusted)
{
    if (num_trusted % RVIC_INTID_STEP || num_untrusted % RVIC_INTID_STEP) {
        return "numbers of trusted and untrusted interrupts have to be "
               "multiples of 32";
    }
    if (num_trusted < RVIC_INTID_STEP || num_untrusted < RVIC_INTID_STEP) {
        return "at least 32 trusted and 32 untrusted interrupts are needed";
    }
    if (num_trusted > RVIC_MAX_INTIDS ||
        num_untrusted > RVIC_MAX_INTIDS - num_trusted) {
        return "trusted and untrusted interrupts may not be more than 2048 "
               "together";
    }
    return NULL;
}

int rvic_core_find_cpu(const RVICCore *c, uint64_t mpidr)
{
    gpointer cpu;

    /* The keys hold affinity fields only: any other bit makes it a miss */
    if (!g_hash_table_lookup_extended(c->by_mpidr, &mpidr, NULL, &cpu)) {
        return -1;
    }
    return GPOINTER_TO_INT(cpu);
}

static bool rvic_has_output(const RVICInstance *inst)
{
    return inst->enabled && inst->ready;
}

static RVICInstance *rvic_lock(RVICCore *c, unsigned cpu)
{
    RVICInstance *inst = &c->instances[cpu];

    qemu_spin_lock(&inst->lock);
    return inst;
}

/*
 * Returns whether the output has to be driven. If somebody is at it, the line
 * may not be there yet, even if the output is what it should be.
 */
static bool rvic_release(RVICCore *c, unsigned cpu)
{
    RVICInstance *inst = &c->instances[cpu];
    bool changed = qatomic_load_acquire(&inst->driving) ||
                   inst->output != rvic_has_output(inst);

    qemu_spin_unlock(&inst->lock);
    return changed;
}

/*
 * Whoever leaves an instance whose output is not what it should be has it
 * driven. Others may come in between before the callback looks: what it finds
 * then is right for all of them.
 */
static void rvic_unlock(RVICCore *c, unsigned cpu)
{
    if (rvic_release(c, cpu)) {
        c->output(c->opaque, cpu);
    }
}

bool rvic_core_take_output(RVICCore *c, unsigned cpu, bool *level)
{
    RVICInstance *inst = rvic_lock(c, cpu);
    bool changed;

    *level = rvic_has_output(inst);
    changed = inst->output != *level;
    inst->output = *level;
    qatomic_set(&inst->driving, true);
    qemu_spin_unlock(&inst->lock);
    return changed;
}

/*
 * Without the lock: a call that still sees the old value asks once more than
 * needed, and one that sees the new value sees the line, too.
 */
void rvic_core_output_driven(RVICCore *c, unsigned cpu)
{
    qatomic_store_release(&c->instances[cpu].driving, false);
}

void rvic_core_drive_output(RVICCore *c, unsigned cpu)
{
    RVICInstance *inst = rvic_lock(c, cpu);

    inst->output = !rvic_has_output(inst);
    rvic_unlock(c, cpu);
}

void rvic_core_copy(RVICCore *c, unsigned cpu, RVICInstance *copy)
{
    const RVICInstance *inst = rvic_lock(c, cpu);

    memcpy(copy->pending, inst->pending, sizeof(copy->pending));
    memcpy(copy->masked, inst->masked, sizeof(copy->masked));
    memcpy(copy->level, inst->level, sizeof(copy->level));
    copy->ready = inst->ready;
    copy->last = inst->last;
    copy->enabled = inst->enabled;
    copy->output = inst->output;
    qemu_spin_unlock(&c->instances[cpu].lock);
}

/* The deliverable INTIDs of one word, if the instance is enabled */
static uint32_t rvic_deliverable(const RVICCore *c, const RVICInstance *inst,
                                 unsigned word)
{
    uint32_t active = inst->pending[word];

    if (word >= c->num_trusted / 32) {
        active |= inst->level[word];
    }
    return active & ~inst->masked[word];
}

bool rvic_core_is_deliverable(const RVICCore *c, const RVICInstance *inst,
                              unsigned intid)
{
    return inst->enabled &&
           extract32(rvic_deliverable(c, inst, intid / 32), intid % 32, 1);
}

static void rvic_update_ready(const RVICCore *c, RVICInstance *inst,
                              unsigned word)
{
    bool ready = rvic_deliverable(c, inst, word);

    inst->ready = deposit64(inst->ready, word, 1, ready);
}

/*
 * Write the bit of @intid in @bits, one of the three bitmaps of @inst, and
 * bring what follows from it up to date: at the same cost however many INTIDs
 * there are.
 */
static void rvic_write(const RVICCore *c, RVICInstance *inst, uint32_t *bits,
                       unsigned intid, bool value)
{
    unsigned word = intid / 32;

    bits[word] = deposit32(bits[word], intid % 32, 1, value);
    rvic_update_ready(c, inst, word);
}

static bool rvic_signal(const RVICCore *c, RVICInstance *inst, unsigned intid)
{
    if (!inst->enabled) {
        return false;
    }
    rvic_write(c, inst, inst->pending, intid, true);
    return true;
}

void rvic_core_signal(RVICCore *c, unsigned cpu, unsigned intid)
{
    RVICInstance *inst = rvic_lock(c, cpu);

    rvic_signal(c, inst, intid);
    rvic_unlock(c, cpu);
}

static void rvic_set_level(const RVICCore *c, RVICInstance *inst,
                           unsigned intid, bool level)
{
    g_assert(!rvic_core_is_trusted(c, intid));

    rvic_write(c, inst, inst->level, intid, level);
}

void rvic_core_set_level(RVICCore *c, unsigned cpu, unsigned intid, bool level,
                         bool edge)
{
    RVICInstance *inst = rvic_lock(c, cpu);

    rvic_set_level(c, inst, intid, level);
    if (edge) {
        rvic_signal(c, inst, intid);
    }
    rvic_unlock(c, cpu);
}

void rvic_core_move_level(RVICCore *c, const RVICLevel *from,
                          const RVICLevel *to)
{
    /* Nobody else locks two */
    RVICInstance *old = rvic_lock(c, from->cpu);
    RVICInstance *new = from->cpu == to->cpu ? old : rvic_lock(c, to->cpu);
    bool changed;

    rvic_set_level(c, old, from->intid, from->level);
    rvic_set_level(c, new, to->intid, to->level);
    if (new == old) {
        rvic_unlock(c, to->cpu);
        return;
    }
    changed = rvic_release(c, from->cpu);
    rvic_unlock(c, to->cpu);
    if (changed) {
        c->output(c->opaque, from->cpu);
    }
}

bool rvic_core_set_line(RVICCore *c, unsigned cpu, unsigned intid, bool level)
{
    RVICInstance *inst = rvic_lock(c, cpu);
    bool changed;

    g_assert(rvic_core_is_trusted(c, intid));

    changed = rvic_test(inst->level, intid) != level;
    if (changed) {
        rvic_write(c, inst, inst->level, intid, level);
        if (level) {
            rvic_signal(c, inst, intid);
        }
    }
    rvic_unlock(c, cpu);
    return changed;
}

/*
 * The next deliverable INTID behind the one acknowledged last, going round.
 * Each deliverable INTID is thus reached after at most one turn, whatever the
 * others do. At least one has to be deliverable.
 */
static unsigned rvic_next(const RVICCore *c, const RVICInstance *inst)
{
    /*
     * A load that failed, and left the guest to go on, may leave any number
     * here, and any INTID deliverable: those that do not exist are never ready
     */
    unsigned word = inst->last / 32 % RVIC_WORDS;
    uint32_t here = !extract64(inst->ready, word, 1) ? 0 :
                    rvic_deliverable(c, inst, word) &
                    ~MAKE_64BIT_MASK(0, inst->last % 32 + 1);
    uint64_t above;

    if (here) {
        return word * 32 + ctz32(here);
    }

    above = inst->ready & ~MAKE_64BIT_MASK(0, word + 1);
    word = ctz64(above ?: inst->ready);
    return word * 32 + ctz32(rvic_deliverable(c, inst, word));
}

/*
 * VERSION
 *   value: version of the ABI
 */
static uint64_t rvic_call_version(const RVICCore *c, RVICInstance *inst,
                                  const uint64_t *arg, uint64_t *value)
{
    *value = RVIC_VERSION_0_3;
    return RVIC_SUCCESS;
}

/*
 * INFO (key)
 *   value: 0 number of trusted INTIDs, 1 number of untrusted INTIDs
 *   ERROR_PARAMETER, 0: any other key
 */
static uint64_t rvic_call_info(const RVICCore *c, RVICInstance *inst,
                               const uint64_t *arg, uint64_t *value)
{
    uint64_t key = arg[0];

    switch (key) {
    case RVIC_INFO_NUM_TRUSTED:
        *value = c->num_trusted;
        return RVIC_SUCCESS;
    case RVIC_INFO_NUM_UNTRUSTED:
        *value = c->num_untrusted;
        return RVIC_SUCCESS;
    default:
        return RVIC_STATUS(RVIC_ERROR_PARAMETER, 0);
    }
}

/*
 * ENABLE
 *   The caller's instance delivers and takes signals. A trusted line that is
 *   high already has no edge left to give: all of them are sampled.
 */
static uint64_t rvic_call_enable(const RVICCore *c, RVICInstance *inst,
                                 const uint64_t *arg, uint64_t *value)
{
    for (unsigned word = 0; word < c->num_trusted / 32; word++) {
        inst->pending[word] |= inst->level[word];
        rvic_update_ready(c, inst, word);
    }
    inst->enabled = true;
    return RVIC_SUCCESS;
}

/*
 * DISABLE
 *   The caller's instance delivers nothing and drops signals. Masks, pending
 *   states and levels stay.
 */
static uint64_t rvic_call_disable(const RVICCore *c, RVICInstance *inst,
                                  const uint64_t *arg, uint64_t *value)
{
    inst->enabled = false;
    return RVIC_SUCCESS;
}

/*
 * The calls from SET_MASKED to CLEAR_PENDING have a target, any INTID of any
 * vCPU, also of one that is off:
 *   x1: MPIDR
 *   x2: INTID
 *   INVALID_CPU, 0: the MPIDR names no vCPU
 *   ERROR_PARAMETER, 1: the INTID does not exist
 */
static uint64_t rvic_parse_target(const RVICCore *c, unsigned caller,
                                  const uint64_t *arg, unsigned *target)
{
    /* Most calls are for the caller itself, and need no search */
    int cpu = arg[0] == c->mpidrs[caller] ? caller :
              rvic_core_find_cpu(c, arg[0]);

    if (cpu < 0) {
        return RVIC_STATUS(RVIC_INVALID_CPU, 0);
    }
    if (arg[1] >= rvic_core_num_intids(c)) {
        return RVIC_STATUS(RVIC_ERROR_PARAMETER, 1);
    }
    *target = cpu;
    return RVIC_SUCCESS;
}

/*
 * SET_MASKED (target)
 *   The INTID is held back; it may still become pending.
 */
static uint64_t rvic_call_set_masked(const RVICCore *c, RVICInstance *inst,
                                     const uint64_t *arg, uint64_t *value)
{
    rvic_write(c, inst, inst->masked, arg[1], true);
    return RVIC_SUCCESS;
}

/*
 * CLEAR_MASKED (target)
 *   The INTID is delivered if or as soon as it is pending: this is also the
 *   end of interrupt.
 */
static uint64_t rvic_call_clear_masked(const RVICCore *c, RVICInstance *inst,
                                       const uint64_t *arg, uint64_t *value)
{
    rvic_write(c, inst, inst->masked, arg[1], false);
    return RVIC_SUCCESS;
}

/*
 * IS_PENDING (target)
 *   value: 1 if the INTID is pending or, for an untrusted one, its level is
 *   high, masked or not; else 0
 */
static uint64_t rvic_call_is_pending(const RVICCore *c, RVICInstance *inst,
                                     const uint64_t *arg, uint64_t *value)
{
    unsigned intid = arg[1];

    *value = rvic_test(inst->pending, intid) ||
             (!rvic_core_is_trusted(c, intid) &&
              rvic_test(inst->level, intid));
    return RVIC_SUCCESS;
}

/*
 * SIGNAL (target)
 *   The INTID becomes pending.
 *   DISABLED: the target's instance is disabled, the signal is dropped
 */
static uint64_t rvic_call_signal(const RVICCore *c, RVICInstance *inst,
                                 const uint64_t *arg, uint64_t *value)
{
    return rvic_signal(c, inst, arg[1]) ? RVIC_SUCCESS :
           RVIC_STATUS(RVIC_DISABLED, 0);
}

/*
 * CLEAR_PENDING (target)
 *   The INTID is no longer pending; a level is not the guest's to clear.
 */
static uint64_t rvic_call_clear_pending(const RVICCore *c, RVICInstance *inst,
                                        const uint64_t *arg, uint64_t *value)
{
    rvic_write(c, inst, inst->pending, arg[1], false);
    return RVIC_SUCCESS;
}

/*
 * ACKNOWLEDGE
 *   value: a deliverable INTID of the caller, now masked and not pending
 *   DISABLED: the caller's instance is disabled
 *   NO_INTERRUPTS: nothing is deliverable
 */
static uint64_t rvic_call_acknowledge(const RVICCore *c, RVICInstance *inst,
                                      const uint64_t *arg, uint64_t *value)
{
    unsigned intid;

    if (!inst->enabled) {
        return RVIC_STATUS(RVIC_DISABLED, 0);
    }
    if (!inst->ready) {
        return RVIC_STATUS(RVIC_NO_INTERRUPTS, 0);
    }

    intid = rvic_next(c, inst);
    inst->last = intid;
    inst->pending[intid / 32] &= ~(1u << intid % 32);
    rvic_write(c, inst, inst->masked, intid, true);
    *value = intid;
    return RVIC_SUCCESS;
}

/*
 * RESAMPLE (INTID)
 *   A trusted INTID of the caller whose line is high becomes pending again,
 *   unless the instance is disabled.
 *   ERROR_PARAMETER, 0: the INTID is not trusted
 */
static uint64_t rvic_call_resample(const RVICCore *c, RVICInstance *inst,
                                   const uint64_t *arg, uint64_t *value)
{
    if (arg[0] >= c->num_trusted) {
        return RVIC_STATUS(RVIC_ERROR_PARAMETER, 0);
    }
    if (rvic_test(inst->level, arg[0])) {
        rvic_signal(c, inst, arg[0]);
    }
    return RVIC_SUCCESS;
}

/* What a call acts on: nothing, the caller's instance, or a target's */
typedef enum RVICCallKind { RVIC_NONE, RVIC_OWN, RVIC_TARGET } RVICCallKind;

static const struct {
    const char *name;
    unsigned num_args;
    RVICCallKind kind;
    /* Called with the instance locked, if there is one */
    uint64_t (*handler)(const RVICCore *c, RVICInstance *inst,
                        const uint64_t *arg, uint64_t *value);
} rvic_calls[RVIC_NUM_CALLS] = {
    [RVIC_VERSION] = { "VERSION", 0, RVIC_NONE, rvic_call_version },
    [RVIC_INFO] = { "INFO", 1, RVIC_NONE, rvic_call_info },
    [RVIC_ENABLE] = { "ENABLE", 0, RVIC_OWN, rvic_call_enable },
    [RVIC_DISABLE] = { "DISABLE", 0, RVIC_OWN, rvic_call_disable },
    [RVIC_SET_MASKED] = { "SET_MASKED", 2, RVIC_TARGET, rvic_call_set_masked },
    [RVIC_CLEAR_MASKED] = { "CLEAR_MASKED", 2, RVIC_TARGET,
                            rvic_call_clear_masked },
    [RVIC_IS_PENDING] = { "IS_PENDING", 2, RVIC_TARGET, rvic_call_is_pending },
    [RVIC_SIGNAL] = { "SIGNAL", 2, RVIC_TARGET, rvic_call_signal },
    [RVIC_CLEAR_PENDING] = { "CLEAR_PENDING", 2, RVIC_TARGET,
                             rvic_call_clear_pending },
    [RVIC_ACKNOWLEDGE] = { "ACKNOWLEDGE", 0, RVIC_OWN, rvic_call_acknowledge },
    [RVIC_RESAMPLE] = { "RESAMPLE", 1, RVIC_OWN, rvic_call_resample },
};

const char *rvic_call_name(unsigned call)
{
    return call < RVIC_NUM_CALLS ? rvic_calls[call].name : "reserved";
}

unsigned rvic_call_num_args(unsigned call)
{
    return call < RVIC_NUM_CALLS ? rvic_calls[call].num_args : 0;
}

uint64_t rvic_core_call(RVICCore *c, unsigned cpu, unsigned call,
                        const uint64_t arg[3], uint64_t *value)
{
    unsigned target = cpu;
    uint64_t status;

    *value = 0;
    if (call >= RVIC_NUM_CALLS) {
        return RVIC_NOT_SUPPORTED;
    }
    if (rvic_calls[call].kind == RVIC_NONE) {
        return rvic_calls[call].handler(c, NULL, arg, value);
    }
    if (rvic_calls[call].kind == RVIC_TARGET) {
        status = rvic_parse_target(c, cpu, arg, &target);
        if (status != RVIC_SUCCESS) {
            return status;
        }
    }

    status = rvic_calls[call].handler(c, rvic_lock(c, target), arg, value);
    rvic_unlock(c, target);
    return status;
}

void rvic_core_reset(RVICCore *c)
{
    for (unsigned cpu = 0; cpu < c->num_cpus; cpu++) {
        RVICInstance *inst = rvic_lock(c, cpu);

        memset(inst->pending, 0, sizeof(inst->pending));
        memset(inst->masked, 0xff, sizeof(inst->masked));
        memset(inst->level, 0, sizeof(inst->level));
        inst->ready = 0;
        inst->last = RVIC_MAX_INTIDS - 1;
        inst->enabled = false;
        rvic_unlock(c, cpu);
    }
}

/* @words: how many words there are INTIDs for */
static bool rvic_is_possible(const RVICInstance *inst, unsigned words)
{
    for (unsigned word = words; word < RVIC_WORDS; word++) {
        if (inst->pending[word] || ~inst->masked[word]) {
            return false;
        }
    }
    return inst->last < RVIC_MAX_INTIDS;
}

bool rvic_core_post_load(RVICCore *c)
{
    unsigned trusted_words = c->num_trusted / 32;
    unsigned words = rvic_core_num_intids(c) / 32;

    for (unsigned cpu = 0; cpu < c->num_cpus; cpu++) {
        RVICInstance *inst = &c->instances[cpu];

        if (!rvic_is_possible(inst, words)) {
            return false;
        }
        rvic_lock(c, cpu);
        memset(inst->level + trusted_words, 0,
               (RVIC_WORDS - trusted_words) * sizeof(inst->level[0]));

        inst->ready = 0;
        for (unsigned word = 0; word < words; word++) {
            rvic_update_ready(c, inst, word);
        }
        qemu_spin_unlock(&inst->lock);
        /* A load may have changed the line, too */
        rvic_core_drive_output(c, cpu);
    }
    return true;
}

void rvic_core_init(RVICCore *c, unsigned num_cpus, const uint64_t *mpidrs,
                    unsigned num_trusted, unsigned num_untrusted,
                    RVICOutputFn *output, void *opaque)
{
    g_assert(num_cpus >= 1 && num_cpus <= RVIC_MAX_CPUS);
    g_assert(!rvic_core_check_counts(num_trusted, num_untrusted));

    *c = (RVICCore) {
        .num_cpus = num_cpus,
        .num_trusted = num_trusted,
        .num_untrusted = num_untrusted,
        .instances = g_new0(RVICInstance, num_cpus),
        .by_mpidr = g_hash_table_new(g_int64_hash, g_int64_equal),
        .mpidrs = g_memdup2(mpidrs, num_cpus * sizeof(mpidrs[0])),
        .output = output,
        .opaque = opaque,
    };

    for (unsigned cpu = 0; cpu < num_cpus; cpu++) {
        bool added = g_hash_table_insert(c->by_mpidr, &c->mpidrs[cpu],
                                         GINT_TO_POINTER(cpu));

        g_assert(added && !(mpidrs[cpu] & ~RVIC_MPIDR_MASK));
        qemu_spin_init(&c->instances[cpu].lock);
    }
    rvic_core_reset(c);
}

void rvic_core_destroy(RVICCore *c)
{
    for (unsigned cpu = 0; cpu < c->num_cpus; cpu++) {
        qemu_spin_destroy(&c->instances[cpu].lock);
    }
    g_hash_table_destroy(c->by_mpidr);
    g_free(c->mpidrs);
    g_free(c->instances);
}
