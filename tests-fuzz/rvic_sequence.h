/*
 * Arm rVIC and rVID: random sequences of what can happen to them
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef RVIC_SEQUENCE_H
#define RVIC_SEQUENCE_H

/*
 * A sequence begins in reset state. It depends on its configuration and seed
 * alone and never on what the devices answer, so any part of it can be left
 * out. As text it has a step in each line, after a heading:
 *
 *   # comment
 *   config CPUS TRUSTED UNTRUSTED WIRED LINES MPIDRS
 *   call CPU FUNCTION X1 X2 X3      FUNCTION by name, or all of x0
 *   line CPU INTID LEVEL            of a trusted INTID
 *   input INPUT LEVEL
 *   doorbell OFFSET WIDTH VALUE     WIDTH in bytes: 1, 2, 4 or 8
 *   reset                           the machine's
 *   cpu-reset CPU                   which forgets its IRQ input
 *   migrate                         save, and restore into a new machine
 *   save                            a snapshot
 *   load                            the last snapshot, if there is one
 *   corrupt WHAT INDEX VALUE        load a state with one thing changed
 */

#define RVID_FN                 0xc5000100u
#define RVIC_FN                 0xc5000200u
#define RVIC_FN_ACKNOWLEDGE     (RVIC_FN + 9)

typedef enum RVICMpidrs {
    /* 0: as the virt board has them, clusters of 16 */
    RVIC_MPIDR_BOARD,
    /* 1: in all four affinity fields */
    RVIC_MPIDR_SPREAD,
} RVICMpidrs;

/* IPIs have no lines: 1 to trusted - RVIC_FIRST_LINE of the INTIDs do */
#define RVIC_FIRST_LINE         16

typedef struct RVICConfig {
    unsigned cpus;          /* 1 to 512 */
    unsigned trusted;       /* "INTIDs" of docs/specs/arm-rvic.rst has rules */
    unsigned untrusted;
    unsigned wired;         /* 0 to untrusted */
    unsigned lines;         /* INTIDs with a line, from RVIC_FIRST_LINE on */
    RVICMpidrs mpidrs;
} RVICConfig;

/** rvic_config_mpidr: affinity fields of a vCPU, also of one past the last */
uint64_t rvic_config_mpidr(const RVICConfig *c, unsigned cpu);

/** rvic_config_check: what is wrong with a configuration, or NULL */
const char *rvic_config_check(const RVICConfig *c);

typedef enum RVICStepKind {
    STEP_CALL,
    STEP_LINE,
    STEP_INPUT,
    STEP_DOORBELL,
    STEP_RESET,
    STEP_CPU_RESET,
    STEP_MIGRATE,
    STEP_SAVE,
    STEP_LOAD,
    STEP_CORRUPT,
    STEP_NUM_KINDS
} RVICStepKind;

/* What STEP_CORRUPT changes */
typedef enum RVICCorrupt {
    CORRUPT_LAST,           /* index: vCPU; INTID acknowledged last */
    CORRUPT_PENDING,        /* index: vCPU; INTID to be pending */
    CORRUPT_UNMASKED,       /* index: vCPU; INTID not to be masked */
    CORRUPT_ROUTE,          /* index: input; route, as in the stream */
    CORRUPT_HIGH,           /* index: input, whose level is high */
    CORRUPT_NUM
} RVICCorrupt;

typedef struct RVICStep {
    uint32_t kind;
    uint32_t cpu;
    /* x0..x3 of a call, else the arguments behind CPU in the order above */
    uint64_t x[4];
} RVICStep;

/* Some things meet often because few others do: the hot ones */
#define HOT_CPUS        3
#define HOT_INTIDS      8
#define HOT_TRUSTED     3
#define HOT_INPUTS      6

typedef struct RVICGenerator {
    RVICConfig config;
    GRand *rand;
    unsigned cpus[HOT_CPUS];
    unsigned intids[HOT_INTIDS];        /* the first HOT_TRUSTED are trusted */
    unsigned inputs[HOT_INPUTS];
    const uint8_t *mood;                /* weights of the steps to come ... */
    unsigned mood_left;                 /* ... so many */
    bool focus;                         /* on the first hot ones */
    bool storm;                         /* of one interrupt: */
    unsigned storm_intid;
    unsigned storm_steps;               /* made of it */
    unsigned rare;
} RVICGenerator;

/**
 * rvic_generator_init: begin a random sequence
 * @c: the machine
 * @seed: the same seed gives the same sequence
 * @rare: mean number of steps between two that touch the whole machine (reset
 *        and what follows it in the list above), or 0 to have none
 */
void rvic_generator_init(RVICGenerator *g, const RVICConfig *c, uint32_t seed,
                         unsigned rare);
void rvic_generator_destroy(RVICGenerator *g);

/** rvic_generate: the next step */
void rvic_generate(RVICGenerator *g, RVICStep *step);

/**
 * rvic_generate_sequence: the first @num steps of a random sequence
 * @c, @seed, @rare: see rvic_generator_init()
 *
 * Returns: the steps, RVICStep
 */
GArray *rvic_generate_sequence(const RVICConfig *c, uint32_t seed,
                               unsigned rare, unsigned num);

/**
 * rvic_step_check: whether a step can be made at all on a machine
 *
 * Returns: what is wrong, or NULL
 */
const char *rvic_step_check(const RVICConfig *c, const RVICStep *step);

/** rvic_step_print: append a step as text, without the end of the line */
void rvic_step_print(const RVICStep *step, GString *text);

/**
 * rvic_sequence_write: write a sequence to a file
 * @comment: lines of text that say where it comes from
 * @steps: of RVICStep
 *
 * Returns: whether that was possible; if not, says so on stderr
 */
bool rvic_sequence_write(const char *file, const char *comment,
                         const RVICConfig *c, const GArray *steps);

/**
 * rvic_sequence_read: read a sequence from a file
 * @c: its configuration
 *
 * Returns: the steps, or NULL after saying on stderr what is wrong
 */
GArray *rvic_sequence_read(const char *file, RVICConfig *c);

/**
 * RVICFails: try a sequence on a machine in reset state
 *
 * Returns: number of the first step after which something is wrong, or -1
 */
typedef long RVICFails(const RVICStep *steps, unsigned num, void *opaque);

/**
 * rvic_sequence_minimise: leave out and simplify what a failure does not need
 * @steps: a sequence that fails
 * @fails: called again and again
 */
void rvic_sequence_minimise(GArray *steps, RVICFails *fails, void *opaque);

#endif
