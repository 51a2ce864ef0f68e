#include "coordinator/client/progress_renderer.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "coordinator/client/eta_smoother.h"
#include "coordinator/client/job_text.h"
#include "coordinator/client/number_format.h"
#include "coordinator/client/progress_frame.h"
#include "coordinator/client/text_table.h"

namespace heroq {
namespace {

// What bars, counts and phases do not show.
bool IsWorthALine(const v1::JobEvent& event) {
  for (const char* kind :
       {"job_planned", "job_blocked", "task_returned", "blobs_lost", "file_assembled", "trial_finished"}) {
    if (event.kind() == kind) return true;
  }
  return false;
}

// What of a job is shown: an estimate and a wait that do not jump with every task.
class CalmView {
 public:
  void Update(const v1::QuantizationJob& job, absl::Duration now) {
    job_ = job;
    eta_.Update(job.eta_seconds(), now);
    if (!IsStuck(job)) {
      stuck_since_.reset();
    } else if (!stuck_since_.has_value()) {
      stuck_since_ = now;
    }
  }
  // While workers start and between two tasks every job waits for a moment; that is no news.
  bool waits(absl::Duration now) const {
    return stuck_since_.has_value() && now - *stuck_since_ >= kWaitWorthAWord;
  }
  v1::QuantizationJob At(absl::Duration now) const {
    v1::QuantizationJob shown = job_;
    const std::optional<absl::Duration> left = eta_.Left(now);
    shown.set_eta_seconds(left.has_value() ? absl::ToDoubleSeconds(*left) : -1);
    if (!waits(now)) shown.clear_waiting_for();
    return shown;
  }
  const v1::QuantizationJob& job() const { return job_; }

 private:
  static constexpr absl::Duration kWaitWorthAWord = absl::Seconds(3);

  v1::QuantizationJob job_;
  EtaSmoother eta_;
  std::optional<absl::Duration> stuck_since_;
};

class NoProgress final : public ProgressRenderer {
 public:
  void Update(const v1::QuantizationJob& job, const v1::JobEvent* event) override {}
  void Refresh() override {}
  void Note(const std::string& text) override {}
  void Finish() override {}
};

class PlainProgress final : public ProgressRenderer {
 public:
  PlainProgress(std::ostream& out, Clock& clock) : out_(out), clock_(clock), start_(clock.Monotonic()) {}

  void Update(const v1::QuantizationJob& job, const v1::JobEvent* event) override {
    const bool moved = job.state() != view_.job().state() || job.phase() != view_.job().phase();
    view_.Update(job, clock_.Monotonic());
    if (event != nullptr && IsWorthALine(*event)) Print(event->message());
    if (moved) PrintJob();
  }
  void Refresh() override {
    if (view_.job().name().empty()) return;
    const absl::Duration now = clock_.Monotonic();
    if (now - last_line_ >= kInterval || (view_.waits(now) && !told_of_wait_)) PrintJob();
  }
  void Note(const std::string& text) override { Print(text); }
  void Finish() override {}

 private:
  static constexpr absl::Duration kInterval = absl::Seconds(30);

  void PrintJob() {
    last_line_ = clock_.Monotonic();
    told_of_wait_ = view_.waits(last_line_);
    Print(RenderLine(view_.At(last_line_)));
  }
  void Print(const std::string& text) {
    out_ << "[" << DurationText(clock_.Monotonic() - start_) << "] " << text << "\n" << std::flush;
  }

  std::ostream& out_;
  Clock& clock_;
  const absl::Duration start_;
  absl::Duration last_line_ = absl::ZeroDuration();
  bool told_of_wait_ = false;  // by the last line
  CalmView view_;
};

class AnimatedProgress final : public ProgressRenderer {
 public:
  AnimatedProgress(std::ostream& out, Clock& clock, ProgressOptions options)
      : out_(out), clock_(clock), options_(std::move(options)), start_(clock.Monotonic()) {}
  ~AnimatedProgress() override { Finish(); }

  void Update(const v1::QuantizationJob& job, const v1::JobEvent* event) override {
    view_.Update(job, clock_.Monotonic());
    if (event != nullptr && IsWorthALine(*event)) {
      Note(event->message());
    } else if (clock_.Monotonic() - last_frame_ >= kFrameInterval) {
      Draw("");
    }
  }
  void Refresh() override { Draw(""); }
  void Note(const std::string& text) override { Draw(text); }
  void Finish() override {
    if (widths_.empty()) return;
    out_ << ToTop() << "\033[J" << std::flush;
    widths_.clear();
  }

 private:
  static constexpr absl::Duration kFrameInterval = absl::Milliseconds(100);

  // To the first column of the frame's first line. A terminal that became narrower has wrapped the frame's
  // lines.
  std::string ToTop() const {
    const int width = std::max(options_.terminal_size().width, 1);
    int rows = 0;
    for (int columns : widths_) rows += std::max((columns + width - 1) / width, 1);
    return rows == 0 ? "" : absl::StrCat("\r\033[", rows, "A");
  }

  // Writes `text` where the frame was, then the frame below it: in one piece, and over what is there rather
  // than onto a cleared screen, so that nothing flickers.
  void Draw(const std::string& text) {
    last_frame_ = clock_.Monotonic();
    std::vector<std::string> frame;
    if (!view_.job().name().empty()) {
      frame = RenderFrame(view_.At(last_frame_), last_frame_ - start_, options_.terminal,
                          options_.terminal_size());
    }
    if (text.empty() && frame.empty()) return;
    std::string picture = absl::StrCat("\033[?2026h", ToTop());
    const std::vector<std::string> lines = absl::StrSplit(text, '\n', absl::SkipEmpty());
    for (const std::string& line : lines) {
      // In the last column the cursor still stands on what was written there.
      const bool full = DisplayWidth(line) % std::max(options_.terminal_size().width, 1) == 0;
      absl::StrAppend(&picture, line, full ? "\n" : "\033[K\n");
    }
    widths_.clear();
    for (const std::string& line : frame) {
      absl::StrAppend(&picture, line, "\033[K\n");
      widths_.push_back(DisplayWidth(line));
    }
    out_ << picture << "\033[J\033[?2026l" << std::flush;
  }

  std::ostream& out_;
  Clock& clock_;
  const ProgressOptions options_;
  const absl::Duration start_;
  absl::Duration last_frame_ = -absl::InfiniteDuration();
  std::vector<int> widths_;  // of the lines on the screen
  CalmView view_;
};

}  // namespace

std::unique_ptr<ProgressRenderer> NewProgressRenderer(std::ostream& out, Clock& clock,
                                                      ProgressOptions options) {
  if (options.quiet) return std::make_unique<NoProgress>();
  if (!options.terminal.animated) return std::make_unique<PlainProgress>(out, clock);
  return std::make_unique<AnimatedProgress>(out, clock, std::move(options));
}

}  // namespace heroq
