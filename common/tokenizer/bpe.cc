#include "common/tokenizer/bpe.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "common/tokenizer/utf8.h"

namespace heroq {
namespace {

// A part that changes what a word's characters are looked up as.
absl::Status RefuseAffix(const JsonObject& model, const char* key) {
  if (model.Get(key).is_null()) return absl::OkStatus();
  HEROQ_ASSIGN_OR_RETURN(const std::string affix, model.String(key));
  return affix.empty() ? absl::OkStatus() : model.Unsupported(key);
}

absl::Status RefuseDropout(const JsonObject& model) {
  const nlohmann::json& dropout = model.Get("dropout");
  if (dropout.is_null() || (dropout.is_number() && dropout.get<double>() == 0.0)) return absl::OkStatus();
  return model.Unsupported("dropout");
}

}  // namespace

absl::StatusOr<std::unique_ptr<Bpe>> Bpe::Parse(const JsonObject& model, Vocabulary vocabulary,
                                                const MergeList& merges) {
  // Files of old versions do not name the type.
  if (!model.Get("type").is_null()) {
    HEROQ_ASSIGN_OR_RETURN(const std::string type, model.String("type"));
    if (type != "BPE") return model.Unsupported(absl::StrCat("model ", type));
  } else if (model.Get("merges").is_null()) {
    return model.Unsupported("a model that is not BPE");
  }
  HEROQ_RETURN_IF_ERROR(
      model.RefuseUnknown({"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix",
                           "fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges"}));
  HEROQ_RETURN_IF_ERROR(RefuseDropout(model));
  HEROQ_RETURN_IF_ERROR(RefuseAffix(model, "continuing_subword_prefix"));
  HEROQ_RETURN_IF_ERROR(RefuseAffix(model, "end_of_word_suffix"));

  std::unique_ptr<Bpe> bpe(new Bpe);
  HEROQ_ASSIGN_OR_RETURN(bpe->fuse_unknown_, model.BoolOr("fuse_unk", false));
  HEROQ_ASSIGN_OR_RETURN(bpe->byte_fallback_, model.BoolOr("byte_fallback", false));
  HEROQ_ASSIGN_OR_RETURN(bpe->ignore_merges_, model.BoolOr("ignore_merges", false));
  HEROQ_RETURN_IF_ERROR(model.Object("vocab").status());
  HEROQ_RETURN_IF_ERROR(vocabulary.status());
  bpe->vocabulary_ = std::move(vocabulary);
  HEROQ_RETURN_IF_ERROR(model.Array("merges").status());
  HEROQ_ASSIGN_OR_RETURN(bpe->merges_, merges.Resolve(bpe->vocabulary_));
  if (!model.Get("unk_token").is_null()) {
    HEROQ_ASSIGN_OR_RETURN(bpe->unknown_token_, model.String("unk_token"));
    bpe->unknown_id_ = bpe->vocabulary_.Find(bpe->unknown_token_);
  }
  if (bpe->byte_fallback_) bpe->FindFallbackBytes();
  return bpe;
}

void Bpe::FindFallbackBytes() {
  for (int byte = 0; byte < 256; ++byte)
    byte_ids_[byte] = vocabulary_.Find(absl::StrFormat("<0x%02X>", byte));
}

bool Bpe::AppendBytes(absl::string_view character, std::vector<int32_t>* ids) const {
  for (char byte : character) {
    if (!byte_ids_[static_cast<uint8_t>(byte)].has_value()) return false;
  }
  for (char byte : character) ids->push_back(*byte_ids_[static_cast<uint8_t>(byte)]);
  return true;
}

absl::StatusOr<std::vector<int32_t>> Bpe::Characters(absl::string_view word) const {
  std::vector<int32_t> ids;
  ids.reserve(word.size());
  // An unknown character waits for the next known one: bytes of a fallback in between come before it, as they
  // do in the library.
  bool unknown_waits = false;
  int64_t position = 0;
  while (position < static_cast<int64_t>(word.size())) {
    const int64_t begin = position;
    NextCodePoint(word, &position);
    const absl::string_view character = word.substr(begin, position - begin);
    if (const std::optional<int32_t> id = vocabulary_.Find(character); id.has_value()) {
      if (unknown_waits) ids.push_back(*unknown_id_);
      unknown_waits = false;
      ids.push_back(*id);
      continue;
    }
    if (byte_fallback_ && AppendBytes(character, &ids)) continue;
    if (unknown_token_.empty()) continue;
    if (!unknown_id_.has_value()) {
      return MakeError(Reason::kTokenizerUnsupported,
                       absl::StrCat("the text holds \"", character,
                                    "\", which the tokenizer does not know, and its "
                                    "unk_token \"",
                                    unknown_token_, "\" is not in its vocabulary"));
    }
    if (unknown_waits && !fuse_unknown_) ids.push_back(*unknown_id_);
    unknown_waits = true;
  }
  if (unknown_waits) ids.push_back(*unknown_id_);
  return ids;
}

absl::Status Bpe::Encode(absl::string_view word, std::vector<int32_t>* ids) const {
  if (ignore_merges_) {
    if (const std::optional<int32_t> id = vocabulary_.Find(word); id.has_value()) {
      ids->push_back(*id);
      return absl::OkStatus();
    }
  }
  if (cache_.AppendTo(word, ids)) return absl::OkStatus();
  HEROQ_ASSIGN_OR_RETURN(std::vector<int32_t> tokens, Characters(word));
  merges_.Apply(&tokens);
  cache_.Put(word, tokens);
  ids->insert(ids->end(), tokens.begin(), tokens.end());
  return absl::OkStatus();
}

}  // namespace heroq
