#!/usr/bin/env bash
# Installs what building, running and testing heroq needs on Debian 12.
#
#   deploy/setup.sh [--demo] [--test] [--lint] [--fuzz] [--peer] [--vllm] [--gptqmodel]
#
# Always: compilers and libraries (apt), LibTorch (PyPI wheel) into the cache folder.
# --demo  the Python environment that writes the demo model and its text
# --test  the Python environment of the test oracles (transformers, compressed-tensors, ...)
# --lint  clang-format, clang-tidy and the sanitizer runtimes
# --fuzz  clang and libFuzzer only: no LibTorch
# --peer  the Python environment of tools that benchmarks compare with (llm-compressor, AutoRound; 6 GB)
# --vllm  the Python environment of vLLM on CPU (6 GB)
# --gptqmodel  the Python environment of GPTQModel, on top of that of --peer
#
# HEROQ_CACHE (default ~/.cache/heroq) is reused between runs: every step first checks a stamp that
# names the pinned versions it installed.
set -euo pipefail
cd "$(dirname "$0")/.."
cache="${HEROQ_CACHE:-$HOME/.cache/heroq}"
mkdir -p "$cache"

want_demo=0 want_test=0 want_lint=0 want_fuzz=0 want_peer=0 want_vllm=0 want_gptqmodel=0
for arg in "$@"; do
  case "$arg" in
    --demo) want_demo=1 ;;
    --test) want_test=1 want_demo=1 ;;
    --lint) want_lint=1 ;;
    --fuzz) want_fuzz=1 ;;
    --vllm) want_vllm=1 want_test=1 want_demo=1 ;;
    --gptqmodel) want_gptqmodel=1 want_peer=1 want_test=1 want_demo=1 ;;
    --peer) want_peer=1 want_test=1 want_demo=1 ;;
    *) echo "setup.sh: unknown option '$arg' (known: --demo --test --lint --fuzz --peer --vllm --gptqmodel)" >&2; exit 2 ;;
  esac
done

packages=(build-essential cmake ninja-build ccache pkg-config git ca-certificates
  libgrpc++-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc libabsl-dev
  libsqlite3-dev libcli11-dev libyaml-cpp-dev nlohmann-json3-dev libspdlog-dev libfmt-dev libssl-dev
  libicu-dev libjemalloc-dev libpcre2-dev libre2-dev prometheus-cpp-dev libcpp-httplib-dev python3 python3-venv sqlite3)
(( want_demo )) && packages+=(perl-doc debian-policy)
(( want_test )) && packages+=(libgtest-dev libgmock-dev libbenchmark-dev tmux procps)
(( want_peer )) && packages+=(strace)
(( want_vllm )) && packages+=(libnuma1)
(( want_lint )) && packages+=(clang-14 clang-format-14 clang-tidy-14 libclang-rt-14-dev)
(( want_fuzz )) && packages+=(clang-14 libclang-rt-14-dev)

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if (( ${#missing[@]} )); then
  as_root=()
  [[ $(id -u) -eq 0 ]] || as_root=(sudo)
  echo "setup: apt-get install ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# install_locked NAME: a virtual environment $cache/NAME with exactly deploy/requirements/NAME.txt.
install_locked() {
  local name="$1" lock="deploy/requirements/$1.txt" env="$cache/$1"
  local stamp="$env/.installed"
  if [[ -f "$stamp" ]] && cmp -s "$lock" "$stamp"; then return; fi
  echo "setup: Python environment '$name'"
  rm -rf "$env"
  python3 -m venv "$env"
  "$env/bin/python" -m pip install --quiet --no-deps --require-hashes -r "$lock"
  cp "$lock" "$stamp"
}

if (( want_fuzz && ! (want_demo || want_lint || want_peer) )); then
  echo "setup: done (cache: $cache)"
  exit 0
fi

libtorch="$cache/libtorch"
if ! cmp -s deploy/requirements/libtorch.txt "$libtorch/.installed"; then
  echo "setup: LibTorch"
  rm -rf "$libtorch"
  python3 -m venv "$cache/pip"
  "$cache/pip/bin/python" -m pip install --quiet --no-deps --require-hashes \
    --target "$libtorch" -r deploy/requirements/libtorch.txt
  cp deploy/requirements/libtorch.txt "$libtorch/.installed"
fi

(( want_demo )) && install_locked demo
if (( want_test )); then
  install_locked oracle
  # One copy of torch: the oracle environment imports LibTorch's.
  site="$("$cache/oracle/bin/python" -c 'import site; print(site.getsitepackages()[0])')"
  echo "$libtorch" > "$site/libtorch.pth"
fi
(( want_peer )) && install_locked peer
(( want_vllm )) && install_locked vllm
if (( want_gptqmodel )) && ! cmp -s deploy/requirements/gptqmodel.txt "$cache/gptqmodel/.installed"; then
  echo "setup: Python environment 'gptqmodel'"
  env="$cache/gptqmodel"
  rm -rf "$env"
  python3 -m venv "$env"
  "$cache/peer/bin/python" -c 'import site; print(site.getsitepackages()[0])' \
    > "$("$env/bin/python" -c 'import site; print(site.getsitepackages()[0])')/peer.pth"
  # Building needs setuptools and wheel before, and torch, which is the peer's.
  grep -E '^(setuptools|wheel)==' deploy/requirements/gptqmodel.txt > "$env/build.txt"
  "$env/bin/python" -m pip install --quiet --no-deps --require-hashes -r "$env/build.txt"
  BUILD_CUDA_EXT=0 "$env/bin/python" -m pip install --quiet --no-deps --require-hashes --no-build-isolation \
    -r deploy/requirements/gptqmodel.txt
  cp deploy/requirements/gptqmodel.txt "$env/.installed"
fi
echo "setup: done (cache: $cache)"
