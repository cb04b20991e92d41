"""Train a model on records.

    python scripts/train.py --config=configs/NAME.py [--config.path.to.setting=value] --workdir=DIR

DIR receives checkpoints, metrics.jsonl and the recipe with all its settings. Started again, it goes on from the last
checkpoint and ends where an unbroken run would have ended.

On several hosts the same command is started on each of them (scripts/launch/ does so). TPU pods, Slurm, Open MPI and
Kubernetes say by themselves which process is which; elsewhere --coordinator=HOST:PORT --processes=N --process=I do, or
JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES and JAX_PROCESS_ID. --processes=1 trains in this process alone.
"""

import door

from mathjax import config


def train(job, workdir):
    from mathjax import compilation, mesh  # JAX is imported here: after the command line was found right
    from mathjax.train import loop

    mesh.split_cpu(job.mesh.cpu_devices)
    compilation.keep()
    loop.run(job, workdir)


if __name__ == "__main__":
    door.main(__doc__, {config.Train: train})
