#include "coordinator/state/lost_results.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "common/blob/digest_proto.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_blob_store.h"
#include "tests/support/memory_journal.h"
#include "tests/support/test_plan.h"

namespace heroq {
namespace {

// Two captures of one block are done and their blobs stored; quantize/0/attention, which reads both, is
// leased.
class LostResultsTest : public testing::Test {
 protected:
  LostResultsTest() {
    Commit(CreateUpdate("a"));
    Commit(PlanUpdate("a", TestPlan({.blocks = 1, .shards = 2})));
    for (int shard = 0; shard < 2; ++shard) {
      v1::TaskResult result;
      for (const char* input : {"attention_in", "attention_out", "mlp_out"}) {
        v1::StatisticsNode& node = *result.add_statistics();
        node.set_input(input);
        node.set_shard_begin(shard);
        node.set_shard_end(shard + 1);
        *node.mutable_blob() =
            DigestToProto(*blobs_.Put(input + std::to_string(shard), Durability::kVolatile));
      }
      Commit(CompleteUpdate(Lease("capture/0/" + std::to_string(shard)), result));
    }
    const v1::TaskLeased lease = Lease("quantize/0/attention");
    token_.set_job_id("a");
    token_.set_lease_id(lease.lease_id());
    *token_.mutable_fence() = lease.fence();
  }

  void Commit(const v1::Update& update) { ASSERT_TRUE(store_->CommitAndWait(update).ok()); }
  v1::TaskLeased Lease(const std::string& task) {
    const v1::Update update = LeaseUpdate(*store_->Snapshot(), "a", {task});
    Commit(update);
    return update.task_leased();
  }
  TaskState StateOf(const std::string& task) const {
    const auto job = store_->Snapshot()->FindJob("a");
    return job->tasks[job->graph->Find(task).value()].state;
  }
  v1::FailureKind Recover(v1::FailureKind reported = v1::FAILURE_KIND_INPUT_LOST) {
    return RecoverInputs(*store_, blobs_, token_, reported);
  }

  FakeClock clock_;
  std::unique_ptr<CoordinatorStore> store_ =
      *CoordinatorStore::Open(std::make_unique<MemoryJournal>(std::make_shared<MemoryLog>()), clock_);
  MemoryBlobStore blobs_;
  v1::LeaseToken token_;
};

TEST_F(LostResultsTest, TaskThatMadeAMissingInputRunsAgainAndTheFailureIsNotCharged) {
  blobs_.Remove(DigestOf("attention_in1"));
  EXPECT_EQ(Recover(), v1::FAILURE_KIND_INPUT_LOST);
  EXPECT_EQ(StateOf("capture/0/0"), TaskState::kDone);
  EXPECT_EQ(StateOf("capture/0/1"), TaskState::kPending);
  EXPECT_EQ(StateOf("quantize/0/attention"), TaskState::kLeased) << "its end is committed by the caller";
}

TEST_F(LostResultsTest, DamagedInputIsLostToo) {
  blobs_.Corrupt(DigestOf("attention_out0"));
  EXPECT_EQ(Recover(), v1::FAILURE_KIND_INPUT_LOST);
  EXPECT_EQ(StateOf("capture/0/0"), TaskState::kPending);
  EXPECT_EQ(StateOf("capture/0/1"), TaskState::kDone);
}

TEST_F(LostResultsTest, SecondReaderOfTheSameLossIsNotChargedEither) {
  blobs_.Remove(DigestOf("attention_in1"));
  EXPECT_EQ(Recover(), v1::FAILURE_KIND_INPUT_LOST);
  const int64_t sequence = store_->Snapshot()->sequence;
  EXPECT_EQ(Recover(), v1::FAILURE_KIND_INPUT_LOST);
  EXPECT_EQ(store_->Snapshot()->sequence, sequence);
}

TEST_F(LostResultsTest, LossThatTheCoordinatorDoesNotSeeIsAnOrdinaryFailure) {
  const int64_t sequence = store_->Snapshot()->sequence;
  EXPECT_EQ(Recover(), v1::FAILURE_KIND_INTERNAL);
  token_.set_lease_id("no such lease");
  EXPECT_EQ(Recover(), v1::FAILURE_KIND_INTERNAL);
  token_.set_job_id("no such job");
  EXPECT_EQ(Recover(), v1::FAILURE_KIND_INTERNAL);
  EXPECT_EQ(store_->Snapshot()->sequence, sequence);
}

TEST_F(LostResultsTest, WhatATaskDoesNotReadIsNotLookedFor) {
  blobs_.Remove(DigestOf("mlp_out0"));
  EXPECT_EQ(Recover(), v1::FAILURE_KIND_INTERNAL);
}

TEST_F(LostResultsTest, OtherFailuresStayWhatTheyAre) {
  blobs_.Remove(DigestOf("attention_in1"));
  EXPECT_EQ(Recover(v1::FAILURE_KIND_NUMERICAL), v1::FAILURE_KIND_NUMERICAL);
  EXPECT_EQ(StateOf("capture/0/1"), TaskState::kDone);
}

}  // namespace
}  // namespace heroq
