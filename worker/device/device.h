#pragma once

#include <c10/core/Device.h>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace heroq {

// "cpu" or "cuda:N" -> the device, ready for use. For CUDA, loads libtorch_cuda.so and asks the driver for
// GPU N: DEVICE_UNAVAILABLE says which of these failed. INVALID_SPEC for any other text. Call once, before
// other threads use LibTorch.
absl::StatusOr<c10::Device> OpenDevice(absl::string_view text);

}  // namespace heroq
