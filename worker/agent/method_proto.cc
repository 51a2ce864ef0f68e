#include "worker/agent/method_proto.h"

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"

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
  return options;
}

}  // namespace

absl::StatusOr<MethodOptions> MethodOptionsOf(const v1::MethodSpec& spec) {
  switch (spec.method_case()) {
    case v1::MethodSpec::kRtn:
      return OptionsOf(spec.rtn());
    case v1::MethodSpec::kGptq: {
      const GptqOptions options = OptionsOf(spec.gptq());
      if (!(options.damping > 0) || options.damping > 1) {
        return MakeError(Reason::kInvalidSpec, absl::StrCat("gptq.damping is ", options.damping,
                                                            ", expected above 0 and at most 1"));
      }
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
    case v1::MethodSpec::METHOD_NOT_SET:
      break;
  }
  return MakeError(Reason::kUnsupported, "the job's method is one this worker does not know");
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
