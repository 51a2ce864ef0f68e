#pragma once

#include <vector>

#include "worker/methods/method.h"
#include "worker/transform/input_transform.h"

namespace heroq {

// The linears of a unit that read `input`, quantized ones first, then kept ones.
std::vector<DenseLinear*> ReadersOf(UnitWork& work, LinearInput input);

// Only the reading side of an input: the weights of all linears that read it, kept ones too, become W D R,
// and its statistics, kept activations among them, follow. Whoever calls owes x D^-1 R in place of x.
void TransformReaders(LinearInput input, const InputTransform& transform, UnitWork& work);

// Changes the basis of `input` inside the unit without changing the unit's function: the readers' weights
// become W D R, the statistics follow, and what produces the input takes T = D^-1 R:
//   attention_in, mlp_in   the norm's gain becomes gain / D, rounded to UnitWork.stored_type; D is then what
//   that
//                          gain really is, so nothing is lost. A rotation cannot pass a norm: INTERNAL.
//   attention_out          rows and bias of the value projection; query heads of a group have the same T,
//   whose
//                          blocks lie within heads.
//   mlp_out                rows and bias of the up projection; diagonal only.
// Exact in real numbers; computed in the type of the weights. Throws what LibTorch throws.
absl::Status FoldTransform(LinearInput input, InputTransform transform, UnitWork& work);

}  // namespace heroq
