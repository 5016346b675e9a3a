/*
 * Bare-metal guest: what libfdt and the compiler want of a C library
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>
#include <string.h>

void *memcpy(void *to, const void *from, size_t size)
{
    return memmove(to, from, size);
}

void *memmove(void *to, const void *from, size_t size)
{
    const uint8_t *source = from;
    uint8_t *target = to;

    if (target < source) {
        for (size_t i = 0; i < size; i++) {
            target[i] = source[i];
        }
    } else {
        while (size--) {
            target[size] = source[size];
        }
    }
    return to;
}

void *memset(void *to, int value, size_t size)
{
    uint8_t *target = to;

    while (size--) {
        *target++ = value;
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const uint8_t *p = a, *q = b;

    for (; size; size--, p++, q++) {
        if (*p != *q) {
            return *p - *q;
        }
    }
    return 0;
}

void *memchr(const void *memory, int wanted, size_t size)
{
    for (const uint8_t *p = memory; size; size--, p++) {
        if (*p == (uint8_t)wanted) {
            return (void *)p;
        }
    }
    return NULL;
}

size_t strnlen(const char *text, size_t most)
{
    size_t length = 0;

    while (length < most && text[length]) {
        length++;
    }
    return length;
}

size_t strlen(const char *text)
{
    return strnlen(text, SIZE_MAX);
}

char *strrchr(const char *text, int wanted)
{
    const char *found = NULL;

    do {
        if (*text == (char)wanted) {
            found = text;
        }
    } while (*text++);
    return (char *)found;
}
