#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "coordinator/scheduling/lease_manager.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_worker_link.h"
#include "tests/support/memory_journal.h"
#include "tests/support/test_plan.h"

namespace heroq {

// A store and a LeaseManager over a journal in memory, with a clock that only tests move.
class LeaseFixture {
 public:
  explicit LeaseFixture(LeaseOptions options = {},
                        std::shared_ptr<MemoryLog> log = std::make_shared<MemoryLog>())
      : options_(std::move(options)), log_(std::move(log)) {
    Restart();
  }

  // The coordinator's process ends and starts again; workers are gone.
  void Restart() {
    leases.reset();
    store.reset();
    store = *CoordinatorStore::Open(std::make_unique<MemoryJournal>(log_), clock);
    leases = std::make_unique<LeaseManager>(*store, clock, options_);
  }

  // Waits until everything that follows from what was done so far has been committed.
  void Settle() {
    for (int64_t before = -1; before != store->Snapshot()->sequence;) {
      before = store->Snapshot()->sequence;
      // Refused, after everything that was waiting before it.
      store->CommitAndWait(CancelUpdate("no such job")).IgnoreError();
    }
  }
  void AddJob(const std::string& job_id, const v1::Plan& plan = TestPlan(), int priority = 0) {
    store->CommitAndWait(CreateUpdate(job_id, priority)).IgnoreError();
    store->CommitAndWait(PlanUpdate(job_id, plan)).IgnoreError();
    Settle();
  }

  struct Worker {
    LeaseManager::SessionId session = 0;
    std::shared_ptr<FakeWorkerLink> link;
  };
  static v1::WorkerHello Hello(const std::string& id, int slots = 1, const std::string& numeric_class = "c",
                               const std::string& incarnation = "1") {
    v1::WorkerHello hello;
    hello.set_worker_id(id);
    hello.set_incarnation(incarnation);
    hello.set_numeric_class(numeric_class);
    hello.set_slots(slots);
    return hello;
  }
  Worker Connect(const v1::WorkerHello& hello) {
    Worker worker{0, std::make_shared<FakeWorkerLink>()};
    worker.session = *leases->Connect(hello, worker.link);
    Settle();
    return worker;
  }
  void Heartbeat(const Worker& worker, const std::vector<v1::Lease>& running) {
    v1::WorkerHeartbeat heartbeat;
    for (const v1::Lease& lease : running) *heartbeat.add_running()->mutable_token() = lease.token();
    leases->Heartbeat(worker.session, heartbeat);
  }
  void Disconnect(const Worker& worker) {
    leases->Disconnect(worker.session);
    Settle();
  }
  void Tick() {
    leases->Tick();
    Settle();
  }

  absl::Status Complete(const v1::Lease& lease) {
    return Complete(lease.token(), TestResult(lease.task(), lease.context().shards()));
  }
  absl::Status Complete(const v1::LeaseToken& token, const v1::TaskResult& result) {
    return Wait([&](LeaseManager::Done done) { leases->Complete(token, result, std::move(done)); });
  }
  absl::Status Fail(const v1::Lease& lease, v1::FailureKind kind = v1::FAILURE_KIND_INTERNAL) {
    return Wait(
        [&](LeaseManager::Done done) { leases->Fail(lease.token(), kind, "broken", std::move(done)); });
  }
  absl::Status Release(const v1::Lease& lease) {
    return Wait([&](LeaseManager::Done done) { leases->Release(lease.token(), std::move(done)); });
  }

  std::shared_ptr<const JobRecord> Job(const std::string& job_id) const {
    return store->Snapshot()->FindJob(job_id);
  }
  TaskRecord Task(const std::string& job_id, const std::string& task) const {
    const auto job = Job(job_id);
    return job->tasks[job->graph->Find(task).value()];
  }

  FakeClock clock;
  std::unique_ptr<CoordinatorStore> store;
  std::unique_ptr<LeaseManager> leases;

 private:
  template <typename Call>
  absl::Status Wait(const Call& call) {
    absl::Notification finished;
    absl::Status result;
    call([&](const absl::Status& status) {
      result = status;
      finished.Notify();
    });
    finished.WaitForNotification();
    Settle();
    return result;
  }

  const LeaseOptions options_;
  const std::shared_ptr<MemoryLog> log_;
};

// The ids of the leased tasks.
inline std::vector<std::string> TaskIds(const std::vector<v1::Lease>& leases) {
  std::vector<std::string> ids;
  for (const v1::Lease& lease : leases) ids.push_back(lease.task().id());
  return ids;
}

}  // namespace heroq
