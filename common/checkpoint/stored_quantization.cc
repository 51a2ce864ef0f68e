#include "common/checkpoint/stored_quantization.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/strict_json.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

using Json = nlohmann::json;

constexpr int64_t kMaxConfigBytes = int64_t{16} << 20;
constexpr char kConfigFile[] = "config.json";
constexpr char kGptqFile[] = "quantize_config.json";
// AutoRound's copy of what config.json says.
constexpr char kAutoRoundFile[] = "quantization_config.json";

absl::StatusOr<Json> ReadOptional(FileSystem& files, const std::string& path) {
  if (!files.Exists(path)) return Json(nullptr);
  HEROQ_ASSIGN_OR_RETURN(const std::string text, ReadFile(files, path, kMaxConfigBytes));
  return ParseStrictJson(text, path);
}

// Loaders differ in which of the files they read.
absl::Status CheckAgreement(const Json& config, const Json& separate, const std::string& path) {
  for (const char* field : {"bits", "group_size", "desc_act", "sym", "checkpoint_format"}) {
    const Json in_config = config.value(field, Json(nullptr));
    const Json in_file = separate.is_object() ? separate.value(field, Json(nullptr)) : Json(nullptr);
    if (in_config.is_null() || in_file.is_null() || in_config == in_file) continue;
    return MakeError(Reason::kModelInvalid,
                     absl::StrCat(path, ": ", field, " is ", in_file.dump(),
                                  ", expected that of config.json, ", in_config.dump()),
                     {{"file", path}});
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::optional<StoredQuantization>> StoredQuantization::Read(FileSystem& files,
                                                                           const std::string& directory,
                                                                           absl::string_view config_json,
                                                                           PackedScope scope) {
  const std::string config_path = JoinPath(directory, kConfigFile);
  const std::string gptq_path = JoinPath(directory, kGptqFile);
  HEROQ_ASSIGN_OR_RETURN(const Json root, ParseStrictJson(config_json, config_path));
  const Json config = root.is_object() ? root.value("quantization_config", Json(nullptr)) : Json(nullptr);
  HEROQ_ASSIGN_OR_RETURN(const Json separate, ReadOptional(files, gptq_path));
  StoredQuantization stored;
  if (config.is_null()) {
    if (separate.is_null()) return std::nullopt;
    HEROQ_ASSIGN_OR_RETURN(stored.config_, GptqConfig::Parse(separate, gptq_path));
    stored.method_ = "gptq";
    return stored;
  }
  const Json method = config.is_object() ? config.value("quant_method", Json(nullptr)) : Json(nullptr);
  if (method == "gptq" || method == "auto-round") {
    HEROQ_ASSIGN_OR_RETURN(stored.config_, GptqConfig::Parse(config, config_path));
    HEROQ_RETURN_IF_ERROR(CheckAgreement(config, separate, gptq_path));
    const std::string copy_path = JoinPath(directory, kAutoRoundFile);
    HEROQ_ASSIGN_OR_RETURN(const Json copy, ReadOptional(files, copy_path));
    HEROQ_RETURN_IF_ERROR(CheckAgreement(config, copy, copy_path));
    stored.method_ = method.get<std::string>();
    return stored;
  }
  HEROQ_ASSIGN_OR_RETURN(std::optional<PackedCheckpoint> packed,
                         PackedCheckpoint::Parse(config_json, config_path, scope));
  if (!packed.has_value()) return std::nullopt;
  stored.config_ = *std::move(packed);
  stored.method_ = "compressed-tensors";
  return stored;
}

std::optional<LinearStorage> StoredQuantization::StorageOf(const std::string& name) const {
  return std::visit([&](const auto& config) { return config.StorageOf(name); }, config_);
}

const OnlineTransforms& StoredQuantization::online_transforms() const {
  static const OnlineTransforms& none = *new OnlineTransforms;
  const auto* packed = std::get_if<PackedCheckpoint>(&config_);
  return packed != nullptr ? packed->online_transforms() : none;
}

}  // namespace heroq
