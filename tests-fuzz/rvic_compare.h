/*
 * Arm rVIC and rVID: an implementation and the model, side by side
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef RVIC_COMPARE_H
#define RVIC_COMPARE_H

#include "rvic_model.h"
#include "rvic_sequence.h"

/* What is compared with the model; @opaque is RVICCompare.opaque */
typedef struct RVICImplementation {
    /* x0..x3 of the call, then its results; false if it is nobody's */
    bool (*call)(void *opaque, unsigned cpu, uint64_t x[4]);
    void (*line)(void *opaque, unsigned cpu, unsigned intid, bool level);
    void (*input)(void *opaque, unsigned input, bool level);
    void (*doorbell)(void *opaque, uint64_t offset, unsigned width,
                     uint64_t value);
    void (*reset)(void *opaque);

    /* The steps of these names; NULL leaves them out */
    void (*cpu_reset)(void *opaque, unsigned cpu);
    void (*migrate)(void *opaque);
    void (*save)(void *opaque);
    void (*load)(void *opaque);
    /* whether loading such a state succeeds */
    bool (*corrupt)(void *opaque, RVICCorrupt what, uint64_t index,
                    uint64_t value);

    /*
     * Levels of the IRQ inputs of all vCPUs, or NULL if it cannot tell; what
     * else went wrong in the last step is appended to @wrong
     */
    const bool *(*irqs)(void *opaque, GString *wrong);
    /* Append to @wrong what in its whole state differs from the model's */
    void (*check)(void *opaque, const RVICModel *m, GString *wrong);
} RVICImplementation;

typedef struct RVICCompare {
    RVICConfig config;
    const RVICImplementation *impl;
    void *opaque;
    RVICModel *model;
    RVICModel *saved;
    bool has_saved;
    /*
     * by vCPU and INTID: how many ACKNOWLEDGEs in a row returned another one
     * while it was deliverable
     */
    uint16_t (*passed)[RVIC_MODEL_INTIDS];
    /* what is wrong, if it is not empty */
    GString *wrong;
} RVICCompare;

/**
 * rvic_compare_init: set an implementation beside the model
 * @c: uninitialised
 * @config: what @impl is configured as
 * @impl: in reset state
 * @opaque: passed to its functions
 */
void rvic_compare_init(RVICCompare *c, const RVICConfig *config,
                       const RVICImplementation *impl, void *opaque);
void rvic_compare_destroy(RVICCompare *c);

/** rvic_compare_reset: begin a sequence: reset both */
void rvic_compare_reset(RVICCompare *c);

/**
 * rvic_compare_step: make a step with both and compare results and IRQ inputs
 *
 * ACKNOWLEDGE may return any INTID that is deliverable, but none may be passed
 * over more often than there are INTIDs ("rVIC calls").
 *
 * Returns: whether they do the same; else @c->wrong says what differs
 */
bool rvic_compare_step(RVICCompare *c, const RVICStep *step);

/** rvic_compare_check: compare everything there is; returns as above */
bool rvic_compare_check(RVICCompare *c);

#endif
