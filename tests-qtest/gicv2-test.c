/*
 * Arm GICv2: its distributor and CPU interface
 *
 * A fresh machine for each scenario, without a running vCPU: each access is
 * vCPU 0's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "gic-qtest.h"

static GICMachine *start(void)
{
    return gic_start("gic-version=2", 2, "");
}

/* A signalled interrupt is acknowledged, handled and ended */
static void test_handle(void)
{
    GICMachine *gic = start();

    gicd_write(gic, GICD_CTLR, R_GICD_CTLR_EnableGrp0_MASK);
    gicc_write(gic, GICC_CTLR, R_GICC_CTLR_EnableGrp0_MASK);
    gicc_write(gic, GICC_PMR, 0xff);
    gicd_write_byte(gic, GICD_ITARGETSR, FREE_SPI(0), 1);
    gicd_set(gic, GICD_ISENABLER, FREE_SPI(0));
    g_assert_false(gic_output(gic, 0, GIC_IRQ));

    gic_spi(gic, FREE_SPI(0), true);
    g_assert_true(gic_output(gic, 0, GIC_IRQ));
    g_assert_true(gicd_test(gic, GICD_ISPENDR, FREE_SPI(0)));
    g_assert_cmpuint(gicc_read(gic, GICC_IAR), ==, FREE_SPI(0));
    g_assert_false(gic_output(gic, 0, GIC_IRQ));
    g_assert_true(gicd_test(gic, GICD_ISACTIVER, FREE_SPI(0)));

    gic_spi(gic, FREE_SPI(0), false);
    gicc_write(gic, GICC_EOIR, FREE_SPI(0));
    g_assert_false(gicd_test(gic, GICD_ISACTIVER, FREE_SPI(0)));
    g_assert_false(gic_output(gic, 0, GIC_IRQ));
    gic_quit(gic);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/gicv2/handle", test_handle);
    return g_test_run();
}
