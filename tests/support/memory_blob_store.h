#pragma once

#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/blob/blob_store.h"

namespace heroq {

// Blobs in a map, and ways to lose or spoil them. Thread-safe.
class MemoryBlobStore final : public BlobStore {
 public:
  using BlobStore::Put;
  absl::StatusOr<Digest> Put(BlobPieces pieces, Durability durability) override;
  absl::StatusOr<std::string> Get(const Digest& digest) override;
  absl::StatusOr<bool> Contains(const Digest& digest) override;

  // What a power cut does: everything put as volatile only is gone.
  void DropVolatile();
  void Remove(const Digest& digest);
  // Flips a bit of the stored bytes; Get then gives BLOB_CORRUPT and forgets them. The blob must be there and
  // not empty.
  void Corrupt(const Digest& digest);
  int64_t count() const;

 private:
  struct Blob {
    std::string bytes;
    Durability durability = Durability::kVolatile;
  };

  mutable absl::Mutex mutex_;
  std::map<std::string, Blob> blobs_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace heroq
