#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/blob/blob_store.h"
#include "common/file/file_system.h"
#include "coordinator/planning/spec_violations.h"
#include "heroq/v1/job.pb.h"
#include "heroq/v1/plan.pb.h"

namespace heroq {

// The absolute path of a location.
using LocationResolver = std::function<absl::StatusOr<std::string>(const v1::Location&)>;

// Calibration text beyond the sequences of calibration.
struct HeldOutText {
  int sequences = 0;  // that must be there
  // They are what `plan.evaluation()`, of the same sequence length, evaluates.
  bool evaluated = false;
};

// Reads the texts or token files of `plan.calibration()` and `plan.evaluation()` (both resolved), tokenizes
// texts with the model's tokenizer.json, stores the token blobs and sets calibration_tokens,
// evaluation_tokens and texts (calibration first) of `plan`. `plan.model_directory` is set; ids reach below
// `vocab_size`. What is wrong with a source is added to `violations`: TOKENIZER_UNSUPPORTED, TEXT_TOO_SHORT,
// FILE_CORRUPT, MODEL_INVALID for a tokenizer that gives ids the model does not have; a source whose
// part of the spec has a violation already is not read. An error is one of the blob store. Blocking.
absl::Status AddTokenBlobs(FileSystem& files, BlobStore& blobs, const LocationResolver& resolve,
                           int64_t vocab_size, const HeldOutText& held_out, v1::Plan& plan,
                           SpecViolations& violations);

}  // namespace heroq
