#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/blob/blob_store.h"
#include "common/file/file_system.h"
#include "common/rpc/backoff.h"
#include "common/time/sleeper.h"
#include "worker/agent/running_lease.h"

namespace heroq {

// Where a worker reads and writes blobs: in the coordinator's directory when both see the same one, over gRPC
// otherwise. Thread-safe, blocking.
class OutputStores {
 public:
  // References outlive this.
  OutputStores(std::shared_ptr<grpc::Channel> channel, FileSystem& files, Sleeper& sleeper,
               JitterSource jitter);

  // Decides for the leases that follow. A directory counts as shared only when the coordinator finds in it
  // what this worker wrote there: the same path on two machines may be two directories.
  void Choose(const std::string& blob_directory);
  std::shared_ptr<BlobStore> ForLease(const RunningLease& lease);

 private:
  absl::StatusOr<std::shared_ptr<BlobStore>> OpenShared(const std::string& blob_directory);

  const std::shared_ptr<grpc::Channel> channel_;
  FileSystem& files_;
  Sleeper& sleeper_;
  const JitterSource jitter_;
  absl::Mutex mutex_;
  std::shared_ptr<BlobStore> shared_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace heroq
