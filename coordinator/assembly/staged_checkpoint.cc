#include "coordinator/assembly/staged_checkpoint.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/blob/sha256.h"
#include "common/checkpoint/finite_values.h"
#include "common/checkpoint/tensor_pieces.h"
#include "common/concurrency/side_by_side.h"
#include "common/file/failpoint.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/planning/model_inspection.h"
#include "coordinator/planning/quantization_config.h"

namespace heroq {
namespace {

constexpr char kPartSuffix[] = ".part";

}  // namespace

absl::StatusOr<std::unique_ptr<StagedCheckpoint>> StagedCheckpoint::Open(
    FileSystem& files, std::shared_ptr<const v1::Plan> plan, const std::string& directory,
    const std::vector<std::string>& finished) {
  std::unique_ptr<StagedCheckpoint> staged(new StagedCheckpoint(files, std::move(plan), directory));
  HEROQ_ASSIGN_OR_RETURN(const std::unique_ptr<CheckpointReader> source, staged->OpenSource());
  for (const v1::PlannedFile& planned : staged->plan_->files()) {
    if (std::find(finished.begin(), finished.end(), planned.name()) != finished.end()) continue;
    HEROQ_RETURN_IF_ERROR(staged->Begin(planned, *source));
  }
  return staged;
}

absl::StatusOr<std::unique_ptr<CheckpointReader>> StagedCheckpoint::OpenSource() {
  const std::string& directory = plan_->model_directory();
  HEROQ_RETURN_IF_ERROR(CheckPinnedFiles(files_, directory, plan_->sources()));
  HEROQ_ASSIGN_OR_RETURN(std::unique_ptr<CheckpointReader> source, CheckpointReader::Open(files_, directory));
  for (const auto& file : source->files()) {
    const std::string name = BaseName(file->path());
    const auto pinned = std::find_if(plan_->sources().begin(), plan_->sources().end(),
                                     [&](const v1::PinnedFile& entry) { return entry.name() == name; });
    if (pinned == plan_->sources().end() || pinned->digest() != file->header_digest()) {
      return MakeError(Reason::kSourceChanged,
                       absl::StrCat(file->path(), " has another header than when the job was planned"),
                       {{"path", file->path()}});
    }
  }
  return source;
}

absl::Status StagedCheckpoint::Begin(const v1::PlannedFile& planned, const CheckpointReader& source) {
  HEROQ_FAILPOINT(shard_before_create);
  OpenFile open;
  open.planned = &planned;
  const std::string part = JoinPath(directory_, absl::StrCat(planned.name(), kPartSuffix));
  HEROQ_RETURN_IF_ERROR(files_.CreateDirectories(DirectoryOf(part)));
  HEROQ_ASSIGN_OR_RETURN(open.file, files_.Create(part));
  HEROQ_RETURN_IF_ERROR(open.file->WriteAt(0, planned.header()));
  const int64_t data = static_cast<int64_t>(planned.header().size());
  for (const v1::PlannedTensor& tensor : planned.tensors()) {
    if (tensor.copied()) {
      HEROQ_ASSIGN_OR_RETURN(open.copied[tensor.name()],
                             CopyTensor(tensor, data + tensor.begin(), source, *open.file));
    } else {
      open.missing_units.insert(tensor.unit());
      missing_units_.insert(tensor.unit());
    }
  }
  open_.emplace(planned.name(), std::move(open));
  HEROQ_FAILPOINT(shard_after_create);
  return absl::OkStatus();
}

absl::StatusOr<std::string> StagedCheckpoint::CopyTensor(const v1::PlannedTensor& tensor, int64_t offset,
                                                         const CheckpointReader& source, WritableFile& file) {
  HEROQ_ASSIGN_OR_RETURN(const CheckpointReader::Entry entry, source.Find(tensor.name()));
  int64_t bad = 0;
  Sha256 digest;
  HEROQ_RETURN_IF_ERROR(ReadInPieces(entry, [&](int64_t at, absl::string_view piece) {
    bad += CountNonFinite(entry.info.dtype, piece);
    digest.Update(piece);
    return file.WriteAt(offset + at, piece);
  }));
  if (bad == 0) return digest.Finish();
  return MakeError(Reason::kModelInvalid,
                   absl::StrCat(plan_->model_directory(), ": tensor ", tensor.name(), ": ", bad, " of ",
                                entry.info.elements(), " values are NaN or Inf"),
                   {{"tensor", tensor.name()}});
}

absl::Status StagedCheckpoint::AddUnit(int unit, UnitResult result) {
  HEROQ_FAILPOINT(unit_before_write);
  std::map<std::string, std::string> bytes;
  for (const QuantizedLinear& linear : result.linears) {
    for (TensorBytes& tensor : StoredTensors(linear, PlannedFormat(*plan_, linear.scheme))) {
      bytes[tensor.name] = std::move(tensor.bytes);
    }
  }
  for (TensorBytes& tensor : result.tensors) bytes[tensor.name] = std::move(tensor.bytes);
  for (auto& [name, open] : open_) {
    if (open.missing_units.count(unit) == 0) continue;
    for (const v1::PlannedTensor& tensor : open.planned->tensors()) {
      if (tensor.copied() || tensor.unit() != unit) continue;
      const auto found = bytes.find(tensor.name());
      if (found == bytes.end() ||
          static_cast<int64_t>(found->second.size()) != tensor.end() - tensor.begin()) {
        return MakeError(Reason::kInternal,
                         absl::StrCat("unit ", unit, " does not give tensor ", tensor.name(), " of ",
                                      tensor.end() - tensor.begin(), " bytes"));
      }
      const int64_t offset = static_cast<int64_t>(open.planned->header().size()) + tensor.begin();
      HEROQ_RETURN_IF_ERROR(open.file->WriteAt(offset, found->second));
    }
    open.missing_units.erase(unit);
  }
  missing_units_.erase(unit);
  HEROQ_FAILPOINT(unit_after_write);
  return absl::OkStatus();
}

absl::StatusOr<PlannedFileDigests> StagedCheckpoint::SyncAndReadBack(OpenFile& open,
                                                                     const std::string& path) {
  absl::Status synced;
  absl::StatusOr<PlannedFileDigests> digests;
  // Hashed as read back, so that what was lost on the way to the file is noticed now, not by users. What was
  // just written is read from the page cache, before the sync as after it: the disk need not be waited for.
  RunSideBySide([&] { synced = open.file->Sync(); },
                [&] { digests = DigestPlannedFile(files_, path, *open.planned); });
  // Before what was read: a disk in trouble is tried again, bytes that differ end the job.
  HEROQ_RETURN_IF_ERROR(synced);
  HEROQ_RETURN_IF_ERROR(open.file->Close());
  HEROQ_RETURN_IF_ERROR(digests.status());
  for (const auto& [tensor, digest] : digests->tensors) {
    const auto source = open.copied.find(tensor->name());
    if (source == open.copied.end() || source->second == digest) continue;
    return MakeError(Reason::kValidationFailed,
                     absl::StrCat(path, ": tensor ", tensor->name(),
                                  " does not read back as copied from the source: expected SHA-256 ",
                                  source->second, ", found ", digest),
                     {{"path", path}, {"tensor", tensor->name()}});
  }
  return digests;
}

absl::StatusOr<std::optional<v1::FileAssembled>> StagedCheckpoint::FinishFile() {
  for (auto entry = open_.begin(); entry != open_.end(); ++entry) {
    OpenFile& open = entry->second;
    if (!open.missing_units.empty()) continue;
    const std::string path = JoinPath(directory_, open.planned->name());
    const std::string part = absl::StrCat(path, kPartSuffix);
    HEROQ_FAILPOINT(shard_before_sync);
    HEROQ_ASSIGN_OR_RETURN(PlannedFileDigests digests, SyncAndReadBack(open, part));
    HEROQ_FAILPOINT(shard_before_rename);
    HEROQ_RETURN_IF_ERROR(files_.Rename(part, path));
    HEROQ_FAILPOINT(shard_after_rename);
    HEROQ_RETURN_IF_ERROR(files_.SyncDirectory(DirectoryOf(path)));
    HEROQ_RETURN_IF_ERROR(files_.SyncDirectory(directory_));
    v1::FileAssembled assembled;
    assembled.set_name(open.planned->name());
    assembled.set_size_bytes(digests.whole.size_bytes);
    assembled.set_sha256(digests.whole.sha256);
    HEROQ_ASSIGN_OR_RETURN(const FileInfo left, Info(path));
    // Of all that is compared, the rename changes this.
    digests.info.change_time_nanos = left.change_time_nanos;
    if (digests.info == left) read_back_[open.planned->name()] = std::move(digests);
    open_.erase(entry);
    return std::optional<v1::FileAssembled>(std::move(assembled));
  }
  return std::optional<v1::FileAssembled>();
}

absl::StatusOr<FileInfo> StagedCheckpoint::Info(const std::string& path) const {
  // Not by its name: network file systems look again at what they know of a file when it is opened.
  HEROQ_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccessFile> file, files_.OpenForRead(path));
  return file->Stat();
}

absl::StatusOr<PlannedFileDigests> StagedCheckpoint::DigestsOf(const v1::PlannedFile& planned) const {
  const std::string path = JoinPath(directory_, planned.name());
  if (const auto known = read_back_.find(planned.name()); known != read_back_.end()) {
    HEROQ_ASSIGN_OR_RETURN(const FileInfo now, Info(path));
    if (now == known->second.info) return known->second;
  }
  return DigestPlannedFile(files_, path, planned);
}

}  // namespace heroq
