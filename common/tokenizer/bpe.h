#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/tokenizer/bpe_merges.h"
#include "common/tokenizer/json_object.h"
#include "common/tokenizer/word_cache.h"

namespace heroq {

// The byte-pair encoding model of tokenizer.json: token ids of one word. Thread-safe.
class Bpe {
 public:
  // `model` is the object "model". TOKENIZER_UNSUPPORTED for other model types, dropout,
  // continuing_subword_prefix and end_of_word_suffix; FILE_CORRUPT for a merge whose parts or result are not
  // in the vocabulary.
  static absl::StatusOr<std::unique_ptr<Bpe>> Parse(const JsonObject& model);

  // Appends the ids of `word`, which is not empty. TOKENIZER_UNSUPPORTED when an unknown character meets an
  // unk_token that the vocabulary lacks.
  absl::Status Encode(absl::string_view word, std::vector<int32_t>* ids) const;

  std::optional<int32_t> Find(absl::string_view token) const;
  int32_t vocabulary_size() const { return static_cast<int32_t>(vocabulary_.size()); }
  int32_t largest_id() const { return largest_id_; }

 private:
  Bpe() = default;
  absl::Status ParseVocabulary(const JsonObject& model);
  absl::Status ParseMerges(const JsonObject& model);
  absl::Status AddMerge(absl::string_view left, absl::string_view right, int32_t rank,
                        const std::string& place);
  void FindFallbackBytes();
  bool AppendBytes(absl::string_view character, std::vector<int32_t>* ids) const;
  // The word's tokens before any merge: characters, bytes of unknown characters, unk_token.
  absl::StatusOr<std::vector<int32_t>> Characters(absl::string_view word) const;

  absl::flat_hash_map<std::string, int32_t> vocabulary_;
  int32_t largest_id_ = -1;
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
