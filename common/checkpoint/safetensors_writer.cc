#include "common/checkpoint/safetensors_writer.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/checkpoint/safetensors_header.h"
#include "common/checkpoint/strict_json.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

constexpr std::size_t kAlignment = 8;
// The Python library reads no longer ones.
constexpr std::size_t kMaxHeaderBytes = 100'000'000;

absl::Status Invalid(const std::string& tensor, absl::string_view rule) {
  return MakeError(Reason::kInvalidSpec, absl::StrCat("tensor ", QuoteJson(tensor), ": ", rule),
                   {{"tensor", tensor}});
}

absl::Status CheckSpec(const TensorSpec& spec) {
  if (!IsValidUtf8(spec.name)) return Invalid(spec.name, "its name is not UTF-8");
  if (spec.name == "__metadata__") return Invalid(spec.name, "the name is reserved");
  int64_t bytes = SizeOf(spec.dtype);
  for (const int64_t dimension : spec.shape) {
    if (dimension < 0) return Invalid(spec.name, absl::StrCat("dimension ", dimension, " is negative"));
    if (__builtin_mul_overflow(bytes, dimension, &bytes))
      return Invalid(spec.name, "its size overflows 64 bits");
  }
  return absl::OkStatus();
}

std::string MetadataJson(const std::map<std::string, std::string>& metadata) {
  return absl::StrCat("\"__metadata__\":{",
                      absl::StrJoin(metadata, ",",
                                    [](std::string* out, const auto& entry) {
                                      absl::StrAppend(out, QuoteJson(entry.first), ":",
                                                      QuoteJson(entry.second));
                                    }),
                      "}");
}

std::string TensorJson(const PlacedTensor& tensor) {
  return absl::StrCat(QuoteJson(tensor.spec.name), ":{\"dtype\":\"", ToString(tensor.spec.dtype),
                      "\",\"shape\":[", absl::StrJoin(tensor.spec.shape, ","), "],\"data_offsets\":[",
                      tensor.begin, ",", tensor.end, "]}");
}

// The header's length as the 8 bytes that open the file.
std::string LengthField(uint64_t length) {
  std::string field;
  for (int i = 0; i < 8; ++i) field.push_back(static_cast<char>((length >> (8 * i)) & 0xFF));
  return field;
}

}  // namespace

int64_t TensorSpec::bytes() const {
  int64_t bytes = SizeOf(dtype);
  for (const int64_t dimension : shape) bytes *= dimension;
  return bytes;
}

absl::StatusOr<SafetensorsLayout> LayOutSafetensors(std::vector<TensorSpec> tensors,
                                                    const std::map<std::string, std::string>& metadata) {
  std::sort(tensors.begin(), tensors.end(), [](const TensorSpec& a, const TensorSpec& b) {
    return a.dtype != b.dtype ? a.dtype > b.dtype : a.name < b.name;
  });
  std::set<std::string> seen;
  SafetensorsLayout layout;
  std::vector<std::string> entries;
  if (!metadata.empty()) entries.push_back(MetadataJson(metadata));
  for (const auto& [key, value] : metadata) {
    if (!IsValidUtf8(key) || !IsValidUtf8(value)) {
      return MakeError(Reason::kInvalidSpec, absl::StrCat("metadata ", QuoteJson(key), " is not UTF-8"));
    }
  }
  for (TensorSpec& spec : tensors) {
    HEROQ_RETURN_IF_ERROR(CheckSpec(spec));
    if (!seen.insert(spec.name).second) return Invalid(spec.name, "is given twice");
    PlacedTensor placed;
    placed.begin = layout.data_bytes;
    if (__builtin_add_overflow(placed.begin, spec.bytes(), &placed.end)) {
      return Invalid(spec.name, "the file's size overflows 64 bits");
    }
    layout.data_bytes = placed.end;
    placed.spec = std::move(spec);
    entries.push_back(TensorJson(placed));
    layout.tensors.push_back(std::move(placed));
  }
  std::string header = absl::StrCat("{", absl::StrJoin(entries, ","), "}");
  header.resize((header.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  if (header.size() > kMaxHeaderBytes) {
    return MakeError(Reason::kInvalidSpec, absl::StrCat("a safetensors header of ", header.size(),
                                                        " bytes, expected at most ", kMaxHeaderBytes));
  }
  layout.header = LengthField(header.size()) + header;
  return layout;
}

std::vector<absl::string_view> SafetensorsPieces::InOrder() const {
  std::vector<absl::string_view> pieces = {header};
  pieces.insert(pieces.end(), tensors.begin(), tensors.end());
  return pieces;
}

absl::StatusOr<SafetensorsPieces> ArrangeSafetensors(const std::vector<NamedBytes>& tensors,
                                                     const std::map<std::string, std::string>& metadata) {
  std::vector<TensorSpec> specs;
  std::map<std::string, absl::string_view> bytes;
  for (const NamedBytes& tensor : tensors) {
    specs.push_back(tensor.spec);
    bytes[tensor.spec.name] = tensor.bytes;
  }
  HEROQ_ASSIGN_OR_RETURN(SafetensorsLayout layout, LayOutSafetensors(std::move(specs), metadata));
  SafetensorsPieces pieces{std::move(layout.header), {}};
  for (const PlacedTensor& placed : layout.tensors) {
    const absl::string_view data = bytes[placed.spec.name];
    if (static_cast<int64_t>(data.size()) != placed.spec.bytes()) {
      return Invalid(placed.spec.name,
                     absl::StrCat(data.size(), " bytes, but its shape takes ", placed.spec.bytes()));
    }
    pieces.tensors.push_back(data);
  }
  return pieces;
}

absl::StatusOr<std::string> SerializeSafetensors(const std::vector<NamedBytes>& tensors,
                                                 const std::map<std::string, std::string>& metadata) {
  HEROQ_ASSIGN_OR_RETURN(const SafetensorsPieces pieces, ArrangeSafetensors(tensors, metadata));
  return absl::StrJoin(pieces.InOrder(), "");
}

absl::StatusOr<ParsedSafetensors> ParseSafetensors(absl::string_view bytes, const std::string& name) {
  const SafetensorsLimits limits;
  const auto size = static_cast<int64_t>(bytes.size());
  if (size < kSafetensorsLengthBytes) {
    return MakeError(Reason::kFileCorrupt, absl::StrCat(name, ": ", size, " bytes, expected at least 8"));
  }
  HEROQ_ASSIGN_OR_RETURN(const int64_t length, ParseSafetensorsLength(bytes, size, name, limits));
  HEROQ_ASSIGN_OR_RETURN(
      SafetensorsHeader header,
      ParseSafetensorsHeader(bytes.substr(kSafetensorsLengthBytes, length), size, name, limits));
  ParsedSafetensors parsed;
  parsed.metadata = std::move(header.metadata);
  for (auto& [key, info] : header.tensors) {
    const absl::string_view data = bytes.substr(info.begin, info.size);
    parsed.tensors.emplace(key, NamedBytes{{key, info.dtype, std::move(info.shape)}, data});
  }
  return parsed;
}

}  // namespace heroq
