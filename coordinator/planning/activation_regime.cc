#include "coordinator/planning/activation_regime.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/quant/quant_scheme.h"
#include "coordinator/planning/scheme_text.h"

namespace heroq {
namespace {

bool Asks(const v1::SchemeSpec& scheme) {
  return scheme.activation_bits() != 0 && scheme.activation_bits() != kUnquantizedActivationBits;
}

}  // namespace

void CheckActivationRegime(const v1::JobSpec& spec, SpecViolations& violations) {
  const bool asked =
      Asks(spec.scheme()) ||
      std::any_of(spec.scheme().overrides().begin(), spec.scheme().overrides().end(),
                  [](const v1::SchemeOverride& entry) { return entry.has_scheme() && Asks(entry.scheme()); });
  const std::string& format = spec.output().format();
  if (asked && !format.empty() && format != "compressed-tensors") {
    violations.Add("output.format",
                   absl::StrCat("is '", format,
                                "', which cannot say that activations are quantized; with "
                                "scheme.activation_bits below 16 expected compressed-tensors"));
  }
  if (asked && spec.calibration().propagation() == v1::PROPAGATION_QUANTIZED) {
    violations.Add(
        "calibration.propagation",
        "is quantized, which quantizes no activations; with scheme.activation_bits below 16 expected "
        "full precision");
  }
}

int KeptTokensOfShard(const v1::Plan& plan, int block) {
  for (const v1::PlannedUnit& unit : plan.units()) {
    if (unit.block() != block) continue;
    for (const v1::PlannedLinear& linear : unit.linears()) {
      const bool needed =
          ToQuantScheme(linear.scheme()).quantizes_activations() || plan.method().has_smoothquant();
      if (!needed) continue;
      const int shards = std::max(1, plan.calibration().shards());
      return (kKeptTokens + shards - 1) / shards;
    }
  }
  return 0;
}

int64_t KeptTokens(const v1::Plan& plan, int block) {
  const v1::CalibrationSpec& calibration = plan.calibration();
  return std::min(int64_t{calibration.samples()} * calibration.sequence_length(),
                  int64_t{KeptTokensOfShard(plan, block)} * calibration.shards());
}

std::vector<std::string> ActivationWarnings(const v1::Plan& plan) {
  std::set<std::string> wide, unserved;
  for (const v1::PlannedUnit& unit : plan.units()) {
    for (const v1::PlannedLinear& linear : unit.linears()) {
      const QuantScheme scheme = ToQuantScheme(linear.scheme());
      if (!scheme.quantizes_activations()) continue;
      const std::string text = ToString(scheme);
      if (scheme.weight_bits < 8) wide.insert(text);
      const bool kernel = scheme.weight_bits == 8 && scheme.activation_bits == 8 &&
                          scheme.group_size == kPerChannel && scheme.symmetric;
      if (!kernel) unserved.insert(text);
    }
  }
  std::vector<std::string> warnings;
  if (!wide.empty()) {
    warnings.push_back(absl::StrCat("int-quantized stores 8 bits a weight, also for ",
                                    absl::StrJoin(wide, ", "),
                                    ": of packed linears loaders would not quantize the activations"));
  }
  if (!unserved.empty()) {
    warnings.push_back(
        absl::StrCat("transformers computes ", absl::StrJoin(unserved, ", "),
                     "; of schemes with quantized activations vLLM's integer kernels take symmetric "
                     "W8A8 per channel"));
  }
  return warnings;
}

}  // namespace heroq
