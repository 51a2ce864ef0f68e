// Lets Python tests drive common/checkpoint and common/model:
//   checkpoint_probe rewrite IN OUT   reads a safetensors file and serializes its tensors and metadata again
//   checkpoint_probe verdicts DIR     one line for each file of DIR: its name, a tab, "ok" or the reason of
//   the refusal checkpoint_probe layout CONFIG    the ModelLayout of a config.json, as JSON
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/checkpoint/safetensors_reader.h"
#include "common/checkpoint/safetensors_writer.h"
#include "common/file/file_system.h"
#include "common/model/config_reader.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

absl::Status Rewrite(const std::string& in, const std::string& out) {
  HEROQ_ASSIGN_OR_RETURN(const std::unique_ptr<SafetensorsReader> reader,
                         SafetensorsReader::Open(FileSystem::Posix(), in));
  std::map<std::string, std::string> data;
  std::vector<NamedBytes> tensors;
  for (const auto& [name, info] : reader->tensors()) {
    std::string& bytes = data[name];
    bytes.resize(static_cast<std::size_t>(info.size));
    HEROQ_RETURN_IF_ERROR(reader->Read(info, bytes.data()));
    tensors.push_back({{name, info.dtype, info.shape}, bytes});
  }
  HEROQ_ASSIGN_OR_RETURN(const std::string file, SerializeSafetensors(tensors, reader->metadata()));
  return WriteFileAtomically(FileSystem::Posix(), out, file);
}

absl::Status Verdicts(const std::string& directory) {
  HEROQ_ASSIGN_OR_RETURN(const std::vector<std::string> names, FileSystem::Posix().List(directory));
  for (const std::string& name : names) {
    const absl::Status status =
        SafetensorsReader::Open(FileSystem::Posix(), JoinPath(directory, name)).status();
    std::cout << name << "\t" << (status.ok() ? "ok" : ReasonName(status)) << "\n";
  }
  return absl::OkStatus();
}

absl::string_view NameOf(RopeKind kind) {
  switch (kind) {
    case RopeKind::kDefault:
      return "default";
    case RopeKind::kLinear:
      return "linear";
    case RopeKind::kDynamic:
      return "dynamic";
    case RopeKind::kLlama3:
      return "llama3";
  }
  return "";
}

absl::Status PrintLayout(const std::string& path) {
  HEROQ_ASSIGN_OR_RETURN(const std::string text, ReadFile(FileSystem::Posix(), path));
  HEROQ_ASSIGN_OR_RETURN(const ModelLayout layout, ParseModelConfig(text, path));
  nlohmann::json tensors = nlohmann::json::object();
  for (const TensorLayout& tensor : layout.Tensors()) tensors[tensor.name] = tensor.shape;
  const RopeConfig& rope = layout.rope;
  const nlohmann::json out = {
      {"tensors", tensors},
      {"head_dim", layout.head_dim},
      {"kv_heads", layout.kv_head_count},
      {"norm_epsilon", layout.norm_epsilon},
      {"max_positions", layout.max_positions},
      {"tied_head", layout.tied_head},
      {"dtype", std::string(ToString(layout.dtype))},
      {"bos", layout.bos_token_id.has_value() ? nlohmann::json(*layout.bos_token_id) : nlohmann::json()},
      {"rope",
       {{"rope_type", std::string(NameOf(rope.kind))},
        {"rope_theta", rope.theta},
        {"factor", rope.factor},
        {"low_freq_factor", rope.low_freq_factor},
        {"high_freq_factor", rope.high_freq_factor},
        {"original_max_position_embeddings", rope.original_max_positions}}}};
  std::cout << out.dump() << "\n";
  return absl::OkStatus();
}

absl::Status Run(const std::vector<std::string>& arguments) {
  if (arguments.size() == 3 && arguments[0] == "rewrite") return Rewrite(arguments[1], arguments[2]);
  if (arguments.size() == 2 && arguments[0] == "verdicts") return Verdicts(arguments[1]);
  if (arguments.size() == 2 && arguments[0] == "layout") return PrintLayout(arguments[1]);
  return absl::InvalidArgumentError("usage: see the top of checkpoint_probe.cc");
}

}  // namespace
}  // namespace heroq

int main(int argc, char** argv) {
  const absl::Status status = heroq::Run({argv + 1, argv + argc});
  if (!status.ok()) std::cerr << status << "\n";
  return status.ok() ? 0 : 1;
}
