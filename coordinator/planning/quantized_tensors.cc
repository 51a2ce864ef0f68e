#include "coordinator/planning/quantized_tensors.h"

#include "absl/strings/str_cat.h"
#include "common/checkpoint/gptq_linear.h"
#include "common/quant/packing.h"

namespace heroq {

std::string PackedName(const std::string& linear) { return absl::StrCat(linear, ".weight_packed"); }
std::string IntegerName(const std::string& linear) { return absl::StrCat(linear, ".weight"); }
std::string ScaleName(const std::string& linear) { return absl::StrCat(linear, ".weight_scale"); }
std::string ZeroPointName(const std::string& linear) { return absl::StrCat(linear, ".weight_zero_point"); }
std::string ShapeName(const std::string& linear) { return absl::StrCat(linear, ".weight_shape"); }

LinearFormat StoredFormat(const QuantScheme& scheme) {
  if (scheme.scale_type == ScaleType::kF16) return LinearFormat::kGptq;
  return scheme.quantizes_activations() ? LinearFormat::kIntQuantized : LinearFormat::kPackQuantized;
}

std::vector<TensorSpec> QuantizedTensors(const std::string& linear, int64_t out_features, int64_t in_features,
                                         const QuantScheme& scheme) {
  const int64_t groups = scheme.groups(in_features);
  const LinearFormat format = StoredFormat(scheme);
  if (format == LinearFormat::kGptq) {
    return {
        {GptqCodesName(linear), DType::kI32, {PackedWords(in_features, scheme.weight_bits), out_features}},
        {GptqZeroPointsName(linear), DType::kI32, {groups, PackedWords(out_features, scheme.weight_bits)}},
        {GptqScalesName(linear), DType::kF16, {groups, out_features}},
        {GptqGroupIndexName(linear), DType::kI32, {in_features}}};
  }
  if (format == LinearFormat::kIntQuantized) {
    std::vector<TensorSpec> tensors = {{IntegerName(linear), DType::kI8, {out_features, in_features}},
                                       {ScaleName(linear), DType::kBf16, {out_features, groups}}};
    if (!scheme.symmetric) tensors.push_back({ZeroPointName(linear), DType::kI8, {out_features, groups}});
    return tensors;
  }
  std::vector<TensorSpec> tensors = {
      {PackedName(linear), DType::kI32, {out_features, PackedWords(in_features, scheme.weight_bits)}},
      {ScaleName(linear), DType::kBf16, {out_features, groups}}};
  if (!scheme.symmetric) {
    tensors.push_back(
        {ZeroPointName(linear), DType::kI32, {PackedWords(out_features, scheme.weight_bits), groups}});
  }
  tensors.push_back({ShapeName(linear), DType::kI64, {2}});
  return tensors;
}

}  // namespace heroq
