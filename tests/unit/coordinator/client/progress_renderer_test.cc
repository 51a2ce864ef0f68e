#include "coordinator/client/progress_renderer.h"

#include <gtest/gtest.h>

#include <sstream>

namespace heroq {
namespace {

class FakeClock final : public Clock {
 public:
  absl::Time Now() override { return absl::UnixEpoch() + monotonic; }
  absl::Duration Monotonic() override { return monotonic; }
  absl::Duration monotonic = absl::Hours(1);
};

v1::QuantizationJob Job(int done) {
  v1::QuantizationJob job;
  job.set_name("quantizationJobs/a");
  job.set_state(v1::QuantizationJob::STATE_RUNNING);
  job.set_phase(v1::QuantizationJob::PHASE_QUANTIZING);
  job.mutable_quantization()->set_tasks_done(done);
  job.mutable_quantization()->set_tasks_total(4);
  job.set_eta_seconds(-1);
  return job;
}

v1::JobEvent Event(const std::string& kind, const std::string& message) {
  v1::JobEvent event;
  event.set_kind(kind);
  event.set_message(message);
  return event;
}

class ProgressRendererTest : public ::testing::Test {
 protected:
  std::unique_ptr<ProgressRenderer> New(bool animated, bool quiet = false) {
    ProgressOptions options;
    options.terminal.animated = animated;
    options.terminal_size = [this] { return size_; };
    options.quiet = quiet;
    return NewProgressRenderer(out_, clock_, options);
  }
  std::string Take() {
    std::string text = out_.str();
    out_.str("");
    return text;
  }

  FakeClock clock_;
  std::ostringstream out_;
  TerminalSize size_{60, 24};
};

TEST_F(ProgressRendererTest, PlainLinesForPhasesAndTrouble) {
  const auto progress = New(false);
  progress->Update(Job(0), nullptr);
  EXPECT_EQ(Take(), "[0.0s] quantizing: quantize 0/4\n");
  clock_.monotonic += absl::Seconds(5);
  const v1::JobEvent done = Event("task_completed", "quantize/0/mlp");
  progress->Update(Job(1), &done);
  EXPECT_EQ(Take(), "");
  const v1::JobEvent lost = Event("task_returned", "quantize/1/mlp lost");
  progress->Update(Job(1), &lost);
  EXPECT_EQ(Take(), "[5.0s] quantize/1/mlp lost\n");
}

TEST_F(ProgressRendererTest, PlainCountsEveryThirtySeconds) {
  const auto progress = New(false);
  progress->Refresh();
  progress->Update(Job(0), nullptr);
  Take();
  progress->Update(Job(2), nullptr);
  clock_.monotonic += absl::Seconds(29);
  progress->Refresh();
  EXPECT_EQ(Take(), "");
  clock_.monotonic += absl::Seconds(1);
  progress->Refresh();
  EXPECT_EQ(Take(), "[30s] quantizing: quantize 2/4\n");
}

TEST_F(ProgressRendererTest, FramesAreRedrawnInPlace) {
  const auto progress = New(true);
  progress->Update(Job(0), nullptr);
  EXPECT_EQ(Take(),
            "\033[?2026hquantizing  0.0s\033[K\n"
            "  quantize   ...................................   0 %  0/4\033[K\n\033[J\033[?2026l");
  // Now its second line, of 59 columns, takes two rows.
  size_.width = 40;
  progress->Refresh();
  EXPECT_EQ(Take(),
            "\033[?2026h\r\033[3Aquantizing  0.0s\033[K\n"
            "  quantize   ...............   0 %  0/4\033[K\n\033[J\033[?2026l");
}

TEST_F(ProgressRendererTest, NotesStayAboveTheFrame) {
  const auto progress = New(true);
  progress->Note("starting");
  EXPECT_EQ(Take(), "\033[?2026hstarting\033[K\n\033[J\033[?2026l");
  clock_.monotonic += absl::Seconds(1);
  progress->Update(Job(0), nullptr);
  Take();
  const v1::JobEvent lost = Event("task_returned", "quantize/1/mlp lost");
  progress->Update(Job(0), &lost);
  EXPECT_EQ(Take().substr(0, 39), "\033[?2026h\r\033[2Aquantize/1/mlp lost\033[K\nqua");
}

TEST_F(ProgressRendererTest, FramesComeAtMostTenTimesASecond) {
  const auto progress = New(true);
  progress->Update(Job(0), nullptr);
  Take();
  progress->Update(Job(1), nullptr);
  EXPECT_EQ(Take(), "");
  clock_.monotonic += absl::Milliseconds(100);
  progress->Update(Job(2), nullptr);
  EXPECT_NE(Take(), "");
}

TEST_F(ProgressRendererTest, FinishLeavesNothingBehind) {
  const auto progress = New(true);
  progress->Update(Job(0), nullptr);
  Take();
  progress->Finish();
  EXPECT_EQ(Take(), "\r\033[2A\033[J");
  progress->Finish();
  EXPECT_EQ(Take(), "");
}

TEST_F(ProgressRendererTest, LastKnownEtaCountsDown) {
  const auto progress = New(false);
  v1::QuantizationJob job = Job(0);
  job.set_eta_seconds(90);
  progress->Update(job, nullptr);
  EXPECT_EQ(Take(), "[0.0s] quantizing: quantize 0/4, about 1m30s left\n");
  progress->Update(Job(1), nullptr);
  clock_.monotonic += absl::Seconds(30);
  progress->Refresh();
  EXPECT_EQ(Take(), "[30s] quantizing: quantize 1/4, about 1m00s left\n");
}

TEST_F(ProgressRendererTest, WaitIsWorthALineOnceItHasLasted) {
  const auto progress = New(false);
  v1::QuantizationJob stuck = Job(0);
  stuck.set_waiting_for("no workers");
  progress->Update(stuck, nullptr);
  EXPECT_EQ(Take(), "[0.0s] quantizing: quantize 0/4\n");
  clock_.monotonic += absl::Milliseconds(2900);
  progress->Update(stuck, nullptr);
  progress->Refresh();
  EXPECT_EQ(Take(), "");
  clock_.monotonic += absl::Milliseconds(100);
  progress->Refresh();
  EXPECT_EQ(Take(), "[3.0s] quantizing: quantize 0/4, no workers\n");
  clock_.monotonic += absl::Seconds(1);
  progress->Refresh();
  EXPECT_EQ(Take(), "");
}

TEST_F(ProgressRendererTest, WaitsThatEndAreNotAddedUp) {
  const auto progress = New(true);
  v1::QuantizationJob stuck = Job(0);
  stuck.set_waiting_for("waiting for a free worker");
  progress->Update(stuck, nullptr);
  clock_.monotonic += absl::Seconds(2);
  progress->Update(Job(0), nullptr);
  clock_.monotonic += absl::Seconds(2);
  progress->Update(stuck, nullptr);
  clock_.monotonic += absl::Seconds(2);
  progress->Refresh();
  EXPECT_EQ(Take().find("waiting"), std::string::npos);
  clock_.monotonic += absl::Seconds(1);
  progress->Refresh();
  EXPECT_NE(Take().find("\n  waiting for a free worker\033[K\n"), std::string::npos);
}

TEST_F(ProgressRendererTest, QuietSaysNothing) {
  const auto progress = New(true, true);
  progress->Note("x");
  progress->Update(Job(0), nullptr);
  progress->Finish();
  EXPECT_EQ(Take(), "");
}

}  // namespace
}  // namespace heroq
