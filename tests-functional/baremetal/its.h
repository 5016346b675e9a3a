/*
 * Bare-metal guests: GICv3's ITS, whose LPIs are the first vCPU's
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef BAREMETAL_ITS_H
#define BAREMETAL_ITS_H

#include <stdbool.h>
#include <stdint.h>

/* The first LPI, and how many there may be */
#define FIRST_LPI       8192
#define ITS_LPIS        8192

/*
 * Enables the ITS at an address, and LPIs of the first vCPU, whose
 * redistributor is at @gicr. Returns whether the ITS does what it is told.
 */
bool its_enable(uint64_t its, uint64_t gicr);

/* Has a device, whose events are less than @events, send LPIs. */
bool its_add_device(unsigned device, unsigned events);

/* Makes a device's event an LPI, enabled, of the highest priority. */
bool its_map(unsigned device, unsigned event, unsigned lpi);

/* Does what the device does that writes the event's number there. */
bool its_trigger(unsigned device, unsigned event);

/* Where a device has to write the number of an event to */
uint64_t its_doorbell(void);

#endif
