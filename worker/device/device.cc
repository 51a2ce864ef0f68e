#include "worker/device/device.h"

#include <ATen/Context.h>
#include <dlfcn.h>

#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "worker/device/torch_status.h"

namespace heroq {
namespace {

absl::Status LoadCudaLibrary(absl::string_view text) {
  // Registers the CUDA kernels with the dispatcher; stays loaded until the process ends.
  if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    const char* reason = dlerror();
    return MakeError(Reason::kDeviceUnavailable,
                     absl::StrCat("device ", text, ": libtorch_cuda.so cannot be loaded: ",
                                  reason == nullptr ? "unknown reason" : reason));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<c10::Device> OpenDevice(absl::string_view text) {
  if (text == "cpu") return c10::Device(c10::kCPU);
  absl::string_view number = text;
  int index = -1;
  if (!absl::ConsumePrefix(&number, "cuda:") || !absl::SimpleAtoi(number, &index) || index < 0 ||
      index > 127) {
    return MakeError(Reason::kInvalidSpec, absl::StrCat("device '", text, "': expected cpu or cuda:N"));
  }
  HEROQ_RETURN_IF_ERROR(LoadCudaLibrary(text));
  HEROQ_ASSIGN_OR_RETURN(const int count, CatchTorch(absl::StrCat("device ", text), [] {
                           return at::hasCUDA() ? static_cast<int>(at::getNumGPUs()) : 0;
                         }));
  if (index >= count) {
    return MakeError(Reason::kDeviceUnavailable,
                     absl::StrCat("device ", text, ": the driver offers ", count, " GPUs, numbered from 0"));
  }
  return c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(index));
}

}  // namespace heroq
