#include "tests/support/fake_task_executor.h"

#include "absl/strings/str_cat.h"
#include "common/blob/digest_proto.h"
#include "common/status/status_macros.h"
#include "tests/support/test_plan.h"

namespace heroq {
namespace {

absl::Status ReadInputs(const v1::Task& task, BlobStore& blobs) {
  for (const v1::HiddenStates& input : task.capture().hidden_states()) {
    HEROQ_RETURN_IF_ERROR(blobs.Get(DigestFromProto(input.blob())).status());
  }
  for (const v1::StatisticsNode& input : task.quantize().statistics()) {
    HEROQ_RETURN_IF_ERROR(blobs.Get(DigestFromProto(input.blob())).status());
  }
  return absl::OkStatus();
}

// Stores bytes in the place of a digest that names none.
absl::Status Fill(BlobStore& blobs, v1::BlobDigest* digest) {
  HEROQ_ASSIGN_OR_RETURN(const Digest stored,
                         blobs.Put(absl::StrCat("bytes for ", digest->sha256()), Durability::kVolatile));
  *digest = DigestToProto(stored);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::TaskResult> FakeTaskExecutor::Execute(const v1::Task& task, const v1::JobContext& context,
                                                         const TaskEnvironment& environment) {
  if (before_) HEROQ_RETURN_IF_ERROR(before_(task, environment));
  HEROQ_RETURN_IF_ERROR(ReadInputs(task, environment.blobs));
  v1::TaskResult result = TestResult(task, context.shards());
  for (v1::NamedBlob& output : *result.mutable_outputs()) {
    HEROQ_RETURN_IF_ERROR(Fill(environment.blobs, output.mutable_digest()));
  }
  for (v1::StatisticsNode& node : *result.mutable_statistics()) {
    HEROQ_RETURN_IF_ERROR(Fill(environment.blobs, node.mutable_blob()));
  }
  return result;
}

}  // namespace heroq
