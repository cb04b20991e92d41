"""Attempts on disk: stored as they come, gone on with after a crash, in order when all are there."""

import contextlib
import dataclasses
import errno
import fcntl
import heapq
import itertools
import json
import os
import pathlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence

from mathjax import files
from mathjax.records import Record
from mathjax.solve.attempt import Asked, Attempt
from mathjax.solve.tally import Tally, progress

MISSING = -1  # where a row is that is not there
PLACES = 4  # of a log-probability that is stored: what comes after depends on the batch it was computed in


def row(attempt: Attempt) -> dict:
    """An attempt as it is stored; without what differs from run to run, as the time it took to judge."""
    told = attempt.completion.log_probabilities
    verdict = {field.name: getattr(attempt.verdict, field.name) for field in dataclasses.fields(attempt.verdict)}
    return {
        "index": attempt.index,
        "sample": attempt.sample,
        "question": attempt.record.question,
        "completion": attempt.text,
        "finish": attempt.completion.finish,
        "tokens": attempt.tokens,
        "log_probability": None if told is None else round(float(sum(told)), PLACES),
        "verdict": {name: value for name, value in verdict.items() if name != "seconds"},
    }


def stored(
    path,
    settings: dict,
    records: Iterable[Record],
    samples: int,
    attempts: Callable[[Iterable[Asked]], Iterator[Attempt]],
    *,
    numbers: Sequence[int] | None = None,
    begin: int = 0,
    row: Callable[[Attempt], dict] = row,
    anew: bool = False,
    description: str = "solving",
) -> Iterator[dict]:
    """The rows of `samples` attempts at each record, in order, from `path` (.jsonl) as far as they are there.

    The others are made by `attempts`, which is not called where nothing is missing, and draws records as it has room.
    Each is appended and flushed as it comes, in any order, so a killed process loses what was being completed and
    nothing else; when all are there the file is put in order, and has the same bytes whatever happened before. Rows are
    given out from disk: in memory are 8 bytes for each. A last row cut by a crash is dropped and asked again.

    A file may hold a part of more work: then `numbers` are those of its records there, which rise (None: 0, 1, ..), and
    its samples are counted from `begin`. `merge` makes one file of several.

    `settings`, whatever JSON can hold, says what the attempts depend on. They stand in the file beside, `about(path)`.
    For rows of other settings, `anew` removes them; otherwise ValueError says which differ. More samples than are there
    are asked for, fewer are an error. BlockingIOError if another process writes this file.
    """
    path, settings = pathlib.Path(path), json.loads(json.dumps(settings))
    if path.suffix != ".jsonl":
        raise ValueError(f"{path}: attempts are stored in a file that ends in .jsonl")
    with _locked(path) as file:
        _settle(path, file, settings, anew)
        rows = _Rows(path, file, samples, numbers, begin)
        yield from rows.following()
        missing = _missing(records, rows)
        if (first := next(missing, None)) is not None:
            _write(_beside(path), {"settings": settings, "complete": False})
            with progress(records, samples, description, rows.told) as tally:
                for attempt in attempts(itertools.chain([first], missing)):
                    rows.add(attempt.index, attempt.sample, row(attempt))
                    tally.add(attempt.verdict.correct, attempt.tokens)
                    yield from rows.following()
            cost = tally.cost()
        elif about(path)["complete"]:
            return
        else:
            cost = Tally(None, rows.told).cost()
        rows.sort()
        done = {"settings": settings, "complete": True, "sha256": files.digest(path), "cost": cost}
        _write(_beside(path), done)
        yield from rows.following()


def merge(path, parts: Sequence):
    """Write the rows of complete files into `path`, by the numbers of their records and samples, whole or not at all.

    Each row is in one of them, and they are of one settings; those stand in the file beside, as if `stored` had made
    it, and so does what they cost together. ValueError names a part that is not complete, or of other settings.
    """
    told = [about(part) for part in parts]
    for part, one in zip(parts, told, strict=True):
        if not one.get("complete"):
            raise ValueError(f"{part}: only complete files of attempts are merged")
        if one["settings"] != told[0]["settings"]:
            raise ValueError(f"{part}: other attempts: {_differing(told[0]['settings'], one['settings'])}")
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(pathlib.Path(part).open("rb")) for part in parts]
        with files.whole(path) as file:
            for line in heapq.merge(*opened, key=_place):
                file.write(line)
    costs = [one["cost"] for one in told]
    cost = {name: sum(one[name] for one in costs) for name in ("attempts", "correct", "tokens", "seconds")}
    cost["tokens_per_second"] = cost["tokens"] / max(cost["seconds"], 1e-9)
    done = {"settings": told[0]["settings"], "complete": True, "sha256": files.digest(path), "cost": cost}
    _write(_beside(pathlib.Path(path)), done)


def about(path) -> dict:
    """What the file beside the rows at `path` says: `settings`, `complete`, and when it is, `sha256` and `cost`.

    `cost` has attempts, correct ones and tokens, and of the last run seconds and tokens per second. {} where none is.
    """
    beside = _beside(pathlib.Path(path))
    return json.loads(beside.read_text()) if beside.exists() else {}


def _missing(records, rows):
    """What is to be asked, in the order of the records."""
    count = 0
    for count, record in enumerate(records, start=1):
        index = count - 1 if rows.numbers is None else rows.numbers[count - 1]
        samples = tuple(sample for sample in rows.range if not rows.has(index, sample))
        if samples:
            yield Asked(index, record, None if samples == tuple(range(rows.samples)) else samples)
    if len(rows.places) > count * rows.samples:
        raise ValueError(f"{rows.path} has rows of {len(rows.places) // rows.samples} records, {count} are asked")


def _place(line):
    row = json.loads(line)
    return row["index"], row["sample"]


class _Rows:
    """The rows of a file that is appended to, each found by the number of its record and its sample."""

    def __init__(self, path, file, samples, numbers, begin):
        self.path, self.file, self.samples, self.numbers = path, file, samples, numbers
        self.range = range(begin, begin + samples)
        self.places_of = None if numbers is None else {index: place for place, index in enumerate(numbers)}
        self.places = array("q")  # where the row of each attempt begins, in order
        self.told = [0, 0, 0]  # attempts, correct ones and tokens that are there
        self.turn = self.end = 0
        file.seek(0)
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                file.truncate(self.end)
                break
            self._scan(number, line)
            self.end += len(line)

    def _scan(self, number, line):
        where = f"{self.path}, line {number}"
        try:
            found = json.loads(line)
            index, sample, verdict = found["index"], found["sample"], found.get("verdict") or {}
        except (ValueError, TypeError, KeyError, AttributeError):
            raise ValueError(f"{where}: a stored attempt has index and sample, got {line[:80]!r}") from None
        if sample not in self.range:
            least = f" from {self.range.start}" if self.range.start else ""
            raise ValueError(f"{where}: sample {sample} is there, and {self.samples} samples{least} are asked")
        if self.places_of is not None and index not in self.places_of:
            raise ValueError(f"{where}: an attempt at record {index} is there, which is not asked")
        self._put(index, sample, self.end)
        for i, value in enumerate((1, bool(verdict.get("correct")), found.get("tokens") or 0)):
            self.told[i] += value

    def has(self, index, sample):
        turn = self._turn(index, sample)
        return turn < len(self.places) and self.places[turn] != MISSING

    def add(self, index, sample, row):
        data = json.dumps(row).encode() + b"\n"
        self.file.seek(0, os.SEEK_END)
        self.file.write(data)
        self.file.flush()
        self._put(index, sample, self.end)
        self.end += len(data)

    def following(self):
        """The rows whose turn it is."""
        while self.turn < len(self.places) and self.places[self.turn] != MISSING:
            self.turn += 1
            yield json.loads(self._line(self.turn - 1))

    def sort(self):
        """Put a file in order in the place of this one, whole or not at all; this one can still be read."""
        if not all(map(int.__lt__, self.places, self.places[1:])):
            with files.whole(self.path) as file:
                for turn in range(len(self.places)):
                    file.write(self._line(turn))

    def _line(self, turn):
        self.file.seek(self.places[turn])
        return self.file.readline()

    def _put(self, index, sample, place):
        turn = self._turn(index, sample)
        self.places.extend(itertools.repeat(MISSING, turn + 1 - len(self.places)))
        self.places[turn] = place

    def _turn(self, index, sample):
        return (index if self.places_of is None else self.places_of[index]) * self.samples + sample - self.range.start


@contextlib.contextmanager
def _locked(path):
    """The file at `path`, to be read and appended to by one process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BlockingIOError(f"{path}: another process is writing this file") from None
        except OSError as error:
            if error.errno not in (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK):  # of file systems that have no locks
                raise
        yield file


def _settle(path, file, settings, anew):
    """Let the file beside say what the rows are of; ValueError for rows of other settings that are to stay."""
    there, rows = about(path), os.fstat(file.fileno()).st_size
    if there.get("settings") == settings:
        return
    if rows and not anew:
        raise ValueError(f"{path} holds attempts of other settings: {_differing(there.get('settings'), settings)}")
    file.truncate(0)
    _write(_beside(path), {"settings": settings, "complete": False})


def _differing(there, here):
    if not isinstance(there, dict):
        return "none are written beside it"
    there, here = dict(_flat(there)), dict(_flat(here))
    return "; ".join(
        f"{name} is {there.get(name, 'not set')} there, {here.get(name, 'not set')} now"
        for name in sorted(there.keys() | here.keys())
        if there.get(name) != here.get(name)
    )


def _flat(settings, path=""):
    """(name, value) of each single setting."""
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{path}{name}.")
        else:
            yield path + name, json.dumps(value)


def _beside(path):
    return path.with_suffix(".json")


def _write(path, what):
    with files.whole(path) as file:
        file.write(json.dumps(what, indent=2).encode() + b"\n")
