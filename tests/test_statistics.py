"""Intervals of measured shares."""

import pytest
from scipy.stats import binomtest

from mathjax.evaluate import statistics

COUNTS = [(0, 1), (1, 1), (0, 10), (1, 10), (5, 10), (10, 10), (81, 263), (950, 1000), (1000, 1000), (3, 10_000)]


@pytest.mark.parametrize(("successes", "n"), COUNTS)
def test_wilson_equals_scipys(successes, n):
    expected = binomtest(successes, n).proportion_ci(method="wilson")
    assert statistics.wilson(successes, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_equals_the_value_worked_by_hand():
    # Half of 100 with z = 2: centre 1/2; half width 2 * sqrt(0.0025 + 0.0001) / 1.04 = 0.0980581
    low, high = statistics.wilson(50, 100, z=2)
    assert (low, high) == pytest.approx((0.4019419, 0.5980581), abs=1e-7)


def test_nothing_asked_tells_nothing():
    assert statistics.wilson(0, 0) == (0.0, 1.0)


def test_all_right_is_not_certain_and_stays_a_share():
    low, high = statistics.wilson(20, 20)
    assert 0.8 < low < 0.9
    assert high == 1.0


@pytest.mark.parametrize(("successes", "n"), [(-1, 3), (4, 3), (1, 0)])
def test_impossible_counts_are_errors(successes, n):
    with pytest.raises(ValueError, match=rf"got {successes} of {n}"):
        statistics.wilson(successes, n)
