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

// Where a job's checkpoint grows until it is published: ".staging-<job>-<epoch>" beside the output, on the
// same file system.
std::string StagingPath(const std::string& output_directory, const std::string& job_id, int64_t epoch);

// Every staging directory of the job, whatever its epoch, sorted. A missing parent has none.
absl::StatusOr<std::vector<std::string>> ListStaging(FileSystem& files, const std::string& output_directory,
                                                     const std::string& job_id);

// Makes `staging` hold just those files of `assembled` that it or another staging directory of the job holds
// with the recorded bytes, and removes the others. Returns the names it holds. Idempotent: may be cut short
// anywhere.
absl::StatusOr<std::vector<std::string>> AdoptStaged(
    FileSystem& files, const std::string& output_directory, const std::string& job_id,
    const std::string& staging, const std::map<std::string, v1::FileAssembled>& assembled);

// Removes every staging directory of the job.
absl::Status RemoveStaging(FileSystem& files, const std::string& output_directory, const std::string& job_id);

}  // namespace heroq
