#include "coordinator/service/interrupted_uploads.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace heroq {

void InterruptedUploads::Keep(std::unique_ptr<BlobUpload> upload) {
  // Destroyed outside the lock: that removes a file.
  std::unique_ptr<BlobUpload> dropped;
  absl::MutexLock lock(&mutex_);
  uploads_.push_back({std::move(upload), clock_.Monotonic()});
  if (uploads_.size() > capacity_) {
    dropped = std::move(uploads_.front().upload);
    uploads_.pop_front();
  }
}

void InterruptedUploads::DropOld() {
  // Destroyed outside the lock, too.
  std::vector<std::unique_ptr<BlobUpload>> dropped;
  absl::MutexLock lock(&mutex_);
  while (!uploads_.empty() && clock_.Monotonic() - uploads_.front().since > keep_for_) {
    dropped.push_back(std::move(uploads_.front().upload));
    uploads_.pop_front();
  }
}

std::unique_ptr<BlobUpload> InterruptedUploads::Take(const Digest& digest) {
  absl::MutexLock lock(&mutex_);
  const auto found = std::find_if(uploads_.begin(), uploads_.end(),
                                  [&](const Kept& kept) { return kept.upload->digest() == digest; });
  if (found == uploads_.end()) return nullptr;
  std::unique_ptr<BlobUpload> upload = std::move(found->upload);
  uploads_.erase(found);
  return upload;
}

int64_t InterruptedUploads::CommittedBytes(const Digest& digest) const {
  absl::MutexLock lock(&mutex_);
  for (const Kept& kept : uploads_) {
    if (kept.upload->digest() == digest) return kept.upload->committed_bytes();
  }
  return 0;
}

}  // namespace heroq
