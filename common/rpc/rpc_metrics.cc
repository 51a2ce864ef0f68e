#include "common/rpc/rpc_metrics.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace heroq {
namespace {

using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::InterceptorBatchMethods;

class CallTimer final : public grpc::experimental::Interceptor {
 public:
  CallTimer(MetricRegistry& registry, Clock& clock, std::string method)
      : registry_(registry), clock_(clock), method_(std::move(method)), start_(clock.Monotonic()) {}

  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      Record(static_cast<absl::StatusCode>(methods->GetSendStatus().error_code()));
    }
    methods->Proceed();
  }

 private:
  void Record(absl::StatusCode code) {
    static const std::vector<double> kBounds = {0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100};
    registry_
        .GetHistogram("heroq_rpc_duration_seconds", "Duration of calls by method and status code",
                      {{"method", method_}, {"code", absl::StatusCodeToString(code)}}, kBounds)
        .Observe(absl::ToDoubleSeconds(clock_.Monotonic() - start_));
  }

  MetricRegistry& registry_;
  Clock& clock_;
  const std::string method_;
  const absl::Duration start_;
};

class CallTimerFactory final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  CallTimerFactory(MetricRegistry& registry, Clock& clock) : registry_(registry), clock_(clock) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(grpc::experimental::ServerRpcInfo* info) override {
    return new CallTimer(registry_, clock_, info->method());
  }

 private:
  MetricRegistry& registry_;
  Clock& clock_;
};

}  // namespace

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> NewRpcMetrics(MetricRegistry& registry,
                                                                                     Clock& clock) {
  return std::make_unique<CallTimerFactory>(registry, clock);
}

}  // namespace heroq
