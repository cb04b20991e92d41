"""Style `pot`: a program whose printed text is the answer (MAmmoTH, arXiv 2309.05653, section 3.3 of its rules)."""

import dataclasses
import re

from mathjax.answers import extract
from mathjax.records import Record
from mathjax.sandbox import programs
from mathjax.sandbox.interpreter import interpret
from mathjax.sandbox.limits import Outcome
from mathjax.verify import written
from mathjax.verify.verdict import Verdict

INTERPRETED = "interpreter"
_LABELLED = re.compile(r"[A-Za-z_]{2,}[^\d\n]*(?:[:=]|\s)\s*\S*\d")  # words, and then a value: "Total cost: 32.0"


def source(completion: str) -> str | None:
    """The program in a completion as it is to be run; None where there is none."""
    found = programs.program(completion)
    return None if found is None else programs.runnable(found)


def interpreted(text: str) -> Outcome | None:
    """The outcome of a program that the interpreter can carry out by itself, else None."""
    result = interpret(text)
    if result is None:
        return None
    status = "ok" if result.error is None else "error"
    return Outcome(status=status, printed=result.printed, error=result.error or "", level=INTERPRETED)


def judge(record: Record, outcome: Outcome | None, completion: str, protocol: str = "strict") -> Verdict:
    """The verdict on a program by what became of it; a completion without a program is judged as words (MAmmoTH).

    A published protocol reads as MAmmoTH does: what a program printed behind "The answer is", of one that failed
    nothing, and a text that does not print as words. Of a question with options the answer is an option: its letter,
    or what it says.
    """
    if record.answer is None:
        raise ValueError(f"record {record.question[:80]!r} has no answer to compare with")
    if record.options and protocol == "strict":
        return _chosen(record, outcome, completion)
    if outcome is None:
        return written.judge(record, completion, protocol)
    if protocol != "strict" and "print(" not in completion:
        return written.published(record, completion, protocol)
    if protocol != "strict":
        said = f"The answer is {outcome.printed.strip()}" if outcome.status == "ok" and outcome.printed.strip() else ""
        return written.published(record, said, protocol)
    answer = programs.answer(outcome.printed)
    if outcome.status != "ok":
        return Verdict(
            answer=answer[: written.LONGEST_ANSWER] if answer else None,
            correct=False,
            why=f"program_{outcome.status}",
            detail=outcome.error[:200] or None,
            level=outcome.level or None,
        )
    if answer is None:
        return Verdict(answer=None, correct=False, why="no_answer", level=outcome.level)
    verdict = written.compared(record.answer, answer, "printed")
    for text in _readings(answer) if not verdict.correct else ():
        if (other := written.compared(record.answer, text, "printed")).correct:
            verdict = other
            break
    return Verdict(
        answer=verdict.answer,
        correct=verdict.correct,
        why=verdict.why,
        rule=verdict.rule,
        detail=verdict.detail,
        level=outcome.level,
    )


def _chosen(record, outcome, completion):
    """The verdict where the answer is one of the options."""
    if outcome is None:
        return written.judge_choice(record, completion)
    if outcome.status != "ok" or not outcome.printed.strip():
        return judge(dataclasses.replace(record, options=None), outcome, completion)
    verdict = written.judge_choice(record, f"The answer is {outcome.printed.strip()}")
    return dataclasses.replace(verdict, rule="printed", level=outcome.level)


def _readings(answer):
    """Other ways to read what was printed: the base of logarithms as sympy prints it, a value behind its label."""
    if "\\" not in answer and re.search(r"\bE\b", answer):
        yield re.sub(r"\bE\b", "e", answer)
    if _LABELLED.search(answer) and (found := extract.find(answer.rpartition(":")[2] or answer)):
        yield found.text
