#include "coordinator/client/resume_decision.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/blob/sha256.h"
#include "common/status/error_reason.h"
#include "coordinator/client/message_output.h"
#include "coordinator/client/spec_difference.h"

namespace heroq {

absl::StatusOr<ResumeAction> DecideResume(const std::optional<v1::CreateQuantizationJobRequest>& unfinished,
                                          const v1::JobSpec& wanted, bool restart,
                                          const std::string& output) {
  if (!unfinished.has_value() || restart) return ResumeAction::kStart;
  const std::vector<SpecDifference> differences = CompareSpecs(unfinished->spec(), wanted);
  if (differences.empty()) return ResumeAction::kResume;
  std::string text = FormatDifferences(differences);
  text.pop_back();
  return MakeError(Reason::kSpecChanged, absl::StrCat("an unfinished run of ", output,
                                                      " had other settings (then -> now):\n", text));
}

v1::CreateQuantizationJobRequest RequestFor(const v1::JobSpec& spec) {
  v1::JobSpec identity = spec;
  // A map has no order, and labels change nothing; nor does how much memory workers may take.
  identity.clear_labels();
  identity.clear_worker_memory_bytes();
  const std::string digest = Sha256Hex(ToCompactJson(identity));
  v1::CreateQuantizationJobRequest request;
  *request.mutable_spec() = spec;
  request.set_quantization_job_id(absl::StrCat("local-", digest.substr(0, 16)));
  request.set_request_id(absl::StrJoin({digest.substr(0, 8), digest.substr(8, 4), digest.substr(12, 4),
                                        digest.substr(16, 4), digest.substr(20, 12)},
                                       "-"));
  return request;
}

}  // namespace heroq
