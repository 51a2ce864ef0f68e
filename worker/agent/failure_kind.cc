#include "worker/agent/failure_kind.h"

#include "common/file/io_error.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

bool HasAny(const absl::Status& error, std::initializer_list<Reason> reasons) {
  for (Reason reason : reasons) {
    if (HasReason(error, reason)) return true;
  }
  return false;
}

}  // namespace

v1::FailureKind FailureKindOf(const absl::Status& error) {
  if (HasReason(error, Reason::kOutOfMemory)) return v1::FAILURE_KIND_OUT_OF_MEMORY;
  if (IsStorageTrouble(error)) return v1::FAILURE_KIND_STORAGE;
  if (HasReason(error, Reason::kNumericalFailure)) return v1::FAILURE_KIND_NUMERICAL;
  // A model that is not found may be a mount this machine lacks, so it is not among them.
  if (HasAny(error, {Reason::kAlreadyQuantized, Reason::kCalibrationRequired, Reason::kFileCorrupt,
                     Reason::kGroupSizeIndivisible, Reason::kInvalidSpec, Reason::kModelInvalid,
                     Reason::kPathNotAllowed, Reason::kSourceChanged, Reason::kTextTooShort})) {
    return v1::FAILURE_KIND_INVALID_INPUT;
  }
  if (HasAny(error,
             {Reason::kTokenizerUnsupported, Reason::kUnsupported, Reason::kUnsupportedArchitecture})) {
    return v1::FAILURE_KIND_UNSUPPORTED;
  }
  if (HasAny(error, {Reason::kBlobCorrupt, Reason::kBlobMissing})) return v1::FAILURE_KIND_INPUT_LOST;
  return v1::FAILURE_KIND_INTERNAL;
}

}  // namespace heroq
