#include "worker/device/numeric_class.h"

#include <ATen/Version.h>
#include <cpuid.h>
#include <dlfcn.h>
#include <torch/headeronly/version.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace heroq {
namespace {

std::string CpuModel() {
  unsigned int eax = 0, ebx = 0, ecx = 0, edx = 0;
  char vendor[13] = {};
  __get_cpuid(0, &eax, &ebx, &ecx, &edx);
  std::memcpy(vendor, &ebx, 4);
  std::memcpy(vendor + 4, &edx, 4);
  std::memcpy(vendor + 8, &ecx, 4);
  __get_cpuid(1, &eax, &ebx, &ecx, &edx);
  unsigned int family = (eax >> 8) & 0xf;
  unsigned int model = (eax >> 4) & 0xf;
  if (family == 0x6 || family == 0xf) model += ((eax >> 16) & 0xf) << 4;
  if (family == 0xf) family += (eax >> 20) & 0xff;
  return absl::StrCat(vendor, "-", family, "-", model);
}

std::string CacheSizes() {
  return absl::StrCat("l1d-", sysconf(_SC_LEVEL1_DCACHE_SIZE) / 1024, "K l2-",
                      sysconf(_SC_LEVEL2_CACHE_SIZE) / 1024, "K l3-", sysconf(_SC_LEVEL3_CACHE_SIZE) / 1024,
                      "K");
}

// LibTorch's own kernels report what they dispatch to; oneDNN and MKL look at these further features.
std::string InstructionSets() {
  std::string sets = at::get_cpu_capability();
  if (__builtin_cpu_supports("avx512vnni")) absl::StrAppend(&sets, " avx512_vnni");
  if (__builtin_cpu_supports("avx512bf16")) absl::StrAppend(&sets, " avx512_bf16");
  unsigned int eax = 0, ebx = 0, ecx = 0, edx = 0;
  constexpr unsigned int kAmxBf16 = 1u << 22;
  constexpr unsigned int kAvx512Fp16 = 1u << 23;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) {
    if (edx & kAmxBf16) absl::StrAppend(&sets, " amx_bf16");
    if (edx & kAvx512Fp16) absl::StrAppend(&sets, " avx512_fp16");
  }
  for (const char* name : {"ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "ONEDNN_DEFAULT_FPMATH_MODE",
                           "MKL_ENABLE_INSTRUCTIONS", "MKL_CBWR"}) {
    if (const char* value = std::getenv(name)) absl::StrAppend(&sets, " ", name, "=", value);
  }
  return sets;
}

// LibTorch's public interface names no GPU; the driver does.
std::string GpuModel(c10::Device device) {
  void* driver = dlopen("libcuda.so.1", RTLD_NOW);
  if (driver == nullptr) return "unknown";
  const auto get_device = reinterpret_cast<int (*)(int*, int)>(dlsym(driver, "cuDeviceGet"));
  const auto get_name = reinterpret_cast<int (*)(char*, int, int)>(dlsym(driver, "cuDeviceGetName"));
  int handle = 0;
  char name[256] = {};
  const bool named = get_device != nullptr && get_name != nullptr &&
                     get_device(&handle, device.index()) == 0 &&
                     get_name(name, sizeof(name) - 1, handle) == 0;
  return named ? name : "unknown";
}

}  // namespace

std::string NumericClass(c10::Device device) {
  const std::string libraries = absl::StrCat("torch-", TORCH_VERSION, " kernels-", kKernelRevision);
  if (device.is_cuda()) return absl::StrCat(libraries, " cuda ", GpuModel(device));
  return absl::StrCat(libraries, " cpu ", CpuModel(), " ", CacheSizes(), " ", InstructionSets());
}

}  // namespace heroq
