/*
 * Arm rVIC and rVID: a reference model
 *
 * A second implementation of docs/specs/arm-rvic.rst, naive on purpose: arrays
 * and loops, with the names of that page's sections. It shares nothing with
 * the device models, and needs nothing but libc.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef RVIC_MODEL_H
#define RVIC_MODEL_H

#include <stdbool.h>
#include <stdint.h>

enum { RVIC_MODEL_CPUS = 512, RVIC_MODEL_INTIDS = 2048 };

/* The rVIC of a vCPU: what is 0 or 1 for each INTID, and more */
typedef struct RVICModelInstance {
    bool enabled;
    uint8_t pending[RVIC_MODEL_INTIDS];
    uint8_t masked[RVIC_MODEL_INTIDS];
    uint8_t level[RVIC_MODEL_INTIDS];   /* only of untrusted INTIDs */
    uint8_t line[RVIC_MODEL_INTIDS];    /* only of trusted ones */
    unsigned next;                      /* where ACKNOWLEDGE looks first */
} RVICModelInstance;

typedef struct RVICModel {
    /* To be set before rvic_model_reset(): see "INTIDs", "MSIs", "MPIDR" */
    unsigned num_cpus, num_trusted, num_untrusted, num_wired;
    uint64_t mpidr[RVIC_MODEL_CPUS];    /* affinity fields, all different */
    unsigned num_intids;                /* set by rvic_model_reset() */

    bool irq[RVIC_MODEL_CPUS];          /* the IRQ input of each vCPU */
    struct {
        bool mapped, high;
        unsigned cpu, intid;
    } input[RVIC_MODEL_INTIDS];
    RVICModelInstance instance[RVIC_MODEL_CPUS]; /* num_cpus are used */
} RVICModel;

/* The machine's start, and its reset */
void rvic_model_reset(RVICModel *m);

/*
 * A hypercall of vCPU @cpu in AArch64 state, whose registers x0..x3 are @x, and
 * hold the results afterwards. The order of delivery is not specified, so
 * ACKNOWLEDGE returns @pick if that is deliverable, else each in its turn.
 * Returns false, having done nothing, if the function is in neither range.
 */
#define RVIC_MODEL_ANY      UINT64_MAX
bool rvic_model_call(RVICModel *m, unsigned cpu, uint64_t x[4], uint64_t pick);

/* Drive the line of a trusted INTID; a wired input; write to the doorbell */
void rvic_model_set_line(RVICModel *m, unsigned cpu, unsigned intid, bool high);
void rvic_model_set_input(RVICModel *m, unsigned input, bool high);
void rvic_model_doorbell(RVICModel *m, uint64_t offset, unsigned width,
                         uint64_t value);

/* Whether ACKNOWLEDGE may return an INTID, which may be any number */
bool rvic_model_is_deliverable(const RVICModel *m, unsigned cpu,
                               uint64_t intid);

#endif
