#include "worker/loading/checkpoint_weights.h"

#include <ATen/ops/_unique2.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/index_select.h>

#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/checkpoint/gptq_linear.h"
#include "common/checkpoint/packed_linear.h"
#include "common/model/config_reader.h"
#include "common/model/online_rotation.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "worker/device/finite_check.h"
#include "worker/device/torch_status.h"
#include "worker/loading/dequantize.h"
#include "worker/loading/scalar_types.h"
#include "worker/loading/stored_rotation.h"

namespace heroq {
namespace {

absl::Status Invalid(const std::string& directory, const std::string& tensor, absl::string_view rule) {
  return MakeError(Reason::kModelInvalid, absl::StrCat(directory, ": tensor ", tensor, ": ", rule),
                   {{"tensor", tensor}});
}

absl::StatusOr<c10::ScalarType> FloatType(const std::string& directory, const TensorInfo& info) {
  if (const std::optional<c10::ScalarType> type = FloatTypeOf(info.dtype)) return *type;
  return Invalid(directory, info.name,
                 absl::StrCat("has type ", ToString(info.dtype), ", expected a floating-point type"));
}

absl::Status CheckFinite(const std::string& directory, const std::string& name, const at::Tensor& tensor) {
  const int64_t bad = CountNonFinite(tensor);
  if (bad == 0) return absl::OkStatus();
  return Invalid(directory, name, absl::StrCat(bad, " of ", tensor.numel(), " values are NaN or Inf"));
}

// A dense tensor of `shape`.
absl::Status CheckDense(const CheckpointReader& tensors, const std::string& name,
                        const std::vector<int64_t>& shape) {
  HEROQ_ASSIGN_OR_RETURN(const CheckpointReader::Entry entry, tensors.Find(name));
  if (entry.info.shape != shape) {
    return Invalid(tensors.directory(), name,
                   absl::StrCat("has shape [", absl::StrJoin(entry.info.shape, ", "), "], expected [",
                                absl::StrJoin(shape, ", "), "]"));
  }
  return FloatType(tensors.directory(), entry.info).status();
}

// The linear a weight belongs to, or "" for another tensor.
std::string LinearOf(const std::string& name) {
  absl::string_view linear = name;
  return absl::ConsumeSuffix(&linear, ".weight") ? std::string(linear) : std::string();
}

bool IsGptq(LinearFormat format) { return format == LinearFormat::kGptq || format == LinearFormat::kGptqV2; }

// The tensor of a linear's codes.
std::string CodesName(const std::string& linear, LinearFormat format) {
  if (IsGptq(format)) return GptqCodesName(linear);
  return absl::StrCat(linear, format == LinearFormat::kIntQuantized ? ".weight" : ".weight_packed");
}

}  // namespace

absl::StatusOr<std::unique_ptr<CheckpointWeights>> CheckpointWeights::Open(FileSystem& files,
                                                                           const std::string& directory,
                                                                           c10::Device device) {
  const std::string path = JoinPath(directory, "config.json");
  absl::StatusOr<std::string> config = ReadFile(files, path);
  if (absl::IsNotFound(config.status())) {
    return MakeError(Reason::kModelNotFound, absl::StrCat(path, " does not exist"));
  }
  HEROQ_RETURN_IF_ERROR(config.status());
  HEROQ_ASSIGN_OR_RETURN(ModelLayout layout, ParseQuantizedModelConfig(*config, path));
  HEROQ_ASSIGN_OR_RETURN(std::optional<StoredQuantization> stored,
                         StoredQuantization::Read(files, directory, *config, PackedScope::kComputed));
  HEROQ_ASSIGN_OR_RETURN(std::unique_ptr<CheckpointReader> reader, CheckpointReader::Open(files, directory));
  HEROQ_ASSIGN_OR_RETURN(std::unique_ptr<AdapterWeights> adapter, AdapterWeights::Open(files, directory));
  auto source = absl::WrapUnique(new CheckpointWeights(std::move(reader), std::move(layout),
                                                       std::move(stored), std::move(adapter), device));
  HEROQ_RETURN_IF_ERROR(source->CheckTensors());
  HEROQ_RETURN_IF_ERROR(source->CheckRotations());
  return source;
}

absl::Status CheckpointWeights::CheckTensors() {
  for (TensorLayout& tensor : layout_.Tensors()) {
    const std::string name = tensor.name;
    shapes_[name] = std::move(tensor.shape);
    if (!StorageOf(name)) HEROQ_RETURN_IF_ERROR(CheckDense(*reader_, name, shapes_[name]));
  }
  return absl::OkStatus();
}

absl::Status CheckpointWeights::CheckRotations() {
  if (!stored_) return absl::OkStatus();
  HEROQ_ASSIGN_OR_RETURN(const std::vector<RotatedInput> rotated,
                         FindRotatedInputs(layout_, stored_->online_transforms(), *reader_));
  for (const RotatedInput& place : rotated) {
    shapes_[place.tensor] = {place.size, place.size};
    HEROQ_RETURN_IF_ERROR(CheckDense(*reader_, place.tensor, shapes_[place.tensor]));
    rotations_.emplace(std::make_pair(layout_.blocks[place.block].prefix, place.input), place.tensor);
  }
  return absl::OkStatus();
}

std::optional<LinearStorage> CheckpointWeights::StorageOf(const std::string& name) const {
  const std::string linear = LinearOf(name);
  if (!stored_ || linear.empty()) return std::nullopt;
  std::optional<LinearStorage> storage = stored_->StorageOf(linear);
  if (!storage) return std::nullopt;
  // Norms and the embedding are ".weight" too, but only linears have codes.
  const absl::StatusOr<CheckpointReader::Entry> codes = reader_->Find(CodesName(linear, storage->format));
  if (!codes.ok() || FloatTypeOf(codes->info.dtype)) return std::nullopt;
  return storage;
}

int CheckpointWeights::ActivationBits(const std::string& name) const {
  const std::optional<LinearStorage> storage = StorageOf(absl::StrCat(name, ".weight"));
  return storage ? storage->scheme.activation_bits : kUnquantizedActivationBits;
}

absl::StatusOr<std::pair<at::Tensor, at::Tensor>> CheckpointWeights::LoadBranch(
    const std::string& name) const {
  const auto shape = shapes_.find(absl::StrCat(name, ".weight"));
  if (adapter_ == nullptr || shape == shapes_.end()) return std::pair<at::Tensor, at::Tensor>();
  return adapter_->Load(name, shape->second[0], shape->second[1], device_);
}

absl::StatusOr<at::Tensor> CheckpointWeights::Load(const std::string& name, c10::ScalarType dtype) const {
  const auto shape = shapes_.find(name);
  if (shape == shapes_.end()) {
    return MakeError(Reason::kInternal, absl::StrCat(directory(), ": the model has no tensor ", name));
  }
  if (const std::optional<LinearStorage> storage = StorageOf(name)) {
    HEROQ_ASSIGN_OR_RETURN(const QuantizedLinear linear,
                           IsGptq(storage->format)
                               ? ReadGptqLinear(*reader_, LinearOf(name), *storage, shape->second)
                               : ReadPackedLinear(*reader_, LinearOf(name), *storage, shape->second));
    return DequantizeTo(linear, dtype, device_);
  }
  HEROQ_ASSIGN_OR_RETURN(const CheckpointReader::Entry entry, reader_->Find(name));
  HEROQ_ASSIGN_OR_RETURN(const c10::ScalarType stored, FloatType(directory(), entry.info));
  return CatchTorch(absl::StrCat("load ", name), [&]() -> absl::StatusOr<at::Tensor> {
    const at::Tensor tensor = at::empty(shape->second, stored);
    HEROQ_RETURN_IF_ERROR(entry.file->Read(entry.info, tensor.mutable_data_ptr()));
    HEROQ_RETURN_IF_ERROR(CheckFinite(directory(), name, tensor));
    return tensor.to(device_, dtype);
  });
}

void CheckpointWeights::WillLoad(const std::string& name) const {
  const auto found = reader_->tensors().find(name);
  if (found != reader_->tensors().end()) found->second.file->WillRead(found->second.info);
}

absl::StatusOr<at::Tensor> CheckpointWeights::LoadRotation(const BlockLayout& block, LinearInput input,
                                                           c10::ScalarType dtype) const {
  const auto found = rotations_.find({block.prefix, input});
  if (found == rotations_.end()) return at::Tensor();
  HEROQ_ASSIGN_OR_RETURN(const at::Tensor stored, Load(found->second, at::kDouble));
  return CatchTorch(absl::StrCat("load ", found->second), [&] { return OnlineRotationOf(stored, dtype); });
}

absl::StatusOr<at::Tensor> CheckpointWeights::LoadRows(const std::string& name, const at::Tensor& rows,
                                                       c10::ScalarType dtype) const {
  HEROQ_ASSIGN_OR_RETURN(const CheckpointReader::Entry entry, reader_->Find(name));
  HEROQ_ASSIGN_OR_RETURN(const c10::ScalarType stored, FloatType(directory(), entry.info));
  return CatchTorch(absl::StrCat("load rows of ", name), [&]() -> absl::StatusOr<at::Tensor> {
    const auto [distinct, position, counts] =
        at::_unique2(rows.to(at::kCPU), /*sorted=*/true, /*return_inverse=*/true);
    const int64_t columns = entry.info.shape.back();
    const at::Tensor table = at::empty({distinct.numel(), columns}, stored);
    const int64_t row_bytes = columns * SizeOf(entry.info.dtype);
    const int64_t* ids = distinct.const_data_ptr<int64_t>();
    auto* out = static_cast<char*>(table.mutable_data_ptr());
    for (int64_t begin = 0, end = 0; begin < distinct.numel(); begin = end) {
      for (end = begin + 1; end < distinct.numel() && ids[end] == ids[end - 1] + 1;) ++end;
      HEROQ_RETURN_IF_ERROR(entry.file->ReadPart(entry.info, ids[begin] * row_bytes,
                                                 (end - begin) * row_bytes, out + begin * row_bytes));
    }
    HEROQ_RETURN_IF_ERROR(CheckFinite(directory(), name, table));
    return at::index_select(table.to(device_, dtype), 0, position.flatten().to(device_));
  });
}

}  // namespace heroq
