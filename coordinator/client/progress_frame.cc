#include "coordinator/client/progress_frame.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "coordinator/client/job_text.h"
#include "coordinator/client/number_format.h"
#include "coordinator/client/text_table.h"

namespace heroq {
namespace {

constexpr int kLongestBar = 40;
constexpr int kShortestBar = 8;

struct Gauge {
  const char* name;
  const v1::PhaseProgress& progress;
};

std::vector<Gauge> GaugesOf(const v1::QuantizationJob& job) {
  std::vector<Gauge> gauges;
  for (const Gauge& gauge : {Gauge{"calibrate", job.calibration()}, Gauge{"quantize", job.quantization()},
                             Gauge{"evaluate", job.evaluation()}}) {
    if (gauge.progress.tasks_total() > 0) gauges.push_back(gauge);
  }
  return gauges;
}

std::string Paint(const std::string& text, const char* code, const Terminal& terminal) {
  return terminal.color && !text.empty() ? absl::StrCat("\033[", code, "m", text, "\033[0m") : text;
}

std::string Bar(double share, int width, const Terminal& terminal) {
  const int full = std::clamp(static_cast<int>(share * width), 0, width);
  std::string done, rest;
  for (int i = 0; i < full; ++i) done += terminal.unicode ? "█" : "#";
  for (int i = full; i < width; ++i) rest += terminal.unicode ? "░" : ".";
  return Paint(done, "36", terminal) + Paint(rest, "2", terminal);
}

std::string GaugeLine(const Gauge& gauge, const Terminal& terminal, int width) {
  const int done = gauge.progress.tasks_done(), total = gauge.progress.tasks_total();
  const double share = static_cast<double>(done) / total;
  const std::string left = absl::StrFormat("  %-10s ", gauge.name);
  const std::string right = absl::StrFormat(" %3d %%  %d/%d", static_cast<int>(100 * share), done, total);
  const int room = width - DisplayWidth(left) - DisplayWidth(right);
  if (room < kShortestBar) return Truncate(left + right, width, terminal.unicode);
  return left + Bar(share, std::min(room, kLongestBar), terminal) + right;
}

std::string Headline(const v1::QuantizationJob& job, absl::Duration elapsed) {
  std::string text =
      job.state() == v1::QuantizationJob::STATE_RUNNING ? PhaseText(job.phase()) : StateText(job.state());
  if (text.empty()) text = "running";
  absl::StrAppend(&text, "  ", DurationText(elapsed));
  if (job.eta_seconds() > 0 && !IsTerminal(job)) {
    absl::StrAppend(&text, ", about ", DurationText(absl::Seconds(job.eta_seconds())), " left");
  }
  return text;
}

std::string RunningLine(const v1::RunningTask& task) {
  return absl::StrFormat("  %s  %s  %3d %%  %s", task.worker_id(), task.task_id(),
                         static_cast<int>(100 * std::clamp(task.fraction(), 0.0, 1.0)), task.activity());
}

std::string BlockedText(const v1::QuantizationJob& job) {
  return absl::StrCat("blocked: ", job.blocked().message(), "; tried again until it passes");
}

// Lines that keep their place while tasks come and go.
std::vector<const v1::RunningTask*> ByWorker(const v1::QuantizationJob& job) {
  std::vector<const v1::RunningTask*> tasks;
  for (const v1::RunningTask& task : job.running()) tasks.push_back(&task);
  std::stable_sort(tasks.begin(), tasks.end(), [](const v1::RunningTask* a, const v1::RunningTask* b) {
    return a->worker_id() < b->worker_id();
  });
  return tasks;
}

}  // namespace

bool IsStuck(const v1::QuantizationJob& job) { return !job.waiting_for().empty() && job.running_size() == 0; }

std::vector<std::string> RenderFrame(const v1::QuantizationJob& job, absl::Duration elapsed,
                                     const Terminal& terminal, TerminalSize size) {
  // A full line wraps the cursor on some terminals.
  const int width = std::max(size.width - 1, 1);
  const std::size_t rows = static_cast<std::size_t>(std::max(size.height - 1, 1));
  std::vector<std::string> lines;
  lines.push_back(Paint(Truncate(Headline(job, elapsed), width, terminal.unicode), "1", terminal));
  if (job.has_blocked()) {
    lines.push_back(Paint(Truncate("  " + BlockedText(job), width, terminal.unicode), "31", terminal));
  } else if (IsStuck(job)) {
    lines.push_back(Paint(Truncate("  " + job.waiting_for(), width, terminal.unicode), "33", terminal));
  }
  for (const Gauge& gauge : GaugesOf(job)) lines.push_back(GaugeLine(gauge, terminal, width));
  if (lines.size() > rows) lines.resize(rows);
  const std::vector<const v1::RunningTask*> running = ByWorker(job);
  for (std::size_t i = 0; i < running.size() && lines.size() < rows; ++i) {
    const std::size_t left = running.size() - i;
    const std::string line = lines.size() + 1 == rows && left > 1 ? absl::StrFormat("  and %d more", left)
                                                                  : RunningLine(*running[i]);
    lines.push_back(Truncate(line, width, terminal.unicode));
  }
  return lines;
}

std::string RenderLine(const v1::QuantizationJob& job) {
  std::vector<std::string> parts;
  for (const Gauge& gauge : GaugesOf(job)) {
    parts.push_back(
        absl::StrFormat("%s %d/%d", gauge.name, gauge.progress.tasks_done(), gauge.progress.tasks_total()));
  }
  if (job.eta_seconds() > 0 && !IsTerminal(job)) {
    parts.push_back(absl::StrCat("about ", DurationText(absl::Seconds(job.eta_seconds())), " left"));
  }
  if (job.has_blocked()) {
    parts.push_back(BlockedText(job));
  } else if (IsStuck(job)) {
    parts.push_back(job.waiting_for());
  }
  const std::string what =
      job.state() == v1::QuantizationJob::STATE_RUNNING ? PhaseText(job.phase()) : StateText(job.state());
  return parts.empty() ? what : absl::StrCat(what, ": ", absl::StrJoin(parts, ", "));
}

}  // namespace heroq
