#include "coordinator/client/plan_text.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "coordinator/client/job_text.h"
#include "coordinator/client/number_format.h"
#include "coordinator/planning/scheme_text.h"

namespace heroq {
namespace {

class Lines {
 public:
  void Add(const char* name, const std::string& value) {
    absl::StrAppendFormat(&text_, "%-16s%s\n", name, value);
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

void AddSchemes(const v1::Plan& plan, Lines& lines) {
  std::map<std::string, int> linears;
  for (const v1::PlannedUnit& unit : plan.units()) {
    for (const v1::PlannedLinear& linear : unit.linears()) ++linears[SchemeText(linear.scheme())];
  }
  const char* name = "quantized";
  for (const auto& [scheme, count] : linears) {
    lines.Add(name, absl::StrCat(count, " linears as ", scheme));
    name = "";
  }
  std::map<std::string, int> kept;
  for (const v1::KeptLinear& linear : plan.kept()) ++kept[linear.reason()];
  name = "kept";
  for (const auto& [reason, count] : kept) {
    lines.Add(name, absl::StrCat(count, count == 1 ? " linear: " : " linears: ", reason));
    name = "";
  }
}

void AddTexts(const v1::JobSpec& spec, Lines& lines) {
  if (spec.calibration().has_source()) {
    const v1::CalibrationSpec& calibration = spec.calibration();
    lines.Add(
        "calibration",
        absl::StrCat(calibration.samples(), " x ", calibration.sequence_length(), " tokens in ",
                     calibration.shards(), " shards, ",
                     calibration.propagation() == v1::PROPAGATION_QUANTIZED ? "quantized" : "full-precision",
                     " propagation"));
  } else {
    lines.Add("calibration", "none");
  }
  if (spec.evaluation().has_source()) {
    lines.Add("evaluation", absl::StrCat(spec.evaluation().sequences(), " x ",
                                         spec.evaluation().sequence_length(), " tokens"));
  } else {
    lines.Add("evaluation", "none");
  }
}

}  // namespace

std::string FormatPlan(const v1::PlanQuantizationJobResponse& response) {
  const v1::Plan& plan = response.plan();
  const v1::JobSpec& spec = response.resolved_spec();
  Lines lines;
  lines.Add("model", absl::StrFormat("%s: %s, %d blocks, hidden size %d", plan.model_directory(),
                                     plan.family(), plan.block_count(), plan.hidden_size()));
  lines.Add("method", MethodText(spec));
  AddSchemes(plan, lines);
  AddTexts(spec, lines);
  lines.Add("compute",
            absl::StrFormat("%s, micro-batch %d, %d thread(s) a task", plan.compute_type(),
                            plan.calibration().micro_batch(), plan.calibration().threads_per_task()));
  const v1::CostEstimate& cost = plan.cost();
  lines.Add("tasks", absl::StrCat(cost.task_count()));
  lines.Add("arithmetic",
            absl::StrFormat("%.3g TFLOP (%.3g forward, %.3g statistics, %.3g solver)",
                            (cost.forward_flops() + cost.statistics_flops() + cost.solver_flops()) / 1e12,
                            cost.forward_flops() / 1e12, cost.statistics_flops() / 1e12,
                            cost.solver_flops() / 1e12));
  lines.Add("reads", FormatBytes(cost.bytes_read()));
  lines.Add("writes", FormatBytes(cost.bytes_written()));
  lines.Add("disk", FormatBytes(cost.disk_bytes()) + " at most, while it runs");
  lines.Add("worker memory", absl::StrCat(FormatBytes(cost.worker_peak_memory_bytes()), " at most, each, in ",
                                          cost.worker_peak_phase()));
  if (cost.has_seconds()) lines.Add("time", "about " + DurationText(absl::Seconds(cost.seconds())));
  int64_t output_bytes = 0;
  for (const v1::PlannedFile& file : plan.files()) {
    if (file.tensors_size() > 0) output_bytes += file.tensors(file.tensors_size() - 1).end();
  }
  lines.Add("output", absl::StrFormat("%d weight file(s), %s, and %d file(s) copied", plan.files_size(),
                                      FormatBytes(output_bytes), plan.copied_files_size()));
  for (const std::string& warning : plan.warnings()) lines.Add("warning", warning);
  return lines.Take();
}

}  // namespace heroq
