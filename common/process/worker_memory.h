#pragma once

#include <cstdint>

namespace heroq {

// What a worker may keep from one task to the next, in bytes: workers obey it and plans count it.

// Hidden states it has just produced, for the next block.
inline constexpr int64_t kHiddenStateCacheBytes = int64_t{256} << 20;

// Memory it has freed: what units and shards of small models take, searches too (ADR 8).
inline constexpr int64_t kKeptFreedBytes = int64_t{256} << 20;

}  // namespace heroq
