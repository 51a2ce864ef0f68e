#!/usr/bin/env bash
# Writes the demo model and texts once into the cache and prints their folder: model/, model-dithered/ (with --dithered)
# and text/{calibration,evaluation,policy}.txt. Needs deploy/setup.sh --demo.
#
#   folder="$(deploy/demo/prepare.sh [--dithered])"
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
cache="${HEROQ_CACHE:-$HOME/.cache/heroq}"
python="$cache/demo/bin/python"
# The folder is named after the scripts' content, so a change of either makes new data.
key="$(cat "$here"/make_*.py | sha256sum | cut -c1-12)"
folder="$cache/demo-data-$key"

# make NAME COMMAND...: runs COMMAND with a temporary folder as its last argument, then gives that folder its name.
make() {
  local name="$1"; shift
  [[ -d "$folder/$name" ]] && return
  mkdir -p "$folder"
  local partial; partial="$(mktemp -d "$folder/.partial-XXXXXX")"
  "$python" "$@" "$partial" >&2
  chmod 755 "$partial"
  mv "$partial" "$folder/$name"
}
make model "$here/make_smollm2.py"
if [[ "${1:-}" == --dithered ]]; then make model-dithered "$here/make_smollm2.py" --dither; fi
make text "$here/make_text.py"
echo "$folder"
