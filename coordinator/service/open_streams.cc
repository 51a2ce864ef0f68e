#include "coordinator/service/open_streams.h"

#include <algorithm>
#include <utility>

namespace heroq {

void OpenStreams::Add(std::shared_ptr<OpenStream> stream) {
  absl::Status closed;
  {
    absl::MutexLock lock(&mutex_);
    streams_.push_back(stream);
    closed = closed_;
  }
  if (!closed.ok()) stream->Close(closed);
}

void OpenStreams::Remove(const OpenStream* stream) {
  std::shared_ptr<OpenStream> removed;
  absl::MutexLock lock(&mutex_);
  const auto found =
      std::find_if(streams_.begin(), streams_.end(),
                   [&](const std::shared_ptr<OpenStream>& open) { return open.get() == stream; });
  if (found == streams_.end()) return;
  removed = std::move(*found);
  streams_.erase(found);
}

void OpenStreams::CloseAll(const absl::Status& status) {
  std::vector<std::shared_ptr<OpenStream>> streams;
  {
    absl::MutexLock lock(&mutex_);
    closed_ = status;
    streams = streams_;
  }
  for (const std::shared_ptr<OpenStream>& stream : streams) stream->Close(status);
}

}  // namespace heroq
