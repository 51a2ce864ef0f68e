#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "worker/forward/decoder_block.h"
#include "worker/forward/output_head.h"
#include "worker/loading/weight_source.h"

namespace heroq {

// The tensors of block `block` in `dtype`. `replaced` holds tensors, by name, to use instead of those of the
// source (a block that is propagated as it was quantized). Activations are quantized as the source says.
absl::StatusOr<DecoderBlock> LoadBlock(const WeightSource& source, int64_t block, c10::ScalarType dtype,
                                       const std::map<std::string, at::Tensor>& replaced = {});

// Says that LoadBlock will be asked for this block soon.
void WillLoadBlock(const WeightSource& source, int64_t block);

absl::StatusOr<OutputHead> LoadOutputHead(const WeightSource& source, c10::ScalarType dtype);

// ids int64 [sequences, length] -> hidden states [sequences, length, hidden].
absl::StatusOr<at::Tensor> Embed(const WeightSource& source, const at::Tensor& ids, c10::ScalarType dtype);

}  // namespace heroq
