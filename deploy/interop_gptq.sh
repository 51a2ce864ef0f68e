#!/usr/bin/env bash
# Loads GPTQ checkpoints that heroq made with GPTQModel on CPU and compares the mean negative log-likelihood with
# transformers on what an independent unpacker reads from them: at most 0.02 apart. Outside continuous integration: it
# installs 6 GB.
#
#   deploy/interop_gptq.sh [CHECKPOINT...]    default: quantizes the demo model in both versions and several widths first
set -euo pipefail
cd "$(dirname "$0")/.."
export HEROQ_CACHE="${HEROQ_CACHE:-$HOME/.cache/heroq}"
deploy/setup.sh --gptqmodel
demo="$(deploy/demo/prepare.sh)"
checkpoints=("$@")
if (( $# == 0 )); then
  deploy/build.sh
  # make NAME FLAGS...
  make() {
    local checkpoint="$PWD/build/interop/$1"
    shift
    [[ -f "$checkpoint/MANIFEST.json" ]] || build/release/bin/heroq quantize "$demo/model" --output "$checkpoint" \
      --calibration "$demo/text/calibration.txt" --samples 16 --sequence-length 512 "$@"
    checkpoints+=("$checkpoint")
  }
  make gptq-w4 --format gptq --group-size 64
  make gptq-w8-channel --format gptq --bits 8 --group-size channel
  make gptq-w3-mixed --format gptq --bits 3 --group-size 64 --override 'down_proj=W4' --keep 'layers\.0\.'
  make gptq-v2-w4 --format gptq_v2 --group-size 64 --symmetric off
  make gptq-v2-w3 --format gptq_v2 --bits 3 --group-size 64 --symmetric off
  make gptq-v2-w2 --format gptq_v2 --bits 2 --group-size 32 --symmetric off
fi
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
failed=0
for checkpoint in "${checkpoints[@]}"; do
  rm -rf "$work/dense"
  "$HEROQ_CACHE/oracle/bin/python" tests/interop/dense_copy.py "$checkpoint" "$work/dense"
  "$HEROQ_CACHE/oracle/bin/python" tests/interop/nll_transformers.py "$work/dense" "$demo/text/policy.txt" "$work/prompts.json" > "$work/transformers"
  "$HEROQ_CACHE/gptqmodel/bin/python" tests/interop/nll_gptqmodel.py "$checkpoint" "$work/prompts.json" > "$work/gptqmodel"
  python3 - "$work" "$(basename "$checkpoint")" <<'PY' || failed=1
import pathlib, re, sys
means = {name: float(re.search(r"mean_nll ([\d.]+)", (pathlib.Path(sys.argv[1]) / name).read_text()).group(1))
         for name in ("transformers", "gptqmodel")}
difference = abs(means["gptqmodel"] - means["transformers"])
print(f"{sys.argv[2]}: mean nll: transformers {means['transformers']:.4f}, GPTQModel {means['gptqmodel']:.4f}, "
      f"difference {difference:.4f} (at most 0.02)")
sys.exit(difference > 0.02)
PY
done
exit "$failed"
