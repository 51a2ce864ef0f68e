#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/blob/blob_store.h"
#include "common/blob/sha256.h"
#include "common/status/error_reason.h"

namespace heroq {

Digest DigestOf(absl::string_view bytes) { return {Sha256Hex(bytes), static_cast<int64_t>(bytes.size())}; }

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
