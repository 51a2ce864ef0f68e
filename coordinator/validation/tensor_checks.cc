#include "coordinator/validation/tensor_checks.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/quant/half.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

constexpr int64_t kPiece = int64_t{4} << 20;

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

absl::StatusOr<int64_t> CountNotFinite(const CheckpointReader::Entry& entry) {
  HEROQ_ASSIGN_OR_RETURN(const std::vector<float> values, ReadFloats(entry));
  return std::count_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
}

absl::StatusOr<double> WeightError(const QuantizedLinear& linear, const CheckpointReader::Entry& source) {
  HEROQ_ASSIGN_OR_RETURN(const std::vector<float> weight, ReadFloats(source));
  const std::vector<float> stored = Dequantize(linear);
  if (weight.size() != stored.size()) {
    return MakeError(Reason::kModelInvalid, absl::StrCat("linear ", linear.name, " has ", stored.size(),
                                                         " weights, its source ", weight.size()));
  }
  double error = 0, energy = 0;
  for (size_t i = 0; i < weight.size(); ++i) {
    const double difference = static_cast<double>(stored[i]) - weight[i];
    error += difference * difference;
    energy += static_cast<double>(weight[i]) * weight[i];
  }
  return energy > 0 ? error / energy : error;
}

absl::StatusOr<bool> SameBytes(const CheckpointReader::Entry& a, const CheckpointReader::Entry& b) {
  if (a.info.dtype != b.info.dtype || a.info.shape != b.info.shape || a.info.size != b.info.size)
    return false;
  std::string left, right;
  for (int64_t offset = 0; offset < a.info.size; offset += kPiece) {
    const int64_t size = std::min(kPiece, a.info.size - offset);
    left.resize(static_cast<size_t>(size));
    right.resize(static_cast<size_t>(size));
    HEROQ_RETURN_IF_ERROR(a.file->ReadPart(a.info, offset, size, left.data()));
    HEROQ_RETURN_IF_ERROR(b.file->ReadPart(b.info, offset, size, right.data()));
    if (left != right) return false;
  }
  return true;
}

}  // namespace heroq
