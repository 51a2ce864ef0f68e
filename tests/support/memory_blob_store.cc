#include "tests/support/memory_blob_store.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {

absl::StatusOr<Digest> MemoryBlobStore::Put(BlobPieces pieces, Durability durability) {
  Digest digest = DigestOf(pieces, durability);
  absl::MutexLock lock(&mutex_);
  Blob& blob = blobs_.try_emplace(digest.sha256, Blob{absl::StrJoin(pieces, ""), durability}).first->second;
  if (durability == Durability::kDurable) blob.durability = durability;
  return digest;
}

absl::StatusOr<std::string> MemoryBlobStore::Get(const Digest& digest) {
  HEROQ_RETURN_IF_ERROR(ValidateDigest(digest));
  absl::MutexLock lock(&mutex_);
  const auto found = blobs_.find(digest.sha256);
  if (found == blobs_.end()) {
    return MakeError(Reason::kBlobMissing, absl::StrCat("blob ", digest.sha256, " is not in memory"));
  }
  if (Verify(found->second.bytes, digest)) return found->second.bytes;
  blobs_.erase(found);
  return MakeError(Reason::kBlobCorrupt,
                   absl::StrCat("blob ", digest.sha256, " in memory holds other bytes"));
}

absl::StatusOr<bool> MemoryBlobStore::Contains(const Digest& digest) {
  HEROQ_RETURN_IF_ERROR(ValidateDigest(digest));
  absl::MutexLock lock(&mutex_);
  return blobs_.count(digest.sha256) > 0;
}

void MemoryBlobStore::DropVolatile() {
  absl::MutexLock lock(&mutex_);
  std::erase_if(blobs_, [](const auto& entry) { return entry.second.durability == Durability::kVolatile; });
}

void MemoryBlobStore::Remove(const Digest& digest) {
  absl::MutexLock lock(&mutex_);
  blobs_.erase(digest.sha256);
}

void MemoryBlobStore::Corrupt(const Digest& digest) {
  absl::MutexLock lock(&mutex_);
  blobs_.at(digest.sha256).bytes.at(0) ^= 1;
}

int64_t MemoryBlobStore::count() const {
  absl::MutexLock lock(&mutex_);
  return static_cast<int64_t>(blobs_.size());
}

}  // namespace heroq
