"""Records: questions as they lie on disk, perhaps with answer and solution, one JSON object each.

The suffix of a file is its format: `.jsonl`, `.jsonl.gz` or `.arrayrecord` (see `files`).
"""

import bisect
import itertools
import json
import math
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from mathjax import files

STYLES = ("cot", "pot", "arithmetic", "choice")

NOTHING = type(None)
KINDS = {  # of a record's fields: what JSON can hold, and nothing derived from it
    "question": (str,),
    "answer": (str, NOTHING),
    "solution": (str, NOTHING),
    "style": (str,),
    "source": (str,),
    "parent": (str, NOTHING),
    "maker": (str, NOTHING),
    "round": (int, NOTHING),
    "score": (float, int, NOTHING),
    "step_labels": (tuple, NOTHING),
    "options": (tuple, NOTHING),
    "extra": (dict,),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """A question, and what is known of it. TypeError or ValueError names a field that cannot be what it is."""

    question: str
    answer: str | None = None  # the final answer alone
    solution: str | None = None  # the text or program that leads to it
    style: str = "cot"  # how the solution is written: one of STYLES
    source: str = ""  # the data set it comes from
    parent: str | None = None  # what it was made from, by whom, and in which round
    maker: str | None = None
    round: int | None = None
    score: float | None = None
    step_labels: tuple[int, ...] | None = None  # one for each step of the solution
    options: tuple[str, ...] | None = None  # of a choice, in the order of their letters
    extra: dict = field(default_factory=dict, hash=False)  # anything else that JSON can hold

    def __post_init__(self):
        for name, kinds in KINDS.items():
            if type(getattr(self, name)) not in kinds:
                wanted = " or ".join(kind.__name__ for kind in kinds).replace("NoneType", "nothing")
                raise TypeError(f"{name} must be {wanted}, got {getattr(self, name)!r}")
        if self.style not in STYLES:
            raise ValueError(f"style must be one of {', '.join(STYLES)}; got {self.style!r}")
        if self.score is not None and not math.isfinite(self.score):
            raise ValueError(f"score must be finite, got {self.score}")
        for name, kind in (("step_labels", int), ("options", str)):
            for part in getattr(self, name) or ():
                if type(part) is not kind:
                    raise TypeError(f"{name} must hold {kind.__name__} only, got {part!r}")


def read(path) -> "Records":
    """The records of a file, or of all files that a glob matches, in the order of their names.

    Nothing but the places of the lines is kept in memory; a line is parsed when it is asked for, and ValueError names
    file and line where it is no record. FileNotFoundError lists what there is instead of a missing file.
    """
    return Records(files.find(path))


def write(path, records: Iterable[Record]) -> int:
    """Write records to one file, whole or not at all; returns how many. The same records give the same bytes."""
    return write_lines(path, map(line, records))


def write_lines(path, lines: Iterable[str]) -> int:
    """Like `write`, for records that are JSON already, as `line` makes them."""
    return files.write(path, (text.encode() for text in lines))


def line(record: Record) -> str:
    """The record as one line of JSON, without its end: the fields in their order, those that say nothing left out."""
    row = {name: value for name in KINDS if (value := getattr(record, name)) is not None}
    for name in ("source", "extra"):
        if not row[name]:
            del row[name]
    text = _ENCODER.encode(row)
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can escape and UTF-8 cannot hold
        return json.dumps(row, allow_nan=False)
    return text


def parse(data: bytes) -> Record:
    """The record in a line of JSON; ValueError says what is wrong with it.

    null is as good as nothing. Columns that a record does not have are kept in its `extra`.
    """
    try:
        row = _DECODER.decode(str(data, "utf-8"))
        if not isinstance(row, dict):
            raise TypeError(f"a record is a JSON object, got {row!r}"[:200])
        return _record(row)
    except TypeError as error:
        raise ValueError(str(error)) from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{error}, in {data[:80]!r}") from None


def lettered(options: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(letter, text) of options in their order; a letter in front of one, as in `A)21` or `(A) 21`, is left off."""
    for place, option in enumerate(options):
        letter = chr(ord("A") + place)
        match = _LETTER.match(option)
        yield letter, option[match.end() :] if match and match[1].upper() == letter else option


def digest(path) -> str:
    """Names the content of the files: sha256 of one file, or of the list of the digests of several."""
    return files.digest(path)


class Records(Sequence):
    """Records on disk, made by `read`. Threads may share one; sent to another process, it finds its lines anew."""

    def __init__(self, paths: Sequence[str], counts: Sequence[int] | None = None):
        self.paths = tuple(paths)
        self._lock = threading.Lock()
        self._files = [None] * len(self.paths) if counts else [files.read(path) for path in self.paths]
        self._counts = counts or [len(file) for file in self._files]
        self._ends = list(itertools.accumulate(self._counts))

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, index):
        """Record `index`; for a slice, a list of records."""
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            return list(self._parsed(start, stop)) if step == 1 else [self[i] for i in range(start, stop, step)]
        try:
            index = range(len(self))[index]
        except IndexError:
            raise IndexError(f"record {index} of {self!r}") from None
        return next(self._parsed(index, index + 1))

    def __iter__(self) -> Iterator[Record]:
        for start in range(0, len(self), files.CHUNK):
            yield from self._parsed(start, min(start + files.CHUNK, len(self)))

    def _parsed(self, start, stop):
        for i, data in enumerate(self.raw(start, stop), start):
            try:
                yield parse(data)
            except ValueError as error:
                raise ValueError(f"{self.where(i)}: {error}") from None

    def raw(self, start: int, stop: int) -> list[bytes]:
        """The JSON of records start, .., stop - 1, as it is on disk."""
        found = []
        while start < stop:
            i, begin = self._place(start)
            end = min(stop, self._ends[i])
            found += self._file(i).raw(start - begin, end - begin)
            start = end
        return found

    def where(self, index: int) -> str:
        """File and line of a record, for a message."""
        i, begin = self._place(index)
        return f"{self.paths[i]}, line {index - begin + 1}"

    def __reduce__(self):
        return Records, (self.paths, self._counts)

    def __repr__(self):
        return f"<{len(self)} records of {', '.join(self.paths)}>"

    def _place(self, index):
        """Which file a record is in, and the number of its first record."""
        i = bisect.bisect_right(self._ends, index)
        return i, self._ends[i - 1] if i else 0

    def _file(self, i):
        with self._lock:
            if self._files[i] is None:
                file = files.read(self.paths[i])
                if len(file) != self._counts[i]:
                    raise ValueError(f"{self.paths[i]} has changed: {len(file)} records, {self._counts[i]} before")
                self._files[i] = file
            return self._files[i]


def _record(row):
    if "question" not in row:
        raise TypeError(f"a record needs a question, got {sorted(row)}")
    if None in row.values():
        row = {name: value for name, value in row.items() if value is not None}
    for name in ("step_labels", "options"):
        if type(row.get(name)) is list:
            row[name] = tuple(row[name])
    if row.keys() <= KINDS.keys():
        return Record(**row)
    record = Record(**{name: row.pop(name) for name in KINDS if name in row})
    if row.keys() & record.extra:
        raise TypeError(f"both a column and in extra: {sorted(row.keys() & record.extra)}")
    return replace(record, extra=row | record.extra)


def _refuse_constant(name):
    raise ValueError(f"{name} is not JSON")


_LETTER = re.compile(r"^\s*\(?([A-Za-z])\s*[).:]\s*")  # in front of an option
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
