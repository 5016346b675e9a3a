/*
 * Bare-metal guest at EL2: a guest at EL1 that takes its virtual interrupts
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "gic_virt.h"

#define VINTID                  80
#define INTERRUPTS              12
/* An SPI that is wired to nothing */
#define PHYSICAL                (SPI_FIRST + 100)

#define P_HIGH                  0x40
#define P_MIDDLE                0x80
#define P_LOW                   0xc0

#define HCR_EL2_BITS            (HCR_EL2_RW | HCR_EL2_IMO | HCR_EL2_FMO)

/* What the guest has done; volatile, as its handlers come at any moment */
static volatile struct {
    unsigned taken, depth, deepest;
    uint32_t order[INTERRUPTS];
    uint32_t rpr[INTERRUPTS];
} guest;

/*
 * How many it waits for; whether its handlers make a physical interrupt, and
 * ask for something in the last
 */
static unsigned wanted;
static bool provoking;
static const char *request;

/* What the hypervisor has not yet put into a list register */
static unsigned queued;

static void queue(unsigned n, unsigned intid, unsigned priority)
{
    gic->set_lr(n, (struct lr) {
        .intid = intid, .state = PENDING, .priority = priority,
        .group = gic->group,
    });
}

/*
 * At EL1
 */

static uint32_t guest_iar(void)
{
    return gic->v3 ? icc_read(ICC_IAR1_EL1) : read32(GICV + GICC_IAR);
}

static void guest_eoir(uint32_t value)
{
    if (gic->v3) {
        icc_write(ICC_EOIR1_EL1, value);
    } else {
        write32(GICV + GICC_EOIR, value);
    }
}

static uint32_t guest_rpr(void)
{
    return gic->v3 ? icc_read(ICC_RPR_EL1) : read32(GICV + GICC_RPR);
}

static uint32_t take(void)
{
    uint32_t ack = guest_iar();
    unsigned n = guest.taken++;

    if (n < INTERRUPTS) {
        guest.order[n] = ack;
        guest.rpr[n] = guest_rpr();
    }
    return ack;
}

static void handle(void)
{
    guest_eoir(take());
}

/* Has others come in between. */
static void handle_nested(void)
{
    uint32_t ack = take();

    if (++guest.depth > guest.deepest) {
        guest.deepest = guest.depth;
    }
    irq_unmask();
    if (provoking) {
        gicd_write_bit(GICD_ISPENDR, PHYSICAL);
    }
    if (request && guest.depth == wanted) {
        ask_for(request);
    }
    irq_mask();
    guest.depth--;
    guest_eoir(ack);
}

static void wait_for_interrupts(void)
{
    irq_unmask();
    wait_until(guest.taken >= wanted);
    irq_mask();
}

/*
 * The hypervisor
 */

static void run_guest(void (*handler)(void), unsigned interrupts)
{
    guest.taken = guest.depth = guest.deepest = 0;
    wanted = interrupts;
    gic->set_fiqen(false);
    call_at_el1(wait_for_interrupts, handler);
    expect(guest.taken, interrupts);
    expect(gic->rpr(), 0xff);
}

static void exceptions(void)
{
    unsigned vectors[] = { VECTOR_FIQ, VECTOR_IRQ };

    expect(taken_at_el1(0), 0);
    for (unsigned group = 0; group < 2; group++) {
        gic->set_lr(0, (struct lr) {
            .intid = VINTID, .state = PENDING, .priority = P_MIDDLE,
            .group = group,
        });
        expect(taken_at_el1(0), vectors[group]);
        expect(taken_at_el1(group ? PSTATE_F : PSTATE_I), vectors[group]);
        expect(taken_at_el1(group ? PSTATE_I : PSTATE_F), 0);
        expect(gic->lr(0).state, PENDING);
        expect(taken_at_el1(0), vectors[group]);

        /* Without IMO or FMO, virtual interrupts are not signalled. */
        sysreg_write(hcr_el2, HCR_EL2_BITS &
                     ~(group ? HCR_EL2_IMO : HCR_EL2_FMO));
        expect(taken_at_el1(0), 0);
        sysreg_write(hcr_el2, HCR_EL2_BITS);
    }
    gic->set_lr(0, (struct lr) { 0 });
    expect(taken_at_el1(0), 0);
}

static void in_order(void)
{
    queue(0, VINTID, P_LOW);
    queue(1, VINTID + 1, P_HIGH);
    queue(2, VINTID + 2, P_MIDDLE);
    run_guest(handle, 3);
    expect(guest.order[0], VINTID + 1);
    expect(guest.order[1], VINTID + 2);
    expect(guest.order[2], VINTID);
    expect(guest.rpr[0], P_HIGH);
    expect(guest.rpr[1], P_MIDDLE);
    expect(guest.rpr[2], P_LOW);
}

/* The physical interrupt, which comes within the guest's handler */
static void queue_next(unsigned intid)
{
    queued++;
    queue(queued, VINTID + queued, P_LOW - 0x40 * queued);
    if (queued == 2) {
        gicd_disable(intid);
    }
}

/* Each handler is interrupted by one of a higher priority. */
static void preemption(void)
{
    queued = 0;
    el2_irq = queue_next;
    gicd_enable(PHYSICAL);
    queue(0, VINTID, P_LOW);
    provoking = true;
    run_guest(handle_nested, 3);
    provoking = false;
    gicd_write_bit(GICD_ICPENDR, PHYSICAL);
    expect(irqs_at_el2, 2);
    expect(guest.deepest, 3);
    for (unsigned n = 0; n < 3; n++) {
        expect(guest.order[n], VINTID + n);
        expect(guest.rpr[n], P_LOW - 0x40 * n);
        expect(gic->lr(n).state, INVALID);
    }
}

/* There, QEMU goes on in another process. */
static void migrated(void)
{
    request = "migration";
    preemption();
    request = NULL;
}

/* Puts more of them into empty list registers. */
static void fill(void)
{
    for (unsigned n = 0; n < VTR_LISTREGS(gic->vtr()); n++) {
        if (queued && gic->elrsr() & 1u << n) {
            queued--;
            queue(n, VINTID + queued, P_MIDDLE);
        }
    }
    gic->set_hcr(queued ? HCR_EN | HCR_UIE : HCR_EN);
}

/*
 * The maintenance interrupt comes before the guest's next instruction: the
 * architecture does not promise this, but QEMU's is never late. Were it so, the
 * guest would acknowledge more before this runs.
 */
static void underflow(unsigned intid)
{
    expect(intid, PPI_MAINTENANCE);
    expect(gic->misr(), MISR_U);
    fill();
    expect(gic->misr(), 0);
}

/* More interrupts than list registers, which are filled when they run dry */
static void overflow(void)
{
    unsigned lrs = VTR_LISTREGS(gic->vtr());
    uint64_t seen = 0;

    el2_irq = underflow;
    gicd_enable(PPI_MAINTENANCE);
    queued = INTERRUPTS;
    fill();
    run_guest(handle, INTERRUPTS);
    for (unsigned n = 0; n < INTERRUPTS; n++) {
        seen |= 1ull << (guest.order[n] - VINTID);
    }
    expect(seen, (1ull << INTERRUPTS) - 1);
    /* The first time all are filled, then all but one. */
    expect(irqs_at_el2, (INTERRUPTS - lrs + lrs - 2) / (lrs - 1));
    gicd_disable(PPI_MAINTENANCE);
}

static unsigned levels_left;

/*
 * The device's line is still high after EOI, for so many times. Here as well,
 * one maintenance interrupt for each EOI is what QEMU's, never late, makes.
 */
static void resample(unsigned intid)
{
    expect(intid, PPI_MAINTENANCE);
    expect(gic->eisr(), 1);
    if (levels_left && --levels_left) {
        gic->set_lr(0, (struct lr) {
            .intid = VINTID, .state = PENDING, .priority = P_MIDDLE,
            .group = gic->group, .eoi = true,
        });
    } else {
        gic->set_lr(0, (struct lr) { 0 });
    }
    expect(gic->misr(), 0);
}

static void level(void)
{
    el2_irq = resample;
    levels_left = 5;
    gicd_enable(PPI_MAINTENANCE);
    gic->set_lr(0, (struct lr) {
        .intid = VINTID, .state = PENDING, .priority = P_MIDDLE,
        .group = gic->group, .eoi = true,
    });
    run_guest(handle, 5);
    expect(irqs_at_el2, 5);
    expect(guest.order[4], VINTID);
    gicd_disable(PPI_MAINTENANCE);
}

const struct test guest_tests[] = {
    { "guest/exceptions", exceptions },
    { "guest/in-order", in_order },
    { "guest/preemption", preemption },
    { "guest/overflow", overflow },
    { "guest/level", level },
    { "migration/handler", migrated },
    NO_MORE_TESTS
};
