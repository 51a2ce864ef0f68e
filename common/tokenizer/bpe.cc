#include "common/tokenizer/bpe.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
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

absl::StatusOr<std::unique_ptr<Bpe>> Bpe::Parse(const JsonObject& model) {
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
  HEROQ_RETURN_IF_ERROR(bpe->ParseVocabulary(model));
  HEROQ_RETURN_IF_ERROR(bpe->ParseMerges(model));
  if (!model.Get("unk_token").is_null()) {
    HEROQ_ASSIGN_OR_RETURN(bpe->unknown_token_, model.String("unk_token"));
    bpe->unknown_id_ = bpe->Find(bpe->unknown_token_);
  }
  if (bpe->byte_fallback_) bpe->FindFallbackBytes();
  return bpe;
}

absl::Status Bpe::ParseVocabulary(const JsonObject& model) {
  HEROQ_ASSIGN_OR_RETURN(const JsonObject vocabulary, model.Object("vocab"));
  const nlohmann::json& entries = model.Get("vocab");
  vocabulary_.reserve(entries.size());
  for (const auto& [token, id] : entries.items()) {
    HEROQ_ASSIGN_OR_RETURN(const int32_t value,
                           ParseId(id, absl::StrCat(vocabulary.place(), " \"", token, "\"")));
    vocabulary_.emplace(token, value);
    largest_id_ = std::max(largest_id_, value);
  }
  return absl::OkStatus();
}

absl::Status Bpe::ParseMerges(const JsonObject& model) {
  HEROQ_ASSIGN_OR_RETURN(const nlohmann::json* merges, model.Array("merges"));
  merges_.Reserve(merges->size());
  int32_t rank = 0;
  for (std::size_t i = 0; i < merges->size(); ++i) {
    const nlohmann::json& merge = (*merges)[i];
    const std::string place = model.PlaceOf("merges", i);
    if (merge.is_string()) {
      const auto& text = merge.get_ref<const std::string&>();
      // merges.txt begins with its version, and some files carry that line along.
      if (absl::StartsWith(text, "#version")) continue;
      const std::vector<absl::string_view> parts = absl::StrSplit(text, ' ');
      if (parts.size() != 2) {
        return MakeError(Reason::kFileCorrupt,
                         absl::StrCat(place, " must be two tokens with a space between"));
      }
      HEROQ_RETURN_IF_ERROR(AddMerge(parts[0], parts[1], rank++, place));
    } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
      HEROQ_RETURN_IF_ERROR(AddMerge(merge[0].get_ref<const std::string&>(),
                                     merge[1].get_ref<const std::string&>(), rank++, place));
    } else {
      return MakeError(Reason::kFileCorrupt, absl::StrCat(place, " must be a pair of tokens"));
    }
  }
  return absl::OkStatus();
}

absl::Status Bpe::AddMerge(absl::string_view left, absl::string_view right, int32_t rank,
                           const std::string& place) {
  const std::string merged = absl::StrCat(left, right);
  for (absl::string_view token : {left, right, absl::string_view(merged)}) {
    if (!Find(token).has_value()) {
      return MakeError(Reason::kFileCorrupt,
                       absl::StrCat(place, ": token \"", token, "\" is not in the vocabulary"));
    }
  }
  merges_.Add(*Find(left), *Find(right), rank, *Find(merged));
  return absl::OkStatus();
}

void Bpe::FindFallbackBytes() {
  for (int byte = 0; byte < 256; ++byte) byte_ids_[byte] = Find(absl::StrFormat("<0x%02X>", byte));
}

std::optional<int32_t> Bpe::Find(absl::string_view token) const {
  const auto found = vocabulary_.find(token);
  if (found == vocabulary_.end()) return std::nullopt;
  return found->second;
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
    if (const std::optional<int32_t> id = Find(character); id.has_value()) {
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
    if (const std::optional<int32_t> id = Find(word); id.has_value()) {
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
