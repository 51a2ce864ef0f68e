#include "worker/forward/block_kernel_templates.h"

namespace heroq {

extern const BlockKernels kPortableBlockKernels;
const BlockKernels kPortableBlockKernels = kBlockKernels<4>;

}  // namespace heroq
