#include "coordinator/client/location_argument.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/file/file_system.h"
#include "common/status/error_reason.h"

namespace heroq {

std::string AbsolutePath(absl::string_view working_directory, absl::string_view path) {
  const std::string joined = JoinPath(working_directory, path);
  std::vector<absl::string_view> parts;
  for (absl::string_view part : absl::StrSplit(joined, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  return absl::StrCat("/", absl::StrJoin(parts, "/"));
}

LocationReader LocationReader::Local(std::string working_directory) {
  return LocationReader(std::move(working_directory));
}

LocationReader LocationReader::Remote() { return LocationReader(""); }

absl::StatusOr<v1::Location> LocationReader::Read(absl::string_view argument, absl::string_view text) const {
  if (text.empty())
    return MakeError(Reason::kInvalidSpec, absl::StrCat(argument, " is empty; expected a path"));
  v1::Location location;
  if (is_local()) {
    location.set_root(std::string(kLocalRoot));
    location.set_path(AbsolutePath(working_directory_, text).substr(1));
    return location;
  }
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits(':', 1));
  if (parts.first.empty() || parts.second.empty() || parts.first.find('/') != absl::string_view::npos) {
    return MakeError(
        Reason::kInvalidSpec,
        absl::StrCat(argument, " is '", text, "'; with --server a path is ROOT:PATH, where ROOT is a root",
                     " of the server (heroq version --server lists them)"));
  }
  location.set_root(std::string(parts.first));
  location.set_path(std::string(parts.second));
  return location;
}

std::string LocalPath(const v1::Location& location) { return absl::StrCat("/", location.path()); }

std::string LocationText(const v1::Location& location) {
  if (location.root() == kLocalRoot) return LocalPath(location);
  return absl::StrCat(location.root(), ":", location.path());
}

}  // namespace heroq
