#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/checkpoint/linear_storage.h"
#include "common/file/file_system.h"
#include "common/model/model_layout.h"
#include "common/model/online_rotation.h"
#include "coordinator/validation/findings.h"

namespace heroq {

// A checkpoint directory opened for validation.
struct DirectoryModel {
  ModelLayout layout;
  std::map<std::string, LinearStorage> quantized;  // by linear; dense ones are absent
  std::vector<RotatedInput> rotations;             // that loaders apply
  std::unique_ptr<CheckpointReader> tensors;
};

// nullopt when config.json or a tensor file cannot be read or understood: why is a finding. An error only for
// a missing directory (MODEL_NOT_FOUND).
absl::StatusOr<std::optional<DirectoryModel>> OpenDirectoryModel(FileSystem& files,
                                                                 const std::string& directory,
                                                                 Findings& findings);

// Every tensor of the architecture is there once, in the form its storage says, and no other (rotary buffers
// and a tied head aside); groups divide the inputs; dense values are finite; the index, where there is one,
// lists the tensors where they are and states their size.
void CheckStructure(FileSystem& files, const DirectoryModel& model, Findings& findings);

}  // namespace heroq
