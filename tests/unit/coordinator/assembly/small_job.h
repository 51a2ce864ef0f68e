#pragma once

#include <string>

#include "tests/support/tiny_model.h"

namespace heroq {

// The inputs of SmallJob: a model of one block and the tokens of its evaluation.
inline void WriteSmallInputs(FileSystem& files) {
  TinyModel model;
  model.blocks = 1;
  WriteTinyModel(files, "/model", model);
  WriteTokens(files, "/tokens", 1, 16, 100);
}

// Few tasks, several weight files: rounding without calibration, and an evaluation.
inline v1::JobSpec SmallJob(const std::string& output) {
  v1::JobSpec spec;
  *spec.mutable_model()->mutable_location() = LocalPath("/model");
  *spec.mutable_output()->mutable_location() = LocalPath(output);
  spec.mutable_output()->set_max_shard_bytes(16000);
  spec.mutable_method()->mutable_rtn();
  *spec.mutable_evaluation()->mutable_source()->mutable_tokens_file() = LocalPath("/tokens");
  spec.mutable_evaluation()->set_sequences(1);
  spec.mutable_evaluation()->set_sequence_length(16);
  return spec;
}

}  // namespace heroq
