#include "common/model/model_family.h"

#include "common/model/llama_family.h"

namespace heroq {

absl::Span<const ModelFamily> ModelFamilies() {
  static const auto* families = new std::vector<ModelFamily>{LlamaFamily()};
  return *families;
}

}  // namespace heroq
