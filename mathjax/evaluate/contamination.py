"""Questions of a benchmark that a model may have seen: overlaps with the records it was trained on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mathjax import metrics, overlap, records
from mathjax.overlap import KINDS

SHOWN = 3  # matches kept of a question


@dataclass(frozen=True)
class Match:
    """A record that overlaps with a question: how, where it is, and its own question."""

    kind: str
    where: str
    question: str


def overlaps(questions: Sequence[str], sources: Iterable[str]) -> tuple[dict[int, list[Match]], int]:
    """({number of a question: its closest matches}, how many records were read), by `overlap.Known`.

    FileNotFoundError where a source is not there.
    """
    known, matches, read = overlap.Known(questions), {}, 0
    files = [records.read(source) for source in sources]
    with metrics.progress(sum(map(len, files)), "looking for the questions", "records") as bar:
        for file in files:
            for place, record in enumerate(file):
                read += 1
                for number, kind in known.found(record.question):
                    _keep(matches.setdefault(number, []), Match(kind, file.where(place), record.question))
                bar.update()
    return matches, read


def summary(matches: dict[int, list[Match]], read: int, shown: int = 100) -> dict:
    """What overlaps add up to, each question by its closest match, and the closest ones themselves."""
    counts = dict.fromkeys(KINDS, 0)
    for found in matches.values():
        counts[found[0].kind] += 1
    closest = sorted(matches, key=lambda number: (KINDS.index(matches[number][0].kind), number))[:shown]
    rows = [
        {"index": number, "kind": one.kind, "where": one.where, "record": one.question[:1000]}
        for number in closest
        for one in matches[number]
    ]
    return {"records": read, "questions": len(matches), **counts, "matches": rows}


def _keep(kept, match):
    """Keep the closest matches, the first of equal ones."""
    kept.append(match)
    kept.sort(key=lambda one: KINDS.index(one.kind))
    del kept[SHOWN:]
