/*
 * Bare-metal guests for the Arm virt board: what they share
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef BAREMETAL_RUNTIME_H
#define BAREMETAL_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "layout.h"

#define ARRAY_SIZE(x)   (sizeof(x) / sizeof((x)[0]))

/* The PL011's registers */
#define UART_DR         0x00
#define UART_FR         0x18
#define UART_CR         0x30
#define UART_IMSC       0x38
#define UART_ICR        0x44
#define UART_TXI        0x20    /* in IMSC and ICR: transmission */
#define UART_CR_ENABLE  0x301   /* itself, transmission, reception */

#define PSCI_VERSION        0x84000000
#define PSCI_CPU_OFF        0x84000002
#define PSCI_CPU_ON         0xc4000003
#define PSCI_AFFINITY_INFO  0xc4000004
#define PSCI_SYSTEM_OFF     0x84000008
#define PSCI_FEATURES       0x8400000a

#define PSCI_AFFINITY_OFF   1

/* PSTATE.I, in DAIF, SPSR_ELx and ISR_EL1 */
#define PSTATE_I        0x80

#define sysreg_read(name) ({                                            \
    uint64_t value_;                                                    \
    asm volatile("mrs %0, " #name : "=r" (value_) : : "memory");        \
    value_;                                                             \
})

#define sysreg_write(name, value)                                       \
    asm volatile("msr " #name ", %0\n\tisb" : : "r" ((uint64_t)(value)) \
                 : "memory")

/*
 * Switches the MMU and caches on, with a table of level 1: 4 KiB granule, 39
 * bits of addresses; memory is write-back, or for devices, by attribute index 1
 * or 0. @more: other bits of TCR_ELx
 */
#define use_translation(el, table, more) do {                           \
    sysreg_write(mair_##el, 0xff00);                                    \
    sysreg_write(tcr_##el, (more) | 3 << 12 | 1 << 10 | 1 << 8 | 25);   \
    sysreg_write(ttbr0_##el, table);                                    \
    sysreg_write(sctlr_##el, sysreg_read(sctlr_##el) | 1 << 12 | 5);    \
} while (0)

/* What exception code saves: the registers, and ELR, SPSR and ESR */
struct frame {
    uint64_t x[31];
    uint64_t elr;
    uint64_t spsr;
    uint64_t esr;
};

_Static_assert(sizeof(struct frame) == FRAME_SIZE, "start.S disagrees");

/* x0 to x3 after a call */
struct result {
    uint64_t x0, x1, x2, x3;
};

/* The guest's own function */
void main(void);

/*
 * Called for an IRQ and for a synchronous exception. The vCPU goes on with
 * what is in the frame then. Without a hook, either ends the guest.
 */
extern void (*irq_hook)(struct frame *frame);
extern void (*sync_hook)(struct frame *frame);

/* What start.S calls for an exception */
void handle_irq(struct frame *frame);
void handle_sync(struct frame *frame);
void handle_unexpected(struct frame *frame);

/* start.S */
void secondary_start(void);
void hypercall_registers(uint64_t registers[32], bool smc);
uint64_t run_at_el1(const void *code, uint64_t spsr, uint64_t registers[31]);
extern const char smc_then_hvc[], smc_then_hvc_a32[];
/* Vectors of EL1: HVC #1 for all; and those that call what is above */
extern const char vectors_below_el2[], vectors_el1[];

static inline unsigned current_el(void)
{
    return sysreg_read(CurrentEL) >> 2;
}

/* The conduit is SMC if there is an EL2, else HVC. */
static inline struct result hypercall(uint64_t function, uint64_t arg1,
                                      uint64_t arg2, uint64_t arg3)
{
    register uint64_t x0 asm("x0") = function;
    register uint64_t x1 asm("x1") = arg1;
    register uint64_t x2 asm("x2") = arg2;
    register uint64_t x3 asm("x3") = arg3;

    if (current_el() == 2) {
        asm volatile("smc #0"
                     : "+r" (x0), "+r" (x1), "+r" (x2), "+r" (x3)
                     : : "memory");
    } else {
        asm volatile("hvc #0"
                     : "+r" (x0), "+r" (x1), "+r" (x2), "+r" (x3)
                     : : "memory");
    }
    return (struct result) { x0, x1, x2, x3 };
}

/* A vCPU's number, and the affinity fields of its MPIDR_EL1 */
unsigned cpu_index(void);
uint64_t cpu_mpidr(unsigned index);

/* PSCI. The vCPU that is switched on calls the function, then goes off. */
uint64_t cpu_on(unsigned index, void (*function)(void));
bool cpu_is_off(unsigned index);
void cpu_off(void) __attribute__((noreturn));
void system_off(void) __attribute__((noreturn));

static inline void irq_unmask(void)
{
    asm volatile("msr daifclr, #2\n\tisb" : : : "memory");
}

static inline void irq_mask(void)
{
    asm volatile("msr daifset, #2\n\tisb" : : : "memory");
}

static inline void wfi(void)
{
    asm volatile("dsb sy\n\twfi" : : : "memory");
}

/* Orders accesses to memory, as other vCPUs see them */
static inline void barrier(void)
{
    asm volatile("dmb sy" : : : "memory");
}

/* Ticks of the virtual counter in so many microseconds */
uint64_t ticks(unsigned us);
void delay(unsigned us);

/* Wait until a condition is true, but not for ever. */
#define wait_at_most(us, condition) do {                                \
    uint64_t start_ = sysreg_read(cntvct_el0);                          \
    while (!(condition) &&                                              \
           sysreg_read(cntvct_el0) - start_ < ticks(us)) {              \
        /* wait */                                                      \
    }                                                                   \
    barrier();                                                          \
} while (0)

/* For what takes microseconds, even if the host is very busy */
#define wait_until(condition) wait_at_most(4000000, condition)

static inline void write32(uint64_t address, uint32_t value)
{
    asm volatile("str %w0, [%1]" : : "r" (value), "r" (address) : "memory");
}

static inline uint32_t read32(uint64_t address)
{
    uint32_t value;

    asm volatile("ldr %w0, [%1]" : "=r" (value) : "r" (address) : "memory");
    return value;
}

static inline void write64(uint64_t address, uint64_t value)
{
    asm volatile("str %0, [%1]" : : "r" (value), "r" (address) : "memory");
}

static inline uint64_t read64(uint64_t address)
{
    uint64_t value;

    asm volatile("ldr %0, [%1]" : "=r" (value) : "r" (address) : "memory");
    return value;
}

/*
 * What vCPUs share. All of these are seen by all vCPUs in one order. They
 * take and return the type of the variable; atomic_add() returns the sum.
 */
#define atomic_load(p)          __atomic_load_n(p, __ATOMIC_SEQ_CST)
#define atomic_add(p, value)    __atomic_add_fetch(p, value, __ATOMIC_SEQ_CST)
/* QEMU 10 does not keep a LDAR from passing the STLR before: hence barrier() */
#define atomic_store(p, value) do {                                     \
    __atomic_store_n(p, value, __ATOMIC_SEQ_CST);                       \
    barrier();                                                          \
} while (0)

/* Replaces the old value, if it is that; returns whether it was. */
static inline bool atomic_swap_if(uint64_t *p, uint64_t old, uint64_t value)
{
    return __atomic_compare_exchange_n(p, &old, value, false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* While waiting for another vCPU: lets it run if there is but one thread */
static inline void yield(void)
{
    asm volatile("yield" : : : "memory");
}

/* A lock is 0 if nobody holds it. */
static inline bool try_lock(uint64_t *lock)
{
    return atomic_swap_if(lock, 0, 1);
}

static inline void lock(uint64_t *lock)
{
    while (!try_lock(lock)) {
        yield();
    }
}

static inline void unlock(uint64_t *lock)
{
    atomic_store(lock, 0);
}

/* The console, for one vCPU at a time */
void uart_write(unsigned offset, uint32_t value);
uint32_t uart_read(unsigned offset);
bool uart_has_input(void);
void puts(const char *text);
void puthex(uint64_t value);
void putdec(uint64_t value);

/*
 * Checks: expect() compares a value, verdict() prints whether all values
 * since the last verdict were as expected, and the first that was not.
 */
void expect(uint64_t got, uint64_t expected);
void verdict(const char *name);

#endif
