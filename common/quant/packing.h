#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace heroq {

// Words a row of `columns` codes of `bits` bits takes: ceil(columns * bits / 32).
int64_t PackedWords(int64_t columns, int bits);

// Packs codes (unsigned, < 2^bits) of each row as one LSB-first bit stream over 32-bit little-endian words;
// codes may cross words (3, 5, 6, 7 bits); the last word is filled with zero bits. This is compressed-tensors
// pack-quantized of version 0.17 and newer. `codes` [rows, columns] -> [rows, PackedWords]. bits in 1..8.
std::vector<int32_t> PackRows(absl::Span<const uint8_t> codes, int64_t rows, int64_t columns, int bits);

// Inverse of PackRows.
std::vector<uint8_t> UnpackRows(absl::Span<const int32_t> words, int64_t rows, int64_t columns, int bits);

// One row of UnpackRows: `words` [PackedWords(columns)] -> `codes` [columns], allocated by the caller.
void UnpackRowInto(absl::Span<const int32_t> words, int64_t columns, int bits, uint8_t* codes);

// Zero points of compressed-tensors are packed along the output dimension: codes [rows, columns] ->
// [PackedWords(rows), columns], each column one bit stream.
std::vector<int32_t> PackColumns(absl::Span<const uint8_t> codes, int64_t rows, int64_t columns, int bits);
// Inverse of PackColumns; `rows` and `columns` are those of the codes.
std::vector<uint8_t> UnpackColumns(absl::Span<const int32_t> words, int64_t rows, int64_t columns, int bits);

}  // namespace heroq
