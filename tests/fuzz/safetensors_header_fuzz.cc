// A safetensors file: length field, header and data as they come.
#include <cstring>

#include "common/checkpoint/safetensors_header.h"
#include "tests/fuzz/fuzz_input.h"

namespace heroq {
namespace {

void CheckTensors(const SafetensorsHeader& header, int64_t header_bytes, int64_t file_bytes) {
  int64_t covered = 0;
  for (const auto& [name, info] : header.tensors) {
    Require(info.size >= 0 && info.begin >= kSafetensorsLengthBytes + header_bytes &&
                info.begin + info.size <= file_bytes,
            "a tensor lies in the data part");
    Require(info.elements() * SizeOf(info.dtype) == info.size, "sizes match types");
    covered += info.size;
  }
  Require(covered == file_bytes - kSafetensorsLengthBytes - header_bytes, "tensors cover the data part");
}

}  // namespace
}  // namespace heroq

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace heroq;
  const auto file_bytes = static_cast<int64_t>(size);
  if (file_bytes < kSafetensorsLengthBytes) return 0;
  FuzzInput input(data, size);
  const absl::string_view field = input.Take(kSafetensorsLengthBytes);
  const absl::StatusOr<int64_t> length = ParseSafetensorsLength(field, file_bytes, "f", {});
  if (!length.ok()) return 0;
  const auto header = ParseSafetensorsHeader(input.Take(*length), file_bytes, "f", {});
  if (header.ok()) CheckTensors(*header, *length, file_bytes);
  return 0;
}
