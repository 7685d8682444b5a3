#pragma once
#include <zstd.h>

// A macro over values of the enumeration that Swift does not see as one number.
static inline unsigned long long flywheel_zstd_unknown(void) { return ZSTD_CONTENTSIZE_UNKNOWN; }
static inline unsigned long long flywheel_zstd_error(void) { return ZSTD_CONTENTSIZE_ERROR; }
