#include "coordinator/validation/source_check.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/tensor_pieces.h"
#include "common/checkpoint/weight_digest.h"
#include "common/concurrency/side_by_side.h"
#include "common/status/status_macros.h"
#include "coordinator/validation/stored_weight.h"
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

absl::Status CheckWeightError(const LinearLayout& layout, const QuantScheme& scheme,
                              const StoredWeight& stored, const CheckpointReader& source,
                              const StatedWeight* stated, Findings& findings) {
  const std::vector<int64_t> shape = {layout.out_features, layout.in_features};
  const std::string weight = absl::StrCat(layout.name, ".weight");
  const auto entry = source.tensors().find(weight);
  const Findings::Place place{weight, ""};
  if (!findings.Check(entry != source.tensors().end() && entry->second.info.shape == shape,
                      "source_tensor_missing", place, "the dense weight in the source",
                      "none of this shape")) {
    return absl::OkStatus();
  }
  HEROQ_ASSIGN_OR_RETURN(const double error, WeightError(stored, entry->second));
  findings.AddWeightError(layout.name, ToString(scheme), error);
  if (stated != nullptr) {
    const double tolerance =
        std::max(kAbsoluteTolerance, kRelativeTolerance * std::abs(stated->weight_error));
    findings.Check(std::abs(error - stated->weight_error) <= tolerance, "weight_error_differs", place,
                   absl::StrCat("relative weight error ", stated->weight_error), absl::StrCat(error));
  } else {
    const double limit = LargestPlausibleError(scheme.weight_bits);
    findings.Check(error <= limit, "weights_not_the_sources", place, absl::StrCat("at most ", limit),
                   absl::StrCat(error));
  }
  return absl::OkStatus();
}

// One linear of CheckWeights, and what was found of it.
struct LinearWork {
  const LinearLayout* layout = nullptr;
  const LinearStorage* storage = nullptr;
  const StatedWeight* stated = nullptr;
  Findings findings;
  absl::Status status;
};

absl::Status CheckLinear(const CheckpointReader& tensors, const CheckpointReader* source, LinearWork& work) {
  const LinearLayout& layout = *work.layout;
  HEROQ_ASSIGN_OR_RETURN(const StoredWeight stored, ReadStoredWeight(tensors, layout, *work.storage));
  if (work.stated != nullptr) {
    const std::string digest = WeightDigest(stored.packed_codes, stored.scales, stored.zero_points);
    work.findings.Check(digest == work.stated->digest, "weight_digest_differs",
                        {absl::StrCat(layout.name, ".weight"), ""}, work.stated->digest, digest);
  }
  if (source == nullptr || (work.stated != nullptr && work.stated->transformed)) return absl::OkStatus();
  return CheckWeightError(layout, work.storage->scheme, stored, *source, work.stated, work.findings);
}

}  // namespace

absl::Status CheckCopied(const CheckpointReader& checkpoint, const CheckpointReader& source,
                         const std::string& name, CopyRule rule, Findings& findings) {
  HEROQ_ASSIGN_OR_RETURN(const CheckpointReader::Entry ours, checkpoint.Find(name));
  const Findings::Place place{name, BaseName(ours.file->path())};
  const auto theirs = source.tensors().find(name);
  if (!findings.Check(theirs != source.tensors().end(), "source_tensor_missing", place,
                      "a tensor of the source", "none")) {
    return absl::OkStatus();
  }
  const bool bytes = rule == CopyRule::kSameBytes;
  HEROQ_ASSIGN_OR_RETURN(const bool same,
                         bytes ? SameBytes(ours, theirs->second) : SameValues(ours, theirs->second));
  findings.Check(same, "copied_tensor_differs", place,
                 bytes ? "type, shape and bytes of the source" : "shape and values of the source", "others");
  return absl::OkStatus();
}

absl::Status CheckWeights(const DirectoryModel& model, const CheckpointReader* source,
                          const std::map<std::string, StatedWeight>& stated,
                          const std::set<std::string>& sound, Findings& findings) {
  std::vector<LinearWork> linears;
  for (const BlockLayout& block : model.layout.blocks) {
    for (const LinearLayout& layout : block.linears) {
      const auto storage = model.quantized.find(layout.name);
      if (storage == model.quantized.end() || sound.count(layout.name) == 0) continue;
      const auto known = stated.find(layout.name);
      LinearWork& linear = linears.emplace_back();
      linear.layout = &layout;
      linear.storage = &storage->second;
      linear.stated = known == stated.end() ? nullptr : &known->second;
    }
  }
  std::atomic<size_t> next = 0;
  const auto check = [&] {
    for (size_t i = next++; i < linears.size(); i = next++) {
      linears[i].status = CheckLinear(*model.tensors, source, linears[i]);
      // Nothing after it counts; what is before it has been taken already.
      if (!linears[i].status.ok()) next = linears.size();
    }
  };
  RunSideBySide(check, check);
  // In the order of the model, whichever thread was first.
  for (LinearWork& linear : linears) {
    HEROQ_RETURN_IF_ERROR(linear.status);
    findings.Merge(linear.findings.Take());
  }
  return absl::OkStatus();
}

}  // namespace heroq
