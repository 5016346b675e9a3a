/*
 * Bare-metal guest: what the parts of hostile.c share
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef BAREMETAL_HOSTILE_H
#define BAREMETAL_HOSTILE_H

#include "runtime.h"
#include "rvic.h"

/* vCPUs, by number */
#define HOSTILE         4
#define TOGGLED         4               /* starts anew at any moment */
#define FIRST_VICTIM    5
#define CPUS            7

#define INTIDS          (RVIC_TRUSTED + RVIC_UNTRUSTED)
#define INTID_MSI       100             /* and the following */

#define SPSR_EL1        0x3c5           /* AArch64 EL1h, all masked */
#define SPSR_EL0        0x3c0           /* AArch64 EL0t */

#define ESR_CLASS(esr)  ((esr) >> 26)
#define CLASS_UNKNOWN   0x00
#define CLASS_SVC_A32   0x11
#define CLASS_SVC       0x15
#define CLASS_FETCH     0x21
#define CLASS_PC        0x22
#define CLASS_DATA      0x25
#define CLASS_MEMOPS    0x27
#define ESR_UNDEFINED   0x02000000

/* volatile, since each vCPU looks at what the others do */
typedef volatile struct cpu Cpu;

struct cpu {
    void (*irq)(Cpu *me);
    uint64_t random;
    unsigned phases;            /* how many it has done */

    uint64_t work;              /* calls and accesses, all in all */
    uint64_t refused;           /* calls, as QEMU logs them */
    uint64_t written;           /* bytes of the doorbell page */
    uint64_t wrong;             /* of this phase; what the first was: */
    uint64_t wrong_in[4], wrong_out[4];

    uint64_t esr;               /* of what an access led to, or 0 */
    bool fetching;
    bool enabled;               /* its rVIC instance; unknown of TOGGLED */

    uint64_t taken[INTIDS];
    uint64_t unasked;           /* IRQs without an interrupt */
    uint64_t sent, armed;
    bool ready, finished;
};

extern Cpu cpus[CPUS];

/* Whether there is an EL2, at which the guest then is */
extern bool el2;

/* Whether KVM answers all calls but rVIC's */
extern bool kvm;

/* Only one in so many of what is much alike is tried. */
extern uint64_t thin;

static inline uint64_t status(uint64_t function, uint64_t arg1, uint64_t arg2)
{
    return hypercall(function, arg1, arg2, 0).x0;
}

/* Any number, and one that is less than limit */
uint64_t random64(Cpu *me);
uint64_t random_below(Cpu *me, uint64_t limit);

/* Something is wrong: what went in, what came out */
void complain(Cpu *me, const uint64_t in[4], const uint64_t out[4]);

/* Take IPIs and the own timer's interrupts, each once and with its end. */
void begin_work(Cpu *me);
void start_timer(Cpu *me);

/* What a hostile vCPU does with an IRQ */
void acknowledge_only(Cpu *me);

/* What TOGGLED is switched on for */
void toggled(void);

/*
 * hostile_calls.c
 */

/* What happens: a call, one from AArch32, or an exception instead */
enum conduit { CALL, CALL_A32, NO_CALL };

/* From where a call is made */
struct mode {
    const char *name;           /* of the check */
    enum conduit conduit;
    /* For those below EL2: what run_at_el1() gets and returns */
    const void *code;
    uint64_t spsr, hcr_set, hcr_clear, esr;
};

#define MODES_BELOW_EL2 8

extern const struct mode own_level, below_el2[MODES_BELOW_EL2];

/* One call, and whether all registers are then as they have to be */
/* Whether a vCPU's call of the two ranges may have these results */
bool result_is_good(Cpu *me, const uint64_t in[4], const uint64_t out[4]);

void call(Cpu *me, const struct mode *mode, uint64_t function, uint64_t arg1,
          uint64_t arg2, uint64_t arg3);
uint64_t random_argument(Cpu *me);
void random_call(Cpu *me, const struct mode *mode);

/* Every function ID in and around the ranges, and each with one bit wrong */
void sweep(Cpu *me, const struct mode *mode);

/* Phases. That of EL0 is for guests without EL2, while the MMU is off. */
void el0_phase(Cpu *me);
void discovery_phase(Cpu *me);
void power_phase(Cpu *me);

/*
 * hostile_doorbell.c
 */

/* For set_up_accesses(), which switches the MMU on, as all these need it */
void make_translation(void);
void set_up_accesses(Cpu *me);

void random_access(Cpu *me);

/* Phases: all offsets; odd instructions; execution; devices' accesses */
void plain_phase(Cpu *me);
void special_phase(Cpu *me);
void fetch_phase(Cpu *me);
void dma_phase(Cpu *me);

#endif
