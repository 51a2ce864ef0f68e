#include "common/tokenizer/tokenizer.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/strict_json.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "common/tokenizer/added_tokens.h"
#include "common/tokenizer/bpe.h"
#include "common/tokenizer/json_object.h"
#include "common/tokenizer/merge_list.h"
#include "common/tokenizer/normalizer.h"
#include "common/tokenizer/post_processor.h"
#include "common/tokenizer/pre_tokenizer.h"
#include "common/tokenizer/tokenizer_limits.h"
#include "common/tokenizer/utf8.h"
#include "common/tokenizer/vocabulary.h"

namespace heroq {

class Tokenizer::Impl {
 public:
  static absl::StatusOr<std::unique_ptr<Impl>> Parse(const JsonObject& root, Vocabulary vocabulary,
                                                     const MergeList& merges);

  absl::StatusOr<std::vector<int32_t>> Encode(absl::string_view text, bool add_special_tokens) const;
  int64_t vocab_size() const;

 private:
  absl::Status EncodeText(absl::string_view text, bool at_start, std::vector<int32_t>* ids) const;
  absl::Status EncodeNormalized(absl::string_view text, bool at_start, std::vector<int32_t>* ids) const;

  std::unique_ptr<Bpe> model_;
  std::unique_ptr<Normalizer> normalizer_;       // null: none
  std::unique_ptr<PreTokenizer> pre_tokenizer_;  // null: none
  AddedTokens added_tokens_;
  PostProcessor post_processor_;
};

absl::StatusOr<std::unique_ptr<Tokenizer::Impl>> Tokenizer::Impl::Parse(const JsonObject& root,
                                                                        Vocabulary vocabulary,
                                                                        const MergeList& merges) {
  if (!root.Get("version").is_null()) {
    HEROQ_ASSIGN_OR_RETURN(const std::string version, root.String("version"));
    if (version != "1.0") return root.Unsupported(absl::StrCat("version ", version));
  }
  // The decoder, truncation and padding do not change the ids of a document.
  HEROQ_RETURN_IF_ERROR(root.RefuseUnknown({"version", "truncation", "padding", "added_tokens", "normalizer",
                                            "pre_tokenizer", "post_processor", "decoder", "model"}));
  for (const char* part : {"normalizer", "pre_tokenizer", "post_processor"}) {
    HEROQ_RETURN_IF_ERROR(CheckStepCount(root.Get(part), part));
  }
  auto impl = std::make_unique<Impl>();
  HEROQ_ASSIGN_OR_RETURN(const JsonObject model, root.Object("model"));
  HEROQ_ASSIGN_OR_RETURN(impl->model_, Bpe::Parse(model, std::move(vocabulary), merges));
  HEROQ_ASSIGN_OR_RETURN(impl->normalizer_, Normalizer::Parse(root.Get("normalizer"), "normalizer"));
  HEROQ_ASSIGN_OR_RETURN(impl->pre_tokenizer_,
                         PreTokenizer::Parse(root.Get("pre_tokenizer"), "pre_tokenizer"));
  if (impl->normalizer_ && impl->pre_tokenizer_ && impl->pre_tokenizer_->needs_original_text()) {
    return root.Unsupported("a Metaspace of prepend_scheme first together with a normalizer");
  }
  HEROQ_ASSIGN_OR_RETURN(impl->added_tokens_,
                         AddedTokens::Parse(root, impl->model_->vocabulary(), impl->normalizer_.get()));
  HEROQ_ASSIGN_OR_RETURN(impl->post_processor_,
                         PostProcessor::Parse(root.Get("post_processor"), "post_processor"));
  return impl;
}

absl::StatusOr<std::vector<int32_t>> Tokenizer::Impl::Encode(absl::string_view text,
                                                             bool add_special_tokens) const {
  if (text.size() > kMaxTextBytes) {
    return MakeError(Reason::kInvalidSpec,
                     absl::StrCat("a text of ", text.size(), " bytes, expected at most ", kMaxTextBytes));
  }
  if (const std::optional<int64_t> invalid = FirstInvalidUtf8(text); invalid.has_value()) {
    return MakeError(Reason::kInvalidSpec, absl::StrCat("the text is not UTF-8 at byte ", *invalid));
  }
  std::vector<int32_t> ids;
  for (const AddedTokens::Part& part : added_tokens_.SplitOriginal(text)) {
    if (part.id.has_value()) {
      ids.push_back(*part.id);
    } else {
      HEROQ_RETURN_IF_ERROR(EncodeText(part.range.In(text), part.range.begin == 0, &ids));
    }
  }
  return post_processor_.Apply(std::move(ids), add_special_tokens);
}

absl::Status Tokenizer::Impl::EncodeText(absl::string_view text, bool at_start,
                                         std::vector<int32_t>* ids) const {
  std::string rewritten;
  if (normalizer_ != nullptr) {
    HEROQ_ASSIGN_OR_RETURN(rewritten, normalizer_->Normalize(text));
    text = rewritten;
  }
  for (const AddedTokens::Part& part : added_tokens_.SplitNormalized(text)) {
    if (part.id.has_value()) {
      ids->push_back(*part.id);
    } else {
      HEROQ_RETURN_IF_ERROR(EncodeNormalized(part.range.In(text), at_start && part.range.begin == 0, ids));
    }
  }
  return absl::OkStatus();
}

absl::Status Tokenizer::Impl::EncodeNormalized(absl::string_view text, bool at_start,
                                               std::vector<int32_t>* ids) const {
  Pieces pieces{std::string(text), {{0, static_cast<int64_t>(text.size())}}, at_start};
  if (pre_tokenizer_ != nullptr) HEROQ_RETURN_IF_ERROR(pre_tokenizer_->Apply(&pieces));
  for (const TextRange& range : pieces.ranges) {
    HEROQ_RETURN_IF_ERROR(model_->Encode(range.In(pieces.text), ids));
  }
  return absl::OkStatus();
}

int64_t Tokenizer::Impl::vocab_size() const {
  return int64_t{1} + std::max({model_->vocabulary().largest_id(), added_tokens_.largest_id(),
                                post_processor_.largest_id()});
}

Tokenizer::Tokenizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tokenizer::~Tokenizer() = default;

absl::StatusOr<std::unique_ptr<Tokenizer>> Tokenizer::Load(absl::string_view json, const std::string& path) {
  Vocabulary vocabulary;
  MergeList merges;
  HEROQ_ASSIGN_OR_RETURN(const nlohmann::json parsed,
                         ParseStrictJson(json, path, JsonLimits(), {vocabulary.Stream(), merges.Stream()}));
  absl::StatusOr<JsonObject> root = JsonObject::Of(parsed, "");
  if (!root.ok()) return MakeError(Reason::kFileCorrupt, absl::StrCat(path, ": must be a JSON object"));
  absl::StatusOr<std::unique_ptr<Impl>> impl = Impl::Parse(*root, std::move(vocabulary), merges);
  if (!impl.ok()) return Annotate(impl.status(), path);
  return std::unique_ptr<Tokenizer>(new Tokenizer(*std::move(impl)));
}

absl::StatusOr<std::vector<int32_t>> Tokenizer::Encode(absl::string_view text,
                                                       bool add_special_tokens) const {
  return impl_->Encode(text, add_special_tokens);
}

int64_t Tokenizer::vocab_size() const { return impl_->vocab_size(); }

}  // namespace heroq
