/*
 * Bare-metal guests: start, exceptions and what C cannot express
 *
 * A guest stays at the exception level at which QEMU starts it, EL1 or EL2,
 * with its MMU off and all interrupts masked. Each vCPU has a stack.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "layout.h"

#define HCR_IMO         (1 << 4)        /* IRQs go to EL2 */
#define HCR_RW          (1 << 31)       /* EL1 is AArch64 */

/* Branches to \label if the vCPU is at EL2. Uses x9. */
.macro if_el2 label
        mrs     x9, CurrentEL
        cmp     x9, #(2 << 2)
        b.eq    \label
.endm

        .text

/* Where QEMU starts the first vCPU */
        .global _start
_start:
        ldr     x19, =main
        mov     x20, #0
        b       set_up

/* Where PSCI CPU_ON starts another; x0: the function to call */
        .global secondary_start
secondary_start:
        mov     x19, x0
        mov     x20, #1

set_up:
        if_el2  1f
        ldr     x9, =vectors_el1
        msr     vbar_el1, x9
        b       2f
1:      ldr     x9, =vectors_el2
        msr     vbar_el2, x9
        ldr     x9, =vectors_below_el2
        msr     vbar_el1, x9
        mov     x9, #HCR_IMO
        orr     x9, x9, #HCR_RW
        msr     hcr_el2, x9
2:      isb

        /* Stacks grow downwards: start at the end of the vCPU's own. */
        mrs     x9, mpidr_el1
        and     x10, x9, #0xff
        ubfx    x9, x9, #8, #8
        add     x10, x10, x9, lsl #CLUSTER_SHIFT
        add     x10, x10, #1
        mov     x11, #STACK_SIZE
        ldr     x9, =stacks
        madd    x9, x10, x11, x9
        mov     sp, x9

        blr     x19
        cbnz    x20, 3f
        bl      system_off
3:      bl      cpu_off

/*
 * Exceptions
 */

        /* Save all registers and call a C function with the struct frame. */
.macro exception el, function
        sub     sp, sp, #FRAME_SIZE
        stp     x0, x1, [sp, #16 * 0]
        stp     x2, x3, [sp, #16 * 1]
        stp     x4, x5, [sp, #16 * 2]
        stp     x6, x7, [sp, #16 * 3]
        stp     x8, x9, [sp, #16 * 4]
        stp     x10, x11, [sp, #16 * 5]
        stp     x12, x13, [sp, #16 * 6]
        stp     x14, x15, [sp, #16 * 7]
        stp     x16, x17, [sp, #16 * 8]
        stp     x18, x19, [sp, #16 * 9]
        stp     x20, x21, [sp, #16 * 10]
        stp     x22, x23, [sp, #16 * 11]
        stp     x24, x25, [sp, #16 * 12]
        stp     x26, x27, [sp, #16 * 13]
        stp     x28, x29, [sp, #16 * 14]
        mrs     x9, elr_\el
        stp     x30, x9, [sp, #16 * 15]
        mrs     x9, spsr_\el
        mrs     x10, esr_\el
        stp     x9, x10, [sp, #16 * 16]
        mov     x0, sp
        bl      \function
        ldp     x9, x10, [sp, #16 * 16]
        msr     spsr_\el, x9
        ldp     x30, x9, [sp, #16 * 15]
        msr     elr_\el, x9
        ldp     x28, x29, [sp, #16 * 14]
        ldp     x26, x27, [sp, #16 * 13]
        ldp     x24, x25, [sp, #16 * 12]
        ldp     x22, x23, [sp, #16 * 11]
        ldp     x20, x21, [sp, #16 * 10]
        ldp     x18, x19, [sp, #16 * 9]
        ldp     x16, x17, [sp, #16 * 8]
        ldp     x14, x15, [sp, #16 * 7]
        ldp     x12, x13, [sp, #16 * 6]
        ldp     x10, x11, [sp, #16 * 5]
        ldp     x8, x9, [sp, #16 * 4]
        ldp     x6, x7, [sp, #16 * 3]
        ldp     x4, x5, [sp, #16 * 2]
        ldp     x2, x3, [sp, #16 * 1]
        ldp     x0, x1, [sp, #16 * 0]
        add     sp, sp, #FRAME_SIZE
        eret
.endm

        /* An entry of a vector table has room for 32 instructions. */
.macro vector label
        .balign 0x80
        b       \label
.endm

.macro vectors el, lower_sync, lower_irq
        .balign 0x800
        .global vectors_\el
vectors_\el:
        .rept   4                       /* from this EL with SP_EL0: never */
        vector  unexpected_\el
        .endr
        vector  sync_\el                /* from this EL */
        vector  irq_\el
        vector  unexpected_\el
        vector  unexpected_\el
        .rept   2                       /* from lower EL, AArch64, AArch32 */
        vector  \lower_sync
        vector  \lower_irq
        vector  unexpected_\el
        vector  unexpected_\el
        .endr
sync_\el:
        exception \el, handle_sync
irq_\el:
        exception \el, handle_irq
unexpected_\el:
        exception \el, handle_unexpected
.endm

        vectors el1, sync_el1, unexpected_el1
        vectors el2, return_to_el2, irq_el2

/* EL1's while EL2 runs code there: tells EL2 by an HVC with another number */
        .balign 0x800
        .global vectors_below_el2
vectors_below_el2:
        .rept   16
        .balign 0x80
        hvc     #1
        .endr

/*
 * Hypercalls with all registers
 */

        /* Load or store x2-x29; \base points to all. */
.macro registers op, base
        \op     x2, x3, [\base, #16 * 1]
        \op     x4, x5, [\base, #16 * 2]
        \op     x6, x7, [\base, #16 * 3]
        \op     x8, x9, [\base, #16 * 4]
        \op     x10, x11, [\base, #16 * 5]
        \op     x12, x13, [\base, #16 * 6]
        \op     x14, x15, [\base, #16 * 7]
        \op     x16, x17, [\base, #16 * 8]
        \op     x18, x19, [\base, #16 * 9]
        \op     x20, x21, [\base, #16 * 10]
        \op     x22, x23, [\base, #16 * 11]
        \op     x24, x25, [\base, #16 * 12]
        \op     x26, x27, [\base, #16 * 13]
        \op     x28, x29, [\base, #16 * 14]
.endm

        /* Save what a C function has to keep, and x0, at which sp points. */
.macro save_callee
        stp     x19, x20, [sp, #-16]!
        stp     x21, x22, [sp, #-16]!
        stp     x23, x24, [sp, #-16]!
        stp     x25, x26, [sp, #-16]!
        stp     x27, x28, [sp, #-16]!
        stp     x29, x30, [sp, #-16]!
        str     x0, [sp, #-16]!
.endm

.macro restore_callee
        add     sp, sp, #16
        ldp     x29, x30, [sp], #16
        ldp     x27, x28, [sp], #16
        ldp     x25, x26, [sp], #16
        ldp     x23, x24, [sp], #16
        ldp     x21, x22, [sp], #16
        ldp     x19, x20, [sp], #16
.endm

/*
 * void hypercall_registers(uint64_t registers[32], bool smc)
 *
 * Executes HVC or SMC with x0-x30 from the array, and puts there what they
 * are afterwards, and by how much sp changed. Two thread registers keep
 * what must not depend on any of these.
 */
        .global hypercall_registers
hypercall_registers:
        save_callee
        mov     x9, sp
        msr     tpidr_el0, x9
        cbnz    x1, 1f

        registers ldp, x0
        ldr     x30, [x0, #8 * 30]
        ldp     x0, x1, [x0]
        hvc     #0
        b       2f

1:      registers ldp, x0
        ldr     x30, [x0, #8 * 30]
        ldp     x0, x1, [x0]
        smc     #0

2:      msr     tpidrro_el0, x0
        mrs     x0, tpidr_el0
        sub     x0, sp, x0
        msr     tpidr_el1, x0
        mrs     x0, tpidr_el0
        mov     sp, x0
        ldr     x0, [sp]
        str     x1, [x0, #8 * 1]
        registers stp, x0
        str     x30, [x0, #8 * 30]
        mrs     x1, tpidrro_el0
        str     x1, [x0]
        mrs     x1, tpidr_el1
        str     x1, [x0, #8 * 31]

        restore_callee
        ret

/*
 * uint64_t run_at_el1(const void *code, uint64_t spsr, uint64_t registers[31])
 *
 * From EL2: runs code at EL1, in the state that spsr says, with x0-x30 from
 * the array, until something brings it back to EL2. Puts into the array what
 * the registers are then; returns ESR_EL2.
 */
        .global run_at_el1
run_at_el1:
        msr     elr_el2, x0
        msr     spsr_el2, x1
        mov     x0, x2
        save_callee
        registers ldp, x0
        ldr     x30, [x0, #8 * 30]
        ldp     x0, x1, [x0]
        isb
        eret

/* SP_EL2 is what it was at the ERET. */
return_to_el2:
        stp     x0, x1, [sp, #-16]!
        ldr     x0, [sp, #16]
        registers stp, x0
        str     x30, [x0, #8 * 30]
        ldp     x2, x3, [sp], #16
        stp     x2, x3, [x0]
        restore_callee
        mrs     x0, esr_el2
        ret

/* For run_at_el1: one call, then back */
        .global smc_then_hvc
smc_then_hvc:
        smc     #0
        hvc     #0

/* The same in A32, which this assembler does not know */
        .global smc_then_hvc_a32
smc_then_hvc_a32:
        .inst   0xe1600070              /* smc #0 */
        .inst   0xe1400070              /* hvc #0 */

        .bss
        .balign 16
stacks:
        .space  MAX_CPUS * STACK_SIZE

        .section .note.GNU-stack, "", %progbits
