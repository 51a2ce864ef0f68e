#include "coordinator/client/branch_flags.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "coordinator/planning/method_description.h"

namespace heroq {
namespace {

constexpr char kGroup[] = "Low-rank branch";

}  // namespace

void AddBranchFlags(CLI::App& command, BranchFlags& flags) {
  command
      .add_option("--branch", flags.branch,
                  "arhq: what stays in high precision: residual (default) is what quantized activations lose "
                  "most, plain the largest singular values of the weight, none nothing")
      ->type_name("residual|plain|none")
      ->check(CLI::IsMember({"residual", "plain", "none"}))
      ->group(kGroup);
  command.add_option("--rank", flags.rank, "arhq: rank of the branch of every linear; default 32")
      ->type_name("N")
      ->check(CLI::Range(1, 1 << 20))
      ->group(kGroup);
  command
      .add_option(
          "--activation-format", flags.activation_format,
          "arhq: how activations are quantized where their residuals are taken; default: as the scheme does")
      ->type_name("int8|int4|nvfp4")
      ->check(CLI::IsMember({"int8", "int4", "nvfp4"}))
      ->group(kGroup);
}

absl::Status ApplyBranchFlags(const BranchFlags& flags, v1::MethodSpec& method) {
  const auto refuse = [&](bool given, absl::string_view flag) {
    if (!given || method.has_arhq()) return absl::OkStatus();
    return MakeError(Reason::kInvalidSpec,
                     absl::StrCat(flag, " has no meaning for --method ", DescribeMethod(method).name));
  };
  absl::Status status;
  status.Update(refuse(flags.branch.has_value(), "--branch"));
  status.Update(refuse(flags.rank.has_value(), "--rank"));
  status.Update(refuse(flags.activation_format.has_value(), "--activation-format"));
  if (!status.ok() || !method.has_arhq()) return status;
  v1::ArhqParameters& arhq = *method.mutable_arhq();
  if (flags.branch) {
    v1::LowRankBranch branch = v1::LOW_RANK_BRANCH_UNSPECIFIED;
    v1::LowRankBranch_Parse(absl::StrCat("LOW_RANK_BRANCH_", absl::AsciiStrToUpper(*flags.branch)), &branch);
    arhq.set_branch(branch);
  }
  if (flags.rank) arhq.set_rank(*flags.rank);
  if (flags.activation_format) {
    v1::ActivationFormat format = v1::ACTIVATION_FORMAT_UNSPECIFIED;
    v1::ActivationFormat_Parse(
        absl::StrCat("ACTIVATION_FORMAT_", absl::AsciiStrToUpper(*flags.activation_format)), &format);
    arhq.set_activation_format(format);
  }
  return absl::OkStatus();
}

}  // namespace heroq
