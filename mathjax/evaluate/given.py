"""Completions that were made elsewhere, as stored attempts."""

import json
import pathlib
from collections.abc import Sequence

from mathjax import config, files
from mathjax.evaluate import modes
from mathjax.records import Record


class Answers:
    """What another one answered, from the file `job.completions`."""

    def __init__(self, job: config.Evaluate):
        self.job = job

    def attempts(self, folder, name: str, kind: str, found: Sequence[Record]) -> tuple[list[tuple[Record, dict]], dict]:
        """(the records as they were asked, each with an attempt; what they cost, as far as the file says)."""
        rows, asked = read(self.job.completions, name, found), modes.styled(self.job.mode, found)
        asked = {True: asked, False: found}  # hybrid: what was asked again in words says its stage
        tokens = sum(row["tokens"] or 0 for row in rows)
        cost = {"attempts": len(rows), "tokens": tokens, "seconds": 0.0, "tokens_per_second": 0.0}
        return [(asked[row.get("stage", "pot") == "pot"][row["index"]], row) for row in rows], cost

    def about(self) -> dict:
        """What the report says of where the completions are from."""
        return {"completions": {"path": str(self.job.completions), "sha256": files.digest(self.job.completions)}}

    def sources(self) -> list[str]:
        """Of what trained it, nothing is known."""
        return []


def read(path, name: str, found: Sequence[Record]) -> list[dict]:
    """The attempts in a file of JSON lines at the questions of benchmark `name`, in the order of the questions.

    A line has `completion`, or `completions` with several, and says which question it answers: `index`, from 0, or
    `question`, as it stands in the record; perhaps `benchmark` (lines of others are passed over), `sample`, `score`
    (that a vote weighs it with), `tokens`, `finish`. ValueError names a line that is none, an answer to no question or
    twice to one, and questions that some have more attempts at than others, or none.
    """
    by_question = {record.question.strip(): place for place, record in reversed(list(enumerate(found)))}
    rows, taken = [], {}
    with pathlib.Path(path).open(encoding="utf-8") as file:
        for number, text in enumerate(file, start=1):
            if not text.strip():
                continue
            where = f"{path}, line {number}"
            line = _line(text, where)
            if line.get("benchmark", name) != name:
                continue
            index = _index(line, by_question, found, where)
            for completion in line.get("completions") or [line.get("completion")]:
                if not isinstance(completion, str):
                    raise ValueError(f"{where}: a completion is text, got {completion!r:.80}")
                sample = line["sample"] if type(line.get("sample")) is int else len(taken.get(index, ()))
                if sample in taken.setdefault(index, set()):
                    raise ValueError(f"{where}: sample {sample} of question {index} is there twice")
                taken[index].add(sample)
                rows.append(_row(line, index, sample, found[index], completion))
    _check(path, name, found, taken)
    return sorted(rows, key=lambda row: (row["index"], row["sample"]))


def _line(text, where):
    try:
        line = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where}: {error}") from None
    if not isinstance(line, dict):
        raise ValueError(f"{where}: wanted a JSON object, got {text[:80]!r}")
    return line


def _index(line, by_question, found, where):
    if type(index := line.get("index")) is int:
        if not 0 <= index < len(found):
            raise ValueError(f"{where}: index {index} is of none of {len(found)} questions")
        if isinstance(line.get("question"), str) and line["question"].strip() != found[index].question.strip():
            raise ValueError(
                f"{where}: question {index} is {found[index].question[:60]!r}, not {line['question'][:60]!r}"
            )
        return index
    question = line.get("question")
    if not isinstance(question, str):
        raise ValueError(f"{where}: wanted index or question, got {', '.join(sorted(line))}")
    if question.strip() not in by_question:
        raise ValueError(f"{where}: no question of the benchmark is {question[:80]!r}")
    return by_question[question.strip()]


def _row(line, index, sample, record, completion):
    told = {key: line[key] for key in ("score", "stage") if line.get(key) is not None}
    return {
        "index": index,
        "sample": sample,
        "question": record.question,
        "completion": completion,
        "finish": str(line.get("finish") or "unknown"),
        "tokens": line["tokens"] if type(line.get("tokens")) is int else None,
    } | told


def _check(path, name, found, taken):
    if missing := [place for place in range(len(found)) if place not in taken]:
        raise ValueError(
            f"{path}: {len(missing):,} of {len(found):,} questions of benchmark {name} have no completion, "
            f"{found[missing[0]].question[:60]!r} is the first"
        )
    counts = {len(samples) for samples in taken.values()}
    if len(counts) > 1:
        raise ValueError(f"{path}: questions of benchmark {name} have from {min(counts)} to {max(counts)} completions")
