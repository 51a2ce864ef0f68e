#include "coordinator/client/progress_frame.h"

#include <gtest/gtest.h>

#include "coordinator/client/text_table.h"

namespace heroq {
namespace {

v1::QuantizationJob Job() {
  v1::QuantizationJob job;
  job.set_name("quantizationJobs/a");
  job.set_state(v1::QuantizationJob::STATE_RUNNING);
  job.set_phase(v1::QuantizationJob::PHASE_CALIBRATING);
  job.mutable_calibration()->set_tasks_done(123);
  job.mutable_calibration()->set_tasks_total(240);
  job.mutable_quantization()->set_tasks_done(20);
  job.mutable_quantization()->set_tasks_total(60);
  job.set_eta_seconds(123);
  for (int i = 1; i <= 3; ++i) {
    v1::RunningTask* task = job.add_running();
    task->set_worker_id("worker-" + std::to_string(i));
    task->set_task_id("capture/12/" + std::to_string(i));
    task->set_fraction(0.43);
    task->set_activity("block 12");
  }
  return job;
}

std::string Frame(const v1::QuantizationJob& job, Terminal terminal, TerminalSize size) {
  std::string text;
  for (const std::string& line : RenderFrame(job, absl::Seconds(72), terminal, size)) text += line + "\n";
  return text;
}

TEST(ProgressFrameTest, EightyColumnsOfAscii) {
  EXPECT_EQ(Frame(Job(), {}, {80, 24}),
            "calibrating  1m12s, about 2m03s left\n"
            "  calibrate  ####################....................  51 %  123/240\n"
            "  quantize   #############...........................  33 %  20/60\n"
            "  worker-1  capture/12/1   43 %  block 12\n"
            "  worker-2  capture/12/2   43 %  block 12\n"
            "  worker-3  capture/12/3   43 %  block 12\n");
}

TEST(ProgressFrameTest, UnicodeAndColour) {
  v1::QuantizationJob job = Job();
  job.clear_running();
  job.clear_quantization();
  job.set_waiting_for("waiting for class X");
  EXPECT_EQ(Frame(job, {true, true, true}, {40, 24}),
            "\033[1mcalibrating  1m12s, about 2m03s left\033[0m\n"
            "\033[33m  waiting for class X\033[0m\n"
            "  calibrate  \033[36m█████\033[0m\033[2m░░░░░░\033[0m  51 %  123/240\n");
}

TEST(ProgressFrameTest, NarrowTerminalsHaveNoBar) {
  EXPECT_EQ(Frame(Job(), {}, {24, 4}),
            "calibrating  1m12s, ab~\n"
            "  calibrate    51 %  1~\n"
            "  quantize     33 %  2~\n");
}

TEST(ProgressFrameTest, ManyTasksAreCounted) {
  v1::QuantizationJob job = Job();
  job.clear_calibration();
  job.clear_quantization();
  EXPECT_EQ(Frame(job, {}, {80, 4}),
            "calibrating  1m12s, about 2m03s left\n"
            "  worker-1  capture/12/1   43 %  block 12\n"
            "  and 2 more\n");
}

TEST(ProgressFrameTest, TasksAreInTheOrderOfTheirWorkers) {
  v1::QuantizationJob job = Job();
  job.mutable_running()->SwapElements(0, 2);
  EXPECT_EQ(Frame(job, {}, {80, 24}), Frame(Job(), {}, {80, 24}));
}

TEST(ProgressFrameTest, NoFrameIsLargerThanItsTerminal) {
  for (int width = 1; width < 100; width += 7) {
    for (int height = 1; height < 12; ++height) {
      const auto lines = RenderFrame(Job(), absl::Seconds(72), {true, false, true}, {width, height});
      EXPECT_LE(lines.size(), static_cast<std::size_t>(std::max(height - 1, 1)));
      for (const std::string& line : lines) EXPECT_LE(DisplayWidth(line), std::max(width - 1, 1)) << line;
    }
  }
}

TEST(ProgressFrameTest, UnknownEtaIsLeftOut) {
  v1::QuantizationJob job = Job();
  job.set_eta_seconds(-1);
  EXPECT_EQ(RenderFrame(job, absl::Seconds(3), {}, {80, 24}).front(), "calibrating  3.0s");
}

TEST(ProgressFrameTest, WaitingCountsOnlyWhenNothingRuns) {
  v1::QuantizationJob job = Job();
  job.set_waiting_for("waiting for a free worker");
  EXPECT_EQ(RenderLine(job).find("waiting"), std::string::npos);
  job.clear_running();
  EXPECT_NE(RenderLine(job).find(", waiting for a free worker"), std::string::npos);
}

TEST(ProgressFrameTest, WhatBlocksTheJobIsShownWhileTasksRun) {
  v1::QuantizationJob job = Job();
  job.mutable_blocked()->set_message("write /out: No space left on device");
  EXPECT_NE(RenderLine(job).find(", blocked: write /out: No space left on device; tried again"),
            std::string::npos);
  EXPECT_EQ(RenderFrame(job, absl::Seconds(3), {}, {120, 24})[1].substr(0, 44),
            "  blocked: write /out: No space left on devi");
}

TEST(ProgressFrameTest, LineSaysTheSame) {
  EXPECT_EQ(RenderLine(Job()), "calibrating: calibrate 123/240, quantize 20/60, about 2m03s left");
  v1::QuantizationJob queued;
  queued.set_state(v1::QuantizationJob::STATE_QUEUED);
  EXPECT_EQ(RenderLine(queued), "queued");
}

}  // namespace
}  // namespace heroq
