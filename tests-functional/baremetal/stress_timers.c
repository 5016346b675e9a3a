/*
 * Bare-metal guest: timers under stress, each by its own vCPU only
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "stress.h"

#define TIMER_ENABLE    1
#define TIMER_STATUS    4       /* the condition is met */

static uint64_t timer_control(unsigned index)
{
    return index ? sysreg_read(cntp_ctl_el0) : sysreg_read(cntv_ctl_el0);
}

static void timer_set_control(unsigned index, uint64_t value)
{
    if (index) {
        sysreg_write(cntp_ctl_el0, value);
    } else {
        sysreg_write(cntv_ctl_el0, value);
    }
}

static void timer_set_time(unsigned index, uint64_t in_ticks)
{
    if (index) {
        sysreg_write(cntp_cval_el0, sysreg_read(cntpct_el0) + in_ticks);
    } else {
        sysreg_write(cntv_cval_el0, sysreg_read(cntvct_el0) + in_ticks);
    }
}

void arm_timer(struct cpu *me, unsigned index, unsigned most_us)
{
    struct timer *t = &me->timer[index];

    t->armed = true;
    t->arms++;
    timer_set_time(index, ticks(random(me, false, most_us + 1)));
    timer_set_control(index, TIMER_ENABLE);
}

void resume_timer(struct cpu *me, unsigned index)
{
    struct timer *t = &me->timer[index];

    /* An edge that came while it was masked has to do without RESAMPLE. */
    if (!t->fresh) {
        must(RVIC_RESAMPLE, timer_intids[index], 0, 0);
    }
    t->parked = t->fresh = false;
    unmask(index_of(me), timer_intids[index]);
}

/*
 * The line falls. The INTID may be pending already, and then comes for nothing:
 * once for each time that this is done, since without an edge or RESAMPLE
 * while the line is high it does not become pending again.
 */
static void cancel_timer(struct cpu *me, unsigned index)
{
    struct timer *t = &me->timer[index];

    timer_set_control(index, 0);
    if (PARAMETERS->sampled) {
        /* KVM tells of the line when the vCPU exits: else there is no edge. */
        is_pending(index_of(me), timer_intids[index]);
    }
    t->armed = false;
    t->cancels++;
}

/*
 * The deadline has passed, and the interrupt has not been taken, or it was
 * resampled since. So it has to be pending.
 */
static void check_expired(struct cpu *me, unsigned index)
{
    unsigned self = index_of(me);

    if (timer_control(index) & TIMER_STATUS &&
        !is_pending(self, timer_intids[index])) {
        fault(LOST, self, timer_intids[index], 0);
    }
}

void use_timer(struct cpu *me)
{
    unsigned index = random(me, false, TIMERS);
    struct timer *t = &me->timer[index];

    if (t->parked) {
        if (chance(me, false, 4)) {
            resume_timer(me, index);
        } else if (chance(me, false, 4)) {
            cancel_timer(me, index);
            arm_timer(me, index, 50);
            t->fresh = true;
        }
    } else if (!t->armed) {
        arm_timer(me, index, 300);
    } else {
        check_expired(me, index);
        if (chance(me, false, 4)) {
            cancel_timer(me, index);
        }
    }
}

void handle_timer(struct cpu *me, unsigned index)
{
    struct timer *t = &me->timer[index];

    if (t->parked) {
        fault(MASKED, index_of(me), timer_intids[index], 0);
        mask(index_of(me), timer_intids[index]);
        return;
    }
    if (!t->armed || !(timer_control(index) & TIMER_STATUS)) {
        if (++t->spurious > t->cancels) {
            fault(INVENTED, index_of(me), timer_intids[index], t->spurious);
            return;
        }
    } else if (chance(me, true, 8)) {
        t->kept++;
    } else if (leave_masked(me)) {
        /* As KVM does: the line stays high */
        t->kept++;
        t->parked = true;
        return;
    } else {
        timer_set_control(index, 0);
        t->armed = false;
        t->fires++;
    }
    resume_timer(me, index);
}
