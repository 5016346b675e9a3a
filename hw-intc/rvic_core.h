/*
 * Arm rVIC and rVID: the state machines, in plain C
 *
 * rvic_core.c and rvid_core.c know hypercall arguments, interrupt states and
 * mappings, and no QOM, no BQL, no accelerator.
 *
 * Each rVIC instance has a lock, held for a few dozen instructions, in which
 * all that changes it is one step. So vCPUs make rVIC calls at the same time,
 * and devices signal at the same time. It is a spin lock, like those that vCPUs
 * take for translated code: who waits for one whose holder the host has stopped
 * does so busily. The caller serialises all functions on an RVIDCore, and those
 * that reset or load an RVICCore with everything else.
 *
 * The rules are those of docs/specs/arm-rvic.rst; section names below refer
 * to that page.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef RVIC_CORE_H
#define RVIC_CORE_H

#include "qemu/thread.h"

/* "INTIDs": trusted + untrusted interrupts of one vCPU, in steps of 32 */
#define RVIC_MAX_INTIDS     2048
#define RVIC_INTID_STEP     32
#define RVIC_MAX_CPUS       512

#define RVIC_WORDS          (RVIC_MAX_INTIDS / 32)

/* "Function IDs": SMC64 fast calls; the lowest byte numbers the call */
#define RVID_FN_BASE        0xC5000100u
#define RVIC_FN_BASE        0xC5000200u
#define RVIC_FN_RANGE       0x100u

typedef enum RVICCall {
    RVIC_VERSION,
    RVIC_INFO,
    RVIC_ENABLE,
    RVIC_DISABLE,
    RVIC_SET_MASKED,
    RVIC_CLEAR_MASKED,
    RVIC_IS_PENDING,
    RVIC_SIGNAL,
    RVIC_CLEAR_PENDING,
    RVIC_ACKNOWLEDGE,
    RVIC_RESAMPLE,
    RVIC_NUM_CALLS
} RVICCall;

typedef enum RVIDCall {
    RVID_VERSION,
    RVID_MAP,
    RVID_UNMAP,
    RVID_NUM_CALLS
} RVIDCall;

/* Keys of RVIC_INFO */
#define RVIC_INFO_NUM_TRUSTED       0
#define RVIC_INFO_NUM_UNTRUSTED     1

/* "Version": major in bits 31:16, minor in bits 15:0; both components */
#define RVIC_VERSION_0_3            0x00000003

/*
 * "Status": reason in bits 7:0, index of the offending argument (0 is x1) in
 * bits 15:8. A reserved call returns SMCCC's NOT_SUPPORTED instead.
 */
#define RVIC_SUCCESS                0
#define RVIC_ERROR_PARAMETER        1
#define RVIC_INVALID_CPU            2
#define RVIC_DISABLED               3
#define RVIC_NO_INTERRUPTS          4
#define RVIC_STATUS(reason, index)  ((uint64_t)(reason) | (index) << 8)
#define RVIC_STATUS_REASON(status)  ((status) & 0xff)
#define RVIC_NOT_SUPPORTED          UINT64_MAX

/* "MPIDR": the affinity fields; every other bit of an argument must be 0 */
#define RVIC_MPIDR_MASK             0xff00ffffffULL

/*
 * One rVIC instance: the interrupts of one vCPU, a bit for each INTID.
 *
 *               signal                        signal: SIGNAL, rising edge of
 *     idle ----------------> pending                  a line or rVID input
 *      ^                      |    |
 *      |    CLEAR_PENDING     |    | unmasked, instance enabled:
 *      +----------------------+    | the vCPU's IRQ is high
 *      |                           v
 *      +--------------- ACKNOWLEDGE (and sets the mask)
 *
 * An INTID leaves reset masked; CLEAR_MASKED, which is also the end of
 * interrupt, lets it through. A high level of an untrusted INTID counts as
 * pending for as long as it lasts.
 */
typedef struct RVICInstance {
    /* of all but "driving". What is used most is on one line of the cache. */
    QemuSpin lock;
    bool enabled;
    /* what the output was last driven to, or is being driven to (derived) */
    bool output;
    /* somebody is between taking the output and having driven it (derived) */
    bool driving;
    /* INTID that ACKNOWLEDGE returned last: the search goes on behind it */
    uint16_t last;
    /* a bit for each word below that holds a deliverable INTID (derived) */
    uint64_t ready;
    uint32_t pending[RVIC_WORDS];
    uint32_t masked[RVIC_WORDS];
    /* trusted: the line as last seen; untrusted: the rVID's inputs, ORed */
    uint32_t level[RVIC_WORDS];
} RVICInstance;

/**
 * RVICOutputFn: drive the IRQ input of a vCPU, for it has to change
 * @opaque: as given to rvic_core_init()
 * @cpu: index of the vCPU
 *
 * Called with no instance locked, and maybe by several threads at once. For
 * one vCPU, what is from rvic_core_take_output() to rvic_core_output_driven()
 * has to be serialised, so that the line ends as the last one found the output.
 */
typedef void RVICOutputFn(void *opaque, unsigned cpu);

typedef struct RVICCore {
    unsigned num_cpus;
    unsigned num_trusted;
    unsigned num_untrusted;
    RVICInstance *instances;
    GHashTable *by_mpidr;
    uint64_t *mpidrs;
    RVICOutputFn *output;
    void *opaque;
} RVICCore;

/**
 * rvic_core_check_counts: check numbers of interrupts against the ABI
 * @num_trusted: trusted INTIDs of each vCPU
 * @num_untrusted: untrusted INTIDs of each vCPU
 *
 * Both have to be multiples of 32 and at least 32, and their sum at most
 * RVIC_MAX_INTIDS ("INTIDs").
 *
 * Returns: what is wrong, for an error message, or NULL
 */
const char *rvic_core_check_counts(unsigned num_trusted,
                                   unsigned num_untrusted);

/**
 * rvic_core_init: set up the instances of all vCPUs, in reset state
 * @c: the core, uninitialised
 * @num_cpus: 1 to RVIC_MAX_CPUS
 * @mpidrs: affinity fields of each vCPU, all different; copied
 * @num_trusted: see rvic_core_check_counts(), whose rules hold
 * @num_untrusted: see rvic_core_check_counts()
 * @output: called whenever the output of a vCPU has to change
 * @opaque: passed to @output
 */
void rvic_core_init(RVICCore *c, unsigned num_cpus, const uint64_t *mpidrs,
                    unsigned num_trusted, unsigned num_untrusted,
                    RVICOutputFn *output, void *opaque);

/** rvic_core_destroy: free what rvic_core_init() allocated */
void rvic_core_destroy(RVICCore *c);

/** rvic_core_reset: put all instances into reset state ("Reset") */
void rvic_core_reset(RVICCore *c);

/**
 * rvic_core_post_load: take over instances that migration has written
 * @c: the core; pending, masked, level, last and enabled are loaded
 *
 * Levels of untrusted INTIDs become low: they belong to the rVID, whose
 * rvid_core_post_load() has to follow.
 *
 * Returns: false if the instances hold states that no guest can reach
 */
bool rvic_core_post_load(RVICCore *c);

/**
 * rvic_core_call: execute an rVIC hypercall ("rVIC calls")
 * @c: the core
 * @cpu: index of the calling vCPU
 * @call: the call's number; unknown ones return RVIC_NOT_SUPPORTED
 * @arg: x1..x3
 * @value: result for x1; 0 where the call has none
 *
 * Returns: result for x0, a status
 */
uint64_t rvic_core_call(RVICCore *c, unsigned cpu, unsigned call,
                        const uint64_t arg[3], uint64_t *value);

/** rvic_call_name: name of rVIC call @call, for traces; never NULL */
const char *rvic_call_name(unsigned call);

/** rvic_call_num_args: how many of x1..x3 rVIC call @call looks at, 0 to 2 */
unsigned rvic_call_num_args(unsigned call);

/**
 * rvic_core_set_line: the level of a trusted interrupt's line changed
 * @c: the core
 * @cpu: index of the vCPU
 * @intid: 0 to num_trusted - 1
 * @level: the line's new level; a repeated level is no edge
 *
 * A rising edge makes the INTID pending if the instance is enabled, a
 * falling edge never clears it ("Trusted lines").
 *
 * Returns: whether the level changed
 */
bool rvic_core_set_line(RVICCore *c, unsigned cpu, unsigned intid, bool level);

/**
 * rvic_core_signal: make an INTID pending
 * @c: the core
 * @cpu: index of the vCPU
 * @intid: any INTID
 *
 * A disabled instance drops the signal.
 */
void rvic_core_signal(RVICCore *c, unsigned cpu, unsigned intid);

/**
 * rvic_core_set_level: set the level of an untrusted INTID
 * @c: the core
 * @cpu: index of the vCPU
 * @intid: num_trusted to num_trusted + num_untrusted - 1
 * @level: OR of the rVID inputs mapped to it ("Level-triggered inputs")
 * @edge: signal the INTID as well, in the same step: were there two, a vCPU
 *        could acknowledge the level in between, and the signal would deliver
 *        the same event once more
 */
void rvic_core_set_level(RVICCore *c, unsigned cpu, unsigned intid,
                         bool level, bool edge);

/* A level that an untrusted INTID of a vCPU is to have */
typedef struct RVICLevel {
    unsigned cpu;
    unsigned intid;
    bool level;
} RVICLevel;

/**
 * rvic_core_move_level: set two levels in one step
 * @c: the core
 * @from: as in rvic_core_set_level()
 * @to: as @from, may be of the same vCPU and INTID: then it is what counts
 *
 * What an input that is mapped anew does: nobody sees its level nowhere, or
 * twice. Not to be called twice at the same time.
 */
void rvic_core_move_level(RVICCore *c, const RVICLevel *from,
                          const RVICLevel *to);

/**
 * rvic_core_is_deliverable: whether an INTID makes the vCPU's output high
 * @c: the core
 * @inst: an instance, or a copy
 * @intid: any INTID
 */
bool rvic_core_is_deliverable(const RVICCore *c, const RVICInstance *inst,
                              unsigned intid);

/**
 * rvic_core_take_output: what an output is to be driven to, now
 * @c: the core
 * @cpu: index of the vCPU
 * @level: true if an INTID is deliverable
 *
 * For an RVICOutputFn.
 *
 * Returns: whether it has to be driven: not if somebody else has been faster
 */
bool rvic_core_take_output(RVICCore *c, unsigned cpu, bool *level);

/**
 * rvic_core_output_driven: an output is what rvic_core_take_output() returned
 * @c: the core
 * @cpu: index of the vCPU
 *
 * Until then, a call does not return that relies on it: it has the output
 * driven once more, and so waits for whoever is at it.
 */
void rvic_core_output_driven(RVICCore *c, unsigned cpu);

/**
 * rvic_core_drive_output: drive a vCPU's output, changed or not
 * @c: the core
 * @cpu: index of the vCPU
 *
 * For a consumer that has forgotten the level, as a CPU does at reset. To be
 * serialised with the RVICOutputFn of the same vCPU.
 */
void rvic_core_drive_output(RVICCore *c, unsigned cpu);

/**
 * rvic_core_copy: look at an instance while vCPUs use it
 * @c: the core
 * @cpu: index of the vCPU
 * @copy: its state at one moment, but for the lock and "driving"
 */
void rvic_core_copy(RVICCore *c, unsigned cpu, RVICInstance *copy);

/**
 * rvic_core_find_cpu: look up a vCPU
 * @c: the core
 * @mpidr: affinity fields as a guest passes them, all 64 bits count
 *
 * Returns: index of the vCPU, or -1
 */
int rvic_core_find_cpu(const RVICCore *c, uint64_t mpidr);

static inline unsigned rvic_core_num_intids(const RVICCore *c)
{
    return c->num_trusted + c->num_untrusted;
}

static inline bool rvic_core_is_trusted(const RVICCore *c, unsigned intid)
{
    return intid < c->num_trusted;
}

static inline bool rvic_test(const uint32_t *bits, unsigned intid)
{
    return bits[intid / 32] >> (intid % 32) & 1;
}

/* All mapped inputs that share one (vCPU, INTID) */
typedef struct RVIDTarget {
    uint16_t cpu;
    uint16_t intid;
    uint16_t inputs;
    uint16_t high;
} RVIDTarget;

#define RVID_UNMAPPED       UINT32_MAX

typedef struct RVIDInput {
    /* vCPU index in bits 31:16, INTID in bits 15:0; or RVID_UNMAPPED */
    uint32_t route;
    bool level;
    /* what route leads to (derived) */
    RVIDTarget *target;
} RVIDInput;

/*
 * The rVID: inputs 0 .. num_wired - 1 are level-sensitive lines, the rest up
 * to num_inputs - 1 are MSIs, edges only.
 */
typedef struct RVIDCore {
    RVICCore *rvic;
    uint32_t num_inputs;
    unsigned num_wired;
    RVIDInput *inputs;
    /* route -> RVIDTarget, of all inputs that are mapped (derived) */
    GHashTable *targets;
} RVIDCore;

/**
 * rvid_core_init: set up an rVID, in reset state
 * @d: the distributor, uninitialised
 * @rvic: the core whose INTIDs it drives; its number of untrusted INTIDs is
 *        the number of inputs ("rVID calls")
 * @num_wired: wired inputs, 0 to the number of inputs
 */
void rvid_core_init(RVIDCore *d, RVICCore *rvic, unsigned num_wired);

/** rvid_core_destroy: free what rvid_core_init() allocated */
void rvid_core_destroy(RVIDCore *d);

/**
 * rvid_core_reset: unmap all inputs and take their lines for low ("Reset")
 * @d: the distributor
 */
void rvid_core_reset(RVIDCore *d);

/**
 * rvid_core_post_load: take over inputs that migration has written
 * @d: the distributor; route and level of each input are loaded, and
 *     rvic_core_post_load() has been called
 *
 * Returns: false if a route or level is one that no guest can reach
 */
bool rvid_core_post_load(RVIDCore *d);

/**
 * rvid_core_call: execute an rVID hypercall ("rVID calls")
 * @d: the distributor
 * @call: the call's number; unknown ones return RVIC_NOT_SUPPORTED
 * @arg: x1..x3
 * @value: result for x1; 0 where the call has none
 *
 * Returns: result for x0, a status
 */
uint64_t rvid_core_call(RVIDCore *d, unsigned call, const uint64_t arg[3],
                        uint64_t *value);

/**
 * rvid_core_find_target: look up what is mapped to an INTID
 * @d: the distributor
 * @cpu: index of the vCPU
 * @intid: any INTID
 *
 * Returns: what all inputs that are mapped to it share, or NULL
 */
const RVIDTarget *rvid_core_find_target(const RVIDCore *d, unsigned cpu,
                                        unsigned intid);

/** rvid_call_name: name of rVID call @call, for traces; never NULL */
const char *rvid_call_name(unsigned call);

/** rvid_call_num_args: how many of x1..x3 rVID call @call looks at, 0 to 3 */
unsigned rvid_call_num_args(unsigned call);

/**
 * rvid_core_set_line: the level of a wired input changed
 * @d: the distributor
 * @input: 0 to num_wired - 1
 * @level: the line's new level; a repeated level is no edge
 *
 * Returns: whether the level changed
 */
bool rvid_core_set_line(RVIDCore *d, unsigned input, bool level);

/**
 * rvid_core_msi: an MSI arrived ("MSIs")
 * @d: the distributor
 * @input: what was written to the doorbell
 *
 * Returns: false if @input is not an MSI, and then does nothing
 */
bool rvid_core_msi(RVIDCore *d, uint32_t input);

#endif
