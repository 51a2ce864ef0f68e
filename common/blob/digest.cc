#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/blob/blob_store.h"
#include "common/blob/sha256.h"
#include "common/file/crc32c.h"
#include "common/status/error_reason.h"

namespace heroq {

Digest DigestOf(absl::string_view bytes) { return DigestOf(BlobPieces(&bytes, 1), Durability::kDurable); }

Digest DigestOf(BlobPieces pieces, Durability durability) {
  Digest digest;
  Sha256 hash;
  uint32_t crc = 0;
  for (const absl::string_view piece : pieces) {
    hash.Update(piece);
    if (durability == Durability::kVolatile) crc = Crc32c(piece, crc);
    digest.size_bytes += static_cast<int64_t>(piece.size());
  }
  digest.sha256 = hash.Finish();
  if (durability == Durability::kVolatile) digest.crc32c = crc;
  return digest;
}

bool Verify(absl::string_view bytes, const Digest& digest) {
  if (static_cast<int64_t>(bytes.size()) != digest.size_bytes) return false;
  return digest.crc32c.has_value() ? Crc32c(bytes) == *digest.crc32c : Sha256Hex(bytes) == digest.sha256;
}

absl::Status ValidateDigest(const Digest& digest) {
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (digest.sha256.size() != 64 || !std::all_of(digest.sha256.begin(), digest.sha256.end(), is_hex)) {
    return MakeError(Reason::kInvalidSpec, absl::StrCat("digest \"", digest.sha256,
                                                        "\": expected 64 lower-case hexadecimal digits"));
  }
  if (digest.size_bytes < 0) {
    return MakeError(Reason::kInvalidSpec,
                     absl::StrCat("digest ", digest.sha256, ": size ", digest.size_bytes, " is negative"));
  }
  return absl::OkStatus();
}

}  // namespace heroq
