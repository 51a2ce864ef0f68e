#pragma once

#include <string>
#include <vector>

#include "common/checkpoint/safetensors_writer.h"
#include "common/quant/quantized_linear.h"

namespace heroq {

// A tensor as it will be published.
struct StoredTensor {
  TensorSpec spec;
  std::string bytes;
};

// What a Quantize task hands in ("unit" in scheduling.proto).
struct UnitBlob {
  std::vector<QuantizedLinear> linears;
  std::vector<StoredTensor> tensors;  // rewritten ones
};

}  // namespace heroq
