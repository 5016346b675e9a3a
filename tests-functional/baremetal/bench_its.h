/*
 * Bare-metal guest: GICv3's MSIs
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef BAREMETAL_BENCH_ITS_H
#define BAREMETAL_BENCH_ITS_H

#include <stdint.h>

/*
 * Makes a device's event an interrupt of the first vCPU, whose redistributor
 * is at @gicr. Returns the INTID; @address is where the device has to write
 * the number of the event to.
 */
unsigned its_map(uint64_t gicr, unsigned device, unsigned event,
                 uint64_t *address);

#endif
