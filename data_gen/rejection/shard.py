"""What becomes of some questions: the records of a shard, and sums over its questions, which add up over shards."""

import dataclasses
import json
from collections import Counter
from collections.abc import Iterator

from data_gen.rejection import adaptive, candidates, paths
from mathjax import config, records
from mathjax.records import Record

KS = (1, 3, 6, 12, 25, 50, 100, 200, 400, 800)  # samples of a question at which the yield is told
UNION = "all"  # the models together


def write(job: config.Rejection, found: dict[str, str], span: tuple[int, int], path) -> dict:
    """Write the records of questions `span` into `path`; facts of the shard: rows, and what `tally` counts.

    `found` names for each model the files of its completions.
    """
    questions = records.read(job.questions)
    even = not job.adaptive.round
    read = {name: candidates.read(where, len(questions), even) for name, where in found.items()}
    counted: Counter = Counter()
    rows = records.write(path, _records(job, questions, read, span, counted))
    return {
        "rows": rows,
        "done": span[1] - span[0],
        "counted": {json.dumps(key): count for key, count in sorted(counted.items())},
    }


def _records(job, questions, read, span, counted) -> Iterator[Record]:
    for index in range(*span):
        question = questions[index]
        right, taken = {}, {}
        for name, source in read.items():
            right[name], taken[name] = _right(job, question, index, name, source, counted)
        kept = paths.select(path for found in right.values() for path in found)
        tally(job, question, right, taken, counted)
        if job.gold:
            yield question
        for path in kept[: job.cap or None]:
            yield _record(question, index, path)


def judge(
    job: config.Rejection, question: Record, index: int, name: str, candidate: candidates.Candidate
) -> tuple[str, str | None]:
    """(why it is kept or not, its key): `correct` and the key of its path, or what it fails for and None."""
    if job.filter == "rft":
        why = paths.why(candidate.text, _truth(question, index))
    elif candidate.correct is None:
        raise ValueError(f"config.filter='verdict': the completions of {name} come without verdicts")
    else:
        why = "correct" if candidate.correct else "not_right"
    return why, paths.KEYS[job.key](candidate.text.strip()) if why == "correct" else None


def _right(job, question, index, name, source, counted) -> tuple[list[paths.Path], int]:
    """(the paths of one model that are right, in the order they were sampled; how many samples it had)."""
    k, rule = job.sampling.samples, job.adaptive
    found = source.at(index, question.question, max(k, rule.most))
    judged = [judge(job, question, index, name, candidate) for candidate in found]
    if rule.round:
        keys = [key for _, key in judged]
        taken = min(adaptive.wanted(rule, keys, k), len(found))
        if len(found) >= k:  # more than the rule took are known, so it can be told what they would have brought
            counted["known", name] += 1
            for count in range(1, k + 1):
                counted["plain", name, count] += len({*keys[:count]} - {None})
        counted["paths", name] += len({*keys[:taken]} - {None})
        found, judged = found[:taken], judged[:taken]
    right = []
    for candidate, (why, key) in zip(found, judged, strict=True):
        counted["why", name, why] += 1
        if key is not None:
            right.append(paths.Path(candidate.text.strip(), key, name, candidate.sample))
    return right, len(found)


def tally(
    job: config.Rejection,
    question: Record,
    right: dict[str, list[paths.Path]],
    taken: dict[str, int],
    counted: Counter,
):
    """Count what the first k samples of each model, and of all, came to at one question; `taken` is how many it had.

    (what, model, k): `correct` paths; `distinct` ones, the question's own solution among them; `kept`, those that are
    added to it; `solved`, 1 or 0. (`taken`, model): samples. (`exclusive`, model): paths that no other model has.
    (`share`, model, tenths of the samples that were right, rounded up).
    """
    gold = {paths.KEYS[job.key](question.solution)} if question.solution else set()
    models, k = [*right, UNION] if len(right) > 1 else [*right], max(job.sampling.samples, job.adaptive.most)
    by_model = right | {UNION: [path for found in right.values() for path in found]}
    for name in models:
        for count in [*(one for one in KS if one < k), k]:
            some = [path for path in by_model[name] if path.sample < count]
            keys = {path.key for path in some}
            for what, number in (
                ("correct", len(some)),
                ("distinct", len(keys | gold)),
                ("kept", min(len(keys), job.cap or len(keys))),
                ("solved", bool(some)),
            ):
                counted[what, name, count] += number
        total = sum(taken.values()) if name == UNION else taken[name]
        counted["share", name, -(-10 * len(by_model[name]) // total)] += 1
    for name in right:
        counted["taken", name] += taken[name]
        others = {path.key for other, found in right.items() if other != name for path in found}
        counted["exclusive", name] += len({path.key for path in right[name]} - others)


def _truth(question, index):
    try:
        return float((question.answer or "").replace(",", ""))
    except ValueError:
        shown = f"question {index}, {question.question[:60]!r}"
        raise ValueError(f"{shown}: wanted a number as its answer, got {question.answer!r}") from None


def _record(question, index, path) -> Record:
    """A path as a record, which says what question it answers, who wrote it, and as which of its samples."""
    return dataclasses.replace(
        question,
        solution=path.text,
        source="rft",
        parent=f"{question.source}#{index}",
        maker=path.maker,
        extra=question.extra | {"sample": path.sample},
    )
