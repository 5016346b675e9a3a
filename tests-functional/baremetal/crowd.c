/*
 * Bare-metal guest: all vCPUs use one instance
 *
 * Seven vCPUs signal, mask, unmask, clear and ask for the same INTIDs of the
 * eighth, which acknowledges what comes. Each of the seven has a further INTID
 * in the same words, of which it sends a signal when the last one was taken.
 * The eighth has one more for itself.
 *
 * Whatever the others do, a call has taken effect when it returns: the IRQ of
 * the vCPU that made it is what its instance says.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "runtime.h"
#include "rvic.h"

/* Where QEMU's loader puts the number of rounds */
#define PARAMETERS      0x47000000

/* Nobody is so slow. */
#define PATIENCE_US     20000000

#define CPUS            8
#define CALLS           400             /* of each vCPU in a round */

/* Everybody's: trusted ones and untrusted ones without inputs */
#define SHARED          8
#define SHARED_INTID(n) ((n) % 2 ? (n) : RVIC_TRUSTED + (n))
/* A vCPU's */
#define EXACT_INTID(n)  (((n) % 2 ? 8 : RVIC_TRUSTED + 8) + (n))
#define OWN_INTID       20
#define BIT_INTID(n)    (21 + (n))

#define INTIDS          (RVIC_TRUSTED + 32)

static uint64_t self;
static uint64_t round, finished, toggled;
static uint64_t sent[CPUS], taken[INTIDS];

static uint64_t status(uint64_t function, uint64_t intid)
{
    return hypercall(function, self, intid, 0).x0;
}

/* Takes what there is, if somebody has not masked or cleared it meanwhile */
static uint64_t acknowledge(void)
{
    struct result result = hypercall(RVIC_ACKNOWLEDGE, 0, 0, 0);

    if (result.x0 == RVIC_SUCCESS) {
        atomic_add(&taken[result.x1 % INTIDS], 1);
        status(RVIC_CLEAR_MASKED, result.x1);
    }
    return result.x0;
}

static void take(struct frame *frame)
{
    (void)frame;
    acknowledge();
}

static bool irq_is_pending(void)
{
    return sysreg_read(isr_el1) & PSTATE_I;
}

static void disturb(unsigned index, uint64_t *seed)
{
    static const uint32_t functions[] = {
        RVIC_SIGNAL, RVIC_SIGNAL, RVIC_SET_MASKED, RVIC_CLEAR_MASKED,
        RVIC_CLEAR_PENDING, RVIC_IS_PENDING,
    };
    unsigned exact = EXACT_INTID(index), other;

    for (unsigned n = 0; n < CALLS; n++) {
        *seed = *seed * 6364136223846793005 + 1442695040888963407;
        other = *seed >> 56;
        status(functions[(*seed >> 40) % ARRAY_SIZE(functions)],
               SHARED_INTID(other % SHARED));
        if (atomic_load(&taken[exact]) == sent[index] &&
            status(RVIC_SIGNAL, exact) == RVIC_SUCCESS) {
            sent[index]++;
        }
        /* Delivery of somebody else's waits for a moment. */
        if (other % 4 == 0) {
            other = EXACT_INTID(1 + other / 4 % (CPUS - 1));
            status(RVIC_SET_MASKED, other);
            status(RVIC_CLEAR_MASKED, other);
        }
    }
}

static void disturber(void)
{
    unsigned index = cpu_index();
    uint64_t seed = index;

    for (uint64_t mine = 1;; mine++) {
        while (atomic_load(&round) < mine) {
            yield();
        }
        disturb(index, &seed);
        atomic_add(&finished, 1);
    }
}

static struct {
    uint64_t unmasked, enabled, disabled, tries;
} wrong;

static void expect_own(const char *name)
{
    expect(wrong.unmasked, 0);
    expect(wrong.enabled, 0);
    expect(wrong.disabled, 0);
    expect(wrong.tries > 0, true);
    wrong.unmasked = wrong.enabled = wrong.disabled = wrong.tries = 0;
    verdict(name);
}

/*
 * The own interrupt is the vCPU's alone, so whether it is deliverable, and
 * with it the IRQ, depends on nobody else; a disabled instance delivers
 * nothing.
 */
static void look_at_own(void)
{
    wrong.tries++;
    status(RVIC_SIGNAL, OWN_INTID);
    status(RVIC_CLEAR_MASKED, OWN_INTID);
    wrong.unmasked += !irq_is_pending();
    hypercall(RVIC_DISABLE, 0, 0, 0);
    wrong.disabled += irq_is_pending();
    hypercall(RVIC_ENABLE, 0, 0, 0);
    wrong.enabled += !irq_is_pending();
    status(RVIC_SET_MASKED, OWN_INTID);
}

/*
 * Two vCPUs write bits of the same words, without a change of the output, for
 * which they would have to wait for each other.
 */
static uint64_t look_at_bit(unsigned intid)
{
    uint64_t lost = 0;

    status(RVIC_SIGNAL, intid);
    lost += hypercall(RVIC_IS_PENDING, self, intid, 0).x1 != 1;
    status(RVIC_CLEAR_PENDING, intid);
    lost += hypercall(RVIC_IS_PENDING, self, intid, 0).x1 != 0;
    return lost;
}

static uint64_t lost, bits_done;

static void other_bits(void)
{
    while (!atomic_load(&finished)) {
        lost += look_at_bit(BIT_INTID(1));
        atomic_add(&toggled, 1);
        yield();
    }
    atomic_store(&bits_done, 1);
}

/* Has the output change with each call */
static void toggle(void)
{
    while (!atomic_load(&finished)) {
        status(RVIC_SIGNAL, SHARED_INTID(0));
        status(RVIC_CLEAR_PENDING, SHARED_INTID(0));
        atomic_add(&toggled, 1);
        yield();
    }
}

/* Lets the other vCPU come to any point of what it does */
static void wait_for_toggle(unsigned more)
{
    uint64_t before = atomic_load(&toggled);

    while (atomic_load(&toggled) == before) {
        yield();
    }
    while (more--) {
        asm volatile("" : : : "memory");
    }
}

/* Asking all the time would keep QEMU's lock from that vCPU. */
static void wait_for_off(void)
{
    wait_at_most(PATIENCE_US, (delay(1000), cpu_is_off(1)));
}

static void bits(uint64_t tries)
{
    uint64_t mine = 0;

    expect(cpu_on(1, other_bits), 0);
    wait_for_toggle(0);
    for (uint64_t n = 0; n < 10 * tries; n++) {
        mine += look_at_bit(BIT_INTID(0));
        if (n % 10 == 0) {
            wait_for_toggle(n % 64);
        }
    }
    atomic_store(&finished, 1);
    wait_for_off();
    expect(mine, 0);
    expect(lost, 0);
    expect(bits_done, 1);
    atomic_store(&finished, 0);
    verdict("crowd/bits");
}

/*
 * One other vCPU only, for threads that wait for a processor leave less to
 * chance. Each call here is one that changes nothing if the other vCPU is just
 * about to do the same to the output.
 */
static void duel(uint64_t tries)
{
    expect(status(RVIC_CLEAR_MASKED, SHARED_INTID(0)), RVIC_SUCCESS);
    expect(status(RVIC_SIGNAL, OWN_INTID), RVIC_SUCCESS);
    expect(cpu_on(1, toggle), 0);
    for (uint64_t n = 0; n < tries; n++) {
        status(RVIC_CLEAR_MASKED, OWN_INTID);
        wrong.unmasked += !irq_is_pending();
        /* Nothing of what the other one did before comes late. */
        wait_for_toggle(0);
        wrong.unmasked += !irq_is_pending();
        status(RVIC_SET_MASKED, OWN_INTID);
        wait_for_toggle(n % 64);
    }
    for (uint64_t n = 0; n < tries; n++) {
        hypercall(RVIC_DISABLE, 0, 0, 0);
        wrong.disabled += irq_is_pending();
        wait_for_toggle(0);
        wrong.disabled += irq_is_pending();
        hypercall(RVIC_ENABLE, 0, 0, 0);
        wait_for_toggle(n % 64);
    }
    atomic_store(&finished, 1);
    wait_for_off();
    wrong.tries = tries;
    expect_own("crowd/duel");
}

/* An INTID of the UART's, masked on both vCPUs */
#define LEVEL           (RVIC_TRUSTED + SHARED + CPUS)

/* Has an input that is high mapped where it is, and now and then elsewhere */
static void map_again(void)
{
    uint64_t refused = 0;

    for (uint64_t n = 0; !atomic_load(&finished); n++) {
        refused += hypercall(RVID_MAP, INPUT_UART, cpu_mpidr(n % 8 == 7),
                             LEVEL).x0 != RVIC_SUCCESS;
        refused += hypercall(RVID_MAP, INPUT_UART, self, LEVEL).x0 !=
                   RVIC_SUCCESS;
        atomic_add(&toggled, 1);
        yield();
    }
    atomic_store(&bits_done, 1 + refused);
}

/*
 * While it is mapped to one of two vCPUs, it is high on one of them: who asks
 * here, there and here again finds it, if it moved once at most meanwhile.
 */
static void map(uint64_t tries)
{
    uint64_t nowhere = 0, mine = 0;

    uart_write(UART_CR, UART_CR_ENABLE);
    uart_write(UART_IMSC, UART_TXI);
    puts("\n");
    expect(hypercall(RVID_MAP, INPUT_UART, self, LEVEL).x0, RVIC_SUCCESS);
    expect(hypercall(RVIC_IS_PENDING, self, LEVEL, 0).x1, 1);
    atomic_store(&bits_done, 0);
    atomic_store(&finished, 0);
    expect(cpu_on(1, map_again), 0);
    wait_for_toggle(0);
    for (uint64_t n = 0; n < 10 * tries; n++) {
        uint64_t before = atomic_load(&toggled);
        bool found = hypercall(RVIC_IS_PENDING, self, LEVEL, 0).x1 ||
                     hypercall(RVIC_IS_PENDING, cpu_mpidr(1), LEVEL, 0).x1 ||
                     hypercall(RVIC_IS_PENDING, self, LEVEL, 0).x1;

        if (atomic_load(&toggled) - before <= 1) {
            nowhere += !found;
            mine++;
        }
        if (n % 10 == 0) {
            wait_for_toggle(n % 64);
        }
    }
    atomic_store(&finished, 1);
    wait_for_off();
    expect(nowhere, 0);
    expect(mine > 0, true);
    expect(bits_done, 1);
    uart_write(UART_IMSC, 0);
    expect(hypercall(RVID_UNMAP, INPUT_UART, 0, 0).x0, RVIC_SUCCESS);
    atomic_store(&finished, 0);
    verdict("crowd/map");
}

/* Nobody else makes calls: the IRQ is there for as long as an INTID is. */
static void look_at_all(void)
{
    bool pending;

    irq_mask();
    do {
        pending = irq_is_pending();
        expect(acknowledge() == RVIC_SUCCESS, pending);
    } while (pending);
    irq_unmask();
}

void main(void)
{
    const uint64_t *parameters = (const uint64_t *)PARAMETERS;
    uint64_t rounds = parameters[0];
    uint64_t exact = 0;
    unsigned started = 0;

    irq_hook = take;
    self = cpu_mpidr(0);
    hypercall(RVIC_ENABLE, 0, 0, 0);
    bits(parameters[1]);
    map(parameters[1]);
    duel(parameters[1]);
    for (unsigned n = 1; n < CPUS; n++) {
        expect(status(RVIC_CLEAR_MASKED, EXACT_INTID(n)), RVIC_SUCCESS);
        started += cpu_on(n, disturber) == 0;
    }
    expect(started, CPUS - 1);
    verdict("crowd/start");
    if (started < CPUS - 1) {
        return;
    }

    irq_unmask();
    for (uint64_t n = 1; n <= rounds; n++) {
        atomic_store(&finished, 0);
        atomic_store(&round, n);
        do {
            irq_mask();
            look_at_own();
            irq_unmask();
            yield();
        } while (atomic_load(&finished) < CPUS - 1);
        look_at_all();
    }
    irq_mask();
    verdict("crowd/line-at-rest");

    for (unsigned n = 1; n < CPUS; n++) {
        expect(taken[EXACT_INTID(n)], sent[n]);
        exact += sent[n];
    }
    expect(exact > 0, true);
    verdict("crowd/exact");

    expect_own("crowd/line-behind-call");

    expect(taken[OWN_INTID], 0);
    verdict("crowd/own");
    puts("DONE\n");
}
