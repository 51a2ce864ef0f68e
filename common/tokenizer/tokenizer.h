#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace heroq {

// A Hugging Face tokenizer.json: BPE with byte-level or byte-fallback alphabets, as SmolLM2, Llama 2/3,
// Mistral and Qwen2 use it. What it does not implement is refused at Load by name (TOKENIZER_UNSUPPORTED),
// never approximated. Thread-safe after Load. Pure: takes JSON text, not files.
class Tokenizer {
 public:
  // `json` is tokenizer.json; `path` is for messages.
  static absl::StatusOr<std::unique_ptr<Tokenizer>> Load(absl::string_view json, const std::string& path);
  ~Tokenizer();

  // Ids of UTF-8 text, as `tokenizers.Tokenizer.encode(text, add_special_tokens=add_special_tokens)`; special
  // tokens written out in the text are recognised either way, as there. Invalid UTF-8 is INVALID_SPEC with
  // the byte offset. The file's truncation and padding are left aside, as transformers does unless asked:
  // documents stay whole.
  absl::StatusOr<std::vector<int32_t>> Encode(absl::string_view text, bool add_special_tokens) const;

  // One more than the largest id Encode can give; every id is below the model's vocab_size if this is not
  // above it.
  int64_t vocab_size() const;

 private:
  class Impl;
  explicit Tokenizer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace heroq
