/*
 * Arm rVIC and rVID: what the device tests share
 *
 * The numbers below are written down from docs/specs/arm-rvic.rst and not
 * taken from the device models' headers, so that a wrong one there is noticed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef RVIC_QTEST_H
#define RVIC_QTEST_H

#include "qobject/qlist.h"
#include "tests/qtest/libqtest.h"

#define RVIC_PATH       "/machine/rvic"
#define RVID_PATH       "/machine/rvid"

/* Function IDs */
#define RVID_VERSION            0xc5000100u
#define RVID_MAP                0xc5000101u
#define RVID_UNMAP              0xc5000102u
#define RVID_FIRST_RESERVED     0xc5000103u
#define RVID_LAST               0xc50001ffu

#define RVIC_VERSION            0xc5000200u
#define RVIC_INFO               0xc5000201u
#define RVIC_ENABLE             0xc5000202u
#define RVIC_DISABLE            0xc5000203u
#define RVIC_SET_MASKED         0xc5000204u
#define RVIC_CLEAR_MASKED       0xc5000205u
#define RVIC_IS_PENDING         0xc5000206u
#define RVIC_SIGNAL             0xc5000207u
#define RVIC_CLEAR_PENDING      0xc5000208u
#define RVIC_ACKNOWLEDGE        0xc5000209u
#define RVIC_RESAMPLE           0xc500020au
#define RVIC_FIRST_RESERVED     0xc500020bu
#define RVIC_LAST               0xc50002ffu

/* Status: reason in bits 7:0, index of the argument in bits 15:8 */
#define SUCCESS                 0x000
#define ERROR_PARAMETER_0       0x001
#define ERROR_PARAMETER_1       0x101
#define ERROR_PARAMETER_2       0x201
#define INVALID_CPU_0           0x002
#define DISABLED                0x003
#define NO_INTERRUPTS           0x004
#define NOT_SUPPORTED           UINT64_MAX

#define VERSION_0_3             0x00000003

/* INTIDs and inputs of the virt board, unless a test asks for other numbers */
#define NUM_TRUSTED             32
#define NUM_UNTRUSTED           992
#define NUM_INTIDS              (NUM_TRUSTED + NUM_UNTRUSTED)
#define FIRST_UNTRUSTED         NUM_TRUSTED
#define LAST_INTID              (NUM_INTIDS - 1)

#define NUM_INPUTS              NUM_UNTRUSTED
#define NUM_WIRED               256
#define FIRST_MSI               NUM_WIRED
#define LAST_INPUT              (NUM_INPUTS - 1)

#define DOORBELL                0x08020000
#define DOORBELL_SIZE           0x1000

/* Trusted INTIDs with a line, one of which guests know by number */
#define FIRST_LINE              16
#define NUM_LINES               16
#define TIMER_VIRT              27

/* For arguments that a call does not have: their value must not matter */
#define UNUSED                  0xa5a5a5a5a5a5a5a5ULL

/**
 * rvic_start: start a virt machine with rVIC and watch the vCPUs' IRQ inputs
 * @fmt: further arguments for QEMU, formatted as by printf(); an -smp is
 *       expected among them if one vCPU is not enough
 */
QTestState *rvic_start(const char *fmt, ...) G_GNUC_PRINTF(1, 2);

/**
 * rvic_start_512_cpus: start the largest machine
 * @args: further arguments for QEMU
 *
 * libqtest can watch fewer lines than that: there is no rvic_irq().
 */
QTestState *rvic_start_512_cpus(const char *args);

/* Numbers of interrupts that a user may choose: the default, and the limits */
typedef struct RVICCounts {
    const char *name;
    unsigned trusted;
    unsigned untrusted;
} RVICCounts;

/**
 * rvic_start_counts: start a machine with these numbers of interrupts
 * @args: further arguments for QEMU
 */
QTestState *rvic_start_counts(const RVICCounts *c, const char *args);

/**
 * rvic_add_counts: add a test for each of the numbers above
 * @path: the test's, to which the name of the numbers is added
 * @test: called with an RVICCounts
 */
void rvic_add_counts(const char *path, void (*test)(const void *counts));

/** rvic_mpidr: affinity fields of a vCPU of the virt board */
uint64_t rvic_mpidr(unsigned cpu);

/**
 * rvic_expect: make a hypercall and check all four results
 * @cpu: index of the calling vCPU
 * @status: what x0 has to be
 * @value: what x1 has to be; x2 and x3 have to be 0
 */
#define rvic_expect(qts, cpu, function, x1, x2, x3, status, value) \
    rvic_check_call(__FILE__, __LINE__, qts, cpu, function, x1, x2, x3, \
                    status, value)

void rvic_check_call(const char *file, int line, QTestState *qts, unsigned cpu,
                     uint32_t function, uint64_t x1, uint64_t x2, uint64_t x3,
                     uint64_t status, uint64_t value);

/* Any result; x0 is returned */
uint64_t rvic_call(QTestState *qts, unsigned cpu, uint32_t function,
                   uint64_t x1, uint64_t x2, uint64_t x3, uint64_t result[4]);

/*
 * Calls that have to succeed. Those with a target are made by vCPU 0; @cpu is
 * the target's index.
 */
void rvic_enable(QTestState *qts, unsigned cpu);
void rvic_disable(QTestState *qts, unsigned cpu);
void rvic_mask(QTestState *qts, unsigned cpu, unsigned intid);
void rvic_unmask(QTestState *qts, unsigned cpu, unsigned intid);
bool rvic_is_pending(QTestState *qts, unsigned cpu, unsigned intid);
void rvic_signal(QTestState *qts, unsigned cpu, unsigned intid);
void rvic_clear_pending(QTestState *qts, unsigned cpu, unsigned intid);
unsigned rvic_acknowledge(QTestState *qts, unsigned cpu);
void rvic_resample(QTestState *qts, unsigned cpu, unsigned intid);
void rvid_map(QTestState *qts, unsigned input, unsigned cpu, unsigned intid);
void rvid_unmap(QTestState *qts, unsigned input);

/**
 * rvic_load: put everything in use, on two vCPUs at least
 *
 * vCPU 1 has INTIDs 27, 40 and 50 to deliver: of its line, input 7 and the
 * first MSI. Input 8 leads to the masked INTID 60 of vCPU 0; input 9 is high
 * and unmapped.
 */
void rvic_load(QTestState *qts);

/* Of the machines that rvic_randomize() is for */
#define RVIC_RANDOM_CPUS    4

/**
 * rvic_chance: whether to do something, at random as the test's seed has it
 * @percent: how often
 */
bool rvic_chance(unsigned percent);

/**
 * rvic_randomize: put everything in use at random, as the test's seed has it
 * @qts: a machine with RVIC_RANDOM_CPUS vCPUs
 * @c: its numbers of interrupts
 *
 * vCPUs 0 and 1 have interrupts to deliver; 2 is disabled when it is as busy
 * as they are, 3 was never enabled.
 */
void rvic_randomize(QTestState *qts, const RVICCounts *c);

/** rvic_save: save a machine by migration; file's name, to be unlinked */
char *rvic_save(QTestState *qts);

/**
 * rvic_restore: load what rvic_save() saved
 * @qts: a machine started with -incoming defer, which lives on in any case
 * @file: the file's name
 *
 * Returns: whether the machine took it
 */
bool rvic_restore(QTestState *qts, const char *file);

/* Nothing deliverable: the vCPU's IRQ is low and ACKNOWLEDGE says so */
#define rvic_expect_idle(qts, cpu) do { \
    g_assert_false(rvic_irq(qts, cpu)); \
    rvic_expect(qts, cpu, RVIC_ACKNOWLEDGE, UNUSED, UNUSED, UNUSED, \
                NO_INTERRUPTS, 0); \
} while (0)

/*
 * Exactly one INTID deliverable: acknowledge it, which leaves it masked and
 * the IRQ low
 */
#define rvic_expect_only(qts, cpu, intid) do { \
    g_assert_true(rvic_irq(qts, cpu)); \
    g_assert_cmpuint(rvic_acknowledge(qts, cpu), ==, intid); \
    rvic_expect_idle(qts, cpu); \
} while (0)

/** rvic_irq: level of a vCPU's IRQ input, @cpu < 256 */
bool rvic_irq(QTestState *qts, unsigned cpu);

/** rvic_line: set the line of a trusted INTID */
void rvic_line(QTestState *qts, unsigned cpu, unsigned intid, bool level);

/** rvid_line: set the line of a wired input */
void rvid_line(QTestState *qts, unsigned input, bool level);

/** rvid_msi: write to the doorbell as a device does: 4 bytes, little-endian */
void rvid_msi(QTestState *qts, uint32_t data);

/** rvic_qom_get: value of a property, which the caller unrefs */
QObject *rvic_qom_get(QTestState *qts, const char *path, const char *property);

/** rvic_instances: the rVIC's property "instances", an entry for each vCPU */
QList *rvic_instances(QTestState *qts);

/** rvid_inputs: the rVID's property "inputs", an entry for each that is used */
QList *rvid_inputs(QTestState *qts);

/**
 * rvic_dump: everything that a guest can change, except for the position of
 *            the last acknowledged INTID, as text to compare
 */
char *rvic_dump(QTestState *qts);

/** rvic_expect_dump: it is what rvic_dump() returned @before */
void rvic_expect_dump(QTestState *qts, const char *before);

/** rvic_temp: create an empty temporary file, to be unlinked by the caller */
char *rvic_temp(const char *suffix);

typedef struct RVICRun {
    int status;
    char *out;
    char *err;
} RVICRun;

/**
 * rvic_run: run QEMU until it exits by itself
 * @fmt: arguments, formatted as by printf()
 */
RVICRun *rvic_run(const char *fmt, ...) G_GNUC_PRINTF(1, 2);
void rvic_run_free(RVICRun *run);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RVICRun, rvic_run_free)

#endif
