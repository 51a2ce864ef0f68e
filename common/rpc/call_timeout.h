#pragma once

#include <grpc/support/time.h>
#include <grpcpp/client_context.h>

#include "absl/time/time.h"

namespace heroq {

// The call fails with DEADLINE_EXCEEDED this long after it starts. Every call has a timeout, except streams
// that last.
inline void SetCallTimeout(grpc::ClientContext& context, absl::Duration timeout) {
  context.set_deadline(gpr_time_from_millis(absl::ToInt64Milliseconds(timeout), GPR_TIMESPAN));
}

}  // namespace heroq
