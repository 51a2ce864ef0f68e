#pragma once

#include <benchmark/benchmark.h>
#include <c10/core/ScalarType.h>

namespace heroq {

// What this machine reaches at this moment, measured once per process on one thread: every benchmark says
// which share of it it gets, since seconds differ from machine to machine and from minute to minute.

// LibTorch's matrix product of two square matrices of 2048, floating-point operations a second (a
// multiply-add is two); the best of some. float32 at the highest precision, or bfloat16.
double MatrixProductRate(c10::ScalarType type);
// Copying 256 MiB in memory, bytes read and written a second.
double CopyRate();

// Counters "flop/s" and "share": `operations` an iteration against a MatrixProductRate.
void ReportOperations(benchmark::State& state, double operations, c10::ScalarType ceiling);
// Counters "bytes/s" and "share": `bytes` an iteration, read and written, against CopyRate.
void ReportBytes(benchmark::State& state, double bytes);

}  // namespace heroq
