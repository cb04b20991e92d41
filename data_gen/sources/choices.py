"""Readers of data sets whose questions have options: AQuA, SAT-Math, MMLU; and options written into a question."""

from data_gen.sources import columns
from mathjax import prompts
from mathjax.records import Record

LETTERS = "ABCDEFGHIJ"


def split(question: str) -> tuple[str, tuple[str, ...] | None]:
    """A question and its options, of a text that ends in MAmmoTH's `Answer Choices: (A) .. (B) ..`.

    A question without them is given back whole, with None. `prompts.with_options` puts them together to the same bytes.
    """
    before, lead, after = question.rpartition(prompts.CHOICES)
    if not lead or not after.startswith("(A) "):
        return question, None
    options, rest = [], after[4:]
    for letter in LETTERS[1:]:
        option, found, tail = rest.partition(f" ({letter}) ")
        if not found:
            break
        options.append(option)
        rest = tail
    return before, (*options, rest)


def aqua(row: dict, source: str) -> list[Record]:
    """AQuA: question, options `A)..`, rationale, correct. Options keep their letters, as published."""
    options = tuple(columns.listed(row, "options"))
    question, solution = columns.text(row, "question"), columns.text(row, "rationale")
    answer = _letter(columns.text(row, "correct"), options)
    return [_record(row, source, question, answer, options, solution)]


def sat(row: dict, source: str) -> list[Record]:
    """SAT-Math as AGIEval publishes it (passage, question, options, label, other) or MAmmoTH (question, answer).

    A passage stands before the question, in a line of its own.
    """
    if "label" not in row:
        question, options = split(columns.text(row, "question"))
        return [_record(row, source, question, _letter(columns.text(row, "answer"), options or LETTERS), options)]
    passage, question = columns.text_or_none(row, "passage"), columns.text(row, "question")
    options = tuple(columns.listed(row, "options"))
    other = columns.part(row, "other") if row.get("other") is not None else {}
    solution = columns.text_or_none(other, "solution")
    row = row | {"other": other} if other else {name: value for name, value in row.items() if name != "other"}
    question = f"{passage}\n{question}" if passage else question
    return [_record(row, source, question, _letter(columns.text(row, "label"), options), options, solution)]


def mmlu(row: dict, source: str) -> list[Record]:
    """MMLU: question, subject, choices and the answer's place from 0, or a line of CSV with the answer's letter.

    The answer is the letter; a line of CSV has its subject from the name of its file.
    """
    if "cells" in row:
        *cells, letter = columns.listed(row, "cells")
        if len(cells) != 5:
            raise ValueError(f"a line must be a question, four choices and a letter, got {len(cells) + 1} cells")
        question, *options = cells
        row["subject"] = row.pop("file").rpartition("_")[0]
    else:
        question, options = columns.text(row, "question"), columns.listed(row, "choices")
        place = columns.whole(row, "answer")
        if not 0 <= place < len(options):
            raise ValueError(f"column 'answer' must be the place of one of {len(options)} choices, got {place}")
        letter = LETTERS[place]
    return [_record(row, source, question, _letter(letter, options), tuple(options))]


def _letter(letter, options):
    letter = letter.strip()
    if letter not in LETTERS[: len(options)] or len(letter) != 1:
        raise ValueError(f"the answer must be a letter of one of {len(options)} options, got {letter!r}")
    return letter


def _record(row, source, question, answer, options, solution=None):
    return Record(
        question=question,
        answer=answer,
        solution=solution,
        style="choice",
        source=source,
        options=options,
        extra=row,
    )
