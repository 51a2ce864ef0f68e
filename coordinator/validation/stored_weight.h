#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/checkpoint/linear_storage.h"
#include "common/model/model_layout.h"

namespace heroq {

// The weight of one quantized linear as numbers, whatever its format:
// What(o, i) = scale(o, g) * (code(o, i) - zero_point(o, g)), g = group_of[i].
struct StoredWeight {
  int64_t out_features = 0;
  int64_t in_features = 0;
  int64_t groups = 0;
  int bits = 0;
  std::vector<int32_t> packed_codes;  // of [out, in] by PackRows, from 0: signed values plus 2^(bits - 1)
  std::vector<float> scales;          // [out, groups]
  std::vector<uint8_t> zero_points;   // [out, groups], shifted like the codes
  std::vector<int32_t> group_of;      // [in]
};

// Requires a linear whose parts CheckQuantizedLinear found sound. Blocking.
absl::StatusOr<StoredWeight> ReadStoredWeight(const CheckpointReader& reader, const LinearLayout& linear,
                                              const LinearStorage& storage);

// Elements of an int32 tensor.
absl::StatusOr<std::vector<int32_t>> ReadIntegers(const CheckpointReader& reader, const std::string& name);

// ||What - W||_F^2 / ||W||_F^2 in float64, W `source` [out, in]; 0 for W = What = 0.
absl::StatusOr<double> WeightError(const StoredWeight& weight, const CheckpointReader::Entry& source);

}  // namespace heroq
