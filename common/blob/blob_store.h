#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace heroq {

// SHA-256 (lower-case hex) and size name immutable bytes.
struct Digest {
  std::string sha256;
  int64_t size_bytes = 0;
  // No part of the name: readers verify by it where it is given, which takes a fraction of the time.
  std::optional<uint32_t> crc32c = std::nullopt;

  bool operator==(const Digest& other) const {
    return sha256 == other.sha256 && size_bytes == other.size_bytes;
  }
  bool operator<(const Digest& other) const { return sha256 < other.sha256; }
};

// The bytes of one blob in order, so that nobody has to put them together.
using BlobPieces = absl::Span<const absl::string_view>;

Digest DigestOf(absl::string_view bytes);
// INVALID_SPEC unless 64 lower-case hex digits and a size that is not negative.
absl::Status ValidateDigest(const Digest& digest);

enum class Durability {
  kDurable,   // on stable storage before Put returns
  kVolatile,  // may be lost by a power cut; the task that made it runs again (hidden states, statistics)
};

// As Put gives it: with a checksum for what is kVolatile: large, soon read, and made again if damaged.
Digest DigestOf(BlobPieces pieces, Durability durability);
// By the checksum where there is one, by SHA-256 otherwise.
bool Verify(absl::string_view bytes, const Digest& digest);

// Content-addressed bytes: the coordinator's directory, or the coordinator over gRPC. Thread-safe, blocking.
class BlobStore {
 public:
  virtual ~BlobStore() = default;
  // Storing what is already there is cheap and OK.
  virtual absl::StatusOr<Digest> Put(BlobPieces pieces, Durability durability) = 0;
  absl::StatusOr<Digest> Put(absl::string_view bytes, Durability durability) {
    return Put(BlobPieces(&bytes, 1), durability);
  }
  // Verified; BLOB_MISSING or BLOB_CORRUPT name it.
  virtual absl::StatusOr<std::string> Get(const Digest& digest) = 0;
  virtual absl::StatusOr<bool> Contains(const Digest& digest) = 0;
};

}  // namespace heroq
