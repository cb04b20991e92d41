"""Records of public data sets, read from their published formats."""

import dataclasses
import json
import pathlib
import re
from collections import Counter
from fractions import Fraction

from mathjax import config, expression, files, records
from mathjax.records import Record

FILE = "records.jsonl"
MANIFEST = "manifest.json"

_EQUATION = re.compile(r"<<([^>]*)>>")


def run(job: config.GSM8KEquations, workdir) -> dict:
    """Write the equations of a GSM8K file as records into `workdir`, with a manifest of what was found; returns it."""
    workdir = pathlib.Path(workdir)
    found, counts = gsm8k_equations(job.path)
    rows = records.write(workdir / FILE, found)
    manifest = {
        "recipe": dataclasses.asdict(job),
        "files": {FILE: {"rows": rows, "sha256": records.digest(workdir / FILE)}},
        "source": {"path": str(job.path), "sha256": records.digest(job.path)},
        "counts": counts,
    }
    with files.whole(workdir / MANIFEST) as file:
        file.write(json.dumps(manifest, indent=2).encode() + b"\n")
    print(f"{rows:,} records in {workdir / FILE}; " + ", ".join(f"{n:,} {name}" for name, n in counts.items()))
    return manifest


def gsm8k_equations(path) -> tuple[list[Record], dict[str, int]]:
    """Every distinct left side of the `<<lhs=rhs>>` in GSM8K's solutions as an arithmetic record, and the counts.

    The question is `lhs=` without spaces, in the order of first appearance; the answer is its exact value, whatever
    the solution says, as a decimal or, where no decimal is, as a fraction `(a/b)`; `extra` holds the right sides as
    they are written and how often the left side occurs. As in RFT's check (section 1.2 of its rules), a span has no
    `>` inside, the left side ends at the first `=`, the right side at the second.

    Counted: `annotations`; those passed over: `without_equals`, `not_computable`; `distinct` records, and among
    them, by the right side that was written: `rounded` (not exact, the same to two decimals), `false` (not even
    that), `unreadable`.
    """
    counts = Counter(dict.fromkeys(("annotations", "without_equals", "not_computable", "distinct"), 0))
    values, written = {}, {}
    for span in (span for solution in _solutions(path) for span in _EQUATION.findall(solution)):
        counts["annotations"] += 1
        left, equals, rest = span.replace(" ", "").partition("=")
        if not equals:
            counts["without_equals"] += 1
            continue
        try:
            values[left] = expression.value(left) if left not in values else values[left]
        except expression.ExpressionError:
            counts["not_computable"] += 1
            continue
        written.setdefault(left, Counter())[rest.partition("=")[0]] += 1
    counts["distinct"] = len(values)
    found = [{_compare(right, value) for right in written[left]} for left, value in values.items()]
    for name in ("rounded", "false", "unreadable"):
        counts[name] = sum(name in kinds for kinds in found)
    source = f"gsm8k/{pathlib.Path(path).stem}"
    return [_record(left, value, written[left], source) for left, value in values.items()], dict(counts)


def _solutions(path):
    """The solutions of GSM8K's published JSONL; ValueError names a line that has none."""
    lines = files.read(files.find(path)[0])
    for number in range(len(lines)):
        row = lines.raw(number, number + 1)[0]
        try:
            yield json.loads(row)["answer"]
        except (ValueError, TypeError, KeyError):
            where = f"{path}, line {number + 1}"
            raise ValueError(f"{where}: wanted question and answer of GSM8K, got {row[:80]!r}") from None


def _record(left, value, written, source):
    answer = expression.decimal(value) if expression.places(value) is not None else f"({value})"
    extra = {"written": sorted(written), "times": written.total()}
    return Record(question=left + "=", answer=answer, style="arithmetic", source=source, extra=extra)


def _compare(right: str, value: Fraction) -> str:
    try:
        said = expression.value(right)
    except expression.ExpressionError:
        return "unreadable"
    return "exact" if said == value else "rounded" if round(said, 2) == round(value, 2) else "false"
