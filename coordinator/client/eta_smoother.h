#pragma once

#include <optional>

#include "absl/time/time.h"

namespace heroq {

// A calm display of a job's ETA: the server's estimate jumps with every task and is missing for moments.
// Times are of one monotonic clock. Thread-compatible.
class EtaSmoother {
 public:
  // `seconds` as in QuantizationJob: negative while unknown, which changes nothing.
  void Update(double seconds, absl::Duration now);
  // Time left; nullopt before the first estimate. Never negative.
  std::optional<absl::Duration> Left(absl::Duration now) const;

 private:
  std::optional<absl::Duration> end_;
};

}  // namespace heroq
