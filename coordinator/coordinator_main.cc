#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "common/file/failpoint.h"
#include "common/log/log.h"
#include "common/process/server_process.h"
#include "coordinator/coordinator_server.h"

namespace heroq {
namespace {

struct Flags {
  CoordinatorOptions coordinator;
  ServerProcess process;
  std::vector<std::string> roots;
  double lease_seconds = 20;
};

// Heartbeats in the time a lease lives: one may be lost, and one late.
constexpr int kHeartbeatsPerLease = 4;

// "NAME=DIR".
CLI::Validator RootArgument() {
  return CLI::Validator(
      [](std::string& text) {
        const std::size_t equals = text.find('=');
        const bool valid =
            equals != std::string::npos && equals > 0 && text.substr(equals + 1).rfind('/', 0) == 0;
        return valid ? std::string() : "expected NAME=/ABSOLUTE/DIRECTORY, not \"" + text + "\"";
      },
      "NAME=DIR");
}

void AddFlags(CLI::App& app, Flags& flags) {
  app.add_option("--listen", flags.coordinator.listen, "unix:PATH or HOST:PORT; repeatable")->required();
  app.add_option("--state-dir", flags.coordinator.state_directory,
                 "Directory of the journal, on a local disk")
      ->required();
  app.add_option("--blob-dir", flags.coordinator.blob_directory,
                 "Directory of results that are not published yet")
      ->required();
  app.add_option("--root", flags.roots, "Directory that clients may name as NAME; repeatable")
      ->required()
      ->check(RootArgument());
  app.add_flag("--share-blob-directory", flags.coordinator.share_blob_directory,
               "Let workers that share this file system write blobs there themselves");
  app.add_option("--admin-listen", flags.coordinator.admin_listen,
                 "HOST:PORT of /metrics, /livez and /readyz");
  app.add_option("--lease-seconds", flags.lease_seconds,
                 "How long a worker may be silent before its tasks are given to others")
      ->capture_default_str()
      ->check(CLI::Range(1.0, 3600.0));
  app.add_flag("--keep-state", flags.coordinator.keep_state, "Keep the blobs of jobs that have ended");
  flags.process.AddFlags(app);
  app.set_version_flag("--version", "heroq-coordinator " + flags.coordinator.version);
}

int Fail(const absl::Status& status) {
  Log(LogLevel::kError, "coordinator cannot start", {{"error", status.ToString()}});
  std::fprintf(stderr, "heroq-coordinator: %s\n", std::string(status.message()).c_str());
  return 1;
}

int Main(int argc, char** argv) {
  if (absl::Status status = SetUpFailpoints(); !status.ok()) return Fail(status);
  Flags flags;
  flags.coordinator.version = HEROQ_VERSION;
  CLI::App app{"Turns quantization jobs into tasks, leases them to workers and publishes checkpoints",
               "heroq-coordinator"};
  AddFlags(app, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  for (const std::string& root : flags.roots) {
    const std::size_t equals = root.find('=');
    flags.coordinator.roots[root.substr(0, equals)] = root.substr(equals + 1);
  }
  flags.coordinator.leases.time_to_live = absl::Seconds(flags.lease_seconds);
  flags.coordinator.leases.heartbeat_interval = absl::Seconds(flags.lease_seconds) / kHeartbeatsPerLease;
  const absl::StatusOr<bool> begun = flags.process.Begin();
  if (!begun.ok()) return Fail(begun.status());
  if (!*begun) return 1;
  auto server = CoordinatorServer::Start(flags.coordinator, FileSystem::Posix(), Clock::System());
  if (!server.ok()) return Fail(server.status());
  // The ports that were chosen, for whoever started this with port 0.
  for (const std::string& address : (*server)->addresses()) std::printf("listening on %s\n", address.c_str());
  std::fflush(stdout);
  flags.process.WaitForEnd();
  (*server)->Stop();
  return 0;
}

}  // namespace
}  // namespace heroq

int main(int argc, char** argv) { return heroq::Main(argc, argv); }
