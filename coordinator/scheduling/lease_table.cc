#include "coordinator/scheduling/lease_table.h"

#include <utility>

namespace heroq {

LiveLease& LeaseTable::Add(LiveLease lease) {
  const std::string lease_id = lease.token.lease_id();
  return leases_[lease_id] = std::move(lease);
}

LiveLease* LeaseTable::Find(const std::string& lease_id) {
  const auto found = leases_.find(lease_id);
  return found == leases_.end() ? nullptr : &found->second;
}

LiveLease* LeaseTable::FindLive(const v1::LeaseToken& token) {
  LiveLease* lease = Find(token.lease_id());
  if (lease == nullptr || lease->stage != LiveLease::Stage::kLive) return nullptr;
  const bool same = lease->token.job_id() == token.job_id() &&
                    lease->token.fence().epoch() == token.fence().epoch() &&
                    lease->token.fence().counter() == token.fence().counter();
  return same ? lease : nullptr;
}

std::vector<LiveLease*> LeaseTable::OfSession(int64_t session) {
  std::vector<LiveLease*> found;
  for (auto& [lease_id, lease] : leases_) {
    if (lease.session == session) found.push_back(&lease);
  }
  return found;
}

std::vector<LiveLease*> LeaseTable::OfJob(const std::string& job_id) {
  std::vector<LiveLease*> found;
  for (auto& [lease_id, lease] : leases_) {
    if (lease.token.job_id() == job_id) found.push_back(&lease);
  }
  return found;
}

int LeaseTable::CountOfSession(int64_t session) const {
  int count = 0;
  for (const auto& [lease_id, lease] : leases_) count += lease.session == session ? 1 : 0;
  return count;
}

std::vector<LiveLease*> LeaseTable::Silent(absl::Duration now, absl::Duration time_to_live) {
  std::vector<LiveLease*> found;
  for (auto& [lease_id, lease] : leases_) {
    if (lease.stage == LiveLease::Stage::kLive && now - lease.renewed_at > time_to_live)
      found.push_back(&lease);
  }
  return found;
}

std::map<std::string, std::set<int>> LeaseTable::Committing() const {
  std::map<std::string, std::set<int>> tasks;
  for (const auto& [lease_id, lease] : leases_) {
    if (lease.stage == LiveLease::Stage::kCommitting) {
      tasks[lease.token.job_id()].insert(lease.tasks.begin(), lease.tasks.end());
    }
  }
  return tasks;
}

}  // namespace heroq
