#include "worker/quantizer/kernels.h"

namespace heroq {

extern const Kernels kPortableKernels;
#ifdef HEROQ_X86_KERNELS
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;
#endif

const Kernels& KernelsFor(Isa isa) {
#ifdef HEROQ_X86_KERNELS
  if (isa == Isa::kAvx512) return kAvx512Kernels;
  if (isa == Isa::kAvx2) return kAvx2Kernels;
#endif
  return kPortableKernels;
}

}  // namespace heroq
