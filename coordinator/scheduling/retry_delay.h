#pragma once

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace heroq {

// How long a task waits after its `ends`-th charged end (1, 2, ...): base x 2^(ends - 1), at most cap, then
// +-20 %. The jitter is a pure function of `key` (the id of the lease that ended), so that equal histories
// give equal journals. Pure.
absl::Duration RetryDelay(int ends, absl::string_view key, absl::Duration base, absl::Duration cap);

}  // namespace heroq
