/*
 * Bare-metal guest at EL2: LPIs, from the ITS to ICC_IAR1_EL1
 *
 * Arm IHI 0069: LPIs have a pending state only; EOI just drops the priority.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "gic_virt.h"
#include "its.h"

#define DEVICE                  3
/* LPIs of EVENT and of the next ones; its_map() gives them priority 0. */
#define EVENT                   0

#define SGI                     3
#define SPIS                    224

static void cycle(void)
{
    uint32_t iar;

    expect(its_enable(GITS, GICR), true);
    expect(its_add_device(DEVICE, ITS_LPIS), true);
    expect(its_map(DEVICE, EVENT, FIRST_LPI), true);
    expect(icc_read(ICC_IAR1_EL1), INTID_NONE);
    expect(its_trigger(DEVICE, EVENT), true);
    expect(sysreg_read(isr_el1) & PSTATE_I, PSTATE_I);
    expect(icc_read(ICC_HPPIR1_EL1), FIRST_LPI);
    iar = icc_read(ICC_IAR1_EL1);
    expect(iar, FIRST_LPI);
    expect(icc_read(ICC_RPR_EL1), 0);
    expect(icc_read(ICC_IAR1_EL1), INTID_NONE);
    icc_write(ICC_EOIR1_EL1, iar);
    expect(icc_read(ICC_RPR_EL1), 0xff);
    expect(icc_read(ICC_IAR1_EL1), INTID_NONE);
}

/* It has no active state: again, as soon as the priority is dropped. */
static void again(void)
{
    icc_write(ICC_CTLR_EL1, ICC_CTLR_EOIMODE);
    expect(its_trigger(DEVICE, EVENT), true);
    expect(icc_read(ICC_IAR1_EL1), FIRST_LPI);
    expect(its_trigger(DEVICE, EVENT), true);
    expect(its_trigger(DEVICE, EVENT), true);
    expect(icc_read(ICC_IAR1_EL1), INTID_NONE);
    icc_write(ICC_EOIR1_EL1, FIRST_LPI);
    expect(icc_read(ICC_IAR1_EL1), FIRST_LPI);
    icc_write(ICC_EOIR1_EL1, FIRST_LPI);
    expect(icc_read(ICC_IAR1_EL1), INTID_NONE);
    icc_write(ICC_CTLR_EL1, 0);
}

/* An LPI preempts an SGI of a lower priority. */
static void preemption(void)
{
    gicd_enable(SGI);
    gicd_write_bit(GICD_ISPENDR, SGI);
    expect(icc_read(ICC_IAR1_EL1), SGI);
    expect(its_trigger(DEVICE, EVENT), true);
    expect(icc_read(ICC_IAR1_EL1), FIRST_LPI);
    expect(icc_read(ICC_RPR_EL1), 0);
    icc_write(ICC_EOIR1_EL1, FIRST_LPI);
    expect(icc_read(ICC_RPR_EL1), 0x80);
    expect(gicd_test(GICD_ISACTIVER, SGI), true);
    icc_write(ICC_EOIR1_EL1, SGI);
    expect(gicd_test(GICD_ISACTIVER, SGI), false);
    gicd_disable(SGI);
}

/* EL2 forwards it: the virtual LPI's list register may name no physical one. */
static void forwarded(void)
{
    expect(its_trigger(DEVICE, EVENT), true);
    expect(icc_read(ICC_IAR1_EL1), FIRST_LPI);
    icc_write(ICC_EOIR1_EL1, FIRST_LPI);
    gic->set_lr(0, (struct lr) {
        .intid = FIRST_LPI, .state = PENDING, .group = 1,
    });
    expect(taken_at_el1(0), VECTOR_IRQ);
    expect(gic->iar(1), FIRST_LPI);
    gic->eoir(1, FIRST_LPI);
    expect(gic->lr(0).state, INVALID);
}

static uint64_t router(unsigned intid)
{
    return GICD + GICD_IROUTER + intid * 8;
}

/* All that may be written to a router: no IRM */
#define ALL_AFFINITIES  0xff00ffffff

/*
 * The end of an LPI has no effect on SPIs, whatever its INTID is: their routes
 * are all ones. With every seventh, there is one of each remainder. EVENT is
 * mapped already, and mapping it once more is UNPREDICTABLE.
 */
static void spis_unchanged(void)
{
    static uint64_t routes[SPIS];

    for (unsigned n = 0; n < SPIS; n++) {
        write64(router(SPI_FIRST + n), ALL_AFFINITIES);
        routes[n] = read64(router(SPI_FIRST + n));
        expect(routes[n] != 0, true);
        gic->set_priority(SPI_FIRST + n, 0xf8);
    }
    for (unsigned event = EVENT + 7; event < ITS_LPIS; event += 7) {
        unsigned lpi = FIRST_LPI + event;

        expect(its_map(DEVICE, event, lpi), true);
        expect(its_trigger(DEVICE, event), true);
        expect(icc_read(ICC_IAR1_EL1), lpi);
        icc_write(ICC_EOIR1_EL1, lpi);
    }
    for (unsigned n = 0; n < SPIS; n++) {
        expect(read64(router(SPI_FIRST + n)), routes[n]);
        expect(read8(GICD + GICD_IPRIORITYR + SPI_FIRST + n), 0xf8);
        gic->route(SPI_FIRST + n, 0);
    }
}

const struct test gicv3_lpi_tests[] = {
    { "lpi/cycle", cycle },
    { "lpi/again", again },
    { "lpi/preemption", preemption },
    { "lpi/forwarded", forwarded },
    { "lpi/spis-unchanged", spis_unchanged },
    NO_MORE_TESTS
};
