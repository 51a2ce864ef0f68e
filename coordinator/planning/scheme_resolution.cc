#include "coordinator/planning/scheme_resolution.h"

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/quant/quant_scheme.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/planning/scheme_text.h"
#include "coordinator/planning/spec_violations.h"
#include "coordinator/planning/tensor_parallel.h"
#include "re2/re2.h"

namespace heroq {
namespace {

constexpr char kHeadModule[] = "lm_head";

// One linear with the fields that were asked for; group size and symmetry may still be open.
struct Choice {
  const LinearLayout* linear = nullptr;
  std::optional<v1::SchemeSpec> asked;  // unset: kept
  std::string keep_reason;
};

v1::SchemeSpec Merge(const v1::SchemeSpec& base, const v1::SchemeSpec& override_scheme) {
  v1::SchemeSpec merged = base;
  if (override_scheme.weight_bits() != 0) merged.set_weight_bits(override_scheme.weight_bits());
  if (override_scheme.group_size() != 0) merged.set_group_size(override_scheme.group_size());
  if (override_scheme.symmetry() != v1::SYMMETRY_UNSPECIFIED) merged.set_symmetry(override_scheme.symmetry());
  if (override_scheme.activation_bits() != 0) merged.set_activation_bits(override_scheme.activation_bits());
  return merged;
}

class OverrideMatcher {
 public:
  explicit OverrideMatcher(const v1::SchemeSpec& spec) : spec_(spec), used_(spec.overrides_size(), false) {
    for (const v1::SchemeOverride& entry : spec.overrides()) {
      patterns_.push_back(std::make_unique<RE2>(entry.pattern(), RE2::Quiet));
    }
  }

  Choice Choose(const LinearLayout& linear) {
    Choice choice{&linear, spec_, ""};
    bool decided = false;
    for (int i = 0; i < spec_.overrides_size(); ++i) {
      if (!RE2::PartialMatch(linear.name, *patterns_[i])) continue;
      used_[i] = true;
      if (decided) continue;
      decided = true;
      if (spec_.overrides(i).has_scheme()) {
        choice.asked = Merge(spec_, spec_.overrides(i).scheme());
      } else {
        choice.asked.reset();
        choice.keep_reason = absl::StrCat("kept by the pattern '", spec_.overrides(i).pattern(), "'");
      }
    }
    return choice;
  }

  // Adds patterns that match neither a linear nor, to keep it, the head.
  void CheckAllUsed(SpecViolations& violations) const {
    for (int i = 0; i < spec_.overrides_size(); ++i) {
      if (used_[i]) continue;
      if (!spec_.overrides(i).has_scheme() && RE2::PartialMatch(kHeadModule, *patterns_[i])) continue;
      violations.Add(
          absl::StrCat("scheme.overrides[", i, "].pattern"),
          absl::StrCat("'", spec_.overrides(i).pattern(), "' matches no linear that can be quantized"));
    }
  }

 private:
  const v1::SchemeSpec& spec_;
  std::vector<std::unique_ptr<RE2>> patterns_;
  std::vector<bool> used_;
};

// "model.layers.0.mlp.down_proj (input 704) and 29 like it".
std::string ListByInput(const std::vector<const LinearLayout*>& linears, int tensor_parallel) {
  std::map<int64_t, std::vector<const LinearLayout*>> by_share;
  for (const LinearLayout* linear : linears) by_share[InputShare(*linear, tensor_parallel)].push_back(linear);
  std::vector<std::string> parts;
  for (const auto& [share, members] : by_share) {
    std::string part = absl::StrCat(members.front()->name, " (input ", members.front()->in_features);
    if (tensor_parallel > 1) absl::StrAppend(&part, ", ", share, " a rank");
    absl::StrAppend(&part, ")");
    if (members.size() > 1) absl::StrAppend(&part, " and ", members.size() - 1, " like it");
    parts.push_back(std::move(part));
  }
  return absl::StrJoin(parts, ", ");
}

std::string SizesThatWork(const std::vector<const LinearLayout*>& linears, int tensor_parallel) {
  std::vector<int> sizes;
  for (int size = 8; size <= 1024; size *= 2) {
    bool divides = true;
    for (const LinearLayout* linear : linears) divides &= InputShare(*linear, tensor_parallel) % size == 0;
    if (divides) sizes.push_back(size);
  }
  if (sizes.empty()) return "channel (-1)";
  return absl::StrCat(absl::StrJoin(sizes, ", "), " and channel (-1)");
}

absl::Status Indivisible(absl::string_view size, const std::vector<const LinearLayout*>& failing,
                         const std::vector<const LinearLayout*>& all, int tensor_parallel) {
  return MakeError(
      Reason::kGroupSizeIndivisible,
      absl::StrCat("group size ", size, " does not divide the input of ",
                   ListByInput(failing, tensor_parallel),
                   "; sizes that divide every linear of the job: ", SizesThatWork(all, tensor_parallel)),
      {{"field:scheme.group_size", "does not divide the input of every linear"},
       {"linear", failing.front()->name}});
}

bool QuantizesActivations(const v1::SchemeSpec& asked) {
  return asked.activation_bits() != 0 && asked.activation_bits() != kUnquantizedActivationBits;
}

// Sets every open group size, or says why none fits. Eight-bit weights that meet quantized activations have
// one scale per channel: what integer kernels take, and fine enough.
absl::Status ResolveGroupSizes(std::vector<Choice>& choices, int tensor_parallel) {
  for (Choice& choice : choices) {
    if (choice.asked.has_value() && choice.asked->group_size() == 0 && choice.asked->weight_bits() == 8 &&
        QuantizesActivations(*choice.asked)) {
      choice.asked->set_group_size(kPerChannel);
    }
  }
  std::vector<const LinearLayout*> open, grouped, failing;
  std::string failing_size;
  for (const Choice& choice : choices) {
    if (!choice.asked.has_value() || choice.asked->group_size() == kPerChannel) continue;
    grouped.push_back(choice.linear);
    if (choice.asked->group_size() == 0) open.push_back(choice.linear);
    if (choice.asked->group_size() != 0 &&
        InputShare(*choice.linear, tensor_parallel) % choice.asked->group_size() != 0) {
      if (failing.empty()) failing_size = absl::StrCat(choice.asked->group_size());
      failing.push_back(choice.linear);
    }
  }
  if (!failing.empty()) return Indivisible(failing_size, failing, grouped, tensor_parallel);
  if (open.empty()) return absl::OkStatus();
  for (const int size : {128, 64, 32}) {
    failing.clear();
    for (const LinearLayout* linear : open) {
      if (InputShare(*linear, tensor_parallel) % size != 0) failing.push_back(linear);
    }
    if (!failing.empty()) continue;
    for (Choice& choice : choices) {
      if (choice.asked.has_value() && choice.asked->group_size() == 0) choice.asked->set_group_size(size);
    }
    return absl::OkStatus();
  }
  return Indivisible("auto (128, 64 or 32)", failing, open, tensor_parallel);
}

v1::LinearScheme Resolve(const v1::SchemeSpec& asked) {
  const int bits = asked.weight_bits();
  v1::LinearScheme scheme;
  scheme.set_weight_bits(bits);
  scheme.set_group_size(asked.group_size());
  scheme.set_symmetric(asked.symmetry() == v1::SYMMETRY_UNSPECIFIED
                           ? (bits != 4 && bits != 8) || QuantizesActivations(asked)
                           : asked.symmetry() == v1::SYMMETRY_SYMMETRIC);
  scheme.set_activation_bits(QuantizesActivations(asked) ? asked.activation_bits()
                                                         : kUnquantizedActivationBits);
  scheme.set_scale_type(v1::SCALE_TYPE_BF16);
  return scheme;
}

std::string TextOf(const std::optional<v1::LinearScheme>& scheme) {
  if (!scheme.has_value()) return "kept";
  // No automatic size fits, which is a violation of its own.
  if (scheme->group_size() == 0) return absl::StrCat("W", scheme->weight_bits(), " group auto");
  return SchemeText(*scheme);
}

// Loaders fuse the linears that read one input (q,k,v; gate,up) into one: they share a scheme or all stay.
void CheckFused(const BlockLayout& block, const std::vector<std::optional<v1::LinearScheme>>& schemes,
                SpecViolations& violations) {
  std::map<LinearInput, size_t> first;
  for (size_t i = 0; i < block.linears.size(); ++i) {
    const auto [entry, added] = first.emplace(block.linears[i].input, i);
    if (added) continue;
    const std::string a = TextOf(schemes[entry->second]);
    const std::string b = TextOf(schemes[i]);
    if (a != b) {
      violations.Add(
          "scheme.overrides",
          absl::StrCat("give ", block.linears[entry->second].name, " (", a, ") and ", block.linears[i].name,
                       " (", b, ") different schemes; loaders fuse them, so they must share one"));
    }
  }
}

v1::KeptLinear Kept(const std::string& name, const std::string& reason) {
  v1::KeptLinear kept;
  kept.set_name(name);
  kept.set_reason(reason);
  return kept;
}

}  // namespace

absl::StatusOr<ResolvedSchemes> ResolveSchemes(const v1::SchemeSpec& spec, const ModelLayout& layout,
                                               int tensor_parallel) {
  SpecViolations violations;
  violations.AddRefusal("target_tensor_parallel", CheckModelDivides(layout, tensor_parallel));
  // What else is wrong shows without the ranks too.
  if (!violations.empty()) tensor_parallel = 1;
  OverrideMatcher matcher(spec);
  std::vector<Choice> choices;
  for (const BlockLayout& block : layout.blocks) {
    for (const LinearLayout& linear : block.linears) choices.push_back(matcher.Choose(linear));
  }
  matcher.CheckAllUsed(violations);
  violations.AddRefusal("scheme.group_size", ResolveGroupSizes(choices, tensor_parallel));

  ResolvedSchemes resolved;
  size_t next = 0;
  bool any = false;
  for (const BlockLayout& block : layout.blocks) {
    std::vector<std::optional<v1::LinearScheme>>& schemes = resolved.linears.emplace_back();
    for (size_t i = 0; i < block.linears.size(); ++i) {
      const Choice& choice = choices[next++];
      if (choice.asked.has_value()) {
        schemes.push_back(Resolve(*choice.asked));
        violations.AddRefusal("target_tensor_parallel",
                              CheckPackingDivides(*choice.linear, *schemes.back(), tensor_parallel));
        any = true;
      } else {
        schemes.push_back(std::nullopt);
        resolved.kept.push_back(Kept(choice.linear->name, choice.keep_reason));
      }
    }
    CheckFused(block, schemes, violations);
  }
  if (!any) violations.Add("scheme.overrides", "keep every linear: nothing would be quantized");
  HEROQ_RETURN_IF_ERROR(violations.ToStatus());
  resolved.kept.push_back(
      Kept(kHeadModule, layout.tied_head ? "the head is the embedding" : "the head stays dense"));
  return resolved;
}

}  // namespace heroq
