#include "common/blob/directory_blob_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/file/failpoint.h"
#include "common/file/temporary_name.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

constexpr int kFolders = 16;

std::string FolderName(int index) { return absl::StrCat(absl::Hex(index)); }

}  // namespace

absl::StatusOr<std::unique_ptr<DirectoryBlobStore>> DirectoryBlobStore::Open(FileSystem& files,
                                                                             const std::string& root) {
  HEROQ_RETURN_IF_ERROR(CreateDirectoriesDurably(files, root));
  HEROQ_RETURN_IF_ERROR(files.CreateDirectories(JoinPath(root, "tmp")));
  HEROQ_RETURN_IF_ERROR(files.CreateDirectories(JoinPath(root, "corrupt")));
  // All at once, so that one sync of the root makes them durable and no later write has to think of it.
  for (int i = 0; i < kFolders; ++i) {
    HEROQ_RETURN_IF_ERROR(files.CreateDirectories(JoinPath(root, FolderName(i))));
  }
  HEROQ_RETURN_IF_ERROR(files.SyncDirectory(root));
  return std::unique_ptr<DirectoryBlobStore>(new DirectoryBlobStore(files, root));
}

std::string DirectoryBlobStore::PathOf(const Digest& digest) const {
  return JoinPath(root_, absl::StrCat(absl::string_view(digest.sha256).substr(0, 1), "/", digest.sha256));
}

std::string DirectoryBlobStore::TemporaryPath() { return JoinPath(root_, "tmp/" + TemporaryName()); }

absl::StatusOr<Digest> DirectoryBlobStore::Put(BlobPieces pieces, Durability durability) {
  Digest digest = DigestOf(pieces, durability);
  HEROQ_ASSIGN_OR_RETURN(const bool present, Contains(digest));
  if (present) {
    // It may have been stored as volatile before.
    if (durability == Durability::kDurable) HEROQ_RETURN_IF_ERROR(MakeDurable(digest));
    return digest;
  }
  HEROQ_FAILPOINT(blob_before_write);
  const std::string temporary = TemporaryPath();
  HEROQ_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file, files_.Create(temporary));
  absl::Status status;
  for (std::size_t i = 0; status.ok() && i < pieces.size(); ++i) status = file->Append(pieces[i]);
  if (status.ok()) status = file->Close();
  if (status.ok()) status = Adopt(temporary, digest, durability);
  if (!status.ok()) {
    // The first error says what went wrong; what stays in tmp/ is swept by the owner of the store.
    files_.RemoveFile(temporary).IgnoreError();
    return status;
  }
  return digest;
}

absl::Status DirectoryBlobStore::Adopt(const std::string& temporary_path, const Digest& digest,
                                       Durability durability) {
  HEROQ_ASSIGN_OR_RETURN(const bool present, Contains(digest));
  if (present) {
    if (durability == Durability::kDurable) HEROQ_RETURN_IF_ERROR(MakeDurable(digest));
    return files_.RemoveFile(temporary_path);
  }
  HEROQ_FAILPOINT(blob_before_sync);
  if (durability == Durability::kDurable) HEROQ_RETURN_IF_ERROR(SyncFile(temporary_path));
  const std::string path = PathOf(digest);
  HEROQ_FAILPOINT(blob_before_rename);
  HEROQ_RETURN_IF_ERROR(files_.Rename(temporary_path, path));
  HEROQ_FAILPOINT(blob_after_rename);
  if (durability == Durability::kDurable) HEROQ_RETURN_IF_ERROR(files_.SyncDirectory(DirectoryOf(path)));
  HEROQ_FAILPOINT(blob_after_directory_sync);
  return absl::OkStatus();
}

absl::StatusOr<std::string> DirectoryBlobStore::Get(const Digest& digest) {
  HEROQ_RETURN_IF_ERROR(ValidateDigest(digest));
  const std::string path = PathOf(digest);
  absl::StatusOr<std::string> bytes = ReadFile(files_, path, digest.size_bytes);
  if (absl::IsNotFound(bytes.status())) {
    return MakeError(Reason::kBlobMissing, absl::StrCat("blob ", digest.sha256, " is not in ", root_));
  }
  if (!bytes.ok() && !HasReason(bytes.status(), Reason::kFileCorrupt)) return bytes.status();
  if (bytes.ok() && Verify(*bytes, digest)) return bytes;
  // Out of the way, so that the task that makes it again can store it.
  HEROQ_RETURN_IF_ERROR(files_.Rename(path, JoinPath(root_, "corrupt/" + digest.sha256)));
  return MakeError(Reason::kBlobCorrupt, absl::StrCat("blob ", digest.sha256, " (", digest.size_bytes,
                                                      " bytes) in ", root_, " holds other bytes"));
}

absl::StatusOr<bool> DirectoryBlobStore::Contains(const Digest& digest) {
  HEROQ_RETURN_IF_ERROR(ValidateDigest(digest));
  const absl::StatusOr<FileInfo> info = files_.Stat(PathOf(digest));
  if (absl::IsNotFound(info.status())) return false;
  HEROQ_RETURN_IF_ERROR(info.status());
  return info->is_regular && info->size == digest.size_bytes;
}

absl::Status DirectoryBlobStore::Remove(const Digest& digest) {
  HEROQ_RETURN_IF_ERROR(ValidateDigest(digest));
  HEROQ_FAILPOINT(blob_before_remove);
  absl::Status status = files_.RemoveFile(PathOf(digest));
  HEROQ_FAILPOINT(blob_after_remove);
  return absl::IsNotFound(status) ? absl::OkStatus() : status;
}

absl::StatusOr<std::vector<Digest>> DirectoryBlobStore::ListBlobs() {
  std::vector<Digest> blobs;
  for (int i = 0; i < kFolders; ++i) {
    HEROQ_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.List(JoinPath(root_, FolderName(i))));
    for (const std::string& name : names) {
      Digest digest{name, 0};
      if (!ValidateDigest(digest).ok()) continue;
      const absl::StatusOr<FileInfo> info = files_.Stat(PathOf(digest));
      // Removed by another process since the listing.
      if (absl::IsNotFound(info.status())) continue;
      HEROQ_RETURN_IF_ERROR(info.status());
      digest.size_bytes = info->size;
      blobs.push_back(std::move(digest));
    }
  }
  return blobs;
}

absl::Status DirectoryBlobStore::SyncFile(const std::string& path) {
  HEROQ_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file, files_.OpenForUpdate(path));
  HEROQ_RETURN_IF_ERROR(file->Sync());
  return file->Close();
}

absl::Status DirectoryBlobStore::MakeDurable(const Digest& digest) {
  const std::string path = PathOf(digest);
  HEROQ_RETURN_IF_ERROR(SyncFile(path));
  return files_.SyncDirectory(DirectoryOf(path));
}

}  // namespace heroq
