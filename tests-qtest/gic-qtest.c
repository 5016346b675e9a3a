/*
 * Arm GIC: what the tests of the virt board's GICv2 and GICv3 share
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "gic-qtest.h"
#include "rvic-qtest.h"

/* The board gives its GIC no name: it is among those that have no parent */
#define UNATTACHED      "/machine/unattached"

/* libqtest and the qtest server can watch 256 outputs, of 6 for each CPU */
#define MAX_WATCHED_CPUS    42

static char *find_gic(QTestState *qts)
{
    QDict *rsp = qtest_qmp(qts, "{ 'execute': 'qom-list', 'arguments': "
                           "{ 'path': %s } }", UNATTACHED);
    const QListEntry *e;
    char *path = NULL;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(rsp, "return"), e) {
        QDict *child = qobject_to(QDict, qlist_entry_obj(e));
        const char *type = qdict_get_str(child, "type");

        if (!strcmp(type, "child<arm_gic>") ||
            !strcmp(type, "child<arm-gicv3>")) {
            g_assert_null(path);
            path = g_strdup_printf("%s/%s", UNATTACHED,
                                   qdict_get_str(child, "name"));
        }
    }
    qobject_unref(rsp);
    g_assert_nonnull(path);
    return path;
}

static GICMachine *start(const char *options, unsigned cpus, const char *args,
                         const char *incoming)
{
    GICMachine *gic = g_new0(GICMachine, 1);

    gic->options = g_strdup(options);
    gic->args = g_strdup(args);
    gic->cpus = cpus;
    gic->qts = qtest_initf("-machine virt,%s -cpu max -m 32M -nodefaults "
                           "-smp %u %s %s", options, cpus, args, incoming);
    gic->path = find_gic(gic->qts);
    if (cpus <= MAX_WATCHED_CPUS) {
        qtest_irq_intercept_out_named(gic->qts, gic->path, "sysbus-irq");
    }
    return gic;
}

GICMachine *gic_start(const char *options, unsigned cpus, const char *args)
{
    return start(options, cpus, args, "");
}

void gic_quit(GICMachine *gic)
{
    qtest_quit(gic->qts);
    g_free(gic->options);
    g_free(gic->args);
    g_free(gic->path);
    g_strfreev(gic->cpu_paths);
    g_free(gic);
}

void gic_reset(GICMachine *gic)
{
    qtest_system_reset(gic->qts);
}

GICMachine *gic_migrate(GICMachine *gic)
{
    g_autofree char *file = rvic_save(gic->qts);
    GICMachine *to = start(gic->options, gic->cpus, gic->args,
                           "-incoming defer");

    g_assert_true(rvic_restore(to->qts, file));
    unlink(file);
    gic_quit(gic);
    return to;
}

bool gic_output(GICMachine *gic, unsigned cpu, GICOutput output)
{
    g_assert_cmpuint(gic->cpus, <=, MAX_WATCHED_CPUS);
    g_assert_cmpuint(cpu, <, gic->cpus);
    return qtest_get_irq(gic->qts, output * gic->cpus + cpu);
}

/* Inputs: those of all SPIs, then 32 for the INTIDs of each CPU's PPIs */
void gic_ppi(GICMachine *gic, unsigned cpu, unsigned intid, bool level)
{
    g_assert_cmpuint(cpu, <, gic->cpus);
    g_assert_cmpuint(intid, >=, FIRST_PPI);
    g_assert_cmpuint(intid, <, FIRST_SPI);
    qtest_set_irq_in(gic->qts, gic->path, NULL,
                     NUM_SPIS + cpu * FIRST_SPI + intid, level);
}

void gic_spi(GICMachine *gic, unsigned intid, bool level)
{
    g_assert_cmpuint(intid, >=, FIRST_SPI);
    g_assert_cmpuint(intid, <=, LAST_SPI);
    qtest_set_irq_in(gic->qts, gic->path, NULL, intid - FIRST_SPI, level);
}

void gic_line(GICMachine *gic, unsigned cpu, unsigned intid, bool level)
{
    if (intid < FIRST_SPI) {
        gic_ppi(gic, cpu, intid, level);
    } else {
        gic_spi(gic, intid, level);
    }
}

void gic_spi_pulse(GICMachine *gic, unsigned intid)
{
    gic_spi(gic, intid, true);
    gic_spi(gic, intid, false);
}

/* GICD_ICFGRn has fields of two bits; the lower one is reserved */
#define ICFGR_FIELDS    16

static uint32_t icfgr_edge(unsigned intid)
{
    return 2u << intid % ICFGR_FIELDS * 2;
}

void gic_set_edge_at(GICMachine *gic, uint64_t frame, unsigned intid, bool edge)
{
    uint64_t addr = frame + A_GICD_ICFGR(intid / ICFGR_FIELDS);
    uint32_t others = qtest_readl(gic->qts, addr) & ~icfgr_edge(intid);

    qtest_writel(gic->qts, addr, others | (edge ? icfgr_edge(intid) : 0));
}

void gicd_set_edge(GICMachine *gic, unsigned intid, bool edge)
{
    gic_set_edge_at(gic, GICD_BASE, intid, edge);
}

bool gicd_is_edge(GICMachine *gic, unsigned intid)
{
    return gicd_read(gic, GICD_ICFGR(intid / ICFGR_FIELDS)) &
           icfgr_edge(intid);
}

void gic_set_group_at(GICMachine *gic, uint64_t frame, unsigned intid,
                      unsigned group)
{
    uint64_t addr = frame + A_GICD_IGROUPR(intid / 32);
    uint32_t others = qtest_readl(gic->qts, addr) & ~(1u << intid % 32);

    qtest_writel(gic->qts, addr, others | group << intid % 32);
}

void gicd_set_group(GICMachine *gic, unsigned intid, unsigned group)
{
    gic_set_group_at(gic, GICD_BASE, intid, group);
}

void gic_sweep(GICMachine *gic, uint64_t base, unsigned size)
{
    for (uint64_t addr = base; addr < base + size; addr += 4) {
        qtest_writel(gic->qts, addr, UINT32_MAX);
        qtest_readl(gic->qts, addr);
        qtest_writew(gic->qts, addr + 2, UINT16_MAX);
        qtest_readw(gic->qts, addr + 2);
        qtest_writeb(gic->qts, addr + 1, UINT8_MAX);
        qtest_readb(gic->qts, addr + 1);
    }
}

void gicd_send_sgi(GICMachine *gic, unsigned filter, uint8_t targets,
                   unsigned intid)
{
    uint32_t sgir = FIELD_DP32(0, GICD_SGIR, SGIINTID, intid);

    sgir = FIELD_DP32(sgir, GICD_SGIR, CPUTargetList, targets);
    gicd_write(gic, GICD_SGIR,
               FIELD_DP32(sgir, GICD_SGIR, TargetListFilter, filter));
}
