#pragma once

#include <string>
#include <vector>

#include "common/quant/quantized_linear.h"

namespace heroq {

// Rounds a dense weight [out, in] to the nearest points of a min-max grid per group: the plainest quantizer
// there is, with scales rounded to their stored type first. `squared_error` and `energy` are ||What - W||_F^2
// and ||W||_F^2.
struct NearestRounding {
  QuantizedLinear linear;
  std::vector<float> rounded;  // What, formed from codes before they are packed
  double squared_error = 0;
  double energy = 0;
};

NearestRounding RoundToNearest(const std::string& name, const std::vector<float>& weight,
                               int64_t out_features, int64_t in_features, const QuantScheme& scheme);

}  // namespace heroq
