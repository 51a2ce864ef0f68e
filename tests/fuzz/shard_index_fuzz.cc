// model.safetensors.index.json beside two shards.
#include <memory>
#include <string>

#include "common/checkpoint/checkpoint_reader.h"
#include "common/checkpoint/safetensors_writer.h"
#include "common/checkpoint/shard_index.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/support/memory_file_system.h"

namespace heroq {
namespace {

std::unique_ptr<MemoryFileSystem> TwoShards() {
  auto files = std::make_unique<MemoryFileSystem>();
  const std::string shards[] = {
      SerializeSafetensors({{{"a", DType::kU8, {2}}, "12"}, {{"b", DType::kU8, {1}}, "3"}}, {}).value(),
      SerializeSafetensors({{{"c", DType::kU8, {1}}, "4"}}, {}).value()};
  Require(files->CreateDirectories("/m").ok(), "the directory is made");
  Require(WriteFileAtomically(*files, "/m/1.safetensors", shards[0]).ok(), "the first shard is written");
  Require(WriteFileAtomically(*files, "/m/2.safetensors", shards[1]).ok(), "the second shard is written");
  return files;
}

}  // namespace
}  // namespace heroq

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace heroq;
  static MemoryFileSystem& files = *TwoShards().release();
  const absl::string_view text = FuzzInput(data, size).TakeRest();
  Require(WriteFileAtomically(files, "/m/model.safetensors.index.json", text).ok(), "the index is written");
  const auto checkpoint = CheckpointReader::Open(files, "/m");
  if (!checkpoint.ok()) return 0;
  const auto index = ParseShardIndex(text, "index");
  Require(index.ok(), "an index that opens can be parsed");
  // A shard no tensor is placed in is not opened, as in transformers.
  Require((*checkpoint)->tensors().size() == index->shard_of.size(), "the tensors are those of the index");
  for (const auto& [name, entry] : (*checkpoint)->tensors())
    Require(index->shard_of.contains(name), "each by its name");
  return 0;
}
