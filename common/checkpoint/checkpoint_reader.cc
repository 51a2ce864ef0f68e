#include "common/checkpoint/checkpoint_reader.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/shard_index.h"
#include "common/checkpoint/strict_json.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

constexpr char kSingleFile[] = "model.safetensors";
constexpr char kIndexFile[] = "model.safetensors.index.json";

absl::Status Corrupt(const std::string& path, absl::string_view rule) {
  return MakeError(Reason::kFileCorrupt, absl::StrCat(path, ": ", rule), {{"file", path}});
}

absl::StatusOr<std::unique_ptr<SafetensorsReader>> OpenModelFile(FileSystem& files, const std::string& path) {
  absl::StatusOr<std::unique_ptr<SafetensorsReader>> reader = SafetensorsReader::Open(files, path);
  if (!absl::IsNotFound(reader.status())) return reader;
  return MakeError(Reason::kModelNotFound, absl::StrCat(path, " does not exist"), {{"file", path}});
}

}  // namespace

absl::StatusOr<std::unique_ptr<CheckpointReader>> CheckpointReader::Open(FileSystem& files,
                                                                         const std::string& directory) {
  std::unique_ptr<CheckpointReader> checkpoint(new CheckpointReader);
  checkpoint->directory_ = directory;
  const std::string single = JoinPath(directory, kSingleFile);
  const std::string index = JoinPath(directory, kIndexFile);
  // The same preference as transformers when a directory has both.
  absl::Status found = files.Stat(single).status();
  if (found.ok()) {
    HEROQ_RETURN_IF_ERROR(checkpoint->AddFile(files, single));
    return checkpoint;
  }
  if (absl::IsNotFound(found)) found = files.Stat(index).status();
  if (absl::IsNotFound(found)) {
    return MakeError(Reason::kModelNotFound,
                     absl::StrCat(directory, " holds neither ", kSingleFile, " nor ", kIndexFile),
                     {{"directory", directory}});
  }
  HEROQ_RETURN_IF_ERROR(found);
  HEROQ_RETURN_IF_ERROR(checkpoint->AddShards(files, index));
  return checkpoint;
}

absl::Status CheckpointReader::AddFile(FileSystem& files, const std::string& path) {
  HEROQ_ASSIGN_OR_RETURN(std::unique_ptr<SafetensorsReader> file, OpenModelFile(files, path));
  for (const auto& [name, info] : file->tensors()) {
    const auto [entry, inserted] = tensors_.emplace(name, Entry{file.get(), info});
    if (!inserted) {
      return Corrupt(path,
                     absl::StrCat("tensor ", QuoteJson(name), " is also in ", entry->second.file->path()));
    }
  }
  files_.push_back(std::move(file));
  return absl::OkStatus();
}

absl::Status CheckpointReader::AddShards(FileSystem& files, const std::string& index) {
  HEROQ_ASSIGN_OR_RETURN(const std::string text, ReadFile(files, index, kMaxShardIndexBytes));
  HEROQ_ASSIGN_OR_RETURN(const ShardIndex parsed, ParseShardIndex(text, index));
  const std::map<std::string, std::string>& shard_of = parsed.shard_of;
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : shard_of) shards.insert(shard);
  for (const std::string& shard : shards) {
    HEROQ_RETURN_IF_ERROR(AddFile(files, JoinPath(directory_, shard)));
  }
  for (const auto& [tensor, shard] : shard_of) {
    const auto entry = tensors_.find(tensor);
    if (entry == tensors_.end()) {
      return Corrupt(index, absl::StrCat("tensor ", QuoteJson(tensor), " is not in ", shard));
    }
    if (BaseName(entry->second.file->path()) != shard) {
      return Corrupt(index, absl::StrCat("tensor ", QuoteJson(tensor), " is in ",
                                         BaseName(entry->second.file->path()), ", not in ", shard));
    }
  }
  for (const auto& [tensor, entry] : tensors_) {
    if (shard_of.count(tensor) == 0) {
      return Corrupt(
          index, absl::StrCat("tensor ", QuoteJson(tensor), " of ", entry.file->path(), " is not listed"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<CheckpointReader::Entry> CheckpointReader::Find(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    return MakeError(Reason::kModelInvalid, absl::StrCat(directory_, ": tensor ", name, " is missing"),
                     {{"directory", directory_}, {"tensor", name}});
  }
  return found->second;
}

absl::StatusOr<std::string> CheckpointReader::ReadBytes(const std::string& name) const {
  HEROQ_ASSIGN_OR_RETURN(const Entry entry, Find(name));
  std::string bytes(static_cast<std::size_t>(entry.info.size), '\0');
  HEROQ_RETURN_IF_ERROR(entry.file->Read(entry.info, bytes.data()));
  return bytes;
}

}  // namespace heroq
