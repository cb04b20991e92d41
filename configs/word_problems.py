"""20,000 word problems of GSM8K's kind with checked solutions, and 1,000 each that are held out and for test.

    python scripts/make_data.py --config=configs/word_problems.py --workdir=runs/word_problems

1 to 8 steps, whole and decimal numbers; in a quarter of the questions a sentence does not matter. The held-out
questions tell the stories of train with numbers that train never has; those for test tell other stories as well. As
programs: --config.style=pot. Easier: --config.steps=[1,3] --config.distractors=0 --config.decimals=false. Some stories
alone, in all splits: --config.templates=[sent_back,bus_with_stops]. A tokenizer for a model from scratch, learned from
train: --config.vocabulary=1024. 31 seconds of CPU time, on all cores.
"""

from mathjax.config import WordProblems


def get_config():
    return WordProblems(train=20_000)
