/*
 * Bare-metal guest: what bench_vectors.S and C have to agree about
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef BAREMETAL_BENCH_LAYOUT_H
#define BAREMETAL_BENCH_LAYOUT_H

#define PAGE            4096

/* Offsets in struct hot */
#define HOT_IRQ         PAGE
#define HOT_SYNC        (PAGE + 8)

#endif
