#include "common/checkpoint/safetensors_header.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/checkpoint/strict_json.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

using nlohmann::json;

constexpr char kMetadataKey[] = "__metadata__";
constexpr absl::string_view kUnreadTypes[] = {"F4",      "F6_E2M3", "F6_E3M2",     "F8_E5M2",    "F8_E4M3",
                                              "F8_E8M0", "C64",     "F8_E4M3FNUZ", "F8_E5M2FNUZ"};

absl::Status Corrupt(const std::string& file, absl::string_view rule) {
  return MakeError(Reason::kFileCorrupt, absl::StrCat(file, ": ", rule), {{"file", file}});
}

absl::Status CorruptTensor(const std::string& file, const std::string& tensor, absl::string_view rule) {
  return MakeError(Reason::kFileCorrupt, absl::StrCat(file, ": tensor ", QuoteExcerpt(tensor), ": ", rule),
                   {{"file", file}, {"tensor", tensor}});
}

// A count or offset: digits only, as in 1 but not 1.0 or -0.
bool ReadCount(const json& value, int64_t* count) {
  if (!value.is_number_unsigned()) return false;
  const auto wide = value.get<uint64_t>();
  if (wide > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return false;
  *count = static_cast<int64_t>(wide);
  return true;
}

absl::StatusOr<DType> ReadDType(const json& value, const std::string& file, const std::string& tensor) {
  if (!value.is_string()) return CorruptTensor(file, tensor, "dtype must be a string");
  const auto& text = value.get_ref<const std::string&>();
  if (const std::optional<DType> dtype = ParseDType(text)) return *dtype;
  if (std::find(std::begin(kUnreadTypes), std::end(kUnreadTypes), text) != std::end(kUnreadTypes)) {
    return MakeError(Reason::kUnsupported,
                     absl::StrCat(file, ": tensor ", QuoteJson(tensor), ": heroq does not read dtype ", text),
                     {{"file", file}, {"tensor", tensor}});
  }
  return CorruptTensor(file, tensor, absl::StrCat("unknown dtype ", QuoteExcerpt(text)));
}

absl::Status ReadShape(const json& value, const std::string& file, int max_rank, TensorInfo* info) {
  if (!value.is_array()) return CorruptTensor(file, info->name, "shape must be an array");
  if (static_cast<int>(value.size()) > max_rank) {
    return CorruptTensor(file, info->name,
                         absl::StrCat("rank ", value.size(), ", expected at most ", max_rank));
  }
  for (const json& entry : value) {
    int64_t dimension = 0;
    if (!ReadCount(entry, &dimension)) {
      return CorruptTensor(file, info->name, "a dimension must be an integer from 0 to 2^63 - 1");
    }
    info->shape.push_back(dimension);
  }
  return absl::OkStatus();
}

// Sets `begin` and `size`, as yet relative to the data part.
absl::Status ReadOffsets(const json& value, const std::string& file, TensorInfo* info) {
  int64_t end = 0;
  if (!value.is_array() || value.size() != 2 || !ReadCount(value[0], &info->begin) ||
      !ReadCount(value[1], &end)) {
    return CorruptTensor(file, info->name, "data_offsets must be two integers from 0 to 2^63 - 1");
  }
  if (end < info->begin) return CorruptTensor(file, info->name, "data_offsets end before they begin");
  info->size = end - info->begin;
  return absl::OkStatus();
}

absl::Status CheckSize(const TensorInfo& info, const std::string& file) {
  int64_t bytes = 1;
  bool overflow = false;
  // In the order of the shape: a later 0 does not excuse an overflow, as in the Python library.
  for (const int64_t dimension : info.shape) overflow |= __builtin_mul_overflow(bytes, dimension, &bytes);
  overflow |= __builtin_mul_overflow(bytes, SizeOf(info.dtype), &bytes);
  if (overflow) return CorruptTensor(file, info.name, "its shape has more elements than 64 bits can count");
  if (bytes == info.size) return absl::OkStatus();
  return CorruptTensor(file, info.name,
                       absl::StrCat("data_offsets hold ", info.size, " bytes, but ", ToString(info.dtype),
                                    " [", absl::StrJoin(info.shape, ", "), "] takes ", bytes));
}

absl::StatusOr<TensorInfo> ReadTensor(const std::string& name, const json& value, const std::string& file,
                                      const SafetensorsLimits& limits) {
  if (static_cast<int64_t>(name.size()) > limits.max_name_bytes) {
    return Corrupt(file, absl::StrCat("tensor ", QuoteExcerpt(name), ": a name of ", name.size(),
                                      " bytes, expected at most ", limits.max_name_bytes));
  }
  if (!value.is_object()) return CorruptTensor(file, name, "must be an object");
  for (const char* field : {"dtype", "shape", "data_offsets"}) {
    if (!value.contains(field)) return CorruptTensor(file, name, absl::StrCat(field, " is missing"));
  }
  if (value.size() != 3) return CorruptTensor(file, name, "has fields besides dtype, shape and data_offsets");
  TensorInfo info;
  info.name = name;
  HEROQ_ASSIGN_OR_RETURN(info.dtype, ReadDType(value["dtype"], file, name));
  HEROQ_RETURN_IF_ERROR(ReadShape(value["shape"], file, limits.max_rank, &info));
  HEROQ_RETURN_IF_ERROR(ReadOffsets(value["data_offsets"], file, &info));
  HEROQ_RETURN_IF_ERROR(CheckSize(info, file));
  return info;
}

// Tensors must cover [0, data_bytes) one after the other.
absl::Status CheckCoverage(std::vector<TensorInfo*> tensors, int64_t data_bytes, const std::string& file) {
  std::sort(tensors.begin(), tensors.end(), [](const TensorInfo* a, const TensorInfo* b) {
    return std::tie(a->begin, a->size, a->name) < std::tie(b->begin, b->size, b->name);
  });
  int64_t expected = 0;
  for (const TensorInfo* info : tensors) {
    if (info->begin != expected) {
      return CorruptTensor(file, info->name,
                           absl::StrCat("begins at ", info->begin, " of the data, expected ", expected,
                                        info->begin > expected ? ": a hole" : ": an overlap"));
    }
    expected += info->size;
  }
  if (expected == data_bytes) return absl::OkStatus();
  return Corrupt(
      file, absl::StrCat("tensors end at byte ", expected, " of the data, but the file holds ", data_bytes,
                         data_bytes < expected ? ": it is cut short" : ": bytes of no tensor follow"));
}

absl::Status ReadMetadata(const json& value, const std::string& file,
                          std::map<std::string, std::string>* metadata) {
  if (!value.is_object()) return Corrupt(file, "__metadata__ must be an object");
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string())
      return Corrupt(file, absl::StrCat("__metadata__ ", QuoteExcerpt(key), " must be a string"));
    metadata->emplace(key, text.get<std::string>());
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<int64_t> ParseSafetensorsLength(absl::string_view field, int64_t file_bytes,
                                               const std::string& name, const SafetensorsLimits& limits) {
  uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = (length << 8) | static_cast<unsigned char>(field[i]);
  if (length > static_cast<uint64_t>(limits.max_header_bytes)) {
    return Corrupt(name,
                   absl::StrCat("header of ", length, " bytes, expected at most ", limits.max_header_bytes));
  }
  const auto bytes = static_cast<int64_t>(length);
  if (bytes > file_bytes - kSafetensorsLengthBytes) {
    return Corrupt(name, absl::StrCat("header of ", bytes, " bytes in a file of ", file_bytes));
  }
  return bytes;
}

absl::StatusOr<SafetensorsHeader> ParseSafetensorsHeader(absl::string_view header, int64_t file_bytes,
                                                         const std::string& name,
                                                         const SafetensorsLimits& limits) {
  if (header.empty() || header.front() != '{') return Corrupt(name, "the header must begin with '{'");
  JsonLimits json_limits;
  json_limits.max_bytes = limits.max_header_bytes;
  HEROQ_ASSIGN_OR_RETURN(const json root, ParseStrictJson(header, name, json_limits));
  if (static_cast<int64_t>(root.size() - root.count(kMetadataKey)) > limits.max_tensors) {
    return Corrupt(name, absl::StrCat("more than ", limits.max_tensors, " tensors"));
  }

  SafetensorsHeader parsed;
  std::vector<TensorInfo*> order;
  for (const auto& [key, value] : root.items()) {
    if (key == kMetadataKey) {
      HEROQ_RETURN_IF_ERROR(ReadMetadata(value, name, &parsed.metadata));
      continue;
    }
    HEROQ_ASSIGN_OR_RETURN(TensorInfo info, ReadTensor(key, value, name, limits));
    order.push_back(&parsed.tensors.emplace(key, std::move(info)).first->second);
  }
  const int64_t data_begin = kSafetensorsLengthBytes + static_cast<int64_t>(header.size());
  HEROQ_RETURN_IF_ERROR(CheckCoverage(order, file_bytes - data_begin, name));
  for (TensorInfo* info : order) info->begin += data_begin;
  return parsed;
}

}  // namespace heroq
