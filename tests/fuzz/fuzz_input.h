#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/string_view.h"

namespace heroq {

// The bytes of one fuzzing input, taken from the front. Past the end everything is 0 or empty.
class FuzzInput {
 public:
  FuzzInput(const uint8_t* data, std::size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

  bool empty() const { return rest_.empty(); }
  uint8_t TakeByte() {
    const absl::string_view byte = Take(1);
    return byte.empty() ? 0 : static_cast<uint8_t>(byte[0]);
  }
  // Two bytes, big-endian.
  std::size_t TakeLength() {
    const std::size_t high = TakeByte();
    return high << 8 | TakeByte();
  }
  absl::string_view Take(std::size_t size) {
    const absl::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  // Up to the next `separator`, which is dropped.
  absl::string_view TakeUntil(char separator) {
    const absl::string_view taken = Take(std::min(rest_.find(separator), rest_.size()));
    Take(1);
    return taken;
  }
  absl::string_view TakeRest() { return Take(rest_.size()); }

 private:
  absl::string_view rest_;
};

// Ends the process, which the fuzzer counts as a finding.
inline void Require(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "property broken: %s\n", property);
  std::abort();
}

}  // namespace heroq
