#include "common/file/path_root.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/types/span.h"
#include "common/file/file_descriptor.h"
#include "common/file/file_system.h"
#include "common/file/io_error.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

absl::Status NotAllowed(const std::string& root, absl::string_view relative, absl::string_view rule) {
  return MakeError(Reason::kPathNotAllowed,
                   absl::StrCat("path \"", relative, "\" below root ", root, ": ", rule),
                   {{"root", root}, {"path", std::string(relative)}});
}

absl::StatusOr<std::vector<std::string>> Components(const std::string& root, absl::string_view relative) {
  if (!relative.empty() && relative.front() == '/') return NotAllowed(root, relative, "must be relative");
  std::vector<std::string> components;
  for (absl::string_view part : absl::StrSplit(relative, '/')) {
    if (part == "..") return NotAllowed(root, relative, "must not contain \"..\"");
    if (!part.empty() && part != ".") components.emplace_back(part);
  }
  return components;
}

// The kernel gives EAGAIN when a rename races with the walk.
constexpr int kMaxRaces = 8;

int OpenBeneath(int root, const std::string& path) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  long opened = -1;
  for (int attempt = 0; attempt < kMaxRaces; ++attempt) {
    opened = ::syscall(SYS_openat2, root, path.c_str(), &how, sizeof(how));
    if (opened >= 0 || errno != EAGAIN) break;
  }
  return static_cast<int>(opened);
}

absl::StatusOr<std::string> PathOfDescriptor(const FileDescriptor& descriptor, const std::string& path) {
  std::array<char, PATH_MAX> target{};
  const std::string link = absl::StrCat("/proc/self/fd/", descriptor.get());
  const ssize_t length = ::readlink(link.c_str(), target.data(), target.size());
  if (length < 0) return IoError(errno, "readlink", path);
  if (static_cast<std::size_t>(length) == target.size()) return IoError(ENAMETOOLONG, "readlink", path);
  return std::string(target.data(), static_cast<std::size_t>(length));
}

}  // namespace

absl::StatusOr<std::string> ResolveBeneath(const std::string& root, absl::string_view relative) {
  if (relative.find('\0') != absl::string_view::npos) {
    return NotAllowed(root, relative.substr(0, relative.find('\0')), "must not contain NUL");
  }
  if (root == "/") return JoinPath(root, relative);
  HEROQ_ASSIGN_OR_RETURN(const std::vector<std::string> components, Components(root, relative));

  const FileDescriptor directory(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory.is_open())
    return NotAllowed(root, relative, "the root is not a directory that can be opened");

  // The longest part that exists is resolved; a dangling link is not a missing component, and is refused
  // below.
  const absl::Span<const std::string> all(components);
  for (std::size_t existing = components.size();; --existing) {
    const std::string head = existing == 0 ? "." : absl::StrJoin(all.first(existing), "/");
    const FileDescriptor found(OpenBeneath(directory.get(), head));
    if (found.is_open()) {
      HEROQ_ASSIGN_OR_RETURN(std::string resolved, PathOfDescriptor(found, JoinPath(root, head)));
      if (existing < components.size()) {
        struct stat status {};
        const std::string& next = components[existing];
        if (::fstatat(found.get(), next.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISLNK(status.st_mode)) {
          return NotAllowed(root, relative, absl::StrCat("\"", next, "\" is a symbolic link to nothing"));
        }
        resolved = JoinPath(resolved, absl::StrJoin(all.subspan(existing), "/"));
      }
      return resolved;
    }
    if (errno == EXDEV || errno == ELOOP) return NotAllowed(root, relative, "leaves the root");
    if (errno != ENOENT || existing == 0) return IoError(errno, "open", JoinPath(root, head));
  }
}

}  // namespace heroq
