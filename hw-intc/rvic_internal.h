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

#endif
