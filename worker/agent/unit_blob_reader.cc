#include "worker/agent/unit_blob_reader.h"

#include <cstring>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/checkpoint/safetensors_writer.h"
#include "common/model/online_rotation.h"
#include "common/quant/packing.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

class UnitReader {
 public:
  UnitReader(const ParsedSafetensors& parsed, const std::string& blob) : parsed_(parsed), blob_(blob) {}

  absl::Status Corrupt(const std::string& tensor, absl::string_view rule) const {
    return MakeError(Reason::kFileCorrupt, absl::StrCat(blob_, ": tensor ", tensor, ": ", rule));
  }

  absl::StatusOr<QuantizedLinear> Read(const LinearLayout& layout) const {
    QuantizedLinear linear{layout.name, layout.out_features, layout.in_features, {}, {}, {}, {}};
    HEROQ_ASSIGN_OR_RETURN(const NamedBytes codes, Find(layout.name + ".codes", layout.out_features));
    HEROQ_ASSIGN_OR_RETURN(const NamedBytes scales, Find(layout.name + ".scale", layout.out_features));
    HEROQ_ASSIGN_OR_RETURN(linear.scheme, SchemeOf(layout, codes.spec, scales.spec));
    HEROQ_RETURN_IF_ERROR(Copy(codes, linear.packed_codes));
    HEROQ_RETURN_IF_ERROR(Copy(scales, linear.scales));
    if (!linear.scheme.symmetric) {
      HEROQ_ASSIGN_OR_RETURN(const NamedBytes zeros, Find(layout.name + ".zero_point", layout.out_features));
      HEROQ_RETURN_IF_ERROR(Copy(zeros, linear.zero_points));
    }
    if (absl::Status status = ValidateQuantizedLinear(linear); !status.ok()) {
      return Corrupt(layout.name, status.message());
    }
    return linear;
  }

 private:
  absl::StatusOr<NamedBytes> Find(const std::string& tensor, int64_t rows) const {
    const auto found = parsed_.tensors.find(tensor);
    if (found == parsed_.tensors.end()) return Corrupt(tensor, "is missing");
    const std::vector<int64_t>& shape = found->second.spec.shape;
    if (shape.size() == 2 && shape[0] == rows && shape[1] > 0) return found->second;
    return Corrupt(tensor,
                   absl::StrCat("has shape [", absl::StrJoin(shape, ", "), "], expected ", rows, " rows"));
  }

  absl::StatusOr<QuantScheme> SchemeOf(const LinearLayout& layout, const TensorSpec& codes,
                                       const TensorSpec& scales) const {
    QuantScheme scheme;
    scheme.weight_bits = 0;
    for (int bits = 2; bits <= 8; ++bits) {
      if (PackedWords(layout.in_features, bits) != codes.shape[1]) continue;
      if (scheme.weight_bits != 0) return Corrupt(codes.name, "fits several bit widths");
      scheme.weight_bits = bits;
    }
    if (scheme.weight_bits == 0) return Corrupt(codes.name, "fits no bit width from 2 to 8");
    const int64_t groups = scales.shape[1];
    if (layout.in_features % groups != 0)
      return Corrupt(scales.name, "does not divide the inputs into groups");
    scheme.group_size = groups == 1 ? kPerChannel : static_cast<int>(layout.in_features / groups);
    if (scales.dtype != DType::kBf16 && scales.dtype != DType::kF16)
      return Corrupt(scales.name, "must be BF16 or F16");
    scheme.scale_type = scales.dtype == DType::kBf16 ? ScaleType::kBf16 : ScaleType::kF16;
    scheme.symmetric = parsed_.tensors.count(layout.name + ".zero_point") == 0;
    return scheme;
  }

  template <typename T>
  absl::Status Copy(const NamedBytes& part, std::vector<T>& out) const {
    if (SizeOf(part.spec.dtype) != static_cast<int64_t>(sizeof(T))) {
      return Corrupt(part.spec.name, absl::StrCat("has type ", ToString(part.spec.dtype)));
    }
    out.resize(part.bytes.size() / sizeof(T));
    std::memcpy(out.data(), part.bytes.data(), part.bytes.size());
    return absl::OkStatus();
  }

  const ParsedSafetensors& parsed_;
  const std::string& blob_;
};

}  // namespace

absl::StatusOr<UnitBlob> ReadUnitBlob(absl::string_view bytes, const BlockLayout& layout,
                                      const std::string& name) {
  HEROQ_ASSIGN_OR_RETURN(const ParsedSafetensors parsed, ParseSafetensors(bytes, name));
  const UnitReader reader(parsed, name);
  UnitBlob unit;
  std::vector<std::string> dense;
  for (const LinearLayout& linear : layout.linears) {
    dense.push_back(absl::StrCat(linear.name, ".weight"));
    dense.push_back(absl::StrCat(linear.name, ".bias"));
    if (parsed.tensors.count(linear.name + ".codes") == 0) continue;
    HEROQ_ASSIGN_OR_RETURN(QuantizedLinear read, reader.Read(linear));
    unit.linears.push_back(std::move(read));
  }
  for (const TensorLayout& norm : layout.norms) dense.push_back(norm.name);
  for (const LinearInput input :
       {LinearInput::kAttentionIn, LinearInput::kAttentionOut, LinearInput::kMlpIn, LinearInput::kMlpOut}) {
    dense.push_back(OnlineTensor(layout, input));
  }
  for (const std::string& tensor : dense) {
    const auto found = parsed.tensors.find(tensor);
    if (found == parsed.tensors.end()) continue;
    unit.tensors.push_back({found->second.spec, std::string(found->second.bytes)});
  }
  if (unit.linears.empty() && unit.tensors.empty()) {
    return reader.Corrupt(layout.prefix, "holds nothing of the block");
  }
  return unit;
}

}  // namespace heroq
