#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/model/config_fields.h"
#include "common/model/model_layout.h"

namespace heroq {

// What is particular to a family of models: how its config.json is read into a layout. Adding a family is one
// such descriptor and its line in ModelFamilies.
struct ModelFamily {
  absl::string_view model_type;                  // `model_type` in config.json, also ModelLayout::family
  std::vector<absl::string_view> architectures;  // accepted first entries of `architectures`
  absl::StatusOr<ModelLayout> (*read_config)(const ConfigFields& config);
};

// Every family heroq knows.
absl::Span<const ModelFamily> ModelFamilies();

}  // namespace heroq
