"""The table of benchmarks: how the file of each is read and grouped, its size, and what its scores were made by.

Files are records, as `scripts/make_data.py` makes them of the published ones; MathGLM's own test is read as it is.
"""

import dataclasses
import hashlib
import pathlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from mathjax import config, records
from mathjax.evaluate.forms import form
from mathjax.records import Record
from mathjax.verify import PROTOCOLS


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A row of the table: `read` gives the records of a file, a group's function the labels of one of them.

    `styles` are those its questions are asked in; a record of another one, as a program beside the question, is asked
    in the first. `sizes` are the questions of the published sets, `protocols` the rules of published scores, `domain`
    the side of MAmmoTH's table (arXiv 2309.05653, section 3.1) that it is on: in, out, or neither.
    """

    styles: tuple[str, ...] = ("cot",)
    sizes: tuple[int, ...] = ()
    groups: dict[str, Callable[[Record], Iterable]] = dataclasses.field(default_factory=dict)
    protocols: tuple[str, ...] = ("mammoth",)
    domain: str = ""
    warning: str = ""
    read: Callable[[pathlib.Path], Sequence[Record]] = records.read


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


def column(*names: str) -> Callable[[Record], list]:
    """Groups by the first of some published columns that a record has; without one, it is in no group."""
    return lambda record: [record.extra[name] for name in names if record.extra.get(name) is not None][:1]


def _steps(record):
    """How many steps GSM8K's solution takes: its annotated equations."""
    return [record.solution.count("<<")] if record.solution and "<<" in record.solution else []


ARITHMETIC = {
    "operator": lambda record: sorted(form(record.question).operators) or ["none"],
    "operations": lambda record: [form(record.question).operations],
    "digits": lambda record: [form(record.question).digits],
    "format": lambda record: sorted(form(record.question).formats),
}
LEVELS = {"level": column("level"), "subject": column("subject", "type")}
GSM8K = ("rft", "wizardmath", "wizardmath_lenient", "mammoth", "lm_eval_strict", "lm_eval_flexible")
MATH = ("hendrycks", "minerva", "mammoth_math", "wizardmath_math")

BENCHMARKS = {
    "arithmetic": Kind(styles=("arithmetic",), groups=ARITHMETIC, protocols=("mathglm",)),
    "mathglm": Kind(
        styles=("arithmetic",), sizes=(9_592,), groups=ARITHMETIC, protocols=("mathglm",), read=expressions
    ),
    "mathglm_mwp": Kind(sizes=(5_000,), protocols=("mathglm", "mathglm_arithmetic")),
    "gsm8k": Kind(sizes=(1_319,), groups={"steps": _steps}, protocols=GSM8K, domain="in"),
    "math": Kind(sizes=(5_000,), groups=LEVELS, protocols=MATH, domain="in"),
    "math500": Kind(sizes=(500,), groups=LEVELS, protocols=MATH),
    "aqua": Kind(styles=("choice",), sizes=(254,), protocols=("mammoth_choice",), domain="in"),
    "numglue": Kind(
        styles=("cot", "choice"),
        sizes=(1_042,),
        groups={"type": column("type")},
        protocols=("mammoth_numglue",),
        domain="in",
    ),
    "svamp": Kind(sizes=(1_000,), groups={"type": column("Type")}, domain="out"),
    "deepmind_mathematics": Kind(sizes=(1_000,), groups={"type": column("type", "module")}, domain="out"),
    "simuleq": Kind(sizes=(514,), domain="out"),
    "sat_math": Kind(styles=("choice",), sizes=(220,), protocols=("mammoth_choice",), domain="out"),
    "mmlu_math": Kind(
        styles=("choice",),
        sizes=(974,),
        groups={"subject": column("subject")},
        protocols=("mammoth_choice",),
        domain="out",
    ),
    "asdiv": Kind(sizes=(2_305,), groups={"solution": column("solution_type"), "grade": column("grade")}),
    "mawps": Kind(
        sizes=(2_065, 395, 600, 508, 562),
        groups={"part": lambda record: [record.source.rpartition("/")[2]] if record.extra.get("type") else []},
    ),
    "gsm_hard": Kind(sizes=(1_319,)),
    "gsm8k_backward": Kind(sizes=(1_270,)),
    "theoremqa": Kind(
        styles=("cot", "choice"),
        sizes=(800,),
        groups={"kind": column("Answer_type"), "field": column("field")},
        warning="MathInstruct trains on TheoremQA: this is no test of a model that saw it, MAmmoTH's among them",
    ),
}
DOMAINS = {side: tuple(name for name, kind in BENCHMARKS.items() if kind.domain == side) for side in ("in", "out")}
IDS = ("unique_id", "id", "ID", "idx", "index")  # columns that name a question


def read(benchmark: config.Benchmark) -> list[Record]:
    """The records a benchmark asks for, in a style that its row has.

    FileNotFoundError where its file is not, ValueError for a kind that is not in the table, for a file without
    records or with another number of them than published (unless `rows` says it), for a record of arithmetic among
    others or the other way round, and for an id that no record has.
    """
    if benchmark.kind not in BENCHMARKS:
        raise ValueError(f"benchmark {benchmark.name}: no kind {benchmark.kind!r}; there are {', '.join(BENCHMARKS)}")
    path, kind = pathlib.Path(benchmark.path), BENCHMARKS[benchmark.kind]
    try:
        found = kind.read(path)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"benchmark {benchmark.name}: {error}") from None
    if len(found) == 0:
        raise ValueError(f"benchmark {benchmark.name}: no records in {path.absolute()}")
    _check_size(benchmark, kind, len(found))
    found = _chosen(benchmark, found) if benchmark.ids else found
    found = found[: benchmark.limit] if benchmark.limit else list(found)
    return [
        _styled(record, kind, f"benchmark {benchmark.name}: record {i} of {path}") for i, record in enumerate(found)
    ]


def protocols(kind: str, style: str, named: Sequence[str]) -> list[str]:
    """The protocols that a benchmark's questions of a style are scored by: those `named`, or strict and the published.

    Those that the style does not know are left out.
    """
    return [name for name in (named or ("strict", *BENCHMARKS[kind].protocols)) if name in PROTOCOLS[style]]


def digest(found: Sequence[Record]) -> str:
    """Names the questions that are asked: sha256 of the records' lines."""
    total = hashlib.sha256()
    for record in found:
        total.update(records.line(record).encode("utf-8", "surrogatepass") + b"\n")
    return total.hexdigest()


def means(accuracies: dict[str, float]) -> dict[str, dict]:
    """MAmmoTH's means over its nine sets, from accuracies by kind: in-domain, out-of-domain, and overall.

    Each has its unweighted `mean`, the `sets` it is of, and those that are `missing`; {} where none is there.
    """
    found = {}
    for name, kinds in (
        ("in_domain", DOMAINS["in"]),
        ("out_of_domain", DOMAINS["out"]),
        ("overall", sum(DOMAINS.values(), ())),
    ):
        there = [kind for kind in kinds if kind in accuracies]
        if there:
            mean = sum(accuracies[kind] for kind in there) / len(there)
            found[name] = {"mean": mean, "sets": there, "missing": [kind for kind in kinds if kind not in accuracies]}
    return found


def _check_size(benchmark, kind, count):
    if benchmark.rows > 0 and count != benchmark.rows:
        raise ValueError(f"benchmark {benchmark.name}: {count:,} questions in {benchmark.path}, not {benchmark.rows:,}")
    if benchmark.rows == 0 and kind.sizes and count not in kind.sizes:
        published = " or ".join(f"{size:,}" for size in kind.sizes)
        raise ValueError(
            f"benchmark {benchmark.name}: {count:,} questions in {benchmark.path}, {published} are published; "
            "its setting rows says how many there should be, -1: any number"
        )


def _chosen(benchmark, found):
    wanted = dict.fromkeys(pathlib.Path(benchmark.ids).read_text(encoding="utf-8").split())
    by_id = {str(record.extra[name]): record for record in found for name in IDS if name in record.extra}
    if missing := [name for name in wanted if name not in by_id]:
        raise ValueError(
            f"benchmark {benchmark.name}: {len(missing)} ids of {benchmark.ids} are none of a question "
            f"({', '.join(IDS)}), {missing[0]!r} is the first"
        )
    return [by_id[name] for name in wanted]


def _styled(record, kind, where):
    if record.style in kind.styles:
        return record
    if "arithmetic" in (record.style, *kind.styles):
        raise ValueError(
            f"{where} is of style {record.style!r}, not {' or '.join(kind.styles)!r}: {record.question[:80]!r}"
        )
    style = "choice" if record.options and "choice" in kind.styles else kind.styles[0]
    return dataclasses.replace(record, style=style)
