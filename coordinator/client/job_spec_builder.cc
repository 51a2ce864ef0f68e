#include <functional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/client/job_flags.h"
#include "coordinator/client/number_format.h"
#include "coordinator/client/scheme_argument.h"
#include "coordinator/planning/base_method.h"
#include "coordinator/planning/method_description.h"

namespace heroq {
namespace {

absl::Status ApplyTextSource(absl::string_view flag, const std::vector<std::string>& texts,
                             const std::optional<std::string>& tokens, const LocationReader& locations,
                             const std::function<v1::TextSource*()>& source) {
  if (!texts.empty() && tokens.has_value()) {
    return MakeError(Reason::kInvalidSpec, absl::StrCat(flag, " and ", flag, "-tokens exclude each other"));
  }
  if (texts.empty() && !tokens.has_value()) return absl::OkStatus();
  v1::TextSource given;
  for (const std::string& text : texts) {
    HEROQ_ASSIGN_OR_RETURN(*given.add_text_files(), locations.Read(flag, text));
  }
  if (tokens.has_value()) {
    HEROQ_ASSIGN_OR_RETURN(*given.mutable_tokens_file(),
                           locations.Read(absl::StrCat(flag, "-tokens"), *tokens));
  }
  *source() = std::move(given);
  return absl::OkStatus();
}

absl::Status ApplyScheme(const JobFlags& flags, v1::JobSpec& spec) {
  if (flags.bits.has_value()) spec.mutable_scheme()->set_weight_bits(*flags.bits);
  if (flags.activation_bits.has_value()) spec.mutable_scheme()->set_activation_bits(*flags.activation_bits);
  if (flags.group_size.has_value()) {
    HEROQ_ASSIGN_OR_RETURN(const int32_t size, ParseGroupSize("--group-size", *flags.group_size));
    spec.mutable_scheme()->set_group_size(size);
  }
  if (flags.symmetric.has_value()) {
    HEROQ_ASSIGN_OR_RETURN(const v1::Symmetry symmetry, ParseSymmetry("--symmetric", *flags.symmetric));
    spec.mutable_scheme()->set_symmetry(symmetry);
  }
  if (flags.keep.empty() && flags.overrides.empty()) return absl::OkStatus();
  spec.mutable_scheme()->clear_overrides();
  for (const std::string& pattern : flags.keep) {
    v1::SchemeOverride* kept = spec.mutable_scheme()->add_overrides();
    kept->set_pattern(pattern);
    kept->set_keep(true);
  }
  for (const std::string& text : flags.overrides) {
    HEROQ_ASSIGN_OR_RETURN(*spec.mutable_scheme()->add_overrides(), ParseOverride(text));
  }
  return absl::OkStatus();
}

absl::Status NotOfMethod(absl::string_view flag, absl::string_view method) {
  return MakeError(Reason::kInvalidSpec, absl::StrCat(flag, " has no meaning for --method ", method));
}

absl::Status ApplyMethod(const JobFlags& flags, v1::MethodSpec& method) {
  if (flags.method.has_value()) SelectMethod(*flags.method, method);
  if (method.method_case() == v1::MethodSpec::METHOD_NOT_SET) method.mutable_gptq();
  HEROQ_RETURN_IF_ERROR(ApplyTransformFlags(flags.transform, method));
  HEROQ_RETURN_IF_ERROR(ApplyBranchFlags(flags.branch, method));
  const std::string name = DescribeMethod(method).name;
  v1::GptqParameters* gptq = FindGptq(method).parameters;
  v1::RtnParameters* rtn = FindRtn(method).parameters;
  v1::AwqParameters* awq = FindAwq(method).parameters;
  if (flags.act_order.has_value()) {
    if (gptq == nullptr) return NotOfMethod("--act-order", name);
    gptq->set_act_order(*flags.act_order == "on");
  }
  if (flags.damping.has_value()) {
    if (gptq == nullptr) return NotOfMethod("--damping", name);
    gptq->set_damping(*flags.damping);
  }
  if (flags.scale_search.has_value()) {
    const bool search = *flags.scale_search == "on";
    if (gptq == nullptr && rtn == nullptr && awq == nullptr) return NotOfMethod("--scale-search", name);
    if (rtn != nullptr) rtn->set_scale_search(search);
    if (gptq != nullptr) gptq->set_scale_search(search);
    if (awq != nullptr) awq->set_scale_search(search);
  }
  if (flags.scale_steps.has_value()) {
    if (awq == nullptr) return NotOfMethod("--scale-steps", name);
    awq->set_steps(*flags.scale_steps);
  }
  if (flags.strength.has_value()) {
    if (!method.has_smoothquant()) return NotOfMethod("--strength", name);
    method.mutable_smoothquant()->set_strength(*flags.strength);
  }
  if (flags.fit_rounds.has_value()) {
    if (!method.has_dash_q()) return NotOfMethod("--fit-rounds", name);
    method.mutable_dash_q()->set_rounds(*flags.fit_rounds);
  }
  if (flags.fit_damped.has_value()) {
    if (!method.has_dash_q()) return NotOfMethod("--fit-damped", name);
    method.mutable_dash_q()->set_damped(*flags.fit_damped == "on");
  }
  if (flags.fit_float_offset.has_value()) {
    if (!method.has_dash_q()) return NotOfMethod("--fit-float-offset", name);
    method.mutable_dash_q()->set_float_offset(*flags.fit_float_offset == "on");
  }
  return absl::OkStatus();
}

void ApplyCalibration(const JobFlags& flags, v1::JobSpec& spec) {
  if (flags.samples.has_value()) spec.mutable_calibration()->set_samples(*flags.samples);
  if (flags.sequence_length.has_value())
    spec.mutable_calibration()->set_sequence_length(*flags.sequence_length);
  if (flags.shards.has_value()) spec.mutable_calibration()->set_shards(*flags.shards);
  if (flags.micro_batch.has_value()) spec.mutable_calibration()->set_micro_batch(*flags.micro_batch);
  if (flags.threads.has_value()) spec.mutable_calibration()->set_threads_per_task(*flags.threads);
  if (flags.seed.has_value()) spec.mutable_calibration()->set_seed(*flags.seed);
  if (flags.compute.has_value()) spec.mutable_calibration()->set_compute_type(*flags.compute);
  if (flags.propagation.has_value()) {
    spec.mutable_calibration()->set_propagation(
        *flags.propagation == "quantized" ? v1::PROPAGATION_QUANTIZED : v1::PROPAGATION_FULL_PRECISION);
  }
}

void ApplyEvaluation(const JobFlags& flags, v1::JobSpec& spec) {
  if (flags.evaluation_sequences.has_value()) {
    spec.mutable_evaluation()->set_sequences(*flags.evaluation_sequences);
  }
  if (flags.evaluation_length.has_value()) {
    spec.mutable_evaluation()->set_sequence_length(*flags.evaluation_length);
  }
  if (flags.max_perplexity_ratio.has_value()) {
    spec.mutable_quality_gate()->set_max_perplexity_ratio(*flags.max_perplexity_ratio);
  }
  if (flags.max_kl.has_value()) spec.mutable_quality_gate()->set_max_kl(*flags.max_kl);
}

absl::Status ApplyOutput(const JobFlags& flags, const LocationReader& locations, v1::JobSpec& spec) {
  if (flags.output.has_value()) {
    HEROQ_ASSIGN_OR_RETURN(*spec.mutable_output()->mutable_location(),
                           locations.Read("--output", *flags.output));
  }
  if (flags.format.has_value()) spec.mutable_output()->set_format(*flags.format);
  if (flags.max_shard_size.has_value()) {
    HEROQ_ASSIGN_OR_RETURN(const int64_t bytes, ParseByteSize("--max-shard-size", *flags.max_shard_size));
    spec.mutable_output()->set_max_shard_bytes(bytes);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ApplyJobFlags(const JobFlags& flags, const LocationReader& locations, v1::JobSpec& spec) {
  if (flags.model.has_value()) {
    HEROQ_ASSIGN_OR_RETURN(*spec.mutable_model()->mutable_location(), locations.Read("MODEL", *flags.model));
  }
  HEROQ_RETURN_IF_ERROR(ApplyOutput(flags, locations, spec));
  HEROQ_RETURN_IF_ERROR(ApplyScheme(flags, spec));
  if (!spec.has_evaluate_checkpoint()) HEROQ_RETURN_IF_ERROR(ApplyMethod(flags, *spec.mutable_method()));
  ApplyCalibration(flags, spec);
  ApplyEvaluation(flags, spec);
  HEROQ_RETURN_IF_ERROR(ApplyTextSource("--calibration", flags.calibration, flags.calibration_tokens,
                                        locations,
                                        [&] { return spec.mutable_calibration()->mutable_source(); }));
  HEROQ_RETURN_IF_ERROR(ApplyTextSource("--evaluation", flags.evaluation, flags.evaluation_tokens, locations,
                                        [&] { return spec.mutable_evaluation()->mutable_source(); }));
  if (flags.tensor_parallel.has_value()) spec.set_target_tensor_parallel(*flags.tensor_parallel);
  if (flags.memory.has_value()) {
    HEROQ_ASSIGN_OR_RETURN(const int64_t bytes, ParseByteSize("--memory", *flags.memory));
    spec.set_worker_memory_bytes(bytes);
  }
  if (flags.strict) spec.set_strict(true);
  return absl::OkStatus();
}

}  // namespace heroq
