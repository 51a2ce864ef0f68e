#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace heroq {

inline constexpr int64_t kMaxShardIndexBytes = int64_t{256} << 20;

// model.safetensors.index.json.
struct ShardIndex {
  std::map<std::string, std::string> shard_of;  // by tensor; plain file names; not empty
  std::optional<double> total_size;             // metadata.total_size: bytes of all tensors
};

// At most 1 M tensors. FILE_CORRUPT naming `path`, entry and rule.
absl::StatusOr<ShardIndex> ParseShardIndex(absl::string_view json, const std::string& path);

}  // namespace heroq
