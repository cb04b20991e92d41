"""The base of the small RFT story: a decoder of 0.5M parameters that has read few word problems.

python scripts/train.py --config=configs/rft_base.py --workdir=runs/rft/base
"""

from mathjax.config import Data, Model, Optimizer, Source, Tokenizer, Train


def get_config():
    shape = {"rows": 8, "length": 192, "objective": "solution", "template": "question_answer"}
    return Train(
        model=Model(layers=3, width=128, heads=2, kv_heads=1, head_dim=64, mlp_width=256),
        tokenizer=Tokenizer(kind="pretrained", source="runs/rft/corpus/tokenizer"),
        data=Data(sources=[Source(path="runs/rft/corpus/train-*.jsonl")], **shape),
        heldout=Data(sources=[Source(path="runs/rft/corpus/heldout-*.jsonl")], **shape),
        heldout_batches=3,
        optimizer=Optimizer(name="muon", peak=0.01, schedule="linear", end=0.5, b2=0.99, warmup=0.05),
        steps=400,
        dtype="float32",
    )
