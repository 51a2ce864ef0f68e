#include "coordinator/planning/block_shape.h"

#include <algorithm>
#include <map>

namespace heroq {

BlockShape ShapeOf(const BlockLayout& block) {
  BlockShape shape;
  std::map<LinearInput, int64_t> inputs;
  for (const LinearLayout& linear : block.linears) {
    shape.weights += linear.out_features * linear.in_features;
    inputs[linear.input] = linear.in_features;
  }
  for (const auto& [input, in] : inputs) {
    shape.width += in;
    shape.squares += in * in;
    shape.widest = std::max(shape.widest, in);
  }
  return shape;
}

}  // namespace heroq
