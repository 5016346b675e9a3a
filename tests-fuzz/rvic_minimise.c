/*
 * Arm rVIC and rVID: from a failing sequence to a short one
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "rvic_sequence.h"

#define STEP(steps, n) g_array_index(steps, RVICStep, n)

static GArray *slice(const GArray *steps, unsigned first, unsigned num)
{
    GArray *part = g_array_new(false, false, sizeof(RVICStep));

    return g_array_append_vals(part, &STEP(steps, first), num);
}

/* Make @candidate the sequence if it fails too, up to where it fails */
static bool adopt(GArray *steps, const GArray *candidate, RVICFails *fails,
                  void *opaque)
{
    long failed = fails(&STEP(candidate, 0), candidate->len, opaque);

    if (failed < 0) {
        return false;
    }
    g_array_set_size(steps, 0);
    g_array_append_vals(steps, &STEP(candidate, 0), failed + 1);
    return true;
}

/* What is wrong often began not long ago */
static void keep_tail(GArray *steps, RVICFails *fails, void *opaque)
{
    for (unsigned num = 16; num < steps->len; num *= 4) {
        g_autoptr(GArray) tail = slice(steps, steps->len - num, num);

        if (adopt(steps, tail, fails, opaque)) {
            return;
        }
    }
}

/* Leave out parts, of half of the sequence first, of one step at last */
static bool leave_out(GArray *steps, RVICFails *fails, void *opaque)
{
    bool shorter = false;

    for (unsigned size = MAX(steps->len / 2, 1); size; size /= 2) {
        /* from the end, since what is left out there changes no other step */
        for (unsigned end = steps->len; end > 0; end -= MIN(end, size)) {
            unsigned first = end - MIN(end, size);
            g_autoptr(GArray) rest = NULL;

            if (end > steps->len || end - first == steps->len) {
                continue;
            }
            rest = slice(steps, 0, first);
            g_array_append_vals(rest, &STEP(steps, end), steps->len - end);
            shorter |= adopt(steps, rest, fails, opaque);
        }
    }
    return shorter;
}

/* Try @step instead of the one that is there, unless they are the same */
static bool try_step(GArray *steps, unsigned n, RVICStep step,
                     RVICFails *fails, void *opaque)
{
    g_autoptr(GArray) changed = NULL;

    if (!memcmp(&step, &STEP(steps, n), sizeof(step))) {
        return false;
    }
    changed = slice(steps, 0, steps->len);
    STEP(changed, n) = step;
    return adopt(steps, changed, fails, opaque);
}

/* Arguments that do not matter become the first, also the vCPU that calls */
static bool simplify(GArray *steps, RVICFails *fails, void *opaque)
{
    bool simpler = false;

    for (unsigned n = 0; n < steps->len; n++) {
        RVICStep step = STEP(steps, n);

        step.cpu = 0;
        simpler |= try_step(steps, n, step, fails, opaque);
        for (int i = 0; i < 4 && n < steps->len; i++) {
            step = STEP(steps, n);
            if (step.kind == STEP_CALL && i == 0) {
                step.x[i] = (uint32_t)step.x[i];
            } else if (step.kind == STEP_LINE && i == 0) {
                step.x[i] = RVIC_FIRST_LINE;
            } else if (step.kind != STEP_DOORBELL || i == 2) {
                step.x[i] = 0;
            }
            simpler |= try_step(steps, n, step, fails, opaque);
        }
    }
    return simpler;
}

void rvic_sequence_minimise(GArray *steps, RVICFails *fails, void *opaque)
{
    keep_tail(steps, fails, opaque);
    while (leave_out(steps, fails, opaque) || simplify(steps, fails, opaque)) {
        /* each may make room for the other */
    }
}
