#include "worker/forward/block_kernel_templates.h"

namespace heroq {

extern const BlockKernels kAvx2BlockKernels;
const BlockKernels kAvx2BlockKernels = kBlockKernels<8>;

}  // namespace heroq
