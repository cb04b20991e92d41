"""report.json as one page to look at: no network, no scripts, every text from a model escaped."""

import json
from html import escape

from mathjax.evaluate.chart import curve
from mathjax.evaluate.report import PARTS, interval, percent, rows

STYLE = """
:root { color-scheme: light dark; --ink: #1c2024; --soft: #5f6b76; --line: #dfe3e8; --paper: #ffffff; --wash: #f5f7f9;
  --accent: #1f6f8b; --faint: #a9cbd6; --wrong: #b3261e; --mark: #fbdad6; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ea; --soft: #9aa5b0; --line: #333a41; --paper: #15181b;
  --wash: #1d2125; --accent: #63b8d1; --faint: #2f5563; --wrong: #ff8a80; --mark: #5a2622; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.25rem 5rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.25rem; margin: 3rem 0 .6rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: .95rem; margin: 1.4rem 0 .4rem; }
p { margin: .4rem 0; max-width: 46rem; }
.soft, caption, figcaption { color: var(--soft); font-size: .875rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); gap: 1rem; margin: 1.6rem 0; }
.card { background: var(--wash); border-radius: .6rem; padding: 1rem 1.1rem; }
.card b { display: block; font-size: 2.3rem; line-height: 1.15; font-weight: 650; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .925rem; }
th, td { text-align: right; padding: .38rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { font-weight: 600; color: var(--soft); }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
td.part { padding-left: 1.2rem; color: var(--soft); }
.groups { display: grid; grid-template-columns: repeat(auto-fit, minmax(21rem, 1fr)); gap: 0 2.5rem; }
svg { display: block; max-width: 100%; height: auto; }
.wide svg.curve { min-width: 38rem; }
svg.bar { width: 7.5rem; height: .9rem; margin-left: auto; }
svg text { fill: var(--soft); font: 12px system-ui, sans-serif; }
.track { fill: var(--line); } .fill { fill: var(--accent); } .whisker { stroke: var(--ink); stroke-width: 1.4; }
.grid { stroke: var(--line); } .seen { stroke: var(--faint); } .heldout { stroke: var(--accent); }
.seen, .heldout { fill: none; stroke-width: 2; stroke-linejoin: round; } circle.heldout { fill: var(--accent); }
.key i { display: inline-block; width: 1.4rem; height: .2rem; vertical-align: middle; margin: 0 .35rem 0 1rem; }
.key i:first-child { margin-left: 0; }
ol.wrong { list-style: none; padding: 0; margin: 0; }
ol.wrong li { padding: .55rem 0; border-bottom: 1px solid var(--line); }
code, pre { font: .875rem/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
.chain { overflow-wrap: anywhere; }
.chain mark { background: var(--mark); color: var(--wrong); border-radius: .25rem; padding: .05rem .25rem; }
.chain .after { color: var(--soft); }
details { margin: .6rem 0; } summary { cursor: pointer; color: var(--soft); }
pre { background: var(--wash); border-radius: .6rem; padding: 1rem; overflow-x: auto; }
"""


def render(report: dict) -> str:
    """The page of a report (report.json's value), as HTML that stands by itself."""
    benchmarks = report["benchmarks"]
    parts = [
        f"<h1>{escape(report['title'])}</h1>",
        f'<p class="soft">{escape(_subtitle(report))}</p>',
        '<div class="cards">'
        + "".join(_card(*row) for row in rows(benchmarks) if row[1] in ("", PARTS["covered"]))
        + "</div>",
        _table(benchmarks),
        _learning(report.get("learning_curve") or []),
        *(_benchmark(name, result) for name, result in benchmarks.items()),
        _settings(report),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(report['title'])}</title><style>{STYLE}</style></head>\n"
        "<body><main>\n" + "\n".join(parts) + "\n</main></body></html>\n"
    )


def _subtitle(report):
    model, seconds = report["checkpoint"], sum(result["cost"]["seconds"] for result in report["benchmarks"].values())
    return (
        f"{model['path']}, step {model['step']:,} · {model['parameters']:,} parameters · "
        f"answered in {seconds:,.0f} s on {report['device']} · mathjax {report['versions']['mathjax']}"
    )


def _card(name, part, share):
    words = f"{name}: {part}" if part else name
    return (
        f'<div class="card"><span>{escape(words)}</span><b>{percent(share["accuracy"])}</b>'
        f'<span class="soft">{share["correct"]:,} of {share["n"]:,} right, 95%: {interval(share)}</span></div>'
    )


def _table(benchmarks):
    titles = ("", "questions", "accuracy", "95% interval", "", "within 1%", "exact", "tokens/s")
    lines = []
    for name, part, share in rows(benchmarks):
        cells = [f"{share['n']:,}", percent(share["accuracy"]), interval(share), _bar(share)]
        if part:
            cells += ["", "", ""]
        else:
            cells += [percent(share[key]["accuracy"]) for key in ("relative_error_1pct", "exact")]
            cells.append(f"{share['cost']['tokens_per_second']:,.0f}")
        first = f'<td class="part">{escape(part)}</td>' if part else f"<td>{escape(name)}</td>"
        lines.append(first + "".join(f"<td>{cell}</td>" for cell in cells))
    return (
        f'<h2>Results</h2><div class="wide">{_lines(titles, lines)}</div>'
        '<p class="soft">Accuracy: the answer equals the exact value of the question to two decimals. Within 1%: its '
        "relative error is at most 1%, and a value of 0 is met exactly. Exact: it is that value. Intervals are "
        "Wilson's. Forms of the corpus: questions whose operations, digits and formats are among those that the recipe "
        "of the training records draws from. A question was trained on also where it is a later step of another. "
        "The first benchmark's tokens a second include the compilation.</p>"
    )


def _lines(titles, lines):
    """A table of rows of cells that are HTML already."""
    head = "".join(f"<th>{title}</th>" for title in titles)
    return f"<table><tr>{head}</tr>" + "".join(f"<tr>{cells}</tr>" for cells in lines) + "</table>"


def _learning(points):
    drawing = curve(points)
    if not drawing:
        return ""
    return (
        f"<h2>Learning curve</h2><figure style='margin:0'><div class='wide'>{drawing}</div><figcaption class='key'>"
        "<i style='background:var(--faint)'></i>loss on the training batches"
        "<i style='background:var(--accent)'></i>loss on held-out records"
        " (nats a token, over training steps; below them, tokens seen)</figcaption></figure>"
    )


def _benchmark(name, result):
    groups = "".join(_group(title, shares) for title, shares in result["groups"].items())
    why = ", ".join(f"{count:,} {label.replace('_', ' ')}" for label, count in result["why"].items())
    protocols = ", ".join(f"{label} {percent(share['accuracy'])}" for label, share in result["protocols"].items())
    return (
        f"<h2>{escape(name)}</h2><p>Verdicts: {escape(why)}. Accuracy by protocol: {escape(protocols)}; they differ "
        f"on {result['protocols_differ']:,} of the questions. Right at the end of a chain with a wrong step: "
        f"{result['right_by_a_wrong_chain']:,}.</p>"
        f'<div class="groups">{groups}{_failed(result["first_wrong_operation"])}</div>{_wrong(result["wrong_answers"])}'
    )


def _group(title, shares):
    lines = [
        f"<td>{escape(label)}</td><td>{share['n']:,}</td><td>{percent(share['accuracy'])}</td><td>{_bar(share)}</td>"
        for label, share in shares.items()
    ]
    return f"<div><h3>by {escape(title)}</h3>{_lines(('', 'n', 'accuracy', ''), lines)}</div>"


def _failed(counts):
    if not counts:
        return ""
    lines = [f"<td>{escape(label)}</td><td>{count:,}</td>" for label, count in counts.items()]
    return f"<div><h3>operation that went wrong first</h3>{_lines(('', 'wrong answers'), lines)}</div>"


def _bar(share):
    """The accuracy as a bar, its interval as a line over it."""
    low, high = (120 * end for end in share["interval"])
    width = 120 * (share["accuracy"] or 0)
    return (
        f'<svg class="bar" viewBox="0 0 120 14" role="img" aria-label="{percent(share["accuracy"])}">'
        '<rect class="track" y="3" width="120" height="8" rx="2"/>'
        f'<rect class="fill" y="3" width="{width:.1f}" height="8" rx="2"/>'
        f'<path class="whisker" d="M{low:.1f} 7H{high:.1f}M{low:.1f} 4v6M{high:.1f} 4v6"/></svg>'
    )


def _wrong(examples):
    if not examples:
        return ""
    items = "".join(f"<li>{_chain(entry)}<div class='soft'>{escape(_comment(entry))}</div></li>" for entry in examples)
    return f"<h3>wrong answers</h3><ol class='wrong'>{items}</ol>"


def _chain(entry):
    """The chain with its first wrong segment marked, and what follows it grey."""
    wrong, parts = entry["wrong_segment"], []
    for i, segment in enumerate(entry["chain"]):
        text = escape(segment) or "&nbsp;"
        if wrong is not None and i == wrong:
            text = f"<mark>{text}</mark>"
        elif wrong is not None and i > wrong:
            text = f'<span class="after">{text}</span>'
        parts.append(text)
    return f'<code class="chain">{" = ".join(parts)}</code>'


def _comment(entry):
    words = [entry["why"].replace("_", " "), f"the truth is {entry['truth']}"]
    if entry["wrong_segment"] is not None:
        sign = {"other": "", "several": " (several operations)"}.get(entry["failed"], f" ({entry['failed']})")
        words.append(f"step {entry['wrong_segment']}{sign} is the first wrong one")
    if entry["finish"] == "length":
        words.append("cut off at the limit of tokens")
    return "; ".join(words)


def _settings(report):
    parts = {name: report[name] for name in ("recipe", "checkpoint", "training", "versions") if name in report}
    blocks = "".join(
        f"<details><summary>{escape(name)}</summary>"
        f"<pre>{escape(json.dumps(value, indent=2, ensure_ascii=False))}</pre></details>"
        for name, value in parts.items()
    )
    return f"<h2>Settings</h2>{blocks}"
