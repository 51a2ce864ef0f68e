#include "coordinator/planning/file_layout.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {

absl::StatusOr<TensorSpec> SpecOf(const v1::RewrittenTensor& tensor) {
  const std::optional<DType> dtype = ParseDType(tensor.dtype());
  if (!dtype) {
    return MakeError(Reason::kInternal,
                     absl::StrCat("tensor ", tensor.name(), " is planned as ", tensor.dtype()));
  }
  return TensorSpec{tensor.name(), *dtype, {tensor.shape().begin(), tensor.shape().end()}};
}

absl::StatusOr<v1::PlannedFile> LayOutFile(std::string name, std::vector<TensorSpec> specs,
                                           const std::function<void(v1::PlannedTensor& tensor)>& assign) {
  HEROQ_ASSIGN_OR_RETURN(SafetensorsLayout layout, LayOutSafetensors(std::move(specs), {{"format", "pt"}}));
  v1::PlannedFile file;
  file.set_name(std::move(name));
  file.set_header(std::move(layout.header));
  for (const PlacedTensor& placed : layout.tensors) {
    v1::PlannedTensor& tensor = *file.add_tensors();
    tensor.set_name(placed.spec.name);
    tensor.set_dtype(std::string(ToString(placed.spec.dtype)));
    for (const int64_t dimension : placed.spec.shape) tensor.add_shape(dimension);
    tensor.set_begin(placed.begin);
    tensor.set_end(placed.end);
    assign(tensor);
  }
  return file;
}

}  // namespace heroq
