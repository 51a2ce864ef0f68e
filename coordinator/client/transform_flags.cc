#include "coordinator/client/transform_flags.h"

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "coordinator/planning/base_method.h"
#include "coordinator/planning/method_description.h"

namespace heroq {
namespace {

constexpr char kGroup[] = "Transform";
// Without a description, which would be printed after the type.
const CLI::Validator kShare(
    [](std::string& text) {
      double value = 0;
      const bool valid = absl::SimpleAtod(text, &value) && value >= 0 && value <= 1;
      return valid ? std::string() : "Value " + text + " is not a number from 0 to 1";
    },
    "");

// "fused" -> TRANSFORM_FUSED. The flag's check has refused anything else.
template <typename Enum>
Enum ParseEnum(absl::string_view prefix, const std::string& text, bool (*parse)(const std::string&, Enum*)) {
  Enum value{};
  parse(absl::StrCat(prefix, absl::AsciiStrToUpper(text)), &value);
  return value;
}

}  // namespace

void AddTransformFlags(CLI::App& command, TransformFlags& flags) {
  command
      .add_option(
          "--transform", flags.transform,
          "hero-q: fused (default) rotates the whole model, none only scales it and rotates value "
          "heads, every loader takes both; auto tries these two and keeps the better one; online leaves "
          "rotations to vLLM, and transformers ignores them; evaluation maps weights back, which makes them "
          "dense")
      ->type_name("fused|none|auto|online|evaluation")
      ->check(CLI::IsMember({"fused", "none", "auto", "online", "evaluation"}))
      ->group(kGroup);
  command
      .add_option(
          "--rotation", flags.rotation,
          "hero-q: rotation of value heads, of every input with online and evaluation; default learned, "
          "hadamard in tier fast")
      ->type_name("none|hadamard|random|learned")
      ->check(CLI::IsMember({"none", "hadamard", "random", "learned"}))
      ->group(kGroup);
  command.add_option("--tier", flags.tier, "hero-q: how much is searched; default balanced")
      ->type_name("fast|balanced|best")
      ->check(CLI::IsMember({"fast", "balanced", "best"}))
      ->group(kGroup);
  command
      .add_option("--alpha", flags.alphas,
                  "hero-q: values of the exponent to score, increasing, 0 to 1; one value is taken as it is")
      ->type_name("X...")
      ->check(kShare)
      ->group(kGroup);
  command
      .add_option("--rotation-steps", flags.rotation_steps,
                  "hero-q: steps of a learned rotation; default 60, 200 in tier best")
      ->type_name("N")
      ->check(CLI::Range(1, 10000))
      ->group(kGroup);
  command
      .add_option("--alpha-candidates", flags.alpha_candidates,
                  "hero-q: how many of the best alphas a rotation is learned for; default 1, 2 in tier best")
      ->type_name("N")
      ->check(CLI::Range(1, 100))
      ->group(kGroup);
  command
      .add_flag("--exact", flags.exact,
                "hero-q, --transform evaluation: learn a dense rotation for every alpha; at most 512 inputs")
      ->group(kGroup);
  command
      .add_option(
          "--base", flags.base,
          "hero-q, smoothquant, arhq: what quantizes in the new basis, or beside the branch; default gptq")
      ->type_name("gptq|awq|rtn")
      ->check(CLI::IsMember({"gptq", "awq", "rtn"}))
      ->group(kGroup);
}

absl::Status ApplyTransformFlags(const TransformFlags& flags, v1::MethodSpec& method) {
  const auto refuse = [&](bool given, absl::string_view flag) {
    if (!given || method.has_hero_q()) return absl::OkStatus();
    return MakeError(Reason::kInvalidSpec,
                     absl::StrCat(flag, " has no meaning for --method ", DescribeMethod(method).name));
  };
  absl::Status status;
  status.Update(refuse(flags.transform.has_value(), "--transform"));
  status.Update(refuse(flags.rotation.has_value(), "--rotation"));
  status.Update(refuse(flags.tier.has_value(), "--tier"));
  status.Update(refuse(!flags.alphas.empty(), "--alpha"));
  status.Update(refuse(flags.rotation_steps.has_value(), "--rotation-steps"));
  status.Update(refuse(flags.alpha_candidates.has_value(), "--alpha-candidates"));
  status.Update(refuse(flags.exact, "--exact"));
  if (flags.base && !SelectBase(*flags.base, method)) {
    status.Update(MakeError(
        Reason::kInvalidSpec,
        absl::StrCat("--base ", *flags.base, " has no meaning for --method ", DescribeMethod(method).name)));
  }
  if (!status.ok() || !method.has_hero_q()) return status;
  v1::HeroQParameters& hero_q = *method.mutable_hero_q();
  if (flags.transform) {
    hero_q.set_transform(ParseEnum("TRANSFORM_", *flags.transform, v1::Transform_Parse));
  }
  if (flags.rotation) hero_q.set_rotation(ParseEnum("ROTATION_", *flags.rotation, v1::Rotation_Parse));
  if (flags.tier) hero_q.set_tier(ParseEnum("TIER_", *flags.tier, v1::Tier_Parse));
  if (!flags.alphas.empty()) hero_q.mutable_alphas()->Assign(flags.alphas.begin(), flags.alphas.end());
  if (flags.rotation_steps) hero_q.set_rotation_steps(*flags.rotation_steps);
  if (flags.alpha_candidates) hero_q.set_alpha_candidates(*flags.alpha_candidates);
  if (flags.exact) hero_q.set_exact(true);
  return absl::OkStatus();
}

}  // namespace heroq
