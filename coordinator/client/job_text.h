#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "heroq/v1/job.pb.h"

namespace heroq {

// "queued", "running", ...; "calibrating", "published", ...: the enum's name without its prefix, in lower
// case.
std::string StateText(v1::QuantizationJob::State state);
std::string PhaseText(v1::QuantizationJob::Phase phase);

// "quantizationJobs/abc" -> "abc", and back; a name that has the prefix already stays.
std::string JobIdText(absl::string_view name);
std::string JobName(absl::string_view id_or_name);

bool IsTerminal(const v1::QuantizationJob& job);

// "gptq W4 group 64", from the job's specification; empty for a job that only evaluates.
std::string MethodText(const v1::JobSpec& spec);

// Since the job was created, until it ended or `now`.
absl::Duration AgeOf(const v1::QuantizationJob& job, absl::Time now);

// exp of a mean over the tokens; 0 without tokens.
double OriginalPerplexity(const v1::EvaluationResult& evaluation);
double QuantizedPerplexity(const v1::EvaluationResult& evaluation);
double KlPerToken(const v1::EvaluationResult& evaluation);

}  // namespace heroq
