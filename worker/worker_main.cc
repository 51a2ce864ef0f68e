#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "common/concurrency/termination_signal.h"
#include "common/file/failpoint.h"
#include "common/log/log.h"
#include "common/process/server_process.h"
#include "common/status/error_reason.h"
#include "worker/device/process_memory.h"
#include "worker/worker_server.h"

namespace heroq {
namespace {

// Exit codes from 40 to 49 mean that starting again would end the same way.
constexpr int kDeviceUnavailable = 40;
constexpr int kBadFlags = 41;

struct Flags {
  WorkerOptions worker;
  ServerProcess process;
  double drain_seconds = 60;
  uint64_t memory = 0;
};

void AddFlags(CLI::App& app, Flags& flags) {
  app.add_option("--server", flags.worker.server, "The coordinator: unix:PATH or HOST:PORT")->required();
  app.add_option("--device", flags.worker.device, "cpu or cuda:N")->capture_default_str();
  app.add_option("--slots", flags.worker.slots, "Tasks at once")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024));
  app.add_option("--id", flags.worker.worker_id,
                 "Name at the coordinator; default: host name and process id");
  app.add_option("--drain-seconds", flags.drain_seconds,
                 "How long running tasks may finish after SIGTERM before they are given back")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  app.add_option("--memory", flags.memory,
                 "What this process may allocate (6GiB); a task that needs more fails. Default: no limit")
      ->transform(CLI::AsSizeValue(false))
      ->type_name("SIZE");
  flags.process.AddFlags(app);
  app.set_version_flag("--version", "heroq-worker " + flags.worker.version);
}

int Fail(const absl::Status& status) {
  Log(LogLevel::kError, "worker cannot start", {{"error", status.ToString()}});
  std::fprintf(stderr, "heroq-worker: %s\n", std::string(status.message()).c_str());
  if (HasReason(status, Reason::kDeviceUnavailable)) return kDeviceUnavailable;
  return HasReason(status, Reason::kInvalidSpec) ? kBadFlags : 1;
}

int Main(int argc, char** argv) {
  if (absl::Status status = SetUpFailpoints(); !status.ok()) return Fail(status);
  LimitStacks();
  Flags flags;
  flags.worker.version = HEROQ_VERSION;
  CLI::App app{"Runs the tasks of quantization jobs for a coordinator", "heroq-worker"};
  AddFlags(app, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kBadFlags;
  }
  if (flags.memory > 0) {
    if (absl::Status status = LimitAllocations(static_cast<int64_t>(flags.memory)); !status.ok())
      return Fail(status);
  }
  const absl::StatusOr<bool> begun = flags.process.Begin();
  if (!begun.ok()) return Fail(begun.status());
  if (!*begun) return 1;
  auto server = WorkerServer::Start(flags.worker, FileSystem::Posix(), Clock::System(),
                                    [] { TerminationSignal::Raise(); });
  if (!server.ok()) return Fail(server.status());
  flags.process.WaitForEnd();
  // A second signal does not wait for tasks.
  flags.process.EndAtNextSignal();
  Log(LogLevel::kInfo, "worker drains", {{"seconds", flags.drain_seconds}});
  (*server)->Drain(absl::Seconds(flags.drain_seconds));
  return 0;
}

}  // namespace
}  // namespace heroq

int main(int argc, char** argv) {
  const int code = heroq::Main(argc, argv);
  std::fflush(nullptr);
  // Without destructors: LibTorch takes its tables of operators apart for a fifth of a second.
  std::quick_exit(code);
}
