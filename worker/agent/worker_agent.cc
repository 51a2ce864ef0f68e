#include "worker/agent/worker_agent.h"

#include <utility>

#include "common/file/process_memory.h"
#include "common/log/log.h"
#include "worker/agent/lease_runner.h"

namespace heroq {
namespace {

// An idle worker gives back what it has freed; one that waits for the next task of its job keeps it.
constexpr int kHeartbeatsUntilIdle = 2;

}  // namespace

WorkerAgent::WorkerAgent(std::shared_ptr<grpc::Channel> channel, const ExecutorFactory& make_executor,
                         FileSystem& files, Clock& clock, JitterSource jitter,
                         std::function<void()> on_drain_request, WorkerAgentOptions options)
    : channel_(std::move(channel)),
      stub_(v1::WorkerService::NewStub(channel_)),
      files_(files),
      clock_(clock),
      jitter_(std::move(jitter)),
      on_drain_request_(std::move(on_drain_request)),
      options_(std::move(options)),
      stores_(channel_, files_, sleeper_, jitter_),
      reporter_(*stub_, sleeper_, jitter_, options_.report),
      leases_(options_.hello.slots() + options_.hello.leases_ahead()) {
  for (int i = 0; i < options_.hello.slots(); ++i) executors_.push_back(make_executor());
}

WorkerAgent::~WorkerAgent() { Stop(); }

void WorkerAgent::Start() {
  for (const auto& executor : executors_)
    runners_.emplace_back([this, raw = executor.get()] { RunLeases(*raw); });
  keeper_ = std::thread([this] { KeepSession(); });
}

void WorkerAgent::Drain(absl::Duration timeout) {
  std::shared_ptr<WorkerSession> session;
  {
    absl::MutexLock lock(&mutex_);
    draining_ = true;
    // Whoever has not been welcomed has nobody to tell, and OnWelcome does it.
    if (welcomed_) session = session_;
  }
  InterruptibleSleeper finished;
  leases_.Drain([&finished] { finished.Interrupt(); });
  // No lock is held: a write can hang while the connection is down.
  if (session != nullptr) session->SendDraining();
  if (finished.Sleep(timeout)) {
    leases_.StopAll();
    finished.Sleep(absl::InfiniteDuration());
  }
  Stop();
}

void WorkerAgent::Stop() {
  std::shared_ptr<WorkerSession> session;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    session = session_;
  }
  sleeper_.Interrupt();
  if (session != nullptr) session->Cancel();
  leases_.KillAll();
  leases_.Close();
  if (keeper_.joinable()) keeper_.join();
  for (std::thread& runner : runners_) {
    if (runner.joinable()) runner.join();
  }
}

void WorkerAgent::KeepSession() {
  Backoff backoff(options_.reconnect, jitter_);
  // The first time, a coordinator that is not there is worth a line in the log. From then on the connection
  // is made as soon as it can be: failing and starting over would sleep through the moment.
  auto unreachable = WorkerSession::Unreachable::kFail;
  while (true) {
    const auto session =
        std::make_shared<WorkerSession>(*stub_, clock_, static_cast<WorkerSessionHandler&>(*this));
    {
      absl::MutexLock lock(&mutex_);
      if (stopping_) return;
      session_ = session;
      welcomed_ = false;
    }
    const absl::Status ended = session->Run(options_.hello, unreachable);
    // The coordinator has revoked them, or will when it notices.
    leases_.KillAll();
    {
      absl::MutexLock lock(&mutex_);
      session_ = nullptr;
      if (stopping_) return;
      unreachable = welcomed_ ? WorkerSession::Unreachable::kFail : WorkerSession::Unreachable::kWait;
      if (welcomed_) backoff.Reset();
    }
    const absl::Duration delay = backoff.Next();
    Log(LogLevel::kWarning, "session ended; connecting again",
        {{"status", ended.ToString()}, {"delay_seconds", absl::ToDoubleSeconds(delay)}});
    if (!sleeper_.Sleep(delay)) return;
  }
}

void WorkerAgent::RunLeases(TaskExecutor& executor) {
  while (const std::shared_ptr<RunningLease> lease = leases_.Next()) {
    RunLease(*lease, executor, stores_, reporter_, files_, clock_);
    leases_.Remove(*lease);
  }
}

void WorkerAgent::OnWelcome(const v1::SessionWelcome& welcome) {
  Log(LogLevel::kInfo, "connected to the coordinator",
      {{"worker", options_.hello.worker_id()}, {"epoch", welcome.epoch()}});
  stores_.Choose(welcome.blob_directory());
  bool draining = false;
  {
    absl::MutexLock lock(&mutex_);
    welcomed_ = true;
    draining = draining_;
  }
  if (draining) CurrentSession()->SendDraining();
}

void WorkerAgent::OnLease(const v1::Lease& lease) {
  if (leases_.Add(lease) != nullptr) return;
  const absl::Status refused = reporter_.Refuse(lease.token());
  if (!refused.ok()) {
    Log(LogLevel::kWarning, "a lease could not be given back",
        {{"task", lease.task().id()}, {"error", refused.ToString()}});
  }
}

void WorkerAgent::OnCancel(const v1::LeaseToken& token) { leases_.Kill(token); }

void WorkerAgent::OnDrain() {
  Log(LogLevel::kInfo, "the coordinator asks this worker to leave");
  on_drain_request_();
}

void WorkerAgent::OnFenced() {
  Log(LogLevel::kWarning, "the coordinator is silent; dropping all leases");
  leases_.KillAll();
}

v1::WorkerHeartbeat WorkerAgent::MakeHeartbeat() {
  v1::WorkerHeartbeat heartbeat;
  for (v1::TaskProgress& progress : leases_.Progress()) *heartbeat.add_running() = std::move(progress);
  if (heartbeat.running_size() > 0) {
    idle_heartbeats_ = 0;
  } else if (++idle_heartbeats_ == kHeartbeatsUntilIdle) {
    ReturnFreedMemory(0);
  }
  heartbeat.set_rss_bytes(ResidentBytes());
  return heartbeat;
}

std::shared_ptr<WorkerSession> WorkerAgent::CurrentSession() const {
  absl::MutexLock lock(&mutex_);
  return session_;
}

}  // namespace heroq
