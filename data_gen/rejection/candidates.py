"""Completions that were sampled, question by question: stored attempts of mathjax, or RFT's raw generations."""

import bisect
import glob
import itertools
import json
import pathlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from mathjax import files

_SEED = re.compile(r"_([0-9]+)\.json[^_]*$")  # of raw_generation_0.7_12.json


@dataclass(frozen=True)
class Candidate:
    """A completion, which of the samples of its question it is, and whether it was judged right, where it was."""

    text: str
    sample: int
    correct: bool | None = None


def of_attempt(row: dict) -> Candidate:
    """A stored attempt as a candidate."""
    return Candidate(row["completion"], row["sample"], row["verdict"]["correct"])


class Attempts:
    """A file of stored attempts in order: the same number for each question, or any numbers where not `even`."""

    def __init__(self, path: str, questions: int, even: bool = True):
        self.path, self.file, self.even = path, files.lines(path), even
        self.samples, rest = divmod(len(self.file), questions)
        if even and (rest or not self.samples):
            raise ValueError(
                f"{path}: wanted as many attempts at each of {questions:,} questions, found {len(self.file):,} rows"
            )

    def at(self, index: int, question: str, count: int) -> list[Candidate]:
        """The first `count` attempts at question `index`; ValueError where they are at another question."""
        if self.even:
            first = index * self.samples
        else:
            first = bisect.bisect_left(
                range(len(self.file)), index, key=lambda i: json.loads(self._raw(i, 1)[0])["index"]
            )
        rows = [json.loads(line) for line in self._raw(first, count)]
        if not self.even:
            rows = list(itertools.takewhile(lambda row: row["index"] == index, rows))
        for place, row in enumerate(rows):
            if (row["index"], row["sample"]) != (index, place) or row["question"] != question:
                raise ValueError(
                    f"{self.path}, line {first + place + 1}: wanted sample {place} of question {index}, "
                    f"{question[:60]!r}; found {row['sample']} of {row['index']}, {row['question'][:60]!r}"
                )
        return [of_attempt(row) for row in rows]

    def _raw(self, first, count):
        stop = min(first + count, len(self.file))
        return self.file.raw(first, stop) if first < stop else []


class Raw:
    """RFT's files, one for each seed in the order of the seeds: row i holds a completion of question i."""

    def __init__(self, paths: Sequence[str], questions: int):
        self.paths = sorted(paths, key=_seed)
        self.files = [files.lines(path) for path in self.paths]
        self.samples = len(self.files)
        for path, file in zip(self.paths, self.files, strict=True):
            if len(file) != questions:
                raise ValueError(f"{path}: wanted a row for each of {questions:,} questions, found {len(file):,}")

    def at(self, index: int, question: str, count: int) -> list[Candidate]:
        """The completions of question `index` with the first `count` seeds."""
        found = zip(self.paths, self.files, range(count), strict=False)
        return [Candidate(_completion(file.raw(index, index + 1)[0], path, index), i) for path, file, i in found]


def read(path: str, questions: int, even: bool = True) -> Attempts | Raw:
    """The completions in a file of attempts, or in the files of raw generations that a glob finds.

    Attempts are the same number at each question, but where they are not `even`, as adaptive sampling leaves them.
    ValueError names a file without a completion for each question.
    """
    paths = glob.glob(path)
    if not paths:
        raise FileNotFoundError(f"{path}: wanted a file of attempts, or raw generations, found none")
    if len(paths) == 1 and "index" in _first(paths[0]):
        return Attempts(paths[0], questions, even)
    return Raw(paths, questions)


def _first(path):
    found = files.lines(path)
    line = found.raw(0, 1)[0] if len(found) else b"[]"
    try:
        row = json.loads(line)
    except ValueError:
        raise ValueError(
            f"{path}, line 1: wanted a stored attempt, or [[prompt, completion]] of a raw generation, got {line[:80]!r}"
        ) from None
    return row if isinstance(row, dict) else {}


def _seed(path):
    match = _SEED.search(pathlib.Path(path).name)
    return (int(match[1]) if match else 0, path)


def _completion(line, path, index):
    """Of a row `[[prompt, completion]]` or `{"gen": [completion]}`."""
    try:
        row = json.loads(line)
        text = row["gen"][0] if isinstance(row, dict) else row[0][1]
        if not isinstance(text, str):
            raise TypeError
        return text
    except (ValueError, TypeError, KeyError, IndexError):
        raise ValueError(
            f'{path}, line {index + 1}: wanted [[prompt, completion]] or {{"gen": [completion]}}, got {line[:80]!r}'
        ) from None
