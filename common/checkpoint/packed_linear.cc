#include "common/checkpoint/packed_linear.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/quant/packing.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

class LinearReader {
 public:
  LinearReader(const CheckpointReader& reader, const std::string& linear)
      : reader_(reader), linear_(linear) {}

  absl::Status Invalid(const std::string& part, const std::string& rule) const {
    return MakeError(Reason::kModelInvalid,
                     absl::StrCat(reader_.directory(), ": tensor ", linear_, ".", part, ": ", rule));
  }

  // The elements of a tensor that must have this type and shape.
  template <typename T>
  absl::StatusOr<std::vector<T>> Read(const std::string& part, DType dtype,
                                      const std::vector<int64_t>& shape) const {
    HEROQ_ASSIGN_OR_RETURN(const CheckpointReader::Entry entry,
                           reader_.Find(absl::StrCat(linear_, ".", part)));
    if (entry.info.dtype != dtype || entry.info.shape != shape) {
      return Invalid(
          part, absl::StrCat("is ", ToString(entry.info.dtype), " [", absl::StrJoin(entry.info.shape, ", "),
                             "], expected ", ToString(dtype), " [", absl::StrJoin(shape, ", "), "]"));
    }
    std::vector<T> values(static_cast<size_t>(entry.info.elements()));
    HEROQ_RETURN_IF_ERROR(entry.file->Read(entry.info, values.data()));
    return values;
  }

  absl::StatusOr<DType> TypeOf(const std::string& part) const {
    HEROQ_ASSIGN_OR_RETURN(const CheckpointReader::Entry entry,
                           reader_.Find(absl::StrCat(linear_, ".", part)));
    return entry.info.dtype;
  }

 private:
  const CheckpointReader& reader_;
  const std::string& linear_;
};

absl::Status ReadPacked(const LinearReader& tensors, QuantizedLinear& linear) {
  const int64_t out = linear.out_features, in = linear.in_features;
  HEROQ_ASSIGN_OR_RETURN(const std::vector<int64_t> stored,
                         tensors.Read<int64_t>("weight_shape", DType::kI64, {2}));
  if (stored != std::vector<int64_t>{out, in}) {
    return tensors.Invalid("weight_shape", absl::StrCat("holds [", absl::StrJoin(stored, ", "),
                                                        "], expected [", out, ", ", in, "]"));
  }
  const int bits = linear.scheme.weight_bits;
  HEROQ_ASSIGN_OR_RETURN(linear.packed_codes,
                         tensors.Read<int32_t>("weight_packed", DType::kI32, {out, PackedWords(in, bits)}));
  if (linear.scheme.symmetric) return absl::OkStatus();
  HEROQ_ASSIGN_OR_RETURN(
      const std::vector<int32_t> packed,
      tensors.Read<int32_t>("weight_zero_point", DType::kI32, {PackedWords(out, bits), linear.groups()}));
  linear.zero_points = UnpackColumns(packed, out, linear.groups(), bits);
  return absl::OkStatus();
}

// int8 values of `scheme.weight_bits` bits as codes from 0.
absl::StatusOr<std::vector<uint8_t>> ReadWholeBytes(const LinearReader& tensors, const std::string& part,
                                                    const std::vector<int64_t>& shape,
                                                    const QuantScheme& scheme) {
  HEROQ_ASSIGN_OR_RETURN(const std::vector<int8_t> values, tensors.Read<int8_t>(part, DType::kI8, shape));
  std::vector<uint8_t> codes(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const int code = values[i] + scheme.middle_code();
    if (code < 0 || code > scheme.max_code()) {
      return tensors.Invalid(part, absl::StrCat("value ", i, " is ", int{values[i]}, ", expected ",
                                                -scheme.middle_code(), " to ", scheme.middle_code() - 1));
    }
    codes[i] = static_cast<uint8_t>(code);
  }
  return codes;
}

}  // namespace

absl::StatusOr<QuantizedLinear> ReadPackedLinear(const CheckpointReader& reader, const std::string& name,
                                                 const LinearStorage& storage,
                                                 const std::vector<int64_t>& shape) {
  const LinearReader tensors(reader, name);
  QuantScheme scheme = storage.scheme;
  HEROQ_ASSIGN_OR_RETURN(const DType scale_type, tensors.TypeOf("weight_scale"));
  if (scale_type != DType::kBf16 && scale_type != DType::kF16) {
    return tensors.Invalid("weight_scale",
                           absl::StrCat("is ", ToString(scale_type), ", expected BF16 or F16"));
  }
  scheme.scale_type = scale_type == DType::kBf16 ? ScaleType::kBf16 : ScaleType::kF16;
  HEROQ_RETURN_IF_ERROR(ValidateScheme(scheme, shape[1], name));
  QuantizedLinear linear{name, shape[0], shape[1], scheme, {}, {}, {}};
  if (storage.format == LinearFormat::kIntQuantized) {
    HEROQ_ASSIGN_OR_RETURN(const std::vector<uint8_t> codes,
                           ReadWholeBytes(tensors, "weight", shape, scheme));
    linear.packed_codes = PackRows(codes, shape[0], shape[1], scheme.weight_bits);
    if (!scheme.symmetric) {
      HEROQ_ASSIGN_OR_RETURN(linear.zero_points, ReadWholeBytes(tensors, "weight_zero_point",
                                                                {shape[0], linear.groups()}, scheme));
    }
  } else {
    HEROQ_RETURN_IF_ERROR(ReadPacked(tensors, linear));
  }
  HEROQ_ASSIGN_OR_RETURN(linear.scales,
                         tensors.Read<uint16_t>("weight_scale", scale_type, {shape[0], linear.groups()}));
  if (absl::Status status = ValidateQuantizedLinear(linear); !status.ok()) {
    return MakeError(Reason::kModelInvalid, absl::StrCat(reader.directory(), ": ", status.message()));
  }
  return linear;
}

}  // namespace heroq
