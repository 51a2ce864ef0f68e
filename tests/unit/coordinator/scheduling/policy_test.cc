#include "coordinator/scheduling/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "coordinator/scheduling/lease_builder.h"
#include "tests/support/state_fixture.h"

namespace heroq {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

class PolicyTest : public testing::Test {
 protected:
  void AddWorker(const std::string& id, int free = 1, const std::string& numeric_class = "c", int slots = 0) {
    workers_.push_back({static_cast<int64_t>(workers_.size()) + 1, id, numeric_class,
                        slots == 0 ? free : slots, free, false});
  }
  // "<job>:<leased task>@<worker>" in the order of the grants.
  std::vector<std::string> Plan() {
    const PolicyInput input{fixture_.state, workers_, kNow, leasing_, {}};
    std::vector<std::string> grants;
    for (const LeaseGrant& grant : PlanLeases(input, {capture_ahead_bytes_, absl::Seconds(60)})) {
      grants.push_back(grant.job_id + ":" + LeasedTaskId(fixture_.Job(grant.job_id), grant.tasks) + "@" +
                       workers_[grant.session - 1].worker_id);
    }
    return grants;
  }

  void FinishCaptures(const std::string& block, int shards) {
    for (int shard = 0; shard < shards; ++shard)
      fixture_.Finish("a", {absl::StrCat("capture/", block, "/", shard)});
  }

  StateFixture fixture_;
  std::vector<WorkerSlots> workers_;
  std::map<std::string, std::set<int>> leasing_;
  int64_t capture_ahead_bytes_ = int64_t{1} << 40;
};

TEST_F(PolicyTest, FreeSlotsShareTheReadyShards) {
  fixture_.AddJob("a", TestPlan({.blocks = 2, .shards = 8}));
  FinishCaptures("0", 8);
  AddWorker("w1");
  EXPECT_THAT(Plan(), ElementsAre("a:capture/1/0-8@w1"));
  AddWorker("w2");
  EXPECT_THAT(Plan(), ElementsAre("a:capture/1/0-4@w1", "a:capture/1/4-8@w2"));
  AddWorker("w3");
  EXPECT_THAT(Plan(), ElementsAre("a:capture/1/0-3@w1", "a:capture/1/3-6@w2", "a:capture/1/6-8@w3"));
}

TEST_F(PolicyTest, TheFirstBlockIsSharedWithWorkersThatConnectLater) {
  fixture_.AddJob("a", TestPlan({.blocks = 2, .shards = 8}));
  AddWorker("w1");
  EXPECT_THAT(Plan(), ElementsAre("a:capture/0/0-4@w1"));
  AddWorker("w2", 7);
  EXPECT_THAT(Plan(),
              ElementsAre("a:capture/0/0@w2", "a:capture/0/1@w2", "a:capture/0/2@w2", "a:capture/0/3@w2",
                          "a:capture/0/4@w2", "a:capture/0/5@w2", "a:capture/0/6@w1", "a:capture/0/7@w2"));
}

TEST_F(PolicyTest, BusySlotsOfTheClassAreLeftTheirShare) {
  fixture_.AddJob("a", TestPlan({.blocks = 2, .shards = 8}));
  FinishCaptures("0", 8);
  AddWorker("w1", 1);
  AddWorker("w2", 0, "c", 1);
  EXPECT_THAT(Plan(), ElementsAre("a:capture/1/0-4@w1"));
}

TEST_F(PolicyTest, CapturesComeFirstUntilQuantizationIsMoreThanTwoBlocksBehind) {
  fixture_.AddJob("a", TestPlan({.blocks = 6, .shards = 2}));
  AddWorker("w1");
  FinishCaptures("0", 2);
  for (const char* block : {"1", "2"}) {
    EXPECT_THAT(Plan(), ElementsAre(absl::StrCat("a:capture/", block, "/0-2@w1")));
    FinishCaptures(block, 2);
  }
  EXPECT_THAT(Plan(), ElementsAre("a:quantize/0/attention@w1"));
  AddWorker("w2", 2);
  EXPECT_THAT(Plan(),
              ElementsAre("a:quantize/0/attention@w2", "a:quantize/0/mlp@w1", "a:quantize/1/attention@w2"));
}

TEST_F(PolicyTest, WhoeverIsAheadQuantizesWhileOthersCatchUp) {
  fixture_.AddJob("a", TestPlan({.blocks = 6, .shards = 2}));
  fixture_.Finish("a", {"capture/0/0", "capture/0/1", "capture/1/0"});
  fixture_.Lease("a", {"capture/1/1"});
  AddWorker("w1");
  EXPECT_THAT(Plan(), ElementsAre("a:quantize/0/attention@w1")) << "block 1 is on its way, block 2 has time";
}

TEST_F(PolicyTest, CapturesThatMayNotRunAheadLeaveTheSlotToQuantization) {
  fixture_.AddJob("a", TestPlan({.blocks = 6, .shards = 2}));
  fixture_.Finish("a", {"capture/0/0", "capture/0/1"});
  capture_ahead_bytes_ = 0;
  AddWorker("w1");
  EXPECT_THAT(Plan(), ElementsAre("a:quantize/0/attention@w1"));
}

TEST_F(PolicyTest, AdvancesAreLeasedInRunsToo) {
  fixture_.AddJob("a", TestPlan({.blocks = 2, .shards = 4, .propagation = v1::PROPAGATION_QUANTIZED}));
  fixture_.Finish("a", {"capture/0/0", "capture/0/1", "capture/0/2", "capture/0/3", "quantize/0/attention",
                        "quantize/0/mlp"});
  AddWorker("w1");
  AddWorker("w2");
  EXPECT_THAT(Plan(), ElementsAre("a:advance/0/0-2@w1", "a:advance/0/2-4@w2"));
}

TEST_F(PolicyTest, RunsStopAtAGap) {
  fixture_.AddJob("a", TestPlan({.blocks = 1, .shards = 4}));
  fixture_.Lease("a", {"capture/0/1"});
  AddWorker("w1", 1);
  EXPECT_THAT(Plan(), ElementsAre("a:capture/0/0@w1"));
}

TEST_F(PolicyTest, WorkerGoesOnWithTheShardsItMade) {
  fixture_.AddJob("a", TestPlan({.blocks = 2, .shards = 4}));
  for (const auto& [shard, worker] :
       std::map<std::string, std::string>{{"0", "w2"}, {"1", "w2"}, {"2", "w1"}, {"3", "w1"}}) {
    v1::Update lease = LeaseUpdate(fixture_.state, "a", {"capture/0/" + shard});
    lease.mutable_task_leased()->set_worker_id(worker);
    ASSERT_TRUE(fixture_.Apply(lease).ok());
    ASSERT_TRUE(fixture_.Apply(CompleteUpdate(lease.task_leased())).ok());
  }
  fixture_.Finish("a", {"quantize/0/attention", "quantize/0/mlp"});
  AddWorker("w1");
  AddWorker("w2");
  EXPECT_THAT(Plan(), ElementsAre("a:capture/1/2-4@w1", "a:capture/1/0-2@w2"));
  workers_[0].worker_id = "w3";
  EXPECT_THAT(Plan(), ElementsAre("a:capture/1/2-4@w3", "a:capture/1/0-2@w2"))
      << "w1 is gone: anyone takes its shards";
}

TEST_F(PolicyTest, HigherPriorityThenFirstComeFirstServed) {
  for (const char* id : {"x", "y", "z"}) {
    ASSERT_TRUE(fixture_.Apply(CreateUpdate(id, id == std::string("z") ? 1 : 0)).ok());
    ASSERT_TRUE(fixture_.Apply(PlanUpdate(id, TestPlan({.blocks = 1, .calibrated = false}))).ok());
  }
  AddWorker("w1", 5);
  EXPECT_THAT(Plan(),
              ElementsAre("z:quantize/0/attention@w1", "z:quantize/0/mlp@w1", "x:quantize/0/attention@w1",
                          "x:quantize/0/mlp@w1", "y:quantize/0/attention@w1"));
}

TEST_F(PolicyTest, JobRunsInTheClassWithMostSlotsThenInItsOwn) {
  fixture_.AddJob("a", TestPlan({.blocks = 1, .calibrated = false}));
  AddWorker("w1", 2, "d");
  AddWorker("w2", 1, "c");
  AddWorker("w3", 2, "c");
  EXPECT_THAT(Plan(), ElementsAre("a:quantize/0/attention@w3", "a:quantize/0/mlp@w2"));
  fixture_.Lease("a", {"quantize/0/mlp"});  // pins class "c"
  workers_.resize(1);
  EXPECT_THAT(Plan(), IsEmpty());
}

TEST_F(PolicyTest, ClassOfTheSpecWins) {
  ASSERT_TRUE(fixture_.Apply(CreateUpdate("a", 0, "rare")).ok());
  ASSERT_TRUE(fixture_.Apply(PlanUpdate("a", TestPlan({.blocks = 1, .calibrated = false}))).ok());
  AddWorker("w1", 8, "c");
  EXPECT_THAT(Plan(), IsEmpty());
  AddWorker("w2", 1, "rare");
  EXPECT_THAT(Plan(), ElementsAre("a:quantize/0/attention@w2"));
}

TEST_F(PolicyTest, TasksBeingLeasedAreNotOfferedTwice) {
  fixture_.AddJob("a", TestPlan({.blocks = 1, .calibrated = false}));
  AddWorker("w1", 2);
  leasing_["a"] = {0};
  EXPECT_THAT(Plan(), ElementsAre("a:quantize/0/mlp@w1"));
}

TEST_F(PolicyTest, ChargedTasksWaitAndAreLeasedAlone) {
  fixture_.AddJob("a", TestPlan({.blocks = 1, .shards = 4}));
  v1::Update lost = ReturnUpdate(fixture_.Lease("a", {"capture/0/1"}), v1::TaskReturned::CAUSE_LOST);
  lost.mutable_task_returned()->mutable_not_before()->set_seconds(absl::ToUnixSeconds(kNow) + 2);
  ASSERT_TRUE(fixture_.Apply(lost).ok());
  AddWorker("w1", 1);
  EXPECT_THAT(Plan(), ElementsAre("a:capture/0/0@w1"));
  fixture_.Finish("a", {"capture/0/0"});
  EXPECT_THAT(Plan(), ElementsAre("a:capture/0/2-4@w1")) << "shard 1 waits";
  fixture_.Finish("a", {"capture/0/2"});
  lost = ReturnUpdate(fixture_.Lease("a", {"capture/0/1"}), v1::TaskReturned::CAUSE_RELEASED);
  lost.mutable_task_returned()->mutable_not_before()->set_seconds(absl::ToUnixSeconds(kNow));
  ASSERT_TRUE(fixture_.Apply(lost).ok());
  EXPECT_THAT(Plan(), ElementsAre("a:capture/0/1@w1"));
}

TEST_F(PolicyTest, WaitSetByAClockThatJumpedIsIgnored) {
  fixture_.AddJob("a", TestPlan({.blocks = 1, .calibrated = false}));
  v1::Update lost = ReturnUpdate(fixture_.Lease("a", {"quantize/0/attention"}), v1::TaskReturned::CAUSE_LOST);
  lost.mutable_task_returned()->mutable_not_before()->set_seconds(absl::ToUnixSeconds(kNow) + 86400);
  ASSERT_TRUE(fixture_.Apply(lost).ok());
  AddWorker("w1", 1);
  EXPECT_THAT(Plan(), ElementsAre("a:quantize/0/attention@w1"));
}

TEST_F(PolicyTest, CapturesAboveTheOpenBlockStopAtTheBound) {
  fixture_.AddJob("a", TestPlan({.blocks = 2, .shards = 1}));
  capture_ahead_bytes_ = 0;
  AddWorker("w1", 8);
  EXPECT_THAT(Plan(), ElementsAre("a:capture/0/0@w1")) << "the open block is never held back";
  fixture_.Finish("a", {"capture/0/0"});
  EXPECT_THAT(Plan(), ElementsAre("a:quantize/0/attention@w1", "a:quantize/0/mlp@w1"));
  fixture_.Finish("a", {"quantize/0/attention", "quantize/0/mlp"});
  EXPECT_THAT(Plan(), ElementsAre("a:capture/1/0@w1"));
}

TEST_F(PolicyTest, SuspendedWorkersServeOnlyAClassWithoutOthers) {
  fixture_.AddJob("a", TestPlan({.blocks = 1, .calibrated = false}));
  AddWorker("w1", 2);
  workers_[0].suspended = true;
  EXPECT_THAT(Plan(), ElementsAre("a:quantize/0/attention@w1", "a:quantize/0/mlp@w1"));
  AddWorker("w2", 1);
  EXPECT_THAT(Plan(), ElementsAre("a:quantize/0/attention@w2"));
}

TEST_F(PolicyTest, NothingWithoutWorkersOrFreeSlots) {
  fixture_.AddJob("a");
  EXPECT_THAT(Plan(), IsEmpty());
  AddWorker("w1", 0, "c", 4);
  EXPECT_THAT(Plan(), IsEmpty());
}

TEST_F(PolicyTest, BusyWorkersTakeAheadWhatTheyMadeAndUnitsThatAreMoreThanTheSlots) {
  fixture_.AddJob("a", TestPlan({.blocks = 3, .shards = 2}));
  // By worker w.
  FinishCaptures("0", 2);
  AddWorker("w", 0, "c", 1);
  AddWorker("x", 0, "c", 1);
  EXPECT_THAT(Plan(), IsEmpty());
  for (WorkerSlots& worker : workers_) worker.ahead = 1;
  EXPECT_THAT(Plan(), ElementsAre("a:capture/1/0@w", "a:quantize/0/attention@x"));
  workers_[1].ahead = 4;
  EXPECT_THAT(Plan(), ElementsAre("a:capture/1/0@w", "a:quantize/0/attention@x")) << "one is left per slot";
  AddWorker("y", 1);
  EXPECT_THAT(Plan(), testing::Contains("a:capture/1/0@y")) << "free slots come first";
}

TEST_F(PolicyTest, UnitsThatWereChargedAreNotTakenAhead) {
  fixture_.AddJob("a", TestPlan({.blocks = 1, .shards = 1}));
  FinishCaptures("0", 1);
  AddWorker("x", 0, "c", 1);
  workers_[0].ahead = 2;
  EXPECT_THAT(Plan(), ElementsAre("a:quantize/0/attention@x", "a:quantize/0/mlp@x"));
  const v1::TaskLeased lease = fixture_.Lease("a", {"quantize/0/attention"});
  ASSERT_TRUE(fixture_.Apply(ReturnUpdate(lease, v1::TaskReturned::CAUSE_LOST)).ok());
  EXPECT_THAT(Plan(), ElementsAre("a:quantize/0/mlp@x"));
}

}  // namespace
}  // namespace heroq
