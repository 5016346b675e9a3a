/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arm's paravirtual interrupt controllers: what irq-rvic.c and irq-rvid.c share.
 *
 * Each vCPU has an rVIC, which presents INTIDs to it. The machine's one rVID
 * routes inputs (wires and MSIs) to INTIDs of rVICs. Both are driven by
 * hypercalls (SMCCC 1.1, SMC64, fast); ARM DEN 0103 gives the numbers.
 */
#ifndef _DRIVERS_IRQCHIP_IRQ_RVIC_H
#define _DRIVERS_IRQCHIP_IRQ_RVIC_H

#include <linux/arm-smccc.h>
#include <linux/irq.h>
#include <linux/of.h>

#define RVID_FN(n)		ARM_SMCCC_CALL_VAL(ARM_SMCCC_FAST_CALL,		\
						   ARM_SMCCC_SMC_64,		\
						   ARM_SMCCC_OWNER_STANDARD_HYP, \
						   0x100 + (n))
#define RVID_VERSION		RVID_FN(0)
#define RVID_MAP		RVID_FN(1)	/* input, MPIDR, INTID */
#define RVID_UNMAP		RVID_FN(2)	/* input */

#define RVIC_FN(n)		ARM_SMCCC_CALL_VAL(ARM_SMCCC_FAST_CALL,		\
						   ARM_SMCCC_SMC_64,		\
						   ARM_SMCCC_OWNER_STANDARD_HYP, \
						   0x200 + (n))
#define RVIC_VERSION		RVIC_FN(0)
#define RVIC_INFO		RVIC_FN(1)	/* one of the keys below */
#define RVIC_ENABLE		RVIC_FN(2)
#define RVIC_DISABLE		RVIC_FN(3)
#define RVIC_SET_MASKED		RVIC_FN(4)	/* MPIDR, INTID */
#define RVIC_CLEAR_MASKED	RVIC_FN(5)	/* MPIDR, INTID */
#define RVIC_IS_PENDING		RVIC_FN(6)	/* MPIDR, INTID */
#define RVIC_SIGNAL		RVIC_FN(7)	/* MPIDR, INTID */
#define RVIC_CLEAR_PENDING	RVIC_FN(8)	/* MPIDR, INTID */
#define RVIC_ACKNOWLEDGE	RVIC_FN(9)
#define RVIC_RESAMPLE		RVIC_FN(10)	/* INTID */

#define RVIC_INFO_NR_TRUSTED	0
#define RVIC_INFO_NR_UNTRUSTED	1

/*
 * Makes the hypercall @fn with up to three arguments. @value, unless NULL,
 * receives the second result register; it is untouched if the call fails.
 *
 * Returns 0 or an error code. The first failure of each function is logged,
 * so callers that have nothing to undo need not look at what they get.
 */
int rvic_call(u32 fn, unsigned long x1, unsigned long x2, unsigned long x3,
	      unsigned long *value);

/*
 * Checks with @fn, the VERSION call of either component, that the hypervisor
 * speaks what these drivers do.
 *
 * Returns 0, or an error code after having logged why.
 */
int rvic_check_version(struct device_node *node, u32 fn);

/*
 * Whether the machine is as after a reset, with no input mapped: no other kernel
 * has used rVIC and rVID since.
 */
bool rvic_found_reset(void);

/*
 * Directs the untrusted interrupt @d (the rVIC's own irq_data) to @cpu.
 * @map is called at the right moment; it has to make @input signal the given
 * INTID of the given CPU from then on, and no other CPU. To be called with the
 * interrupt's descriptor locked, or before anyone can use it.
 *
 * Returns 0, or an error code with the old route still in place.
 */
int rvic_route(struct irq_data *d, unsigned int cpu, unsigned long input,
	       int (*map)(unsigned long input, unsigned int cpu,
			  unsigned long intid));

/*
 * Ends the routing of @d: masks it where it was routed to. The caller unmaps
 * the input afterwards.
 */
void rvic_unroute(struct irq_data *d);

#endif /* _DRIVERS_IRQCHIP_IRQ_RVIC_H */
