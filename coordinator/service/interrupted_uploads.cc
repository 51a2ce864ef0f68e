#include "coordinator/service/interrupted_uploads.h"

#include <algorithm>
#include <utility>

namespace heroq {

void InterruptedUploads::Keep(std::unique_ptr<BlobUpload> upload) {
  // Destroyed outside the lock: that removes a file.
  std::unique_ptr<BlobUpload> dropped;
  absl::MutexLock lock(&mutex_);
  uploads_.push_back(std::move(upload));
  if (uploads_.size() > capacity_) {
    dropped = std::move(uploads_.front());
    uploads_.pop_front();
  }
}

std::unique_ptr<BlobUpload> InterruptedUploads::Take(const Digest& digest) {
  absl::MutexLock lock(&mutex_);
  const auto found = std::find_if(uploads_.begin(), uploads_.end(),
                                  [&](const auto& upload) { return upload->digest() == digest; });
  if (found == uploads_.end()) return nullptr;
  std::unique_ptr<BlobUpload> upload = std::move(*found);
  uploads_.erase(found);
  return upload;
}

int64_t InterruptedUploads::CommittedBytes(const Digest& digest) const {
  absl::MutexLock lock(&mutex_);
  for (const auto& upload : uploads_) {
    if (upload->digest() == digest) return upload->committed_bytes();
  }
  return 0;
}

}  // namespace heroq
