#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "tests/support/lease_fixture.h"
#include "tests/support/state_dump.h"

namespace heroq {
namespace {

using Job = v1::QuantizationJob;

constexpr int kSeeds = 40;
constexpr int kStormSteps = 250;
constexpr int kCalmRounds = 400;
constexpr int kWorkers = 3;
constexpr int kSlots = 2;

// What must hold over time: fences only grow, and a task gets a second result only after its first was lost.
class HistoryChecker {
 public:
  void Watch(CoordinatorStore& store) {
    store.AddListener([this](const v1::Update& update, const std::shared_ptr<const CoordinatorState>& state) {
      absl::MutexLock lock(&mutex_);
      if (update.has_task_leased()) {
        const v1::TaskLeased& lease = update.task_leased();
        const auto fence = std::make_pair(lease.fence().epoch(), lease.fence().counter());
        if (fence <= last_fence_) broken_ += "fence went back\n";
        last_fence_ = fence;
        for (const std::string& task : lease.task_ids())
          tasks_[lease.lease_id()].insert(lease.job_id() + task);
      } else if (update.has_task_completed()) {
        for (const std::string& task : tasks_[update.task_completed().lease_id()]) {
          if (!finished_.insert(task).second) broken_ += "second result of " + task + "\n";
        }
      } else if (update.has_blobs_lost()) {
        const auto job = state->FindJob(update.blobs_lost().job_id());
        for (const std::string& task : update.blobs_lost().task_ids()) {
          if (job->tasks[job->graph->Find(task).value()].state != TaskState::kDone)
            finished_.erase(job->job_id + task);
        }
      }
    });
  }
  std::string Broken() {
    absl::MutexLock lock(&mutex_);
    return broken_;
  }

 private:
  absl::Mutex mutex_;
  std::pair<int64_t, int64_t> last_fence_;
  std::map<std::string, std::set<std::string>> tasks_;  // by lease id
  std::set<std::string> finished_;
  std::string broken_;
};

// A worker that computes at once but whose messages get lost, doubled and delayed.
struct SimulatedWorker {
  std::string id;
  int incarnation = 0;
  bool connected = false;
  LeaseFixture::Worker session;
  std::vector<v1::Lease> held;     // what it believes it holds
  std::vector<v1::Lease> zombies;  // what it held once and may still hand in
};

class Simulation {
 public:
  Simulation(uint32_t seed, const LeaseOptions& options) : random_(seed), fixture_(options) {
    history_.Watch(*fixture_.store);
    for (int i = 0; i < kWorkers; ++i) workers_.emplace_back().id = absl::StrCat("w", i);
    fixture_.AddJob("a", TestPlan({.blocks = 3, .shards = 5, .evaluation_sequences = 3}));
    fixture_.AddJob("b", TestPlan({.blocks = 2, .shards = 2, .propagation = v1::PROPAGATION_QUANTIZED}),
                    Draw(2));
    fixture_.AddJob("c", TestPlan({.blocks = 2, .calibrated = false}));
  }

  void Storm() {
    for (int step = 0; step < kStormSteps && !testing::Test::HasFatalFailure(); ++step) {
      RandomStep(workers_[Draw(kWorkers)]);
      Check();
    }
  }

  // No more faults: whatever happened before, every job ends.
  void Calm() {
    for (int round = 0; round < kCalmRounds && !testing::Test::HasFatalFailure(); ++round) {
      if (AllEnded()) return;
      for (SimulatedWorker& worker : workers_) {
        if (!worker.connected) Connect(worker);
        Receive(worker, /*drop=*/0);
        SendHeartbeat(worker);
        while (!worker.held.empty()) Complete(worker, /*lose_answer=*/false);
      }
      DriveJobs();
      fixture_.clock.Advance(absl::Seconds(5));
      fixture_.Tick();
      Check();
    }
    FAIL() << "a job never ended:\n" << DumpState(*fixture_.store->Snapshot());
  }

  Job::State StateOf(const std::string& job_id) { return fixture_.Job(job_id)->state; }

 private:
  int Draw(int limit) { return static_cast<int>(random_() % static_cast<uint32_t>(limit)); }
  bool Chance(int percent) { return Draw(100) < percent; }

  void RandomStep(SimulatedWorker& worker) {
    const int action = Draw(100);
    if (!worker.connected) {
      if (action < 50) Connect(worker);
    } else if (action < 30) {
      Receive(worker, /*drop=*/15);
    } else if (action < 40) {
      if (Chance(80)) SendHeartbeat(worker);
    } else if (action < 65) {
      if (!worker.held.empty()) Complete(worker, Chance(30));
    } else if (action < 69) {
      if (!worker.held.empty()) fixture_.Fail(TakeHeld(worker)).IgnoreError();
    } else if (action < 72) {
      if (!worker.held.empty()) fixture_.Release(TakeHeld(worker)).IgnoreError();
    } else if (action < 76) {
      Break(worker);
    }
    if (action >= 76 && action < 84) {
      fixture_.clock.Advance(absl::Seconds(Draw(12)));
      fixture_.Tick();
    } else if (action < 88 && !worker.zombies.empty()) {
      const v1::Lease& lease = worker.zombies[Draw(static_cast<int>(worker.zombies.size()))];
      fixture_.Complete(lease).IgnoreError();
    } else if (action < 91) {
      LoseBlobs();
    } else if (action < 97) {
      DriveJobs();
    } else if (action == 99 && Chance(30)) {
      Restart();
    }
  }

  void Connect(SimulatedWorker& worker) {
    if (Chance(50)) ++worker.incarnation;
    worker.session = fixture_.Connect(fixture_.Hello(worker.id, kSlots, worker.id == "w2" ? "other" : "c",
                                                     absl::StrCat(worker.incarnation)));
    worker.connected = true;
  }

  // The worker's process may go on; its leases are dead but it may not know.
  void Break(SimulatedWorker& worker) {
    if (Chance(80)) fixture_.Disconnect(worker.session);
    worker.zombies.insert(worker.zombies.end(), worker.held.begin(), worker.held.end());
    worker.held.clear();
    worker.connected = false;
  }

  void Receive(SimulatedWorker& worker, int drop) {
    for (const v1::SessionResponse& message : worker.session.link->Take()) {
      if (Chance(drop)) continue;
      if (message.has_lease()) worker.held.push_back(message.lease());
      if (message.has_cancel()) {
        worker.held.erase(std::remove_if(worker.held.begin(), worker.held.end(),
                                         [&](const v1::Lease& lease) {
                                           return lease.token().lease_id() == message.cancel().lease_id();
                                         }),
                          worker.held.end());
      }
    }
  }

  void SendHeartbeat(SimulatedWorker& worker) { fixture_.Heartbeat(worker.session, worker.held); }

  v1::Lease TakeHeld(SimulatedWorker& worker) {
    const size_t index = Draw(static_cast<int>(worker.held.size()));
    v1::Lease lease = worker.held[index];
    worker.held.erase(worker.held.begin() + static_cast<std::ptrdiff_t>(index));
    return lease;
  }

  void Complete(SimulatedWorker& worker, bool lose_answer) {
    const v1::Lease lease = TakeHeld(worker);
    const bool live = fixture_.leases->CheckToken(lease.token()).ok();
    const absl::Status status = fixture_.Complete(lease);
    if (live) {
      ASSERT_TRUE(status.ok()) << status;
    }
    worker.zombies.push_back(lease);
    if (lose_answer) worker.held.push_back(lease);
  }

  void LoseBlobs() {
    const auto job = fixture_.Job("a");
    v1::Update update;
    update.mutable_blobs_lost()->set_job_id("a");
    for (size_t task = 0; task < job->tasks.size(); ++task) {
      if (job->tasks[task].state == TaskState::kDone && Chance(40)) {
        update.mutable_blobs_lost()->add_task_ids(job->graph->nodes()[task].id);
      }
    }
    fixture_.store->CommitAndWait(update).IgnoreError();
    fixture_.Settle();
  }

  // What the coordinator's driver does: writes files, moves phases on, ends jobs.
  void DriveJobs() {
    for (const char* id : {"a", "b", "c"}) {
      const auto job = fixture_.Job(id);
      if (job->terminal() || !job->AllDone(TaskKind::kQuantize)) continue;
      for (const v1::PlannedFile& file : job->plan->files()) {
        v1::Update update;
        update.mutable_file_assembled()->set_job_id(id);
        update.mutable_file_assembled()->set_name(file.name());
        fixture_.store->CommitAndWait(update).IgnoreError();
      }
      fixture_.store->CommitAndWait(PhaseUpdate(id, Job::PHASE_VALIDATING, "/staged")).IgnoreError();
      fixture_.store->CommitAndWait(EndUpdate(id, Job::STATE_SUCCEEDED)).IgnoreError();
    }
    fixture_.Settle();
  }

  void Restart() {
    fixture_.Restart();
    history_.Watch(*fixture_.store);
    for (SimulatedWorker& worker : workers_) {
      worker.zombies.insert(worker.zombies.end(), worker.held.begin(), worker.held.end());
      worker.connected = false;
    }
  }

  bool AllEnded() {
    const auto state = fixture_.store->Snapshot();
    return std::all_of(state->jobs.begin(), state->jobs.end(),
                       [](const auto& job) { return job.second->terminal(); });
  }

  void Check() {
    const auto state = fixture_.store->Snapshot();
    ASSERT_EQ(BrokenInvariants(*state), "");
    ASSERT_EQ(history_.Broken(), "");
    std::map<std::string, int> leases;
    for (const auto& [job_id, job] : state->jobs) {
      for (const auto& [lease_id, lease] : job->leases) ++leases[lease.worker_id];
      if (!job->terminal()) continue;
      const auto [ended, first] = ended_.try_emplace(job_id, DumpJob(*job));
      ASSERT_EQ(ended->second, DumpJob(*job)) << "a job changed after its end";
    }
    for (const auto& [worker_id, count] : leases) ASSERT_LE(count, kSlots) << worker_id;
  }

  std::mt19937 random_;
  LeaseFixture fixture_;
  HistoryChecker history_;
  std::vector<SimulatedWorker> workers_;
  std::map<std::string, std::string> ended_;
};

TEST(LeaseSimulationTest, EveryJobSucceedsWhateverWorkersDo) {
  LeaseOptions generous;
  generous.failure_budget = generous.loss_budget = generous.quarantine_after = 1'000'000;
  for (uint32_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Simulation simulation(seed, generous);
    simulation.Storm();
    simulation.Calm();
    ASSERT_FALSE(HasFatalFailure());
    for (const char* id : {"a", "b", "c"}) ASSERT_EQ(simulation.StateOf(id), Job::STATE_SUCCEEDED) << id;
  }
}

TEST(LeaseSimulationTest, EveryJobEndsWithinItsBudgets) {
  for (uint32_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    LeaseOptions tight;
    tight.failure_budget = 2;
    tight.loss_budget = 3;
    tight.quarantine_after = 2;
    Simulation simulation(seed, tight);
    simulation.Storm();
    simulation.Calm();
    ASSERT_FALSE(HasFatalFailure());
  }
}

}  // namespace
}  // namespace heroq
