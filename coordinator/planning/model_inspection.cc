#include "coordinator/planning/model_inspection.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/blob/sha256.h"
#include "common/model/checkpoint_check.h"
#include "common/model/config_reader.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

constexpr int64_t kMaxSmallFileBytes = int64_t{256} << 20;
constexpr char kIndexName[] = "model.safetensors.index.json";

bool IsCopied(absl::string_view name) {
  static const auto* const kNames = new std::set<absl::string_view>{"added_tokens.json",
                                                                    "chat_template.jinja",
                                                                    "chat_template.json",
                                                                    "generation_config.json",
                                                                    "merges.txt",
                                                                    "preprocessor_config.json",
                                                                    "processor_config.json",
                                                                    "special_tokens_map.json",
                                                                    "spiece.model",
                                                                    "tokenizer.json",
                                                                    "tokenizer.model",
                                                                    "tokenizer_config.json",
                                                                    "vocab.json",
                                                                    "vocab.txt",
                                                                    "NOTICE",
                                                                    "NOTICE.txt",
                                                                    "USE_POLICY.md"};
  return kNames->count(name) > 0 || absl::EndsWith(name, ".py") || absl::EndsWith(name, ".tiktoken") ||
         absl::StartsWithIgnoreCase(name, "license") || absl::StartsWithIgnoreCase(name, "licence");
}

absl::StatusOr<v1::PinnedFile> Pin(FileSystem& files, const std::string& directory, const std::string& name,
                                   std::string digest) {
  HEROQ_ASSIGN_OR_RETURN(const FileInfo info, files.Stat(JoinPath(directory, name)));
  v1::PinnedFile pinned;
  pinned.set_name(name);
  pinned.set_size_bytes(info.size);
  pinned.set_modify_time_nanos(info.modify_time_nanos);
  pinned.set_inode(info.inode);
  pinned.set_digest(std::move(digest));
  return pinned;
}

absl::StatusOr<v1::PinnedFile> PinSmall(FileSystem& files, const std::string& directory,
                                        const std::string& name) {
  HEROQ_ASSIGN_OR_RETURN(const std::string bytes,
                         ReadFile(files, JoinPath(directory, name), kMaxSmallFileBytes));
  return Pin(files, directory, name, Sha256Hex(bytes));
}

}  // namespace

absl::StatusOr<ModelLayout> ReadModelLayout(FileSystem& files, const std::string& directory) {
  const absl::StatusOr<FileInfo> info = files.Stat(directory);
  if (!info.ok() || !info->is_directory) {
    return MakeError(Reason::kModelNotFound,
                     absl::StrCat(directory, " is not a directory, expected a Hugging Face model"),
                     {{"path", directory}});
  }
  const std::string path = JoinPath(directory, "config.json");
  if (!files.Exists(path)) {
    return MakeError(Reason::kModelNotFound,
                     absl::StrCat(directory, " has no config.json, expected a Hugging Face model"),
                     {{"path", path}});
  }
  HEROQ_ASSIGN_OR_RETURN(const std::string json, ReadFile(files, path, kMaxSmallFileBytes));
  return ParseModelConfig(json, path);
}

absl::StatusOr<InspectedModel> InspectModel(FileSystem& files, const std::string& directory,
                                            ModelLayout layout) {
  InspectedModel model;
  model.layout = std::move(layout);
  HEROQ_ASSIGN_OR_RETURN(model.tensors, CheckpointReader::Open(files, directory));
  HEROQ_RETURN_IF_ERROR(CheckTensors(model.layout, *model.tensors));

  HEROQ_ASSIGN_OR_RETURN(const std::vector<std::string> names, files.List(directory));
  for (const std::string& name : names) {
    if (!IsCopied(name)) continue;
    HEROQ_ASSIGN_OR_RETURN(const FileInfo info, files.Stat(JoinPath(directory, name)));
    if (info.is_regular) model.copied_files.push_back(name);
  }
  for (const auto& file : model.tensors->files()) {
    HEROQ_ASSIGN_OR_RETURN(v1::PinnedFile pinned,
                           Pin(files, directory, BaseName(file->path()), file->header_digest()));
    model.pinned.push_back(std::move(pinned));
  }
  std::sort(model.pinned.begin(), model.pinned.end(),
            [](const v1::PinnedFile& a, const v1::PinnedFile& b) { return a.name() < b.name(); });
  std::vector<std::string> small = {"config.json"};
  if (std::binary_search(names.begin(), names.end(), kIndexName)) small.push_back(kIndexName);
  small.insert(small.end(), model.copied_files.begin(), model.copied_files.end());
  for (const std::string& name : small) {
    HEROQ_ASSIGN_OR_RETURN(v1::PinnedFile pinned, PinSmall(files, directory, name));
    model.pinned.push_back(std::move(pinned));
  }
  return model;
}

std::vector<std::string> UnusedTensors(const ModelLayout& layout, const CheckpointReader& tensors) {
  std::set<std::string> used;
  for (TensorLayout& tensor : layout.Tensors()) used.insert(std::move(tensor.name));
  std::vector<std::string> unused;
  for (const auto& [name, entry] : tensors.tensors()) {
    if (used.count(name) == 0) unused.push_back(name);
  }
  return unused;
}

absl::Status CheckPinnedFiles(FileSystem& files, const std::string& directory,
                              const google::protobuf::RepeatedPtrField<v1::PinnedFile>& pinned) {
  for (const v1::PinnedFile& file : pinned) {
    const std::string path = JoinPath(directory, file.name());
    const absl::StatusOr<FileInfo> info = files.Stat(path);
    std::string change;
    if (!info.ok()) {
      change = "can no longer be read";
    } else if (info->size != file.size_bytes()) {
      change = absl::StrCat("has ", info->size, " bytes, had ", file.size_bytes());
    } else if (info->modify_time_nanos != file.modify_time_nanos()) {
      change = "was written";
    } else if (info->inode != file.inode()) {
      change = "was replaced";
    }
    if (!change.empty()) {
      return MakeError(Reason::kSourceChanged, absl::StrCat(path, " ", change, " since the job was planned"),
                       {{"path", path}});
    }
  }
  return absl::OkStatus();
}

}  // namespace heroq
