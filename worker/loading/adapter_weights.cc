#include "worker/loading/adapter_weights.h"

#include <ATen/ops/empty.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/checkpoint/strict_json.h"
#include "common/model/adapter_names.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "worker/device/finite_check.h"
#include "worker/device/torch_status.h"
#include "worker/loading/scalar_types.h"

namespace heroq {
namespace {

using Json = nlohmann::json;

// A field whose value makes the branch another function than the sum, unless it is one of `plain`.
struct PlainField {
  const char* name;
  std::vector<Json> plain;
};

absl::StatusOr<int64_t> ParseRank(const Json& config, const std::string& path) {
  const auto unsupported = [&](const std::string& field) {
    const Json value = config.is_object() ? config.value(field, Json(nullptr)) : config;
    return MakeError(Reason::kUnsupported, absl::StrCat(path, ": ", field, " is ", ExcerptJson(value),
                                                        ", which heroq does not compute"));
  };
  if (!config.is_object()) return unsupported("the file");
  const Json rank = config.value("r", Json(nullptr));
  if (!rank.is_number_integer() || rank.get<double>() < 1 || rank.get<double>() > 1 << 20)
    return unsupported("r");
  const std::vector<PlainField> fields = {{"peft_type", {"LORA"}},
                                          {"lora_alpha", {rank}},
                                          {"use_rslora", {nullptr, false}},
                                          {"use_dora", {nullptr, false}},
                                          {"fan_in_fan_out", {nullptr, false}},
                                          {"bias", {nullptr, "none"}},
                                          {"modules_to_save", {nullptr}},
                                          {"rank_pattern", {nullptr, Json::object()}},
                                          {"alpha_pattern", {nullptr, Json::object()}}};
  for (const PlainField& field : fields) {
    const Json value = config.value(field.name, Json(nullptr));
    if (std::find(field.plain.begin(), field.plain.end(), value) == field.plain.end()) {
      return unsupported(field.name);
    }
  }
  return rank.get<int64_t>();
}

}  // namespace

absl::StatusOr<std::unique_ptr<AdapterWeights>> AdapterWeights::Open(FileSystem& files,
                                                                     const std::string& directory) {
  const std::string path = JoinPath(directory, kAdapterConfigFile);
  if (!files.Exists(path)) return std::unique_ptr<AdapterWeights>();
  HEROQ_ASSIGN_OR_RETURN(const std::string text, ReadFile(files, path));
  HEROQ_ASSIGN_OR_RETURN(const Json config, ParseStrictJson(text, path));
  HEROQ_ASSIGN_OR_RETURN(const int64_t rank, ParseRank(config, path));
  HEROQ_ASSIGN_OR_RETURN(std::unique_ptr<SafetensorsReader> reader,
                         SafetensorsReader::Open(files, JoinPath(directory, kAdapterWeightsFile)));
  return absl::WrapUnique(new AdapterWeights(std::move(reader), rank));
}

absl::StatusOr<at::Tensor> AdapterWeights::LoadTensor(const std::string& name, int64_t rows, int64_t columns,
                                                      c10::Device device) const {
  const auto invalid = [&](const std::string& rule) {
    return MakeError(Reason::kModelInvalid, absl::StrCat(reader_->path(), ": tensor ", name, ": ", rule),
                     {{"tensor", name}});
  };
  const auto found = reader_->tensors().find(name);
  if (found == reader_->tensors().end()) return invalid("is missing");
  const TensorInfo& info = found->second;
  const std::optional<c10::ScalarType> type = FloatTypeOf(info.dtype);
  if (!type || info.shape != std::vector<int64_t>{rows, columns}) {
    return invalid(absl::StrCat("is ", ToString(info.dtype), " [", absl::StrJoin(info.shape, ", "),
                                "], expected a floating-point type [", rows, ", ", columns, "]"));
  }
  return CatchTorch(absl::StrCat("load ", name), [&]() -> absl::StatusOr<at::Tensor> {
    const at::Tensor tensor = at::empty(info.shape, *type);
    HEROQ_RETURN_IF_ERROR(reader_->Read(info, tensor.mutable_data_ptr()));
    if (const int64_t bad = CountNonFinite(tensor); bad > 0) {
      return invalid(absl::StrCat(bad, " of ", tensor.numel(), " values are NaN or Inf"));
    }
    return tensor.to(device, at::kFloat);
  });
}

absl::StatusOr<std::pair<at::Tensor, at::Tensor>> AdapterWeights::Load(const std::string& name, int64_t out,
                                                                       int64_t in, c10::Device device) const {
  const std::string down = AdapterDownName(name), up = AdapterUpName(name);
  if (reader_->tensors().count(down) + reader_->tensors().count(up) == 0)
    return std::pair<at::Tensor, at::Tensor>();
  std::pair<at::Tensor, at::Tensor> branch;
  HEROQ_ASSIGN_OR_RETURN(branch.first, LoadTensor(down, rank_, in, device));
  HEROQ_ASSIGN_OR_RETURN(branch.second, LoadTensor(up, out, rank_, device));
  return branch;
}

}  // namespace heroq
