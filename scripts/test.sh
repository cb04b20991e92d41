#!/usr/bin/env bash
# Runs the tests, with lint and layers among them, after making .venv if need be.
#
#   bash scripts/test.sh [--with=parity] [arguments of pytest]
#
# --with=parity also installs PyTorch's CPU build and the file of SmolLM2, and with these come the tests that compare
# with PyTorch; without it, or where pip finds no such build, they are skipped. With arguments of pytest:
# bash scripts/test.sh tests/test_metrics.py -x
set -euo pipefail
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

parity=no
arguments=()
for argument in "$@"; do
  case "$argument" in
    --with=parity) parity=yes ;;
    --with=*) echo "test.sh: $argument is not known; --with=parity is" >&2; exit 2 ;;
    *) arguments+=("$argument") ;;
  esac
done

bash "$checkout/scripts/setup.sh" core dev
if [ "$parity" = yes ] && ! bash "$checkout/scripts/setup.sh" parity smollm2; then
  echo "test.sh: the tests that compare with PyTorch will be skipped: pip found no PyTorch for this machine (above)." \
    "On Linux the CPU build is wanted: let pip look in PyTorch's index of CPU builds (PIP_EXTRA_INDEX_URL)" >&2
fi
cd "$checkout"
exec .venv/bin/python -m pytest ${arguments[@]+"${arguments[@]}"}
