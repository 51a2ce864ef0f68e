#include "coordinator/assembly/result_reader.h"

#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/checkpoint/gptq_linear.h"
#include "common/checkpoint/safetensors_writer.h"
#include "common/quant/packing.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/planning/dense_output.h"
#include "coordinator/planning/quantized_tensors.h"
#include "coordinator/planning/scheme_text.h"

namespace heroq {
namespace {

std::string Describe(DType dtype, const std::vector<int64_t>& shape) {
  return absl::StrCat(ToString(dtype), " [", absl::StrJoin(shape, ", "), "]");
}

absl::StatusOr<absl::string_view> Find(const ParsedSafetensors& parsed, const TensorSpec& expected) {
  const auto found = parsed.tensors.find(expected.name);
  if (found == parsed.tensors.end()) {
    return MakeError(Reason::kInternal, absl::StrCat("unit result lacks tensor ", expected.name));
  }
  const TensorSpec& spec = found->second.spec;
  if (spec.dtype != expected.dtype || spec.shape != expected.shape) {
    return MakeError(Reason::kInternal, absl::StrCat("unit result: tensor ", expected.name, " is ",
                                                     Describe(spec.dtype, spec.shape), ", expected ",
                                                     Describe(expected.dtype, expected.shape)));
  }
  return found->second.bytes;
}

template <typename T>
absl::StatusOr<std::vector<T>> Take(const ParsedSafetensors& parsed, const TensorSpec& expected) {
  HEROQ_ASSIGN_OR_RETURN(const absl::string_view bytes, Find(parsed, expected));
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

template <typename T>
std::string Bytes(const std::vector<T>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

// Codes from 0 as signed bytes around 0.
std::string SignedBytes(const std::vector<uint8_t>& codes, const QuantScheme& scheme) {
  std::string bytes(codes.size(), '\0');
  for (size_t i = 0; i < codes.size(); ++i) bytes[i] = static_cast<char>(codes[i] - scheme.middle_code());
  return bytes;
}

}  // namespace

absl::StatusOr<UnitResult> ReadUnitBlob(absl::string_view bytes, const v1::PlannedUnit& unit) {
  HEROQ_ASSIGN_OR_RETURN(const ParsedSafetensors parsed, ParseSafetensors(bytes, "unit result"));
  UnitResult result;
  size_t tensors = 0;
  for (const v1::PlannedLinear& planned : unit.linears()) {
    if (IsDense(unit, planned.name())) continue;
    QuantizedLinear& linear = result.linears.emplace_back();
    linear.name = planned.name();
    linear.out_features = planned.out_features();
    linear.in_features = planned.in_features();
    linear.scheme = ToQuantScheme(planned.scheme());
    const int64_t out = linear.out_features;
    const int64_t words = PackedWords(linear.in_features, linear.scheme.weight_bits);
    const DType scale_type = linear.scheme.scale_type == ScaleType::kF16 ? DType::kF16 : DType::kBf16;
    HEROQ_ASSIGN_OR_RETURN(
        linear.packed_codes,
        Take<int32_t>(parsed, {absl::StrCat(linear.name, ".codes"), DType::kI32, {out, words}}));
    HEROQ_ASSIGN_OR_RETURN(
        linear.scales,
        Take<uint16_t>(parsed, {absl::StrCat(linear.name, ".scale"), scale_type, {out, linear.groups()}}));
    tensors += 2;
    if (!linear.scheme.symmetric) {
      HEROQ_ASSIGN_OR_RETURN(
          linear.zero_points,
          Take<uint8_t>(parsed,
                        {absl::StrCat(linear.name, ".zero_point"), DType::kU8, {out, linear.groups()}}));
      ++tensors;
    }
    HEROQ_RETURN_IF_ERROR(ValidateQuantizedLinear(linear));
  }
  for (const v1::RewrittenTensor& planned : unit.tensors()) {
    const std::optional<DType> dtype = ParseDType(planned.dtype());
    if (!dtype) {
      return MakeError(Reason::kInternal,
                       absl::StrCat("tensor ", planned.name(), " is planned as ", planned.dtype()));
    }
    HEROQ_ASSIGN_OR_RETURN(
        const absl::string_view dense,
        Find(parsed, {planned.name(), *dtype, {planned.shape().begin(), planned.shape().end()}}));
    result.tensors.push_back({planned.name(), std::string(dense)});
    ++tensors;
  }
  if (parsed.tensors.size() != tensors) {
    return MakeError(Reason::kInternal, absl::StrCat("unit result holds ", parsed.tensors.size(),
                                                     " tensors, expected ", tensors));
  }
  return result;
}

std::vector<TensorBytes> StoredTensors(const QuantizedLinear& linear, LinearFormat format) {
  if (format == LinearFormat::kGptq || format == LinearFormat::kGptqV2) {
    const GptqArrays arrays = ToGptq(linear, format);
    return {{GptqCodesName(linear.name), Bytes(arrays.codes)},
            {GptqZeroPointsName(linear.name), Bytes(arrays.zero_points)},
            {GptqScalesName(linear.name), Bytes(arrays.scales)},
            {GptqGroupIndexName(linear.name), Bytes(arrays.group_index)}};
  }
  std::vector<TensorBytes> tensors;
  if (format == LinearFormat::kIntQuantized) {
    const int bits = linear.scheme.weight_bits;
    tensors.push_back(
        {IntegerName(linear.name),
         SignedBytes(UnpackRows(linear.packed_codes, linear.out_features, linear.in_features, bits),
                     linear.scheme)});
    tensors.push_back({ScaleName(linear.name), Bytes(linear.scales)});
    if (!linear.scheme.symmetric) {
      tensors.push_back({ZeroPointName(linear.name), SignedBytes(linear.zero_points, linear.scheme)});
    }
    return tensors;
  }
  tensors.push_back({PackedName(linear.name), Bytes(linear.packed_codes)});
  tensors.push_back({ScaleName(linear.name), Bytes(linear.scales)});
  if (!linear.scheme.symmetric) {
    tensors.push_back(
        {ZeroPointName(linear.name), Bytes(PackColumns(linear.zero_points, linear.out_features,
                                                       linear.groups(), linear.scheme.weight_bits))});
  }
  tensors.push_back(
      {ShapeName(linear.name), Bytes(std::vector<int64_t>{linear.out_features, linear.in_features})});
  return tensors;
}

}  // namespace heroq
