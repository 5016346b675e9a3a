/*
 * The board virt's side of the Statistical Profiling Extension
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qapi/error.h"
#include "hw/arm/bsa.h"
#include "hw/arm/fdt.h"
#include "system/device_tree.h"
#include "target/arm/cpu.h"
#include "rvic/target-arm-kvm/kvm_spe.h"
#include "virt_spe.h"

/* As the Base System Architecture has it */
#define VIRTUAL_SPE_IRQ 21

#define VIRT_SPE_NODE   "/spe"

static bool is_enabled(void)
{
    return kvm_arm_spe_enabled(ARM_CPU(first_cpu));
}

static void create_fdt_node(VirtMachineState *vms)
{
    MachineState *ms = MACHINE(vms);
    uint32_t flags = GIC_FDT_IRQ_FLAGS_LEVEL_HI;

    if (vms->gic_version == VIRT_GIC_VERSION_2) {
        flags = deposit32(flags, GIC_FDT_IRQ_PPI_CPU_START,
                          GIC_FDT_IRQ_PPI_CPU_WIDTH,
                          (1 << ms->smp.cpus) - 1);
    }
    qemu_fdt_add_subnode(ms->fdt, VIRT_SPE_NODE);
    qemu_fdt_setprop_string(ms->fdt, VIRT_SPE_NODE, "compatible",
                            "arm,statistical-profiling-extension-v1");
    qemu_fdt_setprop_cells(ms->fdt, VIRT_SPE_NODE, "interrupts",
                           GIC_FDT_IRQ_TYPE_PPI,
                           INTID_TO_PPI(VIRTUAL_SPE_IRQ), flags);
}

void virt_spe_init(VirtMachineState *vms)
{
    Error *err = NULL;

    if (!is_enabled()) {
        return;
    }
    if (!kvm_arm_spe_init(MACHINE(vms), VIRTUAL_SPE_IRQ, &err)) {
        error_report_err(err);
        exit(1);
    }
    create_fdt_node(vms);
}

uint32_t virt_spe_madt_bytes(void)
{
    /* The first byte is reserved, and numbers are little-endian */
    return is_enabled() ? VIRTUAL_SPE_IRQ << 8 : 0;
}
