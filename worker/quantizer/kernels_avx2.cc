#include "worker/quantizer/fit_templates.h"
#include "worker/quantizer/kernel_templates.h"

namespace heroq {

extern const Kernels kAvx2Kernels;
const Kernels kAvx2Kernels = {
    MultiplyTile<float, 32, 4, 3>,
    MultiplyTile<double, 32, 4, 3>,
    QuantizeTile<32>,
    SearchScales<32>,
    FitScales<32>,
    SolveTile<float, 32>,
    SolveTile<double, 32>,
    FactorBlock<float>,
    FactorBlock<double>,
};

}  // namespace heroq
