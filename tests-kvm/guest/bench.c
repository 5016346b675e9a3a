/*
 * The first process of a Linux guest: how fast are its interrupts?
 *
 * Prints "@INIT NS" as soon as it runs, with the time since the kernel's start.
 * Then for each measurement
 *
 *      @RESULT NAME EVENTS INTERRUPTS NS
 *
 * the number of events that the program has seen, that of interrupts which
 * /proc/interrupts has counted for them, and the time it took; in the end
 * "@DONE", and the machine is switched off. "@FAIL WHY" ends it early: also if
 * there were more events than interrupts, for then something else was measured.
 *
 * SECONDS in the environment, which is the kernel's command line, is how long
 * each takes. The machine has two CPUs and a disk full of zeroes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define BLOCK           4096
#define DISK            "/dev/vda"

/*
 * Of how many in 100 events the interrupt may be shared or spared: a tick fires
 * a timer, too, and a CPU that is only about to sleep is not interrupted.
 */
#define SHARED_PERCENT  10

static uint64_t duration_ns;

static void __attribute__((noreturn)) power_off(void)
{
    fflush(stdout);
    /* What the UART has in its FIFO yet would be lost */
    fsync(1);
    usleep(100000);
    reboot(RB_POWER_OFF);
    exit(1);
}

static void __attribute__((noreturn, format(printf, 1, 2)))
fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    printf("@FAIL ");
    vprintf(format, args);
    printf(": %s\n", strerror(errno));
    va_end(args);
    power_off();
}

static uint64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_BOOTTIME, &time);
    return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static void pin(unsigned cpu)
{
    cpu_set_t cpus;

    CPU_ZERO(&cpus);
    CPU_SET(cpu, &cpus);
    if (sched_setaffinity(0, sizeof(cpus), &cpus)) {
        fail("CPU %u", cpu);
    }
}

/* The sum over all CPUs of all lines of /proc/interrupts that have a word */
static uint64_t interrupts(const char *word)
{
    static char line[65536];
    FILE *file = fopen("/proc/interrupts", "r");
    unsigned matches = 0;
    uint64_t sum = 0;

    if (!file) {
        fail("/proc/interrupts");
    }
    while (fgets(line, sizeof(line), file)) {
        char *p = strchr(line, ':');

        if (!p || !strstr(line, word)) {
            continue;
        }
        matches++;
        p++;
        for (long n = sysconf(_SC_NPROCESSORS_ONLN); n; n--) {
            unsigned long long count;
            int length;

            if (sscanf(p, "%llu%n", &count, &length) != 1) {
                fail("/proc/interrupts");
            }
            sum += count;
            p += length;
        }
    }
    fclose(file);
    if (!matches) {
        errno = 0;
        fail("/proc/interrupts has no %s", word);
    }
    return sum;
}

/*
 * A measurement: @run makes events until it is @end, and returns how many.
 * Each costs at least one of the interrupts whose lines have @word.
 */
static void measure(const char *name, const char *word,
                    uint64_t (*run)(uint64_t end))
{
    uint64_t irqs = interrupts(word), start = now();
    uint64_t events = run(start + duration_ns);
    uint64_t ns = now() - start;

    irqs = interrupts(word) - irqs;
    printf("@RESULT %s %llu %llu %llu\n", name, (unsigned long long)events,
           (unsigned long long)irqs, (unsigned long long)ns);
    fflush(stdout);
    if (!events || irqs < events - events * SHARED_PERCENT / 100) {
        errno = 0;
        fail("%s: %llu interrupts for %llu events", name,
             (unsigned long long)irqs, (unsigned long long)events);
    }
}

/*
 * Timer: it is set to the next microsecond as soon as it has fired, while the
 * CPU is busy looking at it.
 */
static uint64_t run_timer(uint64_t end)
{
    const struct itimerspec soon = { .it_value.tv_nsec = 1000 };
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    uint64_t fired = 0, expirations;

    if (fd < 0) {
        fail("timerfd");
    }
    pin(1);
    do {
        if (timerfd_settime(fd, 0, &soon, NULL)) {
            fail("timerfd_settime");
        }
        while (read(fd, &expirations, sizeof(expirations)) < 0) {
            if (errno != EAGAIN) {
                fail("timerfd");
            }
        }
        fired += expirations;
    } while (now() < end);
    close(fd);
    return fired;
}

/*
 * IPIs: two threads, each on a CPU of its own
 */

static int ping, pong;
/* volatile, as the other thread waits for it */
static volatile bool stop;

static void wake(int fd)
{
    const uint64_t one = 1;

    if (write(fd, &one, sizeof(one)) != sizeof(one)) {
        fail("eventfd");
    }
}

static void sleep_until(int fd)
{
    uint64_t value;

    if (read(fd, &value, sizeof(value)) != sizeof(value)) {
        fail("eventfd");
    }
}

static void *answer(void *opaque)
{
    (void)opaque;
    pin(1);
    for (;;) {
        sleep_until(ping);
        if (stop) {
            return NULL;
        }
        wake(pong);
    }
}

static void *spin(void *opaque)
{
    (void)opaque;
    pin(1);
    wake(pong);
    while (!stop) {
        /* stay in this process's user space */
    }
    return NULL;
}

static pthread_t start_other(void *(*function)(void *))
{
    pthread_t thread;

    stop = false;
    ping = eventfd(0, 0);
    pong = eventfd(0, 0);
    if (ping < 0 || pong < 0) {
        fail("eventfd");
    }
    errno = pthread_create(&thread, NULL, function, NULL);
    if (errno) {
        fail("pthread_create");
    }
    pin(0);
    return thread;
}

static void end_other(pthread_t thread)
{
    stop = true;
    wake(ping);
    errno = pthread_join(thread, NULL);
    if (errno) {
        fail("pthread_join");
    }
    close(ping);
    close(pong);
}

/* Wake-ups: each finds the other CPU idle. */
static uint64_t run_wake(uint64_t end)
{
    pthread_t thread = start_other(answer);
    uint64_t wakes = 0;

    do {
        wake(ping);
        sleep_until(pong);
        wakes += 2;
    } while (now() < end);
    end_other(thread);
    return wakes;
}

/*
 * Looks at the software events of the other CPU: each interrupts that while it
 * is busy.
 */
static uint64_t run_call(uint64_t end)
{
    struct perf_event_attr attr = {
        .type = PERF_TYPE_SOFTWARE,
        .size = sizeof(attr),
        .config = PERF_COUNT_SW_DUMMY,
    };
    int fd = syscall(SYS_perf_event_open, &attr, -1, 1, -1, 0);
    pthread_t thread = start_other(spin);
    uint64_t calls = 0, value;

    if (fd < 0) {
        fail("perf_event_open");
    }
    sleep_until(pong);
    do {
        if (read(fd, &value, sizeof(value)) != sizeof(value)) {
            fail("perf event");
        }
        calls++;
    } while (now() < end);
    end_other(thread);
    close(fd);
    return calls;
}

/* Disk: one read after the other, past all caches */
static uint64_t run_disk(uint64_t end)
{
    static uint8_t block[BLOCK] __attribute__((aligned(BLOCK)));
    int fd = open(DISK, O_RDONLY | O_DIRECT);
    off_t size = lseek(fd, 0, SEEK_END);
    uint64_t reads = 0, random = 1;

    if (fd < 0 || size < BLOCK) {
        fail(DISK);
    }
    pin(0);
    do {
        random = random * 6364136223846793005 + 1442695040888963407;
        block[0] = block[BLOCK - 1] = 0xff;
        if (pread(fd, block, BLOCK, (random >> 33) % (size / BLOCK) * BLOCK)
            != BLOCK) {
            fail(DISK);
        }
        if (block[0] || block[BLOCK - 1]) {
            errno = 0;
            fail(DISK " was not read");
        }
        reads++;
    } while (now() < end);
    close(fd);
    return reads;
}

int main(void)
{
    uint64_t boot = now();
    const char *seconds = getenv("SECONDS");

    printf("@INIT %llu\n", (unsigned long long)boot);
    fflush(stdout);
    if (mount("proc", "/proc", "proc", 0, NULL) ||
        mount("devtmpfs", "/dev", "devtmpfs", 0, NULL)) {
        fail("mount");
    }
    duration_ns = (seconds ? atoi(seconds) : 1) * 1000000000ull;

    measure("timer", "arch_timer", run_timer);
    measure("ipi-idle", "IPI", run_wake);
    measure("ipi-busy", "IPI", run_call);
    measure("disk", "virtio0-req", run_disk);
    printf("@DONE\n");
    power_off();
}
