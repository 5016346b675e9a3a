/*
 * The virt board with irqchip=rvic
 *
 * Hooks for hw/arm/virt.c. VirtMachineState.rvic tells whether the user asked
 * for rVIC and rVID instead of a GIC.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_ARM_VIRT_RVIC_H
#define HW_ARM_VIRT_RVIC_H

#include "hw/arm/virt.h"
#include "rvic/hw-intc/rvic_core.h"

#define VIRT_RVIC_MAX_CPUS RVIC_MAX_CPUS

/** virt_rvic_class_init: add the machine property "irqchip" */
void virt_rvic_class_init(ObjectClass *oc);

/**
 * virt_rvic_finalize: settle the options that irqchip=rvic has a say in
 * @vms: the machine, before anything of it is created
 *
 * Prints one line and exits if an option is not to be had with rVIC; warns
 * of options that have no effect.
 *
 * Returns: false, having done nothing, if the machine has a GIC
 */
bool virt_rvic_finalize(VirtMachineState *vms);

/**
 * virt_rvic_create: create rVIC and rVID in place of a GIC, wired and with
 *                   their device tree nodes
 * @vms: the machine, its vCPUs exist
 * @mem: where the MSI doorbell goes
 *
 * VirtMachineState.gic is the rVID afterwards, whose input n is what a GIC
 * calls SPI n.
 *
 * Returns: false, having done nothing, if the machine has a GIC
 */
bool virt_rvic_create(VirtMachineState *vms, MemoryRegion *mem);

/**
 * virt_rvic_finish_fdt: turn the GIC's interrupt specifiers into those of
 *                       rVIC and rVID
 * @vms: the machine, its device tree is complete otherwise
 *
 * Also warns of firmware, of which all is known only now. Does nothing if the
 * machine has a GIC.
 */
void virt_rvic_finish_fdt(VirtMachineState *vms);

#endif
