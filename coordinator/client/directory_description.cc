#include "coordinator/client/directory_description.h"

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/checkpoint/stored_quantization.h"
#include "common/model/config_reader.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/client/number_format.h"
#include "coordinator/client/text_table.h"

namespace heroq {
namespace {

constexpr int64_t kMaxConfigBytes = 16 << 20;

std::string SchemeText(const LinearStorage& storage) {
  const QuantScheme& scheme = storage.scheme;
  std::string text = absl::StrCat("W", scheme.weight_bits);
  if (scheme.activation_bits < 16) absl::StrAppend(&text, "A", scheme.activation_bits);
  absl::StrAppend(
      &text, scheme.group_size == kPerChannel ? " per channel" : absl::StrCat(" group ", scheme.group_size),
      scheme.symmetric ? " symmetric" : " asymmetric");
  if (storage.group_index == GroupIndex::kAnyOrder) absl::StrAppend(&text, ", groups by activation order");
  return text;
}

// Bytes of every tensor by the module it belongs to ("a.b.weight_packed" -> "a.b").
std::map<std::string, int64_t> BytesByModule(const CheckpointReader& reader) {
  std::map<std::string, int64_t> bytes;
  for (const auto& [name, entry] : reader.tensors())
    bytes[name.substr(0, name.rfind('.'))] += entry.info.size;
  return bytes;
}

}  // namespace

absl::StatusOr<DirectoryDescription> DescribeDirectory(FileSystem& files, const std::string& directory) {
  const std::string config_path = JoinPath(directory, "config.json");
  if (!files.Exists(config_path)) {
    return MakeError(Reason::kModelNotFound, absl::StrCat(directory, " has no config.json"));
  }
  HEROQ_ASSIGN_OR_RETURN(const std::string config, ReadFile(files, config_path, kMaxConfigBytes));
  HEROQ_ASSIGN_OR_RETURN(const ModelLayout layout, ParseQuantizedModelConfig(config, config_path));
  HEROQ_ASSIGN_OR_RETURN(const std::optional<StoredQuantization> stored,
                         StoredQuantization::Read(files, directory, config));
  HEROQ_ASSIGN_OR_RETURN(const std::unique_ptr<CheckpointReader> reader,
                         CheckpointReader::Open(files, directory));

  DirectoryDescription result;
  result.directory = directory;
  result.family = layout.family;
  result.quantized = stored.has_value();
  if (stored.has_value()) result.method = stored->method();
  result.block_count = layout.block_count;
  result.hidden_size = layout.hidden_size;
  result.intermediate_size = layout.intermediate_size;
  result.head_count = layout.head_count;
  result.kv_head_count = layout.kv_head_count;
  result.head_dim = layout.head_dim;
  result.vocab_size = layout.vocab_size;
  result.max_positions = layout.max_positions;
  result.tied_head = layout.tied_head;
  result.dtype = absl::AsciiStrToLower(ToString(layout.dtype));
  result.files = static_cast<int64_t>(reader->files().size());
  result.tensors = static_cast<int64_t>(reader->tensors().size());
  const std::map<std::string, int64_t> bytes = BytesByModule(*reader);
  for (const auto& [module, size] : bytes) result.bytes += size;
  result.other_bytes = result.bytes;

  std::map<std::string, LinearGroup> groups;
  for (const BlockLayout& block : layout.blocks) {
    for (const LinearLayout& linear : block.linears) {
      const std::optional<LinearStorage> storage =
          stored.has_value() ? stored->StorageOf(linear.name) : std::nullopt;
      const std::string text = storage.has_value() ? SchemeText(*storage) : result.dtype;
      const std::string format = storage.has_value() ? std::string(ToString(storage->format)) : "dense";
      LinearGroup& group = groups[absl::StrCat(text, "\n", format)];
      group.scheme = text;
      group.format = format;
      ++group.linears;
      group.parameters += linear.out_features * linear.in_features;
      const auto size = bytes.find(linear.name);
      if (size == bytes.end()) {
        return MakeError(Reason::kModelInvalid,
                         absl::StrCat(directory, ": no tensor of linear ", linear.name));
      }
      group.bytes += size->second;
      result.other_bytes -= size->second;
    }
  }
  for (const auto& [key, group] : groups) result.linears.push_back(group);
  return result;
}

std::string FormatDescription(const DirectoryDescription& description) {
  std::string text;
  const auto line = [&](const char* name, const std::string& value) {
    absl::StrAppendFormat(&text, "%-16s%s\n", name, value);
  };
  line("directory", description.directory);
  line("family",
       absl::StrCat(description.family,
                    description.quantized ? absl::StrCat(", quantized (", description.method, ")") : ""));
  line("blocks", absl::StrFormat("%d, hidden size %d, intermediate size %d", description.block_count,
                                 description.hidden_size, description.intermediate_size));
  line("attention",
       absl::StrFormat("%d heads of %d, %d key/value heads, %d positions", description.head_count,
                       description.head_dim, description.kv_head_count, description.max_positions));
  line("vocabulary",
       absl::StrCat(description.vocab_size, description.tied_head ? ", head tied to the embedding" : ""));
  line("weights", absl::StrFormat("%s in %d tensors of %d file(s), %s", FormatBytes(description.bytes),
                                  description.tensors, description.files, description.dtype));
  text += "\n";
  TextTable table({"SCHEME", "FORMAT", "LINEARS", "PARAMETERS", "SIZE", "BITS/WEIGHT"}, {2, 3, 4, 5});
  for (const LinearGroup& group : description.linears) {
    table.AddRow({group.scheme, group.format, absl::StrCat(group.linears), absl::StrCat(group.parameters),
                  FormatBytes(group.bytes),
                  absl::StrFormat("%.2f", 8.0 * static_cast<double>(group.bytes) /
                                              static_cast<double>(group.parameters))});
  }
  table.AddRow({"everything else", "", "", "", FormatBytes(description.other_bytes), ""});
  return text + table.Render();
}

std::string DescriptionJson(const DirectoryDescription& description) {
  nlohmann::ordered_json json = {{"directory", description.directory},
                                 {"family", description.family},
                                 {"quantized", description.quantized},
                                 {"method", description.method},
                                 {"block_count", description.block_count},
                                 {"hidden_size", description.hidden_size},
                                 {"intermediate_size", description.intermediate_size},
                                 {"head_count", description.head_count},
                                 {"kv_head_count", description.kv_head_count},
                                 {"head_dim", description.head_dim},
                                 {"vocab_size", description.vocab_size},
                                 {"max_positions", description.max_positions},
                                 {"tied_head", description.tied_head},
                                 {"dtype", description.dtype},
                                 {"files", description.files},
                                 {"tensors", description.tensors},
                                 {"bytes", description.bytes},
                                 {"other_bytes", description.other_bytes}};
  json["linears"] = nlohmann::ordered_json::array();
  for (const LinearGroup& group : description.linears) {
    json["linears"].push_back({{"scheme", group.scheme},
                               {"format", group.format},
                               {"linears", group.linears},
                               {"parameters", group.parameters},
                               {"bytes", group.bytes}});
  }
  return json.dump();
}

}  // namespace heroq
