#include "coordinator/state/coordinator_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/synchronization/notification.h"
#include "common/status/error_reason.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_journal.h"
#include "tests/support/state_dump.h"
#include "tests/support/test_plan.h"

namespace heroq {
namespace {

std::unique_ptr<CoordinatorStore> OpenStore(const std::shared_ptr<MemoryLog>& log, Clock& clock,
                                            MemoryJournal::Fault fault = nullptr) {
  auto store = CoordinatorStore::Open(std::make_unique<MemoryJournal>(log, std::move(fault)), clock);
  EXPECT_TRUE(store.ok()) << store.status();
  return *std::move(store);
}

TEST(CoordinatorStoreTest, CommittedUpdatesAreInTheSnapshotAndTheJournal) {
  FakeClock clock;
  auto log = std::make_shared<MemoryLog>();
  auto store = OpenStore(log, clock);
  EXPECT_EQ(store->epoch(), 1);
  ASSERT_TRUE(store->CommitAndWait(CreateUpdate("a")).ok());
  EXPECT_EQ(store->Snapshot()->FindJob("a")->create_time, clock.Now());
  EXPECT_EQ(log->Updates().size(), 2u);
}

TEST(CoordinatorStoreTest, RefusedUpdatesAreNeitherJournaledNorSeen) {
  FakeClock clock;
  auto log = std::make_shared<MemoryLog>();
  auto store = OpenStore(log, clock);
  int seen = 0;
  store->AddListener([&](const v1::Update&, const auto&) { ++seen; });
  EXPECT_TRUE(HasReason(store->CommitAndWait(CancelUpdate("x")), Reason::kJobNotFound));
  EXPECT_EQ(log->Updates().size(), 1u);
  EXPECT_EQ(seen, 0);
}

TEST(CoordinatorStoreTest, UpdatesThatChangeNothingAreOkAndNotJournaled) {
  FakeClock clock;
  auto log = std::make_shared<MemoryLog>();
  auto store = OpenStore(log, clock);
  ASSERT_TRUE(store->CommitAndWait(CreateUpdate("a")).ok());
  ASSERT_TRUE(store->CommitAndWait(CancelUpdate("a")).ok());
  EXPECT_TRUE(store->CommitAndWait(CancelUpdate("a")).ok());
  EXPECT_EQ(log->Updates().size(), 3u);
}

TEST(CoordinatorStoreTest, ListenersSeeUpdatesInOrderBeforeDone) {
  FakeClock clock;
  auto store = OpenStore(std::make_shared<MemoryLog>(), clock);
  std::vector<std::string> seen;
  const int handle = store->AddListener([&](const v1::Update& update, const auto& state) {
    seen.push_back(update.job_created().job_id());
    EXPECT_NE(state->FindJob(update.job_created().job_id()), nullptr);
  });
  for (const char* id : {"a", "b", "c"}) {
    store->Commit(CreateUpdate(id),
                  [&, id](const absl::Status&) { EXPECT_THAT(seen, testing::Contains(id)); });
  }
  ASSERT_TRUE(store->CommitAndWait(CreateUpdate("d")).ok());
  store->RemoveListener(handle);
  ASSERT_TRUE(store->CommitAndWait(CreateUpdate("e")).ok());
  EXPECT_THAT(seen, testing::ElementsAre("a", "b", "c", "d"));
}

TEST(CoordinatorStoreTest, DoneMayCommit) {
  FakeClock clock;
  auto store = OpenStore(std::make_shared<MemoryLog>(), clock);
  absl::Notification finished;
  store->Commit(CreateUpdate("a"), [&](const absl::Status&) {
    store->Commit(CancelUpdate("a"), [&](const absl::Status&) { finished.Notify(); });
  });
  finished.WaitForNotification();
  EXPECT_EQ(store->Snapshot()->FindJob("a")->state, v1::QuantizationJob::STATE_CANCELLING);
}

TEST(CoordinatorStoreTest, DestructorFinishesWaitingUpdates) {
  FakeClock clock;
  auto log = std::make_shared<MemoryLog>();
  auto store = OpenStore(log, clock);
  for (int i = 0; i < 100; ++i) store->Commit(CreateUpdate(std::to_string(i)), nullptr);
  store.reset();
  EXPECT_EQ(log->Updates().size(), 101u);
}

TEST(CoordinatorStoreTest, RestartReplaysAndVoidsLeases) {
  FakeClock clock;
  auto log = std::make_shared<MemoryLog>();
  v1::TaskLeased lease;
  {
    auto store = OpenStore(log, clock);
    ASSERT_TRUE(store->CommitAndWait(CreateUpdate("a")).ok());
    ASSERT_TRUE(store->CommitAndWait(PlanUpdate("a", TestPlan())).ok());
    const v1::Update update = LeaseUpdate(*store->Snapshot(), "a", {"capture/0/0"});
    lease = update.task_leased();
    ASSERT_TRUE(store->CommitAndWait(update).ok());
  }
  auto store = OpenStore(log, clock);
  EXPECT_EQ(store->epoch(), 2);
  EXPECT_EQ(store->Snapshot()->FindJob("a")->tasks[0].state, TaskState::kPending);
  EXPECT_TRUE(HasReason(store->CommitAndWait(CompleteUpdate(lease)), Reason::kStaleAttempt));
}

TEST(CoordinatorStoreTest, JournalThatDoesNotFitIsRefused) {
  FakeClock clock;
  auto log = std::make_shared<MemoryLog>();
  log->Append(CancelUpdate("never created"));
  const auto store = CoordinatorStore::Open(std::make_unique<MemoryJournal>(log), clock);
  EXPECT_TRUE(HasReason(store.status(), Reason::kFileCorrupt)) << store.status();
}

TEST(CoordinatorStoreTest, ErrorOfTheFirstAppendFailsOpen) {
  FakeClock clock;
  const auto store = CoordinatorStore::Open(
      std::make_unique<MemoryJournal>(std::make_shared<MemoryLog>(),
                                      [](const auto&) { return MakeError(Reason::kIo, "disk full"); }),
      clock);
  EXPECT_TRUE(HasReason(store.status(), Reason::kIo));
}

TEST(CoordinatorStoreDeathTest, FailedAppendEndsTheProcess) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        FakeClock clock;
        auto store = OpenStore(std::make_shared<MemoryLog>(), clock, [](const auto& updates) {
          return updates[0]->has_job_created() ? MakeError(Reason::kIo, "disk full") : absl::OkStatus();
        });
        store->CommitAndWait(CreateUpdate("a")).IgnoreError();
      },
      "disk full");
}

}  // namespace
}  // namespace heroq
