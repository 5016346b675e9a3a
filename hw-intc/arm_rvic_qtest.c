/*
 * Arm rVIC and rVID: hypercalls from qtest
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "system/qtest.h"
#include "arm_rvic_hypercall.h"
#include "rvic_compat.h"
#include "rvic_internal.h"

/* qtest has one slot for commands, without an argument: one rVIC has it */
static ARMRVICState *qtest_rvic;

/* rvic_call CPU FUNCTION X1 X2 X3 */
static bool arm_rvic_qtest_command(CharFrontend *chr, gchar **words)
{
    uint64_t arg[5], result[4];

    if (strcmp(words[0], "rvic_call") != 0) {
        return false;
    }

    g_assert(g_strv_length(words) == 1 + ARRAY_SIZE(arg));
    for (size_t i = 0; i < ARRAY_SIZE(arg); i++) {
        int ret = qemu_strtou64(words[1 + i], NULL, 0, &arg[i]);

        g_assert(ret == 0);
    }
    g_assert(arg[0] < qtest_rvic->core.num_cpus && arg[1] <= UINT32_MAX);

    if (arm_rvic_hypercall(qtest_rvic, arg[0], arg[1], &arg[2], result)) {
        qtest_sendf(chr, "OK 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64
                    " 0x%" PRIx64 "\n",
                    result[0], result[1], result[2], result[3]);
    } else {
        qtest_sendf(chr, "FAIL Unknown call\n");
    }
    return true;
}

void arm_rvic_qtest_init(ARMRVICState *s)
{
    if (qtest_enabled()) {
        qtest_rvic = s;
        qtest_set_command_cb(arm_rvic_qtest_command);
    }
}
