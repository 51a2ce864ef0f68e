#include "worker/quantizer/fit_templates.h"
#include "worker/quantizer/kernel_templates.h"

namespace heroq {

extern const Kernels kPortableKernels;
const Kernels kPortableKernels = {
    MultiplyTile<float, 16, 4, 2>,
    MultiplyTile<double, 16, 4, 2>,
    QuantizeTile<16>,
    SearchScales<16>,
    FitScales<16>,
    SolveTile<float, 16>,
    SolveTile<double, 16>,
    FactorBlock<float>,
    FactorBlock<double>,
};

}  // namespace heroq
