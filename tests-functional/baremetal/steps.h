/*
 * Bare-metal guest: what the assembly code in steps.c is to its C code
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef BAREMETAL_STEPS_H
#define BAREMETAL_STEPS_H

#include <stdint.h>

/* x0 to x7: the last four before, all of them afterwards */
struct walk {
    uint64_t x[8];
};

/*
 * Single-step from the first BRK to the second. *_calls are the instructions
 * in between.
 */
void walk_hvc(struct walk *walk);
void walk_smc(struct walk *walk);
extern const char walk_hvc_calls[], walk_smc_calls[];

/* For run_at_el1(): the same instructions, then back */
extern const char walk_below[];

#endif
