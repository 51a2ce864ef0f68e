#include "coordinator/validation/source_check.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/packed_linear.h"
#include "common/status/status_macros.h"
#include "coordinator/validation/tensor_checks.h"

namespace heroq {
namespace {

constexpr double kRelativeTolerance = 1e-3;
constexpr double kAbsoluteTolerance = 1e-7;

// Weights in the wrong order, with the wrong scales or of another model have an error near 1 or above;
// rounding to nearest has 0.01 at 4 bits, and solvers that minimise the output's error stay within a few
// times that.
double LargestPlausibleError(int bits) {
  if (bits >= 4) return 0.2;
  return bits == 3 ? 0.5 : 0.95;
}

}  // namespace

absl::Status CheckCopied(const CheckpointReader& checkpoint, const CheckpointReader& source,
                         const std::string& name, Findings& findings) {
  HEROQ_ASSIGN_OR_RETURN(const CheckpointReader::Entry ours, checkpoint.Find(name));
  const Findings::Place place{name, BaseName(ours.file->path())};
  const auto theirs = source.tensors().find(name);
  if (!findings.Check(theirs != source.tensors().end(), "source_tensor_missing", place,
                      "a tensor of the source", "none")) {
    return absl::OkStatus();
  }
  HEROQ_ASSIGN_OR_RETURN(const bool same, SameBytes(ours, theirs->second));
  findings.Check(same, "copied_tensor_differs", place, "type, shape and bytes of the source", "others");
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
                          "source_tensor_missing", place, "the dense weight in the source",
                          "none of this shape")) {
        continue;
      }
      HEROQ_ASSIGN_OR_RETURN(const double error, WeightError(linear, entry->second));
      if (const std::optional<double> reported = expected(layout.name); reported.has_value()) {
        const double tolerance = std::max(kAbsoluteTolerance, kRelativeTolerance * std::abs(*reported));
        findings.Check(std::abs(error - *reported) <= tolerance, "weight_error_differs", place,
                       absl::StrCat("relative weight error ", *reported), absl::StrCat(error));
      } else {
        const double limit = LargestPlausibleError(scheme->second.weight_bits);
        findings.Check(error <= limit, "weights_not_the_sources", place, absl::StrCat("at most ", limit),
                       absl::StrCat(error));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace heroq
