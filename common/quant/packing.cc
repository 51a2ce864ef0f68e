#include "common/quant/packing.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

namespace heroq {
namespace {

static_assert(std::endian::native == std::endian::little, "codes are packed as little-endian words");

// Eight codes of b bits are exactly b bytes, so a row is packed eight codes at a time, whatever b is. Squeeze
// moves eight codes, one a byte, together; each step joins neighbouring lanes and halves their number.

// The low `width` bits of every lane of `lane` bits.
constexpr uint64_t LaneMask(int width, int lane) {
  const uint64_t one = width == 64 ? ~uint64_t{0} : (uint64_t{1} << width) - 1;
  uint64_t mask = 0;
  for (int at = 0; at < 64; at += lane) mask |= one << at;
  return mask;
}

// In every lane of 2 * kLane bits: joins the kWidth low bits of its two halves.
template <int kWidth, int kLane>
uint64_t Join(uint64_t x) {
  constexpr uint64_t kLow = LaneMask(kWidth, 2 * kLane);
  return (x & kLow) | ((x >> (kLane - kWidth)) & (kLow << kWidth));
}

// Inverse of Join.
template <int kWidth, int kLane>
uint64_t Part(uint64_t x) {
  constexpr uint64_t kLow = LaneMask(kWidth, 2 * kLane);
  return (x & kLow) | ((x & (kLow << kWidth)) << (kLane - kWidth));
}

template <int kBits>
uint64_t Squeeze(uint64_t bytes) {
  return Join<4 * kBits, 32>(Join<2 * kBits, 16>(Join<kBits, 8>(bytes)));
}

template <int kBits>
uint64_t Spread(uint64_t packed) {
  return Part<kBits, 8>(Part<2 * kBits, 16>(Part<4 * kBits, 32>(packed)));
}

template <int kBits>
void PackRow(const uint8_t* codes, int64_t columns, unsigned char* out) {
  uint64_t bytes = 0;
  int64_t column = 0;
  for (; column + 8 <= columns; column += 8, out += kBits) {
    std::memcpy(&bytes, codes + column, 8);
    const uint64_t packed = Squeeze<kBits>(bytes);
    std::memcpy(out, &packed, kBits);
  }
  const int64_t rest = columns - column;
  if (rest == 0) return;
  bytes = 0;
  std::memcpy(&bytes, codes + column, rest);
  const uint64_t packed = Squeeze<kBits>(bytes);
  std::memcpy(out, &packed, (rest * kBits + 7) / 8);
}

template <int kBits>
void UnpackRow(const unsigned char* words, int64_t columns, uint8_t* codes) {
  if constexpr (kBits == 8) {
    std::memcpy(codes, words, columns);
    return;
  }
  const unsigned char* const end = words + PackedWords(columns, kBits) * 4;
  uint64_t packed = 0;
  int64_t column = 0;
  // A whole word is read where the row has one: a load of kBits bytes would wait for its parts to be stored.
  for (; column + 8 <= columns && end - words >= 8; column += 8, words += kBits) {
    std::memcpy(&packed, words, 8);
    const uint64_t bytes = Spread<kBits>(packed);
    std::memcpy(codes + column, &bytes, 8);
  }
  for (; column < columns; column += 8, words += kBits) {
    const int64_t count = std::min<int64_t>(8, columns - column);
    packed = 0;
    std::memcpy(&packed, words, (count * kBits + 7) / 8);
    const uint64_t bytes = Spread<kBits>(packed);
    std::memcpy(codes + column, &bytes, count);
  }
}

using PackFunction = void (*)(const uint8_t*, int64_t, unsigned char*);
using UnpackFunction = void (*)(const unsigned char*, int64_t, uint8_t*);

constexpr PackFunction kPackRow[] = {PackRow<1>, PackRow<2>, PackRow<3>, PackRow<4>,
                                     PackRow<5>, PackRow<6>, PackRow<7>, PackRow<8>};
constexpr UnpackFunction kUnpackRow[] = {UnpackRow<1>, UnpackRow<2>, UnpackRow<3>, UnpackRow<4>,
                                         UnpackRow<5>, UnpackRow<6>, UnpackRow<7>, UnpackRow<8>};

template <typename T>
std::vector<T> Transpose(absl::Span<const T> values, int64_t rows, int64_t columns) {
  // Square tiles keep both sides in the first-level cache.
  constexpr int64_t kTile = 64;
  std::vector<T> transposed(values.size());
  for (int64_t row_tile = 0; row_tile < rows; row_tile += kTile) {
    for (int64_t column_tile = 0; column_tile < columns; column_tile += kTile) {
      for (int64_t row = row_tile; row < std::min(row_tile + kTile, rows); ++row) {
        for (int64_t column = column_tile; column < std::min(column_tile + kTile, columns); ++column) {
          transposed[column * rows + row] = values[row * columns + column];
        }
      }
    }
  }
  return transposed;
}

}  // namespace

int64_t PackedWords(int64_t columns, int bits) { return (columns * bits + 31) / 32; }

std::vector<int32_t> PackRows(absl::Span<const uint8_t> codes, int64_t rows, int64_t columns, int bits) {
  assert(bits >= 1 && bits <= 8);
  assert(static_cast<int64_t>(codes.size()) == rows * columns);
  const int64_t words = PackedWords(columns, bits);
  std::vector<int32_t> packed(rows * words);
  auto* out = reinterpret_cast<unsigned char*>(packed.data());
  for (int64_t row = 0; row < rows; ++row) {
    kPackRow[bits - 1](codes.data() + row * columns, columns, out + row * words * 4);
  }
  return packed;
}

void UnpackRowInto(absl::Span<const int32_t> words, int64_t columns, int bits, uint8_t* codes) {
  assert(bits >= 1 && bits <= 8);
  assert(static_cast<int64_t>(words.size()) == PackedWords(columns, bits));
  kUnpackRow[bits - 1](reinterpret_cast<const unsigned char*>(words.data()), columns, codes);
}

std::vector<uint8_t> UnpackRows(absl::Span<const int32_t> words, int64_t rows, int64_t columns, int bits) {
  const int64_t row_words = PackedWords(columns, bits);
  assert(static_cast<int64_t>(words.size()) == rows * row_words);
  std::vector<uint8_t> codes(rows * columns);
  for (int64_t row = 0; row < rows; ++row) {
    UnpackRowInto(words.subspan(row * row_words, row_words), columns, bits, codes.data() + row * columns);
  }
  return codes;
}

std::vector<int32_t> PackColumns(absl::Span<const uint8_t> codes, int64_t rows, int64_t columns, int bits) {
  const std::vector<int32_t> packed = PackRows(Transpose(codes, rows, columns), columns, rows, bits);
  return Transpose<int32_t>(packed, columns, PackedWords(rows, bits));
}

std::vector<uint8_t> UnpackColumns(absl::Span<const int32_t> words, int64_t rows, int64_t columns, int bits) {
  const std::vector<int32_t> streams = Transpose(words, PackedWords(rows, bits), columns);
  return Transpose<uint8_t>(UnpackRows(streams, columns, rows, bits), columns, rows);
}

}  // namespace heroq
