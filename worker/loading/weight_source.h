#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "common/model/model_layout.h"
#include "common/quant/quant_scheme.h"

namespace heroq {

// The tensors of a model, by name, as it computes with them. Names and shapes are those of the layout, so a
// reader of weights need not know where they come from. Keeps no weights. Thread-safe. Blocking.
class WeightSource {
 public:
  virtual ~WeightSource() = default;

  virtual const ModelLayout& layout() const = 0;
  // Where tensors are made.
  virtual c10::Device device() const = 0;

  // The whole tensor `name` of the layout ("model.layers.0.mlp.up_proj.weight"), contiguous, converted to
  // `dtype` (rounding to nearest even). MODEL_INVALID naming the tensor and the count when it holds NaN or
  // Inf.
  virtual absl::StatusOr<at::Tensor> Load(const std::string& name, c10::ScalarType dtype) const = 0;

  // Says that the tensor will be loaded soon, so that storage can fetch it meanwhile. Does not block.
  virtual void WillLoad(const std::string& name) const {}

  // Bits that the input of linear `name` is rounded to at run time (QuantizeActivations); 16: it is not.
  virtual int ActivationBits(const std::string& name) const { return kUnquantizedActivationBits; }

  // down [rank, in] and up [out, rank] of a low-rank branch beside linear `name`, float32; undefined without
  // one.
  virtual absl::StatusOr<std::pair<at::Tensor, at::Tensor>> LoadBranch(const std::string& name) const {
    return std::pair<at::Tensor, at::Tensor>();
  }

  // Rows `rows` (int64, in range) of the dense matrix `name`: [rows, columns]. Reads only the distinct rows
  // asked for, so an embedding of a huge vocabulary is never held whole. NaN and Inf are looked for in these
  // rows.
  virtual absl::StatusOr<at::Tensor> LoadRows(const std::string& name, const at::Tensor& rows,
                                              c10::ScalarType dtype) const = 0;

  // R [b, b] that `input` of `block` is multiplied by at run time (worker/forward/input_rotation.h);
  // undefined where it is read as it is.
  virtual absl::StatusOr<at::Tensor> LoadRotation(const BlockLayout& block, LinearInput input,
                                                  c10::ScalarType dtype) const {
    return at::Tensor();
  }
};

}  // namespace heroq
