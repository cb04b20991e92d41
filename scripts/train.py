"""Train a model on records.

    python scripts/train.py --config=configs/NAME.py [--config.path.to.setting=value] --workdir=DIR

DIR receives checkpoints, metrics.jsonl and the recipe with all its settings. Started again, it goes on from the last
checkpoint and ends where an unbroken run would have ended.
"""

import door

from mathjax import config


def train(job, workdir):
    from mathjax import mesh  # JAX is imported here: after the command line was found right
    from mathjax.train import loop

    mesh.split_cpu(job.mesh.cpu_devices)
    loop.run(job, workdir)


if __name__ == "__main__":
    door.main(__doc__, {config.Train: train})
