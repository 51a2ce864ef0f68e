#include "coordinator/service/blob_upload.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/file/crc32c.h"
#include "common/file/failpoint.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

absl::Status Corrupt(const Digest& digest, absl::string_view what) {
  return MakeError(Reason::kBlobCorrupt, absl::StrCat("upload of blob ", digest.sha256, ": ", what),
                   {{"blob", digest.sha256}});
}

}  // namespace

absl::StatusOr<std::unique_ptr<BlobUpload>> BlobUpload::Start(FileSystem& files, DirectoryBlobStore& blobs,
                                                              const Digest& digest) {
  HEROQ_FAILPOINT(upload_before_create);
  std::string path = blobs.TemporaryPath();
  HEROQ_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file, files.Create(path));
  return std::unique_ptr<BlobUpload>(new BlobUpload(files, blobs, digest, std::move(path), std::move(file)));
}

BlobUpload::BlobUpload(FileSystem& files, DirectoryBlobStore& blobs, const Digest& digest, std::string path,
                       std::unique_ptr<WritableFile> file)
    : files_(files), blobs_(blobs), digest_(digest), path_(std::move(path)), file_(std::move(file)) {}

BlobUpload::~BlobUpload() {
  file_.reset();
  // What cannot be removed is a leftover in the store's tmp/, which is swept.
  if (!adopted_) files_.RemoveFile(path_).IgnoreError();
}

absl::Status BlobUpload::Append(int64_t offset, absl::string_view data, uint32_t crc32c) {
  if (offset != committed_bytes_) {
    return MakeError(Reason::kInvalidSpec,
                     absl::StrCat("upload of blob ", digest_.sha256, ": chunk at offset ", offset,
                                  ", expected ", committed_bytes_));
  }
  if (committed_bytes_ + static_cast<int64_t>(data.size()) > digest_.size_bytes) {
    return Corrupt(digest_, absl::StrCat("more than its ", digest_.size_bytes, " bytes"));
  }
  if (Crc32c(data) != crc32c)
    return Corrupt(digest_, absl::StrCat("chunk at offset ", offset, " has another CRC32C"));
  HEROQ_FAILPOINT(upload_before_write);
  // At the offset, so that a write that failed half way is written again from its start.
  HEROQ_RETURN_IF_ERROR(file_->WriteAt(offset, data));
  hash_.Update(data);
  committed_bytes_ += static_cast<int64_t>(data.size());
  return absl::OkStatus();
}

absl::Status BlobUpload::Finish(Durability durability) {
  if (committed_bytes_ != digest_.size_bytes) {
    return Corrupt(digest_, absl::StrCat(committed_bytes_, " of ", digest_.size_bytes, " bytes"));
  }
  if (hash_.Finish() != digest_.sha256) return Corrupt(digest_, "the bytes have another SHA-256");
  HEROQ_RETURN_IF_ERROR(file_->Close());
  HEROQ_FAILPOINT(upload_before_adopt);
  HEROQ_RETURN_IF_ERROR(blobs_.Adopt(path_, digest_, durability));
  adopted_ = true;
  HEROQ_FAILPOINT(upload_after_adopt);
  return absl::OkStatus();
}

}  // namespace heroq
