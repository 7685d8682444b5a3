#include "CAllocations.h"

#include <stddef.h>

// A sanitizer brings its own, which must not be hidden.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define FLYWHEEL_IS_SANITIZED 1
#endif
#endif

#if FLYWHEEL_IS_SANITIZED

uint64_t flywheel_allocations(void) { return 0; }

#else

// Tests only: these stand before the C library's own wherever this file is linked.

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

static __thread uint64_t allocations;

uint64_t flywheel_allocations(void) { return allocations; }

void *malloc(size_t size) {
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
    allocations++;
    return __libc_realloc(memory, size);
}

#endif
