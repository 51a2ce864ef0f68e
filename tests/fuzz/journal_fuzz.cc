// Records of a journal, each behind its length: parsed, validated, applied.
#include <algorithm>

#include "coordinator/state/blob_use.h"
#include "coordinator/state/job_state.h"
#include "tests/fuzz/fuzz_input.h"

namespace heroq {
namespace {

// Plans of a million tasks are allowed, but take a second each.
bool TooLarge(const v1::Plan& plan) {
  constexpr int64_t kMaxTasks = 10'000;
  int64_t blocks = 0;
  for (const v1::PlannedUnit& unit : plan.units()) blocks = std::max<int64_t>(blocks, unit.block() + 1);
  return blocks * plan.calibration().shards() > kMaxTasks;
}

}  // namespace
}  // namespace heroq

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace heroq;
  CoordinatorState state;
  FuzzInput input(data, size);
  while (!input.empty()) {
    const absl::string_view record = input.Take(input.TakeLength());
    v1::Update update;
    if (!update.ParseFromArray(record.data(), static_cast<int>(record.size()))) return 0;
    if (!ValidateUpdate(state, update).ok()) continue;
    if (TooLarge(update.job_planned().plan())) return 0;
    ApplyUpdate(state, update);
  }
  for (const auto& [job_id, job] : state.jobs) {
    Require(job->graph == nullptr || job->tasks.size() == job->graph->nodes().size(),
            "a record for each task");
    NeededBlobs(*job);
    ReferencedBlobs(*job);
    LostTasks(*job, [](const v1::BlobDigest&) { return false; });
  }
  return 0;
}
