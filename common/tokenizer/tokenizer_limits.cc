#include "common/tokenizer/tokenizer_limits.h"

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

constexpr int kMaxSteps = 64;
constexpr std::size_t kMaxFactor = 16;
constexpr std::size_t kFreeBytes = 4096;

// Every step is an object with a "type".
int CountSteps(const nlohmann::json& part) {
  int steps = part.is_object() && part.contains("type") ? 1 : 0;
  if (part.is_structured()) {
    for (const nlohmann::json& inner : part) {
      steps += CountSteps(inner);
      if (steps > kMaxSteps) break;
    }
  }
  return steps;
}

}  // namespace

absl::Status CheckStepCount(const nlohmann::json& part, const std::string& place) {
  if (CountSteps(part) <= kMaxSteps) return absl::OkStatus();
  return MakeError(Reason::kTokenizerUnsupported,
                   absl::StrCat(place, ": more than ", kMaxSteps, " steps are not supported"));
}

absl::Status CheckGrowth(std::size_t before, std::size_t after) {
  if (after <= kFreeBytes || after / kMaxFactor <= before) return absl::OkStatus();
  return MakeError(Reason::kTokenizerUnsupported,
                   absl::StrCat("the tokenizer rewrites a text of ", before, " bytes to ", after,
                                " or more, expected at most ", kMaxFactor, " times as many"));
}

}  // namespace heroq
