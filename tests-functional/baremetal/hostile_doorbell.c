/*
 * Bare-metal guest: accesses to the doorbell page in every way
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "hostile.h"

#define ABORT_STATUS(esr)   ((esr) & 0x3f)
#define ABORT_EXTERNAL      0x10
#define ABORT_ALIGNMENT     0x21
#define ABORT_EXCLUSIVE     0x35

/* The register that takes a request's address, and parts of a request */
#define FW_CFG_DMA              0x09020010
#define FW_CFG_DMA_ERROR        0x01
#define FW_CFG_DMA_SIGNATURE    0x0a            /* select item 0, read it */
#define FW_CFG_DMA_WRITE_ITEM   0x18            /* select item 0, write it */

#define PAGE            4096
#define GIB             (1ull << 30)

/* The MMU's second view of the doorbell: as if it were memory */
#define DOORBELL_NORMAL (2 * GIB + RVID_DOORBELL)

/* Of an access */
enum {
    WRITES = 1,
    SIGNALS = 2,                /* at offset 0 */
    MAY_SIGNAL = 4,
    ALIGNED = 8,                /* faults if it is not, whatever the memory */
    MAY_FAULT = 16,             /* even if it is aligned: atomics and others */
    /* Features that a vCPU may not have */
    NEEDS_LSE = 32,
    NEEDS_SVE = 64,
    NEEDS_MOPS = 128,
};

/* Size and alignment are in bytes. */
struct access {
    uint64_t (*go)(uint64_t address, uint64_t value);
    unsigned size, alignment, flags;
};

#define ACCESS(name, code)                                              \
static uint64_t name(uint64_t address, uint64_t value)                  \
{                                                                       \
    register uint64_t x0 asm("x0") = address;                           \
    register uint64_t x1 asm("x1") = value;                             \
    register uint64_t x2 asm("x2") = 0;                                 \
    register uint64_t x3 asm("x3") = 0;                                 \
                                                                        \
    asm volatile(".arch armv8.7-a+simd+sve+memtag+mops\n\t" code        \
                 : "+r" (x0), "+r" (x1), "+r" (x2), "+r" (x3)           \
                 : : "x4", "x5", "x6", "x7", "cc", "memory");           \
    return x2 | x3;                                                     \
}

/* The value is in x1. What is read comes back in x2 and x3. */
ACCESS(strb, "strb w1, [x0]")
ACCESS(strh, "strh w1, [x0]")
ACCESS(strw, "str w1, [x0]")
ACCESS(strx, "str x1, [x0]")
ACCESS(stpw, "stp w1, w1, [x0]")
ACCESS(stpx, "stp x1, x1, [x0]")
ACCESS(strq, "dup v0.2d, x1\n\tstr q0, [x0]")
ACCESS(ldrb, "ldrb w2, [x0]")
ACCESS(ldrh, "ldrsh x2, [x0]")
ACCESS(ldrw, "ldr w2, [x0]")
ACCESS(ldrx, "ldr x2, [x0]")
ACCESS(ldpw, "ldp w2, w3, [x0]")
ACCESS(ldpx, "ldp x2, x3, [x0]")
ACCESS(ldrq, "movi v0.2d, #0\n\tldr q0, [x0]\n\tmov x2, v0.d[0]\n\t"
       "mov x3, v0.d[1]")
ACCESS(stpq, "dup v0.2d, x1\n\tstp q0, q0, [x0]")
ACCESS(st4q, "dup v0.2d, x1\n\tst4 {v0.16b-v3.16b}, [x0]")
ACCESS(stlr, "stlr w1, [x0]")
ACCESS(ldar, "ldar w2, [x0]")
ACCESS(ldarx, "ldar x2, [x0]")
ACCESS(exclusive_b, "ldaxrb w2, [x0]\n\tstlxrb w4, w1, [x0]")
ACCESS(exclusive_h, "ldxrh w2, [x0]\n\tstxrh w4, w1, [x0]")
ACCESS(exclusive_w, "ldxr w2, [x0]\n\tstxr w4, w1, [x0]")
ACCESS(exclusive_x, "ldxr x2, [x0]\n\tstxr w4, x1, [x0]")
ACCESS(exclusive_pw, "ldxp w2, w3, [x0]\n\tstxp w4, w1, w1, [x0]")
ACCESS(exclusive_px, "ldaxp x2, x3, [x0]\n\tstlxp w4, x1, x1, [x0]")
ACCESS(swpb, "swpb w1, w2, [x0]")
ACCESS(swpw, "swpal w1, w2, [x0]")
ACCESS(swpx, "swp x1, x2, [x0]")
ACCESS(ldaddw, "ldaddal w1, w2, [x0]")
ACCESS(casw, "casal w2, w1, [x0]")
ACCESS(casx, "cas x2, x1, [x0]")
ACCESS(casp, "mov x4, x1\n\tmov x5, x1\n\tcaspal x2, x3, x4, x5, [x0]")
ACCESS(zva, "dc zva, x0")
ACCESS(civac, "dc civac, x0\n\tprfm pstl1keep, [x0]")
ACCESS(st1b, "ptrue p0.b\n\tdup z0.d, x1\n\tst1b {z0.b}, p0, [x0]")
ACCESS(st1w, "ptrue p0.s\n\tdup z0.s, w1\n\tst1w {z0.s}, p0, [x0]")
ACCESS(ldff1b, "ptrue p0.b\n\tsetffr\n\tldff1b {z0.b}, p0/z, [x0]\n\t"
       "umaxv b0, p0, z0.b\n\tldnf1d {z1.d}, p0/z, [x0]")
ACCESS(setp, "mov x4, #80\n\tmov x5, x0\n\tsetp [x5]!, x4!, x1\n\t"
       "setm [x5]!, x4!, x1\n\tsete [x5]!, x4!, x1")
ACCESS(cpyp, "mov x4, #80\n\tmov x5, x0\n\tadd x6, x0, #128\n\t"
       "cpyp [x5]!, [x6]!, x4!\n\tcpym [x5]!, [x6]!, x4!\n\t"
       "cpye [x5]!, [x6]!, x4!")

static unsigned feature(uint64_t id_register, unsigned shift)
{
    return id_register >> shift & 0xf;
}

/*
 * Whether this vCPU has the access's instruction. KVM takes the exception for a
 * memory operation in a wrong state itself and starts the whole operation anew:
 * whoever leaves an aborted one by skipping instructions comes back for ever.
 */
static bool exists(const struct access *access)
{
    uint64_t isar0 = sysreg_read(id_aa64isar0_el1);
    uint64_t pfr0 = sysreg_read(id_aa64pfr0_el1);
    uint64_t isar2 = sysreg_read(s3_0_c0_c6_2);         /* ID_AA64ISAR2_EL1 */

    return (!(access->flags & NEEDS_LSE) || feature(isar0, 20)) &&
           (!(access->flags & NEEDS_SVE) || feature(pfr0, 32)) &&
           (!(access->flags & NEEDS_MOPS) || (feature(isar2, 16) && !kvm));
}

static const struct access plain[] = {
    { strb, 1, 1, WRITES },
    { strh, 2, 2, WRITES },
    { strw, 4, 4, WRITES | SIGNALS },
    { strx, 8, 8, WRITES },
    { stpw, 8, 8, WRITES | MAY_SIGNAL },
    { stpx, 16, 16, WRITES },
    { strq, 16, 16, WRITES },
    { ldrb, 1, 1, 0 },
    { ldrh, 2, 2, 0 },
    { ldrw, 4, 4, 0 },
    { ldrx, 8, 8, 0 },
    { ldpw, 8, 8, 0 },
    { ldpx, 16, 16, 0 },
    { ldrq, 16, 16, 0 },
};

static const struct access special[] = {
    { stpq, 32, 32, WRITES | MAY_FAULT },
    { st4q, 64, 64, WRITES | MAY_FAULT },
    { stlr, 4, 4, WRITES | SIGNALS | ALIGNED },
    { ldar, 4, 4, ALIGNED },
    { ldarx, 8, 8, ALIGNED },
    { exclusive_b, 1, 1, WRITES | MAY_FAULT },
    { exclusive_h, 2, 2, WRITES | MAY_FAULT },
    { exclusive_w, 4, 4, WRITES | MAY_SIGNAL | MAY_FAULT },
    { exclusive_x, 8, 8, WRITES | MAY_FAULT },
    { exclusive_pw, 8, 8, WRITES | MAY_SIGNAL | MAY_FAULT },
    { exclusive_px, 16, 16, WRITES | MAY_FAULT },
    { swpb, 1, 1, WRITES | MAY_FAULT | NEEDS_LSE },
    { swpw, 4, 4, WRITES | MAY_SIGNAL | MAY_FAULT | NEEDS_LSE },
    { swpx, 8, 8, WRITES | MAY_FAULT | NEEDS_LSE },
    { ldaddw, 4, 4, WRITES | MAY_SIGNAL | MAY_FAULT | NEEDS_LSE },
    { casw, 4, 4, WRITES | MAY_SIGNAL | MAY_FAULT | NEEDS_LSE },
    { casx, 8, 8, WRITES | MAY_FAULT | NEEDS_LSE },
    { casp, 16, 16, WRITES | MAY_FAULT | NEEDS_LSE },
    { zva, 64, 1, WRITES | MAY_FAULT },
    { civac, 64, 1, MAY_FAULT },
    { st1b, 256, 1, WRITES | MAY_FAULT | NEEDS_SVE },
    { st1w, 256, 1, WRITES | MAY_SIGNAL | MAY_FAULT | NEEDS_SVE },
    { ldff1b, 256, 1, MAY_FAULT | NEEDS_SVE },
    { setp, 80, 1, WRITES | MAY_FAULT | NEEDS_MOPS },
    { cpyp, 208, 1, WRITES | MAY_FAULT | NEEDS_MOPS },
};

/* 1 GiB each: devices, memory, and once more devices as if they were memory */
static uint64_t translation[512] __attribute__((aligned(PAGE)));

void make_translation(void)
{
    const uint64_t block = 1, shared = 3 << 8, accessed = 1 << 10;
    const uint64_t normal = 1 << 2;
    /* Without EL0, bit 6 is reserved and 1. */
    const uint64_t all = block | shared | accessed | el2 << 6;

    translation[0] = all;
    translation[1] = GIB | normal | all;
    translation[2] = normal | all;
}

/* MMU and caches on, no instruction trapped */
void set_up_accesses(Cpu *me)
{
    (void)me;
    if (el2) {
        sysreg_write(cptr_el2, 0x32ff & ~(1 << 8 | 1 << 10));
        asm volatile("tlbi alle2\n\tdsb sy\n\tisb" : : : "memory");
        use_translation(el2, translation, 1ull << 31 | 1ull << 23);
    } else {
        sysreg_write(cpacr_el1, 3 << 16 | 3 << 20);
        asm volatile("tlbi vmalle1\n\tdsb sy\n\tisb" : : : "memory");
        use_translation(el1, translation, 1ull << 23);
    }
}

/* A value of 32 bits in every place of a wide register */
static uint64_t repeated(uint32_t value)
{
    return value | (uint64_t)value << 32;
}

/* Where an access lies, with the doorbell page's neighbours */
static bool is_inside(int offset, unsigned size)
{
    return offset >= 0 && offset + size <= PAGE;
}

static bool is_outside(int offset, unsigned size)
{
    return offset + (int)size <= 0 || offset >= PAGE;
}

/* Whether an access may end so: with this exception, or 0, and this value */
static bool outcome_is_good(const struct access *access, int offset,
                            bool normal, uint64_t esr, uint64_t got)
{
    bool may_fault = access->flags & MAY_FAULT;
    bool inside = is_inside(offset, access->size);
    bool aligned = offset % (int)access->alignment == 0;
    bool unaligned_works = normal && inside && !(access->flags & ALIGNED);

    switch (ESR_CLASS(esr)) {
    case CLASS_UNKNOWN:
        /* No exception, or an instruction that the vCPU has not */
        return esr ? may_fault : got == 0 &&
               (may_fault || kvm || !is_outside(offset, access->size));
    case CLASS_DATA:
        break;
    default:
        return ESR_CLASS(esr) == CLASS_MEMOPS && may_fault;
    }

    switch (ABORT_STATUS(esr)) {
    case ABORT_EXTERNAL:
        /* What KVM does not emulate; of what QEMU refuses it does not tell. */
        return kvm || !inside;
    case ABORT_ALIGNMENT:
        return may_fault || (!aligned && !unaligned_works);
    case ABORT_EXCLUSIVE:
        return may_fault;
    default:
        return false;
    }
}

static void make_access(Cpu *me, const struct access *access, int offset,
                        bool normal, uint64_t value)
{
    uint64_t address = (normal ? DOORBELL_NORMAL : RVID_DOORBELL) + offset;
    uint64_t got;

    me->work++;
    me->esr = 0;
    got = access->go(address, value);
    if (access->flags & WRITES) {
        me->written += access->size;
    }
    if (!outcome_is_good(access, offset, normal, me->esr, got)) {
        complain(me, (uint64_t[]) { access->size, address, value,
                                    access->flags },
                 (uint64_t[]) { me->esr, got, access->alignment, normal });
    }
}

static unsigned own_input(void)
{
    return RVID_FIRST_MSI + cpu_index();
}

/* The own MSI is pending, or not; and then no longer. */
static void check_pending(Cpu *me, const struct access *access, int offset,
                          uint64_t value, bool may, bool must)
{
    uint64_t self = cpu_mpidr(cpu_index()), intid = INTID_MSI + cpu_index();
    struct result result = hypercall(RVIC_IS_PENDING, self, intid, 0);

    if (result.x0 != RVIC_SUCCESS || (result.x1 ? !may : must)) {
        complain(me, (uint64_t[]) { access ? access->size : 0, offset, value,
                                    RVIC_IS_PENDING },
                 (uint64_t[]) { result.x0, result.x1, may, must });
    }
    if (result.x1) {
        status(RVIC_CLEAR_PENDING, self, intid);
    }
}

/*
 * One offset, in all ways. Only one 32-bit write at offset 0 of an MSI's number
 * signals it. Nobody else uses the own number meanwhile.
 */
static void access_offset(Cpu *me, const struct access *accesses,
                          size_t count, int offset)
{
    const uint64_t good = repeated(own_input());
    const uint64_t bad[] = {
        0, repeated(RVID_FIRST_MSI - 1), repeated(RVIC_UNTRUSTED),
        repeated(good | 1u << 31), UINT64_MAX,
    };

    for (const struct access *a = accesses; a < accesses + count; a++) {
        bool always = a->flags & SIGNALS, may = a->flags & MAY_SIGNAL;

        if (!exists(a)) {
            continue;
        }
        for (unsigned normal = 0; normal < 2; normal++) {
            make_access(me, a, offset, normal, good);
            if (offset == 0) {
                check_pending(me, a, offset, good, always || may, always);
            }
            for (size_t i = 0; a->flags & WRITES && i < ARRAY_SIZE(bad); i++) {
                if (offset == 0 || i == (offset & 1)) {
                    make_access(me, a, offset, normal, bad[i]);
                }
            }
            if (offset == 0) {
                check_pending(me, a, offset, bad[0], false, false);
            }
        }
    }
    check_pending(me, NULL, offset, good, false, false);
}

static void prepare_doorbell(Cpu *me)
{
    uint64_t self = cpu_mpidr(cpu_index()), intid = INTID_MSI + cpu_index();

    me->enabled = true;
    if (status(RVIC_ENABLE, 0, 0) | status(RVIC_SET_MASKED, self, intid) |
        status(RVIC_CLEAR_PENDING, self, intid) |
        hypercall(RVID_MAP, own_input(), self, intid).x0) {
        complain(me, (uint64_t[4]) { RVID_MAP }, (uint64_t[4]) { 0 });
    }
}

void plain_phase(Cpu *me)
{
    prepare_doorbell(me);
    for (int offset = -64; offset < PAGE + 64; offset++) {
        if (offset < 64 || offset > PAGE - 64 || !random_below(me, thin)) {
            access_offset(me, plain, ARRAY_SIZE(plain), offset);
        }
    }
}

/* Each of these may stop all other vCPUs, so not everywhere */
void special_phase(Cpu *me)
{
    static const int around[] = { 0, 2048, PAGE };

    prepare_doorbell(me);
    for (size_t i = 0; i < ARRAY_SIZE(around); i++) {
        for (int n = -8; n <= 8; n++) {
            if (n == 0 || !random_below(me, thin)) {
                access_offset(me, special, ARRAY_SIZE(special),
                              around[i] + n);
            }
        }
    }
}

static uint64_t fetch(Cpu *me, uint64_t address)
{
    me->work++;
    me->esr = 0;
    me->fetching = true;
    asm volatile("blr %0" : : "r" (address) : "x30", "memory");
    me->fetching = false;
    return me->esr;
}

/* What the page reads as, 0, is no instruction; beside it is nothing. */
void fetch_phase(Cpu *me)
{
    static const int offsets[] = {
        -4, 0, 1, 2, 4, 8, 2048, PAGE - 4, PAGE - 1, PAGE,
    };

    for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
        for (unsigned normal = 0; normal < 2; normal++) {
            uint64_t address = (normal ? DOORBELL_NORMAL : RVID_DOORBELL) +
                               offsets[i];
            uint64_t esr = fetch(me, address);
            bool good = offsets[i] % 4 ? ESR_CLASS(esr) == CLASS_PC :
                        is_outside(offsets[i], 4) ?
                        ESR_CLASS(esr) == CLASS_FETCH &&
                        ABORT_STATUS(esr) == ABORT_EXTERNAL :
                        esr == ESR_UNDEFINED ||
                        ESR_CLASS(esr) == CLASS_FETCH;

            if (!good) {
                complain(me, (uint64_t[4]) { 4, address },
                         (uint64_t[4]) { esr });
            }
        }
    }
}

/*
 * fw_cfg's DMA lets a device access what the guest wants it to.
 */

static uint32_t fw_cfg_dma(uint64_t request)
{
    write32(FW_CFG_DMA, __builtin_bswap32(request >> 32));
    write32(FW_CFG_DMA + 4, __builtin_bswap32(request));
    return __builtin_bswap32(read32(request));
}

static void try_dma(Cpu *me, int offset, unsigned length, unsigned how)
{
    static struct {
        uint32_t control, length;
        uint64_t address;
    } request __attribute__((aligned(16)));
    uint64_t result;

    request.control = __builtin_bswap32(how);
    request.length = __builtin_bswap32(length);
    request.address = __builtin_bswap64(RVID_DOORBELL + offset);
    barrier();
    result = fw_cfg_dma((uint64_t)&request);
    me->work++;
    me->written += length;
    /* The item cannot be written. */
    if (result != 0 && (result != FW_CFG_DMA_ERROR ||
                        (how == FW_CFG_DMA_SIGNATURE &&
                         is_inside(offset, length)))) {
        complain(me, (uint64_t[]) { FW_CFG_DMA, offset, length, how },
                 (uint64_t[4]) { result });
    }
}

/* Only the first vCPU: there is one fw_cfg. */
void dma_phase(Cpu *me)
{
    static const int offsets[] = { -4, -1, 0, 1, 2, 4, 4092, 4095, 4096 };
    static const unsigned lengths[] = { 0, 1, 2, 3, 4, 7, 8, 64, 4096, 65536 };

    me->work++;
    if (me != &cpus[0]) {
        return;
    }
    prepare_doorbell(me);
    for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(lengths); j++) {
            try_dma(me, offsets[i], lengths[j], FW_CFG_DMA_SIGNATURE);
            try_dma(me, offsets[i], lengths[j], FW_CFG_DMA_WRITE_ITEM);
        }
        /* The request itself is read there, and its result is written. */
        if (offsets[i] >= 0 && offsets[i] % 4 == 0) {
            fw_cfg_dma(RVID_DOORBELL + offsets[i]);
        }
        check_pending(me, NULL, offsets[i], 0, false, false);
    }
}

void random_access(Cpu *me)
{
    bool is_special = random_below(me, 32) == 0;
    const struct access *access = is_special ?
        &special[random_below(me, ARRAY_SIZE(special))] :
        &plain[random_below(me, ARRAY_SIZE(plain))];
    int offset = random_below(me, 2) ? 0 :
                 (int)random_below(me, PAGE + 128) - 64;

    if (exists(access)) {
        make_access(me, access, offset, random_below(me, 2),
                    random_below(me, 4) ? random_argument(me) :
                    RVID_FIRST_MSI + random_below(me, RVIC_UNTRUSTED));
    }
}
