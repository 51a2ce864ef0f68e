#pragma once

#include <cstdint>

#include "absl/status/status.h"

namespace heroq {

// Gives the threads that are started from now on stacks no larger than any needs: they count against the
// limit below, touched or not.
void LimitStacks();

// Lets this process allocate at most `bytes` from now on: heap, anonymous mappings and stacks, whether
// touched or not. Mapped files do not count, the kernel takes their pages back when it needs them. An
// allocation beyond fails as if the machine had no memory left. INTERNAL when the kernel refuses.
absl::Status LimitAllocations(int64_t bytes);

}  // namespace heroq
