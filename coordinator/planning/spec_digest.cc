#include "coordinator/planning/spec_digest.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/blob/sha256.h"
#include "coordinator/planning/method_description.h"
#include "coordinator/planning/scheme_text.h"

namespace heroq {
namespace {

class Lines {
 public:
  void Add(absl::string_view key, absl::string_view value) {
    absl::StrAppend(&text_, key, "=", absl::CEscape(value), "\n");
  }
  void Add(absl::string_view key, int64_t value) { absl::StrAppend(&text_, key, "=", value, "\n"); }
  // 17 digits tell all doubles apart.
  void AddReal(absl::string_view key, double value) { Add(key, absl::StrFormat("%.17g", value)); }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

// Prints a parameter's value the way its type is printed everywhere in the text.
struct ParameterLine {
  void operator()(bool value) const { lines.Add(key, int64_t{value}); }
  void operator()(int64_t value) const { lines.Add(key, value); }
  void operator()(double value) const { lines.AddReal(key, value); }
  void operator()(const std::string& value) const { lines.Add(key, value); }

  const std::string& key;
  Lines& lines;
};

void AddMethod(const v1::MethodSpec& method, Lines& lines) {
  const MethodDescription description = DescribeMethod(method);
  lines.Add("method", description.name);
  for (const MethodParameter& parameter : description.parameters) {
    std::visit(ParameterLine{parameter.name, lines}, parameter.value);
  }
}

}  // namespace

std::string CanonicalSpecText(const v1::JobSpec& resolved_spec, const v1::Plan& plan) {
  Lines lines;
  lines.Add("schema", "heroq-spec/1");
  lines.Add("family", plan.family());
  for (const v1::PinnedFile& file : plan.sources()) {
    lines.Add(absl::StrCat("source/", absl::CEscape(file.name())),
              absl::StrCat(file.size_bytes(), " ", file.digest()));
  }
  lines.Add("compute_type", plan.compute_type());
  lines.Add("micro_batch", plan.calibration().micro_batch());
  lines.Add("threads_per_task", plan.calibration().threads_per_task());
  lines.Add("seed", absl::StrCat(plan.calibration().seed()));
  if (plan.has_calibration_tokens()) {
    lines.Add("calibration_tokens", plan.calibration_tokens().sha256());
    lines.Add("shards", plan.calibration().shards());
    lines.Add("propagation", v1::Propagation_Name(plan.calibration().propagation()));
  }
  if (plan.has_evaluation_tokens()) lines.Add("evaluation_tokens", plan.evaluation_tokens().sha256());
  AddMethod(plan.method(), lines);
  lines.Add("strict", resolved_spec.strict());
  lines.AddReal("max_perplexity_ratio", resolved_spec.quality_gate().max_perplexity_ratio());
  lines.AddReal("max_kl", resolved_spec.quality_gate().max_kl());
  lines.Add("format", resolved_spec.output().format());
  for (const v1::PlannedUnit& unit : plan.units()) {
    for (const v1::PlannedLinear& linear : unit.linears()) {
      lines.Add(absl::StrCat("linear/", linear.name()), SchemeText(linear.scheme()));
    }
  }
  for (const v1::KeptLinear& kept : plan.kept()) lines.Add(absl::StrCat("kept/", kept.name()), kept.reason());
  for (const v1::PlannedFile& file : plan.files()) {
    lines.Add(absl::StrCat("file/", file.name()), Sha256Hex(file.header()));
  }
  return lines.Take();
}

std::string SpecDigest(const v1::JobSpec& resolved_spec, const v1::Plan& plan) {
  return Sha256Hex(CanonicalSpecText(resolved_spec, plan));
}

}  // namespace heroq
