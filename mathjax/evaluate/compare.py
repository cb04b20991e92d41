"""Two runs held against each other, question by question."""

import json
import pathlib
from collections.abc import Iterator
from html import escape

from mathjax import files
from mathjax.evaluate import document, report, statistics


def run(first, second, workdir=None) -> dict:
    """What two runs of `evaluate` differ in, by benchmark; printed, and in `workdir` as compare.json and compare.html.

    Only questions that are in both count, under the headline protocol of each. Where each was asked once there are the
    exact p of McNemar's test and how many questions would show such a difference; where several times, the interval of
    the difference is a bootstrap over questions. FileNotFoundError for a folder without judged attempts, ValueError
    where the runs share no question.
    """
    lines = [_read(first), _read(second)]
    names = [name for name in lines[0] if name in lines[1]]
    found, attempts = {}, {}
    for name in names:
        pairs = list(_pairs(lines[0][name], lines[1][name]))
        if pairs:
            found[name] = differences(pairs)
            attempts[name] = [mine | {"other": other} for pair in pairs for mine, other in _beside(*pair)]
    if not found:
        raise ValueError(
            f"{first} and {second} share no question of a benchmark: {_names(lines[0])}; {_names(lines[1])}"
        )
    whole = {"first": str(first), "second": str(second), "benchmarks": found}
    print(table(whole))
    if workdir is not None:
        with files.whole(pathlib.Path(workdir) / "compare.json") as file:
            file.write(json.dumps(whole, indent=2).encode() + b"\n")
        with files.whole(pathlib.Path(workdir) / "compare.html") as file:
            file.write(render(whole, attempts).encode("utf-8", "replace"))
        print(f"comparison: {pathlib.Path(workdir) / 'compare.html'}")
    return whole


def differences(pairs: list[tuple[list[dict], list[dict]]]) -> dict:
    """What the attempts of two runs at the same questions differ in; a pair is those of both at one question."""
    rates = [[sum(map(_right, group)) / len(group) for group in pair] for pair in pairs]
    n, gaps = len(pairs), [one - two for one, two in rates]
    result = {"n": n, "first": sum(one for one, _ in rates) / n, "second": sum(two for _, two in rates) / n}
    result["difference"] = result["first"] - result["second"]
    result["protocols"] = [next(iter(group[0]["verdicts"])) for group in pairs[0]]
    if any(len(group) > 1 for pair in pairs for group in pair):
        return result | {"interval": list(statistics.bootstrap(gaps)), "p": None, "questions_needed": None}
    both, one, two = (sum(rate == want for rate in rates) for want in ([1, 1], [1, 0], [0, 1]))
    return result | {
        "both": both,
        "only_first": one,
        "only_second": two,
        "neither": n - both - one - two,
        "interval": list(statistics.paired_difference(both, one, two, n - both - one - two)),
        "p": statistics.mcnemar(one, two),
        "questions_needed": statistics.questions_needed(one / n, two / n),
    }


def table(whole: dict) -> str:
    """The comparison as lines for a terminal."""
    lines = [_TITLES, *(_cells(name, result) for name, result in whole["benchmarks"].items())]
    told = [f"first:  {whole['first']}", f"second: {whole['second']}", "", report.aligned(lines)]
    for name, result in whole["benchmarks"].items():
        one, two = result["protocols"]
        told += [f"{name}: judged by {one} in the first, by {two} in the second"] if one != two else []
    return "\n".join(told)


def render(whole: dict, attempts: dict[str, list[dict]]) -> str:
    """The comparison as a page: the attempts are those of the first run, each with that of the second beside it."""
    found = [[escape(cell) for cell in _cells(*row)] for row in whole["benchmarks"].items()]
    said = (
        f"<p>First: {escape(whole['first'])}. Second: {escape(whole['second'])}.</p>"
        f'{document.lines(_TITLES, found)}<p class="soft">The interval is of the difference in points. p: '
        "McNemar's exact test. Needed: the questions with which such a difference is seen four times in five "
        "(Connor 1987).</p>"
    )
    return document.document("Two runs compared", [said], attempts)


_TITLES = ("", "questions", "first", "second", "difference", "95% interval", "only first", "only second", "p", "needed")


def _cells(name, result):
    low, high = (f"{100 * end:+.1f}" for end in result["interval"])
    needed = result["questions_needed"]
    return (
        name,
        f"{result['n']:,}",
        report.percent(result["first"]),
        report.percent(result["second"]),
        f"{100 * result['difference']:+.1f}",
        f"{low} – {high}",
        *(f"{result[key]:,}" if key in result else "" for key in ("only_first", "only_second")),
        "" if result["p"] is None else f"{result['p']:.2g}",
        "" if needed is None else f"{needed:,}",
    )


def _read(folder) -> dict[str, list[dict]]:
    paths = sorted((pathlib.Path(folder) / "judged").glob("*.jsonl"))
    if not paths:
        raise FileNotFoundError(f"{folder}: wanted the folder of an evaluation, with judged/*.jsonl in it")
    return {path.stem: [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] for path in paths}


def _pairs(first, second) -> Iterator[tuple[list[dict], list[dict]]]:
    """The attempts of both at each question that both were asked, known by its text and truth."""
    mine, other = _by_question(first), _by_question(second)
    for key, group in mine.items():
        if key in other:
            yield group, other[key]


def _by_question(lines):
    """Attempts by question; of questions that are there twice, the second is told apart by its number."""
    places, found = {}, {}
    for line in lines:
        seen = places.setdefault((line["question"], line["truth"]), [])
        if line["index"] not in seen:
            seen.append(line["index"])
        found.setdefault((line["question"], line["truth"], seen.index(line["index"])), []).append(line)
    return found


def _beside(mine, other):
    """Each attempt of a question with one of the other run's, as far as it has so many."""
    for place, line in enumerate(mine):
        beside = other[min(place, len(other) - 1)]
        yield line, {name: beside[name] for name in ("completion", "verdicts", "error", "slip") if name in beside}


def _right(line):
    return next(iter(line["verdicts"].values()))["correct"]


def _names(lines):
    return ", ".join(f"{name} ({len(found):,})" for name, found in lines.items())
