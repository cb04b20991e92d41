"""Both trainings of RFT's 7B (2308.01825, Llama 2): three epochs of GSM8K in batches of about 146 examples, on a mesh.

    python scripts/plan.py --config=configs/rft_7b.py --topology=v5e:8x8
    SIZE=7b RUN=1 bash scripts/rft.sh DIR

Params and optimizer state lie in parts on all devices (fsdp); 64 rows are to be a multiple of their number.
"""

from mathjax.config import Data, Mesh, Optimizer, Pretrained, Source, Tokenizer, Train


def get_config():
    shape = {"rows": 64, "length": 512, "objective": "solution", "template": "rft"}
    return Train(
        pretrained=Pretrained(source="meta-llama/Llama-2-7b-hf"),
        tokenizer=Tokenizer(kind="pretrained"),
        data=Data(sources=[Source(path="runs/rft/train/records.jsonl")], **shape),
        heldout=Data(sources=[Source(path="runs/rft/test/records.jsonl")], **shape),
        optimizer=Optimizer(peak=2e-5, warmup=0.03),
        mesh=Mesh(data=1, fsdp=-1),
        steps=154,
        save_every=77,
        remat="layers",
        keep_best=0,
    )
