#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/blob/blob_store.h"
#include "worker/calibration/packed_statistics.h"

namespace heroq {

// Tensors as the safetensors blobs that scheduling.proto describes, and back. Put functions store them as
// volatile, equal tensors as equal bytes, and copy none that is on the CPU. Parse functions give tensors on
// the CPU, of the bytes of one blob and a `name` for messages; FILE_CORRUPT names blob, tensor and rule.
// Thread-safe.

// "hidden" [sequences, length, hidden], bfloat16 or float32.
absl::StatusOr<Digest> PutHiddenStates(const at::Tensor& hidden, BlobStore& blobs);
// The tensor owns `bytes`.
absl::StatusOr<at::Tensor> ParseHiddenStates(std::string bytes, const std::string& name);

// "second_moment" float32 [in * (in + 1) / 2], "token_count" int64 [1] and, where rows were kept,
// "activations" [rows, in], bfloat16 or float32.
absl::StatusOr<Digest> PutStatistics(const PackedStatistics& statistics, BlobStore& blobs);
absl::StatusOr<PackedStatistics> ParseStatistics(std::string bytes, const std::string& name);

// "input_ids" int32 [sequences, length] -> int64 tensor of that shape. Ids must be in [0, vocabulary).
absl::StatusOr<at::Tensor> ParseTokens(absl::string_view bytes, int64_t vocabulary, const std::string& name);

}  // namespace heroq
