#include "coordinator/client/embedded_cluster.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/client/location_argument.h"
#include "coordinator/client/log_tail.h"

namespace heroq {
namespace {

constexpr absl::Duration kStartTimeout = absl::Seconds(60);
// Of one question; an interrupt waits for its end. A coordinator that is slow is asked again.
constexpr absl::Duration kAnswerTimeout = absl::Milliseconds(500);
constexpr absl::Duration kPollInterval = absl::Milliseconds(2);
// From the start of Stop. Workers finish what they can in kDrainSeconds and give the rest back.
constexpr char kDrainSeconds[] = "2";
constexpr absl::Duration kWorkerGrace = absl::Seconds(3);
constexpr absl::Duration kGrace = absl::Milliseconds(4500);
constexpr int kTailLines = 5;

// A worker that exits with one of these would do so again.
bool IsPermanent(const ChildExit& end) { return !end.signalled && end.code >= 40 && end.code <= 49; }

}  // namespace

EmbeddedCluster::EmbeddedCluster(const CliContext& context, EmbeddedOptions options, UiEventQueue& events,
                                 ProgressRenderer& progress)
    : context_(context), options_(std::move(options)), events_(events), progress_(progress) {}

EmbeddedCluster::~EmbeddedCluster() { Stop(); }

std::string EmbeddedCluster::LogPath(const std::string& name) const {
  return JoinPath(JoinPath(options_.directory, "log"), name);
}

std::string EmbeddedCluster::SocketPath() const { return JoinPath(options_.socket_directory, "heroq.sock"); }

absl::StatusOr<std::unique_ptr<EmbeddedCluster>> EmbeddedCluster::Start(const CliContext& context,
                                                                        EmbeddedOptions options,
                                                                        UiEventQueue& events,
                                                                        ProgressRenderer& progress) {
  std::unique_ptr<EmbeddedCluster> cluster(
      new EmbeddedCluster(context, std::move(options), events, progress));
  for (const char* folder : {"state", "blobs", "log"}) {
    HEROQ_RETURN_IF_ERROR(context.files->CreateDirectories(JoinPath(cluster->options_.directory, folder)));
  }
  HEROQ_RETURN_IF_ERROR(cluster->StartCoordinator());
  // Workers load LibTorch while the coordinator recovers its state.
  cluster->workers_.resize(static_cast<std::size_t>(cluster->options_.workers));
  for (std::size_t i = 0; i < cluster->workers_.size(); ++i) {
    cluster->workers_[i].number = static_cast<int>(i) + 1;
    HEROQ_RETURN_IF_ERROR(cluster->StartWorker(cluster->workers_[i]));
  }
  HEROQ_RETURN_IF_ERROR(cluster->AwaitCoordinator());
  return cluster;
}

absl::Status EmbeddedCluster::StartCoordinator() {
  std::vector<std::string> arguments = {"--listen",
                                        "unix:" + SocketPath(),
                                        "--state-dir",
                                        JoinPath(options_.directory, "state"),
                                        "--blob-dir",
                                        JoinPath(options_.directory, "blobs"),
                                        "--root",
                                        absl::StrCat(kLocalRoot, "=/"),
                                        "--share-blob-directory",
                                        "--log-file",
                                        LogPath("coordinator.log"),
                                        "--exit-with-parent",
                                        absl::StrCat(getpid())};
  if (options_.keep_state) arguments.push_back("--keep-state");
  HEROQ_ASSIGN_OR_RETURN(ChildProcess process,
                         ChildProcess::Start(JoinPath(context_.executable_directory, "heroq-coordinator"),
                                             arguments, LogPath("coordinator.stderr")));
  coordinator_ = std::make_unique<ChildProcess>(std::move(process));
  return absl::OkStatus();
}

absl::Status EmbeddedCluster::StartWorker(Worker& worker) {
  const std::string name = absl::StrCat("worker-", worker.number);
  std::vector<std::string> arguments = {"--server",
                                        "unix:" + SocketPath(),
                                        "--device",
                                        options_.device,
                                        "--slots",
                                        "1",
                                        "--drain-seconds",
                                        kDrainSeconds,
                                        "--id",
                                        name,
                                        "--log-file",
                                        LogPath(name + ".log"),
                                        "--exit-with-parent",
                                        absl::StrCat(getpid())};
  if (options_.worker_memory_bytes > 0) {
    arguments.insert(arguments.end(), {"--memory", absl::StrCat(options_.worker_memory_bytes)});
  }
  HEROQ_ASSIGN_OR_RETURN(ChildProcess process,
                         ChildProcess::Start(JoinPath(context_.executable_directory, "heroq-worker"),
                                             arguments, LogPath(name + ".stderr")));
  worker.process = std::make_unique<ChildProcess>(std::move(process));
  return absl::OkStatus();
}

absl::Status EmbeddedCluster::AwaitCoordinator() {
  const absl::Duration deadline = context_.clock->Monotonic() + kStartTimeout;
  absl::Status answer = absl::UnavailableError("it does not listen");
  while (context_.clock->Monotonic() < deadline) {
    const std::optional<UiEvent> event = events_.Pop(kPollInterval);
    if (event.has_value() && std::holds_alternative<InterruptEvent>(*event)) {
      return absl::CancelledError("interrupted");
    }
    if (event.has_value() && std::holds_alternative<ChildExitEvent>(*event)) {
      HEROQ_RETURN_IF_ERROR(ReapChildren());
    }
    // An interrupt may be next, and an answer is long in coming where there is none.
    if (event.has_value()) continue;
    if (!context_.files->Exists(SocketPath())) continue;
    if (client_ == nullptr) {
      HEROQ_ASSIGN_OR_RETURN(client_, ConnectTo("unix:" + SocketPath(), *context_.clock));
    }
    answer = client_->Info(kAnswerTimeout).status();
    if (answer.ok()) return answer;
  }
  return Failure(absl::StrCat("the coordinator does not come up: ", answer.message()), "coordinator");
}

absl::Status EmbeddedCluster::ReapChildren() {
  if (const std::optional<ChildExit> end = coordinator_->Poll(); end.has_value()) {
    return Failure(absl::StrCat("the coordinator ", end->ToString()), "coordinator");
  }
  for (Worker& worker : workers_) {
    if (worker.process == nullptr) continue;
    const std::optional<ChildExit> end = worker.process->Poll();
    if (end.has_value()) HEROQ_RETURN_IF_ERROR(ReapWorker(worker, *end));
  }
  return absl::OkStatus();
}

absl::Status EmbeddedCluster::ReapWorker(Worker& worker, const ChildExit& end) {
  const std::string name = absl::StrCat("worker-", worker.number);
  worker.given_up = IsPermanent(end) || worker.restarts == kMaxRestarts;
  if (!worker.given_up) {
    ++worker.restarts;
    progress_.Note(absl::StrCat(name, " ", end.ToString(), "; started again (", worker.restarts, " of ",
                                kMaxRestarts, ")"));
    return StartWorker(worker);
  }
  progress_.Note(absl::StrCat(name, " ", end.ToString(), "; not started again"));
  if (std::any_of(workers_.begin(), workers_.end(), [](const Worker& other) { return !other.given_up; })) {
    return absl::OkStatus();
  }
  return Failure(absl::StrCat("no worker is left: ", name, " ", end.ToString()), name);
}

absl::Status EmbeddedCluster::Failure(absl::string_view problem, const std::string& log_name) const {
  std::vector<std::string> lines = LastLines(*context_.files, LogPath(log_name + ".log"), kTailLines);
  for (std::string& line : LastLines(*context_.files, LogPath(log_name + ".stderr"), kTailLines)) {
    lines.push_back(std::move(line));
  }
  const std::string tail = lines.empty() ? "" : absl::StrCat(":\n    ", absl::StrJoin(lines, "\n    "));
  return MakeError(Reason::kFailedToStart, absl::StrCat(problem, tail));
}

std::vector<ChildProcess*> EmbeddedCluster::Running() {
  std::vector<ChildProcess*> running;
  for (Worker& worker : workers_) {
    if (worker.process != nullptr && worker.process->running()) running.push_back(worker.process.get());
  }
  if (coordinator_ != nullptr && coordinator_->running()) running.push_back(coordinator_.get());
  return running;
}

void EmbeddedCluster::Stop() {
  // Workers first: what they finish now still reaches the coordinator.
  const absl::Duration start = context_.clock->Monotonic();
  SignalWorkers(SIGTERM);
  bool coordinator_told = false;
  bool killed = false;
  for (;;) {
    bool workers_running = false;
    for (ChildProcess* child : Running()) {
      child->Poll();
      workers_running = workers_running || (child->running() && child != coordinator_.get());
    }
    if (Running().empty()) return;
    const absl::Duration elapsed = context_.clock->Monotonic() - start;
    if (!coordinator_told && (!workers_running || elapsed > kWorkerGrace)) {
      coordinator_->Signal(SIGTERM);
      coordinator_told = true;
    }
    const std::optional<UiEvent> event = events_.Pop(kPollInterval);
    const bool impatient = event.has_value() && std::holds_alternative<InterruptEvent>(*event);
    if (!killed && (elapsed > kGrace || impatient)) {
      for (ChildProcess* child : Running()) child->Signal(SIGKILL);
      killed = true;
    }
  }
}

void EmbeddedCluster::SignalWorkers(int signal) const {
  for (const Worker& worker : workers_) {
    if (worker.process != nullptr) worker.process->Signal(signal);
  }
}

}  // namespace heroq
