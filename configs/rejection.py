"""Rejection sampling as in RFT (2308.01825): 100 solutions of each question of GSM8K, the right and distinct ones kept.

    python scripts/make_data.py --config=configs/rejection.py --config.samples[0].model=runs/gsm8k/train --workdir=DIR

The model is a run of mathjax, a folder of Hugging Face, a GGUF file or a name on the hub. Completions that are there
already take its place: --config.samples[0].model= --config.samples[0].path=FILES. Filtering and choosing 747,300 of
them takes a minute and a half on two cores. Needs rapidfuzz: pip install -e '.[data]'
"""

from mathjax.config import Rejection, Samples, Sampling


def get_config():
    return Rejection(
        questions="runs/gsm8k/train_data/records.jsonl",
        samples=[Samples(name="sft", model="runs/gsm8k/train")],
        sampling=Sampling(temperature=0.7, top_k=50, max_tokens=256, samples=100),
    )
