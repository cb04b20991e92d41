#!/usr/bin/env bash
# Makes .venv and installs what requirements/*.txt pins; does nothing where that is done already.
#
#   bash scripts/setup.sh core            what the library needs
#   bash scripts/setup.sh core dev        and what its tests need
#   bash scripts/setup.sh core parity     and PyTorch, to compare with (CPU build; bench: all that is compared with)
#   bash scripts/setup.sh core gguf smollm2   and what reads GGUF files, and the file of SmolLM2-135M-Instruct
#
# $PYTHON names the interpreter to make .venv with; without it, python3 or a newer one beside it is taken.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

oldest=11  # of Python 3
unfinished=.venv/.unfinished

fail() {
  printf 'setup: %s\n' "$@" >&2
  exit 1
}

find_python() {  # prints an interpreter that is new enough
  local candidate
  for candidate in ${PYTHON:-python3 python3.12 python3.13 python3.11}; do
    if "$candidate" -c "import sys; sys.exit(sys.version_info < (3, $oldest))" 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  fail "mathjax needs Python 3.$oldest or newer; found $("${PYTHON:-python3}" --version 2>&1 || true)." \
    "Install one (Debian, Ubuntu: sudo apt-get install python3 python3-venv; macOS: brew install python@3.12)" \
    "or name one: PYTHON=/path/to/python3.12 bash $0 ..."
}

# What a finished set-up is known by: the pins, the project's own metadata, the interpreter, and where all of it lies.
fingerprint() {  # fingerprint NAME
  .venv/bin/python - "requirements/$1.txt" pyproject.toml 2>/dev/null <<'PYTHON'
import hashlib, os, pathlib, sys

parts = [sys.version, os.getcwd()] + [pathlib.Path(name).read_text() for name in sys.argv[1:]]
print(hashlib.sha256("\n".join(parts).encode()).hexdigest())
PYTHON
}

is_ready() {  # is_ready NAME...
  local name
  [ ! -e "$unfinished" ] || return 1
  for name in "$@"; do
    [ -e ".venv/.ready-$name" ] && [ "$(cat ".venv/.ready-$name")" = "$(fingerprint "$name")" ] || return 1
  done
}

make_venv() {
  local python
  if [ -e "$unfinished" ] || ! .venv/bin/python -c "" 2>/dev/null; then
    python=$(find_python)
    "$python" -c "import ensurepip, venv" 2>/dev/null || fail "$python cannot make virtual environments." \
      "Install its venv module (Debian, Ubuntu: sudo apt-get install $("$python" -c \
        'import sys; print("python%d.%d-venv" % sys.version_info[:2])')) and start again."
    rm -rf .venv
    mkdir .venv
    touch "$unfinished"
    "$python" -m venv .venv
  fi
  touch "$unfinished"
}

pip_install() {  # pip_install [arguments]: quiet, but for errors
  local code=0
  .venv/bin/python -m pip install --quiet --no-compile "$@" 2>.venv/pip.log || code=$?
  [ "$code" -ne 0 ] || return 0
  cat .venv/pip.log >&2
  [ "$code" -ne 1 ] || rm "$unfinished"  # pip gave up by itself, so it left what there was before as it was
  exit 1
}

for name in "$@"; do
  [ -e "requirements/$name.txt" ] || fail "no requirements/$name.txt; there are: $(ls requirements | tr '\n' ' ')"
done
! is_ready "$@" || exit 0

# One set-up at a time: whoever waited finds it done. The lock ends with the process that holds it.
exec 9>.setup.lock
if command -v flock >/dev/null && ! flock --nonblock 9; then
  echo "setup: waiting for another set-up of this checkout" >&2
  flock 9
fi
! is_ready "$@" || exit 0

make_venv
echo "setup: installing $* into .venv ($(.venv/bin/python --version)), once: a minute or two" >&2
SECONDS=0
files=()
for name in "$@"; do files+=(--requirement "requirements/$name.txt"); done
pip_install --no-deps "${files[@]}"  # the files pin all that is needed
pip_install --no-deps --editable .
# Compiles what every job imports, and only that: compiling all that is installed takes as long as installing it.
PYTHONDONTWRITEBYTECODE='' .venv/bin/python -c "import flax.nnx, grain, jax, optax, orbax.checkpoint, scipy, sympy"
for name in "$@"; do fingerprint "$name" >".venv/.ready-$name"; done
rm "$unfinished"
echo "setup: done in $SECONDS s" >&2
