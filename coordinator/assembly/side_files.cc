#include "coordinator/assembly/side_files.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/blob/sha256.h"
#include "common/file/failpoint.h"
#include "common/model/adapter_names.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/planning/adapter_plan.h"
#include "coordinator/planning/dense_output.h"
#include "coordinator/planning/gptq_output.h"
#include "coordinator/planning/quantization_config.h"

namespace heroq {
namespace {

constexpr char kConfigName[] = "config.json";
// What readers of GPTQ checkpoints older than quantization_config read.
constexpr char kGptqConfigName[] = "quantize_config.json";
constexpr char kIndexName[] = "model.safetensors.index.json";

// A source file as it was planned.
absl::StatusOr<std::string> ReadPinned(FileSystem& files, const v1::Plan& plan, const std::string& name) {
  const std::string path = JoinPath(plan.model_directory(), name);
  HEROQ_ASSIGN_OR_RETURN(std::string bytes, ReadFile(files, path));
  const auto pinned = std::find_if(plan.sources().begin(), plan.sources().end(),
                                   [&](const v1::PinnedFile& file) { return file.name() == name; });
  if (pinned == plan.sources().end() || Sha256Hex(bytes) != pinned->digest()) {
    return MakeError(Reason::kSourceChanged,
                     absl::StrCat(path, " is not what it was when the job was planned"), {{"path", path}});
  }
  return bytes;
}

}  // namespace

std::string IndexJson(const v1::Plan& plan) {
  int64_t total = 0;
  std::map<std::string, std::string> weight_map;
  for (const v1::PlannedFile& file : plan.files()) {
    if (IsAdapterFile(file)) continue;
    for (const v1::PlannedTensor& tensor : file.tensors()) {
      total += tensor.end() - tensor.begin();
      weight_map[tensor.name()] = file.name();
    }
  }
  nlohmann::ordered_json json;
  json["metadata"] = {{"total_size", total}};
  json["weight_map"] = weight_map;
  return absl::StrCat(json.dump(2), "\n");
}

absl::Status WriteSideFiles(FileSystem& files, const v1::Plan& plan, const std::string& directory) {
  HEROQ_ASSIGN_OR_RETURN(std::string source_config, ReadPinned(files, plan, kConfigName));
  if (plan.untied_head()) {
    HEROQ_ASSIGN_OR_RETURN(source_config, UntieHead(source_config));
  }
  std::string config = source_config;
  if (!PublishesDense(plan)) {
    HEROQ_ASSIGN_OR_RETURN(config, AddQuantizationConfig(source_config, plan.quantization_config_json()));
  }
  HEROQ_RETURN_IF_ERROR(WriteFileAtomically(files, JoinPath(directory, kConfigName), config));
  HEROQ_FAILPOINT(config_after_write);
  if (IsGptqFormat(CheckpointFormat(plan))) {
    const std::string copy = nlohmann::ordered_json::parse(plan.quantization_config_json()).dump(2);
    HEROQ_RETURN_IF_ERROR(
        WriteFileAtomically(files, JoinPath(directory, kGptqConfigName), absl::StrCat(copy, "\n")));
  }
  if (HasBranches(plan.method())) {
    const std::string path = JoinPath(directory, kAdapterConfigFile);
    HEROQ_RETURN_IF_ERROR(files.CreateDirectories(DirectoryOf(path)));
    HEROQ_RETURN_IF_ERROR(WriteFileAtomically(files, path, AdapterConfigJson(plan)));
  }
  if (ModelFileCount(plan) > 1) {
    HEROQ_RETURN_IF_ERROR(WriteFileAtomically(files, JoinPath(directory, kIndexName), IndexJson(plan)));
    HEROQ_FAILPOINT(index_after_write);
  }
  for (const std::string& name : plan.copied_files()) {
    HEROQ_ASSIGN_OR_RETURN(const std::string bytes, ReadPinned(files, plan, name));
    HEROQ_RETURN_IF_ERROR(WriteFileAtomically(files, JoinPath(directory, name), bytes));
    HEROQ_FAILPOINT(side_file_after_write);
  }
  return absl::OkStatus();
}

std::vector<std::string> SideFileNames(const v1::Plan& plan) {
  std::vector<std::string> names(plan.copied_files().begin(), plan.copied_files().end());
  names.push_back(kConfigName);
  if (IsGptqFormat(CheckpointFormat(plan))) names.push_back(kGptqConfigName);
  if (ModelFileCount(plan) > 1) names.push_back(kIndexName);
  if (HasBranches(plan.method())) names.push_back(kAdapterConfigFile);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace heroq
