"""Adapters for GSM8K's solutions beside a model of any size, whose own params stay as they are, in bfloat16.

python scripts/train.py --config=configs/train_gsm8k_lora.py --config.pretrained.source=Qwen/Qwen2.5-Math-7B \\
    --workdir=runs/gsm8k/lora

The source is a name on the hub, a folder of Hugging Face, a GGUF file, or a run of mathjax. The checkpoints hold the
adapters alone; scripts/convert.py merges them, or hands them to peft.
"""

from mathjax.config import Data, Lora, Mesh, Optimizer, Pretrained, Source, Tokenizer, Train


def get_config():
    shape = {"rows": 56, "length": 512, "objective": "solution", "template": "rft"}
    return Train(
        pretrained=Pretrained(source="Qwen/Qwen2.5-Math-7B", dtype="bfloat16"),
        tokenizer=Tokenizer(kind="pretrained"),
        lora=Lora(rank=16, alpha=32.0),
        data=Data(sources=[Source(path="runs/gsm8k/train_data/records.jsonl")], **shape),
        heldout=Data(sources=[Source(path="runs/gsm8k/test_data/records.jsonl")], **shape),
        optimizer=Optimizer(peak=2e-4, warmup=0.03),
        mesh=Mesh(data=1, fsdp=-1),
        steps=180,
        save_every=60,
        remat="layers",
        keep_best=0,
    )
