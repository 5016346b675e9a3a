/*
 * Bare-metal guest: GICv3's MSIs: one ITS, LPIs for the first vCPU
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "bench.h"
#include "bench_its.h"

/* A redistributor's registers for LPIs */
#define GICR_CTLR               0x00
#define GICR_CTLR_LPIS          (1u << 0)
#define GICR_PROPBASER          0x70
#define GICR_PENDBASER          0x78
#define GICR_PENDBASER_ZERO     (1ull << 62)

/* The ITS's */
#define GITS_CTLR               0x00000
#define GITS_CTLR_ENABLED       1
#define GITS_TYPER              0x00008
#define GITS_TYPER_PTA          (1ull << 19)
#define GITS_CBASER             0x00080
#define GITS_CWRITER            0x00088
#define GITS_CREADR             0x00090
#define GITS_BASER(n)           (0x00100 + 8 * (n))
#define GITS_BASERS             8
#define GITS_BASER_TYPE(value)  ((value) >> 56 & 7)
#define GITS_BASER_64K          (2ull << 8)
#define GITS_TRANSLATER         0x10040
#define VALID                   (1ull << 63)

enum { NO_TABLE, DEVICES, COLLECTIONS = 4 };
enum { SYNC = 5, MAPD = 8, MAPC, MAPTI, INV = 12 };

#define FIRST_LPI               8192
#define LPI_BITS                14
/* Bit 1 is always set. Of all priorities the highest */
#define LPI_ENABLED             3
#define EVENT_BITS              5
#define COLLECTION              0

#define ITS_PAGE                0x10000

/* A table of one page has entries enough for the devices of a bus. */
static uint8_t devices[ITS_PAGE] __attribute__((aligned(ITS_PAGE)));
static uint8_t collections[ITS_PAGE] __attribute__((aligned(ITS_PAGE)));
static uint8_t pending[ITS_PAGE] __attribute__((aligned(ITS_PAGE)));
static uint8_t properties[1 << LPI_BITS] __attribute__((aligned(4096)));
/* Larger entries than this no ITS has. */
static uint64_t events[2 << EVENT_BITS] __attribute__((aligned(256)));
static uint64_t commands[4096 / 8] __attribute__((aligned(ITS_PAGE)));

static uint64_t its;
static unsigned used;           /* words of the commands */

static void command(uint64_t word0, uint64_t word1, uint64_t word2)
{
    uint64_t end;

    if (used == ARRAY_SIZE(commands)) {
        fail("too many commands for the ITS");
    }
    commands[used++] = word0;
    commands[used++] = word1;
    commands[used++] = word2;
    commands[used++] = 0;
    end = used * 8 % sizeof(commands);
    barrier();
    write64(its + GITS_CWRITER, end);
    wait_until(read64(its + GITS_CREADR) == end);
    if (read64(its + GITS_CREADR) != end) {
        fail_with("the ITS refuses command", word0 & 0xff);
    }
}

static void enable(uint64_t gicr)
{
    for (unsigned i = 0; i < GITS_BASERS; i++) {
        unsigned type = GITS_BASER_TYPE(read64(its + GITS_BASER(i)));

        if (type == DEVICES || type == COLLECTIONS) {
            void *table = type == DEVICES ? devices : collections;

            write64(its + GITS_BASER(i), VALID | GITS_BASER_64K |
                    (uint64_t)table);
        }
    }
    write64(its + GITS_CBASER, VALID | (uint64_t)commands);
    write32(its + GITS_CTLR, GITS_CTLR_ENABLED);

    write64(gicr + GICR_PROPBASER, (uint64_t)properties | (LPI_BITS - 1));
    write64(gicr + GICR_PENDBASER, (uint64_t)pending | GICR_PENDBASER_ZERO);
    write32(gicr + GICR_CTLR, GICR_CTLR_LPIS);
}

unsigned its_map(uint64_t gicr, unsigned device, unsigned event,
                 uint64_t *address)
{
    unsigned lpi = FIRST_LPI + event;
    uint64_t id = (uint64_t)device << 32, target;

    its = dt_reg(dt_find("arm,gic-v3-its", -1), 0);
    enable(gicr);
    properties[lpi - FIRST_LPI] = LPI_ENABLED;
    barrier();

    /* The first vCPU, by its redistributor's address or by its number */
    target = read64(its + GITS_TYPER) & GITS_TYPER_PTA ? gicr : 0;
    command(MAPC, 0, VALID | target | COLLECTION);
    command(id | MAPD, EVENT_BITS - 1, VALID | (uint64_t)events);
    command(id | MAPTI, (uint64_t)lpi << 32 | event, COLLECTION);
    command(id | INV, event, 0);
    command(SYNC, 0, target);
    *address = its + GITS_TRANSLATER;
    return lpi;
}
