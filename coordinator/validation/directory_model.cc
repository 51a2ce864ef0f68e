#include "coordinator/validation/directory_model.h"

#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/checkpoint/packed_checkpoint.h"
#include "common/checkpoint/strict_json.h"
#include "common/model/config_reader.h"
#include "common/status/error_reason.h"
#include "coordinator/planning/quantized_tensors.h"
#include "coordinator/validation/tensor_checks.h"

namespace heroq {
namespace {

constexpr char kConfigName[] = "config.json";
constexpr char kIndexName[] = "model.safetensors.index.json";

std::string Describe(absl::string_view dtype, const std::vector<int64_t>& shape) {
  return absl::StrCat(dtype, " [", absl::StrJoin(shape, ", "), "]");
}

struct Expected {
  std::vector<int64_t> shape;
  std::optional<DType> dtype;  // unset: any of BF16, F16, F32
};

bool TypeFits(const Expected& expected, DType dtype) {
  if (expected.dtype.has_value()) return dtype == *expected.dtype;
  return dtype == DType::kBf16 || dtype == DType::kF16 || dtype == DType::kF32;
}

std::map<std::string, Expected> ExpectedTensors(const DirectoryModel& model) {
  std::map<std::string, Expected> expected;
  for (const TensorLayout& tensor : model.layout.Tensors())
    expected[tensor.name] = {tensor.shape, std::nullopt};
  for (const BlockLayout& block : model.layout.blocks) {
    for (const LinearLayout& linear : block.linears) {
      const auto scheme = model.schemes.find(linear.name);
      if (scheme == model.schemes.end()) continue;
      expected.erase(absl::StrCat(linear.name, ".weight"));
      for (TensorSpec& part :
           QuantizedTensors(linear.name, linear.out_features, linear.in_features, scheme->second)) {
        // Tools differ in the type of scales; loaders take both 16-bit ones and float32.
        const bool scale = absl::EndsWith(part.name, ".weight_scale");
        expected[part.name] = {std::move(part.shape), scale ? std::nullopt : std::make_optional(part.dtype)};
      }
    }
  }
  return expected;
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
  const absl::StatusOr<nlohmann::json> json = ParseStrictJson(*text, path);
  if (!findings.Check(json.ok(), "tensor_file_invalid", {"", kIndexName}, "JSON", json.status().message()))
    return;
  const nlohmann::json stated = json->value("/metadata/total_size"_json_pointer, nlohmann::json());
  findings.Check(stated.is_number() && stated.get<double>() == static_cast<double>(total), "index_total_size",
                 {"", kIndexName}, absl::StrCat(total), stated.dump());
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
  const absl::StatusOr<std::optional<PackedCheckpoint>> packed = PackedCheckpoint::Parse(*config, path);
  if (!check(packed.status(), "quantization_config_invalid", kConfigName,
             "compressed-tensors pack-quantized")) {
    return std::nullopt;
  }
  absl::StatusOr<std::unique_ptr<CheckpointReader>> tensors = CheckpointReader::Open(files, directory);
  if (!check(tensors.status(), "tensor_file_invalid", "", "sound safetensors files and index"))
    return std::nullopt;
  model.layout = *std::move(layout);
  model.tensors = *std::move(tensors);
  if (packed->has_value()) {
    for (const BlockLayout& block : model.layout.blocks) {
      for (const LinearLayout& linear : block.linears) {
        const std::optional<QuantScheme> scheme = (*packed)->SchemeOf(linear.name);
        if (scheme.has_value()) model.schemes.emplace(linear.name, *scheme);
      }
    }
  }
  return std::optional<DirectoryModel>(std::move(model));
}

void CheckStructure(FileSystem& files, const DirectoryModel& model, Findings& findings) {
  const std::map<std::string, Expected> expected = ExpectedTensors(model);
  for (const auto& [name, tensor] : expected) {
    const std::string wanted =
        Describe(tensor.dtype ? ToString(*tensor.dtype) : "a float type", tensor.shape);
    const auto entry = model.tensors->tensors().find(name);
    if (!findings.Check(entry != model.tensors->tensors().end(), "tensor_missing", {name, ""}, wanted,
                        "none"))
      continue;
    const TensorInfo& info = entry->second.info;
    const Findings::Place place{name, BaseName(entry->second.file->path())};
    const bool fits =
        findings.Check(info.shape == tensor.shape && TypeFits(tensor, info.dtype), "tensor_shape", place,
                       wanted, Describe(ToString(info.dtype), info.shape));
    // Scales have a check of their own.
    if (!fits || tensor.dtype.has_value() || absl::EndsWith(name, ".weight_scale")) continue;
    const absl::StatusOr<int64_t> bad = CountNotFinite(entry->second);
    findings.Check(bad.ok() && *bad == 0, "value_not_finite", place, "finite values",
                   bad.ok() ? absl::StrCat(*bad, " NaN or Inf") : std::string(bad.status().message()));
  }
  for (const auto& [name, entry] : model.tensors->tensors()) {
    const bool ignored =
        absl::EndsWith(name, "rotary_emb.inv_freq") || (model.layout.tied_head && name == "lm_head.weight");
    findings.Check(expected.count(name) > 0 || ignored, "tensor_unexpected",
                   {name, BaseName(entry.file->path())}, "no such tensor",
                   Describe(ToString(entry.info.dtype), entry.info.shape));
  }
  CheckIndex(files, model, findings);
}

}  // namespace heroq
