#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "absl/status/status.h"
#include "coordinator/client/branch_flags.h"
#include "coordinator/client/location_argument.h"
#include "coordinator/client/transform_flags.h"
#include "heroq/v1/job.pb.h"

namespace heroq {

// The flags that say what a job is; a flag that was not given leaves its field as the specification file has
// it.
struct JobFlags {
  std::optional<std::string> model;
  std::optional<std::string> output;
  std::optional<std::string> spec_file;
  std::optional<std::string> method;
  std::optional<int32_t> bits;
  std::optional<int32_t> activation_bits;
  std::optional<std::string> group_size;
  std::optional<std::string> symmetric;
  std::vector<std::string> overrides;
  std::vector<std::string> keep;
  std::vector<std::string> calibration;
  std::optional<std::string> calibration_tokens;
  std::optional<int32_t> samples;
  std::optional<int32_t> sequence_length;
  std::optional<int32_t> shards;
  std::optional<int32_t> micro_batch;
  std::optional<int32_t> threads;
  std::optional<std::string> memory;
  std::optional<uint64_t> seed;
  std::optional<std::string> propagation;
  std::optional<std::string> compute;
  std::optional<std::string> act_order;
  std::optional<std::string> scale_search;
  std::optional<double> damping;
  std::optional<int32_t> scale_steps;
  std::optional<double> strength;
  std::optional<int32_t> fit_rounds;
  std::optional<std::string> fit_damped;
  std::optional<std::string> fit_float_offset;
  TransformFlags transform;
  BranchFlags branch;
  std::vector<std::string> evaluation;
  std::optional<std::string> evaluation_tokens;
  std::optional<int32_t> evaluation_sequences;
  std::optional<int32_t> evaluation_length;
  std::optional<double> max_perplexity_ratio;
  std::optional<double> max_kl;
  std::optional<std::string> format;
  std::optional<std::string> max_shard_size;
  std::optional<int32_t> tensor_parallel;
  bool strict = false;
};

// What a command has of them.
enum class JobFlagSet {
  kQuantize,  // everything
  kEvaluate,  // evaluation, compute, micro-batch, threads, memory; no MODEL argument
};

// Declares the flags; `flags` must outlive parsing.
void AddJobFlags(CLI::App& command, JobFlagSet set, JobFlags& flags);

// Lays the flags over `spec` (the specification file's, or empty). A quantization without a method becomes
// gptq. INVALID_SPEC names the flag; what needs the model is checked by the server.
absl::Status ApplyJobFlags(const JobFlags& flags, const LocationReader& locations, v1::JobSpec& spec);

}  // namespace heroq
