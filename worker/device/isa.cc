#include "worker/device/isa.h"

namespace heroq {

bool IsSupported(Isa isa) {
#ifdef __x86_64__
  if (isa == Isa::kAvx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (isa == Isa::kAvx512) {
    return IsSupported(Isa::kAvx2) && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
  }
#endif
  return isa == Isa::kPortable;
}

Isa BestIsa() {
  if (IsSupported(Isa::kAvx512)) return Isa::kAvx512;
  return IsSupported(Isa::kAvx2) ? Isa::kAvx2 : Isa::kPortable;
}

}  // namespace heroq
