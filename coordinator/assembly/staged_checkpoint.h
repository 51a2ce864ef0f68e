#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/file/file_system.h"
#include "coordinator/assembly/planned_file_digests.h"
#include "coordinator/assembly/result_reader.h"
#include "heroq/v1/journal.pb.h"
#include "heroq/v1/plan.pb.h"

namespace heroq {

// The weight files of a job while they are written: tensors at their planned offsets of "<file>.part" as
// results arrive, the finished file synced and renamed to its name. Thread-compatible, blocking.
class StagedCheckpoint {
 public:
  // `directory` exists; `finished` are the planned files it holds already. Checks that the source is what was
  // planned and writes every copied tensor of the other files. SOURCE_CHANGED, IO_ERROR.
  static absl::StatusOr<std::unique_ptr<StagedCheckpoint>> Open(FileSystem& files,
                                                                std::shared_ptr<const v1::Plan> plan,
                                                                const std::string& directory,
                                                                const std::vector<std::string>& finished);

  const std::string& directory() const { return directory_; }
  // Whether an unfinished file lacks tensors of this unit.
  bool Needs(int unit) const { return missing_units_.count(unit) > 0; }
  // Writes what a unit gave.
  absl::Status AddUnit(int unit, UnitResult result);
  // Finishes one file that has all its tensors; nullopt when there is none. What it returns has its name, was
  // read back and outlasts a power cut. VALIDATION_FAILED when a copied tensor does not read back as the
  // bytes of the source that were copied.
  absl::StatusOr<std::optional<v1::FileAssembled>> FinishFile();
  // The digests of a finished file, read from it: when it was finished, if that was here and the file has not
  // been touched since, else now. VALIDATION_FAILED, IO_ERROR.
  absl::StatusOr<PlannedFileDigests> DigestsOf(const v1::PlannedFile& planned) const;
  // Every planned file is finished.
  bool complete() const { return open_.empty(); }

 private:
  struct OpenFile {
    const v1::PlannedFile* planned = nullptr;
    std::unique_ptr<WritableFile> file;
    std::set<int> missing_units;
    std::map<std::string, std::string> copied;  // SHA-256 of the source's bytes, by tensor
  };

  StagedCheckpoint(FileSystem& files, std::shared_ptr<const v1::Plan> plan, std::string directory)
      : files_(files), plan_(std::move(plan)), directory_(std::move(directory)) {}
  absl::StatusOr<std::unique_ptr<CheckpointReader>> OpenSource();
  absl::Status Begin(const v1::PlannedFile& planned, const CheckpointReader& source);
  // The SHA-256 of what was copied.
  absl::StatusOr<std::string> CopyTensor(const v1::PlannedTensor& tensor, int64_t offset,
                                         const CheckpointReader& source, WritableFile& file);
  // Makes what was written to `path` durable, closes it and reads it back.
  absl::StatusOr<PlannedFileDigests> SyncAndReadBack(OpenFile& open, const std::string& path);
  // The file at `path` as an open finds it now.
  absl::StatusOr<FileInfo> Info(const std::string& path) const;

  FileSystem& files_;
  const std::shared_ptr<const v1::Plan> plan_;
  const std::string directory_;
  std::map<std::string, OpenFile> open_;                 // by name
  std::map<std::string, PlannedFileDigests> read_back_;  // by name; `info` as the file was left
  std::set<int> missing_units_;
};

}  // namespace heroq
