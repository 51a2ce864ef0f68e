#include "worker/methods/linear_stacks.h"

#include <ATen/ops/cat.h>

#include <algorithm>

#include "worker/methods/host_matrix.h"

namespace heroq {

std::vector<InputStacks> StackLinears(const UnitWork& work) {
  std::vector<InputStacks> inputs;
  for (size_t index = 0; index < work.linears.size(); ++index) {
    const LinearWork& linear = work.linears[index];
    auto input = std::find_if(inputs.begin(), inputs.end(),
                              [&](const InputStacks& other) { return other.input == linear.input; });
    if (input == inputs.end()) input = inputs.insert(inputs.end(), InputStacks{linear.input, {}});
    auto stack = std::find_if(input->stacks.begin(), input->stacks.end(), [&](const LinearStack& other) {
      return work.linears[other.members.front()].scheme == linear.scheme;
    });
    if (stack == input->stacks.end()) stack = input->stacks.insert(input->stacks.end(), LinearStack{});
    stack->members.push_back(index);
  }
  return inputs;
}

at::Tensor StackedWeight(const UnitWork& work, const LinearStack& stack) {
  std::vector<at::Tensor> parts;
  for (const size_t member : stack.members) parts.push_back(HostMatrix(work.linears[member].weight));
  return parts.size() == 1 ? parts.front() : at::cat(parts, 0);
}

}  // namespace heroq
