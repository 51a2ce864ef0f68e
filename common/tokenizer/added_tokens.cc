#include "common/tokenizer/added_tokens.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "common/tokenizer/tokenizer_limits.h"
#include "common/tokenizer/utf8.h"

namespace heroq {
namespace {

// \w and \s of Rust's regular expressions (Unicode Technical Standard 18, annex C).
bool IsWordCharacter(int32_t c) {
  constexpr uint32_t kCategories = U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK;
  return (U_GET_GC_MASK(c) & kCategories) != 0 || u_hasBinaryProperty(c, UCHAR_ALPHABETIC) ||
         u_hasBinaryProperty(c, UCHAR_JOIN_CONTROL);
}

bool IsWhiteSpace(int32_t c) { return u_hasBinaryProperty(c, UCHAR_WHITE_SPACE); }

bool IsWholeWord(absl::string_view text, const TextRange& range) {
  int64_t before = range.begin;
  if (before > 0 && IsWordCharacter(PreviousCodePoint(text, &before))) return false;
  int64_t behind = range.end;
  return behind == static_cast<int64_t>(text.size()) || !IsWordCharacter(NextCodePoint(text, &behind));
}

// Not to before `first`, which is `position` or the end of a token.
int64_t SkipWhiteSpaceBefore(absl::string_view text, int64_t position, int64_t first) {
  if (position < first) return first;
  while (position > first) {
    int64_t previous = position;
    if (!IsWhiteSpace(PreviousCodePoint(text, &previous))) break;
    position = previous;
  }
  return position;
}

int64_t SkipWhiteSpaceBehind(absl::string_view text, int64_t position) {
  while (position < static_cast<int64_t>(text.size())) {
    int64_t next = position;
    if (!IsWhiteSpace(NextCodePoint(text, &next))) break;
    position = next;
  }
  return position;
}

}  // namespace

absl::StatusOr<AddedTokens::Token> AddedTokens::ParseToken(const JsonObject& object) {
  // "special" matters to decoding only.
  HEROQ_RETURN_IF_ERROR(
      object.RefuseUnknown({"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"}));
  Token token;
  HEROQ_ASSIGN_OR_RETURN(token.content, object.String("content"));
  HEROQ_ASSIGN_OR_RETURN(token.single_word, object.Bool("single_word"));
  HEROQ_ASSIGN_OR_RETURN(token.lstrip, object.Bool("lstrip"));
  HEROQ_ASSIGN_OR_RETURN(token.rstrip, object.Bool("rstrip"));
  HEROQ_ASSIGN_OR_RETURN(token.normalized, object.Bool("normalized"));
  return token;
}

absl::StatusOr<AddedTokens> AddedTokens::Parse(const JsonObject& root, const Vocabulary& vocabulary,
                                               const Normalizer* normalizer) {
  AddedTokens added;
  if (root.Get("added_tokens").is_null()) return added;
  HEROQ_ASSIGN_OR_RETURN(const nlohmann::json* elements, root.Array("added_tokens"));
  absl::flat_hash_map<std::string, int32_t> ids;
  std::vector<int32_t> order;
  int32_t next_id = vocabulary.size();
  std::size_t text_bytes = 0;
  for (std::size_t i = 0; i < elements->size(); ++i) {
    HEROQ_ASSIGN_OR_RETURN(const JsonObject object,
                           JsonObject::Of((*elements)[i], root.PlaceOf("added_tokens", i)));
    HEROQ_ASSIGN_OR_RETURN(Token token, ParseToken(object));
    if (token.content.empty()) continue;
    text_bytes += token.content.size();
    if (token.content.size() > kMaxAddedTokenBytes || text_bytes > kMaxAddedTokenBytesTogether) {
      return object.Unsupported(absl::StrCat("a token of more than ", kMaxAddedTokenBytes,
                                             " bytes, or more than ", kMaxAddedTokenBytesTogether,
                                             " bytes of tokens,"));
    }
    const auto [known, is_new] = ids.try_emplace(token.content, 0);
    if (is_new) {
      const std::optional<int32_t> in_vocabulary = vocabulary.Find(token.content);
      known->second = in_vocabulary.has_value() ? *in_vocabulary : next_id++;
      order.push_back(known->second);
    }
    HEROQ_ASSIGN_OR_RETURN(const int32_t file_id, object.Id("id"));
    if (file_id != known->second) {
      return object.Unsupported(absl::StrCat("id ", file_id, " of token \"", token.content,
                                             "\", whose place in the vocabulary is ", known->second, ","));
    }
    added.largest_id_ = std::max(added.largest_id_, file_id);
    added.tokens_[file_id] = std::move(token);
  }
  HEROQ_RETURN_IF_ERROR(added.BuildMatchers(order, normalizer));
  return added;
}

absl::Status AddedTokens::BuildMatchers(const std::vector<int32_t>& order, const Normalizer* normalizer) {
  for (int32_t id : order) {
    const Token& token = tokens_.at(id);
    std::string form = token.content;
    if (token.normalized && normalizer != nullptr) {
      HEROQ_ASSIGN_OR_RETURN(form, normalizer->Normalize(token.content));
    }
    TokenMatcher& matcher = token.normalized ? normalized_ : original_;
    if (form.empty() || !matcher.Add(form, id)) {
      return MakeError(Reason::kTokenizerUnsupported,
                       absl::StrCat("added_tokens: token \"", token.content, "\" is matched as \"", form,
                                    "\", which is ", form.empty() ? "empty" : "another token's form too"));
    }
  }
  return absl::OkStatus();
}

std::vector<AddedTokens::Part> AddedTokens::Split(absl::string_view text, const TokenMatcher& matcher) const {
  const auto size = static_cast<int64_t>(text.size());
  std::vector<Part> parts;
  int64_t done = 0;
  for (const TokenMatcher::Match& match : matcher.Find(text)) {
    const Token& token = tokens_.at(match.id);
    TextRange range = match.range;
    if (token.single_word && !IsWholeWord(text, range)) continue;
    // White space that the token before took is gone. Looking no further keeps this linear in the text.
    if (token.lstrip) range.begin = SkipWhiteSpaceBefore(text, range.begin, done);
    if (token.rstrip) range.end = SkipWhiteSpaceBehind(text, std::max(range.end, done));
    if (done < range.begin) parts.push_back({std::nullopt, {done, range.begin}});
    parts.push_back({match.id, range});
    done = range.end;
  }
  if (done != size) parts.push_back({std::nullopt, {done, size}});
  return parts;
}

}  // namespace heroq
