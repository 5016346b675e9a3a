/*
 * Bare-metal guest at EL2: a GIC's interfaces, with a guest of its own at EL1
 *
 * What the virtual CPU interface does is the same for GICv2 and GICv3, which
 * differ in how it is accessed: see struct gic. Tests of behaviours that both
 * have are written once, over it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef BAREMETAL_GIC_VIRT_H
#define BAREMETAL_GIC_VIRT_H

#include "gic.h"

#define MAX_LRS         16

/* As in the list register's State field */
enum state { INVALID, PENDING, ACTIVE, PENDING_ACTIVE };

/* What a list register contains; small, as there is no memcpy() */
struct lr {
    uint16_t intid;
    uint16_t pintid;            /* the physical interrupt's, if hw */
    uint8_t state;
    uint8_t priority;
    uint8_t group;              /* 0 or 1 */
    uint8_t source;             /* GICv2: an SGI's source vCPU, if !hw */
    bool eoi;                   /* EOI maintenance interrupt, if !hw */
    bool hw;
};

/*
 * A GIC. The functions access what is the calling vCPU's, as registers say
 * in whose names they are; groups are 0 or 1. Those of the virtual CPU
 * interface do so from EL1 if only that can.
 */
struct gic {
    const char *name;
    bool v3;
    /* The group that guests usually have their interrupts in */
    unsigned group;

    /* The distributor; then a vCPU's interfaces */
    void (*init)(void);
    void (*init_cpu)(void);

    /*
     * The virtual interface control registers, GICH_HCR to GICH_ELRSR0, or
     * ICH_HCR_EL2 to ICH_ELRSR_EL2, which have the same fields
     */
    uint32_t (*hcr)(void);
    void (*set_hcr)(uint32_t value);
    uint32_t (*vtr)(void);
    uint32_t (*vmcr)(void);
    void (*set_vmcr)(uint32_t value);
    uint32_t (*misr)(void);
    uint32_t (*eisr)(void);
    uint32_t (*elrsr)(void);
    struct lr (*lr)(unsigned n);
    void (*set_lr)(unsigned n, struct lr lr);
    /* GICv2 has one register for both groups. */
    uint32_t (*apr)(unsigned group);
    void (*set_apr)(unsigned group, uint32_t value);

    /* The virtual CPU interface: GICV_*, or ICV_* */
    uint32_t (*iar)(unsigned group);
    void (*eoir)(unsigned group, uint32_t value);
    void (*dir)(uint32_t value);
    uint32_t (*hppir)(unsigned group);
    uint32_t (*rpr)(void);
    uint32_t (*pmr)(void);
    void (*set_pmr)(uint32_t value);
    uint32_t (*bpr)(unsigned group);
    void (*set_bpr)(unsigned group, uint32_t value);
    bool (*group_enabled)(unsigned group);
    void (*enable_group)(unsigned group, bool enable);
    /* CTLR's CBPR and EOImode fields */
    bool (*cbpr)(void);
    bool (*eoimode)(void);
    void (*set_ctlr)(bool cbpr, bool eoimode);
    /* GICv2: Group 0 is VFIQ, as it always is in GICv3, not VIRQ. */
    void (*set_fiqen)(bool fiqen);

    /* The physical CPU interface, for the group that is used */
    uint32_t (*phys_iar)(void);
    void (*phys_eoir)(uint32_t value);
    void (*phys_dir)(uint32_t value);
    void (*set_phys_eoimode)(bool eoimode);
    /* Where the distributor has the bit of such an array, for the caller */
    uint64_t (*array)(unsigned offset, unsigned intid);
    void (*set_priority)(unsigned intid, uint8_t priority);
    /* Routes an SPI to a vCPU. */
    void (*route)(unsigned intid, unsigned cpu);
};

extern const struct gic gicv2, gicv3;
/* The one that this machine has */
extern const struct gic *gic;

/* Distributor state of an interrupt, of the caller's if private */
static inline bool gicd_test(unsigned array, unsigned intid)
{
    return read32(gic->array(array, intid)) >> intid % 32 & 1;
}

static inline void gicd_write_bit(unsigned array, unsigned intid)
{
    write32(gic->array(array, intid), 1u << intid % 32);
}

/* Enables an interrupt of the first vCPU's, with nothing left of the past. */
void gicd_enable(unsigned intid);
void gicd_disable(unsigned intid);

/*
 * Code at EL1. All of these end with HVC, and give x0 then.
 */

/* PSTATE of EL1 and EL0, with all masked */
#define SPSR_EL1H       0x3c5
#define SPSR_EL0T       0x3c0
#define PSTATE_F        0x40

/* What the code came back to EL2 by */
#define CLASS_UNKNOWN   0x00
#define CLASS_SYSREG    0x18
#define ESR_HVC         0x5a000000              /* its own end */
#define ESR_VECTOR      (ESR_HVC + 1)           /* EL1's vectors */

/* Runs it; other ends than its own are not expected. */
uint64_t at_el1(const char *code, uint64_t x0);

/* The address of a few instructions, with HVC behind them */
#define el1_code(instructions) ({                                       \
    const char *code_;                                                  \
    asm(".pushsection .text.el1, \"ax\"\n"                              \
        "1:     " instructions "\n"                                     \
        "       hvc     #0\n"                                           \
        "       .popsection\n"                                          \
        "       adrp    %0, 1b\n"                                       \
        "       add     %0, %0, :lo12:1b" : "=r" (code_));              \
    code_;                                                              \
})

#define el1_read(name)                                                  \
    at_el1(el1_code("mrs x0, " STRINGIFY(name)), 0)
#define el1_write(name, value)                                          \
    at_el1(el1_code("msr " STRINGIFY(name) ", x0\n\tisb"), value)

/* ISR_EL1 at EL1: PSTATE_I and PSTATE_F, for VIRQ and VFIQ pending */
static inline uint64_t virtual_lines(void)
{
    return el1_read(isr_el1) & (PSTATE_I | PSTATE_F);
}

/*
 * Lets EL1 take exceptions that are not in @masked, returns where it went:
 * offset in its vector table, or 0 if it took none.
 */
#define VECTOR_IRQ      0x280
#define VECTOR_FIQ      0x300
uint64_t taken_at_el1(uint64_t masked);

/* Physical IRQs come while EL1 runs, whatever it masks. */
static inline void let_irqs_come(void)
{
    taken_at_el1(PSTATE_I | PSTATE_F);
}

/*
 * Runs a function at EL1, with a stack, and with vectors that have IRQs
 * handled by another, at EL1 as well, until it returns.
 */
void call_at_el1(void (*function)(void), void (*irq)(void));

/*
 * Physical IRQs, taken at EL2. Each is disabled, unless @el2_irq says what else
 * to do for it while it is active. Reset before each test.
 */
extern volatile unsigned irqs_at_el2, last_irq_at_el2;
extern void (*el2_irq)(unsigned intid);

/* The virtual interface as at reset, then enabled for the tests */
void reset_virtual(void);

/*
 * vCPUs that do what the first one tells them: the first ones, as many as there
 * are of TEST_CPUS; and, if there are so many, two with another Aff1
 */
#define TEST_CPUS       4
#define FAR_CPU         16
#define FAR_CPUS        2
extern unsigned num_cpus;
extern bool far_cpus;

/* Has a vCPU run a function, and waits until it has. */
void on_cpu(unsigned cpu, void (*function)(void));

/* Has the others leave the GIC alone, which wakes them from sleep otherwise. */
void be_quiet(bool on);

/* Tells whoever runs us to do it, and waits until it is done. */
void ask_for(const char *what);

/* A test's name, as verdict() prints it, and what it does */
struct test {
    const char *name;
    void (*run)(void);
};

#define NO_MORE_TESTS   { NULL, NULL }

/* Parts: lists of tests */
extern const struct test virtual_tests[];               /* of both */
extern const struct test guest_tests[];                 /* of both */
extern const struct test migration_tests[];             /* of both */
extern const struct test gicv2_tests[];
extern const struct test gicv3_virtual_tests[];
extern const struct test gicv3_trap_tests[];
extern const struct test gicv3_physical_tests[];
extern const struct test gicv3_far_tests[];             /* with far_cpus */
extern const struct test gicv3_lpi_tests[];

#endif
