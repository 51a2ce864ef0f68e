#pragma once

#include <grpcpp/channel.h>

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/file/file_system.h"
#include "common/rpc/backoff.h"
#include "common/time/clock.h"
#include "common/time/sleeper.h"
#include "worker/agent/lease_queue.h"
#include "worker/agent/output_stores.h"
#include "worker/agent/result_reporter.h"
#include "worker/agent/task_executor.h"
#include "worker/agent/worker_session.h"

namespace heroq {

struct WorkerAgentOptions {
  // Who this worker is and what it can do; `slots` executors run at once.
  v1::WorkerHello hello;
  // Between sessions.
  BackoffOptions reconnect = {absl::Milliseconds(200), absl::Seconds(5), 2, 0.2};
  // Between attempts to hand in a result.
  BackoffOptions report = {absl::Milliseconds(200), absl::Seconds(2), 2, 0.2};
};

// A worker: keeps a session to the coordinator, runs the leases it gets on one thread and one executor per
// slot, and hands in results. A lost session ends its leases (the coordinator gives them to others) and is
// opened again. Start, Drain and Stop are called by one thread.
class WorkerAgent final : private WorkerSessionHandler {
 public:
  using ExecutorFactory = std::function<std::unique_ptr<TaskExecutor>()>;

  // `on_drain_request` is called when the coordinator asks this worker to leave; it must not block or destroy
  // the agent. References outlive the agent.
  WorkerAgent(std::shared_ptr<grpc::Channel> channel, const ExecutorFactory& make_executor, FileSystem& files,
              Clock& clock, JitterSource jitter, std::function<void()> on_drain_request,
              WorkerAgentOptions options);
  // Stops.
  ~WorkerAgent() override;

  void Start();
  // Takes no new leases and waits up to `timeout` for the running ones to finish, then has them given back
  // and waits for that; then ends the session. Blocking.
  void Drain(absl::Duration timeout);
  // Ends the session and its leases now. Waits until executors have noticed. Blocking.
  void Stop();

 private:
  void OnWelcome(const v1::SessionWelcome& welcome) override;
  void OnLease(const v1::Lease& lease) override;
  void OnCancel(const v1::LeaseToken& token) override;
  void OnDrain() override;
  void OnFenced() override;
  v1::WorkerHeartbeat MakeHeartbeat() override;

  void KeepSession();
  void RunLeases(TaskExecutor& executor);
  std::shared_ptr<WorkerSession> CurrentSession() const;

  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::WorkerService::Stub> stub_;
  FileSystem& files_;
  Clock& clock_;
  const JitterSource jitter_;
  const std::function<void()> on_drain_request_;
  const WorkerAgentOptions options_;
  InterruptibleSleeper sleeper_;
  OutputStores stores_;
  ResultReporter reporter_;
  LeaseQueue leases_;
  std::vector<std::unique_ptr<TaskExecutor>> executors_;

  mutable absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  std::shared_ptr<WorkerSession> session_ ABSL_GUARDED_BY(mutex_);
  bool welcomed_ ABSL_GUARDED_BY(mutex_) = false;

  // Heartbeats in a row without a lease; the threads of successive sessions count them.
  std::atomic<int> idle_heartbeats_ = 0;

  std::vector<std::thread> runners_;
  std::thread keeper_;
};

}  // namespace heroq
