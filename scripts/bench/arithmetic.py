"""Lines of arithmetic a second on one core, beside reasoning-gym's basic_arithmetic, in one run.

    python scripts/bench/arithmetic.py [--seconds=20]          (needs reasoning-gym: pip install reasoning-gym==0.1.25)
    python scripts/bench/arithmetic.py --check=1000000

Questions are of one size on both sides: two to six terms of one to four digits with + - * /, half of them in brackets,
half the numbers negative. reasoning-gym makes questions and answers in memory, with its default settings and with those
it is fastest with (no division, whose divisors it looks for one by one); mathjax what a user gets, files of JSON, with
answers alone and with whole chains. They take turns in one process; seconds are those of the CPU, from a cold start.

--check makes so many lines of all operators and formats instead, works out every segment with Python's own syntax trees
and fractions, and fails at the first that differs from its question.
"""

import itertools
import os
import pathlib
import sys
import tempfile
import time
from collections import Counter

import exact
from absl import app, flags

from data_gen import arithmetic
from mathjax import config, metrics, records

SECONDS = flags.DEFINE_float("seconds", 20, "how long to measure, all makers together")
CHECK = flags.DEFINE_integer("check", 0, "lines to check; 0: measure")

CORPUS = 50_000_000  # lines of MathGLM's
TURN = 10_000  # lines of mathjax in a turn

ALIKE = config.Expressions(
    operations=(1, 5), digits=(1, 4), factor_digits=(1, 4), divisor_digits=(1, 4), negative=0.5, brackets=0.5, limit=24
)
POWERS = dict(power=0.5, exponent=(-2, 3), negative=0.2, brackets=0.5, limit=30)
EVERYTHING = [
    config.Expressions(operations=(1, 6), digits=(1, 5), divisor_digits=(1, 3), quotient_places=3, **POWERS),
    config.Expressions(
        operations=(1, 6), decimal=1, point=0.3, percent=0.5, places=(1, 4), quotient_places=2, **POWERS
    ),
    config.Expressions(operations=(1, 5), decimal=0.3, point=0.2, percent=0.3, fraction=1, **POWERS),
    config.Expressions(
        operations=(1, 1), digits=(1, 12), factor_digits=(1, 12), divisor_digits=(1, 6), limit=24, negative=0.1
    ),
]


def main(argv):
    if len(argv) > 1:
        sys.exit(f"{argv[1]!r} is not expected; see {argv[0]} --help")
    if CHECK.value:
        check(CHECK.value)
    else:
        compare(SECONDS.value)


def compare(seconds: float):
    """Print what each maker makes, having had the same share of `seconds`."""
    try:
        import reasoning_gym
    except ModuleNotFoundError:
        sys.exit("reasoning-gym, which this compares with, is not installed: pip install reasoning-gym==0.1.25")
    endless = dict(seed=0, size=1 << 40)
    rivals = {"default settings": endless, "fastest settings": dict(operators=["+", "-", "*"], **endless)}
    rivals = {name: reasoning_gym.create_dataset("basic_arithmetic", **chosen) for name, chosen in rivals.items()}
    makers = {f"reasoning-gym, {name}": _questions(data) for name, data in rivals.items()}
    with tempfile.TemporaryDirectory() as folder:
        makers |= {f"mathjax, {mode}": _files(mode, pathlib.Path(folder)) for mode in ("direct", "steps")}
        made, spent = Counter(), Counter(dict.fromkeys(makers, 0.0))
        while spent.total() < seconds:
            name = min(spent, key=spent.get)
            began = time.process_time()
            made[name] += next(makers[name])
            spent[name] += time.process_time() - began
    rates = {name: made[name] / spent[name] for name in makers}
    best = max(rates[name] for name in rates if name.startswith("reasoning-gym"))
    print(f"{'on one core':34}{'lines/s':>10}{'ratio':>8}{CORPUS // 10**6:>8}M lines")
    for name, rate in rates.items():
        print(f"{name:34}{rate:>10,.0f}{rate / best:>8.2f}{CORPUS / rate / 60:>12.1f} min")
    cores = os.cpu_count()
    minutes = CORPUS / rates["mathjax, steps"] / 60 / cores
    print(f"ratio: to the faster of reasoning-gym's. {CORPUS:,} whole chains on {cores} cores: {minutes:.0f} minutes")


def check(lines: int):
    """Make lines of everything, judge each, and print how many; ValueError at the first wrong one."""
    segments, signs = 0, Counter()
    with metrics.progress(lines, "check", "lines") as bar:
        for division, parts, share in (("decimal", EVERYTHING, 0.75), ("fraction", EVERYTHING[:2], 0.25)):
            job = config.Arithmetic(parts=parts, train=max(int(lines * share), 1), shards=1, division=division)
            config.check(job)
            for line in arithmetic.shard(job, "train", 0, Counter()):
                record = records.parse(line.encode())
                segments += exact.judge(record.question, record.solution, record.answer)
                signs.update(sign for sign in "+-*/^%.([" if sign in record.question)
                bar.update()
    print(f"{lines:,} lines, {segments:,} segments: all equal to their questions, and each does one operation")
    print("questions that hold", ", ".join(f"{sign}: {count:,}" for sign, count in signs.most_common()))


def _questions(data):
    """Make questions and answers; yields how many."""
    for start in itertools.count(0, 500):
        for i in range(start, start + 500):
            data[i]
        yield 500


def _files(mode, folder):
    """Write files of a corpus as large as MathGLM's; yields how many lines each has."""
    job = config.Arithmetic(parts=[ALIKE], train=CORPUS, shards=64, mode=mode)
    lines = arithmetic.shard(job, "train", 0, Counter())
    while True:
        yield records.write_lines(folder / f"{mode}.jsonl", itertools.islice(lines, TURN))


if __name__ == "__main__":
    app.run(main)
