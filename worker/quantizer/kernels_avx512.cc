#include "worker/quantizer/fit_templates.h"
#include "worker/quantizer/kernel_templates.h"

namespace heroq {

extern const Kernels kAvx512Kernels;
const Kernels kAvx512Kernels = {
    MultiplyTile<float, 64, 8, 3>,
    MultiplyTile<double, 64, 8, 3>,
    QuantizeTile<64>,
    SearchScales<64>,
    FitScales<64>,
    SolveTile<float, 64>,
    SolveTile<double, 64>,
    FactorBlock<float>,
    FactorBlock<double>,
};

}  // namespace heroq
