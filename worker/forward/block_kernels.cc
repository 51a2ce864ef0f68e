#include "worker/forward/block_kernels.h"

namespace heroq {

extern const BlockKernels kPortableBlockKernels;
#ifdef HEROQ_X86_KERNELS
extern const BlockKernels kAvx2BlockKernels;
extern const BlockKernels kAvx512BlockKernels;
#endif

const BlockKernels& BlockKernelsFor(Isa isa) {
#ifdef HEROQ_X86_KERNELS
  if (isa == Isa::kAvx512) return kAvx512BlockKernels;
  if (isa == Isa::kAvx2) return kAvx2BlockKernels;
#endif
  return kPortableBlockKernels;
}

}  // namespace heroq
