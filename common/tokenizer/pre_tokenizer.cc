#include "common/tokenizer/pre_tokenizer.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "common/tokenizer/byte_level.h"
#include "common/tokenizer/digits.h"
#include "common/tokenizer/json_object.h"
#include "common/tokenizer/metaspace.h"
#include "common/tokenizer/pattern_field.h"
#include "common/tokenizer/pattern_split.h"
#include "common/tokenizer/tokenizer_limits.h"

namespace heroq {
namespace {

class PreTokenizerSequence : public PreTokenizer {
 public:
  explicit PreTokenizerSequence(std::vector<std::unique_ptr<PreTokenizer>> steps)
      : steps_(std::move(steps)) {}

  absl::Status Apply(Pieces* pieces) const override {
    const std::size_t before = pieces->text.size();
    for (const auto& step : steps_) {
      HEROQ_RETURN_IF_ERROR(step->Apply(pieces));
      HEROQ_RETURN_IF_ERROR(CheckGrowth(before, pieces->text.size()));
    }
    return absl::OkStatus();
  }
  bool rewrites_text() const override {
    for (const auto& step : steps_) {
      if (step->rewrites_text()) return true;
    }
    return false;
  }
  bool needs_original_text() const override {
    for (const auto& step : steps_) {
      if (step->needs_original_text()) return true;
    }
    return false;
  }

 private:
  const std::vector<std::unique_ptr<PreTokenizer>> steps_;
};

absl::StatusOr<std::unique_ptr<PreTokenizer>> ParseSequence(const JsonObject& object) {
  HEROQ_RETURN_IF_ERROR(object.RefuseUnknown({"type", "pretokenizers"}));
  HEROQ_ASSIGN_OR_RETURN(const nlohmann::json* elements, object.Array("pretokenizers"));
  std::vector<std::unique_ptr<PreTokenizer>> steps;
  bool rewritten = false;
  for (std::size_t i = 0; i < elements->size(); ++i) {
    const std::string place = object.PlaceOf("pretokenizers", i);
    HEROQ_ASSIGN_OR_RETURN(std::unique_ptr<PreTokenizer> step, PreTokenizer::Parse((*elements)[i], place));
    if (step == nullptr) return MakeError(Reason::kFileCorrupt, absl::StrCat(place, " must be an object"));
    if (rewritten && step->needs_original_text()) {
      return object.Unsupported(
          "a Metaspace of prepend_scheme first behind a pre-tokenizer that rewrites the text");
    }
    rewritten = rewritten || step->rewrites_text();
    steps.push_back(std::move(step));
  }
  return std::make_unique<PreTokenizerSequence>(std::move(steps));
}

absl::StatusOr<std::unique_ptr<PreTokenizer>> ParseSplit(const JsonObject& object) {
  HEROQ_RETURN_IF_ERROR(object.RefuseUnknown({"type", "pattern", "behavior", "invert"}));
  HEROQ_ASSIGN_OR_RETURN(std::unique_ptr<Regex> pattern, ParsePatternField(object));
  HEROQ_ASSIGN_OR_RETURN(const std::string name, object.String("behavior"));
  HEROQ_ASSIGN_OR_RETURN(const bool invert, object.Bool("invert"));
  const std::optional<SplitBehavior> behavior = ParseSplitBehavior(name);
  if (!behavior.has_value()) return object.Unsupported(absl::StrCat("behavior ", name));
  return std::make_unique<PatternSplit>(std::move(pattern), *behavior, invert);
}

absl::StatusOr<std::unique_ptr<PreTokenizer>> ParseDigits(const JsonObject& object) {
  HEROQ_RETURN_IF_ERROR(object.RefuseUnknown({"type", "individual_digits"}));
  HEROQ_ASSIGN_OR_RETURN(const bool individual, object.Bool("individual_digits"));
  return std::make_unique<Digits>(individual);
}

absl::StatusOr<std::unique_ptr<PreTokenizer>> ParseByteLevel(const JsonObject& object) {
  // trim_offsets moves offsets, which heroq does not report.
  HEROQ_RETURN_IF_ERROR(object.RefuseUnknown({"type", "add_prefix_space", "trim_offsets", "use_regex"}));
  HEROQ_ASSIGN_OR_RETURN(const bool add_prefix_space, object.Bool("add_prefix_space"));
  HEROQ_ASSIGN_OR_RETURN(const bool use_regex, object.BoolOr("use_regex", true));
  return ByteLevel::Create(add_prefix_space, use_regex);
}

absl::StatusOr<std::unique_ptr<PreTokenizer>> ParseMetaspace(const JsonObject& object) {
  HEROQ_RETURN_IF_ERROR(object.RefuseUnknown(
      {"type", "replacement", "prepend_scheme", "add_prefix_space", "split", "str_rep"}));
  HEROQ_ASSIGN_OR_RETURN(const std::string replacement, object.String("replacement"));
  HEROQ_ASSIGN_OR_RETURN(const bool add_prefix_space, object.BoolOr("add_prefix_space", true));
  HEROQ_ASSIGN_OR_RETURN(const bool split, object.BoolOr("split", true));
  std::string name = "always";
  if (!object.Get("prepend_scheme").is_null()) {
    HEROQ_ASSIGN_OR_RETURN(name, object.String("prepend_scheme"));
  }
  if (!add_prefix_space && name != "never")
    return object.Corrupt("add_prefix_space contradicts prepend_scheme");
  const std::optional<Metaspace::Prepend> prepend = Metaspace::ParsePrepend(name);
  if (!prepend.has_value()) return object.Unsupported(absl::StrCat("prepend_scheme ", name));
  if (!Metaspace::IsOneCharacter(replacement)) return object.Corrupt("replacement must be one character");
  return std::make_unique<Metaspace>(replacement, *prepend, split);
}

}  // namespace

absl::StatusOr<std::unique_ptr<PreTokenizer>> PreTokenizer::Parse(const nlohmann::json& json,
                                                                  const std::string& place) {
  if (json.is_null()) return nullptr;
  HEROQ_ASSIGN_OR_RETURN(const JsonObject object, JsonObject::Of(json, place));
  HEROQ_ASSIGN_OR_RETURN(const std::string type, object.String("type"));
  if (type == "Sequence") return ParseSequence(object);
  if (type == "Split") return ParseSplit(object);
  if (type == "Digits") return ParseDigits(object);
  if (type == "ByteLevel") return ParseByteLevel(object);
  if (type == "Metaspace") return ParseMetaspace(object);
  return object.Unsupported(absl::StrCat("pre-tokenizer ", type));
}

}  // namespace heroq
