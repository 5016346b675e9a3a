/*
 * Bare-metal guest: exceptions that cost as little as they can
 *
 * Handlers do not nest, so ELR and SPSR stay where they are. bench.h says why
 * no more registers have to be saved. An SVC costs what an IRQ does.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "bench_layout.h"

.macro vector offset
        .balign 0x80
        stp     x0, x1, [sp, #-96]!
        stp     x2, x3, [sp, #16]
        stp     x4, x5, [sp, #32]
        stp     x6, x7, [sp, #48]
        stp     x16, x17, [sp, #64]
        str     x30, [sp, #80]
        adrp    x0, hot + \offset
        ldr     x0, [x0, #:lo12:hot + \offset]
        blr     x0
        ldr     x30, [sp, #80]
        ldp     x16, x17, [sp, #64]
        ldp     x6, x7, [sp, #48]
        ldp     x4, x5, [sp, #32]
        ldp     x2, x3, [sp, #16]
        ldp     x0, x1, [sp], #96
        eret
.endm

        .text
        .balign 0x800
        .global bench_vectors
bench_vectors:
        .rept   4                       /* SP_EL0 is not used */
        vector  HOT_SYNC
        .endr
        vector  HOT_SYNC
        vector  HOT_IRQ
        .rept   10                      /* FIQ and SError; nothing is below */
        vector  HOT_SYNC
        .endr

/* void on_stack(void (*function)(void), void *end): never comes back */
        .global on_stack
on_stack:
        mov     sp, x1
        br      x0

        .section .note.GNU-stack, "", %progbits
