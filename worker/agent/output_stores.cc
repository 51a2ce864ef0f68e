#include "worker/agent/output_stores.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/blob/directory_blob_store.h"
#include "common/blob/remote_blob_store.h"
#include "common/file/temporary_name.h"
#include "common/log/log.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {

OutputStores::OutputStores(std::shared_ptr<grpc::Channel> channel, FileSystem& files, Sleeper& sleeper,
                           JitterSource jitter)
    : channel_(std::move(channel)), files_(files), sleeper_(sleeper), jitter_(std::move(jitter)) {}

void OutputStores::Choose(const std::string& blob_directory) {
  std::shared_ptr<BlobStore> shared;
  if (!blob_directory.empty()) {
    absl::StatusOr<std::shared_ptr<BlobStore>> opened = OpenShared(blob_directory);
    if (opened.ok()) {
      shared = *std::move(opened);
    } else {
      Log(LogLevel::kWarning,
          "the coordinator's blob directory is not shared with this worker; blobs go over the network",
          {{"directory", blob_directory}, {"why", opened.status().message()}});
    }
  }
  absl::MutexLock lock(&mutex_);
  shared_ = std::move(shared);
}

absl::StatusOr<std::shared_ptr<BlobStore>> OutputStores::OpenShared(const std::string& blob_directory) {
  // Before Open, which would create it.
  HEROQ_RETURN_IF_ERROR(files_.Stat(blob_directory).status());
  HEROQ_ASSIGN_OR_RETURN(std::unique_ptr<DirectoryBlobStore> store,
                         DirectoryBlobStore::Open(files_, blob_directory));
  HEROQ_ASSIGN_OR_RETURN(const Digest probe,
                         store->Put(absl::StrCat("heroq probe ", TemporaryName()), Durability::kVolatile));
  RemoteBlobStore remote(channel_, [] { return v1::LeaseToken(); }, Cancellation(), sleeper_, jitter_, {});
  const absl::StatusOr<bool> seen = remote.Contains(probe);
  HEROQ_RETURN_IF_ERROR(store->Remove(probe));
  HEROQ_RETURN_IF_ERROR(seen.status());
  if (!*seen)
    return MakeError(Reason::kBlobMissing, "the coordinator does not see what this worker writes there");
  return std::shared_ptr<BlobStore>(std::move(store));
}

std::shared_ptr<BlobStore> OutputStores::ForLease(const RunningLease& lease) {
  {
    absl::MutexLock lock(&mutex_);
    if (shared_ != nullptr) return shared_;
  }
  return std::make_shared<RemoteBlobStore>(
      channel_, [token = lease.token()] { return token; }, lease.cancellation(), sleeper_, jitter_,
      RemoteBlobOptions());
}

}  // namespace heroq
