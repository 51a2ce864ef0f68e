#pragma once

#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"

namespace heroq {

// A call that lasts until someone ends it.
class OpenStream {
 public:
  virtual ~OpenStream() = default;
  // Ends the call soon with `status`; does nothing once it has ended. Thread-safe, never blocks.
  virtual void Close(const absl::Status& status) = 0;
};

// Sessions and watches that are open: a server's Shutdown waits for every unfinished call, so they are ended
// first. Thread-safe, never blocks.
class OpenStreams {
 public:
  // After CloseAll, closes the stream at once.
  void Add(std::shared_ptr<OpenStream> stream);
  void Remove(const OpenStream* stream);
  // Ends every stream, and every one that comes later.
  void CloseAll(const absl::Status& status);

 private:
  absl::Mutex mutex_;
  absl::Status closed_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<OpenStream>> streams_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace heroq
