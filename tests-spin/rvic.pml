/*
 * rVIC and rVID with their Linux drivers: a model for the model checker spin
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Two vCPUs, two inputs with an untrusted INTID each, and on each vCPU two
 * trusted INTIDs, an IPI and a timer. spin tries every order in which vCPUs,
 * devices and administrators can make their steps, for any number of steps.
 *
 * Read it beside what it models, where its inlines have their names from:
 *
 *   device    docs/specs/arm-rvic.rst, hw-intc/rvic_core.c, rvid_core.c,
 *             arm_rvic.c
 *   drivers   linux/irq-rvic.c, linux/irq-rvid.c
 *   Linux     6.12, kernel/irq/: chip.c, handle.c, resend.c, manage.c,
 *             cpuhotplug.c
 *
 * What is checked, in every state that can be reached
 *
 *   lost_interrupt     Nobody has anything to do, yet a device waits to be
 *                      served whose interrupt is not disabled.
 *   wrong_mask         Nobody has anything to do, yet an INTID is masked that
 *                      nobody wants masked, or the other way round.
 *   wrong_output       No call and no change of a line is under way, yet the
 *                      IRQ input of a vCPU is low while an INTID is deliverable
 *                      to it, or high without.
 *   late_output        A vCPU's call is over, and its IRQ input is not yet what
 *                      it is said to be.
 *   storm              An interrupt was delivered more than MAX_BARREN times in
 *                      a row without anything to serve, and without that its
 *                      device, or who moves or enables it, did anything. 1 is
 *                      the harmless re-delivery of a level that has fallen; to
 *                      move or enable what is being delivered may add one.
 *   extra              (with STEADY) An interrupt was delivered that its device
 *                      does not wait for.
 *   masked_delivered   ACKNOWLEDGE returned a masked INTID.
 *   runs_twice         A handler runs on two vCPUs at the same time.
 *   taken_away         free_irq() is through, and a vCPU goes on to handle the
 *                      interrupt, which may be another one's by now.
 *   call_failed        A hypercall of the drivers returned an error.
 *   served             (with LIVE, an LTL formula) Whoever waits is served at
 *                      last: nobody starves, and no vCPU is stuck.
 *   invalid end state  (with EVENTS, spin's own) Deadlock: everything has come
 *                      to rest, and a vCPU is in the middle of something.
 *
 * A scenario says who takes part, by -D switches
 *
 *   KIND0=, KIND1=     What device 0 or 1 is: MSI, PULSE, LEVEL (its interrupt
 *                      has type "level high") or UNTYPED (a level, but Linux
 *                      was not told). Default: there is none.
 *   MOVES              The affinity of interrupts changes.
 *   DISABLES           Handlers and others call disable_irq_nosync(), and
 *                      enable_irq() follows some time later.
 *   ONESHOT0           The handler of interrupt 0 is threaded (IRQF_ONESHOT).
 *   TIMERS=            HELD: each vCPU has a level-triggered timer. LATCHED: it
 *                      holds its line, too, but has type "edge rising".
 *   FREES              free_irq(), and request_irq() some time later, of device
 *                      0, which has to be a level: an MSI in between is lost.
 *   IPIS               The vCPUs send each other IPIs.
 *   HOTPLUG            vCPU 1 goes offline and comes back. Interrupt 0 was
 *                      requested with IRQF_NO_AUTOEN: it is routed to vCPU 1,
 *                      and enabled some time later.
 *   KEXEC              A kernel starts on what a crashed one, or a reset, has
 *                      left. It uses
 *                      vCPU 0, and device 0, which has to be a level, too.
 *   STEADY             Devices, which have to be levels, hold their lines until
 *                      they are served, and handlers do all there is to do.
 *                      Without MOVES and DISABLES, each rise is delivered once.
 *   MAX_BARREN=        See "storm". Default: 1, and 2 with MOVES, DISABLES,
 *                      FREES or HOTPLUG.
 *   EVENTS=            Devices and administrators do this many things in all.
 *   LIVE=              Check "served" for device 0 or 1. Handlers do all there
 *                      is to do, and from some time on nobody moves or disables
 *                      interrupts.
 *
 * A variant is a scenario with one mistake, planted by a switch: BUG_... in the
 * drivers or in Linux, DEV_... in the device. scripts/spin.py lists them with
 * what spin has to find; "scripts/test spin" runs them. By hand, with a copy of
 * this file in an empty directory:
 *
 *   spin -a -DKIND0=LEVEL -DMOVES -DBUG_EOI_IN_PROGRESS rvic.pml
 *   cc -O2 -w -DSAFETY -DBFS -DNOFAIR -o pan pan.c
 *   ./pan
 *   spin -t -B -DKIND0=LEVEL -DMOVES -DBUG_EOI_IN_PROGRESS rvic.pml
 *
 * The last line tells the story of an error, breadth-first search having found
 * the shortest one; with "-p -g" it shows each statement and what that changes.
 * For LIVE, it is "cc -O2 -w -DNOREDUCE" and "./pan -a -f -m1000000".
 *
 * What is one step
 *
 *   An rVIC call, or what a change of a line or an MSI does to an instance:
 *   each is one CALL, as each runs under the lock of that instance. The access
 *   of a handler to its device is one with what it does to the instance.
 *   Who leaves an instance whose output differs from what it was driven to, or
 *   is just being driven, has to drive it. It takes QEMU's big lock (BQL) for
 *   that, looks at the instance again and remembers the output in one step, and
 *   drives the vCPU's IRQ input in another one. Others come in between these
 *   three, by PAUSE. Where nothing differs, nothing follows. The last two are
 *   one step where the vCPU drives its own input: nobody else looks at that.
 *   Lines, MSIs, MAP, UNMAP and handlers' accesses to devices hold the BQL from
 *   the first of their steps to the last: rVIC calls come in between, but for
 *   their driving. MAP is the one that locks two instances.
 *   A call that is made with the BQL held already, as by some ways into QEMU,
 *   has fewer others in between, and is no case of its own.
 *   What drivers and Linux do between two of these touches data of their own
 *   vCPU, with interrupts off, or is protected by the lock of the interrupt's
 *   descriptor. It is one step with the next call, and so is taking the lock;
 *   releasing the lock is one step with the last one. No other process could
 *   tell the difference, for it has to take the lock to look.
 *   A vCPU takes an interrupt at any time while its IRQ input is high, without
 *   the BQL: TCG needs it, KVM does not. That the interrupt may be gone by then
 *   is the case NO_INTERRUPTS of ACKNOWLEDGE.
 *
 * What is left out
 *
 *   - The device's words of 32 INTIDs, its count of high inputs, and that it
 *     keeps "ready" up to date: here they are computed from their definitions.
 *     Reset, migration, wrong arguments.
 *   - Waiting for the BQL in turn. spin's fairness lets those wait for ever who
 *     find it taken each time they look: "served" is about MSIs that arrived.
 *   - Weak memory: steps are seen by all at once. BUG_IPI_EARLY stands for a
 *     missing barrier before SIGNAL.
 *   - irq_set_irqchip_state(), suspend, software resend, and handlers that
 *     several devices share.
 *   - What a task does is not interrupted. All that is modelled of tasks, but
 *     for the thread of ONESHOT0 and the sender of an IPI, has interrupts off.
 */

#define CPUS     2
#define NO_CPU   2

/* INTIDs of each vCPU */
#define IPI      0
#define TIMER    1
#define TRUSTED  2                      /* how many those are */
#define SPI(i)   (TRUSTED + (i))        /* that of input i */
#define INTIDS   4
#define NOTHING  INTIDS

#define INPUTS   2

/* Kinds of devices and timers */
#define ABSENT   0
#define MSI      1      /* writes to the doorbell */
#define PULSE    2      /* its line goes up and down again by itself */
#define LEVEL    3      /* holds its line until it is served */
#define UNTYPED  4      /* the same */
#define HELD     5
#define LATCHED  6

#ifndef KIND0
#define KIND0    ABSENT
#endif
#ifndef KIND1
#define KIND1    ABSENT
#endif
#ifndef TIMERS
#define TIMERS   ABSENT
#endif
#define KIND(i)  (((i) == 0) * KIND0 + ((i) == 1) * KIND1)

#define HOLDS_LINE(i)  (KIND(i) == LEVEL || KIND(i) == UNTYPED)

#ifndef MAX_BARREN
#if defined(MOVES) || defined(DISABLES) || defined(FREES) || defined(HOTPLUG)
#define MAX_BARREN  2
#else
#define MAX_BARREN  1
#endif
#endif

/*
 * A source of interrupts: what a handler serves. Inputs have one each, trusted
 * INTIDs one on each vCPU.
 */
#define SOURCES          (2 * INTIDS)
#define SOURCE(c, n)     (2 * (n) + ((n) < TRUSTED) * (c))
#define INPUT(i)         SOURCE(0, SPI(i))
#define TIMER_OF(c)      SOURCE(c, TIMER)
#define IPI_OF(c)        SOURCE(c, IPI)

/* ---- What is checked ---------------------------------------------------- */

bool lost_interrupt, wrong_mask, wrong_output, late_output, storm, extra,
     masked_delivered, runs_twice, taken_away, call_failed;

#define CHECK(good, problem)  problem = !(good); assert(!problem)

bool work[SOURCES];         /* it waits to be served */
byte barren[SOURCES];       /* deliveries that served nothing, in a row */
bool sending[INPUTS];       /* a device is between two of its steps */
bool busy[CPUS];            /* a vCPU is */
bool settled;               /* nothing is moved or disabled any more */

/* With EVENTS, everything comes to rest */
#ifdef EVENTS
byte events = EVENTS;
#define MAY_HAPPEN  (events > 0)
#define COUNT       events--
#else
#define MAY_HAPPEN  true
#define COUNT       skip
#endif

/* Something happened to a source from outside: it may be delivered again */
#define EVENT(s)  barren[s] = 0

inline delivered(s) {
    barren[s]++;
    CHECK(barren[s] <= MAX_BARREN, storm)
#ifdef STEADY
    ;
    CHECK(work[s], extra)
#endif
}

/* ---- The device: rVIC --------------------------------------------------- */

/*
 * What runs under the lock of an instance. Nobody waits for anything with that
 * lock held, so it needs no variable.
 */
#define CALL  d_step

/* QEMU's big lock, the BQL: a variable, as it is held over several steps */
bool bql;

/*
 * In an atomic sequence, others may come in between here. A rendezvous ends the
 * atomicity, for it passes that on to the receiver, and costs no state. The
 * sequence is atomic again when it goes on.
 */
chan others = [0] of { bit };
#define PAUSE  others!0

proctype Others() {
end:
    do
    :: others?0
    od
}

typedef Instance {
    bool on;
    bool pending[INTIDS];
    bool masked[INTIDS];
    bool level[INTIDS];     /* trusted: the line; untrusted: some input's */
    byte last;
    bool output;            /* what the IRQ input is, or is about to be */
    bool driving;           /* somebody is at it */
};

Instance inst[CPUS];

/* The IRQ input of each vCPU */
bool irq[CPUS];

/* rvic_core_is_deliverable() */
#define DELIVERABLE(c, n) \
    (inst[c].on && !inst[c].masked[n] && \
     (inst[c].pending[n] || ((n) >= TRUSTED && inst[c].level[n])))

#ifdef DEV_MASK_IGNORED
#define ACKNOWLEDGEABLE(c, n) \
    (inst[c].pending[n] || ((n) >= TRUSTED && inst[c].level[n]))
#else
#define ACKNOWLEDGEABLE(c, n)  DELIVERABLE(c, n)
#endif

/* rvic_has_output() */
#define HAS_OUTPUT(c) \
    (DELIVERABLE(c, 0) || DELIVERABLE(c, 1) || \
     DELIVERABLE(c, 2) || DELIVERABLE(c, 3))

/* bql_lock(), in an atomic sequence, which may have to wait here */
inline lock_bql() {
    !bql -> bql = 1
}

inline unlock_bql() {
    bql = 0
}

/* What a process found the output to be, before it has the BQL */
#if defined(DEV_STALE_OUTPUT) || defined(DEV_TAKEN_EARLY)
bool found[16];
#endif

/*
 * arm_rvic_output(), with the BQL held: rvic_core_take_output(), then
 * qemu_set_irq(). Only the vCPU itself can tell these two apart, by looking at
 * its IRQ input in between.
 */
inline drive(c) {
#if defined(DEV_TAKEN_EARLY)
    irq[c] = found[_pid]
#elif defined(DEV_NOT_REMEMBERED)
    irq[c] = HAS_OUTPUT(c)
#else
#ifdef DEV_STALE_OUTPUT
    inst[c].output = found[_pid];
#else
    inst[c].output = HAS_OUTPUT(c);
#endif
    if
    :: irq[c] != inst[c].output && c != me ->
        inst[c].driving = 1;
        PAUSE;
        inst[c].driving = 0
    :: else
    fi;
    irq[c] = inst[c].output
#endif
}

#ifdef DEV_DRIVING_IGNORED
#define DIFFERS(c)  (inst[c].output != HAS_OUTPUT(c))
#else
#define DIFFERS(c)  (inst[c].driving || inst[c].output != HAS_OUTPUT(c))
#endif

/* rvic_unlock(): the same atomic sequence as the CALL before */
inline core_unlock(c) {
    if
    :: DIFFERS(c) ->
#ifdef DEV_STALE_OUTPUT
        found[_pid] = HAS_OUTPUT(c);
#endif
        PAUSE;
#ifdef DEV_TAKEN_EARLY
        inst[c].output = HAS_OUTPUT(c);
        found[_pid] = inst[c].output;
        PAUSE;
#endif
        lock_bql();
        drive(c);
        unlock_bql()
    :: else -> CHECK(c != me || irq[c] == inst[c].output, late_output)
    fi
}

/* The same with the BQL held, which drives the output at once */
inline core_unlock_bql(c) {
    if
    :: c != NO_CPU && DIFFERS(c) ->
#ifdef DEV_STALE_OUTPUT
        found[_pid] = HAS_OUTPUT(c);
#endif
        PAUSE;
#ifdef DEV_TAKEN_EARLY
        inst[c].output = HAS_OUTPUT(c);
        found[_pid] = inst[c].output;
#endif
        drive(c)
    :: else
    fi
}

#ifdef DEV_MASKED_SIGNAL_LOST
#define TAKES_SIGNAL(c, n)  (inst[c].on && !inst[c].masked[n])
#else
#define TAKES_SIGNAL(c, n)  inst[c].on
#endif

/* rvic_signal() */
inline core_signal(c, n) {
    if
    :: TAKES_SIGNAL(c, n) -> inst[c].pending[n] = 1
    :: else
    fi
}

/* rvic_core_set_line() */
inline set_trusted_line(c, n, up) {
    if
    :: up && !inst[c].level[n] -> core_signal(c, n)
    :: else
    fi;
    inst[c].level[n] = up
}

inline set_masked(c, n) {
    atomic {
        CALL {
            printf("CPU%d: SET_MASKED (CPU%d, %d)\n", me, c, n);
            inst[c].masked[n] = 1
        };
        core_unlock(c)
    }
}

inline clear_masked(c, n) {
    atomic {
        CALL {
            printf("CPU%d: CLEAR_MASKED (CPU%d, %d)\n", me, c, n);
            inst[c].masked[n] = 0
        };
        core_unlock(c)
    }
}

inline is_pending(c, n, result) {
    atomic {
        CALL {
            result = inst[c].pending[n] || (n >= TRUSTED && inst[c].level[n]);
            printf("CPU%d: IS_PENDING (CPU%d, %d) -> %d\n", me, c, n, result)
        };
        core_unlock(c)
    }
}

inline clear_pending(c, n) {
    atomic {
        CALL {
            printf("CPU%d: CLEAR_PENDING (CPU%d, %d)\n", me, c, n);
            inst[c].pending[n] = 0
        };
        core_unlock(c)
    }
}

/* The drivers signal only where an instance is enabled */
inline signal(c, n) {
    atomic {
        CALL {
            printf("CPU%d: SIGNAL (CPU%d, %d)\n", me, c, n);
            CHECK(inst[c].on, call_failed);
            core_signal(c, n)
        };
        core_unlock(c)
    }
}

inline resample(n) {
    atomic {
        CALL {
            printf("CPU%d: RESAMPLE (%d)\n", me, n);
            if
            :: inst[me].level[n] -> core_signal(me, n)
            :: else
            fi
        };
        core_unlock(me)
    }
}

inline enable() {
    atomic {
        CALL {
            printf("CPU%d: ENABLE\n", me);
#ifndef DEV_ENABLE_NO_SAMPLE
            inst[me].pending[IPI] =
                inst[me].pending[IPI] || inst[me].level[IPI];
            inst[me].pending[TIMER] =
                inst[me].pending[TIMER] || inst[me].level[TIMER];
#endif
            inst[me].on = 1
        };
        core_unlock(me)
    }
}

inline disable() {
    atomic {
        CALL {
            printf("CPU%d: DISABLE\n", me);
            inst[me].on = 0
        };
        core_unlock(me)
    }
}

/* rvic_next(): the first one behind the last one, going round */
inline next(n) {
    tmp = 1;
    do
    :: tmp <= INTIDS ->
#ifdef DEV_LOWEST_FIRST
        n = tmp - 1;
#else
        n = (inst[me].last + tmp) % INTIDS;
#endif
        if
        :: ACKNOWLEDGEABLE(me, n) -> break
        :: else -> tmp++
        fi
    :: else ->
        n = NOTHING;
        break
    od;
    tmp = 0
}

inline acknowledge(n) {
    atomic {
        CALL {
            CHECK(inst[me].on, call_failed);
            next(n);
            if
            :: n == NOTHING -> printf("CPU%d: ACKNOWLEDGE -> none\n", me)
            :: else ->
                printf("CPU%d: ACKNOWLEDGE -> %d\n", me, n);
                CHECK(!inst[me].masked[n], masked_delivered);
                delivered(SOURCE(me, n));
                inst[me].last = n;
                inst[me].pending[n] = 0;
#ifdef DEV_ACK_CLEARS_LEVEL
                if
                :: n >= TRUSTED -> inst[me].level[n] = 0
                :: else
                fi;
#endif
                inst[me].masked[n] = 1
            fi
        };
        core_unlock(me)
    }
}

/* ---- The device: rVID --------------------------------------------------- */

bool line[INPUTS];
byte route_cpu[INPUTS] = NO_CPU;
byte route_intid[INPUTS];

#define HIGH(i, c, n) \
    (line[i] && route_cpu[i] == (c) && route_intid[i] == (n))

/* rvid_target_count(): a target is high while one of its inputs is */
inline update_level(c, n) {
    if
    :: c != NO_CPU -> inst[c].level[n] = HIGH(0, c, n) || HIGH(1, c, n)
    :: else
    fi
}

/* rvid_core_msi() */
inline input_edge(i) {
    if
    :: route_cpu[i] != NO_CPU -> core_signal(route_cpu[i], route_intid[i])
    :: else
    fi
}

/* rvid_core_set_line(), in an atomic sequence that has the BQL */
inline set_line(i, up) {
    if
    :: line[i] != up ->
        CALL {
            line[i] = up;
            update_level(route_cpu[i], route_intid[i]);
            if
#ifndef DEV_EDGE_LATER
            :: up -> input_edge(i)
#endif
#ifdef DEV_FALL_CLEARS_PENDING
            :: !up && route_cpu[i] != NO_CPU ->
                inst[route_cpu[i]].pending[route_intid[i]] = 0
#endif
            :: else
            fi
        };
        core_unlock_bql(route_cpu[i])
#ifdef DEV_EDGE_LATER
        ;
        if
        :: up ->
            PAUSE;
            input_edge(i);
            core_unlock_bql(route_cpu[i])
        :: else
        fi
#endif
    :: else
    fi
}

/* rvid_detach(). Only a high input's is a step on an instance. */
#define IN_USE(i)  (route_cpu[i] != NO_CPU && line[i])

inline detach(i) {
    if
    :: IN_USE(i) ->
        CALL {
            tmp = route_cpu[i];
            route_cpu[i] = NO_CPU;
            update_level(tmp, route_intid[i])
        };
        core_unlock_bql(tmp);
        tmp = 0;
        PAUSE
    :: else -> route_cpu[i] = NO_CPU
    fi
}

#ifdef DEV_MAP_UNLOCKED
inline attach(i, c, n) {
    CALL {
        route_cpu[i] = c;
        route_intid[i] = n;
        update_level(c, n)
    };
    if
    :: line[i] -> core_unlock_bql(c)
    :: else
    fi
}
#endif

/* rvid_call_map(), with rvic_core_move_level() */
inline map(i, c, n) {
    atomic {
        lock_bql();
        printf("CPU%d: MAP (%d, CPU%d, %d)\n", me, i, c, n);
#ifdef DEV_MAP_UNLOCKED
        detach(i);
        unlock_bql();
        PAUSE;
        lock_bql();
        attach(i, c, n);
#else
        CALL {
            tmp = route_cpu[i];
            route_cpu[i] = NO_CPU;
            update_level(tmp, route_intid[i]);
            route_cpu[i] = c;
            route_intid[i] = n;
#ifndef DEV_MAP_KEEPS_LEVEL
            update_level(c, n)
#endif
        };
        if
        :: line[i] ->
            core_unlock_bql(c);
            core_unlock_bql(tmp)
        :: else
        fi;
        tmp = 0;
#endif
        unlock_bql()
    }
}

inline unmap(i) {
    atomic {
        lock_bql();
        printf("CPU%d: UNMAP (%d)\n", me, i);
        detach(i);
        route_intid[i] = 0;
        unlock_bql()
    }
}

/* ---- Devices ------------------------------------------------------------ */

/*
 * They may do anything at any time, and more than once before anybody looks. An
 * MSI follows the work that it announces. A pulse is QEMU's qemu_irq_pulse(),
 * with the BQL held all the time: for as long as a line is high, its INTID is
 * delivered, but a handler that wants to look at the device waits.
 */
proctype Device(byte i) {
    byte tmp, me = NO_CPU;

end:
    do
    :: atomic {
        KIND(i) == MSI && MAY_HAPPEN ->
        printf("device %d: has work\n", i);
        COUNT;
        EVENT(INPUT(i));
        work[INPUT(i)] = 1;
        sending[i] = 1
       };
       atomic {
        lock_bql();
        CALL {
            printf("device %d: MSI\n", i);
            EVENT(INPUT(i));
            input_edge(i);
            sending[i] = 0
        };
        core_unlock_bql(route_cpu[i]);
        unlock_bql()
       }
    :: atomic {
        KIND(i) == PULSE && MAY_HAPPEN && !bql ->
        lock_bql();
        printf("device %d: has work, line rises and falls\n", i);
        COUNT;
        EVENT(INPUT(i));
        work[INPUT(i)] = 1;
        set_line(i, 1);
        if
        :: IN_USE(i) -> PAUSE
        :: else
        fi;
        set_line(i, 0);
        unlock_bql()
       }
    :: atomic {
        HOLDS_LINE(i) && !work[INPUT(i)] && MAY_HAPPEN && !bql ->
        lock_bql();
        printf("device %d: has work, line rises\n", i);
        COUNT;
        EVENT(INPUT(i));
        work[INPUT(i)] = 1;
        set_line(i, 1);
        unlock_bql()
       }
#ifndef STEADY
    :: atomic {
        HOLDS_LINE(i) && work[INPUT(i)] && MAY_HAPPEN && !bql ->
        lock_bql();
        printf("device %d: needs nothing any more, line falls\n", i);
        COUNT;
        EVENT(INPUT(i));
        work[INPUT(i)] = 0;
        set_line(i, 0);
        unlock_bql()
       }
#endif
    od
}

/* A vCPU's timer: its deadline passes. The handler sets the next one. */
proctype Timer(byte c) {
    byte me = NO_CPU;

end:
    do
    :: atomic {
        !work[TIMER_OF(c)] && MAY_HAPPEN && !bql ->
        lock_bql();
        CALL {
            printf("timer of CPU%d: line rises\n", c);
            COUNT;
            EVENT(TIMER_OF(c));
            work[TIMER_OF(c)] = 1;
            set_trusted_line(c, TIMER, 1)
        };
        core_unlock_bql(c);
        unlock_bql()
       }
    od
}

/* ---- Linux: descriptors of the inputs' interrupts ----------------------- */

#define NOBODY  CPUS

typedef Desc {
    byte owner = NOBODY;    /* of the lock */
    bool inprogress;        /* IRQD_IRQ_INPROGRESS */
    bool disabled;          /* IRQD_IRQ_DISABLED */
    bool started = 1;       /* IRQD_IRQ_STARTED */
    bool pending;           /* IRQS_PENDING */
    bool replay;            /* IRQS_REPLAY */
    bool masked;            /* IRQD_IRQ_MASKED, and rvic_irq.masked with it */
    byte dest = NO_CPU;     /* rvic_irq.cpu */
    bool running;           /* the handler, for "runs_twice" */
    bool woken, thread;     /* its thread is to run, runs */
    bool requesting;        /* request_mutex */
};

Desc desc[INPUTS];

/* rvic.masked, the bitmap of each CPU */
typedef Wanted {
    bool masked[TRUSTED];
};

Wanted percpu[CPUS];

/* rvic_handling of each CPU: an INTID, ANY, or NOTHING */
#ifdef FREES
#define ANY  (INTIDS + 1)
byte handling[CPUS] = NOTHING;
#endif

bool online[CPUS] = 1;
byte stopper = NOBODY;      /* the vCPU that stop_machine() lets run */

#define LEVEL_TYPE(i)  (KIND(i) == LEVEL)
#ifdef ONESHOT0
#define ONESHOT(i)     ((i) == 0)
#else
#define ONESHOT(i)     false
#endif

/* An interrupt is known from its allocation on, which is one with MAP here */
#define CLAIMED(i)     (desc[i].dest != NO_CPU)

/* In an atomic sequence, which may have to wait here */
inline lock(i) {
    desc[i].owner == NOBODY -> desc[i].owner = me
}

inline unlock(i) {
    desc[i].owner = NOBODY
}

/* ---- Drivers: trusted INTIDs and IPIs ----------------------------------- */

/* rvic_trusted_mask(), rvic_trusted_unmask(), rvic_trusted_eoi() */
inline trusted_mask(n) {
    atomic {
        percpu[me].masked[n] = 1;
        set_masked(me, n)
    }
}

inline trusted_end(n) {
    if
    :: atomic { n == TIMER && TIMERS == HELD -> resample(n) }
    :: else
    fi;
    clear_masked(me, n)
}

inline trusted_unmask(n) {
    atomic {
        EVENT(SOURCE(me, n));
        percpu[me].masked[n] = 0
    };
#ifdef BUG_UNMASK_NO_RESAMPLE
    clear_masked(me, n)
#else
    trusted_end(n)
#endif
}

inline trusted_eoi(n) {
    if
#ifdef BUG_EOI_UNMASKS
    :: true ->
#else
    :: !percpu[me].masked[n] ->
#endif
#ifdef BUG_EOI_NO_RESAMPLE
        clear_masked(me, n)
#else
        trusted_end(n)
#endif
    :: else
    fi
}

/* The handlers, under handle_percpu_devid_irq() */
inline serve_trusted(n) {
    if
    :: CALL {
        n == IPI ->
        printf("CPU%d: handles IPI\n", me);
        if
        :: work[IPI_OF(me)] -> EVENT(IPI_OF(me))
        :: else
        fi;
        work[IPI_OF(me)] = 0
       }
    :: atomic {
        n == TIMER && !bql ->
        lock_bql();
        CALL {
            printf("CPU%d: handles timer, sets a deadline to come\n", me);
            if
            :: work[TIMER_OF(me)] -> EVENT(TIMER_OF(me))
            :: else
            fi;
            work[TIMER_OF(me)] = 0;
            set_trusted_line(me, TIMER, 0)
        };
        core_unlock_bql(me);
        unlock_bql()
       }
#ifndef LIVE
    :: CALL {
        n == TIMER && TIMERS == HELD && work[TIMER_OF(me)] && !bql ->
        printf("CPU%d: handles timer, sets a passed deadline\n", me);
        EVENT(TIMER_OF(me))
       }
    :: atomic {
        n == TIMER && TIMERS == HELD ->
        printf("CPU%d: timer handler disables its interrupt\n", me);
        trusted_mask(TIMER)
       }
#endif
    fi
}

/* ---- Drivers: untrusted INTIDs ------------------------------------------ */

/*
 * rvic_route() with rvid_map(), under the descriptor's lock, in three parts:
 * the first is one step with taking the lock, the last with releasing it.
 */
inline route_begin(i, to) {
    old = desc[i].dest;
    set_masked(to, SPI(i))
}

inline route(i, to) {
#ifndef BUG_NEW_NOT_CLEARED
    clear_pending(to, SPI(i));
#endif
#ifndef BUG_OLD_NOT_MASKED
    atomic {
        if
        :: old != NO_CPU -> set_masked(old, SPI(i))
        :: else
        fi
    };
#endif
#ifdef BUG_UNMAP_FIRST
    unmap(i);
#endif
#ifdef BUG_PENDING_BEFORE_MAP
    is_pending(old, SPI(i), waits);
#endif
    map(i, to, SPI(i));
    atomic {
        if
#if !defined(BUG_PENDING_BEFORE_MAP) && !defined(BUG_PENDING_NOT_MOVED)
        :: old != NO_CPU -> is_pending(old, SPI(i), waits)
#endif
        :: else
        fi;
        if
        :: waits -> signal(to, SPI(i))
        :: else
        fi
    };
#ifndef BUG_OLD_NOT_CLEARED
    atomic {
        if
        :: waits -> clear_pending(old, SPI(i))
        :: else
        fi
    };
#endif
    atomic {
        waits = 0;
        old = 0
    }
}

inline route_end(i, to) {
    desc[i].dest = to;
    if
#ifdef BUG_UNMASKED_IN_PROGRESS
    :: !desc[i].masked ->
#else
    :: !desc[i].masked && !desc[i].inprogress ->
#endif
        clear_masked(to, SPI(i))
    :: else
    fi
}

/* rvic_untrusted_eoi() */
inline untrusted_eoi(i) {
#ifdef BUG_EOI_LOCKS
    lock(i);
    unlock(i);
#endif
    if
#if defined(BUG_EOI_IN_PROGRESS) || defined(BUG_UNMASKED_IN_PROGRESS)
    :: !desc[i].masked ->
#else
    :: !desc[i].masked && !desc[i].inprogress ->
#endif
#ifdef BUG_EOI_OWN_CPU
        clear_masked(me, SPI(i))
#else
        clear_masked(desc[i].dest, SPI(i))
#endif
    :: else
    fi
}

/* mask_irq(), unmask_irq() */
inline mask_irq(i) {
    if
    :: !desc[i].masked ->
        desc[i].masked = 1;
        set_masked(desc[i].dest, SPI(i))
    :: else
    fi
}

inline unmask_irq(i) {
    if
    :: desc[i].masked ->
        desc[i].masked = 0;
        clear_masked(desc[i].dest, SPI(i))
    :: else
    fi
}

/* check_irq_resend() with rvic_untrusted_retrigger() */
inline check_irq_resend(i) {
    if
    :: LEVEL_TYPE(i) -> desc[i].pending = 0
    :: !LEVEL_TYPE(i) && desc[i].pending && !desc[i].replay ->
        desc[i].pending = 0;
        desc[i].replay = 1;
        signal(desc[i].dest, SPI(i))
    :: else
    fi
}

/*
 * The interrupt's handler, under handle_irq_event(). What an MSI announces is
 * in memory, the rest in registers, which take the BQL.
 */
inline serve_input(i) {
    if
    :: CALL {
        KIND(i) == MSI || (KIND(i) == PULSE && !bql) ->
        printf("CPU%d: serves device %d\n", me, i);
        if
        :: work[INPUT(i)] -> EVENT(INPUT(i))
        :: else
        fi;
        work[INPUT(i)] = 0
       }
    :: atomic {
        HOLDS_LINE(i) && !bql ->
        lock_bql();
        printf("CPU%d: serves device %d, line falls\n", me, i);
        if
        :: work[INPUT(i)] -> EVENT(INPUT(i))
        :: else
        fi;
        work[INPUT(i)] = 0;
        set_line(i, 0);
        unlock_bql()
       }
#if !defined(LIVE) && !defined(STEADY)
    :: CALL {
        HOLDS_LINE(i) && work[INPUT(i)] && !bql ->
        printf("CPU%d: serves device %d, but not all of it\n", me, i);
        EVENT(INPUT(i))
       }
#endif
    fi
}

#ifdef BUG_RUNS_ANYWAY
#define MAY_RUN(i)  true
#else
#define MAY_RUN(i)  (!desc[i].inprogress)   /* irq_may_run() */
#endif

inline handle_fasteoi_irq(i) {
    atomic {
        lock(i);
        CHECK(CLAIMED(i), taken_away);
        if
        :: !MAY_RUN(i) ->
#ifndef BUG_NO_RESEND
            desc[i].pending = 1;
#endif
            untrusted_eoi(i);
            unlock(i);
            goto handled
        :: MAY_RUN(i) && desc[i].disabled ->
            desc[i].replay = 0;
            desc[i].pending = 1;
            mask_irq(i);
            unlock(i);                          /* masked: eoi does nothing */
            goto handled
        :: else
        fi;
        desc[i].replay = 0;
        desc[i].pending = 0;
        desc[i].inprogress = 1;
        CHECK(!desc[i].running, runs_twice);
        desc[i].running = 1;
        if
        :: ONESHOT(i) -> mask_irq(i)
        :: else
        fi;
        unlock(i)
    };

    if
    :: atomic { ONESHOT(i) -> desc[i].woken = 1 }
    :: atomic { !ONESHOT(i) -> serve_input(i) }
    fi;
#ifdef DISABLES
    if
    :: disable_irq(i)
    :: true
    fi;
#endif

    atomic {
        lock(i);
        desc[i].inprogress = 0;
        desc[i].running = 0;
        untrusted_eoi(i)                        /* a woken thread will unmask */
    };
    atomic {
        if
        :: desc[i].pending -> check_irq_resend(i)
        :: else
        fi;
        unlock(i)
    }
}

/*
 * rvic_handle_irq(), until the vCPU's IRQ input is low. What nobody claims is
 * from an earlier kernel.
 */
inline handle_irq() {
    do
    ::
#ifdef FREES
       /* rvic_acknowledge(), which tells rvic_is_handled() what it does */
#ifndef BUG_HANDLING_LATE
       handling[me] = ANY;
#endif
       acknowledge(n);
       atomic {
        handling[me] = n;
#else
       atomic {
        acknowledge(n);
#endif
        if
        :: n == NOTHING -> break
        :: n != NOTHING && n >= TRUSTED && !CLAIMED(n - TRUSTED) ->
#ifdef FREES
            CHECK(false, taken_away);
#endif
            goto handled
        :: n != NOTHING && n >= TRUSTED && CLAIMED(n - TRUSTED) ->
            i = n - TRUSTED;
            n = 0;
            goto untrusted
        :: else
        fi
       };
       serve_trusted(n);
       trusted_eoi(n);
       goto handled;
untrusted:
       handle_fasteoi_irq(i);
handled:
       atomic {
        n = 0;
        i = 0;
        if
        :: irq[me]                              /* rvic_irq_is_high() */
        :: else ->
#ifdef FREES
            handling[me] = NOTHING;
#endif
            break
        fi
       }
    od
}

/* ---- Linux: what vCPUs do besides --------------------------------------- */

/* disable_irq_nosync(): lazy, the INTID is masked when the interrupt comes */
inline disable_irq(i) {
    atomic {
        lock(i);
        printf("CPU%d: disables interrupt %d\n", me, i);
        desc[i].disabled = 1;
        unlock(i)
    }
}

/* enable_irq(), that is irq_startup() of one that was started before */
inline enable_irq(i) {
    atomic {
        lock(i);
        printf("CPU%d: enables interrupt %d\n", me, i);
        EVENT(INPUT(i));
        desc[i].disabled = 0;
        unmask_irq(i)
    };
    atomic {
        check_irq_resend(i);
        unlock(i)
    }
}

/* Any vCPU that is online */
inline any_cpu(to) {
    if
    :: online[0] -> to = 0
    :: online[1] -> to = 1
    fi
}

/* irq_startup() the first time, with irq_setup_affinity() */
inline start_irq(i) {
    atomic {
        lock(i);
        EVENT(INPUT(i));
        any_cpu(to);
        printf("CPU%d: starts interrupt %d, on CPU%d\n", me, i, to);
        desc[i].disabled = 0;
        desc[i].started = 1;
        unmask_irq(i)
    };
    if
    :: atomic { desc[i].dest != to -> route_begin(i, to) };
       route(i, to);
       route_end(i, to)
    :: desc[i].dest == to
    fi;
    atomic {
        check_irq_resend(i);
        unlock(i)
    }
}

/* irq_activate(), that is rvid_domain_activate() */
inline activate_irq(i) {
    atomic {
        lock(i);
        any_cpu(to);
        printf("CPU%d: activates interrupt %d, on CPU%d\n", me, i, to);
        route_begin(i, to)
    };
    route(i, to);
    atomic {
        route_end(i, to);
        unlock(i)
    }
}

/* rvic_is_handled() */
#ifdef BUG_HANDLING_IGNORED
#define HANDLES(c, n)  false
#else
#define HANDLES(c, n)  (handling[c] == ANY || handling[c] == (n))
#endif

/* free_irq(): irq_shutdown(), synchronize_irq(), rvid_domain_deactivate() */
inline free_irq(i) {
    atomic {
        lock(i);
        printf("CPU%d: frees interrupt %d\n", me, i);
        desc[i].disabled = 1;
        desc[i].started = 0;
        mask_irq(i);
        unlock(i)
    };
    do
    :: atomic {
        !desc[i].inprogress && desc[i].owner == NOBODY ->
        desc[i].owner = me;
        waits = HANDLES(0, SPI(i))
       };
       atomic {
        waits = waits || HANDLES(1, SPI(i));
        unlock(i);
        if
        :: !waits -> break
        :: else
        fi
       }
    od;
    atomic {
        lock(i);
        set_masked(desc[i].dest, SPI(i));
        desc[i].dest = NO_CPU
    };
    atomic {
        unmap(i);
        unlock(i);
        printf("CPU%d: has freed interrupt %d\n", me, i)
    }
}

/* irq_set_affinity(), to the other vCPU than it is on */
inline set_affinity(i) {
    atomic {
        lock(i);
        to = 1 - desc[i].dest;
        if
        :: desc[i].started && online[to] ->
            printf("CPU%d: moves interrupt %d to CPU%d\n", me, i, to);
            EVENT(INPUT(i));
            route_begin(i, to)
        :: else ->
            unlock(i);
            goto unmoved
        fi
    };
    route(i, to);
    atomic {
        route_end(i, to);
        unlock(i)
    };
unmoved:
    skip
}

/* irq_thread() once, with irq_finalize_oneshot() */
inline run_thread(i) {
    atomic {
        desc[i].woken = 0;
        desc[i].thread = 1;
        serve_input(i)
    };
    atomic {
        !desc[i].inprogress && desc[i].owner == NOBODY ->
        desc[i].owner = me;
        desc[i].thread = 0;
        if
        :: !desc[i].woken && !desc[i].disabled -> unmask_irq(i)
        :: else
        fi;
        unlock(i)
    }
}

/* An IPI, that is rvic_ipi_send_mask(), to the other vCPU */
#define OTHER  (1 - me)
inline send_ipi() {
#ifdef BUG_IPI_EARLY
    signal(OTHER, IPI);
#endif
    CALL {
        printf("CPU%d: leaves something for the other vCPU\n", me);
        work[IPI_OF(OTHER)] = 1;
        EVENT(IPI_OF(OTHER))
    };
#ifndef BUG_IPI_EARLY
    atomic {
        EVENT(IPI_OF(OTHER));
        signal(OTHER, IPI)
    }
#endif
}

/*
 * Under stop_machine(): irq_migrate_all_off_this_cpu(), then the callbacks of a
 * dying vCPU. Interrupts that are not started stay where they are.
 */
inline go_offline() {
    do
    :: atomic {
        i < INPUTS && desc[i].dest == me && desc[i].started ->
        lock(i);
        EVENT(INPUT(i));
        route_begin(i, OTHER)
       };
       route(i, OTHER);
       atomic {
        route_end(i, OTHER);
        unlock(i);
        i++
       }
    :: atomic { i < INPUTS && !(desc[i].dest == me && desc[i].started) -> i++ }
    :: atomic { i == INPUTS -> i = 0; break }
    od;
    trusted_mask(TIMER);
#if defined(BUG_OFFLINE_DISABLES) || defined(BUG_ENABLE_LATE)
    disable();
#endif
    stopper = NOBODY
}

/* rvic_cpu_starting(), then the timer's callback, enable_percpu_irq() */
inline come_online() {
#ifdef BUG_STARTING_DISABLES
    disable();
#endif
    work[IPI_OF(me)] = 0;
    trusted_mask(IPI);
    clear_pending(me, IPI);
    trusted_mask(TIMER);
    clear_pending(me, TIMER);
#ifndef BUG_ENABLE_LATE
    enable();
#endif
    trusted_unmask(IPI);
    trusted_unmask(TIMER);
    atomic {
        online[me] = 1;
        printf("CPU%d: is online\n", me)
    }
#ifdef BUG_ENABLE_LATE
    ;
    enable()
#endif
}

/* rvic_of_init(), rvid_of_init() */
inline probe() {
    atomic {
        waits = inst[me].on;                    /* rvic_is_reset() */
        if
        :: waits -> acknowledge(n)
        :: else
        fi;
        n = 0
    };
    come_online();
#ifndef BUG_LEFT_MAPPED
    if
    :: waits -> unmap(0); unmap(1)
    :: else
    fi;
#endif
    waits = 0
}

/* Where an interrupt may be taken */
#define FREE(c)  (online[c] && (stopper == NOBODY || stopper == (c)))
#define BEGIN    busy[me] = 1
#define DONE     atomic { i = 0; to = 0; busy[me] = 0 }

#define PRESENT(i)  (KIND(i) != ABSENT && CLAIMED(i))

/* Where something else may begin, until everything is settled */
#define ADMIN(c)    (FREE(c) && MAY_HAPPEN && !settled)
#define BEGIN_ADMIN COUNT; BEGIN

/* The first thing of an atomic sequence: any interrupt of which this is true */
#define ANY_OF(possible) \
    if \
    :: ADMIN(me) && PRESENT(0) && possible(0) -> i = 0 \
    :: ADMIN(me) && PRESENT(1) && possible(1) -> i = 1 \
    fi; \
    BEGIN_ADMIN

#define MOVABLE(i)      (desc[i].started && online[1 - desc[i].dest])
#define UNSTARTED(i)    (!desc[i].started && !desc[i].requesting)
#define FREEABLE(i)     (i == 0 && desc[i].started && !desc[i].requesting)
#define ENABLED(i)      (desc[i].started && !desc[i].disabled)
#define DISABLED(i)     (desc[i].started && desc[i].disabled)

proctype Vcpu(byte me) {
    byte n, i, to, old, tmp;
    bool waits;

#ifdef KEXEC
    probe();
    DONE;
#endif
end:
    do
    :: atomic { FREE(me) && irq[me] -> BEGIN };
       handle_irq();
       DONE
#ifdef MOVES
    :: atomic { ANY_OF(MOVABLE) };
       set_affinity(i);
       DONE
#endif
#ifdef DISABLES
    :: atomic { ANY_OF(ENABLED) };
       disable_irq(i);
       DONE
    :: atomic { ANY_OF(DISABLED) };
       enable_irq(i);
       DONE
#endif
#ifdef ONESHOT0
    :: atomic { FREE(me) && desc[0].woken && !desc[0].thread -> BEGIN };
       run_thread(0);
       DONE
#endif
#if TIMERS == HELD
    :: atomic { ADMIN(me) && percpu[me].masked[TIMER] -> BEGIN_ADMIN };
       trusted_unmask(TIMER);           /* enable_percpu_irq() */
       DONE
#endif
#ifdef IPIS
    :: atomic { ADMIN(me) && online[OTHER] -> BEGIN_ADMIN };
       send_ipi();
       DONE
#endif
#if defined(FREES) || defined(KEXEC)
    :: atomic {
        ADMIN(me) && desc[0].dest == NO_CPU && !desc[0].requesting ->
        BEGIN_ADMIN;
        desc[0].requesting = 1
       };
       activate_irq(0);
       desc[0].requesting = 0;
       DONE
#endif
#if defined(FREES) || defined(KEXEC) || defined(HOTPLUG)
    :: atomic { ANY_OF(UNSTARTED); desc[i].requesting = 1 };
       start_irq(i);
       desc[i].requesting = 0;
       DONE
#endif
#ifdef FREES
    :: atomic { ANY_OF(FREEABLE); desc[i].requesting = 1 };
       free_irq(i);
       desc[i].requesting = 0;
       DONE
#endif
#ifdef HOTPLUG
    :: atomic {
        me == 1 && ADMIN(me) && !busy[OTHER] -> BEGIN_ADMIN;
        printf("CPU%d: goes offline\n", me);
        stopper = me;
        online[me] = 0
       };
       go_offline();
       DONE
    :: atomic { me == 1 && !online[me] -> BEGIN };
       come_online();
       DONE
#endif
    od
}

/* ---- What is checked when nobody has anything to do --------------------- */

#define NO_CALLS    (!busy[0] && !busy[1] && !bql)
#define WAITING(c)  (online[c] && irq[c])
#define QUIET \
    (NO_CALLS && !WAITING(0) && !WAITING(1) && !sending[0] && !sending[1])

#define WRONG_OUTPUT(c)  (irq[c] != HAS_OUTPUT(c))

#define LOST(i) \
    (PRESENT(i) && work[INPUT(i)] && desc[i].started && !desc[i].disabled && \
     !desc[i].woken)
#define LOST_ON(c) \
    (online[c] && (work[IPI_OF(c)] || \
                   (work[TIMER_OF(c)] && !percpu[c].masked[TIMER])))

#define WRONG(i) \
    (PRESENT(i) && inst[desc[i].dest].masked[SPI(i)] != desc[i].masked)
#define WRONG_ON(c) \
    (online[c] && (inst[c].masked[IPI] != percpu[c].masked[IPI] || \
                   inst[c].masked[TIMER] != percpu[c].masked[TIMER]))

proctype Watch() {
end:
    do
    :: atomic {
        NO_CALLS && (WRONG_OUTPUT(0) || WRONG_OUTPUT(1)) ->
        CHECK(false, wrong_output)
       }
    :: atomic {
        QUIET && (LOST(0) || LOST(1) || LOST_ON(0) || LOST_ON(1)) ->
        CHECK(false, lost_interrupt)
       }
    :: atomic {
        QUIET && (WRONG(0) || WRONG(1) || WRONG_ON(0) || WRONG_ON(1)) ->
        CHECK(false, wrong_mask)
       }
    od
}

/*
 * Whoever waits, and has sent its MSI, is served, if nobody moves or disables
 * interrupts from some time on, and every process that can go on does so at
 * last (weak fairness).
 */
#ifdef LIVE
#define WAITS(i) \
    (PRESENT(i) && work[INPUT(i)] && desc[i].started && !desc[i].disabled)

ltl served {
    [] ((settled && WAITS(LIVE) && !sending[LIVE]) -> <> !WAITS(LIVE))
}
#endif

/* ---- The beginning ------------------------------------------------------ */

/* As the drivers leave it: everything on, inputs routed to vCPU 0 */
inline begin_usual(c) {
    inst[c].on = 1;
    inst[c].last = INTIDS - 1;
    inst[c].masked[SPI(0)] = c != 0;
    inst[c].masked[SPI(1)] = c != 0
}

inline begin_output(c) {
    inst[c].output = HAS_OUTPUT(c);
    irq[c] = inst[c].output
}

inline route_usual(i) {
    desc[i].dest = 0;
    route_cpu[i] = 0;
    route_intid[i] = SPI(i)
}

/*
 * As a crashed kernel leaves it: anything, but what is mapped only if vCPU 0 is
 * enabled; else it is a reset that leaves it
 */
inline any(flag) {
    if
    :: flag = 0
    :: flag = 1
    fi
}

inline begin_any(c) {
    any(inst[c].on);
    inst[c].last = INTIDS - 1;
    any(inst[c].masked[SPI(0)]);
    any(inst[c].masked[SPI(1)]);
    any(inst[c].pending[SPI(0)]);
    any(inst[c].pending[SPI(1)]);
    percpu[c].masked[IPI] = 1;
    percpu[c].masked[TIMER] = 1
}

inline route_any(i) {
    desc[i].started = 0;
    desc[i].disabled = 1;
    desc[i].masked = 1;
    if
    :: skip
#ifdef BUG_LEFT_DISABLED
    :: true ->
#else
    :: inst[0].on ->
#endif
        if
        :: route_cpu[i] = 0
        :: route_cpu[i] = 1
        fi
    fi;
    if
    :: route_intid[i] = SPI(0)
    :: route_cpu[i] != NO_CPU -> route_intid[i] = SPI(1)
    fi
}

init {
    atomic {
#ifdef KEXEC
        begin_any(0);
        online[0] = 0;
        online[1] = 0;
        busy[0] = 1;
        route_any(0);
        route_any(1);
#else
        begin_usual(0);
        begin_usual(1);
        route_usual(0);
        route_usual(1);
#endif
#ifdef HOTPLUG
        /* Interrupt 0 is activated, but was not started */
        route_cpu[0] = 1;
        inst[0].masked[SPI(0)] = 1;
        desc[0].dest = 1;
        desc[0].started = 0;
        desc[0].disabled = 1;
        desc[0].masked = 1;
#endif
        begin_output(0);
        begin_output(1);
        run Others();
#if KIND0 != ABSENT
        run Device(0);
#endif
#if KIND1 != ABSENT
        run Device(1);
#endif
#if TIMERS != ABSENT
        run Timer(0);
        run Timer(1);
#endif
        run Vcpu(0);
#ifndef KEXEC
        run Vcpu(1);
#endif
        run Watch()
    }
#ifdef LIVE
    ;
    settled = 1
#endif
}
