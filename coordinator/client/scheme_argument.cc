#include "coordinator/client/scheme_argument.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

constexpr int32_t kChannel = -1;

absl::Status BadOverride(absl::string_view text, absl::string_view problem) {
  return MakeError(
      Reason::kInvalidSpec,
      absl::StrCat("--override '", text, "': ", problem,
                   "; expected REGEX=SCHEME, SCHEME such as w8, w4,g64,asym, w8,a8,channel or keep"));
}

// False when `part` is no part of a scheme or its kind was set before.
bool SetPart(absl::string_view part, v1::SchemeSpec& scheme) {
  int number = 0;
  if (part == "sym" || part == "asym") {
    if (scheme.symmetry() != v1::SYMMETRY_UNSPECIFIED) return false;
    scheme.set_symmetry(part == "sym" ? v1::SYMMETRY_SYMMETRIC : v1::SYMMETRY_ASYMMETRIC);
    return true;
  }
  if (part == "channel") {
    if (scheme.group_size() != 0) return false;
    scheme.set_group_size(kChannel);
    return true;
  }
  if (part.size() < 2 || !absl::SimpleAtoi(part.substr(1), &number) || number < 1) return false;
  if (part[0] == 'w' && scheme.weight_bits() == 0) {
    scheme.set_weight_bits(number);
    return true;
  }
  if (part[0] == 'a' && scheme.activation_bits() == 0) {
    scheme.set_activation_bits(number);
    return true;
  }
  if (part[0] == 'g' && scheme.group_size() == 0) {
    scheme.set_group_size(number);
    return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<int32_t> ParseGroupSize(absl::string_view argument, absl::string_view text) {
  if (text == "auto") return 0;
  if (text == "channel") return kChannel;
  int32_t size = 0;
  if (absl::SimpleAtoi(text, &size) && size > 0) return size;
  return MakeError(
      Reason::kInvalidSpec,
      absl::StrCat(argument, " is '", text, "'; expected auto, channel or a number of input channels"));
}

absl::StatusOr<v1::Symmetry> ParseSymmetry(absl::string_view argument, absl::string_view text) {
  if (text == "auto") return v1::SYMMETRY_UNSPECIFIED;
  if (text == "on") return v1::SYMMETRY_SYMMETRIC;
  if (text == "off") return v1::SYMMETRY_ASYMMETRIC;
  return MakeError(Reason::kInvalidSpec,
                   absl::StrCat(argument, " is '", text, "'; expected auto, on or off"));
}

absl::StatusOr<v1::SchemeOverride> ParseOverride(absl::string_view text) {
  const std::size_t split = text.rfind('=');
  if (split == absl::string_view::npos || split == 0) return BadOverride(text, "it has no REGEX");
  v1::SchemeOverride result;
  result.set_pattern(std::string(text.substr(0, split)));
  const absl::string_view scheme = text.substr(split + 1);
  if (scheme == "keep") {
    result.set_keep(true);
    return result;
  }
  for (absl::string_view part : absl::StrSplit(scheme, ',')) {
    if (!SetPart(absl::AsciiStrToLower(part), *result.mutable_scheme())) {
      return BadOverride(text,
                         absl::StrCat("'", part, "' is not a part of a scheme, or the second of its kind"));
    }
  }
  return result;
}

}  // namespace heroq
