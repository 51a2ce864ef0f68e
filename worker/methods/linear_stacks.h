#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/methods/method.h"

namespace heroq {

// Linears that read the same input and share a scheme, solved together.
struct LinearStack {
  std::vector<size_t> members;  // indices into UnitWork::linears, ascending
};

// The stacks of one distinct input.
struct InputStacks {
  LinearInput input = LinearInput::kAttentionIn;
  std::vector<LinearStack> stacks;
};

// Every linear once; inputs and stacks in the order of their first linear.
std::vector<InputStacks> StackLinears(const UnitWork& work);

// The rows of the members below each other: HostMatrix [sum of out, in].
at::Tensor StackedWeight(const UnitWork& work, const LinearStack& stack);

}  // namespace heroq
