/*
 * Arm rVIC and rVID: a reference model
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <string.h>
#include "rvic_model.h"

/* Function IDs: bits 31:8, then the calls' numbers */
enum { RVID = 0xc50001, RVIC = 0xc50002 };
enum { VERSION, MAP, UNMAP };
enum { /* VERSION, */ INFO = 1, ENABLE, DISABLE, SET_MASKED, CLEAR_MASKED,
       IS_PENDING, SIGNAL, CLEAR_PENDING, ACKNOWLEDGE, RESAMPLE };

/* Version, of both components */
enum { VERSION_0_3 = 0x00000003 };

/* Status: the reason, then the index of the offending argument << 8 */
enum { SUCCESS, ERROR_PARAMETER, INVALID_CPU, DISABLED, NO_INTERRUPTS,
       INDEX_1 = 0x100, INDEX_2 = 0x200 };
#define NOT_SUPPORTED UINT64_MAX

/* MPIDR: index of the vCPU, or num_cpus if there is none */
static unsigned find_cpu(const RVICModel *m, uint64_t mpidr)
{
    unsigned cpu = 0;

    while (cpu < m->num_cpus && m->mpidr[cpu] != mpidr) {
        cpu++;
    }
    return cpu;
}

/* State of an INTID */
bool rvic_model_is_deliverable(const RVICModel *m, unsigned cpu, uint64_t intid)
{
    const RVICModelInstance *inst = &m->instance[cpu];

    return inst->enabled && intid < m->num_intids && !inst->masked[intid] &&
           (inst->pending[intid] || inst->level[intid]);
}

/* The same for all INTIDs, each time that a state may have changed */
static void update_irq(RVICModel *m, unsigned cpu)
{
    const RVICModelInstance *inst = &m->instance[cpu];
    uint8_t any = 0;

    for (unsigned intid = 0; intid < m->num_intids; intid++) {
        any |= (inst->pending[intid] | inst->level[intid]) &
               ~inst->masked[intid];
    }
    m->irq[cpu] = inst->enabled && any;
}

static void make_pending(RVICModel *m, unsigned cpu, unsigned intid)
{
    if (m->instance[cpu].enabled) {
        m->instance[cpu].pending[intid] = 1;
        update_irq(m, cpu);
    }
}

/* rVIC calls */
static uint64_t rvic_call(RVICModel *m, unsigned cpu, unsigned call,
                          const uint64_t arg[3], uint64_t pick, uint64_t *value)
{
    bool target = call >= SET_MASKED && call <= CLEAR_PENDING;
    uint64_t intid = target ? arg[1] : arg[0];
    unsigned on = target ? find_cpu(m, arg[0]) : cpu;
    RVICModelInstance *inst = &m->instance[on];
    uint64_t status =
        call > RESAMPLE ? NOT_SUPPORTED :
        call == INFO && arg[0] > 1 ? ERROR_PARAMETER :
        on == m->num_cpus ? INVALID_CPU :
        target && intid >= m->num_intids ? ERROR_PARAMETER | INDEX_1 :
        call == SIGNAL && !inst->enabled ? DISABLED :
        call == ACKNOWLEDGE && !inst->enabled ? DISABLED :
        call == ACKNOWLEDGE && !m->irq[on] ? NO_INTERRUPTS :
        call == RESAMPLE && intid >= m->num_trusted ? ERROR_PARAMETER :
        SUCCESS;

    if (status != SUCCESS) {
        return status;
    }
    switch (call) {
    case VERSION:
        *value = VERSION_0_3;
        break;
    case INFO:
        *value = arg[0] == 0 ? m->num_trusted : m->num_untrusted;
        break;
    case ENABLE: /* see also "Trusted lines" */
        inst->enabled = true;
        for (intid = 0; intid < m->num_trusted; intid++) {
            inst->pending[intid] |= inst->line[intid];
        }
        break;
    case DISABLE:
        inst->enabled = false;
        break;
    case SET_MASKED:
    case CLEAR_MASKED:
        inst->masked[intid] = call == SET_MASKED;
        break;
    case IS_PENDING:
        *value = inst->pending[intid] || inst->level[intid];
        break;
    case SIGNAL:
    case CLEAR_PENDING:
        inst->pending[intid] = call == SIGNAL;
        break;
    case ACKNOWLEDGE:
        pick = rvic_model_is_deliverable(m, on, pick) ? pick : inst->next;
        while (!rvic_model_is_deliverable(m, on, pick)) {
            pick = (pick + 1) % m->num_intids;
        }
        inst->pending[pick] = 0;
        inst->masked[pick] = 1;
        inst->next = (pick + 1) % m->num_intids;
        *value = pick;
        break;
    case RESAMPLE: /* see also "Trusted lines" */
        inst->pending[intid] |= inst->enabled && inst->line[intid];
        break;
    }
    update_irq(m, on);
    return SUCCESS;
}

/* Level-triggered inputs: the OR of the high ones mapped to an INTID */
static void recompute_level(RVICModel *m, unsigned cpu, unsigned intid)
{
    bool level = false;

    for (unsigned n = 0; n < m->num_wired; n++) {
        level |= m->input[n].mapped && m->input[n].high &&
                 m->input[n].cpu == cpu && m->input[n].intid == intid;
    }
    m->instance[cpu].level[intid] = level;
    update_irq(m, cpu);
}

/* rVID calls */
static uint64_t rvid_call(RVICModel *m, unsigned call, const uint64_t arg[3],
                          uint64_t *value)
{
    uint64_t input = arg[0], intid = arg[2];
    unsigned cpu = find_cpu(m, arg[1]);
    bool untrusted = intid >= m->num_trusted && intid < m->num_intids;
    uint64_t status =
        call > UNMAP ? NOT_SUPPORTED :
        call != VERSION && input >= m->num_untrusted ? ERROR_PARAMETER :
        call == MAP && cpu == m->num_cpus ? ERROR_PARAMETER | INDEX_1 :
        call == MAP && !untrusted ? ERROR_PARAMETER | INDEX_2 :
        SUCCESS;

    if (status == SUCCESS && call == VERSION) {
        *value = VERSION_0_3;
    } else if (status == SUCCESS && m->input[input].mapped) {
        m->input[input].mapped = false;
        recompute_level(m, m->input[input].cpu, m->input[input].intid);
    }
    if (status == SUCCESS && call == MAP) {
        m->input[input].mapped = true;
        m->input[input].cpu = cpu;
        m->input[input].intid = intid;
        recompute_level(m, cpu, intid);
    }
    return status;
}

/* Calling convention */
bool rvic_model_call(RVICModel *m, unsigned cpu, uint64_t x[4], uint64_t pick)
{
    uint32_t function = x[0];
    uint64_t value = 0;

    if (function >> 8 == RVIC) {
        x[0] = rvic_call(m, cpu, function & 0xff, &x[1], pick, &value);
    } else if (function >> 8 == RVID) {
        x[0] = rvid_call(m, function & 0xff, &x[1], &value);
    } else {
        return false;
    }
    x[1] = value;
    x[2] = x[3] = 0;
    return true;
}

/* Trusted lines */
void rvic_model_set_line(RVICModel *m, unsigned cpu, unsigned intid, bool high)
{
    if (high && !m->instance[cpu].line[intid]) {
        make_pending(m, cpu, intid);
    }
    m->instance[cpu].line[intid] = high;
}

/* Level-triggered inputs */
void rvic_model_set_input(RVICModel *m, unsigned n, bool high)
{
    bool rises = high && !m->input[n].high;

    m->input[n].high = high;
    if (m->input[n].mapped) {
        recompute_level(m, m->input[n].cpu, m->input[n].intid);
    }
    if (m->input[n].mapped && rises) {
        make_pending(m, m->input[n].cpu, m->input[n].intid);
    }
}

/* MSIs */
void rvic_model_doorbell(RVICModel *m, uint64_t offset, unsigned width,
                         uint64_t n)
{
    if (offset == 0 && width == 4 && n >= m->num_wired &&
        n < m->num_untrusted && m->input[n].mapped) {
        make_pending(m, m->input[n].cpu, m->input[n].intid);
    }
}

/* Reset */
void rvic_model_reset(RVICModel *m)
{
    m->num_intids = m->num_trusted + m->num_untrusted;
    memset(m->irq, 0, sizeof(m->irq));
    memset(m->input, 0, sizeof(m->input));
    memset(m->instance, 0, m->num_cpus * sizeof(m->instance[0]));
    for (unsigned cpu = 0; cpu < m->num_cpus; cpu++) {
        memset(m->instance[cpu].masked, 1, sizeof(m->instance[0].masked));
    }
}
