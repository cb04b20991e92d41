"""Files of anyone's outputs in, files of verdicts out, and a table of how many were right."""

import collections
import hashlib
import json
import os
import pathlib
from collections.abc import Iterator

from mathjax import metrics
from mathjax.records import Record
from mathjax.verify import styles
from mathjax.verify.verifier import Verifier

SAVED = 20_000  # cases after which what was judged is safe on disk
KEPT = ("id", "source", "style")  # columns of the input that the output repeats
COLUMNS = ("cases", "correct", "accuracy", "wrong", "no answer", "undecided", "timed out", "program failed")


def run(inputs, output, verify: Verifier, style: str = "cot") -> dict:
    """Judge every line of the files `inputs` and write a verdict a line to `output`, in their order.

    A line is a JSON object with `answer` and `completion`, perhaps with `style` (otherwise `style`), `question`,
    `options`, `source`, `id`. The output has `correct`, `answer`, `why` and `seconds`, and the input's KEPT columns.
    All lines are read and checked before the first is judged: ValueError names file and line. What is judged is kept in
    `output`.partial, from which a run on the same input goes on. Returns the summary that `table` shows.
    """
    inputs = [pathlib.Path(path) for path in inputs]
    total = sum(1 for path in inputs for _ in _rows(path, style))
    output = pathlib.Path(output)
    partial, done = _resumed(output, _name(inputs, style, verify.protocol))
    cases = ((row, case) for path in inputs for row, case in _rows(path, style))
    for _ in range(done):
        next(cases)
    _judge(cases, partial, verify, total, done)
    os.replace(partial, output)
    output.with_name(output.name + ".partial.of").unlink()
    return summary(output)


def _judge(cases, partial, verify, total, done):
    waiting = collections.deque()

    def given():
        for row, case in cases:
            waiting.append(row)
            yield case

    with partial.open("a", encoding="utf-8") as file, metrics.progress(total, "grading", "cases") as bar:
        bar.update(done)
        for number, verdict in enumerate(verify.stream(given()), done + 1):
            row = waiting.popleft()
            line = {name: row[name] for name in KEPT if name in row} | _line(verdict)
            file.write(json.dumps(line, ensure_ascii=True) + "\n")
            if number % SAVED == 0:
                file.flush()
                os.fsync(file.fileno())
            bar.update()


def _line(verdict):
    line = {"correct": verdict.correct, "answer": verdict.answer, "why": verdict.why}
    line |= {name: value for name in ("rule", "detail", "level") if (value := getattr(verdict, name)) is not None}
    return line | {"seconds": round(verdict.seconds or 0.0, 6)}


def summary(output) -> dict[str, dict]:
    """What became of the cases, by source and in all: a row of COLUMNS each."""
    counts = collections.defaultdict(collections.Counter)
    with open(output, encoding="utf-8") as file:
        for text in file:
            row = json.loads(text)
            for source in {row.get("source") or "all", "all"}:
                counts[source][_column(row["why"])] += 1
    found = {}
    for source in sorted(counts, key=lambda name: (name == "all", name)):
        row = {column: counts[source][column] for column in COLUMNS}
        row["cases"] = counts[source].total()
        row["accuracy"] = row["correct"] / row["cases"]
        found[source] = row
    return found


def table(rows: dict[str, dict]) -> str:
    """A summary as text."""
    width = max(map(len, rows), default=0)
    lines = [" " * width + "".join(f"{column:>{len(column) + 2}}" for column in COLUMNS)]
    for source, row in rows.items():
        cells = (f"{row[column]:.1%}" if column == "accuracy" else f"{row[column]:,}" for column in COLUMNS)
        lines.append(
            f"{source:<{width}}"
            + "".join(f"{cell:>{len(column) + 2}}" for column, cell in zip(COLUMNS, cells, strict=True))
        )
    return "\n".join(lines)


def _column(why):
    if why in ("correct", "undecided"):
        return why
    if why in ("timeout", "memory", "program_timeout"):
        return "timed out"
    if why == "no_answer":
        return "no answer"
    return "program failed" if why.startswith("program_") else "wrong"


def _rows(path, style) -> Iterator[tuple[dict, dict]]:
    """(columns, case) of each line of a file, blank ones left out."""
    with path.open(encoding="utf-8") as file:
        for number, text in enumerate(file, 1):
            if text.strip():
                try:
                    row = json.loads(text)
                    yield row, _case(row, style)
                except (ValueError, TypeError, RecursionError) as error:
                    raise ValueError(f"{path}, line {number}: {error}") from None


def _case(row, style):
    if not isinstance(row, dict):
        raise ValueError(f"wanted a JSON object, got {row!r}"[:200])
    if missing := [name for name in ("answer", "completion") if name not in row]:
        raise ValueError(f"wanted answer and completion, no {' and no '.join(missing)} among {', '.join(sorted(row))}")
    answer = row["answer"]
    answer = str(answer) if isinstance(answer, (int, float)) and not isinstance(answer, bool) else answer
    case = {"answer": answer, "style": row.get("style") or style, "question": row.get("question") or ""}
    case["options"] = tuple(row["options"]) if row.get("options") else None
    styles.check(case["style"], "strict")
    if not isinstance(row["completion"], str) or not isinstance(answer, str):
        raise ValueError("wanted answer and completion as text")
    Record(**case)
    return case | {"completion": row["completion"]}


def _name(inputs, style, protocol):
    """What a partial output belongs to."""
    sums = [hashlib.sha256(path.read_bytes()).hexdigest() for path in inputs]
    return json.dumps({"inputs": sums, "style": style, "protocol": protocol})


def _resumed(output, name):
    """The file of what is judged so far, and how many lines of it are whole."""
    output.parent.mkdir(parents=True, exist_ok=True)
    partial, of = output.with_name(output.name + ".partial"), output.with_name(output.name + ".partial.of")
    if partial.exists() and of.exists() and of.read_text() == name:
        data = partial.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):
            partial.write_bytes(whole)
        return partial, whole.count(b"\n")
    partial.unlink(missing_ok=True)
    of.write_text(name)
    return partial, 0
