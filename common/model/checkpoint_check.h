#pragma once

#include "absl/status/status.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/model/model_layout.h"

namespace heroq {

// Whether a checkpoint holds exactly the tensors of `layout`: each present, of its shape, of a type heroq
// computes with (BF16, F16, F32), and no others. Allowed extras, which nothing reads: rotary buffers
// (`…rotary_emb.inv_freq`) and, with a tied head, a `lm_head.weight` whose bytes equal the embedding's.
// MODEL_INVALID lists the first five tensors that are wrong and how many more are. Reads no tensor but that
// pair.
absl::Status CheckTensors(const ModelLayout& layout, const CheckpointReader& checkpoint);

}  // namespace heroq
