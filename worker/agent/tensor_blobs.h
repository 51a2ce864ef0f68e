#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "worker/calibration/packed_statistics.h"

namespace heroq {

// Tensors as the safetensors blobs that scheduling.proto describes, and back. Tensors are on the CPU; equal
// tensors give equal bytes. Parse functions take the bytes of one blob and a `name` for messages;
// FILE_CORRUPT names blob, tensor and rule. Thread-safe.

// "hidden" [sequences, length, hidden], bfloat16 or float32.
absl::StatusOr<std::string> SerializeHiddenStates(const at::Tensor& hidden);
// The tensor owns `bytes`.
absl::StatusOr<at::Tensor> ParseHiddenStates(std::string bytes, const std::string& name);

// "second_moment" float32 [in * (in + 1) / 2], "token_count" int64 [1] and, where rows were kept,
// "activations" [rows, in], bfloat16 or float32.
absl::StatusOr<std::string> SerializeStatistics(const PackedStatistics& statistics);
absl::StatusOr<PackedStatistics> ParseStatistics(std::string bytes, const std::string& name);

// "input_ids" int32 [sequences, length] -> int64 tensor of that shape. Ids must be in [0, vocabulary).
absl::StatusOr<at::Tensor> ParseTokens(absl::string_view bytes, int64_t vocabulary, const std::string& name);

}  // namespace heroq
