/*
 * Bare-metal guest: calls that a virt board with a GIC refuses
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "runtime.h"
#include "rvic.h"

void main(void)
{
    static const uint32_t rvic_calls[] = {
        RVIC_VERSION, RVIC_INFO, RVIC_ENABLE, RVIC_ACKNOWLEDGE,
        RVIC_BASE + 0xff, RVID_VERSION, RVID_MAP, RVID_UNMAP, RVID_BASE + 0xff,
    };

    expect(hypercall(PSCI_VERSION, 0, 0, 0).x0, 0x10001);
    expect(hypercall(PSCI_FEATURES, PSCI_VERSION, 0, 0).x0, 0);
    verdict("gic/psci");

    expect(hypercall(PSCI_FEATURES, SMCCC_VERSION, 0, 0).x0, NOT_SUPPORTED);
    expect(hypercall(SMCCC_VERSION, 0, 0, 0).x0, NOT_SUPPORTED);
    expect(hypercall(SMCCC_ARCH_FEATURES, SMCCC_VERSION, 0, 0).x0,
           NOT_SUPPORTED);
    verdict("gic/smccc");

    for (size_t i = 0; i < ARRAY_SIZE(rvic_calls); i++) {
        struct result result = hypercall(rvic_calls[i], 5, 6, 7);

        expect(result.x0, NOT_SUPPORTED);
        expect(result.x1, 5);
        expect(result.x2, 6);
        expect(result.x3, 7);
    }
    verdict("gic/rvic");

    puts("DONE\n");
}
