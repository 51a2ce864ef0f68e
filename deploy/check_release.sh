#!/usr/bin/env bash
# Fails when a program in the folder holds the name of a failpoint: those are for test builds.
#
#   deploy/check_release.sh [DIR]    default: build/release/bin
set -euo pipefail
cd "$(dirname "$0")/.."
directory="${1:-build/release/bin}"
names="$(sed -n 's/^HEROQ_FAILPOINT_NAME(\(.*\))$/\1/p' common/file/failpoints.inc)"
for program in heroq heroq-coordinator heroq-worker; do
  # 0: found, 1: not found, 2: no such file.
  code=0
  grep -qaF "$names" "$directory/$program" || code=$?
  if [[ "$code" != 1 ]]; then
    echo "$directory/$program cannot be read, or has failpoints compiled in" >&2
    exit 1
  fi
done
