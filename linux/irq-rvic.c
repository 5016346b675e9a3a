// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arm paravirtual interrupt controller: the rVIC that each vCPU has.
 *
 * An INTID has two bits of state that software sees, pending and masked:
 *
 *	signal		sets pending, masked or not
 *	ACKNOWLEDGE	picks an INTID that is pending and not masked, sets
 *			masked, clears pending
 *	CLEAR_MASKED	ends the interrupt
 *
 * so an interrupt that is being handled is a masked one, and whoever ends it
 * has to know whether the mask is also wanted for another reason. There is no
 * call that reads the mask back.
 *
 *	INTID 0..15	IPIs
 *	16..T-1		the rest of the trusted ones: per-CPU lines (timers, PMU)
 *	T..T+U-1	untrusted: signalled by the rVID, see irq-rvid.c
 *
 * Trusted lines are edge-sensitive. For level-triggered devices RESAMPLE turns
 * a line that is high into a new signal. Untrusted INTIDs need no such help:
 * the hypervisor delivers them for as long as a wired input is high.
 *
 * Each vCPU has a number space of its own. Untrusted INTIDs are nevertheless
 * handed out globally: one that is in use belongs to the same interrupt on all
 * CPUs. There are as many untrusted INTIDs as the rVID has inputs, so this never
 * runs out, and an interrupt keeps its INTID when it moves to another CPU.
 */

#define pr_fmt(fmt) "rvic: " fmt

#include <linux/bitfield.h>
#include <linux/bitmap.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/interrupt.h>
#include <linux/irqchip.h>
#include <linux/irqdomain.h>
#include <linux/of.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include <asm/cputype.h>
#include <asm/exception.h>
#include <asm/smp_plat.h>
#include <asm/sysreg.h>

#include "irq-rvic.h"

/*
 * The specification is an alpha one: versions that differ at all promise no
 * compatibility with each other. Both components count alike.
 */
#define RVIC_VERSION_0_3	3

#define RVIC_NR_IPIS		16
#define RVIC_MIN_INTIDS		32	/* of each kind */
#define RVIC_MAX_INTIDS		2048	/* of both kinds together */

/* Result register 0: why, and which argument is to blame */
#define RVIC_STATUS_REASON	GENMASK(7, 0)
#define RVIC_STATUS_INDEX	GENMASK(15, 8)

#define RVIC_SUCCESS		0
#define RVIC_ERROR_PARAMETER	1
#define RVIC_INVALID_CPU	2
#define RVIC_DISABLED		3
#define RVIC_NO_INTERRUPTS	4

#define RVIC_NO_CPU		(-1)

/*
 * An untrusted INTID. Protected by the lock of the interrupt's descriptor, except
 * where nobody else can come near: MSIs are activated and deactivated while they
 * are not requested, chained interrupts move under stop_machine() only.
 */
struct rvic_irq {
	int cpu;	/* that it is routed to, or RVIC_NO_CPU */
	bool masked;	/* somebody other than ACKNOWLEDGE wants it masked */
};

static struct {
	struct irq_domain *domain;
	unsigned int nr_trusted;
	unsigned int nr_untrusted;
	/* Trusted INTIDs of a CPU that are masked for another reason than ACKNOWLEDGE */
	unsigned long __percpu *masked;
	struct rvic_irq *untrusted;
	/* Untrusted INTIDs in use, counted from nr_trusted. Under the domain's mutex. */
	unsigned long *used;
	bool found_reset;
} rvic __ro_after_init;

/*
 * What a CPU is handling: an INTID, or one of the two below. The descriptor says
 * so only after its flow handler has locked it; free_irq() must not take the
 * interrupt away between ACKNOWLEDGE and that.
 */
#define RVIC_HANDLING_NONE	(-1)
#define RVIC_HANDLING_ANY	(-2)	/* ACKNOWLEDGE is about to tell */

static DEFINE_PER_CPU(int, rvic_handling) = RVIC_HANDLING_NONE;

static int rvic_call_quiet(u32 fn, unsigned long x1, unsigned long x2,
			   unsigned long x3, struct arm_smccc_res *res)
{
	arm_smccc_1_1_invoke(fn, x1, x2, x3, res);

	if (res->a0 == RVIC_SUCCESS)
		return 0;
	if (res->a0 & ~(RVIC_STATUS_REASON | RVIC_STATUS_INDEX))
		return -EOPNOTSUPP;	/* SMCCC's own errors are negative */

	switch (FIELD_GET(RVIC_STATUS_REASON, res->a0)) {
	case RVIC_ERROR_PARAMETER:
		return -EINVAL;
	case RVIC_INVALID_CPU:
		return -ENXIO;
	case RVIC_DISABLED:
		return -ESHUTDOWN;
	case RVIC_NO_INTERRUPTS:
		return -ENODATA;
	default:
		return -EIO;
	}
}

static void rvic_report(u32 fn, unsigned long x1, unsigned long x2,
			unsigned long x3, const struct arm_smccc_res *res)
{
	static unsigned long reported;
	unsigned int bit = (fn & 0xf) + (fn & 0x100 ? 16 : 0);
	unsigned long flags;

	/* A hypervisor that errs once may err at every interrupt */
	if (test_and_set_bit(bit, &reported))
		return;

	/* Deferred, for IPIs are sent under a runqueue's lock */
	local_irq_save(flags);
	printk_deferred_enter();
	pr_err("CPU%u: call %#x (%#lx, %#lx, %#lx) failed: status %#lx; not reported again\n",
	       smp_processor_id(), fn, x1, x2, x3, res->a0);
	printk_deferred_exit();
	local_irq_restore(flags);
}

int rvic_call(u32 fn, unsigned long x1, unsigned long x2, unsigned long x3,
	      unsigned long *value)
{
	struct arm_smccc_res res;
	int ret;

	ret = rvic_call_quiet(fn, x1, x2, x3, &res);
	if (unlikely(ret))
		rvic_report(fn, x1, x2, x3, &res);
	else if (value)
		*value = res.a1;

	return ret;
}

int __init rvic_check_version(struct device_node *node, u32 fn)
{
	unsigned long version;
	int ret;

	ret = rvic_call(fn, 0, 0, 0, &version);
	if (ret)
		return ret;

	if (version != RVIC_VERSION_0_3) {
		pr_err("%pOF: version %#lx is not supported\n", node, version);
		return -ENODEV;
	}

	return 0;
}

/* The calls that name an INTID of some CPU */
static int rvic_intid_call(u32 fn, unsigned int cpu, unsigned long intid)
{
	return rvic_call(fn, cpu_logical_map(cpu), intid, 0, NULL);
}

static int rvic_get_pending(unsigned int cpu, unsigned long intid, bool *pending)
{
	unsigned long value;
	int ret;

	ret = rvic_call(RVIC_IS_PENDING, cpu_logical_map(cpu), intid, 0, &value);
	if (!ret)
		*pending = value;

	return ret;
}

/*
 * A call is an exception to the hypervisor and back, which keeps loads of a
 * handler from being done before its interrupt is acknowledged.
 */
static int rvic_acknowledge(struct arm_smccc_res *res)
{
	int ret;

	this_cpu_write(rvic_handling, RVIC_HANDLING_ANY);
	/* Shown before ACKNOWLEDGE: pairs with smp_mb() in rvic_is_handled() */
	smp_mb();

	ret = rvic_call_quiet(RVIC_ACKNOWLEDGE, 0, 0, 0, res);

	/*
	 * Whoever sees this has to see what was done for the previous INTID: pairs
	 * with smp_load_acquire() in rvic_is_handled()
	 */
	smp_store_release(this_cpu_ptr(&rvic_handling),
			  ret ? RVIC_HANDLING_NONE : (int)res->a1);

	return ret;
}

/*
 * Whether some CPU has acknowledged @intid and is not through with it. A CPU
 * that is just acknowledging may be about to: the caller asks again.
 *
 * The caller has masked the interrupt, so that from now on nobody starts to
 * handle it who has not shown RVIC_HANDLING_ANY before.
 */
static bool rvic_is_handled(unsigned long intid)
{
	unsigned int cpu;
	int handling;

	/* Masked before this looks: pairs with smp_mb() in rvic_acknowledge() */
	smp_mb();
	for_each_online_cpu(cpu) {
		/* Pairs with smp_store_release() in rvic_acknowledge() */
		handling = smp_load_acquire(per_cpu_ptr(&rvic_handling, cpu));
		if (handling == RVIC_HANDLING_ANY || handling == (int)intid)
			return true;
	}

	return false;
}

/*
 * Each call may cost a trip through the hypervisor's user space. The CPU can
 * tell for nothing whether there is another interrupt.
 */
static bool rvic_irq_is_high(void)
{
	return read_sysreg(isr_el1) & ISR_EL1_I;
}

static void __exception_irq_entry rvic_handle_irq(struct pt_regs *regs)
{
	struct arm_smccc_res res;
	int ret;

	do {
		ret = rvic_acknowledge(&res);
		if (unlikely(ret)) {
			/* It was withdrawn before we came */
			if (ret != -ENODATA)
				rvic_report(RVIC_ACKNOWLEDGE, 0, 0, 0, &res);
			return;
		}

		/*
		 * An INTID that nobody has claimed is left over from an earlier
		 * kernel. ACKNOWLEDGE has masked it: it will not come back.
		 */
		if (unlikely(generic_handle_domain_irq(rvic.domain, res.a1)))
			pr_info_once("CPU%u: masked unclaimed INTID %lu\n",
				     smp_processor_id(), res.a1);
	} while (rvic_irq_is_high());

	/* As in rvic_acknowledge() */
	smp_store_release(this_cpu_ptr(&rvic_handling), RVIC_HANDLING_NONE);
}

/* What a wire can be. The hypervisor does not have to be told. */
static int rvic_trusted_set_type(struct irq_data *d, unsigned int type)
{
	if (type != IRQ_TYPE_EDGE_RISING && type != IRQ_TYPE_LEVEL_HIGH)
		return -EINVAL;

	return 0;
}

/*
 * Trusted INTIDs and IPIs: always the calling CPU's own, with interrupts off.
 *
 * irqd_irq_masked() means nothing for percpu_devid interrupts, hence the bitmap.
 */

static void rvic_trusted_mask(struct irq_data *d)
{
	__set_bit(d->hwirq, this_cpu_ptr(rvic.masked));
	rvic_intid_call(RVIC_SET_MASKED, smp_processor_id(), d->hwirq);
}

static void rvic_trusted_end(struct irq_data *d)
{
	/* A line that is still high has no edge left to make the INTID pending */
	if (irqd_get_trigger_type(d) & IRQ_TYPE_LEVEL_MASK)
		rvic_call(RVIC_RESAMPLE, d->hwirq, 0, 0, NULL);

	rvic_intid_call(RVIC_CLEAR_MASKED, smp_processor_id(), d->hwirq);
}

/*
 * The line may have been high all the time since a handler masked it (KVM's
 * timer handler does), and then there is no edge to come: resample here, too.
 */
static void rvic_trusted_unmask(struct irq_data *d)
{
	__clear_bit(d->hwirq, this_cpu_ptr(rvic.masked));
	rvic_trusted_end(d);
}

/*
 * handle_percpu_devid_irq() calls this whatever the handler did. If the handler
 * has disabled the interrupt, it has to stay masked.
 */
static void rvic_trusted_eoi(struct irq_data *d)
{
	if (!test_bit(d->hwirq, this_cpu_ptr(rvic.masked)))
		rvic_trusted_end(d);
}

static int rvic_trusted_get_state(struct irq_data *d,
				  enum irqchip_irq_state which, bool *state)
{
	switch (which) {
	case IRQCHIP_STATE_PENDING:
		return rvic_get_pending(smp_processor_id(), d->hwirq, state);
	case IRQCHIP_STATE_MASKED:
		*state = test_bit(d->hwirq, this_cpu_ptr(rvic.masked));
		return 0;
	default:
		return -EINVAL;
	}
}

static int rvic_trusted_set_state(struct irq_data *d,
				  enum irqchip_irq_state which, bool state)
{
	switch (which) {
	case IRQCHIP_STATE_PENDING:
		return rvic_intid_call(state ? RVIC_SIGNAL : RVIC_CLEAR_PENDING,
				       smp_processor_id(), d->hwirq);
	case IRQCHIP_STATE_MASKED:
		if (state)
			rvic_trusted_mask(d);
		else
			rvic_trusted_unmask(d);
		return 0;
	default:
		return -EINVAL;
	}
}

static void rvic_ipi_send_mask(struct irq_data *d, const struct cpumask *mask)
{
	struct arm_smccc_res res;
	unsigned int cpu;
	u64 mpidr;
	int ret;

	/* What the IPI announces has to be visible before the IPI is */
	dsb(ishst);

	for_each_cpu(cpu, mask) {
		mpidr = cpu_logical_map(cpu);
		ret = rvic_call_quiet(RVIC_SIGNAL, mpidr, d->hwirq, 0, &res);

		/* A CPU that has just gone offline needs no IPIs */
		if (unlikely(ret) && !(ret == -ESHUTDOWN && !cpu_online(cpu)))
			rvic_report(RVIC_SIGNAL, mpidr, d->hwirq, 0, &res);
	}
}

static const struct irq_chip rvic_trusted_chip = {
	.name			= "rvic",
	.irq_mask		= rvic_trusted_mask,
	.irq_unmask		= rvic_trusted_unmask,
	.irq_eoi		= rvic_trusted_eoi,
	.irq_set_type		= rvic_trusted_set_type,
	.irq_get_irqchip_state	= rvic_trusted_get_state,
	.irq_set_irqchip_state	= rvic_trusted_set_state,
	.ipi_send_mask		= rvic_ipi_send_mask,
	.flags			= IRQCHIP_SKIP_SET_WAKE,
};

/*
 * Untrusted INTIDs: on whichever CPU the interrupt is routed to.
 *
 * rvic_irq.masked follows irqd_irq_masked() (lazy disable, ONESHOT), except that
 * it also knows irq_set_irqchip_state(), and MSI chips that keep a mask of theirs
 * to themselves do not leave the INTID masked for ever.
 */

static int rvic_untrusted_call(u32 fn, struct irq_data *d)
{
	struct rvic_irq *irq = irq_data_get_irq_chip_data(d);

	/* kexec masks, and debugfs prods, interrupts that are not active, too */
	if (irq->cpu == RVIC_NO_CPU)
		return -ENODEV;

	return rvic_intid_call(fn, irq->cpu, d->hwirq);
}

static void rvic_untrusted_mask(struct irq_data *d)
{
	struct rvic_irq *irq = irq_data_get_irq_chip_data(d);

	irq->masked = true;
	rvic_untrusted_call(RVIC_SET_MASKED, d);
}

static void rvic_untrusted_unmask(struct irq_data *d)
{
	struct rvic_irq *irq = irq_data_get_irq_chip_data(d);

	irq->masked = false;
	rvic_untrusted_call(RVIC_CLEAR_MASKED, d);
}

/*
 * The flow handler is done when it gets here, unless it found the interrupt in
 * progress on another CPU: the interrupt has moved here meanwhile. Then unmasking
 * would make a level storm until the other CPU has calmed the device. The other
 * CPU's own end of interrupt unmasks, wherever the interrupt is routed by then;
 * an edge that came here is resent (irqd_set_resend_when_in_progress()).
 */
static void rvic_untrusted_eoi(struct irq_data *d)
{
	struct rvic_irq *irq = irq_data_get_irq_chip_data(d);

	if (!irq->masked && !irqd_irq_inprogress(d))
		rvic_untrusted_call(RVIC_CLEAR_MASKED, d);
}

static int rvic_untrusted_get_state(struct irq_data *d,
				    enum irqchip_irq_state which, bool *state)
{
	struct rvic_irq *irq = irq_data_get_irq_chip_data(d);

	switch (which) {
	case IRQCHIP_STATE_PENDING:
		if (irq->cpu == RVIC_NO_CPU)
			return -ENODEV;
		return rvic_get_pending(irq->cpu, d->hwirq, state);
	case IRQCHIP_STATE_ACTIVE:
		*state = rvic_is_handled(d->hwirq);
		return 0;
	case IRQCHIP_STATE_MASKED:
		*state = irq->masked;
		return 0;
	default:
		return -EINVAL;
	}
}

static int rvic_untrusted_set_state(struct irq_data *d,
				    enum irqchip_irq_state which, bool state)
{
	switch (which) {
	case IRQCHIP_STATE_PENDING:
		return rvic_untrusted_call(state ? RVIC_SIGNAL : RVIC_CLEAR_PENDING, d);
	case IRQCHIP_STATE_MASKED:
		if (state)
			rvic_untrusted_mask(d);
		else
			rvic_untrusted_unmask(d);
		return 0;
	default:
		return -EINVAL;
	}
}

static int rvic_untrusted_retrigger(struct irq_data *d)
{
	return !rvic_untrusted_call(RVIC_SIGNAL, d);
}

/* Never the outermost chip: type, affinity and flags are the rVID's */
static const struct irq_chip rvic_untrusted_chip = {
	.name			= "rvic",
	.irq_mask		= rvic_untrusted_mask,
	.irq_unmask		= rvic_untrusted_unmask,
	.irq_eoi		= rvic_untrusted_eoi,
	.irq_retrigger		= rvic_untrusted_retrigger,
	.irq_get_irqchip_state	= rvic_untrusted_get_state,
	.irq_set_irqchip_state	= rvic_untrusted_set_state,
};

int rvic_route(struct irq_data *d, unsigned int cpu, unsigned long input,
	       int (*map)(unsigned long input, unsigned int cpu,
			  unsigned long intid))
{
	struct rvic_irq *irq = irq_data_get_irq_chip_data(d);
	unsigned long intid = d->hwirq;
	int old = irq->cpu;
	bool pending;
	int ret;

	if (old == cpu)
		return 0;

	/*
	 * The INTID may be in any state on a CPU that it comes to: nobody clears
	 * untrusted INTIDs beforehand, which would take thousands of calls for
	 * each CPU. Nothing signals it there yet, so nothing that counts is lost.
	 */
	ret = rvic_intid_call(RVIC_SET_MASKED, cpu, intid);
	if (!ret)
		ret = rvic_intid_call(RVIC_CLEAR_PENDING, cpu, intid);
	if (ret)
		return ret;

	if (old != RVIC_NO_CPU)
		rvic_intid_call(RVIC_SET_MASKED, old, intid);

	/* Over the old mapping: an edge while the input is unmapped would be lost */
	ret = map(input, cpu, intid);
	if (!ret) {
		/*
		 * Edges go to the new CPU now. One that came before is either
		 * still pending on the old CPU, where it cannot be acknowledged
		 * any more, and moves over; or the old CPU has acknowledged it
		 * and handles it.
		 */
		if (old != RVIC_NO_CPU &&
		    !rvic_get_pending(old, intid, &pending) && pending) {
			rvic_intid_call(RVIC_SIGNAL, cpu, intid);
			rvic_intid_call(RVIC_CLEAR_PENDING, old, intid);
		}
		irq->cpu = cpu;
	}

	/*
	 * While the handler runs the end of the interrupt has yet to come. (There
	 * is none if "irqpoll" made it run: moving it just then loses it.)
	 */
	if (!irq->masked && !irqd_irq_inprogress(d))
		rvic_untrusted_call(RVIC_CLEAR_MASKED, d);

	return ret;
}

void rvic_unroute(struct irq_data *d)
{
	struct rvic_irq *irq = irq_data_get_irq_chip_data(d);

	rvic_untrusted_call(RVIC_SET_MASKED, d);
	irq->cpu = RVIC_NO_CPU;
}

/* Only devices with per-CPU lines name an rVIC as their interrupt's parent */
static int rvic_domain_translate(struct irq_domain *domain,
				 struct irq_fwspec *fwspec,
				 unsigned long *hwirq, unsigned int *type)
{
	if (fwspec->param_count != 2)
		return -EINVAL;

	if (fwspec->param[0] < RVIC_NR_IPIS ||
	    fwspec->param[0] >= rvic.nr_trusted)
		return -EINVAL;

	*hwirq = fwspec->param[0];
	*type = fwspec->param[1] & IRQ_TYPE_SENSE_MASK;

	return 0;
}

static void rvic_alloc_trusted(struct irq_domain *domain, unsigned int virq,
			       unsigned long intid)
{
	irq_set_percpu_devid(virq);
	irq_domain_set_info(domain, virq, intid, &rvic_trusted_chip, NULL,
			    handle_percpu_devid_irq, NULL, NULL);
}

static void rvic_alloc_untrusted(struct irq_domain *domain, unsigned int virq)
{
	unsigned int n = find_first_zero_bit(rvic.used, rvic.nr_untrusted);
	struct rvic_irq *irq = &rvic.untrusted[n];
	struct irq_data *d;

	__set_bit(n, rvic.used);
	irq->cpu = RVIC_NO_CPU;
	irq->masked = true;

	irq_domain_set_info(domain, virq, rvic.nr_trusted + n,
			    &rvic_untrusted_chip, irq, handle_fasteoi_irq,
			    NULL, NULL);

	d = irq_get_irq_data(virq);
	irqd_set_single_target(d);
	/* An edge that finds the handler running on another CPU is not lost */
	irqd_set_resend_when_in_progress(d);
	/* There is nothing to route before the rVID has mapped the input */
	irqd_set_affinity_on_activate(d);
}

/*
 * The specifier is the device tree's, or the one of our own IPIs; or it is empty:
 * then it comes from the rVID, which takes any untrusted INTIDs.
 */
static int rvic_domain_alloc(struct irq_domain *domain, unsigned int virq,
			     unsigned int nr_irqs, void *arg)
{
	struct irq_fwspec *fwspec = arg;
	unsigned int i;

	if (fwspec->param_count) {
		if (fwspec->param[0] + nr_irqs > rvic.nr_trusted)
			return -EINVAL;

		for (i = 0; i < nr_irqs; i++)
			rvic_alloc_trusted(domain, virq + i, fwspec->param[0] + i);
	} else {
		if (bitmap_weight(rvic.used, rvic.nr_untrusted) + nr_irqs >
		    rvic.nr_untrusted)
			return -ENOSPC;

		for (i = 0; i < nr_irqs; i++)
			rvic_alloc_untrusted(domain, virq + i);
	}

	return 0;
}

static void rvic_domain_free(struct irq_domain *domain, unsigned int virq,
			     unsigned int nr_irqs)
{
	struct irq_data *d;
	unsigned int i;

	for (i = 0; i < nr_irqs; i++) {
		d = irq_domain_get_irq_data(domain, virq + i);
		if (d->hwirq >= rvic.nr_trusted)
			__clear_bit(d->hwirq - rvic.nr_trusted, rvic.used);

		irq_set_handler(virq + i, NULL);
		irq_domain_reset_irq_data(d);
	}
}

static const struct irq_domain_ops rvic_domain_ops = {
	.translate	= rvic_domain_translate,
	.alloc		= rvic_domain_alloc,
	.free		= rvic_domain_free,
};

/*
 * What the instance looks like is unknown: CPU_ON and CPU_OFF leave it alone, and
 * a crash kernel finds what the crashed one left. Only trusted INTIDs are put in
 * order, though: doing all of them takes thousands of calls for each CPU.
 * Untrusted ones are put in order when they are routed here, and ACKNOWLEDGE masks
 * those that are pending without being anyone's.
 *
 * An instance that is enabled already stays so meanwhile, with the CPU's interrupts
 * off: disabled, it would drop edges of an interrupt that stayed routed here while
 * the CPU was offline.
 */
static int rvic_cpu_starting(unsigned int cpu)
{
	unsigned int intid;

	bitmap_fill(this_cpu_ptr(rvic.masked), rvic.nr_trusted);
	for (intid = 0; intid < rvic.nr_trusted; intid++) {
		rvic_intid_call(RVIC_SET_MASKED, cpu, intid);
		rvic_intid_call(RVIC_CLEAR_PENDING, cpu, intid);
	}

	/* It is too late to refuse the CPU. A failure has been logged. */
	rvic_call(RVIC_ENABLE, 0, 0, 0, NULL);

	return 0;
}

bool __init rvic_found_reset(void)
{
	return rvic.found_reset;
}

/*
 * Another kernel would have left this CPU's instance enabled, which ACKNOWLEDGE
 * tells. If that also acknowledges something, it is put in order like the rest:
 * trusted INTIDs when this CPU starts, untrusted ones when they are routed here.
 *
 * A kernel may crash on a CPU that it is just starting, and whose instance it has
 * not enabled. A reset starts the first CPU; should that be another one in some
 * machine, it only takes longer.
 */
static bool __init rvic_is_reset(void)
{
	struct arm_smccc_res res;

	if (read_cpuid_mpidr() & MPIDR_HWID_BITMASK)
		return false;

	return rvic_call_quiet(RVIC_ACKNOWLEDGE, 0, 0, 0, &res) == -ESHUTDOWN;
}

static int __init rvic_get_info(struct device_node *node)
{
	unsigned long trusted, untrusted;
	int ret;

	if (arm_smccc_1_1_get_conduit() == SMCCC_CONDUIT_NONE) {
		pr_err("%pOF: no SMCCC 1.1, so no way to call the hypervisor\n", node);
		return -EOPNOTSUPP;
	}

	ret = rvic_check_version(node, RVIC_VERSION);
	if (!ret)
		ret = rvic_call(RVIC_INFO, RVIC_INFO_NR_TRUSTED, 0, 0, &trusted);
	if (!ret)
		ret = rvic_call(RVIC_INFO, RVIC_INFO_NR_UNTRUSTED, 0, 0, &untrusted);
	if (ret)
		return ret;

	if (trusted < RVIC_MIN_INTIDS || trusted > RVIC_MAX_INTIDS ||
	    untrusted < RVIC_MIN_INTIDS ||
	    untrusted > RVIC_MAX_INTIDS - trusted) {
		pr_err("%pOF: bad numbers of interrupts: %lu trusted, %lu untrusted\n",
		       node, trusted, untrusted);
		return -EINVAL;
	}

	rvic.nr_trusted = trusted;
	rvic.nr_untrusted = untrusted;

	return 0;
}

static int __init rvic_init_ipis(void)
{
	struct irq_fwspec fwspec = {
		.fwnode		= rvic.domain->fwnode,
		.param_count	= 2,
		.param		= { 0, IRQ_TYPE_EDGE_RISING },
	};
	int base;

	base = irq_domain_alloc_irqs(rvic.domain, RVIC_NR_IPIS, NUMA_NO_NODE,
				     &fwspec);
	if (base <= 0)
		return base ?: -ENOMEM;

	set_smp_ipi_range(base, RVIC_NR_IPIS);

	return 0;
}

static int __init rvic_of_init(struct device_node *node,
			       struct device_node *parent)
{
	int ret;

	/* One node stands for the instances of all CPUs */
	if (rvic.domain)
		return -EEXIST;

	ret = rvic_get_info(node);
	if (ret)
		return ret;

	rvic.found_reset = rvic_is_reset();

	ret = -ENOMEM;
	rvic.masked = __alloc_percpu(BITS_TO_LONGS(rvic.nr_trusted) * sizeof(long),
				     sizeof(long));
	rvic.used = bitmap_zalloc(rvic.nr_untrusted, GFP_KERNEL);
	rvic.untrusted = kcalloc(rvic.nr_untrusted, sizeof(*rvic.untrusted),
				 GFP_KERNEL);
	if (!rvic.masked || !rvic.used || !rvic.untrusted)
		goto err_free;

	rvic.domain = irq_domain_create_linear(of_fwnode_handle(node),
					       rvic.nr_trusted + rvic.nr_untrusted,
					       &rvic_domain_ops, NULL);
	if (!rvic.domain)
		goto err_free;

	ret = set_handle_irq(rvic_handle_irq);
	if (ret)
		goto err_remove;

	/*
	 * There are no dynamic states that early, and CPUHP_AP_ONLINE_DYN is too
	 * late for an interrupt controller: timer and PMU enable their interrupts
	 * before. This state's name belongs to a driver that exists on 32-bit Arm
	 * only, and it comes before theirs.
	 *
	 * A CPU that goes offline leaves its instance enabled: an interrupt that
	 * is activated but was never started stays routed there, and its edges
	 * have to wait as pending until rvic_route() takes them along. The CPU
	 * itself sees nothing of them while it is off.
	 */
	ret = cpuhp_setup_state(CPUHP_AP_IRQ_HIP04_STARTING,
				"irqchip/arm/rvic:starting",
				rvic_cpu_starting, NULL);
	if (ret) {
		/* The entry point cannot be taken back, so what it uses stays */
		pr_err("%pOF: cannot set up CPUs: %d\n", node, ret);
		return ret;
	}

	ret = rvic_init_ipis();
	if (ret) {
		pr_err("%pOF: cannot set up IPIs: %d\n", node, ret);
		return ret;
	}

	pr_info("%u trusted and %u untrusted interrupts\n",
		rvic.nr_trusted, rvic.nr_untrusted);

	return 0;

err_remove:
	irq_domain_remove(rvic.domain);
	rvic.domain = NULL;
err_free:
	kfree(rvic.untrusted);
	bitmap_free(rvic.used);
	free_percpu(rvic.masked);
	return ret;
}

IRQCHIP_DECLARE(arm_rvic, "arm,rvic", rvic_of_init);
