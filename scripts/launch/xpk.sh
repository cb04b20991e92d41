#!/usr/bin/env bash
# Trains on slices of TPUs in a GKE cluster that xpk made (`xpk cluster create`), from an image of the Dockerfile here.
#
#   bash scripts/launch/xpk.sh --cluster=CLUSTER --tpu-type=v5litepod-256 [--slices=2] --image=IMAGE --name=NAME \
#     [--dry-run] -- --config=configs/NAME.py --workdir=/data/runs/NAME
#
# Workers find each other by themselves. /data has to be storage that all of them see (`xpk storage attach`). A workload
# that loses a worker is started again as a whole, and goes on from its last checkpoint.
set -euo pipefail

cluster="" type="" slices=1 image="" name="" run=()
while [ $# -gt 0 ]; do
  case "$1" in
    --cluster=*) cluster=${1#*=} ;;
    --tpu-type=*) type=${1#*=} ;;
    --slices=*) slices=${1#*=} ;;
    --image=*) image=${1#*=} ;;
    --name=*) name=${1#*=} ;;
    --dry-run) run=(echo) ;;
    --) shift; break ;;
    *) echo "xpk.sh: $1 is not known; see the first lines of $0" >&2; exit 2 ;;
  esac
  shift
done
for needed in cluster type image name; do
  if [ -z "${!needed}" ] || [ $# -eq 0 ]; then
    echo "xpk.sh: --cluster, --tpu-type, --image, --name and, after --, the arguments of scripts/train.py are needed" >&2
    exit 2
  fi
done
"${run[@]}" xpk workload create --cluster="$cluster" --workload="$name" --tpu-type="$type" --num-slices="$slices" \
  --docker-image="$image" --max-restarts=100 --command="python -u scripts/train.py$(printf ' %q' "$@")"
