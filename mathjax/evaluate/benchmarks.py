"""The table of benchmarks: how the file of each is read, and by what its questions are grouped."""

import pathlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from mathjax import config, records
from mathjax.evaluate.forms import form
from mathjax.records import Record


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A row of the table: `read` gives the records of a file, a group's function the labels of one of them."""

    read: Callable[[pathlib.Path], Sequence[Record]]
    style: str
    groups: dict[str, Callable[[Record], Iterable]]


def expressions(path) -> list[Record]:
    """The records of MathGLM's test format: a text file, an expression ending in `=` in each line, no answers.

    The `=` is put where it is absent; blank lines are passed over. ValueError names the line that is no expression.
    """
    found = []
    for number, line in enumerate(pathlib.Path(path).read_text(encoding="utf-8").splitlines(), start=1):
        text = line.strip()
        if not text:
            continue
        try:
            form(text)
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {error}") from None
        found.append(Record(question=text.removesuffix("=") + "=", style="arithmetic", source=pathlib.Path(path).stem))
    return found


ARITHMETIC = {
    "operator": lambda record: sorted(form(record.question).operators) or ["none"],
    "operations": lambda record: [form(record.question).operations],
    "digits": lambda record: [form(record.question).digits],
    "format": lambda record: sorted(form(record.question).formats),
}

BENCHMARKS = {
    "arithmetic": Kind(read=records.read, style="arithmetic", groups=ARITHMETIC),
    "mathglm": Kind(read=expressions, style="arithmetic", groups=ARITHMETIC),
}


def read(benchmark: config.Benchmark) -> Sequence[Record]:
    """The records a benchmark asks for.

    FileNotFoundError where its file is not, ValueError for a kind that is not in the table, for a file without
    records and for a record of another style than the benchmark's.
    """
    if benchmark.kind not in BENCHMARKS:
        raise ValueError(f"benchmark {benchmark.name}: no kind {benchmark.kind!r}; there are {', '.join(BENCHMARKS)}")
    path, kind = pathlib.Path(benchmark.path), BENCHMARKS[benchmark.kind]
    try:
        found = kind.read(path)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"benchmark {benchmark.name}: {error}") from None
    if benchmark.limit:
        found = [found[i] for i in range(min(benchmark.limit, len(found)))]
    if len(found) == 0:
        raise ValueError(f"benchmark {benchmark.name}: no records in {path.absolute()}")
    for number, record in enumerate(found):
        if record.style != kind.style:
            raise ValueError(
                f"benchmark {benchmark.name}: record {number} of {path} is of style {record.style!r}, "
                f"not {kind.style!r}: {record.question[:80]!r}"
            )
    return found
