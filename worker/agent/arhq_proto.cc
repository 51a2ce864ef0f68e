#include "worker/agent/arhq_proto.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"

namespace heroq {

absl::StatusOr<ArhqOptions> ArhqOptionsOf(const v1::ArhqParameters& parameters,
                                          std::variant<GptqOptions, RtnOptions> base) {
  ArhqOptions options;
  options.base = std::move(base);
  options.rank = parameters.rank();
  switch (parameters.branch()) {
    case v1::LOW_RANK_BRANCH_RESIDUAL:
      options.branch = ArhqOptions::Branch::kResidual;
      break;
    case v1::LOW_RANK_BRANCH_PLAIN:
      options.branch = ArhqOptions::Branch::kPlain;
      break;
    case v1::LOW_RANK_BRANCH_NONE:
      options.branch = ArhqOptions::Branch::kNone;
      break;
    default:
      return MakeError(Reason::kInternal, absl::StrCat("arhq: branch is ", parameters.branch()));
  }
  switch (parameters.activation_format()) {
    case v1::ACTIVATION_FORMAT_INT8:
      options.format = ArhqOptions::Format::kInt8;
      break;
    case v1::ACTIVATION_FORMAT_INT4:
      options.format = ArhqOptions::Format::kInt4;
      break;
    case v1::ACTIVATION_FORMAT_NVFP4:
      options.format = ArhqOptions::Format::kNvfp4;
      break;
    default:
      options.format = ArhqOptions::Format::kScheme;
  }
  if (options.rank < 1 && options.branch != ArhqOptions::Branch::kNone) {
    return MakeError(Reason::kInternal, absl::StrCat("arhq: rank is ", options.rank));
  }
  return options;
}

}  // namespace heroq
