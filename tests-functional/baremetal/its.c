/*
 * Bare-metal guests: GICv3's ITS, whose LPIs are the first vCPU's
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "runtime.h"
#include "its.h"

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
enum { INT = 3, SYNC = 5, MAPD = 8, MAPC, MAPTI, INV = 12 };

#define LPI_BITS                14
/* Bit 1 is always set. Of all priorities the highest */
#define LPI_ENABLED             3
#define COLLECTION              0

#define ITS_PAGE                0x10000

_Static_assert(FIRST_LPI + ITS_LPIS == 1 << LPI_BITS, "INTIDs of LPIs");

/* A table of one page has entries enough for the devices of a bus. */
static uint8_t devices[ITS_PAGE] __attribute__((aligned(ITS_PAGE)));
static uint8_t collections[ITS_PAGE] __attribute__((aligned(ITS_PAGE)));
static uint8_t pending[ITS_PAGE] __attribute__((aligned(ITS_PAGE)));
static uint8_t properties[ITS_LPIS] __attribute__((aligned(4096)));
/* One device's. Larger entries than of 16 bytes no ITS has. */
static uint64_t events[2 * ITS_LPIS] __attribute__((aligned(256)));
static uint64_t commands[4096 / 8] __attribute__((aligned(ITS_PAGE)));

static uint64_t its, target;
static unsigned used;           /* words of the commands */

/* Returns whether the ITS has done it. */
static bool command(uint64_t word0, uint64_t word1, uint64_t word2)
{
    uint64_t end;

    commands[used++] = word0;
    commands[used++] = word1;
    commands[used++] = word2;
    commands[used++] = 0;
    used %= ARRAY_SIZE(commands);
    end = used * 8;
    barrier();
    write64(its + GITS_CWRITER, end);
    wait_until(read64(its + GITS_CREADR) == end);
    return read64(its + GITS_CREADR) == end;
}

bool its_enable(uint64_t address, uint64_t gicr)
{
    its = address;
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

    /* The first vCPU, by its redistributor's address or by its number */
    target = read64(its + GITS_TYPER) & GITS_TYPER_PTA ? gicr : 0;
    return command(MAPC, 0, VALID | target | COLLECTION);
}

bool its_add_device(unsigned device, unsigned count)
{
    unsigned bits = 1;

    while (1u << bits < count) {
        bits++;
    }
    return command((uint64_t)device << 32 | MAPD, bits - 1,
                   VALID | (uint64_t)events);
}

bool its_map(unsigned device, unsigned event, unsigned lpi)
{
    uint64_t id = (uint64_t)device << 32;

    properties[lpi - FIRST_LPI] = LPI_ENABLED;
    barrier();
    return command(id | MAPTI, (uint64_t)lpi << 32 | event, COLLECTION) &&
           command(id | INV, event, 0) && command(SYNC, 0, target);
}

bool its_trigger(unsigned device, unsigned event)
{
    return command((uint64_t)device << 32 | INT, event, 0) &&
           command(SYNC, 0, target);
}

uint64_t its_doorbell(void)
{
    return its + GITS_TRANSLATER;
}
