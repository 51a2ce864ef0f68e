#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "common/tokenizer/json_object.h"
#include "common/tokenizer/regex.h"

namespace heroq {

// The field "pattern" of a Split or Replace: {"Regex": ...} or {"String": ...}.
absl::StatusOr<std::unique_ptr<Regex>> ParsePatternField(const JsonObject& object);

}  // namespace heroq
