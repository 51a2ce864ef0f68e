#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "worker/agent/unit_blob.h"

namespace heroq {

// The bytes of a "unit" blob, which ReadUnitBlob reads. Equal units give equal bytes. INVALID_SPEC for a name
// that appears twice.
absl::StatusOr<std::string> WriteUnitBlob(const UnitBlob& unit);

}  // namespace heroq
