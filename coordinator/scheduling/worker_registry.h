#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "coordinator/scheduling/worker_link.h"
#include "heroq/v1/worker_service.pb.h"

namespace heroq {

// One worker process on one session. Times are of the monotonic clock.
struct ConnectedWorker {
  int64_t session = 0;
  v1::WorkerHello hello;
  std::shared_ptr<WorkerLink> link;
  absl::Duration last_heard;
  int64_t rss_bytes = 0;
  bool draining = false;
  int failures_in_row = 0;
  absl::Duration suspended_until = -absl::InfiniteDuration();
  // Leases it has ended itself and may still name in a heartbeat, since the answer is on its way.
  std::set<std::string> ended_leases;
};

// The connected workers by session. Session ids are never used twice. Thread-compatible.
class WorkerRegistry {
 public:
  // INVALID_SPEC for a hello without id, incarnation, numeric class or slots.
  static absl::Status CheckHello(const v1::WorkerHello& hello);

  ConnectedWorker& Add(const v1::WorkerHello& hello, std::shared_ptr<WorkerLink> link, absl::Duration now);
  void Remove(int64_t session) { workers_.erase(session); }
  // nullptr when there is none.
  ConnectedWorker* Find(int64_t session);
  ConnectedWorker* FindByWorkerId(const std::string& worker_id);

  std::map<int64_t, ConnectedWorker>& all() { return workers_; }
  const std::map<int64_t, ConnectedWorker>& all() const { return workers_; }

 private:
  int64_t last_session_ = 0;
  std::map<int64_t, ConnectedWorker> workers_;
};

}  // namespace heroq
