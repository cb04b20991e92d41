"""One answer from several attempts: a majority over answers that name the same value."""

from collections.abc import Sequence
from dataclasses import dataclass

from mathjax.answers import equivalence
from mathjax.answers.number import number


@dataclass(frozen=True)
class Vote:
    """Who won: the place of the first attempt with the winning answer, None where no attempt has an answer.

    `share` is the weight of its class among all attempts, those without an answer included; `classes` are the places
    of the attempts with each answer.
    """

    winner: int | None
    share: float
    classes: tuple[tuple[int, ...], ...]


def classes(answers: Sequence[str | None]) -> tuple[tuple[int, ...], ...]:
    """The places of equal answers, in the order of their first ones: 1/2 and 0.5 are one class, None is in none.

    What cannot be decided to be equal is apart.
    """
    found, by_value, by_text = [], {}, {}
    for place, answer in enumerate(answers):
        if answer is None:
            continue
        home = by_text.get(answer)
        if home is None:
            value = number(answer)
            home = by_value.get(value) if value is not None else None
            if home is None:
                home = next((group for group, first in found if equivalence.same(first, answer).equal), None)
            if home is None:
                found.append((home := [], answer))
            by_text[answer] = home
            if value is not None:
                by_value.setdefault(value, home)
        home.append(place)
    return tuple(tuple(group) for group, _ in found)


def majority(answers: Sequence[str | None], weights: Sequence[float] | None = None) -> Vote:
    """The class of answers with the largest weight, each attempt's being 1 unless `weights` says otherwise.

    Of equal ones, the one that was seen first, and attempts without an answer have no vote, as in RFT's maj1@100
    (arXiv 2308.01825); with the scores of a reward model as weights it is the vote of WizardMath (2308.09583).
    """
    weights = [1.0] * len(answers) if weights is None else list(weights)
    if len(weights) != len(answers):
        raise ValueError(f"{len(answers)} answers need as many weights, got {len(weights)}")
    if weights and min(weights) < 0:
        raise ValueError(f"weights must not be negative, got {min(weights)}")
    groups = classes(answers)
    if not groups:
        return Vote(None, 0.0, ())
    totals = [sum(weights[place] for place in group) for group in groups]
    best = max(range(len(groups)), key=totals.__getitem__)
    return Vote(groups[best][0], totals[best] / sum(weights) if sum(weights) else 0.0, groups)
