#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "coordinator/state/journal.h"

namespace heroq {

// What a disk holds of a journal, in serialized form. Journals over one log are lives of one coordinator.
// Thread-safe.
class MemoryLog {
 public:
  std::vector<v1::Update> Updates() const {
    absl::MutexLock lock(&mutex_);
    std::vector<v1::Update> updates(records_.size());
    for (size_t i = 0; i < records_.size(); ++i) updates[i].ParseFromString(records_[i]);
    return updates;
  }
  void Append(const v1::Update& update) {
    absl::MutexLock lock(&mutex_);
    records_.push_back(update.SerializeAsString());
  }

 private:
  mutable absl::Mutex mutex_;
  std::vector<std::string> records_ ABSL_GUARDED_BY(mutex_);
};

// A journal in memory. `fault`, when set, is asked before every append; its error is returned and nothing is
// kept.
class MemoryJournal final : public Journal {
 public:
  using Fault = std::function<absl::Status(const std::vector<const v1::Update*>& updates, Sync sync)>;

  explicit MemoryJournal(std::shared_ptr<MemoryLog> log = std::make_shared<MemoryLog>(),
                         Fault fault = nullptr)
      : log_(std::move(log)), fault_(std::move(fault)) {}

  absl::Status Replay(const std::function<absl::Status(const v1::Update&)>& visit) override {
    for (const v1::Update& update : log_->Updates()) {
      if (absl::Status visited = visit(update); !visited.ok()) return visited;
    }
    return absl::OkStatus();
  }
  absl::Status Append(const std::vector<const v1::Update*>& updates, Sync sync) override {
    if (fault_) {
      if (absl::Status failed = fault_(updates, sync); !failed.ok()) return failed;
    }
    for (const v1::Update* update : updates) log_->Append(*update);
    return absl::OkStatus();
  }

 private:
  const std::shared_ptr<MemoryLog> log_;
  const Fault fault_;
};

}  // namespace heroq
