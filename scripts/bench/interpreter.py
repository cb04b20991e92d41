"""Programs a second on one core: the restricted interpreter beside exec in one process, which isolates nothing.

    python scripts/bench/interpreter.py [--seconds=20] [--data=../shared/data]
    python scripts/bench/interpreter.py --check

Programs are those that models wrote, as recorded in the public data sets (`outputs/`), each made to print its answer.
Both run all that the interpreter accepts, in turns, in one process; seconds are those of the CPU.

--check runs every accepted program in CPython too, in a child with limits, compares what is printed and the exception,
and fails at the first file with a difference.
"""

import contextlib
import io
import itertools
import pathlib
import sys
import time
from collections import Counter

import cpython
import recorded
from absl import app, flags

from mathjax.sandbox import programs
from mathjax.sandbox.interpreter import interpret

SECONDS = flags.DEFINE_float("seconds", 20, "how long to measure, both together")
DATA = flags.DEFINE_string("data", "../shared/data", "the folder of public data sets")
CHECK = flags.DEFINE_bool("check", False, "compare with CPython instead of measuring")

TURN = 500  # programs


def main(argv):
    if len(argv) > 1:
        sys.exit(f"{argv[1]!r} is not expected; see {argv[0]} --help")
    found = [(name, programs.runnable(text)) for name, text in recorded.recorded(pathlib.Path(DATA.value))]
    if not found:
        sys.exit(f"{DATA.value}/outputs holds no programs; see --data")
    if CHECK.value:
        check(found)
    else:
        compare(found, SECONDS.value)


def compare(found: list[tuple[str, str]], seconds: float):
    """Print how many programs a second each way does, having had the same share of `seconds`."""
    accepted = [text for _, text in found if interpret(text) is not None]
    tora = {text for name, text in found if "_tora_" in name}
    groups = {"all accepted": accepted, "ToRA's on GSM8K": [text for text in accepted if text in tora]}
    print(f"{len(found):,} programs, {len(accepted):,} accepted")
    print(f"{'on one core':20}{'interpreter/s':>15}{'exec/s':>10}{'slowest, ms':>13}")
    for name, texts in groups.items():
        rates, slowest = _rates(texts, seconds / len(groups))
        print(f"{name:20}{rates[interpret]:>15,.0f}{rates[_execute]:>10,.0f}{1000 * slowest:>13.1f}")


def check(found: list[tuple[str, str]]):
    """Print, by file, how many programs there are, are accepted, and differ from CPython; exit where some do."""
    print(f"{'file':44}{'programs':>10}{'accepted':>10}{'printed':>10}{'differ':>8}")
    for name, group in itertools.groupby(found, key=lambda one: one[0]):
        texts = [text for _, text in group]
        ours = [(text, interpret(text)) for text in texts]
        ours = [(text, result) for text, result in ours if result is not None]
        theirs = cpython.outcomes([text for text, _ in ours])
        pairs = zip(ours, theirs, strict=True)
        wrong = [text for (text, result), other in pairs if (result.printed, result.error) != other]
        printed = sum(bool(result.printed) for _, result in ours)
        print(f"{name:44}{len(texts):>10,}{len(ours):>10,}{printed:>10,}{len(wrong):>8}")
        if wrong:
            sys.exit(f"the first that differs:\n{wrong[0]}")


def _rates(texts, seconds):
    """Programs a second of each way, and the seconds of the interpreter's slowest."""
    done, spent, slowest = Counter(), Counter({interpret: 0.0, _execute: 0.0}), 0.0
    turns = {way: itertools.cycle(texts) for way in spent}
    while spent.total() < seconds:
        way = min(spent, key=spent.get)
        for text in itertools.islice(turns[way], TURN):
            began = time.process_time()
            way(text)
            took = time.process_time() - began
            spent[way] += took
            done[way] += 1
            if way is interpret:
                slowest = max(slowest, took)
    return {way: done[way] / spent[way] for way in spent}, slowest


def _execute(text):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Exception):
        exec(compile(text, "<program>", "exec"), {"__name__": "__main__"})


if __name__ == "__main__":
    app.run(main)
