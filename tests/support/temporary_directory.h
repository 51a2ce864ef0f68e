#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <string>

#include "common/file/file_system.h"

namespace heroq {

// A fresh directory below $TMPDIR, or in memory where there is /dev/shm (a sync to a busy disk takes a
// second), or below /tmp; removed with everything in it. The path is short, so that Unix sockets fit.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    const char* chosen = getenv("TMPDIR");
    const std::string parent = chosen != nullptr               ? chosen
                               : access("/dev/shm", W_OK) == 0 ? "/dev/shm"
                                                               : "/tmp";
    path_ = JoinPath(parent, "hqXXXXXX");
    if (mkdtemp(path_.data()) == nullptr) abort();
  }
  ~TemporaryDirectory() { FileSystem::Posix().RemoveTree(path_).IgnoreError(); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return JoinPath(path_, name); }

 private:
  std::string path_;
};

}  // namespace heroq
