#!/usr/bin/env bash
# Pins the versions of everything pyproject.toml asks for, once for all supported Pythons, in requirements/*.txt.
#
#   bash scripts/lock.sh             after a change of pyproject.toml: versions that still fit are kept
#   bash scripts/lock.sh --upgrade   the newest versions of everything
#
# core.txt is what the library needs; each other file holds what its extra adds, but for smollm2.txt, a model's file that
# is pinned by hand. No index and no host is written down: pip takes the packages from wherever it is set up to look.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
python3 -m venv "$tools"
"$tools/bin/pip" install -qq uv

# resolve NAME [options of uv]: the pins of requirements/NAME.txt anew, to stdout
resolve() {
  local pins="$tools/$1.txt"
  [ ! -e "requirements/$1.txt" ] || cp "requirements/$1.txt" "$pins"
  shift
  "$tools/bin/uv" pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate \
    pyproject.toml --output-file "$pins" "$@"
  cat "$pins"
}

# What an extra adds to the core. PyTorch on Linux is pinned to its CPU build, which needs none of the CUDA packages.
resolve_extra() {
  resolve "$@" --extra "$1" --constraint requirements/core.txt | grep -vxFf requirements/core.txt |
    grep -vE '^(nvidia-|cuda-|triton)' |
    sed -E "s/^torch==([0-9.]+)( .*)?$/torch==\1+cpu ; sys_platform == 'linux'\ntorch==\1 ; sys_platform != 'linux'/"
}

mkdir -p requirements
resolve core "$@" >"$tools/resolved"
mv "$tools/resolved" requirements/core.txt
for extra in data dev gguf parity plan ray bench; do
  resolve_extra "$extra" "$@" >"$tools/resolved"
  mv "$tools/resolved" "requirements/$extra.txt"
done
wc -l requirements/*.txt
