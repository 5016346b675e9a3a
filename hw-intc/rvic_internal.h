/*
 * Arm rVIC and rVID: what the files of the device models share
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef RVIC_INTERNAL_H
#define RVIC_INTERNAL_H

#include "arm_rvic.h"

/**
 * arm_rvic_qtest_init: let qtest make hypercalls without a running vCPU
 * @s: the machine's rVIC
 *
 * Adds a command to the qtest protocol, if that is in use:
 *
 *   rvic_call CPU FUNCTION X1 X2 X3
 *
 * with the index of the calling vCPU and the arguments as C literals, which
 * answers "OK X0 X1 X2 X3", or "FAIL Unknown call" if nobody handles it.
 */
void arm_rvic_qtest_init(ARMRVICState *s);

/**
 * arm_rvic_print_state: append the state of an INTID to a line of "info pic"
 * @c: the core
 * @cpu: index of the vCPU
 * @intid: any INTID
 * @buf: where to
 */
void arm_rvic_print_state(const RVICCore *c, unsigned cpu, unsigned intid,
                          GString *buf);

/**
 * arm_rvid_print_inputs: append the names of all inputs mapped to an INTID
 * @s: the rVID
 * @cpu: index of the vCPU
 * @intid: an untrusted INTID
 * @buf: where to
 */
void arm_rvid_print_inputs(const ARMRVIDState *s, unsigned cpu, unsigned intid,
                           GString *buf);

#endif
