/*
 * Bare-metal guests: what start.S and C have to agree about
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef BAREMETAL_LAYOUT_H
#define BAREMETAL_LAYOUT_H

#define MAX_CPUS        512
#define STACK_SIZE      4096

/* The virt board has 16 vCPUs in a cluster, unless it has a GICv2. */
#define CLUSTER_SHIFT   4

/* sizeof(struct frame) */
#define FRAME_SIZE      (34 * 8)

#endif
