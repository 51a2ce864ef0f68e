#pragma once

#include <c10/core/Device.h>

#include <string>

namespace heroq {

// Revision of the numerics of heroq's own kernels and of the order in which it calls libraries: raised with
// every change after which equal tasks on an equal machine may give other bytes.
inline constexpr int kKernelRevision = 4;

// Names everything of this machine that the bits of a result depend on: LibTorch's version, kKernelRevision
// and, on a CPU, vendor, family, model, cache sizes (libraries block by them) and the instruction sets in
// effect, including environment variables that limit them; on a GPU its model. Equal strings give equal bytes
// for equal tasks. The job pins one; compute type and threads per task are fields of the job. Example:
// "torch-2.15.0 kernels-4 cpu AuthenticAMD-26-2 l1d-48K l2-1024K l3-32768K AVX512 avx512_bf16".
std::string NumericClass(c10::Device device);

}  // namespace heroq
