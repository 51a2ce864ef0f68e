#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/checkpoint/safetensors_reader.h"

namespace heroq {

// Bytes of the length field that opens a file.
inline constexpr int64_t kSafetensorsLengthBytes = 8;

struct SafetensorsHeader {
  std::map<std::string, TensorInfo> tensors;
  std::map<std::string, std::string> metadata;
};

// The header's size, from the first 8 bytes of a file of `file_bytes`. FILE_CORRUPT when it is above the
// limit or the file.
absl::StatusOr<int64_t> ParseSafetensorsLength(absl::string_view field, int64_t file_bytes,
                                               const std::string& name, const SafetensorsLimits& limits);

// Parses the JSON after the length field and checks every rule listed at SafetensorsReader. `name` is for
// messages. FILE_CORRUPT; UNSUPPORTED for an element type that the format has and heroq does not read.
absl::StatusOr<SafetensorsHeader> ParseSafetensorsHeader(absl::string_view header, int64_t file_bytes,
                                                         const std::string& name,
                                                         const SafetensorsLimits& limits);

}  // namespace heroq
