#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "heroq/v1/job.pb.h"

namespace heroq {

// The one root of the embedded coordinator, which is "/".
inline constexpr absl::string_view kLocalRoot = "local";

// `path` seen from the absolute directory `working_directory`, without ".", "..", "//" and a trailing '/'.
// Lexical: ".." after a symbolic link goes to where the link is.
std::string AbsolutePath(absl::string_view working_directory, absl::string_view path);

// How paths on the command line become locations of a job.
class LocationReader {
 public:
  // Paths of this machine, for the embedded coordinator.
  static LocationReader Local(std::string working_directory);
  // ROOT:PATH, for a server; the server knows the roots.
  static LocationReader Remote();

  // `argument` names the flag for messages. INVALID_SPEC for an empty path, or one without a root on a
  // server.
  absl::StatusOr<v1::Location> Read(absl::string_view argument, absl::string_view text) const;

  bool is_local() const { return !working_directory_.empty(); }

 private:
  explicit LocationReader(std::string working_directory) : working_directory_(std::move(working_directory)) {}

  const std::string working_directory_;  // empty: remote
};

// The absolute path of a local location.
std::string LocalPath(const v1::Location& location);

// "ROOT:PATH", or the absolute path of a local location.
std::string LocationText(const v1::Location& location);

}  // namespace heroq
