#include "common/model/config_reader.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/checkpoint/strict_json.h"
#include "common/model/config_fields.h"
#include "common/model/model_family.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxMethodName = 64;

absl::Status UnknownArchitecture(const std::string& path, absl::string_view what) {
  return MakeError(Reason::kUnsupportedArchitecture,
                   absl::StrCat(path, ": heroq does not know ", what,
                                "; known families: ", absl::StrJoin(KnownModelFamilies(), ", ")),
                   {{"file", path}});
}

absl::StatusOr<const ModelFamily*> FamilyOf(const ConfigFields& config) {
  HEROQ_ASSIGN_OR_RETURN(const std::string type, config.String("model_type"));
  const absl::Span<const ModelFamily> families = ModelFamilies();
  const auto family = std::find_if(families.begin(), families.end(),
                                   [&](const ModelFamily& known) { return known.model_type == type; });
  if (family == families.end())
    return UnknownArchitecture(config.path(), absl::StrCat("model type \"", type, "\""));
  if (!config.Has("architectures")) return &*family;
  const json& names = config.json()["architectures"];
  if (!names.is_array() || names.empty() || !names[0].is_string()) {
    return config.Corrupt("architectures", "must be an array of names");
  }
  const auto& name = names[0].get_ref<const std::string&>();
  if (std::find(family->architectures.begin(), family->architectures.end(), name) ==
      family->architectures.end()) {
    return UnknownArchitecture(config.path(), absl::StrCat("architecture ", QuoteExcerpt(name)));
  }
  return &*family;
}

absl::StatusOr<DType> ReadWeightType(const ConfigFields& config) {
  const std::string field = config.Has("dtype") ? "dtype" : "torch_dtype";
  HEROQ_ASSIGN_OR_RETURN(const std::string name, config.String(field, "float32"));
  if (name == "bfloat16") return DType::kBf16;
  if (name == "float16") return DType::kF16;
  if (name == "float32") return DType::kF32;
  return config.Unsupported(field, absl::StrCat("is \"", name, "\", expected bfloat16, float16 or float32"));
}

absl::Status RefuseQuantized(const ConfigFields& config) {
  if (!config.Has("quantization_config")) return absl::OkStatus();
  const json& quantization = config.json()["quantization_config"];
  std::string method = "unknown";
  if (quantization.is_object() && quantization.contains("quant_method") &&
      quantization["quant_method"].is_string() &&
      quantization["quant_method"].get_ref<const std::string&>().size() <= kMaxMethodName) {
    method = quantization["quant_method"].get<std::string>();
  }
  return MakeError(
      Reason::kAlreadyQuantized,
      absl::StrCat(config.path(), ": the model is already quantized (quant_method ", method, ")"),
      {{"file", config.path()}, {"quant_method", method}});
}

absl::StatusOr<ModelLayout> Parse(absl::string_view text, const std::string& path, bool allow_quantized) {
  HEROQ_ASSIGN_OR_RETURN(const json root, ParseStrictJson(text, path));
  if (!root.is_object())
    return MakeError(Reason::kFileCorrupt, absl::StrCat(path, ": must be a JSON object"));
  const ConfigFields config(root, path);
  HEROQ_ASSIGN_OR_RETURN(const ModelFamily* family, FamilyOf(config));
  if (!allow_quantized) HEROQ_RETURN_IF_ERROR(RefuseQuantized(config));
  HEROQ_ASSIGN_OR_RETURN(ModelLayout layout, family->read_config(config));
  layout.family = std::string(family->model_type);
  HEROQ_ASSIGN_OR_RETURN(layout.dtype, ReadWeightType(config));
  return layout;
}

}  // namespace

absl::StatusOr<ModelLayout> ParseModelConfig(absl::string_view json, const std::string& path) {
  return Parse(json, path, /*allow_quantized=*/false);
}

absl::StatusOr<ModelLayout> ParseQuantizedModelConfig(absl::string_view json, const std::string& path) {
  return Parse(json, path, /*allow_quantized=*/true);
}

std::vector<std::string> KnownModelFamilies() {
  std::vector<std::string> names;
  for (const ModelFamily& family : ModelFamilies()) names.emplace_back(family.model_type);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace heroq
