/*
 * Bare-metal guest: the accounts of the stress, printed and checked
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "stress.h"

static const char *const fault_texts[] = {
    [STATUS] = "status",
    [INVENTED] = "invented",
    [MASKED] = "masked",
    [LOST] = "lost",
    [UNFAIR] = "unfair",
    [OUTPUT] = "output",
    [STORM] = "storm",
    [LEFT] = "left",
    [OVERLAP] = "overlap",
};

static void figure(const char *name, uint64_t value)
{
    puts(" ");
    puts(name);
    puts(" ");
    putdec(value);
}

#define SUM(array, count, field) ({                     \
    uint64_t sum_ = 0;                                  \
    for (unsigned i_ = 0; i_ < (count); i_++) {         \
        sum_ += (array)[i_].field;                      \
    }                                                   \
    sum_;                                               \
})

#define SUM_CPUS(array, count, field) ({                \
    uint64_t all_ = 0;                                  \
    for (unsigned c_ = 0; c_ < CPUS; c_++) {            \
        all_ += SUM(cpus[c_].array, count, field);      \
    }                                                   \
    all_;                                               \
})

void account_ipis(void)
{
    puts("once:");
    figure("sent", SUM_CPUS(once, CPUS, sent));
    figure("received", SUM_CPUS(once, CPUS, received));
    figure("refused", SUM_CPUS(once, CPUS, refused));
    figure("retracted", SUM_CPUS(once, CPUS, retracted));
    puts("\nmerged:");
    figure("sent", SUM_CPUS(merged, MERGED, signals));
    figure("received", SUM_CPUS(merged, MERGED, received));
    figure("refused", SUM_CPUS(merged, MERGED, refused));
    puts("\nown:");
    figure("sent", SUM_CPUS(own, OWN, sent));
    figure("received", SUM_CPUS(own, OWN, received));
    puts("\n");

    for (unsigned c = 0; c < CPUS; c++) {
        for (unsigned i = 0; i < CPUS; i++) {
            const struct once *o = &cpus[c].once[i];

            expect(o->received + o->refused + o->retracted, o->sent);
        }
    }
    verdict("stress/once");

    for (unsigned c = 0; c < CPUS; c++) {
        for (unsigned i = 0; i < MERGED; i++) {
            const struct merged *m = &cpus[c].merged[i];

            expect(m->signals + m->refused, m->announced);
            expect(m->seen >= m->accepted, true);
            expect(m->received <= m->signals, true);
        }
    }
    verdict("stress/merged");

    for (unsigned c = 0; c < CPUS; c++) {
        for (unsigned i = 0; i < OWN; i++) {
            expect(cpus[c].own[i].received, cpus[c].own[i].sent);
        }
    }
    verdict("stress/own");
}

void account_timers(void)
{
    puts("timers:");
    figure("armed", SUM_CPUS(timer, TIMERS, arms));
    figure("fired", SUM_CPUS(timer, TIMERS, fires));
    figure("cancelled", SUM_CPUS(timer, TIMERS, cancels));
    figure("resampled", SUM_CPUS(timer, TIMERS, kept));
    figure("spurious", SUM_CPUS(timer, TIMERS, spurious));
    puts("\n");

    for (unsigned c = 0; c < CPUS; c++) {
        for (unsigned i = 0; i < TIMERS; i++) {
            const struct timer *t = &cpus[c].timer[i];

            expect(t->fires + t->cancels, t->arms);
            expect(t->spurious <= t->cancels, true);
        }
    }
    verdict("stress/timers");
}

void account_msis(void)
{
    puts("msis:");
    figure("sent", SUM(irqs, num_irqs, sent));
    figure("received", SUM(irqs, num_irqs, received));
    figure("dropped", SUM(irqs, num_irqs, dropped));
    puts("\nmoves:");
    figure("private", SUM(irqs, num_irqs, moves));
    figure("pending", SUM(irqs, num_irqs, moved_pending));
    figure("in-handler", SUM(irqs, num_irqs, moved_busy));
    figure("resent", SUM(irqs, num_irqs, resent));
    figure("shared", SUM(pins, PINS, moves));
    figure("taken", SUM(irqs, num_irqs, moved_taken) +
                    SUM(pins, PINS, moved_taken));
    figure("unmapped", SUM(cpus, CPUS, unmaps));
    puts("\n");

    for (unsigned i = 0; i < num_irqs; i++) {
        expect(irqs[i].received, irqs[i].sent);
    }
    verdict("stress/msis");
}

/*
 * See struct source. Each time that a level is raised it is acknowledged once:
 * the edge is used up by that, and the level falls before a handler unmasks it,
 * or the handler leaves it high and is not counted. A level that moves comes to
 * the new target as well, if the old one has taken it, or it is pending and
 * stays so. More is invented. A line of its own counts for itself, what shares
 * counts together.
 */
void account_levels(void)
{
    uint64_t pool_raised = 0;

    puts("levels:");
    figure("raised", SUM(sources, num_sources, raised));
    figure("served", SUM(sources, num_sources, served));
    figure("withdrawn", SUM(sources, num_sources, withdrawn));
    figure("deferred", SUM(irqs, num_irqs, deferred) +
                       SUM(cpus, CPUS, pool_deferred));
    figure("spurious", SUM(irqs, num_irqs, spurious) +
                       SUM(cpus, CPUS, pool_spurious));
    puts("\n");

    for (unsigned i = 0; i < num_sources; i++) {
        const struct source *s = &sources[i];

        expect(s->served + s->withdrawn, s->raised);
        if (s->input >= INPUT_PCI && s->input < INPUT_PCI + PINS) {
            pool_raised += s->raised;
        }
    }
    verdict("stress/levels");

    for (unsigned i = 0; i < num_irqs; i++) {
        const struct source *s = irqs[i].line;

        if (s) {
            expect(s->served + irqs[i].spurious <=
                   s->raised + irqs[i].moved_taken, true);
        }
    }
    expect(SUM(cpus, CPUS, pool_fruitful) + SUM(cpus, CPUS, pool_spurious) <=
           pool_raised + SUM(pins, PINS, moved_taken), true);
    verdict("stress/spurious");
}

void account_cpus(void)
{
    uint64_t bypass = 0;

    for (unsigned c = 0; c < CPUS; c++) {
        if (cpus[c].max_bypass > bypass) {
            bypass = cpus[c].max_bypass;
        }
    }
    puts("cpus:");
    figure("rounds", cpus[0].round);
    figure("acknowledged", SUM(cpus, CPUS, acks));
    figure("exceptions", SUM(cpus, CPUS, irqs));
    figure("empty", SUM(cpus, CPUS, empty));
    figure("masks", SUM(cpus, CPUS, masks));
    figure("disables", SUM(cpus, CPUS, disables));
    figure("sleeps", SUM(cpus, CPUS, sleeps));
    figure("max-bypass", bypass);
    puts("\n");
}

void account_faults(void)
{
    for (unsigned i = 0; i < NUM_FAULTS; i++) {
        if (faults[i].count) {
            puts("fault ");
            puts(fault_texts[i]);
            figure("times", faults[i].count);
            figure("cpu", faults[i].cpu);
            figure("what", faults[i].what);
            figure("value", faults[i].value);
            puts("\n");
        }
        expect(faults[i].count, 0);
    }
    verdict("stress/faults");
}
