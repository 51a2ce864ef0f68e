// tokenizer.json, a zero byte, then text to encode.
#include "common/tokenizer/tokenizer.h"
#include "tests/fuzz/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace heroq;
  // Matching a pattern may take time quadratic in a text.
  constexpr size_t kMaxText = 1024;
  FuzzInput input(data, size);
  const auto tokenizer = Tokenizer::Load(input.TakeUntil('\0'), "tokenizer.json");
  if (!tokenizer.ok()) return 0;
  const auto ids = (*tokenizer)->Encode(input.Take(kMaxText), /*add_special_tokens=*/true);
  if (!ids.ok()) return 0;
  for (const int32_t id : *ids)
    Require(id >= 0 && id < (*tokenizer)->vocab_size(), "ids are below vocab_size");
  return 0;
}
