#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "coordinator/client/location_argument.h"
#include "heroq/v1/job.pb.h"

namespace heroq {

// A job specification written by hand: YAML (or JSON, which is YAML) of JobSpec with the field names of
// docs/reference/job-spec.md. Where a Location is expected, a plain path is read as on the command line.
// INVALID_SPEC names file, line and field: unknown fields (with the one probably meant), fields given twice,
// wrong types.
absl::StatusOr<v1::JobSpec> ParseJobSpecFile(absl::string_view text, absl::string_view file_name,
                                             const LocationReader& locations);

}  // namespace heroq
