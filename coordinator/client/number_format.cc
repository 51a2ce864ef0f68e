#include "coordinator/client/number_format.h"

#include <cctype>
#include <cstddef>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

struct Unit {
  absl::string_view suffix;
  double factor;
};

// Lower case; a trailing "b" is dropped before the comparison.
constexpr Unit kByteUnits[] = {{"", 1},
                               {"k", 1e3},
                               {"m", 1e6},
                               {"g", 1e9},
                               {"t", 1e12},
                               {"ki", 1024.0},
                               {"mi", 1024.0 * 1024},
                               {"gi", 1024.0 * 1024 * 1024},
                               {"ti", 1024.0 * 1024 * 1024 * 1024}};

}  // namespace

std::string FormatBytes(int64_t bytes) {
  static constexpr absl::string_view kUnits[] = {"B", "kB", "MB", "GB", "TB", "PB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  // 999.5 would print as "1000": it belongs to the next unit.
  while (value >= 999.5 && unit + 1 < std::size(kUnits)) {
    value /= 1000;
    ++unit;
  }
  const int decimals = unit == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return absl::StrFormat("%.*f %s", decimals, value, kUnits[unit]);
}

std::string DurationText(absl::Duration duration) {
  if (duration < absl::ZeroDuration()) return "-";
  const double seconds = absl::ToDoubleSeconds(duration);
  if (seconds < 9.95) return absl::StrFormat("%.1fs", seconds);
  const int64_t whole = static_cast<int64_t>(seconds + 0.5);
  const int64_t minutes = whole / 60, hours = minutes / 60, days = hours / 24;
  if (days > 0) return absl::StrFormat("%dd%02dh", days, hours % 24);
  if (hours > 0) return absl::StrFormat("%dh%02dm", hours, minutes % 60);
  if (minutes > 0) return absl::StrFormat("%dm%02ds", minutes, whole % 60);
  return absl::StrFormat("%ds", whole);
}

std::string FormatNumber(double value) { return absl::StrFormat("%.4g", value); }

absl::StatusOr<int64_t> ParseByteSize(absl::string_view flag, absl::string_view text) {
  std::size_t digits = 0;
  while (digits < text.size() &&
         (std::isdigit(static_cast<unsigned char>(text[digits])) || text[digits] == '.')) {
    ++digits;
  }
  double value = 0;
  std::string suffix = absl::AsciiStrToLower(absl::StripAsciiWhitespace(text.substr(digits)));
  if (!suffix.empty() && suffix.back() == 'b') suffix.pop_back();
  if (absl::SimpleAtod(text.substr(0, digits), &value)) {
    for (const Unit& unit : kByteUnits) {
      const double bytes = value * unit.factor;
      if (suffix == unit.suffix && bytes >= 1 && bytes < 9e18) return static_cast<int64_t>(bytes);
    }
  }
  return MakeError(Reason::kInvalidSpec,
                   absl::StrCat(flag, " is '", text, "'; expected a size such as 5GB, 500MB or 2GiB"));
}

absl::StatusOr<absl::Duration> ParseTimeout(absl::string_view flag, absl::string_view text) {
  absl::Duration duration;
  double seconds = 0;
  if (absl::SimpleAtod(text, &seconds)) {
    duration = absl::Seconds(seconds);
  } else if (!absl::ParseDuration(text, &duration)) {
    duration = absl::ZeroDuration();
  }
  if (duration > absl::ZeroDuration()) return duration;
  return MakeError(Reason::kInvalidSpec,
                   absl::StrCat(flag, " is '", text, "'; expected a duration such as 90s, 10m or 1h30m"));
}

}  // namespace heroq
