#pragma once

#include <string>

#include "coordinator/state/job_record.h"

namespace heroq {

// README.md of the published directory: metadata of the model hub, how the weights were made, measured
// numbers, how to serve it. `config_json` is the source's config.json, which may name the base model. Depends
// on nothing that the specification does not decide. Pure.
std::string ModelCard(const JobRecord& job, const std::string& config_json, const std::string& heroq_version);

}  // namespace heroq
