#pragma once

// Kept free of every include, like the headers of kernels that include it: their sources are compiled with
// instruction-set flags, and an inline function of a shared header compiled there could be the copy the
// linker keeps for the whole program.
namespace heroq {

// Instruction sets that kernels have variants for. AVX2 has fused multiply and add, AVX-512 is F, BW, DQ and
// VL.
enum class Isa { kPortable, kAvx2, kAvx512 };

// The best that this machine runs.
Isa BestIsa();
bool IsSupported(Isa isa);

}  // namespace heroq
