#pragma once

#include <ATen/Context.h>

namespace heroq {

// While alive, float32 matrix products may round their inputs to bfloat16 and accumulate in float32: exact
// products, and several times faster, for float32 tensors that hold bfloat16 values. Process-wide: one task
// runs at a time, and only the product meant goes inside.
class Bf16ProductsGuard {
 public:
  Bf16ProductsGuard() { at::globalContext().setFloat32MatmulPrecision("medium"); }
  // The process otherwise computes float32 products in float32.
  ~Bf16ProductsGuard() { at::globalContext().setFloat32MatmulPrecision("highest"); }
  Bf16ProductsGuard(const Bf16ProductsGuard&) = delete;
  Bf16ProductsGuard& operator=(const Bf16ProductsGuard&) = delete;
};

}  // namespace heroq
