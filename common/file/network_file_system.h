#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace heroq {

// The name of the network file system with this statfs magic number; nullopt for the others.
std::optional<absl::string_view> NetworkFileSystemName(int64_t magic);

// UNSUPPORTED when `directory`, which exists, is on a network file system: its locks and flushes cannot be
// relied on. The message calls it `what` and ends with `remedy`. IO_ERROR when nobody knows. Thread-safe.
absl::Status RefuseNetworkFileSystem(const std::string& directory, absl::string_view what,
                                     absl::string_view remedy);

}  // namespace heroq
