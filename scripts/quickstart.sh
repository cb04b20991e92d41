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

absolute() { case "$1" in /*) echo "$1" ;; *) echo "$PWD/$1" ;; esac; }

workdir=${1:+$(absolute "$1")}
gsm8k=${MATHJAX_DATA:+$(absolute "$MATHJAX_DATA")}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
workdir=${workdir:-runs/quickstart}
gsm8k=${gsm8k:-../shared/data}/gsm8k/test.jsonl
bash scripts/setup.sh core
python=.venv/bin/python

data="$workdir/data"
"$python" scripts/make_data.py --config=configs/quickstart_data.py --workdir="$data"

"$python" scripts/train.py --config=configs/quickstart_train.py --workdir="$workdir/train" \
  "--config.data.sources[0].path=$data/train-*.jsonl" "--config.heldout.sources[0].path=$data/heldout-*.jsonl"
steps=$("$python" -c "import json, sys; print(json.load(open(sys.argv[1]))['steps'])" "$workdir/train/recipe.json")
if [ ! -d "$workdir/train/checkpoints/$steps" ]; then
  echo "quickstart: the training was stopped before its end; started again, it goes on from there" >&2
  exit 1
fi

benchmarks=("--config.benchmarks[0].path=$data/test-*.jsonl")
if [ -f "$gsm8k" ]; then
  "$python" scripts/make_data.py --config=configs/gsm8k_equations.py --config.path="$gsm8k" --workdir="$workdir/gsm8k"
  benchmarks+=("--config.benchmarks[1].path=$workdir/gsm8k/records.jsonl")
else
  echo "quickstart.sh: there is no $gsm8k, so GSM8K's equations are left out; MATHJAX_DATA names the folder of gsm8k/"
  benchmarks+=("--config.benchmarks[1]=none")
fi
"$python" scripts/evaluate.py --config=configs/quickstart_evaluate.py --workdir="$workdir" \
  --config.checkpoint="$workdir/train" "--config.corpus[0]=$data" "${benchmarks[@]}"
echo "quickstart: $((SECONDS - begin)) s in all"
