#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/checkpoint/strict_json.h"
#include "common/tokenizer/bpe_merges.h"
#include "common/tokenizer/vocabulary.h"

namespace heroq {

// The "merges" of the model of tokenizer.json as they stand there: pairs of tokens, earlier ones first.
class MergeList {
 public:
  // Fills this object, which must stay where it is meanwhile.
  JsonStream Stream();

  // The merges by ids. FILE_CORRUPT naming the first that is no pair of tokens, or whose parts or result are
  // not in the vocabulary.
  absl::StatusOr<BpeMerges> Resolve(const Vocabulary& vocabulary) const;

 private:
  // Both tokens stand in `text_`, which is shorter than the file, the left one from where the merge before
  // ends: so their concatenation stands there too.
  struct Merge {
    uint32_t left_end;
    uint32_t right_end;
    uint32_t index;  // in the file
  };

  void Add(const nlohmann::json& merge);
  void AddPair(absl::string_view left, absl::string_view right, uint32_t index);

  std::string text_;
  std::vector<Merge> merges_;
  uint32_t next_index_ = 0;
  absl::Status status_;  // of the first that is no pair; those behind it are not kept
};

}  // namespace heroq
