#pragma once

#include <string>

#include "absl/status/status.h"
#include "common/file/file_system.h"

namespace heroq {

// Whether a checkpoint can be published as `output` (an absolute path): it does not exist, is not inside
// `model` (empty: unknown), and the directory it will be made in, or the nearest that exists above, takes
// new entries. INVALID_SPEC, OUTPUT_EXISTS, IO_ERROR. Blocking; changes nothing.
absl::Status CheckOutput(FileSystem& files, const std::string& output, const std::string& model);

}  // namespace heroq
