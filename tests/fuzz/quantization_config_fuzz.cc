// quantization_config of a config.json, and how a few linears are stored.
#include <string>

#include "common/checkpoint/packed_checkpoint.h"
#include "common/checkpoint/stored_quantization.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/support/memory_file_system.h"

namespace heroq {
namespace {

void CheckScheme(const QuantScheme& scheme) {
  Require(scheme.weight_bits >= 2 && scheme.weight_bits <= 8, "2 to 8 bits");
  Require(scheme.group_size >= 1 || scheme.group_size == kPerChannel, "groups have a size");
}

}  // namespace
}  // namespace heroq

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace heroq;
  static MemoryFileSystem& no_files = *new MemoryFileSystem;
  const absl::string_view text = FuzzInput(data, size).TakeRest();
  const auto packed = PackedCheckpoint::Parse(text, "config.json");
  const auto stored = StoredQuantization::Read(no_files, "/m", text);
  const std::string long_name(1000, 'a');
  for (const std::string& name :
       {std::string("lm_head"), std::string("model.layers.0.self_attn.q_proj"), long_name}) {
    if (packed.ok() && packed->has_value()) {
      if (const auto scheme = (*packed)->SchemeOf(name)) CheckScheme(*scheme);
      const auto rotation = (*packed)->online_transforms().RotationOf(name);
      if (rotation.ok() && rotation->has_value()) {
        Require((*rotation)->size >= 1 && (*rotation)->size <= kMaxRotationSize,
                "blocks have a bounded size");
      }
    }
    if (stored.ok() && stored->has_value()) {
      if (const auto storage = (*stored)->StorageOf(name)) CheckScheme(storage->scheme);
    }
  }
  return 0;
}
