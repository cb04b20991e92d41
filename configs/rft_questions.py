"""The questions of the small RFT story: few to learn from, and 300 with numbers that none of those has, for test.

    python scripts/make_data.py --config=configs/rft_questions.py --config.seed=1 --workdir=runs/rft/questions

They tell the stories of configs/rft_corpus.py, each solved in one of its two to three ways.
"""

from mathjax.config import WordProblems

STORIES = ["market_two_goods", "times_as_many", "two_presents_shared", "bus_with_stops"]


def get_config():
    return WordProblems(
        seed=1,
        train=150,
        heldout=300,
        test=0,
        shards=1,
        templates=STORIES,
        numbers=0.5,
        decimals=False,
        distractors=0.0,
    )
