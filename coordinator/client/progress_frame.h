#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "coordinator/client/terminal.h"
#include "heroq/v1/job.pb.h"

namespace heroq {

// Nothing of the job runs, and it has tasks that could.
bool IsStuck(const v1::QuantizationJob& job);

// The picture of a running job: a headline, a bar per kind of task, the running tasks. Pure; every line is at
// most `size.width` columns wide and there are at most `size.height - 1` lines, so that a terminal can redraw
// it in place.
std::vector<std::string> RenderFrame(const v1::QuantizationJob& job, absl::Duration elapsed,
                                     const Terminal& terminal, TerminalSize size);

// "calibrating: 12/240 captured, 3/60 quantized, about 2m03s left": the same on one line.
std::string RenderLine(const v1::QuantizationJob& job);

}  // namespace heroq
