"""Readers of data sets with questions and answers alone."""

from data_gen.sources import choices, columns
from mathjax.records import Record


def plain(row: dict, source: str) -> list[Record]:
    """Question and answer, as MAmmoTH evaluates NumGLUE, SimulEq and DeepMind Mathematics; or the latter's own files.

    Where the question has answer choices, it is a choice, and they become options.
    """
    question, options = choices.split(columns.text(row, "question"))
    style, answer = "choice" if options else "cot", columns.answer(row, "answer")
    return [Record(question=question, answer=answer, style=style, source=source, options=options, extra=row)]


def svamp(row: dict, source: str) -> list[Record]:
    """SVAMP: Body, Question, Answer, with ID, Equation, Type; body and question are joined by a space."""
    body, question = columns.text(row, "Body"), columns.text(row, "Question")
    answer = columns.answer(row, "Answer")
    return [Record(question=f"{body} {question}", answer=answer, source=source, extra=row)]


def asdiv(row: dict, source: str) -> list[Record]:
    """ASDiv, XML as published or JSON with its names: body, question, answer with its unit, formula.

    The row's own column `source` is in `extra`.
    """
    body, question = columns.text(row, "body"), columns.text(row, "question")
    answer = columns.answer(row, "answer")
    return [Record(question=f"{body} {question}", answer=answer, source=source, extra=row)]


def mawps(row: dict, source: str) -> list[Record]:
    """MAWPS: input and target; the file of all subsets has type and idx, and the type ends the source."""
    question, answer = columns.text(row, "input"), columns.answer(row, "target")
    where = f"{source}/{row['type']}" if row.get("type") else source
    return [Record(question=question, answer=answer, source=where, extra=row)]


def theoremqa(row: dict, source: str) -> list[Record]:
    """TheoremQA: Question, Answer, Answer_type, Picture and what it is about; options stand in the question's text.

    A question that refers to a picture has its name in `extra["Picture"]`.
    """
    question, answer = columns.text(row, "Question"), columns.answer(row, "Answer")
    style = "choice" if row.get("Answer_type") == "option" else "cot"
    return [Record(question=question, answer=answer, style=style, source=source, extra=row)]
