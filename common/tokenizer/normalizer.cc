#include "common/tokenizer/normalizer.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uniset.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "common/tokenizer/json_object.h"
#include "common/tokenizer/pattern_field.h"
#include "common/tokenizer/regex.h"
#include "common/tokenizer/split.h"
#include "common/tokenizer/tokenizer_limits.h"

namespace heroq {
namespace {

absl::Status IcuError(UErrorCode code) {
  return MakeError(Reason::kInternal, absl::StrCat("Unicode normalization failed: ", u_errorName(code)));
}

// The tokenizers library normalizes by the tables of Unicode 9: to it, later characters are unassigned, never
// reordered and never composed. ICU does the same when only characters of that age take part.
class Nfc : public Normalizer {
 public:
  static absl::StatusOr<std::unique_ptr<Normalizer>> Create() {
    UErrorCode code = U_ZERO_ERROR;
    const icu::Normalizer2* latest = icu::Normalizer2::getNFCInstance(code);
    if (U_FAILURE(code)) return IcuError(code);
    auto known = std::make_unique<icu::UnicodeSet>(u"[:age=9.0:]", code);
    if (U_FAILURE(code)) return IcuError(code);
    known->freeze();
    return std::unique_ptr<Normalizer>(new Nfc(*latest, std::move(known)));
  }

  absl::StatusOr<std::string> Normalize(absl::string_view text) const override {
    if (text.size() > kMaxTextBytes) {
      return MakeError(Reason::kInvalidSpec,
                       absl::StrCat("a text of ", text.size(), " bytes, expected at most ", kMaxTextBytes));
    }
    std::string out;
    icu::StringByteSink<std::string> sink(&out, static_cast<int32_t>(text.size()));
    UErrorCode code = U_ZERO_ERROR;
    filtered_.normalizeUTF8(0, icu::StringPiece(text.data(), static_cast<int32_t>(text.size())), sink,
                            nullptr, code);
    if (U_FAILURE(code)) return IcuError(code);
    return out;
  }

 private:
  Nfc(const icu::Normalizer2& latest, std::unique_ptr<icu::UnicodeSet> known)
      : known_(std::move(known)), filtered_(latest, *known_) {}

  const std::unique_ptr<icu::UnicodeSet> known_;
  const icu::FilteredNormalizer2 filtered_;
};

class Prepend : public Normalizer {
 public:
  explicit Prepend(std::string prefix) : prefix_(std::move(prefix)) {}
  absl::StatusOr<std::string> Normalize(absl::string_view text) const override {
    if (text.empty()) return std::string();
    HEROQ_RETURN_IF_ERROR(CheckGrowth(text.size(), text.size() + prefix_.size()));
    return absl::StrCat(prefix_, text);
  }

 private:
  const std::string prefix_;
};

class Replace : public Normalizer {
 public:
  Replace(std::unique_ptr<Regex> pattern, std::string content)
      : pattern_(std::move(pattern)), content_(std::move(content)) {}
  absl::StatusOr<std::string> Normalize(absl::string_view text) const override {
    HEROQ_ASSIGN_OR_RETURN(const std::vector<MatchRange> matches, pattern_->FindMatches(text));
    std::string out;
    out.reserve(text.size());
    for (const MatchRange& match : matches) {
      const absl::string_view piece = match.is_match ? absl::string_view(content_) : match.range.In(text);
      HEROQ_RETURN_IF_ERROR(CheckGrowth(text.size(), out.size() + piece.size()));
      absl::StrAppend(&out, piece);
    }
    return out;
  }

 private:
  const std::unique_ptr<Regex> pattern_;
  const std::string content_;
};

class NormalizerSequence : public Normalizer {
 public:
  explicit NormalizerSequence(std::vector<std::unique_ptr<Normalizer>> steps) : steps_(std::move(steps)) {}
  absl::StatusOr<std::string> Normalize(absl::string_view text) const override {
    std::string current(text);
    for (const auto& step : steps_) {
      HEROQ_ASSIGN_OR_RETURN(current, step->Normalize(current));
      HEROQ_RETURN_IF_ERROR(CheckGrowth(text.size(), current.size()));
    }
    return current;
  }

 private:
  const std::vector<std::unique_ptr<Normalizer>> steps_;
};

absl::StatusOr<std::unique_ptr<Normalizer>> ParseSequence(const JsonObject& object) {
  HEROQ_RETURN_IF_ERROR(object.RefuseUnknown({"type", "normalizers"}));
  HEROQ_ASSIGN_OR_RETURN(const nlohmann::json* elements, object.Array("normalizers"));
  std::vector<std::unique_ptr<Normalizer>> steps;
  for (std::size_t i = 0; i < elements->size(); ++i) {
    const std::string place = object.PlaceOf("normalizers", i);
    HEROQ_ASSIGN_OR_RETURN(std::unique_ptr<Normalizer> step, Normalizer::Parse((*elements)[i], place));
    if (step == nullptr) return MakeError(Reason::kFileCorrupt, absl::StrCat(place, " must be an object"));
    steps.push_back(std::move(step));
  }
  return std::make_unique<NormalizerSequence>(std::move(steps));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Normalizer>> Normalizer::Parse(const nlohmann::json& json,
                                                              const std::string& place) {
  if (json.is_null()) return nullptr;
  HEROQ_ASSIGN_OR_RETURN(const JsonObject object, JsonObject::Of(json, place));
  HEROQ_ASSIGN_OR_RETURN(const std::string type, object.String("type"));
  if (type == "Sequence") return ParseSequence(object);
  if (type == "NFC") {
    HEROQ_RETURN_IF_ERROR(object.RefuseUnknown({"type"}));
    return Nfc::Create();
  }
  if (type == "Prepend") {
    HEROQ_RETURN_IF_ERROR(object.RefuseUnknown({"type", "prepend"}));
    HEROQ_ASSIGN_OR_RETURN(std::string prefix, object.String("prepend"));
    return std::make_unique<Prepend>(std::move(prefix));
  }
  if (type == "Replace") {
    HEROQ_RETURN_IF_ERROR(object.RefuseUnknown({"type", "pattern", "content"}));
    HEROQ_ASSIGN_OR_RETURN(std::unique_ptr<Regex> pattern, ParsePatternField(object));
    HEROQ_ASSIGN_OR_RETURN(std::string content, object.String("content"));
    return std::make_unique<Replace>(std::move(pattern), std::move(content));
  }
  return object.Unsupported(absl::StrCat("normalizer ", type));
}

}  // namespace heroq
