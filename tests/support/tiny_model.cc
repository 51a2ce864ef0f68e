#include "tests/support/tiny_model.h"

#include <cstdlib>
#include <cstring>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/safetensors_writer.h"
#include "common/model/config_reader.h"
#include "common/quant/half.h"

namespace heroq {
namespace {

template <typename T>
T OrDie(absl::StatusOr<T> value) {
  if (!value.ok()) {
    std::cerr << value.status() << "\n";
    abort();
  }
  return *std::move(value);
}

void Write(FileSystem& files, const std::string& path, absl::string_view bytes) {
  absl::Status written = files.CreateDirectories(DirectoryOf(path));
  if (written.ok()) written = WriteFileAtomically(files, path, bytes);
  if (!written.ok()) {
    std::cerr << written << "\n";
    abort();
  }
}

std::string Config(const TinyModel& model) {
  return absl::StrCat(R"({
  "architectures": ["LlamaForCausalLM"],
  "attention_bias": )",
                      model.biases ? "true" : "false", R"(,
  "mlp_bias": )",
                      model.biases ? "true" : "false", R"(,
  "hidden_act": "silu",
  "hidden_size": )",
                      model.hidden, R"(,
  "intermediate_size": )",
                      model.intermediate, R"(,
  "max_position_embeddings": )",
                      model.max_positions, R"(,
  "model_type": "llama",
  "num_attention_heads": )",
                      model.heads, R"(,
  "num_hidden_layers": )",
                      model.blocks, R"(,
  "num_key_value_heads": )",
                      model.kv_heads, R"(,
  "rms_norm_eps": 1e-05,
  "rope_theta": 10000.0,
  "tie_word_embeddings": )",
                      model.tied ? "true" : "false", R"(,
  "torch_dtype": "bfloat16",
  "vocab_size": )",
                      model.vocab, R"(
}
)");
}

}  // namespace

std::vector<float> RandomValues(size_t count, uint64_t seed) {
  std::vector<float> values(count);
  uint64_t state = seed * 0x9E3779B97F4A7C15u + 1;
  for (float& value : values) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    value = static_cast<float>(static_cast<int64_t>(state >> 40) - (1 << 23)) / (1 << 23);
  }
  return values;
}

void WriteTinyModel(FileSystem& files, const std::string& directory, const TinyModel& model) {
  const std::string config = Config(model);
  const ModelLayout layout = OrDie(ParseModelConfig(config, "config.json"));
  std::vector<std::string> data;
  std::vector<NamedBytes> tensors;
  const std::vector<TensorLayout> all = layout.Tensors();
  data.reserve(all.size());
  for (const TensorLayout& tensor : all) {
    const TensorSpec spec{tensor.name, DType::kBf16, tensor.shape};
    const std::vector<float> values = RandomValues(spec.bytes() / 2, model.seed + 1000 * data.size());
    std::string& bytes = data.emplace_back(spec.bytes(), '\0');
    for (size_t i = 0; i < values.size(); ++i) {
      const uint16_t bits = FloatToBf16(values[i]);
      std::memcpy(&bytes[2 * i], &bits, 2);
    }
    tensors.push_back({spec, bytes});
  }
  Write(files, JoinPath(directory, "config.json"), config);
  Write(files, JoinPath(directory, "model.safetensors"),
        OrDie(SerializeSafetensors(tensors, {{"format", "pt"}})));
  Write(files, JoinPath(directory, "generation_config.json"), "{\"eos_token_id\": 0}\n");
  Write(files, JoinPath(directory, "LICENSE"), "Free for all.\n");
}

void WriteTokens(FileSystem& files, const std::string& path, int64_t sequences, int64_t length,
                 int64_t vocab) {
  std::vector<int32_t> ids(sequences * length);
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int32_t>(i * 7919 % vocab);
  const absl::string_view bytes(reinterpret_cast<const char*>(ids.data()), ids.size() * 4);
  Write(files, path, OrDie(SerializeSafetensors({{{"input_ids", DType::kI32, {sequences, length}}, bytes}})));
}

v1::Location LocalPath(const std::string& absolute_path) {
  v1::Location location;
  location.set_root("local");
  location.set_path(absolute_path);
  return location;
}

}  // namespace heroq
