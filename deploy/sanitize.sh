#!/usr/bin/env bash
# Builds and runs all C++ tests under AddressSanitizer + UndefinedBehaviorSanitizer, then under ThreadSanitizer.
#
#   deploy/sanitize.sh [asan-ubsan | tsan]
set -euo pipefail
cd "$(dirname "$0")/.."
export HEROQ_CACHE="${HEROQ_CACHE:-$HOME/.cache/heroq}"
# Clones in different folders share compiler results.
export CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=1
deploy/setup.sh --test
for preset in ${1:-asan-ubsan tsan}; do
  cmake --preset "$preset" -DHEROQ_TORCH_DIR="$HEROQ_CACHE/libtorch" >/dev/null
  cmake --build --preset "$preset" -j "$(nproc)"
  # LibTorch and gRPC keep process-lifetime allocations; their own code is not instrumented. Tests ask for more memory
  # than there is. What the system's abseil and gRPC order between threads is said in tests/support/tsan_*.cc.
  ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 \
    TSAN_OPTIONS="halt_on_error=1 allocator_may_return_null=1 ignore_noninstrumented_modules=1 suppressions='$PWD/tests/support/tsan.supp'" \
    ctest --preset "$preset" -LE oracle -j "$(nproc)"
done
