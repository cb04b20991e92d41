"""Arithmetic questions drawn by the block, each of them a pure function of a state of 64 bits.

Equal questions have equal lanes, so that those who draw in different lanes never draw the same: a question's lane is
its pivot, which is the first few of its numbers taken as one, plus a hash of the rest, modulo the number of lanes.
It is drawn for a lane by drawing the rest first and then one of the pivots that fit.
"""

import functools
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from data_gen import chains
from mathjax.config import Expressions

PLAIN, FACTOR, DIVISOR, EXPONENT, BASE = range(5)  # where a number stands; a factor is the right side of *
INTEGER, DECIMAL, PERCENT, RATIO = range(4)  # how a number is written; a ratio is (a/b)

_AFTER = np.array([PLAIN, PLAIN, FACTOR, DIVISOR, EXPONENT])  # where a number stands by the sign before it
_TENS = 10 ** np.arange(19, dtype=np.int64)
_STEP, _MIX, _MIX_AGAIN = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_NOWHERE = 31  # the first number of brackets that are not there


def mixed(states: np.ndarray) -> np.ndarray:
    """uint64 to uint64, one to one, and far apart for states that are near (the last step of splitmix64)."""
    states = (states ^ (states >> np.uint64(30))) * _MIX
    states = (states ^ (states >> np.uint64(27))) * _MIX_AGAIN
    return states ^ (states >> np.uint64(31))


def chances(states: np.ndarray, count: int) -> np.ndarray:
    """uint64 [count, B]: the next `count` random numbers after each state (splitmix64)."""
    return mixed(states[None, :] + (np.arange(1, count + 1, dtype=np.uint64) * _STEP)[:, None])


def below(chance: np.ndarray, bound) -> np.ndarray:
    """Random numbers as int64 in [0, bound); the bound is a number or an array, at most 2**31."""
    return ((chance >> np.uint64(32)) * np.asarray(bound, np.uint64) >> np.uint64(32)).astype(np.int64)


def choose(chance: np.ndarray, weights) -> np.ndarray:
    """Random numbers as the indices of weights, as often as they say."""
    steps = np.cumsum(np.asarray(weights, np.float64))
    return np.searchsorted(steps[:-1] / steps[-1], (chance >> np.uint64(11)) * 2.0**-53, side="right")


class Numbers(NamedTuple):
    """The numbers of B questions before their values are drawn: arrays [T, B]."""

    formats: np.ndarray
    decimals: np.ndarray  # how many digits after the point
    digits: np.ndarray  # before the point; of a ratio, of its longer side
    negative: np.ndarray
    places: np.ndarray
    lows: np.ndarray  # the least whole part
    sizes: np.ndarray  # how many values there are


def draw(part: Expressions, n: int, states, lanes, lane_count: int, division: str) -> list[tuple[str, str, str] | None]:
    """A question of `n` operations for each state: (question, chain, answer), None where the draw was of no use.

    `states` uint64 [B]; `lanes` int64 [B] or one number: the lane that each question must have, of `lane_count`.
    """
    chance = iter(chances(states, 6 * n + 13))
    signs = np.array([choose(next(chance), _weights(part, chains.NAMES)) for _ in range(n)])
    first, second = _brackets(part.brackets, n, [next(chance) for _ in range(5)])
    numbers = _numbers(part, _places(signs, first, second), chance)
    kinds = _kinds(signs, numbers.formats, division)
    plans = [_plan(*shape) for shape in _shapes(signs, first, second, kinds)]
    useful = np.array([plan is not None for plan in plans])
    free = np.array([plan.free if plan else 0 for plan in plans])
    salts = np.array([plan.salt if plan else 0 for plan in plans], np.uint64)
    offsets, fits = _offsets(numbers, free, salts, lanes, lane_count, chance)
    quotient_places = below(next(chance), part.quotient_places + 1)
    return _worked(part, plans, kinds, useful & fits, numbers, offsets, quotient_places)


def _weights(part, names):
    return [getattr(part, name) for name in names]


def _brackets(share, n, chance):
    """Two pairs of brackets: (first number, last number) each, int64 [B]; the second is around the first or beside it.

    Where there is none, the first number is _NOWHERE and the last -1.
    """
    nowhere = np.full(len(chance[0]), _NOWHERE), np.full(len(chance[0]), -1)
    if n < 2 or not share:
        return nowhere, nowhere
    spans = []
    for length, start in (chance[0:2], chance[2:4]):
        length = 2 + below(length, n - 1)
        start = below(start, n + 2 - length)
        spans.append((start, start + length - 1))
    (a, b), (c, d) = spans
    uniform = (chance[4] >> np.uint64(11)) * 2.0**-53
    inside, around = (a <= c) & (d <= b), (c <= a) & (b <= d)
    two = (uniform < share**2) & ((inside ^ around) | (b < c) | (d < a))
    swap = two & inside
    a, b, c, d = np.where(swap, c, a), np.where(swap, d, b), np.where(swap, a, c), np.where(swap, b, d)
    one = uniform < share
    first = np.where(one, a, nowhere[0]), np.where(one, b, nowhere[1])
    return first, (np.where(two, c, nowhere[0]), np.where(two, d, nowhere[1]))


def _places(signs, first, second):
    """Where each number stands, int64 [T, B]."""
    T = len(signs) + 1
    slots = np.arange(T)[:, None]
    places = np.zeros((T, signs.shape[1]), np.int64)
    opened = (slots == first[0]) | (slots == second[0])
    closed = (slots == first[1]) | (slots == second[1])
    places[1:] = np.where(opened[1:], PLAIN, _AFTER[signs])
    places[:-1] = np.where((signs == chains.POWER) & ~closed[:-1], BASE, places[:-1])
    return places


def _numbers(part, places, chance):
    """How each number looks: the array of each field of Numbers."""
    T = len(places)
    lowest, highest = np.array(
        [part.digits, part.factor_digits, part.divisor_digits, (1, 1), part.base_digits, part.fraction_digits]
    ).T
    formats = np.zeros_like(places)
    decimals = np.zeros_like(places)
    if part.decimal or part.percent or part.fraction:
        weights = _weights(part, ("integer", "decimal", "percent", "fraction"))
        drawn = np.array([choose(next(chance), weights) for _ in range(T)])
        formats = np.where(places == EXPONENT, INTEGER, drawn)
        low, high = part.places
        drawn = np.array([low + below(next(chance), high - low + 1) for _ in range(T)])
        decimals = np.where(formats == DECIMAL, drawn, 0)
    rows = np.where(formats == RATIO, len(lowest) - 1, places)
    digits = np.array([next(chance) for _ in range(T)])
    negative = (digits & np.uint64(0xFFFFFFFF)) * 2.0**-32 < part.negative
    negative &= places != EXPONENT
    digits = lowest[rows] + below(digits, (highest - lowest + 1)[rows])
    zero = (digits == 1) & ~negative & ((places == PLAIN) | (places == FACTOR)) | (formats == DECIMAL) & (digits == 1)
    lows = np.where(zero, 0, _TENS[digits - 1])
    sizes = (_TENS[digits] - lows) * np.where(decimals > 0, 9 * _TENS[np.maximum(decimals, 1) - 1], 1)
    if part.fraction:
        counts = np.array([0] + [_ratios(size).shape[1] for size in range(1, part.fraction_digits[1] + 1)])
        sizes = np.where(formats == RATIO, counts[np.where(formats == RATIO, digits, 0)], sizes)
    low, high = part.exponent
    lows, sizes = np.where(places == EXPONENT, low, lows), np.where(places == EXPONENT, high - low + 1, sizes)
    return Numbers(formats, decimals, digits, negative, places, lows, sizes)


@functools.cache
def _ratios(digits):
    """Fractions in lowest terms that are not whole, the longer side of so many digits: int64 [2, N]."""
    a, b = np.meshgrid(np.arange(1, 10**digits), np.arange(2, 10**digits), indexing="ij")
    kept = (np.gcd(a, b) == 1) & (np.maximum(a, b) >= 10 ** (digits - 1))
    return np.array([a[kept], b[kept]])


def _kinds(signs, formats, division):
    """Which numbers each question is worked out in, int64 [B]: a constant of chains."""
    kinds = np.where((formats == INTEGER).all(0), chains.WHOLE, chains.DECIMAL)
    fractions = (formats == RATIO).any(0)
    if division == "fraction":
        fractions |= (signs >= chains.DIVIDE).any(0)
    return np.where(fractions, chains.FRACTION, kinds)


def _shapes(signs, first, second, kinds):
    """(operations, signs, brackets, kind) of each question as plain ints."""
    code = (5 ** np.arange(len(signs))) @ signs
    brackets = ((first[0] * 32 + first[1] + 1) * 32 + second[0]) * 32 + second[1] + 1
    return zip([len(signs)] * len(code), code.tolist(), brackets.tolist(), kinds.tolist(), strict=True)


@functools.lru_cache(maxsize=1 << 16)
def _plan(n, code, brackets, kind):
    operators = "".join(chains.SIGNS[code // 5**k % 5] for k in range(n))
    rest, last = divmod(brackets, 32)
    rest, start = divmod(rest, 32)
    second = (start, last - 1) if last else None
    start, last = divmod(rest, 32)
    return chains.plan(operators, (start, last - 1) if last else None, second, kind)


def _offsets(numbers, free, salts, lanes, lane_count, chance):
    """The value of each number as its place among those it may have, int64 [T, B], and whether the lanes are met."""
    T, B = numbers.sizes.shape
    sizes = numbers.sizes.astype(np.uint64)
    offsets = np.array([next(chance) for _ in range(T)]) % sizes
    free = (free >> np.arange(T)[:, None]) & 1 == 1
    pivot, pivots = np.zeros((T, B), bool), np.ones(B, np.uint64)
    for k in range(T):
        pivot[k] = free[k] & (numbers.places[k] != EXPONENT) & (pivots < 64 * lane_count)
        pivots = np.where(pivot[k], pivots * sizes[k], pivots)
    rest = salts
    for k in range(T):
        name = ((numbers.formats[k] * 16 + numbers.decimals[k]) * 16 + numbers.digits[k]) * 2 + numbers.negative[k]
        value = np.where(pivot[k], 0, offsets[k] + numbers.lows[k].astype(np.uint64) + 1)
        rest = mixed(rest ^ np.where(free[k], mixed(name.astype(np.uint64)) + value * _STEP, 0))
    lane_count = np.uint64(lane_count)
    least = (np.asarray(lanes, np.uint64) + lane_count - rest % lane_count) % lane_count
    fits = least < pivots
    ways = (np.maximum(pivots, least + np.uint64(1)) - least + lane_count - np.uint64(1)) // lane_count
    left = least + next(chance) % ways * lane_count
    for k in range(T):
        offsets[k] = np.where(pivot[k], left % sizes[k], offsets[k])
        left = np.where(pivot[k], left // sizes[k], left)
    return offsets.astype(np.int64), fits


def _worked(part, plans, kinds, useful, numbers, offsets, quotient_places):
    """(question, chain, answer) of each question that is of use, else None."""
    tail = 9 * _TENS[np.maximum(numbers.decimals, 1) - 1]
    within = offsets % tail
    decimal = (numbers.lows + offsets // tail) * _TENS[numbers.decimals] + within // 9 * 10 + within % 9 + 1
    values = np.where(numbers.decimals > 0, decimal, numbers.lows + offsets)
    values = np.where(numbers.negative, -values, values)
    scales = _TENS[numbers.decimals + 2 * (numbers.formats == PERCENT)]
    columns = [array.T.tolist() for array in (values, scales, numbers.formats, numbers.digits, offsets)]
    bounds = 10 ** part.digits[1], 10 ** part.factor_digits[1]
    rows = zip(plans, kinds.tolist(), useful.tolist(), quotient_places.tolist(), *columns, strict=True)
    return [_texts(plan, kind, part.limit, bounds, *row) if use else None for plan, kind, use, *row in rows]


def _texts(plan, kind, limit, bounds, places, values, scales, formats, digits, offsets):
    """(question, chain, answer) of one question, or None."""
    if kind == chains.WHOLE:
        scales = None
    elif kind == chains.DECIMAL:
        values = [n if scale == 1 else Decimal(n) / scale for n, scale in zip(values, scales, strict=True)]
    else:
        values = list(map(_fraction, values, scales, formats, digits, offsets))
    try:
        if not chains.work(plan, values, scales, places, bounds, 10**limit):
            return None
    except ArithmeticError:
        return None
    texts = values
    if not plan.whole:
        texts = [number if type(number) is int else chains.write(number) for number in values]
        if kind != chains.WHOLE:
            texts[: len(formats)] = map(_literal, values, formats)
        if any(type(text) is str and len(text.strip("(-)")) > limit + 1 for text in texts):
            return None
        for slot in plan.bases:
            if values[slot] < 0 and type(values[slot]) is not Fraction:
                texts[slot] = f"({texts[slot]})"
    return plan.question % plan.question_slots(texts), plan.chain % plan.chain_slots(texts), str(texts[-1])


def _fraction(value, scale, form, digits, offset):
    if form != RATIO:
        return Fraction(value, scale)
    a, b = _ratios(digits)[:, offset].tolist()
    return Fraction(-a if value < 0 else a, b)


def _literal(number, form):
    """The text of a number of the question."""
    if form == PERCENT:
        return chains.write(number * 100) + "%"
    if form == DECIMAL:
        return chains.write(Decimal(number.numerator) / number.denominator if type(number) is Fraction else number)
    return chains.write(number)
