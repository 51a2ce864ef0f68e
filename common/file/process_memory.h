#pragma once

#include <cstdint>

namespace heroq {

// Memory of this process that is in RAM now; 0 where the system does not say.
int64_t ResidentBytes();

}  // namespace heroq
