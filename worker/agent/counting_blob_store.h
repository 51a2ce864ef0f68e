#pragma once

#include <cstdint>

#include "common/blob/blob_store.h"
#include "common/file/failpoint.h"

namespace heroq {

// Passes everything on and counts the bytes of blobs read and written. Thread-compatible.
class CountingBlobStore final : public BlobStore {
 public:
  explicit CountingBlobStore(BlobStore& store) : store_(store) {}

  using BlobStore::Put;
  absl::StatusOr<Digest> Put(BlobPieces pieces, Durability durability) override {
    HEROQ_FAILPOINT(worker_before_upload);
    HEROQ_ASSIGN_OR_RETURN(Digest digest, store_.Put(pieces, durability));
    bytes_written_ += digest.size_bytes;
    HEROQ_FAILPOINT(worker_after_upload);
    return digest;
  }
  absl::StatusOr<std::string> Get(const Digest& digest) override {
    absl::StatusOr<std::string> bytes = store_.Get(digest);
    if (bytes.ok()) bytes_read_ += static_cast<int64_t>(bytes->size());
    return bytes;
  }
  absl::StatusOr<bool> Contains(const Digest& digest) override { return store_.Contains(digest); }

  int64_t bytes_read() const { return bytes_read_; }
  int64_t bytes_written() const { return bytes_written_; }

 private:
  BlobStore& store_;
  int64_t bytes_read_ = 0;
  int64_t bytes_written_ = 0;
};

}  // namespace heroq
