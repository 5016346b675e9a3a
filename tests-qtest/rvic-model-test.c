/*
 * Arm rVIC and rVID: random calls and lines, compared with a model
 *
 * The model computes what is derived from the rules each time anew; the
 * devices keep count. Inputs, INTIDs and vCPUs are few, so that they meet
 * often. A failing run is repeated by the --seed that it prints.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "rvic-qtest.h"

#define NUM_CPUS    3
#define NUM_STEPS   6000
#define UNMAPPED    (-1)

/* All that follows is numbered by place in these two tables */
static const unsigned intids[] = { 0, 1, 27, 31, 32, 33, 63, 64, 500, 1023 };
#define MODEL_TRUSTED   4
#define MODEL_INTIDS    ARRAY_SIZE(intids)

static const unsigned inputs[] = { 0, 1, 2, 255, 256, 991 };
#define MODEL_WIRED     4
#define MODEL_INPUTS    ARRAY_SIZE(inputs)

typedef struct Model {
    struct {
        bool enabled;
        bool pending[MODEL_INTIDS];
        bool masked[MODEL_INTIDS];
        bool line[MODEL_TRUSTED];
    } cpu[NUM_CPUS];
    struct {
        int cpu;
        unsigned intid;
        bool level;
    } input[MODEL_INPUTS];
} Model;

static void model_reset(Model *m)
{
    memset(m, 0, sizeof(*m));
    for (unsigned cpu = 0; cpu < NUM_CPUS; cpu++) {
        memset(m->cpu[cpu].masked, true, sizeof(m->cpu[cpu].masked));
    }
    for (unsigned n = 0; n < MODEL_INPUTS; n++) {
        m->input[n].cpu = UNMAPPED;
    }
}

static bool model_is_pending(const Model *m, unsigned cpu, unsigned i)
{
    if (m->cpu[cpu].pending[i]) {
        return true;
    }
    for (unsigned n = 0; n < MODEL_WIRED; n++) {
        if (m->input[n].level && m->input[n].cpu == (int)cpu &&
            m->input[n].intid == i) {
            return true;
        }
    }
    return false;
}

static bool model_deliverable(const Model *m, unsigned cpu, unsigned i)
{
    return m->cpu[cpu].enabled && !m->cpu[cpu].masked[i] &&
           model_is_pending(m, cpu, i);
}

static bool model_output(const Model *m, unsigned cpu)
{
    for (unsigned i = 0; i < MODEL_INTIDS; i++) {
        if (model_deliverable(m, cpu, i)) {
            return true;
        }
    }
    return false;
}

static void model_signal(Model *m, int cpu, unsigned i)
{
    if (cpu != UNMAPPED && m->cpu[cpu].enabled) {
        m->cpu[cpu].pending[i] = true;
    }
}

static void step_acknowledge(QTestState *qts, Model *m, unsigned cpu)
{
    unsigned i = 0, intid;

    if (!m->cpu[cpu].enabled) {
        rvic_expect(qts, cpu, RVIC_ACKNOWLEDGE, UNUSED, UNUSED, UNUSED,
                    DISABLED, 0);
        return;
    }
    if (!model_output(m, cpu)) {
        rvic_expect(qts, cpu, RVIC_ACKNOWLEDGE, UNUSED, UNUSED, UNUSED,
                    NO_INTERRUPTS, 0);
        return;
    }
    intid = rvic_acknowledge(qts, cpu);
    while (i < MODEL_INTIDS && intids[i] != intid) {
        i++;
    }
    g_assert_cmpuint(i, <, MODEL_INTIDS);
    g_assert_true(model_deliverable(m, cpu, i));
    m->cpu[cpu].pending[i] = false;
    m->cpu[cpu].masked[i] = true;
}

static void step_line(QTestState *qts, Model *m, unsigned cpu, unsigned i,
                      bool level)
{
    rvic_line(qts, cpu, intids[i], level);
    if (level && !m->cpu[cpu].line[i]) {
        model_signal(m, cpu, i);
    }
    m->cpu[cpu].line[i] = level;
}

static void step_input(QTestState *qts, Model *m, unsigned n, bool level)
{
    rvid_line(qts, inputs[n], level);
    if (level && !m->input[n].level) {
        model_signal(m, m->input[n].cpu, m->input[n].intid);
    }
    m->input[n].level = level;
}

static void step(QTestState *qts, Model *m)
{
    unsigned caller = g_test_rand_int_range(0, NUM_CPUS);
    unsigned cpu = g_test_rand_int_range(0, NUM_CPUS);
    unsigned i = g_test_rand_int_range(0, MODEL_INTIDS);
    unsigned trusted = g_test_rand_int_range(0, MODEL_TRUSTED);
    unsigned untrusted = g_test_rand_int_range(MODEL_TRUSTED, MODEL_INTIDS);
    unsigned n = g_test_rand_int_range(0, MODEL_INPUTS);
    unsigned wired = g_test_rand_int_range(0, MODEL_WIRED);
    bool level = g_test_rand_bit();
    uint64_t mpidr = rvic_mpidr(cpu);

    switch (g_test_rand_int_range(0, 100)) {
    case 0 ... 5:
        rvic_enable(qts, cpu);
        m->cpu[cpu].enabled = true;
        for (unsigned t = 0; t < MODEL_TRUSTED; t++) {
            m->cpu[cpu].pending[t] |= m->cpu[cpu].line[t];
        }
        break;
    case 6 ... 7:
        rvic_disable(qts, cpu);
        m->cpu[cpu].enabled = false;
        break;
    case 8 ... 11:
        rvic_expect(qts, caller, RVIC_SET_MASKED, mpidr, intids[i], UNUSED,
                    SUCCESS, 0);
        m->cpu[cpu].masked[i] = true;
        break;
    case 12 ... 28:
        rvic_expect(qts, caller, RVIC_CLEAR_MASKED, mpidr, intids[i], UNUSED,
                    SUCCESS, 0);
        m->cpu[cpu].masked[i] = false;
        break;
    case 29 ... 36:
        rvic_expect(qts, caller, RVIC_SIGNAL, mpidr, intids[i], UNUSED,
                    m->cpu[cpu].enabled ? SUCCESS : DISABLED, 0);
        model_signal(m, cpu, i);
        break;
    case 37 ... 41:
        rvic_expect(qts, caller, RVIC_CLEAR_PENDING, mpidr, intids[i], UNUSED,
                    SUCCESS, 0);
        m->cpu[cpu].pending[i] = false;
        break;
    case 42 ... 57:
        step_acknowledge(qts, m, cpu);
        break;
    case 58 ... 63:
        rvic_resample(qts, cpu, intids[trusted]);
        if (m->cpu[cpu].line[trusted]) {
            model_signal(m, cpu, trusted);
        }
        break;
    case 64 ... 69:
        step_line(qts, m, cpu, trusted, level);
        break;
    case 70 ... 77:
        rvic_expect(qts, caller, RVID_MAP, inputs[n], mpidr, intids[untrusted],
                    SUCCESS, 0);
        m->input[n].cpu = cpu;
        m->input[n].intid = untrusted;
        break;
    case 78 ... 79:
        rvic_expect(qts, caller, RVID_UNMAP, inputs[n], UNUSED, UNUSED,
                    SUCCESS, 0);
        m->input[n].cpu = UNMAPPED;
        break;
    case 80 ... 92:
        step_input(qts, m, wired, level);
        break;
    default:
        n = g_test_rand_int_range(MODEL_WIRED, MODEL_INPUTS);
        rvid_msi(qts, inputs[n]);
        model_signal(m, m->input[n].cpu, m->input[n].intid);
        break;
    }
}

static void compare(QTestState *qts, const Model *m, bool all)
{
    unsigned one = g_test_rand_int_range(0, MODEL_INTIDS);

    for (unsigned cpu = 0; cpu < NUM_CPUS; cpu++) {
        g_assert_cmpint(rvic_irq(qts, cpu), ==, model_output(m, cpu));
        for (unsigned i = 0; i < MODEL_INTIDS; i++) {
            if (all || i == one) {
                g_assert_cmpint(rvic_is_pending(qts, cpu, intids[i]), ==,
                                model_is_pending(m, cpu, i));
            }
        }
    }
}

static void test_model(void)
{
    QTestState *qts = rvic_start("-smp %d", NUM_CPUS);
    Model m;

    model_reset(&m);
    for (unsigned n = 1; n <= NUM_STEPS; n++) {
        if (n % 2000 == 0) {
            qtest_system_reset(qts);
            model_reset(&m);
        } else {
            step(qts, &m);
        }
        compare(qts, &m, n % 20 == 0);
    }
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/rvic/model", test_model);
    return g_test_run();
}
