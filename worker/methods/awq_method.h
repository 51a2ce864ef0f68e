#pragma once

#include <memory>

#include "worker/methods/awq_options.h"
#include "worker/methods/method.h"

namespace heroq {

// AWQ (arXiv 2306.00978): each distinct input is scaled by D = diag(h^(ratio / 2)), h = diag H over its
// geometric mean, so that channels with large activations lose less, then every weight is rounded to nearest.
// The ratio, of 0, 1 / steps ... (steps - 1) / steps, is the one whose rounding error tr(E H E^T) is least on
// a sample of rows. D is folded as FoldTransform has it, between value and output projections of grouped
// heads too.
//
// It is what HeroQMethod does without rotations on top of rounding to nearest, and has its contract and
// reports. sqrt(h) is the root mean square of a channel, where the paper has the mean of |x|.
std::unique_ptr<Method> MakeAwqMethod(const AwqOptions& options);

}  // namespace heroq
