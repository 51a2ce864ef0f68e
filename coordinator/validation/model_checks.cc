#include "coordinator/validation/model_checks.h"

#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/checkpoint/packed_linear.h"
#include "common/model/config_reader.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/validation/tensor_checks.h"

namespace heroq {
namespace {

constexpr absl::string_view kWeight = ".weight";
constexpr const char* kPackedParts[] = {".weight_packed", ".weight_scale", ".weight_shape",
                                        ".weight_zero_point"};

std::string ShapeText(const std::vector<int64_t>& shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

// The scheme of the linear that owns tensor `name`, if that is a quantized linear's weight.
std::optional<QuantScheme> SchemeOfTensor(const OpenedCheckpoint& checkpoint,
                                          const std::set<std::string>& linears, const std::string& name) {
  absl::string_view linear = name;
  if (!checkpoint.packed || !absl::ConsumeSuffix(&linear, kWeight) ||
      linears.count(std::string(linear)) == 0) {
    return std::nullopt;
  }
  return checkpoint.packed->SchemeOf(std::string(linear));
}

std::set<std::string> LinearNames(const ModelLayout& layout) {
  std::set<std::string> names;
  for (const BlockLayout& block : layout.blocks) {
    for (const LinearLayout& linear : block.linears) names.insert(linear.name);
  }
  return names;
}

void CheckDense(const OpenedCheckpoint& checkpoint, const TensorLayout& expected,
                ValidationFindings& findings) {
  const auto found = checkpoint.reader->Find(expected.name);
  const ValidationFindings::Place place{expected.name, found.ok() ? BaseName(found->file->path()) : ""};
  findings.Check(found.ok(), "tensor_missing", place, ShapeText(expected.shape), "no such tensor");
  if (!found.ok()) return;
  findings.Check(found->info.shape == expected.shape, "tensor_shape", place, ShapeText(expected.shape),
                 ShapeText(found->info.shape));
  const auto bad = CountNotFinite(*found);
  findings.Check(bad.ok() && *bad == 0, "value_not_finite", place, "finite values",
                 bad.ok() ? absl::StrCat(*bad, " NaN or Inf") : std::string(bad.status().message()));
}

void CheckUnexpected(const OpenedCheckpoint& checkpoint, const std::set<std::string>& expected,
                     ValidationFindings& findings) {
  for (const auto& [name, entry] : checkpoint.reader->tensors()) {
    const bool ignorable = absl::EndsWith(name, "rotary_emb.inv_freq") ||
                           (checkpoint.layout.tied_head && name == "lm_head.weight");
    findings.Check(expected.count(name) > 0 || ignorable, "tensor_unexpected",
                   {name, BaseName(entry.file->path())}, "no such tensor", ShapeText(entry.info.shape));
  }
}

}  // namespace

absl::StatusOr<std::optional<OpenedCheckpoint>> OpenCheckpoint(FileSystem& files,
                                                               const std::string& directory,
                                                               ValidationFindings& findings) {
  const auto info = files.Stat(directory);
  if (!info.ok() || !info->is_directory) {
    return MakeError(Reason::kModelNotFound, absl::StrCat(directory, " is not a directory"),
                     {{"path", directory}});
  }
  OpenedCheckpoint opened;
  const std::string config_path = JoinPath(directory, "config.json");
  const auto refuse = [&](const char* rule, const std::string& file, const absl::Status& status) {
    findings.Add(rule, {"", file}, "", std::string(status.message()));
    return std::optional<OpenedCheckpoint>();
  };
  const auto config = ReadFile(files, config_path);
  if (!config.ok()) return refuse("config_unreadable", "config.json", config.status());
  auto layout = ParseQuantizedModelConfig(*config, config_path);
  if (!layout.ok()) return refuse("config_invalid", "config.json", layout.status());
  auto packed = PackedCheckpoint::Parse(*config, config_path);
  if (!packed.ok()) return refuse("quantization_config_invalid", "config.json", packed.status());
  auto reader = CheckpointReader::Open(files, directory);
  if (!reader.ok()) return refuse("tensor_file_invalid", "", reader.status());
  opened.layout = *std::move(layout);
  opened.packed = *std::move(packed);
  opened.reader = *std::move(reader);
  findings.Check(true, "config_readable", {"", "config.json"}, "", "");
  return opened;
}

void CheckModelTensors(const OpenedCheckpoint& checkpoint, ValidationFindings& findings) {
  const std::set<std::string> linears = LinearNames(checkpoint.layout);
  std::set<std::string> expected;
  for (const TensorLayout& tensor : checkpoint.layout.Tensors()) {
    const auto scheme = SchemeOfTensor(checkpoint, linears, tensor.name);
    if (!scheme) {
      expected.insert(tensor.name);
      CheckDense(checkpoint, tensor, findings);
      continue;
    }
    const std::string linear(absl::StripSuffix(tensor.name, kWeight));
    for (const char* part : kPackedParts) expected.insert(linear + part);
    if (scheme->symmetric) expected.erase(linear + ".weight_zero_point");
    const auto read = ReadPackedLinear(*checkpoint.reader, linear, *scheme, tensor.shape);
    findings.Check(read.ok(), "quantized_linear_invalid", {linear, ""}, ToString(*scheme),
                   read.ok() ? "" : std::string(read.status().message()));
  }
  CheckUnexpected(checkpoint, expected, findings);
}

void CheckAgainstSource(const OpenedCheckpoint& checkpoint, const OpenedCheckpoint& source,
                        ValidationFindings& findings) {
  const std::set<std::string> linears = LinearNames(checkpoint.layout);
  for (const TensorLayout& tensor : checkpoint.layout.Tensors()) {
    const auto original = source.reader->Find(tensor.name);
    findings.Check(original.ok(), "source_tensor_missing", {tensor.name, ""}, "the tensor in the source",
                   "no such tensor");
    if (!original.ok()) continue;
    const auto scheme = SchemeOfTensor(checkpoint, linears, tensor.name);
    if (!scheme) {
      const auto copy = checkpoint.reader->Find(tensor.name);
      if (!copy.ok()) continue;  // reported by CheckModelTensors
      const auto same = SameBytes(*copy, *original);
      findings.Check(same.ok() && *same, "copied_tensor_differs", {tensor.name, BaseName(copy->file->path())},
                     "the source's bytes", same.ok() ? "other bytes" : std::string(same.status().message()));
      continue;
    }
    const std::string linear(absl::StripSuffix(tensor.name, kWeight));
    const auto read = ReadPackedLinear(*checkpoint.reader, linear, *scheme, tensor.shape);
    if (!read.ok()) continue;  // reported by CheckModelTensors
    const auto error = WeightError(*read, *original);
    findings.Check(error.ok() && *error <= kLargestPlausibleError, "weights_not_the_sources", {linear, ""},
                   absl::StrCat("weight error at most ", kLargestPlausibleError),
                   error.ok() ? absl::StrCat(*error) : std::string(error.status().message()));
  }
}

}  // namespace heroq
