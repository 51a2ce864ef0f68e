#include "coordinator/validation/linear_parts.h"

#include "absl/strings/str_cat.h"
#include "common/quant/packing.h"
#include "coordinator/planning/quantized_tensors.h"

namespace heroq {
namespace {

LinearParts PackedParts(const std::string& linear) {
  return {PackedName(linear), ScaleName(linear), ZeroPointName(linear), absl::StrCat(linear, ".weight_g_idx"),
          ShapeName(linear)};
}

}  // namespace

LinearParts PartsOf(const std::string& linear, const LinearStorage& storage) {
  LinearParts parts;
  switch (storage.format) {
    case LinearFormat::kPackQuantized:
      parts = PackedParts(linear);
      break;
    case LinearFormat::kIntQuantized:
      parts = PackedParts(linear);
      parts.codes = absl::StrCat(linear, ".weight");
      parts.shape.clear();
      break;
    case LinearFormat::kGptq:
    case LinearFormat::kGptqV2:
      return {absl::StrCat(linear, ".qweight"), absl::StrCat(linear, ".scales"),
              absl::StrCat(linear, ".qzeros"), absl::StrCat(linear, ".g_idx"), ""};
  }
  if (storage.scheme.symmetric) parts.zero_points.clear();
  if (storage.group_index == GroupIndex::kAbsent) parts.group_index.clear();
  return parts;
}

std::vector<DType> FloatTypes() { return {DType::kBf16, DType::kF16, DType::kF32}; }

std::vector<ExpectedTensor> ExpectedParts(const LinearLayout& linear, const LinearStorage& storage) {
  const LinearParts parts = PartsOf(linear.name, storage);
  const int64_t out = linear.out_features, in = linear.in_features;
  const int64_t groups = storage.groups(in);
  const int bits = storage.scheme.weight_bits;
  std::vector<ExpectedTensor> expected;
  switch (storage.format) {
    case LinearFormat::kPackQuantized:
      expected = {{parts.codes, {out, PackedWords(in, bits)}, {DType::kI32}},
                  {parts.scales, {out, groups}, FloatTypes()},
                  {parts.zero_points, {PackedWords(out, bits), groups}, {DType::kI32}},
                  {parts.shape, {2}, {DType::kI64, DType::kI32}}};
      break;
    case LinearFormat::kIntQuantized:
      expected = {{parts.codes, {out, in}, {DType::kI8}},
                  {parts.scales, {out, groups}, FloatTypes()},
                  {parts.zero_points, {out, groups}, {DType::kI8}}};
      break;
    case LinearFormat::kGptq:
    case LinearFormat::kGptqV2:
      expected = {{parts.codes, {PackedWords(in, bits), out}, {DType::kI32}},
                  {parts.scales, {groups, out}, FloatTypes()},
                  {parts.zero_points, {groups, PackedWords(out, bits)}, {DType::kI32}}};
      break;
  }
  std::vector<ExpectedTensor> named;
  for (ExpectedTensor& tensor : expected) {
    if (!tensor.name.empty()) named.push_back(std::move(tensor));
  }
  if (!parts.group_index.empty()) {
    named.push_back({parts.group_index,
                     {in},
                     {DType::kI32},
                     false,
                     /*optional=*/storage.group_index == GroupIndex::kAllowed});
  }
  return named;
}

}  // namespace heroq
