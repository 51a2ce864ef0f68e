#include "coordinator/validation/group_index_check.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace heroq {

std::string WrongGroupIndex(const std::vector<int32_t>& index, const LinearStorage& storage) {
  const auto columns = static_cast<int64_t>(index.size());
  const int64_t length = storage.group_length(columns);
  const int64_t groups = storage.groups(columns);
  std::vector<int64_t> sizes(groups, 0);
  for (int64_t i = 0; i < columns; ++i) {
    if (index[i] < 0 || index[i] >= groups) {
      return absl::StrCat("column ", i, " in group ", index[i], " of ", groups);
    }
    if (storage.group_index != GroupIndex::kAnyOrder && index[i] != i / length) {
      return absl::StrCat("column ", i, " in group ", index[i], " instead of ", i / length);
    }
    ++sizes[index[i]];
  }
  for (int64_t group = 0; group < groups; ++group) {
    const int64_t expected = std::min(length, columns - group * length);
    if (sizes[group] != expected) {
      return absl::StrCat("group ", group, " with ", sizes[group], " columns instead of ", expected);
    }
  }
  return "";
}

}  // namespace heroq
