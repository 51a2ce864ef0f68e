#pragma once

#include <c10/util/BFloat16.h>

#include <cstdint>

namespace heroq {

// The product x^T x of bfloat16 rows on processors with AVX512-BF16, by AMX where they have it: only the
// upper triangle, exact products, float32 sums, a few times faster than a general matrix product of the
// widened rows. Sums run over fixed blocks of tokens whose results are added to `sum`, each element by one
// thread in one order: threads do not change a bit.

bool HasBf16GramKernel();

// sum [features, features] float32 += upper triangle of rows^T rows, rows [tokens, features], both
// contiguous. With `first`, sum = instead: what it held is not read. Below the diagonal, `sum` receives
// arbitrary values. Uses ATen's threads. Requires HasBf16GramKernel() and a token.
void AddBf16Gram(const c10::BFloat16* rows, int64_t tokens, int64_t features, bool first, float* sum);

}  // namespace heroq
