"""A public data set as records: the training set of GSM8K, with its row count checked.

python scripts/make_data.py --config=configs/public_data.py --config.path=gsm8k/train.jsonl --workdir=DIR

Another one by its name, here with rows that are not of the published form set apart:

python scripts/make_data.py --config=configs/public_data.py --config.name=metamathqa \\
    --config.path=hub:meta-math/MetaMathQA/MetaMathQA-395K.json --config.revision=main \\
    --config.on_malformed=quarantine --workdir=DIR

GSM8K takes a second.
"""

from mathjax.config import PublicData


def get_config():
    return PublicData(name="gsm8k", path="../shared/data/gsm8k/train.jsonl", split="train")
