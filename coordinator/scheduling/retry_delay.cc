#include "coordinator/scheduling/retry_delay.h"

#include <algorithm>
#include <cstdint>

namespace heroq {
namespace {

// FNV-1a, then the finalizer of SplitMix64: close keys must not give close fractions.
double FractionOf(absl::string_view key) {
  uint64_t hash = 0xCBF29CE484222325;
  for (const char byte : key) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001B3;
  hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9;
  hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EB;
  hash ^= hash >> 31;
  return static_cast<double>(hash >> 11) * 0x1p-53;
}

}  // namespace

absl::Duration RetryDelay(int ends, absl::string_view key, absl::Duration base, absl::Duration cap) {
  absl::Duration delay = base;
  for (int end = 1; end < ends && delay < cap; ++end) delay *= 2;
  return std::min(delay, cap) * (0.8 + 0.4 * FractionOf(key));
}

}  // namespace heroq
