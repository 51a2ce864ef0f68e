#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace heroq {

// The absolute path of `relative` below the directory `root`, for paths that clients send.
//
// root "/" is the unrestricted local mode: any path of this machine, taken as it is written (absolute ones
// too), symbolic links and all, so that hub snapshots (links into ../../blobs) work. Any other root confines:
// `relative` has no leading
// '/', no "..", no NUL, and what exists of it stays below `root` after every symbolic link is followed
// (openat2 RESOLVE_BENEATH, which also refuses absolute links). The result then names the target with links
// resolved; components that do not exist yet are appended. A root that has to serve hub snapshots is the
// cache folder that holds both `blobs` and `snapshots`.
//
// PATH_NOT_ALLOWED names path and root; a root that is not a directory is PATH_NOT_ALLOWED too. The answer
// holds for the moment of the call: it does not pin the directories. Blocking.
absl::StatusOr<std::string> ResolveBeneath(const std::string& root, absl::string_view relative);

}  // namespace heroq
