#pragma once

namespace heroq {

struct AwqOptions {
  // Exponents tried; at least 1, which is none but 0.
  int steps = 20;
  // Of the rounding: a shrink factor per group, weighted by diag H.
  bool scale_search = true;
};

}  // namespace heroq
