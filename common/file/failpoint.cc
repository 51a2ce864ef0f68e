#include "common/file/failpoint.h"

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"

#ifdef HEROQ_FAILPOINTS

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/file/file_descriptor.h"
#include "common/file/io_error.h"

namespace heroq {
namespace {

constexpr absl::string_view kNames[] = {
#define HEROQ_FAILPOINT_NAME(name) #name,
#include "common/file/failpoints.inc"
#undef HEROQ_FAILPOINT_NAME
};
constexpr std::size_t kCount = std::size(kNames);

enum class Mode { kNone, kCrash, kError, kPause };
constexpr absl::string_view kModes[] = {"-", "crash", "error", "pause"};

struct Arming {
  Mode mode = Mode::kNone;
  int at_hit = 1;
  bool and_later = false;
};

struct Armed {
  std::array<Arming, kCount> armings;
  std::array<std::atomic<int>, kCount> hits{};
  FileDescriptor trace{-1};
};

// Null where nothing is armed. Never destroyed: threads may still run when main returns.
std::atomic<Armed*> g_armed{nullptr};

absl::Status Invalid(absl::string_view entry, absl::string_view expected) {
  return MakeError(Reason::kInvalidSpec,
                   absl::StrCat("HEROQ_FAILPOINTS: \"", entry, "\": expected ", expected));
}

std::optional<std::size_t> IndexOf(absl::string_view name) {
  for (std::size_t i = 0; i < kCount; ++i) {
    if (kNames[i] == name) return i;
  }
  return std::nullopt;
}

absl::Status ParseEntry(absl::string_view entry, Armed& armed) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(entry, absl::MaxSplits('=', 1));
  const auto& [name, action] = parts;
  if (name == "trace") {
    const std::string path(action);
    armed.trace = FileDescriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    return armed.trace.is_open() ? absl::OkStatus() : IoError(errno, "open", path);
  }
  const std::optional<std::size_t> index = IndexOf(name);
  if (!index.has_value()) return Invalid(entry, "the name of a failpoint");
  const std::pair<absl::string_view, absl::string_view> mode_and_hit =
      absl::StrSplit(action, absl::MaxSplits('@', 1));
  auto [mode, hit] = mode_and_hit;
  Arming& arming = armed.armings[*index];
  arming.and_later = absl::ConsumeSuffix(&hit, "+");
  for (std::size_t i = 1; i < std::size(kModes); ++i) {
    if (kModes[i] == mode) arming.mode = static_cast<Mode>(i);
  }
  if (arming.mode == Mode::kNone) return Invalid(entry, "NAME=crash, NAME=error or NAME=pause");
  if (absl::StrContains(action, "@") && (!absl::SimpleAtoi(hit, &arming.at_hit) || arming.at_hit < 1)) {
    return Invalid(entry, "a number from 1 on after @, and perhaps a +");
  }
  return absl::OkStatus();
}

void Trace(const Armed& armed, absl::string_view name, int hit, Mode mode) {
  if (!armed.trace.is_open()) return;
  const std::string line = absl::StrCat(program_invocation_short_name, " ", name, " ", hit, " ",
                                        kModes[static_cast<std::size_t>(mode)], "\n");
  // A trace that cannot be written shows as a failpoint that was not reached.
  static_cast<void>(!::write(armed.trace.get(), line.data(), line.size()));
}

}  // namespace

absl::Span<const absl::string_view> FailpointNames() { return kNames; }

absl::Status ArmFailpoints(absl::string_view specification) {
  auto armed = std::make_unique<Armed>();
  for (absl::string_view entry : absl::StrSplit(specification, ';', absl::SkipEmpty())) {
    HEROQ_RETURN_IF_ERROR(ParseEntry(entry, *armed));
  }
  delete g_armed.exchange(specification.empty() ? nullptr : armed.release());
  return absl::OkStatus();
}

absl::Status SetUpFailpoints() {
  const char* specification = std::getenv("HEROQ_FAILPOINTS");
  return ArmFailpoints(specification == nullptr ? "" : specification);
}

absl::Status ReachFailpoint(Failpoint point) {
  Armed* const armed = g_armed.load();
  if (armed == nullptr) return absl::OkStatus();
  const auto index = static_cast<std::size_t>(point);
  const Arming& arming = armed->armings[index];
  const int hit = ++armed->hits[index];
  const bool due = hit == arming.at_hit || (arming.and_later && hit > arming.at_hit);
  const Mode mode = due ? arming.mode : Mode::kNone;
  Trace(*armed, kNames[index], hit, mode);
  switch (mode) {
    case Mode::kNone:
      break;
    case Mode::kCrash:
      ::kill(::getpid(), SIGKILL);
      break;
    case Mode::kPause:
      // To this thread: one for the process may stop another first, while this one goes on for a moment.
      ::raise(SIGSTOP);
      break;
    case Mode::kError:
      return MakeError(Reason::kIo, absl::StrCat("failpoint ", kNames[index]));
  }
  return absl::OkStatus();
}

}  // namespace heroq

#else

namespace heroq {

absl::Status SetUpFailpoints() {
  if (std::getenv("HEROQ_FAILPOINTS") == nullptr) return absl::OkStatus();
  return MakeError(Reason::kUnsupported, "HEROQ_FAILPOINTS is set, but this build has no failpoints");
}

}  // namespace heroq

#endif
