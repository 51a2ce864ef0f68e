#pragma once

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/checkpoint/strict_json.h"

namespace heroq {

// The "vocab" of the model of tokenizer.json: ids by token. Thread-safe once filled.
class Vocabulary {
 public:
  // Fills this object, which must stay where it is meanwhile.
  JsonStream Stream();
  // FILE_CORRUPT naming the first token whose id is none.
  const absl::Status& status() const { return status_; }

  std::optional<int32_t> Find(absl::string_view token) const;
  int32_t size() const { return static_cast<int32_t>(ids_.size()); }
  int32_t largest_id() const { return largest_id_; }

 private:
  bool AddToken(absl::string_view token);
  void AddId(const nlohmann::json& id);

  // Views of texts in one place: half the size of strings, and a lookup is mostly a wait for memory.
  std::unique_ptr<std::pmr::monotonic_buffer_resource> texts_ =
      std::make_unique<std::pmr::monotonic_buffer_resource>();
  absl::flat_hash_map<absl::string_view, int32_t> ids_;
  decltype(ids_)::iterator last_;  // the token added last, whose id comes next
  int32_t largest_id_ = -1;
  absl::Status status_;
};

}  // namespace heroq
