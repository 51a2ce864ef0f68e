#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace heroq {

// SHA-256 (lower-case hex) and size name immutable bytes.
struct Digest {
  std::string sha256;
  int64_t size_bytes = 0;

  bool operator==(const Digest&) const = default;
  bool operator<(const Digest& other) const { return sha256 < other.sha256; }
};

Digest DigestOf(absl::string_view bytes);
// INVALID_SPEC unless 64 lower-case hex digits and a size that is not negative.
absl::Status ValidateDigest(const Digest& digest);

enum class Durability {
  kDurable,   // on stable storage before Put returns
  kVolatile,  // may be lost by a power cut; the task that made it runs again (hidden states, statistics)
};

// Content-addressed bytes: the coordinator's directory, or the coordinator over gRPC. Thread-safe, blocking.
class BlobStore {
 public:
  virtual ~BlobStore() = default;
  // Storing what is already there is cheap and OK.
  virtual absl::StatusOr<Digest> Put(absl::string_view bytes, Durability durability) = 0;
  // Verifies the digest; BLOB_MISSING or BLOB_CORRUPT name it.
  virtual absl::StatusOr<std::string> Get(const Digest& digest) = 0;
  virtual absl::StatusOr<bool> Contains(const Digest& digest) = 0;
};

}  // namespace heroq
