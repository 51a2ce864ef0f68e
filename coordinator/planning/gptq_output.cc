#include "coordinator/planning/gptq_output.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "common/quant/quant_scheme.h"
#include "coordinator/planning/scheme_text.h"
#include "coordinator/planning/tensor_parallel.h"

namespace heroq {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kWordBits = 32;
constexpr int kWidths[] = {2, 3, 4, 8};

bool IsPowerOfTwo(int value) { return (value & (value - 1)) == 0; }

// Why GPTQ checkpoints cannot hold `linear` in `scheme`; empty when they can.
std::string Problem(const std::string& format, const LinearLayout& linear, int tensor_parallel,
                    const v1::LinearScheme& scheme) {
  const int group = scheme.group_size();
  if (std::find(std::begin(kWidths), std::end(kWidths), scheme.weight_bits()) == std::end(kWidths)) {
    return absl::StrCat(scheme.weight_bits(), " bits, expected 2, 3, 4 or 8");
  }
  if (ToQuantScheme(scheme).activation_bits < 16) return "activations are quantized, which it cannot say";
  const int64_t inputs = InputShare(linear, tensor_parallel);
  const int64_t outputs = linear.out_features / (SplitsInput(linear.input) ? 1 : tensor_parallel);
  if (inputs % kWordBits != 0 || outputs % kWordBits != 0) {
    return absl::StrCat(inputs, " inputs and ", outputs, " outputs", tensor_parallel > 1 ? " a rank" : "",
                        ", expected multiples of ", kWordBits);
  }
  if (group != kPerChannel && (group < 16 || group > 1024 || !IsPowerOfTwo(group))) {
    return absl::StrCat("group size ", group, ", expected a power of two from 16 to 1024, or channel");
  }
  if (format == "gptq" && !scheme.symmetric()) {
    return "asymmetric, whose zero points loaders of version 1 take from its own tools only; expected "
           "gptq_v2, or symmetric";
  }
  return "";
}

Json Grid(const v1::LinearScheme& scheme) {
  return {{"bits", scheme.weight_bits()}, {"group_size", scheme.group_size()}, {"sym", scheme.symmetric()}};
}

// Loaders fuse linears that read one input and look the result up by a name of its own.
struct FusedName {
  absl::string_view suffix;
  absl::string_view pattern;
};
constexpr absl::string_view kQkv = "\\.(q_proj|k_proj|v_proj|qkv_proj)";
constexpr absl::string_view kGateUp = "\\.(gate_proj|up_proj|gate_up_proj)";
constexpr FusedName kFused[] = {
    {".q_proj", kQkv}, {".k_proj", kQkv}, {".v_proj", kQkv}, {".gate_proj", kGateUp}, {".up_proj", kGateUp}};

// Matches the linear and what it is fused with.
std::string Pattern(absl::string_view name) {
  absl::string_view fused;
  for (const FusedName& entry : kFused) {
    if (fused.empty() && absl::ConsumeSuffix(&name, entry.suffix)) fused = entry.pattern;
  }
  return absl::StrCat("^", absl::StrReplaceAll(name, {{".", "\\."}}), fused, "$");
}

// The scheme of the most linears, the first of those in model order.
v1::LinearScheme MostCommon(const v1::Plan& plan) {
  std::map<std::string, int> counts;
  for (const v1::PlannedUnit& unit : plan.units()) {
    for (const v1::PlannedLinear& linear : unit.linears()) ++counts[SchemeText(linear.scheme())];
  }
  v1::LinearScheme best;
  int most = 0;
  for (const v1::PlannedUnit& unit : plan.units()) {
    for (const v1::PlannedLinear& linear : unit.linears()) {
      if (const int count = counts[SchemeText(linear.scheme())]; count > most) {
        best = linear.scheme();
        most = count;
      }
    }
  }
  return best;
}

}  // namespace

bool IsGptqFormat(const std::string& format) { return format == "gptq" || format == "gptq_v2"; }

void ApplyGptqFormat(const std::string& format, const ModelLayout& layout, int tensor_parallel,
                     ResolvedSchemes& schemes, SpecViolations& violations) {
  for (size_t block = 0; block < layout.blocks.size(); ++block) {
    for (size_t i = 0; i < layout.blocks[block].linears.size(); ++i) {
      std::optional<v1::LinearScheme>& scheme = schemes.linears[block][i];
      if (!scheme.has_value()) continue;
      scheme->set_scale_type(v1::SCALE_TYPE_F16);
      const LinearLayout& linear = layout.blocks[block].linears[i];
      const std::string problem = Problem(format, linear, tensor_parallel, *scheme);
      if (problem.empty()) continue;
      violations.Add("output.format",
                     absl::StrCat("is ", format, ", which cannot hold ", linear.name, ": ", problem));
      return;
    }
  }
}

std::string GptqConfigJson(const v1::Plan& plan, const std::string& format) {
  const v1::LinearScheme common = MostCommon(plan);
  Json dynamic = Json::object();
  for (const v1::KeptLinear& kept : plan.kept()) {
    // The head is no linear of a block: lm_head says so.
    if (absl::StrContains(kept.name(), '.'))
      dynamic[absl::StrCat("-:", Pattern(kept.name()))] = Json::object();
  }
  for (const v1::PlannedUnit& unit : plan.units()) {
    for (const v1::PlannedLinear& linear : unit.linears()) {
      if (SchemeText(linear.scheme()) == SchemeText(common)) continue;
      dynamic[absl::StrCat("+:", Pattern(linear.name()))] = Grid(linear.scheme());
    }
  }
  Json config = Grid(common);
  config["quant_method"] = "gptq";
  config["checkpoint_format"] = format;
  config["format"] = format;
  config["desc_act"] = false;
  config["lm_head"] = false;
  config["pack_dtype"] = "int32";
  if (!dynamic.empty()) config["dynamic"] = std::move(dynamic);
  config["meta"]["quantizer"] = Json::array({absl::StrCat("heroq:", HEROQ_VERSION)});
  return config.dump();
}

}  // namespace heroq
