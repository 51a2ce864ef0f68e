#include "common/file/network_file_system.h"

#include <sys/vfs.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "common/file/io_error.h"
#include "common/status/error_reason.h"

namespace heroq {

std::optional<absl::string_view> NetworkFileSystemName(int64_t magic) {
  switch (magic) {
    case 0x6969:
      return "NFS";
    case 0x517B:
    case 0xFE534D42:
    case 0xFF534D42:
      return "SMB";
    case 0x00C36400:
      return "Ceph";
    case 0x0BD00BD0:
      return "Lustre";
    case 0x47504653:
      return "GPFS";
    case 0x19830326:
      return "BeeGFS";
    case 0x01161970:
      return "GFS2";
    case 0x7461636F:
      return "OCFS2";
    case 0x5346414F:
    case 0x6B414653:
      return "AFS";
    case 0x01021997:
      return "9P";
    case 0x65735546:
      return "FUSE";
    default:
      return std::nullopt;
  }
}

absl::Status RefuseNetworkFileSystem(const std::string& directory, absl::string_view what,
                                     absl::string_view remedy) {
  struct statfs info {};
  if (statfs(directory.c_str(), &info) != 0) return IoError(errno, "statfs", directory);
  const std::optional<absl::string_view> name = NetworkFileSystemName(static_cast<uint32_t>(info.f_type));
  if (!name.has_value()) return absl::OkStatus();
  return MakeError(Reason::kUnsupported,
                   absl::StrCat(what, " ", directory, " is on a network file system (", *name,
                                "), where locks and flushes are not reliable; ", remedy));
}

}  // namespace heroq
