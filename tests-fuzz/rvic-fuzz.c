/*
 * Arm rVIC and rVID: random sequences, the plain-C cores against the model
 *
 * Sequences run in a child process, so that a crash of the cores is a failure
 * like any other, and can be minimised.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "rvic/hw-intc/rvic_core.h"
#include "rvic_compare.h"

/* After so many steps another sequence begins, with the next seed */
#define SEQUENCE_STEPS  20000

/* A sequence takes some 20 ms: if it takes so long, a loop has no end */
#define HANG_SECONDS    300

/* ---- The cores, wired as the devices wire them --------------------------- */

typedef struct Cores {
    RVICConfig config;
    RVICCore rvic;
    RVIDCore rvid;
    bool irq[RVIC_MAX_CPUS];
    /* outputs may be driven to the level that they have */
    bool redrive;
    const char *problem;
    /* a snapshot: only fields that migration carries are used */
    RVICInstance *saved_instances;
    RVIDInput *saved_inputs;
} Cores;

static void cores_output(void *opaque, unsigned cpu)
{
    Cores *s = opaque;
    bool level, changed = rvic_core_take_output(&s->rvic, cpu, &level);

    if (changed != (s->irq[cpu] != level) && !s->redrive) {
        s->problem = "it is not known whether an output has changed";
    }
    if (s->irq[cpu] == level && !s->redrive) {
        s->problem = "an output was driven without having changed";
    }
    s->irq[cpu] = level;
    rvic_core_output_driven(&s->rvic, cpu);
}

static void cores_init(Cores *s, const RVICConfig *c)
{
    uint64_t mpidrs[RVIC_MAX_CPUS];

    for (unsigned cpu = 0; cpu < c->cpus; cpu++) {
        mpidrs[cpu] = rvic_config_mpidr(c, cpu);
    }
    s->config = *c;
    memset(s->irq, 0, sizeof(s->irq));
    rvic_core_init(&s->rvic, c->cpus, mpidrs, c->trusted, c->untrusted,
                   cores_output, s);
    rvid_core_init(&s->rvid, &s->rvic, c->wired);
}

static void cores_destroy(Cores *s)
{
    rvid_core_destroy(&s->rvid);
    rvic_core_destroy(&s->rvic);
}

static bool cores_call(void *opaque, unsigned cpu, uint64_t x[4])
{
    Cores *s = opaque;
    uint32_t function = x[0];
    unsigned call = function % RVIC_FN_RANGE;
    uint64_t value;

    switch (function - call) {
    case RVIC_FN_BASE:
        x[0] = rvic_core_call(&s->rvic, cpu, call, &x[1], &value);
        break;
    case RVID_FN_BASE:
        x[0] = rvid_core_call(&s->rvid, call, &x[1], &value);
        break;
    default:
        return false;
    }
    x[1] = value;
    x[2] = 0;
    x[3] = 0;
    return true;
}

static void cores_line(void *opaque, unsigned cpu, unsigned intid, bool level)
{
    Cores *s = opaque;

    rvic_core_set_line(&s->rvic, cpu, intid, level);
}

static void cores_input(void *opaque, unsigned input, bool level)
{
    Cores *s = opaque;

    rvid_core_set_line(&s->rvid, input, level);
}

static void cores_doorbell(void *opaque, uint64_t offset, unsigned width,
                           uint64_t value)
{
    Cores *s = opaque;
    bool valid = offset == 0 && width == 4 && value >= s->config.wired &&
                 value < s->config.untrusted;

    if (offset == 0 && width == 4 && rvid_core_msi(&s->rvid, value) != valid) {
        s->problem = "the doorbell mistakes what an MSI is";
    }
}

static void cores_reset(void *opaque)
{
    Cores *s = opaque;

    rvid_core_reset(&s->rvid);
    rvic_core_reset(&s->rvic);
}

static void cores_cpu_reset(void *opaque, unsigned cpu)
{
    Cores *s = opaque;

    s->irq[cpu] = false;
    s->redrive = true;
    rvic_core_drive_output(&s->rvic, cpu);
    s->redrive = false;
}

/* What the devices' VMStateDescriptions transfer, in their order */
static bool cores_load(Cores *s, const RVICInstance *instances,
                       const RVIDInput *inputs)
{
    bool done;

    for (unsigned cpu = 0; cpu < s->config.cpus; cpu++) {
        const RVICInstance *from = &instances[cpu];
        RVICInstance *to = &s->rvic.instances[cpu];

        memcpy(to->pending, from->pending, sizeof(to->pending));
        memcpy(to->masked, from->masked, sizeof(to->masked));
        memcpy(to->level, from->level, sizeof(to->level));
        to->last = from->last;
        to->enabled = from->enabled;
    }
    /* What the vCPUs had is loaded, too: their lines may be anything */
    memset(s->irq, 0, sizeof(s->irq));
    s->redrive = true;
    done = rvic_core_post_load(&s->rvic);
    if (done) {
        for (unsigned n = 0; n < s->rvid.num_inputs; n++) {
            s->rvid.inputs[n].route = inputs[n].route;
            s->rvid.inputs[n].level = inputs[n].level;
        }
        done = rvid_core_post_load(&s->rvid);
    }
    s->redrive = false;
    return done;
}

static void cores_save(void *opaque)
{
    Cores *s = opaque;

    g_free(s->saved_instances);
    g_free(s->saved_inputs);
    s->saved_instances = g_memdup2(s->rvic.instances, s->rvic.num_cpus *
                                   sizeof(s->saved_instances[0]));
    s->saved_inputs = g_memdup2(s->rvid.inputs, s->rvid.num_inputs *
                                sizeof(s->saved_inputs[0]));
}

static void cores_load_saved(void *opaque)
{
    Cores *s = opaque;

    if (!cores_load(s, s->saved_instances, s->saved_inputs)) {
        s->problem = "a snapshot cannot be loaded";
    }
}

static void cores_migrate(void *opaque)
{
    Cores *s = opaque;
    RVICCore rvic = s->rvic;
    RVIDCore rvid = s->rvid;

    cores_init(s, &s->config);
    if (!cores_load(s, rvic.instances, rvid.inputs)) {
        s->problem = "a saved state cannot be restored";
    }
    rvid_core_destroy(&rvid);
    rvic_core_destroy(&rvic);
}

static bool cores_corrupt(void *opaque, RVICCorrupt what, uint64_t index,
                          uint64_t value)
{
    Cores *s = opaque;
    Cores other = { };
    g_autofree RVICInstance *instances = g_memdup2(
        s->rvic.instances, s->rvic.num_cpus * sizeof(instances[0]));
    g_autofree RVIDInput *inputs = g_memdup2(
        s->rvid.inputs, s->rvid.num_inputs * sizeof(inputs[0]));
    bool done;

    switch (what) {
    case CORRUPT_LAST:
        instances[index].last = value;
        break;
    case CORRUPT_PENDING:
        instances[index].pending[value / 32] |= 1u << value % 32;
        break;
    case CORRUPT_UNMASKED:
        instances[index].masked[value / 32] &= ~(1u << value % 32);
        break;
    case CORRUPT_ROUTE:
        inputs[index].route = value;
        break;
    case CORRUPT_HIGH:
        inputs[index].level = true;
        break;
    default:
        g_assert_not_reached();
    }
    cores_init(&other, &s->config);
    done = cores_load(&other, instances, inputs);
    if (done && what < CORRUPT_ROUTE) {
        uint64_t x[4] = { RVIC_FN_ACKNOWLEDGE };

        cores_call(&other, index, x);
    }
    cores_destroy(&other);
    return done;
}

static const bool *cores_irqs(void *opaque, GString *wrong)
{
    Cores *s = opaque;

    if (s->problem) {
        g_string_append_printf(wrong, "%s\n", s->problem);
        s->problem = NULL;
    }
    return s->irq;
}

static void check_instance(const RVICCore *c, unsigned cpu,
                           const RVICModel *m, GString *wrong)
{
    const RVICInstance *inst = &c->instances[cpu];
    const RVICModelInstance *expected = &m->instance[cpu];

    if (inst->enabled != expected->enabled) {
        g_string_append_printf(wrong, "vCPU %u: enabled is wrong\n", cpu);
    }
    for (unsigned n = 0; n < m->num_intids; n++) {
        if (rvic_test(inst->pending, n) != expected->pending[n] ||
            rvic_test(inst->masked, n) != expected->masked[n] ||
            rvic_test(inst->level, n) != (n < m->num_trusted ?
                                          expected->line[n] :
                                          expected->level[n]) ||
            rvic_core_is_deliverable(c, inst, n) !=
            rvic_model_is_deliverable(m, cpu, n)) {
            g_string_append_printf(wrong, "vCPU %u: state of INTID %u is "
                                   "wrong\n", cpu, n);
        }
    }
}

/* The rVID's inputs, and those that share a target counted by the target */
static void check_inputs(Cores *s, const RVICModel *m, GString *wrong)
{
    unsigned mapped = 0, counted = 0;
    GHashTableIter iter;
    gpointer target;

    for (unsigned n = 0; n < m->num_untrusted; n++) {
        const RVIDInput *in = &s->rvid.inputs[n];
        unsigned cpu = m->input[n].cpu, intid = m->input[n].intid;

        mapped += m->input[n].mapped;
        if (in->level != m->input[n].high ||
            in->route != (m->input[n].mapped ? cpu << 16 | intid :
                          RVID_UNMAPPED) ||
            in->target != (m->input[n].mapped ?
                           rvid_core_find_target(&s->rvid, cpu, intid) :
                           NULL)) {
            g_string_append_printf(wrong, "input %u is wrong\n", n);
        }
    }
    g_hash_table_iter_init(&iter, s->rvid.targets);
    while (g_hash_table_iter_next(&iter, NULL, &target)) {
        counted += ((RVIDTarget *)target)->inputs;
        if (!((RVIDTarget *)target)->inputs) {
            g_string_append(wrong, "a target without inputs was kept\n");
        }
    }
    if (counted != mapped) {
        g_string_append_printf(wrong, "targets count %u mapped inputs, not "
                               "%u\n", counted, mapped);
    }
}

static void cores_check(void *opaque, const RVICModel *m, GString *wrong)
{
    Cores *s = opaque;

    for (unsigned cpu = 0; cpu < m->num_cpus; cpu++) {
        check_instance(&s->rvic, cpu, m, wrong);
    }
    check_inputs(s, m, wrong);
}

static const RVICImplementation cores = {
    .call = cores_call,
    .line = cores_line,
    .input = cores_input,
    .doorbell = cores_doorbell,
    .reset = cores_reset,
    .cpu_reset = cores_cpu_reset,
    .migrate = cores_migrate,
    .save = cores_save,
    .load = cores_load_saved,
    .corrupt = cores_corrupt,
    .irqs = cores_irqs,
    .check = cores_check,
};

/* ---- Runs in a child process --------------------------------------------- */

/* How far the child came, and what was wrong: shared with it */
typedef struct Progress {
    uint32_t seed;
    /* in the sequence of that seed, from 0 */
    long step;
    uint64_t done;
    bool hung;
    char wrong[1000];
} Progress;

static Progress *progress;

enum { CHILD_RIGHT, CHILD_WRONG = 2 };

/* Returns whether all was right; if not, progress has more */
static bool run_child(int (*run)(void *opaque), void *opaque, bool quiet)
{
    int status;
    pid_t pid;

    progress->wrong[0] = '\0';
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        if (quiet && (!freopen("/dev/null", "w", stderr) ||
                      !freopen("/dev/null", "w", stdout))) {
            exit(CHILD_WRONG);
        }
        alarm(HANG_SECONDS);
        exit(run(opaque));
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        perror("rvic-fuzz");
        exit(1);
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_RIGHT) {
        return true;
    }
    progress->hung = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
    if (WIFSIGNALED(status)) {
        snprintf(progress->wrong, sizeof(progress->wrong), "it dies by "
                 "signal %d: %s\n", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    } else if (WEXITSTATUS(status) != CHILD_WRONG) {
        snprintf(progress->wrong, sizeof(progress->wrong), "it ends with exit "
                 "status %d\n", WEXITSTATUS(status));
    }
    return false;
}

static int finish(RVICCompare *compare, Cores *s)
{
    int status = compare->wrong->len ? CHILD_WRONG : CHILD_RIGHT;

    g_strlcpy(progress->wrong, compare->wrong->str, sizeof(progress->wrong));
    rvic_compare_destroy(compare);
    cores_destroy(s);
    g_free(s->saved_instances);
    g_free(s->saved_inputs);
    return status;
}

/* Sequences from one seed on, of a number of steps together */
typedef struct Search {
    RVICConfig config;
    uint32_t seed;
    uint64_t steps;
} Search;

/* What touches all vCPUs takes longer, the more there are */
static unsigned rare_steps(const RVICConfig *c)
{
    return MIN(200 + 100 * c->cpus, 20000);
}

static bool search_sequence(const Search *search, RVICCompare *compare)
{
    RVICGenerator generator;
    bool right = true;

    /* anew, for a child makes many of them */
    alarm(HANG_SECONDS);
    rvic_compare_reset(compare);
    rvic_generator_init(&generator, &search->config, progress->seed,
                        rare_steps(&search->config));
    for (long n = 0; right && n < SEQUENCE_STEPS &&
         progress->done < search->steps; n++) {
        RVICStep step;

        rvic_generate(&generator, &step);
        progress->step = n;
        progress->done++;
        right = rvic_compare_step(compare, &step);
    }
    rvic_generator_destroy(&generator);
    return right && rvic_compare_check(compare);
}

static int search_child(void *opaque)
{
    const Search *search = opaque;
    g_autofree Cores *s = g_new0(Cores, 1);
    RVICCompare compare;

    cores_init(s, &search->config);
    rvic_compare_init(&compare, &search->config, &cores, s);
    progress->seed = search->seed;
    while (search_sequence(search, &compare) &&
           progress->done < search->steps) {
        progress->seed++;
    }
    return finish(&compare, s);
}

/* A sequence that is given */
typedef struct Replay {
    RVICConfig config;
    const RVICStep *steps;
    unsigned num;
} Replay;

static int replay_child(void *opaque)
{
    const Replay *replay = opaque;
    g_autofree Cores *s = g_new0(Cores, 1);
    RVICCompare compare;

    cores_init(s, &replay->config);
    rvic_compare_init(&compare, &replay->config, &cores, s);
    for (unsigned n = 0; n < replay->num && !compare.wrong->len; n++) {
        progress->step = n;
        rvic_compare_step(&compare, &replay->steps[n]);
    }
    if (!compare.wrong->len) {
        rvic_compare_check(&compare);
    }
    return finish(&compare, s);
}

static long replay_fails(const RVICStep *steps, unsigned num, void *opaque)
{
    Replay replay = { *(const RVICConfig *)opaque, steps, num };

    progress->step = 0;
    return num && !run_child(replay_child, &replay, true) ?
           progress->step : -1;
}

/* ---- What a user asks for ------------------------------------------------ */

/* The limits of all numbers, and those of the virt board */
static const struct {
    unsigned percent;               /* of all steps */
    RVICConfig config;
} defaults[] = {
    { 20, { 1, 32, 32, 16, 16, RVIC_MPIDR_BOARD } },
    { 20, { 2, 32, 992, 256, 16, RVIC_MPIDR_BOARD } },
    { 15, { 8, 32, 992, 256, 16, RVIC_MPIDR_BOARD } },
    { 10, { 8, 32, 2016, 256, 16, RVIC_MPIDR_BOARD } },
    { 10, { 8, 1792, 256, 256, 16, RVIC_MPIDR_BOARD } },
    { 8, { 2, 2016, 32, 32, 2000, RVIC_MPIDR_SPREAD } },
    { 5, { 1, 32, 2016, 0, 1, RVIC_MPIDR_SPREAD } },
    { 8, { 8, 64, 64, 33, 48, RVIC_MPIDR_SPREAD } },
    { 2, { 512, 32, 32, 16, 16, RVIC_MPIDR_SPREAD } },
    { 2, { 512, 32, 992, 256, 16, RVIC_MPIDR_BOARD } },
};

/* An option that was not given */
#define NOT_GIVEN   INT_MIN

static int64_t opt_steps = 25000000;
static int64_t opt_seed = NOT_GIVEN;
static int opt_cpus = NOT_GIVEN, opt_trusted = NOT_GIVEN;
static int opt_untrusted = NOT_GIVEN, opt_wired = NOT_GIVEN;
static char *opt_replay, *opt_output;

static const GOptionEntry options[] = {
    { "steps", 0, 0, G_OPTION_ARG_INT64, &opt_steps,
      "how many steps to make (default: 25000000)", "N" },
    { "seed", 0, 0, G_OPTION_ARG_INT64, &opt_seed,
      "seed of the first sequence (default: a random one)", "S" },
    { "cpus", 0, 0, G_OPTION_ARG_INT, &opt_cpus,
      "one configuration only: vCPUs (default then: 2)", "N" },
    { "trusted", 0, 0, G_OPTION_ARG_INT, &opt_trusted,
      "one configuration only: trusted interrupts (32)", "N" },
    { "untrusted", 0, 0, G_OPTION_ARG_INT, &opt_untrusted,
      "one configuration only: untrusted interrupts (992)", "N" },
    { "wired", 0, 0, G_OPTION_ARG_INT, &opt_wired,
      "one configuration only: wired inputs (256, or all)", "N" },
    { "replay", 0, 0, G_OPTION_ARG_FILENAME, &opt_replay,
      "make the steps of a file", "FILE" },
    { "output", 0, 0, G_OPTION_ARG_FILENAME, &opt_output,
      "where to write a failing sequence (default: here)", "DIR" },
    { }
};

static char *describe(const RVICConfig *c)
{
    return g_strdup_printf("%u vCPUs, %u trusted, %u untrusted, %u wired",
                           c->cpus, c->trusted, c->untrusted, c->wired);
}

static void print_comment(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", 0);

    for (int i = 0; lines[i]; i++) {
        printf("# %s\n", lines[i]);
    }
}

/* The failing sequence again, as far as it came; shorter; to a file */
static void write_failure(const Search *search)
{
    RVICConfig config = search->config;
    g_autoptr(GArray) steps = rvic_generate_sequence(
        &config, progress->seed, rare_steps(&config), progress->step + 1);
    g_autofree char *name = g_strdup_printf("rvic-fuzz-%u.txt",
                                            progress->seed);
    g_autofree char *file = g_build_filename(opt_output ?: ".", name, NULL);
    g_autofree char *comment = NULL;

    if (progress->hung) {
        /* and would again at each attempt, for minutes */
        print_comment("a step has no end: not minimised");
    } else if (replay_fails((RVICStep *)steps->data, steps->len,
                            &config) < 0) {
        print_comment("made again, the steps do not fail: not minimised");
    } else {
        rvic_sequence_minimise(steps, replay_fails, &config);
        replay_fails((RVICStep *)steps->data, steps->len, &config);
    }
    g_strchomp(progress->wrong);
    comment = g_strdup_printf("scripts/fuzz --replay FILE; found by seed %u\n"
                              "After the last step:\n%s",
                              progress->seed, progress->wrong);
    if (rvic_sequence_write(file, comment, &config, steps)) {
        printf("# %u steps of it are in %s\n# scripts/fuzz --replay %s\n",
               steps->len, file, file);
    }
}

static bool search_config(unsigned number, const Search *search)
{
    g_autofree char *name = describe(&search->config);
    gint64 start = g_get_monotonic_time();
    bool right;

    progress->done = 0;
    right = run_child(search_child, (void *)search, false);
    printf("# %s: %" PRIu64 " steps, %.2f million each second\n", name,
           progress->done, (double)progress->done /
           (g_get_monotonic_time() - start));
    printf("%s %u - %s\n", right ? "ok" : "not ok", number, name);
    if (!right) {
        printf("# seed %u, step %ld:\n", progress->seed, progress->step);
        print_comment(g_strchomp(progress->wrong));
        write_failure(search);
    }
    fflush(stdout);
    return right;
}

static uint32_t first_seed(void)
{
    return opt_seed == NOT_GIVEN ? g_random_int() : opt_seed;
}

static int search_all(void)
{
    uint32_t seed = first_seed();
    uint64_t done = 0;

    printf("# seed %u\n1..%zu\n", seed, ARRAY_SIZE(defaults));
    for (unsigned i = 0; i < ARRAY_SIZE(defaults); i++) {
        Search search = {
            .config = defaults[i].config,
            .seed = seed,
            /* at least one */
            .steps = DIV_ROUND_UP(opt_steps * defaults[i].percent, 100),
        };

        if (!search_config(i + 1, &search)) {
            printf("# failed after %" PRIu64 " steps\nBail out!\n",
                   done + progress->done);
            return 1;
        }
        done += progress->done;
    }
    return 0;
}

static int search_one(void)
{
    Search search = {
        .config = {
            .cpus = opt_cpus == NOT_GIVEN ? 2 : opt_cpus,
            .trusted = opt_trusted == NOT_GIVEN ? 32 : opt_trusted,
            .untrusted = opt_untrusted == NOT_GIVEN ? 992 : opt_untrusted,
        },
        .seed = first_seed(),
        .steps = opt_steps,
    };
    const char *wrong;

    search.config.wired = opt_wired == NOT_GIVEN ?
                          MIN(256, search.config.untrusted) : opt_wired;
    search.config.lines = search.config.trusted - RVIC_FIRST_LINE;
    wrong = rvic_config_check(&search.config);
    if (wrong) {
        fprintf(stderr, "rvic-fuzz: %s\n", wrong);
        return 1;
    }
    printf("# seed %u\n1..1\n", search.seed);
    return !search_config(1, &search);
}

/* Not in a child, so that a debugger sees it */
static int replay_file(void)
{
    Replay replay;
    g_autoptr(GArray) steps = rvic_sequence_read(opt_replay, &replay.config);
    g_autoptr(GString) text = g_string_new(NULL);

    if (!steps) {
        return 1;
    }
    replay.steps = (RVICStep *)steps->data;
    replay.num = steps->len;
    if (replay_child(&replay) == CHILD_RIGHT) {
        printf("%u steps: nothing is wrong\n", steps->len);
        return 0;
    }
    rvic_step_print(&replay.steps[progress->step], text);
    printf("step %ld of %u: %s\n%s", progress->step + 1, steps->len, text->str,
           progress->wrong);
    return 1;
}

static const char *wrong_arguments(int argc)
{
    if (argc > 1) {
        return "only options are expected: see --help";
    }
    if (opt_steps < 1 || opt_steps > INT64_MAX / 100) {
        return "--steps: so many steps cannot be made";
    }
    if (opt_seed != NOT_GIVEN && (opt_seed < 0 || opt_seed > UINT32_MAX)) {
        return "--seed: a seed has 32 bits";
    }
    /* not only at a failure, which would then be lost */
    if (opt_output && !g_file_test(opt_output, G_FILE_TEST_IS_DIR)) {
        return "--output: there is no such directory";
    }
    return NULL;
}

int main(int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new(
        "- compare the cores of rVIC and rVID with a model");
    g_autoptr(GError) err = NULL;
    const struct rlimit no_core = { 0, 0 };
    const char *steps = g_getenv("RVIC_FUZZ_STEPS");
    const char *wrong;

    if (steps) {
        opt_steps = g_ascii_strtoll(steps, NULL, 10);
    }
    g_option_context_add_main_entries(context, options, NULL);
    g_option_context_set_description(context, "scripts/fuzz --qemu FILE makes "
                                     "the steps of a file with all of QEMU.");
    if (!g_option_context_parse(context, &argc, &argv, &err)) {
        fprintf(stderr, "rvic-fuzz: %s\n", err->message);
        return 1;
    }
    wrong = wrong_arguments(argc);
    if (wrong) {
        fprintf(stderr, "rvic-fuzz: %s\n", wrong);
        return 1;
    }
    progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (progress == MAP_FAILED) {
        perror("rvic-fuzz");
        return 1;
    }
    if (opt_replay) {
        return replay_file();
    }
    setrlimit(RLIMIT_CORE, &no_core);
    return opt_cpus == NOT_GIVEN && opt_trusted == NOT_GIVEN &&
           opt_untrusted == NOT_GIVEN && opt_wired == NOT_GIVEN ?
           search_all() : search_one();
}
