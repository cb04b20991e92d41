#!/usr/bin/env bash
# From nothing to a report: makes data, trains a small model on it, evaluates it; on a CPU, in minutes.
#
#   bash scripts/quickstart.sh [WORKDIR]      (runs/quickstart without one)
#
# Every step goes on where it was when this is started again. $MATHJAX_DATA may name a folder with gsm8k/test.jsonl;
# without it ../shared/data beside the checkout is looked at.
set -euo pipefail
begin=$SECONDS
case "$#:${1:-}" in
  *:--help | *:-h) sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit ;;
  *:-* | [2-9]:*) echo "quickstart.sh: one folder is all it takes, got: $*" >&2; exit 2 ;;
esac

case "${1:-}" in
  "") workdir=runs/quickstart ;;
  /*) workdir=$1 ;;
  *) workdir=$PWD/$1 ;;
esac
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash scripts/setup.sh core
python=.venv/bin/python

data="$workdir/data"
"$python" scripts/make_data.py --config=configs/quickstart_data.py --workdir="$data"
"$python" scripts/train.py --config=configs/quickstart_train.py --workdir="$workdir/train" \
  "--config.data.sources[0].path=$data/train-*"
"$python" scripts/evaluate.py --config=configs/quickstart_evaluate.py --workdir="$workdir" \
  --config.checkpoint="$workdir/train"
echo "finished in $((SECONDS - begin)) s; the report: $workdir/report.html"
