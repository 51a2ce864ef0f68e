#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/tokenizer/json_object.h"

namespace heroq {

// The "post_processor" of tokenizer.json for single sequences: which special tokens go around a document.
// Thread-safe.
class PostProcessor {
 public:
  // TemplateProcessing, ByteLevel (which moves offsets only) and Sequences with at most one
  // TemplateProcessing; null adds nothing. TOKENIZER_UNSUPPORTED for other types. `place` is where `json`
  // stands, for messages.
  static absl::StatusOr<PostProcessor> Parse(const nlohmann::json& json, const std::string& place);

  std::vector<int32_t> Apply(std::vector<int32_t> ids, bool add_special_tokens) const;

  int32_t largest_id() const;

 private:
  // Special tokens, or the document itself when empty.
  using TemplatePart = std::vector<int32_t>;

  absl::Status ParseTemplate(const JsonObject& object);
  absl::Status ParseSequence(const JsonObject& object);
  absl::Status ParseAny(const nlohmann::json& json, const std::string& place);

  std::vector<TemplatePart> template_;
  bool has_template_ = false;
};

}  // namespace heroq
