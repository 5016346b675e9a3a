// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arm paravirtual interrupt distributor: the rVID of a machine.
 *
 * It has inputs, each of which can be mapped to one untrusted INTID of one vCPU's
 * rVIC (irq-rvic.c), and no other state: masking, acknowledging and pending states
 * are the rVIC's. Some of the inputs, a contiguous range, are not wires but MSIs:
 * a device signals input n by writing n to the doorbell.
 *
 * An input is mapped while its interrupt is active in the sense of
 * irq_domain_activate_irq().
 */

#define pr_fmt(fmt) "rvid: " fmt

#include <linux/bitmap.h>
#include <linux/cpumask.h>
#include <linux/iommu.h>
#include <linux/irqchip.h>
#include <linux/irqdomain.h>
#include <linux/log2.h>
#include <linux/msi.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/slab.h>

#include <asm/smp_plat.h>

#include "irq-rvic-compat.h"
#include "irq-rvic.h"

struct rvid {
	unsigned int nr_inputs;
	unsigned int first_msi;
	unsigned int nr_msis;
	phys_addr_t doorbell;
	/* Inputs that are MSIs in use. Under the root domain's mutex. */
	unsigned long *msis;
};

static int rvid_map(unsigned long input, unsigned int cpu, unsigned long intid)
{
	return rvic_call(RVID_MAP, input, cpu_logical_map(cpu), intid, NULL);
}

static int rvid_set_affinity(struct irq_data *d, const struct cpumask *mask,
			     bool force)
{
	unsigned int cpu;
	int ret;

	/* Forced: for the sake of a CPU that is not quite online yet */
	if (force)
		cpu = cpumask_first(mask);
	else
		cpu = cpumask_any_and(mask, cpu_online_mask);
	if (cpu >= nr_cpu_ids)
		return -EINVAL;

	ret = rvic_route(d->parent_data, cpu, d->hwirq, rvid_map);
	if (ret)
		return ret;

	irq_data_update_effective_affinity(d, cpumask_of(cpu));

	/* The same input whatever the CPU: an MSI's message need not be rewritten */
	return IRQ_SET_MASK_OK_DONE;
}

static void rvid_compose_msi_msg(struct irq_data *d, struct msi_msg *msg)
{
	struct rvid *rvid = irq_data_get_irq_chip_data(d);

	/* Behind an IOMMU this is the doorbell's address there */
	msi_msg_set_addr(irq_data_get_msi_desc(d), msg, rvid->doorbell);
	msg->data = d->hwirq;
}

/*
 * What a wire can be. There is nothing to set up, and a level that stays high is
 * delivered again by itself. One-cell specifiers mean IRQ_TYPE_NONE, so a type
 * comes from the device's driver, if at all.
 */
static int rvid_set_type(struct irq_data *d, unsigned int type)
{
	if (type != IRQ_TYPE_EDGE_RISING && type != IRQ_TYPE_LEVEL_HIGH)
		return -EINVAL;

	return 0;
}

/*
 * An rVIC cannot be told which interrupts shall wake its CPU: any that is not
 * masked does. So suspend-to-idle has to mask the others. For MSIs, whose
 * outermost chip is not this one, the first wakes the CPU and is then masked.
 */
static const struct irq_chip rvid_chip = {
	.name			= "rvid",
	.irq_mask		= irq_chip_mask_parent,
	.irq_unmask		= irq_chip_unmask_parent,
	.irq_eoi		= irq_chip_eoi_parent,
	.irq_retrigger		= irq_chip_retrigger_hierarchy,
	.irq_set_type		= rvid_set_type,
	.irq_set_affinity	= rvid_set_affinity,
	.irq_compose_msi_msg	= rvid_compose_msi_msg,
	.flags			= IRQCHIP_SKIP_SET_WAKE | IRQCHIP_MASK_ON_SUSPEND,
};

/* Mapping here, not at allocation: only now the affinity that counts is known */
static int rvid_domain_activate(struct irq_domain *domain, struct irq_data *d,
				bool reserve)
{
	const struct cpumask *mask = irq_data_get_affinity_mask(d);
	int ret;

	/*
	 * An affinity that was set before the interrupt was activated may name
	 * only CPUs that have gone offline since.
	 */
	if (!cpumask_intersects(mask, cpu_online_mask))
		mask = cpu_online_mask;

	ret = rvid_set_affinity(d, mask, false);

	return ret < 0 ? ret : 0;
}

static void rvid_domain_deactivate(struct irq_domain *domain, struct irq_data *d)
{
	rvic_unroute(d->parent_data);
	rvic_call(RVID_UNMAP, d->hwirq, 0, 0, NULL);
}

/* Takes INTIDs from the rVIC for @nr_irqs inputs from @input on */
static int rvid_alloc_inputs(struct irq_domain *domain, unsigned int virq,
			     unsigned int nr_irqs, irq_hw_number_t input)
{
	/* Empty: which INTIDs is for the rVIC to say */
	struct irq_fwspec fwspec = { .fwnode = domain->parent->fwnode };
	unsigned int i;
	int ret;

	ret = irq_domain_alloc_irqs_parent(domain, virq, nr_irqs, &fwspec);
	if (ret)
		return ret;

	for (i = 0; i < nr_irqs; i++)
		irq_domain_set_hwirq_and_chip(domain, virq + i, input + i,
					      &rvid_chip, domain->host_data);

	return 0;
}

/*
 * Chained interrupts may come here without having been deactivated; their inputs
 * must not stay mapped to INTIDs that are somebody else's next.
 */
static void rvid_free_inputs(struct irq_domain *domain, unsigned int virq,
			     unsigned int nr_irqs)
{
	struct irq_data *d;
	unsigned int i;

	for (i = 0; i < nr_irqs; i++) {
		d = irq_domain_get_irq_data(domain, virq + i);
		if (irqd_is_activated(d))
			rvid_domain_deactivate(domain, d);
	}

	irq_domain_free_irqs_common(domain, virq, nr_irqs);
}

static int rvid_wired_translate(struct irq_domain *domain,
				struct irq_fwspec *fwspec,
				unsigned long *hwirq, unsigned int *type)
{
	struct rvid *rvid = domain->host_data;
	u32 input;

	if (fwspec->param_count != 1)
		return -EINVAL;

	input = fwspec->param[0];
	if (input >= rvid->nr_inputs ||
	    (input >= rvid->first_msi && input - rvid->first_msi < rvid->nr_msis))
		return -EINVAL;

	*hwirq = input;
	*type = IRQ_TYPE_NONE;

	return 0;
}

static int rvid_wired_alloc(struct irq_domain *domain, unsigned int virq,
			    unsigned int nr_irqs, void *arg)
{
	irq_hw_number_t input;
	unsigned int type;
	int ret;

	ret = rvid_wired_translate(domain, arg, &input, &type);
	if (ret)
		return ret;

	return rvid_alloc_inputs(domain, virq, nr_irqs, input);
}

static const struct irq_domain_ops rvid_wired_ops = {
	.translate	= rvid_wired_translate,
	.alloc		= rvid_wired_alloc,
	.free		= rvid_free_inputs,
	.activate	= rvid_domain_activate,
	.deactivate	= rvid_domain_deactivate,
};

static int rvid_msi_alloc(struct irq_domain *domain, unsigned int virq,
			  unsigned int nr_irqs, void *arg)
{
	struct rvid *rvid = domain->host_data;
	msi_alloc_info_t *info = arg;
	unsigned long input;
	int ret;

	/*
	 * A device with several MSIs varies the low bits of its one data word, so
	 * the inputs themselves have to be aligned, not their place in the range.
	 */
	input = bitmap_find_next_zero_area(rvid->msis,
					   rvid->first_msi + rvid->nr_msis,
					   rvid->first_msi, nr_irqs,
					   roundup_pow_of_two(nr_irqs) - 1);
	if (input >= rvid->first_msi + rvid->nr_msis)
		return -ENOSPC;

	/* Behind an IOMMU (SMMUv3): the doorbell needs to be mapped for the device */
	ret = iommu_dma_prepare_msi(info->desc, rvid->doorbell);
	if (ret)
		return ret;

	ret = rvid_alloc_inputs(domain, virq, nr_irqs, input);
	if (ret)
		return ret;

	bitmap_set(rvid->msis, input, nr_irqs);

	return 0;
}

static void rvid_msi_free(struct irq_domain *domain, unsigned int virq,
			  unsigned int nr_irqs)
{
	struct rvid *rvid = domain->host_data;
	struct irq_data *d = irq_domain_get_irq_data(domain, virq);

	bitmap_clear(rvid->msis, d->hwirq, nr_irqs);
	rvid_free_inputs(domain, virq, nr_irqs);
}

static const struct irq_domain_ops rvid_msi_ops = {
	.select		= msi_lib_irq_domain_select,
	.alloc		= rvid_msi_alloc,
	.free		= rvid_msi_free,
	.activate	= rvid_domain_activate,
	.deactivate	= rvid_domain_deactivate,
};

/* MASK_PARENT: the device may have no mask bits for plain MSIs, the rVIC does */
static const struct msi_parent_ops rvid_msi_parent_ops = {
	.required_flags		= MSI_FLAG_USE_DEF_DOM_OPS |
				  MSI_FLAG_USE_DEF_CHIP_OPS |
				  MSI_FLAG_PCI_MSI_MASK_PARENT,
	.supported_flags	= MSI_GENERIC_FLAGS_MASK |
				  MSI_FLAG_PCI_MSIX |
				  MSI_FLAG_MULTI_PCI_MSI,
	.bus_select_token	= DOMAIN_BUS_NEXUS,
	.bus_select_mask	= MATCH_PCI_MSI | MATCH_PLATFORM_MSI,
	.prefix			= "rvid-",
	.init_dev_msi_info	= msi_lib_init_dev_msi_info,
	RVID_MSI_CHIP_FLAGS
};

/*
 * MSIs need a doorbell ("reg") and a range of inputs ("msi-range": first, count).
 * An rVID without them has wired inputs only.
 */
static int __init rvid_get_msis(struct device_node *node, struct rvid *rvid)
{
	struct resource res;
	u32 range[2];

	if (!of_property_present(node, "msi-range"))
		return 0;

	if (of_property_read_u32_array(node, "msi-range", range, 2) ||
	    range[0] >= rvid->nr_inputs ||
	    range[1] > rvid->nr_inputs - range[0]) {
		pr_err("%pOF: bad msi-range\n", node);
		return -EINVAL;
	}

	if (of_address_to_resource(node, 0, &res)) {
		pr_err("%pOF: no doorbell for MSIs\n", node);
		return -EINVAL;
	}

	rvid->msis = bitmap_zalloc(rvid->nr_inputs, GFP_KERNEL);
	if (!rvid->msis)
		return -ENOMEM;

	rvid->first_msi = range[0];
	rvid->nr_msis = range[1];
	rvid->doorbell = res.start;

	return 0;
}

/*
 * Both domains are found by the same firmware node, and a search for
 * DOMAIN_BUS_ANY takes whichever comes first. Interrupts of the device tree are
 * searched for with DOMAIN_BUS_WIRED before that: the wired domain has to say
 * that it is meant.
 */
static int __init rvid_create_domains(struct device_node *node,
				      struct irq_domain *parent,
				      struct rvid *rvid)
{
	struct irq_domain *wired, *msi;

	wired = irq_domain_create_hierarchy(parent, 0, rvid->nr_inputs,
					    of_fwnode_handle(node),
					    &rvid_wired_ops, rvid);
	if (!wired)
		return -ENOMEM;
	irq_domain_update_bus_token(wired, DOMAIN_BUS_WIRED);

	if (!rvid->nr_msis)
		return 0;

	msi = irq_domain_create_hierarchy(parent, IRQ_DOMAIN_FLAG_MSI_PARENT,
					  rvid->nr_inputs,
					  of_fwnode_handle(node),
					  &rvid_msi_ops, rvid);
	if (!msi) {
		irq_domain_remove(wired);
		return -ENOMEM;
	}
	irq_domain_update_bus_token(msi, DOMAIN_BUS_NEXUS);
	msi->msi_parent_ops = &rvid_msi_parent_ops;

	return 0;
}

static int __init rvid_unmap_all(unsigned long inputs)
{
	unsigned long input;
	int ret;

	for (input = 0; input < inputs; input++) {
		ret = rvic_call(RVID_UNMAP, input, 0, 0, NULL);
		if (ret)
			return ret;
	}

	return 0;
}

/* of_irq_init() calls this after the rVIC's: its node is our interrupt parent */
static int __init rvid_of_init(struct device_node *node,
			       struct device_node *parent)
{
	struct irq_domain *rvic_domain;
	unsigned long inputs;
	struct rvid *rvid;
	int ret;

	rvic_domain = parent ? irq_find_host(parent) : NULL;
	if (!rvic_domain || !of_device_is_compatible(parent, "arm,rvic")) {
		pr_err("%pOF: the interrupt parent is not an rVIC\n", node);
		return -ENXIO;
	}

	ret = rvic_check_version(node, RVID_VERSION);
	if (ret)
		return ret;

	/* There are as many inputs as an rVIC has untrusted INTIDs */
	ret = rvic_call(RVIC_INFO, RVIC_INFO_NR_UNTRUSTED, 0, 0, &inputs);
	if (ret)
		return ret;

	/*
	 * A crashed kernel leaves its mappings and rVICs that are enabled. No input may
	 * signal anything before we have mapped it. After a reset none is mapped, and
	 * so many calls would be long to wait for.
	 */
	if (!rvic_found_reset()) {
		ret = rvid_unmap_all(inputs);
		if (ret)
			return ret;
	}

	rvid = kzalloc(sizeof(*rvid), GFP_KERNEL);
	if (!rvid)
		return -ENOMEM;
	rvid->nr_inputs = inputs;

	ret = rvid_get_msis(node, rvid);
	if (!ret)
		ret = rvid_create_domains(node, rvic_domain, rvid);
	if (ret) {
		bitmap_free(rvid->msis);
		kfree(rvid);
		return ret;
	}

	if (rvid->nr_msis)
		pr_info("%u inputs, MSIs are %u to %u, doorbell %pa\n",
			rvid->nr_inputs, rvid->first_msi,
			rvid->first_msi + rvid->nr_msis - 1, &rvid->doorbell);
	else
		pr_info("%u inputs, no MSIs\n", rvid->nr_inputs);

	return 0;
}

IRQCHIP_DECLARE(arm_rvid, "arm,rvid", rvid_of_init);
