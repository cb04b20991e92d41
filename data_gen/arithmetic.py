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
1/32 of all questions are for test, 1/32 held out. No chain of train holds a question of the other splits, not even as
a later segment. Questions of at most `train_only` characters, as `7*8`, are in train alone: they are the tables that
all else is worked out with, and too few to be learned from a part of them.

**Duplicates.** Example i is a pure function of recipe, split and i. It belongs to shard i modulo the number of shards,
and has a question of that shard's own (the lanes of `expressions`): no two shards share a question, whoever makes them.
A shard keeps the questions it has written, passes over a repeated one and counts it. A part that gives nothing new
`PATIENCE` times in a row has run dry: the shard is filled from the others, and the manifest counts each part's rows. It
is an error if all parts have. Memory: about 150 bytes a row of one shard.
"""

import functools
import hashlib
import pathlib
import zlib
from collections import Counter
from decimal import localcontext

import numpy as np

from data_gen import chains, fan_out
from data_gen.expressions import below, chances, choose, draw, mixed
from mathjax import config, records
from mathjax.records import Record

SPLITS = ("train", "heldout", "test")
FIRST_BLOCK, BLOCK = 1 << 8, 1 << 14  # examples drawn at a time
ATTEMPTS = 300  # draws for one example, before it is given up
PATIENCE = 500

_STEP, _WORDS = 0x9E3779B97F4A7C15, (1 << 64) - 1


def run(job: config.Arithmetic, workdir, workers: int | None = None) -> dict:
    """Write the corpus of a recipe into `workdir` on `workers` processes (None: all cores); gives back the manifest.

    The files are `SPLIT-00000-of-00008.jsonl`, and `manifest.json` holds for each its rows, bytes and sha256, the
    duplicates passed over, the rows of each part, and the speed. A run that was killed goes on where it was.
    """
    shards = [(split, number) for split in SPLITS for number in range(_shards(job, split)) if getattr(job, split)]
    return fan_out.run(
        functools.partial(_write_shard, job, str(workdir)),
        [(_name(job, *shard), shard) for shard in shards],
        workdir,
        recipe=job,
        total=sum(getattr(job, split) for split in SPLITS),
        unit="lines",
        workers=workers,
    )


def example(job: config.Arithmetic, split: str, i: int) -> Record:
    """Example i of a split, from 0 and without end; ValueError where nothing new was found for it."""
    [(part, texts)] = _examples(job, split, np.array([i], np.uint64))
    if texts is None:
        raise ValueError(f"no question of {split} was found for example {i} in {ATTEMPTS} draws from parts[{part}]")
    question, solution, answer = texts
    return Record(question=question, answer=answer, solution=solution, style="arithmetic", source="arithmetic")


def split_of(question: str, train_only: int = 3) -> str:
    """The split whose question this is, wherever it stands; the `=` at its end does not count."""
    question = question.removesuffix("=")
    side = 2 if len(question) <= train_only else _side(question)
    return ("test", "heldout", "train")[min(side, 2)]


def shard(job: config.Arithmetic, split: str, number: int, facts: Counter):
    """The lines of one shard; counts into `facts` the duplicates passed over and the rows of each part."""
    shards = _shards(job, split)
    rows = getattr(job, split) // shards + (number < getattr(job, split) % shards)
    seen, idle, start, block = set(), [0] * len(job.parts), 0, FIRST_BLOCK
    while len(seen) < rows:
        dry = [part for part, times in enumerate(idle) if times >= PATIENCE]
        if len(dry) == len(job.parts):
            raise ValueError(f"no part has a new question after {len(seen)} of {rows}: ask for fewer, or widen a part")
        numbers = np.arange(start, start + block, dtype=np.uint64) * np.uint64(shards) + np.uint64(number)
        start, block = start + block, min(4 * block, BLOCK)
        for part, texts in _examples(job, split, numbers, dry):
            if texts is None or texts[0] in seen:
                idle[part] += 1
                facts["duplicates"] += texts is not None
                continue
            question, solution, answer = texts
            idle[part] = 0
            seen.add(question)
            facts[part] += 1
            yield (
                f'{{"question": "{question}", "answer": "{answer}", "solution": "{solution}", '
                '"style": "arithmetic", "source": "arithmetic"}'
            )
            if len(seen) == rows:
                return


def _write_shard(job, workdir, place):
    split, number = place
    facts = Counter()
    path = pathlib.Path(workdir) / _name(job, split, number)
    rows = records.write_lines(path, shard(job, split, number, facts))
    parts = [facts[part] for part in range(len(job.parts))]
    return {"rows": rows, "duplicates": facts["duplicates"], "parts": parts}


def _examples(job, split, numbers, skipped=()):
    """(part, texts) for each example number, uint64 [B]; texts are (question, solution, answer), or None."""
    seed = hashlib.blake2b(f"{job.seed} {split}".encode(), digest_size=8).digest()
    states = mixed(numbers * np.uint64(_STEP) + np.frombuffer(seed, np.uint64))
    part_chance, operation_chance = chances(states, 2)
    parts = choose(part_chance, [part.weight for part in job.parts])
    lowest, highest = np.array([part.operations for part in job.parts]).T[:, parts]
    operations = lowest + below(operation_chance, highest - lowest + 1)
    lanes = (numbers % np.uint64(_shards(job, split))).astype(np.int64)
    found = [None] * len(numbers)
    with localcontext(chains.EXACT):
        for part, n in sorted(set(zip(parts.tolist(), operations.tolist(), strict=True))):
            if part not in skipped:
                rows = np.flatnonzero((parts == part) & (operations == n))
                _find(job, split, job.parts[part], n, states, lanes, rows, found)
    return zip(parts.tolist(), found, strict=True)


def _find(job, split, part, n, states, lanes, rows, found):
    """Put into `found` the texts for each of `rows`, drawn again until they are of the split."""
    shards = _shards(job, split)
    for attempt in range(1, ATTEMPTS + 1):
        again = mixed(states[rows] + np.uint64(attempt * _STEP & _WORDS))
        left = []
        for row, texts in zip(rows.tolist(), draw(part, n, again, lanes[rows], shards, job.division), strict=True):
            if texts is None or not _belongs(split, *texts[:2], job):
                left.append(row)
            else:
                found[row] = texts if job.mode == "steps" else (texts[0], texts[2], texts[2])
        if not left:
            return
        rows = np.array(left)


def _belongs(split, question, chain, job):
    if split != "train":
        return split_of(question, job.train_only) == split
    shown = question + chain if job.mode == "steps" else question
    for text in shown.split("=")[:-1]:
        if len(text) > job.train_only and _side(text) < 2:
            return False
    return True


def _side(text):
    """From 0 to 31, each as often."""
    return (zlib.crc32(text.encode()) * _STEP & _WORDS) >> 59


def _shards(job, split):
    return job.shards if split == "train" else 1


def _name(job, split, number):
    return f"{split}-{number:05d}-of-{_shards(job, split):05d}.jsonl"
