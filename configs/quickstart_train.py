"""A decoder of 1.2M parameters learns the quickstart's arithmetic on a CPU.

python scripts/train.py --config=configs/quickstart_train.py --workdir=runs/quickstart/train
"""

from mathjax import presets
from mathjax.config import Data, Optimizer, Source, Train


def get_config():
    shape = {"rows": 32, "length": 64, "objective": "solution"}
    return Train(
        model=presets.QUICKSTART,
        data=Data(sources=[Source(path="runs/quickstart/data/train-*.jsonl")], **shape),
        heldout=Data(sources=[Source(path="runs/quickstart/data/heldout-*.jsonl")], **shape),
        heldout_batches=4,
        optimizer=Optimizer(name="muon", peak=0.01, b2=0.99, warmup=0.05),
        steps=1500,
        dtype="float32",
        log_every=10,
        save_every=250,
    )
