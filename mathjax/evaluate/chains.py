"""What the chains of style `arithmetic` add up to: how near their ends come, and which operation went wrong first."""

from collections import Counter
from collections.abc import Sequence

from mathjax.evaluate import statistics
from mathjax.evaluate.forms import operators
from mathjax.evaluate.judged import Judged
from mathjax.verify import Verdict, arithmetic


def summarise(attempts: Sequence[Judged]) -> dict:
    """Shares of ends within 1% (MathGLM's RE) and of exact ones, and counts of what went wrong first."""
    verdicts = [one.verdict for one in attempts]
    wrong = [one for one in attempts if not one.verdict.correct]
    failed = (failed_operation(one.record.question, one.row["completion"], one.verdict) for one in wrong)
    return {
        "relative_error_1pct": _share([verdict.close for verdict in verdicts]),
        "exact": _share([verdict.exact for verdict in verdicts]),
        "first_wrong_operation": dict(Counter(failed).most_common()),
        "right_by_a_wrong_chain": sum(one.correct and one.wrong_segment is not None for one in verdicts),
    }


def failed_operation(question: str, completion: str, verdict: Verdict) -> str:
    """The operator that the first wrong segment worked out, or tried to.

    It is what the segment before has and the wrong one lacks; "several" where that is more than one kind, "other"
    where the wrong segment is no expression, or has lost none.
    """
    if verdict.wrong_segment is None:
        return "other"
    before, wrong = arithmetic.chain(question, completion)[verdict.wrong_segment - 1 :][:2]
    try:
        lost = operators(before) - operators(wrong) if wrong else ()
    except ValueError:
        return "other"
    return "several" if len(lost) > 1 else next(iter(lost), "other")


def _share(outcomes):
    correct, n = sum(outcomes), len(outcomes)
    low, high = statistics.wilson(correct, n)
    return {"accuracy": correct / n if n else None, "correct": correct, "n": n, "interval": [low, high]}
