"""SmolLM2-135M learns GSM8K's solutions, with RFT's hyper-parameters (2308.01825, section 1.4 of its appendix).

python scripts/train.py --config=configs/train_gsm8k_smollm2.py --workdir=runs/gsm8k/train
"""

from mathjax.config import Data, Optimizer, Pretrained, Source, Tokenizer, Train


def get_config():
    shape = {"length": 512, "objective": "solution", "template": "rft"}
    return Train(
        pretrained=Pretrained(source="runs/gsm8k/SmolLM2-135M-Instruct.Q4_1.gguf"),
        tokenizer=Tokenizer(kind="pretrained"),
        data=Data(sources=[Source(path="runs/gsm8k/train_data/records.jsonl")], rows=56, **shape),
        heldout=Data(sources=[Source(path="runs/gsm8k/test_data/records.jsonl")], rows=56, **shape),
        heldout_batches=8,
        optimizer=Optimizer(peak=2e-5, warmup=0.03),
        steps=180,
        save_every=60,
        keep_best=0,
    )
