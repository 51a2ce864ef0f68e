#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace heroq {

// Valid JSON as block-style YAML with the same data: keys in their order, strings quoted where YAML would
// read something else. Ends with a newline.
std::string JsonToYaml(absl::string_view json);

}  // namespace heroq
