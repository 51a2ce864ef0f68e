#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"
#include "common/checkpoint/dtype.h"

namespace heroq {

// How many elements of `bytes`, stored as `dtype`, are NaN or infinite; 0 for types that are not
// floating-point. Any alignment. Pure.
int64_t CountNonFinite(DType dtype, absl::string_view bytes);

}  // namespace heroq
