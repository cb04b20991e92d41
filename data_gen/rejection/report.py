"""What rejection sampling came to: k against right, distinct and kept paths, by model and for all of them."""

import html
import json
import math
from collections import Counter

from data_gen.rejection.shard import UNION
from mathjax import plot

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Rejection sampling</title>
<style>
:root {{ color-scheme: light dark; font-family: sans-serif }}
body {{ max-width: 50rem; margin: 1rem auto; padding: 0 1rem }}
svg {{ width: 100%; height: auto }}
pre, table {{ overflow-x: auto; display: block }}
td, th {{ padding: .2rem .8rem .2rem 0; text-align: left }}
</style>
<h1>Rejection sampling: {title}</h1>
{curves}
<pre>{table}</pre>
<h2>Who brings what</h2>
<table><tr><th>model</th><th>paths of its own</th><th>samples</th></tr>{rows}</table>
<h2>How hard the questions are</h2>
{hard}
</html>
"""


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
    told = ["correct, distinct and kept are paths a question; distinct counts its own solution"]
    for name, model in report["models"].items():
        if (adaptive := model.get("adaptive")) and adaptive["plain_k"]:
            told.append(
                f"{name}: {model['samples']:,} samples, taken adaptively; plain sampling has as many distinct paths at "
                f"k={adaptive['plain_k']}, so {adaptive['saved']:.1%} of its samples are saved"
            )
    return "\n".join([*shown, *told])


def page(report: dict) -> str:
    """The report as one HTML file without a network: the curves, who brings what, and how hard the questions are."""
    curves = [
        plot.svg(
            {
                name: [(math.log2(row["k"]), row[what]) for row in model["curve"]]
                for name, model in report["models"].items()
            },
            across="log2 of k",
            up=f"{what} paths a question",
        )
        for what in ("correct", "distinct")
    ]
    hard = plot.svg(
        {name: list(enumerate(model["difficulty"])) for name, model in report["models"].items()},
        across="tenths of the samples that were right",
        up="questions",
    )
    rows = [
        (name, f"{model['exclusive']:,}", "; ".join(f"{why} {count:,}" for why, count in model["why"].items()))
        for name, model in report["models"].items()
        if "why" in model
    ]
    cells = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return PAGE.format(
        title=f"{report['rows']:,} rows of {report['questions']:,} questions",
        curves="".join(curves),
        table=html.escape(table(report)),
        rows=cells,
        hard=hard,
    )


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
        found["samples"] = counted["taken", name]
        found["adaptive"] = _saved(name, counted, questions)
        found["why"] = {key[2]: count for key, count in sorted(counted.items()) if key[:2] == ("why", name)}
        found["exclusive"] = counted["exclusive", name]
    return found


def _saved(name, counted, questions):
    """What adaptive sampling saved, where plain sampling is known as well, as it is when recorded samples are replayed.

    `plain_k` is the least k at which plain sampling has at least as many distinct right paths; None where it never has.
    """
    if counted["known", name] < questions:
        return None
    found = counted["paths", name]
    plain = {key[2]: count for key, count in counted.items() if key[:2] == ("plain", name)}
    equal = min((k for k, count in plain.items() if count >= found), default=None)
    saved = None if equal is None else 1 - counted["taken", name] / (equal * questions)
    return {"paths": found, "plain_paths": plain[max(plain)], "plain_k": equal, "saved": saved}
