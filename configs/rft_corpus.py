"""8,000 solved word problems of four stories, from which the base of the small RFT story is made, and a tokenizer.

python scripts/make_data.py --config=configs/rft_corpus.py --workdir=runs/rft/corpus
"""

from mathjax.config import WordProblems

STORIES = ["market_two_goods", "times_as_many", "two_presents_shared", "bus_with_stops"]


def get_config():
    return WordProblems(
        train=8_000,
        heldout=300,
        test=0,
        shards=2,
        templates=STORIES,
        numbers=0.5,
        decimals=False,
        distractors=0.0,
        vocabulary=512,
    )
