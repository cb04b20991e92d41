"""Lines of arithmetic a second on one core, beside reasoning-gym's basic_arithmetic, in one run.

    python scripts/bench/arithmetic.py [--seconds=20]          (needs reasoning-gym: pip install reasoning-gym==0.1.25)
    python scripts/bench/arithmetic.py --check=1000000

Questions are of one size on both sides: two to six terms of one to four digits with + - * /, half of them in brackets,
half the numbers negative. reasoning-gym makes questions and answers in memory, with its default settings and with those
it is fastest with (no division, whose divisors it looks for one by one); mathjax makes what a user gets, files of JSON:
answers alone, and whole chains. All take turns, in one process, and seconds are those of the CPU.

--check makes so many lines of all operators and formats instead, works out every segment with Python's own syntax trees
and fractions, and fails at the first that differs from its question.
"""

import ast
import itertools
import math
import operator
import os
import pathlib
import re
import sys
import tempfile
import time
from collections import Counter
from fractions import Fraction

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
EVERYTHING = [
    config.Expressions(operations=(1, 6), digits=(1, 5), factor_digits=(1, 4), divisor_digits=(1, 3), power=0.5,
                       exponent=(-2, 4), negative=0.2, brackets=0.5, quotient_places=3, limit=24),
    config.Expressions(operations=(1, 6), digits=(1, 4), power=0.5, decimal=1, point=0.3, percent=0.5, negative=0.2,
                       exponent=(-2, 3), brackets=0.5, quotient_places=2, places=(1, 4), limit=24),
    config.Expressions(operations=(1, 5), power=0.5, decimal=0.3, point=0.2, percent=0.3, fraction=1, negative=0.2,
                       exponent=(-2, 2), brackets=0.5, limit=30),
    config.Expressions(operations=(1, 1), digits=(1, 12), factor_digits=(1, 12), divisor_digits=(1, 6), limit=24),
]  # fmt: skip


def main(argv):
    if len(argv) > 1:
        sys.exit(f"{argv[1]!r} is not expected; see {argv[0]} --help")
    if CHECK.value:
        found = check(CHECK.value)
        signs = ", ".join(f"{sign} {count:,}" for sign, count in sorted(found["signs"].items()))
        print(
            f"{found['lines']:,} lines, {found['segments']:,} segments: 0 unequal, each does one operation. With {signs}"
        )
    else:
        compare(SECONDS.value)


def compare(seconds: float):
    """Print what each maker makes in its share of `seconds`."""
    try:
        import reasoning_gym
    except ModuleNotFoundError:
        sys.exit("reasoning-gym, which this compares with, is not installed: pip install reasoning-gym==0.1.25")
    rivals = {"default settings": {}, "fastest settings": {"operators": ["+", "-", "*"]}}
    makers = {
        f"reasoning-gym, {name}": _questions(
            reasoning_gym.create_dataset("basic_arithmetic", seed=0, size=2**40, **chosen)
        )
        for name, chosen in rivals.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        makers |= {f"mathjax, {mode}": _files(mode, pathlib.Path(folder)) for mode in ("direct", "steps")}
        made, spent = Counter(), Counter(dict.fromkeys(makers, 0.0))
        while spent.total() < seconds:
            name = min(spent, key=spent.get)
            began = time.process_time()
            made[name] += next(makers[name])
            spent[name] += time.process_time() - began
    rates = {name: made[name] / spent[name] for name in makers}
    best = max(rates[name] for name in rates if name.startswith("reasoning"))
    print(f"{'on one core':34}{'lines/s':>10}{'ratio':>8}{CORPUS // 10**6:>8}M lines")
    for name, rate in rates.items():
        minutes = CORPUS / rate / 60
        print(f"{name:34}{rate:>10,.0f}{rate / best:>8.2f}{minutes:>12.1f} min")
    print(
        f"ratio: to the faster of reasoning-gym's; {os.cpu_count()} cores of this machine make {CORPUS:,} whole chains in ",
        end="",
    )
    print(f"about {CORPUS / rates['mathjax, steps'] / 60 / os.cpu_count():.0f} minutes")


def check(lines: int) -> dict:
    """Make lines of everything and check each; gives back counts. ValueError at the first wrong one."""
    found = {"lines": 0, "segments": 0, "signs": Counter()}
    with metrics.progress(lines, "check", "lines") as bar:
        for division, parts in (("decimal", EVERYTHING), ("fraction", EVERYTHING[:2])):
            job = config.Arithmetic(parts=parts, train=lines // 2, shards=1, division=division, seed=1)
            config.check(job)
            for line in arithmetic.shard(job, "train", 0, Counter()):
                record = records.parse(line.encode())
                segments = wrong_free(record)
                found["lines"] += 1
                found["segments"] += segments
                found["signs"].update(sign for sign in "+-*/^%.([" if sign in record.question)
                bar.update()
    return found


def wrong_free(record) -> int:
    """How many segments the chain of a record has; ValueError where one is not equal, or does not do one operation."""
    segments = (record.question + record.solution).split("=")
    truth = exact(segments[0])
    for before, after in itertools.pairwise(segments):
        if exact(after) != truth:
            raise ValueError(f"{after} is {exact(after)}, not {truth}: {record}")
        if operations(after) != operations(before) - 1:
            raise ValueError(f"{before} and {after} are not one operation apart: {record}")
    if record.answer != segments[-1] or operations(record.answer):
        raise ValueError(f"the chain does not end in its answer: {record}")
    return len(segments) - 1


def exact(text: str) -> Fraction:
    """The value of an expression by Python's parser and fractions; shares nothing with mathjax."""
    text = re.sub(r"([0-9.]+)%", r"(\1/100)", text.replace("[", "(").replace("]", ")")).replace("^", "**")
    text = re.sub(r"([0-9]*)\.([0-9]+)", lambda found: f"({int(found[1] + found[2])}/{10 ** len(found[2])})", text)
    return _walk(ast.parse(text, mode="eval").body)


def operations(text: str) -> int:
    """How many operations are left to do; a fraction (a/b) in lowest terms is a number."""
    text = re.sub(r"\(-?([0-9]+)/([0-9]+)\)", lambda found: "1" if _is_number(*found.groups()) else found[0], text)
    return len(re.findall(r"(?<=[0-9)\]%])[-+*/^]", text))


def _is_number(a, b):
    return int(b) > 1 and math.gcd(int(a), int(b)) == 1


def _walk(node):
    match node:
        case ast.Constant(value=int()):
            return Fraction(node.value)
        case ast.UnaryOp(op=ast.USub()):
            return -_walk(node.operand)
        case ast.BinOp(op=ast.Pow()):
            return _walk(node.left) ** int(_walk(node.right))
        case ast.BinOp():
            return OPERATORS[type(node.op)](_walk(node.left), _walk(node.right))
    raise ValueError(f"not arithmetic: {ast.dump(node)}")


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


OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


if __name__ == "__main__":
    app.run(main)
