#pragma once

#include <grpcpp/server_builder.h>

namespace heroq {

// The limits of rpc_limits.h: message and metadata sizes, streams, memory, keepalive; no bandwidth probes
// (with them a few uploads grow the process by hundreds of MiB).
void ApplyServerArguments(grpc::ServerBuilder& builder);

}  // namespace heroq
