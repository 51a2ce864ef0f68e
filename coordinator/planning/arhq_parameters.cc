#include "coordinator/planning/arhq_parameters.h"

#include "absl/strings/str_cat.h"

namespace heroq {
namespace {

constexpr int kDefaultRank = 32;

}  // namespace

void CheckArhq(const v1::ArhqParameters& arhq, SpecViolations& violations) {
  violations.CheckEnum(v1::LowRankBranch_IsValid(arhq.branch()), arhq.branch(), "method.arhq.branch");
  violations.CheckEnum(v1::ActivationFormat_IsValid(arhq.activation_format()), arhq.activation_format(),
                       "method.arhq.activation_format");
  if (arhq.has_rank() && arhq.rank() < 1) {
    violations.Add("method.arhq.rank", absl::StrCat("is ", arhq.rank(), ", expected at least 1"));
  }
  if (arhq.has_rank() && arhq.branch() == v1::LOW_RANK_BRANCH_NONE) {
    violations.Add("method.arhq.rank", "is set, but the job has no branch");
  }
  const bool residual =
      arhq.branch() == v1::LOW_RANK_BRANCH_UNSPECIFIED || arhq.branch() == v1::LOW_RANK_BRANCH_RESIDUAL;
  if (arhq.activation_format() != v1::ACTIVATION_FORMAT_UNSPECIFIED && !residual) {
    violations.Add("method.arhq.activation_format", "is set, but only a residual branch reads residuals");
  }
}

void ResolveArhq(v1::ArhqParameters& arhq) {
  if (arhq.branch() == v1::LOW_RANK_BRANCH_UNSPECIFIED) arhq.set_branch(v1::LOW_RANK_BRANCH_RESIDUAL);
  if (arhq.branch() == v1::LOW_RANK_BRANCH_NONE) {
    arhq.set_rank(0);
  } else if (!arhq.has_rank()) {
    arhq.set_rank(kDefaultRank);
  }
}

}  // namespace heroq
