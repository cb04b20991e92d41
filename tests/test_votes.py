"""Votes of several attempts at a question."""

import pytest

from mathjax.evaluate import votes


@pytest.mark.parametrize(
    ("answers", "groups"),
    [
        (["1/2", "0.5", "2", "\\frac{1}{2}"], ((0, 1, 3), (2,))),
        (["1,000", "1000.0", "1000 dollars"], ((0, 1, 2),)),
        (["x+1", "1+x", "x-1"], ((0, 1), (2,))),
        ([None, "3", None, "3"], ((1, 3),)),
        (["9**9**9**9", "9**9**9**9", "7"], ((0, 1), (2,))),
        ([], ()),
    ],
)
def test_answers_that_name_the_same_value_are_one_class(answers, groups):
    assert votes.classes(answers) == groups


@pytest.mark.parametrize(
    ("answers", "weights", "winner", "share"),
    [
        (["5", "0.5", "1/2"], None, 1, 2 / 3),
        (["7", "8", "8", "7"], None, 0, 0.5),  # a tie: the one seen first
        ([None, None, "8"], None, 2, 1 / 3),
        ([None, None], None, None, 0.0),
        (["7", "7", "8"], [0.1, 0.2, 0.9], 2, 0.75),  # rewards turn a majority
        (["7", "8"], [0.0, 0.0], 0, 0.0),
    ],
)
def test_the_majority_wins(answers, weights, winner, share):
    vote = votes.majority(answers, weights)
    assert (vote.winner, vote.share) == (winner, pytest.approx(share))


def test_weights_that_cannot_be_are_errors():
    with pytest.raises(ValueError, match="2 answers need as many weights, got 1"):
        votes.majority(["1", "2"], [1.0])
    with pytest.raises(ValueError, match=r"must not be negative, got -0\.5"):
        votes.majority(["1", "2"], [1.0, -0.5])
