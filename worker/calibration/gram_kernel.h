#pragma once

#include <c10/util/BFloat16.h>

#include <cstdint>

namespace heroq {

// The product x^T x of bfloat16 rows on processors with AVX512-BF16, by AMX where they have it: only the
// upper triangle, exact products, float32 sums, a few times faster than a general matrix product of the
// widened rows. Sums run over fixed blocks of tokens, each element by one thread in one order: threads do not
// change a bit. `rows` [tokens, features], contiguous, at least one. Uses ATen's threads.

bool HasBf16GramKernel();

// upper += the upper triangle of rows^T rows, row by row as PackedStatistics has it. With `first`, upper =
// instead: what it held is not read. Requires HasBf16GramKernel().
void AddBf16Gram(const c10::BFloat16* rows, int64_t tokens, int64_t features, bool first, float* upper);

// <rows^T rows, matrix> over all elements, for a symmetric `matrix` [features, features], of which the upper
// triangle is read. Summed in float64. Requires HasBf16GramKernel().
double Bf16GramDot(const c10::BFloat16* rows, int64_t tokens, int64_t features, const float* matrix);

}  // namespace heroq
