#include "coordinator/state/plan_check.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "coordinator/planning/task_graph.h"

namespace heroq {
namespace {

constexpr int64_t kMaxBlocks = 10'000;

absl::Status Broken(absl::string_view rule) {
  return MakeError(Reason::kInternal, absl::StrCat("plan: ", rule));
}

}  // namespace

absl::Status CheckPlan(const v1::Plan& plan) {
  std::set<std::pair<int, std::string>> units;
  int64_t blocks = 0;
  for (const v1::PlannedUnit& unit : plan.units()) {
    // Outside the blocks there is nothing to calibrate.
    const int first = unit.linears_size() == 0 ? -1 : 0;
    if (unit.block() < first || unit.block() >= kMaxBlocks) {
      return Broken(
          absl::StrCat("units: block ", unit.block(), ", expected ", first, " to ", kMaxBlocks - 1));
    }
    if (!units.emplace(unit.block(), unit.unit()).second) {
      return Broken(absl::StrCat("units: block ", unit.block(), " has unit ", unit.unit(), " twice"));
    }
    blocks = std::max<int64_t>(blocks, unit.block() + 1);
  }
  const int64_t shards = plan.calibration().shards();
  if (shards < 0 || TaskCountBound(plan, blocks) > kMaxTasks) {
    return Broken(absl::StrCat(blocks, " blocks, ", shards, " shards and ", plan.units_size(),
                               " units make more than ", kMaxTasks, " tasks"));
  }
  for (const v1::PlannedFile& file : plan.files()) {
    for (const v1::PlannedTensor& tensor : file.tensors()) {
      if (tensor.copied() || (tensor.unit() >= 0 && tensor.unit() < plan.units_size())) continue;
      return Broken(absl::StrCat("files: tensor ", tensor.name(), " is of unit ", tensor.unit(), " of ",
                                 plan.units_size()));
    }
  }
  return absl::OkStatus();
}

}  // namespace heroq
