#include "worker/worker_server.h"

#include <unistd.h>

#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/file/temporary_name.h"
#include "common/log/log.h"
#include "common/rpc/channel.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "worker/agent/local_task_executor.h"
#include "worker/agent/worker_agent.h"
#include "worker/device/device.h"
#include "worker/device/numeric_class.h"

namespace heroq {
namespace {

std::string DefaultWorkerId() {
  char host[256] = "localhost";
  gethostname(host, sizeof(host) - 1);
  return absl::StrCat(host, "-", getpid());
}

v1::WorkerHello MakeHello(const WorkerOptions& options, c10::Device device) {
  v1::WorkerHello hello;
  hello.set_worker_id(options.worker_id.empty() ? DefaultWorkerId() : options.worker_id);
  hello.set_incarnation(TemporaryName());
  hello.set_numeric_class(NumericClass(device));
  hello.set_cores(static_cast<int>(std::thread::hardware_concurrency()));
  hello.set_memory_bytes(int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE));
  hello.set_slots(options.slots);
  hello.set_leases_ahead(options.slots);
  hello.set_device(options.device);
  hello.set_version(options.version);
  hello.set_process_id(getpid());
  return hello;
}

}  // namespace

class WorkerServer::Impl {
 public:
  Impl(std::shared_ptr<grpc::Channel> channel, v1::WorkerHello hello, c10::Device device, FileSystem& files,
       Clock& clock, std::function<void()> on_drain_request)
      : agent_(
            std::move(channel),
            [&clock, device] { return std::make_unique<LocalTaskExecutor>(clock, device); }, files, clock,
            SystemJitter(), std::move(on_drain_request), OptionsOf(std::move(hello))) {
    agent_.Start();
  }

  void Drain(absl::Duration timeout) { agent_.Drain(timeout); }

 private:
  static WorkerAgentOptions OptionsOf(v1::WorkerHello hello) {
    WorkerAgentOptions options;
    options.hello = std::move(hello);
    return options;
  }

  WorkerAgent agent_;
};

WorkerServer::WorkerServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

WorkerServer::~WorkerServer() = default;

absl::StatusOr<std::unique_ptr<WorkerServer>> WorkerServer::Start(const WorkerOptions& options,
                                                                  FileSystem& files, Clock& clock,
                                                                  std::function<void()> on_drain_request) {
  if (options.slots < 1)
    return MakeError(Reason::kInvalidSpec, absl::StrCat("slots is ", options.slots, "; at least 1"));
  HEROQ_ASSIGN_OR_RETURN(std::shared_ptr<grpc::Channel> channel, NewChannel(options.server));
  HEROQ_ASSIGN_OR_RETURN(const c10::Device device, OpenDevice(options.device));
  v1::WorkerHello hello = MakeHello(options, device);
  Log(LogLevel::kInfo, "worker starts",
      {{"worker", hello.worker_id()},
       {"server", options.server},
       {"numeric_class", hello.numeric_class()},
       {"slots", hello.slots()}});
  return std::unique_ptr<WorkerServer>(new WorkerServer(std::make_unique<Impl>(
      std::move(channel), std::move(hello), device, files, clock, std::move(on_drain_request))));
}

void WorkerServer::Drain(absl::Duration timeout) { impl_->Drain(timeout); }

}  // namespace heroq
