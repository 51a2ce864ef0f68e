#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/blob/blob_store.h"
#include "common/file/file_system.h"

namespace heroq {

// Blobs as files "<root>/<first hex digit>/<sha256>". A blob is written to "<root>/tmp/", synced if
// durable, and renamed into place, so a name never holds partial bytes. A blob that Get finds corrupt is
// moved to "<root>/corrupt/", so that whoever makes it again can store it. Several processes may share one
// root. Thread-safe, blocking.
class DirectoryBlobStore final : public BlobStore {
 public:
  // Creates the directories it needs. `files` is not owned and must outlive the store.
  static absl::StatusOr<std::unique_ptr<DirectoryBlobStore>> Open(FileSystem& files, const std::string& root);

  using BlobStore::Put;
  absl::StatusOr<Digest> Put(BlobPieces pieces, Durability durability) override;
  absl::StatusOr<std::string> Get(const Digest& digest) override;
  absl::StatusOr<bool> Contains(const Digest& digest) override;

  const std::string& root() const { return root_; }
  // Where the bytes of `digest` are, or would be.
  std::string PathOf(const Digest& digest) const;
  // Moves a complete, verified temporary file (from TemporaryPath) into place. Where the blob is already, it
  // stays, made durable if it must be now, and the temporary file goes: one that was synced is never replaced
  // by one that was not.
  absl::Status Adopt(const std::string& temporary_path, const Digest& digest, Durability durability);
  // Syncs a blob that is there, perhaps only as volatile.
  absl::Status MakeDurable(const Digest& digest);
  // A fresh name under "<root>/tmp/", unique over processes.
  std::string TemporaryPath();
  // Removing what is not there is OK.
  absl::Status Remove(const Digest& digest);
  // Sorted; sizes as the files have them now.
  absl::StatusOr<std::vector<Digest>> ListBlobs();

 private:
  DirectoryBlobStore(FileSystem& files, std::string root) : files_(files), root_(std::move(root)) {}
  absl::Status SyncFile(const std::string& path);

  FileSystem& files_;
  const std::string root_;
};

}  // namespace heroq
