/*
 * The board virt's side of the Statistical Profiling Extension
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_ARM_VIRT_SPE_H
#define HW_ARM_VIRT_SPE_H

#include "hw/arm/virt.h"

/**
 * virt_spe_init: make SPE ready and describe it in the device tree
 * @vms: the board, with vCPUs and GIC
 *
 * Nothing happens if the vCPUs have no SPE. If KVM refuses, QEMU ends with a
 * message.
 */
void virt_spe_init(VirtMachineState *vms);

/**
 * virt_spe_madt_bytes: the last three bytes of the MADT's GICC structure
 *
 * Returns: a number of three bytes: a reserved one, and the two of the field
 * "SPE overflow Interrupt" since ACPI 6.3, 0 if the vCPUs have no SPE
 */
uint32_t virt_spe_madt_bytes(void);

#endif
