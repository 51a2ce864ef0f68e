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
#include "common/status/status_macros.h"
#include "coordinator/planning/quantized_tensors.h"

namespace heroq {
namespace {

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
  if (!findings.Check(text.ok(), "index_unreadable", {"", kIndexName}, "a readable file",
                      text.status().message()))
    return;
  const absl::StatusOr<nlohmann::json> json = ParseStrictJson(*text, path);
  if (!findings.Check(json.ok(), "index_unreadable", {"", kIndexName}, "JSON", json.status().message()))
    return;
  const nlohmann::json stated = json->value("/metadata/total_size"_json_pointer, nlohmann::json());
  findings.Check(stated.is_number() && stated.get<double>() == static_cast<double>(total), "index_total_size",
                 {"", kIndexName}, absl::StrCat(total), stated.dump());
}

}  // namespace

absl::StatusOr<DirectoryModel> OpenDirectoryModel(FileSystem& files, const std::string& directory) {
  const std::string path = JoinPath(directory, "config.json");
  if (!files.Exists(path)) {
    return MakeError(Reason::kModelNotFound,
                     absl::StrCat(directory, " has no config.json, expected a checkpoint"),
                     {{"path", directory}});
  }
  DirectoryModel model;
  HEROQ_ASSIGN_OR_RETURN(const std::string config, ReadFile(files, path));
  HEROQ_ASSIGN_OR_RETURN(model.layout, ParseQuantizedModelConfig(config, path));
  HEROQ_ASSIGN_OR_RETURN(const std::optional<PackedCheckpoint> packed, PackedCheckpoint::Parse(config, path));
  if (packed.has_value()) {
    for (const BlockLayout& block : model.layout.blocks) {
      for (const LinearLayout& linear : block.linears) {
        const std::optional<QuantScheme> scheme = packed->SchemeOf(linear.name);
        if (scheme.has_value()) model.schemes.emplace(linear.name, *scheme);
      }
    }
  }
  HEROQ_ASSIGN_OR_RETURN(model.tensors, CheckpointReader::Open(files, directory));
  return model;
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
    findings.Check(info.shape == tensor.shape && TypeFits(tensor, info.dtype), "tensor_shape",
                   {name, BaseName(entry->second.file->path())}, wanted,
                   Describe(ToString(info.dtype), info.shape));
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
