#pragma once

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "common/quant/quant_scheme.h"
#include "heroq/v1/scheme.pb.h"
#include "worker/methods/method_registry.h"
#include "worker/transform/residual_rotation.h"

namespace heroq {

// Unset parameters take the defaults scheme.proto documents. UNSUPPORTED for a method this worker does not
// know, INVALID_SPEC for a parameter out of range.
// `seed` is the job's.
absl::StatusOr<MethodOptions> MethodOptionsOf(const v1::MethodSpec& spec, uint64_t seed);

// How a job rotates the residual stream of its model; nullopt when it does not.
std::optional<ResidualRotation::Kind> ResidualRotationOf(const v1::MethodSpec& spec);

QuantScheme QuantSchemeOf(const v1::LinearScheme& scheme);

}  // namespace heroq
