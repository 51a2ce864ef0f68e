#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/file/file_lock.h"
#include "common/file/file_system.h"
#include "common/time/clock.h"
#include "coordinator/client/ui_event.h"
#include "heroq/v1/quantization_service.pb.h"

namespace heroq {

// `DIR.heroq/` beside an output directory: the lock that lets one command at a time work on it, what the
// command was asked to do, and where its processes keep their state. Thread-compatible.
class RunDirectory {
 public:
  // Creates it and takes the lock. When the process that holds it is gone, waits up to 10 s for its children
  // to follow. OUTPUT_IN_USE names the process; UNSUPPORTED on a network file system; CANCELLED after an
  // InterruptEvent.
  static absl::StatusOr<std::unique_ptr<RunDirectory>> Open(FileSystem& files, Clock& clock,
                                                            const std::string& output, UiEventQueue& events);
  // Removes the socket directory.
  ~RunDirectory();
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;

  const std::string& path() const { return path_; }
  // A new private directory with a short path.
  const std::string& socket_directory() const { return socket_directory_; }

  // The request of a run that did not end; nullopt when there is none. FILE_CORRUPT names the file.
  absl::StatusOr<std::optional<v1::CreateQuantizationJobRequest>> ReadRequest() const;
  absl::Status WriteRequest(const v1::CreateQuantizationJobRequest& request);
  // Forgets request and state; logs stay.
  absl::Status Discard();
  // Removes everything, also the socket directory. The processes of the run have ended.
  absl::Status Remove();

 private:
  RunDirectory(FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}
  absl::Status Initialize();

  FileSystem& files_;
  const std::string path_;
  std::string socket_directory_;
  std::unique_ptr<FileLock> lock_;
};

// A new private directory under /tmp (TMPDIR may be too long for a socket), for sockets and throw-away state.
absl::StatusOr<std::string> NewTemporaryDirectory();

}  // namespace heroq
