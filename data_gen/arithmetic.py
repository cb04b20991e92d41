"""Arithmetic worked out step by step, as MathGLM is trained on (section 2 of arXiv 2309.03241), and exact.

A line is `5+4/2*1=5+2*1=5+2=7`: each segment does one operation of the one before, in order of precedence. The
record's question is `5+4/2*1=`, its solution what follows, its answer `7`.

The published corpus comes from a program that computes with floats, and 1.62% of its lines are wrong or cannot be
read. Here

* nothing is rounded. Integers are exact at any size; the numbers of a division are chosen so that its quotient ends
  (`quotient_places`), or all quotients are fractions `(a/b)` in lowest terms (division="fraction");
* decimals are written out, never as `1e-06`, and without zeros at the end;
* a fraction stays one number until an operation takes it, in one step;
* a negative base of `^` has brackets, `(-5)^2`, since `-5^2` is -25.

A fraction is `(a/b)` in lowest terms and not whole; `(8/4)` is a division in brackets, and no division in brackets
looks like a fraction.

**Splits.** To which split a question may go depends on its text alone (`split_of`), in every corpus, whatever its seed:
one in 37 is for test, one held out. No chain of train holds a question of the other splits, not even as
a later segment. Questions of at most `train_only` characters, as `7*8`, are in train alone: they are the tables that
all else is worked out with, and too few to be learned from a part of them.

**Duplicates.** Example i is a pure function of recipe, split and i. It belongs to shard i modulo the number of shards,
and has a question of that shard's own (the lanes of `expressions`): no two shards share a question, whoever makes them.
A shard keeps the questions it has written, passes over a repeated one and counts it. A part that gives nothing new
`PATIENCE` times in a row has run dry: the shard is filled from the others, and the manifest counts each part's rows. It
is an error if all parts have. Memory: about 150 bytes a row of one shard.
"""

import functools
import pathlib
from collections import Counter
from collections.abc import Iterator
from decimal import localcontext
from zlib import crc32

import numpy as np

from data_gen import chains, chance, fan_out
from data_gen.expressions import lines, shapes
from mathjax import config, records
from mathjax.records import Record

NAME = "arithmetic"
SPLITS = ("train", "heldout", "test")
HOLDOUT = 37  # one question of so many is for test, one held out
FIRST_BLOCK, BLOCK = 1 << 10, 1 << 16  # examples drawn at a time
ATTEMPTS = 300  # draws for one example, before it is given up
SHAPE_ATTEMPTS = 16  # of them with one shape, and shapes drawn for a run
RUN, RUNS = 32, 64  # examples of one shape; runs that take turns
PATIENCE = 500  # examples in a row without a new question, before a part counts as dry


def run(job: config.Arithmetic, workdir, workers: int | None = None) -> dict:
    """Write the corpus of a recipe into `workdir` on `workers` processes (None: all cores); gives back the manifest.

    The files are `SPLIT-00000-of-00008.jsonl`, and `manifest.json` holds for each its rows, bytes and sha256, the
    duplicates passed over, the rows of each part, and the speed. A run that was killed goes on where it was.
    """
    shards = [(split, number) for split in SPLITS for number in range(_shards(job, split)) if getattr(job, split)]
    return fan_out.run(
        functools.partial(_write_shard, job, pathlib.Path(workdir)),
        [(_name(job, *shard), shard) for shard in shards],
        workdir,
        recipe=job,
        total=sum(getattr(job, split) for split in SPLITS),
        unit="lines",
        workers=workers,
    )


def example(job: config.Arithmetic, split: str, i: int) -> Record:
    """Example i of a split, from 0 and without end; ValueError where none was found in `ATTEMPTS` draws."""
    [(part, line)] = _lines(job, split, np.array([i], np.uint64))
    if line is None:
        raise ValueError(f"example {i} of {split}: {ATTEMPTS} draws from parts[{part}] gave no question for it")
    question, _, solution = line.partition("=")
    answer = solution.rpartition("=")[2]
    return Record(question=question + "=", answer=answer, solution=solution, style=NAME, source=NAME)


def split_of(question: str, train_only: int = 3) -> str:
    """The split whose question this is, in every corpus; the `=` at its end does not count."""
    question = question.removesuffix("=")
    return "train" if len(question) <= train_only else _split(question.encode())


def shard(job: config.Arithmetic, split: str, number: int, facts: Counter) -> Iterator[str]:
    """The lines of JSON of one shard; counts into `facts` the duplicates passed over and the rows of each part."""
    count = _shards(job, split)
    rows = getattr(job, split) // count + (number < getattr(job, split) % count)
    seen, idle, start, block = set(), [0] * len(job.parts), 0, FIRST_BLOCK
    while len(seen) < rows:
        dry = [part for part, times in enumerate(idle) if times >= PATIENCE]
        if len(dry) == len(idle):
            raise ValueError(f"no part has a new question after {len(seen)} of {rows}: ask for fewer, or widen a part")
        numbers = np.arange(start, start + block, dtype=np.uint64) * np.uint64(count) + np.uint64(number)
        for part, line in _lines(job, split, numbers, dry):
            question, _, solution = (line or "").partition("=")
            if not line or question in seen:
                idle[part] += 1
                facts["duplicates"] += line is not None
                continue
            idle[part] = 0
            facts[part] += 1
            seen.add(question)
            yield (
                f'{{"question": "{question}=", "answer": "{solution.rpartition("=")[2]}", "solution": "{solution}", '
                f'"style": "{NAME}", "source": "{NAME}"}}'
            )
            if len(seen) == rows:
                return
        start, block = start + block, min(4 * block, BLOCK, rows - len(seen) + FIRST_BLOCK)


def _write_shard(job, workdir, place):
    facts = Counter()
    rows = records.write_lines(workdir / _name(job, *place), shard(job, *place, facts))
    return {"rows": rows, "duplicates": facts["duplicates"], "parts": [facts[i] for i in range(len(job.parts))]}


def _lines(job, split, numbers, skipped=()):
    """(part, line) for each example number, uint64 [B]; line is `question=step=..=answer`, or None."""
    runs = _runs(job, split, numbers)
    part_draws, operation_draws = chance.draws(chance.states(chance.key(job.seed, split, "run"), runs), 2)
    parts = chance.choose(part_draws, [part.weight for part in job.parts])
    lowest, highest = np.array([part.operations for part in job.parts]).T[:, parts]
    operations = lowest + chance.below(operation_draws, highest - lowest + 1)
    found = [None] * len(numbers)
    with localcontext(chains.EXACT):
        for part, n in sorted(set(zip(parts.tolist(), operations.tolist(), strict=True))):
            if part not in skipped:
                rows = np.flatnonzero((parts == part) & (operations == n))
                rows = rows[np.argsort(runs[rows], kind="stable")]
                _find(job, split, job.parts[part], n, runs, numbers, rows, found)
    return zip(parts.tolist(), found, strict=True)


def _runs(job, split, numbers):
    """The run of each example: those of a run have one shape, and are among others."""
    if split != "train":
        return numbers
    block, place = np.divmod(numbers // np.uint64(job.shards), np.uint64(RUN * RUNS))
    return (block * np.uint64(RUNS) + place % np.uint64(RUNS)) * np.uint64(job.shards) + numbers % np.uint64(job.shards)


def _find(job, split, part, n, runs, numbers, rows, found):
    """Put into `found` a line for each of `rows`, given in the order of runs: drawn again until it is of the split."""
    count = _shards(job, split)
    states = chance.states(chance.key(job.seed, split), numbers)
    for attempt in range(ATTEMPTS):
        if attempt % SHAPE_ATTEMPTS == 0 and len(rows):
            found_shapes, places, rows = _shapes(job, split, part, n, runs, rows, attempt)
        if not len(rows):
            return
        again = chance.mixed(states[rows] + np.uint64((attempt + 1) * chance.STEP % 2**64))
        drawn = lines(part, found_shapes, places, again, numbers[rows] % np.uint64(count), count)
        kept = []
        for row, line in zip(rows.tolist(), drawn, strict=True):
            useful = line is not None and _belongs(split, line, job.train_only)
            kept.append(not useful)
            if useful:
                found[row] = line
        rows, places = rows[kept], places[kept]


def _shapes(job, split, part, n, runs, rows, attempt):
    """Shapes for the runs of `rows`; which of them each row has; and the rows, less those whose run got none."""
    names, places = np.unique(runs[rows], return_inverse=True)
    found = dict.fromkeys(range(len(names)))
    for again in range(SHAPE_ATTEMPTS):
        left = [name for name, shape in found.items() if shape is None]
        if left:
            states = chance.states(chance.key(job.seed, split, "shape", attempt, again), names[left])
            drawn = shapes(part, n, states, steps=job.mode == "steps", division=job.division)
            found.update(zip(left, drawn, strict=True))
    there = [name for name, shape in found.items() if shape]
    numbers = np.full(len(names), -1)
    numbers[there] = np.arange(len(there))
    kept = numbers[places] >= 0
    return [found[name] for name in there], numbers[places][kept], rows[kept]


def _belongs(split, line, train_only):
    """Whether the question is of the split; and, for train, each segment in which something is left to do."""
    segments = line.encode().split(b"=")
    if split != "train":
        return len(segments[0]) > train_only and _split(segments[0]) == split
    for segment in segments[:-1]:
        if crc32(segment) % HOLDOUT < 2 and len(segment) > train_only:
            return False
    return True


def _split(question):
    return ("test", "heldout", "train")[min(crc32(question) % HOLDOUT, 2)]


def _shards(job, split):
    return job.shards if split == "train" else 1


def _name(job, split, number):
    return f"{split}-{number:05d}-of-{_shards(job, split):05d}.jsonl"
