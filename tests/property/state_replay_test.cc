#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "coordinator/state/job_state.h"
#include "tests/support/state_dump.h"
#include "tests/support/test_plan.h"

namespace heroq {
namespace {

constexpr int kSeeds = 40;
constexpr int kUpdates = 400;

// Draws updates that are often, but not always, allowed.
class RandomUpdates {
 public:
  explicit RandomUpdates(uint32_t seed) : random_(seed) {}

  int Draw(int limit) { return static_cast<int>(random_() % static_cast<uint32_t>(limit)); }

  v1::Update Next(const CoordinatorState& state) {
    const std::string job_id(1, static_cast<char>('a' + Draw(4)));
    const std::shared_ptr<const JobRecord> job = state.FindJob(job_id);
    v1::Update update = job != nullptr && job->graph != nullptr && Draw(10) < 8 ? TaskUpdate(state, *job)
                                                                                : JobUpdate(state, job_id);
    update.mutable_time()->set_seconds(1'700'000'000 + ++time_);
    return update;
  }

 private:
  v1::Update JobUpdate(const CoordinatorState& state, const std::string& job_id) {
    v1::Update update;
    switch (Draw(14)) {
      case 0:
        update.mutable_epoch_started()->set_epoch(state.epoch + Draw(2));
        return update;
      case 1:
        return CancelUpdate(job_id);
      case 2:
        return EndUpdate(job_id, v1::QuantizationJob::STATE_FAILED);
      case 3:
        return EndUpdate(job_id, v1::QuantizationJob::STATE_CANCELLED);
      case 4:
        return EndUpdate(job_id, v1::QuantizationJob::STATE_SUCCEEDED);
      case 5:
        update.mutable_job_deleted()->set_job_id(job_id);
        return update;
      case 6:
        return PhaseUpdate(job_id, static_cast<v1::QuantizationJob::Phase>(Draw(7)),
                           Draw(2) == 0 ? "" : "/staged");
      case 7:
      case 8:
      case 9:
        return CreateUpdate(job_id, Draw(3));
      default:
        return PlanUpdate(job_id, TestPlan({.blocks = 2,
                                            .shards = 3,
                                            .propagation = static_cast<v1::Propagation>(1 + Draw(2)),
                                            .calibrated = Draw(4) > 0,
                                            .evaluation_sequences = Draw(3)}));
    }
  }

  v1::Update TaskUpdate(const CoordinatorState& state, const JobRecord& job) {
    v1::Update update;
    const int kind = Draw(20);
    if (kind == 0) {
      update.mutable_blobs_lost()->set_job_id(job.job_id);
      for (int i = 0; i < 4; ++i) update.mutable_blobs_lost()->add_task_ids(AnyTask(job));
      return update;
    }
    if (kind == 1) {
      update.mutable_file_assembled()->set_job_id(job.job_id);
      update.mutable_file_assembled()->set_name("model-" + std::to_string(Draw(3)) + ".safetensors");
      return update;
    }
    if (kind < 10 || leases_.empty()) {
      std::vector<std::string> tasks;
      for (int i = Draw(5) / 3; i >= 0; --i) tasks.push_back(AnyTask(job));
      update = LeaseUpdate(state, job.job_id, tasks);
      leases_.push_back(update.task_leased());
      return update;
    }
    // Old leases too: late and repeated ends.
    const v1::TaskLeased& lease =
        leases_[leases_.size() - 1 - Draw(std::min<int>(6, static_cast<int>(leases_.size())))];
    if (kind < 17) {
      v1::TaskResult result;
      v1::NamedBlob& output = *result.add_outputs();
      output.set_name("unit");
      *output.mutable_digest() = TestDigest(lease.task_ids(0) + std::to_string(Draw(8) / 7));
      return CompleteUpdate(lease, result);
    }
    update = ReturnUpdate(lease, static_cast<v1::TaskReturned::Cause>(Draw(5)),
                          static_cast<v1::FailureKind>(Draw(6)));
    if (Draw(2) == 0)
      update.mutable_task_returned()->mutable_not_before()->set_seconds(1'700'000'000 + Draw(1000));
    return update;
  }

  // Mostly one that is ready.
  std::string AnyTask(const JobRecord& job) {
    const int count = static_cast<int>(job.graph->nodes().size());
    int task = Draw(count);
    for (int tries = 0; tries < 6 && !job.Ready(task); ++tries) task = Draw(count);
    return job.graph->nodes()[task].id;
  }

  std::mt19937 random_;
  int64_t time_ = 0;
  std::vector<v1::TaskLeased> leases_;
};

struct Snapshot {
  CoordinatorState state;
  std::string dump;
};

TEST(StateReplayTest, ReplayedJournalIsTheLiveState) {
  int accepted = 0, refused = 0;
  for (uint32_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    RandomUpdates updates(seed);
    CoordinatorState live;
    std::vector<std::string> journal;
    std::vector<Snapshot> snapshots;
    std::map<std::string, std::string> ended;  // job id -> what it was when it ended
    for (int i = 0; i < kUpdates; ++i) {
      const v1::Update update = updates.Next(live);
      const std::string before = DumpState(live);
      const absl::Status valid = ValidateUpdate(live, update);
      ASSERT_EQ(DumpState(live), before) << "Validate changed something";
      if (!valid.ok()) {
        ++refused;
        continue;
      }
      ++accepted;
      const bool changes = ChangesState(live, update);
      ApplyUpdate(live, update);
      ASSERT_EQ(DumpState(live) != before, changes) << update.ShortDebugString();
      if (changes) journal.push_back(update.SerializeAsString());
      ASSERT_EQ(BrokenInvariants(live), "") << update.ShortDebugString();
      for (auto it = ended.begin(); it != ended.end();) {
        const auto job = live.FindJob(it->first);
        if (job == nullptr) {
          it = ended.erase(it);
          continue;
        }
        ASSERT_EQ(DumpJob(*job), it->second) << "a job changed after its end: " << update.ShortDebugString();
        ++it;
      }
      for (const auto& [job_id, job] : live.jobs) {
        if (job->terminal()) ended.try_emplace(job_id, DumpJob(*job));
      }
      if (updates.Draw(20) == 0) snapshots.push_back({live, DumpState(live)});
    }
    for (const Snapshot& snapshot : snapshots) ASSERT_EQ(DumpState(snapshot.state), snapshot.dump);

    CoordinatorState replayed;
    for (const std::string& record : journal) {
      v1::Update update;
      ASSERT_TRUE(update.ParseFromString(record));
      ASSERT_TRUE(ValidateUpdate(replayed, update).ok()) << update.ShortDebugString();
      ApplyUpdate(replayed, update);
    }
    ASSERT_EQ(DumpState(replayed), DumpState(live));
  }
  // The draw is useful only if both happen a lot.
  EXPECT_GT(accepted, kSeeds * kUpdates / 5);
  EXPECT_GT(refused, kSeeds * kUpdates / 5);
}

}  // namespace
}  // namespace heroq
