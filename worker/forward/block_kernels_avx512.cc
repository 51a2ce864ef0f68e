#include "worker/forward/block_kernel_templates.h"

namespace heroq {

extern const BlockKernels kAvx512BlockKernels;
const BlockKernels kAvx512BlockKernels = kBlockKernels<16>;

}  // namespace heroq
