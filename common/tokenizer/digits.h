#pragma once

#include "common/tokenizer/pre_tokenizer.h"

namespace heroq {

// Makes words of numeric characters (general category N): one each, or one of every run.
class Digits : public PreTokenizer {
 public:
  explicit Digits(bool individual) : individual_(individual) {}
  absl::Status Apply(Pieces* pieces) const override;

 private:
  const bool individual_;
};

}  // namespace heroq
