#include "coordinator/validation/tensor_checks.h"

#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/tensor_pieces.h"
#include "common/quant/half.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

template <typename Stored, typename Convert>
std::vector<float> ConvertAll(const std::string& bytes, Convert convert) {
  std::vector<float> values(bytes.size() / sizeof(Stored));
  for (size_t i = 0; i < values.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, bytes.data() + i * sizeof(Stored), sizeof(Stored));
    values[i] = convert(stored);
  }
  return values;
}

float Rounded(float value, DType dtype) {
  if (dtype == DType::kBf16) return Bf16ToFloat(FloatToBf16(value));
  return dtype == DType::kF16 ? F16ToFloat(FloatToF16(value)) : value;
}

}  // namespace

absl::StatusOr<std::vector<float>> ReadFloats(const CheckpointReader::Entry& entry) {
  std::string bytes(static_cast<size_t>(entry.info.size), '\0');
  HEROQ_RETURN_IF_ERROR(entry.file->Read(entry.info, bytes.data()));
  switch (entry.info.dtype) {
    case DType::kBf16:
      return ConvertAll<uint16_t>(bytes, Bf16ToFloat);
    case DType::kF16:
      return ConvertAll<uint16_t>(bytes, F16ToFloat);
    case DType::kF32:
      return ConvertAll<float>(bytes, [](float value) { return value; });
    case DType::kF64:
      return ConvertAll<double>(bytes, [](double value) { return static_cast<float>(value); });
    default:
      return MakeError(Reason::kUnsupported,
                       absl::StrCat("tensor ", entry.info.name, " is ", ToString(entry.info.dtype),
                                    ", expected BF16, F16, F32 or F64"));
  }
}

absl::StatusOr<bool> SameValues(const CheckpointReader::Entry& copy, const CheckpointReader::Entry& source) {
  if (copy.info.dtype == source.info.dtype) return SameBytes(copy, source);
  if (copy.info.shape != source.info.shape) return false;
  HEROQ_ASSIGN_OR_RETURN(const std::vector<float> copied, ReadFloats(copy));
  HEROQ_ASSIGN_OR_RETURN(const std::vector<float> original, ReadFloats(source));
  for (size_t i = 0; i < copied.size(); ++i) {
    if (copied[i] != Rounded(original[i], copy.info.dtype)) return false;
  }
  return true;
}

}  // namespace heroq
