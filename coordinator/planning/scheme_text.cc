#include "coordinator/planning/scheme_text.h"

namespace heroq {

QuantScheme ToQuantScheme(const v1::LinearScheme& scheme) {
  QuantScheme plain;
  plain.weight_bits = scheme.weight_bits();
  plain.group_size = scheme.group_size();
  plain.symmetric = scheme.symmetric();
  plain.activation_bits = scheme.activation_bits();
  plain.scale_type = scheme.scale_type() == v1::SCALE_TYPE_F16 ? ScaleType::kF16 : ScaleType::kBf16;
  return plain;
}

std::string SchemeText(const v1::LinearScheme& scheme) { return ToString(ToQuantScheme(scheme)); }

}  // namespace heroq
