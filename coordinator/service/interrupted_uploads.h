#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/time/clock.h"
#include "coordinator/service/blob_upload.h"

namespace heroq {

// Uploads whose stream broke, kept so that the sender can go on. The oldest goes when there are too many, and
// those go that nobody went on with for a while. Thread-safe.
class InterruptedUploads {
 public:
  // `clock` is not owned.
  InterruptedUploads(Clock& clock, std::size_t capacity, absl::Duration keep_for)
      : clock_(clock), capacity_(capacity), keep_for_(keep_for) {}

  void Keep(std::unique_ptr<BlobUpload> upload);
  // Drops what has been kept for too long.
  void DropOld();
  // nullptr when there is none.
  std::unique_ptr<BlobUpload> Take(const Digest& digest);
  // 0 when there is none.
  int64_t CommittedBytes(const Digest& digest) const;

 private:
  struct Kept {
    std::unique_ptr<BlobUpload> upload;
    absl::Duration since;  // on the monotonic clock
  };

  Clock& clock_;
  const std::size_t capacity_;
  const absl::Duration keep_for_;
  mutable absl::Mutex mutex_;
  std::deque<Kept> uploads_ ABSL_GUARDED_BY(mutex_);  // oldest first
};

}  // namespace heroq
