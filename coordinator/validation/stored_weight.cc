#include "coordinator/validation/stored_weight.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/quant/packing.h"
#include "common/quant/transpose.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/validation/linear_parts.h"
#include "coordinator/validation/tensor_checks.h"

namespace heroq {
namespace {

// int8 values as codes from 0.
std::vector<uint8_t> Shifted(const std::string& bytes, const QuantScheme& scheme) {
  std::vector<uint8_t> values(bytes.size());
  for (size_t i = 0; i < bytes.size(); ++i) {
    values[i] = static_cast<uint8_t>(static_cast<int8_t>(bytes[i]) + scheme.middle_code());
  }
  return values;
}

absl::Status ReadPacked(const CheckpointReader& reader, const LinearParts& parts, const QuantScheme& scheme,
                        StoredWeight& weight) {
  HEROQ_ASSIGN_OR_RETURN(weight.packed_codes, ReadIntegers(reader, parts.codes));
  if (parts.zero_points.empty()) return absl::OkStatus();
  HEROQ_ASSIGN_OR_RETURN(const std::vector<int32_t> zeros, ReadIntegers(reader, parts.zero_points));
  weight.zero_points = UnpackColumns(zeros, weight.out_features, weight.groups, scheme.weight_bits);
  return absl::OkStatus();
}

absl::Status ReadWholeBytes(const CheckpointReader& reader, const LinearParts& parts,
                            const QuantScheme& scheme, StoredWeight& weight) {
  HEROQ_ASSIGN_OR_RETURN(const std::string codes, reader.ReadBytes(parts.codes));
  weight.packed_codes =
      PackRows(Shifted(codes, scheme), weight.out_features, weight.in_features, scheme.weight_bits);
  if (parts.zero_points.empty()) return absl::OkStatus();
  HEROQ_ASSIGN_OR_RETURN(const std::string zeros, reader.ReadBytes(parts.zero_points));
  weight.zero_points = Shifted(zeros, scheme);
  return absl::OkStatus();
}

absl::Status ReadGptq(const CheckpointReader& reader, const LinearParts& parts, const LinearStorage& storage,
                      StoredWeight& weight) {
  const int bits = storage.scheme.weight_bits;
  HEROQ_ASSIGN_OR_RETURN(const std::vector<int32_t> words, ReadIntegers(reader, parts.codes));
  weight.packed_codes = Transpose(words, PackedWords(weight.in_features, bits), weight.out_features);
  HEROQ_ASSIGN_OR_RETURN(const std::vector<int32_t> zeros, ReadIntegers(reader, parts.zero_points));
  weight.zero_points = Transpose(UnpackRows(zeros, weight.groups, weight.out_features, bits), weight.groups,
                                 weight.out_features);
  if (storage.format == LinearFormat::kGptq) {
    for (uint8_t& zero : weight.zero_points) zero = (zero + 1) & storage.scheme.max_code();
  }
  weight.scales = Transpose(weight.scales, weight.groups, weight.out_features);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<int32_t>> ReadIntegers(const CheckpointReader& reader, const std::string& name) {
  HEROQ_ASSIGN_OR_RETURN(const CheckpointReader::Entry entry, reader.Find(name));
  if (entry.info.dtype != DType::kI32) {
    return MakeError(Reason::kModelInvalid,
                     absl::StrCat("tensor ", name, " is ", ToString(entry.info.dtype), ", expected I32"));
  }
  std::vector<int32_t> values(static_cast<size_t>(entry.info.elements()));
  HEROQ_RETURN_IF_ERROR(entry.file->Read(entry.info, values.data()));
  return values;
}

absl::StatusOr<StoredWeight> ReadStoredWeight(const CheckpointReader& reader, const LinearLayout& linear,
                                              const LinearStorage& storage) {
  const LinearParts parts = PartsOf(linear.name, storage);
  StoredWeight weight;
  weight.out_features = linear.out_features;
  weight.in_features = linear.in_features;
  weight.groups = storage.groups(linear.in_features);
  weight.bits = storage.scheme.weight_bits;
  HEROQ_ASSIGN_OR_RETURN(const CheckpointReader::Entry scales, reader.Find(parts.scales));
  HEROQ_ASSIGN_OR_RETURN(weight.scales, ReadFloats(scales));
  weight.zero_points.assign(weight.scales.size(), static_cast<uint8_t>(storage.scheme.middle_code()));
  switch (storage.format) {
    case LinearFormat::kPackQuantized:
      HEROQ_RETURN_IF_ERROR(ReadPacked(reader, parts, storage.scheme, weight));
      break;
    case LinearFormat::kIntQuantized:
      HEROQ_RETURN_IF_ERROR(ReadWholeBytes(reader, parts, storage.scheme, weight));
      break;
    case LinearFormat::kGptq:
    case LinearFormat::kGptqV2:
      HEROQ_RETURN_IF_ERROR(ReadGptq(reader, parts, storage, weight));
      break;
  }
  if (reader.Has(parts.group_index)) {
    HEROQ_ASSIGN_OR_RETURN(weight.group_of, ReadIntegers(reader, parts.group_index));
  } else {
    const int64_t length = storage.group_length(linear.in_features);
    for (int64_t i = 0; i < linear.in_features; ++i) {
      weight.group_of.push_back(static_cast<int32_t>(i / length));
    }
  }
  return weight;
}

absl::StatusOr<double> WeightError(const StoredWeight& weight, const CheckpointReader::Entry& source) {
  HEROQ_ASSIGN_OR_RETURN(const std::vector<float> original, ReadFloats(source));
  const int64_t elements = weight.out_features * weight.in_features;
  if (static_cast<int64_t>(original.size()) != elements) {
    return MakeError(Reason::kModelInvalid,
                     absl::StrCat("tensor ", source.info.name, " has ", original.size(),
                                  " values, its quantized linear ", elements));
  }
  const absl::Span<const int32_t> packed = weight.packed_codes;
  const int64_t words = PackedWords(weight.in_features, weight.bits);
  std::vector<uint8_t> codes(weight.in_features);
  double error = 0, energy = 0;
  for (int64_t row = 0; row < weight.out_features; ++row) {
    UnpackRowInto(packed.subspan(row * words, words), weight.in_features, weight.bits, codes.data());
    for (int64_t column = 0; column < weight.in_features; ++column) {
      const int64_t at = row * weight.in_features + column;
      const int64_t group = row * weight.groups + weight.group_of[column];
      const float stored =
          weight.scales[group] * static_cast<float>(codes[column] - weight.zero_points[group]);
      const double difference = static_cast<double>(stored) - original[at];
      error += difference * difference;
      energy += static_cast<double>(original[at]) * original[at];
    }
  }
  return energy > 0 ? error / energy : error;
}

}  // namespace heroq
