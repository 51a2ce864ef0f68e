#include "worker/agent/method_proto.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "worker/agent/arhq_proto.h"

namespace heroq {
namespace {

RtnOptions OptionsOf(const v1::RtnParameters& parameters) {
  RtnOptions options;
  if (parameters.has_scale_search()) options.scale_search = parameters.scale_search();
  return options;
}

GptqOptions OptionsOf(const v1::GptqParameters& parameters) {
  GptqOptions options;
  if (parameters.has_damping()) options.damping = parameters.damping();
  if (parameters.has_act_order()) options.act_order = parameters.act_order();
  if (parameters.has_scale_search()) options.scale_search = parameters.scale_search();
  return options;
}

DashQOptions OptionsOf(const v1::DashQParameters& parameters) {
  DashQOptions options;
  if (parameters.has_rounds()) options.rounds = parameters.rounds();
  if (parameters.has_damped()) options.damped = parameters.damped();
  options.free_offset = parameters.float_offset();
  return options;
}

absl::StatusOr<AwqOptions> OptionsOf(const v1::AwqParameters& parameters, absl::string_view field) {
  AwqOptions options;
  if (parameters.has_steps()) options.steps = parameters.steps();
  if (parameters.has_scale_search()) options.scale_search = parameters.scale_search();
  if (options.steps >= 1) return options;
  return MakeError(Reason::kInvalidSpec,
                   absl::StrCat(field, ".steps is ", options.steps, ", expected at least 1"));
}

absl::Status CheckDamping(const GptqOptions& options, absl::string_view field) {
  if (options.damping > 0 && options.damping <= 1) return absl::OkStatus();
  return MakeError(Reason::kInvalidSpec,
                   absl::StrCat(field, ".damping is ", options.damping, ", expected above 0 and at most 1"));
}

absl::StatusOr<HeroQOptions> OptionsOf(const v1::HeroQParameters& parameters, uint64_t seed) {
  HeroQOptions options;
  if (parameters.has_rtn()) {
    options.base = OptionsOf(parameters.rtn());
  } else if (parameters.has_awq()) {
    HEROQ_ASSIGN_OR_RETURN(options.base, OptionsOf(parameters.awq(), "hero_q.awq"));
  } else {
    const GptqOptions gptq = OptionsOf(parameters.gptq());
    HEROQ_RETURN_IF_ERROR(CheckDamping(gptq, "hero_q.gptq"));
    options.base = gptq;
  }
  switch (parameters.transform()) {
    case v1::TRANSFORM_UNSPECIFIED:
    case v1::TRANSFORM_FUSED:
      options.placement = HeroQOptions::Placement::kFused;
      break;
    case v1::TRANSFORM_NONE:
      options.placement = HeroQOptions::Placement::kNone;
      break;
    case v1::TRANSFORM_ONLINE:
      options.placement = HeroQOptions::Placement::kOnline;
      break;
    case v1::TRANSFORM_EVALUATION:
      options.placement = HeroQOptions::Placement::kMappedBack;
      break;
    default:
      return MakeError(
          Reason::kUnsupported,
          absl::StrCat("hero_q.transform is one this worker does not know: ", parameters.transform()));
  }
  switch (parameters.rotation()) {
    case v1::ROTATION_NONE:
      options.rotation = HeroQOptions::Rotation::kNone;
      break;
    case v1::ROTATION_RANDOM:
      options.rotation = HeroQOptions::Rotation::kRandom;
      break;
    case v1::ROTATION_LEARNED:
      options.rotation = HeroQOptions::Rotation::kLearned;
      break;
    default:
      options.rotation = HeroQOptions::Rotation::kHadamard;
  }
  options.alphas.alphas.assign(parameters.alphas().begin(), parameters.alphas().end());
  options.alphas.refine_step = parameters.alpha_refinement();
  options.alphas.first_rows = parameters.first_score_rows();
  options.alphas.rows = parameters.score_rows();
  options.alphas.candidates = std::max(1, parameters.alpha_candidates());
  options.seed = seed;
  options.exact = parameters.exact();
  options.learning.steps = parameters.rotation_steps();
  if (options.alphas.alphas.empty() || options.alphas.first_rows < 1 || options.alphas.rows < 1) {
    return MakeError(Reason::kInternal, "hero_q: the plan left alphas, first_score_rows or score_rows open");
  }
  return options;
}

absl::StatusOr<SmoothQuantOptions> OptionsOf(const v1::SmoothQuantParameters& parameters) {
  SmoothQuantOptions options;
  if (parameters.has_rtn()) {
    options.base = OptionsOf(parameters.rtn());
  } else {
    const GptqOptions gptq = OptionsOf(parameters.gptq());
    HEROQ_RETURN_IF_ERROR(CheckDamping(gptq, "smoothquant.gptq"));
    options.base = gptq;
  }
  if (parameters.has_strength()) options.strength = parameters.strength();
  if (options.strength >= 0 && options.strength <= 1) return options;
  return MakeError(Reason::kInvalidSpec,
                   absl::StrCat("smoothquant.strength is ", options.strength, ", expected 0 to 1"));
}

}  // namespace

absl::StatusOr<MethodOptions> MethodOptionsOf(const v1::MethodSpec& spec, uint64_t seed) {
  switch (spec.method_case()) {
    case v1::MethodSpec::kRtn:
      return OptionsOf(spec.rtn());
    case v1::MethodSpec::kGptq: {
      const GptqOptions options = OptionsOf(spec.gptq());
      HEROQ_RETURN_IF_ERROR(CheckDamping(options, "gptq"));
      return options;
    }
    case v1::MethodSpec::kDashQ: {
      const DashQOptions options = OptionsOf(spec.dash_q());
      if (options.rounds < 1) {
        return MakeError(Reason::kInvalidSpec,
                         absl::StrCat("dash_q.rounds is ", options.rounds, ", expected at least 1"));
      }
      return options;
    }
    case v1::MethodSpec::kHeroQ:
      return OptionsOf(spec.hero_q(), seed);
    case v1::MethodSpec::kAwq:
      return OptionsOf(spec.awq(), "awq");
    case v1::MethodSpec::kArhq: {
      if (spec.arhq().has_rtn()) return ArhqOptionsOf(spec.arhq(), OptionsOf(spec.arhq().rtn()));
      const GptqOptions gptq = OptionsOf(spec.arhq().gptq());
      HEROQ_RETURN_IF_ERROR(CheckDamping(gptq, "arhq.gptq"));
      return ArhqOptionsOf(spec.arhq(), gptq);
    }
    case v1::MethodSpec::kSmoothquant:
      return OptionsOf(spec.smoothquant());
    default:
      break;
  }
  return MakeError(Reason::kUnsupported, "the job's method is one this worker does not know");
}

std::optional<ResidualRotation::Kind> ResidualRotationOf(const v1::MethodSpec& spec) {
  if (!spec.has_hero_q() || spec.hero_q().transform() > v1::TRANSFORM_FUSED) return std::nullopt;
  return spec.hero_q().rotation() == v1::ROTATION_RANDOM ? ResidualRotation::Kind::kRandom
                                                         : ResidualRotation::Kind::kHadamard;
}

QuantScheme QuantSchemeOf(const v1::LinearScheme& scheme) {
  QuantScheme plain;
  plain.weight_bits = scheme.weight_bits();
  plain.group_size = scheme.group_size();
  plain.symmetric = scheme.symmetric();
  plain.activation_bits = scheme.activation_bits();
  plain.scale_type = scheme.scale_type() == v1::SCALE_TYPE_F16 ? ScaleType::kF16 : ScaleType::kBf16;
  return plain;
}

}  // namespace heroq
