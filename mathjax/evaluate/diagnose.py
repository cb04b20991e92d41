"""Why an attempt is wrong: no answer, a slip in calculating, or wrong reasoning.

A solution's own equations are worked out exactly, wrong values put right wherever they are used later. If that leads to
the true answer, the reasoning was right and only the arithmetic was not.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from mathjax.answers import equations, equivalence, number, recompute
from mathjax.records import Record, lettered
from mathjax.verify import Verdict, written

FORMAT = ("no_answer", "unreadable", "too_long", "unfinished")
LOOSE = ("number", "math", "whole")  # rules by which an answer is taken that is not called one
KINDS = ("format", "arithmetic", "logic", "undecided")  # and program_KIND, of programs that failed


@dataclass(frozen=True)
class Diagnosis:
    """What a wrong attempt is: one of KINDS, or `program_` with what became of it; `detail` says how that was found.

    `slip` is where in the completion the first false equation begins, or of a slip of rounding the first inexact one,
    None without one; `recomputed` what the solution comes to without its slips.
    """

    kind: str
    detail: str = ""
    slip: int | None = None
    recomputed: Fraction | None = None


def diagnose(record: Record, completion: str, verdict: Verdict, finish: str = "") -> Diagnosis | None:
    """Why an attempt is wrong; None for a right one. `finish` is why the completion ended, "length" where it was cut.

    A completion that was cut before it gave an answer is wrong in its format, whatever number stands last in it.
    A program does its arithmetic exactly, so one that printed a wrong value is wrong in its logic. In style
    `arithmetic` the question is the logic: whatever is not of the form of an answer is wrong arithmetic.
    """
    if verdict.correct:
        return None
    if not verdict.decided:
        return Diagnosis("undecided", verdict.why)
    if verdict.why.startswith("program_"):
        return Diagnosis(verdict.why, verdict.detail or "")
    if verdict.answer is None or verdict.why in FORMAT:
        return Diagnosis("format", verdict.why)
    if finish == "length" and verdict.rule in LOOSE:
        return Diagnosis("format", "cut off before an answer")
    if record.style == "arithmetic":
        return Diagnosis("arithmetic", "a step is wrong")
    if verdict.rule == "printed":
        return Diagnosis("logic", "the program's value")
    return _reasoned(record, completion, verdict.answer)


def counted(found: Iterable[Diagnosis | None]) -> dict[str, int]:
    """How many are of each kind; they add up to the wrong attempts."""
    return dict(Counter(one.kind for one in found if one is not None).most_common())


def _reasoned(record, completion, answer):
    """The diagnosis of a solution in words by its equations."""
    worked = recompute.worked(equations.find(completion))
    if not worked:
        return Diagnosis("logic", "no equation to check")
    slip = next((one.start for one in worked if not one.true), None)
    given = recompute.answered(answer) if record.style != "choice" else None
    last = next((one for one in reversed(worked) if given is not None and one.claimed == given), worked[-1])
    if all(one.claimed == one.exact for one in worked):
        return Diagnosis("logic", "all equations hold", None, last.exact)
    if _is_truth(record, last.exact):
        slip = next(one.start for one in worked if one.claimed != one.exact) if slip is None else slip  # of rounding
        return Diagnosis("arithmetic", "right when recomputed", slip, last.exact)
    return Diagnosis("logic", "wrong also when recomputed", slip, last.exact)


def _is_truth(record, value):
    """Whether a value is the true answer, or that answer before it was rounded."""
    truth = written.reference(record.answer)
    if record.style == "choice":
        options = dict(lettered(record.options or ()))
        truth = written.reference(options.get(truth.strip("() .").upper(), truth))
    wanted = number.number(truth)
    if wanted is None:
        return equivalence.same(truth, str(value)).equal is True
    if value == wanted:
        return True
    places = len(truth.strip().partition(".")[2]) if "." in truth else 0
    return places > 0 and round(value, places) == wanted
