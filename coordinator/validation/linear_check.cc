#include "coordinator/validation/linear_check.h"

#include <cmath>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/quant/half.h"
#include "common/quant/packing.h"
#include "common/status/status_macros.h"
#include "coordinator/planning/quantized_tensors.h"

namespace heroq {
namespace {

float ScaleAt(const std::string& bytes, DType dtype, int64_t index) {
  if (dtype == DType::kF32) {
    float value = 0;
    std::memcpy(&value, bytes.data() + 4 * index, 4);
    return value;
  }
  uint16_t bits = 0;
  std::memcpy(&bits, bytes.data() + 2 * index, 2);
  return dtype == DType::kBf16 ? Bf16ToFloat(bits) : F16ToFloat(bits);
}

uint32_t WordAt(const std::string& bytes, int64_t index) {
  uint32_t word = 0;
  std::memcpy(&word, bytes.data() + 4 * index, 4);
  return word;
}

// Bits of the last of the words that hold `codes` codes which no code uses.
uint32_t PaddingMask(int64_t codes, int bits) {
  const int used = static_cast<int>(codes * bits % 32);
  return used == 0 ? 0 : ~uint32_t{0} << used;
}

void CheckScales(const std::string& bytes, const CheckpointReader::Entry& entry, const Findings::Place& place,
                 Findings& findings, bool& holds) {
  int64_t bad = 0, first = 0;
  for (int64_t i = 0; i < entry.info.elements(); ++i) {
    const float scale = ScaleAt(bytes, entry.info.dtype, i);
    if (std::isfinite(scale) && scale > 0) continue;
    if (bad++ == 0) first = i;
  }
  const int64_t groups = entry.info.shape[1];
  holds &= findings.Check(
      bad == 0, "scale_not_positive", place, "finite scales above 0",
      bad == 0 ? ""
               : absl::StrCat(ScaleAt(bytes, entry.info.dtype, first), " at [", first / groups, ", ",
                              first % groups, "], ", bad, " of ", entry.info.elements(), " wrong"));
}

}  // namespace

absl::StatusOr<bool> CheckQuantizedLinear(const CheckpointReader& reader, const LinearLayout& linear,
                                          const QuantScheme& scheme, Findings& findings) {
  bool holds = true;
  const auto place = [&](const std::string& name) {
    return Findings::Place{name, BaseName(reader.tensors().at(name).file->path())};
  };
  const std::string shape_name = ShapeName(linear.name);
  HEROQ_ASSIGN_OR_RETURN(const std::string shape_bytes, reader.ReadBytes(shape_name));
  std::vector<int64_t> shape(2);
  std::memcpy(shape.data(), shape_bytes.data(), 16);
  const std::vector<int64_t> expected_shape = {linear.out_features, linear.in_features};
  holds &= findings.Check(shape == expected_shape, "weight_shape", place(shape_name),
                          absl::StrJoin(expected_shape, " x "), absl::StrJoin(shape, " x "));

  const std::string scale_name = ScaleName(linear.name);
  HEROQ_ASSIGN_OR_RETURN(const CheckpointReader::Entry scale_entry, reader.Find(scale_name));
  HEROQ_ASSIGN_OR_RETURN(const std::string scales, reader.ReadBytes(scale_name));
  CheckScales(scales, scale_entry, place(scale_name), findings, holds);

  const std::string packed_name = PackedName(linear.name);
  HEROQ_ASSIGN_OR_RETURN(const std::string packed, reader.ReadBytes(packed_name));
  const int64_t words = PackedWords(linear.in_features, scheme.weight_bits);
  const uint32_t mask = PaddingMask(linear.in_features, scheme.weight_bits);
  std::optional<int64_t> bad_row;
  for (int64_t row = 0; mask != 0 && row < linear.out_features && !bad_row; ++row) {
    if ((WordAt(packed, row * words + words - 1) & mask) != 0) bad_row = row;
  }
  holds &=
      findings.Check(!bad_row.has_value(), "padding_not_zero", place(packed_name),
                     "zero bits after the last code", absl::StrCat("set bits in row ", bad_row.value_or(0)));
  if (scheme.symmetric) return holds;

  const std::string zero_name = ZeroPointName(linear.name);
  HEROQ_ASSIGN_OR_RETURN(const std::string zeros, reader.ReadBytes(zero_name));
  const uint32_t zero_mask = PaddingMask(linear.out_features, scheme.weight_bits);
  const int64_t groups = scheme.groups(linear.in_features);
  const int64_t last_row = PackedWords(linear.out_features, scheme.weight_bits) - 1;
  std::optional<int64_t> bad_group;
  for (int64_t group = 0; zero_mask != 0 && group < groups && !bad_group; ++group) {
    if ((WordAt(zeros, last_row * groups + group) & zero_mask) != 0) bad_group = group;
  }
  holds &= findings.Check(!bad_group.has_value(), "padding_not_zero", place(zero_name),
                          "zero bits after the last zero point",
                          absl::StrCat("set bits in group ", bad_group.value_or(0)));
  return holds;
}

}  // namespace heroq
