#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace heroq {

// "512 B", "1.5 kB", "269 MB", "14.2 GB": powers of 1000, three significant digits.
std::string FormatBytes(int64_t bytes);

// "4.2s", "1m12s", "3h05m", "2d04h": two units, whole seconds from ten seconds up; "-" for negative ones.
std::string DurationText(absl::Duration duration);

// Four significant digits without trailing zeros: perplexities, errors.
std::string FormatNumber(double value);

// "5000000000", "5GB", "500MB", "2GiB", "64k"; B may be left out. INVALID_SPEC naming `flag` otherwise, and
// for sizes below 1.
absl::StatusOr<int64_t> ParseByteSize(absl::string_view flag, absl::string_view text);

// "90" (seconds), "90s", "10m", "1h30m". INVALID_SPEC naming `flag` otherwise, and for durations not above
// zero.
absl::StatusOr<absl::Duration> ParseTimeout(absl::string_view flag, absl::string_view text);

}  // namespace heroq
