#pragma once

#include "common/blob/blob_store.h"
#include "heroq/v1/blob.pb.h"

namespace heroq {

inline Digest DigestFromProto(const v1::BlobDigest& proto) { return {proto.sha256(), proto.size_bytes()}; }

inline v1::BlobDigest DigestToProto(const Digest& digest) {
  v1::BlobDigest proto;
  proto.set_sha256(digest.sha256);
  proto.set_size_bytes(digest.size_bytes);
  return proto;
}

}  // namespace heroq
