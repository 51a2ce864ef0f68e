#include "coordinator/planning/job_validation.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/quant/quant_scheme.h"
#include "coordinator/planning/activation_regime.h"
#include "coordinator/planning/dense_output.h"
#include "coordinator/planning/gptq_output.h"
#include "coordinator/planning/method_parameters.h"
#include "coordinator/planning/task_graph.h"
#include "re2/re2.h"

namespace heroq {
namespace {

constexpr int kMaxLabels = 64;
constexpr int kMaxLabelBytes = 256;
constexpr int kMaxOverrides = 1000;
constexpr int64_t kMinShardBytes = 4096;
// Enough rows for matrix products to run at their full rate.
constexpr int64_t kForwardTokens = 2048;

// Proto fields where 0 asks for the default.
void CheckRange(int64_t value, int64_t low, int64_t high, absl::string_view field,
                SpecViolations& violations) {
  if (value != 0 && (value < low || value > high)) {
    violations.Add(field, absl::StrCat("is ", value, ", expected ", low, " to ", high));
  }
}

void CheckLocation(const v1::Location& location, absl::string_view field, SpecViolations& violations) {
  if (location.root().empty())
    violations.Add(absl::StrCat(field, ".root"), "is empty, expected a configured root");
  if (location.path().empty()) violations.Add(absl::StrCat(field, ".path"), "is empty");
}

void CheckSource(const v1::TextSource& source, absl::string_view field, SpecViolations& violations) {
  if (source.has_tokens_file() == (source.text_files_size() > 0)) {
    violations.Add(field, "needs either text_files or tokens_file");
    return;
  }
  for (int i = 0; i < source.text_files_size(); ++i) {
    CheckLocation(source.text_files(i), absl::StrCat(field, ".text_files[", i, "]"), violations);
  }
  if (source.has_tokens_file())
    CheckLocation(source.tokens_file(), absl::StrCat(field, ".tokens_file"), violations);
}

void CheckCalibration(const v1::CalibrationSpec& calibration, SpecViolations& violations) {
  if (calibration.has_source()) {
    CheckSource(calibration.source(), "calibration.source", violations);
  } else {
    const auto unused = [&](bool set, absl::string_view field) {
      if (set)
        violations.Add(absl::StrCat("calibration.", field), "is set, but the job has no calibration.source");
    };
    unused(calibration.samples() != 0, "samples");
    unused(calibration.sequence_length() != 0, "sequence_length");
    unused(calibration.shards() != 0, "shards");
    unused(calibration.propagation() != v1::PROPAGATION_UNSPECIFIED, "propagation");
  }
  CheckRange(calibration.samples(), 1, 1 << 20, "calibration.samples", violations);
  CheckRange(calibration.sequence_length(), 1, 1 << 20, "calibration.sequence_length", violations);
  CheckRange(calibration.shards(), 1, 4096, "calibration.shards", violations);
  CheckRange(calibration.micro_batch(), 1, 4096, "calibration.micro_batch", violations);
  CheckRange(calibration.threads_per_task(), 1, 256, "calibration.threads_per_task", violations);
  const int samples = calibration.samples() == 0 ? 128 : calibration.samples();
  if (calibration.shards() > samples && samples > 0) {
    violations.Add("calibration.shards", absl::StrCat("is ", calibration.shards(), ", more than the ",
                                                      samples, " sequences they divide"));
  }
  if (!v1::Propagation_IsValid(calibration.propagation())) {
    violations.Add("calibration.propagation",
                   absl::StrCat("has the unknown value ", calibration.propagation()));
  }
  const std::string& compute = calibration.compute_type();
  if (!compute.empty() && compute != "auto" && compute != "bf16" && compute != "f32") {
    violations.Add("calibration.compute_type",
                   absl::StrCat("is '", compute, "', expected auto, bf16 or f32"));
  }
}

void CheckScheme(const v1::SchemeSpec& scheme, const std::string& field, bool nested,
                 SpecViolations& violations) {
  CheckRange(scheme.weight_bits(), 2, 8, absl::StrCat(field, ".weight_bits"), violations);
  if (scheme.group_size() != -1)
    CheckRange(scheme.group_size(), 8, 1 << 16, absl::StrCat(field, ".group_size"), violations);
  if (!v1::Symmetry_IsValid(scheme.symmetry())) {
    violations.Add(absl::StrCat(field, ".symmetry"),
                   absl::StrCat("has the unknown value ", scheme.symmetry()));
  }
  if (const int bits = scheme.activation_bits();
      bits != 0 && bits != 4 && bits != 6 && bits != 8 && bits != 16) {
    violations.Add(absl::StrCat(field, ".activation_bits"),
                   absl::StrCat("is ", bits, ", expected 4, 6 or 8, or 16 for activations as they are"));
  }
  if (nested) {
    if (scheme.overrides_size() > 0) violations.Add(absl::StrCat(field, ".overrides"), "cannot be nested");
    return;
  }
  if (scheme.overrides_size() > kMaxOverrides) {
    violations.Add(absl::StrCat(field, ".overrides"),
                   absl::StrCat("has more than ", kMaxOverrides, " entries"));
    return;
  }
  for (int i = 0; i < scheme.overrides_size(); ++i) {
    const v1::SchemeOverride& entry = scheme.overrides(i);
    const std::string path = absl::StrCat(field, ".overrides[", i, "]");
    const RE2 pattern(entry.pattern(), RE2::Quiet);
    if (entry.pattern().empty()) {
      violations.Add(absl::StrCat(path, ".pattern"), "is empty");
    } else if (!pattern.ok()) {
      violations.Add(absl::StrCat(path, ".pattern"),
                     absl::StrCat("'", entry.pattern(), "' is not a regular expression: ", pattern.error()));
    }
    if (entry.has_scheme()) {
      CheckScheme(entry.scheme(), absl::StrCat(path, ".scheme"), true, violations);
    } else if (!entry.keep()) {
      violations.Add(path, "needs a scheme or keep = true");
    }
  }
}

void CheckEvaluation(const v1::JobSpec& spec, SpecViolations& violations) {
  const v1::EvaluationSpec& evaluation = spec.evaluation();
  if (evaluation.has_source()) {
    CheckSource(evaluation.source(), "evaluation.source", violations);
  } else {
    if (evaluation.sequences() != 0)
      violations.Add("evaluation.sequences", "is set, but the job has no evaluation.source");
    if (evaluation.sequence_length() != 0) {
      violations.Add("evaluation.sequence_length", "is set, but the job has no evaluation.source");
    }
  }
  CheckRange(evaluation.sequences(), 1, 1 << 20, "evaluation.sequences", violations);
  // One token predicts nothing.
  CheckRange(evaluation.sequence_length(), 2, 1 << 20, "evaluation.sequence_length", violations);

  const auto check_gate = [&](double limit, double low, absl::string_view field) {
    if (limit == 0) return;
    if (!std::isfinite(limit) || limit < low) {
      violations.Add(field, absl::StrCat("is ", limit, ", expected a number above ", low));
    } else if (!evaluation.has_source()) {
      violations.Add(field, "is set, but the job has no evaluation.source to judge by");
    }
  };
  check_gate(spec.quality_gate().max_perplexity_ratio(), 0, "quality_gate.max_perplexity_ratio");
  check_gate(spec.quality_gate().max_kl(), 0, "quality_gate.max_kl");
}

void CheckEvaluationOnly(const v1::JobSpec& spec, SpecViolations& violations) {
  CheckLocation(spec.evaluate_checkpoint(), "evaluate_checkpoint", violations);
  const auto refuse = [&](bool set, absl::string_view field) {
    if (set) violations.Add(field, "is set, but a job with evaluate_checkpoint quantizes nothing");
  };
  refuse(spec.has_output(), "output");
  refuse(spec.calibration().has_source(), "calibration.source");
  refuse(spec.has_scheme(), "scheme");
  refuse(spec.has_method(), "method");
  refuse(spec.target_tensor_parallel() != 0, "target_tensor_parallel");
  if (!spec.evaluation().has_source())
    violations.Add("evaluation.source", "is unset: nothing to evaluate on");
}

void CheckQuantization(const v1::JobSpec& spec, SpecViolations& violations) {
  CheckLocation(spec.output().location(), "output.location", violations);
  const std::string& format = spec.output().format();
  if (!format.empty() && format != "compressed-tensors" && format != kDenseFormat && !IsGptqFormat(format)) {
    violations.Add("output.format",
                   absl::StrCat("is '", format, "', expected compressed-tensors, gptq, gptq_v2 or dense"));
  }
  if (IsGptqFormat(format) && spec.method().hero_q().transform() == v1::TRANSFORM_ONLINE) {
    violations.Add("output.format", absl::StrCat("is ", format,
                                                 ", which cannot tell loaders to rotate inputs; expected "
                                                 "compressed-tensors with transform online"));
  }
  CheckRange(spec.output().max_shard_bytes(), kMinShardBytes, int64_t{1} << 50, "output.max_shard_bytes",
             violations);
  CheckScheme(spec.scheme(), "scheme", false, violations);
  CheckActivationRegime(spec, violations);
  CheckMethod(spec, violations);
  CheckRange(spec.target_tensor_parallel(), 1, 1024, "target_tensor_parallel", violations);
}

int64_t OrDefault(int64_t value, int64_t fallback) { return value == 0 ? fallback : value; }

}  // namespace

void CheckSpec(const v1::JobSpec& spec, SpecViolations& violations) {
  CheckLocation(spec.model().location(), "model.location", violations);
  if (IsEvaluationOnly(spec)) {
    CheckEvaluationOnly(spec, violations);
  } else {
    CheckQuantization(spec, violations);
  }
  CheckCalibration(spec.calibration(), violations);
  CheckEvaluation(spec, violations);
  if (std::abs(int64_t{spec.priority()}) > 1000) {
    violations.Add("priority", absl::StrCat("is ", spec.priority(), ", expected -1000 to 1000"));
  }
  CheckRange(spec.worker_memory_bytes(), int64_t{1} << 20, int64_t{1} << 50, "worker_memory_bytes",
             violations);
  if (spec.labels_size() > kMaxLabels) {
    violations.Add("labels",
                   absl::StrCat("has ", spec.labels_size(), " entries, expected at most ", kMaxLabels));
  }
  for (const auto& [key, value] : spec.labels()) {
    if (key.empty() || key.size() > kMaxLabelBytes || value.size() > kMaxLabelBytes) {
      violations.Add("labels", absl::StrCat("has a key or value that is empty or longer than ",
                                            kMaxLabelBytes, " bytes"));
    }
  }
}

void CheckSpecAgainstModel(const v1::JobSpec& spec, const ModelLayout& layout, SpecViolations& violations) {
  const auto check = [&](int64_t length, absl::string_view field) {
    if (layout.max_positions > 0 && length > layout.max_positions) {
      violations.Add(field, absl::StrCat("is ", length, ", longer than the model's ", layout.max_positions,
                                         " positions"));
    }
  };
  check(spec.calibration().sequence_length(), "calibration.sequence_length");
  check(spec.evaluation().sequence_length(), "evaluation.sequence_length");
}

void CheckTaskCount(const v1::Plan& plan, SpecViolations& violations) {
  int64_t blocks = 0;
  for (const v1::PlannedUnit& unit : plan.units()) blocks = std::max<int64_t>(blocks, unit.block() + 1);
  const int64_t tasks = TaskCountBound(plan, blocks);
  if (tasks <= kMaxTasks) return;
  const v1::CalibrationSpec& calibration = plan.calibration();
  const bool quantized = calibration.propagation() == v1::PROPAGATION_QUANTIZED;
  const int64_t tasks_per_shard = blocks * (quantized ? 2 : 1);
  violations.Add("calibration.shards",
                 absl::StrCat("is ", calibration.shards(), "; with calibration.propagation ",
                              quantized ? "quantized" : "full", " and ", blocks,
                              " blocks to quantize that is ", tasks, " tasks, more than ", kMaxTasks,
                              "; expected at most ", (kMaxTasks - plan.units_size()) / tasks_per_shard));
}

void CheckWorkerMemory(const v1::JobSpec& spec, const v1::CostEstimate& cost, SpecViolations& violations) {
  const int64_t budget = spec.worker_memory_bytes();
  if (budget == 0 || cost.worker_peak_memory_bytes() <= budget) return;
  constexpr int64_t kMiB = int64_t{1} << 20;
  const int64_t least = (cost.worker_peak_memory_bytes() + kMiB - 1) / kMiB;
  violations.Add("worker_memory_bytes",
                 absl::StrCat("is ", budget, ", and ", cost.worker_peak_phase(),
                              " may need more: the least that works is ", least, "MiB"));
}

v1::JobSpec ResolveSpec(const v1::JobSpec& spec, const ModelLayout& layout) {
  v1::JobSpec resolved = spec;
  const auto default_length = [&](int64_t length) {
    return layout.max_positions > 0 ? std::min(length, layout.max_positions) : length;
  };
  v1::CalibrationSpec& calibration = *resolved.mutable_calibration();
  if (calibration.has_source()) {
    calibration.set_samples(OrDefault(calibration.samples(), 128));
    calibration.set_sequence_length(OrDefault(calibration.sequence_length(), default_length(2048)));
    calibration.set_shards(OrDefault(calibration.shards(), std::min(8, calibration.samples())));
    if (calibration.propagation() == v1::PROPAGATION_UNSPECIFIED) {
      calibration.set_propagation(v1::PROPAGATION_FULL_PRECISION);
    }
  }
  calibration.set_threads_per_task(OrDefault(calibration.threads_per_task(), 1));
  if (calibration.compute_type().empty() || calibration.compute_type() == "auto") {
    const bool half = layout.dtype == DType::kBf16 || layout.dtype == DType::kF16;
    calibration.set_compute_type(half ? "bf16" : "f32");
  }
  if (resolved.evaluation().has_source()) {
    v1::EvaluationSpec& evaluation = *resolved.mutable_evaluation();
    evaluation.set_sequences(OrDefault(evaluation.sequences(), 32));
    evaluation.set_sequence_length(OrDefault(evaluation.sequence_length(), default_length(512)));
  }
  const int64_t longest =
      std::max({calibration.sequence_length(), resolved.evaluation().sequence_length(), 1});
  calibration.set_micro_batch(
      OrDefault(calibration.micro_batch(), std::max<int64_t>(1, kForwardTokens / longest)));
  if (IsEvaluationOnly(resolved)) return resolved;

  v1::OutputSpec& output = *resolved.mutable_output();
  if (output.format().empty()) {
    output.set_format(NeedsDenseOutput(resolved.method()) ? kDenseFormat : "compressed-tensors");
  }
  output.set_max_shard_bytes(OrDefault(output.max_shard_bytes(), 5'000'000'000));
  v1::SchemeSpec& scheme = *resolved.mutable_scheme();
  if (output.format() == "gptq" && scheme.symmetry() == v1::SYMMETRY_UNSPECIFIED) {
    scheme.set_symmetry(v1::SYMMETRY_SYMMETRIC);
  }
  scheme.set_weight_bits(OrDefault(scheme.weight_bits(), 4));
  scheme.set_activation_bits(
      static_cast<int>(OrDefault(scheme.activation_bits(), kUnquantizedActivationBits)));
  ResolveMethod(*resolved.mutable_method());
  resolved.set_target_tensor_parallel(OrDefault(resolved.target_tensor_parallel(), 1));
  return resolved;
}

}  // namespace heroq
