#include "coordinator/planning/method_parameters.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/planning/arhq_parameters.h"
#include "coordinator/planning/base_method.h"
#include "coordinator/planning/method_description.h"

namespace heroq {
namespace {

constexpr int kMaxDashQRounds = 100;
constexpr int kMaxAwqSteps = 100;
constexpr int kMaxAlphas = 100;
constexpr int kMaxScoreRows = 1 << 20;
constexpr int kMaxRotationSteps = 10'000;

void ResolveHeroQ(v1::HeroQParameters& hero_q);

void CheckGptq(const v1::GptqParameters& gptq, absl::string_view field, SpecViolations& violations) {
  if (gptq.has_damping() && !(gptq.damping() > 0 && gptq.damping() <= 1)) {
    violations.Add(absl::StrCat(field, ".damping"),
                   absl::StrCat("is ", gptq.damping(), ", expected above 0 and at most 1"));
  }
}

void CheckCount(int64_t value, int64_t high, absl::string_view field, SpecViolations& violations) {
  if (value < 1 || value > high) {
    violations.Add(field, absl::StrCat("is ", value, ", expected 1 to ", high));
  }
}

void CheckAlphas(const v1::HeroQParameters& hero_q, SpecViolations& violations) {
  if (hero_q.alphas_size() > kMaxAlphas) {
    violations.Add("method.hero_q.alphas", absl::StrCat("has more than ", kMaxAlphas, " values"));
    return;
  }
  for (int i = 0; i < hero_q.alphas_size(); ++i) {
    const double alpha = hero_q.alphas(i);
    const std::string field = absl::StrCat("method.hero_q.alphas[", i, "]");
    if (!(alpha >= 0 && alpha <= 1)) {
      violations.Add(field, absl::StrCat("is ", alpha, ", expected 0 to 1"));
    } else if (i > 0 && alpha <= hero_q.alphas(i - 1)) {
      violations.Add(field, absl::StrCat("is ", alpha, ", expected more than the value before it"));
    }
  }
  const double refinement = hero_q.alpha_refinement();
  if (!(refinement >= 0 && refinement <= 1)) {
    violations.Add("method.hero_q.alpha_refinement", absl::StrCat("is ", refinement, ", expected 0 to 1"));
  }
}

void CheckExact(const v1::HeroQParameters& hero_q, SpecViolations& violations) {
  const std::string field = "method.hero_q.exact";
  if (hero_q.transform() != v1::TRANSFORM_EVALUATION) {
    violations.Add(field, "is set, but only with transform evaluation has a dense rotation a place");
  } else if (hero_q.rotation() != v1::ROTATION_UNSPECIFIED && hero_q.rotation() != v1::ROTATION_LEARNED) {
    violations.Add(field, "is set, but it learns its rotations; expected rotation learned");
  } else if (hero_q.alpha_refinement() > 0) {
    violations.Add(field,
                   "is set, but it scores the alphas given and no others; expected alpha_refinement 0");
  } else if (hero_q.alpha_candidates() != 0) {
    violations.Add("method.hero_q.alpha_candidates",
                   "is set, but with exact a rotation is learned for every alpha");
  } else if (hero_q.first_score_rows() != 0 && hero_q.first_score_rows() != hero_q.score_rows()) {
    violations.Add("method.hero_q.first_score_rows", "is set, but with exact no alpha is left out");
  }
}

void CheckScoreRows(const v1::HeroQParameters& hero_q, SpecViolations& violations) {
  if (hero_q.score_rows() != 0) {
    CheckCount(hero_q.score_rows(), kMaxScoreRows, "method.hero_q.score_rows", violations);
  }
  if (hero_q.first_score_rows() == 0) return;
  v1::HeroQParameters resolved = hero_q;
  ResolveHeroQ(resolved);
  CheckCount(hero_q.first_score_rows(), std::max(1, resolved.score_rows()), "method.hero_q.first_score_rows",
             violations);
}

void CheckLearning(const v1::HeroQParameters& hero_q, SpecViolations& violations) {
  v1::HeroQParameters resolved = hero_q;
  ResolveHeroQ(resolved);
  const bool learned = resolved.rotation() == v1::ROTATION_LEARNED;
  if (hero_q.rotation_steps() != 0) {
    CheckCount(hero_q.rotation_steps(), kMaxRotationSteps, "method.hero_q.rotation_steps", violations);
    if (!learned) {
      violations.Add("method.hero_q.rotation_steps", "is set, but only a learned rotation takes steps");
    }
  }
  if (hero_q.alpha_candidates() != 0) {
    CheckCount(hero_q.alpha_candidates(), resolved.alphas_size(), "method.hero_q.alpha_candidates",
               violations);
    if (!learned) {
      violations.Add("method.hero_q.alpha_candidates",
                     "is set, but only a learned rotation is learned for several alphas");
    }
  }
}

void CheckHeroQ(const v1::HeroQParameters& hero_q, SpecViolations& violations) {
  CheckAlphas(hero_q, violations);
  CheckScoreRows(hero_q, violations);
  CheckLearning(hero_q, violations);
  violations.CheckEnum(v1::Transform_IsValid(hero_q.transform()), hero_q.transform(),
                       "method.hero_q.transform");
  if (hero_q.exact()) CheckExact(hero_q, violations);
  violations.CheckEnum(v1::Rotation_IsValid(hero_q.rotation()), hero_q.rotation(), "method.hero_q.rotation");
  violations.CheckEnum(v1::Tier_IsValid(hero_q.tier()), hero_q.tier(), "method.hero_q.tier");
}

void ResolveGptq(v1::GptqParameters& gptq) {
  if (!gptq.has_damping()) gptq.set_damping(0.01);
  if (!gptq.has_act_order()) gptq.set_act_order(true);
  if (!gptq.has_scale_search()) gptq.set_scale_search(true);
}

void ResolveRtn(v1::RtnParameters& rtn) {
  if (!rtn.has_scale_search()) rtn.set_scale_search(true);
}

void ResolveAwq(v1::AwqParameters& awq) {
  if (!awq.has_steps()) awq.set_steps(20);
  if (!awq.has_scale_search()) awq.set_scale_search(true);
}

// What a tier means.
struct TierDefaults {
  std::vector<double> alphas;
  double refinement;
  int first_score_rows;
  int score_rows;
  v1::Rotation rotation;
  int rotation_steps;
  int alpha_candidates;
};

TierDefaults DefaultsOf(v1::Tier tier) {
  // The paper's grid.
  const std::vector<double> grid = {0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8};
  switch (tier) {
    case v1::TIER_FAST:
      return {{0, 0.15, 0.3}, 0, 48, 96, v1::ROTATION_HADAMARD, 0, 0};
    case v1::TIER_BEST:
      return {grid, 0.05, 96, 768, v1::ROTATION_LEARNED, 200, 2};
    default:
      return {grid, 0.05, 48, 192, v1::ROTATION_LEARNED, 60, 1};
  }
}

void ResolveHeroQ(v1::HeroQParameters& hero_q) {
  if (!hero_q.has_exact()) hero_q.set_exact(false);
  if (hero_q.transform() == v1::TRANSFORM_UNSPECIFIED) hero_q.set_transform(v1::TRANSFORM_FUSED);
  if (hero_q.tier() == v1::TIER_UNSPECIFIED) hero_q.set_tier(v1::TIER_BALANCED);
  const TierDefaults defaults = DefaultsOf(hero_q.tier());
  if (hero_q.rotation() == v1::ROTATION_UNSPECIFIED) {
    hero_q.set_rotation(hero_q.exact() ? v1::ROTATION_LEARNED : defaults.rotation);
  }
  if (!hero_q.has_alpha_refinement()) {
    hero_q.set_alpha_refinement(hero_q.alphas_size() > 0 || hero_q.exact() ? 0 : defaults.refinement);
  }
  if (hero_q.alphas_size() == 0) {
    hero_q.mutable_alphas()->Assign(defaults.alphas.begin(), defaults.alphas.end());
  }
  if (hero_q.score_rows() == 0) {
    hero_q.set_score_rows(std::max(defaults.score_rows, hero_q.first_score_rows()));
  }
  if (hero_q.first_score_rows() == 0) {
    hero_q.set_first_score_rows(hero_q.exact() ? hero_q.score_rows()
                                               : std::min(defaults.first_score_rows, hero_q.score_rows()));
  }
  if (hero_q.rotation() != v1::ROTATION_LEARNED) return;
  const TierDefaults learning = defaults.rotation_steps > 0 ? defaults : DefaultsOf(v1::TIER_BALANCED);
  if (hero_q.rotation_steps() == 0) hero_q.set_rotation_steps(learning.rotation_steps);
  if (hero_q.alpha_candidates() == 0 && !hero_q.exact()) {
    hero_q.set_alpha_candidates(std::min(learning.alpha_candidates, hero_q.alphas_size()));
  }
}

}  // namespace

void CheckMethod(const v1::JobSpec& spec, SpecViolations& violations) {
  const v1::MethodSpec& method = spec.method();
  v1::MethodSpec checked = method;
  if (const auto gptq = FindGptq(checked); gptq.parameters != nullptr) {
    CheckGptq(*gptq.parameters, gptq.field, violations);
  }
  if (const auto awq = FindAwq(checked); awq.parameters != nullptr && awq.parameters->has_steps()) {
    CheckCount(awq.parameters->steps(), kMaxAwqSteps, absl::StrCat(awq.field, ".steps"), violations);
  }
  if (method.has_dash_q() && method.dash_q().has_rounds()) {
    CheckCount(method.dash_q().rounds(), kMaxDashQRounds, "method.dash_q.rounds", violations);
  }
  if (method.has_hero_q()) CheckHeroQ(method.hero_q(), violations);
  if (method.has_arhq()) CheckArhq(method.arhq(), violations);
  if (const double strength = method.smoothquant().strength(); !(strength >= 0 && strength <= 1)) {
    violations.Add("method.smoothquant.strength", absl::StrCat("is ", strength, ", expected 0 to 1"));
  }
  if (!method.has_rtn() && !spec.calibration().has_source()) {
    const std::string name = DescribeMethod(method).name;
    violations.Add("calibration.source", absl::StrCat("is unset, and method ", name.empty() ? "gptq" : name,
                                                      " needs calibration text; give some or use rtn"));
  }
}

void ResolveMethod(v1::MethodSpec& method) {
  if (method.method_case() == v1::MethodSpec::METHOD_NOT_SET) method.mutable_gptq();
  if (const auto gptq = FindGptq(method); gptq.parameters != nullptr) ResolveGptq(*gptq.parameters);
  if (const auto rtn = FindRtn(method); rtn.parameters != nullptr) ResolveRtn(*rtn.parameters);
  if (const auto awq = FindAwq(method); awq.parameters != nullptr) ResolveAwq(*awq.parameters);
  if (method.has_dash_q()) {
    v1::DashQParameters& dash_q = *method.mutable_dash_q();
    if (!dash_q.has_rounds()) dash_q.set_rounds(9);
    if (!dash_q.has_damped()) dash_q.set_damped(false);
    if (!dash_q.has_float_offset()) dash_q.set_float_offset(false);
  }
  if (method.has_hero_q()) ResolveHeroQ(*method.mutable_hero_q());
  if (method.has_arhq()) ResolveArhq(*method.mutable_arhq());
  if (method.has_smoothquant() && !method.smoothquant().has_strength()) {
    method.mutable_smoothquant()->set_strength(0.5);
  }
}

}  // namespace heroq
