#include "coordinator/client/run_directory.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/file/failpoint.h"
#include "common/file/io_error.h"
#include "common/file/network_file_system.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/client/message_output.h"
#include "google/protobuf/util/json_util.h"

namespace heroq {
namespace {

constexpr absl::Duration kChildrenMustBeGone = absl::Seconds(10);
constexpr absl::Duration kRetryInterval = absl::Milliseconds(50);
constexpr absl::string_view kTemporaryPrefix = "/tmp/heroq-";
constexpr char kRequestName[] = "job.json";
constexpr int64_t kMaxRecordBytes = 4 << 20;

bool IsAlive(pid_t pid) { return kill(pid, 0) == 0 || errno == EPERM; }

// "PID\nSOCKET_DIRECTORY\n" in the lock file.
struct Holder {
  pid_t pid = 0;
  std::string socket_directory;
};

Holder ReadHolder(FileSystem& files, const std::string& lock_path) {
  Holder holder;
  const auto text = ReadFile(files, lock_path, kMaxRecordBytes);
  if (!text.ok()) return holder;
  const std::vector<std::string> lines = absl::StrSplit(*text, '\n');
  if (!absl::SimpleAtoi(lines[0], &holder.pid)) holder.pid = 0;
  if (lines.size() > 1) holder.socket_directory = lines[1];
  return holder;
}

// Before anything is there: state is refused where the coordinator would refuse it.
absl::Status CheckPlace(FileSystem& files, const std::string& path) {
  std::string existing = path;
  while (!files.Exists(existing) && existing != DirectoryOf(existing)) existing = DirectoryOf(existing);
  return RefuseNetworkFileSystem(existing, absl::StrCat(path, ", the state of the run: directory"),
                                 "choose an --output on a local one, or give the job to a --server");
}

}  // namespace

absl::StatusOr<std::string> NewTemporaryDirectory() {
  std::string path = absl::StrCat(kTemporaryPrefix, "XXXXXX");
  if (mkdtemp(path.data()) == nullptr) return IoError(errno, "create directory", path);
  return path;
}

absl::StatusOr<std::unique_ptr<RunDirectory>> RunDirectory::Open(FileSystem& files, Clock& clock,
                                                                 const std::string& output,
                                                                 UiEventQueue& events) {
  std::unique_ptr<RunDirectory> run(new RunDirectory(files, output + ".heroq"));
  HEROQ_RETURN_IF_ERROR(CheckPlace(files, run->path_));
  const std::string lock_path = JoinPath(run->path_, "lock");
  const absl::Duration deadline = clock.Monotonic() + kChildrenMustBeGone;
  for (;;) {
    HEROQ_FAILPOINT(run_directory_before_create);
    HEROQ_RETURN_IF_ERROR(CreateDirectoriesDurably(files, run->path_));
    HEROQ_FAILPOINT(run_directory_after_create);
    absl::StatusOr<std::unique_ptr<FileLock>> lock = FileLock::TryAcquire(lock_path);
    if (lock.ok()) {
      run->lock_ = *std::move(lock);
      HEROQ_RETURN_IF_ERROR(run->Initialize());
      return run;
    }
    // The directory went away under us when its run ended just now.
    if (absl::IsNotFound(lock.status())) continue;
    if (!absl::IsUnavailable(lock.status())) return lock.status();
    const Holder holder = ReadHolder(files, lock_path);
    if ((holder.pid > 0 && IsAlive(holder.pid)) || clock.Monotonic() > deadline) {
      return MakeError(Reason::kOutputInUse, absl::StrCat("process ", holder.pid, " works on ", output,
                                                          " already (", lock_path, ")"));
    }
    const std::optional<UiEvent> event = events.Pop(kRetryInterval);
    if (event.has_value() && std::holds_alternative<InterruptEvent>(*event))
      return absl::CancelledError("interrupted");
  }
}

absl::Status RunDirectory::Initialize() {
  const std::string lock_path = JoinPath(path_, "lock");
  const Holder previous = ReadHolder(files_, lock_path);
  // Of a run that was killed. Only what NewTemporaryDirectory made is removed, whatever the file says.
  if (absl::StartsWith(previous.socket_directory, kTemporaryPrefix) &&
      !absl::StrContains(previous.socket_directory.substr(kTemporaryPrefix.size()), '/')) {
    HEROQ_RETURN_IF_ERROR(files_.RemoveTree(previous.socket_directory));
  }
  HEROQ_ASSIGN_OR_RETURN(socket_directory_, NewTemporaryDirectory());
  // In place: the lock belongs to the file, so it cannot be replaced.
  HEROQ_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file, files_.Create(lock_path));
  HEROQ_RETURN_IF_ERROR(file->Append(absl::StrCat(getpid(), "\n", socket_directory_, "\n")));
  HEROQ_RETURN_IF_ERROR(file->Close());
  HEROQ_FAILPOINT(run_directory_after_lock);
  return absl::OkStatus();
}

RunDirectory::~RunDirectory() {
  if (!socket_directory_.empty()) files_.RemoveTree(socket_directory_).IgnoreError();
}

absl::StatusOr<std::optional<v1::CreateQuantizationJobRequest>> RunDirectory::ReadRequest() const {
  const std::string path = JoinPath(path_, kRequestName);
  if (!files_.Exists(path)) return std::nullopt;
  HEROQ_ASSIGN_OR_RETURN(const std::string text, ReadFile(files_, path, kMaxRecordBytes));
  v1::CreateQuantizationJobRequest request;
  if (!google::protobuf::util::JsonStringToMessage(text, &request).ok()) {
    return MakeError(Reason::kFileCorrupt,
                     absl::StrCat(path, " is not the request of a job; --restart discards it"));
  }
  return request;
}

absl::Status RunDirectory::WriteRequest(const v1::CreateQuantizationJobRequest& request) {
  HEROQ_FAILPOINT(request_before_write);
  HEROQ_RETURN_IF_ERROR(WriteFileAtomically(files_, JoinPath(path_, kRequestName),
                                            FormatMessage(request, OutputFormat::kJson)));
  HEROQ_FAILPOINT(request_after_write);
  return absl::OkStatus();
}

absl::Status RunDirectory::Discard() {
  // The request goes last: until then an interrupted Discard is still an unfinished run.
  HEROQ_FAILPOINT(discard_before_state);
  HEROQ_RETURN_IF_ERROR(files_.RemoveTree(JoinPath(path_, "state")));
  HEROQ_RETURN_IF_ERROR(files_.RemoveTree(JoinPath(path_, "blobs")));
  HEROQ_FAILPOINT(discard_before_request);
  HEROQ_RETURN_IF_ERROR(files_.RemoveTree(JoinPath(path_, kRequestName)));
  HEROQ_FAILPOINT(discard_after_request);
  return absl::OkStatus();
}

absl::Status RunDirectory::Remove() {
  HEROQ_FAILPOINT(run_directory_before_remove);
  // The lock names it; without the lock nobody would find it.
  HEROQ_RETURN_IF_ERROR(files_.RemoveTree(socket_directory_));
  // The request goes first: a request without its state would be taken for a run that is to begin again, over
  // the output that this one published.
  HEROQ_RETURN_IF_ERROR(files_.RemoveTree(JoinPath(path_, kRequestName)));
  HEROQ_RETURN_IF_ERROR(files_.SyncDirectory(path_));
  HEROQ_FAILPOINT(run_directory_after_request);
  HEROQ_RETURN_IF_ERROR(files_.RemoveTree(JoinPath(path_, "state")));
  HEROQ_FAILPOINT(run_directory_after_state);
  HEROQ_RETURN_IF_ERROR(files_.RemoveTree(path_));
  HEROQ_FAILPOINT(run_directory_after_remove);
  return absl::OkStatus();
}

}  // namespace heroq
