#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "worker/methods/method.h"
#include "worker/transform/input_transform.h"

namespace heroq {

// Transforms T = D^-1 R of which R, one matrix for all blocks of an input, is left to the loader (numerics
// section 3, `online`). D is folded, and takes random signs, which make a shared Hadamard matrix another one
// in every block. All functions throw what LibTorch throws.

enum class OnlineStart { kHadamard, kRandom };

// Signs and rotation of an input `width` wide, in blocks of OnlineRotationSize. Query heads that share a
// value head have the same signs. A function of its arguments.
InputTransform StartOnline(OnlineStart start, LinearInput input, int64_t width, const HeadGeometry& geometry,
                           uint64_t seed);

// FoldTransform for such a transform: the readers' weights become W D R, D goes where FoldTransform takes it,
// and UnitWork.rotations has R.
absl::Status FoldOnline(LinearInput input, InputTransform transform, UnitWork& work);

// For an input that is better left as it is although loaders will multiply it by a matrix of `size`.
void KeepOnline(LinearInput input, int64_t size, UnitWork& work);

}  // namespace heroq
