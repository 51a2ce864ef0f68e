#!/usr/bin/env bash
# Formatting and static analysis: clang-format on every source, clang-tidy on the given ones (default: those that differ
# from the main branch's last commit; --all for everything, which takes long).
#
#   deploy/lint.sh [--all | FILE.cc ...]
set -euo pipefail
cd "$(dirname "$0")/.."
export HEROQ_CACHE="${HEROQ_CACHE:-$HOME/.cache/heroq}"
deploy/setup.sh --test --lint
git ls-files '*.cc' '*.h' | xargs clang-format-14 --dry-run --Werror
cmake --preset dev -DHEROQ_TORCH_DIR="$HEROQ_CACHE/libtorch" >/dev/null
cmake --build --preset dev --target heroq_proto >/dev/null
if [[ "${1:-}" == --all ]]; then
  mapfile -t files < <(git ls-files 'common/*.cc' 'coordinator/*.cc' 'worker/*.cc')
elif (( $# )); then
  files=("$@")
else
  mapfile -t files < <(git diff --name-only --diff-filter=AM HEAD~1 -- 'common/*.cc' 'coordinator/*.cc' 'worker/*.cc')
fi
(( ${#files[@]} )) || { echo "lint: no sources to analyse"; exit 0; }
# The compilation is GCC's, with warnings that clang does not know.
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$(nproc)" \
  clang-tidy-14 -p build/dev --quiet --extra-arg=-Wno-unknown-warning-option
