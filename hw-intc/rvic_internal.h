/*
 * Arm rVIC and rVID: what the files of the device models share
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef RVIC_INTERNAL_H
#define RVIC_INTERNAL_H

#include "migration/vmstate.h"
#include "arm_rvic.h"

/**
 * VMSTATE_RVIC_COUNT: a number that source and destination have in common
 * @_vmname: the field's name in descriptions of the stream
 * @_field: a uint32_t, which is compared and not loaded
 * @_state: type of the structure
 * @_name: what an error message calls it
 *
 * In the stream it is what VMSTATE_UINT32_EQUAL() makes of it, but the message
 * of that has hexadecimal numbers and does not say whose they are.
 */
#define VMSTATE_RVIC_COUNT(_vmname, _field, _state, _name) { \
    .name = _vmname, \
    .err_hint = _name, \
    .size = sizeof(uint32_t), \
    .info = &vmstate_info_rvic_count, \
    .flags = VMS_SINGLE, \
    .offset = vmstate_offset_value(_state, _field, uint32_t), \
}

extern const VMStateInfo vmstate_info_rvic_count;

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
 * @inst: a copy of the vCPU's instance
 * @intid: any INTID
 * @buf: where to
 */
void arm_rvic_print_state(const RVICCore *c, const RVICInstance *inst,
                          unsigned intid, GString *buf);

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
