/*
 * Arm GICv3 ITS: from a device's write to an LPI that a CPU takes
 *
 * Expectations are the architecture's, IHI 0069, chapter 5 and the registers.
 * Whether LPIs are pending is read from the pending tables, which hold that
 * once GICR_CTLR.EnableLPIs was cleared, or seen by a vCPU.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "gicv3-qtest.h"

#define V3              "gic-version=3"
#define V4              "gic-version=4,virtualization=on"
#define CPUS            3

/* In RAM, away from the programs of vCPUs that run */
#define QUEUE           (RAM_BASE + 1 * MiB)
#define DEVICES         (RAM_BASE + 2 * MiB)
#define COLLECTIONS     (RAM_BASE + 3 * MiB)
#define CONFIGURATION   (RAM_BASE + 4 * MiB)
#define PENDING(cpu)    (RAM_BASE + 5 * MiB + (cpu) * 128 * KiB)
#define ITT(n)          (RAM_BASE + 8 * MiB + (n) * MiB)
#define LEVEL_2         (RAM_BASE + 15 * MiB)
#define LARGE_TABLE     (RAM_BASE + 20 * MiB)
/* There is no memory, nor anything else */
#define NOTHING         (RAM_BASE + 512 * MiB)

#define TABLE_PAGE      (64 * KiB)
#define QUEUE_SIZE      (4 * KiB)
#define COMMAND_SIZE    32
#define QUEUE_COMMANDS  (QUEUE_SIZE / COMMAND_SIZE)

/* GICR_PROPBASER.IDbits: one less than bits of an INTID */
#define LPI_IDBITS      15
#define END_OF_LPIS     (1u << (LPI_IDBITS + 1))

/* A byte of the LPI Configuration table: 5.1.1 */
#define LPI_ENABLED     (1 << 0)
#define PRIORITY_LOW    0xa0
#define PRIORITY_HIGH   0x40
#define PMR_ALL         0xf0

/* A device with EventIDs of 5 bits, and what it and its events are mapped to */
#define DEVICE          7
#define EVENT_BITS      5
#define EVENTS          (1u << EVENT_BITS)
#define EVENT           3
#define LPI             (FIRST_LPI + 100)
#define COLLECTION      2
#define OTHER           4

/* Virtual PEs, the tables of each, and their configuration */
#define VPE             5
#define OTHER_VPE       6
#define VPE_TABLE       (RAM_BASE + 12 * MiB)
#define VPENDING(vpe)   (RAM_BASE + 13 * MiB + (vpe) * 64 * KiB)
#define VCONFIGURATION  (RAM_BASE + 14 * MiB)
#define VLPI            (FIRST_LPI + 200)
#define DOORBELL        (LPI + 50)

/* Commands: 5.3 */
enum {
    MOVI = 0x01,
    INT = 0x03,
    CLEAR = 0x04,
    SYNC = 0x05,
    MAPD = 0x08,
    MAPC = 0x09,
    MAPTI = 0x0a,
    MAPI = 0x0b,
    INV = 0x0c,
    INVALL = 0x0d,
    MOVALL = 0x0e,
    DISCARD = 0x0f,
    VMOVI = 0x21,
    VMOVP = 0x22,
    VSYNC = 0x25,
    VMAPP = 0x29,
    VMAPTI = 0x2a,
    VMAPI = 0x2b,
    VINVALL = 0x2d,
};

#define V               (1ULL << 63)

typedef struct Command {
    uint64_t word[4];
} Command;

/* A Redistributor as commands have it: GITS_TYPER.PTA */
static uint64_t rd_base(GICMachine *gic, unsigned cpu)
{
    return FIELD_EX64(gits_read64(gic, GITS_TYPER), GITS_TYPER, PTA)
           ? gicv3_rd_base(gic, cpu) : (uint64_t)cpu << 16;
}

static Command cmd_event(unsigned command, uint32_t device, uint32_t event)
{
    return (Command) { { command | (uint64_t)device << 32, event } };
}

static Command cmd_mapd(uint32_t device, uint64_t itt, unsigned bits)
{
    return (Command) { { MAPD | (uint64_t)device << 32, bits - 1, V | itt } };
}

static Command cmd_unmapd(uint32_t device, uint64_t itt, unsigned bits)
{
    return (Command) { { MAPD | (uint64_t)device << 32, bits - 1, itt } };
}

static Command cmd_mapc(GICMachine *gic, uint16_t collection, unsigned cpu)
{
    return (Command) { { MAPC, 0, V | rd_base(gic, cpu) | collection } };
}

static Command cmd_unmapc(uint16_t collection)
{
    return (Command) { { MAPC, 0, collection } };
}

static Command cmd_mapti(uint32_t device, uint32_t event, uint32_t intid,
                         uint16_t collection)
{
    return (Command) { { MAPTI | (uint64_t)device << 32,
                         event | (uint64_t)intid << 32, collection } };
}

static Command cmd_mapi(uint32_t device, uint32_t intid, uint16_t collection)
{
    return (Command) { { MAPI | (uint64_t)device << 32, intid, collection } };
}

static Command cmd_movi(uint32_t device, uint32_t event, uint16_t collection)
{
    return (Command) { { MOVI | (uint64_t)device << 32, event, collection } };
}

static Command cmd_invall(uint16_t collection)
{
    return (Command) { { INVALL, 0, collection } };
}

static Command cmd_movall(GICMachine *gic, unsigned from, unsigned to)
{
    return (Command) { { MOVALL, 0, rd_base(gic, from), rd_base(gic, to) } };
}

static Command cmd_vmapp(GICMachine *gic, uint16_t vpe, unsigned cpu,
                         uint64_t table)
{
    return (Command) { { VMAPP, (uint64_t)vpe << 32, V | rd_base(gic, cpu),
                         table | LPI_IDBITS } };
}

static Command cmd_vmapti(uint32_t device, uint32_t event, uint16_t vpe,
                          uint32_t vintid, uint32_t doorbell)
{
    return (Command) { { VMAPTI | (uint64_t)device << 32,
                         event | (uint64_t)vpe << 32,
                         vintid | (uint64_t)doorbell << 32 } };
}

static Command cmd_vmovi(uint32_t device, uint32_t event, uint16_t vpe)
{
    return (Command) { { VMOVI | (uint64_t)device << 32,
                         event | (uint64_t)vpe << 32 } };
}

static Command cmd_vmovp(GICMachine *gic, uint16_t vpe, unsigned cpu)
{
    return (Command) { { VMOVP, (uint64_t)vpe << 32, rd_base(gic, cpu) } };
}

static Command cmd_vpe(unsigned command, uint16_t vpe)
{
    return (Command) { { command, (uint64_t)vpe << 32 } };
}

static Command cmd_sync(GICMachine *gic, unsigned cpu)
{
    return (Command) { { SYNC, 0, rd_base(gic, cpu) } };
}

/* The number of the command to be written, or read, next */
static unsigned next_written(GICMachine *gic)
{
    return FIELD_EX64(gits_read64(gic, GITS_CWRITER), GITS_CWRITER, Offset);
}

static unsigned next_read(GICMachine *gic)
{
    return FIELD_EX64(gits_read64(gic, GITS_CREADR), GITS_CREADR, Offset);
}

static bool is_stalled(GICMachine *gic)
{
    return FIELD_EX64(gits_read64(gic, GITS_CREADR), GITS_CREADR, Stalled);
}

static void write_command(GICMachine *gic, unsigned number, Command command)
{
    for (unsigned i = 0; i < ARRAY_SIZE(command.word); i++) {
        qtest_writeq(gic->qts, QUEUE + number % QUEUE_COMMANDS * COMMAND_SIZE +
                     i * 8, command.word[i]);
    }
}

static void write_cwriter(GICMachine *gic, unsigned number)
{
    gits_write64(gic, GITS_CWRITER, number % QUEUE_COMMANDS * COMMAND_SIZE);
}

static void issue_nowait(GICMachine *gic, Command command)
{
    unsigned number = next_written(gic);

    write_command(gic, number, command);
    write_cwriter(gic, number + 1);
}

/* A command that has to succeed */
static void issue(GICMachine *gic, Command command)
{
    issue_nowait(gic, command);
    g_assert_false(is_stalled(gic));
    g_assert_cmpuint(next_read(gic), ==, next_written(gic));
}

static void enable_its(GICMachine *gic)
{
    gits_write(gic, GITS_CTLR, R_GITS_CTLR_Enabled_MASK);
    g_assert_true(FIELD_EX32(gits_read(gic, GITS_CTLR), GITS_CTLR, Enabled));
}

static void disable_its(GICMachine *gic)
{
    gits_write(gic, GITS_CTLR, 0);
    gicv3_wait_until(FIELD_EX32(gits_read(gic, GITS_CTLR), GITS_CTLR,
                                Quiescent), "GITS_CTLR.Quiescent");
}

static void set_up_queue(GICMachine *gic)
{
    uint64_t cbaser = QUEUE | R_GITS_CBASER_Valid_MASK |
                      (QUEUE_SIZE / (4 * KiB) - 1);

    gits_write64(gic, GITS_CBASER, cbaser);
    gits_write64(gic, GITS_CWRITER, 0);
}

/*
 * A command with an error, which the ITS either ignores or stalls at: 5.3,
 * command errors. The queue is to be used afterwards.
 */
static void issue_bad(GICMachine *gic, Command command)
{
    unsigned number = next_written(gic);

    issue_nowait(gic, command);
    if (is_stalled(gic)) {
        g_assert_cmpuint(next_read(gic), ==, number);
        disable_its(gic);
        set_up_queue(gic);
        enable_its(gic);
    }
    g_assert_cmpuint(next_read(gic), ==, next_written(gic));
}

/* The number of the GITS_BASERn for a table */
static unsigned find_baser(GICMachine *gic, unsigned type)
{
    for (unsigned n = 0; n < GITS_NUM_BASERS; n++) {
        if (FIELD_EX64(gits_read64(gic, GITS_BASER(n)), GITS_BASER, Type) ==
            type) {
            return n;
        }
    }
    g_assert_not_reached();
}

static void set_up_table(GICMachine *gic, unsigned type, uint64_t fields)
{
    gits_write64(gic, GITS_BASER(find_baser(gic, type)),
                 fields | R_GITS_BASER_Valid_MASK);
}

#define PAGES_4K        (0ULL << R_GITS_BASER_Page_Size_SHIFT)
#define PAGES_64K       (2ULL << R_GITS_BASER_Page_Size_SHIFT)

static void configure_lpi(GICMachine *gic, unsigned intid, uint8_t value)
{
    qtest_writeb(gic->qts, CONFIGURATION + intid - FIRST_LPI, value);
}

static void enable_lpis(GICMachine *gic, unsigned cpu)
{
    gicr_write(gic, cpu, GICR_CTLR, R_GICR_CTLR_EnableLPIs_MASK);
    g_assert_true(FIELD_EX32(gicr_read(gic, cpu, GICR_CTLR), GICR_CTLR,
                             EnableLPIs));
}

/* Only where lpis_can_be_disabled() */
static void disable_lpis(GICMachine *gic, unsigned cpu)
{
    gicr_write(gic, cpu, GICR_CTLR, 0);
    gicv3_wait_until(!(gicr_read(gic, cpu, GICR_CTLR) &
                       (R_GICR_CTLR_EnableLPIs_MASK | R_GICR_CTLR_RWP_MASK)),
                     "CPU %u: LPIs to be disabled", cpu);
}

static void set_up_lpis(GICMachine *gic, unsigned cpu)
{
    gicr_write64(gic, cpu, GICR_PROPBASER, CONFIGURATION | LPI_IDBITS);
    gicr_write64(gic, cpu, GICR_PENDBASER, PENDING(cpu) |
                 R_GICR_PENDBASER_PTZ_MASK);
    enable_lpis(gic, cpu);
}

/* GICv4 */
static bool has_vpes(GICMachine *gic)
{
    return FIELD_EX64(gits_read64(gic, GITS_TYPER), GITS_TYPER, Virtual);
}

static void set_up_tables(GICMachine *gic)
{
    if (has_vpes(gic)) {
        set_up_table(gic, GITS_BASER_VPES, VPE_TABLE | PAGES_64K);
    }
    set_up_table(gic, GITS_BASER_DEVICES, DEVICES | PAGES_64K);
    set_up_table(gic, GITS_BASER_COLLECTIONS, COLLECTIONS | PAGES_64K);
}

static void set_up(GICMachine *gic)
{
    gicd_write(gic, GICD_CTLR, R_GICD_CTLR_EnableGrp1_MASK);
    for (unsigned intid = FIRST_LPI; intid < FIRST_LPI + 256; intid++) {
        configure_lpi(gic, intid, PRIORITY_LOW | LPI_ENABLED);
    }
    for (unsigned cpu = 0; cpu < gic->cpus; cpu++) {
        set_up_lpis(gic, cpu);
    }
    set_up_tables(gic);
    set_up_queue(gic);
    enable_its(gic);
}

/* DEVICE with an ITT, and collections of CPU 1 and 2 */
static void map_device(GICMachine *gic)
{
    issue(gic, cmd_mapd(DEVICE, ITT(0), EVENT_BITS));
    issue(gic, cmd_mapc(gic, COLLECTION, 1));
    issue(gic, cmd_mapc(gic, OTHER, 2));
}

/*
 * To map an EventID again that is mapped is UNPREDICTABLE: 5.3, MAPTI. So it is
 * discarded before.
 */
static void discard(GICMachine *gic, uint32_t device, uint32_t event)
{
    issue(gic, cmd_event(DISCARD, device, event));
    issue(gic, cmd_sync(gic, 1));
}

/* ... and an event that is an LPI of CPU 1's */
static void map_event(GICMachine *gic)
{
    map_device(gic);
    issue(gic, cmd_mapti(DEVICE, EVENT, LPI, COLLECTION));
    issue(gic, cmd_sync(gic, 1));
}

static GICMachine *start(void)
{
    GICMachine *gic = gic_start(V3, CPUS, "");

    set_up(gic);
    return gic;
}

static bool is_pending(GICMachine *gic, unsigned cpu, unsigned intid)
{
    bool pending;

    disable_lpis(gic, cpu);
    pending = qtest_readb(gic->qts, PENDING(cpu) + intid / 8) >> intid % 8 & 1;
    enable_lpis(gic, cpu);
    return pending;
}

/* A vPE's table, while it is not resident */
static bool is_virtual_pending(GICMachine *gic, unsigned vpe, unsigned intid)
{
    return qtest_readb(gic->qts, VPENDING(vpe) + intid / 8) >> intid % 8 & 1;
}

/* Of all LPIs with that number, it is @cpu's that is pending; no one's if -1 */
static void expect_pending(GICMachine *gic, int cpu, unsigned intid)
{
    for (unsigned i = 0; i < gic->cpus; i++) {
        g_assert_cmpint(is_pending(gic, i, intid), ==, (int)i == cpu);
    }
}

#define expect_none(gic, intid) expect_pending(gic, -1, intid)

/* The event's LPI can be made pending, and is CPU 1's */
static void expect_works(GICMachine *gic)
{
    issue(gic, cmd_event(INT, DEVICE, EVENT));
    issue(gic, cmd_sync(gic, 1));
    expect_pending(gic, 1, LPI);
    issue(gic, cmd_event(CLEAR, DEVICE, EVENT));
    issue(gic, cmd_sync(gic, 1));
    expect_none(gic, LPI);
}

static void test_identification(void)
{
    GICMachine *gic = gic_start(V3, CPUS, "");
    uint64_t typer = gits_read64(gic, GITS_TYPER);

    g_assert_true(FIELD_EX64(typer, GITS_TYPER, Physical));
    g_assert_false(FIELD_EX64(typer, GITS_TYPER, Virtual));
    g_assert_cmphex(gits_read(gic, GITS_TYPER), ==, (uint32_t)typer);
    g_assert_cmphex(qtest_readl(gic->qts, GITS_BASE + A_GITS_TYPER + 4), ==,
                    typer >> 32);
    g_assert_cmphex(gits_read(gic, GITS_IIDR), ==,
                    gicd_read(gic, GICD_IIDR));
    /* PCI needs 16 bits of a DeviceID */
    g_assert_cmpuint(FIELD_EX64(typer, GITS_TYPER, Devbits) + 1, >=, 16);
    find_baser(gic, GITS_BASER_DEVICES);
    find_baser(gic, GITS_BASER_COLLECTIONS);

    gits_write64(gic, GITS_TYPER, 0);
    gits_write(gic, GITS_TYPER, 0);
    gits_write(gic, GITS_IIDR, 0);
    g_assert_cmphex(gits_read64(gic, GITS_TYPER), ==, typer);
    g_assert_cmphex(gits_read(gic, GITS_IIDR), ==, gicd_read(gic, GICD_IIDR));
    gic_quit(gic);
}

static void test_v4(void)
{
    GICMachine *gic = gic_start(V4, 1, "");

    g_assert_true(FIELD_EX64(gits_read64(gic, GITS_TYPER), GITS_TYPER,
                             Virtual));
    find_baser(gic, GITS_BASER_VPES);
    gic_quit(gic);
}

/* GITS_BASERn: type and size of entries are fixed, and all of unimplemented */
static void test_basers(void)
{
    const uint64_t fixed = R_GITS_BASER_Type_MASK |
                           R_GITS_BASER_Entry_Size_MASK;
    GICMachine *gic = gic_start(V3, CPUS, "");

    for (unsigned n = 0; n < GITS_NUM_BASERS; n++) {
        uint64_t before = gits_read64(gic, GITS_BASER(n));
        uint64_t addr = GITS_BASE + A_GITS_BASER(n);

        g_assert_false(FIELD_EX64(before, GITS_BASER, Valid));
        gits_write64(gic, GITS_BASER(n), UINT64_MAX);
        if (!FIELD_EX64(before, GITS_BASER, Type)) {
            g_assert_cmphex(gits_read64(gic, GITS_BASER(n)), ==, 0);
            continue;
        }
        g_assert_cmphex(gits_read64(gic, GITS_BASER(n)) & fixed, ==,
                        before & fixed);
        gits_write64(gic, GITS_BASER(n), 0);
        g_assert_cmphex(gits_read64(gic, GITS_BASER(n)) & fixed, ==,
                        before & fixed);

        /* by halves */
        qtest_writel(gic->qts, addr, RAM_BASE | PAGES_64K | 5);
        qtest_writel(gic->qts, addr + 4, R_GITS_BASER_Valid_MASK >> 32);
        g_assert_cmphex(gits_read64(gic, GITS_BASER(n)), ==,
                        (before & fixed) | R_GITS_BASER_Valid_MASK | RAM_BASE |
                        PAGES_64K | 5);
        g_assert_cmphex(qtest_readl(gic->qts, addr), ==,
                        RAM_BASE | PAGES_64K | 5);
    }
    gic_quit(gic);
}

/* GITS_CBASER: a write starts the queue from its first command again */
static void test_cbaser(void)
{
    GICMachine *gic = start();

    map_event(gic);
    g_assert_cmpuint(next_read(gic), >, 0);
    disable_its(gic);
    set_up_queue(gic);
    g_assert_cmphex(gits_read64(gic, GITS_CREADR), ==, 0);
    g_assert_cmphex(gits_read64(gic, GITS_CBASER), ==,
                    QUEUE | R_GITS_CBASER_Valid_MASK);
    enable_its(gic);
    expect_works(gic);
    gic_quit(gic);
}

/* GITS_CREADR is the ITS's to write */
static void test_creadr(void)
{
    GICMachine *gic = start();
    uint64_t creadr;

    map_event(gic);
    creadr = gits_read64(gic, GITS_CREADR);
    gits_write64(gic, GITS_CREADR, 0);
    g_assert_cmphex(gits_read64(gic, GITS_CREADR), ==, creadr);
    gits_write(gic, GITS_CREADR, 0);
    g_assert_cmphex(gits_read64(gic, GITS_CREADR), ==, creadr);
    qtest_writel(gic->qts, GITS_BASE + A_GITS_CREADR + 4, 1);
    g_assert_cmphex(gits_read64(gic, GITS_CREADR), ==, creadr);
    expect_works(gic);
    gic_quit(gic);
}

/* All sizes at the offsets of registers, and some others: nothing ends QEMU */
static void sweep(GICMachine *gic, uint64_t addr, unsigned length)
{
    for (unsigned i = 0; i < length; i += 4) {
        if (i % 8 == 0) {
            qtest_readq(gic->qts, addr + i);
        }
        qtest_readl(gic->qts, addr + i);
        qtest_readw(gic->qts, addr + i + 2);
        qtest_readb(gic->qts, addr + i + 1);
        qtest_writew(gic->qts, addr + i + 2, 0);
        qtest_writeb(gic->qts, addr + i + 1, 0);
    }
}

static void test_access_sizes(void)
{
    GICMachine *gic = start();

    map_event(gic);
    for (unsigned i = 0; i < 2; i++) {
        sweep(gic, GITS_BASE + i * GIC_FRAME_SIZE, 0x200);
        sweep(gic, GITS_BASE + i * GIC_FRAME_SIZE + 0xff00, 0x100);
    }
    expect_works(gic);
    gic_quit(gic);
}

static void test_int(void)
{
    GICMachine *gic = start();

    map_event(gic);
    for (unsigned event = 0; event < EVENTS; event++) {
        if (event != EVENT) {
            issue_bad(gic, cmd_event(INT, DEVICE, event));
        }
    }
    expect_none(gic, LPI);
    expect_works(gic);

    /* all events of the device are LPIs of their own */
    discard(gic, DEVICE, EVENT);
    for (unsigned event = 0; event < EVENTS; event++) {
        issue(gic, cmd_mapti(DEVICE, event, LPI + event,
                            event % 2 ? COLLECTION : OTHER));
    }
    for (unsigned event = 0; event < EVENTS; event++) {
        expect_none(gic, LPI + event);
        issue(gic, cmd_event(INT, DEVICE, event));
        expect_pending(gic, event % 2 ? 1 : 2, LPI + event);
    }
    gic_quit(gic);
}

/* MAPI: the EventID is the INTID */
static void test_mapi(void)
{
    GICMachine *gic = start();

    issue(gic, cmd_mapd(DEVICE, ITT(0), LPI_IDBITS + 1));
    issue(gic, cmd_mapc(gic, COLLECTION, 1));
    issue(gic, cmd_mapi(DEVICE, LPI, COLLECTION));
    issue(gic, cmd_event(INT, DEVICE, LPI));
    expect_pending(gic, 1, LPI);
    gic_quit(gic);
}

/* GITS_TRANSLATER: a write of no PCI device has DeviceID 0 here */
static void test_translater(void)
{
    GICMachine *gic = start();

    issue(gic, cmd_mapd(0, ITT(0), EVENT_BITS));
    issue(gic, cmd_mapc(gic, COLLECTION, 1));
    issue(gic, cmd_mapti(0, EVENT, LPI, COLLECTION));
    gits_write(gic, GITS_TRANSLATER, EVENT);
    expect_pending(gic, 1, LPI);

    /* 16 bits are enough: 5.2, and it is write-only */
    issue(gic, cmd_event(CLEAR, 0, EVENT));
    expect_none(gic, LPI);
    qtest_writew(gic->qts, GITS_BASE + A_GITS_TRANSLATER, EVENT);
    expect_pending(gic, 1, LPI);
    g_assert_cmphex(gits_read(gic, GITS_TRANSLATER), ==, 0);

    /* what is not mapped is nobody's */
    issue(gic, cmd_event(CLEAR, 0, EVENT));
    gits_write(gic, GITS_TRANSLATER, EVENT + 1);
    gits_write(gic, GITS_TRANSLATER, EVENTS + EVENT);
    gits_write(gic, GITS_TRANSLATER, 0x10000 | EVENT);
    gits_write(gic, GITS_TRANSLATER, UINT32_MAX);
    qtest_writel(gic->qts, GITS_BASE + A_GITS_TRANSLATER + 4, EVENT);
    expect_none(gic, LPI);

    /* nor is anything while the ITS is disabled */
    disable_its(gic);
    gits_write(gic, GITS_TRANSLATER, EVENT);
    enable_its(gic);
    expect_none(gic, LPI);
    gits_write(gic, GITS_TRANSLATER, EVENT);
    expect_pending(gic, 1, LPI);
    gic_quit(gic);
}

/* The virt board's PCIe with highmem=off, and QEMU's edu in a slot */
#define ECAM            0x3f000000
#define PCI_MMIO        0x10000000
#define EDU_SLOT        2
#define EDU_DEVICE_ID   (EDU_SLOT << 3)
#define EDU_CONFIG      (ECAM + (EDU_SLOT << 15))
#define PCI_COMMAND     0x04
#define PCI_BAR0        0x10
#define PCI_CAPS        0x34
#define PCI_CAP_MSI     5
#define EDU_RAISE       0x60

/* Memory and bus master, and MSI to a 64-bit address */
static void enable_msi(GICMachine *gic, uint64_t addr, uint16_t data)
{
    QTestState *qts = gic->qts;
    uint8_t cap = qtest_readb(qts, EDU_CONFIG + PCI_CAPS);

    qtest_writel(qts, EDU_CONFIG + PCI_BAR0, PCI_MMIO);
    qtest_writew(qts, EDU_CONFIG + PCI_COMMAND, 6);
    while (cap && qtest_readb(qts, EDU_CONFIG + cap) != PCI_CAP_MSI) {
        cap = qtest_readb(qts, EDU_CONFIG + cap + 1);
    }
    g_assert_cmphex(cap, !=, 0);
    qtest_writel(qts, EDU_CONFIG + cap + 4, addr);
    qtest_writel(qts, EDU_CONFIG + cap + 8, addr >> 32);
    qtest_writew(qts, EDU_CONFIG + cap + 12, data);
    qtest_writew(qts, EDU_CONFIG + cap + 2, 1);
}

/* A device's MSI has the DeviceID of the function that it is of */
static void test_msi(void)
{
    GICMachine *gic = gic_start(V3 ",highmem=off", CPUS,
                                "-device edu,addr=" stringify(EDU_SLOT));

    set_up(gic);
    map_event(gic);
    issue(gic, cmd_mapd(0, ITT(1), EVENT_BITS));
    issue(gic, cmd_mapti(0, EVENT, LPI + 1, COLLECTION));
    issue(gic, cmd_mapd(EDU_DEVICE_ID, ITT(2), EVENT_BITS));
    issue(gic, cmd_mapti(EDU_DEVICE_ID, EVENT, LPI + 2, OTHER));
    enable_msi(gic, GITS_BASE + A_GITS_TRANSLATER, EVENT);

    qtest_writel(gic->qts, PCI_MMIO + EDU_RAISE, 1);
    expect_none(gic, LPI);
    expect_none(gic, LPI + 1);
    expect_pending(gic, 2, LPI + 2);
    gic_quit(gic);
}

/* CLEAR takes the pending state away, DISCARD the mapping, too */
static void test_discard(void)
{
    GICMachine *gic = start();

    map_event(gic);
    issue(gic, cmd_mapti(DEVICE, EVENT + 1, LPI + 1, COLLECTION));
    issue(gic, cmd_event(INT, DEVICE, EVENT));
    issue(gic, cmd_event(INT, DEVICE, EVENT + 1));
    issue(gic, cmd_event(DISCARD, DEVICE, EVENT));
    expect_none(gic, LPI);
    expect_pending(gic, 1, LPI + 1);
    issue_bad(gic, cmd_event(INT, DEVICE, EVENT));
    expect_none(gic, LPI);
    issue(gic, cmd_event(CLEAR, DEVICE, EVENT + 1));
    expect_none(gic, LPI + 1);
    issue(gic, cmd_event(INT, DEVICE, EVENT + 1));
    expect_pending(gic, 1, LPI + 1);

    issue(gic, cmd_mapti(DEVICE, EVENT, LPI, COLLECTION));
    expect_works(gic);
    gic_quit(gic);
}

/* Devices and collections unmapped, and mapped to something else */
static void test_unmap(void)
{
    GICMachine *gic = start();

    map_event(gic);
    issue(gic, cmd_unmapd(DEVICE, ITT(0), EVENT_BITS));
    issue_bad(gic, cmd_event(INT, DEVICE, EVENT));
    expect_none(gic, LPI);
    /* an ITT that is not zero is UNPREDICTABLE, so it is another one */
    issue(gic, cmd_mapd(DEVICE, ITT(1), EVENT_BITS));
    issue_bad(gic, cmd_event(INT, DEVICE, EVENT));
    expect_none(gic, LPI);
    issue(gic, cmd_mapti(DEVICE, EVENT, LPI, COLLECTION));
    expect_works(gic);

    issue(gic, cmd_unmapc(COLLECTION));
    issue_bad(gic, cmd_event(INT, DEVICE, EVENT));
    expect_none(gic, LPI);
    issue(gic, cmd_mapc(gic, COLLECTION, 0));
    issue(gic, cmd_event(INT, DEVICE, EVENT));
    expect_pending(gic, 0, LPI);
    gic_quit(gic);
}

/* MOVI moves an event with its pending state, MOVALL that of all LPIs */
static void test_move(void)
{
    GICMachine *gic = start();

    map_event(gic);
    issue(gic, cmd_movi(DEVICE, EVENT, OTHER));
    expect_none(gic, LPI);
    issue(gic, cmd_event(INT, DEVICE, EVENT));
    expect_pending(gic, 2, LPI);
    issue(gic, cmd_movi(DEVICE, EVENT, COLLECTION));
    expect_pending(gic, 1, LPI);
    issue(gic, cmd_movi(DEVICE, EVENT, COLLECTION));
    expect_pending(gic, 1, LPI);

    discard(gic, DEVICE, EVENT);
    for (unsigned event = 0; event < EVENTS; event++) {
        issue(gic, cmd_mapti(DEVICE, event, LPI + event, COLLECTION));
        if (event % 3 == 0) {
            issue(gic, cmd_event(INT, DEVICE, event));
        }
    }
    issue(gic, cmd_movall(gic, 1, 1));
    issue(gic, cmd_movall(gic, 1, 0));
    for (unsigned event = 0; event < EVENTS; event++) {
        expect_pending(gic, event % 3 ? -1 : 0, LPI + event);
    }
    /* they go on where their collection is, however */
    issue(gic, cmd_event(INT, DEVICE, 1));
    expect_pending(gic, 1, LPI + 1);
    /* those that are pending already stay so */
    issue(gic, cmd_movall(gic, 1, 0));
    expect_pending(gic, 0, LPI + 1);
    expect_pending(gic, 0, LPI);
    gic_quit(gic);
}

/* GICR_PROPBASER.IDbits says how many LPIs there are; others are ignored */
static void test_id_bits(void)
{
    const unsigned beyond = 1 << 14;
    GICMachine *gic = start();

    map_device(gic);
    issue(gic, cmd_mapti(DEVICE, 0, beyond - 1, COLLECTION));
    issue(gic, cmd_mapti(DEVICE, 1, beyond, COLLECTION));
    issue(gic, cmd_mapti(DEVICE, 2, FIRST_LPI, COLLECTION));
    issue(gic, cmd_mapti(DEVICE, 3, END_OF_LPIS - 1, OTHER));
    issue(gic, cmd_event(INT, DEVICE, 3));
    expect_pending(gic, 2, END_OF_LPIS - 1);

    disable_lpis(gic, 1);
    gicr_write64(gic, 1, GICR_PROPBASER, CONFIGURATION | 13);
    enable_lpis(gic, 1);
    issue(gic, cmd_event(INT, DEVICE, 0));
    expect_pending(gic, 1, beyond - 1);
    issue_bad(gic, cmd_event(INT, DEVICE, 1));
    expect_none(gic, beyond);

    /* too few to have LPIs */
    disable_lpis(gic, 1);
    gicr_write64(gic, 1, GICR_PROPBASER, CONFIGURATION | 12);
    enable_lpis(gic, 1);
    issue_bad(gic, cmd_event(INT, DEVICE, 2));
    expect_none(gic, FIRST_LPI);
    gic_quit(gic);
}

/* ... and what is behind tables of that size is not the GIC's */
static void test_move_beyond(void)
{
    const unsigned beyond = 20000;
    GICMachine *gic = start();

    map_device(gic);
    issue(gic, cmd_mapti(DEVICE, EVENT, beyond, COLLECTION));
    for (unsigned cpu = 1; cpu < CPUS; cpu++) {
        disable_lpis(gic, cpu);
        gicr_write64(gic, cpu, GICR_PROPBASER, CONFIGURATION | 13);
        enable_lpis(gic, cpu);
    }
    qtest_writeb(gic->qts, PENDING(1) + beyond / 8, 0xff);
    issue_bad(gic, cmd_movi(DEVICE, EVENT, OTHER));
    g_assert_cmphex(qtest_readb(gic->qts, PENDING(1) + beyond / 8), ==, 0xff);
    g_assert_cmphex(qtest_readb(gic->qts, PENDING(2) + beyond / 8), ==, 0);
    gic_quit(gic);
}

/* GICR_PENDBASER.PTZ is write-only */
static void test_pendbaser(void)
{
    GICMachine *gic = gic_start(V3, CPUS, "");
    uint64_t high = gicv3_rd_base(gic, 1) + A_GICR_PENDBASER + 4;

    gicr_write64(gic, 1, GICR_PENDBASER, PENDING(1) |
                 R_GICR_PENDBASER_PTZ_MASK);
    g_assert_cmphex(gicr_read64(gic, 1, GICR_PENDBASER), ==, PENDING(1));
    qtest_writel(gic->qts, high, R_GICR_PENDBASER_PTZ_MASK >> 32);
    g_assert_cmphex(gicr_read64(gic, 1, GICR_PENDBASER), ==, PENDING(1));
    g_assert_cmphex(gicr_read64(gic, 2, GICR_PENDBASER), ==, 0);
    gic_quit(gic);
}

/* What is not there: DeviceIDs, EventIDs, collections, LPIs, Redistributors */
static void test_out_of_range(void)
{
    GICMachine *gic = start();
    uint64_t typer = gits_read64(gic, GITS_TYPER);
    unsigned id_bits = FIELD_EX64(typer, GITS_TYPER, ID_bits) + 1;
    const Command bad[] = {
        cmd_mapd(UINT32_MAX, ITT(1), EVENT_BITS),
        cmd_mapd(1u << 31, ITT(1), EVENT_BITS),
        cmd_mapd(DEVICE, ITT(1), id_bits + 1),
        cmd_mapd(DEVICE, ITT(1), 32),
        cmd_mapti(UINT32_MAX, EVENT, LPI, OTHER),
        cmd_mapti(DEVICE + 1, EVENT, LPI, OTHER),
        cmd_mapti(DEVICE, EVENTS, LPI, OTHER),
        cmd_mapti(DEVICE, UINT32_MAX, LPI, OTHER),
        cmd_mapti(DEVICE, EVENT, 0, OTHER),
        cmd_mapti(DEVICE, EVENT, LAST_SPI, OTHER),
        cmd_mapti(DEVICE, EVENT, FIRST_LPI - 1, OTHER),
        cmd_mapti(DEVICE, EVENT, 1u << 24, OTHER),
        cmd_mapti(DEVICE, EVENT, UINT32_MAX, OTHER),
        cmd_mapti(DEVICE, EVENT, LPI, UINT16_MAX),
        cmd_mapi(DEVICE, EVENT, OTHER),
        cmd_mapi(DEVICE, LPI, OTHER),
        cmd_mapc(gic, COLLECTION, CPUS),
        cmd_mapc(gic, COLLECTION, UINT16_MAX),
        cmd_mapc(gic, UINT16_MAX, 0),
        cmd_movi(DEVICE, EVENT, OTHER + 1),
        cmd_movi(DEVICE, EVENT, UINT16_MAX),
        cmd_movi(DEVICE, EVENT + 1, OTHER),
        cmd_movi(DEVICE, EVENTS, OTHER),
        cmd_movi(UINT32_MAX, EVENT, OTHER),
        cmd_movall(gic, 1, CPUS),
        cmd_movall(gic, CPUS, 1),
        cmd_movall(gic, UINT16_MAX, UINT16_MAX),
        cmd_invall(UINT16_MAX),
        cmd_event(INT, UINT32_MAX, EVENT),
        cmd_event(INT, DEVICE, UINT32_MAX),
        cmd_event(CLEAR, DEVICE, EVENTS),
        cmd_event(CLEAR, DEVICE + 1, EVENT),
        cmd_event(DISCARD, DEVICE, EVENT + 1),
        cmd_event(DISCARD, UINT32_MAX, UINT32_MAX),
        cmd_event(INV, DEVICE, EVENTS),
        cmd_event(INV, UINT32_MAX, EVENT),
    };

    map_event(gic);
    issue(gic, cmd_event(INT, DEVICE, EVENT));
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        issue_bad(gic, bad[i]);
        expect_pending(gic, 1, LPI);
    }
    expect_works(gic);
    gic_quit(gic);
}

/*
 * An ITT that begins where a larger one of the device before it would have
 * more entries: EventIDs out of range do not reach it
 */
static void test_neighbours(void)
{
    const unsigned first = 0, second = 1, beyond = 256;
    GICMachine *gic = start();
    unsigned size = FIELD_EX64(gits_read64(gic, GITS_TYPER), GITS_TYPER,
                               ITT_entry_size) + 1;

    map_device(gic);
    issue(gic, cmd_mapd(first, ITT(1), EVENT_BITS));
    issue(gic, cmd_mapd(second, ITT(1) + beyond * size, EVENT_BITS));
    issue(gic, cmd_mapti(second, 0, LPI, COLLECTION));

    issue_bad(gic, cmd_event(INT, first, beyond));
    gits_write(gic, GITS_TRANSLATER, beyond);
    expect_none(gic, LPI);
    issue_bad(gic, cmd_movi(first, beyond, OTHER));
    issue_bad(gic, cmd_event(DISCARD, first, beyond));
    issue_bad(gic, cmd_mapti(first, beyond, LPI, OTHER));
    issue(gic, cmd_event(INT, second, 0));
    expect_pending(gic, 1, LPI);
    gic_quit(gic);
}

/* Numbers that are no command, and those of virtual LPIs without any */
static void test_unknown_commands(void)
{
    GICMachine *gic = start();

    map_event(gic);
    for (unsigned command = 0; command <= UINT8_MAX; command++) {
        if (command >= MOVI && command <= DISCARD) {
            continue;
        }
        issue_bad(gic, cmd_event(command, DEVICE, EVENT));
    }
    expect_none(gic, LPI);
    expect_works(gic);
    gic_quit(gic);
}

/* The queue's end, behind which nothing is read: single commands, and many */
static void test_wrap(void)
{
    const Command behind = cmd_event(INT, DEVICE, EVENT + 1);
    GICMachine *gic = start();

    map_event(gic);
    issue(gic, cmd_mapti(DEVICE, EVENT + 1, LPI + EVENTS, COLLECTION));
    for (unsigned i = 0; i < ARRAY_SIZE(behind.word); i++) {
        qtest_writeq(gic->qts, QUEUE + QUEUE_SIZE + i * 8, behind.word[i]);
    }
    for (unsigned i = 0; i < 2 * QUEUE_COMMANDS; i++) {
        issue(gic, cmd_event(i % 2 ? CLEAR : INT, DEVICE, EVENT));
        expect_pending(gic, i % 2 ? -1 : 1, LPI);
    }
    expect_none(gic, LPI + EVENTS);
    discard(gic, DEVICE, EVENT);
    discard(gic, DEVICE, EVENT + 1);
    for (unsigned i = 0; i < EVENTS; i++) {
        issue(gic, cmd_mapti(DEVICE, i, LPI + i, COLLECTION));
    }
    for (unsigned round = 0; round < 8; round++) {
        unsigned number = next_written(gic);

        for (unsigned i = 0; i < EVENTS; i++) {
            write_command(gic, number + i,
                          cmd_event(round % 2 ? CLEAR : INT, DEVICE, i));
        }
        write_cwriter(gic, number + EVENTS);
        g_assert_cmpuint(next_read(gic), ==, next_written(gic));
        for (unsigned i = 0; i < EVENTS; i++) {
            expect_pending(gic, round % 2 ? -1 : 1, LPI + i);
        }
    }
    gic_quit(gic);
}

/* Commands wait for an enabled ITS */
static void test_waiting_commands(void)
{
    GICMachine *gic = start();
    unsigned number;

    map_event(gic);
    number = next_written(gic);
    disable_its(gic);
    issue_nowait(gic, cmd_event(INT, DEVICE, EVENT));
    g_assert_cmpuint(next_read(gic), ==, number);
    expect_none(gic, LPI);
    enable_its(gic);
    g_assert_cmpuint(next_read(gic), ==, number + 1);
    expect_pending(gic, 1, LPI);

    /* by halves, the lower of which starts it; and reserved bits are nothing */
    write_command(gic, number + 1, cmd_event(CLEAR, DEVICE, EVENT));
    gits_write(gic, GITS_CWRITER, (number + 2) * COMMAND_SIZE | 0x1e);
    g_assert_cmpuint(next_read(gic), ==, number + 2);
    expect_none(gic, LPI);
    gic_quit(gic);
}

/*
 * A CWRITER beyond the queue is CONSTRAINED UNPREDICTABLE: no command is
 * processed, or some are. So all of them are harmless, and what counts is that
 * the queue can be used when it begins anew.
 */
static void test_cwriter_beyond(void)
{
    static const uint64_t beyond[] = {
        QUEUE_SIZE, QUEUE_SIZE + COMMAND_SIZE, R_GITS_CWRITER_Offset_MASK,
    };
    GICMachine *gic = start();

    map_event(gic);
    for (unsigned i = 0; i < QUEUE_COMMANDS; i++) {
        write_command(gic, i, cmd_sync(gic, 1));
    }
    for (size_t i = 0; i < ARRAY_SIZE(beyond); i++) {
        gits_write64(gic, GITS_CWRITER, beyond[i]);
        disable_its(gic);
        set_up_queue(gic);
        enable_its(gic);
        g_assert_cmpuint(next_read(gic), ==, 0);
        expect_works(gic);
    }
    gic_quit(gic);
}

/* A queue that is not valid, or in no memory */
static void test_no_queue(void)
{
    GICMachine *gic = start();

    map_event(gic);
    disable_its(gic);
    gits_write64(gic, GITS_CBASER, QUEUE);
    gits_write64(gic, GITS_CWRITER, 0);
    write_command(gic, 0, cmd_event(INT, DEVICE, EVENT));
    enable_its(gic);
    write_cwriter(gic, 1);
    expect_none(gic, LPI);

    disable_its(gic);
    gits_write64(gic, GITS_CBASER, NOTHING | R_GITS_CBASER_Valid_MASK);
    gits_write64(gic, GITS_CWRITER, 0);
    enable_its(gic);
    write_cwriter(gic, 1);
    expect_none(gic, LPI);

    disable_its(gic);
    set_up_queue(gic);
    enable_its(gic);
    expect_works(gic);
    gic_quit(gic);
}

/* DeviceIDs and collections beyond their table do not touch what is there */
static void test_small_tables(void)
{
    const unsigned page = 4 * KiB;
    GICMachine *gic = start();
    unsigned n = find_baser(gic, GITS_BASER_DEVICES);
    unsigned devices = page / (FIELD_EX64(gits_read64(gic, GITS_BASER(n)),
                                          GITS_BASER, Entry_Size) + 1);
    unsigned collections;
    g_autofree char *behind = g_malloc(page);
    g_autofree char *pattern = g_malloc(page);

    memset(pattern, 0xa5, page);
    n = find_baser(gic, GITS_BASER_COLLECTIONS);
    collections = page / (FIELD_EX64(gits_read64(gic, GITS_BASER(n)),
                                     GITS_BASER, Entry_Size) + 1);
    disable_its(gic);
    set_up_table(gic, GITS_BASER_DEVICES, DEVICES | PAGES_4K);
    set_up_table(gic, GITS_BASER_COLLECTIONS, COLLECTIONS | PAGES_4K);
    enable_its(gic);
    qtest_memwrite(gic->qts, DEVICES + page, pattern, page);
    qtest_memwrite(gic->qts, COLLECTIONS + page, pattern, page);

    issue_bad(gic, cmd_mapd(devices, ITT(1), EVENT_BITS));
    issue_bad(gic, cmd_mapc(gic, collections, 2));
    qtest_memread(gic->qts, DEVICES + page, behind, page);
    g_assert_cmpmem(behind, page, pattern, page);
    qtest_memread(gic->qts, COLLECTIONS + page, behind, page);
    g_assert_cmpmem(behind, page, pattern, page);

    issue(gic, cmd_mapd(devices - 1, ITT(0), EVENT_BITS));
    issue(gic, cmd_mapc(gic, collections - 1, 1));
    issue(gic, cmd_mapti(devices - 1, EVENT, LPI, collections - 1));
    issue(gic, cmd_event(INT, devices - 1, EVENT));
    expect_pending(gic, 1, LPI);
    gic_quit(gic);
}

/* A device table of two levels, if there can be: 5.2.3, GITS_BASERn.Indirect */
static bool set_up_two_levels(GICMachine *gic, uint64_t fields)
{
    unsigned n = find_baser(gic, GITS_BASER_DEVICES);

    disable_its(gic);
    set_up_table(gic, GITS_BASER_DEVICES, fields | PAGES_64K |
                 R_GITS_BASER_Indirect_MASK);
    enable_its(gic);
    if (!FIELD_EX64(gits_read64(gic, GITS_BASER(n)), GITS_BASER, Indirect)) {
        g_test_skip("no two-level tables");
        return false;
    }
    return true;
}

static void test_two_levels(void)
{
    GICMachine *gic = start();
    unsigned n = find_baser(gic, GITS_BASER_DEVICES);
    unsigned per_page = TABLE_PAGE /
        (FIELD_EX64(gits_read64(gic, GITS_BASER(n)), GITS_BASER,
                    Entry_Size) + 1);

    if (!set_up_two_levels(gic, DEVICES)) {
        gic_quit(gic);
        return;
    }
    /* of the second level, the second page only is valid */
    qtest_writeq(gic->qts, DEVICES, LARGE_TABLE);
    qtest_writeq(gic->qts, DEVICES + 8, LEVEL_2 | V);
    issue(gic, cmd_mapc(gic, COLLECTION, 1));
    issue_bad(gic, cmd_mapd(DEVICE, ITT(1), EVENT_BITS));
    issue_bad(gic, cmd_mapti(DEVICE, EVENT, LPI + 1, COLLECTION));
    issue_bad(gic, cmd_event(INT, DEVICE, EVENT));
    expect_none(gic, LPI + 1);

    for (unsigned i = 0; i < 8; i++) {
        unsigned device = per_page + (per_page / 8 - 1) * i;

        issue(gic, cmd_mapd(device, ITT(0) + i * TABLE_PAGE, EVENT_BITS));
        issue(gic, cmd_mapti(device, EVENT, LPI + i, COLLECTION));
    }
    for (unsigned i = 0; i < 8; i++) {
        unsigned device = per_page + (per_page / 8 - 1) * i;

        expect_none(gic, LPI + i);
        issue(gic, cmd_event(INT, device, EVENT));
        expect_pending(gic, 1, LPI + i);
    }
    issue_bad(gic, cmd_event(INT, 2 * per_page + DEVICE, EVENT));
    gic_quit(gic);
}

/* ... of which the first one can be as large as GITS_BASERn.Size allows */
static void test_large_table(void)
{
    GICMachine *gic = start();

    if (!set_up_two_levels(gic, LARGE_TABLE | 63)) {
        gic_quit(gic);
        return;
    }
    qtest_writeq(gic->qts, LARGE_TABLE, LEVEL_2 | V);
    map_event(gic);
    expect_works(gic);
    gic_quit(gic);
}

/*
 * A table in no memory, where the ITS stalls if it does so at all: it stays
 * there until it is asked to retry by GITS_CWRITER.Retry
 */
static void test_retry(void)
{
    GICMachine *gic = start();
    unsigned number = next_written(gic);

    if (!set_up_two_levels(gic, DEVICES)) {
        gic_quit(gic);
        return;
    }
    qtest_writeq(gic->qts, DEVICES, NOTHING | V);
    issue_nowait(gic, cmd_mapd(DEVICE, ITT(0), EVENT_BITS));
    if (!is_stalled(gic)) {
        g_test_skip("no stalls");
        gic_quit(gic);
        return;
    }
    g_assert_cmpuint(next_read(gic), ==, number);
    write_command(gic, number + 1, cmd_mapc(gic, COLLECTION, 1));
    write_command(gic, number + 2, cmd_mapti(DEVICE, EVENT, LPI, COLLECTION));

    /* still in vain */
    gits_write64(gic, GITS_CWRITER, (number + 1) * COMMAND_SIZE |
                 R_GITS_CWRITER_Retry_MASK);
    g_assert_true(is_stalled(gic));
    g_assert_cmpuint(next_read(gic), ==, number);

    qtest_writeq(gic->qts, DEVICES, LEVEL_2 | V);
    write_cwriter(gic, number + 3);
    g_assert_true(is_stalled(gic));
    g_assert_cmpuint(next_read(gic), ==, number);
    gits_write64(gic, GITS_CWRITER, (number + 3) * COMMAND_SIZE |
                 R_GITS_CWRITER_Retry_MASK);
    g_assert_false(is_stalled(gic));
    g_assert_cmpuint(next_read(gic), ==, number + 3);
    g_assert_false(FIELD_EX64(gits_read64(gic, GITS_CWRITER), GITS_CWRITER,
                              Retry));
    expect_works(gic);
    gic_quit(gic);
}

/* Enabled without tables, which is UNPREDICTABLE: nothing comes of it */
static void test_no_tables(void)
{
    GICMachine *gic = gic_start(V3, CPUS, "");

    set_up_queue(gic);
    enable_its(gic);
    issue_bad(gic, cmd_mapd(DEVICE, ITT(0), EVENT_BITS));
    issue_bad(gic, cmd_mapc(gic, COLLECTION, 1));
    issue_bad(gic, cmd_mapti(DEVICE, EVENT, LPI, COLLECTION));
    issue_bad(gic, cmd_event(INT, DEVICE, EVENT));
    issue_bad(gic, cmd_event(INV, DEVICE, EVENT));
    gits_write(gic, GITS_TRANSLATER, EVENT);
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        set_up_lpis(gic, cpu);
    }
    expect_none(gic, LPI);

    disable_its(gic);
    set_up_tables(gic);
    enable_its(gic);
    map_event(gic);
    expect_works(gic);
    gic_quit(gic);
}

/* Without EnableLPIs, there is no LPI to be pending */
static void test_disabled_lpis(void)
{
    GICMachine *gic = start();

    map_event(gic);
    disable_lpis(gic, 1);
    issue_bad(gic, cmd_event(INT, DEVICE, EVENT));
    g_assert_cmphex(qtest_readb(gic->qts, PENDING(1) + LPI / 8), ==, 0);
    enable_lpis(gic, 1);
    expect_none(gic, LPI);
    expect_works(gic);
    gic_quit(gic);
}

static void randomize(GICMachine *gic, uint64_t addr, unsigned words)
{
    for (unsigned i = 0; i < words; i++) {
        qtest_writel(gic->qts, addr + 4 * i, g_test_rand_int());
    }
}

/* An ID of any kind, which is more often than not one that is mapped */
static uint64_t random_id(void)
{
    switch (g_test_rand_int_range(0, 4)) {
    case 0:
        return (uint32_t)g_test_rand_int();
    case 1:
        return FIRST_LPI + g_test_rand_int_range(0, 256);
    default:
        return g_test_rand_int_range(0, DEVICE + 1);
    }
}

/* An address, of which many fields have few values that mean something */
static uint64_t random_address(void)
{
    uint64_t value = (uint64_t)g_test_rand_int() << 32 |
                     (uint32_t)g_test_rand_int();

    return g_test_rand_bit() ? value : value & 0x8000001f0003001fULL;
}

static Command random_command(void)
{
    static const uint8_t commands[] = {
        MOVI, INT, CLEAR, SYNC, MAPD, MAPC, MAPTI, MAPI, INV, INVALL, MOVALL,
        DISCARD, VMOVI, VMOVP, VSYNC, VMAPP, VMAPTI, VMAPI, VINVALL, UINT8_MAX,
    };
    uint64_t command = commands[g_test_rand_int_range(0, sizeof(commands))];
    uint64_t device = g_test_rand_bit() ? DEVICE : random_id();

    return (Command) { { command | device << 32,
                         random_id() | random_id() << 32,
                         random_address(), random_address() } };
}

static const uint64_t its_tables[] = {
    DEVICES, COLLECTIONS, ITT(0), VPE_TABLE,
};

/* VPE is to run on CPU 1 */
static void map_vpes(GICMachine *gic)
{
    issue(gic, cmd_vmapp(gic, VPE, 1, VPENDING(VPE)));
    issue(gic, cmd_vmapp(gic, OTHER_VPE, 2, VPENDING(OTHER_VPE)));
}

/* The next event of map_event()'s device, which is VPE's VLPI */
#define VIRTUAL_EVENT   (EVENT + 1)

/* Tables and a queue with nothing but the events' mappings */
static void map_afresh(GICMachine *gic)
{
    disable_its(gic);
    for (size_t i = 0; i < ARRAY_SIZE(its_tables); i++) {
        qtest_memset(gic->qts, its_tables[i], 0, TABLE_PAGE);
    }
    set_up_queue(gic);
    enable_its(gic);
    map_event(gic);
    if (has_vpes(gic)) {
        map_vpes(gic);
        issue(gic, cmd_vmapti(DEVICE, VIRTUAL_EVENT, VPE, VLPI, DOORBELL));
    }
}

/* Commands about what is mapped, unless its tables say otherwise by now */
static void issue_all_bad(GICMachine *gic)
{
    static const unsigned commands[] = { INV, INT, CLEAR };

    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        issue_bad(gic, cmd_event(commands[i], DEVICE, EVENT));
        issue_bad(gic, cmd_event(commands[i], DEVICE, VIRTUAL_EVENT));
    }
    issue_bad(gic, cmd_movi(DEVICE, EVENT, OTHER));
    issue_bad(gic, cmd_vmovi(DEVICE, VIRTUAL_EVENT, OTHER_VPE));
    issue_bad(gic, cmd_vmovp(gic, VPE, 2));
    issue_bad(gic, cmd_vpe(VSYNC, VPE));
    issue_bad(gic, cmd_vpe(VINVALL, VPE));
}

/* Tables and commands that are random: whatever comes of it, QEMU lives on */
static void test_random(const void *options)
{
    GICMachine *gic = gic_start(options, CPUS, "");

    set_up(gic);
    for (unsigned round = 0; round < 128; round++) {
        map_afresh(gic);
        randomize(gic, its_tables[round % ARRAY_SIZE(its_tables)], 64);
        issue_all_bad(gic);
        map_afresh(gic);
        for (size_t i = 0; round % 2 && i < ARRAY_SIZE(its_tables); i++) {
            randomize(gic, its_tables[i], 64);
        }
        for (unsigned i = 0; i < 50; i++) {
            issue_bad(gic, random_command());
            gits_write(gic, GITS_TRANSLATER, g_test_rand_int_range(0, 64));
        }

        /* all tables are overwritten, perhaps, and the queue */
        map_afresh(gic);
        issue(gic, cmd_event(INT, DEVICE, EVENT));
        g_assert_true(is_pending(gic, 1, LPI));
        issue(gic, cmd_event(CLEAR, DEVICE, EVENT));
        if (has_vpes(gic)) {
            issue(gic, cmd_event(INT, DEVICE, VIRTUAL_EVENT));
            g_assert_true(is_virtual_pending(gic, VPE, VLPI));
            issue(gic, cmd_event(CLEAR, DEVICE, VIRTUAL_EVENT));
            g_assert_false(is_virtual_pending(gic, VPE, VLPI));
        }
    }
    gic_quit(gic);
}

/* Reset leaves neither enabled, nor any table valid */
static void test_reset(void)
{
    GICMachine *gic = start();

    map_event(gic);
    gic_reset(gic);
    g_assert_false(FIELD_EX32(gits_read(gic, GITS_CTLR), GITS_CTLR, Enabled));
    g_assert_true(FIELD_EX32(gits_read(gic, GITS_CTLR), GITS_CTLR, Quiescent));
    g_assert_false(FIELD_EX64(gits_read64(gic, GITS_CBASER), GITS_CBASER,
                              Valid));
    g_assert_cmphex(gits_read64(gic, GITS_CREADR), ==, 0);
    for (unsigned n = 0; n < GITS_NUM_BASERS; n++) {
        g_assert_false(FIELD_EX64(gits_read64(gic, GITS_BASER(n)), GITS_BASER,
                                  Valid));
    }
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        g_assert_false(FIELD_EX32(gicr_read(gic, cpu, GICR_CTLR), GICR_CTLR,
                                  EnableLPIs));
    }

    qtest_memset(gic->qts, ITT(0), 0, TABLE_PAGE);
    qtest_memset(gic->qts, DEVICES, 0, TABLE_PAGE);
    qtest_memset(gic->qts, COLLECTIONS, 0, TABLE_PAGE);
    qtest_memset(gic->qts, PENDING(1), 0, TABLE_PAGE);
    set_up(gic);
    issue_bad(gic, cmd_event(INT, DEVICE, EVENT));
    expect_none(gic, LPI);
    map_event(gic);
    expect_works(gic);
    gic_quit(gic);
}

/* Virtual LPIs of GICv4, as far as they are seen without a virtual machine */

/* DEVICE's event is VPE's VLPI */
static GICMachine *start_virtual(void)
{
    GICMachine *gic = gic_start(V4, CPUS, "");

    set_up(gic);
    map_device(gic);
    qtest_writeb(gic->qts, VCONFIGURATION + VLPI - FIRST_LPI,
                 PRIORITY_LOW | LPI_ENABLED);
    map_vpes(gic);
    issue(gic, cmd_vmapti(DEVICE, EVENT, VPE, VLPI, DOORBELL));
    return gic;
}

static void wait_for_vpe_table(GICMachine *gic, unsigned cpu)
{
    gicv3_wait_until(!FIELD_EX64(gicr_read64(gic, cpu, GICR_VPENDBASER),
                                 GICR_VPENDBASER, Dirty),
                     "CPU %u: GICR_VPENDBASER.Dirty to be clear", cpu);
}

/* Make a vPE resident on a CPU */
static void enter_vpe(GICMachine *gic, unsigned cpu, unsigned vpe)
{
    gicr_write64(gic, cpu, GICR_VPROPBASER, VCONFIGURATION | LPI_IDBITS);
    gicr_write64(gic, cpu, GICR_VPENDBASER, VPENDING(vpe) |
                 R_GICR_VPENDBASER_Valid_MASK);
    wait_for_vpe_table(gic, cpu);
}

/* ... and not resident any more: does it have something pending? */
static bool leave_vpe(GICMachine *gic, unsigned cpu)
{
    uint64_t vpendbaser = gicr_read64(gic, cpu, GICR_VPENDBASER);

    gicr_write64(gic, cpu, GICR_VPENDBASER,
                 vpendbaser & ~R_GICR_VPENDBASER_Valid_MASK);
    wait_for_vpe_table(gic, cpu);
    return FIELD_EX64(gicr_read64(gic, cpu, GICR_VPENDBASER), GICR_VPENDBASER,
                      PendingLast);
}

/* Of a vPE that is not resident: the doorbell rings where it ran last */
static void test_doorbell(void)
{
    GICMachine *gic = start_virtual();

    issue(gic, cmd_event(INT, DEVICE, EVENT));
    issue(gic, cmd_vpe(VSYNC, VPE));
    g_assert_true(is_virtual_pending(gic, VPE, VLPI));
    expect_pending(gic, 1, DOORBELL);
    expect_none(gic, VLPI);
    enter_vpe(gic, 1, VPE);
    g_assert_true(leave_vpe(gic, 1));
    issue(gic, cmd_event(CLEAR, DEVICE, EVENT));
    issue(gic, cmd_vpe(VSYNC, VPE));
    g_assert_false(is_virtual_pending(gic, VPE, VLPI));
    gic_quit(gic);
}

/* While it is resident, nothing needs a doorbell */
static void test_resident(void)
{
    GICMachine *gic = start_virtual();

    enter_vpe(gic, 1, VPE);
    issue(gic, cmd_event(INT, DEVICE, EVENT));
    issue(gic, cmd_vpe(VSYNC, VPE));
    expect_none(gic, DOORBELL);
    g_assert_true(leave_vpe(gic, 1));
    g_assert_true(is_virtual_pending(gic, VPE, VLPI));

    enter_vpe(gic, 1, VPE);
    issue(gic, cmd_event(CLEAR, DEVICE, EVENT));
    issue(gic, cmd_vpe(VSYNC, VPE));
    g_assert_false(leave_vpe(gic, 1));
    g_assert_false(is_virtual_pending(gic, VPE, VLPI));

    /* another vPE has nothing, and what is disabled is no reason to run */
    enter_vpe(gic, 2, OTHER_VPE);
    issue(gic, cmd_event(INT, DEVICE, EVENT));
    g_assert_false(leave_vpe(gic, 2));
    qtest_writeb(gic->qts, VCONFIGURATION + VLPI - FIRST_LPI, PRIORITY_LOW);
    issue(gic, cmd_event(INV, DEVICE, EVENT));
    enter_vpe(gic, 1, VPE);
    issue(gic, cmd_vpe(VINVALL, VPE));
    g_assert_false(leave_vpe(gic, 1));
    g_assert_true(is_virtual_pending(gic, VPE, VLPI));
    gic_quit(gic);
}

/* VMOVI moves an event and what is pending to a vPE, VMOVP a vPE to a CPU */
static void test_virtual_move(void)
{
    GICMachine *gic = start_virtual();

    issue(gic, cmd_event(INT, DEVICE, EVENT));
    issue(gic, cmd_vmovi(DEVICE, EVENT, OTHER_VPE));
    issue(gic, cmd_vpe(VSYNC, OTHER_VPE));
    g_assert_false(is_virtual_pending(gic, VPE, VLPI));
    g_assert_true(is_virtual_pending(gic, OTHER_VPE, VLPI));
    g_assert_true(is_pending(gic, 2, DOORBELL));

    issue(gic, cmd_vmovp(gic, OTHER_VPE, 0));
    issue(gic, cmd_event(INT, DEVICE, EVENT));
    g_assert_true(is_pending(gic, 0, DOORBELL));
    enter_vpe(gic, 0, OTHER_VPE);
    g_assert_true(leave_vpe(gic, 0));
    gic_quit(gic);
}

/* What a resident vPE has pending is still its after a migration */
static void test_virtual_migration(void)
{
    GICMachine *gic = start_virtual();

    enter_vpe(gic, 1, VPE);
    issue(gic, cmd_event(INT, DEVICE, EVENT));
    gic = gic_migrate(gic);
    g_assert_true(FIELD_EX64(gicr_read64(gic, 1, GICR_VPENDBASER),
                             GICR_VPENDBASER, Valid));
    g_assert_true(leave_vpe(gic, 1));
    gic_quit(gic);
}

/* From here on, vCPUs run and take LPIs */

static GICMachine *start_signalling(void)
{
    GICMachine *gic = gicv3_start(V3, CPUS, "");

    set_up(gic);
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        gicr_write(gic, cpu, GICR_WAKER, 0);
        gicv3_icc_write(gic, cpu, ICC_PMR_EL1, PMR_ALL);
        gicv3_icc_write(gic, cpu, ICC_IGRPEN1_EL1, 1);
    }
    return gic;
}

/* IRQ, and HPPIR1; no CPU but this one has any */
static void expect_highest(GICMachine *gic, unsigned cpu, unsigned intid)
{
    for (unsigned i = 0; i < CPUS; i++) {
        unsigned highest = i == cpu ? intid : INTID_SPURIOUS;

        g_assert_cmpint(gic_output(gic, i, GIC_IRQ), ==,
                        highest != INTID_SPURIOUS);
        g_assert_cmpuint(gicv3_icc_read(gic, i, ICC_HPPIR1_EL1), ==, highest);
    }
}

/* An LPI has no active state: it is not pending any more when acknowledged */
static void take(GICMachine *gic, unsigned cpu, unsigned intid)
{
    expect_highest(gic, cpu, intid);
    g_assert_cmpuint(gicv3_icc_read(gic, cpu, ICC_IAR1_EL1), ==, intid);
    expect_none(gic, intid);
    gicv3_icc_write(gic, cpu, ICC_EOIR1_EL1, intid);
}

static void test_signalling(void)
{
    GICMachine *gic = start_signalling();

    map_event(gic);
    issue(gic, cmd_mapti(DEVICE, EVENT + 1, LPI + 1, OTHER));
    for (unsigned i = 0; i < 2; i++) {
        issue(gic, cmd_event(INT, DEVICE, EVENT));
        take(gic, 1, LPI);
        expect_highest(gic, 1, INTID_SPURIOUS);
        issue(gic, cmd_event(INT, DEVICE, EVENT + 1));
        take(gic, 2, LPI + 1);
        expect_highest(gic, 2, INTID_SPURIOUS);
    }

    /* what takes the pending state away */
    issue(gic, cmd_event(INT, DEVICE, EVENT));
    issue(gic, cmd_event(CLEAR, DEVICE, EVENT));
    expect_highest(gic, 1, INTID_SPURIOUS);
    issue(gic, cmd_event(INT, DEVICE, EVENT));
    issue(gic, cmd_movi(DEVICE, EVENT, OTHER));
    expect_highest(gic, 2, LPI);
    issue(gic, cmd_movall(gic, 2, 0));
    expect_highest(gic, 0, LPI);
    disable_lpis(gic, 0);
    expect_highest(gic, 0, INTID_SPURIOUS);
    enable_lpis(gic, 0);
    take(gic, 0, LPI);

    /* LPIs are in group 1 */
    issue(gic, cmd_event(INT, DEVICE, EVENT));
    expect_highest(gic, 2, LPI);
    gicd_write(gic, GICD_CTLR, 0);
    expect_highest(gic, 2, INTID_SPURIOUS);
    gicd_write(gic, GICD_CTLR, R_GICD_CTLR_EnableGrp1_MASK);
    issue(gic, cmd_event(DISCARD, DEVICE, EVENT));
    expect_highest(gic, 2, INTID_SPURIOUS);
    gic_quit(gic);
}

/* The Configuration table, of which INV and INVALL tell that it changed */
static void test_configuration(void)
{
    GICMachine *gic = start_signalling();

    map_event(gic);
    configure_lpi(gic, LPI, PRIORITY_LOW);
    issue(gic, cmd_event(INV, DEVICE, EVENT));
    issue(gic, cmd_event(INT, DEVICE, EVENT));
    expect_highest(gic, 1, INTID_SPURIOUS);
    expect_pending(gic, 1, LPI);

    configure_lpi(gic, LPI, PRIORITY_LOW | LPI_ENABLED);
    issue(gic, cmd_event(INV, DEVICE, EVENT));
    issue(gic, cmd_sync(gic, 1));
    expect_highest(gic, 1, LPI);
    configure_lpi(gic, LPI, PRIORITY_LOW);
    issue(gic, cmd_invall(COLLECTION));
    issue(gic, cmd_sync(gic, 1));
    expect_highest(gic, 1, INTID_SPURIOUS);
    configure_lpi(gic, LPI, PRIORITY_LOW | LPI_ENABLED);
    issue(gic, cmd_invall(COLLECTION));
    issue(gic, cmd_sync(gic, 1));
    take(gic, 1, LPI);
    gic_quit(gic);
}

/* Priorities of LPIs among themselves and against an SPI's */
static void test_priorities(void)
{
    static const uint8_t priority[] = { 0x70, 0x50, 0x90, 0x60 };
    static const unsigned order[] = { 1, 3, 0, 2 };
    GICMachine *gic = start_signalling();

    map_device(gic);
    for (unsigned i = 0; i < ARRAY_SIZE(priority); i++) {
        configure_lpi(gic, LPI + i, priority[i] | LPI_ENABLED);
        issue(gic, cmd_mapti(DEVICE, i, LPI + i, COLLECTION));
        issue(gic, cmd_event(INV, DEVICE, i));
    }
    for (unsigned i = ARRAY_SIZE(priority); i-- > 0;) {
        issue(gic, cmd_event(INT, DEVICE, order[i]));
        expect_highest(gic, 1, LPI + order[i]);
    }

    gicv3_set_group(gic, 1, FREE_SPI(0), 1);
    gicv3_set_edge(gic, 1, FREE_SPI(0), true);
    gicd_write64(gic, GICD_IROUTER(FREE_SPI(0)), gicv3_affinity(1));
    gicv3_set_priority(gic, 1, FREE_SPI(0), 0x58);
    gicd_set(gic, GICD_ISENABLER, FREE_SPI(0));
    gicd_set(gic, GICD_ISPENDR, FREE_SPI(0));

    take(gic, 1, LPI + order[0]);
    expect_highest(gic, 1, FREE_SPI(0));
    gicd_set(gic, GICD_ICPENDR, FREE_SPI(0));
    for (unsigned i = 1; i < ARRAY_SIZE(order); i++) {
        take(gic, 1, LPI + order[i]);
    }
    expect_highest(gic, 1, INTID_SPURIOUS);
    gic_quit(gic);
}

/* Tables are in memory: software's, before LPIs are enabled, are obeyed */
static void test_pending_before(void)
{
    GICMachine *gic = start_signalling();

    disable_lpis(gic, 1);
    qtest_writeb(gic->qts, PENDING(1) + LPI / 8, 1 << LPI % 8);
    gicr_write64(gic, 1, GICR_PENDBASER, PENDING(1));
    enable_lpis(gic, 1);
    take(gic, 1, LPI);
    gic_quit(gic);
}

/* Mappings, and LPIs that are pending, behind a migration */
static void test_migration(void)
{
    GICMachine *gic = start_signalling();
    g_autofree char *before = NULL;

    map_event(gic);
    issue(gic, cmd_mapti(DEVICE, EVENT + 1, LPI + 1, OTHER));
    issue(gic, cmd_event(INT, DEVICE, EVENT + 1));
    expect_highest(gic, 2, LPI + 1);
    before = gicv3_dump(gic);

    gic = gic_migrate(gic);
    gicv3_resume(gic);
    gicv3_expect_dump(gic, before);
    g_assert_cmpuint(gicv3_icc_read(gic, 1, ICC_HPPIR1_EL1), ==,
                     INTID_SPURIOUS);
    g_assert_cmpuint(gicv3_icc_read(gic, 2, ICC_IAR1_EL1), ==, LPI + 1);
    gicv3_icc_write(gic, 2, ICC_EOIR1_EL1, LPI + 1);
    expect_none(gic, LPI + 1);

    issue(gic, cmd_event(INT, DEVICE, EVENT));
    take(gic, 1, LPI);
    issue(gic, cmd_movi(DEVICE, EVENT, OTHER));
    issue(gic, cmd_event(INT, DEVICE, EVENT));
    take(gic, 2, LPI);
    gic_quit(gic);
}

/*
 * EnableLPIs that was set can be cleared: GICR_CTLR.CES. Whether it can is the
 * implementation's choice, but nearly all tests here see LPIs in that way.
 */
static bool lpis_can_be_disabled(void)
{
    GICMachine *gic = gic_start(V3, 1, "");
    bool ces = FIELD_EX32(gicr_read(gic, 0, GICR_CTLR), GICR_CTLR, CES);

    gic_quit(gic);
    return ces;
}

static void test_disable_lpis(void)
{
    GICMachine *gic;

    if (!lpis_can_be_disabled()) {
        g_test_skip("LPIs cannot be disabled, nor then be seen by most tests");
        return;
    }
    gic = start();
    disable_lpis(gic, 1);
    g_assert_true(FIELD_EX32(gicr_read(gic, 0, GICR_CTLR), GICR_CTLR,
                             EnableLPIs));
    enable_lpis(gic, 1);
    gic_quit(gic);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/gicv3-its/registers/identification", test_identification);
    qtest_add_func("/gicv3-its/registers/v4", test_v4);
    qtest_add_func("/gicv3-its/registers/basers", test_basers);
    qtest_add_func("/gicv3-its/registers/pendbaser", test_pendbaser);
    qtest_add_func("/gicv3-its/registers/disable-lpis", test_disable_lpis);
    if (!lpis_can_be_disabled()) {
        return g_test_run();
    }

    qtest_add_func("/gicv3-its/registers/cbaser", test_cbaser);
    qtest_add_func("/gicv3-its/registers/creadr", test_creadr);
    qtest_add_func("/gicv3-its/registers/access-sizes", test_access_sizes);
    qtest_add_func("/gicv3-its/registers/reset", test_reset);

    qtest_add_func("/gicv3-its/commands/int", test_int);
    qtest_add_func("/gicv3-its/commands/mapi", test_mapi);
    qtest_add_func("/gicv3-its/commands/discard", test_discard);
    qtest_add_func("/gicv3-its/commands/unmap", test_unmap);
    qtest_add_func("/gicv3-its/commands/move", test_move);
    qtest_add_func("/gicv3-its/commands/move-beyond", test_move_beyond);
    qtest_add_func("/gicv3-its/commands/out-of-range", test_out_of_range);
    qtest_add_func("/gicv3-its/commands/neighbours", test_neighbours);
    qtest_add_func("/gicv3-its/commands/unknown", test_unknown_commands);
    qtest_add_data_func("/gicv3-its/commands/random", V3, test_random);
    qtest_add_data_func("/gicv3-its/commands/random-v4", V4, test_random);

    qtest_add_func("/gicv3-its/translater/write", test_translater);
    qtest_add_func("/gicv3-its/translater/msi", test_msi);

    qtest_add_func("/gicv3-its/queue/wrap", test_wrap);
    qtest_add_func("/gicv3-its/queue/waiting", test_waiting_commands);
    qtest_add_func("/gicv3-its/queue/beyond", test_cwriter_beyond);
    qtest_add_func("/gicv3-its/queue/none", test_no_queue);
    qtest_add_func("/gicv3-its/queue/retry", test_retry);

    qtest_add_func("/gicv3-its/tables/none", test_no_tables);
    qtest_add_func("/gicv3-its/tables/small", test_small_tables);
    qtest_add_func("/gicv3-its/tables/two-levels", test_two_levels);
    qtest_add_func("/gicv3-its/tables/large", test_large_table);

    qtest_add_func("/gicv3-its/lpis/id-bits", test_id_bits);
    qtest_add_func("/gicv3-its/lpis/disabled", test_disabled_lpis);
    qtest_add_func("/gicv3-its/lpis/signalling", test_signalling);
    qtest_add_func("/gicv3-its/lpis/configuration", test_configuration);
    qtest_add_func("/gicv3-its/lpis/priorities", test_priorities);
    qtest_add_func("/gicv3-its/lpis/pending-before", test_pending_before);
    qtest_add_func("/gicv3-its/lpis/migration", test_migration);

    qtest_add_func("/gicv3-its/virtual/doorbell", test_doorbell);
    qtest_add_func("/gicv3-its/virtual/resident", test_resident);
    qtest_add_func("/gicv3-its/virtual/move", test_virtual_move);
    qtest_add_func("/gicv3-its/virtual/migration", test_virtual_migration);

    return g_test_run();
}
