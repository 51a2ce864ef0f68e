#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "common/model/model_layout.h"
#include "heroq/v1/scheme.pb.h"

namespace heroq {

// True where tensor parallelism splits the input dimension (attention out, mlp out); elsewhere it splits the
// output.
bool SplitsInput(LinearInput input);

// The input channels one rank holds.
int64_t InputShare(const LinearLayout& linear, int tensor_parallel);

// INVALID_SPEC naming heads or linear when the model cannot be cut into `tensor_parallel` equal parts. Pure.
absl::Status CheckModelDivides(const ModelLayout& layout, int tensor_parallel);

// INVALID_SPEC when a rank's part of packed codes or zero points would begin inside a 32-bit word.
absl::Status CheckPackingDivides(const LinearLayout& linear, const v1::LinearScheme& scheme,
                                 int tensor_parallel);

}  // namespace heroq
