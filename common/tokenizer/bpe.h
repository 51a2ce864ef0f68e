#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/tokenizer/bpe_merges.h"
#include "common/tokenizer/json_object.h"
#include "common/tokenizer/merge_list.h"
#include "common/tokenizer/vocabulary.h"
#include "common/tokenizer/word_cache.h"

namespace heroq {

// The byte-pair encoding model of tokenizer.json: token ids of one word. Thread-safe.
class Bpe {
 public:
  // `model` is the object "model", whose "vocab" and "merges" the streams of the other two have taken.
  // TOKENIZER_UNSUPPORTED for other model types, dropout, continuing_subword_prefix and end_of_word_suffix;
  // FILE_CORRUPT for a merge whose parts or result are not in the vocabulary.
  static absl::StatusOr<std::unique_ptr<Bpe>> Parse(const JsonObject& model, Vocabulary vocabulary,
                                                    const MergeList& merges);

  // Appends the ids of `word`, which is not empty. TOKENIZER_UNSUPPORTED when an unknown character meets an
  // unk_token that the vocabulary lacks.
  absl::Status Encode(absl::string_view word, std::vector<int32_t>* ids) const;

  const Vocabulary& vocabulary() const { return vocabulary_; }

 private:
  Bpe() = default;
  void FindFallbackBytes();
  bool AppendBytes(absl::string_view character, std::vector<int32_t>* ids) const;
  // The word's tokens before any merge: characters, bytes of unknown characters, unk_token.
  absl::StatusOr<std::vector<int32_t>> Characters(absl::string_view word) const;

  Vocabulary vocabulary_;
  BpeMerges merges_;
  std::string unknown_token_;          // empty: unknown characters are dropped
  std::optional<int32_t> unknown_id_;  // of unknown_token_
  bool fuse_unknown_ = false;          // one unk_token for a run of unknown characters
  bool byte_fallback_ = false;         // unknown characters become <0x..> tokens of their bytes
  bool ignore_merges_ = false;         // a word of the vocabulary is one token
  std::array<std::optional<int32_t>, 256> byte_ids_;
  mutable WordCache cache_;
};

}  // namespace heroq
