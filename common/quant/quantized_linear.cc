#include "common/quant/quantized_linear.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/quant/half.h"
#include "common/quant/packing.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

float ScaleToFloat(ScaleType type, uint16_t bits) {
  return type == ScaleType::kBf16 ? Bf16ToFloat(bits) : F16ToFloat(bits);
}

absl::Status Broken(const QuantizedLinear& linear, absl::string_view rule) {
  return MakeError(Reason::kInternal, absl::StrCat("quantized linear ", linear.name, ": ", rule),
                   {{"linear", linear.name}});
}

absl::Status CheckCount(const QuantizedLinear& linear, absl::string_view what, std::size_t count,
                        int64_t expected) {
  if (static_cast<int64_t>(count) == expected) return absl::OkStatus();
  return Broken(linear, absl::StrCat(what, " has ", count, " values, expected ", expected));
}

}  // namespace

absl::Status ValidateQuantizedLinear(const QuantizedLinear& linear) {
  if (linear.out_features < 1 || linear.in_features < 1) return Broken(linear, "features must be positive");
  if (absl::Status status = ValidateScheme(linear.scheme, linear.in_features, linear.name); !status.ok()) {
    return Broken(linear, status.message());
  }
  const int64_t scales = linear.out_features * linear.groups();
  const int64_t words = linear.out_features * PackedWords(linear.in_features, linear.scheme.weight_bits);
  for (const absl::Status& status :
       {CheckCount(linear, "packed_codes", linear.packed_codes.size(), words),
        CheckCount(linear, "scales", linear.scales.size(), scales),
        CheckCount(linear, "zero_points", linear.zero_points.size(), linear.scheme.symmetric ? 0 : scales)}) {
    if (!status.ok()) return status;
  }
  for (std::size_t i = 0; i < linear.scales.size(); ++i) {
    const float scale = ScaleToFloat(linear.scheme.scale_type, linear.scales[i]);
    if (!(scale > 0) || !std::isfinite(scale)) {
      return Broken(linear, absl::StrCat("scale ", i, " is ", scale, ", expected finite and positive"));
    }
  }
  const auto bad = std::find_if(linear.zero_points.begin(), linear.zero_points.end(),
                                [&](uint8_t zero) { return zero > linear.scheme.max_code(); });
  if (bad != linear.zero_points.end()) {
    return Broken(linear, absl::StrCat("zero point ", bad - linear.zero_points.begin(), " is ", int{*bad},
                                       ", expected at most ", linear.scheme.max_code()));
  }
  return absl::OkStatus();
}

std::vector<float> Dequantize(const QuantizedLinear& linear) {
  const int64_t columns = linear.in_features;
  const int64_t groups = linear.groups();
  const int64_t length = linear.scheme.group_length(columns);
  const int64_t words = PackedWords(columns, linear.scheme.weight_bits);
  const absl::Span<const int32_t> packed(linear.packed_codes);
  std::vector<uint8_t> codes(columns);
  std::vector<float> weight(linear.out_features * columns);
  for (int64_t row = 0; row < linear.out_features; ++row) {
    UnpackRowInto(packed.subspan(row * words, words), columns, linear.scheme.weight_bits, codes.data());
    for (int64_t group = 0; group < groups; ++group) {
      const int64_t at = row * groups + group;
      const float scale = ScaleToFloat(linear.scheme.scale_type, linear.scales[at]);
      const int zero = linear.scheme.symmetric ? linear.scheme.middle_code() : linear.zero_points[at];
      float* out = weight.data() + row * columns + group * length;
      const uint8_t* in = codes.data() + group * length;
      for (int64_t i = 0; i < length; ++i) out[i] = scale * static_cast<float>(in[i] - zero);
    }
  }
  return weight;
}

}  // namespace heroq
