#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/model_layout.h"
#include "worker/agent/unit_blob.h"

namespace heroq {

// A "unit" blob. Shapes of linears come from the layout of the block, whose other tensors are rewritten ones;
// bits, group size, symmetry and scale type follow from the shapes and types of the arrays, which fix them
// for inputs of at least 32 features. FILE_CORRUPT naming blob, tensor and rule.
absl::StatusOr<UnitBlob> ReadUnitBlob(absl::string_view bytes, const BlockLayout& layout,
                                      const std::string& name);

}  // namespace heroq
