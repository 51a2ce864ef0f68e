#include "common/tokenizer/merge_list.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

absl::Status Corrupt(uint32_t index, absl::string_view what) {
  return MakeError(Reason::kFileCorrupt, absl::StrCat("model.merges[", index, "]", what));
}

}  // namespace

JsonStream MergeList::Stream() {
  return {nlohmann::json::json_pointer("/model/merges"), nullptr,
          [this](const nlohmann::json& merge) { Add(merge); }};
}

void MergeList::Add(const nlohmann::json& merge) {
  const uint32_t index = next_index_++;
  if (!status_.ok()) return;
  if (merge.is_string()) {
    const absl::string_view text = merge.get_ref<const std::string&>();
    // merges.txt begins with its version, and some files carry that line along.
    if (absl::StartsWith(text, "#version")) return;
    const std::size_t space = text.find(' ');
    if (space == text.npos || text.find(' ', space + 1) != text.npos) {
      status_ = Corrupt(index, " must be two tokens with a space between");
      return;
    }
    AddPair(text.substr(0, space), text.substr(space + 1), index);
  } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
    AddPair(merge[0].get_ref<const std::string&>(), merge[1].get_ref<const std::string&>(), index);
  } else {
    status_ = Corrupt(index, " must be a pair of tokens");
  }
}

void MergeList::AddPair(absl::string_view left, absl::string_view right, uint32_t index) {
  const auto left_end = static_cast<uint32_t>(text_.size() + left.size());
  absl::StrAppend(&text_, left, right);
  merges_.push_back({left_end, static_cast<uint32_t>(text_.size()), index});
}

absl::StatusOr<BpeMerges> MergeList::Resolve(const Vocabulary& vocabulary) const {
  BpeMerges merges;
  merges.Reserve(merges_.size());
  const absl::string_view text = text_;
  uint32_t begin = 0;
  int32_t rank = 0;
  for (const Merge& merge : merges_) {
    const auto find = [&](absl::string_view token) -> absl::StatusOr<int32_t> {
      if (const std::optional<int32_t> id = vocabulary.Find(token); id.has_value()) return *id;
      return Corrupt(merge.index, absl::StrCat(": token \"", token, "\" is not in the vocabulary"));
    };
    HEROQ_ASSIGN_OR_RETURN(const int32_t left, find(text.substr(begin, merge.left_end - begin)));
    HEROQ_ASSIGN_OR_RETURN(const int32_t right,
                           find(text.substr(merge.left_end, merge.right_end - merge.left_end)));
    HEROQ_ASSIGN_OR_RETURN(const int32_t merged, find(text.substr(begin, merge.right_end - begin)));
    merges.Add(left, right, rank++, merged);
    begin = merge.right_end;
  }
  HEROQ_RETURN_IF_ERROR(status_);
  return merges;
}

}  // namespace heroq
