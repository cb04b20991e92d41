"""What rejection sampling came to: k against right, distinct and kept paths, by model and for all of them."""

import json
from collections import Counter

from data_gen.rejection.shard import UNION


def summarise(facts: list[dict], models: list[str], questions: int) -> dict:
    """The report as JSON holds it, from the facts of all shards."""
    counted: Counter = Counter()
    for fact in facts:
        counted.update({tuple(json.loads(key)): count for key, count in fact["counted"].items()})
    names = [*models, UNION] if len(models) > 1 else models
    return {
        "questions": questions,
        "rows": sum(fact["rows"] for fact in facts),
        "models": {name: _model(name, counted, questions) for name in names},
    }


def table(report: dict) -> str:
    """The report for a terminal."""
    lines = [("model", "k", "correct", "distinct", "kept", "rows", "solved")]
    for name, model in report["models"].items():
        lines += [_cells("" if i else name, row) for i, row in enumerate(model["curve"])]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    shown = ["  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) for line in lines]
    return "\n".join([*shown, "correct, distinct and kept are paths a question; distinct counts its own solution"])


def _cells(name, row):
    paths = (f"{row[what]:.2f}" for what in ("correct", "distinct", "kept"))
    return name, f"{row['k']:,}", *paths, f"{row['rows']:,}", f"{row['solved']:.1%}"


def _model(name, counted, questions):
    ks = sorted({key[2] for key in counted if key[:2] == ("correct", name)})
    curve = [
        {
            "k": k,
            "correct": counted["correct", name, k] / questions,
            "distinct": counted["distinct", name, k] / questions,
            "kept": counted["kept", name, k] / questions,
            "rows": questions + counted["kept", name, k],
            "solved": counted["solved", name, k] / questions,
        }
        for k in ks
    ]
    found = {"curve": curve, "difficulty": [counted["share", name, tenth] for tenth in range(11)]}
    if name != UNION:
        found["why"] = {key[2]: count for key, count in sorted(counted.items()) if key[:2] == ("why", name)}
        found["exclusive"] = counted["exclusive", name]
    return found
