#pragma once

#include "common/model/model_family.h"

namespace heroq {

// Llama 2 and 3.x, SmolLM2 and others that say `model_type: llama`: grouped-query attention, rotary positions
// on halves, SwiGLU, RMS norms before attention and MLP. Optional biases on all four attention projections
// (`attention_bias`) and on all three MLP projections (`mlp_bias`), explicit `head_dim`, tied or separate
// head. Absent optional fields mean what they mean to transformers' LlamaConfig.
ModelFamily LlamaFamily();

}  // namespace heroq
