#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/blob/directory_blob_store.h"
#include "common/blob/sha256.h"
#include "common/file/file_system.h"

namespace heroq {

// One blob on its way in: bytes go to a temporary file and into the hash as they arrive. Thread-compatible,
// blocking.
class BlobUpload {
 public:
  // References must outlive the upload.
  static absl::StatusOr<std::unique_ptr<BlobUpload>> Start(FileSystem& files, DirectoryBlobStore& blobs,
                                                           const Digest& digest);
  // Removes the temporary file unless Finish succeeded.
  ~BlobUpload();
  BlobUpload(const BlobUpload&) = delete;
  BlobUpload& operator=(const BlobUpload&) = delete;

  // `offset` must be where the last chunk ended (INVALID_SPEC) and the bytes must fit (BLOB_CORRUPT) and have
  // this CRC32C (BLOB_CORRUPT); a refused chunk changes nothing.
  absl::Status Append(int64_t offset, absl::string_view data, uint32_t crc32c);
  // Checks size and SHA-256 (BLOB_CORRUPT) and moves the file into the store. Call it once.
  absl::Status Finish(Durability durability);

  const Digest& digest() const { return digest_; }
  int64_t committed_bytes() const { return committed_bytes_; }

 private:
  BlobUpload(FileSystem& files, DirectoryBlobStore& blobs, const Digest& digest, std::string path,
             std::unique_ptr<WritableFile> file);

  FileSystem& files_;
  DirectoryBlobStore& blobs_;
  const Digest digest_;
  const std::string path_;
  std::unique_ptr<WritableFile> file_;
  Sha256 hash_;
  int64_t committed_bytes_ = 0;
  bool adopted_ = false;
};

}  // namespace heroq
