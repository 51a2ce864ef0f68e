#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/file/file_system.h"
#include "common/tokenizer/tokenizer.h"

namespace heroq {

struct TextCount {
  std::string file;
  int64_t documents = 0;
  int64_t tokens_read = 0;
  int64_t tokens_used = 0;
};

// Token ids [sequences, length], row-major.
struct TokenSequences {
  int64_t sequences = 0;
  int64_t length = 0;
  std::vector<int32_t> ids;
  std::vector<TextCount> counts;
};

// How sequences are taken from the joined token stream.
enum class Windows {
  kFromStart,  // consecutive, from the first token: calibration
  kSpread,  // first and last token included, evenly spaced: evaluation (step = (stream - length) / (n - 1))
};

// Reads text files (plain: one document a file; .jsonl: one document a line, field "text"), tokenizes each
// document with the model's BOS rule (add_special_tokens; a post-processor that adds BOS adds it once per
// document), joins them in order and cuts `sequences` sequences of `length`. Stops reading when kFromStart
// has enough, in a long plain text at the end of a line well behind what is used. TEXT_TOO_SHORT says how
// many tokens there were and how many are needed; FILE_CORRUPT for binary or invalid UTF-8 text, naming file
// and offset.
absl::StatusOr<TokenSequences> SequencesFromText(FileSystem& files, const std::vector<std::string>& paths,
                                                 const Tokenizer& tokenizer, int64_t sequences,
                                                 int64_t length, Windows windows);

// Reads a safetensors file with "input_ids" int32 or int64 [sequences, length]; ids must be in [0,
// vocab_size). Takes the first `sequences` rows and `length` columns.
absl::StatusOr<TokenSequences> SequencesFromTokensFile(FileSystem& files, const std::string& path,
                                                       int64_t sequences, int64_t length, int64_t vocab_size);

// The blob tasks read: safetensors "input_ids" int32 [sequences, length].
absl::StatusOr<std::string> SerializeTokens(const TokenSequences& tokens);

}  // namespace heroq
