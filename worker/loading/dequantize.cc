#include "worker/loading/dequantize.h"

#include <ATen/ops/from_blob.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "worker/device/torch_status.h"

namespace heroq {

absl::StatusOr<at::Tensor> DequantizeTo(const QuantizedLinear& linear, c10::ScalarType dtype,
                                        c10::Device device) {
  return CatchTorch(absl::StrCat("dequantize ", linear.name), [&] {
    std::vector<float> values = Dequantize(linear);
    // Always a copy: the vector dies with this call.
    return at::from_blob(values.data(), {linear.out_features, linear.in_features}, at::kFloat)
        .to(device, dtype, /*non_blocking=*/false, /*copy=*/true);
  });
}

}  // namespace heroq
