#pragma once

namespace heroq {

struct GptqOptions {
  // Share of mean(diag H) added to the diagonal at first.
  double damping = 0.01;
  // Handle inputs in order of decreasing diag H; groups stay those of the original order.
  bool act_order = true;
  bool scale_search = true;
};

}  // namespace heroq
