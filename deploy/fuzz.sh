#!/usr/bin/env bash
# Builds the fuzz targets (tests/fuzz) and runs each for SECONDS (default 60). Prints executions and coverage; inputs that
# crash, hang or take too much memory are kept in build/fuzz/crashes, and any of them makes the exit code 1. What is found
# to reach new code is kept in build/fuzz/corpus for the next run.
#
#   deploy/fuzz.sh [SECONDS [TARGET ...]]     deploy/fuzz.sh 600 tokenizer job_spec
set -euo pipefail
cd "$(dirname "$0")/.."
# Clones in different folders share compiler results.
export CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=1
seconds="${1:-60}"
[[ "$seconds" =~ ^[1-9][0-9]*$ ]] || { echo "fuzz: '$seconds' is no number of seconds" >&2; exit 2; }
shift || true
known=()
for folder in tests/fuzz/corpus/*/; do known+=("$(basename "$folder")"); done
targets=("${@:-${known[@]}}")
for target in "${targets[@]}"; do
  [[ -d "tests/fuzz/corpus/$target" ]] || { echo "fuzz: unknown target '$target' (known: ${known[*]})" >&2; exit 2; }
done
deploy/setup.sh --fuzz
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz -j "$(nproc)"
mkdir -p build/fuzz/crashes build/fuzz/logs

# fuzz_one TARGET: one line of result; fails when the target reported anything.
fuzz_one() {
  local target="$1" log="build/fuzz/logs/$1.log" failed=0
  local dictionary=()
  [[ -f "tests/fuzz/$target.dict" ]] && dictionary=("-dict=tests/fuzz/$target.dict")
  mkdir -p "build/fuzz/corpus/$target"
  # What AddressSanitizer keeps of freed memory counts as used; a little is enough for inputs this short.
  ASAN_OPTIONS=quarantine_size_mb=16:allocator_may_return_null=0 \
    "build/fuzz/bin/fuzz_$target" -max_total_time="$SECONDS_EACH" -max_len=16384 -timeout=2 -rss_limit_mb=256 \
    -print_final_stats=1 -artifact_prefix="build/fuzz/crashes/$target-" "${dictionary[@]}" \
    "build/fuzz/corpus/$target" "tests/fuzz/corpus/$target" >"$log" 2>&1 || failed=1
  local executions coverage memory
  executions="$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
  memory="$(sed -n 's/^stat::peak_rss_mb: *//p' "$log")"
  coverage="$(grep -o 'cov: [0-9]*' "$log" | tail -1 | cut -d' ' -f2 || true)"
  printf '%-20s %10s executions %7s edges %5s MB  %s\n' "$target" "${executions:-?}" "${coverage:-?}" "${memory:-?}" \
    "$( (( failed )) && echo FAILED || echo ok)"
  (( failed )) || return 0
  grep -E '^(SUMMARY|ERROR|property broken|==[0-9]+==ERROR|artifact_prefix)|: runtime error:' "$log" >&2 || tail -20 "$log" >&2
  return 1
}
export -f fuzz_one
export SECONDS_EACH="$seconds"
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -c 'fuzz_one {}' ||
  { echo "fuzz: findings in build/fuzz/crashes, logs in build/fuzz/logs" >&2; exit 1; }
