"""Rejection sampling as in RFT (2308.01825): 100 solutions of each question of GSM8K, the right and distinct ones kept.

    python scripts/make_data.py --config=configs/rejection.py --config.samples[0].model=runs/gsm8k/train --workdir=DIR

The model is a run of mathjax, a folder of Hugging Face, a GGUF file or a name on the hub. Completions that are there
already take its place: --config.samples[0].model= --config.samples[0].path=FILES. Filtering and choosing 747,300 of
them takes a minute and a half on two cores. Needs rapidfuzz: pip install -e '.[data]'

With --config.on=ray each host of a Ray cluster has an engine of its own and takes pieces of the questions, as many as
--config.shards; the attempts are those of one machine. A model that is larger than a device: --config.mesh.data=1
--config.mesh.fsdp=-1 --config.dtype=bfloat16.

--config.adaptive.round=4 takes 4 samples at a time and leaves a question when --config.adaptive.patience=2 rounds in a
row brought no new path; --config.adaptive.most=400 goes on so far with those that are not solved. Over samples that are
there already, k of each question, it tells what it saves at equal distinct paths: in the small story of scripts/rft.sh
(150 questions, k=16, rounds of 2, three seeds) 10%, 5% and -3%, as its questions have about as many paths each.
"""

from mathjax.config import Rejection, Samples, Sampling


def get_config():
    return Rejection(
        questions="runs/gsm8k/train_data/records.jsonl",
        samples=[Samples(name="sft", model="runs/gsm8k/train")],
        sampling=Sampling(temperature=0.7, top_k=50, max_tokens=256, samples=100),
    )
