#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"
#include "common/quant/quant_scheme.h"

namespace heroq {

// Layouts of one quantized linear, by the tensors that replace "<name>.weight" [out, in].
enum class LinearFormat {
  // compressed-tensors: weight_packed int32 [out, ceil(in * bits / 32)], weight_scale [out, groups],
  // weight_shape int64 [2]; asymmetric also weight_zero_point int32 [ceil(out * bits / 32), groups].
  kPackQuantized,
  // compressed-tensors: weight int8 [out, in], weight_scale [out, groups]; asymmetric also weight_zero_point
  // int8 [out, groups].
  kIntQuantized,
  // GPTQ: qweight int32 [in * bits / 32, out], qzeros int32 [groups, out * bits / 32], scales [groups, out],
  // g_idx int32 [in]. Version 1 stores zero points minus one, modulo 2^bits; version 2 as they are.
  kGptq,
  kGptqV2,
};

// As configurations spell it: "pack-quantized", "int-quantized", "gptq", "gptq_v2".
absl::string_view ToString(LinearFormat format);

// Whether a tensor says to which group each input column belongs (compressed-tensors weight_g_idx, GPTQ
// g_idx). Without one, column i belongs to group i / group_length.
enum class GroupIndex {
  kAbsent,
  kAllowed,      // may be there and is then column / group_length
  kConsecutive,  // is there and is column / group_length
  kAnyOrder,     // is there and may be any order of groups of the right sizes
};

// How the tensors of one linear are stored. scheme.scale_type is not known from a configuration.
struct LinearStorage {
  LinearFormat format = LinearFormat::kPackQuantized;
  QuantScheme scheme;
  GroupIndex group_index = GroupIndex::kAbsent;
  // Scales of a symmetric grid may be below zero: AutoRound mirrors the grid so that its longer side holds
  // the largest weight.
  bool signed_scales = false;

  // Input columns that share a scale; the last group may be shorter.
  int64_t group_length(int64_t in_features) const { return scheme.group_length(in_features); }
  int64_t groups(int64_t in_features) const {
    const int64_t length = group_length(in_features);
    return (in_features + length - 1) / length;
  }
};

}  // namespace heroq
