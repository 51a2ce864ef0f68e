#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "heroq/v1/scheduling.pb.h"

namespace heroq {

// A lease as the coordinator's memory knows it; what is durable is the job's LeaseRecord.
struct LiveLease {
  enum class Stage {
    kCommitting,  // TaskLeased is not durable yet; the worker knows nothing
    kLive,
    kEnding,  // its end is being committed; the token is dead
  };
  v1::LeaseToken token;
  std::string task_id;
  std::vector<int> tasks;
  int attempt = 0;
  int64_t session = 0;
  std::string worker_id;
  std::string incarnation;
  Stage stage = Stage::kCommitting;
  absl::Duration renewed_at;  // monotonic
  double fraction = 0;
  std::string activity;
};

// Leases from the decision to grant them until their end is committed. Thread-compatible.
class LeaseTable {
 public:
  LiveLease& Add(LiveLease lease);
  void Remove(const std::string& lease_id) { leases_.erase(lease_id); }
  // nullptr when there is none.
  LiveLease* Find(const std::string& lease_id);
  // The live lease this token holds; nullptr when it holds none.
  LiveLease* FindLive(const v1::LeaseToken& token);
  std::vector<LiveLease*> OfSession(int64_t session);
  std::vector<LiveLease*> OfJob(const std::string& job_id);
  int CountOfSession(int64_t session) const;
  // Leases whose worker has been silent about them for longer than `time_to_live`.
  std::vector<LiveLease*> Silent(absl::Duration now, absl::Duration time_to_live);
  // Tasks of leases that are being committed, by job.
  std::map<std::string, std::set<int>> Committing() const;

 private:
  std::map<std::string, LiveLease> leases_;  // by lease id
};

}  // namespace heroq
