#include "coordinator/validation/source_check.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/packed_linear.h"
#include "common/quant/half.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

constexpr double kRelativeTolerance = 1e-3;
constexpr double kAbsoluteTolerance = 1e-7;
constexpr int64_t kCompareBytes = int64_t{4} << 20;

float DenseAt(absl::string_view bytes, DType dtype, size_t index) {
  if (dtype == DType::kF32) {
    float value = 0;
    std::memcpy(&value, bytes.data() + 4 * index, 4);
    return value;
  }
  uint16_t bits = 0;
  std::memcpy(&bits, bytes.data() + 2 * index, 2);
  return dtype == DType::kBf16 ? Bf16ToFloat(bits) : F16ToFloat(bits);
}

// Weights in the wrong order, with the wrong scales or of another model have an error near 1 or above;
// rounding to nearest has 0.01 at 4 bits, and solvers that minimise the output's error stay within a few
// times that.
double LargestPlausibleError(int bits) {
  if (bits >= 4) return 0.2;
  return bits == 3 ? 0.5 : 0.95;
}

}  // namespace

double WeightError(const QuantizedLinear& linear, absl::string_view dense, DType dtype) {
  const std::vector<float> stored = Dequantize(linear);
  double error = 0, energy = 0;
  for (size_t i = 0; i < stored.size(); ++i) {
    const double weight = DenseAt(dense, dtype, i);
    const double difference = stored[i] - weight;
    error += difference * difference;
    energy += weight * weight;
  }
  if (energy > 0) return error / energy;
  return error == 0 ? 0 : std::numeric_limits<double>::infinity();
}

absl::Status CheckCopied(const CheckpointReader& checkpoint, const CheckpointReader& source,
                         const std::string& name, Findings& findings) {
  HEROQ_ASSIGN_OR_RETURN(const CheckpointReader::Entry ours, checkpoint.Find(name));
  const Findings::Place place{name, BaseName(ours.file->path())};
  const auto theirs = source.tensors().find(name);
  if (!findings.Check(theirs != source.tensors().end(), "copy_has_no_source", place, "a tensor of the source",
                      "none")) {
    return absl::OkStatus();
  }
  const TensorInfo& info = theirs->second.info;
  if (!findings.Check(info.dtype == ours.info.dtype && info.shape == ours.info.shape, "copy_differs", place,
                      "type and shape of the source", "another")) {
    return absl::OkStatus();
  }
  std::string a, b;
  int64_t differs_at = -1;
  for (int64_t at = 0; at < info.size && differs_at < 0; at += kCompareBytes) {
    const int64_t size = std::min(kCompareBytes, info.size - at);
    a.resize(size);
    b.resize(size);
    HEROQ_RETURN_IF_ERROR(ours.file->ReadPart(ours.info, at, size, a.data()));
    HEROQ_RETURN_IF_ERROR(theirs->second.file->ReadPart(info, at, size, b.data()));
    if (a != b) differs_at = at + (std::mismatch(a.begin(), a.end(), b.begin()).first - a.begin());
  }
  findings.Check(differs_at < 0, "copy_differs", place, "the bytes of the source",
                 absl::StrCat("another byte at ", differs_at));
  return absl::OkStatus();
}

absl::Status CheckWeightErrors(
    const DirectoryModel& model, const CheckpointReader& source,
    const std::function<std::optional<double>(const std::string& linear)>& expected,
    const std::function<bool(const std::string& linear)>& sound, Findings& findings) {
  for (const BlockLayout& block : model.layout.blocks) {
    for (const LinearLayout& layout : block.linears) {
      const auto scheme = model.schemes.find(layout.name);
      if (scheme == model.schemes.end() || !sound(layout.name)) continue;
      const std::vector<int64_t> shape = {layout.out_features, layout.in_features};
      HEROQ_ASSIGN_OR_RETURN(const QuantizedLinear linear,
                             ReadPackedLinear(*model.tensors, layout.name, scheme->second, shape));
      const std::string weight = absl::StrCat(layout.name, ".weight");
      const auto entry = source.tensors().find(weight);
      const Findings::Place place{weight, ""};
      if (!findings.Check(entry != source.tensors().end() && entry->second.info.shape == shape,
                          "source_missing", place, "the dense weight in the source", "none of this shape")) {
        continue;
      }
      HEROQ_ASSIGN_OR_RETURN(const std::string dense, source.ReadBytes(weight));
      const double error = WeightError(linear, dense, entry->second.info.dtype);
      if (const std::optional<double> reported = expected(layout.name); reported.has_value()) {
        const double tolerance = std::max(kAbsoluteTolerance, kRelativeTolerance * std::abs(*reported));
        findings.Check(std::abs(error - *reported) <= tolerance, "weight_error_differs", place,
                       absl::StrCat("relative weight error ", *reported), absl::StrCat(error));
      } else {
        const double limit = LargestPlausibleError(scheme->second.weight_bits);
        findings.Check(error <= limit, "weight_error_implausible", place, absl::StrCat("at most ", limit),
                       absl::StrCat(error));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace heroq
