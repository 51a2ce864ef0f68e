#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/file/file_system.h"
#include "heroq/v1/journal.pb.h"

namespace heroq {

// Names the staging directories of a job; each of the trials of a job (JobRecord::trial) has its own.
std::string StagingId(const std::string& job_id, int trial);

// Where a job's checkpoint grows until it is published: ".staging-<id>-<epoch>" beside the output, on the
// same file system.
std::string StagingPath(const std::string& output_directory, const std::string& staging_id, int64_t epoch);

// Every staging directory of that id, whatever its epoch, sorted. A missing parent has none.
absl::StatusOr<std::vector<std::string>> ListStaging(FileSystem& files, const std::string& output_directory,
                                                     const std::string& staging_id);

// Makes `staging` hold just those files of `assembled` that it or another staging directory of the id holds
// with the recorded bytes, and removes the others. Returns the names it holds. Idempotent: may be cut short
// anywhere.
absl::StatusOr<std::vector<std::string>> AdoptStaged(
    FileSystem& files, const std::string& output_directory, const std::string& staging_id,
    const std::string& staging, const std::map<std::string, v1::FileAssembled>& assembled);

// Removes every staging directory of the id.
absl::Status RemoveStaging(FileSystem& files, const std::string& output_directory,
                           const std::string& staging_id);

}  // namespace heroq
