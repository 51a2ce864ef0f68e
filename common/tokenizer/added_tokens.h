#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/tokenizer/json_object.h"
#include "common/tokenizer/normalizer.h"
#include "common/tokenizer/split.h"
#include "common/tokenizer/token_matcher.h"
#include "common/tokenizer/vocabulary.h"

namespace heroq {

// The "added_tokens" of tokenizer.json: strings that are tokens wherever a text holds them. Thread-safe.
class AddedTokens {
 public:
  // A part of a text: one added token, or text for the model.
  struct Part {
    std::optional<int32_t> id;
    TextRange range;
  };

  // `root` is the whole file. Ids follow from the vocabulary as in the library; TOKENIZER_UNSUPPORTED when
  // the file gives another id, or when two tokens are matched as the same string. `normalizer` may be null.
  static absl::StatusOr<AddedTokens> Parse(const JsonObject& root, const Vocabulary& vocabulary,
                                           const Normalizer* normalizer);

  // Parts of a text as it was written, by the tokens that are matched before normalization.
  std::vector<Part> SplitOriginal(absl::string_view text) const { return Split(text, original_); }
  // Parts of a normalized text, by the tokens that are matched behind normalization.
  std::vector<Part> SplitNormalized(absl::string_view text) const { return Split(text, normalized_); }

  int32_t largest_id() const { return largest_id_; }

 private:
  struct Token {
    std::string content;
    bool single_word = false;  // only where no word character is next to it
    bool lstrip = false;       // takes the white space before it along
    bool rstrip = false;       // takes the white space behind it along
    bool normalized = false;   // matched behind normalization
  };

  static absl::StatusOr<Token> ParseToken(const JsonObject& object);
  absl::Status BuildMatchers(const std::vector<int32_t>& order, const Normalizer* normalizer);
  std::vector<Part> Split(absl::string_view text, const TokenMatcher& matcher) const;

  absl::flat_hash_map<int32_t, Token> tokens_;
  TokenMatcher original_;
  TokenMatcher normalized_;
  int32_t largest_id_ = -1;
};

}  // namespace heroq
