#pragma once

#include <grpcpp/support/server_callback.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/concurrency/thread_pool.h"
#include "coordinator/service/job_api.h"
#include "coordinator/service/job_events.h"
#include "coordinator/service/job_name.h"
#include "coordinator/service/open_streams.h"

namespace heroq {

// One watcher of one job: its state first, then an event per message, until the job has ended and every event
// was sent. One message is in flight; while the client does not read, events wait in its bounded subscription
// and nothing else waits for it. Messages are built on the pool. Thread-safe.
class WatchJobReactor final : public grpc::ServerWriteReactor<v1::WatchQuantizationJobResponse>,
                              public OpenStream,
                              public std::enable_shared_from_this<WatchJobReactor> {
 public:
  // The reactor keeps itself alive until gRPC is done with it; references outlive it.
  static WatchJobReactor* Start(JobApi& api, JobEvents& events, OpenStreams& streams, ThreadPool& pool,
                                const v1::WatchQuantizationJobRequest& request);

  void Close(const absl::Status& status) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  WatchJobReactor(JobApi& api, JobEvents& events, OpenStreams& streams, ThreadPool& pool, std::string name)
      : api_(api), events_(events), streams_(streams), pool_(pool), name_(std::move(name)) {}

  // Something may be new: builds the next message on the pool unless one is being built or sent.
  void Wake();
  void BuildNext();
  void FinishLocked(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  JobApi& api_;
  JobEvents& events_;
  OpenStreams& streams_;
  ThreadPool& pool_;
  const std::string name_;
  std::shared_ptr<JobSubscription> subscription_;
  // Touched by one message after another only.
  v1::WatchQuantizationJobResponse message_;
  bool first_ = true;
  // Events up to here are to be sent once the job was seen to have ended: its state is visible before its
  // last event.
  std::optional<int64_t> last_sequence_;

  absl::Mutex mutex_;
  std::shared_ptr<WatchJobReactor> self_ ABSL_GUARDED_BY(mutex_);
  // A message is being built or sent; `woken_` says that something came meanwhile.
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  bool sending_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status final_status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace heroq
