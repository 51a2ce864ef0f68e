#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/status/status_macros.h"

// Failpoints are named places before and after every step that a crash could cut in two (failpoints.inc lists
// them). Builds with HEROQ_FAILPOINTS defined let tests fail there; in every other build the macros below are
// empty and no name is in the binary.
//
// The environment variable HEROQ_FAILPOINTS arms them: "NAME=MODE[@N[+]];...", for the N-th time (default 1;
// with +: and every later one) that a process gets there. Modes:
//   crash  the process kills itself (SIGKILL): nothing of it is cleaned up
//   error  the place fails with IO_ERROR naming the failpoint
//   pause  the process stops itself (SIGSTOP) until it is sent SIGCONT
// "trace=PATH" appends a line "PROGRAM NAME N MODE" to PATH whenever a failpoint is reached; MODE is "-"
// where nothing happens. Processes inherit the variable and count for themselves.

namespace heroq {

// Arms what the environment says; main calls it first, before there are threads. INVALID_SPEC names a
// failpoint or mode that does not exist; UNSUPPORTED when the variable is set and this build has no
// failpoints.
absl::Status SetUpFailpoints();

#ifdef HEROQ_FAILPOINTS

enum class Failpoint {
#define HEROQ_FAILPOINT_NAME(name) name,
#include "common/file/failpoints.inc"
#undef HEROQ_FAILPOINT_NAME
};

// Names in the order of the enumeration.
absl::Span<const absl::string_view> FailpointNames();

// Arms what `specification` says and nothing else. Not while other threads reach failpoints.
absl::Status ArmFailpoints(absl::string_view specification);

// Does what is armed there. OK unless the mode is "error". Thread-safe.
absl::Status ReachFailpoint(Failpoint point);

// The outcome of a failpoint, for functions that cannot return it.
#define HEROQ_FAILPOINT_STATUS(name) ::heroq::ReachFailpoint(::heroq::Failpoint::name)
// Returns the outcome from the enclosing function unless it is OK.
#define HEROQ_FAILPOINT(name) HEROQ_RETURN_IF_ERROR(HEROQ_FAILPOINT_STATUS(name))

#else

#define HEROQ_FAILPOINT_STATUS(name) ::absl::OkStatus()
#define HEROQ_FAILPOINT(name) static_cast<void>(0)

#endif

}  // namespace heroq
