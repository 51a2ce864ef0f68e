#include "worker/forward/block_kernels.h"

namespace heroq {

extern const BlockKernels kPortableBlockKernels;
#ifdef HEROQ_X86_KERNELS
extern const BlockKernels kAvx2BlockKernels;
extern const BlockKernels kAvx512BlockKernels;
#endif

bool IsSupported(BlockIsa isa) {
#ifdef HEROQ_X86_KERNELS
  if (isa == BlockIsa::kAvx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (isa == BlockIsa::kAvx512) {
    return IsSupported(BlockIsa::kAvx2) && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
  }
#endif
  return isa == BlockIsa::kPortable;
}

BlockIsa BestBlockIsa() {
  if (IsSupported(BlockIsa::kAvx512)) return BlockIsa::kAvx512;
  return IsSupported(BlockIsa::kAvx2) ? BlockIsa::kAvx2 : BlockIsa::kPortable;
}

const BlockKernels& BlockKernelsFor(BlockIsa isa) {
#ifdef HEROQ_X86_KERNELS
  if (isa == BlockIsa::kAvx512) return kAvx512BlockKernels;
  if (isa == BlockIsa::kAvx2) return kAvx2BlockKernels;
#endif
  return kPortableBlockKernels;
}

}  // namespace heroq
