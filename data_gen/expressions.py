"""Lines of arithmetic drawn by the block, each a function of the states it is drawn from.

A shape is drawn first, that is all but the numbers: operators, brackets and formats; then numbers for it.

**Lanes.** Equal questions have equal lanes, so those who draw in different lanes never draw the same question: a
question's lane is its pivot, that is the first few of its numbers taken as one, plus a hash of all the rest, modulo
the number of lanes. To draw in a lane, the rest is drawn first and then one of the pivots that fit. Numbers that may
be adjusted later, to make a quotient end, take no part in it.
"""

import functools
import itertools
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from data_gen import chains
from data_gen.chance import STEP, below, choose, draws, mixed, uniform
from mathjax.config import Expressions

OPERATORS = ("add", "subtract", "multiply", "divide", "power")  # names of weights, in the order of chains.SIGNS
FORMATS = ("integer", "decimal", "point", "percent", "fraction")
INTEGER, DECIMAL, POINT, PERCENT, RATIO = range(5)
PLAIN, FACTOR, DIVISOR, EXPONENT, BASE = range(5)  # where a number stands; a factor is the right side of *

_AFTER = np.array([PLAIN, PLAIN, FACTOR, DIVISOR, EXPONENT])  # where a number stands, by the sign before it
_TENS = 10 ** np.arange(19, dtype=np.int64)
_NOWHERE = 31  # the first number in brackets that are not there


class Shape(NamedTuple):
    """What the questions of a run have in common."""

    plan: chains.Plan
    places: list[int]  # where each number stands
    formats: list[int]
    kind: int
    ten: int  # 10 to the number of decimals a quotient may have beyond its dividend


class Numbers(NamedTuple):
    """The numbers of B questions before their values are drawn: arrays [n + 1, B]."""

    formats: np.ndarray
    decimals: np.ndarray  # how many digits are after the point
    digits: np.ndarray  # and before it; of a fraction, those of its longer side
    negative: np.ndarray
    places: np.ndarray
    lows: np.ndarray  # the least whole part
    sizes: np.ndarray  # how many values there are


def shapes(part: Expressions, n: int, states: np.ndarray, *, steps: bool, division: str) -> list[Shape | None]:
    """The shape of a question of `n` operations for each state, uint64 [R]: None where one has no use for it."""
    draw = iter(draws(states, 2 * n + 7))
    signs = np.array([choose(next(draw), [getattr(part, name) for name in OPERATORS]) for _ in range(n)])
    inner, outer = _brackets(part.brackets, n, [next(draw) for _ in range(5)])
    places = _places(signs, inner, outer)
    formats = np.array([choose(next(draw), [getattr(part, name) for name in FORMATS]) for _ in places])
    formats = np.where(places == EXPONENT, INTEGER, formats)
    kinds = _kinds(signs, formats, division).tolist()
    tens = _TENS[below(next(draw), part.quotient_places + 1)].tolist()
    plans = _plans(signs, inner, outer, kinds, steps)
    looks = zip(plans, places.T.tolist(), formats.T.tolist(), kinds, tens, strict=True)
    return [Shape(*look) if look[0] else None for look in looks]


def lines(part: Expressions, shapes: list[Shape], runs: np.ndarray, states, lanes, lane_count: int) -> list[str | None]:
    """A line `question=step=..=answer` for each state, None where what was drawn is of no use.

    `shapes`, all of as many operations; `runs` int64 [B], ascending: which of them each line has; `states` uint64 [B];
    `lanes` uint64 [B]: the lane that each question must have, of `lane_count`. Call it in the context `chains.EXACT`.
    """
    draw = iter(draws(states, 3 * len(shapes[0].formats) + 1))
    numbers = _numbers(part, shapes, runs, draw)
    plans = [shape.plan for shape in shapes]
    salts, free = np.array([plan.salt for plan in plans], np.uint64), np.array([plan.free for plan in plans])
    offsets, fits = _offsets(numbers, free[runs], salts[runs], lanes, lane_count, draw)
    values, scales = (array.tolist() for array in _values(numbers, offsets))
    bounds = 10 ** part.digits[1], 10 ** part.factor_digits[1]
    found = []
    ends = (np.flatnonzero(np.diff(runs, append=-1)) + 1).tolist()
    for start, end in itertools.pairwise([0, *ends]):
        columns = [column[start:end] for column in values]
        found += _worked(shapes[runs[start]], columns, [column[start:end] for column in scales], bounds, part)
    return [line if fit else None for line, fit in zip(found, fits.tolist(), strict=True)]


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
    inside, around = (a <= c) & (d <= b), (c <= a) & (b <= d)
    one, two = uniform(chance[4]) < share, uniform(chance[4]) < share**2
    two &= (inside ^ around) | (b < c) | (d < a)
    swap = two & inside
    inner = np.where(swap, c, a), np.where(swap, d, b)
    outer = np.where(swap, a, c), np.where(swap, b, d)
    return tuple(
        (np.where(there, first, _NOWHERE), np.where(there, last, -1))
        for there, (first, last) in ((one, inner), (two, outer))
    )


def _places(signs, inner, outer):
    """Where each number stands, int64 [n + 1, B]."""
    slots = np.arange(len(signs) + 1)[:, None]
    opened = (slots == inner[0]) | (slots == outer[0])
    closed = (slots == inner[1]) | (slots == outer[1])
    places = np.zeros(opened.shape, np.int64)
    places[1:] = np.where(opened[1:], PLAIN, _AFTER[signs])
    places[:-1] = np.where((signs == chains.POWER) & ~closed[:-1], BASE, places[:-1])
    return places


def _numbers(part, shapes, runs, draw):
    """How each number looks."""
    formats = np.array([shape.formats for shape in shapes]).T[:, runs]
    places = np.array([shape.places for shape in shapes]).T[:, runs]
    settings = (part.digits, part.factor_digits, part.divisor_digits, (1, 1), part.base_digits, part.fraction_digits)
    lowest, highest = np.array(settings).T
    rows = np.where(formats == RATIO, len(settings) - 1, places)
    drawn = np.array([next(draw) for _ in places])
    negative = ((drawn & np.uint64(0xFFFFFFFF)) * 2.0**-32 < part.negative) & (places != EXPONENT)
    digits = np.where(formats == POINT, 0, lowest[rows] + below(drawn, (highest - lowest + 1)[rows]))
    may_be_zero = (digits == 1) & ((formats == DECIMAL) | ~negative & ((places == PLAIN) | (places == FACTOR)))
    lows = np.where(may_be_zero | (digits == 0), 0, _TENS[digits - 1])
    sizes = _TENS[digits] - lows
    decimals = np.zeros_like(places)
    if part.decimal or part.point:
        least, most = part.places
        drawn = np.array([least + below(next(draw), most - least + 1) for _ in places])
        decimals = np.where((formats == DECIMAL) | (formats == POINT), drawn, 0)
        sizes *= np.where(decimals > 0, 9 * _TENS[np.maximum(decimals, 1) - 1], 1)
    if part.fraction:
        counts = np.array([0] + [_ratios(size).shape[1] for size in range(1, part.fraction_digits[1] + 1)])
        sizes = np.where(formats == RATIO, counts[np.minimum(digits, len(counts) - 1)], sizes)
    least, most = part.exponent
    lows = np.where(places == EXPONENT, least, lows)
    sizes = np.where(places == EXPONENT, most - least + 1, sizes)
    return Numbers(formats, decimals, digits, negative, places, lows, sizes)


@functools.cache
def _ratios(digits):
    """Fractions in lowest terms that are not whole, the longer side of so many digits: int64 [2, N]."""
    a, b = np.meshgrid(np.arange(1, 10**digits), np.arange(2, 10**digits), indexing="ij")
    kept = (np.gcd(a, b) == 1) & (np.maximum(a, b) >= 10 ** (digits - 1))
    return np.array([a[kept], b[kept]])


def _kinds(signs, formats, division):
    """What each question is worked out in, int64 [B]: WHOLE, DECIMAL or FRACTION of chains."""
    fractions = (formats == RATIO).any(0)
    if division == "fraction":
        fractions |= (signs >= chains.DIVIDE).any(0)
    return np.where(fractions, chains.FRACTION, np.where(formats.any(0), chains.DECIMAL, chains.WHOLE))


def _plans(signs, inner, outer, kinds, steps):
    """The plan of each question, None where its shape is not used."""
    code = (5 ** np.arange(len(signs))) @ signs
    brackets = ((inner[0] * 32 + inner[1] + 1) * 32 + outer[0]) * 32 + outer[1] + 1
    looks = zip(code.tolist(), brackets.tolist(), kinds, strict=True)
    return [_plan(len(signs), *look, steps) for look in looks]


@functools.lru_cache(maxsize=1 << 16)
def _plan(n, code, brackets, kind, steps):
    a, b, c, d = (brackets // 32**k % 32 for k in (3, 2, 1, 0))
    operators = "".join(chains.SIGNS[code // 5**k % 5] for k in range(n))
    return chains.plan(operators, (a, b - 1) if b else None, (c, d - 1) if d else None, kind, steps)


def _offsets(numbers, free, salts, lanes, lane_count, draw):
    """The value of each number as its place among those it may have, int64 [n + 1, B], and whether the lane is met."""
    slots, sizes = len(numbers.sizes), numbers.sizes.astype(np.uint64)
    offsets = np.array([next(draw) for _ in range(slots)]) % sizes
    free = (free >> np.arange(slots)[:, None]) & 1 == 1
    looks = ((numbers.formats * 16 + numbers.decimals) * 16 + numbers.digits) * 2 + numbers.negative
    values = offsets + numbers.lows.astype(np.uint64) + np.uint64(1)
    pivot, pivots, rest = np.zeros_like(free), np.ones_like(salts), salts
    for k in range(slots):
        pivot[k] = free[k] & (numbers.places[k] != EXPONENT) & (pivots < 64 * lane_count)
        pivots = np.where(pivot[k], pivots * sizes[k], pivots)
        seen = looks[k].astype(np.uint64) + np.where(pivot[k], np.uint64(0), values[k] * np.uint64(STEP))
        rest = np.where(free[k], mixed(rest * np.uint64(3) + seen), rest)
    count = np.uint64(lane_count)
    least = (lanes + count - rest % count) % count
    fits = least < pivots
    ways = (np.maximum(pivots, least + np.uint64(1)) - least + count - np.uint64(1)) // count
    left = least + next(draw) % ways * count
    for k in range(slots):
        offsets[k] = np.where(pivot[k], left % sizes[k], offsets[k])
        left = np.where(pivot[k], left // sizes[k], left)
    return offsets.astype(np.int64), fits


def _values(numbers, offsets):
    """Numerators and denominators, int64 [n + 1, B]."""
    values, scales = numbers.lows + offsets, np.ones_like(offsets)
    if numbers.decimals.any():
        tail = 9 * _TENS[np.maximum(numbers.decimals, 1) - 1]
        whole, rest = np.divmod(offsets, tail)
        decimal = (numbers.lows + whole) * _TENS[numbers.decimals] + rest // 9 * 10 + rest % 9 + 1
        values = np.where(numbers.decimals > 0, decimal, values)
    if numbers.formats.any():
        scales = _TENS[numbers.decimals + 2 * (numbers.formats == PERCENT)]
        for digits in np.unique(numbers.digits[numbers.formats == RATIO]).tolist():
            those = (numbers.formats == RATIO) & (numbers.digits == digits)
            values[those], scales[those] = _ratios(digits)[:, offsets[those]]
    return np.where(numbers.negative, -values, values), scales


def _worked(shape, values, scales, bounds, part):
    """The lines of one shape, from the columns of its numbers."""
    plan, kind = shape.plan, shape.kind
    columns = [_column(kind, *look) for look in zip(shape.formats, values, scales, strict=True)]
    limit = 10**part.limit
    floor = -limit if part.below_zero else -1
    useful = chains.work(plan, columns, scales if kind else None, shape.ten, bounds, limit, floor)
    if kind or shape.ten > 1 or plan.bases:
        columns = _texts(shape, columns, part.limit, useful)
    lines = map(plan.line.__mod__, zip(*plan.slots(columns), strict=True))
    return [line if use else None for line, use in zip(lines, useful, strict=True)]


def _column(kind, form, values, scales):
    if kind == chains.FRACTION:
        return list(map(Fraction, values, scales))
    if form == INTEGER:
        return values
    return [Decimal(value) / scale for value, scale in zip(values, scales, strict=True)]


def _texts(shape, columns, limit, useful):
    """How the numbers are written. Marks what is of no use: more digits than `limit`, a decimal that became whole."""
    texts = [list(map(chains.write, column)) for column in columns]
    for column in texts[len(shape.formats) :]:
        for row, text in enumerate(column):
            if len(text) > limit and sum(map(str.isdigit, text)) > limit:
                useful[row] = False
    for slot, form in enumerate(shape.formats):
        if form == PERCENT:
            texts[slot] = [chains.write(number * 100) + "%" for number in columns[slot]]
        elif form in (DECIMAL, POINT):
            texts[slot] = [_point(number, form) for number in columns[slot]]
            for row, text in enumerate(texts[slot]):
                useful[row] &= "." in text
    for slot in shape.plan.bases:
        texts[slot] = [f"({text})" if text.startswith("-") else text for text in texts[slot]]
    return texts


def _point(number, form):
    """How a decimal of the question is written; one that must not have a 0 before the point, and has more, as none."""
    numerator, denominator = number.as_integer_ratio()
    text = chains.write(Decimal(numerator) / denominator)
    if form == POINT:
        return text.replace("0.", ".", 1) if abs(number) < 1 else ""
    return text
