"""How the questions of a benchmark are asked: in words, as programs, or programs first and words where they fail."""

import dataclasses
import re
from collections.abc import Callable, Sequence

from mathjax import prompts
from mathjax.answers.protocols import PROTOCOLS
from mathjax.evaluate.benchmarks import BENCHMARKS
from mathjax.records import Record, lettered
from mathjax.verify import Case, Verdict, Verifier

POT, COT, CHOICE = "mammoth_pot", "mammoth_cot", "mammoth_choice"  # templates
LONGEST_SAID = 200  # characters of an answer that the closest option is asked for
_LETTER = re.compile(r"[A-J]")

Asked = list[tuple[Record, dict]]  # records in the style they were asked in, with their stored attempts
Answer = Callable[[str, Sequence[Record], str], list[dict]]  # a stage's name, records, template: stored attempts
Judge = Callable[[Asked, str], list[Verdict]]  # attempts, a rule: verdicts


def styled(mode: str, found: Sequence[Record]) -> list[Record]:
    """The records in the style that a mode asks for: programs, or words or a choice; arithmetic is asked as it is."""
    style = {"pot": "pot", "hybrid": "pot"}.get(mode)
    return [
        record if style is None or record.style == "arithmetic" else dataclasses.replace(record, style=style)
        for record in found
    ]


def templates(mode: str, template: str) -> tuple[str, ...]:
    """The names of all templates that a mode may ask with."""
    return (POT, COT, CHOICE) if mode == "hybrid" else (template,)


def ask(mode: str, found: Sequence[Record], template: str, answer: Answer, judge: Judge) -> Asked:
    """The attempts at the records, in their order; `judge` gives verdicts, see `judged`."""
    if mode != "hybrid":
        asked = styled(mode, found)
        return [(asked[row["index"]], row) for row in answer(mode, asked, template)]
    return _hybrid(found, answer, judge)


def judged(asked: Asked, rule: str, kind: str, verifier: Verifier) -> list[Verdict]:
    """Verdicts by which hybrid decoding goes on: by our own rule, "strict", or by "mammoth", theirs for the kind."""
    rules = {record.style: _theirs(kind, record.style) if rule == "mammoth" else rule for record, _ in asked}
    return verifier(Case(record, row["completion"], rules[record.style]) for record, row in asked)


def _theirs(kind, style):
    """MAmmoTH's protocol for a style of a kind of benchmark, or for its like."""
    known = [name for name in BENCHMARKS[kind].protocols if name in PROTOCOLS and style in PROTOCOLS[name].styles]
    theirs = [name for name in known if name.startswith("mammoth")]
    return theirs[0] if theirs else "mammoth_choice" if style == "choice" else "mammoth"


def _hybrid(found, answer, judge):
    """MAmmoTH's hybrid decoding (arXiv 2309.05653, its evaluation code).

    A program first. An open question is asked again in words where that gave no answer: no program and no number, or a
    program that failed or printed nothing; one with options only where a program gave no output. A wrong answer is
    never asked again. A choice that ends without a letter is asked for the option closest to what was said.
    """
    asked = _stage("pot", range(len(found)), styled("pot", found), POT, answer)
    again = [
        i
        for i, verdicts in enumerate(zip(judge(asked, "mammoth"), judge(asked, "strict"), strict=True))
        if _empty(*asked[i], *verdicts)
    ]
    for style, template in (("cot", COT), ("choice", CHOICE)):
        places = [i for i in again if found[i].style == style]
        for i, pair in zip(places, _stage(style, places, [found[i] for i in places], template, answer), strict=True):
            asked[i] = pair
    verdicts = judge(asked, "mammoth")
    places = [i for i, record in enumerate(found) if record.options and not _lettered(verdicts[i])]
    closest = [_closest(found[i], verdicts[i].answer or asked[i][1]["completion"]) for i in places]
    for i, (record, row) in zip(places, _stage("closest", places, closest, CHOICE, answer), strict=True):
        asked[i] = dataclasses.replace(found[i], style=record.style), row
    return asked


def _stage(name, places, asked, template, answer):
    """Attempts of one stage, each with the number its question has in the benchmark."""
    rows = answer(name, asked, template) if asked else []
    return [(asked[row["index"]], row | {"index": places[row["index"]], "stage": name}) for row in rows]


def _empty(record, row, theirs, ours):
    """Whether a program gave nothing: of a question with options no output, of an open one no answer."""
    if record.options:
        return "print(" in row["completion"] and ours.rule != "printed"
    return theirs.answer is None


def _lettered(verdict):
    return verdict.answer is not None and _LETTER.fullmatch(verdict.answer) is not None


def _closest(record, said):
    """The question which option is closest to an answer; the words are ours."""
    options = " ".join(f"({letter}) {text}" for letter, text in lettered(record.options))
    question = f"Which of the options is closest to this answer: {' '.join(said.split())[:LONGEST_SAID]}"
    return Record(question=question + prompts.CHOICES + options, answer=record.answer, style="choice")
