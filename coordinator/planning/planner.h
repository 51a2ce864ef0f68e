#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/blob/blob_store.h"
#include "common/file/file_system.h"
#include "coordinator/planning/spec_violations.h"
#include "coordinator/planning/token_blobs.h"
#include "coordinator/planning/transform_trials.h"
#include "heroq/v1/job.pb.h"
#include "heroq/v1/plan.pb.h"

namespace heroq {

// Directories clients may name: root name -> absolute path.
using Roots = std::map<std::string, std::string>;

// The absolute path of a location. PATH_NOT_ALLOWED for a root that is not configured or a path that leaves
// it.
absl::StatusOr<std::string> ResolveLocation(const Roots& roots, const v1::Location& location);

struct InspectedJob {
  // Every field resolved to its default or choice.
  v1::JobSpec spec;
  // Complete except token blobs, text counts and spec_digest, which depends on the tokens.
  v1::Plan plan;
};

// Turns a JobSpec into a Plan, or refuses it with everything that can be known before work starts.
// Thread-safe, blocking: reads config, headers and (MakePlan) texts.
class Planner {
 public:
  // References must outlive this. `blobs` receives token blobs.
  Planner(FileSystem& files, BlobStore& blobs, Roots roots)
      : files_(files), blobs_(blobs), roots_(std::move(roots)) {}

  // Checks of the spec alone and of config.json, tensor headers, scheme, method, output path and the
  // existence of texts; refused with everything that is wrong (SpecViolations::ToStatus). Reads no tensor
  // data and no text; cheap enough for a request.
  absl::StatusOr<InspectedJob> Inspect(const v1::JobSpec& spec) const;

  // Inspect, then tokenizes the texts and stores the token blobs: `plan` is complete. Refused with everything
  // that is wrong with the job and its texts.
  absl::StatusOr<InspectedJob> InspectWithTexts(const v1::JobSpec& spec) const;

  // The plan of InspectWithTexts.
  absl::StatusOr<v1::Plan> MakePlan(const v1::JobSpec& spec) const;
  // Of a spec that tries transforms: the plan of one trial. Its spec_digest is that of the spec, whatever is
  // chosen in the end.
  absl::StatusOr<v1::Plan> MakePlan(const v1::JobSpec& spec, const Trial& trial) const;

  const Roots& roots() const { return roots_; }

 private:
  // What can be said of a job, and every refusal. `vocab_size` stays 0 when config.json cannot be read.
  InspectedJob Inspect(const v1::JobSpec& spec, int64_t& vocab_size, SpecViolations& violations) const;
  absl::StatusOr<InspectedJob> InspectWithTexts(const v1::JobSpec& spec, const HeldOutText& held_out) const;
  // Adds why `location` cannot be resolved; empty then, and when `field` has a violation already.
  std::string Resolve(const v1::Location& location, absl::string_view field,
                      SpecViolations& violations) const;

  FileSystem& files_;
  BlobStore& blobs_;
  const Roots roots_;
};

// Formats and model families this build knows.
std::vector<std::string> KnownFormats();
std::vector<std::string> KnownFamilies();

}  // namespace heroq
