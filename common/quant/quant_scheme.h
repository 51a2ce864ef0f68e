#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace heroq {

inline constexpr int kPerChannel = -1;
inline constexpr int kUnquantizedActivationBits = 16;

enum class ScaleType { kBf16, kF16 };

// How one linear layer is stored; the plain twin of proto LinearScheme. Weight [out, in].
struct QuantScheme {
  int weight_bits = 4;     // 2..8
  int group_size = 128;    // input channels per scale; kPerChannel = one scale per output channel
  bool symmetric = false;  // zero point fixed at 2^(bits-1) and not stored
  int activation_bits = kUnquantizedActivationBits;  // of one scale per token, found at run time
  ScaleType scale_type = ScaleType::kBf16;

  bool quantizes_activations() const { return activation_bits != kUnquantizedActivationBits; }
  int max_code() const { return (1 << weight_bits) - 1; }
  // Zero point of a symmetric grid.
  int middle_code() const { return 1 << (weight_bits - 1); }
  int64_t groups(int64_t in_features) const {
    return group_size == kPerChannel ? 1 : in_features / group_size;
  }
  int64_t group_length(int64_t in_features) const {
    return group_size == kPerChannel ? in_features : group_size;
  }
  bool operator==(const QuantScheme&) const = default;
};

// INVALID_SPEC for bits outside 2..8 or a group size below 1 that is not kPerChannel; GROUP_SIZE_INDIVISIBLE,
// listing the powers of two from 16 to 1024 that divide, when the group size does not divide `in_features`.
// `name` is the linear.
absl::Status ValidateScheme(const QuantScheme& scheme, int64_t in_features, const std::string& name);

// Short form for people and model cards: "W4A16 g128 asymmetric", "W8A8 per-channel symmetric".
std::string ToString(const QuantScheme& scheme);

}  // namespace heroq
