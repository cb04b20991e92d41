"""Records without duplicates, and without the questions of GSM8K's test.

    python scripts/make_data.py --config=configs/filters.py --config.sources=runs/rft/train-*.jsonl --workdir=DIR

What is dropped goes to dropped.jsonl, with the reason and what it was like. About 6,000 records a second; with
--config.near=0.8, which also knows near duplicates (needs datasketch: pip install -e '.[data]'), 1,000.
"""

from mathjax.config import Filter


def get_config():
    return Filter(sources=["runs/rft/train-*.jsonl"], against=["runs/gsm8k/test_data/records.jsonl"])
