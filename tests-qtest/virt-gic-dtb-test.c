/*
 * The virt machine with a GIC: device trees as an unpatched QEMU makes them
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "rvic-qtest.h"

/*
 * SHA-256 of what dumpdtb= writes. It is the same in these versions of QEMU,
 * and stable releases do not change it. To add a version, run this test with
 * QTEST_QEMU_BINARY naming an unpatched QEMU of that version: it prints the
 * hash of each tree.
 */
static const char *const versions[] = { "10.0", "10.2" };

static const struct {
    const char *machine;
    const char *args;
    const char *sha256;
} trees[] = {
    { "virt", "-cpu max -smp 4",
      "8a3960a87a390987383190690ce38c321bb007cf017b0406679eb1fb28c6ef32" },
    { "virt", "-cpu cortex-a15 -smp 2",
      "af861afc1a6fb2c5303165ba2b01bb17f0ec0571a27439152dd845fe1ac62fce" },
    { "virt,gic-version=2", "-cpu max -smp 4",
      "8a3960a87a390987383190690ce38c321bb007cf017b0406679eb1fb28c6ef32" },
    { "virt,gic-version=2", "-cpu cortex-a57 -smp 2",
      "5be8c62e026bf93e3db827916dcaa475854efa26a64aa3a7d9415508d759ae5f" },
    { "virt,gic-version=3", "-cpu max -smp 4",
      "c48d22a3db6b4bc5320fee8748bfb1f00d1d14fb19b049f322b1b238f168359d" },
    { "virt,gic-version=3", "-cpu cortex-a57 -smp 2",
      "231b089b60093b5b3833f38158c579703a3f1a4152069e606ecabf83949e4fe1" },
    { "virt,gic-version=max", "-cpu max -smp 4",
      "c48d22a3db6b4bc5320fee8748bfb1f00d1d14fb19b049f322b1b238f168359d" },
    { "virt,gic-version=max", "-cpu cortex-a57 -smp 2",
      "231b089b60093b5b3833f38158c579703a3f1a4152069e606ecabf83949e4fe1" },
    { "virt,gic-version=2,virtualization=on", "-cpu max -smp 4",
      "100d1b7f922eb4c7bd052481e39ad438f2fe914d07da54df17fbe87a81263730" },
    { "virt,gic-version=2,virtualization=on", "-cpu cortex-a57 -smp 2",
      "b07b0f1cddc01e4cbb8f4aeb2239744327c6019dfa4cf1cc4c2cc8d5b768df1f" },
    { "virt,gic-version=3,virtualization=on", "-cpu max -smp 4",
      "57e2f39a855dcaaeeaf405d5882b7a764024296e7b67c8488bcf74bf51529968" },
    { "virt,gic-version=3,virtualization=on", "-cpu cortex-a57 -smp 2",
      "41ddd31e1143ca08b17202fa2c2f50eb65c2bc5d9df51840ef3162fc7d0d7eee" },
    { "virt,gic-version=max,virtualization=on", "-cpu max -smp 4",
      "57e2f39a855dcaaeeaf405d5882b7a764024296e7b67c8488bcf74bf51529968" },
    { "virt,gic-version=max,virtualization=on", "-cpu cortex-a57 -smp 2",
      "41ddd31e1143ca08b17202fa2c2f50eb65c2bc5d9df51840ef3162fc7d0d7eee" },
    { "virt,gic-version=4,virtualization=on", "-cpu max -smp 4",
      "57e2f39a855dcaaeeaf405d5882b7a764024296e7b67c8488bcf74bf51529968" },
    { "virt,gic-version=2", "-cpu max -smp 8",
      "08c25347d230ae18f20202ef8ca024a848e372310188913aaebd511a084fc079" },
    { "virt,gic-version=3", "-cpu max -smp 20",
      "a218acb6d18851764e24b09ad28feafa8e1f9f65ee0115d0bd86f5248ffbcd02" },
    { "virt,gic-version=3,its=off", "-cpu max",
      "8feabf6b0e833410ad6e6da664729f12ee22a7185d61b622d6dae1ee2ce5356e" },
    { "virt,gic-version=3,iommu=smmuv3", "-cpu max",
      "0af12e39a26a7317af84b66a089265dcc1476fca2f1e2f7a3bee6d1e11623141" },
    { "virt,gic-version=3,secure=on", "-cpu max",
      "9b5cb79fae18495400e7e5585f19aa3c0e818c2edce0159684808da12d385e65" },
    { "virt,gic-version=max,acpi=off", "-cpu max -m 4G",
      "093e68082f449de2f11ce89e9b2eab100a60e698bad53b0ba7ab968194e762c8" },
    { "virt-9.2,gic-version=2", "-cpu max",
      "05c9bb6e0768700e2fd832d69b913b5b10a09fb3a0c843c2c43278a3d0bf0882" },
};

static char *tree_sha256(const char *machine, const char *args)
{
    g_autofree char *file = rvic_temp(".dtb");
    g_autofree char *dtb = NULL;
    g_autoptr(RVICRun) run = NULL;
    gsize len;

    run = rvic_run("-nodefaults -machine %s,dtb-randomness=off,dumpdtb=%s %s",
                   machine, file, args);
    if (run->status != 0) {
        g_test_message("%s", run->err);
    }
    g_assert_cmpint(run->status, ==, 0);
    g_assert_true(g_file_get_contents(file, &dtb, &len, NULL));
    g_assert_cmpuint(len, >, 0);
    unlink(file);
    return g_compute_checksum_for_data(G_CHECKSUM_SHA256, (guchar *)dtb, len);
}

/* QEMU's version is one of those above */
static bool version_known;

static bool find_version(void)
{
    QTestState *qts = qtest_init("-machine none");
    QDict *rsp = qtest_qmp(qts, "{ 'execute': 'query-version' }");
    QDict *qemu = qdict_get_qdict(qdict_get_qdict(rsp, "return"), "qemu");
    g_autofree char *name = NULL;
    bool found = false;

    name = g_strdup_printf("%d.%d", (int)qdict_get_int(qemu, "major"),
                           (int)qdict_get_int(qemu, "minor"));
    qobject_unref(rsp);
    qtest_quit(qts);

    g_test_message("QEMU %s", name);
    for (int i = 0; i < ARRAY_SIZE(versions); i++) {
        found |= !strcmp(name, versions[i]);
    }
    return found;
}

static void test_tree(const void *data)
{
    size_t tree = GPOINTER_TO_SIZE(data);
    g_autofree char *sha256 = tree_sha256(trees[tree].machine,
                                          trees[tree].args);

    g_test_message("%s %s: %s", trees[tree].machine, trees[tree].args, sha256);
    if (!version_known) {
        g_test_skip("no hashes for this version of QEMU");
        return;
    }
    g_assert_cmpstr(sha256, ==, trees[tree].sha256);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    version_known = find_version();

    for (size_t i = 0; i < ARRAY_SIZE(trees); i++) {
        g_autofree char *name = g_strdup_printf("/gic-dtb/%s %s",
                                                trees[i].machine,
                                                trees[i].args);

        qtest_add_data_func(name, GSIZE_TO_POINTER(i), test_tree);
    }
    return g_test_run();
}
