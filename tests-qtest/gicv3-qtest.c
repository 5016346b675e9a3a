/*
 * Arm GICv3 and its ITS: what their tests share
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "gicv3-qtest.h"

/* The virt board's clusters */
#define CPUS_PER_AFF1   16

/*
 * Each vCPU that runs has a block of memory with a program that waits for a
 * request, executes one instruction that was written into it, with operands in
 * x0 to x3 and its result in x0, and says that it is done. It waits in WFI with
 * interrupts masked; its FIQ input wakes it, which no test here has connected
 * to anything that would take it.
 */
#define BLOCK(cpu)      (RAM_BASE + 16 * MiB + 4 * KiB * (cpu))
#define BLOCK_SLOT      0x28
#define BLOCK_REQUEST   0x800
#define BLOCK_DONE      0x804
#define BLOCK_X(n)      (0x810 + 8 * (n))

static const uint32_t program[] = {
    0x10004013,     /*          adr     x19, . + 0x800              */
    0xb9400674,     /*          ldr     w20, [x19, #4]              */
    0xd503207f,     /* wait:    wfi                                 */
    0xb9400275,     /*          ldr     w21, [x19]                  */
    0x6b1402bf,     /*          cmp     w21, w20                    */
    0x54ffffa0,     /*          b.eq    wait                        */
    0xd5033bbf,     /*          dmb     ish                         */
    0x2a1503f4,     /*          mov     w20, w21                    */
    0xa9410660,     /*          ldp     x0, x1, [x19, #16]          */
    0xa9420e62,     /*          ldp     x2, x3, [x19, #32]          */
    0xd503201f,     /* slot:    nop                                 */
    0xd5033fdf,     /*          isb                                 */
    0xf9000a60,     /*          str     x0, [x19, #16]              */
    0xd5033bbf,     /*          dmb     ish                         */
    0xb9000674,     /*          str     w20, [x19, #4]              */
    0x17fffff3,     /*          b       wait                        */
};

#define MRS_X0(sysreg)  (0xd5200000 | (sysreg))
#define MSR_X0(sysreg)  (0xd5000000 | (sysreg))
#define LDR_W0_X0       0xb9400000
#define STR_W1_X0       0xb9000001
#define HVC_0           0xd4000002

/* Arm DEN 0022, 5.1.4 */
#define PSCI_CPU_ON     0xc4000003

/* Of a vCPU's inputs */
#define INPUT_FIQ       1

/* All CPUs' paths, by their index */
static char **find_cpus(GICMachine *gic)
{
    QDict *rsp = qtest_qmp(gic->qts, "{ 'execute': 'query-cpus-fast' }");
    char **paths = g_new0(char *, gic->cpus + 1);
    const QListEntry *e;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(rsp, "return"), e) {
        QDict *info = qobject_to(QDict, qlist_entry_obj(e));
        unsigned cpu = qdict_get_int(info, "cpu-index");

        g_assert_cmpuint(cpu, <, gic->cpus);
        g_assert_null(paths[cpu]);
        paths[cpu] = g_strdup(qdict_get_str(info, "qom-path"));
    }
    qobject_unref(rsp);
    g_assert_cmpuint(g_strv_length(paths), ==, gic->cpus);
    return paths;
}

static const char *cpu_path(GICMachine *gic, unsigned cpu)
{
    g_assert_cmpuint(cpu, <, gic->cpus);
    if (!gic->cpu_paths) {
        gic->cpu_paths = find_cpus(gic);
    }
    return gic->cpu_paths[cpu];
}

static void write_program(GICMachine *gic, unsigned cpu)
{
    for (size_t i = 0; i < ARRAY_SIZE(program); i++) {
        qtest_writel(gic->qts, BLOCK(cpu) + 4 * i, program[i]);
    }
}

/* Execute an instruction; what is in x0 behind it */
static uint64_t execute(GICMachine *gic, unsigned cpu, uint32_t instruction,
                        const uint64_t x[4])
{
    const char *path = cpu_path(gic, cpu);
    QTestState *qts = gic->qts;
    uint32_t request = qtest_readl(qts, BLOCK(cpu) + BLOCK_REQUEST) + 1;

    qtest_writel(qts, BLOCK(cpu) + BLOCK_SLOT, instruction);
    for (int i = 0; i < 4; i++) {
        qtest_writeq(qts, BLOCK(cpu) + BLOCK_X(i), x[i]);
    }
    qtest_writel(qts, BLOCK(cpu) + BLOCK_REQUEST, request);

    qtest_set_irq_in(qts, path, NULL, INPUT_FIQ, 1);
    gicv3_wait_until(qtest_readl(qts, BLOCK(cpu) + BLOCK_DONE) == request,
                     "CPU %u: instruction 0x%08x", cpu, instruction);
    qtest_set_irq_in(qts, path, NULL, INPUT_FIQ, 0);
    return qtest_readq(qts, BLOCK(cpu) + BLOCK_X(0));
}

static void power_on(GICMachine *gic, unsigned cpu)
{
    const uint64_t x[4] = { PSCI_CPU_ON, gicv3_affinity(cpu), BLOCK(cpu) };

    write_program(gic, cpu);
    g_assert_cmphex(execute(gic, 0, HVC_0, x), ==, 0);
}

GICMachine *gicv3_start(const char *options, unsigned cpus, const char *args)
{
    g_autofree char *all = g_strdup_printf("-accel tcg -S -device loader,"
                                           "cpu-num=0,addr=0x%llx %s",
                                           BLOCK(0), args);
    GICMachine *gic = gic_start(options, cpus, all);

    write_program(gic, 0);
    gicv3_resume(gic);
    for (unsigned cpu = 1; cpu < cpus; cpu++) {
        power_on(gic, cpu);
    }
    return gic;
}

void gicv3_resume(GICMachine *gic)
{
    qtest_qmp_assert_success(gic->qts, "{ 'execute': 'cont' }");
}

uint64_t gicv3_icc_read(GICMachine *gic, unsigned cpu, uint32_t sysreg)
{
    const uint64_t x[4] = {};

    return execute(gic, cpu, MRS_X0(sysreg), x);
}

void gicv3_icc_write(GICMachine *gic, unsigned cpu, uint32_t sysreg,
                     uint64_t value)
{
    const uint64_t x[4] = { value };

    execute(gic, cpu, MSR_X0(sysreg), x);
}

uint32_t gicv3_secure_read(GICMachine *gic, uint64_t addr)
{
    const uint64_t x[4] = { addr };

    return execute(gic, 0, LDR_W0_X0, x);
}

void gicv3_secure_write(GICMachine *gic, uint64_t addr, uint32_t value)
{
    const uint64_t x[4] = { addr, value };

    execute(gic, 0, STR_W1_X0, x);
}

uint32_t gicv3_affinity(unsigned cpu)
{
    return cpu / CPUS_PER_AFF1 << 8 | cpu % CPUS_PER_AFF1;
}

/* Redistributors have two frames more with virtual LPIs: IHI 0069, 12.10 */
static uint64_t redistributor_size(GICMachine *gic)
{
    uint64_t typer = qtest_readq(gic->qts, GICR_BASE + A_GICR_TYPER);

    return (typer & R_GICR_TYPER_VLPIS_MASK ? 4 : 2) * GIC_FRAME_SIZE;
}

uint64_t gicv3_rd_base(GICMachine *gic, unsigned cpu)
{
    uint64_t size;
    unsigned low;

    if (!gic->redistributor_size) {
        gic->redistributor_size = redistributor_size(gic);
    }
    size = gic->redistributor_size;
    low = GICR_REGION_SIZE / size;
    return cpu < low ? GICR_BASE + cpu * size
                     : GICR_HIGH_BASE + (cpu - low) * size;
}

/* Of a frame with the Distributor's registers, or SGI_base with the same */
static uint64_t frame(GICMachine *gic, unsigned cpu, unsigned intid)
{
    return intid < FIRST_SPI ? gicv3_rd_base(gic, cpu) + GICR_SGI_BASE
                             : GICD_BASE;
}

void gicv3_set_edge(GICMachine *gic, unsigned cpu, unsigned intid, bool edge)
{
    gic_set_edge_at(gic, frame(gic, cpu, intid), intid, edge);
}

void gicv3_set_priority(GICMachine *gic, unsigned cpu, unsigned intid,
                        uint8_t priority)
{
    qtest_writeb(gic->qts, frame(gic, cpu, intid) + A_GICD_IPRIORITYR(0) +
                 intid, priority);
}

void gicv3_set_group(GICMachine *gic, unsigned cpu, unsigned intid,
                     unsigned group)
{
    gic_set_group_at(gic, frame(gic, cpu, intid), intid, group);
}

static void dump_words(GICMachine *gic, GString *dump, const char *name,
                       uint64_t addr, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint32_t value = qtest_readl(gic->qts, addr + 4 * i);

        if (value) {
            g_string_append_printf(dump, "%s[%u] 0x%" PRIx32 "\n", name, i,
                                   value);
        }
    }
}

static void dump_interrupts(GICMachine *gic, GString *dump, uint64_t base,
                            unsigned intids)
{
    const struct {
        const char *name;
        unsigned offset;
        unsigned bits;
    } registers[] = {
        { "IGROUPR", A_GICD_IGROUPR(0), 1 },
        { "ISENABLER", A_GICD_ISENABLER(0), 1 },
        { "ISPENDR", A_GICD_ISPENDR(0), 1 },
        { "ISACTIVER", A_GICD_ISACTIVER(0), 1 },
        { "IGRPMODR", A_GICD_IGRPMODR(0), 1 },
        { "INMIR", A_GICD_INMIR(0), 1 },
        { "ICFGR", A_GICD_ICFGR(0), 2 },
        { "NSACR", A_GICD_NSACR(0), 2 },
        { "IPRIORITYR", A_GICD_IPRIORITYR(0), 8 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(registers); i++) {
        dump_words(gic, dump, registers[i].name, base + registers[i].offset,
                   intids * registers[i].bits / 32);
    }
}

char *gicv3_dump(GICMachine *gic)
{
    GString *dump = g_string_new(NULL);

    dump_words(gic, dump, "GICD_CTLR", GICD_BASE + A_GICD_CTLR, 1);
    dump_interrupts(gic, dump, GICD_BASE, FIRST_SPI + NUM_SPIS);
    dump_words(gic, dump, "GICD_IROUTER", GICD_BASE + A_GICD_IROUTER(FIRST_SPI),
               2 * NUM_SPIS);
    for (unsigned cpu = 0; cpu < gic->cpus; cpu++) {
        uint64_t base = gicv3_rd_base(gic, cpu);

        g_string_append_printf(dump, "CPU %u\n", cpu);
        dump_words(gic, dump, "GICR_CTLR", base + A_GICR_CTLR, 1);
        dump_words(gic, dump, "GICR_WAKER", base + A_GICR_WAKER, 1);
        dump_words(gic, dump, "GICR_PROPBASER", base + A_GICR_PROPBASER, 2);
        dump_words(gic, dump, "GICR_PENDBASER", base + A_GICR_PENDBASER, 2);
        dump_interrupts(gic, dump, base + GICR_SGI_BASE, FIRST_SPI);
    }
    dump_words(gic, dump, "GITS_CTLR", GITS_BASE + A_GITS_CTLR, 1);
    dump_words(gic, dump, "GITS_CBASER", GITS_BASE + A_GITS_CBASER, 2);
    dump_words(gic, dump, "GITS_CWRITER", GITS_BASE + A_GITS_CWRITER, 2);
    dump_words(gic, dump, "GITS_CREADR", GITS_BASE + A_GITS_CREADR, 2);
    dump_words(gic, dump, "GITS_BASER", GITS_BASE + A_GITS_BASER(0),
               2 * GITS_NUM_BASERS);
    return g_string_free(dump, false);
}

void gicv3_expect_dump(GICMachine *gic, const char *before)
{
    g_autofree char *after = gicv3_dump(gic);

    g_assert_cmpstr(after, ==, before);
}
