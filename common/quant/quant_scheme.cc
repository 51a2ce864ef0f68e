#include "common/quant/quant_scheme.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

constexpr int kMinBits = 2;
constexpr int kMaxBits = 8;

bool InRange(int bits) { return bits >= kMinBits && bits <= kMaxBits; }

std::string DividingGroupSizes(int64_t in_features) {
  std::vector<int> sizes;
  for (int size = 16; size <= 1024; size *= 2) {
    if (in_features % size == 0) sizes.push_back(size);
  }
  if (sizes.empty()) return "no power of two from 16 to 1024 does; use one scale per channel";
  return absl::StrCat("sizes that work: ", absl::StrJoin(sizes, ", "));
}

}  // namespace

absl::Status ValidateScheme(const QuantScheme& scheme, int64_t in_features, const std::string& name) {
  if (!InRange(scheme.weight_bits)) {
    return MakeError(Reason::kInvalidSpec,
                     absl::StrCat(name, ": weight bits ", scheme.weight_bits, ", expected 2 to 8"));
  }
  if (scheme.quantizes_activations() && !InRange(scheme.activation_bits)) {
    return MakeError(Reason::kInvalidSpec, absl::StrCat(name, ": activation bits ", scheme.activation_bits,
                                                        ", expected 2 to 8, or 16 for none"));
  }
  if (scheme.group_size == kPerChannel) return absl::OkStatus();
  if (scheme.group_size < 1) {
    return MakeError(Reason::kInvalidSpec, absl::StrCat(name, ": group size ", scheme.group_size,
                                                        ", expected at least 1, or -1 for one per channel"));
  }
  if (in_features % scheme.group_size != 0) {
    return MakeError(Reason::kGroupSizeIndivisible,
                     absl::StrCat(name, ": group size ", scheme.group_size, " does not divide its ",
                                  in_features, " inputs; ", DividingGroupSizes(in_features)),
                     {{"linear", name}});
  }
  return absl::OkStatus();
}

std::string ToString(const QuantScheme& scheme) {
  const std::string group =
      scheme.group_size == kPerChannel ? "per-channel" : absl::StrCat("g", scheme.group_size);
  return absl::StrCat("W", scheme.weight_bits, "A", scheme.activation_bits, " ", group,
                      scheme.symmetric ? " symmetric" : " asymmetric");
}

}  // namespace heroq
