#!/usr/bin/env bash
# Trains on a TPU pod slice: sets up every worker with this checkout, and starts the same command on all of them.
#
#   bash scripts/launch/tpu_pod.sh --name=POD --zone=ZONE [--project=PROJECT] [--bucket=BUCKET] [--dry-run] -- \
#     --config=configs/NAME.py --workdir=/mnt/mathjax/runs/NAME
#
# Workers find each other by themselves. --bucket mounts a bucket at /mnt/mathjax of every worker (gcsfuse), for record
# files and the folder of the run, which all have to see. Called again after an interruption, it goes on from the last
# checkpoint. --dry-run prints the commands and calls nothing. A pod is made by
#   gcloud compute tpus tpu-vm create POD --zone=ZONE --accelerator-type=v5litepod-256 --version=v2-alpha-tpuv5-lite
set -euo pipefail

name="" zone="" project="" bucket="" run=()
while [ $# -gt 0 ]; do
  case "$1" in
    --name=*) name=${1#*=} ;;
    --zone=*) zone=${1#*=} ;;
    --project=*) project=${1#*=} ;;
    --bucket=*) bucket=${1#*=} ;;
    --dry-run) run=(echo) ;;
    --) shift; break ;;
    *) echo "tpu_pod.sh: $1 is not known; see the first lines of $0" >&2; exit 2 ;;
  esac
  shift
done
if [ -z "$name" ] || [ -z "$zone" ] || [ $# -eq 0 ]; then
  echo "tpu_pod.sh: --name, --zone and, after --, the arguments of scripts/train.py are needed" >&2
  exit 2
fi
where=("--zone=$zone")
[ -z "$project" ] || where+=("--project=$project")

on_all() { "${run[@]}" gcloud compute tpus tpu-vm ssh "$name" "${where[@]}" --worker=all --command="$1"; }

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
archive=$(mktemp --suffix=.tar.gz)
trap 'rm -f "$archive"' EXIT
git -C "$checkout" archive --format=tar.gz --output="$archive" HEAD
"${run[@]}" gcloud compute tpus tpu-vm scp "$archive" "$name:mathjax.tar.gz" "${where[@]}" --worker=all
on_all "mkdir -p mathjax && tar xzf mathjax.tar.gz -C mathjax && cd mathjax && bash scripts/setup.sh core && .venv/bin/pip install -q \"jax[tpu]==\$(.venv/bin/python -c 'import jax; print(jax.__version__)')\""
if [ -n "$bucket" ]; then
  on_all "mountpoint -q /mnt/mathjax || { sudo mkdir -p /mnt/mathjax && sudo chown \$(id -u) /mnt/mathjax && gcsfuse --implicit-dirs --rename-dir-limit=100000 $(printf %q "$bucket") /mnt/mathjax; }"
fi
on_all "cd mathjax && .venv/bin/python -u scripts/train.py$(printf ' %q' "$@")"
