/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The drivers are written for the newest Linux that they are tested with. What
 * an older one, from 6.12 on, has differently is made to look like that here.
 */
#ifndef _DRIVERS_IRQCHIP_IRQ_RVIC_COMPAT_H
#define _DRIVERS_IRQCHIP_IRQ_RVIC_COMPAT_H

#include <linux/version.h>

/* 6.16 made the header public */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#include <linux/irqchip/irq-msi-lib.h>
#else
#include "irq-msi-lib.h"
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
#define RVID_MSI_CHIP_FLAGS	.chip_flags = MSI_CHIP_FLAG_SET_EOI
#else
#include <linux/iommu.h>
#include <linux/msi.h>

/* Before 6.15 there was no choice: irq_eoi() always went to the parent */
#define RVID_MSI_CHIP_FLAGS

/* 6.15 replaced a function that translates an address already in the message */
static inline void msi_msg_set_addr(struct msi_desc *desc, struct msi_msg *msg,
				    phys_addr_t msi_addr)
{
	msg->address_hi = upper_32_bits(msi_addr);
	msg->address_lo = lower_32_bits(msi_addr);
	iommu_dma_compose_msi_msg(desc, msg);
}
#endif

#endif /* _DRIVERS_IRQCHIP_IRQ_RVIC_COMPAT_H */
