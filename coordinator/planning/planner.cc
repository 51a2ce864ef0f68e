#include "coordinator/planning/planner.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/file/path_root.h"
#include "common/model/config_reader.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/planning/activation_regime.h"
#include "coordinator/planning/adapter_plan.h"
#include "coordinator/planning/cost_model.h"
#include "coordinator/planning/dense_output.h"
#include "coordinator/planning/gptq_output.h"
#include "coordinator/planning/job_validation.h"
#include "coordinator/planning/model_inspection.h"
#include "coordinator/planning/online_rotations.h"
#include "coordinator/planning/output_check.h"
#include "coordinator/planning/plan_builder.h"
#include "coordinator/planning/quantization_config.h"
#include "coordinator/planning/rewritten_tensors.h"
#include "coordinator/planning/scheme_resolution.h"
#include "coordinator/planning/spec_digest.h"

namespace heroq {
namespace {

// Every location of a spec with the path of its field.
std::vector<std::pair<std::string, const v1::Location*>> TextLocations(const v1::JobSpec& spec) {
  std::vector<std::pair<std::string, const v1::Location*>> found;
  const auto add = [&](const v1::TextSource& source, absl::string_view field) {
    for (int i = 0; i < source.text_files_size(); ++i) {
      found.emplace_back(absl::StrCat(field, ".text_files[", i, "]"), &source.text_files(i));
    }
    if (source.has_tokens_file())
      found.emplace_back(absl::StrCat(field, ".tokens_file"), &source.tokens_file());
  };
  if (spec.calibration().has_source()) add(spec.calibration().source(), "calibration.source");
  if (spec.evaluation().has_source()) add(spec.evaluation().source(), "evaluation.source");
  return found;
}

int64_t WeightBytes(const InspectedModel& model) {
  int64_t bytes = 0;
  for (const auto& [name, entry] : model.tensors->tensors()) bytes += entry.info.size;
  return bytes;
}

// Adds what is refused with `field` and gives nullopt then.
template <typename T>
std::optional<T> Collect(absl::StatusOr<T> result, absl::string_view field, SpecViolations& violations) {
  if (result.ok()) return *std::move(result);
  violations.AddRefusal(field, result.status());
  return std::nullopt;
}

bool HasSymmetricTwoBitLinears(const v1::Plan& plan) {
  for (const v1::PlannedUnit& unit : plan.units()) {
    for (const v1::PlannedLinear& linear : unit.linears()) {
      if (linear.scheme().weight_bits() == 2 && linear.scheme().symmetric()) return true;
    }
  }
  return false;
}

absl::Status PlanQuantization(const v1::JobSpec& spec, const InspectedModel& model,
                              const ResolvedSchemes& schemes, v1::Plan& plan) {
  std::vector<v1::PlannedUnit> units = PlanUnits(model.layout, schemes);
  HEROQ_RETURN_IF_ERROR(CheckBranches(spec.method(), units));
  HEROQ_RETURN_IF_ERROR(AddRewrittenTensors(model, spec.method(), units));
  HEROQ_RETURN_IF_ERROR(CheckFreeOffsets(spec.method(), units));
  const bool dense = spec.output().format() == kDenseFormat;
  if (dense) HEROQ_RETURN_IF_ERROR(AddDenseWeights(model, units));
  const bool untied = RotatesResidual(spec.method()) && model.layout.tied_head;
  const ModelLayout published = untied ? model.layout.Untied() : model.layout;
  HEROQ_ASSIGN_OR_RETURN(const std::vector<v1::PlannedFile> planned,
                         PlanFiles(model, published, units, spec.output().max_shard_bytes()));
  plan.set_untied_head(untied);
  plan.mutable_units()->Assign(units.begin(), units.end());
  plan.mutable_files()->Assign(planned.begin(), planned.end());
  if (HasBranches(spec.method())) {
    HEROQ_ASSIGN_OR_RETURN(*plan.add_files(), PlanAdapterFile(units));
  }
  plan.mutable_kept()->Assign(schemes.kept.begin(), schemes.kept.end());
  plan.mutable_copied_files()->Assign(model.copied_files.begin(), model.copied_files.end());
  if (dense) {
    plan.add_warnings(
        "the published weights are dense: what their codes stand for, in the type of the source and as large "
        "as "
        "it; for measurements, not for use");
  } else {
    const std::string& format = spec.output().format();
    plan.set_quantization_config_json(IsGptqFormat(format) ? GptqConfigJson(plan, format)
                                                           : QuantizationConfigJson(plan));
  }
  if (untied) {
    const int64_t bytes = published.vocab_size * published.hidden_size * SizeOf(published.dtype);
    plan.add_warnings(absl::StrCat("the rotated model needs a head apart from its embedding, which adds ",
                                   bytes, " bytes; transform none does not"));
  }
  if (RotatesOnline(spec.method())) {
    plan.add_warnings(
        "linear inputs are rotated at run time: vLLM does that, transformers ignores transform_config "
        "without "
        "a word and computes garbage unless the lines in the model card are run after loading");
  }
  for (std::string& warning : ActivationWarnings(plan)) plan.add_warnings(std::move(warning));
  if (!RotatesOnline(spec.method()) && HasSymmetricTwoBitLinears(plan)) {
    plan.add_warnings(
        "a symmetric grid of 2 bits has one code above zero, and few models survive that: choose asymmetric "
        "grids, which vLLM does not load at 2 bits, or rotate inputs at run time (hero-q, transform online)");
  }
  const std::vector<std::string> unused = UnusedTensors(published, *model.tensors);
  if (!unused.empty()) {
    plan.add_warnings(absl::StrCat("tensors the model does not use are published unchanged: ",
                                   absl::StrJoin(unused, ", ")));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ResolveLocation(const Roots& roots, const v1::Location& location) {
  const auto root = roots.find(location.root());
  if (root == roots.end()) {
    return MakeError(Reason::kPathNotAllowed,
                     absl::StrCat("root '", location.root(), "' is not configured; roots: ",
                                  absl::StrJoin(roots, ", ",
                                                [](std::string* out, const auto& entry) {
                                                  absl::StrAppend(out, entry.first);
                                                })),
                     {{"root", location.root()}});
  }
  HEROQ_ASSIGN_OR_RETURN(std::string path, ResolveBeneath(root->second, location.path()));
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

std::string Planner::Resolve(const v1::Location& location, absl::string_view field,
                             SpecViolations& violations) const {
  if (violations.Has(field)) return "";
  return Collect(ResolveLocation(roots_, location), field, violations).value_or("");
}

absl::StatusOr<InspectedJob> Planner::Inspect(const v1::JobSpec& spec) const {
  int64_t vocab_size = 0;
  SpecViolations violations;
  InspectedJob job = Inspect(spec, vocab_size, violations);
  HEROQ_RETURN_IF_ERROR(violations.ToStatus());
  return job;
}

InspectedJob Planner::Inspect(const v1::JobSpec& spec, int64_t& vocab_size,
                              SpecViolations& violations) const {
  CheckSpec(spec, violations);
  InspectedJob job;
  v1::Plan& plan = job.plan;
  const std::string model_directory = Resolve(spec.model().location(), "model.location", violations);
  for (const auto& [field, location] : TextLocations(spec)) {
    const std::string path = Resolve(*location, field, violations);
    if (path.empty()) continue;
    const absl::StatusOr<FileInfo> info = files_.Stat(path);
    if (!info.ok() || !info->is_regular)
      violations.Add(field, absl::StrCat("is ", path, ", which is not a file"));
  }
  const bool quantizes = !IsEvaluationOnly(spec);
  if (quantizes) {
    const std::string output = Resolve(spec.output().location(), "output.location", violations);
    if (!output.empty())
      violations.AddRefusal("output.location", CheckOutput(files_, output, model_directory));
    plan.set_output_directory(output);
  } else if (const std::string checkpoint =
                 Resolve(spec.evaluate_checkpoint(), "evaluate_checkpoint", violations);
             !checkpoint.empty() && !files_.Exists(JoinPath(checkpoint, "config.json"))) {
    violations.Add("evaluate_checkpoint", absl::StrCat("is ", checkpoint, ", which has no config.json"));
  }
  if (model_directory.empty()) return job;
  plan.set_model_directory(model_directory);
  std::optional<ModelLayout> layout =
      Collect(ReadModelLayout(files_, model_directory), "model.location", violations);
  if (!layout.has_value()) return job;
  CheckSpecAgainstModel(spec, *layout, violations);
  vocab_size = layout->vocab_size;
  job.spec = ResolveSpec(spec, *layout);
  *plan.mutable_calibration() = job.spec.calibration();
  *plan.mutable_evaluation() = job.spec.evaluation();
  std::optional<ResolvedSchemes> schemes;
  if (quantizes && !violations.Has("scheme") && !violations.Has("target_tensor_parallel")) {
    schemes = Collect(ResolveSchemes(job.spec.scheme(), *layout, job.spec.target_tensor_parallel()), "scheme",
                      violations);
    if (const std::string& format = job.spec.output().format(); schemes && IsGptqFormat(format)) {
      ApplyGptqFormat(format, *layout, job.spec.target_tensor_parallel(), *schemes, violations);
    }
  }
  const std::optional<InspectedModel> model =
      Collect(InspectModel(files_, model_directory, *std::move(layout)), "model.location", violations);
  if (quantizes && model.has_value()) CheckDenseOutput(job.spec, model->layout, violations);
  if (quantizes && model.has_value()) CheckOnlineRotations(job.spec, model->layout, violations);
  if (!violations.empty()) return job;

  plan.set_family(model->layout.family);
  plan.set_block_count(static_cast<int>(model->layout.block_count));
  plan.set_hidden_size(model->layout.hidden_size);
  *plan.mutable_method() = job.spec.method();
  plan.set_compute_type(job.spec.calibration().compute_type());
  plan.mutable_sources()->Assign(model->pinned.begin(), model->pinned.end());
  if (quantizes) violations.AddRefusal("output", PlanQuantization(job.spec, *model, *schemes, plan));
  CheckTaskCount(plan, violations);
  if (!violations.empty()) return job;
  *plan.mutable_cost() = EstimateCost(plan, model->layout, WeightBytes(*model));
  CheckWorkerMemory(spec, plan.cost(), violations);
  return job;
}

absl::StatusOr<InspectedJob> Planner::InspectWithTexts(const v1::JobSpec& spec) const {
  return InspectWithTexts(spec, {TriesTransforms(spec.method()) ? kHeldOutSequences : 0, false});
}

absl::StatusOr<InspectedJob> Planner::InspectWithTexts(const v1::JobSpec& spec,
                                                       const HeldOutText& held_out) const {
  int64_t vocab_size = 0;
  SpecViolations violations;
  InspectedJob job = Inspect(spec, vocab_size, violations);
  if (vocab_size > 0) {
    HEROQ_RETURN_IF_ERROR(AddTokenBlobs(
        files_, blobs_, [this](const v1::Location& location) { return ResolveLocation(roots_, location); },
        vocab_size, held_out, job.plan, violations));
  }
  HEROQ_RETURN_IF_ERROR(violations.ToStatus());
  job.plan.set_spec_digest(SpecDigest(job.spec, job.plan));
  return job;
}

absl::StatusOr<v1::Plan> Planner::MakePlan(const v1::JobSpec& spec) const {
  HEROQ_ASSIGN_OR_RETURN(InspectedJob job, InspectWithTexts(spec));
  return std::move(job.plan);
}

absl::StatusOr<v1::Plan> Planner::MakePlan(const v1::JobSpec& spec, const Trial& trial) const {
  HEROQ_ASSIGN_OR_RETURN(const InspectedJob asked, InspectWithTexts(spec));
  v1::JobSpec tried = spec;
  tried.mutable_method()->mutable_hero_q()->set_transform(trial.transform);
  if (!trial.chosen) *tried.mutable_evaluation() = EvaluationOfTrials(asked.plan.calibration());
  HEROQ_ASSIGN_OR_RETURN(InspectedJob job, InspectWithTexts(tried, {kHeldOutSequences, !trial.chosen}));
  job.plan.set_spec_digest(asked.plan.spec_digest());
  // Workers hold what the largest of all trials takes.
  job.plan.mutable_cost()->set_worker_peak_memory_bytes(asked.plan.cost().worker_peak_memory_bytes());
  job.plan.mutable_cost()->set_worker_peak_phase(asked.plan.cost().worker_peak_phase());
  return std::move(job.plan);
}

std::vector<std::string> KnownFormats() { return {"compressed-tensors", "gptq", "gptq_v2", kDenseFormat}; }

std::vector<std::string> KnownFamilies() { return KnownModelFamilies(); }

}  // namespace heroq
