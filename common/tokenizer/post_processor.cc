#include "common/tokenizer/post_processor.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "common/tokenizer/tokenizer_limits.h"

namespace heroq {
namespace {

absl::StatusOr<std::vector<int32_t>> SpecialIds(const JsonObject& special_tokens, const std::string& name) {
  HEROQ_ASSIGN_OR_RETURN(const JsonObject token, special_tokens.Object(name.c_str()));
  HEROQ_ASSIGN_OR_RETURN(const nlohmann::json* elements, token.Array("ids"));
  if (elements->size() > kMaxTemplateTokenIds) {
    return token.Unsupported(absl::StrCat("a special token of more than ", kMaxTemplateTokenIds, " ids"));
  }
  std::vector<int32_t> ids;
  for (std::size_t i = 0; i < elements->size(); ++i) {
    HEROQ_ASSIGN_OR_RETURN(const int32_t id, ParseId((*elements)[i], token.PlaceOf("ids", i)));
    ids.push_back(id);
  }
  if (ids.empty()) return token.Corrupt("ids must not be empty");
  return ids;
}

}  // namespace

absl::StatusOr<PostProcessor> PostProcessor::Parse(const nlohmann::json& json, const std::string& place) {
  PostProcessor processor;
  if (!json.is_null()) HEROQ_RETURN_IF_ERROR(processor.ParseAny(json, place));
  return processor;
}

absl::Status PostProcessor::ParseAny(const nlohmann::json& json, const std::string& place) {
  HEROQ_ASSIGN_OR_RETURN(const JsonObject object, JsonObject::Of(json, place));
  HEROQ_ASSIGN_OR_RETURN(const std::string type, object.String("type"));
  if (type == "Sequence") return ParseSequence(object);
  if (type == "TemplateProcessing") return ParseTemplate(object);
  if (type == "ByteLevel")
    return object.RefuseUnknown({"type", "add_prefix_space", "trim_offsets", "use_regex"});
  return object.Unsupported(absl::StrCat("post-processor ", type));
}

absl::Status PostProcessor::ParseSequence(const JsonObject& object) {
  HEROQ_RETURN_IF_ERROR(object.RefuseUnknown({"type", "processors"}));
  HEROQ_ASSIGN_OR_RETURN(const nlohmann::json* elements, object.Array("processors"));
  for (std::size_t i = 0; i < elements->size(); ++i) {
    HEROQ_RETURN_IF_ERROR(ParseAny((*elements)[i], object.PlaceOf("processors", i)));
  }
  return absl::OkStatus();
}

absl::Status PostProcessor::ParseTemplate(const JsonObject& object) {
  // "pair" is for two sequences at a time.
  HEROQ_RETURN_IF_ERROR(object.RefuseUnknown({"type", "single", "pair", "special_tokens"}));
  // Behind one template the parts of a document count as several sequences.
  if (has_template_) return object.Unsupported("a second TemplateProcessing");
  has_template_ = true;
  HEROQ_ASSIGN_OR_RETURN(const nlohmann::json* single, object.Array("single"));
  if (single->size() > kMaxTemplateParts) {
    return object.Unsupported(absl::StrCat("a template of more than ", kMaxTemplateParts, " parts"));
  }
  HEROQ_ASSIGN_OR_RETURN(const JsonObject special_tokens, object.Object("special_tokens"));
  for (std::size_t i = 0; i < single->size(); ++i) {
    HEROQ_ASSIGN_OR_RETURN(const JsonObject part, JsonObject::Of((*single)[i], object.PlaceOf("single", i)));
    HEROQ_RETURN_IF_ERROR(part.RefuseUnknown({"Sequence", "SpecialToken"}));
    const bool special = !part.Get("SpecialToken").is_null();
    HEROQ_ASSIGN_OR_RETURN(const JsonObject fields, part.Object(special ? "SpecialToken" : "Sequence"));
    HEROQ_ASSIGN_OR_RETURN(const std::string id, fields.String("id"));
    if (!special) {
      if (id != "A") return fields.Unsupported(absl::StrCat("sequence ", id));
      template_.emplace_back();
      continue;
    }
    HEROQ_ASSIGN_OR_RETURN(TemplatePart ids, SpecialIds(special_tokens, id));
    template_.push_back(std::move(ids));
  }
  return absl::OkStatus();
}

std::vector<int32_t> PostProcessor::Apply(std::vector<int32_t> ids, bool add_special_tokens) const {
  if (!has_template_) return ids;
  std::vector<int32_t> out;
  out.reserve(ids.size() + template_.size());
  for (const TemplatePart& part : template_) {
    if (part.empty()) {
      out.insert(out.end(), ids.begin(), ids.end());
    } else if (add_special_tokens) {
      out.insert(out.end(), part.begin(), part.end());
    }
  }
  return out;
}

int32_t PostProcessor::largest_id() const {
  int32_t largest = -1;
  for (const TemplatePart& part : template_) {
    for (int32_t id : part) largest = std::max(largest, id);
  }
  return largest;
}

}  // namespace heroq
