#pragma once

#include <string>

#include "common/quant/quant_scheme.h"
#include "heroq/v1/scheme.pb.h"

namespace heroq {

// The plain struct of a resolved scheme.
QuantScheme ToQuantScheme(const v1::LinearScheme& scheme);

// "W4A16 g128 asymmetric".
std::string SchemeText(const v1::LinearScheme& scheme);

}  // namespace heroq
