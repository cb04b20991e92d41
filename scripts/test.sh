#!/usr/bin/env bash
# Runs the tests, with lint and layers among them, after making .venv if need be.
#
#   bash scripts/test.sh [--with=parity] [arguments of pytest]
#
# --with=parity also installs PyTorch's CPU build, Ray and the file of SmolLM2, and with these the tests that compare
# with PyTorch or need a cluster; without them, or where pip finds none, they are skipped. With arguments of pytest:
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
if [ "$parity" = yes ] && ! bash "$checkout/scripts/setup.sh" parity smollm2 ray; then
  echo "test.sh: the tests that compare with PyTorch will be skipped: pip found no PyTorch for this machine (above)." \
    "On Linux the CPU build is wanted: let pip look in PyTorch's index of CPU builds (PIP_EXTRA_INDEX_URL)" >&2
fi
cd "$checkout"
# All tests run in two processes, each file in one of them; what is asked for by arguments runs in one.
[ "${#arguments[@]}" -gt 0 ] || arguments=(--numprocesses=2 --dist=loadfile)
exec .venv/bin/python -m pytest "${arguments[@]}"
