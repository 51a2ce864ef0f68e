#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "coordinator/service/blob_upload.h"

namespace heroq {

// Uploads whose stream broke, kept so that the sender can go on. The oldest goes when there are too many.
// Thread-safe.
class InterruptedUploads {
 public:
  explicit InterruptedUploads(std::size_t capacity) : capacity_(capacity) {}

  void Keep(std::unique_ptr<BlobUpload> upload);
  // nullptr when there is none.
  std::unique_ptr<BlobUpload> Take(const Digest& digest);
  // 0 when there is none.
  int64_t CommittedBytes(const Digest& digest) const;

 private:
  const std::size_t capacity_;
  mutable absl::Mutex mutex_;
  std::deque<std::unique_ptr<BlobUpload>> uploads_ ABSL_GUARDED_BY(mutex_);  // oldest first
};

}  // namespace heroq
