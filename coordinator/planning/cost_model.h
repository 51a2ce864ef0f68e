#pragma once

#include <cstdint>

#include "common/model/model_layout.h"
#include "heroq/v1/plan.pb.h"

namespace heroq {

// What a job will cost, before it starts. Bytes are exact for input and output and upper bounds for memory
// and disk; operations count a multiply-add as two. `plan` is complete but for token blobs and `cost`;
// `source_bytes` is the size of the source's weight files. Pure.
v1::CostEstimate EstimateCost(const v1::Plan& plan, const ModelLayout& layout, int64_t source_bytes);

}  // namespace heroq
