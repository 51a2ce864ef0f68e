#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/checkpoint/safetensors_writer.h"
#include "heroq/v1/plan.pb.h"

namespace heroq {

// What a unit gives as a file knows it; INTERNAL when the plan names a dtype that there is not.
absl::StatusOr<TensorSpec> SpecOf(const v1::RewrittenTensor& tensor);

// A safetensors file with its header and the place of every tensor; `assign` says where a tensor comes from.
absl::StatusOr<v1::PlannedFile> LayOutFile(std::string name, std::vector<TensorSpec> specs,
                                           const std::function<void(v1::PlannedTensor& tensor)>& assign);

}  // namespace heroq
