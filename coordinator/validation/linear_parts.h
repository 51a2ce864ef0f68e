#pragma once

#include <string>
#include <vector>

#include "common/checkpoint/dtype.h"
#include "common/checkpoint/linear_storage.h"
#include "common/model/model_layout.h"

namespace heroq {

// The tensors that hold one quantized linear, by what they hold; a name is empty when the format has none.
struct LinearParts {
  std::string codes;
  std::string scales;
  std::string zero_points;
  std::string group_index;
  std::string shape;
};

LinearParts PartsOf(const std::string& linear, const LinearStorage& storage);

// What a checkpoint should hold under one name.
struct ExpectedTensor {
  std::string name;
  std::vector<int64_t> shape;
  std::vector<DType> types;    // any of them
  bool finite_values = false;  // nothing but NaN and Inf is wrong
  bool optional = false;
};

// The types of unquantized values and of scales.
std::vector<DType> FloatTypes();

// Shapes and types of the parts of `linear`.
std::vector<ExpectedTensor> ExpectedParts(const LinearLayout& linear, const LinearStorage& storage);

}  // namespace heroq
