/*
 * The virt board with irqchip=rvic
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qapi/error.h"
#include "hw/arm/bsa.h"
#include "hw/arm/fdt.h"
#include "hw/intc/arm_gic_common.h"
#include "hw/qdev-properties.h"
#include "system/device_tree.h"
#include "system/kvm.h"
#include "system/qtest.h"
#include "system/tcg.h"
#include "target/arm/cpu.h"
#include "target/arm/gtimer.h"
#include "rvic/hw-intc/arm_rvic.h"
#include "rvic/target-arm-kvm/kvm_rvic.h"
#include "rvic/target-arm-tcg/tcg_rvic.h"
#include "virt_rvic.h"
#include <libfdt.h>

/* The board's lines, in the numbers that a GIC gives its SPIs */
#define VIRT_RVIC_NUM_WIRED 256

#define VIRT_RVIC_NODE      "/interrupt-controller"

static char *virt_get_irqchip(Object *obj, Error **errp)
{
    VirtMachineState *vms = VIRT_MACHINE(obj);

    return g_strdup(vms->rvic ? "rvic" : "gic");
}

static void virt_set_irqchip(Object *obj, const char *value, Error **errp)
{
    VirtMachineState *vms = VIRT_MACHINE(obj);

    if (phase_check(PHASE_MACHINE_INITIALIZED)) {
        error_setg(errp, "The irqchip of a running machine cannot be changed");
        return;
    }
    if (!strcmp(value, "rvic")) {
        vms->rvic = true;
    } else if (!strcmp(value, "gic")) {
        vms->rvic = false;
    } else {
        error_setg(errp, "Invalid irqchip value");
        error_append_hint(errp, "Valid values are gic, rvic.\n");
    }
}

void virt_rvic_class_init(ObjectClass *oc)
{
    object_class_property_add_str(oc, "irqchip", virt_get_irqchip,
                                  virt_set_irqchip);
    object_class_property_set_description(oc, "irqchip",
                                          "Set interrupt controller type. "
                                          "Valid values are gic (default) "
                                          "and rvic (paravirtual, DT only)");
}

bool virt_rvic_finalize(VirtMachineState *vms)
{
    bool gic_version_given = vms->gic_version != VIRT_GIC_VERSION_NOSEL;

    if (!vms->rvic) {
        return false;
    }

    if (!tcg_enabled() && !kvm_enabled() && !qtest_enabled()) {
        error_report("irqchip=rvic does not work with this accelerator: "
                     "use '-accel tcg', '-accel kvm' or irqchip=gic");
        exit(1);
    }
    if (vms->virt && kvm_enabled()) {
        error_report("irqchip=rvic has no EL2 with KVM: "
                     "use virtualization=off or '-accel tcg'");
        exit(1);
    }
    if (vms->secure) {
        error_report("irqchip=rvic has no Security extensions: "
                     "use secure=off or irqchip=gic");
        exit(1);
    }
    if (vms->acpi == ON_OFF_AUTO_ON) {
        error_report("irqchip=rvic has no ACPI tables: "
                     "use acpi=off or irqchip=gic");
        exit(1);
    }
    if (gic_version_given || vms->its_given) {
        warn_report("%s no effect with irqchip=rvic",
                    !vms->its_given ? "gic-version has" :
                    !gic_version_given ? "its has" :
                    "gic-version and its have");
    }

    if (kvm_enabled()) {
        kvm_arm_rvic_finalize_irqchip(&error_fatal);
    }

    vms->acpi = ON_OFF_AUTO_OFF;
    /* so that no code path meets the limits of GICv2 */
    vms->gic_version = VIRT_GIC_VERSION_3;
    return true;
}

/* What a vCPU has for its own rVIC instance */
static const struct {
    const char *gpio;
    unsigned index;
    unsigned intid;
    const char *name;
} lines[] = {
    { NULL, GTIMER_PHYS, ARCH_TIMER_NS_EL1_IRQ, "phys-timer" },
    { NULL, GTIMER_VIRT, ARCH_TIMER_VIRT_IRQ, "virt-timer" },
    { NULL, GTIMER_HYP, ARCH_TIMER_NS_EL2_IRQ, "hyp-timer" },
    { NULL, GTIMER_SEC, ARCH_TIMER_S_EL1_IRQ, "sec-phys-timer" },
    { NULL, GTIMER_HYPVIRT, ARCH_TIMER_NS_EL2_VIRT_IRQ, "hyp-virt-timer" },
    { "pmu-interrupt", 0, VIRTUAL_PMU_IRQ, "pmu" },
};

static void wire_cpus(DeviceState *rvic, unsigned smp_cpus)
{
    for (unsigned line = 0; line < ARRAY_SIZE(lines); line++) {
        arm_rvic_name_line(ARM_RVIC(rvic), lines[line].intid,
                           lines[line].name);
    }
    for (unsigned i = 0; i < smp_cpus; i++) {
        DeviceState *cpu = DEVICE(qemu_get_cpu(i));

        for (unsigned line = 0; line < ARRAY_SIZE(lines); line++) {
            unsigned in = arm_rvic_line(i, lines[line].intid);

            qdev_connect_gpio_out_named(cpu, lines[line].gpio,
                                        lines[line].index,
                                        qdev_get_gpio_in(rvic, in));
        }
        sysbus_connect_irq(SYS_BUS_DEVICE(rvic), i,
                           kvm_enabled() ? kvm_arm_rvic_irq(ARM_CPU(cpu)) :
                           tcg_enabled() ? tcg_arm_rvic_irq(ARM_CPU(cpu)) :
                           qdev_get_gpio_in(cpu, ARM_CPU_IRQ));
    }
}

static DeviceState *create_rvic(VirtMachineState *vms)
{
    unsigned smp_cpus = MACHINE(vms)->smp.cpus;
    bool in_kernel = kvm_irqchip_in_kernel();
    DeviceState *rvic = qdev_new(in_kernel ? TYPE_KVM_ARM_RVIC : TYPE_ARM_RVIC);

    object_property_add_child(OBJECT(vms), "rvic", OBJECT(rvic));
    qdev_prop_set_uint32(rvic, "num-cpu", smp_cpus);
    sysbus_realize_and_unref(SYS_BUS_DEVICE(rvic), &error_fatal);
    /* KVM has these lines for itself */
    if (!in_kernel) {
        wire_cpus(rvic, smp_cpus);
    }
    return rvic;
}

static DeviceState *create_rvid(VirtMachineState *vms, MemoryRegion *mem,
                                DeviceState *rvic)
{
    DeviceState *rvid = qdev_new(kvm_irqchip_in_kernel() ? TYPE_KVM_ARM_RVID :
                                 TYPE_ARM_RVID);

    object_property_add_child(OBJECT(vms), "rvid", OBJECT(rvid));
    object_property_set_link(OBJECT(rvid), "rvic", OBJECT(rvic),
                             &error_abort);
    qdev_prop_set_uint32(rvid, "num-wired", VIRT_RVIC_NUM_WIRED);
    sysbus_realize_and_unref(SYS_BUS_DEVICE(rvid), &error_fatal);
    memory_region_add_subregion(mem, vms->memmap[VIRT_GIC_V2M].base,
                                sysbus_mmio_get_region(SYS_BUS_DEVICE(rvid),
                                                       0));
    return rvid;
}

static void create_fdt_nodes(VirtMachineState *vms, unsigned num_msis)
{
    void *fdt = MACHINE(vms)->fdt;
    uint32_t rvic_phandle = qemu_fdt_alloc_phandle(fdt);
    /*
     * Until the tree is complete the board looks for a node of this name;
     * virt_rvic_finish_fdt() gives it the proper one.
     */
    const char *rvid = "/intc";

    /*
     * The rVIC is its own interrupt parent: inheriting the root's, which is
     * the rVID, would close a circle in which a guest finds no controller to
     * begin with.
     */
    qemu_fdt_add_subnode(fdt, VIRT_RVIC_NODE);
    qemu_fdt_setprop_string(fdt, VIRT_RVIC_NODE, "compatible", "arm,rvic");
    qemu_fdt_setprop(fdt, VIRT_RVIC_NODE, "interrupt-controller", NULL, 0);
    qemu_fdt_setprop_cell(fdt, VIRT_RVIC_NODE, "#interrupt-cells", 2);
    qemu_fdt_setprop_cell(fdt, VIRT_RVIC_NODE, "#address-cells", 0);
    qemu_fdt_setprop_cell(fdt, VIRT_RVIC_NODE, "interrupt-parent",
                          rvic_phandle);
    qemu_fdt_setprop_cell(fdt, VIRT_RVIC_NODE, "phandle", rvic_phandle);

    vms->gic_phandle = qemu_fdt_alloc_phandle(fdt);
    qemu_fdt_add_subnode(fdt, rvid);
    qemu_fdt_setprop_string(fdt, rvid, "compatible", "arm,rvid");
    qemu_fdt_setprop(fdt, rvid, "interrupt-controller", NULL, 0);
    qemu_fdt_setprop_cell(fdt, rvid, "#interrupt-cells", 1);
    qemu_fdt_setprop_cell(fdt, rvid, "#address-cells", 0);
    qemu_fdt_setprop_cell(fdt, rvid, "interrupt-parent", rvic_phandle);
    qemu_fdt_setprop_sized_cells(fdt, rvid, "reg",
                                 2, vms->memmap[VIRT_GIC_V2M].base,
                                 2, ARM_RVID_DOORBELL_SIZE);
    if (num_msis) {
        qemu_fdt_setprop(fdt, rvid, "msi-controller", NULL, 0);
        qemu_fdt_setprop_cells(fdt, rvid, "msi-range",
                               VIRT_RVIC_NUM_WIRED, num_msis);
        vms->msi_phandle = vms->gic_phandle;
    }
    qemu_fdt_setprop_cell(fdt, rvid, "phandle", vms->gic_phandle);

    qemu_fdt_setprop_cell(fdt, "/", "interrupt-parent", vms->gic_phandle);
}

bool virt_rvic_create(VirtMachineState *vms, MemoryRegion *mem)
{
    DeviceState *rvic;
    unsigned num_msis;

    if (!vms->rvic) {
        return false;
    }
    if (!arm_feature(&ARM_CPU(first_cpu)->env, ARM_FEATURE_AARCH64)) {
        error_report("irqchip=rvic needs a 64-bit CPU: "
                     "use another, such as '-cpu max', or irqchip=gic");
        exit(1);
    }

    rvic = create_rvic(vms);
    vms->gic = create_rvid(vms, mem, rvic);
    num_msis = ARM_RVIC_COMMON(rvic)->num_untrusted - VIRT_RVIC_NUM_WIRED;
    if (num_msis) {
        vms->msi_controller = VIRT_MSI_CTRL_RVID;
    }
    create_fdt_nodes(vms, num_msis);
    return true;
}

/*
 * The rest of the board describes its interrupts as for a GIC, in three
 * cells: type, number and flags. A node has either SPIs or PPIs.
 */
#define GIC_CELLS 3

/* The tree was created with room for far more than is added here */
static void fdt_done(int ret)
{
    g_assert(ret == 0);
}

static void convert_interrupts(void *fdt, int node, uint32_t rvic_phandle)
{
    g_autofree fdt32_t *out = NULL;
    const fdt32_t *in;
    uint32_t type;
    int len, n = 0;

    in = fdt_getprop(fdt, node, "interrupts", &len);
    if (!in) {
        return;
    }
    len /= sizeof(*in);
    g_assert(len && len % GIC_CELLS == 0);

    out = g_new(fdt32_t, len);
    type = fdt32_to_cpu(in[0]);
    for (int i = 0; i < len; i += GIC_CELLS) {
        uint32_t number = fdt32_to_cpu(in[i + 1]);

        g_assert(fdt32_to_cpu(in[i]) == type);
        if (type == GIC_FDT_IRQ_TYPE_PPI) {
            /* timers and PMU: levels, whatever an old machine type says */
            out[n++] = cpu_to_fdt32(GIC_NR_SGIS + number);
            out[n++] = cpu_to_fdt32(GIC_FDT_IRQ_FLAGS_LEVEL_HI);
        } else {
            out[n++] = cpu_to_fdt32(number);
        }
    }

    fdt_done(fdt_setprop(fdt, node, "interrupts", out, n * sizeof(*out)));
    if (type == GIC_FDT_IRQ_TYPE_PPI) {
        fdt_done(fdt_setprop_u32(fdt, node, "interrupt-parent", rvic_phandle));
    }
}

/*
 * An entry of the PCIe host's interrupt-map: child address and pin, parent,
 * parent address, parent specifier. The rVID takes no address.
 */
#define MAP_CHILD_CELLS     (3 + 1)
#define MAP_PARENT_CELLS    2
#define MAP_ENTRY_CELLS     (MAP_CHILD_CELLS + 1 + MAP_PARENT_CELLS + GIC_CELLS)

static void convert_interrupt_map(void *fdt, int node)
{
    g_autofree fdt32_t *out = NULL;
    const fdt32_t *in;
    int len, n = 0;

    in = fdt_getprop(fdt, node, "interrupt-map", &len);
    if (!in) {
        return;
    }
    len /= sizeof(*in);
    g_assert(len % MAP_ENTRY_CELLS == 0);

    out = g_new(fdt32_t, len);
    for (; len; len -= MAP_ENTRY_CELLS, in += MAP_ENTRY_CELLS) {
        for (int i = 0; i < MAP_CHILD_CELLS + 1; i++) {
            out[n++] = in[i];
        }
        out[n++] = in[MAP_ENTRY_CELLS - GIC_CELLS + 1];
    }
    fdt_done(fdt_setprop(fdt, node, "interrupt-map", out, n * sizeof(*out)));
}

void virt_rvic_finish_fdt(VirtMachineState *vms)
{
    void *fdt = MACHINE(vms)->fdt;
    g_autofree char *name = NULL;
    uint32_t rvic_phandle;
    int node;

    if (!vms->rvic) {
        return;
    }
    if (vms->bootinfo.firmware_loaded) {
        warn_report("irqchip=rvic: the firmware has to know rVIC, which EDK2 "
                    "does not; '-kernel' needs no firmware");
    }

    rvic_phandle = qemu_fdt_get_phandle(fdt, VIRT_RVIC_NODE);

    /* Changes to a node move what is behind it, and leave the node in place */
    for (node = fdt_next_node(fdt, -1, NULL); node >= 0;
         node = fdt_next_node(fdt, node, NULL)) {
        convert_interrupts(fdt, node, rvic_phandle);
        convert_interrupt_map(fdt, node);
    }

    name = g_strdup_printf(VIRT_RVIC_NODE "@%" PRIx64,
                           vms->memmap[VIRT_GIC_V2M].base);
    node = fdt_node_offset_by_phandle(fdt, vms->gic_phandle);
    fdt_done(fdt_set_name(fdt, node, name + strlen("/")));
}
