#pragma once

#include <cstdint>

#include "worker/quantizer/kernels.h"

namespace heroq {

// Smallest size the factorisation accepts that holds `size`: a multiple of 48.
inline int64_t PaddedFactorSize(int64_t size) {
  return (size + kDiagonalBlock - 1) / kDiagonalBlock * kDiagonalBlock;
}

// Factors a symmetric positive definite H = U U^T with U upper triangular, which is the Cholesky
// factorisation taken from the last row up. One such factor gives GPTQ everything the published chain
// (factor, inverse, factor of the inverse) does: the Cholesky factor of the inverse is U^-1.
//
// In: `matrix` [size, size] row-major with its lower triangle set, size a multiple of 48, rows 64-byte
// aligned. Out: the lower triangle holds S = U^T (S[j][i] = U[i][j]), so H = S^T S; the upper triangle is
// undefined. Pad with an identity block at the end.
//
// False when a pivot is not positive and finite; the matrix is then spoilt. Single-threaded: the result
// depends on the kernels only. Needs 2 * size * 192 elements of scratch memory.
bool FactorReverse(const Kernels& kernels, int64_t size, float* matrix);
bool FactorReverse(const Kernels& kernels, int64_t size, double* matrix);

}  // namespace heroq
