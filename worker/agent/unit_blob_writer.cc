#include "worker/agent/unit_blob_writer.h"

#include "absl/strings/string_view.h"
#include "common/checkpoint/safetensors_writer.h"
#include "common/quant/packing.h"

namespace heroq {
namespace {

template <typename T>
absl::string_view BytesOf(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

}  // namespace

absl::StatusOr<std::string> WriteUnitBlob(const UnitBlob& unit) {
  std::vector<NamedBytes> tensors;
  for (const QuantizedLinear& linear : unit.linears) {
    const QuantScheme& scheme = linear.scheme;
    const DType scale_type = scheme.scale_type == ScaleType::kBf16 ? DType::kBf16 : DType::kF16;
    const int64_t words = PackedWords(linear.in_features, scheme.weight_bits);
    tensors.push_back(
        {{linear.name + ".codes", DType::kI32, {linear.out_features, words}}, BytesOf(linear.packed_codes)});
    tensors.push_back({{linear.name + ".scale", scale_type, {linear.out_features, linear.groups()}},
                       BytesOf(linear.scales)});
    if (scheme.symmetric) continue;
    tensors.push_back({{linear.name + ".zero_point", DType::kU8, {linear.out_features, linear.groups()}},
                       BytesOf(linear.zero_points)});
  }
  for (const StoredTensor& tensor : unit.tensors) tensors.push_back({tensor.spec, tensor.bytes});
  return SerializeSafetensors(tensors);
}

}  // namespace heroq
