#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/checkpoint/online_transforms.h"
#include "common/model/model_layout.h"

namespace heroq {

// Rotations of linear inputs that loaders apply at run time (common/checkpoint/online_transforms.h), as
// places of a model.

// One distinct input of a block that a checkpoint rotates.
struct RotatedInput {
  size_t block = 0;  // index into ModelLayout::blocks
  LinearInput input = LinearInput::kAttentionIn;
  std::string tensor;  // where the matrix is, or would be if it is missing
  int64_t size = 0;
};

// In the model's order. UNSUPPORTED when linears that share an input have different transforms, when blocks
// do not divide an input, or when the head has one: this is no form heroq computes.
absl::StatusOr<std::vector<RotatedInput>> FindRotatedInputs(const ModelLayout& layout,
                                                            const OnlineTransforms& transforms,
                                                            const CheckpointReader& tensors);

// How heroq names and sizes those of its own: one per distinct linear input of a block. Pure.

// The largest power of two up to 128 that divides the input.
int64_t OnlineRotationSize(int64_t in_features);

// Group of transform_config: "rotation_<block>_<input>", `block` the number in its linears' names.
std::string OnlineGroup(absl::string_view block, LinearInput input);

// The tensor that stores the rotation of `input`: beside the block's first linear that reads it.
std::string OnlineTensor(const BlockLayout& block, LinearInput input);
bool IsOnlineTensor(const BlockLayout& block, const std::string& name);

}  // namespace heroq
