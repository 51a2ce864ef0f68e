#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace heroq {

// Errors on the wire: a google.rpc.Status in the error details, with one ErrorInfo{reason, domain "heroq",
// metadata}; one BadRequest whose field violations are the metadata entries "field:<path>"; RetryInfo for
// UNAVAILABLE. A status without a Reason becomes INTERNAL, UNAVAILABLE or CANCELLED by its code, so every
// error has one. What would not fit the 8 KiB of metadata that HTTP/2 peers accept is cut: the message at 1.5
// KiB, then violations (the last one says how many are left out).
grpc::Status ToGrpcStatus(const absl::Status& status);

// The inverse: code, message, reason and metadata survive the round trip. Statuses gRPC makes itself have no
// details: UNAVAILABLE gets Reason::kUnavailable, other codes no reason. A reason this build does not know is
// named in the message.
absl::Status FromGrpcStatus(const grpc::Status& status);

}  // namespace heroq
