"""A report as one page to look at: tables of its numbers, and a browser of its attempts."""

import json
from html import escape

from mathjax.evaluate.chart import curve
from mathjax.evaluate.document import bar, document, lines
from mathjax.evaluate.report import PARTS, interval, percent, rows

MEANS = {"in_domain": "in-domain", "out_of_domain": "out-of-domain", "overall": "overall"}


def render(report: dict, attempts: dict[str, list[dict]]) -> str:
    """The page of a report (report.json's value) and of judged attempts by benchmark (`judged.Judged.line`)."""
    benchmarks = report["benchmarks"]
    cards = (_card(*row) for row in rows(benchmarks) if row[1] in ("", PARTS["covered"]))
    return document(
        report["title"],
        [
            f'<p class="soft">{escape(_subtitle(report))}</p>',
            f'<div class="cards">{"".join(cards)}</div>',
            _results(report),
            _protocols(benchmarks),
            _errors(benchmarks),
            _votes(benchmarks),
            _learning(report.get("learning_curve") or []),
            *(_benchmark(name, result) for name, result in benchmarks.items()),
            _contamination(benchmarks),
        ],
        attempts,
        _settings(report),
    )


def _subtitle(report):
    seconds = sum(result["cost"]["seconds"] for result in report["benchmarks"].values())
    version = f"mathjax {report['versions']['mathjax']}"
    if "checkpoint" not in report:
        if "completions" in report:
            return f"completions of {report['completions']['path']} · {version}"
        server = report["endpoint"]
        return f"{server['model']} at {server['url']} · answered in {seconds:,.0f} s · {version}"
    model = report["checkpoint"]
    step = "" if model["step"] is None else f", step {model['step']:,}"
    return (
        f"{model['path']}{step} · {model['parameters']:,} parameters · "
        f"answered in {seconds:,.0f} s on {report['device']} · {version}"
    )


def _card(name, part, share):
    words = f"{name}: {part}" if part else name
    each = "" if share["attempts"] == share["n"] else f", {share['attempts'] // share['n']} attempts each"
    return (
        f'<div class="card"><span>{escape(words)}</span><b>{percent(share["accuracy"])}</b>'
        f'<span class="soft">{share["correct"]:,} of {share["attempts"]:,} right{each}, '
        f"95%: {interval(share)}</span></div>"
    )


def _results(report):
    benchmarks = report["benchmarks"]
    chained = any("chains" in result for result in benchmarks.values())
    titles = ["", "questions", "accuracy", "95% interval", ""]
    titles += ["within 1%", "exact"] * chained + ["tokens", "seconds", "tokens/s"]
    found = []
    for name, part, share in rows(benchmarks):
        cells = [_name(name, part), f"{share['n']:,}", percent(share["accuracy"]), interval(share), bar(share)]
        told = share.get("chains", {})
        cells += [percent(told[key]["accuracy"]) if told else "" for key in ("relative_error_1pct", "exact") * chained]
        cost = share.get("cost") or {}
        cells += [f"{cost[key]:,.0f}" if cost.get(key) else "" for key in ("tokens", "seconds", "tokens_per_second")]
        found.append(cells)
    said = (
        '<p class="soft">Right: the answer names the same value as the truth (of arithmetic: to two decimals). '
        "Intervals are Wilson's, or where a question was asked several times, a bootstrap over questions."
    )
    if chained:
        said += (
            " Within 1%: the relative error is at most that, and a value of 0 is met exactly. Exact: it is that "
            "value. Forms of the corpus: questions whose operations, digits and formats are among those that the "
            "recipe of the training records draws from. A question was trained on also where it is a later step of "
            "another."
        )
    warnings = "".join(
        f'<p class="warning">{escape(name)}: {escape(result["warning"])}.</p>'
        for name, result in benchmarks.items()
        if result.get("warning")
    )
    return f"<h2>Results</h2>{lines(titles, found)}{said}</p>{warnings}{_means(report.get('means') or {})}"


def _name(name, part):
    return f'<span class="soft">&emsp;{escape(part)}</span>' if part else escape(name)


def _means(means):
    if not means or len(means["overall"]["sets"]) < 2:
        return ""
    found = [
        (words, percent(means[key]["mean"]), f"{len(means[key]['sets'])}", escape(", ".join(means[key]["missing"])))
        for key, words in MEANS.items()
        if key in means
    ]
    return f"<h3>means over MAmmoTH's nine sets</h3>{lines(('', 'mean', 'sets', 'missing'), found)}"


def _protocols(benchmarks):
    found = []
    for name, result in benchmarks.items():
        for protocol, share in result["protocols"].items() if len(result["protocols"]) > 1 else ():
            found.append(
                (
                    escape(name),
                    escape(protocol),
                    percent(share["accuracy"]),
                    interval(share),
                    f"{share['only_here']:,}",
                    f"{share['only_headline']:,}",
                    escape(share["lenient"]),
                    escape(share["source"])
                    + (f" (asked with {escape(share['template'])})" if share["template"] else ""),
                )
            )
    if not found:
        return ""
    titles = (
        "",
        "protocol",
        "accuracy",
        "95% interval",
        "right only here",
        "only by the headline",
        "forgives",
        "source",
    )
    differ = ", ".join(f"{escape(name)} {len(result['changed']):,}" for name, result in benchmarks.items())
    return (
        f"<h2>Protocols</h2>{lines(titles, found)}"
        f'<p class="soft">The same completions under the rules that published scores were made by. They disagree on: '
        f"{differ} (to look at below: protocols differ).</p>"
    )


def _errors(benchmarks):
    kinds = list(dict.fromkeys(kind for result in benchmarks.values() for kind in result["errors"]))
    kinds = [kind for kind in kinds if any(result["errors"].get(kind) for result in benchmarks.values())]
    if not kinds:
        return ""
    found = [
        (
            escape(name),
            f"{sum(result['errors'].values()):,}",
            *(f"{result['errors'].get(kind, 0):,}" for kind in kinds),
            percent(result["arithmetic_accuracy"]["accuracy"]),
        )
        for name, result in benchmarks.items()
    ]
    titles = ("", "wrong", *(escape(kind.replace("_", " ")) for kind in kinds), "right but for arithmetic")
    return (
        f"<h2>Why answers are wrong</h2>{lines(titles, found)}"
        '<p class="soft">Arithmetic: the solution\'s own equations, worked out exactly, lead to the true answer. '
        "Logic: they do not. Format: no answer was found. Undecided: neither right nor wrong could be told, which "
        "counts as not right.</p>"
    )


def _votes(benchmarks):
    parts = []
    for name, result in benchmarks.items():
        if "votes" not in result:
            continue
        told = result["votes"]
        found = []
        for k, passed in told["pass_at"].items():
            won = told["majority_at"][k]
            found.append((k, percent(passed["accuracy"]), interval(passed), percent(won["accuracy"]), interval(won)))
        table = lines(("k", "pass@k", "95% interval", "maj@k", "95% interval"), found)
        weighted = told.get("weighted_majority")
        said = (
            f"<p>Weighted by scores: {percent(weighted['accuracy'])}, 95%: {interval(weighted)}.</p>"
            if weighted
            else ""
        )
        fit = told["calibration"]
        bins = [
            (f"{100 * low:.0f} – {100 * high:.0f}%", f"{n:,}", percent(foreseen), percent(met))
            for low, high, n, foreseen, met in fit["bins"]
        ]
        shares = lines(("share of the vote", "questions", "mean share", "right"), bins)
        parts.append(
            f'<h3>{escape(name)}</h3><div class="groups"><div>{table}{said}</div><div>{shares}'
            f'<p class="soft">Expected calibration error: {percent(fit["error"])}.</p></div></div>'
        )
    return f"<h2>Votes</h2>{''.join(parts)}" if parts else ""


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
    groups = "".join(_group(title, shares) for title, shares in result["groups"].items() if shares)
    why = ", ".join(f"{count:,} {label.replace('_', ' ')}" for label, count in result["why"].items())
    told = result.get("chains")
    said = f" Right at the end of a chain with a wrong step: {told['right_by_a_wrong_chain']:,}." if told else ""
    failed = _failed(told["first_wrong_operation"]) if told else ""
    return (
        f"<h2>{escape(name)}</h2><p>Verdicts by {escape(result['protocol'])}: {escape(why)}.{said}</p>"
        f'<div class="groups">{groups}{failed}</div>'
    )


def _group(title, shares):
    found = [
        (escape(label), f"{share['n']:,}", percent(share["accuracy"]), bar(share)) for label, share in shares.items()
    ]
    return f"<div><h3>by {escape(title)}</h3>{lines(('', 'n', 'accuracy', ''), found)}</div>"


def _failed(counts):
    if not counts:
        return ""
    found = [(escape(label), f"{count:,}") for label, count in counts.items()]
    return f"<div><h3>operation that went wrong first</h3>{lines(('', 'wrong answers'), found)}</div>"


def _contamination(benchmarks):
    told = {name: result["contamination"] for name, result in benchmarks.items() if result.get("contamination")}
    if not told:
        return ""
    titles = ("", "records read", "questions met", "the same", "but for numbers", "half of it", "13 words")
    found = [
        (escape(name), *(f"{one[key]:,}" for key in ("records", "questions", "exact", "masked", "half", "ngram")))
        for name, one in told.items()
    ]
    matches = "".join(
        f"<p><b>{escape(name)} #{match['index']}</b> <span class='soft'>{escape(match['kind'])}, "
        f"{escape(match['where'])}</span><br>{escape(match['record'])}</p>"
        for name, one in told.items()
        for match in one["matches"]
    )
    shown = f"<details><summary>the records they are met in</summary>{matches}</details>" if matches else ""
    return f"<h2>Overlap with the records of training</h2>{lines(titles, found)}{shown}"


def _settings(report):
    names = ("recipe", "checkpoint", "endpoint", "completions", "training", "versions")
    blocks = "".join(
        f"<details><summary>{escape(name)}</summary>"
        f"<pre>{escape(json.dumps(report[name], indent=2, ensure_ascii=False))}</pre></details>"
        for name in names
        if name in report
    )
    return f"<h2>Settings</h2>{blocks}"
