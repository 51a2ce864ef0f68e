#pragma once

#include <grpcpp/channel.h>

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/rpc/address.h"

namespace heroq {

// A plaintext channel to "unix:PATH" or "HOST:PORT" with heroq's settings: keepalive while calls run (30 s,
// 10 s to answer), no bandwidth probes, quick reconnection (at most 2 s between attempts). Connects on the
// first call. Every channel has its own connection. INVALID_SPEC for a malformed address. Do not drop the
// last reference inside a gRPC callback: its destructor joins callback threads.
absl::StatusOr<std::shared_ptr<grpc::Channel>> NewChannel(absl::string_view address);

}  // namespace heroq
