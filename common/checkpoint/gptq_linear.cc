#include "common/checkpoint/gptq_linear.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/quant/packing.h"
#include "common/quant/transpose.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

// What version 1 adds to what it stores.
int ZeroPointOffset(LinearFormat format) { return format == LinearFormat::kGptq ? 1 : 0; }

absl::Status Invalid(const CheckpointReader& reader, const std::string& tensor, absl::string_view rule) {
  return MakeError(Reason::kModelInvalid, absl::StrCat(reader.directory(), ": tensor ", tensor, ": ", rule));
}

template <typename T>
absl::StatusOr<std::vector<T>> Read(const CheckpointReader& reader, const std::string& tensor, DType dtype,
                                    const std::vector<int64_t>& shape) {
  HEROQ_ASSIGN_OR_RETURN(const CheckpointReader::Entry entry, reader.Find(tensor));
  if (entry.info.dtype != dtype || entry.info.shape != shape) {
    return Invalid(
        reader, tensor,
        absl::StrCat("is ", ToString(entry.info.dtype), " [", absl::StrJoin(entry.info.shape, ", "),
                     "], expected ", ToString(dtype), " [", absl::StrJoin(shape, ", "), "]"));
  }
  std::vector<T> values(static_cast<size_t>(entry.info.elements()));
  HEROQ_RETURN_IF_ERROR(entry.file->Read(entry.info, values.data()));
  return values;
}

absl::Status CheckGroupIndex(const CheckpointReader& reader, const std::string& tensor, int64_t columns,
                             int64_t length) {
  if (!reader.Has(tensor)) return absl::OkStatus();
  HEROQ_ASSIGN_OR_RETURN(const std::vector<int32_t> index,
                         Read<int32_t>(reader, tensor, DType::kI32, {columns}));
  for (int64_t column = 0; column < columns; ++column) {
    if (index[column] == column / length) continue;
    return MakeError(
        Reason::kUnsupported,
        absl::StrCat(reader.directory(), ": tensor ", tensor, ": column ", column, " is in group ",
                     index[column], "; heroq computes with groups of consecutive columns"));
  }
  return absl::OkStatus();
}

}  // namespace

std::string GptqCodesName(const std::string& linear) { return absl::StrCat(linear, ".qweight"); }
std::string GptqZeroPointsName(const std::string& linear) { return absl::StrCat(linear, ".qzeros"); }
std::string GptqScalesName(const std::string& linear) { return absl::StrCat(linear, ".scales"); }
std::string GptqGroupIndexName(const std::string& linear) { return absl::StrCat(linear, ".g_idx"); }

GptqArrays ToGptq(const QuantizedLinear& linear, LinearFormat format) {
  const QuantScheme& scheme = linear.scheme;
  const int64_t out = linear.out_features;
  const int64_t in = linear.in_features;
  const int64_t groups = linear.groups();
  assert(scheme.scale_type == ScaleType::kF16);
  assert(in * scheme.weight_bits % 32 == 0 && out * scheme.weight_bits % 32 == 0);
  GptqArrays arrays;
  arrays.codes = Transpose(linear.packed_codes, out, PackedWords(in, scheme.weight_bits));
  std::vector<uint8_t> zeros = linear.zero_points;
  if (scheme.symmetric) zeros.assign(out * groups, static_cast<uint8_t>(scheme.middle_code()));
  const int offset = ZeroPointOffset(format);
  for (uint8_t& zero : zeros) zero = static_cast<uint8_t>((zero - offset) & scheme.max_code());
  arrays.zero_points = PackRows(Transpose(zeros, out, groups), groups, out, scheme.weight_bits);
  arrays.scales = Transpose(linear.scales, out, groups);
  const int64_t length = scheme.group_length(in);
  for (int64_t column = 0; column < in; ++column) {
    arrays.group_index.push_back(static_cast<int32_t>(column / length));
  }
  return arrays;
}

absl::StatusOr<QuantizedLinear> ReadGptqLinear(const CheckpointReader& reader, const std::string& name,
                                               const LinearStorage& storage,
                                               const std::vector<int64_t>& shape) {
  QuantScheme scheme = storage.scheme;
  scheme.scale_type = ScaleType::kF16;
  if (storage.signed_scales || shape[1] % scheme.group_length(shape[1]) != 0) {
    return MakeError(Reason::kUnsupported,
                     absl::StrCat(reader.directory(), ": linear ", name,
                                  ": heroq computes with positive scales and groups of one length only"));
  }
  HEROQ_RETURN_IF_ERROR(ValidateScheme(scheme, shape[1], name));
  const int bits = scheme.weight_bits;
  const int64_t out = shape[0], in = shape[1], groups = scheme.groups(in);
  const int64_t code_words = PackedWords(in, bits), zero_words = PackedWords(out, bits);
  HEROQ_RETURN_IF_ERROR(CheckGroupIndex(reader, GptqGroupIndexName(name), in, scheme.group_length(in)));
  QuantizedLinear linear{name, out, in, scheme, {}, {}, {}};
  HEROQ_ASSIGN_OR_RETURN(const std::vector<int32_t> codes,
                         Read<int32_t>(reader, GptqCodesName(name), DType::kI32, {code_words, out}));
  linear.packed_codes = Transpose(codes, code_words, out);
  HEROQ_ASSIGN_OR_RETURN(const std::vector<uint16_t> scales,
                         Read<uint16_t>(reader, GptqScalesName(name), DType::kF16, {groups, out}));
  linear.scales = Transpose(scales, groups, out);
  HEROQ_ASSIGN_OR_RETURN(const std::vector<int32_t> packed,
                         Read<int32_t>(reader, GptqZeroPointsName(name), DType::kI32, {groups, zero_words}));
  std::vector<uint8_t> zeros = Transpose(UnpackRows(packed, groups, out, bits), groups, out);
  const int offset = ZeroPointOffset(storage.format);
  for (uint8_t& zero : zeros) zero = static_cast<uint8_t>((zero + offset) & scheme.max_code());
  if (!scheme.symmetric) {
    linear.zero_points = std::move(zeros);
  } else if (std::any_of(zeros.begin(), zeros.end(),
                         [&](uint8_t zero) { return zero != scheme.middle_code(); })) {
    return Invalid(
        reader, GptqZeroPointsName(name),
        absl::StrCat("holds another zero point than ", scheme.middle_code(), ", which sym stands for"));
  }
  if (absl::Status status = ValidateQuantizedLinear(linear); !status.ok()) {
    return MakeError(Reason::kModelInvalid, absl::StrCat(reader.directory(), ": ", status.message()));
  }
  return linear;
}

}  // namespace heroq
