#include "coordinator/validation/directory_model.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/checkpoint/shard_index.h"
#include "common/checkpoint/stored_quantization.h"
#include "common/checkpoint/tensor_pieces.h"
#include "common/model/config_reader.h"
#include "common/status/error_reason.h"
#include "coordinator/validation/linear_parts.h"
#include "coordinator/validation/tensor_checks.h"

namespace heroq {
namespace {

constexpr char kConfigName[] = "config.json";
constexpr char kHeadName[] = "lm_head.weight";
constexpr char kIndexName[] = "model.safetensors.index.json";

// The file an error names, relative to the directory.
std::string FileOf(const absl::Status& status, const std::string& otherwise) {
  const std::map<std::string, std::string> metadata = ErrorMetadata(status);
  for (const char* key : {"file", "path"}) {
    if (const auto file = metadata.find(key); file != metadata.end()) return BaseName(file->second);
  }
  return otherwise;
}

std::string Describe(absl::string_view dtype, const std::vector<int64_t>& shape) {
  return absl::StrCat(dtype, " [", absl::StrJoin(shape, ", "), "]");
}

std::string Describe(const ExpectedTensor& tensor) {
  return Describe(tensor.types.size() == 1       ? ToString(tensor.types.front())
                  : tensor.types == FloatTypes() ? "a float type"
                                                 : "an integer type",
                  tensor.shape);
}

std::map<std::string, ExpectedTensor> ExpectedTensors(const DirectoryModel& model) {
  std::map<std::string, ExpectedTensor> expected;
  for (const TensorLayout& tensor : model.layout.Tensors()) {
    expected[tensor.name] = {tensor.name, tensor.shape, FloatTypes(), /*finite_values=*/true};
  }
  for (const BlockLayout& block : model.layout.blocks) {
    for (const LinearLayout& linear : block.linears) {
      const auto storage = model.quantized.find(linear.name);
      if (storage == model.quantized.end()) continue;
      expected.erase(absl::StrCat(linear.name, ".weight"));
      for (ExpectedTensor& part : ExpectedParts(linear, storage->second)) {
        const std::string name = part.name;
        expected[name] = std::move(part);
      }
    }
  }
  for (const RotatedInput& place : model.rotations) {
    expected[place.tensor] = {place.tensor, {place.size, place.size}, FloatTypes(), /*finite_values=*/true};
  }
  return expected;
}

// Loaders of compressed-tensors have no shorter last group.
void CheckGroupSizes(const DirectoryModel& model, Findings& findings) {
  for (const BlockLayout& block : model.layout.blocks) {
    for (const LinearLayout& linear : block.linears) {
      const auto storage = model.quantized.find(linear.name);
      if (storage == model.quantized.end()) continue;
      const LinearFormat format = storage->second.format;
      if (format == LinearFormat::kGptq || format == LinearFormat::kGptqV2) continue;
      const int64_t length = storage->second.group_length(linear.in_features);
      findings.Check(linear.in_features % length == 0, "group_size_indivisible", {linear.name, kConfigName},
                     absl::StrCat("a divisor of ", linear.in_features, " inputs"), absl::StrCat(length));
    }
  }
}

// Some loaders read a head that is stored although it is tied.
void CheckTiedHead(const DirectoryModel& model, Findings& findings) {
  const auto head = model.tensors->tensors().find(kHeadName);
  const auto embedding = model.tensors->tensors().find(model.layout.embedding_name);
  if (!model.layout.tied_head || head == model.tensors->tensors().end() ||
      embedding == model.tensors->tensors().end()) {
    return;
  }
  const absl::StatusOr<bool> same = SameBytes(head->second, embedding->second);
  findings.Check(same.ok() && *same, "tied_head_differs", {kHeadName, BaseName(head->second.file->path())},
                 absl::StrCat("the bytes of ", model.layout.embedding_name, ", to which it is tied"),
                 same.ok() ? "others" : same.status().message());
}

void CheckIndex(FileSystem& files, const DirectoryModel& model, Findings& findings) {
  const std::string path = JoinPath(model.tensors->directory(), kIndexName);
  if (!files.Exists(path)) return;
  int64_t total = 0;
  for (const auto& [name, entry] : model.tensors->tensors()) total += entry.info.size;
  const absl::StatusOr<std::string> text = ReadFile(files, path);
  if (!findings.Check(text.ok(), "tensor_file_invalid", {"", kIndexName}, "a readable file",
                      text.status().message()))
    return;
  const absl::StatusOr<ShardIndex> index = ParseShardIndex(*text, path);
  if (!findings.Check(index.ok(), "tensor_file_invalid", {"", kIndexName}, "a sound index",
                      index.status().message()))
    return;
  // With a single file beside it, nothing else reads the index.
  for (const auto& [name, entry] : model.tensors->tensors()) {
    const std::string file = BaseName(entry.file->path());
    const auto listed = index->shard_of.find(name);
    const bool found = listed != index->shard_of.end();
    findings.Check(found && listed->second == file, "index_entry", {name, kIndexName}, file,
                   found ? listed->second : "none");
  }
  findings.Check(index->total_size == static_cast<double>(total), "index_total_size", {"", kIndexName},
                 absl::StrCat(total),
                 index->total_size.has_value() ? absl::StrFormat("%.0f", *index->total_size) : "none");
}

}  // namespace

absl::StatusOr<std::optional<DirectoryModel>> OpenDirectoryModel(FileSystem& files,
                                                                 const std::string& directory,
                                                                 Findings& findings) {
  const absl::StatusOr<FileInfo> info = files.Stat(directory);
  if (!info.ok() || !info->is_directory) {
    return MakeError(Reason::kModelNotFound,
                     absl::StrCat(directory, " is not a directory, expected a checkpoint"),
                     {{"path", directory}});
  }
  const std::string path = JoinPath(directory, kConfigName);
  const auto check = [&](const absl::Status& status, absl::string_view rule, const std::string& file,
                         absl::string_view expected) {
    return findings.Check(status.ok(), rule, {"", file}, expected, status.message());
  };
  DirectoryModel model;
  const absl::StatusOr<std::string> config = ReadFile(files, path);
  if (!check(config.status(), "config_unreadable", kConfigName, "a readable file")) return std::nullopt;
  absl::StatusOr<ModelLayout> layout = ParseQuantizedModelConfig(*config, path);
  if (!check(layout.status(), "config_invalid", kConfigName, "a model heroq knows")) return std::nullopt;
  const absl::StatusOr<std::optional<StoredQuantization>> stored =
      StoredQuantization::Read(files, directory, *config);
  const bool unsupported = HasReason(stored.status(), Reason::kUnsupported);
  if (!check(stored.status(), unsupported ? kFormatUnsupported : "quantization_config_invalid",
             FileOf(stored.status(), kConfigName), "a layout heroq reads")) {
    return std::nullopt;
  }
  absl::StatusOr<std::unique_ptr<CheckpointReader>> tensors = CheckpointReader::Open(files, directory);
  if (!check(tensors.status(), "tensor_file_invalid", FileOf(tensors.status(), "model.safetensors"),
             "sound safetensors files and index"))
    return std::nullopt;
  model.layout = *std::move(layout);
  model.tensors = *std::move(tensors);
  if (stored->has_value()) {
    for (const BlockLayout& block : model.layout.blocks) {
      for (const LinearLayout& linear : block.linears) {
        const std::optional<LinearStorage> storage = (*stored)->StorageOf(linear.name);
        if (storage.has_value()) model.quantized.emplace(linear.name, *storage);
      }
    }
    absl::StatusOr<std::vector<RotatedInput>> rotations =
        FindRotatedInputs(model.layout, (*stored)->online_transforms(), *model.tensors);
    if (!check(rotations.status(), kFormatUnsupported, kConfigName, "transforms heroq reads")) {
      return std::nullopt;
    }
    model.rotations = *std::move(rotations);
  }
  return std::optional<DirectoryModel>(std::move(model));
}

void CheckStructure(FileSystem& files, const DirectoryModel& model, Findings& findings) {
  const std::map<std::string, ExpectedTensor> expected = ExpectedTensors(model);
  for (const auto& [name, tensor] : expected) {
    const auto entry = model.tensors->tensors().find(name);
    if (entry == model.tensors->tensors().end() && tensor.optional) continue;
    if (!findings.Check(entry != model.tensors->tensors().end(), "tensor_missing", {name, ""},
                        Describe(tensor), "none"))
      continue;
    const TensorInfo& info = entry->second.info;
    const Findings::Place place{name, BaseName(entry->second.file->path())};
    const bool type_fits =
        std::find(tensor.types.begin(), tensor.types.end(), info.dtype) != tensor.types.end();
    const bool fits = findings.Check(info.shape == tensor.shape && type_fits, "tensor_shape", place,
                                     Describe(tensor), Describe(ToString(info.dtype), info.shape));
    if (!fits || !tensor.finite_values) continue;
    const absl::StatusOr<int64_t> bad = CountNonFinite(entry->second);
    findings.Check(bad.ok() && *bad == 0, "value_not_finite", place, "finite values",
                   bad.ok() ? absl::StrCat(*bad, " NaN or Inf") : std::string(bad.status().message()));
  }
  for (const auto& [name, entry] : model.tensors->tensors()) {
    const bool ignored =
        absl::EndsWith(name, "rotary_emb.inv_freq") || (model.layout.tied_head && name == kHeadName);
    findings.Check(expected.count(name) > 0 || ignored, "tensor_unexpected",
                   {name, BaseName(entry.file->path())}, "no such tensor",
                   Describe(ToString(entry.info.dtype), entry.info.shape));
  }
  CheckGroupSizes(model, findings);
  CheckTiedHead(model, findings);
  CheckIndex(files, model, findings);
}

}  // namespace heroq
