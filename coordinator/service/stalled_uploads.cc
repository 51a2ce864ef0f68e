#include "coordinator/service/stalled_uploads.h"

#include "common/log/log.h"

namespace heroq {

void StalledUploads::Begin(const void* upload, std::function<void()> cancel) {
  absl::MutexLock lock(&mutex_);
  waiting_[upload] = {clock_.Monotonic(), std::move(cancel)};
}

void StalledUploads::End(const void* upload) {
  absl::MutexLock lock(&mutex_);
  waiting_.erase(upload);
}

void StalledUploads::CancelStalled() {
  absl::MutexLock lock(&mutex_);
  for (auto entry = waiting_.begin(); entry != waiting_.end();) {
    const absl::Duration silence = clock_.Monotonic() - entry->second.since;
    if (silence <= patience_) {
      ++entry;
      continue;
    }
    Log(LogLevel::kWarning, "an upload was given up: its sender is silent",
        {{"seconds", absl::ToDoubleSeconds(silence)}});
    // Under the lock, so that the upload is still there.
    entry->second.cancel();
    entry = waiting_.erase(entry);
  }
}

}  // namespace heroq
