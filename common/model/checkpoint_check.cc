#include "common/model/checkpoint_check.h"

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

constexpr char kHeadName[] = "lm_head.weight";
constexpr int64_t kCompareBytes = int64_t{4} << 20;

absl::Status Invalid(const CheckpointReader& checkpoint, const std::string& tensor, absl::string_view rule) {
  return MakeError(Reason::kModelInvalid,
                   absl::StrCat(checkpoint.directory(), ": tensor ", tensor, " ", rule),
                   {{"directory", checkpoint.directory()}, {"tensor", tensor}});
}

std::string ShapeText(const std::vector<int64_t>& shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

absl::Status CheckTensor(const TensorLayout& expected, const CheckpointReader& checkpoint) {
  HEROQ_ASSIGN_OR_RETURN(const CheckpointReader::Entry entry, checkpoint.Find(expected.name));
  if (entry.info.shape != expected.shape) {
    return Invalid(checkpoint, expected.name,
                   absl::StrCat("has shape ", ShapeText(entry.info.shape), ", config.json says ",
                                ShapeText(expected.shape)));
  }
  const DType dtype = entry.info.dtype;
  if (dtype != DType::kBf16 && dtype != DType::kF16 && dtype != DType::kF32) {
    return Invalid(checkpoint, expected.name,
                   absl::StrCat("is ", ToString(dtype), ", expected BF16, F16 or F32"));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> SameBytes(const CheckpointReader::Entry& a, const CheckpointReader::Entry& b) {
  if (a.info.dtype != b.info.dtype || a.info.shape != b.info.shape) return false;
  std::string left;
  std::string right;
  for (int64_t at = 0; at < a.info.size; at += kCompareBytes) {
    const int64_t size = std::min(kCompareBytes, a.info.size - at);
    left.resize(size);
    right.resize(size);
    HEROQ_RETURN_IF_ERROR(a.file->ReadPart(a.info, at, size, left.data()));
    HEROQ_RETURN_IF_ERROR(b.file->ReadPart(b.info, at, size, right.data()));
    if (left != right) return false;
  }
  return true;
}

absl::Status CheckExtra(const std::string& name, const CheckpointReader::Entry& entry,
                        const ModelLayout& layout, const CheckpointReader& checkpoint) {
  if (absl::EndsWith(name, "rotary_emb.inv_freq")) return absl::OkStatus();
  if (!layout.tied_head || name != kHeadName) {
    return Invalid(checkpoint, name,
                   absl::StrCat("is not part of a ", layout.family, " model of this config.json"));
  }
  HEROQ_ASSIGN_OR_RETURN(const CheckpointReader::Entry embedding, checkpoint.Find(layout.embedding_name));
  HEROQ_ASSIGN_OR_RETURN(const bool same, SameBytes(entry, embedding));
  if (same) return absl::OkStatus();
  return Invalid(checkpoint, name,
                 absl::StrCat("differs from ", layout.embedding_name,
                              ", but config.json ties them (tie_word_embeddings)"));
}

}  // namespace

absl::Status CheckTensors(const ModelLayout& layout, const CheckpointReader& checkpoint) {
  std::set<std::string> expected;
  for (const TensorLayout& tensor : layout.Tensors()) {
    HEROQ_RETURN_IF_ERROR(CheckTensor(tensor, checkpoint));
    expected.insert(tensor.name);
  }
  for (const auto& [name, entry] : checkpoint.tensors()) {
    if (expected.count(name) > 0) continue;
    HEROQ_RETURN_IF_ERROR(CheckExtra(name, entry, layout, checkpoint));
  }
  return absl::OkStatus();
}

}  // namespace heroq
