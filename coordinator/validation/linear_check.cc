#include "coordinator/validation/linear_check.h"

#include <cmath>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/quant/packing.h"
#include "common/status/status_macros.h"
#include "coordinator/validation/group_index_check.h"
#include "coordinator/validation/linear_parts.h"
#include "coordinator/validation/stored_weight.h"
#include "coordinator/validation/tensor_checks.h"

namespace heroq {
namespace {

// One linear while it is checked.
class LinearCheck {
 public:
  LinearCheck(const CheckpointReader& reader, const LinearLayout& linear, const LinearStorage& storage,
              Findings& findings)
      : reader_(reader),
        linear_(linear),
        storage_(storage),
        findings_(findings),
        parts_(PartsOf(linear.name, storage)) {}

  absl::StatusOr<bool> Run() {
    if (!parts_.shape.empty()) HEROQ_RETURN_IF_ERROR(CheckShape());
    HEROQ_RETURN_IF_ERROR(CheckScales());
    if (storage_.format == LinearFormat::kIntQuantized) {
      HEROQ_RETURN_IF_ERROR(CheckRange(parts_.codes, "code_range"));
      if (!parts_.zero_points.empty()) {
        HEROQ_RETURN_IF_ERROR(CheckRange(parts_.zero_points, "zero_point_range"));
      }
    } else {
      HEROQ_RETURN_IF_ERROR(CheckPadding());
    }
    if (reader_.Has(parts_.group_index)) HEROQ_RETURN_IF_ERROR(CheckIndex());
    // Loaders take the middle for granted where the configuration says symmetric.
    const bool gptq = storage_.format == LinearFormat::kGptq || storage_.format == LinearFormat::kGptqV2;
    if (gptq && storage_.scheme.symmetric && holds_) HEROQ_RETURN_IF_ERROR(CheckMiddle());
    return holds_;
  }

 private:
  void Check(bool holds, absl::string_view rule, const std::string& tensor, absl::string_view expected,
             absl::string_view found) {
    const Findings::Place place{tensor, BaseName(reader_.tensors().at(tensor).file->path())};
    holds_ &= findings_.Check(holds, rule, place, expected, found);
  }

  absl::Status CheckShape() {
    HEROQ_ASSIGN_OR_RETURN(const std::string bytes, reader_.ReadBytes(parts_.shape));
    std::vector<int64_t> shape;
    if (reader_.tensors().at(parts_.shape).info.dtype == DType::kI64) {
      shape.resize(2);
      std::memcpy(shape.data(), bytes.data(), 16);
    } else {
      HEROQ_ASSIGN_OR_RETURN(const std::vector<int32_t> narrow, ReadIntegers(reader_, parts_.shape));
      shape.assign(narrow.begin(), narrow.end());
    }
    const std::vector<int64_t> expected = {linear_.out_features, linear_.in_features};
    Check(shape == expected, "weight_shape", parts_.shape, absl::StrJoin(expected, " x "),
          absl::StrJoin(shape, " x "));
    return absl::OkStatus();
  }

  absl::Status CheckScales() {
    HEROQ_ASSIGN_OR_RETURN(const CheckpointReader::Entry entry, reader_.Find(parts_.scales));
    HEROQ_ASSIGN_OR_RETURN(const std::vector<float> scales, ReadFloats(entry));
    const bool any_sign = storage_.signed_scales && storage_.scheme.symmetric;
    const auto good = [&](float scale) {
      return std::isfinite(scale) && (scale > 0 || (any_sign && scale < 0));
    };
    size_t bad = 0, first = 0;
    for (size_t i = 0; i < scales.size(); ++i) {
      if (!good(scales[i]) && bad++ == 0) first = i;
    }
    const int64_t columns = entry.info.shape[1];
    const auto at = static_cast<int64_t>(first);
    Check(bad == 0, "scale_not_positive", parts_.scales,
          any_sign ? "finite scales other than 0" : "finite scales above 0",
          bad == 0 ? ""
                   : absl::StrCat(scales[first], " at [", at / columns, ", ", at % columns, "], ", bad,
                                  " of ", scales.size(), " wrong"));
    return absl::OkStatus();
  }

  // int8 values that fewer bits could not hold.
  absl::Status CheckRange(const std::string& tensor, absl::string_view rule) {
    HEROQ_ASSIGN_OR_RETURN(const std::string bytes, reader_.ReadBytes(tensor));
    const int high = storage_.scheme.middle_code() - 1, low = -storage_.scheme.middle_code();
    std::optional<int> bad;
    for (const char byte : bytes) {
      const int value = static_cast<int8_t>(byte);
      if (value < low || value > high) bad = value;
    }
    Check(!bad.has_value(), rule, tensor, absl::StrCat(low, " to ", high), absl::StrCat(bad.value_or(0)));
    return absl::OkStatus();
  }

  // The last word of each packed row (or column) of `values` codes must have zero bits behind them.
  // `stride` words lie between two words of one stream, `step` between two streams.
  absl::Status CheckStreams(const std::string& tensor, int64_t values, int64_t streams, int64_t stride,
                            int64_t step, absl::string_view what) {
    const int bits = storage_.scheme.weight_bits;
    const int used = static_cast<int>(values * bits % 32);
    std::optional<int64_t> bad;
    if (used != 0) {
      const uint32_t mask = ~uint32_t{0} << used;
      HEROQ_ASSIGN_OR_RETURN(const std::vector<int32_t> words, ReadIntegers(reader_, tensor));
      const int64_t last = (PackedWords(values, bits) - 1) * stride;
      for (int64_t stream = 0; stream < streams && !bad; ++stream) {
        if ((static_cast<uint32_t>(words[last + stream * step]) & mask) != 0) bad = stream;
      }
    }
    Check(!bad.has_value(), "padding_not_zero", tensor, absl::StrCat("zero bits after the last ", what),
          absl::StrCat("set bits in stream ", bad.value_or(0)));
    return absl::OkStatus();
  }

  absl::Status CheckPadding() {
    const int64_t out = linear_.out_features, in = linear_.in_features;
    const int64_t groups = storage_.groups(in);
    const int64_t in_words = PackedWords(in, storage_.scheme.weight_bits);
    const int64_t out_words = PackedWords(out, storage_.scheme.weight_bits);
    const bool packed = storage_.format == LinearFormat::kPackQuantized;
    HEROQ_RETURN_IF_ERROR(
        CheckStreams(parts_.codes, in, out, packed ? 1 : out, packed ? in_words : 1, "code"));
    if (parts_.zero_points.empty()) return absl::OkStatus();
    return CheckStreams(parts_.zero_points, out, groups, packed ? groups : 1, packed ? 1 : out_words,
                        "zero point");
  }

  absl::Status CheckIndex() {
    HEROQ_ASSIGN_OR_RETURN(const std::vector<int32_t> index, ReadIntegers(reader_, parts_.group_index));
    const std::string wrong = WrongGroupIndex(index, storage_);
    Check(wrong.empty(), "group_index", parts_.group_index,
          storage_.group_index == GroupIndex::kAnyOrder ? "every group with its number of columns"
                                                        : "groups of consecutive columns",
          wrong);
    return absl::OkStatus();
  }

  absl::Status CheckMiddle() {
    HEROQ_ASSIGN_OR_RETURN(const StoredWeight weight, ReadStoredWeight(reader_, linear_, storage_));
    std::optional<int> bad;
    for (const uint8_t zero : weight.zero_points) {
      if (zero != storage_.scheme.middle_code()) bad = zero;
    }
    Check(!bad.has_value(), "zero_point_not_middle", parts_.zero_points,
          absl::StrCat(storage_.scheme.middle_code(), " everywhere, as sym says"),
          absl::StrCat(bad.value_or(0)));
    return absl::OkStatus();
  }

  const CheckpointReader& reader_;
  const LinearLayout& linear_;
  const LinearStorage& storage_;
  Findings& findings_;
  const LinearParts parts_;
  bool holds_ = true;
};

}  // namespace

absl::StatusOr<bool> CheckQuantizedLinear(const CheckpointReader& reader, const LinearLayout& linear,
                                          const LinearStorage& storage, Findings& findings) {
  return LinearCheck(reader, linear, storage, findings).Run();
}

}  // namespace heroq
