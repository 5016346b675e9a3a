/*
 * The first process of a Linux guest: how fast are its interrupts?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Prints "@INIT NS" as soon as it runs, with the time since the kernel's start.
 * Then for each measurement that is wanted
 *
 *      @START
 *      @TICKS TIMERS
 *      @RESULT NAME EVENTS INTERRUPTS NS
 *
 * the number of timer interrupts between the first two lines; the number of
 * events that the program has seen, that of interrupts which /proc/interrupts
 * has counted for them, and the time it took. In the end "@DONE", and the
 * machine is switched off. "@FAIL WHY" ends it early: also if there were more
 * events than interrupts, for then something else was measured.
 *
 * The kernel's command line says what is wanted: what is behind "--" there are
 * names of measurements, which it hands on as arguments, and these are part of
 * the environment:
 *
 *      SECONDS     how long each measurement takes, 1 if not given
 *      EXTRA       how many interrupts more each event has to have: a number
 *                  other than 0 has the program fail, to see it do that
 *
 * The machine has two CPUs and, on PCI, a disk full of zeroes and behind it, if
 * "net" is wanted, a network card of QEMU's user network.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define BLOCK           4096
#define DISK            "/dev/vda"

/* QEMU's user network: addresses of the guest, and of QEMU itself */
#define CARD            "eth0"
#define GUEST           "10.0.2.15"
#define NETMASK         "255.255.255.0"
#define QEMU            "10.0.2.2"

/* How long an answer may take that is never lost, in seconds */
#define PATIENCE        60

typedef struct Measurement {
    const char *name;
    /* What the lines of its interrupts in /proc/interrupts contain, both */
    const char *chip;
    const char *action;
    /* How many interrupts an event has, of which so many in 100 may miss */
    unsigned interrupts;
    unsigned missing_percent;
    /* Makes events until it is @end, and returns how many */
    uint64_t (*run)(uint64_t end);
} Measurement;

static uint64_t duration_ns;
static unsigned extra;

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

/*
 * The sum over all CPUs of all lines of /proc/interrupts that have both words;
 * each of these is passed to @found, too, if that is not NULL.
 */
static uint64_t interrupts(const char *chip, const char *action,
                           void (*found)(const char *label))
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

        if (!p || !strstr(line, chip) || !strstr(line, action)) {
            continue;
        }
        matches++;
        *p++ = '\0';
        if (found) {
            found(line + strspn(line, " "));
        }
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
        fail("/proc/interrupts has no %s %s", chip, action);
    }
    return sum;
}

static void measure(const Measurement *m)
{
    uint64_t ticks, irqs, start, events, ns, wanted;

    printf("@START\n");
    fflush(stdout);
    ticks = interrupts("arch_timer", "", NULL);
    irqs = interrupts(m->chip, m->action, NULL);
    start = now();
    events = m->run(start + duration_ns);
    ns = now() - start;
    wanted = events * (m->interrupts + extra);
    irqs = interrupts(m->chip, m->action, NULL) - irqs;
    ticks = interrupts("arch_timer", "", NULL) - ticks;
    printf("@TICKS %llu\n", (unsigned long long)ticks);
    printf("@RESULT %s %llu %llu %llu\n", m->name, (unsigned long long)events,
           (unsigned long long)irqs, (unsigned long long)ns);
    fflush(stdout);
    if (!events || irqs < wanted - wanted * m->missing_percent / 100) {
        errno = 0;
        fail("%s: %llu interrupts, not %llu", m->name,
             (unsigned long long)irqs, (unsigned long long)wanted);
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
 * IPIs: two threads, each on a CPU of its own, and from each to the other a
 * channel: what one reads from, and what the other writes to
 */

typedef struct Channel {
    int out, in;
} Channel;

static Channel ping, pong;
/* volatile, as the other thread waits for it */
static volatile bool stop;

static Channel open_eventfd(void)
{
    int fd = eventfd(0, 0);

    if (fd < 0) {
        fail("eventfd");
    }
    return (Channel) { .out = fd, .in = fd };
}

static Channel open_pipe(void)
{
    int fd[2];

    if (pipe(fd)) {
        fail("pipe");
    }
    return (Channel) { .out = fd[0], .in = fd[1] };
}

static void close_channel(Channel channel)
{
    close(channel.out);
    if (channel.in != channel.out) {
        close(channel.in);
    }
}

static void wake(Channel channel)
{
    /* The number that an eventfd takes */
    const uint64_t one = 1;

    if (write(channel.in, &one, sizeof(one)) != sizeof(one)) {
        fail("wake");
    }
}

static void sleep_until(Channel channel)
{
    uint64_t value;

    if (read(channel.out, &value, sizeof(value)) != sizeof(value)) {
        fail("sleep");
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

static pthread_t start_other(void *(*function)(void *),
                             Channel (*open_channel)(void))
{
    pthread_t thread;

    stop = false;
    ping = open_channel();
    pong = open_channel();
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
    close_channel(ping);
    close_channel(pong);
}

/* There and back: each wake-up finds the other CPU idle. */
static uint64_t round_trips(Channel (*open_channel)(void), uint64_t end)
{
    pthread_t thread = start_other(answer, open_channel);
    uint64_t trips = 0;

    do {
        wake(ping);
        sleep_until(pong);
        trips++;
    } while (now() < end);
    end_other(thread);
    return trips;
}

static uint64_t run_wake(uint64_t end)
{
    return round_trips(open_eventfd, end);
}

static uint64_t run_pipe(uint64_t end)
{
    return round_trips(open_pipe, end);
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
    pthread_t thread = start_other(spin, open_eventfd);
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

/*
 * Network: ICMP's echo, one request after the other. QEMU's user network itself
 * answers, so that no other process of the host has to be woken up for it.
 */

static void set_address(int fd, int request, const char *address)
{
    struct ifreq ifr = { .ifr_name = CARD };
    struct sockaddr_in *in = (struct sockaddr_in *)&ifr.ifr_addr;

    in->sin_family = AF_INET;
    inet_pton(AF_INET, address, &in->sin_addr);
    if (ioctl(fd, request, &ifr)) {
        fail(CARD);
    }
}

static int open_network(void)
{
    const struct timeval patience = { .tv_sec = PATIENCE };
    struct sockaddr_in peer = { .sin_family = AF_INET };
    struct ifreq ifr = { .ifr_name = CARD, .ifr_flags = IFF_UP };
    int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);

    inet_pton(AF_INET, QEMU, &peer.sin_addr);
    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience))) {
        fail("socket");
    }
    set_address(fd, SIOCSIFADDR, GUEST);
    set_address(fd, SIOCSIFNETMASK, NETMASK);
    if (ioctl(fd, SIOCSIFFLAGS, &ifr)) {
        fail(CARD);
    }
    if (connect(fd, (struct sockaddr *)&peer, sizeof(peer))) {
        fail(QEMU);
    }
    return fd;
}

static uint16_t checksum(const struct icmphdr *header)
{
    const uint16_t *words = (const uint16_t *)header;
    uint32_t sum = 0;

    for (unsigned n = 0; n < sizeof(*header) / sizeof(*words); n++) {
        sum += words[n];
    }
    sum = (sum & 0xffff) + (sum >> 16);
    return ~(sum + (sum >> 16));
}

static void request(int fd, uint16_t number)
{
    struct icmphdr echo = { .type = ICMP_ECHO, .un.echo.sequence = number };
    struct {
        struct iphdr ip;
        struct icmphdr icmp;
    } answer;

    echo.checksum = checksum(&echo);
    if (send(fd, &echo, sizeof(echo), 0) != sizeof(echo)) {
        fail("request %u", number);
    }
    if (recv(fd, &answer, sizeof(answer), 0) != sizeof(answer)) {
        fail("answer to %u", number);
    }
    if (answer.icmp.type != ICMP_ECHOREPLY ||
        answer.icmp.un.echo.sequence != number) {
        errno = 0;
        fail("type %u, number %u answers %u", answer.icmp.type,
             answer.icmp.un.echo.sequence, number);
    }
}

/* Some controllers' drivers spread interrupts over the CPUs, some do not. */
static void move_to_first_cpu(const char *label)
{
    char name[64];
    FILE *file;

    snprintf(name, sizeof(name), "/proc/irq/%s/smp_affinity_list", label);
    file = fopen(name, "w");
    if (!file || fputs("0", file) < 0 || fclose(file)) {
        fail("%s", name);
    }
}

static uint64_t run_net(uint64_t end)
{
    int fd = open_network();
    uint64_t answers = 0;

    pin(0);
    interrupts("-MSIX-", "virtio1", move_to_first_cpu);
    do {
        request(fd, answers);
        answers++;
    } while (now() < end);
    close(fd);
    return answers;
}

static const Measurement measurements[] = {
    /* A tick fires the timer, too. */
    { "timer", "arch_timer", "", 1, 10, run_timer },
    /* A CPU that is only about to sleep is not interrupted. */
    { "ipi-idle", "IPI", "", 2, 10, run_wake },
    /* On a busy host, a CPU may not have come to sleep yet. */
    { "pipe", "IPI", "", 2, 50, run_pipe },
    { "ipi-busy", "IPI", "", 1, 10, run_call },
    { "disk", "-MSIX-", "virtio0-req", 1, 0, run_disk },
    /* The same of a disk without MSIs, whose line is a level */
    { "intx", "", "virtio0", 1, 0, run_disk },
    /* An answer may come while the one before is yet being looked after. */
    { "net", "-MSIX-", "virtio1-input", 1, 10, run_net },
};

static const Measurement *find_measurement(const char *name)
{
    for (unsigned n = 0; n < sizeof(measurements) / sizeof(*measurements);
         n++) {
        if (!strcmp(measurements[n].name, name)) {
            return &measurements[n];
        }
    }
    errno = 0;
    fail("there is no measurement %s", name);
}

int main(int argc, char **argv)
{
    uint64_t boot = now();
    const char *seconds = getenv("SECONDS"), *more = getenv("EXTRA");

    printf("@INIT %llu\n", (unsigned long long)boot);
    fflush(stdout);
    if (mount("proc", "/proc", "proc", 0, NULL) ||
        mount("devtmpfs", "/dev", "devtmpfs", 0, NULL)) {
        fail("mount");
    }
    duration_ns = (seconds ? strtod(seconds, NULL) : 1) * 1e9;
    extra = more ? atoi(more) : 0;

    for (int n = 1; n < argc; n++) {
        measure(find_measurement(argv[n]));
    }
    printf("@DONE\n");
    power_off();
}
