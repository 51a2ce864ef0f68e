#pragma once

#include <grpcpp/support/server_interceptor.h>

#include <memory>

#include "common/metrics/metric_registry.h"
#include "common/time/clock.h"

namespace heroq {

// Records every call a server ends, whatever its outcome: heroq_rpc_duration_seconds{method, code}, from its
// first byte to its status. `registry` and `clock` are not owned and outlive the server.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> NewRpcMetrics(MetricRegistry& registry,
                                                                                     Clock& clock);

}  // namespace heroq
