#include "coordinator/state/coordinator_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>

#include "absl/synchronization/notification.h"
#include "common/status/error_reason.h"
#include "coordinator/state/sqlite_journal.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_journal.h"
#include "tests/support/state_fixture.h"
#include "tests/support/temporary_directory.h"
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

TEST(CoordinatorStoreTest, OnlyLeasesWaitForTheNextSync) {
  FakeClock clock;
  std::vector<Sync> syncs;
  auto store =
      OpenStore(std::make_shared<MemoryLog>(), clock, [&](const std::vector<const v1::Update*>&, Sync sync) {
        syncs.push_back(sync);
        return absl::OkStatus();
      });
  ASSERT_TRUE(store->CommitAndWait(CreateUpdate("a")).ok());
  ASSERT_TRUE(store->CommitAndWait(PlanUpdate("a", TestPlan())).ok());
  ASSERT_TRUE(store->CommitAndWait(LeaseUpdate(*store->Snapshot(), "a", {"capture/0/0"})).ok());
  ASSERT_TRUE(store->CommitAndWait(CancelUpdate("a")).ok());
  EXPECT_THAT(syncs, testing::ElementsAre(Sync::kNow, Sync::kNow, Sync::kNow, Sync::kWithNext, Sync::kNow));
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
                                      [](const auto&, Sync) { return MakeError(Reason::kIo, "disk full"); }),
      clock);
  EXPECT_TRUE(HasReason(store.status(), Reason::kIo));
}

TEST(CoordinatorStoreTest, RestartWith10000TasksTakesUnderASecond) {
  TemporaryDirectory directory;
  {
    StateFixture fixture;
    std::vector<v1::Update> updates(1);
    updates[0].mutable_epoch_started()->set_epoch(1);
    const auto commit = [&](const v1::Update& update) {
      ASSERT_TRUE(fixture.Apply(update).ok());
      updates.push_back(update);
    };
    commit(CreateUpdate("a"));
    commit(PlanUpdate("a", TestPlan({.blocks = 556, .shards = 16, .samples = 16})));
    const auto graph = fixture.Job("a").graph;
    ASSERT_GT(graph->nodes().size(), 10'000u);
    for (int task = 0; task < 9'000; ++task) {
      const v1::Update lease = LeaseUpdate(fixture.state, "a", {graph->nodes()[task].id});
      commit(lease);
      v1::TaskResult result;
      *result.add_outputs()->mutable_digest() = TestDigest(graph->nodes()[task].id);
      commit(CompleteUpdate(lease.task_leased(), result));
    }
    auto journal = SqliteJournal::Open(FileSystem::Posix(), directory.path());
    ASSERT_TRUE(journal.ok());
    std::vector<const v1::Update*> pointers;
    for (const v1::Update& update : updates) pointers.push_back(&update);
    ASSERT_TRUE((*journal)->Append(pointers, Sync::kNow).ok());
  }
  FakeClock clock;
  // Of this process alone: other tests may use the processors.
  const std::clock_t start = std::clock();
  auto journal = SqliteJournal::Open(FileSystem::Posix(), directory.path());
  ASSERT_TRUE(journal.ok());
  auto store = CoordinatorStore::Open(*std::move(journal), clock);
  ASSERT_TRUE(store.ok()) << store.status();
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  RecordProperty("cpu_seconds", std::to_string(seconds));
  EXPECT_LT(seconds, 1.0);
  EXPECT_EQ((*store)->Snapshot()->FindJob("a")->tasks[8'999].state, TaskState::kDone);
}

TEST(CoordinatorStoreDeathTest, FailedAppendEndsTheProcess) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        FakeClock clock;
        auto store = OpenStore(std::make_shared<MemoryLog>(), clock, [](const auto& updates, Sync) {
          return updates[0]->has_job_created() ? MakeError(Reason::kIo, "disk full") : absl::OkStatus();
        });
        store->CommitAndWait(CreateUpdate("a")).IgnoreError();
      },
      "disk full");
}

}  // namespace
}  // namespace heroq
