#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "common/tokenizer/pre_tokenizer.h"
#include "common/tokenizer/regex.h"

namespace heroq {

// The pre-tokenizer of GPT-2: puts a space before a range that starts with none (on request), splits by
// GPT-2's pattern (on request), and writes every byte as its visible character.
class ByteLevel : public PreTokenizer {
 public:
  static absl::StatusOr<std::unique_ptr<PreTokenizer>> Create(bool add_prefix_space, bool use_regex);
  absl::Status Apply(Pieces* pieces) const override;
  bool rewrites_text() const override { return true; }

 private:
  ByteLevel(bool add_prefix_space, std::unique_ptr<Regex> pattern);

  const bool add_prefix_space_;
  const std::unique_ptr<Regex> pattern_;  // null: no split
};

}  // namespace heroq
