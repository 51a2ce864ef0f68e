#pragma once

#include "common/blob/blob_store.h"
#include "heroq/v1/blob.pb.h"

namespace heroq {

inline v1::BlobDigest DigestToProto(const Digest& digest) {
  v1::BlobDigest message;
  message.set_sha256(digest.sha256);
  message.set_size_bytes(digest.size_bytes);
  if (digest.crc32c.has_value()) message.set_crc32c(*digest.crc32c);
  return message;
}

// As received: ValidateDigest says whether it is well formed.
inline Digest DigestFromProto(const v1::BlobDigest& message) {
  Digest digest{message.sha256(), message.size_bytes()};
  if (message.has_crc32c()) digest.crc32c = message.crc32c();
  return digest;
}

}  // namespace heroq
