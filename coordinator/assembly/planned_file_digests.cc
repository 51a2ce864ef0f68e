#include "coordinator/assembly/planned_file_digests.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/validation/file_digest.h"

namespace heroq {

absl::StatusOr<PlannedFileDigests> DigestPlannedFile(FileSystem& files, const std::string& path,
                                                     const v1::PlannedFile& planned) {
  std::vector<const v1::PlannedTensor*> tensors;
  for (const v1::PlannedTensor& tensor : planned.tensors()) tensors.push_back(&tensor);
  std::sort(tensors.begin(), tensors.end(),
            [](const v1::PlannedTensor* a, const v1::PlannedTensor* b) { return a->begin() < b->begin(); });
  std::vector<int64_t> begins;
  for (const v1::PlannedTensor* tensor : tensors) {
    begins.push_back(static_cast<int64_t>(planned.header().size()) + tensor->begin());
  }
  HEROQ_ASSIGN_OR_RETURN(DigestWithParts digests, DigestOfFileAndParts(files, path, begins));
  if (digests.parts.size() != tensors.size()) {
    return MakeError(Reason::kValidationFailed,
                     absl::StrCat(path, " ends at byte ", digests.whole.size_bytes, ", before tensor ",
                                  tensors[digests.parts.size()]->name(), " begins"),
                     {{"path", path}});
  }
  PlannedFileDigests found{digests.info, std::move(digests.whole), {}};
  for (size_t i = 0; i < tensors.size(); ++i) {
    found.tensors.emplace_back(tensors[i], std::move(digests.parts[i]));
  }
  return found;
}

}  // namespace heroq
