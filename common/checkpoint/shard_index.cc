#include "common/checkpoint/shard_index.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/checkpoint/safetensors_reader.h"
#include "common/checkpoint/strict_json.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxFileName = 255;

absl::Status Corrupt(const std::string& path, absl::string_view rule) {
  return MakeError(Reason::kFileCorrupt, absl::StrCat(path, ": ", rule), {{"file", path}});
}

// A name that stays in the directory and needs no quoting anywhere.
bool IsPlainFileName(absl::string_view name) {
  const auto is_plain = [](char c) { return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-'; };
  return !name.empty() && name.size() <= kMaxFileName && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), is_plain);
}

absl::Status ReadWeightMap(const json& map, const std::string& path, ShardIndex* index) {
  const SafetensorsLimits limits;
  if (map.empty()) return Corrupt(path, "weight_map is empty");
  if (static_cast<int64_t>(map.size()) > limits.max_tensors) {
    return Corrupt(path, absl::StrCat("weight_map holds more than ", limits.max_tensors, " tensors"));
  }
  for (const auto& [tensor, shard] : map.items()) {
    const std::string entry = absl::StrCat("weight_map ", QuoteExcerpt(tensor));
    if (static_cast<int64_t>(tensor.size()) > limits.max_name_bytes) {
      return Corrupt(path, absl::StrCat(entry, ": a name of ", tensor.size(), " bytes, expected at most ",
                                        limits.max_name_bytes));
    }
    if (!shard.is_string() || !IsPlainFileName(shard.get_ref<const std::string&>())) {
      return Corrupt(path, absl::StrCat(entry, ": expected a plain file name, got ", ExcerptJson(shard)));
    }
    index->shard_of.emplace(tensor, shard.get<std::string>());
  }
  return absl::OkStatus();
}

absl::Status ReadTotalSize(const json& root, const std::string& path, ShardIndex* index) {
  const auto metadata = root.find("metadata");
  if (metadata == root.end()) return absl::OkStatus();
  if (!metadata->is_object()) return Corrupt(path, "metadata must be an object");
  const auto total = metadata->find("total_size");
  if (total == metadata->end()) return absl::OkStatus();
  // Some tools write it as a floating point number.
  if (!total->is_number() || total->get<double>() < 0) {
    return Corrupt(path, "metadata.total_size must be a number of bytes");
  }
  index->total_size = total->get<double>();
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ShardIndex> ParseShardIndex(absl::string_view text, const std::string& path) {
  JsonLimits limits;
  limits.max_bytes = kMaxShardIndexBytes;
  HEROQ_ASSIGN_OR_RETURN(const json root, ParseStrictJson(text, path, limits));
  if (!root.is_object() || !root.contains("weight_map") || !root["weight_map"].is_object()) {
    return Corrupt(path, "weight_map must be an object");
  }
  ShardIndex index;
  HEROQ_RETURN_IF_ERROR(ReadWeightMap(root["weight_map"], path, &index));
  HEROQ_RETURN_IF_ERROR(ReadTotalSize(root, path, &index));
  return index;
}

}  // namespace heroq
