#include "common/model/checkpoint_check.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/checkpoint/tensor_pieces.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

constexpr char kHeadName[] = "lm_head.weight";

constexpr size_t kMaxListed = 5;

// What is wrong with the tensors of a checkpoint, in the order it was found.
class Problems {
 public:
  void Add(const std::string& tensor, absl::string_view rule) {
    if (listed_.empty()) first_ = tensor;
    listed_.push_back(absl::StrCat("tensor ", tensor, " ", rule));
  }

  absl::Status ToStatus(const std::string& directory) const {
    if (listed_.empty()) return absl::OkStatus();
    const size_t shown = std::min(listed_.size(), kMaxListed);
    std::string text = absl::StrJoin(listed_.begin(), listed_.begin() + shown, "; ");
    if (shown < listed_.size()) absl::StrAppend(&text, "; and ", listed_.size() - shown, " more");
    return MakeError(Reason::kModelInvalid, absl::StrCat(directory, ": ", text),
                     {{"directory", directory}, {"tensor", first_}});
  }

 private:
  std::string first_;
  std::vector<std::string> listed_;
};

std::string ShapeText(const std::vector<int64_t>& shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

void CheckTensor(const TensorLayout& expected, const CheckpointReader& checkpoint, Problems& problems) {
  const absl::StatusOr<CheckpointReader::Entry> entry = checkpoint.Find(expected.name);
  if (!entry.ok()) return problems.Add(expected.name, "is missing");
  const TensorInfo& info = entry->info;
  if (info.shape != expected.shape) {
    problems.Add(expected.name, absl::StrCat("has shape ", ShapeText(info.shape), ", config.json says ",
                                             ShapeText(expected.shape)));
  } else if (info.dtype != DType::kBf16 && info.dtype != DType::kF16 && info.dtype != DType::kF32) {
    problems.Add(expected.name, absl::StrCat("is ", ToString(info.dtype), ", expected BF16, F16 or F32"));
  }
}

absl::Status CheckExtra(const std::string& name, const CheckpointReader::Entry& entry,
                        const ModelLayout& layout, const CheckpointReader& checkpoint, Problems& problems) {
  if (absl::EndsWith(name, "rotary_emb.inv_freq")) return absl::OkStatus();
  if (!layout.tied_head || name != kHeadName) {
    problems.Add(name, absl::StrCat("is not part of a ", layout.family, " model of this config.json"));
    return absl::OkStatus();
  }
  const absl::StatusOr<CheckpointReader::Entry> embedding = checkpoint.Find(layout.embedding_name);
  // That it is missing was noted with the other tensors.
  if (!embedding.ok()) return absl::OkStatus();
  HEROQ_ASSIGN_OR_RETURN(const bool same, SameBytes(entry, *embedding));
  if (!same) {
    problems.Add(name, absl::StrCat("differs from ", layout.embedding_name,
                                    ", but config.json ties them (tie_word_embeddings)"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckTensors(const ModelLayout& layout, const CheckpointReader& checkpoint) {
  Problems problems;
  std::set<std::string> expected;
  for (const TensorLayout& tensor : layout.Tensors()) {
    CheckTensor(tensor, checkpoint, problems);
    expected.insert(tensor.name);
  }
  for (const auto& [name, entry] : checkpoint.tensors()) {
    if (expected.count(name) > 0) continue;
    HEROQ_RETURN_IF_ERROR(CheckExtra(name, entry, layout, checkpoint, problems));
  }
  return problems.ToStatus(checkpoint.directory());
}

}  // namespace heroq
