"""How sure a measured share is, what several attempts at a question give, and whether two runs differ."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

Z95 = 1.959963984540054  # 97.5% of a normal distribution lie below it
Z80 = 0.8416212335729143  # 80% do
DRAWS = 10_000  # of a bootstrap


def wilson(successes: int, n: int, z: float = Z95) -> tuple[float, float]:
    """The Wilson score interval of a share, 95% unless `z` says otherwise; (0, 1) where nothing was asked.

    Wilson 1927. It stays within [0, 1] and has a width at 0 and n successes, where the normal one has none.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"successes must lie in [0, n], got {successes} of {n}")
    if n == 0:
        return 0.0, 1.0
    share = successes / n
    middle = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low = 0.0 if successes == 0 else (middle - half) / scale
    high = 1.0 if successes == n else (middle + half) / scale
    return low, high


def pass_at(k: int, n: int, correct: int) -> float:
    """The chance that one at least of k attempts is right, without bias, from n attempts with `correct` right ones.

    1 - C(n - correct, k) / C(n, k): Chen et al. 2021 (arXiv 2107.03374), equation 1.
    """
    if not (0 < k <= n and 0 <= correct <= n):
        raise ValueError(f"k and correct must lie in [1, n] and [0, n], got k={k}, correct={correct}, n={n}")
    return 1.0 - math.comb(n - correct, k) / math.comb(n, k)


def bootstrap(values: Sequence[float], seed: int = 0, draws: int = DRAWS) -> tuple[float, float]:
    """The 95% interval of the mean of values, one a question, when questions are drawn again (percentiles).

    Efron 1979. How often each of the distinct values is drawn is multinomial, so drawing these counts gives the very
    distribution of drawing questions. The same seed gives the same interval. (0, 1) where nothing was asked.
    """
    if len(values) == 0:
        return 0.0, 1.0
    distinct, counts = np.unique(np.asarray(values, np.float64), return_counts=True)
    drawn = np.random.Generator(np.random.PCG64(seed)).multinomial(len(values), counts / len(values), size=draws)
    low, high = np.quantile(drawn @ distinct / len(values), (0.025, 0.975))
    return float(low), float(high)


def mcnemar(only_first: int, only_second: int) -> float:
    """The two-sided p of McNemar's exact test, from the questions that only one of two runs got right.

    Under equal skill either of the two is as likely for each of them (McNemar 1947; exact: the binomial test).
    """
    if min(only_first, only_second) < 0:
        raise ValueError(f"counts must not be negative, got {only_first} and {only_second}")
    n, term, total = only_first + only_second, 1, 0
    for i in range(min(only_first, only_second) + 1):
        total += term
        term = term * (n - i) // (i + 1)
    return min(1.0, 2 * total / 2**n)


def paired_difference(both: int, only_first: int, only_second: int, neither: int) -> tuple[float, float]:
    """The 95% interval of the first share minus the second, measured on the same questions.

    Newcombe 1998, Statistics in Medicine 17:2635-2650, method 10: from Wilson's intervals of both shares and their
    correlation. (-1, 1) where nothing was asked.
    """
    n = both + only_first + only_second + neither
    if n == 0:
        return -1.0, 1.0
    first, second = both + only_first, both + only_second
    (low1, high1), (low2, high2) = wilson(first, n), wilson(second, n)
    product = first * second * (n - first) * (n - second)
    covariance = both * neither - only_first * only_second
    covariance = max(covariance - n / 2, 0) if covariance > 0 else covariance
    phi = covariance / math.sqrt(product) if product else 0.0
    one, two, difference = first / n, second / n, (first - second) / n

    def reach(a, b):
        return math.sqrt(max(a * a - 2 * phi * a * b + b * b, 0.0))

    return difference - reach(one - low1, high2 - two), difference + reach(high1 - one, two - low2)


def questions_needed(only_first: float, only_second: float) -> int | None:
    """How many questions a McNemar test needs to see such a difference, at 5% two-sided with a power of 80%.

    The arguments are shares of the questions that one run alone gets right. Connor 1987, Biometrics 43:207-211:
    n = (z sqrt(p) + z' sqrt(p - d^2))^2 / d^2, with p the sum of the shares and d their difference. None where they
    are equal: no number is enough.
    """
    total, difference = only_first + only_second, only_first - only_second
    if difference == 0:
        return None
    root = Z95 * math.sqrt(total) + Z80 * math.sqrt(total - difference**2)
    return math.ceil(root**2 / difference**2 - 1e-9)


class Fit(NamedTuple):
    """How well shares that were foreseen were met: rows of (low, high, n, foreseen, met), and the mean gap."""

    bins: list[tuple[float, float, int, float, float]]
    error: float


def calibration(foreseen: Sequence[float], met: Sequence[bool], bins: int = 10) -> Fit:
    """How often what was foreseen with a share came true, in `bins` equal ranges of the share.

    `error` is the expected calibration error: the gaps, weighted by how many fall in a range (Naeini et al. 2015).
    """
    foreseen, met = np.asarray(foreseen, float), np.asarray(met, float)
    place = np.minimum((foreseen * bins).astype(int), bins - 1)
    rows = []
    for i in range(bins):
        inside = place == i
        if inside.any():
            said, true = float(foreseen[inside].mean()), float(met[inside].mean())
            rows.append((i / bins, (i + 1) / bins, int(inside.sum()), said, true))
    total = max(len(foreseen), 1)
    return Fit(rows, sum(n * abs(said - true) for _, _, n, said, true in rows) / total)
