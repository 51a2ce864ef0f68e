#include "coordinator/client/eta_smoother.h"

#include <algorithm>

namespace heroq {
namespace {

// Share of a new estimate in what is shown: a few seconds of tasks decide, not one.
constexpr double kWeight = 0.1;

}  // namespace

void EtaSmoother::Update(double seconds, absl::Duration now) {
  if (seconds < 0) return;
  const absl::Duration end = now + absl::Seconds(seconds);
  end_ = end_.has_value() ? *end_ + kWeight * (end - *end_) : end;
}

std::optional<absl::Duration> EtaSmoother::Left(absl::Duration now) const {
  if (!end_.has_value()) return std::nullopt;
  return std::max(*end_ - now, absl::ZeroDuration());
}

}  // namespace heroq
