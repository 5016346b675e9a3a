/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sample cycles|instructions PERIOD SAMPLES: what a profiler does. A loop runs
 * until the PMU's overflow interrupts have found so many times where this
 * program is; one comes each PERIOD events in user space. Then it prints four
 * numbers: these samples, how many of them found the loop, how many found the
 * kernel, for an interrupt may be late, and the events counted.
 */

#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RING_PAGES 16

/* A loop; tells where it is */
static void be_busy(uintptr_t *start, uintptr_t *end)
{
    uint64_t turns = 1000000;

    asm volatile("    adr     %1, 0f\n"
                 "    adr     %2, 1f\n"
                 "0:  subs    %0, %0, #1\n"
                 "    b.ne    0b\n"
                 "1:\n"
                 : "+r" (turns), "=&r" (*start), "=&r" (*end) : : "cc");
}

int main(int argc, char **argv)
{
    struct perf_event_attr attr = {
        .type = PERF_TYPE_HARDWARE,
        .size = sizeof(attr),
        .sample_type = PERF_SAMPLE_IP,
        .exclude_kernel = 1,
        .exclude_hv = 1,
        .disabled = 1,
    };
    size_t page = getauxval(AT_PAGESZ), size = RING_PAGES * page;
    uint64_t wanted, samples = 0, inside = 0, kernel = 0, count;
    struct perf_event_mmap_page *meta;
    const struct perf_event_header *header;
    uintptr_t start, end;
    const char *ring;
    int fd;

    if (argc != 4) {
        fprintf(stderr, "usage: sample cycles|instructions PERIOD SAMPLES\n");
        return 2;
    }
    attr.config = strcmp(argv[1], "cycles") ? PERF_COUNT_HW_INSTRUCTIONS
                                            : PERF_COUNT_HW_CPU_CYCLES;
    attr.sample_period = atoll(argv[2]);
    wanted = atoll(argv[3]);

    fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
    if (fd < 0) {
        perror("perf_event_open");
        return 1;
    }
    meta = mmap(NULL, page + size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (meta == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    ring = (const char *)meta + page;

    ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
    while (samples < wanted) {
        be_busy(&start, &end);
        while (meta->data_tail !=
               __atomic_load_n(&meta->data_head, __ATOMIC_ACQUIRE)) {
            /* All is in units of 8 bytes: none of them wraps around */
            header = (const void *)(ring + meta->data_tail % size);
            if (header->type == PERF_RECORD_SAMPLE) {
                uint64_t ip = *(const uint64_t *)
                    (ring + (meta->data_tail + sizeof(*header)) % size);

                if (ip >> 63) {
                    kernel++;
                } else {
                    samples++;
                    inside += ip >= start && ip < end;
                }
            }
            __atomic_store_n(&meta->data_tail,
                             meta->data_tail + header->size,
                             __ATOMIC_RELEASE);
        }
    }
    ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);

    if (read(fd, &count, sizeof(count)) != sizeof(count)) {
        perror("read");
        return 1;
    }
    printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
           samples, inside, kernel, count);
    return 0;
}
