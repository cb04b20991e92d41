"""Intervals, repeated attempts and paired tests, beside scipy and tables worked by hand."""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import binom, binomtest

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
    assert statistics.wilson(0, 0) == statistics.bootstrap([]) == (0.0, 1.0)
    assert statistics.paired_difference(0, 0, 0, 0) == (-1.0, 1.0)


def test_all_right_is_not_certain_and_stays_a_share():
    low, high = statistics.wilson(20, 20)
    assert 0.8 < low < 0.9
    assert high == 1.0


@pytest.mark.parametrize(("successes", "n"), [(-1, 3), (4, 3), (1, 0)])
def test_impossible_counts_are_errors(successes, n):
    with pytest.raises(ValueError, match=rf"got {successes} of {n}"):
        statistics.wilson(successes, n)


@pytest.mark.parametrize(("k", "n", "correct"), [(1, 5, 2), (2, 5, 2), (5, 5, 1), (3, 8, 0), (3, 8, 8), (2, 6, 5)])
def test_pass_at_k_is_the_share_of_all_choices_of_k_attempts_with_a_right_one(k, n, correct):
    attempts = [True] * correct + [False] * (n - correct)
    chosen = list(itertools.combinations(attempts, k))
    assert statistics.pass_at(k, n, correct) == pytest.approx(sum(map(any, chosen)) / len(chosen), abs=1e-12)


def test_pass_at_k_of_many_attempts_neither_overflows_nor_loses_its_digits():
    assert statistics.pass_at(1, 10_000, 37) == pytest.approx(0.0037, abs=1e-12)
    assert statistics.pass_at(5_000, 10_000, 1) == pytest.approx(0.5, abs=1e-12)


@pytest.mark.parametrize(("k", "n", "correct"), [(0, 5, 1), (6, 5, 1), (1, 5, 6), (1, 5, -1)])
def test_a_pass_at_k_that_cannot_be_is_an_error(k, n, correct):
    with pytest.raises(ValueError, match=f"k={k}, correct={correct}, n={n}"):
        statistics.pass_at(k, n, correct)


def test_the_bootstrap_of_right_and_wrong_is_the_binomials():
    low, high = statistics.bootstrap([1.0] * 300 + [0.0] * 700)
    expected = binom.ppf((0.025, 0.975), 1000, 0.3) / 1000
    assert (low, high) == pytest.approx(expected, abs=0.0021)


def test_the_bootstrap_is_that_of_drawn_questions():
    values = np.random.default_rng(1).choice([0, 0.25, 0.5, 1.0], size=200)
    plain = np.random.default_rng(2).choice(values, size=(20_000, 200)).mean(1)
    assert statistics.bootstrap(values) == pytest.approx(np.quantile(plain, (0.025, 0.975)), abs=0.006)


def test_a_seed_gives_the_same_interval_and_the_order_of_questions_does_not_matter():
    values = [0.0, 0.5, 1.0, 1.0, 0.25] * 20
    assert statistics.bootstrap(values, seed=3) == statistics.bootstrap(values[::-1], seed=3)
    assert statistics.bootstrap(values, seed=3) != statistics.bootstrap(values, seed=4)


@pytest.mark.parametrize(("first", "second"), [(0, 0), (0, 5), (1, 9), (12, 3), (40, 61), (1000, 1100), (7, 7)])
def test_mcnemar_is_the_binomial_test_of_the_questions_that_differ(first, second):
    expected = binomtest(first, first + second).pvalue if first + second else 1.0
    assert statistics.mcnemar(first, second) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("table", "interval"),
    [((36, 12, 2, 0), (0.0569, 0.3404)), ((54, 0, 0, 0), (-0.0664, 0.0664))],
)
def test_the_interval_of_a_paired_difference_is_newcombes(table, interval):
    assert statistics.paired_difference(*table) == pytest.approx(interval, abs=1e-4)


def test_the_interval_of_a_paired_difference_turns_with_the_runs():
    low, high = statistics.paired_difference(20, 12, 2, 16)
    assert statistics.paired_difference(20, 2, 12, 16) == pytest.approx((-high, -low), abs=1e-12)


@pytest.mark.parametrize(("first", "second"), [(0.10, 0.05), (0.2, 0.12), (0.05, 0.02)])
def test_so_many_questions_see_a_difference_four_times_in_five(first, second):
    n = statistics.questions_needed(first, second)
    differing = np.arange(n + 1)
    power = 0.0
    for total, chance in zip(differing, binom.pmf(differing, n, first + second), strict=True):
        if chance > 1e-6:
            critical = binom.ppf(0.025, total, 0.5) - 1  # rejects at or below, on both sides
            share = first / (first + second)
            power += chance * (binom.cdf(critical, total, share) + binom.sf(total - critical - 1, total, share))
    assert 0.74 < power < 0.83  # the exact test is a little more careful than the formula


def test_the_number_of_questions_is_the_formulas_and_none_where_there_is_no_difference():
    root = 1.959964 * math.sqrt(0.15) + 0.841621 * math.sqrt(0.15 - 0.05**2)
    assert statistics.questions_needed(0.10, 0.05) == math.ceil(root**2 / 0.05**2) == 469
    assert statistics.questions_needed(0.05, 0.10) == 469
    assert statistics.questions_needed(0.1, 0.1) is None


def test_calibration_by_hand():
    fit = statistics.calibration([0.1, 0.15, 0.95, 1.0], [False, True, True, True], bins=10)
    assert [row[:3] for row in fit.bins] == [(0.1, 0.2, 2), (0.9, 1.0, 2)]
    assert fit.error == pytest.approx((2 * abs(0.125 - 0.5) + 2 * abs(0.975 - 1.0)) / 4)
