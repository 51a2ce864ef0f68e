#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

namespace heroq {

// CRC-32C (Castagnoli polynomial 0x1EDC6F41, reflected, initial value and final xor all ones) as in RFC 3720
// appendix B.4. Uses the SSE4.2 instruction where the processor has it. With the checksum of the bytes
// `before`, that of both together. Thread-safe.
uint32_t Crc32c(absl::string_view data, uint32_t before = 0);

// The same without special instructions: what other processors run.
uint32_t PortableCrc32c(absl::string_view data, uint32_t before = 0);

}  // namespace heroq
