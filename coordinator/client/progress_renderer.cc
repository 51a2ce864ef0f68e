#include "coordinator/client/progress_renderer.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/client/eta_smoother.h"
#include "coordinator/client/job_text.h"
#include "coordinator/client/number_format.h"
#include "coordinator/client/progress_frame.h"
#include "coordinator/client/text_table.h"

namespace heroq {
namespace {

// What bars, counts and phases do not show.
bool IsWorthALine(const v1::JobEvent& event) {
  for (const char* kind : {"job_planned", "task_returned", "blobs_lost", "file_assembled"}) {
    if (event.kind() == kind) return true;
  }
  return false;
}

void ShowEta(const EtaSmoother& eta, absl::Duration now, v1::QuantizationJob& job) {
  const std::optional<absl::Duration> left = eta.Left(now);
  job.set_eta_seconds(left.has_value() ? absl::ToDoubleSeconds(*left) : -1);
}

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
    eta_.Update(job.eta_seconds(), clock_.Monotonic());
    const bool moved = job.state() != job_.state() || job.phase() != job_.phase();
    job_ = job;
    if (event != nullptr && IsWorthALine(*event)) Print(event->message());
    if (moved) PrintJob();
  }
  void Refresh() override {
    if (job_.name().empty() || clock_.Monotonic() - last_line_ < kInterval) return;
    PrintJob();
  }
  void Note(const std::string& text) override { Print(text); }
  void Finish() override {}

 private:
  static constexpr absl::Duration kInterval = absl::Seconds(30);

  void PrintJob() {
    last_line_ = clock_.Monotonic();
    ShowEta(eta_, last_line_, job_);
    Print(RenderLine(job_));
  }
  void Print(const std::string& text) {
    out_ << "[" << DurationText(clock_.Monotonic() - start_) << "] " << text << "\n" << std::flush;
  }

  std::ostream& out_;
  Clock& clock_;
  const absl::Duration start_;
  absl::Duration last_line_ = absl::ZeroDuration();
  EtaSmoother eta_;
  v1::QuantizationJob job_;
};

class AnimatedProgress final : public ProgressRenderer {
 public:
  AnimatedProgress(std::ostream& out, Clock& clock, ProgressOptions options)
      : out_(out), clock_(clock), options_(std::move(options)), start_(clock.Monotonic()) {}
  ~AnimatedProgress() override { Finish(); }

  void Update(const v1::QuantizationJob& job, const v1::JobEvent* event) override {
    job_ = job;
    eta_.Update(job.eta_seconds(), clock_.Monotonic());
    if (event != nullptr && IsWorthALine(*event)) {
      Note(event->message());
    } else if (clock_.Monotonic() - last_frame_ >= kFrameInterval) {
      Draw("");
    }
  }
  void Refresh() override { Draw(""); }
  void Note(const std::string& text) override { Draw(text + "\n"); }
  void Finish() override {
    if (widths_.empty()) return;
    out_ << Erase() << std::flush;
    widths_.clear();
  }

 private:
  static constexpr absl::Duration kFrameInterval = absl::Milliseconds(100);

  // To the first column of the frame's first line; everything below goes. A terminal that became narrower has
  // wrapped the frame's lines.
  std::string Erase() const {
    const int width = std::max(options_.terminal_size().width, 1);
    int rows = 0;
    for (int columns : widths_) rows += std::max((columns + width - 1) / width, 1);
    return rows == 0 ? "" : absl::StrCat("\r\033[", rows, "A\033[J");
  }

  // Writes `text` where the frame was, then the frame below it, in one piece so that nothing flickers.
  void Draw(const std::string& text) {
    last_frame_ = clock_.Monotonic();
    std::vector<std::string> frame;
    if (!job_.name().empty()) {
      ShowEta(eta_, last_frame_, job_);
      frame = RenderFrame(job_, last_frame_ - start_, options_.terminal, options_.terminal_size());
    }
    std::string picture = absl::StrCat("\033[?2026h", Erase(), text);
    widths_.clear();
    for (const std::string& line : frame) {
      absl::StrAppend(&picture, line, "\n");
      widths_.push_back(DisplayWidth(line));
    }
    out_ << picture << "\033[?2026l" << std::flush;
  }

  std::ostream& out_;
  Clock& clock_;
  const ProgressOptions options_;
  const absl::Duration start_;
  absl::Duration last_frame_ = -absl::InfiniteDuration();
  std::vector<int> widths_;  // of the lines on the screen
  EtaSmoother eta_;
  v1::QuantizationJob job_;
};

}  // namespace

std::unique_ptr<ProgressRenderer> NewProgressRenderer(std::ostream& out, Clock& clock,
                                                      ProgressOptions options) {
  if (options.quiet) return std::make_unique<NoProgress>();
  if (!options.terminal.animated) return std::make_unique<PlainProgress>(out, clock);
  return std::make_unique<AnimatedProgress>(out, clock, std::move(options));
}

}  // namespace heroq
