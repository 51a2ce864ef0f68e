#pragma once

#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/checkpoint/checkpoint_reader.h"

namespace heroq {

// Reads a tensor of any size in bounded memory: `visit` gets every piece in order, with its offset in the
// tensor. Pieces hold whole elements. Ends at the first error, of the file or of `visit`. Blocking.
absl::Status ReadInPieces(const CheckpointReader::Entry& entry,
                          const std::function<absl::Status(int64_t offset, absl::string_view piece)>& visit);

// Whether two tensors have the same type, shape and bytes. Blocking.
absl::StatusOr<bool> SameBytes(const CheckpointReader::Entry& a, const CheckpointReader::Entry& b);

// Number of NaN and Inf values; 0 for types that are not floating-point. Blocking.
absl::StatusOr<int64_t> CountNonFinite(const CheckpointReader::Entry& entry);

}  // namespace heroq
