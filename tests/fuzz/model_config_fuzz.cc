// config.json -> ModelLayout.
#include "common/model/config_reader.h"
#include "tests/fuzz/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace heroq;
  const auto layout = ParseModelConfig(FuzzInput(data, size).TakeRest(), "config.json");
  if (!layout.ok()) return 0;
  Require(static_cast<int64_t>(layout->blocks.size()) == layout->block_count, "every block is laid out");
  for (const TensorLayout& tensor : layout->Tensors()) {
    int64_t elements = 1;
    for (const int64_t dimension : tensor.shape) {
      Require(dimension > 0 && !__builtin_mul_overflow(elements, dimension, &elements),
              "64 bits count the elements of a tensor");
    }
  }
  return 0;
}
