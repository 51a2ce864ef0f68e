#include "tests/support/errors_page.h"

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"

namespace heroq {

std::string ErrorsPage() {
  std::string page =
      "# Errors\n\n"
      "Every refusal and failure carries one of these reasons: in `google.rpc.ErrorInfo.reason` (domain "
      "`heroq`), in a\n"
      "job's `failure.reason`, and in the command's messages. The message itself says what, which file, "
      "tensor or id, and\n"
      "what was expected. This page is generated (`build/dev/bin/print_errors_page`) and a test keeps it "
      "equal to the code.\n\n"
      "| reason | status | cause | remedy |\n|---|---|---|---|\n";
  for (const ReasonInfo& info : AllReasons()) {
    absl::StrAppend(&page, "| `", info.name, "` | ", absl::StatusCodeToString(info.code), " | ", info.cause,
                    " | ", info.remedy, " |\n");
  }
  return page;
}

}  // namespace heroq
