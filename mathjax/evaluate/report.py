"""What the attempts at a benchmark add up to, as the plain values of report.json."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from mathjax import verify
from mathjax.evaluate import statistics
from mathjax.evaluate.forms import operators
from mathjax.expression import decimal, places
from mathjax.records import Record
from mathjax.verify import Verdict, arithmetic

PARTS = {  # of a benchmark: their names in report.json, and in words
    "covered": "forms of the corpus",
    "covered_unseen": "of these, not trained on",
    "not_covered": "other forms",
    "unseen": "not trained on",
}


def summarise(
    attempts: Sequence[tuple[Record, dict]],
    *,
    protocols: Sequence[str],
    groups: dict[str, Callable[[Record], Iterable]],
    parts: dict[str, Callable[[str], bool]] | None = None,
    examples: int = 20,
) -> dict:
    """The part of report.json that is one benchmark's, from its records and their stored attempts.

    An attempt is a row with `completion` and `finish`; it is judged here, under each protocol, so that what was
    stored once can be judged again. Every share comes with n and its 95% interval (`statistics.wilson`). A question
    with two labels counts in both rows of a group; `parts` tell whether a question is in a part of the benchmark.
    """
    first = protocols[0]
    judged = [
        (record, row, {name: verify.verify(record, row["completion"], name) for name in protocols})
        for record, row in attempts
    ]
    verdicts = [(record, row, found[first]) for record, row, found in judged]
    wrong = [entry for entry in verdicts if not entry[2].correct]
    result = share(verdict.correct for *_, verdict in verdicts) | {
        "relative_error_1pct": share(verdict.close for *_, verdict in verdicts),
        "exact": share(verdict.exact for *_, verdict in verdicts),
        "protocol": first,
        "protocols": {name: share(found[name].correct for *_, found in judged) for name in protocols},
        "protocols_differ": sum(len({verdict.correct for verdict in found.values()}) > 1 for *_, found in judged),
        "why": dict(Counter(verdict.why for *_, verdict in verdicts).most_common()),
        "finish": dict(Counter(row["finish"] for _, row, _ in verdicts).most_common()),
        "groups": {name: _group(verdicts, label) for name, label in groups.items()},
        "first_wrong_operation": dict(Counter(failed_operation(*entry) for entry in wrong).most_common()),
        "right_by_a_wrong_chain": sum(v.correct and v.wrong_segment is not None for *_, v in verdicts),
        "parts": {
            name: share(verdict.correct for record, _, verdict in verdicts if holds(record.question))
            for name, holds in (parts or {}).items()
        },
    }
    chosen = wrong[:: max(1, -(-len(wrong) // examples))] if examples else []
    result["wrong_answers"] = [example(*entry) for entry in chosen]
    return result


def share(outcomes: Iterable[bool]) -> dict:
    """{"accuracy", "correct", "n", "interval"} of what is right and wrong; the accuracy of nothing is None."""
    outcomes = list(outcomes)
    correct, n = sum(outcomes), len(outcomes)
    low, high = statistics.wilson(correct, n)
    return {"accuracy": correct / n if n else None, "correct": correct, "n": n, "interval": [low, high]}


def rows(benchmarks: dict) -> list[tuple[str, str, dict]]:
    """(name, which part, share) of every line in the table of results.

    First all questions of a benchmark, then its parts, but for those that hold all of them or none.
    """
    found = []
    for name, result in benchmarks.items():
        found.append((name, "", result))
        parts = ((words, result["parts"].get(part, {"n": 0})) for part, words in PARTS.items())
        found += [(name, words, share) for words, share in parts if 0 < share["n"] < result["n"]]
    return found


def percent(value: float | None) -> str:
    """A share with one digit after the point; a dash for the share of nothing."""
    return "–" if value is None else f"{100 * value:.1f}%"


def interval(share: dict) -> str:
    """The two ends of a share's interval."""
    return f"{100 * share['interval'][0]:.1f} – {100 * share['interval'][1]:.1f}"


def table(benchmarks: dict) -> str:
    """The results as lines for a terminal."""
    lines = [("", "questions", "accuracy", "95% interval", "within 1%", "exact")]
    for name, part, result in rows(benchmarks):
        cells = [f"{result['n']:,}", percent(result["accuracy"]), interval(result)]
        whole = [percent(result[key]["accuracy"]) for key in ("relative_error_1pct", "exact") if not part]
        lines.append((f"  {part}" if part else name, *cells, *(whole or ("", ""))))
    first, *widths = (max(map(len, column)) for column in zip(*lines, strict=True))
    return "\n".join("  ".join([line[0].ljust(first), *map(str.rjust, line[1:], widths)]).rstrip() for line in lines)


def example(record: Record, row: dict, verdict: Verdict) -> dict:
    """A wrong attempt as the report shows it: its chain, the truth, and where the chain left it."""
    truth = arithmetic.truth(record)
    return {
        "chain": arithmetic.chain(record.question, row["completion"][:2000]),
        "wrong_segment": verdict.wrong_segment,
        "truth": decimal(truth) if places(truth) is not None else str(truth),
        "why": verdict.why,
        "failed": failed_operation(record, row, verdict),
        "finish": row["finish"],
    }


def failed_operation(record: Record, row: dict, verdict: Verdict) -> str:
    """The operator that the first wrong segment worked out, or tried to.

    It is what the segment before has and the wrong one lacks; "several" where that is more than one kind, "other"
    where the wrong segment is no expression, or has lost none.
    """
    if verdict.wrong_segment is None:
        return "other"
    before, wrong = arithmetic.chain(record.question, row["completion"])[verdict.wrong_segment - 1 :][:2]
    try:
        lost = operators(before) - operators(wrong) if wrong else ()
    except ValueError:
        return "other"
    return "several" if len(lost) > 1 else next(iter(lost), "other")


def _group(verdicts, labels):
    """{label: share} with the labels in order, numbers by size."""
    outcomes = {}
    for record, _, verdict in verdicts:
        for label in labels(record):
            outcomes.setdefault(label, []).append(verdict.correct)
    return {str(label): share(outcomes[label]) for label in sorted(outcomes)}
