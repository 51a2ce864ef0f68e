#include "worker/agent/stored_tensors.h"

#include <ATen/ops/empty.h>

#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "worker/device/finite_check.h"
#include "worker/device/torch_status.h"
#include "worker/loading/scalar_types.h"

namespace heroq {
namespace {

absl::Status Broken(const std::string& tensor, absl::string_view rule) {
  return MakeError(Reason::kInternal, absl::StrCat("tensor ", tensor, " ", rule), {{"tensor", tensor}});
}

}  // namespace

absl::StatusOr<StoredTensor> StoreTensor(const v1::RewrittenTensor& planned, const at::Tensor& tensor) {
  const std::optional<DType> dtype = ParseDType(planned.dtype());
  const std::optional<c10::ScalarType> type = dtype ? FloatTypeOf(*dtype) : std::nullopt;
  if (!type) return Broken(planned.name(), absl::StrCat("is planned as ", planned.dtype()));
  const std::vector<int64_t> shape(planned.shape().begin(), planned.shape().end());
  if (tensor.sizes().vec() != shape) {
    return Broken(planned.name(), absl::StrCat("has shape [", absl::StrJoin(tensor.sizes(), ", "),
                                               "], planned [", absl::StrJoin(shape, ", "), "]"));
  }
  return CatchTorch(absl::StrCat("store ", planned.name()), [&]() -> absl::StatusOr<StoredTensor> {
    const at::Tensor rounded = tensor.to(at::kCPU, *type).contiguous();
    if (const int64_t bad = CountNonFinite(rounded); bad > 0) {
      return MakeError(Reason::kNumericalFailure,
                       absl::StrCat("tensor ", planned.name(), ": ", bad, " of ", rounded.numel(),
                                    " transformed values are not finite in ", planned.dtype()),
                       {{"tensor", planned.name()}});
    }
    return StoredTensor{{planned.name(), *dtype, shape},
                        std::string(static_cast<const char*>(rounded.const_data_ptr()), rounded.nbytes())};
  });
}

absl::StatusOr<at::Tensor> TensorOf(const StoredTensor& stored) {
  const std::optional<c10::ScalarType> type = FloatTypeOf(stored.spec.dtype);
  if (!type) return Broken(stored.spec.name, absl::StrCat("has type ", ToString(stored.spec.dtype)));
  return CatchTorch(absl::StrCat("read ", stored.spec.name), [&] {
    at::Tensor tensor = at::empty(stored.spec.shape, *type);
    std::memcpy(tensor.mutable_data_ptr(), stored.bytes.data(), stored.bytes.size());
    return tensor;
  });
}

}  // namespace heroq
