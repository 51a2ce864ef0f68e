#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/checkpoint/dtype.h"

namespace heroq {

struct TensorSpec {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;

  int64_t bytes() const;
};

struct PlacedTensor {
  TensorSpec spec;
  int64_t begin = 0;  // offset in the data part
  int64_t end = 0;
};

// Header and data layout of a file before any data exists. Tensors are ordered as the Python library orders
// them (DType descending, so wide elements first, then name), so every tensor is aligned; metadata keys are
// sorted (the library's order of them is random); the header is padded with spaces to 8 bytes. Otherwise
// equal inputs give the bytes the Python library writes.
struct SafetensorsLayout {
  std::string header;  // 8-byte length included
  std::vector<PlacedTensor> tensors;
  int64_t data_bytes = 0;
};

// No metadata, no "__metadata__". INVALID_SPEC for a duplicate or reserved name, text that is not UTF-8, a
// negative dimension, sizes beyond 64 bits, a header above 100,000,000 bytes (the library's limit).
absl::StatusOr<SafetensorsLayout> LayOutSafetensors(std::vector<TensorSpec> tensors,
                                                    const std::map<std::string, std::string>& metadata);

struct NamedBytes {
  TensorSpec spec;
  absl::string_view bytes;
};

// A file as its header and the bytes of its tensors in their order, which stay where they are.
struct SafetensorsPieces {
  std::string header;
  std::vector<absl::string_view> tensors;

  // Header first; valid while this object stays.
  std::vector<absl::string_view> InOrder() const;
};

// INVALID_SPEC also for bytes that do not fill the shape.
absl::StatusOr<SafetensorsPieces> ArrangeSafetensors(const std::vector<NamedBytes>& tensors,
                                                     const std::map<std::string, std::string>& metadata = {});

// The same as a complete file in memory.
absl::StatusOr<std::string> SerializeSafetensors(const std::vector<NamedBytes>& tensors,
                                                 const std::map<std::string, std::string>& metadata = {});

// A parsed file in memory; views point into `bytes`. Same strictness as SafetensorsReader. `name` is for
// messages.
struct ParsedSafetensors {
  std::map<std::string, NamedBytes> tensors;
  std::map<std::string, std::string> metadata;
};
absl::StatusOr<ParsedSafetensors> ParseSafetensors(absl::string_view bytes, const std::string& name);

}  // namespace heroq
