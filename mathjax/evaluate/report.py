"""What the attempts at a benchmark add up to, as the plain values of report.json."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from mathjax.answers.protocols import PROTOCOLS
from mathjax.evaluate import chains, diagnose, statistics, votes
from mathjax.evaluate.judged import Judged
from mathjax.records import Record

PARTS = {  # of a benchmark: their names in report.json, and in words
    "covered": "forms of the corpus",
    "covered_unseen": "of these, not trained on",
    "not_covered": "other forms",
    "unseen": "not trained on",
    "clean": "without overlap",
}


def summarise(
    attempts: Sequence[Judged],
    *,
    groups: dict[str, Callable[[Record], Iterable]],
    parts: dict[str, Callable[[str], bool]] | None = None,
    seed: int = 0,
) -> dict:
    """The part of report.json that is one benchmark's, from its attempts in the order of questions and samples.

    The headline is the share of right attempts under the first protocol. Every share comes with n, the number of
    questions, and its 95% interval: Wilson's where each was asked once, else a bootstrap over questions. A question
    with two labels counts in both rows of a group; `parts` tell whether a question is in a part of the benchmark.
    """
    asked = questions(attempts)
    samples = max(map(len, asked), default=1)
    names = list(dict.fromkeys(name for one in attempts for name in one.verdicts))
    errors = diagnose.counted(one.diagnosis for one in attempts)
    result = measured(asked, _right, seed) | {
        "samples": samples,
        "protocol": names[0] if names else "",
        "protocols": {name: _protocol(name, asked, seed) for name in names},
        "changed": [_change(one) for one in attempts if one.changed],
        "why": dict(Counter(one.verdict.why for one in attempts).most_common()),
        "errors": {kind: errors.pop(kind, 0) for kind in diagnose.KINDS} | dict(sorted(errors.items())),
        "arithmetic_accuracy": measured(asked, _reasoned, seed),
        "finish": dict(Counter(one.row["finish"] for one in attempts).most_common()),
        "groups": {name: _group(asked, label, seed) for name, label in groups.items()},
        "parts": {
            name: measured([group for group in asked if holds(group[0].record.question)], _right, seed)
            for name, holds in (parts or {}).items()
        },
    }
    if samples > 1:
        result["votes"] = _votes(asked, samples, seed)
    if attempts and attempts[0].record.style == "arithmetic":
        result["chains"] = chains.summarise(attempts)
    return result


def questions(attempts: Iterable[Judged]) -> list[list[Judged]]:
    """Attempts at the same question together, in their order."""
    found = {}
    for one in attempts:
        found.setdefault(one.row["index"], []).append(one)
    return list(found.values())


def measured(asked: Sequence[Sequence[Judged]], right: Callable[[Judged], bool], seed: int = 0) -> dict:
    """{"accuracy", "correct", "attempts", "n", "interval"} of what is right; the accuracy of nothing is None."""
    rates = [[right(one) for one in group] for group in asked]
    return share(rates[i][0] for i in range(len(rates))) if all(len(r) == 1 for r in rates) else _shares(rates, seed)


def share(outcomes: Iterable[bool]) -> dict:
    """The same of questions that were asked once, by what became of them."""
    outcomes = list(outcomes)
    correct, n = sum(outcomes), len(outcomes)
    interval = list(statistics.wilson(correct, n))
    return {"accuracy": correct / n if n else None, "correct": correct, "attempts": n, "n": n, "interval": interval}


def _shares(rates, seed):
    values = [sum(group) / len(group) for group in rates]
    return {
        "accuracy": sum(values) / len(values),
        "correct": sum(map(sum, rates)),
        "attempts": sum(map(len, rates)),
        "n": len(rates),
        "interval": list(statistics.bootstrap(values, seed)),
    }


def _right(one):
    return one.verdict.correct


def _reasoned(one):
    """Arithmetic_ACC: right, or wrong in nothing but calculation."""
    return one.verdict.correct or one.diagnosis.kind == "arithmetic"


def _protocol(name, asked, seed):
    """A protocol's share, beside the headline."""
    judged = [[one for one in group if name in one.verdicts] for group in asked]
    judged = [group for group in judged if group]
    differs = [(one.verdict.correct, one.verdicts[name].correct) for group in judged for one in group]
    known = PROTOCOLS.get(name)
    return measured(judged, lambda one: one.verdicts[name].correct, seed) | {
        "source": known.source if known else "mathjax",
        "lenient": known.lenient if known else "",
        "template": known.template if known else "",
        "only_here": sum(here and not headline for headline, here in differs),
        "only_headline": sum(headline and not here for headline, here in differs),
    }


def _change(one):
    verdicts = {name: verdict.correct for name, verdict in one.verdicts.items()}
    return {"index": one.row["index"], "sample": one.row["sample"], "verdicts": verdicts}


def _votes(asked, samples, seed):
    """pass@k without bias, maj@k of the first k samples, and how a vote's share foretells that it is right."""
    sizes = sorted({2**i for i in range(samples.bit_length())} | {samples})
    sizes = [k for k in sizes if k <= samples]
    passed = {
        str(k): _mean([statistics.pass_at(k, len(group), sum(map(_right, group))) for group in asked], seed)
        for k in sizes
    }
    answers = [[one.verdict.answer for one in group] for group in asked]
    won = {k: [votes.majority(group[:k]) for group in answers] for k in sizes}
    found = {"pass_at": passed}
    found["majority_at"] = {str(k): share(map(_won, won[k], asked)) for k in sizes}
    scores = [[one.row.get("score") for one in group] for group in asked]
    if all(score is not None for group in scores for score in group):
        weighted = [votes.majority(*pair) for pair in zip(answers, scores, strict=True)]
        found["weighted_majority"] = share(map(_won, weighted, asked))
    last = won[samples]
    fit = statistics.calibration([vote.share for vote in last], [_won(*pair) for pair in zip(last, asked, strict=True)])
    found["calibration"] = {"bins": [list(row) for row in fit.bins], "error": fit.error}
    return found


def _won(vote, group):
    return vote.winner is not None and group[vote.winner].verdict.correct


def _mean(values, seed):
    interval = list(statistics.bootstrap(values, seed))
    return {"accuracy": sum(values) / len(values) if values else None, "n": len(values), "interval": interval}


def _group(asked, labels, seed):
    """{label: share} with the labels in order, numbers by size."""
    found = {}
    for group in asked:
        for label in labels(group[0].record):
            found.setdefault(label, []).append(group)
    order = sorted(found, key=lambda label: (isinstance(label, str), label))
    return {str(label): measured(found[label], _right, seed) for label in order}


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
    """The results as lines for a terminal: shares by part, then by protocol, then what the wrong answers are."""
    chained = any("chains" in result for result in benchmarks.values())
    lines = [("", "questions", "accuracy", "95% interval", *(("within 1%", "exact") if chained else ()))]
    for name, part, result in rows(benchmarks):
        cells = [f"{result['n']:,}", percent(result["accuracy"]), interval(result)]
        told = result.get("chains", {})
        cells += [percent(told[key]["accuracy"]) if told else "" for key in ("relative_error_1pct", "exact") * chained]
        lines.append((f"  {part}" if part else name, *cells))
    found = [aligned(lines)]
    lines = [("protocol", "accuracy", "95% interval", "right only here", "only by the headline", "forgives")]
    for name, result in benchmarks.items():
        if len(result["protocols"]) > 1:
            lines += [(name, *[""] * 5)]
            for protocol, one in result["protocols"].items():
                differ = (f"{one['only_here']:,}", f"{one['only_headline']:,}", one["lenient"])
                lines.append((f"  {protocol}", percent(one["accuracy"]), interval(one), *differ))
    found += [aligned(lines)] if len(lines) > 1 else []
    kinds = list(dict.fromkeys(kind for result in benchmarks.values() for kind in result["errors"]))
    lines = [("wrong answers", *(kind.replace("_", " ") for kind in kinds), "right but for arithmetic")]
    for name, result in benchmarks.items():
        counts = [f"{result['errors'].get(kind, 0):,}" for kind in kinds]
        lines.append((name, *counts, percent(result["arithmetic_accuracy"]["accuracy"])))
    return "\n\n".join([*found, aligned(lines)])


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Rows of cells as text, the first column to the left."""
    first, *widths = (max(map(len, column)) for column in zip(*lines, strict=True))
    return "\n".join("  ".join([line[0].ljust(first), *map(str.rjust, line[1:], widths)]).rstrip() for line in lines)
