#include "common/file/io_error.h"

#include <cerrno>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

absl::StatusCode CodeOf(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return absl::StatusCode::kNotFound;
    case EEXIST:
    case ENOTEMPTY:
      return absl::StatusCode::kAlreadyExists;
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::StatusCode::kPermissionDenied;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
      return absl::StatusCode::kResourceExhausted;
    default:
      return absl::StatusCode::kUnavailable;
  }
}

}  // namespace

absl::Status IoError(int error_number, absl::string_view operation, absl::string_view path) {
  const std::string cause = std::generic_category().message(error_number);
  const absl::Status reason = MakeError(Reason::kIo, "", {{"path", std::string(path)}});
  absl::Status status(CodeOf(error_number), absl::StrCat(operation, " ", path, ": ", cause));
  reason.ForEachPayload(
      [&](absl::string_view url, const absl::Cord& payload) { status.SetPayload(url, payload); });
  return status;
}

bool IsStorageTrouble(const absl::Status& error) {
  return HasReason(error, Reason::kIo) && (absl::IsResourceExhausted(error) || absl::IsUnavailable(error));
}

}  // namespace heroq
