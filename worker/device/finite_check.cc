#include "worker/device/finite_check.h"

#include "absl/strings/string_view.h"
#include "common/checkpoint/finite_values.h"

namespace heroq {
namespace {

DType DTypeOf(c10::ScalarType type) {
  switch (type) {
    case at::kBFloat16:
      return DType::kBf16;
    case at::kHalf:
      return DType::kF16;
    case at::kFloat:
      return DType::kF32;
    default:
      return DType::kF64;
  }
}

}  // namespace

int64_t CountNonFinite(const at::Tensor& tensor) {
  return CountNonFinite(
      DTypeOf(tensor.scalar_type()),
      absl::string_view(static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()));
}

}  // namespace heroq
