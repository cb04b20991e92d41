#!/usr/bin/env bash
# Trains under Slurm, on one node or on many; where the time ends before the training, it saves and queues itself again.
#
#   sbatch --nodes=2 --ntasks-per-node=8 --gpus-per-node=8 --time=24:00:00 scripts/launch/slurm.sh \
#     --config=configs/NAME.py --workdir=/shared/runs/NAME
#
# One task for each GPU, as JAX expects it under Slurm, and GPUs that all tasks of a node can see (no --gpus-per-task);
# without GPUs, one task for each node. The checkout, .venv and the folder of the run have to be the same on all nodes.
# PYTHON names another Python than .venv/bin/python of the folder that sbatch was called in.
#SBATCH --job-name=mathjax
#SBATCH --output=%x-%j.log
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR1@180
set -euo pipefail

if [ -z "${SLURM_JOB_ID:-}" ]; then
  echo "slurm.sh: this script is handed to Slurm: sbatch [its options] $0 --config=RECIPE --workdir=DIR" >&2
  exit 2
fi
cd "$SLURM_SUBMIT_DIR"

again=no
# shellcheck disable=SC2329  # the trap calls it
stop() { # when Slurm warns: the run saves its next step, and ends
  again=yes
  scancel --signal=TERM "$SLURM_JOB_ID.0"
}
trap stop USR1 TERM

srun --kill-on-bad-exit=1 --gpu-bind=none "${PYTHON:-.venv/bin/python}" -u scripts/train.py "$@" &
step=$!
status=0
wait "$step" || status=$?
while kill -0 "$step" 2>/dev/null; do # wait also ends when a signal comes
  status=0
  wait "$step" || status=$?
done
if [ "$again" = yes ] && [ "$status" = 0 ]; then
  echo "slurm.sh: queued again, to go on from the checkpoint"
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$status"
